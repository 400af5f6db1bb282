"""Check digits and ranges, with the near misses that must fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import validators
from scanner.detect.validators import CHECKS

TABLE = [
    ("vin", "1HGCM82633A004352", True),
    ("vin", "1m8gdm9axkp042788", True),
    ("vin", "1HGCM82633A004353", False),  # check digit, North America
    ("vin", "LHGCM82633A004353", False),  # China must write it too
    ("vin", "WVWZZZ1JZXW000001", None),  # Europe need not
    ("vin", "IHGCM82633A004352", False),
    ("vin", "1HGCM82633A00435", False),
    ("vin", "1HGCM82633A0043521", False),
    ("vin", "11111111111111111", False),
    ("vin", "WVWZZZ1JZXWABCDEF", False),
    ("credit_card", "4111 1111 1111 1111", True),
    ("credit_card", "4111-1111-1111-1112", False),
    ("credit_card", "٤١١١١١١١١١١١١١١١", False),
    ("imei", "49-015420-323751-8", True),
    ("imei", "490154203237518", None),
    ("imei", "490154203237519", False),
    ("imei", "000000000000000", False),
    ("imei", "49015420323751", False),
    ("iban", "GB82 WEST 1234 5698 7654 32", True),
    ("iban", "DE89370400440532013000", True),
    ("iban", "DE89370400440532013001", False),
    ("iban", "DE8937040044053201300", False),
    ("iban", "ZZ82WEST12345698765432", False),
    ("iban", "", False),
    ("ip", "203.0.113.7", None),
    ("ip", "2001:db8::1/64", None),
    ("ip", "0.0.0.0", False),
    ("ip", "256.1.1.1", False),
    ("mac", "00:1B:44:11:3A:B7", None),
    ("mac", "ff:ff:ff:ff:ff:ff", False),
    ("email", "jane@example.com", None),
    ("email", "icon@2x.png", False),
    ("email", "a@" + "b" * 64 + ".com", False),
    ("email", "a" * 65 + "@example.com", False),
    ("geo", "52.5200, 13.4050", None),
    ("geo", "91.0000, 13.4050", False),
    ("geo", "0.0000, 0.0000", False),
    ("birth_date", "12.03.1980", None),
    ("birth_date", "03/12/1980", None),
    ("birth_date", "1980-03-12", None),
    ("birth_date", "12 March 1980", None),
    ("birth_date", "31.02.1980", False),
    ("birth_date", "31.31.1980", False),
    ("birth_date", "1980-13-01", False),
    ("birth_date", "12.03.1880", False),
    ("birth_date", "1 May 2999", False),
    ("birth_date", "12.03.80", None),
    ("password", "password=Tr0ub4dor", None),
    ("password", "password: ****", False),
    ("password", "password=${DB_PASSWORD}", False),
    ("password", "pwd: <hidden>", False),
    ("password", "password=none", False),
    ("plate", "B-AB 1234", None),
    ("plate", "12345", False),
    ("plate", "ABCDEF", False),
    ("phone", "+49 30 901820", True),
    ("phone", "+1 (555) 123-4567", None),
    ("phone", "2024-01-31", False),
    ("br_cpf", "529.982.247-25", True),
    ("br_cpf", "529.982.247-26", False),
    ("br_cpf", "111.111.111-11", False),
    ("nl_bsn", "111222333", True),
    ("nl_bsn", "111222334", False),
]


@pytest.mark.parametrize(("check", "text", "expected"), TABLE)
def test_checks(check: str, text: str, expected: bool | None) -> None:
    """Proven is True, disproved is False, nothing learnt is None."""
    assert CHECKS[check](text) is expected


@pytest.mark.parametrize("check", sorted(CHECKS))
@given(text=st.text(max_size=40))
def test_no_check_fails_on_any_text(check: str, text: str) -> None:
    """A check answers whatever it is given."""
    assert CHECKS[check](text) in (True, False, None)


@given(st.text("0123456789", min_size=1, max_size=20))
def test_luhn_finds_every_single_wrong_digit(digits: str) -> None:
    """Exactly one last digit is right, and any other single change is noticed."""
    right = [last for last in "0123456789" if validators.luhn(digits + last)]
    assert len(right) == 1
    number = digits + right[0]
    changed = str((int(number[0]) + 1) % 10) + number[1:]
    assert not validators.luhn(changed)
