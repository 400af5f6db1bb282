"""The demo finds what was put into the example share, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from scanner import resources

COMMAND = [sys.executable, "-c", "from scanner.surfaces.cli import main; main()", "demo"]
Finding = dict[str, Any]


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--jobs", "1", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def done() -> subprocess.CompletedProcess[str]:
    """One run of the demo, as JSON."""
    return _demo("--format", "json")


@pytest.fixture(scope="module")
def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Its report."""
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


@pytest.fixture(scope="module")
def expected() -> dict[str, list[dict[str, Any]]]:
    """What was put into the share."""
    path = resources.path("examples", "share").parent / "expected.yaml"
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def _place(finding: Finding) -> tuple[Any, ...]:
    return finding["vendor"], finding["path"], finding["member"], finding["column"], finding["category"]


def _planted(expected: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[Any, ...]]:
    for entry in expected["over_shared"]:
        for column, category in entry["fields"].items():
            yield entry["vendor"], entry["path"], entry.get("member"), column, category


def _of_texts(report: dict[str, Any], expected: dict[str, list[dict[str, Any]]]) -> list[Finding]:
    paths = {entry["path"] for entry in expected["text"]}
    return [finding for finding in report["findings"] if finding["path"] in paths]


def test_the_demo_ends_with_over_shared(done: subprocess.CompletedProcess[str]) -> None:
    """Exit code 1, and nothing on standard error."""
    assert (done.returncode, done.stderr) == (1, "")


def test_every_planted_field_is_over_shared_and_no_other(
    report: dict[str, Any], expected: dict[str, list[dict[str, Any]]]
) -> None:
    """The findings in tables are exactly those that the generator's author lists."""
    texts = {finding["id"] for finding in _of_texts(report, expected)}
    found = [
        _place(finding)
        for finding in report["findings"]
        if finding["verdict"] == "over_shared" and finding["id"] not in texts
    ]
    assert sorted(found, key=repr) == sorted(_planted(expected), key=repr)


def test_nothing_else_needs_a_person_to_look_at(
    report: dict[str, Any], expected: dict[str, list[dict[str, Any]]]
) -> None:
    """Outside the letter every verdict is sure."""
    texts = {finding["id"] for finding in _of_texts(report, expected)}
    reviews = [f for f in report["findings"] if f["verdict"] == "needs_review" and f["id"] not in texts]
    assert [_place(finding) for finding in reviews] == []


def test_tables_are_named_and_hidden_ones_marked(
    report: dict[str, Any], expected: dict[str, list[dict[str, Any]]]
) -> None:
    """A finding says which table of a dump or workbook, and the report that a sheet is hidden."""
    for entry in expected["over_shared"]:
        if "table" in entry:
            found = [f for f in report["findings"] if f["path"] == entry["path"] and f["column"]]
            assert {finding["table"] for finding in found} == {entry["table"]}
            (item,) = [item for item in report["items"] if item["path"] == entry["path"]]
            (table,) = [table for table in item["tables"] if table["name"] == entry["table"]]
            assert table["hidden"] is entry.get("hidden", False)


def test_the_letter_is_read(report: dict[str, Any], expected: dict[str, list[dict[str, Any]]]) -> None:
    """Name, address and telephone number of a real letter are findings; what else may be found is listed."""
    for entry in expected["text"]:
        found = {f["category"] for f in _of_texts(report, expected) if f["path"] == entry["path"]}
        assert set(entry["must"]) <= found <= {*entry["must"], *entry["may"]}


def test_what_cannot_be_read_is_unverifiable(
    report: dict[str, Any], expected: dict[str, list[dict[str, Any]]]
) -> None:
    """The zip with a password is the one finding of its kind, and the scan's one gap."""
    found = [(f["vendor"], f["path"]) for f in report["findings"] if f["verdict"] == "unverifiable"]
    assert found == [(entry["vendor"], entry["path"]) for entry in expected["unverifiable"]]
    gaps = [(item["path"], gap["reason"]) for item in report["items"] for gap in item["gaps"]]
    assert set(gaps) == {(entry["path"], entry["reason"]) for entry in expected["unverifiable"]}


def test_people_are_counted(report: dict[str, Any]) -> None:
    """As many people as there are different ones: exact for a field, an interval over a vendor's files."""
    people = {vendor: summary["people"] for vendor, summary in report["summary"]["vendors"].items()}
    by_field = {
        (f["path"].rsplit("/", 1)[-1], f["column"]): (f["rows"], f["people"]["best"])
        for f in report["findings"]
        if f["column"]
    }
    assert by_field["callbacks.csv", "E-Mail"] == (160, 160)
    assert by_field["crm.sql.gz", "iban"] == (120, 120)
    assert by_field["kunden_neu.csv", "Telefon"] == (80, 80)
    assert by_field["comments.tsv", "comment"] == (18, 18)
    assert people["ringline"]["low"] <= 220 <= people["ringline"]["high"]
    assert people["clearvoice"]["low"] <= 260 <= people["clearvoice"]["high"]


def test_no_personal_value_is_in_the_report(done: subprocess.CompletedProcess[str]) -> None:
    """Addresses of mail and telephone numbers of the share are nowhere in it, in no format."""
    share = resources.path("examples", "share")
    rows = (share / "upload" / "kunden_neu.csv").read_text(encoding="utf-8").splitlines()[1:]
    values = {cell for row in rows for cell in row.split(";")[2:4]}
    text = _demo().stdout
    assert text.strip()
    assert [value for value in values if value in done.stdout or value in text] == []
