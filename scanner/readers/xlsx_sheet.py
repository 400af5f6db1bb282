"""One worksheet's XML to rows, and rows to chunks: streamed, in memory that does not grow with the sheet.

A column is known by its place on the sheet; the row that names the columns is found by `heading`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Protocol

from scanner.model import Gap, Reason, Stage
from scanner.readers import heading, xmlparts
from scanner.readers.base import CHUNK_BYTES, CHUNK_ROWS, Event, ReadContext, ReadError, TableChunk
from scanner.readers.xlsx_numbers import GENERAL, Format, shown

#: Cells of one chunk, blank ones counted: what bounds a sheet of few values far apart.
_CHUNK_CELLS = 1_000_000
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')
#: Bytes read at once, and of a row that is waited for before it is fed in pieces.
_BLOCK = 1 << 18
_ROW_BYTES = 1 << 20
_CELL_SHAPE = (
    rb'<c r="%s[A-Z]{1,3})\d{1,7}"(?: s="%s\d{1,6})")?(?: t="%s[a-zA-Z]{1,9})")?'
    rb'(?:/>|>(?:<f(?: [^<>]*)?(?:/>|>[^<"&]*</f>))?'
    rb'(?:<v>%s[^<&]*)</v>|<is><t(?: xml:space="preserve")?>%s[^<&]*)</t></is>)?</c>)'
)
_CELL = re.compile(_CELL_SHAPE % ((b"(",) * 5))
_ROW = re.compile(
    rb'<row(?: r="(\d{1,8})")?(?: [^<>]*[^<>/]| )?>((?:%s)*)</row>\s*' % (_CELL_SHAPE % ((b"(?:",) * 5))
)
_ROW_END = b"</row>"
_ESCAPED = re.compile(r"_x((?!D[89A-F])[0-9A-F]{4})_", re.IGNORECASE)
#: Distinct pieces of quoted text kept from a sheet's formulas.
_FORMULA_TEXTS = 20_000
#: Elements beside the rows that hold a formula or a reference: only what they quote is text.
_FORMULAS = frozenset(("formula", "formula1", "formula2", "f", "sqref"))
_LETTERS = {chr(code): code - 64 for code in range(65, 91)}

#: Places by the letters of a column, for as many columns as a sheet can have.
_COLUMNS = {
    (a + b + c).encode(): ((ord(a) - 64 if a else 0) * 26 + (ord(b) - 64 if b else 0)) * 26 + ord(c) - 65
    for a in ("", *_LETTERS)
    for b in ("", *_LETTERS)
    for c in _LETTERS
    if b or not a
}

Row = dict[int, str]


class Strings(Protocol):
    """The shared strings of a workbook, by index."""

    def __getitem__(self, index: int) -> str: ...


@dataclass(slots=True)
class Hints:
    """What the workbook says of a sheet's table: the row that names its columns (from 1), if it does."""

    header_row: int | None = None
    tables: list[tuple[int, int]] = field(default_factory=list)


@dataclass(slots=True)
class Sheet:
    """What a sheet's XML holds besides its rows; filled while it is parsed.

    Attributes:
        hidden_columns: places (from 0) of hidden columns.
        frozen: number of rows frozen at the top.
        headers: text of the page headers and footers.
        others: other text: lists to choose from, prompts, link tips.
        formulas: text in quotes inside formulas, in order.
        unresolved: cells whose shared string does not exist or was too much to hold.
        cut: cells that were cut at ``limits.cell_mb``.
        outside: cells beyond ``limits.columns``.
    """

    hidden_columns: set[int] = field(default_factory=set)
    frozen: int = 0
    headers: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    formulas: dict[str, None] = field(default_factory=dict)
    unresolved: int = 0
    cut: int = 0
    outside: int = 0


def unescaped(text: str) -> str:
    """Text with the characters that XML cannot hold (``_x000D_``) put back."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)


def rows(
    stream: IO[bytes],
    sheet: Sheet,
    strings: Strings,
    styles: Sequence[Format],
    context: ReadContext,
    *,
    since_1904: bool = False,
) -> Iterator[tuple[int, Row]]:
    """The sheet's rows that hold anything: their number from 1, and text by column place from 0.

    Raises:
        ReadError: the part is damaged; rows before that were given.
    """
    handlers = _SheetParser(sheet, strings, styles, context, since_1904)
    parser = xmlparts.Parser(handlers.start, handlers.end, handlers.characters)
    held = b""
    try:
        while block := stream.read(_BLOCK):
            held = _feed(parser, handlers, held + block)
            yield from handlers.ready
            handlers.ready.clear()
        parser.feed(held, last=True)
        yield from handlers.ready
    except ReadError:
        handlers.finish_row()
        yield from handlers.ready
        raise
    finally:
        parser.close()


def _feed(parser: xmlparts.Parser, handlers: _SheetParser, data: bytes) -> bytes:
    """Take in what there is; the bytes of a row that is not all there yet are given back.

    A row in the plain shape that spreadsheet programs write is taken by a regular expression, at three times
    the speed. Whole rows can be kept from the XML parser without harm: what remains is still well-formed.
    Every other row, and all that is not a row, goes through the parser.
    """
    at = 0
    while at < len(data):
        if not handlers.plain:
            parser.feed(data[at:])
            return b""
        if not handlers.between_rows:
            # Up to the rows; in pieces, because only the handlers know where they begin.
            stop = data.find(b">", at) + 1 or len(data)
            parser.feed(data[at:stop])
            at = stop
            continue
        found = _ROW.match(data, at)
        if found is not None and handlers.take_row(found.group(1), found.group(2)):
            at = found.end()
            continue
        stop = data.find(_ROW_END, at)
        if stop < 0:
            if len(data) - at < _ROW_BYTES and data.find(b"<row", at) >= 0:
                return data[at:]
            stop = len(data) - len(_ROW_END)
        stop += len(_ROW_END)
        parser.feed(data[at:stop])
        at = stop
    return b""


class _SheetParser:
    """The handlers. One long method each, because they run for every cell."""

    def __init__(
        self,
        sheet: Sheet,
        strings: Strings,
        styles: Sequence[Format],
        context: ReadContext,
        since_1904: bool,
    ) -> None:
        self.ready: list[tuple[int, Row]] = []
        self._sheet = sheet
        self._strings = strings
        self._styles = styles
        self._since_1904 = since_1904
        self._most = context.limits.cell_mb << 20
        self._columns = context.limits.columns
        self._prefix = ""
        self._names = ("", "", "", "", "")
        self._row: Row = {}
        self._row_number = 0
        self._column = -1
        self._type = ""
        self._style = 0
        self._text: list[str] = []
        self._length = 0
        self._taking = False
        self._in_data = False
        self._in_row = False
        self._past_rows = False
        self._phonetic = False
        self._formula: list[str] | None = None
        self._in_header = False

    def start(self, name: str, given: dict[str, str]) -> None:
        """A start tag."""
        cell, value, row, text, formula = self._names
        if name == cell:
            self._start_cell(given)
        elif name == value:
            self._taking = True
        elif name == row:
            self._in_row = True
            number = given.get("r", "")
            self._row_number = int(number) if number.isdecimal() and len(number) < 9 else self._row_number + 1
            self._column = -1
        elif name == text:
            self._taking = not self._phonetic
        elif name == formula and self._in_data:
            self._formula = []
        else:
            self._start_other(name, given)

    def _start_cell(self, given: dict[str, str]) -> None:
        reference = given.get("r")
        column = 0
        if reference:
            for char in reference:
                letter = _LETTERS.get(char)
                if letter is None:
                    break
                column = column * 26 + letter
        self._column = column - 1 if column else self._column + 1
        self._type = given.get("t", "n")
        style = given.get("s", "0")
        self._style = int(style) if style.isdecimal() and len(style) < 7 else 0
        self._text.clear()
        self._length = 0

    def _start_other(self, name: str, given: dict[str, str]) -> None:
        kind = xmlparts.local(name)
        if kind in ("worksheet", "macrosheet", "dialogsheet") and not self._names[0]:
            prefix = name[: len(name) - len(kind)]
            if kind == "macrosheet":  # its root has a prefix of its own, its rows have none
                prefix = ""
            self._names = (f"{prefix}c", f"{prefix}v", f"{prefix}row", f"{prefix}t", f"{prefix}f")
        elif kind == "sheetData":
            self._in_data = True
        elif kind == "rPh":
            self._phonetic = True
        elif kind == "col":
            self._hide_columns(given)
        elif kind == "pane" and given.get("state", "").startswith("frozen"):
            split = given.get("ySplit", "0")
            self._sheet.frozen = int(split) if split.isdecimal() and len(split) < 7 else 0
        elif kind == "headerFooter":
            self._in_header = True
        if not self._in_data:
            self._sheet.others.extend(
                value for key, value in given.items() if key in xmlparts.TELLING and value.strip()
            )
            self._text.clear()
            self._length = 0

    def _hide_columns(self, given: dict[str, str]) -> None:
        hidden = given.get("hidden") in ("1", "true") or given.get("width") == "0"
        first, last = given.get("min", ""), given.get("max", "")
        if hidden and first.isdecimal() and last.isdecimal():
            self._sheet.hidden_columns.update(range(int(first) - 1, min(int(last), self._columns)))

    def characters(self, text: str) -> None:
        """Text between tags."""
        if self._formula is not None:
            self._formula.append(text)
        elif self._taking or not self._in_data:
            self._length += len(text)
            if self._length <= self._most:
                self._text.append(text)

    def end(self, name: str) -> None:
        """An end tag."""
        cell, value, row, text, formula = self._names
        if name in (value, text):
            self._taking = False
        elif name == cell:
            if self._text:
                self._end_cell()
        elif name == row:
            self._in_row = False
            self.finish_row()
        elif name == formula and self._formula is not None:
            self._end_formula()
        else:
            self._end_other(name)

    @property
    def plain(self) -> bool:
        """True as long as rows in the plain shape may come: no namespace prefix, not yet past the rows."""
        return self._names[0] in ("", "c") and not self._past_rows

    @property
    def between_rows(self) -> bool:
        """True where a row in the plain shape may come next."""
        return self._in_data and not self._in_row and self._names[0] == "c"

    def take_row(self, number: bytes | None, cells: bytes) -> bool:
        """Take a whole row in the plain shape; False where the XML parser has to read it after all."""
        row: Row = {}
        strings, styles, columns = self._strings, self._styles, _COLUMNS
        try:
            for column, style, kind, value, inline in _CELL.findall(cells):
                if not value:
                    if inline:
                        text = inline.decode()
                        row[columns[column]] = unescaped(text) if "_x" in text else text
                    continue
                if kind == b"s":
                    text = strings[int(value)]
                elif not kind or kind == b"n":
                    style_format = styles[int(style)] if style else GENERAL
                    text = shown(value.decode("ascii"), style_format, since_1904=self._since_1904)
                else:
                    return False
                row[columns[column]] = text
        except (KeyError, IndexError, ValueError):  # out of the plain shape somewhere: read it the long way
            return False
        if max(row, default=0) >= self._columns or max(map(len, row.values()), default=0) > self._most:
            return False
        self._row_number = int(number) if number else self._row_number + 1
        self._row = row
        self.finish_row()
        return True

    def _end_cell(self) -> None:
        raw = self._text[0] if len(self._text) == 1 else "".join(self._text)
        self._text.clear()
        if self._length > self._most:
            self._sheet.cut += 1
        kind = self._type
        if kind == "s":
            try:
                raw = self._strings[int(raw)]
            except (IndexError, ValueError):
                self._sheet.unresolved += 1
                return
        elif kind == "n":
            style = self._styles[self._style] if self._style < len(self._styles) else GENERAL
            raw = shown(raw, style, since_1904=self._since_1904)
        elif kind == "b":
            raw = "TRUE" if raw == "1" else "FALSE" if raw == "0" else raw
        elif kind == "d":
            raw = raw.removesuffix("T00:00:00").replace("T", " ")
        elif "_x" in raw:
            raw = unescaped(raw)
        if self._column >= self._columns:
            self._sheet.outside += 1
            return
        self._row[self._column] = raw

    def finish_row(self) -> None:
        """Hand out the row so far, if it holds anything."""
        if any(text and not text.isspace() for text in self._row.values()):
            self.ready.append((self._row_number, self._row))
        if self._row:
            self._row = {}

    def _end_formula(self) -> None:
        text = "".join(self._formula or ())
        self._formula = None
        if '"' not in text or len(self._sheet.formulas) >= _FORMULA_TEXTS:
            return
        for piece in _QUOTED.findall(text):
            if len(piece) > 2 and any(char.isalnum() for char in piece):
                self._sheet.formulas.setdefault(piece.replace('""', '"'))

    def _end_other(self, name: str) -> None:
        kind = xmlparts.local(name)
        if kind == "sheetData":
            self._in_data = False
            self._past_rows = True
        elif kind == "rPh":
            self._phonetic = False
        elif kind == "headerFooter":
            self._in_header = False
        if self._in_data or not self._text:
            return
        text = "".join(self._text).strip()
        self._text.clear()
        if kind in _FORMULAS:
            self._sheet.others.extend(_QUOTED.findall(text))
        elif text:
            (self._sheet.headers if self._in_header else self._sheet.others).append(text)


class Table:
    """Rows of a sheet to chunks of a table.

    Args:
        name: of the table.
        hidden: the sheet is hidden.
        hidden_columns: places of hidden columns; read when a chunk is made.
    """

    def __init__(self, name: str, *, hidden: bool, hidden_columns: set[int]) -> None:
        self._name = name
        self._hidden = hidden
        self._hidden_columns = hidden_columns
        self._names: dict[int, str] = {}
        self._order: list[int] = []
        self._headed = False
        self._rows: list[Row] = []
        self._bytes = 0
        self._given = False

    def head(self, row: Row | None) -> None:
        """Take the names of the columns from ``row``; None where there are none."""
        self._headed = row is not None
        for place, text in sorted((row or {}).items()):
            if text.strip():
                self._names[place] = " ".join(text.split())
                self._order.append(place)

    def add(self, row: Row) -> TableChunk | None:
        """Take a row; a chunk where it is time for one."""
        self._rows.append(row)
        self._bytes += sum(map(len, row.values()))
        for place in row.keys() - self._names.keys():
            self._order.append(place)
            self._names[place] = f"column_{place + 1}"
        if (
            len(self._rows) >= CHUNK_ROWS
            or self._bytes >= CHUNK_BYTES
            or len(self._rows) * len(self._order) >= _CHUNK_CELLS
        ):
            return self.flush()
        return None

    def flush(self) -> TableChunk | None:
        """What is held as a chunk; None where nothing is, and the table was already given."""
        if not self._order or (not self._rows and self._given):
            return None
        import pyarrow as pa

        self._order.sort()
        arrays = [pa.array([row.get(place) for row in self._rows], pa.string()) for place in self._order]
        batch = pa.RecordBatch.from_arrays(arrays, [self._names[place] for place in self._order])
        hidden = frozenset(at for at, place in enumerate(self._order) if place in self._hidden_columns)
        self._rows, self._bytes, self._given = [], 0, True
        return TableChunk(self._name, batch, hidden=self._hidden, hidden_columns=hidden, headed=self._headed)


def table_events(
    name: str, found: Iterator[tuple[int, Row]], sheet: Sheet, hints: Hints, *, hidden: bool
) -> Iterator[Event]:
    """A sheet's rows as a table, and what stands above it as text.

    Raises:
        ReadError: as ``found``, after everything before it was given.
    """
    table = Table(name, hidden=hidden, hidden_columns=sheet.hidden_columns)
    window: list[tuple[int, Row]] = []
    opened = False
    try:
        for numbered in found:
            if not opened:
                window.append(numbered)
                if len(window) < heading.WINDOW:
                    continue
                opened = True
                yield from _open(name, table, window, sheet, hints, hidden)
            elif (chunk := table.add(numbered[1])) is not None:
                yield chunk
    except ReadError:
        if not opened:
            yield from _open(name, table, window, sheet, hints, hidden)
        if (chunk := table.flush()) is not None:
            yield chunk
        raise
    if not opened:
        yield from _open(name, table, window, sheet, hints, hidden)
    if (chunk := table.flush()) is not None:
        yield chunk


def _open(
    name: str, table: Table, window: list[tuple[int, Row]], sheet: Sheet, hints: Hints, hidden: bool
) -> Iterator[Event]:
    """Find the row of names among the first rows; what is above it is text, what is below data."""
    places = sorted({place for _, row in window for place in row})
    dense = [[row.get(place) for place in places] for _, row in window]
    at = heading.find(dense, _told(window, sheet, hints))
    if at is None:
        table.head(None)
    else:
        above = ["\t".join(row[place] for place in sorted(row)) for _, row in window[:at]]
        yield from xmlparts.chunks(f"{name} above the table", above, hidden=hidden)
        table.head(window[at][1])
    for _, row in window[0 if at is None else at + 1 :]:
        if (chunk := table.add(row)) is not None:
            yield chunk


def _told(window: list[tuple[int, Row]], sheet: Sheet, hints: Hints) -> int | None:
    """The index in ``window`` of the row that the workbook says names the columns."""
    wanted = hints.header_row or sheet.frozen or None
    return next((at for at, (number, _) in enumerate(window) if number == wanted), None)


def complaints(name: str, sheet: Sheet, context: ReadContext) -> Iterator[Gap]:
    """Gaps for what of the sheet's cells was not read."""
    if sheet.unresolved:
        detail = f"{sheet.unresolved} cells refer to shared text that is missing or too much to hold"
        yield Gap(Stage.READ, Reason.CORRUPT, detail, name)
    if sheet.cut:
        detail = f"{sheet.cut} cells were cut at {context.limits.cell_mb} MiB (limits.cell_mb)"
        yield Gap(Stage.READ, Reason.TOO_LARGE, detail, name)
    if sheet.outside:
        detail = f"{sheet.outside} cells lie beyond column {context.limits.columns} (limits.columns)"
        yield Gap(Stage.READ, Reason.TOO_LARGE, detail, name)


__all__ = ["Hints", "Row", "Sheet", "Strings", "Table", "complaints", "rows", "table_events", "unescaped"]
