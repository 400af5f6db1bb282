"""Deliveries that make more of each other, and those that only seem to."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from tests.ledger.conftest import Shop

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
