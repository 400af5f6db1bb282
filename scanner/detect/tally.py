"""What has been counted of a column so far: the evidence monoid.

A `Tally` is a value: `merge` is associative and commutative with `Tally()` as its neutral element, so pieces
from chunks, workers and machines give the same result in any order (a property-based test holds it to that).
Everything kept is bounded: hashes by `scanner.sketch.CAPACITY`, values by `SAMPLE`.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from scanner import sketch
from scanner.sketch import Distinct

#: Distinct values of a column kept for its verdict: those with the smallest hashes, so a uniform sample over
#: distinct values, however often each occurs.
SAMPLE = 512
#: Longer values are cut in the sample: what a column is shows in its first characters.
SAMPLE_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one entity type in a column.

    Attributes:
        rows: rows with at least one match.
        mentions: matches.
        distinct: hashes of the distinct values or matches.
        samples: ``hash -> masked value`` of those with the smallest hashes.
        row_numbers: the smallest row numbers, ascending.
        whole: rows in which the match is all there is in the cell.
    """

    rows: int = 0
    mentions: int = 0
    distinct: Distinct = sketch.EMPTY
    samples: tuple[tuple[int, str], ...] = ()
    row_numbers: tuple[int, ...] = ()
    whole: int = 0

    def merge(self, other: Found, samples: int = 3, locate: int = 0) -> Found:
        """Both together; of samples and row numbers the smallest are kept."""
        return Found(
            self.rows + other.rows,
            self.mentions + other.mentions,
            self.distinct | other.distinct,
            tuple(sorted(dict(self.samples + other.samples).items())[:samples]),
            tuple(sorted({*self.row_numbers, *other.row_numbers})[:locate]),
            self.whole + other.whole,
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of a column.

    Attributes:
        rows: cells seen, absent and blank ones included.
        values: cells that are neither.
        characters: bytes of them, for the mean length.
        sample: ``hash -> value``: the distinct values with the `SAMPLE` smallest hashes. Raw values: this
            never leaves the worker.
        found: by entity type.
    """

    rows: int = 0
    values: int = 0
    characters: int = 0
    sample: dict[int, str] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)

    def merge(self, other: Tally, samples: int = 3, locate: int = 0) -> Tally:
        """Both together."""
        found = dict(self.found)
        for entity_type, more in other.found.items():
            here = found.get(entity_type)
            found[entity_type] = more if here is None else here.merge(more, samples, locate)
        return Tally(
            self.rows + other.rows,
            self.values + other.values,
            self.characters + other.characters,
            smallest(self.sample, other.sample),
            found,
        )


def smallest(left: dict[int, str], right: dict[int, str], size: int = SAMPLE) -> dict[int, str]:
    """The entries with the ``size`` smallest keys of both."""
    if not right:
        return left
    together = left | right
    if len(together) <= size:
        return together
    return {key: together[key] for key in heapq.nsmallest(size, together)}
