"""Unions of the people of many versions, kept so that no question has to open each version again.

Versions of one shape are gone through in the order in which they were recorded. Runs of `RUN` of them, and
runs of as many runs, have their people united once; the union is kept among the answers, sealed, and named
by what it is made of: a version that was recorded anew gives its run another name. A question takes the
unions of the runs that are reachable whole, and single versions for the rest. A day's deliveries add to the
newest run only, and what is gone opens no more than the runs that it was part of.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from scanner.ledger import evidence, schema
from scanner.ledger.people import BITS, Crowd
from scanner.ledger.store import Ledger
from scanner.model import PersonKeys

#: Versions of the smallest run, and runs of the next larger one.
RUN = 32
#: Sizes of runs, the largest first.
_LEVELS = 2


@dataclass(frozen=True, slots=True)
class Member:
    """A reachable version, as a union names it.

    Attributes:
        number: its place among all versions of its shape, from 0.
        tag: the keyed tag of its content.
        people: digest of its blob of people, None where it has none.
        best: people as counted when it was recorded.
    """

    number: int
    tag: int
    people: str | None
    best: int


@dataclass(slots=True)
class Part:
    """The people of one part of some versions.

    Attributes:
        persons: their keys.
        nameless: rows of people whom nothing tells apart.
        most: people of the version that has most of those without any key.
        loose: the sum of these.
    """

    persons: tuple[PersonKeys, ...] = ()
    nameless: int = 0
    most: int = 0
    loose: int = 0

    def into(self, crowd: Crowd, bits: Callable[[tuple[int, str]], int]) -> None:
        """Add them to a crowd."""
        crowd.add(self.persons, bits, self.nameless)
        if self.most:
            crowd.add_loose(self.most, self.loose)


Parts = dict[int, Part]


@dataclass
class Unions:
    """Finds the people of many versions of one shape.

    Args:
        ledger: an open one.
        connection: to read with.
        vendor: whose versions they are, empty for nobody's.
    """

    ledger: Ledger
    connection: Connection
    vendor: str
    #: Unions that were made, by the name that they are kept under.
    made: dict[str, bytes] = field(default_factory=dict)

    def people(self, shape: str, parts: frozenset[int], members: Sequence[Member]) -> Iterator[Parts]:
        """The people of versions, as few sets of parts as can be.

        Args:
            shape: of all of them.
            parts: those that have personal fields.
            members: the versions.
        """
        yield from self._covered(shape, parts, sorted(members, key=lambda each: each.number), _LEVELS)

    def _covered(
        self, shape: str, parts: frozenset[int], members: Sequence[Member], level: int
    ) -> Iterator[Parts]:
        if level == 0:
            for start in range(0, len(members), RUN):
                some = members[start : start + RUN]
                held = self.ledger.blobs(self.connection, [each.people for each in some if each.people])
                for member in some:
                    yield self._single(parts, member, held)
            return
        size = RUN**level
        runs: dict[int, list[Member]] = defaultdict(list)
        for member in members:
            runs[member.number // size].append(member)
        for inside in runs.values():
            if len(inside) == size:
                yield self._united(shape, parts, inside, level)
            else:
                yield from self._covered(shape, parts, inside, level - 1)

    def _single(self, parts: frozenset[int], member: Member, blobs: Mapping[str, bytes]) -> Parts:
        packed = blobs.get(member.people or "")
        held = evidence.unpack(packed) if packed else {}
        out = {}
        for part in parts:
            persons, nameless = held.get(part, ((), 0))
            told = any(each.owner is None for each in persons)
            most = 0 if told else max(1, member.best)
            out[part] = Part(persons, nameless, most, most)
        return out

    def _united(self, shape: str, parts: frozenset[int], members: Sequence[Member], level: int) -> Parts:
        what = [self.vendor, shape, sorted(parts), [[each.tag, each.best] for each in members]]
        name = self.ledger.digest(json.dumps(what).encode(), "union")
        held = self._kept(name)
        if held is not None:
            return held
        pieces = list(self._covered(shape, parts, members, level - 1))
        out = {part: _merged([piece[part] for piece in pieces]) for part in parts}
        if all(part is not None for part in out.values()):
            whole = {number: part for number, part in out.items() if part is not None}
            self.made[name] = _packed(whole)
            return whole
        return {part: _together([piece[part] for piece in pieces]) for part in parts}

    def _kept(self, name: str) -> Parts | None:
        if name in self.made:
            return _unpacked(self.made[name])
        table = schema.answers
        data = self.connection.execute(select(table.c.data).where(table.c.question == name)).scalar()
        plain = None if data is None else self.ledger.union_opened(name, bytes(data))
        return None if plain is None else _unpacked(plain)


def _merged(parts: Sequence[Part]) -> Part | None:
    """One part with one set of each kind; None where its fields are too many to be told apart."""
    bits: dict[tuple[int, str], int] = {}
    for part in parts:
        for each in part.persons:
            for name in each.fields:
                bits.setdefault(name, len(bits))
    if len(bits) > BITS:
        return None
    crowd = Crowd()
    for part in parts:
        crowd.add(part.persons, lambda name: bits[name])
    whole = _together(parts)
    return Part(tuple(crowd.as_keys(tuple(bits))), whole.nameless, whole.most, whole.loose)


def _together(parts: Sequence[Part]) -> Part:
    return Part(
        tuple(each for part in parts for each in part.persons),
        sum(part.nameless for part in parts),
        max((part.most for part in parts), default=0),
        sum(part.loose for part in parts),
    )


def _packed(parts: Mapping[int, Part]) -> bytes:
    loose = json.dumps({str(at): [part.most, part.loose] for at, part in parts.items()}).encode("ascii")
    held = evidence.pack_parts(
        [(at, part.persons, part.nameless) for at, part in parts.items()], members=False
    )
    return len(loose).to_bytes(4, "little") + loose + held


def _unpacked(data: bytes) -> Parts:
    size = 4 + int.from_bytes(data[:4], "little")
    held = evidence.unpack(data[size:]) if len(data) > size else {}
    out = {}
    for at, (most, loose) in json.loads(data[4:size]).items():
        persons, nameless = held.get(int(at), ((), 0))
        out[int(at)] = Part(persons, nameless, most, loose)
    return out
