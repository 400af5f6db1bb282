"""Sets of keyed hashes that count distinct values and merge in any order.

Exact up to `CAPACITY` values; beyond it a theta (K-minimum-values) sketch: only the smallest hashes are
kept and the count is estimated from how densely they lie. Union is associative, commutative and
idempotent, so pieces from chunks, workers and machines give the same answer in any order.

Source of the estimator and its error 1/sqrt(k-2): Bar-Yossef et al., "Counting Distinct Elements in a Data
Stream", 2002; the theta formulation: Dasgupta et al., "A Framework for Estimating Stream Expression
Cardinalities", 2016.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

#: Hashes kept per set: 2 MiB at most, standard error 0.2% beyond it.
CAPACITY = 262_144
#: One more than the largest hash: the sampling threshold of a set that has dropped nothing.
FULL = 1 << 64


@dataclass(frozen=True, slots=True)
class Distinct:
    """A set of 64-bit keyed hashes.

    Attributes:
        packed: the kept hashes, sorted ascending, distinct, as little-endian 64-bit words.
        theta: hashes at or above it were dropped; `FULL` while the set is exact.
    """

    packed: bytes = b""
    theta: int = FULL

    @property
    def exact(self) -> bool:
        """True while no hash was dropped."""
        return self.theta == FULL

    @property
    def kept(self) -> int:
        """Number of hashes held."""
        return len(self.packed) // 8

    @property
    def count(self) -> int:
        """Distinct values: exact, or estimated."""
        if self.exact:
            return self.kept
        return round(self.kept * (FULL / self.theta))

    def bounds(self, deviations: float = 2.0) -> tuple[int, int]:
        """Interval ``(low, high)`` around `count`, ``deviations`` standard errors wide each way."""
        if self.exact:
            return self.kept, self.kept
        error = deviations / math.sqrt(max(self.kept - 2, 1))
        return max(self.kept, math.floor(self.count * (1 - error))), math.ceil(self.count * (1 + error))

    def hashes(self) -> Hashes:
        """The kept hashes as a numpy array of uint64 (read-only view)."""
        import numpy as np

        return np.frombuffer(self.packed, dtype="<u8")

    def __or__(self, other: Distinct) -> Distinct:
        return union((self, other))


EMPTY = Distinct()


def of(hashes: Any) -> Distinct:
    """A set of the given uint64 hashes, in any order, repeats allowed."""
    import numpy as np

    return _trim(ordered(np.asarray(hashes, dtype=np.uint64)), FULL)


def union(sets: Iterable[Distinct]) -> Distinct:
    """The union of any number of sets."""
    parts = [part for part in sets if part.packed or not part.exact]
    if not parts:
        return EMPTY
    if len(parts) == 1:
        return parts[0]
    import numpy as np

    theta = min(part.theta for part in parts)
    return _trim(ordered(np.concatenate([part.hashes() for part in parts])), theta)


def intersection_count(left: Distinct, right: Distinct) -> int:
    """Estimated number of values that both sets hold; exact when both are exact."""
    import numpy as np

    theta = min(left.theta, right.theta)
    common = np.intersect1d(left.hashes(), right.hashes(), assume_unique=True)
    if theta != FULL:
        common = common[common < np.uint64(theta)]
    return round(len(common) * (FULL / theta))


def ordered(hashes: Hashes) -> Hashes:
    """Sorted, repeats dropped. numpy's own `unique` goes through a hash table, which is slower here."""
    import numpy as np

    found = np.sort(hashes)
    if len(found) < 2:
        return found
    keep = np.empty(len(found), dtype=bool)
    keep[0] = True
    np.not_equal(found[1:], found[:-1], out=keep[1:])
    return found[keep]


def positions(held: Hashes, wanted: Hashes) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """For each wanted hash, in any order, a place in ``held``, which ascends, and whether it is there."""
    import numpy as np

    if not len(held):
        return np.zeros(len(wanted), np.intp), np.zeros(len(wanted), dtype=bool)
    at = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return at, np.asarray(held[at] == wanted)


def _trim(found: Hashes, theta: int) -> Distinct:
    import numpy as np

    if theta != FULL:
        found = found[: np.searchsorted(found, np.uint64(theta))]
    if len(found) > CAPACITY:
        theta = int(found[CAPACITY])
        found = found[:CAPACITY]
    return Distinct(found.astype("<u8").tobytes(), theta)
