"""How fast dumps and database files are read, before anything is looked for in them: each dialect in turn.

    python -m bench.dumps [ROWS]

One generated table of customers (150,000 rows and 7 columns where left out) is written as each kind of dump
and read through the registry, as a scan does. Prints megabytes (10^6 bytes) for a second of processor time,
the best of three readings, one process. Ends with 1 where a reading does not give every row, or tells a gap.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from scanner.model import Gap
from scanner.readers.base import ReadContext, Source, TableChunk
from scanner.readers.registry import choose

Row = tuple[int, str, str, str, str, str, float]

_ROWS_OF_AN_INSERT = 2_000
_READINGS = 3
_NAMES = "id, first, last, email, street, created, amount"
_BRACKETS = ", ".join(f"[{name}]" for name in _NAMES.split(", "))
_TYPES = "id int, first text, last text, email text, street text, created text, amount decimal(9,2)"


def customers(count: int, seed: int = 1) -> list[Row]:
    """Rows of a table of customers; one last name in a hundred holds a quote."""
    rng = random.Random(seed)
    return [
        (
            number,
            f"Anna{number}",
            f"O'Neil {number}" if number % 100 == 0 else f"Neilson {number % 977}",
            f"a{number}@example.org",
            f"{rng.randint(1, 999)} Elm Street",
            f"2025-0{number % 9 + 1}-1{number % 9}T10:20:30.000",
            round(rng.random() * 1000, 2),
        )
        for number in range(count)
    ]


def _quoted(text: str, before: str = "") -> str:
    return f"{before}'" + text.replace("'", "''") + "'"


def _values(row: Row, blank: str = "") -> str:
    number, *texts, amount = row
    return f",{blank}".join([str(number), *(_quoted(str(text)) for text in texts), str(amount)])


def mysqldump(rows: Sequence[Row]) -> Iterator[str]:
    """Many rows a statement, quotes escaped by a backslash."""
    yield f"-- MySQL dump 10.13\nCREATE TABLE `c` ({_TYPES}) ENGINE=InnoDB;\n"
    for start in range(0, len(rows), _ROWS_OF_AN_INSERT):
        some = (f"({_values(row)})" for row in rows[start : start + _ROWS_OF_AN_INSERT])
        yield "INSERT INTO `c` VALUES " + ",".join(some).replace("''", "\\'") + ";\n"


def postgres_copy(rows: Sequence[Row]) -> Iterator[str]:
    """Rows between COPY and its end mark."""
    yield f"-- PostgreSQL database dump\nCREATE TABLE c ({_TYPES});\nCOPY c ({_NAMES}) FROM stdin;\n"
    for row in rows:
        yield "\t".join(map(str, row)) + "\n"
    yield "\\.\n"


def postgres_inserts(rows: Sequence[Row]) -> Iterator[str]:
    """A statement a row, as ``pg_dump --inserts`` writes."""
    yield f"-- PostgreSQL database dump\nCREATE TABLE c ({_TYPES});\n"
    for row in rows:
        yield f"INSERT INTO c VALUES ({_values(row, ' ')});\n"


def sqlite_dump(rows: Sequence[Row]) -> Iterator[str]:
    """A statement a row, as SQLite's ``.dump`` writes."""
    yield f"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE c ({_TYPES});\n"
    for row in rows:
        yield f"INSERT INTO c VALUES({_values(row)});\n"
    yield "COMMIT;\n"


def management_studio(rows: Sequence[Row], cast: str = "{}") -> Iterator[str]:
    """A statement and a batch a row; ``cast`` is what stands around the time."""
    yield f"CREATE TABLE [dbo].[c]({_TYPES})\nGO\n"
    for number, *texts, amount in rows:
        cells = [_quoted(str(text), "N") for text in texts]
        cells[-1] = cast.format(cells[-1])
        values = ", ".join([str(number), *cells, str(amount)])
        yield f"INSERT [dbo].[c] ({_BRACKETS}) VALUES ({values})\nGO\n"


def with_casts(rows: Sequence[Row]) -> Iterator[str]:
    """The same with a CAST in every row."""
    return management_studio(rows, "CAST({} AS DateTime)")


DUMPS: dict[str, Callable[[Sequence[Row]], Iterator[str]]] = {
    "mysqldump": mysqldump,
    "pg_dump (COPY)": postgres_copy,
    "pg_dump --inserts": postgres_inserts,
    "SQLite .dump": sqlite_dump,
    "T-SQL": management_studio,
    "T-SQL with CAST": with_casts,
}


def _database(path: Path, rows: Sequence[Row]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE TABLE c ({_TYPES.replace('decimal(9,2)', 'real')})")
        connection.executemany("INSERT INTO c VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def read(path: Path) -> tuple[int, int, float]:
    """A file's rows, gaps and processor seconds."""
    started, rows, gaps = time.process_time(), 0, 0
    source = Source.of_file(path)
    reader = choose(source.head, source.name)
    if reader is None:
        raise RuntimeError("no reader takes the file")
    with closing(source):
        for event in reader.read(source, ReadContext()):
            if isinstance(event, TableChunk):
                rows += event.batch.num_rows
            gaps += isinstance(event, Gap)
    return rows, gaps, time.process_time() - started


def main(arguments: Sequence[str]) -> int:
    """Print a line for each kind of file; 1 where one is not read as it is."""
    rows = customers(int(arguments[0]) if arguments else 150_000)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{number}.sql" for number, name in enumerate(DUMPS)}
        for name, path in files.items():
            with path.open("w", encoding="utf-8") as stream:
                stream.writelines(DUMPS[name](rows))
        files["SQLite file"] = Path(folder) / "c.sqlite"
        _database(files["SQLite file"], rows)
        for name, path in files.items():
            readings = [read(path) for _ in range(_READINGS)]
            size = path.stat().st_size / 1e6
            bad = any(found != len(rows) or gaps for found, gaps, _ in readings)
            speed = size / min(seconds for _, _, seconds in readings)
            print(f"{name:18} {size:6.1f} MB  {speed:5.0f} MB/s{'  NOT AS IT IS' if bad else ''}", flush=True)
            wrong += bad
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
