"""Path patterns: ``**`` any folders, ``*`` and ``?`` within a name, ``[..]`` sets. Case matters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

_DEEP = "**"
#: Longest pattern, in characters: comparing two takes time with the product of their lengths.
_LONGEST = 1024
_T = TypeVar("_T")


class _Token(NamedTuple):
    """A piece of a name's pattern. ``char`` is None for what stands for several characters."""

    regex: str
    char: str | None = None

    @property
    def star(self) -> bool:
        return self.regex == "[^/]*"


def matches(path: str, pattern: str) -> bool:
    """Whether a path (``/`` between its parts) matches; a folder's pattern covers all that is below."""
    return _compiled(pattern).fullmatch(path.lstrip("/")) is not None


def fault(pattern: str) -> str | None:
    """What keeps a pattern from matching any file of a share, as the end of a sentence; None if nothing."""
    if len(pattern) > _LONGEST:
        return f"must not be longer than {_LONGEST:,} characters"
    parts = pattern.rstrip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "must be relative to the share's root, without '.', '..' or empty names"
    try:
        _compiled(pattern)
    except re.error:
        return "has a set of characters that is none, such as [z-a]"
    return None


def overlap(left: str, right: str) -> bool:
    """Whether some path may match both. Of two sets of characters it is assumed that they meet."""
    one, other = _names(left), _names(right)
    if one[0] != other[0] and _plain(one[0]) and _plain(other[0]):
        return False
    return _meet(one, other, lambda name: name == _DEEP, _names_meet)


def takes_all(wide: str, narrow: str) -> bool:
    """Whether all that matches ``narrow`` matches ``wide``; False where that is not plain to see."""
    outer, inner = _names(wide), _names(narrow)
    # Row i, column j: whether outer[i:] takes all that inner[j:] matches; filled from the ends.
    below: list[bool] = []
    for i in range(len(outer), -1, -1):
        row = [False] * (len(inner) + 1)
        for j in range(len(inner), -1, -1):
            if i == len(outer):
                row[j] = j == len(inner)
            elif outer[i] == _DEEP:
                row[j] = below[j] or (j < len(inner) and row[j + 1])
            elif j < len(inner) and inner[j] != _DEEP:
                row[j] = below[j + 1] and _name_takes(outer[i], inner[j])
        below = row
    return below[0]


def _meet(
    one: Sequence[_T], other: Sequence[_T], is_open: Callable[[_T], bool], same: Callable[[_T, _T], bool]
) -> bool:
    """Whether two sequences can stand for the same; what is open stands for any number, none included."""
    # Row i, column j: whether one[i:] and other[j:] can; filled from the ends, so depth does not matter.
    below: list[bool] = []
    for i in range(len(one), -1, -1):
        row = [False] * (len(other) + 1)
        for j in range(len(other), -1, -1):
            left, right = i < len(one), j < len(other)
            if (left and is_open(one[i])) or (right and is_open(other[j])):
                # The open one stands for nothing more, or swallows what the other side has next.
                row[j] = (left and below[j]) or (right and row[j + 1])
            elif left and right:
                row[j] = below[j + 1] and same(one[i], other[j])
            else:
                row[j] = not left and not right
        below = row
    return below[0]


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = pattern.strip("/").split("/")
    out = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == _DEEP:
            out.append(".*" if last else "(?:[^/]+/)*")
        else:
            out.append(_part(part) + ("(?:/.*)?" if last else "/"))
    return re.compile("".join(out), re.DOTALL)


def _part(part: str) -> str:
    return "".join(token.regex for token in _tokens(part))


def _tokens(part: str) -> Iterator[_Token]:
    position = 0
    while position < len(part):
        char = part[position]
        closing = part.find("]", position + 2) if char == "[" else -1
        if char == "*":
            yield _Token("[^/]*")
        elif char == "?":
            yield _Token("[^/]")
        elif closing > 0:
            yield _Token(_set(part[position + 1 : closing]))
            position = closing
        else:
            yield _Token(re.escape(char), char)
        position += 1


def _set(inside: str) -> str:
    # What regular expressions know in sets beyond ranges is escaped; a slash is never part of a name.
    negated = inside[0] in "!^"
    inside = re.sub(r"[\\\[&~|]|(?<=-)-", r"\\\g<0>", inside[negated:])
    return f"[^/{inside}]" if negated else f"[{inside}]"


@lru_cache(maxsize=4096)
def _names(pattern: str) -> tuple[str, ...]:
    """The pattern's parts, such that ``**`` may always stand for no name at all."""
    parts = pattern.strip("/").split("/")
    return (*parts[:-1], "*", _DEEP) if parts[-1] == _DEEP else (*parts, _DEEP)


@lru_cache(maxsize=65536)
def _names_meet(left: str, right: str) -> bool:
    """Whether some name may match both patterns of a name."""
    return _meet(tuple(_tokens(left)), tuple(_tokens(right)), lambda token: token.star, _tokens_meet)


def _tokens_meet(one: _Token, other: _Token) -> bool:
    if one.char is not None and other.char is not None:
        return one.char == other.char
    if one.char is not None:
        return re.fullmatch(other.regex, one.char, re.DOTALL) is not None
    return other.char is None or re.fullmatch(one.regex, other.char, re.DOTALL) is not None


def _name_takes(wide: str, narrow: str) -> bool:
    if wide in ("*", narrow):
        return True
    return _plain(narrow) and re.fullmatch(_part(wide), narrow, re.DOTALL) is not None


@lru_cache(maxsize=4096)
def _plain(name: str) -> bool:
    """Whether a name's pattern matches that one name only."""
    return all(token.char is not None for token in _tokens(name))
