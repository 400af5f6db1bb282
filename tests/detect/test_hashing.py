"""Keyed hashes of columns: equal for equal values, whatever the block, the offset or the case."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import hashing
from scanner.detect.hashing import ColumnHasher

HASHER = ColumnHasher(b"k" * 16)
texts = st.lists(st.text(max_size=40), min_size=1, max_size=60)


@given(texts)
def test_equal_values_have_equal_hashes_and_others_not(values: list[str]) -> None:
    """Two cells hash alike exactly where they are equal, ASCII case aside."""
    folded = ["".join(c.lower() if c.isascii() else c for c in value) for value in values]
    hashes = HASHER.hash(pa.array(values))
    assert len(set(hashes.tolist())) == len(set(folded))
    assert (HASHER.hash(pa.array(folded)) == hashes).all()


@given(texts, st.integers(1, 64))
def test_blocks_and_slices_make_no_difference(values: list[str], block: int) -> None:
    """Hashing in small blocks, from a slice, or as large_string gives the same."""
    array = pa.array(["x", *values])
    whole = HASHER.hash(array)[1:]
    before = hashing._BLOCK_BYTES
    hashing._BLOCK_BYTES = block
    try:
        assert (HASHER.hash(array.slice(1)) == whole).all()
    finally:
        hashing._BLOCK_BYTES = before
    assert (HASHER.hash(array.cast(pa.large_string()).slice(1)) == whole).all()


def test_another_key_gives_other_hashes() -> None:
    """Without the key nobody can tell which value a hash is of."""
    array = pa.array(["someone@example.org", "", "a"])
    other = ColumnHasher(b"l" * 16).hash(array)
    assert not (HASHER.hash(array)[[0, 2]] == other[[0, 2]]).any()


def test_no_collisions_among_many_similar_values() -> None:
    """A million consecutive numbers have a million hashes, evenly spread."""
    hashes = HASHER.hash(pa.array([str(number) for number in range(1_000_000)]))
    assert len(np.unique(hashes)) == 1_000_000
    assert abs((hashes < np.uint64(1 << 63)).mean() - 0.5) < 0.01
