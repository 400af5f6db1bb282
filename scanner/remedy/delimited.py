"""Delimited text written anew: what stays is copied as it stands, quotes, line ends, encoding and all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from scanner.readers.base import HEAD_BYTES, Source
from scanner.readers.compression import Quiet
from scanner.readers.delimited import read_start
from scanner.readers.dialect import Dialect, Layout, lay_out
from scanner.readers.encoding import as_utf8, detect
from scanner.readers.rowblocks import Block, RowBlocks
from scanner.remedy.base import Do, PartPlan, Plan, RemedyError, Rewriter, Tools
from scanner.remedy.encoded import Encoded

#: Bytes looked at for the layout, where the first lines are longer than the head; as the reader does.
_LONG_HEAD = 1 << 20
_TABLE, _PREAMBLE = "-", "preamble"

#: A row: its cells as they stand in the file, and what ends it.
_Row = tuple[list[str], str]


class DelimitedRewriter(Rewriter):
    """CSV and its kin."""

    formats = ("csv",)

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write the table without the columns that go, in the same dialect, encoding and line ends.

        Raises:
            RemedyError: no layout, or a cell that its encoding cannot hold.
            ReadError: the stream's.
        """
        encoding = detect(source.head)
        mark = source.head[: encoding.mark]
        stream = Quiet(cast("IO[bytes]", as_utf8(source.stream, encoding)))
        start = read_start(stream)
        text = start.decode("utf-8", "ignore")
        layout = lay_out(text, whole=len(start) < HEAD_BYTES, delimited=True)
        if layout is None:
            raise RemedyError("the table has no rows that agree; it cannot be written anew")
        written = Encoded(out, encoding.name, mark)
        table = _Table(layout, plan.table(_TABLE), tools)
        before = text[: layout.start]
        written.write(_Start(layout, table, tools).rewritten(before, plan))
        rest = start[len(before.encode()) :]
        for block in RowBlocks(cast("IO[bytes]", stream), rest, layout.dialect, tools.limits.line_mb << 20):
            written.write(table.rewritten(block))
        if stream.error is not None:
            raise stream.error


@dataclass(frozen=True, slots=True)
class _Start:
    """What stands before the rows: a line that names the delimiter, remarks, the header."""

    layout: Layout
    table: _Table
    tools: Tools

    def rewritten(self, text: str, plan: Plan) -> str:
        """The start as it is to be."""
        if not text:
            return ""
        rows = list(split(text, self.layout.dialect))
        # A header of several lines is one row; what stands before it is copied as text.
        header = next((at for at in range(len(rows) - 1, -1, -1) if any(map(str.strip, rows[at][0]))), None)
        headed = self.layout.header is not None and header is not None
        remarks = rows[:header] if headed else rows
        written = "".join(_joined(row, self.layout.dialect) for row in remarks)
        written = self.tools.text(plan.text(_PREAMBLE), written)
        if not headed:
            return written
        return written + "".join(self._header(row) for row in rows[header:])

    def _header(self, row: _Row) -> str:
        # Where rows begin with a counter, the reader puts a name for it before those in the file.
        shift = len(self.layout.header or ()) - len(row[0])
        cells = [cell for at, cell in enumerate(row[0]) if not self.table.drops(at + max(shift, 0))]
        return _joined((cells, row[1]), self.layout.dialect)


class _Table:
    """The rows of the table, and what becomes of their cells."""

    def __init__(self, layout: Layout, plan: PartPlan, tools: Tools) -> None:
        self._dialect = layout.dialect
        self._plan = plan
        self._tools = tools
        self._dropped = {at for at in plan.fields if plan.at(at).do is Do.DROP}
        self._changed = sorted(at for at in plan.fields if plan.at(at).do not in (Do.DROP, Do.KEEP))

    def drops(self, place: int) -> bool:
        """Whether the column at a place goes."""
        return place in self._dropped

    def rewritten(self, block: Block) -> str:
        """A block of whole rows as it is to be."""
        dialect = self._dialect
        if block.literal:
            dialect = Dialect(dialect.delimiter, "", "", dialect.row_mark)
        rows = list(split(block.data.decode("utf-8"), dialect))
        for place in self._changed:
            self._change(rows, place, dialect)
        if self._dropped:
            rows = [self._without(row) for row in rows]
        return "".join(_joined(row, dialect) for row in rows)

    def _without(self, row: _Row) -> _Row:
        return [cell for at, cell in enumerate(row[0]) if at not in self._dropped], row[1]

    def _change(self, rows: list[_Row], place: int, dialect: Dialect) -> None:
        having = [cells for cells, _ in rows if len(cells) > place]
        plain = [unquoted(cells[place], dialect) for cells in having]
        done = self._tools.cells(self._plan.at(place), plain)
        for cells, before, after in zip(having, plain, done, strict=True):
            if after != before:
                cells[place] = quoted(after or "", cells[place], dialect)


def split(text: str, dialect: Dialect) -> Iterator[_Row]:
    """The rows of whole lines, their cells as they stand there."""
    if dialect.row_mark:
        yield from _by_mark(text, dialect)
    elif (
        len(dialect.delimiter) != 1 or not dialect.quote or (dialect.quote not in text and not dialect.escape)
    ):
        for line in re.findall(r"[^\r\n]*(?:\r\n|\n|\r|$)", text):
            body = line.rstrip("\r\n")
            if line:
                yield (body.split(dialect.delimiter) if dialect.delimiter else [body]), line[len(body) :]
    else:
        yield from _by_cells(text, _cell_pattern(dialect))


def _by_mark(text: str, dialect: Dialect) -> Iterator[_Row]:
    for found in re.finditer(rf"(.*?)({re.escape(dialect.row_mark)}(?:\r\n|\n|\r|$)|\Z)", text, re.DOTALL):
        if found[0]:
            yield (found[1].split(dialect.delimiter) if dialect.delimiter else [found[1]]), found[2]


def _by_cells(text: str, pattern: re.Pattern[str]) -> Iterator[_Row]:
    cells: list[str] = []
    position = 0
    while position < len(text) or cells:
        found = pattern.match(text, position)
        assert found is not None, "the pattern takes anything"
        cells.append(found[1])
        position = found.end()
        if found[2] in ("\r\n", "\n", "\r", ""):
            yield cells, found[2]
            cells = []
            if not found[2]:
                return


def _cell_pattern(dialect: Dialect) -> re.Pattern[str]:
    """A cell (a quote counts at its start only) and what ends it."""
    delimiter, quote, escape = (
        re.escape(each) for each in (dialect.delimiter, dialect.quote, dialect.escape)
    )
    if dialect.escape:
        inside = rf"(?:[^{quote}{escape}]|{escape}.)*+"
        outside = rf"(?:[^{delimiter}{escape}\r\n]|{escape}.)*+"
    else:
        inside = rf"(?:[^{quote}]|{quote}{quote})*+"
        outside = rf"[^{delimiter}\r\n]*+"
    # A quote that is never closed takes no text with it: the cell then ends as others do.
    cell = rf"(?:{quote}{inside}{quote}{outside}|{outside})"
    return re.compile(rf"({cell})({delimiter}|\r\n|\n|\r|\Z)", re.DOTALL)


def _joined(row: _Row, dialect: Dialect) -> str:
    return dialect.delimiter.join(row[0]) + row[1]


def unquoted(raw: str, dialect: Dialect) -> str:
    """A cell's value."""
    quote, escape = dialect.quote, dialect.escape
    if quote and len(raw) > 1 and raw[0] == quote:
        body, _, tail = raw[1:].rpartition(quote)
        raw = body.replace(quote * 2, quote) + tail if not escape else body + tail
    return re.sub(re.escape(escape) + r"(.)", r"\1", raw, flags=re.DOTALL) if escape else raw


def quoted(value: str, before: str, dialect: Dialect) -> str:
    """A value as a cell, in quotes where the cell had them before or the value needs them."""
    quote, escape = dialect.quote, dialect.escape
    needs = any(
        each and each in value for each in (dialect.delimiter, quote, escape, "\n", "\r", dialect.row_mark)
    )
    if not quote or len(dialect.delimiter) != 1 or dialect.row_mark:
        # What parts cells or rows does so in quotes too: it cannot be in one, nor any part of it.
        return "".join(
            " " if char in f"{dialect.delimiter}{dialect.row_mark}\r\n" else char for char in value
        )
    if not needs and not before.startswith(quote):
        return value
    if escape:
        value = value.replace(escape, escape * 2).replace(quote, escape + quote)
    else:
        value = value.replace(quote, quote * 2)
    return f"{quote}{value}{quote}"
