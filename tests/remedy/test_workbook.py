"""Workbooks written anew hold what was shown, and nothing else."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName

from scanner.remedy.base import DROP, Plan, RemedyError
from scanner.remedy.workbook import text_of
from tests.remedy.making import HASHED, REDACTED, part, rewritten, table, text_plan

NAMES = ("Name", "E-mail", "Born", "Price", "Note")
SECRET = "zq7.secret@example.org"


def book() -> openpyxl.Workbook:
    """A workbook that hides something in every way that the library can write."""
    made = openpyxl.Workbook()
    made.properties.creator = SECRET
    made.properties.title = SECRET
    sheet = made.active
    sheet.title = "People"
    sheet.append(["Customers of the month"])
    sheet.append([])
    sheet.append([*NAMES, "Hidden"])
    for n in range(20):
        sheet.append(
            [
                f"Maria {n}",
                f"u{n}@example.org",
                datetime.fromisoformat(f"1980-01-{n + 1:02}"),
                1.5 * n,
                "fine",
                SECRET,
            ]
        )
    sheet["A25"] = SECRET
    sheet.row_dimensions[25].hidden = True
    sheet.column_dimensions["F"].hidden = True
    sheet["A4"].comment = Comment(SECRET, SECRET)
    sheet["D4"].number_format = "0.00 €"
    sheet["E5"] = "=A4"
    sheet["E6"] = "'=HYPERLINK(1)"
    sheet["E6"].value, sheet["E6"].data_type = "=HYPERLINK(1)", "s"
    sheet["B4"].hyperlink = f"mailto:{SECRET}"
    sheet.oddFooter.center.text = SECRET
    made.create_sheet("Old").append([SECRET])
    made["Old"].sheet_state = "veryHidden"
    made.create_sheet("More").append(["Shop", "Town"])
    made["More"].append(["A1", "Leeds"])
    made.defined_names["who"] = DefinedName("who", attr_text=f'"{SECRET}"')
    return made


def saved(made: openpyxl.Workbook) -> bytes:
    """Its bytes."""
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def done(plan: Plan) -> tuple[bytes, openpyxl.Workbook]:
    """What becomes of the workbook under a plan: its bytes, and as a program opens it."""
    data = rewritten("xlsx", saved(book()), plan, "people.xlsx")
    return data, openpyxl.load_workbook(io.BytesIO(data))


def test_what_was_hidden_is_nowhere() -> None:
    """In no part of the package, whatever it was hidden in."""
    data, made = done(Plan())
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert [name for name, content in parts.items() if b"zq7.secret" in content] == []
    assert not [name for name in parts if "comment" in name or "external" in name or "pivot" in name]
    assert made.sheetnames == ["People", "More"]
    assert not made.defined_names


def test_what_was_shown_stays() -> None:
    """Values with their types and number formats; a formula becomes its value, a text no formula."""
    _, made = done(Plan())
    rows = list(made["People"].iter_rows(values_only=True))
    assert rows[0][0] == "Customers of the month"
    assert rows[1] == NAMES
    assert rows[2] == ("Maria 0", "u0@example.org", datetime.fromisoformat("1980-01-01"), 0, "fine")
    cell = next(row[3] for row in made["People"].iter_rows() if row[0].value == "Maria 0")
    assert cell.number_format == "0.00 €"
    assert (rows[4][4], made["People"]["E5"].data_type) == ("=HYPERLINK(1)", "s")
    assert [row[0] for row in made["More"].iter_rows(values_only=True)] == ["Shop", "A1"]


def test_columns_go_and_values_change() -> None:
    """With their headings; other sheets are left alone."""
    plan = table(NAMES, {"E-mail": HASHED, "Born": DROP}, "People")
    _, made = done(plan)
    rows = list(made["People"].iter_rows(values_only=True))
    assert rows[1] == ("Name", "E-mail", "Price", "Note")
    assert {len(row[1]) for row in rows[2:]} == {64}
    assert rows[2][2:] == (0, "fine")


def test_columns_without_headings_go_by_place() -> None:
    """A sheet that names nothing."""
    made = openpyxl.Workbook()
    for n in range(5):
        made.active.append([n, f"u{n}@example.org", n])
    names = ("column_1", "column_2", "column_3")
    plan = Plan({"Sheet": part("Sheet", names, {1: DROP})})
    data = rewritten("xlsx", saved(made), plan, "p.xlsx")
    rows = list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))
    assert rows == [(n, n) for n in range(5)]


def test_a_title_is_redacted() -> None:
    """What stands above the table is text."""
    made = book()
    made["People"]["A1"] = "Questions to max@example.org"
    plan = text_plan("People above the table", REDACTED)
    plan = Plan({"People": part("People", NAMES, {})}, plan.texts)
    data = rewritten("xlsx", saved(made), plan, "p.xlsx")
    assert openpyxl.load_workbook(io.BytesIO(data))["People"]["A1"].value == "Questions to <EMAIL_ADDRESS>"


def test_a_workbook_that_shows_nothing_is_refused() -> None:
    """Rather than an empty one that looks like a delivery."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(book()))) as package, zipfile.ZipFile(out, "w") as hiding:
        for name in package.namelist():
            hiding.writestr(name, package.read(name).replace(b'state="visible"', b'state="hidden"'))
    with pytest.raises(RemedyError, match="shows no sheet"):
        rewritten("xlsx", out.getvalue(), Plan(), "p.xlsx")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "TRUE"),
        (1, "1"),
        (2.0, "2"),
        (2.5, "2.5"),
        (datetime.fromisoformat("2020-01-02"), "2020-01-02"),
        (datetime.fromisoformat("2020-01-02T03:04"), "2020-01-02 03:04:00"),
        (date(2020, 1, 2), "2020-01-02"),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    """As the reader shows them."""
    assert text_of(value) == text
