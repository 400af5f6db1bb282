"""The cells of one column of one chunk, made ready for kernels.

Blank cells are put aside, and where values repeat the kernels see each distinct one once, with its count.
Every row counts; nothing is sampled here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scanner.detect.hashing import ColumnHasher, Hashes, string_buffers

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]

_PROBE = 1_024
_REPEATS = 0.5
_BLANKS = np.zeros(256, dtype=bool)
_BLANKS[[9, 10, 11, 12, 13, 32]] = True
_DIGITS = np.zeros(256, dtype=np.int32)
_DIGITS[48:58] = 1


@dataclass
class Cells:
    """Distinct or plain values of a column chunk.

    Attributes:
        values: string array without nulls and blanks.
        counts: occurrences of each value; None where every value stands for one row.
        codes: for each non-blank row the index of its value; None where they are one to one.
        row_ids: the table's row numbers of the non-blank rows.
        rows: cells of the chunk, blank ones included.
    """

    values: pa.Array
    counts: NDArray[np.int64] | None
    codes: NDArray[np.int64] | None
    row_ids: Rows
    rows: int
    hasher: ColumnHasher

    @classmethod
    def of(cls, array: pa.Array, row_ids: Rows, hasher: ColumnHasher) -> Cells:
        """The cells of a string array that may hold nulls and blanks.

        Args:
            array: string or large_string array.
            row_ids: table row number of each cell.
            hasher: hashes values for distinct counts.
        """
        rows = len(array)
        keep = _not_blank(array)
        if keep is not None:
            array = array.filter(pa.array(keep))
            row_ids = row_ids[keep]
        if not _repeats(array):
            return cls(array, None, None, row_ids, rows, hasher)
        encoded = array.dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        counts = np.bincount(codes, minlength=len(encoded.dictionary)).astype(np.int64)
        return cls(encoded.dictionary, counts, codes, row_ids, rows, hasher)

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return len(self.row_ids)

    @cached_property
    def hashes(self) -> Hashes:
        """A keyed hash for each of ``values``."""
        return self.hasher.hash(self.values)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each of ``values``."""
        return np.diff(string_buffers(self.values)[1])

    @cached_property
    def histogram(self) -> NDArray[np.int64]:
        """How often each byte occurs in ``values``: 256 counts."""
        data, offsets = string_buffers(self.values)
        return np.bincount(data[offsets[0] : offsets[-1]], minlength=256)

    @cached_property
    def digits(self) -> NDArray[np.int32]:
        """ASCII digits in each of ``values``."""
        if not self.histogram[48:58].any():
            return np.zeros(len(self.values), np.int32)
        data, offsets = string_buffers(self.values)
        prefix = np.zeros(int(offsets[-1] - offsets[0]) + 1, dtype=np.int32)
        np.cumsum(_DIGITS[data[offsets[0] : offsets[-1]]], out=prefix[1:])
        at = offsets - offsets[0]
        return np.asarray(prefix[at[1:]] - prefix[at[:-1]], dtype=np.int32)

    def search(self, pattern: str, among: Mask | None = None) -> Mask:
        """Which values an RE2 pattern finds something in; only those ``among`` are looked at."""
        if among is None:
            return _mask(pc.match_substring_regex(self.values, pattern))
        out = np.zeros(len(self.values), dtype=bool)
        if among.any():
            chosen = self.values.filter(pa.array(among))
            out[among] = _mask(pc.match_substring_regex(chosen, pattern))
        return out

    def count(self, mask: Mask) -> int:
        """Rows whose value is in ``mask``."""
        if self.counts is None:
            return int(np.count_nonzero(mask))
        return int(self.counts[mask].sum())

    def first_rows(self, mask: Mask, limit: int) -> tuple[int, ...]:
        """The first row numbers whose value is in ``mask``."""
        if not limit:
            return ()
        rows = mask if self.codes is None else mask[self.codes]
        return tuple(int(row) for row in np.sort(self.row_ids[rows])[:limit])

    def take(self, indices: NDArray[np.int64]) -> list[str]:
        """The values at ``indices``."""
        taken: list[str] = self.values.take(pa.array(indices)).to_pylist()
        return taken


def _not_blank(array: pa.Array) -> Mask | None:
    """Which cells hold something, or None where all do."""
    filled = None
    if array.null_count:
        filled = _mask(pc.is_valid(array))
        array = pc.fill_null(array, "")
    data, offsets = string_buffers(array)
    lengths = np.diff(offsets)
    short = lengths == 0
    # Only a cell that begins with white space can be all white space.
    begins = np.zeros(len(array), dtype=bool)
    some = ~short
    begins[some] = _BLANKS[data[offsets[:-1][some]]]
    if begins.any():
        at = np.flatnonzero(begins)
        trimmed = pc.utf8_trim_whitespace(array.take(pa.array(at)))
        short[at] = _mask(pc.equal(trimmed, ""))
    if not short.any() and filled is None:
        return None
    kept: Mask = ~short if filled is None else filled & ~short
    return kept


def _repeats(array: pa.Array) -> bool:
    """Whether values repeat enough in a probe to make a dictionary worth its price."""
    if len(array) < 64:
        return False
    probe = array.slice(0, _PROBE)
    return len(pc.unique(probe)) < _REPEATS * len(probe)


def _mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)
