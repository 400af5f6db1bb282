"""Keyed 64-bit hashes of whole columns, in numpy.

A polynomial hash modulo 2^64 over keyed random byte codes, finished with the mixing step of splitmix64
(Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). All cells of an Arrow string
array are hashed with prefix sums over its one contiguous buffer: some 4 ns a byte, no Python per cell.

The hashes count distinct values within one scan, whose random key is never written anywhere. They are not
cryptographic and must not be stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_BLOCK_BYTES = 1 << 15


class ColumnHasher:
    """Hashes string arrays under one key.

    Args:
        key: at least 16 random bytes; equal keys give equal hashes in every process.
    """

    def __init__(self, key: bytes) -> None:
        rng = np.random.Generator(np.random.PCG64(int.from_bytes(key, "big")))
        self._codes = rng.integers(1, 1 << 63, 256, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        # Upper-case ASCII letters share the codes of the lower-case ones: values are compared without case.
        self._codes[65:91] = self._codes[97:123]
        self._base = np.uint64(int(rng.integers(1 << 40, 1 << 62)) * 2 + 1)
        self._inverse = np.uint64(pow(int(self._base), -1, 1 << 64))
        self._salt = np.uint64(int(rng.integers(1, 1 << 63)))
        self._powers = _powers(self._base, 1 << 16)
        self._inverses = _powers(self._inverse, 1 << 16)

    def hash(self, array: pa.Array) -> Hashes:
        """One hash for each cell of a string array without nulls; ASCII case is ignored.

        Args:
            array: string or large_string, no nulls.
        """
        data, offsets = string_buffers(array)
        out = np.empty(len(array), dtype=np.uint64)
        start = 0
        while start < len(array):
            limit = int(offsets[start]) + _BLOCK_BYTES
            stop = max(start + 1, int(np.searchsorted(offsets, limit, side="right")) - 1)
            out[start:stop] = self._block(data, offsets[start : stop + 1])
            start = stop
        return out

    def _block(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Hashes:
        first, last = int(offsets[0]), int(offsets[-1])
        size = last - first
        self._grow(size + 1)
        terms = self._codes[data[first:last]]
        terms *= self._powers[:size]
        prefix = np.empty(size + 1, dtype=np.uint64)
        prefix[0] = 0
        np.cumsum(terms, out=prefix[1:])
        begins = offsets[:-1] - first
        ends = offsets[1:] - first
        hashes = (prefix[ends] - prefix[begins]) * self._inverses[begins]
        return _mix(hashes + (ends - begins).astype(np.uint64) * self._salt)

    def _grow(self, size: int) -> None:
        if size > len(self._powers):
            self._powers = _powers(self._base, size)
            self._inverses = _powers(self._inverse, size)


def string_buffers(array: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes and the offsets (int64, one more than cells) of a string or large_string array."""
    if len(array) == 0:
        return np.empty(0, np.uint8), np.zeros(1, np.int64)
    buffers = array.buffers()
    width = np.int64 if pa.types.is_large_string(array.type) else np.int32
    offsets = np.frombuffer(buffers[1], dtype=width)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(buffers[2], dtype=np.uint8) if buffers[2] is not None else np.empty(0, np.uint8)
    return data, offsets.astype(np.int64)


def _powers(base: np.uint64, count: int) -> Hashes:
    factors = np.full(count, base, dtype=np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _mix(hashes: Any) -> Hashes:
    hashes ^= hashes >> np.uint64(30)
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    hashes ^= hashes >> np.uint64(27)
    hashes *= np.uint64(0x94D049BB133111EB)
    hashes ^= hashes >> np.uint64(31)
    return np.asarray(hashes, dtype=np.uint64)
