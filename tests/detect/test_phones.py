"""Numbering plans as expressions, held against libphonenumber."""

from __future__ import annotations

import re

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.detect import phones

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "MX", "CA", "AU")
ALL = sorted(phonenumbers.SUPPORTED_REGIONS)


def digits_of(region: str) -> list[str]:
    kinds = phonenumbers.PhoneNumberType.values()
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    return [phonenumbers.national_significant_number(example) for example in examples if example]


def libphonenumber_says(digits: str, region: str) -> bool:
    code = phonenumbers.country_code_for_region(region)
    zeros = len(digits) - len(digits.lstrip("0"))
    number = phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(digits),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return phonenumbers.is_valid_number_for_region(number, region) or (
        phonenumbers.is_valid_number(number)
        and region in phonenumbers.region_codes_for_country_code(code)
        and phonenumbers.phonenumberutil._number_type_helper(
            digits, phonenumbers.PhoneMetadata.metadata_for_region(region)
        )
        != phonenumbers.PhoneNumberType.UNKNOWN
    )


@pytest.mark.parametrize("region", ALL)
def test_example_numbers_of_every_region_are_valid(region: str) -> None:
    """Each kind of number of each region is known, alone and behind its country code."""
    code = phonenumbers.country_code_for_region(region)
    for digits in digits_of(region):
        assert re.fullmatch(phones.number_pattern(region), digits)
        assert phones.valid_national(digits, (region,))
        assert phones.valid_international(f"{code}{digits}")


@settings(max_examples=400)
@given(st.sampled_from(ALL), st.data())
def test_number_pattern_is_libphonenumbers_verdict(region: str, data: st.DataObject) -> None:
    """For any digits, near an example or not: the expression matches where libphonenumber says valid."""
    examples = digits_of(region)
    near = st.sampled_from(examples).flatmap(
        lambda example: st.tuples(
            st.just(example), st.integers(0, len(example) - 1), st.sampled_from("0123456789")
        ).map(lambda edit: edit[0][: edit[1]] + edit[2] + edit[0][edit[1] + 1 :])
    )
    digits = data.draw(st.one_of(near, st.text("0123456789", min_size=5, max_size=13)))
    matched = re.fullmatch(phones.number_pattern(region), digits) is not None
    assert matched == libphonenumber_says(digits, region)


def test_re2_takes_every_region_and_all_countries_at_once() -> None:
    """A column of digits is tested by one kernel call."""
    for region in ALL:
        pc.match_substring_regex(pa.array([""]), phones.phone_pattern(region))
    column = pa.array(["493012345678", "4400", "12127365000"])
    passed = pc.match_substring_regex(column, phones.any_international_pattern()).to_pylist()
    assert passed == [True, False, True]
    dialled = pa.array(["0301234567", "00493012345678", "12"])
    passed = pc.match_substring_regex(dialled, phones.dialled_pattern(("DE",))).to_pylist()
    assert passed == [True, True, False]


@pytest.mark.parametrize("region", ["xx", "ZZ"])
def test_unknown_region_is_an_error(region: str) -> None:
    """A region nobody knows is told, not ignored."""
    with pytest.raises(ValueError, match="unknown phone region"):
        phones.phone_pattern(region)


VALID = [
    ("+49 (0)30 901820", "+4930901820"),
    ("0049 30 901820", "+4930901820"),
    ("(212) 736-5000", "2127365000"),
    ("1-212-736-5000", "12127365000"),
    ("tel: 020 7946 0018 ext. 12", "02079460018"),
    ("030/901820", "030901820"),
    ("01.42.68.53.00", "0142685300"),
    ("+91 98765 43210", "+919876543210"),
    ("(11) 96123-4567", "11961234567"),
    ("2127365000", "2127365000"),
]


@pytest.mark.parametrize(("text", "digits"), VALID)
def test_valid_numbers_in_many_writings(text: str, digits: str) -> None:
    """Separators, brackets, trunk zeros and extensions do not hide a number."""
    found = phones.read(text, REGIONS)
    assert found is not None
    assert found.valid
    assert found.digits == digits


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31", "31.12.1999", "12/31/1999 10:22", "192.168.10.12", "1234567.89", "123-45-6789",
        "4111 1111 1111 1111", "1990-2000", "10.000.000", "20240115", "40.7128 -74.0060", "978-3-16-148410-0",
        "", "12345", "+", "abc", "12-34", "ORD-1234567", "1" * 30,
    ],
)  # fmt: skip
def test_other_things_with_digits_are_not_numbers(text: str) -> None:
    """Dates, amounts, addresses of machines, cards, ranges and ids are refused."""
    assert phones.read(text, REGIONS) is None


def test_made_up_number_counts_less_than_a_valid_one() -> None:
    """A number no plan has is one by its grouping only, and its score says so."""
    invented = phones.read("(555) 123-4567", ("US",))
    real = phones.read("(212) 736-5000", REGIONS)
    assert invented is not None
    assert real is not None
    assert not invented.valid
    assert invented.score < real.score


def test_bare_digits_score_lowest() -> None:
    """Ten digits may be any id: their score leaves it to the context."""
    bare = phones.read("2127365000", REGIONS)
    grouped = phones.read("212 736 5000", REGIONS)
    assert bare is not None
    assert grouped is not None
    assert bare.score < 0.4 < grouped.score
