"""The fact sheet of a breach: whose data, in clear or not, where they live, which thresholds are reached."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from click.testing import CliRunner

from scanner import resources
from scanner.ledger import breach
from scanner.surfaces.cli import cli

POLICY = """
version: 1
organisation: Example
vendors:
  - id: acme
    name: Acme <Support>
    paths: ["acme/**"]
    purpose: answers calls
    agreement: {ref: DPA-1, expires: 2020-01-31}
    allow: [user.name, user.contact]
"""
FIRSTS = ("Olivia", "Noah", "Emma", "Liam", "Ava", "Lucas", "Mia", "Henry", "Ella", "James")
LASTS = ("Parker", "Hughes", "Morgan", "Bennett", "Foster", "Sanders", "Coleman")


def _ssn(number: int) -> str:
    return f"{501 + number % 150:03}-{10 + number % 80:02}-{1001 + number * 3 % 8000:04}"


def _rows(count: int, state: str, start: int = 0) -> list[dict[str, str]]:
    return [
        {
            "name": f"{FIRSTS[n % 10]} {LASTS[n % 7]}",
            "email": f"{FIRSTS[n % 10]}.{LASTS[n % 7]}{n}@example.org".lower(),
            "email_hash": hashlib.sha256(b"pepper%d" % n).hexdigest(),
            "ssn": _ssn(n),
            "state": state,
            "country": "US",
        }
        for n in range(start, start + count)
    ]


def _write(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def _run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(cli, [str(each) for each in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with what a vendor had: 260 Texans and 40 Californians with numbers, and more without."""
    folder = tmp_path_factory.mktemp("breach")
    (folder / "policy.yaml").write_text(POLICY)
    people = _rows(260, "TX") + _rows(40, "CA", 260)
    _write(folder / "share/acme/claims.csv", ["name", "email", "ssn", "state", "country"], people)
    _write(
        folder / "share/acme/mail.csv",
        ["name", "email", "email_hash", "state", "country"],
        _rows(30, "NY", 400),
    )
    (folder / "share/acme/broken.xlsx").write_bytes(b"PK\x03\x04" + bytes(64))
    scan = ("scan", folder / "share", "--policy", folder / "policy.yaml", "--ledger", folder / "l.db")
    _run(*scan, "--jobs", 1, "--model", "none", "--observed-at", "2026-01-10")
    (folder / "share/acme/mail.csv").unlink()
    _run(*scan, "--jobs", 1, "--model", "none", "--observed-at", "2026-02-10")
    return folder


def _sheet(place: Path, *arguments: object) -> dict[str, Any]:
    code, text = _run("breach", "--ledger", place / "l.db", "--format", "json", *arguments)
    assert code == 0, text
    document: dict[str, Any] = json.loads(text)
    schema = json.loads(resources.path("rules", "schemas", "breach-1.schema.json").read_text())
    jsonschema.validate(document, schema, jsonschema.Draft202012Validator)
    return document


ALL = ("--vendor", "acme", "--from", "2026-01-01", "--to", "2026-03-01")


def test_who_and_where(place: Path) -> None:
    found = _sheet(place, *ALL)
    assert found["people"]["best"] == 330
    assert {each["code"]: each["people"] for each in found["residents"]} == {
        "US-TX": 260,
        "US-CA": 40,
        "US-NY": 30,
    }
    assert found["vendor"]["agreement"]["expired"] is True
    later = _sheet(place, "--vendor", "acme", "--from", "2026-02-15", "--to", "2026-03-01")
    assert later["people"]["best"] == 300


def test_what_is_hashed_is_told_apart_from_what_is_clear(place: Path) -> None:
    found = _sheet(place, *ALL)
    mails = {each["form"]: each for each in found["categories"] if each["category"] == "user.contact.email"}
    assert mails["clear"]["people"]["best"] == 330
    assert mails["clear"]["protected"] is False
    assert mails["hashed"]["people"]["best"] == 30
    assert mails["hashed"]["protected"] is True


def test_thresholds_are_those_of_each_law(place: Path) -> None:
    notices = {each["code"]: each for each in _sheet(place, *ALL)["notices"]}
    texas, california, york = notices["US-TX"], notices["US-CA"], notices["US-NY"]
    assert [each["id"] for each in texas["elements"]] == ["government_id"]
    assert (texas["concerned"], texas["regulator"]["threshold"], texas["regulator"]["reached"]) == (
        260,
        250,
        True,
    )
    assert texas["agencies"] == {"threshold": 10_001, "reached": False, "possible": False}
    assert (california["concerned"], california["regulator"]["reached"]) == (40, False)
    # A name with an address makes no notice due.
    assert (york["residents"], york["concerned"], york["elements"]) == (30, 0, [])
    assert york["regulator"]["reached"] is False


def test_what_is_uncertain_and_what_to_do(place: Path) -> None:
    found = _sheet(place, *ALL)
    assert any("could not be read whole" in each for each in found["uncertain"])
    steps = " ".join(found["next_steps"])
    assert "quarantine" in steps
    assert "agreement had ended" in steps
    assert "Texas" in steps
    assert "California" not in steps
    gone = {each["path"]: each["gone"] for each in found["deliveries"]}
    assert gone["acme/mail.csv"] is not None
    assert gone["acme/claims.csv"] is None


def test_it_is_told_which_rows_were_compared(place: Path) -> None:
    """When and with what, where a row was; of the others that they were not."""
    notices = {each["code"]: each["compared"] for each in _sheet(place, *ALL)["notices"]}
    assert notices["US-TX"]["date"] > "2026-01-01"
    assert notices["US-TX"]["with"].startswith("https://")
    assert notices["US-NY"] is None
    for form in ("md", "html", "text"):
        text = _run("breach", "--ledger", place / "l.db", *ALL, "--format", form)[1].replace("\\", "")
        lines = " ".join(text.split())
        assert f"Texas: compared on {notices['US-TX']['date']} with {notices['US-TX']['with']}" in lines
        alone = lines.partition("Not compared with a second text: ")[2].partition(".")[0]
        assert "New York" in alone
        assert "Texas" not in alone


@pytest.mark.parametrize("form", ["md", "html", "text"])
def test_what_people_read(place: Path, form: str) -> None:
    code, text = _run("breach", "--ledger", place / "l.db", *ALL, "--format", form)
    assert code == 0
    assert "Tex. Bus" in text.replace("\\", "")
    assert "330 people" in text
    assert "ot legal advice" in text
    assert "@example" not in text
    if form != "text":
        assert "<Support>" not in text.replace("\\<", "&lt;")


def test_nobody_of_that_name(place: Path) -> None:
    assert _run("breach", "--ledger", place / "l.db", "--vendor", "nobody", "--from", "2026-01-01")[0] == 2
    backwards = ("--vendor", "acme", "--from", "2026-02-01", "--to", "2026-01-01")
    assert _run("breach", "--ledger", place / "l.db", *backwards)[0] == 2


def test_the_table_of_laws_is_whole() -> None:
    from scanner.policy.categories import taxonomy

    held = breach.rules()
    states = {code for code in held["states"] if code.startswith("US-")}
    assert len(states) == 54  # fifty states, the District of Columbia, Puerto Rico, Guam, the Virgin Islands
    keys = taxonomy().labels
    for law in breach.laws():
        assert law.law
        for element in law.elements:
            for wanted in held["elements"][element]["needs"]:
                assert all(key in keys for key in wanted), (law.code, element)
        if law.regulator is not None:
            assert law.regulator["who"]
            assert int(law.regulator["residents"]) >= 1
        if law.compared is not None:
            assert set(law.compared) == {"date", "with"}
            assert law.compared["date"] <= datetime.now(UTC).date()
            assert urlsplit(law.compared["with"]).scheme == "https"
    members = [code for law in breach.laws() for code in law.members]
    assert len(members) == len(set(members))
    assert "NO" in members


def _shared(folder: Path, files: dict[str, list[dict[str, str]]], *more: str) -> Path:
    """A folder with a ledger of these files."""
    (folder / "policy.yaml").write_text(POLICY)
    for name, rows in files.items():
        _write(folder / "share/acme" / name, list(rows[0]), rows)
    scan = ("scan", folder / "share", "--policy", folder / "policy.yaml", "--ledger", folder / "l.db")
    _run(*scan, "--jobs", 1, "--model", "none", "--observed-at", "2026-01-10", *more)
    return folder


def test_people_without_a_place_may_reach_a_threshold(tmp_path: Path) -> None:
    here = _rows(240, "TX")
    elsewhere = [each | {"state": "", "country": ""} for each in _rows(30, "", 240)]
    found = _sheet(_shared(tmp_path, {"claims.csv": here + elsewhere}), *ALL)
    texas = next(each for each in found["notices"] if each["code"] == "US-TX")
    assert (texas["concerned"], texas["at_most"]) == (240, 270)
    assert (texas["regulator"]["reached"], texas["regulator"]["possible"]) == (False, True)
    assert texas["agencies"]["possible"] is False
    assert any("not known of 30 people" in each for each in found["uncertain"])
    assert any("may be reached" in each and "Texas" in each for each in found["next_steps"])
    code, text = _run("breach", "--ledger", tmp_path / "l.db", *ALL, "--format", "text")
    assert code == 0
    assert "may be reached: not all places are known" in text


def test_only_the_country_is_known(tmp_path: Path) -> None:
    rows = _rows(240, "TX") + [each | {"state": ""} for each in _rows(15, "", 240)]
    found = _sheet(_shared(tmp_path, {"claims.csv": rows}), *ALL)
    texas = next(each for each in found["notices"] if each["code"] == "US-TX")
    assert (texas["concerned"], texas["at_most"], texas["regulator"]["possible"]) == (240, 255, True)
    assert any("15 people in the United States" in each for each in found["uncertain"])


def test_what_the_law_says_of_protected_data(place: Path) -> None:
    code, text = _run("breach", "--ledger", place / "l.db", *ALL, "--format", "text")
    assert code == 0
    assert "unless the key was within reach" in text
    assert all(law.safe_harbour for law in breach.laws())


def test_steps_are_commands_that_give_nothing_away(place: Path) -> None:
    steps = " ".join(_sheet(place, *ALL)["next_steps"])
    assert "sharewatch quarantine acme/claims.csv --reason breach" in steps
    assert "acme/mail.csv" not in steps
    assert str(place) not in steps
    assert "l.db" not in steps


def test_joins_are_of_feeds_by_name(tmp_path: Path) -> None:
    people = [each | {"customer_id": str(70_000 + 13 * at)} for at, each in enumerate(_rows(60, "TX"))]
    names = [{key: each[key] for key in ("customer_id", "name", "email")} for each in people]
    numbers = [{key: each[key] for key in ("customer_id", "ssn")} for each in people]
    found = _sheet(_shared(tmp_path, {"names.csv": names, "numbers.csv": numbers}), *ALL)
    assert [sorted(each["names"]) for each in found["joins"]] == [["names.csv", "numbers.csv"]]
