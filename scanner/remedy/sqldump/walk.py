"""A dump in pieces: statements, what stands between them, the rows of COPY; every byte is in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from scanner.readers.sqldump import heads
from scanner.readers.sqldump.dialect import Dialect
from scanner.readers.sqldump.grammar import Grammar, grammar
from scanner.readers.sqldump.statements import EndFinder
from scanner.readers.sqldump.tape import Tape
from scanner.remedy.faults import RemedyError

_WINDOW = 1 << 20
_COPY_END = re.compile(rb"^\\\.[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
#: Commands to the client, each a line of its own.
_CLIENT = re.compile(rb"\\[^\n]*+(?:\n|\Z)")
_DELIMITER = re.compile(rb"(?i:DELIMITER)[ \t]++(\S++)[^\n]*+(?:\n|\Z)")
_NO_ESCAPES = re.compile(rb"SET\b.*?\bSQL_MODE\b.*NO_BACKSLASH_ESCAPES", re.IGNORECASE | re.DOTALL)
_STANDARD = re.compile(rb"SET\s+standard_conforming_strings\s*(?:=|TO)\s*'?(on|off)", re.IGNORECASE)


class Kind(StrEnum):
    """What a piece is."""

    BETWEEN = "between"
    STATEMENT = "statement"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a dump.

    Attributes:
        kind: of the piece. Rows are whole lines of the COPY given last.
        raw: the bytes; a statement with what ends it.
        grammar: how they are to be read.
        copy: the COPY that rows belong to, or that a statement is.
    """

    kind: Kind
    raw: bytes
    grammar: Grammar
    copy: heads.CopyHead | None = None


def pieces(stream: IO[bytes], dialect: Dialect, longest: int) -> Iterator[Piece]:
    """All of a dump, in order.

    Args:
        stream: its bytes.
        dialect: of its SQL.
        longest: bytes of one statement.

    Raises:
        RemedyError: a statement does not end, or is longer.
        ReadError: the stream's.
    """
    walk = _Walk(Tape(stream), dialect, longest)
    yield from walk.pieces()
    if walk.tape.error is not None:
        raise walk.tape.error


class _Walk:
    def __init__(self, tape: Tape, dialect: Dialect, longest: int) -> None:
        self.tape = tape
        self._dialect = dialect
        self._longest = longest
        self._delimiter = b";"
        self._backslash = dialect.backslash
        self._grammar = grammar(dialect, self._backslash)

    def pieces(self) -> Iterator[Piece]:
        tape = self.tape
        while True:
            yield from self._between()
            if not tape.left:
                return
            if self._dialect.client_lines and (copy := self._copy()):
                yield self._taken(Kind.STATEMENT, copy.end - tape.pos, copy)
                yield from self._rows(copy)
            else:
                statement = self._statement()
                self._heed(statement)
                yield statement

    def _taken(self, kind: Kind, size: int, copy: heads.CopyHead | None = None) -> Piece:
        tape = self.tape
        raw = tape.data[tape.pos : tape.pos + size]
        tape.pos += size
        return Piece(kind, raw, self._grammar, copy)

    def _between(self) -> Iterator[Piece]:
        """Space, comments, commands to the client, and ends of statements that are not there."""
        tape = self.tape
        while True:
            tape.fill(_WINDOW)
            found = self._grammar.space.match(tape.data, tape.pos)
            assert found is not None, "it matches nothing too"
            while found.end() == len(tape.data) and not tape.eof:
                if tape.left > self._longest:
                    raise RemedyError("a comment of the dump is too long to hold")
                tape.more()
                found = self._grammar.space.match(tape.data, tape.pos)
                assert found is not None, "it matches nothing too"
            if found[0]:
                yield self._taken(Kind.BETWEEN, len(found[0]))
            elif (size := self._command()) and tape.left:
                yield self._taken(Kind.BETWEEN, size)
            else:
                return

    def _command(self) -> int:
        """Bytes of a command to the client at the position, or of a lone delimiter."""
        data, pos, dialect = self.tape.data, self.tape.pos, self._dialect
        if dialect.client_lines and (found := _CLIENT.match(data, pos)):
            return len(found[0])
        if dialect.delimiters and (found := _DELIMITER.match(data, pos)):
            self._delimiter = found[1][:16]
            self._grammar = grammar(dialect, self._backslash, self._delimiter)
            return len(found[0])
        return len(self._delimiter) if data.startswith(self._delimiter, pos) else 0

    def _copy(self) -> heads.CopyHead | None:
        tape = self.tape
        if tape.data[tape.pos : tape.pos + 4].upper() != b"COPY":
            return None
        return heads.copy(tape.data, tape.pos, self._grammar)

    def _rows(self, copy: heads.CopyHead) -> Iterator[Piece]:
        """The lines of a COPY in blocks, and what ends them."""
        tape = self.tape
        while True:
            tape.fill(_WINDOW)
            found = _COPY_END.search(tape.data, tape.pos)
            if found is not None and (found.end() < len(tape.data) or tape.eof):
                if found.start() > tape.pos:
                    yield self._taken(Kind.ROWS, found.start() - tape.pos, copy)
                yield self._taken(Kind.BETWEEN, found.end() - tape.pos)
                return
            end = tape.data.rfind(b"\n", tape.pos, len(tape.data) - 4) + 1
            if end > tape.pos:
                yield self._taken(Kind.ROWS, end - tape.pos, copy)
            elif tape.eof or tape.left > self._longest:
                raise RemedyError("the rows of a COPY do not end")
            else:
                tape.more()

    def _statement(self) -> Piece:
        tape, finder = self.tape, EndFinder(self._grammar)
        while True:
            end = finder.find(tape.data, tape.pos, tape.eof)
            if end is not None:
                return self._taken(Kind.STATEMENT, end.after - tape.pos)
            if tape.eof and finder.open_at is None:
                return self._taken(Kind.STATEMENT, tape.left)
            if tape.eof or tape.left > self._longest:
                raise RemedyError("a statement of the dump does not end, or is too long to hold")
            tape.more()

    def _heed(self, statement: Piece) -> None:
        """Settings that change how strings are read from here on."""
        if _NO_ESCAPES.match(statement.raw):
            self._backslash = False
        elif self._dialect.escape_strings and (found := _STANDARD.match(statement.raw)):
            self._backslash = found[1].lower() == b"off"
        else:
            return
        self._grammar = grammar(self._dialect, self._backslash, self._delimiter)
