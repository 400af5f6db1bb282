"""What deliveries give together that none gives alone: those that share a key can be joined.

Two feeds whose rows carry the same account number, or another identifier, are one table to whoever has both.
They are recognised by their keys: the same kind of identifier in the same name space, and people in both.
Running numbers of two unrelated things also meet, so a join counts only where it is plausible: where rows of
one account agree in a further identifier (a name, say), or, where nothing can be compared, where most of the
smaller feed is found in the other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations as pairs
from typing import TYPE_CHECKING, Any

import numpy as np

from scanner.identifiers import WEAK, kind
from scanner.ledger.combinations import present
from scanner.sketch import FULL

if TYPE_CHECKING:
    from scanner.ledger.people import Crowd, Keys
    from scanner.ledger.queries import Tally

#: People that two feeds must share.
_FEWEST = 3
#: Share of the smaller feed's people, where nothing confirms that the keys mean the same.
_MOST = 0.5
#: Share of common people whose further identifiers agree, where they can be compared.
_AGREEING = 0.5
#: People with a further identifier on both sides who are needed to tell, and how many are looked at.
_COMPARED = 3
_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Join:
    """Two feeds that can be joined.

    Attributes:
        key: the kind of identifier that both have.
        sides: the feeds' ids, or the vendors'.
        people: that are in both, as an estimate.
        confirmed: whether further identifiers of these people agree; None where there are none to compare.
        categories: of each side.
        adds: combinations that neither side has by itself.
    """

    key: str
    sides: tuple[str, str]
    people: int
    confirmed: bool | None
    categories: tuple[tuple[str, ...], tuple[str, ...]]
    adds: tuple[tuple[str, ...], ...]

    def document(self) -> dict[str, Any]:
        """As the exposure document has it."""
        return {
            "key": self.key,
            "feeds": list(self.sides),
            "people": self.people,
            "confirmed": self.confirmed,
            "categories": [list(each) for each in self.categories],
            "adds": [list(each) for each in self.adds],
        }


def within(tally: Tally) -> list[Join]:
    """The joins between the feeds of one vendor that make a combination which no feed has."""
    return _joins(tally.feeds, tally.bits)


def across(tallies: Mapping[str, Tally]) -> list[Join]:
    """The joins between vendors: what two of them could make of it together. Tallies share their bits."""
    bits: dict[str, int] = {}
    for tally in tallies.values():
        bits |= tally.bits
    return _joins({name: tally.crowd for name, tally in tallies.items()}, bits)


def _joins(crowds: Mapping[str, Crowd], bits: Mapping[str, int]) -> list[Join]:
    sets = {name: crowd.sets() for name, crowd in crowds.items()}
    found = [
        join
        for left, right in pairs(sorted(sets), 2)
        if (join := _join((left, right), sets[left], sets[right], bits)) is not None
    ]
    return sorted(found, key=lambda join: (-join.people, join.sides))


def _join(
    sides: tuple[str, str],
    left: Mapping[tuple[str, str | None], Keys],
    right: Mapping[tuple[str, str | None], Keys],
    bits: Mapping[str, int],
) -> Join | None:
    """The best key that two crowds can be joined by; None where there is none, or nothing is gained."""
    best: Join | None = None
    for identifier in sorted({name for name, _ in left} & {name for name, _ in right}):
        if kind(identifier) in WEAK or kind(identifier) == "name+address":
            continue
        for one, other in _alike(identifier, left, right):
            join = _by(identifier, sides, one, other, (left, right), bits)
            if join is not None and (best is None or join.people > best.people):
                best = join
    return best


def _alike(
    identifier: str, left: Mapping[tuple[str, str | None], Keys], right: Mapping[tuple[str, str | None], Keys]
) -> Iterator[tuple[tuple[str | None, Keys], tuple[str | None, Keys]]]:
    for (name, owner), one in left.items():
        for (other_name, other_owner), other in right.items():
            if name == other_name == identifier:
                yield (owner, one), (other_owner, other)


def _by(
    identifier: str,
    sides: tuple[str, str],
    one: tuple[str | None, Keys],
    other: tuple[str | None, Keys],
    sets: tuple[Mapping[tuple[str, str | None], Keys], Mapping[tuple[str, str | None], Keys]],
    bits: Mapping[str, int],
) -> Join | None:
    keys, more = one[1], other[1]
    theta = min(keys.theta, more.theta)
    mine, theirs = _distinct(keys, theta), _distinct(more, theta)
    common = np.intersect1d(mine, theirs, assume_unique=True)
    share = _seen(keys) * _seen(more)
    if len(common) < _FEWEST:
        return None
    confirmed = _agree(identifier, common, sets)
    smaller = max(1, min(len(mine), len(theirs)))
    if confirmed is False or (confirmed is None and len(common) < _MOST * smaller):
        return None
    masks = (_masks(keys, common), _masks(more, common))
    adds = tuple(_added(masks, bits))
    if not adds:
        return None
    people = (
        round(len(common) * FULL / theta / max(share, 1e-9))
        if share < 1
        else round(len(common) * FULL / theta)
    )
    names = (_named(masks[0], bits), _named(masks[1], bits))
    return Join(identifier, sides, people, confirmed, names, adds)


def _seen(keys: Keys) -> float:
    """The share of people whose further identifiers are kept."""
    return keys.owner_theta / FULL


def _distinct(keys: Keys, theta: int) -> Any:
    found = np.unique(keys.keys)
    return found if theta == FULL else found[: int(np.searchsorted(found, np.uint64(theta)))]


def _masks(keys: Keys, common: Any) -> Any:
    """What is said of each of these people, in their order; an entry for each pair is united."""
    at = np.searchsorted(common, keys.keys)
    at = np.minimum(at, len(common) - 1)
    here = common[at] == keys.keys
    out = np.zeros(len(common), dtype=np.uint64)
    np.bitwise_or.at(out, at[here], keys.masks[here])
    return out


def _added(masks: tuple[Any, Any], bits: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    """Combinations that people have on both sides together and on neither alone."""
    for wanted, options in present(bits):
        one, other = (_has(mask, options) for mask in masks)
        both = _has(masks[0] | masks[1], options)
        if (both & ~one & ~other).sum() >= _FEWEST:
            yield wanted


def _has(masks: Any, options: list[int]) -> Any:
    there = np.ones(len(masks), dtype=bool)
    for option in options:
        there &= (masks & np.uint64(option)) != 0
    return there


def _named(masks: Any, bits: Mapping[str, int]) -> tuple[str, ...]:
    said = int(np.bitwise_or.reduce(masks)) if len(masks) else 0
    return tuple(sorted(name for name, bit in bits.items() if said >> bit & 1))


def _agree(
    identifier: str,
    common: Any,
    sets: tuple[Mapping[tuple[str, str | None], Keys], Mapping[tuple[str, str | None], Keys]],
) -> bool | None:
    """Whether people of one key have one further identifier on both sides; None where none is on both."""
    few = common[:_LOOKED_AT]
    left, right = (_links(identifier, few, each) for each in sets)
    for name in sorted(left.keys() & right.keys()):
        one, other = left[name], right[name]
        there = one.keys() & other.keys()
        if len(there) >= _COMPARED:
            same = sum(bool(one[key] & other[key]) for key in there)
            return same >= _AGREEING * len(there)
    return None


def _links(
    identifier: str, few: Any, sets: Mapping[tuple[str, str | None], Keys]
) -> dict[str, dict[int, set[int]]]:
    """The further identifiers of people with these keys, by kind: directly, or over whom both are of."""
    out: dict[str, dict[int, set[int]]] = {}
    for (name, owner), held in sets.items():
        if owner == identifier:
            out[name] = _pairs(few, held.owners, held.keys)
        elif name == identifier and owner is not None:
            people = _pairs(few, held.keys, held.owners)
            out[owner] = people
            everybody = np.unique(np.array([key for each in people.values() for key in each], np.uint64))
            for (other, same), more in sets.items():
                if same == owner and other != identifier and len(everybody):
                    known = _pairs(everybody, more.owners, more.keys)
                    over = {
                        key: {found for one in each for found in known.get(one, ())}
                        for key, each in people.items()
                    }
                    out[other] = {key: each for key, each in over.items() if each}
    return out


def _pairs(wanted: Any, keys: Any, others: Any) -> dict[int, set[int]]:
    """What stands beside each of the wanted keys (ascending)."""
    at = np.minimum(np.searchsorted(wanted, keys), len(wanted) - 1)
    here = wanted[at] == keys
    out: dict[int, set[int]] = {}
    for key, other in zip(keys[here].tolist(), others[here].tolist(), strict=True):
        out.setdefault(key, set()).add(other)
    return out
