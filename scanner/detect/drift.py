"""Watching a column for a change of nature after it was judged.

A column is judged on its first rows, and what it was taken for is counted from there on. Should codes turn
into names at row 900,000, that must not go unseen: every stretch of rows is compared with the judged ones by
what bytes it is made of, which costs next to nothing. Words that turn into other words look alike to that, so
of columns of words a sample of the last rows is compared from time to time, by how they are written and which
word lists know them (`Look`). Only what differs is judged again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner.detect import lexicon
from scanner.detect.cells import Cells
from scanner.detect.sample import sample_of

Shares = NDArray[np.float64]

#: Rows of a stretch that is compared.
_STRETCH = 1_024
#: Change of a class's share of the bytes, or of the logarithm of the mean length, that calls for a judgement.
_STEP = 0.15
_LENGTH_STEP = 0.5
#: Columns with this share of letters are judged again every so many values.
_WORDY = 0.6
_WORDS_AGAIN = 65_536
#: Classes of bytes (`Cells.total`); letters first, see `_WORDY`.
_COMPARED = ("letter", "digit", "space", "beyond ascii")


#: Shares of two samples differ where they are this many standard errors apart, and by more than nothing much.
_ERRORS = 4.0
_NOTHING_MUCH = 0.04
_LISTS = np.arange(len(lexicon.NAMES))
#: Columns with more than this share of digits or years are told apart by more than a `Look` holds.
_FEW_DIGITS = 0.3


@dataclass(frozen=True, slots=True)
class Look:
    """What a sample of distinct values looks like, as far as a judgement on words goes by it.

    Attributes:
        values: how many there are.
        shares: of the values: each size in words, cases, marks, word lists that know them as a whole; of the
            words: word lists that know them. Numbers between 0 and 1.
        numeric: whether digits are so many that a look does not tell enough.
    """

    values: int
    shares: Shares
    numeric: bool

    @classmethod
    def of(cls, values: Sequence[str]) -> Look:
        """The look of a sample that is not empty."""
        sample = sample_of(values)
        sizes, lengths = sample.sizes, sample.lengths
        flags = [
            *(sizes == count for count in range(1, 5)),
            sizes >= 8,
            *(lengths >= count for count in (3, 6, 10, 16, 24, 40)),
            sample.digits > 0,
            *(sample.having(mark) for mark in "@,.-/:_"),
            np.fromiter(map(str.isupper, sample.values), np.bool_, len(sample)),
            np.fromiter(map(str.islower, sample.values), np.bool_, len(sample)),
            np.fromiter(map(str.isascii, sample.values), np.bool_, len(sample)),
        ]
        digits = float(sample.digits.sum() / max(1, lengths.sum()))
        years = len(sample.years) / len(sample)
        return cls(
            len(sample),
            np.array(
                [*(flag.mean() for flag in flags), *_known(sample.whole_lists), *_known(sample.word_lists)]
            ),
            max(digits, years) > _FEW_DIGITS,
        )

    def is_like(self, other: Look) -> bool:
        """Whether the two may well be samples of one column."""
        mean = (self.shares * self.values + other.shares * other.values) / (self.values + other.values)
        error = np.sqrt(mean * (1 - mean) * (1 / self.values + 1 / other.values))
        apart = np.abs(self.shares - other.shares)
        return bool((apart <= np.maximum(_ERRORS * error, _NOTHING_MUCH)).all())


def _known(lists: NDArray[np.uint16]) -> Shares:
    """For each word list the share of entries that it knows."""
    if not len(lists):
        return np.zeros(len(_LISTS))
    known: Shares = ((lists[:, None] >> _LISTS) & 1).mean(axis=0)
    return known


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Values that may be something else than the column was taken for.

    Attributes:
        values: the last ones.
        by_words_only: whether nothing was seen but that there are more of them.
    """

    values: pa.Array
    by_words_only: bool


class Watch:
    """Compares a column's stretches with the rows it was judged on.

    Args:
        judged: those rows.
    """

    def __init__(self, judged: Cells) -> None:
        self._reference = _shares(_sums(judged))
        self._seen = 0
        self._words_next = _WORDS_AGAIN
        self._forget()

    def suspects(self, cells: Cells, settled: bool) -> Suspicion | None:
        """Fold in a chunk; what to look at again where the column may not be what it was, else None.

        Args:
            cells: the chunk.
            settled: whether the column's values prove what they are, so that words need no second look.
        """
        self._sums += _sums(cells)
        self._recent.append(cells.values)
        self._seen += cells.filled
        self._rows += cells.filled
        if self._rows < _STRETCH:
            return None
        shares = _shares(self._sums)
        changed = _differ(shares, self._reference)
        words = not changed and not settled and shares[1] >= _WORDY and self._seen >= self._words_next
        if words:
            self._words_next = self._seen + _WORDS_AGAIN
        recent = self._recent
        self._forget()
        if not changed and not words:
            return None
        self._reference = shares
        return Suspicion(pa.concat_arrays([part.cast(pa.large_string()) for part in recent]), words)

    def _forget(self) -> None:
        self._sums = np.zeros(len(_COMPARED) + 2)
        self._recent: list[pa.Array] = []
        self._rows = 0


def _sums(cells: Cells) -> Shares:
    """Values, bytes of each class compared, and bytes."""
    return np.array(
        [len(cells.values), *map(cells.total, _COMPARED), len(cells.data)],
        dtype=np.float64,
    )


def _shares(sums: Shares) -> Shares:
    """Mean length, and the classes' shares of the bytes."""
    return np.array([sums[-1] / max(sums[0], 1), *(sums[1:-1] / max(sums[-1], 1))])


def _differ(left: Shares, right: Shares) -> bool:
    lengths = abs(float(np.log(max(left[0], 0.1) / max(right[0], 0.1))))
    return lengths > _LENGTH_STEP or float(np.abs(left[1:] - right[1:]).max()) > _STEP
