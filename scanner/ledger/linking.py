"""Who is who: which identifiers are one person's, told by tables that hold several of them.

A telephone number and an e-mail address that stand in one row of any delivery are one person's, whoever
got that delivery and whenever. A link leads from a weaker kind of identifier to a stronger one; what an
identifier leads to in the end (its root) names the person. Where a kind has no stronger one beside it, two
identifiers are also one person's when both stand beside the same weaker one, as a customer number; names,
addresses and devices prove nothing of that sort.

Of very large tables links are kept for a sample of people only. These are used after all others, and what was
not found by them is estimated from the sample's share.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field

import numpy as np
from numpy.typing import NDArray

from scanner.identifiers import WEAK, kind, rank
from scanner.sketch import FULL, positions

Words = NDArray[np.uint64]

#: Links from one identifier that are followed; a number that more people share tells nobody apart.
_MOST = 8
#: Usual sizes of samples between one size and its half.
_STEPS = 4

#: Indices into what was asked for, and what was found of each.
Pairs = tuple[NDArray[np.int64], Words]


def order(identifier: str) -> tuple[int, str]:
    """What sorts kinds, strongest first."""
    return rank(identifier), identifier


@dataclass(frozen=True, slots=True)
class Piece:
    """Links of some tables: keys of one kind, and of each the key of the other kind beside it."""

    keys: Words
    others: Words
    share: float = 1.0


@dataclass(slots=True)
class Edges:
    """Links between two kinds, sorted by ``keys``; ``share`` is the part of all people that they are of."""

    keys: Words
    others: Words
    share: float

    def of(self, wanted: Words) -> Pairs:
        """What is linked to each of ``wanted``: indices into it, and the other keys."""
        first = np.searchsorted(self.keys, wanted, "left")
        count = np.minimum(np.searchsorted(self.keys, wanted, "right") - first, _MOST)
        at = np.repeat(np.arange(len(wanted)), count)
        offset = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
        return at, self.others[first[at] + offset]


@dataclass(slots=True)
class Found:
    """What keys lead to.

    Attributes:
        roots: of each; its own key where nothing is known.
        kinds: the number of each root's kind.
        known: whether a link was followed.
        weights: for each, how many of those asked it stands for: more than 1 where a sample knew it.
        sampled: whether more might be known where there are only samples.
    """

    roots: Words
    kinds: NDArray[np.int64]
    known: NDArray[np.bool_]
    weights: NDArray[np.float64]
    sampled: bool = False


@dataclass
class Links:
    """All links that are known.

    Args:
        pieces: by kind of the keys and kind of those beside them, in any order.
    """

    pieces: InitVar[Mapping[tuple[str, str], Iterable[Piece]]]
    _held: dict[tuple[str, str], list[Piece]] = field(default_factory=lambda: defaultdict(list))
    _edges: dict[tuple[str, str], list[Edges]] = field(default_factory=dict)

    def __post_init__(self, pieces: Mapping[tuple[str, str], Iterable[Piece]]) -> None:
        for (name, owner), several in pieces.items():
            for piece in several:
                self._held[name, owner].append(piece)
                self._held[owner, name].append(Piece(piece.others, piece.keys, piece.share))
        self._kinds = sorted({name for names in self._held for name in names}, key=order)
        self._number = {name: at for at, name in enumerate(self._kinds)}

    def number(self, name: str) -> int:
        """The number of a kind, for `Found.kinds`."""
        return self._number.setdefault(name, len(self._number))

    def resolve(self, name: str, keys: Words, present: Words) -> Found:
        """What keys of one kind lead to.

        Args:
            name: the kind.
            keys: of it.
            present: roots of people who are there (ascending): of several that a key leads to, one of these
                is preferred.
        """
        count = len(keys)
        number = np.full(count, self.number(name))
        found = Found(keys.copy(), number, np.zeros(count, dtype=bool), np.ones(count))
        if kind(name) not in WEAK and count:
            # Whole tables first; the links of samples are of the same people, so the larger sample counts.
            for share, other, follow in sorted(self._ways(name), key=lambda way: -way[0]):
                self._take(found, keys, present, other, share, follow)
        return found

    def straight(self, name: str) -> Iterator[tuple[str, Edges]]:
        """The links from one kind to stronger ones, strongest first."""
        for other in self._kinds:
            if order(other) < order(name):
                for edges in self._between(name, other):
                    yield other, edges

    def _ways(self, name: str) -> Iterator[tuple[float, str, Callable[[Words], Pairs]]]:
        """Straight to stronger kinds, strongest first; then over a weaker one that stands beside both."""
        stronger = [each for each in self._kinds if order(each) < order(name) and kind(each) not in WEAK]
        yield from ((e.share, other, e.of) for other in stronger for e in self._between(name, other))
        for via in self._kinds:
            if order(via) > order(name) and kind(via) not in WEAK:
                for other in stronger:
                    for down in self._between(name, via):
                        for up in self._between(via, other):
                            yield down.share * up.share, other, _both(down, up)

    def _take(
        self,
        found: Found,
        keys: Words,
        present: Words,
        other: str,
        share: float,
        follow: Callable[[Words], Pairs],
    ) -> None:
        """Follow links of keys that have led nowhere so far."""
        asked = np.flatnonzero(~found.known)
        if not len(asked):
            return
        found.sampled = found.sampled or share < 1.0
        at, targets = follow(keys[asked])
        if not len(at):
            return
        further = self.resolve(other, targets, present)
        found.sampled = found.sampled or further.sampled
        chosen = np.lexsort((further.roots, ~among(further.roots, present), at))
        chosen = chosen[np.concatenate(([True], np.diff(at[chosen]) != 0))]
        mine = asked[at[chosen]]
        found.roots[mine] = further.roots[chosen]
        found.kinds[mine] = further.kinds[chosen]
        found.weights[mine] = further.weights[chosen] / share
        found.known[mine] = True

    def meet(self, name: str, mine: Words, other: str, theirs: Words) -> bool:
        """Whether something recorded could have told people of two identifiers as the same ones.

        It could where some people of ``other`` have a known ``name``, or both sides a further identifier of
        one kind: then who is linked to none of the others is somebody else.
        """
        if any(among(edges.keys, theirs).any() for edges in self._between(other, name)):
            return True
        if kind(name) in WEAK:
            return False
        return any(
            any(among(edges.keys, mine).any() for edges in self._between(name, via))
            and any(among(edges.keys, theirs).any() for edges in self._between(other, via))
            for via in self._kinds
            if via not in (name, other) and kind(via) not in WEAK
        )

    def _between(self, name: str, other: str) -> list[Edges]:
        """The links between two kinds, those of the largest part of all people first."""
        if (name, other) not in self._edges:
            shares: dict[float, list[Piece]] = defaultdict(list)
            for piece in self._held.get((name, other), ()):
                shares[piece.share].append(piece)
            self._edges[name, other] = [
                _joined(shares[share], share) for share in sorted(shares, reverse=True)
            ]
        return self._edges[name, other]


def _joined(pieces: Sequence[Piece], share: float) -> Edges:
    keys = np.concatenate([piece.keys for piece in pieces])
    others = np.concatenate([piece.others for piece in pieces])
    sort = np.lexsort((others, keys))
    keys, others = keys[sort], others[sort]
    kept = np.ones(len(keys), dtype=bool)
    kept[1:] = (keys[1:] != keys[:-1]) | (others[1:] != others[:-1])
    return Edges(keys[kept], others[kept], share)


def _both(down: Edges, up: Edges) -> Callable[[Words], Pairs]:
    def follow(wanted: Words) -> Pairs:
        at, middle = down.of(wanted)
        more, targets = up.of(middle)
        return at[more], targets

    return follow


def among(keys: Words, ascending: Words) -> NDArray[np.bool_]:
    """Which keys are in an ascending array."""
    return positions(ascending, keys)[1]


def piece_of(keys: Words, owners: Words, theta: int, owner_theta: int) -> Piece:
    """Links as a part keeps them: all, or those of a sample of its people, which is cut to a usual size.

    So samples of nearly one size are looked up together.

    Args:
        keys: the further identifiers.
        owners: those of the people that they are of.
        theta: keys below it are kept.
        owner_theta: owners below it are kept.
    """
    first, second = _usual(theta), _usual(owner_theta)
    if first < 1.0:
        kept = keys < np.uint64(first * FULL)
        keys, owners = keys[kept], owners[kept]
    if second < 1.0:
        kept = owners < np.uint64(second * FULL)
        keys, owners = keys[kept], owners[kept]
    return Piece(keys, owners, first * second)


def _usual(theta: int) -> float:
    """The nearest usual share of keys, not above that which lies below a bound."""
    if theta == FULL:
        return 1.0
    return float(2.0 ** (math.floor(_STEPS * math.log2(theta / FULL)) / _STEPS))
