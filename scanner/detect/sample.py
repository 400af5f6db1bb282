"""A column's sample of distinct values, made ready once for all tests: folded, cut into words, counted.

Every property is computed when first asked for and kept. Arrays have one entry for each value, or one for
each word where the name says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.detect.lexicon import bit, memberships

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]

#: Where words end, beside white space: what joins names (``Mary-Jane``, ``Last, First``, ``J.R.``).
_BETWEEN = '-‐‑–,;./()"_'
#: Apostrophes end no word and are dropped, as entries of lexicons have it.
_WITHIN = "'`´ʼ‘’"
# What Python lowers otherwise than Arrow, as Turkish needs it; a Greek word's last letter is Python's.
_LOWER = str.maketrans({"İ": "i"})
_DIGITS = b"0123456789"
_ASCII_LETTERS = bytes([*range(65, 91), *range(97, 123)])
_LETTERS = bytes([*range(65, 91), *range(97, 123), *range(128, 256)])
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0)?")
_LONGEST_DATE = 60
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20|21)\d{2}(?!\d)")
_COMPACT = re.compile(r"((?:18|19|20)\d{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\.0)?")
_SHORT_YEAR = re.compile(r"\d{1,2}[./ -](?:\d{1,2}|[^\W\d_]{3,9})[./ -](\d{2})(?!\d)(?:\D.*)?")
_DECIMAL = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,3})?")


class Sample:
    """Distinct values of a column, none of them blank.

    Args:
        values: as read.
    """

    def __init__(self, values: Sequence[str]) -> None:
        self.values = [value.strip() for value in values]

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def joined(self) -> str:
        """All values in lower case, composed, a line each."""
        text = "\n".join(" ".join(value.splitlines()) if "\n" in value else value for value in self.values)
        if not text.isascii():
            text = unicodedata.normalize("NFC", text.translate(_LOWER).lower())
        else:
            text = text.lower()
        return text

    @cached_property
    def folded(self) -> list[str]:
        """The values as lexicons write their entries."""
        lines = self.joined.split("\n")[: len(self)]
        return [" ".join(line.split()) if "  " in line or "\t" in line else line for line in lines]

    @cached_property
    def _cut(self) -> tuple[list[str], Counts]:
        text = self.joined
        for character in _BETWEEN:
            text = text.replace(character, " ")
        for character in _WITHIN:
            text = text.replace(character, "")
        rows = [line.split() for line in text.split("\n")[: len(self)]]
        sizes = np.fromiter(map(len, rows), np.int64, len(rows))
        return [word for row in rows for word in row], sizes

    @property
    def words(self) -> list[str]:
        """The words of all values, folded, one after the other."""
        return self._cut[0]

    @property
    def sizes(self) -> Counts:
        """How many words each value has."""
        return self._cut[1]

    @cached_property
    def parents(self) -> Counts:
        """The value that each word is of."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @cached_property
    def word_lists(self) -> NDArray[np.uint16]:
        """The lexicons that hold each word, as bits."""
        return memberships(self.words)

    @cached_property
    def whole_lists(self) -> NDArray[np.uint16]:
        """The lexicons that hold each value as a whole, as bits."""
        return memberships(self.folded)

    @cached_property
    def long_words(self) -> Flags:
        """Which words have two letters and more."""
        return np.fromiter(map(len, self.words), np.int64, len(self.words)) > 1

    def word_in(self, *lists: str) -> Flags:
        """Which words any of the lexicons holds."""
        found: Flags = (self.word_lists & _bits(lists)) != 0
        return found

    def whole_in(self, *lists: str) -> Flags:
        """Which values, as a whole, any of the lexicons holds."""
        found: Flags = (self.whole_lists & _bits(lists)) != 0
        return found

    def count(self, words: Flags) -> Counts:
        """How many of the flagged words each value has."""
        return np.bincount(self.parents[words], minlength=len(self.values))

    @cached_property
    def _bytes(self) -> list[bytes]:
        return [value.encode("utf-8", "replace") for value in self.values]

    @cached_property
    def lengths(self) -> Counts:
        """Characters of each value."""
        return np.fromiter(map(len, self.values), np.int64, len(self.values))

    @cached_property
    def digits(self) -> Counts:
        """ASCII digits of each value."""
        return self._deleted(_DIGITS)

    @cached_property
    def letters(self) -> Counts:
        """ASCII letters of each value, and bytes of all other characters."""
        return self._deleted(_LETTERS)

    @cached_property
    def ascii_letters(self) -> Counts:
        """ASCII letters of each value."""
        return self._deleted(_ASCII_LETTERS)

    def _deleted(self, characters: bytes) -> Counts:
        return np.fromiter(
            (len(value) - len(value.translate(None, characters)) for value in self._bytes),
            np.int64,
            len(self._bytes),
        )

    def having(self, character: str) -> Flags:
        """Which values have a character."""
        return np.fromiter((character in value for value in self.values), np.bool_, len(self.values))

    def having_any(self, characters: str) -> Flags:
        """Which values have one of some characters."""
        out = self.having(characters[0])
        for character in characters[1:]:
            out |= self.having(character)
        return out

    @cached_property
    def numbered(self) -> Flags:
        """Which values may have a digit of any script; no other value has."""
        return (self.digits > 0) | np.fromiter(
            (not value.isascii() for value in self.values), np.bool_, len(self.values)
        )

    def matching(self, pattern: re.Pattern[str], among: Flags | None = None) -> Flags:
        """Which values a pattern matches from end to end; only those ``among`` are looked at."""
        return self._asked(pattern.fullmatch, among)

    def finding(self, pattern: re.Pattern[str], among: Flags | None = None) -> Flags:
        """Which values have a match of a pattern somewhere; only those ``among`` are looked at."""
        return self._asked(pattern.search, among)

    def beginning(self, pattern: re.Pattern[str], among: Flags | None = None) -> Flags:
        """Which values begin with a match of a pattern; only those ``among`` are looked at."""
        return self._asked(pattern.match, among)

    def _asked(self, ask: Callable[[str], object], among: Flags | None) -> Flags:
        values = self.values
        if among is None:
            return np.fromiter((ask(value) is not None for value in values), np.bool_, len(values))
        out = np.zeros(len(values), np.bool_)
        for index in np.flatnonzero(among).tolist():
            out[index] = ask(values[index]) is not None
        return out

    @cached_property
    def integers(self) -> Counts:
        """The values that are whole numbers (``7``, ``7.0``), sorted."""
        some = [self.values[index] for index in np.flatnonzero(self.numbered).tolist()]
        found = [int(float(v)) if "." in v else int(v) for v in some if _INTEGER.fullmatch(v)]
        return np.array(sorted(found), np.int64)

    @cached_property
    def numeric(self) -> Flags:
        """Which values are a number and nothing else."""
        return self.matching(_DECIMAL, self.numbered)

    @cached_property
    def years(self) -> Counts:
        """The years that dates and bare years name, sorted; two digits are of the last hundred years."""
        this = date.today().year  # noqa: DTZ011 # a year at most
        found = []
        for index in np.flatnonzero((self.digits >= 3) & (self.lengths <= _LONGEST_DATE)).tolist():
            value = self.values[index]
            if compact := _COMPACT.fullmatch(value):
                found.append(int(compact[1]))
            elif years := _YEAR.search(value):
                found.append(int(years[0]))
            elif short := _SHORT_YEAR.fullmatch(value):
                found.append(this - (this - int(short[1])) % 100)
        return np.array(sorted(found), np.int64)


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


@lru_cache(maxsize=64)
def _bits(lists: tuple[str, ...]) -> np.uint16:
    return np.uint16(sum(map(bit, lists)))


def sample_of(values: Sequence[str]) -> Sample:
    """The sample of some values: one object for the same values, so that tests share what they compute."""
    return _shared(tuple(values))


# Few: a column is judged at a time, and what is kept here is personal.
@lru_cache(maxsize=3)
def _shared(values: tuple[str, ...]) -> Sample:
    return Sample(values)
