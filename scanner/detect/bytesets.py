r"""Patterns that only ask which bytes a cell holds, read as sets of bytes.

``^[^0-9@]+$`` holds for a cell without those bytes, ``[a-z]`` for a cell with one of them: numpy answers that
for a whole column at once, faster by far than a regular expression matched cell by cell. Whatever is not
written like that is left to RE2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

_ALL = r"\^(?P<all>\[(?:\\.|[^\]\\])+\]|\\S)\+\$"
_ONE = r"(?P<one>\[(?:\\.|[^\]\\])+\]|\\S|\.)"
_FORM = re.compile(rf"(?:{_ALL}|{_ONE})")
# RE2's white space; its \S is everything else, and so every byte beyond ASCII.
_SPACE = b"\t\n\f\r "
_ITEM = re.compile(
    r"(?P<space>\\s)|(?P<hex>\\x(?P<code>[0-9a-fA-F]{2}))|\\(?P<escaped>[^\w\s])|(?P<plain>[^\\])"
)
#: Bytes between two ranges of a set that may be looked at as if they belonged to it.
_BRIDGED = 3


@dataclass(frozen=True, slots=True)
class ByteSet:
    """What a pattern asks of a cell's bytes.

    Attributes:
        flags: for each byte; where ``every``, those a cell must not hold, else those it must hold one of.
        every: whether the pattern is about every byte of the cell.
        ranges: the set as few ranges ``(first, width)``, which may hold some bytes more.
        wide: whether ``ranges`` does hold more.
    """

    flags: NDArray[np.bool_]
    every: bool
    ranges: tuple[tuple[int, int], ...]
    wide: bool

    def inside(self, data: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
        """Which bytes are of the set; None where none is."""
        found = np.zeros(len(data), dtype=bool)
        for first, width in self.ranges:
            found |= (data - np.uint8(first)) < np.uint8(width) if width < 256 else True
        if not found.any():
            return None
        if self.wide:
            at = np.flatnonzero(found)
            found[at] = self.flags[data[at]]
            if not found.any():
                return None
        return found


@cache
def read(pattern: str) -> ByteSet | None:
    """The pattern as a set of bytes, or None where it asks for more than that."""
    form = _FORM.fullmatch(pattern)
    if form is None:
        return None
    every = form["all"] is not None
    members = _members(form["all"] or form["one"])
    if members is None:
        return None
    if every:
        members = ~members
    ranges, wide = _ranges(members)
    return ByteSet(members, every, ranges, wide)


def _members(body: str) -> NDArray[np.bool_] | None:
    """The bytes of a class; None where it has some characters beyond ASCII and not the others."""
    flags = np.zeros(256, dtype=bool)
    if body == ".":
        flags[:] = True
        flags[10] = False
        return flags
    if body == r"\S":
        flags[:] = True
        flags[list(_SPACE)] = False
        return flags
    inner = body[1:-1]
    negated = inner.startswith("^")
    codes = _codes(inner.removeprefix("^"))
    if codes is None:
        return None
    flags[codes] = True
    return ~flags if negated else flags


def _codes(inner: str) -> list[int] | None:
    """The ASCII codes of the items of a class, None where one is not understood."""
    codes: list[int] = []
    position, ranged = 0, False
    while position < len(inner):
        if inner[position] == "-" and codes and position + 1 < len(inner) and not ranged:
            ranged = True
            position += 1
            continue
        item = _ITEM.match(inner, position)
        if item is None or inner[position] == "[":
            return None
        position = item.end()
        if item["space"]:
            if ranged:
                return None
            codes.extend(_SPACE)
            continue
        code = int(item["code"], 16) if item["hex"] else ord(item["escaped"] or item["plain"])
        if code > 127:
            return None
        codes.extend(range(codes[-1], code + 1) if ranged else (code,))
        ranged = False
    return None if ranged else codes


def _ranges(members: NDArray[np.bool_]) -> tuple[tuple[tuple[int, int], ...], bool]:
    """The members as ranges, near ones joined."""
    at = np.flatnonzero(members).tolist()
    joined: list[list[int]] = []
    for code in at:
        if joined and code - joined[-1][1] <= _BRIDGED:
            joined[-1][1] = code
        else:
            joined.append([code, code])
    ranges = tuple((first, last - first + 1) for first, last in joined)
    return ranges, sum(width for _, width in ranges) > len(at)
