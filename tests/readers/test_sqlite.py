"""SQLite files: damage, hostility, journals, limits."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers.base import ReadContext, Source
from scanner.readers.sqlite import SqliteReader
from tests.readers.folding import Folded, fold


def make(path: Path, script: str, rows: Iterable[tuple[object, ...]] = ()) -> Path:
    """A database, with ``rows`` in its table ``t``."""
    connection = sqlite3.connect(path)
    connection.executescript(script)
    for row in rows:
        connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(row))})", row)
    connection.commit()
    connection.close()
    return path


def from_file(path: Path, **limits: int) -> Folded:
    source = Source.of_file(path)
    with contextlib.closing(source):
        return fold(SqliteReader().read(source, ReadContext(Limits(**limits))))


def from_memory(path: Path, **limits: int) -> Folded:
    source = Source.of_bytes(path.read_bytes(), path.name)
    return fold(SqliteReader().read(source, ReadContext(Limits(**limits))))


WAYS = pytest.mark.parametrize("read", [from_file, from_memory])
Read = Callable[..., Folded]


@WAYS
def test_many_rows_come_in_order(tmp_path: Path, read: Read) -> None:
    """More than a chunk holds, with one cell of broken text in the middle."""
    rows: list[tuple[object, ...]] = [(number, f"name {number}") for number in range(40_000)]
    path = make(tmp_path / "odd ?#%.db", "CREATE TABLE t (a, b TEXT)", rows)
    connection = sqlite3.connect(path)
    connection.execute("UPDATE t SET b = CAST(X'e9' AS TEXT) WHERE a = 20000")
    connection.commit()
    connection.close()
    table = read(path).tables["t"]
    assert table.column("a").values == [str(number) for number in range(40_000)]
    assert [table.column("b").values[number] for number in (19_999, 20_000, 20_001)] == [
        "name 19999",
        "é",
        "name 20001",
    ]


def test_a_write_ahead_log_is_a_gap_and_nothing_is_written(tmp_path: Path) -> None:
    """Rows that are only in the log are said to be missing; the folder stays as it was."""
    path = tmp_path / "x.db"
    writer = sqlite3.connect(path)
    writer.executescript("PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);")
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.execute("INSERT INTO t VALUES (2)")
    writer.commit()
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("x.db", "x.db-wal"):
        (copy / name).write_bytes((tmp_path / name).read_bytes())
    writer.close()
    before = sorted(copy.iterdir())
    folded = from_file(copy / "x.db")
    assert folded.tables["t"].column("a").values == ["1"]
    assert [gap.reason for gap in folded.gaps] == [Reason.UNSUPPORTED]
    assert sorted(copy.iterdir()) == before
    assert from_memory(copy / "x.db").tables["t"].rows == 1


@WAYS
def test_damaged_pages_keep_the_rows_before(tmp_path: Path, read: Read) -> None:
    """A table whose last pages are overwritten gives its first rows, the next table is read."""
    rows: list[tuple[object, ...]] = [(number, "x" * 100) for number in range(2000)]
    path = make(
        tmp_path / "x.db", "CREATE TABLE u (c); INSERT INTO u VALUES (5); CREATE TABLE t (a, b)", rows
    )
    data = bytearray(path.read_bytes())
    data[100_000:110_000] = b"\x5a" * 10_000
    path.write_bytes(data)
    folded = read(path)
    assert 0 < folded.tables["t"].rows < 2000
    assert folded.tables["u"].rows == 1
    assert Reason.CORRUPT in [gap.reason for gap in folded.gaps]


@WAYS
@pytest.mark.parametrize("size", [16, 100, 1000, 4096, 5000])
def test_a_cut_file_ends_in_gaps(tmp_path: Path, read: Read, size: int) -> None:
    """Wherever it is cut: a gap or an error, and no exception of SQLite's."""
    path = make(tmp_path / "x.db", "CREATE TABLE t (a, b)", [(n, "x" * 50) for n in range(500)])
    path.write_bytes(path.read_bytes()[:size])
    folded = read(path)
    assert folded.error is not None or folded.gaps


@WAYS
def test_a_hostile_schema_is_not_run(tmp_path: Path, read: Read) -> None:
    """A view in the place of a table, a generated column that calls out, names with quotes."""
    path = make(
        tmp_path / "x.db",
        """
        CREATE TABLE t (a, b AS (hex(zeroblob(10))) VIRTUAL);
        CREATE TABLE "we""ird; DROP TABLE t" ("c""d");
        INSERT INTO "we""ird; DROP TABLE t" VALUES (1);
        INSERT INTO t VALUES (7);
        CREATE VIEW w AS SELECT randomblob(1000000000);
        PRAGMA writable_schema=ON;
        UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a, b AS (load_extension(''y'')))' WHERE name = 't';
        """,
    )
    folded = read(path)
    assert folded.tables['we"ird; DROP TABLE t'].column('c"d').values == ["1"]
    assert "w" not in folded.tables
    assert folded.tables["t"].column("a").values == ["7"]
    assert folded.tables["t"].column("b").values == [None]


@WAYS
def test_limits_are_gaps(tmp_path: Path, read: Read) -> None:
    """Rows, cells, columns and tables over the limits are told; the others are read."""
    long, huge = "y" * (1 << 20) + "é", b"z" * (3 << 20)
    path = make(
        tmp_path / "x.db",
        "CREATE TABLE t (a, b, c); CREATE TABLE u (d); CREATE TABLE v (e)",
        [(1, "x", 0), (2, long, 0), (3, huge, 0), (4, "z", 0)],
    )
    folded = read(path, line_mb=2, cell_mb=1, tables=2, columns=2)
    assert folded.tables["t"].column("a").values == ["1", "2", "4"]
    assert [len(value or "") for value in folded.tables["t"].column("b").values] == [1, 1 << 20, 1]
    assert set(folded.tables) == {"t", "u"}
    assert [gap.reason for gap in folded.gaps] == [Reason.TOO_LARGE] * 4


def test_a_copy_in_memory_has_its_limit(tmp_path: Path) -> None:
    """A member that is too large to hold says so."""
    path = make(tmp_path / "x.db", "CREATE TABLE t (a)", [("x" * 1000,) for _ in range(1500)])
    folded = from_memory(path, spool_mb=1)
    assert folded.error is not None
    assert folded.error.reason is Reason.TOO_LARGE


def test_other_bytes_are_not_accepted() -> None:
    """An encrypted database is random bytes."""
    assert SqliteReader().accepts(b"SQLite format 2\0", "x.db") == 0
    assert SqliteReader().accepts(b"\x11\x83\xfa\x99" * 100, "x.sqlite") == 0


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_damage_ends_in_chunks_or_gaps(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes changed anywhere: the read ends, and no gap tells of the content."""
    path = tmp_path_factory.getbasetemp() / "fuzzed.db"
    if not path.exists():
        make(
            path,
            "PRAGMA page_size=512; CREATE TABLE t (a, b); CREATE INDEX i ON t (b); CREATE VIEW v AS SELECT 1",
            [(n, f"secret {n}") for n in range(60)],
        )
    content = bytearray(path.read_bytes())
    changes = data.draw(
        st.lists(st.tuples(st.integers(16, len(content) - 1), st.integers(0, 255)), max_size=12)
    )
    for place, value in changes:
        content[place] = value
    folded = fold(SqliteReader().read(Source.of_bytes(bytes(content)), ReadContext()))
    told = [*folded.gaps, *([folded.error.gap()] if folded.error is not None else [])]
    assert not any("secret" in f"{gap.detail}{gap.where}" for gap in told)
