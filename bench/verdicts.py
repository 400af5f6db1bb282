"""What the detector says of sampled columns, in this process: the verdict alone, without counting rows."""

from __future__ import annotations

import hashlib
import pickle
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import accuracy, common
from bench.samples import Column, SampledTable
from scanner.config import Settings
from scanner.detect import judge
from scanner.detect.candidates import Tests
from scanner.detect.features import Heading
from scanner.detect.meaning import REPORTED, Meaning
from scanner.detect.neighbours import with_neighbours
from scanner.detect.weighing import ColumnModel

#: As in `scanner.detect.columns`: a meaning this sure keeps long values from being read as running text.
_SURE = 0.6


@dataclass
class Seen:
    """A column as the model sees it.

    Attributes:
        column: the sample.
        heading: what its heading says.
        weighable: the types that it may be, with their features.
        prose: whether it looks like running text.
    """

    column: Column
    heading: Heading
    weighable: list[judge.Weighable]
    prose: bool


def see(column: Column, table: str, settings: Settings) -> Seen:
    """All that the model is told of a column."""
    heading = judge.heading_of(column.name, table)
    found = (
        list(judge.weighable(heading, Tests(column.values, settings), column.filled)) if column.values else []
    )
    return Seen(column, heading, found, judge.is_prose(column.name, column.values))


def see_all(tables: Sequence[SampledTable]) -> list[list[Seen]]:
    """The same of all tables; kept in ``bench/out`` until the detector or the rules change."""
    digest = _digest(tables)
    cache = common.OUT / f"seen-{digest}.pickle"
    if cache.is_file():
        kept: list[list[Seen]] = pickle.loads(cache.read_bytes())
        return kept
    started = time.perf_counter()
    settings = Settings()
    found = [[see(column, table.name, settings) for column in table.columns] for table in tables]
    print(
        f"looked at {sum(map(len, found))} columns in {time.perf_counter() - started:.0f} s", file=sys.stderr
    )
    common.OUT.mkdir(parents=True, exist_ok=True)
    for old in common.OUT.glob("seen-*.pickle"):
        old.unlink()
    cache.write_bytes(pickle.dumps(found))
    return found


def _digest(tables: Sequence[SampledTable]) -> str:
    digest = hashlib.sha256()
    files = [
        *(common.ROOT / "scanner" / "detect").glob("*.py"),
        *(common.ROOT / "rules").rglob("*"),
        Path(__file__),
    ]
    for file in sorted(files):
        if file.is_file() and file.name != "column_model.json":
            digest.update(file.read_bytes())
    for table in tables:
        digest.update(
            repr(
                (table.source, table.name, [(c.name, len(c.values), c.values[:1]) for c in table.columns])
            ).encode()
        )
    return digest.hexdigest()[:16]


def meanings(seen: Sequence[Seen], model: ColumnModel) -> list[tuple[Meaning, ...]]:
    """The meanings of a table's columns, each by itself."""
    return [
        judge.settled(judge.meaning_of(each.heading, weighed, model) for weighed in each.weighable)
        for each in seen
    ]


def answers(seen: Sequence[Seen], model: ColumnModel) -> list[accuracy.Answer]:
    """What is said of each column of a table, as a report would."""
    first = meanings(seen, model)
    out = []
    for each, before, after in zip(seen, first, with_neighbours(first, model), strict=True):
        prose = each.prose and not (before and before[0].confidence >= _SURE)
        best = after[0] if after and not prose else None
        if best is None or best.confidence < REPORTED:
            out.append(accuracy.NONE)
        else:
            label = accuracy.label_of(best.entity_type)
            out.append(accuracy.Answer(label, best.confidence, best.entity_type))
    return out


def pairs_of(
    seen: Sequence[Sequence[Seen]], said: Sequence[Sequence[accuracy.Answer]], threshold: float
) -> list[tuple[accuracy.Truth, accuracy.Answer]]:
    """Labelled columns with the answers that are sure enough, as `bench.accuracy` counts them."""
    out = []
    for table, answered in zip(seen, said, strict=True):
        for each, answer in zip(table, answered, strict=True):
            label = each.column.label
            if label.category is None:
                continue
            given = answer if answer.confidence >= threshold and answer.label != "NONE" else accuracy.NONE
            out.append((truth_of(each.column), given))
    return out


def truth_of(column: Column) -> accuracy.Truth:
    """The label of a column as `bench.accuracy` has it."""
    file, _, rest = column.place.partition(" ")
    category = column.label.category or "NONE"
    return accuracy.Truth(file, rest, 0, column.name, category, column.label.also, None, None)
