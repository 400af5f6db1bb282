"""Columns from ``CREATE TABLE``, ``ALTER TABLE … ADD COLUMN``, and what a table takes from another.

The words of a statement come from sqlparse's lexer (its grouping is far too slow for dumps of thousands of
tables, and the shape of a definition is plain: parentheses, commas, first words). Where sqlparse cannot, or
there is very much of it, a small lexer of ours does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scanner.readers.sqldump.dialect import Dialect

#: Statements longer than this go to our own lexer, sqlparse takes a second for each 100 KB.
SQLPARSE_BYTES = 65_536

_OWN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/
    |(?P<word>`(?:[^`]|``)*`|"(?:[^"]|"")*"|\[(?:[^\]]|\]\])*\]|'(?:[^']|'')*'|[\w$@\#\x80-\U0010ffff]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_NAMED = re.compile(r"[`\"\[\w$@#\x80-\U0010ffff]")
_CREATE_WORDS = frozenset(
    {"create", "or", "replace", "global", "local", "temp", "temporary", "unlogged", "foreign", "external",
     "column", "virtual", "private", "dimension", "transient", "volatile", "memory", "cached"}
)  # fmt: skip
_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "foreign", "check", "exclude", "like", "period"})
_INDEXES = frozenset({"key", "index", "fulltext", "spatial"})
_NOT_ADDED = _CONSTRAINTS | _INDEXES | {"generated", "partition", "default"}


@dataclass(frozen=True, slots=True)
class Definition:
    """A table as defined.

    Attributes:
        name: the parts of its name, unquoted (``("public", "film")``).
        columns: its own columns in order, with the first word of each one's type in lower case.
        like: names of tables whose columns come first (inherited, partition of, like).
        automatic: columns that SQL Server fills itself (identity, computed): an ``INSERT`` that names no
            columns has no values for them.
    """

    name: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    like: tuple[tuple[str, ...], ...] = ()
    automatic: frozenset[str] = frozenset()


def create_table(statement: str, dialect: Dialect) -> Definition | None:
    """The table that a statement defines; None where it does not, or cannot be understood."""
    words = _words(statement)
    at = 0
    while at < len(words) and words[at].lower() in _CREATE_WORDS:
        at += 1
    if at == 0 or at >= len(words) or words[at].lower() != "table":
        return None
    at = _skip(words, at + 1, ("if", "not", "exists"))
    name, at = _name(words, at)
    if not name:
        return None
    rest = [word.lower() for word in words[at : at + 2]]
    if rest == ["partition", "of"]:
        parent, _ = _name(words, at + 2)
        return Definition(name, (), (parent,))
    if rest[:1] == ["like"]:
        parent, _ = _name(words, at + 1)
        return Definition(name, (), (parent,))
    if rest[:1] != ["("]:
        return None
    return _columns(name, words, at, dialect)


def added_columns(statement: str) -> Definition | None:
    """The table and the columns that an ``ALTER TABLE … ADD`` gives it; None where it adds none."""
    words = _words(statement)
    if [word.lower() for word in words[:2]] != ["alter", "table"]:
        return None
    at = _skip(words, _skip(words, 2, ("if", "exists")), ("only",))
    name, at = _name(words, at)
    columns = []
    for clause in _split(words[at:]):
        if clause and clause[0].lower() == "add":
            start = _skip(clause, _skip(clause, 1, ("column",)), ("if", "not", "exists"))
            column = _column(clause[start:], _NOT_ADDED)
            if column is not None:
                columns.append(column)
    return Definition(name, tuple(columns)) if name and columns else None


def _columns(name: tuple[str, ...], words: list[str], at: int, dialect: Dialect) -> Definition:
    """The columns between the parentheses that open at ``at``, and what is inherited after them."""
    body, after = _body(words, at)
    not_columns = _CONSTRAINTS | _INDEXES if dialect.indexes_in_tables else _CONSTRAINTS
    columns: list[tuple[str, str]] = []
    automatic: set[str] = set()
    like: list[tuple[str, ...]] = []
    for clause in _split(body):
        if clause and clause[0].lower() == "like":
            like.append(_name(clause, 1)[0])
        elif column := _column(clause, not_columns):
            columns.append(column)
            if _is_automatic(clause):
                automatic.add(column[0])
    if words[after : after + 1] and words[after].lower() == "inherits":
        inner, _ = _body(words, after + 1)
        like.extend(_name(clause, 0)[0] for clause in _split(inner))
    return Definition(name, tuple(columns), tuple(parent for parent in like if parent), frozenset(automatic))


def _is_automatic(clause: list[str]) -> bool:
    """``id int IDENTITY(1,1)``, ``total AS price * pieces``."""
    words = [word.lower() for word in clause[1:]]
    return words[:1] == ["as"] or ("identity" in words and "generated" not in words)


def _column(clause: list[str], not_columns: frozenset[str]) -> tuple[str, str] | None:
    if not clause or clause[0].lower() in not_columns or not _NAMED.match(clause[0]):
        return None
    kind = clause[1].lower() if len(clause) > 1 else ""
    return _unquote(clause[0]), kind


def _words(statement: str) -> list[str]:
    """The statement's words, comments and white space left out."""
    if len(statement) <= SQLPARSE_BYTES:
        words = _with_sqlparse(statement)
        if words is not None:
            return words
    return [found["word"] for found in _OWN.finditer(statement) if found["word"] is not None]


def _with_sqlparse(statement: str) -> list[str] | None:
    from sqlparse import lexer
    from sqlparse import tokens as kinds
    from sqlparse.exceptions import SQLParseError

    try:
        return list(
            _rejoined(
                value
                for kind, value in lexer.tokenize(statement)
                if kind not in kinds.Comment and kind not in kinds.Whitespace
            )
        )
    except (SQLParseError, ValueError, TypeError, IndexError, RecursionError):
        return None


def _rejoined(values: Iterable[str]) -> Iterator[str]:
    """Words one by one: the lexer gives some in pairs (``NOT NULL``, ``DOUBLE PRECISION``)."""
    for value in values:
        if value[:1] in "`\"['" or " " not in value.strip():
            yield value.strip()
        else:
            yield from value.split()


def _skip(words: list[str], at: int, these: tuple[str, ...]) -> int:
    """The place after ``these`` words, if they stand at ``at``."""
    if tuple(word.lower() for word in words[at : at + len(these)]) == these:
        return at + len(these)
    return at


def _name(words: list[str], at: int) -> tuple[tuple[str, ...], int]:
    """A dotted name and the place after it; an empty one where there is none."""
    parts: list[str] = []
    while at < len(words) and _NAMED.match(words[at]):
        parts.append(_unquote(words[at]))
        at += 1
        if words[at : at + 1] != ["."]:
            break
        at += 1
    return tuple(parts), at


def _body(words: list[str], at: int) -> tuple[list[str], int]:
    """The words between the parentheses that open at ``at``, and the place after them."""
    depth = 0
    for place in range(at, len(words)):
        if words[place] == "(":
            depth += 1
        elif words[place] == ")":
            depth -= 1
            if depth == 0:
                return words[at + 1 : place], place + 1
    return words[at + 1 :], len(words)


def _split(words: list[str]) -> Iterator[list[str]]:
    """Clauses between commas, those inside parentheses left alone."""
    clause: list[str] = []
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "," and depth == 0:
            yield clause
            clause = []
        else:
            clause.append(word)
    yield clause


def _unquote(word: str) -> str:
    if len(word) >= 2 and word[0] in '`"' and word[-1] == word[0]:
        return word[1:-1].replace(word[0] * 2, word[0])
    if len(word) >= 2 and word[0] == "[" and word[-1] == "]":
        return word[1:-1].replace("]]", "]")
    return word
