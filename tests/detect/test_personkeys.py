"""One person gives one key, however the identifier is written; and keys stay the same for ever."""

from __future__ import annotations

import hmac

import pyarrow as pa
import pytest

from scanner.detect import personkeys
from scanner.detect.personkeys import PersonKeyer, name_space, normal


def normals(identifier: str, *values: str, regions: tuple[str, ...] = ("US", "DE")) -> list[str | None]:
    found: list[str | None] = normal(identifier, pa.array(values), regions).to_pylist()
    return found


@pytest.mark.parametrize(
    ("identifier", "written", "expected"),
    [
        ("email", "Jane.Roe@Example.COM", "jane.roe@example.com"),
        ("email", " <jane.roe@example.com>; ", "jane.roe@example.com"),
        ("email", "jane at example", None),
        ("phone", "+44 (0)20 7946 0018", "+442079460018"),
        ("phone", "0044 20 7946 0018", "+442079460018"),
        ("phone", "(415) 555-2671", "+14155552671"),
        ("phone", "1-415-555-2671 ext. 12", "+14155552671"),
        ("phone", "12", None),
        ("name", "Doe, Jöhn", "doe john"),
        ("name", "  ", None),
        ("account:customerid", " AB-12 ", "ab-12"),
        ("national_identification_number", "078-05 1120", "078051120"),
    ],
)
def test_normal_forms(identifier: str, written: str, expected: str | None) -> None:
    """Case, separators, accents and order do not make another person."""
    assert normals(identifier, written) == [expected]


def test_a_national_number_takes_the_country_of_its_column() -> None:
    """The first region whose plan has most of the numbers."""
    assert normals("phone", "030 901820", "089 2180 0", "040 42838 0") == [
        "+4930901820",
        "+498921800",
        "+4940428380",
    ]


def test_names_in_one_column_or_two_are_the_same() -> None:
    """Given and family names apart give what the whole name gives."""
    whole = normals("name", "Ada van Dyke", "Roe, Max")
    parts = personkeys.joined_names(pa.array(["Ada", "Max"]), pa.array(["van Dyke", "Roe"]))
    assert parts.to_pylist() == whole


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["1980-02-29", "1980-02-29T00:00:00"], ["1980-02-29", "1980-02-29"]),
        (["29.02.1980", "1.3.1980"], ["1980-02-29", "1980-03-01"]),
        (["02/29/1980", "03/01/1980"], ["1980-02-29", "1980-03-01"]),
        (["29 Feb 1980", "March 1, 1980", "soon"], ["1980-02-29", "1980-03-01", None]),
    ],
)
def test_birth_dates(written: list[str], expected: list[str | None]) -> None:
    """Day or month first is told by the column."""
    assert personkeys.birth_dates(pa.array(written)).to_pylist() == expected


def test_account_numbers_count_in_the_name_space_of_their_heading() -> None:
    """The same key in several spellings; a bare id takes its table's name."""
    spaces = {
        name_space(*each) for each in (("customer_id", "-"), ("CustomerID", "-"), ("id", "public.customers"))
    }
    assert spaces == {"customerid"}
    assert name_space("order_no", "-") != name_space("customer_no", "-")


def test_a_key_is_an_hmac_of_kind_and_value() -> None:
    """So that who has the key file alone can make it again."""
    keyer = PersonKeyer(b"k" * 32)
    digest = hmac.digest(b"k" * 32, b"email\0jane@example.com", "sha256")
    assert keyer.key("email", "jane@example.com") == int.from_bytes(digest[:8], "little")
    repeated = pa.array(["a@b.example", "c@d.example"] * 500)
    keys = keyer.keys("email", repeated)
    assert len(set(keys.tolist())) == 2
    assert int(keys[1]) == keyer.key("email", "c@d.example")


def test_membership_hashes_never_change() -> None:
    """They are kept for years: these values were computed by the first version."""
    keyer = PersonKeyer(bytes(range(32)))
    values = pa.array(["jane@example.com", "x", "J" * 70_000])
    assert [hex(each) for each in keyer.members("email", values).tolist()] == VECTORS


VECTORS = ["0xa7974150f321b2ce", "0xb4b9b7e05209f2e8", "0x562c2669a8f136d"]


def test_where_people_live() -> None:
    """Countries by name or code, states by either, calling codes with Canada told from the US."""
    assert personkeys.countries(pa.array(["Germany", "UK", "fr", "Atlantis"])) == ["DE", "GB", "FR", None]
    assert [
        ("US-CA" in each, "US-TX" in each) for each in personkeys.states(pa.array(["California", "TX"]))
    ] == [
        (True, False),
        (False, True),
    ]
    numbers = pa.array(["+14155552671", "+16045551234", "+4930901820", "0301"])
    assert personkeys.phone_countries(numbers) == ["US", "CA", "DE", None]
    assert personkeys.postal_countries(pa.array(["K1A 0B1", "SW1A 1AA", "12345"])) == ["CA", "GB", None]
