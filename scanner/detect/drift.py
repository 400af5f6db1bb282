"""Watching a column for a change of nature after it was judged.

A column is judged on its first rows, and what it was taken for is counted from there on. Should codes turn
into names at row 900,000, that must not go unseen: every stretch of rows is compared with the judged ones by
what bytes it is made of, which costs next to nothing. Words that turn into other words look alike to that, so
columns of words are judged again, on a sample of the last rows, from time to time.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner.detect.cells import Cells

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

    def suspects(self, cells: Cells, settled: bool) -> pa.Array | None:
        """Fold in a chunk; the values to judge again where the column is not what it was, else None.

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
        if not changed and not settled and shares[1] >= _WORDY and self._seen >= self._words_next:
            self._words_next = self._seen + _WORDS_AGAIN
            changed = True
        recent = self._recent
        self._forget()
        if not changed:
            return None
        self._reference = shares
        return pa.concat_arrays([part.cast(pa.large_string()) for part in recent])

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
