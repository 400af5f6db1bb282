"""Keyed 64-bit hashes of whole columns.

Each cell is read in words of eight bytes, all cells of a string array at once. A word is multiplied by a
keyed factor of its place, shifted and multiplied again; the sum over a cell's words and its length is ended
with the mixing step of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
2014). No Python per cell: `scanner.native` where it was compiled, else numpy, with the same hashes.

The hashes count distinct values within one scan, whose random key is never written anywhere, or within all
that is scanned for a ledger, under a key made from the installation's. They are not cryptographic and must
not be stored as they are (`scanner.ledger.undoing` enciphers the few that it keeps).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner import native

Hashes = NDArray[np.uint64]

_WORD = 8
#: Bytes hashed together: what fits the processor's cache beside the hashes.
_BLOCK_BYTES = 1 << 19
#: ``_MASKS[n]`` keeps the first n bytes of a little-endian word.
_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(_WORD + 1)], dtype=np.uint64)


class ColumnHasher:
    """Hashes string arrays under one key.

    Args:
        key: at least 16 random bytes; equal keys give equal hashes in every process.
    """

    def __init__(self, key: bytes) -> None:
        # `numpy.random` would do too, and takes longer to import than a small scan uses this class.
        drawn = np.frombuffer(hashlib.blake2b(key, digest_size=4 * _WORD).digest(), "<u8")
        self._salt = drawn[0]
        # Odd factors lose nothing.
        odd = drawn[1:] * np.uint64(2) + np.uint64(1)
        self._second, self._length = odd[:2]
        self._factor = int(odd[2])

    def hash(self, array: pa.Array) -> Hashes:
        """One hash for each cell of a string array without nulls; ASCII case is ignored.

        Args:
            array: string or large_string, no nulls.
        """
        data, offsets = string_buffers(array)
        return self.hash_buffers(data, offsets)

    def hash_buffers(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Hashes:
        """The same of `string_buffers`."""
        if native.ready():
            drawn = np.array([self._salt, self._second, self._length, self._factor], dtype=np.uint64)
            return native.hashes(data, offsets, drawn)
        out = np.empty(len(offsets) - 1, dtype=np.uint64)
        for start, stop in blocks(offsets, _BLOCK_BYTES):
            out[start:stop] = self._block(data, offsets[start : stop + 1])
        return out

    def _block(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Hashes:
        first = int(offsets[0])
        words = _words(data[first : int(offsets[-1])])
        places = offsets[:-1] - first
        left = np.diff(offsets)
        hashes = left.astype(np.uint64) * self._length
        hashes ^= self._salt
        factor = self._factor
        chosen: NDArray[np.int64] | None = None
        while True:
            terms = self._terms(words[places], left, factor)
            if chosen is None:
                hashes += terms
            else:
                hashes[chosen] += terms
            left -= _WORD
            going_on = left > 0
            count = np.count_nonzero(going_on)
            if not count:
                return _finish(hashes)
            if count * 2 < len(left):  # what has ended adds nothing, so it may stay while it is not much
                kept = np.flatnonzero(going_on)
                chosen = kept if chosen is None else chosen[kept]
                places, left = places[kept], left[kept]
            places += _WORD
            np.minimum(places, len(words) - 1, out=places)
            factor = factor * self._factor % (1 << 64)

    def _terms(self, words: Hashes, left: NDArray[np.int64], factor: int) -> Hashes:
        """What a word adds to its cell's hash; nothing where nothing of the cell is ``left``."""
        if int(left.min()) < _WORD:
            words &= _MASKS[np.clip(left, 0, _WORD)]
        words *= np.uint64(factor)
        words ^= words >> np.uint64(32)
        words *= self._second
        return words


def blocks(offsets: NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """Runs of cells (first, behind the last) of no more than ``size`` bytes, or of one cell."""
    start, count = 0, len(offsets) - 1
    while start < count:
        stop = max(start + 1, int(np.searchsorted(offsets, int(offsets[start]) + size, side="right")) - 1)
        yield start, stop
        start = stop


def _words(data: NDArray[np.uint8]) -> Hashes:
    """The eight bytes from each place on as a number, ASCII capitals made small; zeros follow the end."""
    padded = np.zeros(len(data) + _WORD, dtype=np.uint8)
    small = padded[: len(data)]
    np.less(data - np.uint8(65), np.uint8(26), out=small.view(np.bool_))
    small *= np.uint8(32)
    small |= data
    return np.ndarray((len(data) + 1,), "<u8", padded.data, strides=(1,))


def string_buffers(array: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes and the offsets (int64, one more than cells) of a string or large_string array."""
    if len(array) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    buffers = array.buffers()
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    offsets = np.frombuffer(buffers[1], dtype=width)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] is not None else np.empty(0, np.uint8)
    return data, offsets.astype(np.int64)


def _finish(hashes: Any) -> Hashes:
    hashes ^= hashes >> np.uint64(30)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    hashes ^= hashes >> np.uint64(31)
    return np.asarray(hashes, dtype=np.uint64)
