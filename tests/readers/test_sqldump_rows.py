"""Rows of INSERT: the careful way by example, the fast way against the careful one on whatever comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.readers.blobs import of_binary, of_text
from scanner.readers.sqldump import careful, fast, generic, mysql, postgres, sqlite_dump, tsql
from scanner.readers.sqldump.careful import Blob, IncompleteError, MalformedError
from scanner.readers.sqldump.grammar import Grammar, grammar

MYSQL = grammar(mysql.DIALECT, True)
POSTGRES = grammar(postgres.DIALECT, False)
SQLITE = grammar(sqlite_dump.DIALECT, False)
TSQL = grammar(tsql.DIALECT, False)
GENERIC = grammar(generic.DIALECT, False)
DIALECTS = {"mysql": MYSQL, "postgres": POSTGRES, "sqlite": SQLITE, "tsql": TSQL, "generic": GENERIC}
HEAD = b"INSERT INTO `t` (`a`, `b`) VALUES"


def to_text(number: int, value: bytes | Blob) -> str:
    del number
    return of_binary(value.data)[0] if isinstance(value, Blob) else of_text(value)[0]


def cells(data: bytes, grammar: Grammar) -> list[str | None]:
    """The row that is all of ``data``."""
    row = careful.row(data, 0, grammar)
    assert row.end == len(data)
    return [None if cell is None else to_text(0, cell) for cell in row.cells]


@pytest.mark.parametrize(
    ("grammar", "sql", "expected"),
    [
        (MYSQL, rb"(1,'it\'s','a\nb\\','','\0\Z','\%')", ["1", "it's", "a\nb\\", "", "\0\x1a", "\\%"]),
        (MYSQL, b"(NULL,'NULL',null)", [None, "NULL", None]),
        (MYSQL, b'(\'it\'\'s\', "say ""hi""")', ["it's", 'say "hi"']),
        (MYSQL, b"(0x68656c6c6f, X'6869', _binary 'abc', b'101')", ["hello", "hi", "abc", "101"]),
        (MYSQL, b"(0x00ff,_binary '\\0\\1')", ["0x00ff", "0x0031"]),
        (MYSQL, b"(1,/*!50705 0x4142,*/'x')", ["1", "AB", "x"]),
        (MYSQL, b"(_utf8mb4'x', 'a' 'b', CONCAT('a', 'b'), \\N)", ["x", "ab", "ab", None]),
        (MYSQL, b"(NOW(), 1+2, -5, 1e-05, TRUE)", ["NOW()", "1+2", "-5", "1e-05", "TRUE"]),
        (MYSQL, b"(1, -- one, two\n 2, # three)\n 3 /* ) */)", ["1", "2", "3"]),
        (POSTGRES, rb"('C:\', 'b')", ["C:\\", "b"]),
        (POSTGRES, rb"(E'a\nb\'c', 'd'::text, '{1,2}'::integer[])", ["a\nb'c", "d", "{1,2}"]),
        (POSTGRES, b"('x'::character varying(20), $$it's$$, $q$a$q$)", ["x", "it's", "a"]),
        (POSTGRES, b"(ARRAY['a','b'], B'10', true)", ["ARRAY['a','b']", "10", "true"]),
        (POSTGRES, b"('a' || 'b', DATE '2020-01-02')", ["ab", "2020-01-02"]),
        (
            SQLITE,
            b"(replace('a\\nb','\\n',char(10)), unistr('caf\\u00e9'), X'ff00')",
            ["a\nb", "café", "0xff00"],
        ),
        (TSQL, b"(N'O''Brien', CAST(N'2020-01-01' AS DateTime), @x)", ["O'Brien", "2020-01-01", "@x"]),
        (
            TSQL,
            b"(CAST(12.50 AS Decimal(18, 2)), CONVERT(date, N'2021-02-03', 120))",
            ["12.50", "2021-02-03"],
        ),
        (TSQL, b"(N'a' + N'b', 1 + 1)", ["ab", "1 + 1"]),
        (GENERIC, b"(TO_DATE('2020-01-01', 'YYYY-MM-DD'), 'x')", ["2020-01-01", "x"]),
        (GENERIC, b"()", []),
        (GENERIC, b"(,1)", ["", "1"]),
        (MYSQL, "('grün \xe4')".encode("latin-1"), ["grün ä"]),
    ],
)
def test_a_row_is_what_the_database_would_store(
    grammar: Grammar, sql: bytes, expected: list[str | None]
) -> None:
    """Literals, casts, prefixes and plain functions come to their values; the rest keeps its text."""
    assert cells(sql, grammar) == expected


@pytest.mark.parametrize("sql", [b"(1,'a", b"(1,'a'", b"(1,", b"('it''", b"(f(1", b"(1 /* x", b"(`a", b"("])
def test_a_row_that_is_cut_says_so(sql: bytes) -> None:
    """Whatever the place of the cut, no row comes of it."""
    with pytest.raises(IncompleteError):
        careful.row(sql, 0, MYSQL)


def test_a_bracket_that_was_never_opened_is_no_row() -> None:
    """Such a row is reported, not guessed at."""
    with pytest.raises(MalformedError):
        careful.row(b"(1],2)", 0, MYSQL)


def test_deep_nesting_keeps_its_text() -> None:
    """A hostile tower of parentheses is a value like any other, and no recursion error."""
    tower = b"(" * 5000 + b"1" + b")" * 5000
    assert cells(b"(" + tower + b")", MYSQL) == [tower.decode()]


def read_carefully(data: bytes, count: int, grammar: Grammar) -> tuple[list[list[str | None]], int]:
    """The first ``count`` rows one by one, and where they end."""
    rows, pos = [], 0
    for number in range(count):
        if number:
            pos = data.index(b"(", _after_separator(data, pos))
        row = careful.row(data, pos, grammar)
        rows.append([None if cell is None else to_text(0, cell) for cell in row.cells])
        pos = row.end
    return rows, pos


def _after_separator(data: bytes, pos: int) -> int:
    rest = data[pos:].lstrip()
    start = len(data) - len(rest)
    if rest.startswith(b","):
        return start + 1
    head = data.index(HEAD, start)
    assert data[start:head].strip().upper() in (b";", b"", b"GO", b";\nGO")
    return head + len(HEAD)


def agree(data: bytes, width: int, grammar: Grammar) -> int:
    """Check what the fast way takes against the careful way; how many rows it took."""
    found = fast.rows(data, 0, len(data), HEAD, width, grammar, to_text)
    if found is None:
        return 0
    taken = [list(row) for row in zip(*(column.to_pylist() for column in found.columns), strict=True)]
    expected, end = read_carefully(data, found.rows, grammar)
    assert taken == expected
    assert found.end == end
    return found.rows


PIECES = [
    b"'",
    b"''",
    b"\\",
    b"\\'",
    b"\\n",
    b"\\%",
    b"(",
    b")",
    b",",
    b" ",
    b"\n",
    b"\r\n",
    b"NULL",
    b"null",
    b"0x4142",
    b"0x00ff",
    b"N'x'",
    b"X'41'",
    b"_binary 'a'",
    b"_binary '\\0'",
    b"b'1'",
    b"--",
    b"-- ",
    b"/*",
    b"*/",
    b"#",
    b"a",
    b"12",
    b"-3.5",
    b"'a'",
    b"'b,c'",
    b"'(d)'",
    b"'it''s'",
    b"),(",
    b"),\n(",
    b", ",
    b"; ",
    b'"q"',
    b"\xff",
    b"\xc3\xa9",
    b"CAST(N'1' AS int)",
    b"CAST(1 AS decimal(5, 2))",
    b"f(1)",
    b"::text",
    b"||",
    b"+",
    b"@v",
    b"E'\\n'",
    b"$$",
    b"GO\n",
    b"); \n" + HEAD + b" (",
    b");\nGO\n" + HEAD + b"(",
    b"\0",
    b"\t",
]


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14), width=st.integers(1, 3))
@example(pieces=[b"'a'", b",", b"''", b"'b'"], width=2)
@example(pieces=[b"_binary 'a'", b",", b"0x4142", b"),(", b"12", b",", b"_binary '\\0'"], width=2)
@example(pieces=[b"'a'", b" ", b"'b'"], width=1)
@example(pieces=[b"CAST(N'1' AS int)", b",", b"CAST(1 AS decimal(5, 2))"], width=2)
@example(pieces=[b"X'41'", b"''"], width=1)
@example(pieces=[b"0x4142", b"a"], width=1)
@example(pieces=[b"12", b"),(", b"),(", b"12"], width=1)
def test_both_ways_agree_on_anything(dialect: str, pieces: list[bytes], width: int) -> None:
    """Whatever rows the fast way claims from a jumble of tokens, the careful way reads the same cells."""
    agree(b"(" + b"".join(pieces) + b")", width, DIALECTS[dialect])


VALUES = st.one_of(
    st.none(),
    st.integers(-(10**12), 10**12),
    st.text(max_size=12),
    st.text("'\\\"(),;\n\r\t\0%_-# N0x", max_size=12),
    st.binary(max_size=8),
)


def _mysql(value: Any) -> bytes:
    if isinstance(value, bytes):
        return b"0x" + value.hex().encode() if value else b"''"
    if not isinstance(value, str):
        return b"NULL" if value is None else str(value).encode()
    escaped = value.encode("utf-8", "surrogatepass").replace(b"\\", b"\\\\").replace(b"'", b"\\'")
    for char, escape in ((b"\n", b"\\n"), (b"\r", b"\\r"), (b"\0", b"\\0"), (b"\x1a", b"\\Z")):
        escaped = escaped.replace(char, escape)
    return b"'" + escaped + b"'"


def _standard(value: Any) -> bytes:
    if isinstance(value, bytes):
        return b"X'" + value.hex().encode() + b"'"
    if not isinstance(value, str):
        return b"NULL" if value is None else str(value).encode()
    return b"'" + value.encode("utf-8").replace(b"'", b"''") + b"'"


def _expected(value: Any) -> str | None:
    if isinstance(value, bytes):
        return of_binary(value)[0]
    return None if value is None else str(value)


@pytest.mark.parametrize(
    ("name", "write", "between", "inside"),
    [
        ("mysql", _mysql, b",", b","),
        ("mysql", _mysql, b",\n", b", "),
        ("mysql", _mysql, b";\n" + HEAD + b" ", b","),
        ("sqlite", _standard, b";\n" + HEAD, b","),
        ("postgres", _standard, b";\n" + HEAD + b" ", b", "),
        ("tsql", _standard, b"\nGO\n" + HEAD + b" ", b" , "),
    ],
)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=6))
def test_the_fast_way_takes_all_that_dump_tools_write(
    name: str, write: Callable[[Any], bytes], between: bytes, inside: bytes, rows: list[list[Any]]
) -> None:
    """Rows as the tools write them come back as they were, none left to the careful way."""
    data = between.join(b"(" + inside.join(write(value) for value in row) + b")" for row in rows)
    found = fast.rows(data, 0, len(data), HEAD, 3, DIALECTS[name], to_text)
    assert found is not None
    assert (found.rows, found.end) == (len(rows), len(data))
    taken = [list(row) for row in zip(*(column.to_pylist() for column in found.columns), strict=True)]
    assert taken == [[_expected(value) for value in row] for row in rows]
    agree(data, 3, DIALECTS[name])


def test_the_first_odd_row_ends_a_stretch() -> None:
    """Rows before a function call are taken, the rest is left."""
    data = b"(1,'a'),(2,'b'),(3,f('c')),(4,'d')"
    found = fast.rows(data, 0, len(data), HEAD, 2, MYSQL, to_text)
    assert found is not None
    assert (found.rows, data[found.end :]) == (2, b",(3,f('c')),(4,'d')")


def test_a_row_that_the_window_cuts_is_left() -> None:
    """Only whole rows are taken."""
    data = b"(1,'a'),(2,'b')"
    found = fast.rows(data, 0, len(data) - 2, HEAD, 2, MYSQL, to_text)
    assert found is not None
    assert found.rows == 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), max_size=300))
def test_quote_states_are_a_running_parity(quotes: list[bool]) -> None:
    """The word-wise scan is the plain one."""
    import numpy as np

    marks = np.array(quotes, bool)
    plain = np.cumsum(marks) % 2
    assert fast.inside(marks).tolist() == plain.tolist()
