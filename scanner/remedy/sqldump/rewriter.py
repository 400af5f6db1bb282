"""A dump statement by statement: definitions, rows, keys and comments without the columns that go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from scanner.readers.base import Source
from scanner.readers.encoding import detect
from scanner.readers.sqldump import heads
from scanner.readers.sqldump.dialect import Dialect
from scanner.readers.sqldump.sniff import sniff
from scanner.remedy.base import Do, Plan, RemedyError, Rewriter, Tools
from scanner.remedy.sqldump.fields import Fields, Table
from scanner.remedy.sqldump.rows import copy_rows, insert_rows
from scanner.remedy.sqldump.tokens import Token, clauses, closing, dotted, names, skip, tokens, words
from scanner.remedy.sqldump.walk import Kind, Piece, pieces

_TEXT = "statements"
#: Statements larger than this bring rows; only their heads are looked at in the survey.
_SURVEYED = 1 << 20
_CHANGES = frozenset({"update", "delete", "merge", "call", "exec", "execute", "with"})
_MYSQL = "mysqldump"
#: What a column's definition may keep when its values become texts.
_KEPT = (("not", "null"), ("primary", "key"), ("unique",))


class DumpRewriter(Rewriter):
    """mysqldump, pg_dump, sqlite's .dump, and plain SQL."""

    formats = ("pg_dump", "mysqldump", "sqlite_dump", "sql")

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Go over the dump twice: what uses a column may stand after its rows.

        Raises:
            RemedyError: something in it is not understood well enough to leave out what it needs.
            ReadError: the stream's.
        """
        encoding = detect(source.head)
        if encoding.name.startswith(("utf-16", "utf-32")):
            raise RemedyError("a dump in UTF-16 is not written anew; convert it to UTF-8 first")
        dialect = sniff(source.head, source.name)[1]
        longest = tools.limits.line_mb << 20
        fields = Fields(plan, indexes_in_tables=dialect.indexes_in_tables)
        assert tools.again is not None, "a dump is read twice"
        first = tools.again()
        try:
            for piece in pieces(first.stream, dialect, longest):
                if piece.kind is Kind.STATEMENT and len(piece.raw) <= _SURVEYED and not _brings_rows(piece):
                    fields.survey(tokens(piece.raw, piece.grammar))
        finally:
            first.close()
        writer = _Writer(fields, plan, tools, dialect)
        stream = source.stream
        for piece in pieces(stream, dialect, longest):
            out.write(writer.written(piece))


def _brings_rows(piece: Piece) -> bool:
    return piece.copy is not None or heads.insert(piece.raw, 0) is not None


class _Writer:
    def __init__(self, fields: Fields, plan: Plan, tools: Tools, dialect: Dialect) -> None:
        self._fields = fields
        self._tools = tools
        self._dialect = dialect
        self._texts = plan.text(_TEXT)
        self._skipping = False
        #: Names of keys and indexes that went.
        self._gone: set[str] = set()

    def written(self, piece: Piece) -> bytes:
        """A piece as it is to be."""
        match piece.kind:
            case Kind.ROWS:
                assert piece.copy is not None
                table = self._fields.table(piece.copy.name)
                if table.emptied:
                    return b""
                return copy_rows(
                    piece.raw, piece.copy, table, _columns(table, piece.copy.columns), self._tools
                )
            case Kind.BETWEEN:
                return self._redacted(piece)
        if piece.copy is not None:
            return self._copy_head(piece, piece.copy)
        insert = heads.insert(piece.raw, 0)
        if insert is not None:
            return self._insert(piece, insert)
        return self._statement(piece)

    # -- rows --

    def _copy_head(self, piece: Piece, copy: heads.CopyHead) -> bytes:
        table = self._fields.table(copy.name)
        if copy.columns is None:
            if table.columns or not table.part.fields:
                return piece.raw
            raise RemedyError("a COPY names no columns, and the dump does not define its table")
        return self._listed(piece, table)

    def _listed(self, piece: Piece, table: Table, until: int | None = None) -> bytes:
        """A head without the columns that go in its list."""
        raw = piece.raw if until is None else piece.raw[:until]
        found = tokens(raw, piece.grammar)
        at = next((at for at, token in enumerate(found) if token.raw == b"("), None)
        if at is None:
            return raw
        end = closing(found, at)
        kept = [
            raw[clause[0].start : clause[-1].end]
            for clause in clauses(found[at + 1 : end])
            if clause and not table.drops(clause[0].name)
        ]
        stop = found[end].start if end < len(found) else len(raw)
        return raw[: found[at].end] + b", ".join(kept) + raw[stop:]

    def _insert(self, piece: Piece, insert: heads.InsertHead) -> bytes:
        table = self._fields.table(insert.name)
        if not table.part.fields:
            return piece.raw
        if table.emptied:
            return b""
        start = len(insert.text)
        columns = _columns(table, insert.columns)
        if not columns:
            raise RemedyError("an INSERT names no columns, and the dump does not define its table")
        head = piece.raw[:start] if insert.columns is None else self._listed(piece, table, start)
        return head + insert_rows(piece.raw, start, piece.grammar, table, columns, self._tools)

    # -- everything else --

    def _statement(self, piece: Piece) -> bytes:
        found = tokens(piece.raw, piece.grammar)
        if (definition := self._fields.definition(found)) is not None:
            return self._redacted_in(self._define(piece, found, *definition), piece)
        if self._goes(found):
            return b""
        if words(found, 0, "alter", "table"):
            return self._redacted_in(self._alter(piece.raw, found), piece)
        if self._texts.do is not Do.KEEP and found and found[0].lower in _CHANGES:
            return b""
        return self._redacted_in(piece.raw, piece)

    def _goes(self, found: list[Token]) -> bool:
        """Whether a statement is about nothing but what went."""
        if self._fields.is_index(found):
            table, rest = self._fields.indexed(found)
            named = names(rest)
            if any(each in named and (table.loses(each) or table.changes(each)) for each in table.columns):
                self._gone |= names(found[: found.index(rest[0])]) if rest else set()
                return True
            return False
        if words(found, 0, "comment", "on", "column"):
            name, _ = dotted(found, 3)
            return len(name) > 1 and self._fields.table(name[:-1]).drops(name[-1])
        if words(found, 0, "alter", "sequence"):
            at = next((at for at, token in enumerate(found) if token.lower == "owned"), None)
            name, _ = dotted(found, at + 2) if at is not None else ((), 0)
            return len(name) > 1 and self._fields.table(name[:-1]).drops(name[-1])
        about = found[0].lower in ("comment", "alter") if found else False
        return about and bool(names(found) & self._gone)

    def _define(self, piece: Piece, found: list[Token], table: Table, body: Sequence[Token]) -> bytes:
        """A definition without the columns that go; those that change become what can hold it."""
        raw = piece.raw
        if not body or (not table.part.fields and not self._refers(found)):
            return raw
        opening = found[found.index(body[0]) - 1].end
        last = closing(found, found.index(body[0]) - 1)
        end = found[last].start if last < len(found) else len(raw)
        kept: list[bytes] = []
        position = opening
        for clause in clauses(body):
            stop = clause[-1].end if clause else position
            done = self._clause(raw, table, clause)
            if done is not None:
                kept.append(raw[position : clause[0].start] + done if clause else b"")
            position = stop + raw[stop:end].find(b",") + 1 if b"," in raw[stop:end] else end
        trailing = raw[body[-1].end : end]
        return raw[:opening] + b",".join(kept) + trailing + raw[end:]

    def _clause(self, raw: bytes, table: Table, clause: Sequence[Token]) -> bytes | None:
        if not clause:
            return b""
        text = raw[clause[0].start : clause[-1].end]
        column = self._fields.column(clause)
        if column is None:
            if self._fields.constraint_goes(table, clause):
                self._gone |= (
                    {clause[1].name} if clause[0].lower == "constraint" and len(clause) > 1 else set()
                )
                return None
            return text
        if table.drops(column):
            return None
        if table.blanks(column):
            return b" ".join(_until_options(raw, clause))
        if table.changes(column):
            return self._widened(raw, table, clause, column)
        at = next((at for at, token in enumerate(clause) if token.lower == "references"), None)
        if at is not None and self._fields.constraint_goes(table, clause):
            start = clause[at - 2].start if clause[at - 2].lower == "constraint" else clause[at].start
            return raw[clause[0].start : start].rstrip()
        return text

    def _widened(self, raw: bytes, table: Table, clause: Sequence[Token], column: str) -> bytes:
        """A column that holds text of any length, with the keys that it is."""
        short = table.at(column).do is Do.TRANSFORM
        kind = b"varchar(255)" if self._dialect.format == _MYSQL and short else b"text"
        kept = [
            " ".join(option).upper().encode()
            for option in _KEPT
            if any(words(clause, at, *option) for at in range(1, len(clause)))
        ]
        return b" ".join([clause[0].raw, kind, *kept])

    def _alter(self, raw: bytes, found: list[Token]) -> bytes:
        """A change of a table without those of its parts that are about what went."""
        name, at = dotted(found, skip(found, skip(found, 2, "if", "exists"), "only"))
        table = self._fields.table(name)
        if at >= len(found) or (not table.part.fields and not self._refers(found)):
            return raw
        ending = found[-1].raw == b";"
        parts = list(clauses(found[at : len(found) - ending]))
        kept = [part for part in parts if not self._part_goes(table, part)]
        if len(kept) == len(parts):
            return raw
        if not kept:
            return b""
        body = b", ".join(raw[part[0].start : part[-1].end] for part in kept)
        return raw[: found[at].start] + body + raw[parts[-1][-1].end :]

    def _refers(self, found: list[Token]) -> bool:
        return any(token.lower == "references" for token in found)

    def _part_goes(self, table: Table, part: Sequence[Token]) -> bool:
        if not part:
            return False
        first = part[0].lower
        goes = False
        if first == "add":
            goes = self._fields.constraint_goes(table, part)
        elif first in ("alter", "modify", "change", "drop", "rename"):
            named = names(part)
            goes = any(each in named and (table.loses(each) or table.changes(each)) for each in table.columns)
        if goes and words(part, 0, "add", "constraint") and len(part) > 2:
            self._gone.add(part[2].name)
        return goes

    # -- text --

    def _redacted(self, piece: Piece) -> bytes:
        if self._texts.do is Do.KEEP or not piece.raw.strip():
            return piece.raw
        return self._text(piece.raw)

    def _redacted_in(self, raw: bytes, piece: Piece) -> bytes:
        """A statement whose strings and comments hold nothing that must go."""
        if self._texts.do is Do.KEEP:
            return raw
        out: list[bytes] = []
        position = 0
        for match in piece.grammar.stop.finditer(raw):
            if match.lastgroup in ("string", "estring", "dollar", "comment"):
                out += [raw[position : match.start()], self._text(match[0])]
                position = match.end()
        return b"".join([*out, raw[position:]])

    def _text(self, raw: bytes) -> bytes:
        text = raw.decode("utf-8", "surrogateescape")
        return self._tools.text(self._texts, text).encode("utf-8", "surrogateescape")


def _columns(table: Table, named: tuple[str, ...] | None) -> list[str]:
    return [name.casefold() for name in named] if named is not None else table.columns


def _until_options(raw: bytes, clause: Sequence[Token]) -> list[bytes]:
    """A column's name and type, without what may forbid that it is NULL."""
    options = {
        "not", "null", "default", "primary", "unique", "check", "constraint", "references", "auto_increment",
        "autoincrement", "generated", "as", "comment", "on", "key", "collate",
    }  # fmt: skip
    stop = next((at for at, token in enumerate(clause[1:], 1) if token.lower in options), len(clause))
    return [raw[clause[0].start : clause[stop - 1].end]]
