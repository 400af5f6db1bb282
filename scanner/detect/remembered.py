"""A bounded memory of what texts hold, so that one that comes again is not read again."""

from __future__ import annotations

from typing import Generic, TypeVar

_Found = TypeVar("_Found")


class Remembered(Generic[_Found]):
    """What was found in each of the latest texts.

    There are two halves: when the newer one is full it becomes the older one, and what was in that is
    forgotten unless it was asked for in between.

    Args:
        characters: that all texts together have at most.
        longest: characters of a text that is worth keeping.
    """

    def __init__(self, characters: int, longest: int) -> None:
        self._half, self._longest = characters // 2, longest
        self._new: dict[str, _Found] = {}
        self._old: dict[str, _Found] = {}
        self._room = self._half

    def get(self, text: str) -> _Found | None:
        """What was found in a text; None where it is not known (any more)."""
        found = self._new.get(text)
        if found is None and (found := self._old.pop(text, None)) is not None:
            self.put(text, found)
        return found

    def put(self, text: str, found: _Found) -> None:
        """Keep what was found in a text."""
        if len(text) > self._longest or text in self._new:
            return
        if len(text) + _EACH > self._room:
            self._old, self._new, self._room = self._new, {}, self._half
        self._new[text] = found
        self._room -= len(text) + _EACH


#: What an entry takes beside its text, in characters.
_EACH = 100
