"""Evidence is a monoid: pieces merge in any order into the same result."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner import sketch
from scanner.detect.tally import SAMPLE, Found, Tally, smallest

numbers = st.integers(0, 50)


@st.composite
def founds(draw: st.DrawFn) -> Found:
    """Any `Found` that chunks can give: its samples and rows bounded as a builder bounds them."""
    hashes = draw(st.lists(st.integers(0, 2**64 - 1), max_size=8))
    samples = sorted({value: f"m{value}" for value in draw(st.lists(numbers, max_size=6))}.items())[:3]
    rows = sorted(set(draw(st.lists(st.integers(1, 99), max_size=6))))[:2]
    return Found(
        draw(numbers), draw(numbers), sketch.of(np.array(hashes, np.uint64)), tuple(samples), tuple(rows)
    )


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    """Any `Tally`."""
    sample = {key: f"v{key}" for key in draw(st.lists(numbers, max_size=5))}
    found = draw(st.dictionaries(st.sampled_from(["PERSON", "EMAIL_ADDRESS"]), founds(), max_size=2))
    return Tally(draw(numbers), draw(numbers), draw(numbers), sample, found)


def _merge(left: Tally, right: Tally) -> Tally:
    return left.merge(right, samples=3, locate=2)


@given(tallies(), tallies(), tallies())
def test_merging_is_associative_and_commutative(a: Tally, b: Tally, c: Tally) -> None:
    """Chunks, workers and machines may finish in any order."""
    assert _merge(_merge(a, b), c) == _merge(a, _merge(b, c))
    assert _merge(a, b) == _merge(b, a)


@given(tallies())
def test_nothing_is_neutral(tally: Tally) -> None:
    """A column that has not been seen changes nothing."""
    assert _merge(tally, Tally()) == tally == _merge(Tally(), tally)


def test_the_sample_is_bounded_and_uniform_over_distinct_values() -> None:
    """Of many values those with the smallest hashes are kept, from whichever side they come."""
    left = {key: str(key) for key in range(0, 2 * SAMPLE, 2)}
    right = {key: str(key) for key in range(1, 2 * SAMPLE, 2)}
    assert sorted(smallest(left, right)) == list(range(SAMPLE))
