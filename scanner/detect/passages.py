"""Which passages of a text the language model must read: those where it could find what counts.

A model reads some fifty kilobytes a second. What it finds only counts where `scanner.detect.names` believes
it: two capitalised words of which one may be a name, a single one that the lexicons know, a place. A passage
without any of these is not worth its time, and neither is one whose names are known already. What that loses
beside a model that reads everything is measured by ``python -m bench.text --cascade``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Any

from scanner.detect import names

#: Characters of a passage at most; the model looks no further than a few words to each side.
_WIDEST = 400
#: A word in capitals of up to this length is an abbreviation unless it is known.
_ABBREVIATION = 5


def passages(text: str, english: bool, settled: Sequence[tuple[int, int]] = ()) -> list[tuple[int, int]]:
    """The passages to read, as ``(start, end)``, ascending and apart from one another.

    Args:
        text: the whole text.
        english: whether the language is one in which a lone unknown word may be a place.
        settled: names found for sure without a model; for the words in them it is not asked.
    """
    found: list[tuple[int, int]] = []
    begins = sorted(settled)
    # How far the settled names reach that begin no later than each of them.
    reach = list(accumulate((last for _, last in begins), max))
    for start, end in _candidates(text, english):
        before = bisect_right(begins, start, key=lambda span: span[0])
        if before and end <= reach[before - 1]:
            continue
        if found and end <= found[-1][1]:
            continue
        first, last = _sentence(text, start, end)
        if found and first < found[-1][1]:
            first = found[-1][0]
            found.pop()
        found.append((first, last))
    return found


def _candidates(text: str, english: bool) -> Iterator[tuple[int, int]]:
    """Capitalised words that may be a name or a place, alone or beside one another."""
    words = [(match.start(), match.end()) for match in _capitalised().finditer(text)]
    for index, (start, end) in enumerate(words):
        word = text[start:end]
        beside = index + 1 < len(words) and _joins(text, end, words[index + 1][0])
        after = index > 0 and _joins(text, words[index - 1][1], start)
        kind = names.word_kind(word)
        if kind == "dull":
            continue
        lone = english and not _begins_sentence(text, start) and not _is_abbreviation(word)
        if kind == "known" or beside or after or lone:
            yield start, end


def _joins(text: str, end: int, start: int) -> bool:
    """Whether nothing but blanks, a particle or an initial's point lies between two words."""
    between = text[end:start].strip(" .\u00a0\n\t").lower()
    return start - end <= 8 and (not between or between in names.particles())


def _is_abbreviation(word: str) -> bool:
    return len(word) <= _ABBREVIATION and word.isupper()


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 3) : start].rstrip(" \t\u00a0\"'“„»(>-*")
    return not before or before[-1] in ".!?:\n"


@cache
def _capitalised() -> Any:
    import regex

    return regex.compile(rf"(?<![\p{{L}}\p{{N}}_@.]){names.CAPITALISED}")


@cache
def _ends() -> Any:
    import regex

    return regex.compile(r"[.!?](?=[ \n])(?<!\b\p{L}{1,3}\.)|\n")


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence or line around a word, within `_WIDEST` characters."""
    lowest, highest = max(0, start - _WIDEST // 2), min(len(text), end + _WIDEST // 2)
    first = max((match.end() for match in _ends().finditer(text, lowest, start)), default=None)
    if first is None:  # no end before it: from the next blank on, where the text is cut
        first = lowest if not lowest else min(start, text.find(" ", lowest, start) + 1 or start)
    match = _ends().search(text, end, highest)
    if match is not None:
        return first, match.end()
    return first, highest if highest == len(text) else max(end, text.rfind(" ", end, highest))
