"""Which row of a sheet names its columns, if any.

A sheet often has a title and notes above its table, and sometimes no names at all. What the workbook itself
says (a table's range, a filter, frozen panes) decides; else a row does that is wider than all above it and
that `headers` takes for names. In doubt a row is data: a person's name must never become a column's name.
"""

from __future__ import annotations

from collections.abc import Sequence

from scanner.readers import headers

#: Rows at the top that are looked at before anything is handed out.
WINDOW = 48
#: Digits of a cell that is somebody's number rather than a name with a year in it.
_DIGITS = 4


def find(rows: Sequence[Sequence[str | None]], told: int | None = None) -> int | None:
    """The index in ``rows`` of the row that names the columns, None where there is none.

    Args:
        rows: the top of the sheet, blank rows left out, all of one width.
        told: the row that the workbook itself says it is, if it does.
    """
    dense = [[cell or "" for cell in row] for row in rows]
    if told is not None and 0 <= told < len(dense) and _could_be(dense[told]):
        return told
    widths = [sum(1 for cell in row if cell.strip()) for row in dense]
    typical = sorted(widths)[len(widths) // 2] if widths else 0
    widest = 0
    for index, width in enumerate(widths):
        # Notes above a table are narrower than it is; no row below its names is wider than they are.
        if width <= widest or width * 2 < typical or width < 2 <= typical:
            continue
        widest = width
        alone = index + 1 == len(dense)
        if alone and (index > 0 or width < 2):
            return None
        if _could_be(dense[index]) and headers.has_header(dense[index:]):
            return index
    return None


def _could_be(row: Sequence[str]) -> bool:
    """True where no cell looks like somebody's value, and there is a word."""
    cells = [cell.strip() for cell in row if cell.strip()]
    if any("@" in cell or sum(map(str.isdigit, cell)) > _DIGITS for cell in cells):
        return False
    return any(headers.kind(cell) == "text" for cell in cells)


__all__ = ["WINDOW", "find"]
