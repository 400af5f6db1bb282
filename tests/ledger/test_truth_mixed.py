"""People known here by one identifier and there by another: who is who is told by any table that has both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bench.truth import CRM, Layout, population, run, write
from tests.ledger.conftest import Shop

CALLS = Layout("calls", ".csv", ("phone", "last_name"))
MAILS = Layout("mails", ".csv", ("email", "first_name"))
LOYALTY = Layout("loyalty", ".pg.sql", ("customer_id", "first_name", "last_name"))
CLAIMS = Layout("claims", ".xlsx", ("last_name", "first_name", "birth_date"))
SUPPORT = Layout("support", ".mysql.sql", ("phone", "customer_id", "name"))


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: this is about counting, not about what is durable."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.mark.parametrize("seed", [4])
def test_three_vendors_over_ninety_days(quick_folder: Path, seed: int) -> None:
    """Thirty deliveries each, in several formats and layouts: every count is exact."""
    found = run(quick_folder, seed, people=900, rows=(15, 60), scans=6)
    for vendor, errors in found.items():
        assert errors.asked > 10, vendor
        assert errors.most > 100, vendor
        assert (errors.wrong, errors.outside, errors.files) == (0, 0, 0), errors.told[:3]


def test_links_that_another_vendor_got(shop: Shop) -> None:
    """One has telephone and customer numbers; another's table tells that they are the same people's."""
    people = population(90, 1)
    write(shop.root / "acme" / "calls.csv", CALLS, people[:60])
    write(shop.root / "acme" / "loyalty.pg.sql", LOYALTY, people[30:])
    shop.scan(0)
    before = shop.exposure(0.5)["acme"]["people"]
    assert before == {"low": 60, "best": 60, "high": 120}
    write(shop.root / "bolt" / "customers.csv", CRM, people)
    shop.scan(1)
    assert shop.exposure(1.5)["acme"]["people"] == {"low": 90, "best": 90, "high": 90}
    # Who is who does not change with what is within reach: it was so on the day before, too.
    assert shop.exposure(0.5)["acme"]["people"] == {"low": 90, "best": 90, "high": 90}
    (shop.root / "bolt" / "customers.csv").unlink()
    shop.scan(2)
    assert shop.exposure(2.5)["acme"]["people"] == {"low": 90, "best": 90, "high": 90}


def test_links_over_several_tables(shop: Shop) -> None:
    """Claims lead to customer numbers, these to telephone numbers, and these to e-mail addresses."""
    people = population(40, 2)
    chain = Layout("chain", ".csv", ("customer_id", "first_name", "last_name", "birth_date"))
    contacts = Layout("contacts", ".csv", ("email", "phone", "last_name"))
    for number, layout in enumerate((chain, SUPPORT, contacts)):
        write(shop.root / "bolt" / f"{number}{layout.suffix}", layout, people)
    write(shop.root / "acme" / "claims.xlsx", CLAIMS, people[:30])
    write(shop.root / "acme" / "mails.csv", MAILS, people[20:])
    shop.scan(0)
    assert shop.exposure(0.5)["acme"]["people"] == {"low": 40, "best": 40, "high": 40}


def test_nothing_links(shop: Shop) -> None:
    """What nothing compares may be the same people or others; links of others do not tell."""
    people = population(80, 3)
    write(shop.root / "acme" / "calls.csv", CALLS, people[:30])
    write(shop.root / "acme" / "mails.csv", MAILS, people[20:40])
    write(shop.root / "bolt" / "customers.csv", CRM, people[40:])
    shop.scan(0)
    assert shop.exposure(0.5)["acme"]["people"] == {"low": 30, "best": 30, "high": 50}


def test_a_file_that_comes_back_is_one_file(shop: Shop) -> None:
    """Deleted, brought back, and seen again and again: it lies there once."""
    people = population(20, 4)
    path = shop.root / "acme" / "calls.csv"
    for at in range(5):
        if at == 1:
            path.unlink()
        else:
            write(path, CALLS, people)
        shop.scan(at)
    assert [shop.exposure(at + 0.5).get("acme", {"items": 0})["items"] for at in range(5)] == [1, 0, 1, 1, 1]
