"""Writes input.xlsx: a title and a note above the table, empty rows, and a value far to the right."""

from pathlib import Path

import openpyxl


def main() -> None:
    """Write it beside this file."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Stock"
    for row in (
        ["Stock list, for internal use"],
        [],
        ["as of", "2021-01-01"],
        ["part_no", "description", "stock"],
        ["A-17", "bolt", 4],
        [],
        ["B-2", "nut", 11, None, None, "count again"],
    ):
        sheet.append(row)
    book.properties.creator = None
    book.save(Path(__file__).with_name("input.xlsx"))


if __name__ == "__main__":
    main()
