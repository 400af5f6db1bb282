"""Whether the readers find every table, column and row of real files whose truth is known.

    python -m bench.readers [--all]

Data: ``$SHAREWATCH_REAL_DATA`` (default ``../real-data``), with ``tables_truth.csv``: file, table, column,
rows and nonblank cells. Each file is read through the registry, as a scan does. Prints a line for each file
that differs (every file with ``--all``) and ends with 1 where one does. Names of columns are printed, never a
value. A gap is told but is no difference: a picture in a dump is not read, and said so.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from scanner.readers.base import Event, ReadContext, ReadError, Source, TableChunk
from scanner.readers.compression import unwrap
from scanner.readers.registry import choose

#: What a spreadsheet library calls a column without a heading, and what this program does.
_BLANK = ("", "Unnamed: 0")


@dataclass
class Truth:
    """One table as it is: columns in order, each with its nonblank cells."""

    headed: bool
    rows: int
    columns: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Found:
    """One table as it was read: for each column the rows that hold a value."""

    rows: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    last_row: dict[str, int] = field(default_factory=dict)

    def add(self, chunk: TableChunk) -> None:
        """Count a chunk's rows and, column by column, the rows with a value."""
        import pyarrow.compute as pc

        rows = chunk.batch.num_rows if chunk.rows is None else chunk.rows
        seen: dict[str, int] = defaultdict(int)
        for name, cells in zip(chunk.batch.schema.names, chunk.batch.columns, strict=True):
            seen[name] += 1
            key = name if seen[name] == 1 else f"{name}#{seen[name]}"
            filled = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(cells), ""), False)
            if chunk.row_ids is None:
                count = pc.sum(filled).as_py() or 0
            else:
                ids = pc.unique(pc.filter(chunk.row_ids, filled)).to_pylist()
                # Elements of one row may come in two chunks.
                count = len(ids) - bool(ids and ids[0] == self.last_row.get(key))
                self.last_row[key] = ids[-1] if ids else self.last_row.get(key, 0)
            self.columns[key] = self.columns.get(key, 0) + count
        self.rows += rows


def read_truth(file: Path) -> dict[str, dict[str, Truth]]:
    """The truth by file and table."""
    truth: dict[str, dict[str, Truth]] = defaultdict(dict)
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            table = truth[row["file"]].setdefault(
                row["table"], Truth(row["has_header"] == "yes", int(row["rows"]))
            )
            table.columns.append((row["column"], int(row["nonblank"])))
    return truth


def read_file(path: Path) -> tuple[str, dict[str, Found], list[str]]:
    """A file's format, tables, and the reasons of its gaps."""
    context = ReadContext()
    source, _ = unwrap(Source.of_file(path), context)
    reader = choose(source.head, source.name)
    if reader is None:
        return "unknown", {}, ["unsupported"]
    tables: dict[str, Found] = {}
    gaps: list[str] = []
    try:
        for event in reader.read(source, context):
            _count(event, tables, gaps)
    except ReadError as error:
        gaps.append(str(error.reason))
    finally:
        source.close()
    return reader.format_of(source.head, source.name), tables, gaps


def _count(event: Event, tables: dict[str, Found], gaps: list[str]) -> None:
    if isinstance(event, TableChunk):
        tables.setdefault(event.table, Found()).add(event)
    elif hasattr(event, "reason"):
        gaps.append(str(event.reason))


def find_table(name: str, tables: dict[str, Found]) -> Found | None:
    """The table of that name, or number (``sheet 2``); a schema before it or another case do not count."""
    folded = {found.lower(): table for found, table in tables.items()}
    if name.startswith("sheet ") and folded.keys().isdisjoint({name}):
        return dict(enumerate(folded.values(), 1)).get(int(name.removeprefix("sheet ")))
    last = {found.rpartition(".")[2]: table for found, table in folded.items()}
    return folded.get(name.lower()) or last.get(name.lower().rpartition(".")[2])


def differences(truth: Truth, found: Found) -> list[str]:
    """What of a table is not as it should be, one phrase each."""
    wrong: list[str] = []
    if found.rows != truth.rows:
        wrong.append(f"{found.rows} rows for {truth.rows}")
    names = list(found.columns)
    patterns = [name for name, _ in truth.columns if name.endswith(".*")]
    listed = [(index, column) for index, column in enumerate(truth.columns) if column[0] not in patterns]
    for index, (name, nonblank) in listed:
        key = _key(name, index, names, headed=truth.headed)
        if key is None:
            wrong.append(f"no column {name}")
        elif found.columns[key] != nonblank:
            wrong.append(f"{name}: {found.columns[key]} values for {nonblank}")
    extra = len(names) - len(listed)
    if extra and not patterns:
        wrong.append(f"{extra:+d} columns")
    return wrong


def _key(name: str, index: int, names: list[str], *, headed: bool) -> str | None:
    """The found column that a true one is: by name, or by place where the file gives it none."""
    made_up = all(found.startswith("column_") for found in names)
    if not headed or made_up or name in _BLANK:
        return names[index] if index < len(names) else None
    tidy = " ".join(name.split())
    return tidy if tidy in names else None


def main() -> int:
    """Compare all files; 0 where all agree, 1 where one does not, 2 where there is no data."""
    parser = argparse.ArgumentParser(prog="python -m bench.readers")
    parser.add_argument("--all", action="store_true", help="print the files that agree too")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("SHAREWATCH_REAL_DATA", "../real-data"))
    if not (folder / "tables_truth.csv").is_file():
        print(f"no tables_truth.csv in {folder}: set SHAREWATCH_REAL_DATA to the folder", file=sys.stderr)
        return 2
    truth = read_truth(folder / "tables_truth.csv")
    started = time.perf_counter()
    bad = tables = columns = 0
    for file, wanted in truth.items():
        name, found, gaps = read_file(folder / file)
        wrong: list[str] = []
        for table, true in wanted.items():
            tables += 1
            columns += len(true.columns)
            read = find_table(table, found)
            wrong += [f"no table {table}"] if read is None else differences(true, read)
        bad += bool(wrong)
        if wrong or gaps or arguments.all:
            state = "DIFFERS" if wrong else "ok"
            told = [*wrong[:8], *(f"gap {reason}" for reason in gaps)]
            print(f"{state:8}{name:12}{file}: {'; '.join(told) or 'as it should be'}")
    seconds = time.perf_counter() - started
    print(f"{len(truth)} files, {tables} tables, {columns} columns: {bad} files differ ({seconds:.1f} s)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
