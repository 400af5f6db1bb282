"""Digests that can be undone are told, wherever the clear values lie; salted and keyed ones are not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections.abc import Callable

import pyarrow as pa
import pytest

from scanner.config import Settings
from scanner.detect import reversal
from scanner.detect.fold import Detector
from scanner.model import Column, Evidence, Form, Outcome, Status, Table

EMAILS = [f"Person{number}@example{number % 7}.org" for number in range(300)]
KEY = b"0" * 16


def md5(value: str) -> str:
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def sha256(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def tables(*parts: tuple[str, dict[str, list[str]]]) -> tuple[Table, ...]:
    item = Detector(Settings(model="none"), KEY).item()
    for name, columns in parts:
        item.add_table(name, pa.RecordBatch.from_pydict(columns))
    return item.finish()[0]


def hashed(column: Column) -> Evidence:
    return next(each for each in column.entities if each.form is Form.HASHED)


def outcome(path: str, found: tuple[Table, ...]) -> Outcome:
    return Outcome(path, None, "csv", 1, None, Status.SCANNED, (), found)


@pytest.mark.parametrize(
    ("way", "make"),
    [
        ("md5", lambda value: md5(value)),
        ("md5", lambda value: md5(value.lower())),
        ("sha256", lambda value: sha256(value.upper())),
        ("sha256", lambda value: base64.b64encode(hashlib.sha256(value.encode()).digest()).decode()),
        (
            "sha1",
            lambda value: hashlib.sha1(value.lower().encode(), usedforsecurity=False).hexdigest().upper(),
        ),
        ("sha512", lambda value: hashlib.sha512(value.encode()).hexdigest()),
    ],
)
def test_beside_the_clear_column(way: str, make: Callable[[str], str]) -> None:
    """In one table, in any order of rows, of the value as written, in small or capital letters."""
    digests = [make(value) for value in EMAILS]
    random.Random(1).shuffle(digests)
    (table,) = tables(("people", {"email": EMAILS, "email_hash": digests}))
    evidence = hashed(table.columns[1])
    assert evidence.signals[0] == f"reversible:{way} of column email"
    assert evidence.undone is not None


def test_in_another_table_of_the_item() -> None:
    """The clear column may lie in another table of the dump or workbook."""
    digests = {"email_hash": [sha256(value) for value in EMAILS]}
    found = tables(("export", digests), ("customer", {"email": EMAILS}))
    assert hashed(found[0].columns[0]).signals[0] == "reversible:sha256 of column email in table customer"


def test_in_another_file_of_the_scan() -> None:
    """The clear column may lie in another file; afterwards no probe is left."""
    one = outcome("a/hashes.csv", tables(("-", {"email_hash": [md5(value.lower()) for value in EMAILS]})))
    other = outcome("b/clear.csv", tables(("-", {"email": EMAILS})))
    assert hashed(one.tables[0].columns[0]).undone is None
    assert any(table.probes for table in other.tables)
    for order in ([one, other], [other, one]):
        found = {each.path: each for each in reversal.resolve(order)}
        signals = hashed(found["a/hashes.csv"].tables[0].columns[0]).signals
        assert signals[0] == "reversible:md5 of column email in file b/clear.csv"
        assert not any(table.probes for each in found.values() for table in each.tables)


def test_probes_of_another_scan_know_nothing() -> None:
    """They are keyed: without the scan's key they cannot be compared with anything."""
    digests = [md5(value) for value in EMAILS]
    known = reversal.probes(EMAILS, "email", Detector(Settings(model="none"), KEY).tools.hasher)
    other = reversal.probes(EMAILS, "email", Detector(Settings(model="none"), b"1" * 16).tools.hasher)
    assert known != other
    assert all(bytes.fromhex(digest)[:8] not in probe.packed for digest in digests for probe in known)


@pytest.mark.parametrize(
    "make",
    [
        lambda value: hmac.new(b"secret", value.encode(), "sha256").hexdigest(),
        lambda value: sha256("salt" + value),
        lambda value: md5("someone else" + value),
    ],
)
def test_salted_and_keyed_digests_are_as_good_as_they_were(make: Callable[[str], str]) -> None:
    """Nothing in the delivery undoes them."""
    (table,) = tables(("people", {"email": EMAILS, "email_hash": [make(value) for value in EMAILS]}))
    assert hashed(table.columns[1]).undone is None


BIRTHDAYS = [f"{1950 + number % 50}-0{1 + number % 9}-{10 + number % 18}" for number in range(200)]


@pytest.mark.parametrize(
    ("entity_type", "values", "signal"),
    [
        ("DATE_OF_BIRTH", [sha256(day) for day in BIRTHDAYS], "reversible:sha256 of one of all dates"),
        (
            "DATE_OF_BIRTH",
            [sha256("x" + day) for day in BIRTHDAYS],
            "enumerable:sha256 of dates unless keyed",
        ),
        (
            "POSTAL_CODE",
            [md5(f"{code:05d}") for code in range(40)],
            "reversible:md5 of one of all postal codes",
        ),
        ("GENDER", [md5("Female"), md5("Male")], "reversible:md5 of one of all sexes"),
        ("AGE", [md5(str(age)) for age in range(20, 50)], "reversible:md5 of one of all ages"),
        ("PHONE_NUMBER", [md5("1")], "enumerable:md5 of telephone numbers unless keyed"),
        ("DE_TAX_ID", [sha256("1")], "enumerable:sha256 of national numbers unless keyed"),
        ("EMAIL_ADDRESS", [md5("1")], None),
        ("PHONE_NUMBER", ["$2b$12$abcdefghijklmnopqrstuv"], None),
        ("PHONE_NUMBER", [], None),
    ],
)
def test_values_that_are_few(entity_type: str, values: list[str], signal: str | None) -> None:
    """Dates, postal codes, sexes and ages are tried; of numbers it is said that somebody could."""
    assert reversal.few_values(entity_type, values) == signal
