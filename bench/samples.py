"""Samples of columns with what they are, from real tables: what is trained and measured on in one process.

A sample is what the scanner judges a column by: its distinct values with the smallest hashes. Reading all
tables takes a minute, so the samples are kept in ``bench/out``, until the truth or the readers change.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench import accuracy, common

#: Hashes of a sample need no secret here, but the same key each time.
_KEY = bytes(32)
_PUBLISHER = re.compile(r"opendata/(.+)_[a-z0-9]{4}-[a-z0-9]{4}\.csv")


@dataclass(frozen=True)
class Label:
    """What a column is.

    Attributes:
        category: a label of `bench.accuracy`, ``NONE`` for nothing; None where nobody knows.
        also: other labels that are right.
        entity_type: the very type, where it is known.
    """

    category: str | None
    also: frozenset[str] = frozenset()
    entity_type: str | None = None


@dataclass
class Column:
    """A column's sample.

    Attributes:
        name: its heading, empty for none.
        label: what it is.
        values: sampled distinct values.
        filled: rows that are not blank.
        place: where it is, for a person to look it up.
    """

    name: str
    label: Label
    values: list[str] = field(default_factory=list)
    filled: int = 0
    place: str = ""


@dataclass
class SampledTable:
    """A table's columns, in their order.

    Attributes:
        source: the collection or publisher; columns of one source are alike, so they are never split.
        name: of the table.
        columns: all of them, labelled or not.
        generated: whether it was made up.
    """

    source: str
    name: str
    columns: list[Column]
    generated: bool = False


def without_headings(table: SampledTable, most: int | None = None) -> SampledTable:
    """The table as it is without its heading and its name; of each column ``most`` distinct values."""
    columns = [
        replace(
            column,
            name="",
            values=column.values[:most],
            filled=column.filled if most is None else min(column.filled, most),
        )
        for column in table.columns
        if column.values
    ]
    return SampledTable(table.source, "", columns, table.generated)


def source_of(file: str) -> str:
    """The repository of a table, or the public body that published it."""
    found = _PUBLISHER.fullmatch(file)
    return f"opendata {found[1]}" if found else "/".join(file.split("/")[:2])


def real(folder: Path) -> list[SampledTable]:
    """The labelled real tables of a folder, from the cache where nothing has changed."""
    known = [truth for truth in accuracy.truths(folder, "both") if truth.values != 0]
    cache = common.OUT / f"samples-{_digest(folder)}.pickle"
    if cache.is_file():
        tables: list[SampledTable] = pickle.loads(cache.read_bytes())
        return tables
    by_file: dict[str, list[accuracy.Truth]] = defaultdict(list)
    for truth in known:
        by_file[truth.file].append(truth)
    tables = [table for file, wanted in by_file.items() for table in _of_file(folder, file, wanted)]
    common.OUT.mkdir(parents=True, exist_ok=True)
    for old in common.OUT.glob("samples-*.pickle"):
        old.unlink()
    cache.write_bytes(pickle.dumps(tables))
    return tables


def _digest(folder: Path) -> str:
    """Changes with the truth, the readers and what makes a sample."""
    digest = hashlib.sha256(str(folder).encode())
    files = [folder / "tables_truth.csv", folder / "opendata_truth.csv", Path(__file__)]
    files += sorted((common.ROOT / "scanner" / "readers").rglob("*.py"))
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _of_file(folder: Path, file: str, wanted: list[accuracy.Truth]) -> Iterator[SampledTable]:
    found = _samples(folder / file)
    names = {truth.table for truth in wanted}
    for name in sorted(names):
        listed = [
            {
                "name": table,
                "rows": max((column.filled for column in columns.values()), default=0),
                "columns": [
                    {"name": column.place, "index": index} for index, column in enumerate(columns.values())
                ],
            }
            for table, columns in found.items()
        ]
        table = accuracy.find_table({"tables": listed}, name, len(names) == 1)
        if table is None:
            continue
        columns = list(found[table["name"]].values())
        for truth in wanted:
            if truth.table == name and (at := accuracy.find_column(table, truth)) is not None:
                columns[at["index"]].label = Label(truth.category, truth.also_ok)
        for column in columns:
            column.place = f"{file} {name} {column.place}"
        yield SampledTable(source_of(file), table["name"], columns)


def _samples(path: Path) -> dict[str, dict[tuple[str, int], Column]]:
    """Every column of a file by table and heading."""
    from scanner.readers.base import ReadContext, Source, TableChunk
    from scanner.readers.registry import choose

    source = Source.of_file(path)
    reader = choose(source.head, path.name)
    tables: dict[str, dict[tuple[str, int], Column]] = defaultdict(dict)
    samplers: dict[tuple[str, str, int], Sampler] = {}
    try:
        for event in reader.read(source, ReadContext()) if reader is not None else ():
            if not isinstance(event, TableChunk):
                continue
            seen: dict[str, int] = defaultdict(int)
            for name, array in zip(event.batch.schema.names, event.batch.columns, strict=True):
                key = (name, seen[name])
                seen[name] += 1
                heading = name if event.headed else ""
                tables[event.table].setdefault(key, Column(heading, Label(None), place=name))
                samplers.setdefault((event.table, *key), Sampler()).add(array)
    finally:
        source.close()
    for (table, *rest), sampler in samplers.items():
        column = tables[table][(str(rest[0]), int(str(rest[1])))]
        column.values, column.filled = sampler.values(), sampler.filled
    return tables


class Sampler:
    """Keeps the distinct values of a column with the smallest hashes, as the scanner does."""

    def __init__(self) -> None:
        self.filled = 0
        self._kept: dict[int, str] = {}

    def add(self, array: Any) -> None:
        """Let the values of a chunk compete."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from scanner.detect.columns import sampled
        from scanner.detect.hashing import ColumnHasher
        from scanner.detect.tally import SAMPLE

        values = pc.drop_null(array.cast(pa.large_string()))
        values = values.filter(pc.match_substring_regex(values, r"\S"))
        self.filled += len(values)
        values = pc.unique(values)
        largest = max(self._kept) if len(self._kept) == SAMPLE else None
        self._kept.update(sampled(values, ColumnHasher(_KEY).hash(values), largest))
        self._kept = dict(sorted(self._kept.items())[:SAMPLE])

    def values(self) -> list[str]:
        """The sample, by hash."""
        return [value for _, value in sorted(self._kept.items())]


def sample_of(values: Iterable[str]) -> list[str]:
    """The sample of a column that is in memory."""
    import pyarrow as pa

    sampler = Sampler()
    sampler.add(pa.array(list(values), pa.large_string()))
    return sampler.values()
