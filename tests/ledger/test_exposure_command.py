"""The commands on a ledger, as they are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from bench.truth import POLICY
from scanner import resources
from scanner.surfaces.cli import cli
from tests.ledger.population import CONTACTS, population, write

PEOPLE = population(80)


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A share that was scanned on two days, by the command."""
    folder = tmp_path_factory.mktemp("scanned")
    (folder / "policy.yaml").write_text(POLICY)
    write(folder / "share/acme/a.csv", PEOPLE[:50], CONTACTS)
    scan(folder, "2026-01-01")
    (folder / "share/acme/a.csv").unlink()
    write(folder / "share/bolt/b.csv", PEOPLE[40:], CONTACTS)
    scan(folder, "2026-02-01T00:00:00+01:00")
    return folder


def scan(folder: Path, at: str) -> None:
    done = run(
        "scan", str(folder / "share"), "--policy", str(folder / "policy.yaml"), "--model", "none",
        "--jobs", "1", "--ledger", str(folder / "l.db"), "--observed-at", at,
        "--fail-on", "never", "--format", "json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, arguments)


def exposure(folder: Path, *arguments: str) -> Any:
    return run("exposure", "--ledger", str(folder / "l.db"), *arguments)


def document(folder: Path, *arguments: str) -> dict[str, Any]:
    done = exposure(folder, "--format", "json", *arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads(resources.path("rules", "schemas", "exposure-1.schema.json").read_text())
    jsonschema.validate(found, schema, jsonschema.Draft202012Validator)
    return found


def people(found: dict[str, Any]) -> dict[str, int]:
    return {vendor["id"]: vendor["people"]["best"] for vendor in found["vendors"]}


def test_json_follows_the_schema_at_any_moment(scanned: Path) -> None:
    """A moment, a time, one vendor; dates without a zone are UTC."""
    assert people(document(scanned, "--as-of", "2025-12-31")) == {}
    assert people(document(scanned, "--as-of", "2026-01-15")) == {"acme": 50}
    # One hour east of UTC, the second scan was on the last day of January.
    assert people(document(scanned, "--as-of", "2026-01-31T23:00:00Z")) == {"bolt": 40}
    assert people(document(scanned)) == {"bolt": 40}
    found = document(scanned, "--from", "2026-01-01", "--to", "2026-03-01")
    assert people(found) == {"acme": 50, "bolt": 40}
    assert (found["from"], found["to"]) == ("2026-01-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z")
    assert people(document(scanned, "--vendor", "acme")) == {"acme": 0}


def test_another_policy_judges_the_history_anew(scanned: Path, tmp_path: Path) -> None:
    """No file is read: the share of then is gone."""
    before = document(scanned, "--as-of", "2026-01-15")["vendors"][0]
    assert before["categories"]["user.contact.email"]["allowed"] is True
    other = tmp_path / "other.yaml"
    other.write_text(POLICY.replace("user.name, user.contact", "user.name"))
    after = document(scanned, "--as-of", "2026-01-15", "--policy", str(other))["vendors"][0]
    assert after["categories"]["user.contact.email"]["allowed"] is False
    assert before["people"] == after["people"]


def test_text_and_page_say_the_same(scanned: Path, tmp_path: Path) -> None:
    """For people; names from outside are escaped."""
    text = exposure(scanned, "--as-of", "2026-01-15").stdout
    assert "Acme (acme): 50 people" in text
    assert "email addresses" in text
    assert "US-" in text
    done = exposure(scanned, "--as-of", "2026-01-15", "--format", "html", "-o", str(tmp_path / "e.html"))
    assert done.exit_code == 0
    page = (tmp_path / "e.html").read_text()
    assert "50 people" in page
    assert "<script" not in page
    assert "Nothing" in exposure(scanned, "--as-of", "2025-01-01").stdout


def test_verify_and_forget(scanned: Path) -> None:
    """What is verified is told, and what is forgotten."""
    assert "entries" in run("ledger", "verify", "--ledger", str(scanned / "l.db")).stdout
    assert run("ledger", "vendors", "--ledger", str(scanned / "l.db")).stdout.split() == ["acme", "bolt"]
    done = run("ledger", "forget", "--ledger", str(scanned / "l.db"), "--before", "2020-01-01")
    assert done.stdout == "0 item versions forgotten\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--as-of", "yesterday"], "RFC 3339"),
        (["--as-of", "2026-01-01", "--from", "2026-01-01"], "--as-of is one moment"),
        (["--to", "2026-01-01"], "--to needs --from"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from is after --to"),
    ],
)
def test_wrong_questions_are_told(scanned: Path, arguments: list[str], told: str) -> None:
    """Exit code 2 and a sentence."""
    done = exposure(scanned, *arguments)
    assert done.exit_code == 2
    assert told in done.stderr


def test_wrong_ledgers_are_told(tmp_path: Path) -> None:
    """Neither a missing one nor one option without the other."""
    assert "no such ledger" in run("exposure", "--ledger", str(tmp_path / "x.db")).stderr
    done = run("scan", str(tmp_path), "--observed-at", "mtime")
    assert (done.exit_code, done.stderr) == (2, "error: --observed-at needs --ledger\n")
