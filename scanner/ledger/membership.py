"""Who was in what: whether given people are in the versions that were reachable, by exact membership.

People are asked for by keys, which only the installation can make. A version keeps all of them up to 65,536
of a kind in a part, beyond that a sample of keys and a second set of hashes of all values. Where neither
says, the answer is that a person cannot be excluded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from scanner.identifiers import WEAK, kind
from scanner.ledger import queries
from scanner.ledger.queries import Version, Window
from scanner.ledger.store import Connection, Ledger
from scanner.model import Outcome, PersonKeys, Table, Text
from scanner.sketch import FULL, positions

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]

_NONE: Numbers = np.empty(0, np.int64)

#: The people of a version by part, with the rows about nobody known.
_Persons = Mapping[int, tuple[tuple[PersonKeys, ...], int]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Those of the asked people who can be looked up by one kind of identifier.

    Attributes:
        keys: their keys (`scanner.detect.personkeys.PersonKeyer.keys`).
        members: their hashes of the other family (`PersonKeyer.members`).
        people: for each, the number of the person.
    """

    keys: Words
    members: Words
    people: Numbers


class _Index:
    """Words to look for, in order and once, whatever the order of those who ask.

    Args:
        words: one for each asker.
    """

    def __init__(self, words: Words) -> None:
        self._words, inverse, self._counts = np.unique(words, return_inverse=True, return_counts=True)
        self._askers = inverse.reshape(-1)
        self._grouped = np.argsort(self._askers, kind="stable")
        self._starts = np.cumsum(self._counts) - self._counts

    def among(self, ordered: Words) -> tuple[Numbers, NDArray[np.bool_]]:
        """For each asker a position in ``ordered`` (ascending), and whether the word is there.

        The fewer are looked up among the more.
        """
        if len(ordered) >= len(self._words):
            at, there = positions(ordered, self._words)
        else:
            at = np.zeros(len(self._words), np.int64)
            there = np.zeros(len(self._words), dtype=bool)
            asked, known = positions(self._words, ordered)
            there[asked[known]] = True
            at[asked[known]] = np.flatnonzero(known)
        return at[self._askers], there[self._askers]

    def pairs(self, words: Words) -> tuple[Numbers, Numbers]:
        """Each position in ``words`` (in any order, repeated or not) with each asker for what is there."""
        at, there = positions(self._words, words)
        hits, groups = np.flatnonzero(there), at[there]
        counts = self._counts[groups]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(hits, counts), self._grouped[np.repeat(self._starts[groups], counts) + within]


@dataclass(frozen=True, slots=True)
class _Sought:
    """`Asked`, made ready to be looked for in many versions."""

    people: Numbers
    keys: _Index
    members: _Index


class _Links:
    """Other keys of asked people, as tables have shown them, by kind of identifier."""

    def __init__(self) -> None:
        self._noted: dict[str, list[tuple[Words, Numbers]]] = {}
        self._ordered: dict[str, tuple[Words, Numbers]] = {}

    def __bool__(self) -> bool:
        return bool(self._noted)

    def note(self, identifier: str, keys: Words, people: Numbers) -> None:
        """That these keys are of these people."""
        if len(keys):
            self._noted.setdefault(identifier, []).append((keys, people))

    def among(self, identifier: str, ordered: Words) -> tuple[Numbers, Numbers]:
        """Positions in ``ordered`` (ascending) that are of asked people, and whose they are."""
        if identifier not in self._noted or not len(ordered):
            return _NONE, _NONE
        if identifier not in self._ordered:
            self._ordered[identifier] = _distinct(self._noted[identifier])
        keys, people = self._ordered[identifier]
        at, there = positions(ordered, keys)
        return at[there], people[there]


def _distinct(noted: Sequence[tuple[Words, Numbers]]) -> tuple[Words, Numbers]:
    """Pairs of key and person, each once, by key."""
    keys = np.concatenate([each[0] for each in noted])
    people = np.concatenate([each[1] for each in noted])
    order = np.lexsort((people, keys))
    keys, people = keys[order], people[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = (keys[1:] != keys[:-1]) | (people[1:] != people[:-1])
    return keys[first], people[first]


class _Askers:
    """What `Ask` gives, made ready once for each kind of identifier."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[str, _Sought | None] = {}

    def __call__(self, identifier: str) -> _Sought | None:
        if identifier not in self._known:
            asked = self._ask(identifier)
            some = asked is not None and len(asked.people)
            self._known[identifier] = (
                _Sought(asked.people, _Index(asked.keys), _Index(asked.members)) if asked and some else None
            )
        return self._known[identifier]


#: Gives who is asked for by a kind of identifier; None where nobody is.
Ask = Callable[[str], Asked | None]


@dataclass(frozen=True, slots=True)
class Hit:
    """A version in which asked people are.

    Attributes:
        version: which.
        people: their numbers, ascending.
        linked: those of them that are there under another identifier, which some version shows to be theirs.
        categories: what the fields hold that their rows have a value in.
        spans: from when until when it was reachable, by path; None while it still is.
    """

    version: Version
    people: Numbers
    linked: Numbers
    categories: frozenset[str]
    spans: tuple[tuple[str, str, str | None], ...]


@dataclass(slots=True)
class Answer:
    """What was found.

    Attributes:
        hits: in the order of recording.
        searched: versions that could tell.
        silent: those about people, without an identifier that anybody is asked by.
        unsure: those in which somebody cannot be excluded, with the reason: ``unread`` (not read whole),
            ``forgotten``, ``sampled``.
        open: for each person, how many versions cannot exclude it.
    """

    hits: list[Hit] = field(default_factory=list)
    searched: int = 0
    silent: int = 0
    unsure: dict[str, int] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What one version says."""

    people: set[int] = field(default_factory=set)
    linked: set[int] = field(default_factory=set)
    fields: set[queries.FieldKey] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    told: bool = False


def search(
    ledger: Ledger,
    connection: Connection,
    window: Window,
    vendors: Sequence[str | None],
    ask: Ask,
    count: int,
) -> Answer:
    """Look for people in everything that vendors could reach.

    Args:
        ledger: an open one.
        connection: to it.
        window: a moment, or from when until when.
        vendors: None is nobody's folder.
        ask: see `Ask`.
        count: of asked people, numbered from 0.
    """
    answer, askers, links = Answer(), _Askers(ask), _Links()
    held = [version for vendor in vendors for version in queries.reachable(connection, window, vendor)]
    found = {}
    for version in held:
        persons = queries.persons_of(ledger, connection, version)
        found[version.id] = _look(persons, askers)
        _learn(persons, askers, links)
    if links:
        for version in held:
            persons = queries.persons_of(ledger, connection, version)
            _follow(persons, links, found[version.id])
    for version in held:
        _tell(ledger, connection, version, found[version.id], window, answer, count)
    return answer


def _tell(
    ledger: Ledger,
    connection: Connection,
    version: Version,
    found: _Found,
    window: Window,
    answer: Answer,
    count: int,
) -> None:
    reason = _reason(version, found)
    if reason is not None:
        answer.unsure[reason] = answer.unsure.get(reason, 0) + 1
        whole = set(range(count)) if reason != "sampled" else found.unknown
        for person in whole - found.people:
            answer.open[person] = answer.open.get(person, 0) + 1
    elif found.told or not version.totals.high:
        answer.searched += 1
    else:
        answer.silent += 1
    if found.people:
        outcome = queries.outcome_of(ledger, connection, version)
        answer.hits.append(
            Hit(
                version=version,
                people=np.array(sorted(found.people), np.int64),
                linked=np.array(sorted(found.linked), np.int64),
                categories=frozenset() if outcome is None else _categories(outcome, found.fields),
                spans=tuple(queries.spans(connection, version, window)),
            )
        )


def _reason(version: Version, found: _Found) -> str | None:
    if version.evidence is None:
        return "forgotten"
    if version.gaps:
        return "unread"
    return "sampled" if found.unknown else None


def _look(persons: _Persons, ask: _Askers) -> _Found:
    """Who is there by an identifier that they are asked by."""
    found = _Found()
    for part, (sets, _) in persons.items():
        kinds: dict[str, list[PersonKeys]] = {}
        for each in sets:
            kinds.setdefault(each.identifier, []).append(each)
        for identifier, same in kinds.items():
            asked = ask(identifier)
            if asked is None:
                continue
            found.told = True
            _match(part, same, asked, found)
    return found


def _match(part: int, same: Sequence[PersonKeys], asked: _Sought, found: _Found) -> None:
    here = np.zeros(len(asked.people), dtype=bool)
    certain = np.zeros(len(asked.people), dtype=bool)
    for each in same:
        at, there = asked.keys.among(np.frombuffer(each.keys, "<u8"))
        here |= there
        found.fields |= set(_fields_of(part, each, at[there]))
        if each.members:
            everybody = np.frombuffer(each.members, "<u8")
            # A text's are of the keys' own family, a table's of the other one.
            here |= asked.members.among(everybody)[1] | asked.keys.among(everybody)[1]
            certain[:] = True
    if all(min(each.theta, each.owner_theta) >= FULL for each in same):
        certain[:] = True
    found.people |= set(asked.people[here].tolist())
    found.unknown |= set(asked.people[~here & ~certain].tolist())


def _fields_of(part: int, each: PersonKeys, at: Numbers) -> Iterator[queries.FieldKey]:
    """The fields in which these entries have a value."""
    traits = np.frombuffer(each.traits, "<u8")
    said = int(np.bitwise_or.reduce(traits[at])) if len(at) else 0
    for bit, (index, entity_type) in enumerate(each.fields):
        if said >> bit & 1:
            yield part, index, entity_type


def _learn(persons: _Persons, ask: _Askers, links: _Links) -> None:
    """Note under which other keys a table has the asked people."""
    for sets, _ in persons.values():
        for each in sets:
            if not each.owners or each.owner is None:
                continue
            keys, owners = np.frombuffer(each.keys, "<u8"), np.frombuffer(each.owners, "<u8")
            _learn_one(ask(each.identifier), keys, owners, each.owner, links)
            _learn_one(ask(each.owner), owners, keys, each.identifier, links)


def _learn_one(asked: _Sought | None, known: Words, others: Words, name: str, links: _Links) -> None:
    if asked is None or kind(name) in WEAK:
        return  # that two have one name does not make them one person
    at, askers = asked.keys.pairs(known)
    links.note(name, others[at], asked.people[askers])


def _follow(persons: _Persons, links: _Links, found: _Found) -> None:
    """Who is there under another of their keys only."""
    for part, (sets, _) in persons.items():
        for each in sets:
            at, people = links.among(each.identifier, np.frombuffer(each.keys, "<u8"))
            if not len(people):
                continue
            new = set(people.tolist()) - found.people
            if new:
                found.told = True
                found.fields |= set(_fields_of(part, each, at))
            found.linked |= new
            found.people |= new


def _categories(outcome: Outcome, fields: set[queries.FieldKey]) -> frozenset[str]:
    """Categories of fields; of all fields of the item where none is known to be theirs."""
    parts: list[tuple[int, Table | Text]] = [*enumerate(outcome.tables)]
    parts += [(-1 - at, text) for at, text in enumerate(outcome.texts)]
    every: dict[queries.FieldKey, str] = {}
    for at, part in parts:
        if isinstance(part, Table):
            every |= {
                (at, column.index, each.entity_type): each.category
                for column in part.columns
                for each in column.entities
            }
        else:
            every |= {(at, -1, each.entity_type): each.category for each in part.entities}
    chosen = fields & every.keys() or every.keys()
    return frozenset(every[key] for key in chosen if every[key])
