"""Counting people: unions of `PersonKeys` over parts, items, vendors and time, with linking.

Keys of one kind of identifier unite as theta sketches do (Dasgupta et al., "A Framework for Estimating
Stream Expression Cardinalities", 2016): the smallest threshold of all holds, and keys below it are counted.
Kinds are gone through from the strongest to the weakest. A person known by a weaker one is taken for one
counted already where a link leads to that one (`scanner.ledger.linking`). Where nothing can be compared, the
people are taken to be the same; the upper bound takes them to be others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scanner.identifiers import UNKNOWN_OWNER, WEAK, kind
from scanner.ledger.linking import Found, Links, Piece, among, order, piece_of
from scanner.model import Estimate, PersonKeys
from scanner.sketch import FULL

Words = NDArray[np.uint64]

#: Categories that one question can tell apart; those over it are counted together.
BITS = 64
#: Standard errors on each side of an estimate.
_DEVIATIONS = 2.0
_SAID = 1 << 16
#: Keys kept of a union that is made for later: 1 MiB; their standard error is 0.3%.
_UNION_KEYS = 1 << 17


@dataclass(slots=True)
class _Pile:
    """Keys with payload that wait to be united."""

    keys: list[Words] = field(default_factory=list)
    masks: list[Words] = field(default_factory=list)
    places: list[NDArray[np.uint32]] = field(default_factory=list)
    owners: list[Words] = field(default_factory=list)
    thetas: list[tuple[int, int]] = field(default_factory=list)
    theta: int = FULL
    owner_theta: int = FULL


@dataclass(slots=True)
class _Set:
    """United keys: ascending, distinct, all below ``theta``."""

    keys: Words
    masks: Words
    places: NDArray[np.uint32]
    owners: Words
    theta: int
    owner_theta: int


@dataclass(frozen=True, slots=True)
class Keys:
    """United keys of one kind: ascending, those below ``theta``, with what is said of each.

    ``owners`` are the keys of the people, where these are further identifiers of theirs; else empty.
    """

    keys: Words
    masks: Words
    owners: Words
    theta: int
    owner_theta: int


@dataclass(slots=True)
class Block:
    """People known by one kind of identifier.

    Attributes:
        identifier: the kind.
        masks: for each person, what is said of it, as bits.
        places: for each person the place's number, over 65,536 where its rows say it themselves; 0: unknown.
        new: which of them no stronger kind has counted, one for each person.
        first: one for each person, counted or not.
        kinds: for each the number of the kind that names the person in the end.
        weight: people that one entry stands for.
        new_weight: the same for those that are new.
        comparable: whether anything could show that they were counted already.
        exact: whether nothing is an estimate.
    """

    identifier: str
    masks: Words
    places: NDArray[np.uint32]
    new: NDArray[np.bool_]
    first: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    weight: float
    new_weight: float
    comparable: bool
    exact: bool


@dataclass(slots=True)
class Crowd:
    """People gathered from many parts."""

    _own: dict[str, _Pile] = field(default_factory=lambda: defaultdict(_Pile))
    _further: dict[tuple[str, str], _Pile] = field(default_factory=lambda: defaultdict(_Pile))
    _mentioned: dict[str, _Pile] = field(default_factory=lambda: defaultdict(_Pile))
    _places: dict[str, int] = field(default_factory=dict)
    _nameless: int = 0
    _loose: int = 0

    def add(
        self, persons: Iterable[PersonKeys], bits: Callable[[tuple[int, str]], int], nameless: int = 0
    ) -> None:
        """Add the people of a part.

        Args:
            persons: by kind of identifier.
            bits: what a field of the part says, as a bit number below `BITS`, or -1 where it does not count.
                People of whom no field counts are left out.
            nameless: rows of people whom nothing tells apart.
        """
        self._nameless += nameless
        for each in persons:
            keys, masks, places, owners = self._entries(each, bits)
            if not len(keys):
                continue
            if each.owner == UNKNOWN_OWNER:
                pile = self._mentioned[each.identifier]
            elif each.owner is None:
                pile = self._own[each.identifier]
            else:
                pile = self._further[each.identifier, each.owner]
                pile.owners.append(owners)
                pile.thetas.append((each.theta, each.owner_theta))
                pile.owner_theta = min(pile.owner_theta, each.owner_theta)
            pile.keys.append(keys)
            pile.masks.append(masks)
            pile.places.append(places)
            pile.theta = min(pile.theta, each.theta)

    def add_loose(self, most: int, total: int | None = None) -> None:
        """Add people of whom only a number is known; of several lots the largest, and all together."""
        self._loose = max(self._loose, most)
        self._nameless += most if total is None else total

    def as_keys(self, fields: tuple[tuple[int, str], ...]) -> list[PersonKeys]:
        """What was gathered as one set of each kind and owner; of very many people a sample.

        Args:
            fields: what the bits stand for that ``add`` was told.
        """
        piles = [((name, None), pile) for name, pile in self._own.items()]
        more = [*self._further.items(), *(((n, UNKNOWN_OWNER), pile) for n, pile in self._mentioned.items())]
        places = tuple(self._places)
        return [_as_keys(name, owner, pile, fields, places) for (name, owner), pile in [*piles, *more]]

    def _entries(
        self, each: PersonKeys, bits: Callable[[tuple[int, str]], int]
    ) -> tuple[Words, Words, NDArray[np.uint32], Words]:
        keys = np.frombuffer(each.keys, "<u8")
        traits = np.frombuffer(each.traits, "<u8")
        classes, at = np.unique(traits, return_inverse=True)
        moved = np.array([_moved(int(one), each.fields, bits) for one in classes], dtype=np.uint64)
        masks = moved[at] if len(moved) else np.empty(0, np.uint64)
        owners = np.frombuffer(each.owners, "<u8")
        places = np.zeros(len(keys), dtype=np.uint32)
        if each.regions:
            numbers = [0, *(self._places.setdefault(code, len(self._places) + 1) for code in each.places)]
            places = np.array(numbers, dtype=np.uint32)[np.frombuffer(each.regions, "<u2")]
            said = (np.frombuffer(each.inferred, np.uint8) == 0) & (places > 0)
            places[said] += _SAID
        counted = masks != 0
        if not counted.all():
            keys, masks, places = keys[counted], masks[counted], places[counted]
            owners = owners[counted] if len(owners) else owners
        return keys, masks, places, owners

    def sets(self) -> dict[tuple[str, str | None], Keys]:
        """The united keys by kind of identifier, with whose further identifier it is, or None."""
        every: dict[tuple[str, str | None], _Set] = {}
        for name, pile in self._own.items():
            every[name, None] = _united(pile)
        for names, pile in self._further.items():
            every[names] = _united(pile)
        return {
            names: Keys(each.keys, each.masks, each.owners, each.theta, each.owner_theta)
            for names, each in every.items()
        }

    def pieces(self) -> dict[tuple[str, str], list[Piece]]:
        """Who is who, as its parts tell it."""
        return {
            names: [
                piece_of(keys, owners, *thetas)
                for keys, owners, thetas in zip(pile.keys, pile.owners, pile.thetas, strict=True)
            ]
            for names, pile in self._further.items()
        }

    def told_apart(self) -> bool:
        """Whether no link from elsewhere could tell more: all people are known by the same kind."""
        return len(self._own) < 2  # kinds that would have to be compared

    def people(self, links: Links | None = None) -> People:
        """Everybody, told apart.

        Args:
            links: who is who, as others than its own parts tell it; these included.
        """
        own = {name: _united(pile) for name, pile in self._own.items()}
        mentioned = sum(len(np.unique(np.concatenate(pile.keys))) for pile in self._mentioned.values())
        for name, pile in self._mentioned.items():
            if name not in own and not own:
                own[name] = _united(pile)
        near = Links(self.pieces() if len(own) > 1 else {})
        blocks = _Blocks(own, near, near if links is None else links).made()
        return People(blocks, tuple(self._places), self._nameless + mentioned, self._loose)


def _moved(traits: int, fields: Sequence[tuple[int, str]], bits: Callable[[tuple[int, str]], int]) -> int:
    out = 0
    for at, name in enumerate(fields):
        if traits >> at & 1 and (bit := bits(name)) >= 0:
            out |= 1 << bit
    return out


def _united(pile: _Pile) -> _Set:
    keys = np.concatenate(pile.keys)
    order = np.argsort(keys)
    keys = keys[order]
    kept = len(keys) if pile.theta == FULL else int(np.searchsorted(keys, np.uint64(pile.theta)))
    keys, order = keys[:kept], order[:kept]
    if not kept:
        none = np.empty(0, np.uint64)
        return _Set(none, none, np.empty(0, np.uint32), none, pile.theta, pile.owner_theta)
    owners = np.concatenate(pile.owners)[order] if pile.owners else np.empty(0, np.uint64)
    masks, places = np.concatenate(pile.masks)[order], np.concatenate(pile.places)[order]
    if len(owners):
        # A telephone number of two people links to both, so an entry stays for each pair.
        second = np.lexsort((owners, keys))
        keys, owners, masks, places = keys[second], owners[second], masks[second], places[second]
        different = (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1])
    else:
        different = keys[1:] != keys[:-1]
    begins = np.flatnonzero(np.concatenate(([True], different)))
    return _Set(
        keys[begins],
        np.bitwise_or.reduceat(masks, begins),
        np.maximum.reduceat(places, begins),
        owners[begins] if len(owners) else owners,
        pile.theta,
        pile.owner_theta,
    )


def _as_keys(
    name: str, owner: str | None, pile: _Pile, fields: tuple[tuple[int, str], ...], places: tuple[str, ...]
) -> PersonKeys:
    found = _united(pile)
    theta, cut = found.theta, len(found.keys)
    if cut > _UNION_KEYS:
        # Entries of one key stay together.
        theta = int(found.keys[_UNION_KEYS])
        cut = int(np.searchsorted(found.keys, np.uint64(theta)))
    where = found.places[:cut]
    living = bool(where.any())
    return PersonKeys(
        identifier=name,
        keys=found.keys[:cut].astype("<u8").tobytes(),
        theta=theta,
        traits=found.masks[:cut].astype("<u8").tobytes(),
        fields=fields,
        regions=(where & (_SAID - 1)).astype("<u2").tobytes() if living else b"",
        places=places if living else (),
        inferred=((where > 0) & (where < _SAID)).astype(np.uint8).tobytes() if living else b"",
        owner=owner,
        owners=found.owners[:cut].astype("<u8").tobytes(),
        owner_theta=found.owner_theta,
    )


class _Blocks:
    """Goes through the kinds, strongest first.

    Args:
        own: people by the kind that they are known by.
        near: who is who, as the tables tell it that these people are from.
        links: the same as any table tells it.
    """

    def __init__(self, own: Mapping[str, _Set], near: Links, links: Links) -> None:
        self._own, self._near, self._links = own, near, links
        self._blocks: list[Block] = []
        #: Roots of everybody so far, ascending, and the block and entry of each.
        self._roots = np.empty(0, np.uint64)
        self._at = np.empty((0, 2), np.int64)
        #: All their identifiers, ascending, and the root of each.
        self._keys = np.empty(0, np.uint64)
        self._rooted = np.empty(0, np.uint64)
        self._whole = True

    def made(self) -> list[Block]:
        for name in sorted(self._own, key=order):
            self._add(name, self._own[name])
        return self._blocks

    def _add(self, name: str, these: _Set) -> None:
        count = len(these.keys)
        found = self._links.resolve(name, these.keys, self._roots)
        near = found if self._links is self._near else self._near.resolve(name, these.keys, self._roots)
        self._by_name(name, these.keys, found)
        roots = found.roots
        stronger = [other for other in self._own if order(other) < order(name)]
        hidden = self._hidden(roots, found.kinds)
        present = among(roots, self._roots)
        attached = present | (hidden & near.known)
        first = np.zeros(count, dtype=bool)
        first[np.unique(roots, return_index=True)[1]] = True
        self._give(these, roots, present)
        _give_first(these, roots, first)
        new = first & ~attached
        comparable = (
            not stronger
            or bool(found.known.any())
            or any(self._links.meet(name, these.keys, other, self._own[other].keys) for other in stronger)
        )
        weight = new_weight = FULL / these.theta
        sampled = found.sampled or bool(hidden.any())
        if sampled and count:
            gone = _weighed(found.weights, attached, hidden, found.known & ~hidden)
            again = float(found.weights[~first & ~attached].sum())
            fresh = np.count_nonzero(new)
            new_weight = weight * max(0.0, count - gone - again) / fresh if fresh else weight
        self._whole = self._whole and these.theta == FULL
        self._blocks.append(
            Block(
                name, these.masks, these.places, new, first, found.kinds, weight, new_weight, comparable,
                exact=self._whole and not sampled,
            )
        )  # fmt: skip
        self._know(these.keys, roots, new)

    def _by_name(self, name: str, keys: Words, found: Found) -> None:
        """Names and addresses lead from or to somebody only where a table within reach has them in a row."""
        for other, edges in self._near.straight(name):
            if kind(name) not in WEAK and kind(other) not in WEAK:
                continue
            at = np.minimum(np.searchsorted(self._keys, edges.others), max(len(self._keys) - 1, 0))
            there = among(edges.others, self._keys)
            known, roots = edges.keys[there], self._rooted[at[there]]
            mine = np.flatnonzero(among(keys, known) & ~found.known)
            found.roots[mine] = roots[np.searchsorted(known, keys[mine])]
            found.weights[mine] /= edges.share
            found.known[mine] = True
            found.sampled = found.sampled or edges.share < 1.0

    def _hidden(self, roots: Words, kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whose root may be there, but not among those that a sample keeps."""
        out = np.zeros(len(roots), dtype=bool)
        for other, held in self._own.items():
            if held.theta != FULL:
                out |= (kinds == self._links.number(other)) & (roots >= np.uint64(held.theta))
        return out

    def _give(self, these: _Set, roots: Words, present: NDArray[np.bool_]) -> None:
        """What is said of people who were counted already goes to these."""
        if not present.any():
            return
        places = self._at[np.searchsorted(self._roots, roots[present])]
        for number, block in enumerate(self._blocks):
            mine = places[:, 0] == number
            target = places[mine, 1]
            np.bitwise_or.at(block.masks, target, these.masks[present][mine])
            np.maximum.at(block.places, target, these.places[present][mine])

    def _know(self, keys: Words, roots: Words, new: NDArray[np.bool_]) -> None:
        entries = np.flatnonzero(new)
        at = np.stack((np.full(len(entries), len(self._blocks) - 1), entries), axis=1)
        together = np.concatenate((self._roots, roots[entries]))
        sort = np.argsort(together)
        self._roots, self._at = together[sort], np.concatenate((self._at, at))[sort]
        known = np.concatenate((self._keys, keys))
        sort = np.argsort(known)
        self._keys, self._rooted = known[sort], np.concatenate((self._rooted, roots))[sort]


def _give_first(these: _Set, roots: Words, first: NDArray[np.bool_]) -> None:
    """Of several entries of one person the first takes all that is said."""
    if first.all():
        return
    entries = np.flatnonzero(first)
    sort = np.argsort(roots[entries])
    other = np.flatnonzero(~first)
    target = entries[sort][np.searchsorted(roots[entries][sort], roots[other])]
    np.bitwise_or.at(these.masks, target, these.masks[other])
    np.maximum.at(these.places, target, these.places[other])


def _weighed(
    weights: NDArray[np.float64],
    attached: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    seen: NDArray[np.bool_],
) -> float:
    """How many people were counted already: those that are seen, and the same part of those that are not."""
    unseen = hidden & ~attached
    asked = float(weights[seen].sum())
    part = float(weights[seen & attached].sum()) / asked if asked else 0.0
    return float(weights[attached].sum()) + part * float(weights[unseen].sum())


@dataclass(frozen=True, slots=True)
class People:
    """Everybody that was gathered, told apart as far as can be.

    Attributes:
        blocks: by kind of identifier, strongest first.
        places: ISO codes that the blocks' numbers stand for, from 1.
        unknown: rows or mentions that may be of further people.
        loose: people at least as good as any count where nothing tells them apart.
    """

    blocks: Sequence[Block]
    places: tuple[str, ...]
    unknown: int = 0
    loose: int = 0

    def count(self, wanted: int = 0) -> Estimate:
        """People of whom all of ``wanted`` (bits) is said."""
        return self.count_any([1 << bit for bit in range(BITS) if wanted >> bit & 1])

    def count_any(self, wanted: Sequence[int]) -> Estimate:
        """People of whom at least one bit of each of ``wanted`` is said."""
        low, best, high = 0.0, 0.0, 0.0
        proven: NDArray[np.int64] = np.zeros(0, np.int64)
        for block in self.blocks:
            there = block.first.copy()
            for options in wanted:
                there &= (block.masks & np.uint64(options)) != 0
            entries = int(np.count_nonzero(there))
            if not entries:
                continue
            new = int(np.count_nonzero(there & block.new))
            # Of one kind different identifiers are different people, whichever others these are known by.
            proven = _sum(proven, np.bincount(block.kinds[there & block.new]))
            whole = entries * block.weight
            error = 0.0 if block.exact else _DEVIATIONS / math.sqrt(max(entries - 2, 1)) * whole
            if not block.comparable:
                add = max(0.0, whole - best)
            elif block.exact:
                add = float(new)
            else:
                add = min(whole, max(new * block.new_weight, whole - best))
            low = max(low, entries, whole - error)
            high += (new * block.new_weight if block.comparable else whole) + error
            best += add
        if all(block.exact for block in self.blocks):
            low = max(low, float(proven.max(initial=0)))
        return _estimate(low, best, high)

    def everybody(self) -> Estimate:
        """All people, those whom nothing tells apart in the upper bound."""
        told = self.count()
        best = max(told.best, self.loose)
        return _estimate(min(told.low, best), best, max(told.high, best) + self.unknown)

    def by_place(
        self,
        *,
        inferred: bool = False,
        among: Sequence[Sequence[int]] | None = None,
        nowhere: bool = False,
    ) -> dict[str, int]:
        """People by ISO code.

        Args:
            inferred: only those whose rows do not say it themselves.
            among: only those of whom, for at least one of these, one bit of each part of it is said.
            nowhere: also those of whom no place is known, under "".
        """
        out: dict[str, float] = defaultdict(float)
        total = 0.0
        for block in self.blocks:
            whole = float(np.count_nonzero(block.new)) * block.new_weight
            share = 1.0 if block.comparable or not whole else max(0.0, whole - total) / whole
            total += whole * share
            chosen = block.new if among is None else block.new & _any(block.masks, among)
            numbers = block.places[chosen].astype(np.int64)
            numbers = numbers[numbers < _SAID] if inferred else numbers & (_SAID - 1)
            counts = np.bincount(numbers, minlength=1)
            for at in np.flatnonzero(counts):
                if at or nowhere:
                    code = self.places[at - 1] if at else ""
                    out[code] += float(counts[at]) * block.new_weight * share
        return {code: round(number) for code, number in sorted(out.items()) if round(number)}


def _sum(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    out = np.zeros(max(len(one), len(other)), np.int64)
    out[: len(one)] += one
    out[: len(other)] += other
    return out


def _any(masks: Words, among: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    found = np.zeros(len(masks), dtype=bool)
    for wanted in among:
        there = np.ones(len(masks), dtype=bool)
        for options in wanted:
            there &= (masks & np.uint64(options)) != 0
        found |= there
    return found


def _estimate(low: float, best: float, high: float) -> Estimate:
    middle = round(best)
    return Estimate(min(math.floor(low), middle), middle, max(math.ceil(high), middle))
