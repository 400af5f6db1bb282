"""Loops over the bytes of cells, compiled from ``native.c`` where a C compiler was there at installation.

Everything here can be done without them, by numpy and RE2, and is where there is no library: slower, with
the same results, which tests hold them to. `ready` tells which; ``SHAREWATCH_NATIVE=0`` in the environment
does without.

Cells are given as all their bytes and their offsets in these (int64, one more than cells). What does not
fit the buffers is refused by the library before it reads anything.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Where the build puts it.
LIBRARY = Path(__file__).with_name("_native.so")
#: Bytes of a cell that `counts` can count.
COUNTED = 255
#: Classes that `counts` tells apart.
LANES = 8
#: Environment variable that switches the library off with the value 0.
VARIABLE = "SHAREWATCH_NATIVE"
_TOO_LONG = 1
_P, _I = ctypes.c_void_p, ctypes.c_int64
_CELLS = (_P, _I, _P, _I)
_FUNCTIONS = {
    "hash": (*_CELLS, _P, _P),
    "words": (*_CELLS, _P, _I, ctypes.c_uint64, _P),
    "count": (*_CELLS, _P, _P, _P),
    "holding": (*_CELLS, _P, _P),
    "runs": (*_CELLS, _P, _P, _I, _P),
    "emails": (*_CELLS, _P, _P),
    "vins": (*_CELLS, _P, _P, _P, _P),
}


@cache
def library() -> ctypes.CDLL | None:
    """The compiled loops; None where they were not built, do not fit this machine, or are switched off."""
    if os.environ.get(VARIABLE) == "0" or not LIBRARY.exists():
        return None
    try:
        loaded = ctypes.CDLL(str(LIBRARY))
        for name, arguments in _FUNCTIONS.items():
            function = getattr(loaded, f"sharewatch_{name}")
            function.argtypes, function.restype = arguments, ctypes.c_int
        loaded.sharewatch_source.restype = ctypes.c_char_p
    except (OSError, AttributeError):
        return None
    return loaded


def ready() -> bool:
    """Whether the compiled loops are there."""
    return library() is not None


def source() -> str | None:
    """The SHA-256 of the text that the library was compiled from; None where there is no library."""
    loaded = library()
    return None if loaded is None else str(loaded.sharewatch_source().decode("ascii"))


def hashes(data: Bytes, offsets: Offsets, drawn: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keyed hash of each cell; see `scanner.detect.hashing`.

    Args:
        data: all bytes.
        offsets: where cells begin.
        drawn: salt, second factor, factor of the length, factor of a word's place.

    Raises:
        ValueError: the offsets do not fit the bytes.
    """
    out = np.empty(len(offsets) - 1, dtype=np.uint64)
    _run("hash", data, offsets, np.ascontiguousarray(drawn, np.uint64), out)
    return out


def words(data: Bytes, offsets: Offsets, factors: NDArray[np.uint64], of_length: int) -> NDArray[np.uint64]:
    """The hash of each word; see `scanner.detect.lexicon.hash_words`.

    Raises:
        ValueError: the offsets do not fit the bytes.
    """
    out = np.empty(len(offsets) - 1, dtype=np.uint64)
    _run("words", data, offsets, factors, len(factors), of_length, out)
    return out


def counts(
    data: Bytes, offsets: Offsets, classes: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.int64]] | None:
    """How many bytes of each class each cell has, and all cells together.

    Args:
        data: all bytes.
        offsets: where cells begin.
        classes: for each of the 256 byte values, ``1 << 8 * lane`` of the class it belongs to.

    Returns:
        For each cell its counts, lane by lane in one number; and the sum of each lane. None where a cell has
        more than `COUNTED` bytes.

    Raises:
        ValueError: the offsets do not fit the bytes.
    """
    out = np.empty(len(offsets) - 1, dtype=np.uint64)
    totals = np.empty(LANES, dtype=np.int64)
    status = _run("count", data, offsets, classes, out, totals)
    return None if status == _TOO_LONG else (out, totals)


def holding(data: Bytes, offsets: Offsets, wanted: Flags) -> Flags:
    """Which cells hold a byte that ``wanted`` (256 flags) has.

    Raises:
        ValueError: the offsets do not fit the bytes.
    """
    out = np.empty(len(offsets) - 1, dtype=np.bool_)
    _run("holding", data, offsets, wanted, out)
    return out


def runs(data: Bytes, offsets: Offsets, among: Flags, wanted: Flags, length: int) -> Flags:
    """Which cells ``among`` have ``length`` bytes of ``wanted`` (256 flags) one after the other.

    Raises:
        ValueError: the offsets do not fit the bytes, or the length is none.
    """
    out = np.empty(len(offsets) - 1, dtype=np.bool_)
    _run("runs", data, offsets, _flags(among, out), wanted, length, out)
    return out


def emails(data: Bytes, offsets: Offsets, among: Flags) -> Flags:
    """Which cells ``among`` are what `scanner.detect.vectors.EMAIL` matches.

    Raises:
        ValueError: the offsets do not fit the bytes.
    """
    out = np.empty(len(offsets) - 1, dtype=np.bool_)
    _run("emails", data, offsets, _flags(among, out), out)
    return out


def vins(data: Bytes, offsets: Offsets, among: Flags, codes: NDArray[np.uint16], weights: Bytes) -> Flags:
    """Which cells ``among`` are a vehicle's number, by the tables of `scanner.detect.vectors`.

    Raises:
        ValueError: the offsets do not fit the bytes.
    """
    out = np.empty(len(offsets) - 1, dtype=np.bool_)
    _run("vins", data, offsets, _flags(among, out), codes, weights, out)
    return out


def _flags(given: Flags, like: Flags) -> Flags:
    if given.shape != like.shape:
        raise ValueError("not one flag for each cell")
    return np.ascontiguousarray(given, np.bool_)


def _run(name: str, data: Bytes, offsets: Offsets, *more: NDArray[Any] | int) -> int:
    """Call a function; its arrays are named here, as an address alone would not keep one alive."""
    loaded = library()
    assert loaded is not None, "ask `ready` first"
    data, offsets = np.ascontiguousarray(data, np.uint8), np.ascontiguousarray(offsets, np.int64)
    rest = [each if isinstance(each, int) else _at(each) for each in more]
    status: int = getattr(loaded, f"sharewatch_{name}")(
        _at(data), data.size, _at(offsets), len(offsets) - 1, *rest
    )
    if status < 0:
        raise ValueError("cells do not fit their bytes")
    return status


def _at(array: NDArray[Any]) -> int:
    assert array.flags.c_contiguous, "the library reads arrays without gaps"
    return int(array.__array_interface__["data"][0])
