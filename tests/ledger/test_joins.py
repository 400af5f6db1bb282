"""Deliveries that make more of each other, and those that only seem to."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from scanner.judging import of_vendors, with_verdicts
from scanner.ledger import findings
from scanner.model import Finding, Verdict
from scanner.policy.loading import loads
from tests.ledger.conftest import Shop, day

FIRSTS = ("Anna", "Boris", "Clara", "David", "Emma", "Felix", "Greta", "Henry", "Ida", "Jonas")
LASTS = ("Weber", "Klein", "Schulz", "Wolf", "Neumann", "Krause")


def person(number: int) -> dict[str, str]:
    first, last = FIRSTS[number % 10], LASTS[number // 10 % 6]
    return {
        "customer_id": f"K{40_000 + number}",
        "supplier_id": f"{40_000 + number}",
        "name": f"{first} {last}",
        "date_of_birth": f"19{50 + number % 40}-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "email": f"{first}.{last}{number}@example.org".lower(),
        "phone": f"+4989{20_000_000 + number * 37}",
        "city": ("Berlin", "Hamburg", "München")[number % 3],
        "street": f"Hauptstraße {number % 90 + 1}",
    }


def deliver(shop: Shop, path: str, columns: list[str], numbers: range, shift: int = 0) -> None:
    file = shop.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, columns, extrasaction="ignore")
        writer.writeheader()
        for number in numbers:
            row = person(number)
            row["customer_id"] = person(number + shift)["customer_id"]
            writer.writerow(row)


def joins(shop: Shop, vendor: str = "acme") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.exposure(2)[vendor]["joins"]
    return found


def test_two_harmless_deliveries_give_a_combination(shop: Shop) -> None:
    deliver(shop, "acme/names.csv", ["customer_id", "name"], range(60))
    deliver(shop, "acme/births.csv", ["customer_id", "date_of_birth", "city"], range(20, 60))
    shop.scan(1)
    (join,) = joins(shop)
    assert join["key"] == "account:customerid"
    assert join["people"] == 40
    assert join["confirmed"] is None
    assert ["user.name", "user.demographic.date_of_birth"] in join["adds"]


def test_what_one_delivery_has_already_is_no_join(shop: Shop) -> None:
    deliver(shop, "acme/all.csv", ["customer_id", "name", "date_of_birth"], range(60))
    deliver(shop, "acme/births.csv", ["customer_id", "date_of_birth", "city"], range(60))
    shop.scan(1)
    assert joins(shop) == []


def test_another_name_space_is_another_key(shop: Shop) -> None:
    deliver(shop, "acme/names.csv", ["customer_id", "name"], range(60))
    deliver(shop, "acme/births.csv", ["supplier_id", "date_of_birth", "city"], range(60))
    shop.scan(1)
    assert joins(shop) == []


@pytest.mark.parametrize(("shift", "expected"), [(0, [True]), (7, [])])
def test_a_further_identifier_confirms_a_key_or_refutes_it(
    shop: Shop, shift: int, expected: list[bool]
) -> None:
    """Two systems that number their customers each for itself share numbers and no people."""
    common = ["customer_id", "name", "date_of_birth"]
    deliver(shop, "acme/mail.csv", [*common, "email"], range(60))
    deliver(shop, "acme/calls.csv", [*common, "phone"], range(40), shift)
    shop.scan(1)
    assert [join["confirmed"] for join in joins(shop) if join["key"].startswith("account")] == expected


def test_few_common_numbers_are_chance(shop: Shop) -> None:
    deliver(shop, "acme/names.csv", ["customer_id", "name"], range(60))
    deliver(shop, "acme/births.csv", ["customer_id", "date_of_birth", "city"], range(50, 110))
    shop.scan(1)
    assert joins(shop) == []


# -- what the policy says of them --

_LAW = """
version: 1
organisation: Example
vendors:
  - {id: acme, name: Acme, paths: ["acme/**"], allow: [%s]%s}
"""
_PARTS = "user.name, user.unique_id, user.contact, user.demographic.gender"


def _judged(shop: Shop, allow: str, more: str = "") -> list[Finding]:
    policy = loads(_LAW % (allow, more), "policy.yaml").policy
    return list(of_vendors(shop.ledger, policy, day(2))["acme"])


def _sure(shop: Shop) -> None:
    """Two feeds whose shared people a further identifier confirms: birth dates here, streets there."""
    deliver(shop, "acme/mail.csv", ["customer_id", "email", "name", "date_of_birth"], range(60))
    deliver(shop, "acme/post.csv", ["customer_id", "email", "street"], range(40))
    shop.scan(1)


def test_a_combination_that_no_agreement_covers_is_over_shared(shop: Shop) -> None:
    _sure(shop)
    (join,) = joins(shop)
    assert join["confirmed"] is True
    found = _judged(shop, _PARTS)
    assert found
    assert {each.verdict for each in found} == {Verdict.OVER_SHARED}
    assert {each.rule for each in found} == {"vendors.acme.allow"}
    assert all(each.path == "" and each.people.best == 40 for each in found)
    assert "mail.csv" in found[0].because
    assert "post.csv" in found[0].because


def test_a_combination_that_is_allowed_is_no_finding(shop: Shop) -> None:
    _sure(shop)
    assert _judged(shop, "user") == []


def test_never_is_never_in_a_join_either(shop: Shop) -> None:
    _sure(shop)
    found = _judged(shop, "user", ", never: [user.demographic.date_of_birth]")
    assert {str(each.severity) for each in found} == {"critical"}


def test_by_the_key_alone_somebody_has_to_look(shop: Shop) -> None:
    deliver(shop, "acme/names.csv", ["customer_id", "name"], range(60))
    deliver(shop, "acme/births.csv", ["customer_id", "date_of_birth", "city"], range(20, 60))
    shop.scan(1)
    (finding,) = _judged(shop, _PARTS)
    assert finding.verdict is Verdict.NEEDS_REVIEW
    assert "by the key alone" in finding.because


def test_the_register_opens_and_resolves_it(shop: Shop) -> None:
    """A scan finds it, one without the second delivery resolves it; its id stays."""
    shop.policy = loads(_LAW % (_PARTS, ""), "policy.yaml").policy
    _sure(shop)

    def registered(state: str) -> set[str]:
        with shop.ledger.reading() as connection:
            held = findings.listed(connection, states=(state,))
        return {each.id for each in held if "together" in each.document["because"]}

    opened = registered("open")
    assert opened == {each.id for each in _judged(shop, _PARTS)}
    (shop.root / "acme" / "post.csv").unlink()
    shop.scan(3)
    assert registered("open") == set()
    assert registered("resolved") == opened


def test_the_exposure_document_has_the_verdict(shop: Shop) -> None:
    _sure(shop)
    answer = shop.exposure(2)["acme"]
    strict = loads(_LAW % (_PARTS, ""), "policy.yaml").policy
    loose = loads(_LAW % ("user", ""), "policy.yaml").policy
    for policy, expected in ((strict, "over_shared"), (loose, "allowed"), (None, None)):
        judged = answer | {"categories": {k: {**v, "allowed": None} for k, v in answer["categories"].items()}}
        assert [each["verdict"] for each in with_verdicts(policy, judged)["joins"]] == [expected]
