"""SQL dumps as a whole: what is one, what is in it, what of it is lost and said to be."""

from __future__ import annotations

import io
import random
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from typing import IO, ClassVar, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Gap, Reason
from scanner.readers.base import HEAD_BYTES, ReadContext, ReadError, Source, TableChunk, TextChunk
from scanner.readers.sqldump import copied, ddl, generic, heads, mysql, postgres
from scanner.readers.sqldump.grammar import grammar
from scanner.readers.sqldump.reader import SqlDumpReader
from tests.readers.folding import Folded, fold

MARK = b"-- MySQL dump 10.13  Distrib 8.0.36\n"
PG_MARK = b"--\n-- PostgreSQL database dump\n--\n"


def read(data: bytes, name: str = "x.sql", **limits: int) -> Folded:
    return fold(SqlDumpReader().read(Source.of_bytes(data, name), ReadContext(Limits(**limits))))


def reasons(folded: Folded) -> list[Reason]:
    return [gap.reason for gap in folded.gaps]


def only(folded: Folded) -> tuple[str, int, list[str]]:
    (table,) = folded.tables.values()
    return table.name, table.rows, [column.name for column in table.columns]


@pytest.mark.parametrize(
    ("head", "name", "format_name"),
    [
        (MARK, "backup", "mysqldump"),
        (b"/*M!999999\\- enable the sandbox mode */\n-- MariaDB dump 10.19\n", "backup", "mysqldump"),
        (b"-- licence\n" * 900 + b"USE x;\nINSERT INTO `t` VALUES (1);", "backup", "mysqldump"),
        (b"-- phpMyAdmin SQL Dump\n-- version 5.2.1\n", "backup", "mysqldump"),
        (PG_MARK, "backup", "pg_dump"),
        (b"\\restrict abc\nSET x = 1;\nCOPY a.b (c) FROM stdin;\n1\n", "backup", "pg_dump"),
        (b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", "backup", "sqlite_dump"),
        (b"SET NOCOUNT ON\nGO\nINSERT [dbo].[t] ([a]) VALUES (1)\n", "backup", "tsql"),
        ("USE x\nGO\nINSERT [dbo].[t] ([a]) VALUES (1)\n".encode("utf-16"), "backup", "tsql"),
        (b"CREATE TABLE t (a int);\nINSERT INTO t VALUES (1);", "backup", "sql"),
        (b"/* by hand */ insert into t(a) values (1);", "backup", "sql"),
        (b"-- nothing but a comment so far\n", "x.sql", "sql"),
        (b"CREATE TABLE t (\n" + b"  a int,\n" * 8000, "backup", "sql"),
    ],
)
def test_a_dump_is_known_by_its_content(head: bytes, name: str, format_name: str) -> None:
    """Tool marks, and statements after long comments, in any encoding, whatever the name."""
    reader = SqlDumpReader()
    assert reader.accepts(head[:HEAD_BYTES], name) > 0
    assert reader.format_of(head[:HEAD_BYTES], name) == format_name


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"id,name\n1,INSERT INTO x VALUES (1)\n",
        b"Set the table and insert into it whatever you like.\n",
        b"import sqlite3\nc.execute('''\nCREATE TABLE t (a int);\n''')\n",
        b'{"query": "INSERT INTO t VALUES (1)"}',
        b"# INSERT INTO t\n\nThis page explains it:\n\nINSERT INTO t VALUES (1);\n",
    ],
)
def test_what_only_mentions_sql_is_none(head: bytes) -> None:
    """Prose, code and data with SQL inside are left to other readers."""
    assert SqlDumpReader().accepts(head, "notes.txt") == 0


def rows_of(count: int, start: int = 0) -> Iterator[str]:
    for number in range(start, start + count):
        yield f"({number},'Name {number}\\'s','street {number}, (rear)',NULL,{number % 7}.50)"


COLUMNS = "`id` int, `name` text, `street` text, `gone` text, `sum` decimal(5,2)"


def big(count: int, per_statement: int = 1000) -> bytes:
    parts = [MARK.decode(), f"CREATE TABLE `t` ({COLUMNS}) ENGINE=x;\n"]
    parts += [
        "INSERT INTO `t` VALUES " + ",".join(rows_of(per_statement, start)) + ";\n"
        for start in range(0, count, per_statement)
    ]
    return "".join(parts).encode()


@pytest.mark.parametrize("per_statement", [1, 10, 40_000])
def test_every_row_comes_in_order_across_blocks(per_statement: int) -> None:
    """One row a statement or one statement for all: 2.5 MB come back whole."""
    folded = read(big(40_000, per_statement))
    table = folded.tables["t"]
    assert table.rows == 40_000
    assert table.column("id").values == [str(number) for number in range(40_000)]
    assert table.column("name").values[39_999] == "Name 39999's"
    assert not any(table.column("gone").values)
    assert not folded.gaps


class Endless(io.RawIOBase):
    """A dump of ``total`` bytes or more that is made as it is read."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._block = (",".join(rows_of(2000)) + ",").encode()
        self._rest = MARK + f"CREATE TABLE `t` ({COLUMNS});\nINSERT INTO `t` VALUES ".encode()
        self.rows = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0
        while len(self._rest) < size and self._total > 0:
            self._rest += self._block
            self._total -= len(self._block)
            self.rows += 2000
            if self._total <= 0:
                self._rest = self._rest[:-1] + b";\n"
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def peak(total: int) -> int:
    stream = Endless(total)
    tracemalloc.start()
    rows = 0
    for event in SqlDumpReader().read(Source(cast("IO[bytes]", stream), "x.sql"), ReadContext()):
        assert isinstance(event, TableChunk)
        rows += event.batch.num_rows
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rows == stream.rows
    return most


def test_memory_does_not_grow_with_the_dump() -> None:
    """One statement of 30 MB takes no more than one of 6 MB."""
    peak(1 << 20)
    assert peak(30 << 20) < 1.3 * peak(6 << 20)


def test_an_odd_row_here_and_there_costs_no_row() -> None:
    """Rows that need care among many plain ones, at places that move over the windows' borders."""
    generator = random.Random(7)
    rows = list(rows_of(20_000))
    odd = sorted(generator.sample(range(20_000), 60))
    for number in odd:
        rows[number] = f"({number},CONCAT('Name ',\"{number}\"),'x' /* ) */,NULL,-- (\n 1.50)"
    data = (
        MARK
        + f"CREATE TABLE `t` ({COLUMNS});\nINSERT INTO `t` VALUES ".encode()
        + ",\n".join(rows).encode()
        + b";"
    )
    table = read(data).tables["t"]
    assert table.column("id").values == [str(number) for number in range(20_000)]
    assert [table.column("name").values[number] for number in odd] == [f"Name {number}" for number in odd]
    assert [table.column("street").values[number] for number in odd] == ["x"] * len(odd)


def test_tables_in_turns_keep_their_rows() -> None:
    """Statements for several tables in turn, with columns named in different orders."""
    parts = [MARK]
    for number in range(300):
        parts.append(
            f"INSERT INTO a (x, y) VALUES ({number}, 'a');\nINSERT INTO b VALUES ('b{number}');\n".encode()
        )
        parts.append(f"INSERT INTO a (y, x) VALUES ('c', {number});\n".encode())
    tables = read(b"".join(parts)).tables
    assert tables["a"].rows == 600
    assert Counter(tables["a"].column("y").values) == {"a": 300, "c": 300}
    assert tables["b"].column("column_1").values == [f"b{number}" for number in range(300)]


def test_strings_in_double_quotes_are_values() -> None:
    """MySQL's liberty, in scripts that bear no mark of it; names keep theirs."""
    folded = read(
        b'INSERT INTO "kund" ("namn", adress, n) VALUES ("Simon", "Storgatan, 17", 1),\n'
        b"""("Adam (jr.)", "It's 4", 2), ('says "hi"', "3 ""B\"\"", 3);\n"""
    )
    table = folded.tables["kund"]
    assert table.column("namn").values == ["Simon", "Adam (jr.)", 'says "hi"']
    assert table.column("adress").values == ["Storgatan, 17", "It's 4", '3 "B"']
    assert not folded.gaps


def test_rows_of_nothing_but_defaults_count() -> None:
    """``VALUES ()`` is a row without a value."""
    folded = read(MARK + b"INSERT INTO a () VALUES ();\nINSERT INTO a VALUES (),();\n")
    assert folded.tables["a"].rows == 2


def test_a_broken_statement_costs_itself_only() -> None:
    """A quote too many is one gap with its line; what plainly starts anew is read."""
    data = (
        MARK + b"INSERT INTO a VALUES (1,'x);\n\nINSERT INTO a VALUES (2,'y');\nINSERT INTO b VALUES (3);\n"
    )
    folded = read(data)
    assert folded.tables["a"].column("column_1").values == ["2"]
    assert folded.tables["b"].rows == 1
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [(Reason.CORRUPT, "line 2")]


def test_a_comma_without_a_row_is_a_gap() -> None:
    """Rows before and statements after it are read."""
    folded = read(MARK + b"INSERT INTO a VALUES (1), ;\nINSERT INTO b VALUES (3);\n")
    assert (folded.tables["a"].rows, folded.tables["b"].rows) == (1, 1)
    assert reasons(folded) == [Reason.CORRUPT]


def test_a_row_over_the_limit_is_left_out() -> None:
    """Its neighbours are read, with memory for none of it."""
    row = b"(2,'" + b"x\\'" * (1 << 19) + b"(')"
    folded = read(MARK + b"INSERT INTO a VALUES (1,'a')," + row + b",(3,'c');\n", line_mb=1)
    assert folded.tables["a"].column("column_1").values == ["1", "3"]
    assert reasons(folded) == [Reason.TOO_LARGE]


def test_a_cell_over_the_limit_is_cut() -> None:
    """By whichever way it is read."""
    long = b"y" * ((1 << 20) + 5)
    for row in (b"(2,'" + long + b"')", b"(2,CONCAT('" + long + b"',''))"):
        rows = b"(1,'a')," + row + b",(3,'c')," + b",".join([b"(4,'d')"] * 3000)
        folded = read(MARK + b"INSERT INTO a VALUES " + rows + b";\n", cell_mb=1)
        lengths = [len(value or "") for value in folded.tables["a"].column("column_2").values]
        assert lengths == [1, 1 << 20, 1] + [1] * 3000
        assert reasons(folded) == [Reason.TOO_LARGE]


def test_a_statement_over_the_limit_is_left_out() -> None:
    """It is not held; what follows is read."""
    data = MARK + b"UPDATE t SET a = '" + b"x" * (3 << 20) + b"';\nINSERT INTO a VALUES (1);\n"
    folded = read(data, line_mb=1)
    assert folded.tables["a"].rows == 1
    assert reasons(folded) == [Reason.TOO_LARGE]


def test_tables_and_columns_over_the_limit_are_said() -> None:
    """The first ones are read."""
    folded = read(
        MARK + b"".join(b"INSERT INTO t%d VALUES (1,2,3);\n" % n for n in range(5)), tables=2, columns=2
    )
    assert {name: len(table.columns) for name, table in folded.tables.items()} == {"t0": 2, "t1": 2}
    assert Counter(reasons(folded)) == {Reason.TOO_LARGE: 3}


def test_stray_bytes_do_not_end_the_read() -> None:
    """Latin-1 among UTF-8 is decoded, binary becomes hexadecimal, a long binary value is a gap."""
    rows = b"(1,'caf\xe9'),(2,'\x00\xff\x01'),(3,'" + b"\x80\x01" * 60 + b"'),(4,'ok')"
    folded = read(
        MARK + b"SET NAMES utf8mb4;\nINSERT INTO a VALUES (0,'-')," + rows + b",(5,'z')" * 2000 + b";"
    )
    values = folded.tables["a"].column("column_2").values
    assert values[1:3] == ["café", "0x00ff01"]
    assert values[3] is not None
    assert values[3].startswith("0x80018001")
    assert (values[4], folded.tables["a"].rows) == ("ok", 2005)
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [(Reason.UNSUPPORTED, "a.column_2")]


def test_an_error_of_the_stream_comes_after_what_was_read() -> None:
    """A truncated container: the rows before count."""

    class Torn(io.RawIOBase):
        parts: ClassVar = [MARK + b"INSERT INTO a VALUES (1),(2),(3", b""]

        def read(self, size: int | None = -1) -> bytes:
            del size
            if len(self.parts) == 1:
                raise ReadError(Reason.CORRUPT, "torn")
            return self.parts.pop(0)

    folded = fold(SqlDumpReader().read(Source(cast("IO[bytes]", Torn()), "x.sql"), ReadContext()))
    assert folded.tables["a"].rows == 2
    assert folded.error is not None
    assert folded.error.detail == "torn"


def test_large_objects_are_one_gap() -> None:
    """Their pieces are not text to look at."""
    data = (
        PG_MARK + b"SELECT pg_catalog.lo_create('1');\n" + b"SELECT pg_catalog.lowrite(0, '\\x00ff');\n" * 3
    )
    folded = read(data)
    assert reasons(folded) == [Reason.UNSUPPORTED]
    assert not folded.texts


def test_a_plain_dump_says_nothing_in_text() -> None:
    """Structure alone gives no text part, so that no language model is needed for it."""
    assert not read(big(10)).texts


def test_text_is_cut_at_lines() -> None:
    """Many comments come in several pieces, none of them inside a line."""
    data = MARK + b"".join(b"-- remark number %d by hand\n" % number for number in range(9000))
    pieces = [
        event.text
        for event in SqlDumpReader().read(Source.of_bytes(data, "x.sql"), ReadContext())
        if isinstance(event, TextChunk)
    ]
    assert len(pieces) > 1
    assert all(piece.endswith("\n") for piece in pieces)
    assert "".join(pieces).count("\n") == 9000


def test_a_dropped_table_is_not_listed() -> None:
    """A stand-in for a view that the dump drops again."""
    data = MARK + b"CREATE TABLE `v` (`a` int);\nDROP TABLE IF EXISTS `v`;\nCREATE TABLE `w` (`a` int);\n"
    assert only(read(data)) == ("w", 0, ["a"])


COPY_HEAD = heads.copy(b"COPY t (a, b) FROM stdin;\n", 0, grammar(postgres.DIALECT, False))
FIELDS = st.text("ab\\Nntbx0\t.é ", max_size=6).map(str.encode)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(FIELDS, FIELDS), min_size=1, max_size=5))
@example([(b"\\N", b"\\\\N")])
@example([(b"a\\", b"b")])
def test_both_ways_of_copy_agree(rows: list[tuple[bytes, bytes]]) -> None:
    """Whatever the fast way makes of a block, the careful way makes the same."""
    assert COPY_HEAD is not None
    block = b"".join(b"\t".join(row) + b"\n" for row in rows)
    found = copied.columns(
        block, 2, COPY_HEAD, lambda _, value: bytes(cast("bytes", value)).decode("latin-1")
    )
    if found is None:
        return
    columns, count = found
    careful = copied.careful_rows(block, COPY_HEAD)
    assert count == len(careful)
    taken = [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)]
    assert taken == [
        [None if cell is None else cast("bytes", cell).decode() for cell in row] for row in careful
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.none() | st.text(max_size=8), min_size=2, max_size=2), min_size=1, max_size=6))
def test_what_copy_writes_comes_back(rows: list[list[str | None]]) -> None:
    """Fields escaped as PostgreSQL does: nulls, tabs, line ends, backslashes."""
    escapes = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"}
    rows = [[None if cell is None else cell.replace("\0", "") for cell in row] for row in rows]
    lines = [
        "\t".join(
            "\\N" if cell is None else "".join(escapes.get(char, char) for char in cell) for cell in row
        )
        for row in rows
    ]
    data = (
        PG_MARK + b"COPY t (a, b) FROM stdin;\n" + "".join(f"{line}\n" for line in lines).encode() + b"\\.\n"
    )
    table = read(data).tables["t"]
    assert [list(row) for row in zip(table.column("a").values, table.column("b").values, strict=True)] == rows


def test_copy_over_blocks() -> None:
    """Rows of several blocks, an end mark, and a statement after it."""
    lines = b"".join(b"%d\tname %d\\ttab\t\\N\n" % (number, number) for number in range(150_000))
    data = PG_MARK + b"COPY t (a, b, c) FROM stdin;\n" + lines + b"\\.\n\nINSERT INTO u VALUES (1);\n"
    folded = read(data)
    assert folded.tables["t"].rows == 150_000
    assert folded.tables["t"].column("b").values[149_999] == "name 149999\ttab"
    assert folded.tables["u"].rows == 1
    assert not folded.gaps


def test_a_copied_row_over_the_limit_is_left_out() -> None:
    """Lines before and after it are read."""
    data = PG_MARK + b"COPY t (a, b) FROM stdin;\n1\tx\n2\t" + b"y" * (7 << 20) + b"\n3\tz\n\\.\n"
    folded = read(data, line_mb=1)
    assert folded.tables["t"].column("a").values == ["1", "3"]
    assert reasons(folded) == [Reason.TOO_LARGE]


@pytest.mark.parametrize(
    ("statement", "columns"),
    [
        ("CREATE TABLE a (id int, `key` text, KEY k (`key`), INDEX (id))", ["id", "key"]),
        ("CREATE TABLE IF NOT EXISTS `x`.`a` (`a,b` int DEFAULT '(', c enum('x','y'))", ["a,b", "c"]),
        ("create temporary table a(b decimal(10,2) not null, c double precision, unique (b))", ["b", "c"]),
        ("CREATE TABLE a AS SELECT 1", None),
        ("CREATE INDEX i ON a (b)", None),
        ("CREATE TABLE", None),
    ],
)
def test_columns_of_a_definition(statement: str, columns: list[str] | None) -> None:
    """By sqlparse's lexer and by ours alike."""
    for padding in ("", " " * (ddl.SQLPARSE_BYTES + 1)):
        found = ddl.create_table(statement + padding, mysql.DIALECT)
        assert (None if found is None else [name for name, _ in found.columns]) == columns


def test_key_is_a_column_where_it_is_no_index() -> None:
    """Outside MySQL and SQL Server ``key`` names a column."""
    found = ddl.create_table("CREATE TABLE a (key text, index int, check (key > 'a'))", generic.DIALECT)
    assert found is not None
    assert [name for name, _ in found.columns] == ["key", "index"]


FRAGMENTS = [
    b"INSERT INTO t VALUES ",
    b"(1,'a')",
    b",",
    b";",
    b"\n",
    b"'",
    b'"',
    b"`",
    b"\\",
    b"(",
    b")",
    b"--",
    b"/*",
    b"*/",
    b"/*!40000 ",
    b"CREATE TABLE t (a int, b text)",
    b"COPY t (a) FROM stdin;\n",
    b"\\.\n",
    b"1\t2\n",
    b"DELIMITER ;;\n",
    b"$$",
    b"$a$",
    b"GO\n",
    b"BEGIN ",
    b"END",
    b"CREATE TRIGGER x ",
    b"\xff",
    b"\0",
    b"E'",
    b"[",
    b"USE d;",
    b"COPY t FROM stdin CSV;\n",
    b"COPY t FROM stdin BINARY;\n",
]
HEADS = [MARK, PG_MARK, b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", b"SET NOCOUNT ON\nGO\n", b""]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HEADS), st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=6), max_size=25))
def test_anything_ends_in_chunks_or_gaps(head: bytes, fragments: list[bytes]) -> None:
    """No input makes the reader hang or fail, and gaps hold none of its text."""
    for event in SqlDumpReader().read(Source.of_bytes(head + b"".join(fragments), "x.sql"), ReadContext()):
        if isinstance(event, Gap):
            assert event.detail.isascii()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_end(data: bytes) -> None:
    """Random bytes called .sql."""
    reader = SqlDumpReader()
    reader.accepts(data, "x")
    for _ in reader.read(Source.of_bytes(data, "x.sql"), ReadContext()):
        pass


@pytest.mark.parametrize(
    "piece",
    [
        b"INSERT INTO a VALUES (' x\n",
        b"INSERT INTO a VALUES (1), ;\n",
        b"$a$ $b$ $c$ ",
        b"CREATE FUNCTION f() BEGIN ",
        b"/* ",
        b"INSERT INTO a VALUES (",
        b"((",
        b"COPY t (a",
        b"\n\n\nGO ",
        b"SET SQL_MODE ",
        b"CREATE TABLE t (`",
        b"DELIMITER ;;\n;",
    ],
)
@pytest.mark.parametrize("head", HEADS[:4])
def test_no_repetition_is_slow_or_floods_the_report(head: bytes, piece: bytes) -> None:
    """Very many of any fragment ends in a moment, with a bounded number of gaps."""
    data = head + piece * (60_000 // len(piece))
    reader = SqlDumpReader()
    started = time.process_time()
    reader.accepts(data[:HEAD_BYTES], "x")
    folded = read(data)
    assert len(folded.gaps) <= 120
    assert time.process_time() - started < 10


IDENTITY = (
    b"CREATE TABLE [dbo].[t] ([id] int IDENTITY(1,1) NOT NULL, [name] nvarchar(9), [both] AS (name),"
    b" mail text)"
    b"\nGO\n"
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (b"N'Ann', 'a@x.org'", {"name": "Ann", "mail": "a@x.org"}),
        (b"7, N'Ann', 'Ann', 'a@x.org'", {"id": "7", "name": "Ann", "both": "Ann", "mail": "a@x.org"}),
    ],
)
def test_values_do_not_shift_into_columns_that_the_database_fills(
    row: bytes, expected: dict[str, str]
) -> None:
    """SQL Server takes no value for an identity or a computed column where the INSERT names no columns."""
    folded = read(IDENTITY + b"".join(b"INSERT [dbo].[t] VALUES (%s)\n" % row for _ in range(3)) + b"GO\n")
    (table,) = folded.tables.values()
    found = {column.name: column.values[0] for column in table.columns if column.values}
    assert found == expected
    assert not folded.gaps


def test_too_few_values_beside_an_identity_are_still_told() -> None:
    """Two columns are filled by the database, one more is missing: nobody knows which."""
    folded = read(IDENTITY + b"INSERT [dbo].[t] VALUES (N'Ann')\nGO\n")
    assert reasons(folded) == [Reason.CORRUPT]
