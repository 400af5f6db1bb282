"""Policies tried out: cases as data, and what another policy would change."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from scanner import resources
from scanner.model import Report, ScanInfo
from scanner.policy import cases as subject
from scanner.policy.difference import compare, outcomes_of
from scanner.policy.loading import PolicyError, load
from scanner.reports import registry
from scanner.surfaces.cli import cli
from tests.policy.build import outcome, policy

DAY = date(2026, 11, 23)
POLICY = """\
version: 1
vendors:
  - id: acme
    paths: ["acme/**"]
    allow: [user.name, {category: user.contact.email, form: [hashed]}]
"""
CASES = """\
version: 1
policy: policy.yaml
cases:
  - name: names are fine
    path: acme/a.csv
    evidence: [{type: PERSON, column: name}]
    expect: clean
  - name: clear addresses of mail are not
    path: acme/a.csv
    evidence:
      - {type: EMAIL_ADDRESS, column: email, table: customer}
      - {type: EMAIL_ADDRESS, column: hash, table: customer, form: hashed}
    expect: [{verdict: over_shared, column: email, table: customer, rule: "vendors.acme.allow[1].form"}]
  - name: what is uncertain is to be looked at
    path: acme/a.csv
    evidence: [{type: PHONE_NUMBER, confidence: 0.5}]
    expect: needs_review
  - name: what was not read is not clean
    path: acme/a.zip
    gap: encrypted
    expect: unverifiable
  - name: nobody's folder
    path: upload/a.csv
    evidence: [{type: PERSON}]
    expect: over_shared
  - name: by vendor, whatever the path
    path: upload/a.csv
    vendor: acme
    today: 2026-01-01
    evidence: [{type: PERSON}]
    expect: clean
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A policy and its cases."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "cases.yaml").write_text(CASES)
    return tmp_path


def test_cases_hold(files: Path) -> None:
    """Each kind of verdict, found."""
    done = CliRunner().invoke(cli, ["policy", "test", str(files / "cases.yaml")])
    assert (done.exit_code, "6 cases, all as they must be" in done.output) == (0, True), done.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "expect: clean\n  - name: clear",
            "expect: over_shared\n  - name: clear",
            "expected over_shared, is clean",
        ),
        ("expect: unverifiable", "expect: clean", "expected clean, is unverifiable"),
        (
            "column: email, table: customer, rule",
            "column: other, rule",
            "with verdict over_shared, column other",
        ),
        (
            "expect: [{verdict: over_shared, column: email",
            "expect: [] #",
            "did not expect: over_shared by vendors",
        ),
        ("vendor: acme", "vendor: acne", "no vendor 'acne'; it has: acme"),
    ],
)
def test_a_case_that_does_not_hold_is_told(files: Path, old: str, new: str, told: str) -> None:
    """With its name and place, and exit code 1."""
    assert old in CASES
    (files / "cases.yaml").write_text(CASES.replace(old, new))
    done = CliRunner().invoke(cli, ["policy", "test", str(files / "cases.yaml")])
    assert done.exit_code == 1, done.output
    assert told in done.output
    assert "cases.yaml:" in done.output
    assert "1 of 6 cases failed" in done.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "type: PERSON, column",
            "type: PERSN, column",
            "unknown entity type 'PERSN'; did you mean 'PERSON'?",
        ),
        ("expect: needs_review", "expect: review", "'expect' of case 'what is uncertain is to be looked at'"),
        ("gap: encrypted", "gap: locked", "'gap' of case"),
        ("    expect: unverifiable\n", "", "lacks 'expect'"),
        ("form: hashed}\n", "form: hashd}\n", "did you mean 'hashed'?"),
        ("version: 1", "version: 2", "'version' must be 1"),
        (CASES[CASES.index("cases:") :], "cases: []\n", "there is no case"),
        ("    path: acme/a.zip\n", "    paht: acme/a.zip\n", "did you mean 'path'?"),
    ],
)
def test_wrong_cases_are_told_with_their_place(files: Path, old: str, new: str, told: str) -> None:
    """As a policy's mistakes are; exit code 2."""
    assert old in CASES
    (files / "cases.yaml").write_text(CASES.replace(old, new, 1))
    with pytest.raises(PolicyError) as error:
        subject.read(files / "cases.yaml", DAY)
    assert told in str(error.value)
    done = CliRunner().invoke(cli, ["policy", "test", str(files / "cases.yaml")])
    assert done.exit_code == 2


def test_cases_need_a_policy(files: Path) -> None:
    """The one that they name, or one that is given."""
    (files / "cases.yaml").write_text(CASES.replace("policy: policy.yaml\n", ""))
    invoke = CliRunner().invoke
    arguments = ["policy", "test", str(files / "cases.yaml")]
    assert invoke(cli, arguments).exit_code == 2
    assert invoke(cli, [*arguments, "--policy", str(files / "policy.yaml")]).exit_code == 0


def test_the_schema_describes_the_cases() -> None:
    """What is shipped as a schema accepts what the program does, and not what it refuses."""
    schema = json.loads(resources.path("rules", "schemas", "policy-cases-1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    given = json.loads(json.dumps(yaml.safe_load(CASES), default=str))
    jsonschema.validate(given, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**given, "cases": [{"name": "x"}]}, schema)


EVIDENCE = {
    "path": "acme/a.csv",
    "tables": [{"columns": {"name": "PERSON", "email": "EMAIL_ADDRESS", "city": "CITY"}}],
    "texts": [{"entities": ["PHONE_NUMBER"]}],
}


def test_a_policy_against_another() -> None:
    """What is found newly, what goes, and nothing of what stays."""
    old = policy({"vendors": [{"id": "acme", "allow": ["user.name"]}]})
    new = policy({"vendors": [{"id": "acme", "allow": ["user.contact.email", "user.contact.address"]}]})
    items = [outcome(EVIDENCE)]
    changes = compare(old, new, items, ["acme/a.csv"], DAY)
    told = {change.subject: (bool(change.old), bool(change.new), change.stricter) for change in changes}
    assert told == {
        "acme/a.csv / city (user.contact.address.city)": (True, False, False),
        "acme/a.csv / email (user.contact.email)": (True, False, False),
        "acme/a.csv / name (user.name)": (False, True, True),
    }
    assert compare(old, old, items, ["acme/a.csv"], DAY) == ()


def test_evidence_comes_back_from_a_report(tmp_path: Path) -> None:
    """The JSON report holds all that field rules are decided by."""
    items = [outcome(EVIDENCE), outcome({"path": "acme/b.zip", "gaps": [{"reason": "encrypted"}]})]
    info = ScanInfo(
        "1", "1", "sha256:0", None, "none", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", False, "clean"
    )
    with (tmp_path / "report.json").open("wb") as out:
        registry.get("json").render(Report(info, tuple(items), (None, None), (), ()), out)
    back = outcomes_of(json.loads((tmp_path / "report.json").read_text()))
    (tmp_path / "old.yaml").write_text(POLICY)
    (tmp_path / "new.yaml").write_text(POLICY.replace("user.name, ", ""))
    old, new = (load(tmp_path / name, DAY).policy for name in ("old.yaml", "new.yaml"))
    paths = [item.path for item in items]
    assert [c.subject for c in compare(old, new, back, paths, DAY)] == [
        c.subject for c in compare(old, new, items, paths, DAY)
    ]
    arguments = ["policy", "diff", str(tmp_path / "old.yaml"), str(tmp_path / "new.yaml")]
    done = CliRunner().invoke(cli, [*arguments, str(tmp_path / "report.json")])
    assert done.exit_code == 1, done.output
    assert "acme/a.csv / name (user.name): allowed -> over_shared (acme)" in done.output
    same = CliRunner().invoke(cli, [*arguments[:3], arguments[2], str(tmp_path / "report.json")])
    assert (same.exit_code, "nothing changes" in same.output) == (0, True)


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"schema_version": "1.0", "items": [{}]}'])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    """With exit code 2."""
    (tmp_path / "old.yaml").write_text(POLICY)
    (tmp_path / "report.json").write_text(text)
    files = [str(tmp_path / name) for name in ("old.yaml", "old.yaml", "report.json")]
    assert CliRunner().invoke(cli, ["policy", "diff", *files]).exit_code == 2
