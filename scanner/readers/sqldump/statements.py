"""Statements that bring no rows: where they end, and what they say that may hold data.

Names of tables and columns are no text to look at; comments, literals and long numbers are, wherever they
stand. Of statements that change data all is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.readers.blobs import of_text
from scanner.readers.sqldump.grammar import (
    Grammar,
    unescape_postgres,
    unquote,
    unquote_double,
)

_ROUTINE = re.compile(
    rb"\s*(?:CREATE|ALTER)\b(?:\s+OR\s+(?:REPLACE|ALTER))?(?:\s+(?:TEMP|TEMPORARY|CONSTRAINT|DEFINER\s*=\s*\S+|\*/|/\*M?!\d*))*"
    rb"\s+(?P<kind>TRIGGER|PROCEDURE|PROC|FUNCTION|PACKAGE|VIEW|EVENT)\b",
    re.IGNORECASE,
)
_END_IF = re.compile(rb"\s+(?:IF|LOOP|WHILE|REPEAT)\b", re.IGNORECASE)
_ATOMIC = re.compile(rb"BEGIN\s+ATOMIC\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class End:
    """Where a statement ends: ``stop`` after its text, ``after`` after what ended it too."""

    stop: int
    after: int


class EndFinder:
    """Looks for the end of the statement that starts at ``start``, in a window that may be widened meanwhile.

    Positions are relative to ``start``, so that the window may move between calls.
    """

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._at = 0
        self._depth = 0
        self._routine: bool | None = None
        self._atomic = False
        self.open_at: int | None = None

    def find(self, data: bytes, start: int, eof: bool) -> End | None:
        """The end, or None where the window has none. ``open_at`` then tells of a token that does not end."""
        self.open_at = None
        if self._routine is None:
            self._routine = _ROUTINE.match(data, start) is not None
        search = self._grammar.stop.search
        pos = start + self._at
        while found := search(data, pos):
            if found.end() == len(data) and not eof:
                # It may go on after the window: a doubled quote, a longer word, more than `GO` on a line.
                self._at = found.start() - start
                return None
            kind = found.lastgroup
            if kind == "end" and self._depth == 0:
                return End(found.start(), found.end())
            if kind == "batch" or (kind == "next" and not self._routine and found.start() > start):
                return End(found.start(), found.end() if kind == "batch" else found.start())
            if kind in ("open", "opendollar"):
                self._at = found.start() - start
                self.open_at = self._at
                return None
            if kind == "block":
                self._count(found, data, start)
            pos = found.end()
        self._at = max(pos, len(data) - 64) - start if not eof else len(data) - start
        return None

    def _count(self, found: re.Match[bytes], data: bytes, start: int) -> None:
        """Keep count of nested blocks, in statements that have a body."""
        self._atomic = self._atomic or _ATOMIC.match(data, found.start()) is not None
        if not self._routine or not (self._grammar.dialect.blocks or self._atomic):
            return
        if found[0].lower() == b"end":
            if not _END_IF.match(data, found.end()):
                self._depth = max(0, self._depth - 1)
            return
        before = data[max(start, found.start() - 8) : found.start()].rstrip().lower()
        if not before.endswith(b"end"):
            self._depth += 1


_CHANGES_DATA = re.compile(
    rb"(?:UPDATE|DELETE|MERGE|INSERT|REPLACE|UPSERT|CALL|EXEC|EXECUTE|WITH|VALUES|LOAD)\b", re.IGNORECASE
)
_VALUE = re.compile(rb"['\"0-9$]")
_SETTING = re.compile(
    rb"(?:SET(?!\s+PASSWORD)|USE|LOCK|UNLOCK|BEGIN|COMMIT|START|PRAGMA|DROP|ROLLBACK|ANALYZE|TRUNCATE|RESET|VACUUM"
    rb"|END|GO)\b|SELECT\s+(?:pg_catalog\s*\.\s*)?(?:set_config|setval)\s*\(",
    re.IGNORECASE,
)
_MARK = re.compile(rb"/\*M?!\d*|\*/")
_CODE_WORD = re.compile(r"[\W_]*(?:[a-z]+|[A-Z]+)[\W_]*\Z|[\d\s.:/+-]{0,6}\Z|\d{4}-\d\d-\d\d[\d .:]*\Z")
_PIECE = re.compile(rb"(?<![\w.])\+?\d[\d .-]{5,30}\d(?![\w.])")


def texts(statement: bytes, grammar: Grammar) -> Iterator[str]:
    """What a statement says that may hold data, a line or paragraph each."""
    plain = _MARK.sub(b" ", grammar.comment.sub(b" ", statement[:256])).strip()
    if _SETTING.match(plain):
        yield from _comments_of(statement, grammar)
    elif _CHANGES_DATA.match(plain):
        if _VALUE.search(statement):
            yield _decode(statement.strip())
    else:
        yield from _pieces(statement, grammar, 0)


def _comments_of(statement: bytes, grammar: Grammar) -> Iterator[str]:
    for found in grammar.stop.finditer(statement):
        if found.lastgroup in ("open", "opendollar"):
            return
        if found.lastgroup == "comment":
            yield from comment_texts(found[0], grammar)


def _pieces(statement: bytes, grammar: Grammar, depth: int) -> Iterator[str]:
    """Comments, literals and long numbers."""
    last = 0
    for found in grammar.stop.finditer(statement):
        yield from _numbers(statement[last : found.start()])
        last = found.end()
        token = found[0]
        match found.lastgroup:
            case "comment":
                yield from comment_texts(token, grammar)
            case "string":
                yield from _literal(unquote(token[1:-1], grammar.backslash))
            case "estring":
                yield from _literal(unescape_postgres(token[2:-1]))
            case "double" if grammar.dialect.double_quoted_always:
                yield from _literal(unquote_double(token[1:-1], grammar.backslash))
            case "dollar":
                tag = token.index(b"$", 1) + 1
                yield from _pieces(token[tag:-tag], grammar, depth + 1) if depth < 8 else _literal(token)
            case "open" | "opendollar":
                yield _decode(statement[found.start() :])
                return
    yield from _numbers(statement[last:])


def _literal(value: bytes) -> Iterator[str]:
    """A literal, unless it is one plain word of code, a short number or the empty date."""
    text = _decode(value)
    if not _CODE_WORD.match(text):
        yield text


def _numbers(code: bytes) -> Iterator[str]:
    for found in _PIECE.findall(code):
        yield _decode(found)


_RULE = re.compile(r"[\W_]*\Z")


def comment_texts(comment: bytes, grammar: Grammar) -> Iterator[str]:
    """What a comment says, without its marks; nothing where the dump tool wrote it about itself."""
    text = _decode(comment)
    if text.startswith("/*"):
        text = text[2:].removesuffix("*/").strip(" \t*!-\n")
    else:
        text = text.lstrip("#-").strip()
    boilerplate = grammar.dialect.boilerplate
    if _RULE.match(text) or (boilerplate is not None and boilerplate.fullmatch(text)):
        return
    yield text


def _decode(data: bytes) -> str:
    return of_text(data)[0]
