"""Digests that another file of the same vendor undoes count as what they are of."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ledger.population import population
from tests.ledger.test_exposure_command import document, scan

LAW = """
version: 1
organisation: Example
vendors:
  - id: acme
    name: Acme
    paths: ["acme/**"]
    allow: [user.name, {category: user.contact.email, form: [hashed]}]
  - id: bolt
    name: Bolt
    paths: ["bolt/**"]
    allow: [user.name, {category: user.contact.email, form: [hashed]}]
"""
PEOPLE = population(60)


def put(folder: Path, path: str, written: Callable[[str], str]) -> None:
    file = folder / "share" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["last_name", "email"])
        rows.writerows([each.last, written(each.email)] for each in PEOPLE)


def hashed(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def emails(folder: Path, vendor: str) -> Any:
    found = {each["id"]: each for each in document(folder)["vendors"]}
    return found[vendor]["categories"]["user.contact.email"]


def test_another_file_undoes_it(tmp_path: Path) -> None:
    """In clear and not allowed, once the addresses are there, too; and so after the next scan."""
    (tmp_path / "policy.yaml").write_text(LAW)
    put(tmp_path, "acme/hashes.csv", hashed)
    put(tmp_path, "bolt/hashes.csv", lambda value: hashed(f"salt of this vendor {value}"))
    scan(tmp_path, "2026-01-01")
    for vendor in ("acme", "bolt"):
        assert (emails(tmp_path, vendor)["forms"], emails(tmp_path, vendor)["allowed"]) == (["hashed"], True)
    # Other vendors' addresses undo nothing for this one.
    put(tmp_path, "bolt/clear.csv", str)
    scan(tmp_path, "2026-01-02")
    assert emails(tmp_path, "acme")["forms"] == ["hashed"]
    assert emails(tmp_path, "bolt")["forms"] == ["clear", "hashed"]
    put(tmp_path, "acme/clear.csv", str)
    for at in ("2026-01-03", "2026-01-04"):
        scan(tmp_path, at)
        assert (emails(tmp_path, "acme")["forms"], emails(tmp_path, "acme")["allowed"]) == (["clear"], False)


def test_a_digest_beside_its_value(tmp_path: Path) -> None:
    """In one table it is known at once."""
    (tmp_path / "policy.yaml").write_text(LAW)
    file = tmp_path / "share" / "acme" / "both.csv"
    file.parent.mkdir(parents=True)
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["email", "email_sha256"])
        rows.writerows([each.email, hashed(each.email)] for each in PEOPLE)
    scan(tmp_path, "2026-01-01")
    assert emails(tmp_path, "acme")["forms"] == ["clear"]
