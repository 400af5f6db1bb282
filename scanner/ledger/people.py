"""Counting people: unions of `PersonKeys` over parts, items, vendors and time, with linking.

Keys of one kind of identifier unite as theta sketches do (Dasgupta et al., "A Framework for Estimating
Stream Expression Cardinalities", 2016): the smallest threshold of all holds, and keys below it are counted.
Kinds are gone through from the strongest to the weakest. A person known by a weaker one is taken for one
counted already where a table holds both identifiers, or where the rows of both hold the same further
identifier. Where nothing can be compared, the people are taken to be the same; the upper bound takes them to
be others.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanner.identifiers import UNKNOWN_OWNER, WEAK, kind, rank
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
        new: which of them no stronger kind has counted.
        weight: people that one entry stands for.
        new_weight: the same for those that are new.
        comparable: whether anything could show that they were counted already.
        exact: whether nothing is an estimate.
    """

    identifier: str
    masks: Words
    places: NDArray[np.uint32]
    new: NDArray[np.bool_]
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

    def people(self) -> People:
        """Everybody, told apart."""
        own = {name: _united(pile) for name, pile in self._own.items()}
        further = {names: _united(pile) for names, pile in self._further.items()}
        mentioned = sum(len(np.unique(np.concatenate(pile.keys))) for pile in self._mentioned.values())
        for name, pile in self._mentioned.items():
            if name not in own and not own:
                own[name] = _united(pile)
        blocks = [
            _block(name, own, further)
            for name in sorted(own, key=lambda each: (rank(each), -len(own[each].keys)))
        ]
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


def _block(name: str, own: Mapping[str, _Set], further: Mapping[tuple[str, str], _Set]) -> Block:
    """The people of one kind, after those of stronger kinds, whose masks take up what is linked to them."""
    these = own[name]
    stronger = [other for other in own if other != name and _before(other, name, own)]
    weight = FULL / these.theta
    attached = np.zeros(len(these.keys), dtype=bool)
    comparable = False
    seen = 1.0
    for other in stronger:
        links = further.get((name, other))
        if links is not None:
            comparable = True
            seen = min(seen, _share(links))
            attached |= _attach(these, these.keys, np.arange(len(these.keys)), links, own[other])
    for (via, owner), mine in further.items():
        if owner != name or kind(via) in WEAK:
            continue
        for other in stronger:
            theirs = further.get((via, other))
            if theirs is None:
                continue
            comparable = True
            seen = min(seen, _share(mine) * _share(theirs))
            at = np.minimum(np.searchsorted(these.keys, mine.owners), max(len(these.keys) - 1, 0))
            known = these.keys[at] == mine.owners
            found = _attach(these, mine.keys[known], at[known], theirs, own[other])
            attached |= found
    new_weight = weight
    if seen < 1.0 and attached.any():
        missed = min(1.0, attached.mean() / seen)
        fresh = 1.0 - attached.mean()
        new_weight = weight * (1.0 - missed) / fresh if fresh else weight
    exact = these.theta == FULL and seen == 1.0 and all(own[other].theta == FULL for other in stronger)
    return Block(
        name, these.masks, these.places, ~attached, weight, new_weight, comparable or not stronger, exact
    )


def _before(other: str, name: str, own: Mapping[str, _Set]) -> bool:
    return (rank(other), -len(own[other].keys), other) < (rank(name), -len(own[name].keys), name)


def _share(links: _Set) -> float:
    """The share of links that a sample holds."""
    return (links.theta / FULL) * (links.owner_theta / FULL)


def _attach(these: _Set, keys: Words, at: NDArray[Any], links: _Set, stronger: _Set) -> NDArray[np.bool_]:
    """Which of these people a link shows to be one of the stronger; what is said of them goes to these.

    Args:
        these: the people that may have been counted already.
        keys: what links are looked up by.
        at: whose each of ``keys`` is, as an index into ``these``.
        links: from such keys to the stronger people.
        stronger: those.
    """
    attached = np.zeros(len(these.keys), dtype=bool)
    if not len(keys) or not len(links.keys):
        return attached
    first = np.minimum(np.searchsorted(links.keys, keys), len(links.keys) - 1)
    found = links.keys[first] == keys
    people = at[found]
    attached[people] = True
    if len(stronger.keys):
        owner = links.owners[first[found]]
        target = np.minimum(np.searchsorted(stronger.keys, owner), len(stronger.keys) - 1)
        there = stronger.keys[target] == owner
        np.bitwise_or.at(stronger.masks, target[there], these.masks[people[there]])
        np.maximum.at(stronger.places, target[there], these.places[people[there]])
    return attached


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
        for block in self.blocks:
            there = np.ones(len(block.masks), dtype=bool)
            for options in wanted:
                there &= (block.masks & np.uint64(options)) != 0
            entries = int(np.count_nonzero(there))
            if not entries:
                continue
            new = int(np.count_nonzero(there & block.new))
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
