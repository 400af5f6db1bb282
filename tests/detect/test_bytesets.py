"""Patterns answered by bytes and counts say what RE2 says, cell by cell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.detect import bytesets, cells, quick
from scanner.detect.cells import Cells
from scanner.detect.hashing import ColumnHasher
from scanner.detect.judge import weights

HASHER = ColumnHasher(b"k" * 16)
SETS = [
    r"^[^0-9@_<>{}\[\]|=/\\]+$",
    r"^[^\s@]+$",
    r"^[A-Za-z0-9:_.-]+$",
    r"^\S+$",
    r"\S",
    ".",
    r"[^\x00-\x40]",
    "[0-9]",
    "[é]",
]
texts = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.text("aZ09 @_<>{}[]|=/\\\n\té:.-", max_size=9),
        st.text("0123456789- a", max_size=12),
    ),
    min_size=1,
    max_size=30,
)


def _cells(values: list[str]) -> Cells:
    return Cells.of(pa.array(values, pa.large_string()), np.arange(1, len(values) + 1), HASHER)


def _expected(made: Cells, pattern: str) -> list[bool]:
    found: list[bool] = pc.match_substring_regex(made.values, pattern).to_pylist()
    return found


@pytest.mark.parametrize("pattern", SETS)
@example(values=["a\nb", "\n", "plain"])
@given(values=texts)
def test_sets_of_bytes_answer_like_re2(pattern: str, values: list[str]) -> None:
    """Whatever the cells hold, line ends and letters beyond ASCII included."""
    made = _cells(values)
    assert made.search(pattern).tolist() == _expected(made, pattern)


def test_only_patterns_about_single_bytes_are_read_as_sets() -> None:
    """All but the one with a letter of two bytes are; and nothing that asks for order or number is."""
    assert [pattern for pattern in SETS if bytesets.read(pattern) is None] == ["[é]"]
    for pattern in ("^[a-z]$", "[a-z][0-9]", "^[a-z]+", "a", "^[^a]*$", r"^\d+$", r"[\p{L}]"):
        assert bytesets.read(pattern) is None, pattern


@pytest.mark.parametrize("pattern", sorted(quick.QUICK))
@example(values=["12345", "SW1A 1AA", "D-12345", "12345.0", "+49 (0)89 123456", "123 ext 456", "1234-567"])
@given(values=texts)
def test_quick_answers_are_those_of_the_pattern(pattern: str, values: list[str]) -> None:
    """Counting digits and letters decides as matching would, for any subset of the cells."""
    made = _cells(values)
    among = np.arange(len(made.values)) % 3 != 1
    expected = np.array(_expected(made, pattern), dtype=bool) & among
    assert quick.search(made, pattern, among).tolist() == expected.tolist()


def test_quick_answers_are_for_patterns_in_use() -> None:
    """A pattern that the rules no longer have would be dead weight."""
    assert set(quick.QUICK) <= {rule.plausible for rule in weights().types.values()}


@given(
    st.lists(st.dates(), min_size=2, max_size=30), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y 10:00", "Q%Y%m%d"])
)
def test_values_of_one_shape_are_answered_at_once_and_alike(days: list[object], form: str) -> None:
    """Dates written alike are matched once; the answer is each one's own."""
    made = _cells([f"{day:{form}}" for day in days])
    for pattern in (r"^\d{4}-\d\d-\d\d$", r"[0-9]{4}", r"^19", r"\A[^3]*\z", r"^Q\d+$"):
        assert made.search(pattern).tolist() == _expected(made, pattern), pattern


@pytest.mark.parametrize(
    ("pattern", "alike"),
    [
        (r"^\d{4}-[0-9]{2}$", True),
        (r"[^\x00-\x40]", True),
        (r"^19", False),
        ("[0-4]", False),
        (r"[\x30-\x35]", False),
        ("[!-5]", False),
    ],
)
def test_patterns_that_tell_digits_apart_are_known(pattern: str, alike: bool) -> None:
    """Only where all digits are alike to a pattern may one shape stand for many values."""
    assert cells._digits_alike(pattern) is alike


@given(values=texts, length=st.integers(2, 6))
def test_no_run_of_bytes_is_missed(values: list[str], length: int) -> None:
    """Values that are ruled out hold no run that long."""
    made = _cells(values)
    found = made.may_run(("digit",), length, np.ones(len(made.values), dtype=bool))
    for value, may in zip(made.values.to_pylist(), found.tolist(), strict=True):
        assert may or "0" * length not in "".join("0" if c in "0123456789" else "x" for c in value)


@given(values=texts)
def test_counts_of_bytes_are_exact(values: list[str]) -> None:
    """Digits, dots and the like in each value, few or many."""
    made = _cells(values)
    seen = made.values.to_pylist()
    assert made.digits.tolist() == [sum(c in "0123456789" for c in value) for value in seen]
    assert made.how_many("dot").tolist() == [value.count(".") for value in seen]


@given(
    st.lists(
        st.sampled_from(["a.b", "J.", "x", "www", "http://x", "12.50", "ww", "a:", "//b"]),
        min_size=1,
        max_size=9,
    )
)
def test_marks_of_web_addresses_are_found_in_their_own_cells(values: list[str]) -> None:
    """A point at the end of one value and a letter at the start of the next make no address."""
    made = _cells(values)
    expected = _expected(made, r"(?i)://|www|[.][a-z]")
    marks = made.web_marks
    found = [False] * len(expected) if marks is None else made.holding(marks).tolist()
    assert [each or not wanted for each, wanted in zip(found, expected, strict=True)] == [True] * len(
        expected
    )
    assert values != ["J.", "x"] or found == [False, False]
