"""The OCSF report is valid against the framework's own schema and carries no value."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from scanner.reports.ocsf import VERSION
from tests.reports import factory
from tests.reports.reading import lines, rendered


@pytest.fixture(scope="module", name="official")
def official_schema() -> jsonschema.Draft202012Validator:
    """The schema of class 2006 in the version that the events name."""
    ocsf = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    return jsonschema.Draft202012Validator(ocsf.get_class_schema(ocsf.lookup_class_name_from_uid(2006)))


@pytest.fixture(name="events")
def full_events() -> list[Any]:
    """The events of the full report."""
    return lines(rendered("ocsf", factory.report()))


def test_valid(events: list[Any], official: jsonschema.Draft202012Validator) -> None:
    """Every event holds to the schema, which allows nothing that it does not know."""
    for event in events:
        assert [error.message for error in official.iter_errors(event)] == []


def test_schema_is_no_rubber_stamp(events: list[Any], official: jsonschema.Draft202012Validator) -> None:
    """The schema refuses an event without what is required, or with what it does not know."""
    for change in ({"class_uid": None}, {"recipient": "x"}):
        assert not official.is_valid({**events[0], **change})
    assert not official.is_valid({key: value for key, value in events[0].items() if key != "finding_info"})


def test_an_event_for_each_finding(events: list[Any]) -> None:
    """Events and findings agree in id, severity, file and field."""
    report = factory.report()
    assert [event["finding_info"]["uid"] for event in events] == [finding.id for finding in report.findings]
    assert [event["severity_id"] for event in events[:3]] == [4, 5, 3]
    assert {event["type_uid"] for event in events} == {200601}
    assert len({event["metadata"]["uid"] for event in events}) == len(events)
    email = events[0]
    assert email["time"] == 1_795_417_204_250
    assert email["file"]["hashes"][0]["value"] == factory.sha("a")
    assert email["table"] == {"name": "customer"}
    assert email["resources"] == [
        {"uid": "northwind", "name": "Northwind Support GmbH", "type": "vendor", "labels": ["recipient"]}
    ]
    attacks = email["finding_info"]["attacks"]
    assert attacks[1] == {"technique": {"uid": "T1213"}, "sub_technique": {"uid": "T1213.004"}}


def test_discovery(events: list[Any]) -> None:
    """What was found is told by type, count, column and row, never by value."""
    details = events[0]["data_security"]["discovery_details"]
    assert details == [
        {
            "type": "EMAIL_ADDRESS",
            "count": 1190,
            "occurrences": [{"column_name": "email", "row_number": row} for row in (1, 2, 5)],
        }
    ]
    assert all("value" not in d for event in events for d in event["data_security"]["discovery_details"])


@pytest.mark.parametrize(("number", "kind"), [(0, "Personal"), (1, "Governmental"), (3, "Unknown")])
def test_kind_of_data(events: list[Any], number: int, kind: str) -> None:
    """The kind of data follows from the category."""
    assert events[number]["data_security"]["category"] == kind


def test_coverage(events: list[Any]) -> None:
    """A file read whole is complete, one with a gap partial or failed."""
    coverage = {event["file"]["path"]: event["data_security"]["status"] for event in events}
    assert coverage["northwind/customers_2026-11.sql.gz"] == "Complete"
    assert coverage["paperworks/scan.tif"] == "Fail"


def test_member(events: list[Any]) -> None:
    """A member of an archive is named with its archive."""
    file = events[2]["file"]
    assert (file["name"], file["path"]) == ("prices.xlsx", "northwind/archive.zip!/tyres/prices.xlsx")
    assert file["parent_folder"] == "northwind/archive.zip"


def test_no_policy_no_events() -> None:
    """Without findings there is nothing to tell."""
    assert rendered("ocsf", factory.without_policy()) == ""
