"""Writes input.xlsx: a plain sheet, a hidden column, and a very hidden sheet with more than was asked for."""

import datetime as dt
from pathlib import Path

import openpyxl
from openpyxl.comments import Comment


def main() -> None:
    """Write it beside this file."""
    book = openpyxl.Workbook()
    parts = book.active
    parts.title = "Parts"
    for row in (["part", "stock", "cost"], ["A-17", 4, 1.5], ["B-2", 11, 20]):
        parts.append(row)
    parts.column_dimensions["C"].hidden = True
    parts["A2"].comment = Comment("ask Ines Beispiel", "Max Mustermann")
    people = book.create_sheet("People")
    people.sheet_state = "veryHidden"
    for row in (["id", "name", "born", "phone"], [1, "Ines Beispiel", dt.date(1984, 2, 29), 4930123456]):
        people.append(row)
    book.properties.creator = "Max Mustermann"
    book.properties.lastModifiedBy = None
    book.save(Path(__file__).with_name("input.xlsx"))


if __name__ == "__main__":
    main()
