"""The columnar fast path says of a cell what the recognizers, run by Presidio, say of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.config import Settings
from scanner.detect import kernels, presidio, specs
from scanner.detect.cells import Cells
from scanner.detect.hashing import ColumnHasher

HASHER = ColumnHasher(b"k" * 16)
SETTINGS = Settings()
TYPES = [kernel.entity_type for kernel in kernels.EVERYWHERE]
EXAMPLES = {
    kind: [text for spec in specs.by_entity()[kind] for text in (*spec.match, *spec.no_match)]
    for kind in TYPES
}

_digits = st.text("0123456789", min_size=4, max_size=19)
cells = st.one_of(
    st.sampled_from([text for texts in EXAMPLES.values() for text in texts]),
    st.text("0123456789 -+().:/", max_size=24),
    st.text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", min_size=15, max_size=19),
    st.from_regex(r"\A[a-zäé0-9._+-]{1,12}@[a-z0-9.-]{1,12}\.(com|png|de|museum|js)\Z"),
    st.from_regex(r"\A[45][0-9]{3}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}\Z"),
    st.from_regex(r"\A[0-9]{1,3}(\.[0-9]{1,3}){3}\Z"),
    st.from_regex(r"\A[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}\Z"),
    st.from_regex(r"\A(DE|GB|FR|XX)[0-9]{2}[A-Z0-9]{10,26}\Z"),
    st.builds(lambda a, b: f"{a}, {b}", st.text(max_size=12), st.sampled_from(EXAMPLES["EMAIL_ADDRESS"])),
    _digits,
    st.text(max_size=20),
)


def _cells(values: list[str]) -> Cells:
    array = pa.array(values, pa.large_string())
    return Cells.of(array, np.arange(1, len(values) + 1), HASHER)


def _fast(kind: str, made: Cells) -> dict[str, bool]:
    everything = np.ones(len(made.values), dtype=bool)
    possible = kernels.by_type()[kind].possible(made, everything)
    found, _ = kernels.matches(kind, made, possible, SETTINGS)
    return dict(zip(made.values.to_pylist(), (bool(each) for each in found), strict=True))


@pytest.mark.parametrize("kind", TYPES)
def test_examples_are_judged_alike(kind: str) -> None:
    """Every example of every rule, for this type: vectors and Presidio agree."""
    values = sorted({text for texts in EXAMPLES.values() for text in texts})
    made = _cells(values)
    seen = made.values.to_pylist()
    expected = dict(zip(seen, presidio.engine(SETTINGS).judge(kind, seen), strict=True))
    assert _fast(kind, made) == expected


@pytest.mark.parametrize("kind", TYPES)
@settings(max_examples=40)
@example(values=["40°26'46\"N 79°58'56\"W", "1.5 2.5"])
@example(values=["1M8GDM9AXKP042788", "4111 1111 1111 1111", "a@b.js", "0.0.0.0", "::1", "12.5, 13.75"])
@example(values=["1HGCM82633A004353", "jane.roe@example.com", "0" * 14])
@given(values=st.lists(cells, min_size=1, max_size=12))
def test_any_cells_are_judged_alike(kind: str, values: list[str]) -> None:
    """Generated columns: the fast path finds something exactly where Presidio does."""
    made = _cells(values)
    seen = made.values.to_pylist()
    if seen:
        expected = dict(zip(seen, presidio.engine(SETTINGS).judge(kind, seen), strict=True))
        assert _fast(kind, made) == expected


@given(
    values=st.lists(
        st.from_regex(kernels.CLOSED.replace(r"\A", "").replace(r"\z", r"\Z"), fullmatch=True),
        min_size=1,
        max_size=8,
    )
)
def test_closed_shapes_hold_nothing(values: list[str]) -> None:
    """A date, a plain number, a UUID: what lets a column go early never holds what a kernel would find."""
    made = _cells(values)
    for kind in TYPES:
        assert not any(_fast(kind, made).values()), kind


def test_repeated_values_count_every_row() -> None:
    """A dictionary of values still counts rows, and names the rows asked for."""
    made = _cells(["a@example.org", "", "b"] * 400)
    assert made.counts is not None
    found, _ = kernels.matches("EMAIL_ADDRESS", made, np.ones(len(made.values), dtype=bool), SETTINGS)
    assert made.count(found) == 400
    assert made.first_rows(found, 3) == (1, 4, 7)
    assert (made.filled, made.rows) == (800, 1200)
