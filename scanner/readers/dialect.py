"""How a delimited text is written: what parts cells and rows, what quotes, where the data begin.

Every candidate reads the first rows; the one whose rows agree best in their number of cells, and whose cells
look most like single values, wins. (The idea of weighing row patterns against cell types is that of van den
Burg, Nazabal and Sutton, "Wrangling messy CSV files by detecting row and type patterns", 2019.)
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

from scanner.readers.headers import has_header, kind

#: Delimiters of one character, likelier first, and of several.
_SINGLE = (",", ";", "\t", "|", "\x01", "\x1f", "^", "~", "§", "¬", "¦", ":")
_MULTIPLE = (
    "+|",
    "||",
    "|~|",
    "~|~",
    "^|^",
    "|^|",
    "|@|",
    "~^~",
    "@@",
    "::",
    ";;",
    "##",
    "~~",
    "<|>",
    "<>",
    "\t|\t",
)
#: The end of all lines but for the line end itself, where that is no part of a value (bcp's ``&|``).
_ROW_MARK = re.compile(r"[^\w\s\"'.,;:!?)\]}>%/+=-]{1,3}$")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|$)")
#: Lines looked at.
_LINES = 300
#: Lines before the table that may be a title, a comment, an export's remarks.
_PREAMBLE_LINES = 30
_SEPARATOR_LINE = re.compile(r"sep=([^\r\n]{1,3})(\r\n|\n|\r)", re.IGNORECASE)
_LOOKS_QUOTED = re.compile(r"^'.*'$", re.DOTALL)
_OTHER_DELIMITERS = re.compile(r"[;|\t\x01^~]|,(?! )")
#: Columns from which on colons part cells, and not a key from its value or hours from minutes.
_COLON_COLUMNS = 5

csv.field_size_limit(0x7FFF_FFFF)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells and rows are parted.

    Attributes:
        delimiter: between cells; empty where each line is one cell.
        quote: around cells that hold delimiters or line ends; empty where nothing quotes.
        escape: before a quote inside a quoted cell, where it is not doubled.
        row_mark: what stands before each line end, and alone ends a row.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""
    row_mark: str = ""

    @property
    def is_plain(self) -> bool:
        """True where single bytes part the cells, as all fast parsers want it."""
        return len(self.delimiter) == 1 and self.delimiter.isascii() and not self.row_mark


@dataclass(frozen=True, slots=True)
class Layout:
    """A dialect and where what begins.

    Attributes:
        dialect: how it is written.
        width: cells of most rows.
        header: the first row's cells, where it names the columns.
        preamble: text before the table.
        start: characters before the first row of data.
        score: how well the rows fit, in [0, 1].
        rows: rows that were looked at.
        clean: share of cells that look like a single value.
    """

    dialect: Dialect
    width: int
    header: tuple[str, ...] | None
    preamble: str
    start: int
    score: float
    rows: int
    clean: float


def parse(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    """The rows of some lines (line ends kept), cells unquoted.

    A quote counts at the start of a cell only. A blank line gives an empty row.
    """
    if dialect.row_mark or len(dialect.delimiter) != 1:
        yield from _parse_by_splitting(lines, dialect)
        return
    reader = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=not dialect.escape,
        escapechar=dialect.escape or None,
    )
    yield from reader


def _parse_by_splitting(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    if dialect.row_mark:
        lines = re.split(re.escape(dialect.row_mark) + r"(?:\r\n|\n|\r|$)", "".join(lines))
    for line in lines:
        cells = line.rstrip("\r\n") if not dialect.row_mark else line
        if not cells:
            yield []
        else:
            split = cells.split(dialect.delimiter) if dialect.delimiter else [cells]
            yield [_unquoted(cell, dialect.quote) for cell in split]


def _unquoted(cell: str, quote: str) -> str:
    if quote and len(cell) > 1 and cell[0] == quote == cell[-1]:
        return cell[1:-1].replace(quote + quote, quote)
    return cell


def lines_of(text: str) -> list[str]:
    """The lines of a text with their ends, whichever of the three they are."""
    return [line for line in _LINE.findall(text) if line]


def lay_out(text: str, *, whole: bool, delimited: bool = False) -> Layout | None:
    """The layout of the table that ``text`` begins with; None where its rows agree in nothing.

    Args:
        text: the start of the file.
        whole: False where the file goes on; the last row is then not judged.
        delimited: the text is known to be a table: a weak agreement or a single column will do.
    """
    told = _SEPARATOR_LINE.match(text)
    skipped = told.end() if told else 0
    lines = lines_of(text[skipped:])[: _LINES + 1]
    if len(lines) > _LINES or not whole:
        lines = lines[:-1] if len(lines) > 1 else lines
    if not any(line.strip() for line in lines):
        return None
    best: _Fit | None = None
    for dialect in [Dialect(told.group(1))] if told else _candidates(lines):
        fit = _fit(lines, dialect)
        if fit is not None and (best is None or fit.score > best.score + 1e-9):
            best = fit
    if best is None or (best.score < 0.15 and not told):
        best = _one_column(lines) if delimited else None
    return _layout(best, lines, skipped) if best is not None else None


@dataclass(slots=True)
class _Fit:
    """How a dialect reads the sample. ``ends[i]`` is how many lines the rows up to the i-th take."""

    dialect: Dialect
    rows: list[list[str]]
    ends: list[int]
    width: int
    first: int
    score: float
    clean: float


def _candidates(lines: list[str]) -> Iterator[Dialect]:
    text = "".join(lines)
    mark = _row_mark(lines)
    for delimiter in _MULTIPLE:
        if text.count(delimiter) >= max(1, len(lines) // 2):
            yield Dialect(delimiter, "" if '"' not in text else '"', "", mark)
    if mark:
        return
    for delimiter in _SINGLE:
        if delimiter not in text:
            continue
        if '\\"' in text:
            yield Dialect(delimiter, '"', "\\")
        yield Dialect(delimiter, '"')
        if f'{delimiter}"' in text or '\n"' in text or text.startswith('"'):
            yield Dialect(delimiter, "")
        if f"{delimiter}'" in text and text.count("'") >= len(lines):
            yield Dialect(delimiter, "'")


def _row_mark(lines: list[str]) -> str:
    """What all lines end in, where it is punctuation that no value ends in."""
    if len(lines) < 2:
        return ""
    stripped = [line.rstrip("\r\n") for line in lines if line.strip()]
    found = Counter(match.group() for match in map(_ROW_MARK.search, stripped) if match is not None)
    marks = [mark for mark in found if len(mark) > 1 and mark not in _MULTIPLE]
    ends = {mark: sum(line.endswith(mark) for line in stripped) for mark in marks}
    best = max(ends, key=lambda mark: (ends[mark], len(mark)), default="")
    return best if best and ends[best] >= 0.3 * len(stripped) else ""


def _fit(lines: list[str], dialect: Dialect) -> _Fit | None:
    rows, ends = _sample_rows(lines, dialect)
    filled = [index for index, row in enumerate(rows) if len(row) > 1 or (row and row[0].strip())]
    counts = Counter(len(rows[index]) for index in filled if len(rows[index]) > 1)
    if not counts:
        return None
    width = max(counts, key=lambda size: (counts[size], size))
    first = next(index for index in filled if len(rows[index]) == width)
    if first > _PREAMBLE_LINES:
        return None
    table = [index for index in filled if index >= first]
    agreeing = [rows[index] for index in table if len(rows[index]) == width]
    agreement = len(agreeing) / len(table)
    clean = _cleanness(agreeing[:60], dialect)
    covered = len(table) / len(filled)
    score = agreement**2 * clean * (1 - 0.5 / width) * (0.5 + 0.5 * covered)
    return _Fit(dialect, rows, ends, width, first, score * _quote_factor(agreeing, dialect), clean)


def _sample_rows(lines: list[str], dialect: Dialect) -> tuple[list[list[str]], list[int]]:
    rows: list[list[str]] = []
    ends: list[int] = []
    if dialect.row_mark:
        rows = list(parse(lines, dialect))
        # The last is what follows the last mark: nothing, or a row that the sample cuts.
        rows = rows[:-1] or rows
        pieces = "".join(lines).split(dialect.row_mark)
        return rows, list(accumulate((piece.count("\n") for piece in pieces[: len(rows)]), initial=1))[1:]
    if len(dialect.delimiter) != 1:
        rows = [next(parse([line], dialect), []) for line in lines]
        return rows, list(range(1, len(rows) + 1))
    given = 0

    def counted() -> Iterator[str]:
        nonlocal given
        for line in lines:
            given += 1
            yield line

    try:
        for row in parse(counted(), dialect):
            rows.append(row)
            ends.append(given)
    except csv.Error:
        return rows, ends
    return rows, ends


def _cleanness(rows: list[list[str]], dialect: Dialect) -> float:
    """Share of cells that look like one value: typed, or text without what parts cells elsewhere."""
    cells = [cell for row in rows for cell in islice(row, 60)]
    clean = 0.0
    for cell in cells:
        if dialect.delimiter in cell:
            clean += 1  # It was quoted.
        elif "\t" in cell:
            continue
        elif not _OTHER_DELIMITERS.search(cell) or kind(cell) != "text":
            clean += 1
        elif len(cell) > 20 or cell.startswith(("[", "{", "http")):
            clean += 0.7
    return clean / max(1, len(cells))


def _quote_factor(rows: list[list[str]], dialect: Dialect) -> float:
    """Less for a dialect that leaves quotes around cells, or quotes with an apostrophe."""
    cells = [cell for row in rows for cell in row]
    if dialect.quote == '"':
        escaped = sum("\\" in cell and '"' in cell for cell in cells)
        return 0.999 if dialect.escape else 1.0 - 0.5 * escaped / max(1, len(cells))
    if dialect.quote == "'":
        return 0.98
    left = sum(cell.startswith('"') or cell.endswith('"') for cell in cells)
    return 0.97 - 0.8 * left / max(1, len(cells))


def _one_column(lines: list[str]) -> _Fit:
    dialect = Dialect("", "")
    if all(line.startswith('"') and line.rstrip().endswith('"') for line in lines if line.strip()):
        dialect = Dialect(",", '"')
    rows, ends = _sample_rows(lines, dialect)
    return _Fit(dialect, rows, ends, 1, 0, 0.2, 1.0)


def _layout(fit: _Fit, lines: list[str], skipped: int) -> Layout:
    first = fit.first
    if first and _is_uneven_header(fit, first):
        first -= 1
    table = [row for row in fit.rows[first:] if any(cell.strip() for cell in row)]
    while first < len(fit.rows) and not any(cell.strip() for cell in fit.rows[first]):
        first += 1
    headed = has_header(table)
    header = tuple(_header_cells(table, fit.width)) if headed else None
    before = fit.ends[first - 1] if first else 0
    after = fit.ends[first] if headed else before
    return Layout(
        dialect=fit.dialect,
        width=max(fit.width, len(header or ())),
        header=header,
        preamble="".join(lines[:before]).strip("\r\n"),
        start=skipped + sum(map(len, lines[:after])),
        score=fit.score,
        rows=len(table),
        clean=fit.clean,
    )


def _is_uneven_header(fit: _Fit, first: int) -> bool:
    """True where the row before the table is its header, though with some cells more or fewer."""
    row = fit.rows[first - 1]
    near = 2 <= len(row) <= fit.width + 2 and len(row) >= fit.width - 2
    return near and has_header([row, *fit.rows[first:]])


def _header_cells(table: list[list[str]], width: int) -> list[str]:
    """The header's cells; one more in front where the rows begin with a counter that it does not name."""
    header = [cell.strip() for cell in table[0]]
    header[0] = header[0].lstrip("#").strip() if len(header) > 1 else header[0]
    counter = [row[0].strip() for row in table[1:6] if row]
    if len(header) == width - 1 and counter in ([str(n + i) for i in range(len(counter))] for n in (0, 1)):
        return ["", *header]
    return header


def is_table(layout: Layout, *, hinted: bool) -> bool:
    """True where text of this layout is a table for sure, whatever its name.

    Args:
        layout: what was found.
        hinted: the name says that it may well be one (``.dat``).
    """
    fewest_rows = 2 if hinted else 3
    if layout.rows < fewest_rows or layout.score < 0.4:
        return False
    if layout.dialect.delimiter == ":":
        return layout.score >= 0.6 and layout.width >= _COLON_COLUMNS
    if layout.dialect.delimiter == ",":
        return layout.score >= 0.6 and (layout.width > 2 or layout.header is not None)
    return layout.width > 2 or layout.score >= 0.6
