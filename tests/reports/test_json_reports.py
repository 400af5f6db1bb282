"""The JSON and JSON lines reports keep their contract."""

from __future__ import annotations

import copy
import dataclasses
import io
import json
from typing import Any

import jsonschema
import pytest

from scanner.model import Report
from scanner.reports import jsonv1
from scanner.reports.encode import dumps
from tests.reports import factory
from tests.reports.reading import lines, rendered, schema, validator

REPORTS = {
    "full": factory.report,
    "without policy": factory.without_policy,
    "clean": factory.clean,
    "nothing": factory.nothing,
}


@pytest.fixture(params=REPORTS, name="report")
def any_report(request: pytest.FixtureRequest) -> Report:
    """Each of the made-up reports."""
    return REPORTS[request.param]()


def document(report: Report) -> Any:
    """The JSON report, parsed."""
    return json.loads(rendered("json", report))


def test_schemas_are_valid() -> None:
    """Both published schemas are JSON Schema 2020-12."""
    for name in ("report-1", "report-lines-1"):
        jsonschema.Draft202012Validator.check_schema(schema(name))


def test_report_is_valid(report: Report) -> None:
    """Every report holds to the published schema, and writes nothing that it does not declare."""
    assert list(validator("report-1").iter_errors(document(report))) == []
    assert list(validator("report-1", closed=True).iter_errors(document(report))) == []


def test_lines_are_valid(report: Report) -> None:
    """Every line holds to the schema of lines."""
    check = validator("report-lines-1")
    for line in lines(rendered("jsonl", report)):
        assert list(check.iter_errors(line)) == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("scan", "verdict"), "fine"),
        (("scan", "items"), -1),
        (("tool", "rules_digest"), "ab"),
        (("items", 0, "status"), "ok"),
        (("items", 0, "sha256"), "abc"),
        (("items", 0, "tables", 0, "columns", 1, "entities", 0, "confidence"), 1.5),
        (("items", 0, "tables", 0, "columns", 0, "kind"), "maybe"),
        (("items", 5, "texts", 0, "entities", 0, "spans", 0), [1]),
        (("items", 1, "gaps", 0, "reason"), "because"),
        (("findings", 0, "severity"), "bad"),
        (("findings", 0, "people"), 3),
        (("findings", 0, "attack", 0), "phishing"),
        (("summary", "vendors", "northwind", "categories", "user.name", "verdict"), "perhaps"),
    ],
)
def test_schema_refuses(path: tuple[Any, ...], wrong: Any) -> None:
    """The schema would catch a value that breaks the contract."""
    broken = copy.deepcopy(document(factory.report()))
    place = broken
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != wrong
    place[path[-1]] = wrong
    assert not validator("report-1").is_valid(broken)


def test_required_fields_are_required() -> None:
    """Leaving out any field breaks the schema, but for those that come only when asked for."""
    full = document(factory.report())
    column = full["items"][0]["tables"][0]["columns"][2]
    for owner in (full, full["tool"], full["scan"], full["items"][0], full["findings"][0], column):
        for key in list(owner):
            kept = owner.pop(key)
            assert not validator("report-1").is_valid(full), key
            owner[key] = kept
    del column["entities"][0]["row_numbers"]
    assert validator("report-1").is_valid(full)


def test_order_and_nulls_of_the_contract() -> None:
    """The fields of the contract come in its order, null where there is nothing."""
    full = document(factory.report())
    assert list(full) == ["schema_version", "tool", "scan", "items", "findings", "summary"]
    assert list(full["tool"])[:5] == ["name", "version", "rules_digest", "policy_digest", "model"]
    assert list(full["scan"])[:7] == [
        "id", "started_at", "finished_at", "items", "bytes", "complete", "verdict",
    ]  # fmt: skip
    item = full["items"][0]
    assert [key for key in item if key != "containers"] == [
        "path", "member", "vendor", "format", "bytes", "sha256", "status", "gaps", "tables", "texts",
    ]  # fmt: skip
    assert item["member"] is None
    assert full["items"][8]["vendor"] is None
    unverifiable = full["findings"][3]
    assert [unverifiable[key] for key in ("table", "column", "entity_type", "category", "form")] == [None] * 5


def test_column_entity() -> None:
    """A column's entity carries what the contract names, the row numbers only where asked for."""
    columns = document(factory.report())["items"][0]["tables"][0]["columns"]
    assert columns[0]["entities"] == []
    assert columns[0]["kind"] == "none"
    assert columns[2]["entities"] == [
        {
            "entity_type": "EMAIL_ADDRESS",
            "category": "user.contact.email",
            "form": "clear",
            "rows": 1190,
            "mentions": 1190,
            "distinct": 1190,
            "exact": True,
            "confidence": 0.9943,
            "evidence": ["header:email", "pattern:Email", "shape:a@a.a"],
            "samples": ["m•••@e••••••.org", "j•••@e••••••.net"],
            "row_numbers": [1, 2, 5],
        }
    ]
    assert "row_numbers" not in columns[1]["entities"][0]


def test_text_entity() -> None:
    """A text's entity counts mentions, and carries spans only where asked for."""
    name, phone = document(factory.report())["items"][5]["texts"][0]["entities"]
    assert (name["count"], name["distinct"], name["spans"]) == (4, 3, [[10, 22], [90, 101]])
    assert "rows" not in name
    assert "spans" not in phone


def test_estimates_say_so() -> None:
    """A count beyond the exact range is marked as an estimate, and the people have an interval."""
    table = document(factory.report())["items"][9]["tables"][0]
    entity = table["columns"][0]["entities"][0]
    assert entity["exact"] is False
    assert entity["distinct"] == pytest.approx(310_000, rel=0.01)
    assert table["people"]["low"] < table["people"]["best"] < table["people"]["high"]


def test_counts() -> None:
    """Items are counted one by one, bytes of files only; files of nobody have a key of their own."""
    full = document(factory.report())
    assert full["scan"]["items"] == len(full["items"]) == 11
    assert full["scan"]["bytes"] == sum(item["bytes"] for item in full["items"] if item["member"] is None)
    assert list(full["summary"]["vendors"]) == ["brightmail", "northwind", "paperworks", "(unassigned)"]


def test_text_finding_names_its_text() -> None:
    """A finding in running text names it under ``text``, one in a table under ``table``."""
    place = {"path": "paperworks/letters/2026-10-03.txt", "part": "body", "column": None}
    report = factory.report(findings=(factory.finding(1, **place), factory.finding(2)))
    in_text, in_table = document(report)["findings"]
    assert (in_text["table"], in_text["text"]) == (None, "body")
    assert (in_table["table"], in_table["text"]) == ("customer", None)


def test_hostile_names_survive() -> None:
    """Names come back exactly, but for bytes that no JSON can carry, which are written out."""
    full = document(factory.report())
    assert full["items"][8]["path"] == factory.SCRIPT
    table = full["items"][8]["tables"][0]
    assert table["name"] == factory.FORMULA
    assert [column["name"] for column in table["columns"]] == [
        factory.ESCAPE, factory.LINK, "\\ud800lone",
    ]  # fmt: skip
    assert full["items"][9]["path"] == factory.BIDI
    assert full["items"][10]["path"] == r"kunden_m\xfcller.csv"


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif", "ocsf"])
def test_no_active_character_is_raw(name: str) -> None:
    """What a terminal or log would obey is escaped in the JSON formats."""
    text = rendered(name, factory.report())
    raw = {char for char in text if char != "\n" and (ord(char) < 32 or 0x7F <= ord(char) < 0xA0)}
    assert raw == set()
    assert "\u202e" not in text


@pytest.mark.parametrize(
    "char", ["\x7f", "\x80", "\x9f", "\u061c", "\u200e", "\u2028", "\u202e", "\u2066", "\x1b"]
)
def test_escapes_mean_the_same(char: str) -> None:
    """An escaped control character parses back to itself; its neighbours are left alone."""
    encoded = dumps({"k": f"é{char}ü\u2030"})
    assert char not in encoded.decode()
    assert "é" in encoded.decode()
    assert json.loads(encoded) == {"k": f"é{char}ü\u2030"}


def test_lines_tell_whether_they_are_whole() -> None:
    """The scan comes first, the summary last, every item and finding once between."""
    report = factory.report()
    kinds = [line["type"] for line in lines(rendered("jsonl", report))]
    assert kinds == ["scan", *["item"] * 11, *["finding"] * 9, "summary"]


def test_lines_say_what_the_document_says() -> None:
    """The shapes in JSON lines are those of the JSON report."""
    full = document(factory.report())
    told = lines(rendered("jsonl", factory.report()))
    assert [{k: v for k, v in line.items() if k != "type"} for line in told[1:12]] == full["items"]
    assert [{k: v for k, v in line.items() if k != "type"} for line in told[12:21]] == full["findings"]


def test_large_reports_are_streamed() -> None:
    """No write holds more than one item, however many there are."""

    class Sink(io.BytesIO):
        largest = 0

        def write(self, data: Any, /) -> int:
            self.largest = max(self.largest, len(data))
            return super().write(data)

    outcome = factory.outcomes()[0]
    many = tuple(dataclasses.replace(outcome, path=f"{i}.csv") for i in range(300))
    sink = Sink()
    jsonv1.render(factory.report(outcomes=many, vendors=("northwind",) * 300), sink)
    assert sink.largest < len(sink.getvalue()) / 100
    assert len(json.loads(sink.getvalue())["items"]) == 300
