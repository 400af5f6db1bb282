"""The CSV report holds every field, finding and gap, and runs nothing."""

from __future__ import annotations

import csv
import io

import pytest

from scanner import resources
from scanner.model import Report
from scanner.reports.csvreport import COLUMNS, cell
from tests.reports import factory
from tests.reports.reading import rendered


def table(report: Report) -> list[dict[str, str]]:
    """The report's rows."""
    text = rendered("csv", report).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "  =", "＝", "＋", "－", "＠"])
def test_formula_is_defused(start: str) -> None:
    """A cell that a spreadsheet would run has an apostrophe before it."""
    assert cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("harmless", ["a=1", "user.contact.email", "1-2", "'", "", "a@b", " x"])
def test_harmless_cell_is_kept(harmless: str) -> None:
    """A cell that no spreadsheet runs is written as it is."""
    assert cell(harmless) == harmless


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_control_is_written_out(start: str) -> None:
    """A control character before a formula is escaped in words, so that it cannot hide one."""
    assert cell(f"{start}=1") == f"\\x{ord(start):02x}=1"


def test_numbers_and_nothing() -> None:
    """Numbers stay numbers, negative ones too; nothing is an empty cell."""
    assert [cell(value) for value in (3, 0.5, -1, True, False, None)] == [
        "3",
        "0.5",
        "-1",
        "true",
        "false",
        "",
    ]


def test_no_cell_of_a_report_is_active() -> None:
    """No cell of a report with hostile names starts a formula or holds a control character."""
    for row in table(factory.report()):
        for value in row.values():
            assert not value.startswith(("=", "+", "-", "@"))
            assert all(ord(char) >= 32 for char in value)


def test_a_row_for_each_field_and_type() -> None:
    """Every piece of evidence has a row, with the finding that rests on it."""
    rows = [row for row in table(factory.report()) if row["record"] == "field"]
    assert len(rows) == 12
    email = next(row for row in rows if row["column"] == "email")
    assert (email["verdict"], email["severity"], email["people_best"]) == ("over_shared", "high", "1190")
    assert email["because"].startswith("Northwind Support may have")
    name = next(row for row in rows if row["column"] == "full_name")
    assert (name["verdict"], name["finding_id"]) == ("", "")
    assert (name["entity_type"], name["part_rows"], name["values"]) == ("PERSON", "1204", "1204")


def test_every_finding_and_gap_is_there() -> None:
    """Findings of no single field and gaps have rows of their own: nothing is lost by the joining."""
    report = factory.report()
    rows = table(report)
    assert {row["finding_id"] for row in rows} - {""} == {finding.id for finding in report.findings}
    assert [row["rule"] for row in rows if row["record"] == "finding"] == [
        "defaults.unverifiable", "defaults.unverifiable", "vendors.northwind.limits.people",
    ]  # fmt: skip
    assert [row["gap_reason"] for row in rows if row["record"] == "gap"] == [
        "encrypted", "unsupported", "excluded", "encoding",
    ]  # fmt: skip


def test_two_findings_on_one_field_are_two_rows() -> None:
    """A field that breaks two rules is told twice."""
    both = (factory.finding(1), factory.finding(2, rule="vendors.northwind.never"))
    rows = [row for row in table(factory.report(findings=both)) if row["verdict"]]
    assert [row["rule"] for row in rows] == ["vendors.northwind.allow", "vendors.northwind.never"]


def test_empty_report_has_its_header() -> None:
    """A scan of nothing still names the columns."""
    assert rendered("csv", factory.nothing()) == "\ufeff" + ",".join(COLUMNS) + "\r\n"


def test_columns_are_documented() -> None:
    """Each column is in the documentation of the reports."""
    text = resources.path("docs", "reports.md").read_text(encoding="utf-8")
    assert [column for column in COLUMNS if f"`{column}`" not in text] == []
