"""Masked samples tell the kind of a value and not whose it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect.masking import mask, safe_name


@pytest.mark.parametrize(
    ("value", "entity_type", "expected"),
    [
        ("maria.schmidt@sunmail.org", "EMAIL_ADDRESS", "m••••••@s••••••.org"),
        ("+49 30 23125 678", "PHONE_NUMBER", "+•• •• ••••• •78"),
        ("Maria Schmidt", "PERSON", "M•••• S••••••"),
        ("Li", "PERSON", "••"),
        ("12 Oak Road", "STREET_ADDRESS", "•• ••• R•••"),
        ("10115", "POSTAL_CODE", "•••••"),
    ],
)
def test_shapes_stay_and_values_go(value: str, entity_type: str, expected: str) -> None:
    """Punctuation and lengths hint at the kind; letters and digits are gone."""
    assert mask(value, entity_type) == expected


@given(
    st.text(alphabet="abcdefghij0123456789@. -", min_size=1, max_size=60),
    st.sampled_from(["", "EMAIL_ADDRESS"]),
)
def test_little_of_any_value_is_left(value: str, entity_type: str) -> None:
    """Of no run of letters more than its first is shown, and of digits at most two."""
    shown = [char for char in mask(value, entity_type) if char.isdigit()]
    assert len(shown) <= 2
    hidden = mask(value, entity_type)
    for word in hidden.replace("@", " ").split():
        letters = sum(char.isalpha() for char in word.rpartition(".")[0] or word)
        assert letters <= word.count("•") + 1


def test_names_of_fields_that_are_values_are_masked() -> None:
    """A header row that was somebody's record must not print it."""
    assert "ann" not in safe_name("ann@example.org")
    assert "5550142" not in safe_name("020 5550142 7")
    assert safe_name("customer_email_2") == "customer_email_2"
