r"""Many texts searched as one: for each RE2 pattern one pass over all of them, at the speed of its automaton.

Arrow compiles a pattern anew for every column and starts its automaton from nothing, and a call for each text
costs more than reading it. Here texts lie behind one another in one buffer, those with the most digits first,
and patterns and what their automata learnt are kept as long as the process.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate

from scanner.detect import re2
from scanner.detect.cells import compiled

# Stand around each text: a line ends and one begins, and what parts them is neither a blank nor in a word.
_BEFORE, _AFTER = b"\n", b"\n\0"
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_ANCHOR = re.compile(r"\\(?:(?P<begin>A)|(?P<end>z)|.)", re.DOTALL)


class Joined:
    """Texts to look for patterns in.

    Args:
        texts: any.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        data = [text.encode() for text in texts]
        digits = list(map(_count_digits, texts, data))
        #: Numbers of the texts as they lie in the buffer.
        self._order = sorted(range(len(data)), key=digits.__getitem__, reverse=True)
        self._fewer = [-digits[number] for number in self._order]
        self._data = data
        pieces = [_BEFORE + data[number] + _AFTER for number in self._order]
        self._starts = list(accumulate(map(len, pieces), initial=0))
        self._buffer = b"".join(pieces)

    def rare(self, pattern: str, digits: int = 0) -> set[int] | None:
        """As `holding`; None where more than `_MANY` of the texts hold it, so that it is worth little."""
        found: set[int] = set()
        for numbers in self._held(pattern, digits):
            found |= numbers
            if len(found) > _MANY * len(self._data):
                return None
        return found

    def holding(self, pattern: str, digits: int = 0) -> set[int]:
        """The numbers of the texts in which a pattern finds something, and perhaps of a few more.

        Args:
            pattern: RE2, flags inside.
            digits: so many numeric characters at least are in every text in which it finds something.
        """
        return set().union(*self._held(pattern, digits))

    def _held(self, pattern: str, digits: int) -> Iterator[set[int]]:
        end = self._starts[bisect_right(self._fewer, -digits)]
        across, sure = _across(pattern, digits)
        search = compiled(across).search
        order, starts = self._order, self._starts
        position = 0
        while position < end and (match := search(self._buffer, position, end)) is not None:
            first = bisect_right(starts, match.start()) - 1
            last = max(first, bisect_left(starts, match.end()) - 1)
            touched = order[first : last + 1]
            yield set(touched) if sure and first == last else self.confirmed(touched, (pattern,))
            position = starts[last + 1]

    def confirmed(self, numbers: Iterable[int], patterns: Sequence[str]) -> set[int]:
        """Those of some texts in which one of these RE2 patterns finds something."""
        searches = [compiled(pattern).search for pattern in patterns]
        return {number for number in numbers if any(search(self._data[number]) for search in searches)}


@cache
def _across(pattern: str, digits: int) -> tuple[str, bool]:
    r"""A pattern that finds something at least where the given one does in a text among others.

    Texts begin and end where lines do. What RE2 would need much memory for is looked for without its counts;
    of numbers few would be left out then.

    Returns:
        The pattern, and whether it finds something only there if it does within one text.
    """
    lines = _ANCHOR.sub(_line, pattern)
    loosened = re2.loosened(lines)
    if loosened == lines or (digits >= _NUMBER and compiled(lines).programsize <= _LARGE):
        return lines, True
    return loosened, False


def _line(found: re.Match[str]) -> str:
    if found["begin"]:
        return "(?m:^)"
    return "(?m:$)" if found["end"] else found[0]


#: Share of the texts.
_MANY = 0.05
#: Digits of what is a number rather than words with one.
_NUMBER = 4
#: Instructions of a compiled pattern that outgrows RE2's cache on much text.
_LARGE = 5_000


def _count_digits(text: str, data: bytes) -> int:
    """The numeric characters of a text, and perhaps a few more; ``data`` is the text in UTF-8."""
    count = len(data) - len(data.translate(None, b"0123456789"))
    if len(data) != len(text):
        count += sum(map(str.isnumeric, "".join(_BEYOND_ASCII.findall(text))))
    return count
