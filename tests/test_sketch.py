"""Sets of hashes: exact while small, within their error when large, the same in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import sketch

hashes = st.lists(st.integers(0, 2**64 - 1), max_size=60)


def _of(values: list[int]) -> sketch.Distinct:
    return sketch.of(np.array(values, dtype=np.uint64))


@given(hashes, hashes, hashes)
def test_union_is_a_monoid(a: list[int], b: list[int], c: list[int]) -> None:
    """Associative, commutative, idempotent, with the empty set as its neutral element."""
    left, middle, right = _of(a), _of(b), _of(c)
    assert (left | middle) | right == left | (middle | right)
    assert left | middle == middle | left
    assert left | left == left
    assert left | sketch.EMPTY == left


@given(hashes, hashes, st.integers(1, 20))
def test_union_is_a_monoid_when_hashes_are_dropped(a: list[int], b: list[int], capacity: int) -> None:
    """Also beyond the capacity the pieces give what the whole gives, in either order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketch, "CAPACITY", capacity)
        assert _of(a) | _of(b) == _of(b) | _of(a) == _of(a + b)


@given(hashes)
def test_count_is_exact_below_the_capacity(values: list[int]) -> None:
    """A small set counts its distinct values and has no interval."""
    made = _of(values)
    assert made.exact
    assert made.count == len(set(values))
    assert made.bounds() == (made.count, made.count)


def test_large_sets_are_estimated_within_their_bounds() -> None:
    """A million values in a set of 65,536 hashes: within one percent, and the truth lies in the interval."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketch, "CAPACITY", 65_536)
        values = np.random.default_rng(7).integers(0, 2**64 - 1, 1_000_000, dtype=np.uint64)
        parts = [sketch.of(part) for part in np.array_split(values, 13)]
        united = sketch.union(parts)
    truth = len(np.unique(values))
    low, high = united.bounds(3)
    assert not united.exact
    assert abs(united.count - truth) < 0.01 * truth
    assert low <= truth <= high


def test_intersection_counts_common_values() -> None:
    """What two sets share, exact while both are."""
    assert sketch.intersection_count(_of([1, 2, 3, 9]), _of([2, 9, 11])) == 2
