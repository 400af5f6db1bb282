"""Rows of INSERT and COPY without what goes; a value that stays is copied as it is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scanner.readers.sqldump import copied
from scanner.readers.sqldump.careful import Blob, IncompleteError, MalformedError, row
from scanner.readers.sqldump.grammar import Grammar
from scanner.readers.sqldump.heads import CopyHead
from scanner.remedy.base import Do, Tools, Treatment
from scanner.remedy.faults import RemedyError
from scanner.remedy.sqldump.fields import Table

_NULL = b"NULL"
_UNESCAPED = {ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}


def insert_rows(
    raw: bytes, start: int, grammar: Grammar, table: Table, columns: Sequence[str], tools: Tools
) -> bytes:
    """What follows an INSERT's head, from ``start`` on.

    Raises:
        RemedyError: the rows cannot be understood, or have another width than the table.
    """
    out: list[bytes] = []
    position = start
    while True:
        opening = _spaced(raw, position, grammar)
        if raw[opening : opening + 1] != b"(":
            out.append(raw[position:])
            return b"".join(out)
        out.append(raw[position:opening])
        spans, end = _cells(raw, opening, grammar)
        if len(spans) != len(columns):
            raise RemedyError("a row of the dump has another number of values than its table has columns")
        try:
            values = row(raw, opening, grammar).cells
        except (IncompleteError, MalformedError):
            raise RemedyError("a row of the dump cannot be understood") from None
        cells = []
        for at, (span, column) in enumerate(zip(spans, columns, strict=True)):
            if not table.drops(column):
                cells.append(_cell(raw[slice(*span)], values[at], column, table, tools, grammar))
        out.append(b"(" + b",".join(cells) + b")")
        position = end
        following = _spaced(raw, position, grammar)
        if raw[following : following + 1] == b",":
            out.append(raw[position : following + 1])
            position = following + 1


def _spaced(raw: bytes, position: int, grammar: Grammar) -> int:
    found = grammar.space.match(raw, position)
    return found.end() if found else position


def _cells(raw: bytes, opening: int, grammar: Grammar) -> tuple[list[tuple[int, int]], int]:
    """Where the values of a row stand, and where the row ends."""
    spans: list[tuple[int, int]] = []
    first = position = opening + 1
    depth = 0
    while position < len(raw):
        if depth == 0 and position == first and (plain := grammar.cell.match(raw, position)) is not None:
            position, ended = plain.end(), plain["end"]
        elif (found := grammar.token.match(raw, position)) is not None:
            position = found.end()
            ended = found[0] if depth == 0 and found.lastgroup == "operator" else b""
            if found.lastgroup == "operator" and ended not in (b",", b")"):
                depth += {b"(": 1, b"[": 1, b")": -1, b"]": -1}.get(found[0], 0)
        else:
            break
        if ended in (b",", b")"):
            spans.append((first, position - 1))
            first = position
        if ended == b")":
            return spans, position
    raise RemedyError("a row of the dump does not end")


def _cell(
    raw: bytes, value: bytes | Blob | None, column: str, table: Table, tools: Tools, grammar: Grammar
) -> bytes:
    treatment = table.at(column)
    if treatment.do is Do.KEEP or value is None:
        return raw
    done = _done(value, treatment, tools)
    if done is None:
        return _NULL
    text = done.replace(b"\\", b"\\\\") if grammar.backslash else done
    return b"'" + text.replace(b"'", b"''") + b"'"


def _done(value: bytes | Blob, treatment: Treatment, tools: Tools) -> bytes | None:
    if isinstance(value, Blob):
        # Bytes of which nobody knows what they stand for.
        return None
    cell = tools.cell(treatment, value.decode("utf-8", "surrogateescape"))
    return None if cell is None else cell.encode("utf-8", "surrogateescape")


def copy_rows(raw: bytes, copy: CopyHead, table: Table, columns: Sequence[str], tools: Tools) -> bytes:
    """Lines of a COPY in its text format.

    Raises:
        RemedyError: another format, or a row of another width.
    """
    if copy.form != "text":
        raise RemedyError("rows of a COPY are written anew in its text format only")
    kept = [at for at, column in enumerate(columns) if not table.drops(column)]
    touched = [at for at in kept if table.at(columns[at]).do is not Do.KEEP]
    if len(kept) == len(columns) and not touched:
        return raw
    rows = [_fields(line, copy.delimiter) for line in re.findall(rb"[^\n]*\n|[^\n]+\Z", raw)]
    if any(len(fields) != len(columns) for fields, _ in rows):
        raise RemedyError("a row of the dump has another number of values than its table has columns")
    for at in touched:
        _change(rows, at, table.at(columns[at]), copy, tools)
    return b"".join(copy.delimiter.join([fields[at] for at in kept]) + end for fields, end in rows)


def _fields(line: bytes, delimiter: bytes) -> tuple[list[bytes], bytes]:
    body = line.rstrip(b"\r\n")
    return copied._fields(body, delimiter), line[len(body) :]


def _change(
    rows: list[tuple[list[bytes], bytes]], at: int, treatment: Treatment, copy: CopyHead, tools: Tools
) -> None:
    raw = [None if fields[at] == copy.null else copied.unescape_copy(fields[at]) for fields, _ in rows]
    plain = [None if cell is None else cell.decode("utf-8", "surrogateescape") for cell in raw]
    for (fields, _), before, after in zip(rows, plain, tools.cells(treatment, plain), strict=True):
        if after is None:
            fields[at] = copy.null
        elif after != before:
            fields[at] = after.translate(_UNESCAPED).encode("utf-8", "surrogateescape")
