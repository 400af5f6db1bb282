"""Excel workbooks written anew: the cells that are seen, and nothing else.

A workbook hides more than any plan could list: sheets, rows, columns, comments, properties, names, caches of
pivot tables, values of linked workbooks. So nothing is taken out; what is shown is put into a new one, values
for formulas.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import IO, Any, BinaryIO

from scanner.readers import xmlparts
from scanner.readers.base import ReadContext, Source
from scanner.readers.xlsx import Package
from scanner.remedy.base import Do, PartPlan, Plan, RemedyError, Rewriter, Tools, Treatment

#: Rows at the top among which the one that names the columns is looked for; as the reader does.
_WINDOW = 48
#: Rows that a redactor is given at once.
_BLOCK = 512
_MOST_ROWS = 1 << 20
#: Characters that XML cannot hold.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_PLACED = re.compile(r"column_(\d+)")


@dataclass(slots=True)
class _Hidden:
    """What of a sheet is not shown: places of columns from 0, a flag for each row from 1."""

    columns: set[int] = field(default_factory=set)
    rows: bytearray = field(default_factory=lambda: bytearray(_MOST_ROWS + 2))


class WorkbookRewriter(Rewriter):
    """Workbooks of the XML kind."""

    formats = ("xlsx",)

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write the visible cells of the visible sheets.

        Raises:
            RemedyError: a sheet cannot be told apart.
            ReadError: the package cannot be read.
        """
        import openpyxl

        with source.seekable(tools.limits) as file:
            hidden = _hidden(file, ReadContext(tools.limits))
            file.seek(0)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            made = openpyxl.Workbook(write_only=True)
            made.properties.creator = "sharewatch"
            for sheet in book.worksheets:
                if sheet.sheet_state == "visible":
                    if sheet.title not in hidden:
                        raise RemedyError("a sheet of the workbook cannot be found in its package")
                    _Sheet(plan, tools, hidden[sheet.title]).copy(sheet, made)
            if not made.worksheets:
                raise RemedyError("the workbook shows no sheet; nothing of it would be left")
            made.save(out)
            book.close()


def _hidden(file: IO[bytes], context: ReadContext) -> dict[str, _Hidden]:
    """What each sheet hides, by its name."""
    package = Package(file, context)
    main = next((r.target for r in package.relations("") if r.kind == "officeDocument"), "xl/workbook.xml")
    targets = {relation.id: relation.target for relation in package.relations(main)}
    sheets: dict[str, str] = {}

    def start(element: str, given: dict[str, str]) -> None:
        if xmlparts.local(element) == "sheet":
            reference = next((value for key, value in given.items() if key.endswith(":id")), "")
            sheets[given.get("name", "")] = targets.get(reference, "")

    for _ in xmlparts.parse(package.open(posixpath.normpath(main)), start, _nothing, _nothing):
        pass
    return {name: _hidden_in(package.open(part)) for name, part in sheets.items() if part in package}


def _hidden_in(stream: IO[bytes]) -> _Hidden:
    found = _Hidden()
    row = 0

    def start(element: str, given: dict[str, str]) -> None:
        nonlocal row
        match xmlparts.local(element):
            case "row":
                row = int(given["r"]) if given.get("r", "").isdecimal() else row + 1
                if row <= _MOST_ROWS and (_true(given.get("hidden")) or _zero(given.get("ht"))):
                    found.rows[row] = 1
            case "col" if _true(given.get("hidden")) or _zero(given.get("width")):
                first, last = int(given.get("min", "1")), min(int(given.get("max", "1")), 1 << 14)
                found.columns.update(range(first - 1, last))

    for _ in xmlparts.parse(stream, start, _nothing, _nothing):
        pass
    return found


def _true(value: str | None) -> bool:
    return value in ("1", "true")


def _zero(value: str | None) -> bool:
    try:
        return value is not None and float(value) == 0
    except ValueError:
        return False


def _nothing(_: str) -> None:
    return None


Cells = dict[int, Any]


class _Sheet:
    """One sheet on its way into the new workbook."""

    def __init__(self, plan: Plan, tools: Tools, hidden: _Hidden) -> None:
        self._plan = plan
        self._tools = tools
        self._hidden = hidden
        self._treatments: dict[int, Treatment] = {}

    def copy(self, sheet: Any, made: Any) -> None:
        """Put the visible cells of ``sheet`` into a sheet of the same name."""
        target = made.create_sheet(sheet.title)
        part = self._plan.table(sheet.title)
        above = self._plan.text(f"{sheet.title} above the table")
        rows = self._rows(sheet)
        window = [row for row, _ in zip(rows, range(_WINDOW), strict=False)]
        header, places = _places(part, window)
        self._treatments = {place: part.at(index) for index, place in places.items()}
        for row in window[: header or 0]:
            self._append(target, {place: self._titled(cell, above) for place, cell in row.items()})
        for row in window[header : header + 1] if header is not None else []:
            self._append(target, row)
        self._body(target, window[0 if header is None else header + 1 :])
        while window := [row for row, _ in zip(rows, range(_BLOCK), strict=False)]:
            self._body(target, window)

    def _rows(self, sheet: Any) -> Iterator[Cells]:
        """The visible rows that hold anything, cells by place."""
        for number, row in enumerate(sheet.iter_rows(), sheet.min_row or 1):
            if number <= _MOST_ROWS and self._hidden.rows[number]:
                continue
            cells = {
                cell.column - 1: cell
                for cell in row
                if cell.value is not None and cell.column - 1 not in self._hidden.columns
            }
            if cells:
                yield cells

    def _body(self, target: Any, rows: Sequence[Cells]) -> None:
        changed: dict[int, list[str | None]] = {}
        for place, treatment in self._treatments.items():
            if treatment.do not in (Do.KEEP, Do.DROP):
                texts = [text_of(row[place].value) if place in row else None for row in rows]
                changed[place] = self._tools.cells(treatment, texts)
        for at, row in enumerate(rows):
            new = {place: done[at] for place, done in changed.items() if place in row}
            self._append(target, {**row, **new})

    def _titled(self, cell: Any, treatment: Treatment) -> Any:
        return cell if treatment.do is Do.KEEP else self._tools.text(treatment, text_of(cell.value))

    def _append(self, target: Any, row: Cells) -> None:
        """Write a row; columns that are hidden or go leave no gap."""
        from openpyxl.cell import WriteOnlyCell

        dropped = {place for place, each in self._treatments.items() if each.do is Do.DROP}
        out: list[Any] = []
        for place in range(max(row) + 1):
            if place in self._hidden.columns or place in dropped:
                continue
            cell = row.get(place)
            value = getattr(cell, "value", cell)
            if isinstance(value, str):
                value = _ILLEGAL.sub("", value)
            made = WriteOnlyCell(target, value=value)
            if isinstance(value, str):
                # A text that looks like a formula must not become one.
                made.data_type = "s"
            elif cell is not None and getattr(cell, "number_format", "General") != "General":
                made.number_format = cell.number_format
            out.append(made)
        target.append(out)


def _places(part: PartPlan, window: list[Cells]) -> tuple[int | None, dict[int, int]]:
    """The row in ``window`` that names the columns, and the place of each column of the plan."""
    named = [_names(row) for row in window]
    wanted = set(part.columns or ())
    best = max(range(len(named)), key=lambda at: (len(wanted & set(named[at].values())), -at), default=None)
    header = best if best is not None and wanted & set(named[best].values()) else None
    found: dict[int, int] = {}
    taken: set[int] = set()
    for index, name in enumerate(part.columns or ()):
        place = None
        if header is not None:
            free = (at for at, text in sorted(named[header].items()) if text == name and at not in taken)
            place = next(free, None)
        if place is None and (match := _PLACED.fullmatch(name)):
            place = int(match[1]) - 1
        if place is not None:
            found[index] = place
            taken.add(place)
    return header, found


def _names(row: Cells) -> dict[int, str]:
    from scanner.detect.masking import safe_name

    return {place: safe_name(" ".join(text_of(cell.value).split())) for place, cell in row.items()}


def text_of(value: Any) -> str:
    """A cell's value as text, as the reader shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return str(value)
        case float() if value.is_integer():
            return str(int(value))
    return str(value)
