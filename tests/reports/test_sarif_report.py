"""The SARIF report is valid SARIF 2.1.0 and says what the findings say."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from scanner.model import Report
from scanner.reports import sarif
from tests.reports import factory
from tests.reports.reading import DATA, rendered


@pytest.fixture(scope="module", name="official")
def official_schema() -> jsonschema.Draft7Validator:
    """The schema of the SARIF committee."""
    schema = json.loads((DATA / "sarif-2.1.0.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)


def log(report: Report) -> Any:
    """The SARIF log, parsed."""
    return json.loads(rendered("sarif", report))


@pytest.mark.parametrize("make", [factory.report, factory.without_policy, factory.clean, factory.nothing])
def test_valid(make: Any, official: jsonschema.Draft7Validator) -> None:
    """Every report holds to the official schema."""
    assert [error.message for error in official.iter_errors(log(make()))] == []


def test_schema_is_no_rubber_stamp(official: jsonschema.Draft7Validator) -> None:
    """The official schema refuses a log that is not SARIF."""
    broken = log(factory.report())
    broken["runs"][0]["results"][0]["level"] = "dreadful"
    assert not official.is_valid(broken)


def test_one_result_for_each_finding() -> None:
    """A result has its finding's id, level, probability and number of rows."""
    report = factory.report()
    results = log(report)["runs"][0]["results"]
    assert [r["partialFingerprints"]["sharewatchFindingId/v1"] for r in results] == [
        f.id for f in report.findings
    ]
    assert [r["level"] for r in results[:3]] == ["error", "error", "warning"]
    assert results[4]["level"] == "note"
    assert results[0]["rank"] == 99.43
    assert results[0]["occurrenceCount"] == 1190
    assert "occurrenceCount" not in results[3]


def test_rules_fit_results() -> None:
    """Each result's rule is in the driver at its index; a rule is as severe as its worst result."""
    run = log(factory.report())["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert len({rule["id"] for rule in rules}) == len(rules)
    email = next(rule for rule in rules if rule["id"] == "over_shared/user.contact.email")
    assert email["properties"]["security-severity"] == "9.5"
    assert email["shortDescription"]["text"] == "Email addresses shared beyond the policy."


def test_places() -> None:
    """The file is the physical place, by its artifact; member, part and column are logical places."""
    run = log(factory.report())["runs"][0]
    place = run["results"][2]["locations"][0]
    location = place["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "northwind/archive.zip"
    assert run["artifacts"][location["index"]]["location"]["uri"] == "northwind/archive.zip"
    assert place["physicalLocation"]["region"] == {"byteOffset": 0, "byteLength": 90_210}
    assert [(step["kind"], step["name"]) for step in place["logicalLocations"]] == [
        ("member", "tyres/prices.xlsx"), ("part", "Payroll (old)"), ("column", "mobile"),
    ]  # fmt: skip
    assert run["originalUriBaseIds"]["SHAREROOT"]["uri"] == "file:///srv/share/"


def test_artifacts_are_files_with_digests() -> None:
    """Every file is an artifact, with its digest where it was read whole."""
    artifacts = log(factory.report())["runs"][0]["artifacts"]
    assert len(artifacts) == 10
    assert artifacts[0]["hashes"] == {"sha-256": factory.sha("a")}
    assert "hashes" not in next(a for a in artifacts if a["location"]["uri"] == "paperworks/scan.tif")


def test_gaps_are_notifications() -> None:
    """What was not looked at is an error of the run; what was left out on purpose is a note."""
    run = log(factory.report())["runs"][0]
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert invocation["startTimeUtc"] == "2026-11-23T07:00:00.000Z"
    told = [(n["descriptor"]["id"], n["level"]) for n in invocation["toolExecutionNotifications"]]
    assert told == [
        ("gap/encrypted", "error"),
        ("gap/unsupported", "error"),
        ("gap/excluded", "note"),
        ("gap/encoding", "error"),
    ]
    described = {rule["id"] for rule in run["tool"]["driver"]["notifications"]}
    assert {name for name, _ in told} == described
    assert log(factory.clean())["runs"][0]["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a b/100%.csv", "a%20b/100%25.csv"),
        ("a:b.csv", "a%3Ab.csv"),
        ("x#y?.csv", "x%23y%3F.csv"),
        ("m\udcfc.csv", "m%FC.csv"),
        ("ü.csv", "%C3%BC.csv"),
        ("\ud800.csv", "%5Cud800.csv"),
        ("<script>.csv", "%3Cscript%3E.csv"),
        ("a\nb.csv", "a%0Ab.csv"),
    ],
)
def test_uri(path: str, uri: str) -> None:
    """A path becomes a URI by its bytes."""
    assert sarif.uri(path) == uri


def test_root_folder() -> None:
    """A scan of the file system's root has a base, too."""
    import dataclasses

    info = dataclasses.replace(factory.INFO, roots=("/",))
    assert log(factory.report(info=info))["runs"][0]["originalUriBaseIds"]["SHAREROOT"]["uri"] == "file:///"


def test_message_is_no_markup() -> None:
    """A column name cannot put a link or a placeholder into somebody's viewer; plain brackets stay."""
    assert sarif.message("see [click](http://x) {0}") == "see \\[click\\](http://x) {{0}}"
    assert sarif.message("addresses[].street") == "addresses[].street"
