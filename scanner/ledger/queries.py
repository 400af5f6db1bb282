"""What the ledger knows: which versions a vendor could reach when, and how many people that was.

Everything takes an instant (``start == end``) or a window: a version counts where it was reachable at any
moment between. Times are as `scanner.ledger.store.stamp` writes them.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, delete, func, insert, or_, select
from sqlalchemy.exc import SQLAlchemyError

from scanner.documents import estimate
from scanner.ledger import evidence, joins, schema, undoing
from scanner.ledger.combinations import present
from scanner.ledger.linking import Links, Piece
from scanner.ledger.people import BITS, Crowd, People
from scanner.ledger.store import Ledger
from scanner.ledger.unions import Member, Parts, Unions
from scanner.model import Estimate, Evidence, Outcome, PersonKeys, Table, Text

#: A field of an item: the part (tables from 0 up, texts from -1 down), the column's index or -1, the type.
FieldKey = tuple[int, int, str]
#: Gives the paths, relative to the share, at which an outcome and others like it lay.
Paths = Callable[[], Collection[str]]
#: Judges the fields of an outcome: those that are personal data, and whether the policy allows each wherever
#: it lay; None where there is no policy.
Judge = Callable[[str | None, Outcome, Paths], Mapping[FieldKey, bool | None]]


#: Of kept answers: what is answered in another form is computed again.
_FORM = 5

#: The environment's variable for how many MiB of answers are kept, and what holds without it.
ANSWERS_MB = "SHAREWATCH_LEDGER_ANSWERS_MB"
_ANSWERS_MB = 256

#: Versions that are asked for in one query.
_AT_ONCE = 500

#: Stands for all vendors; no vendor has such an id.
EVERYBODY = "*"


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when; both ends are part of it."""

    start: str
    end: str

    @property
    def instant(self) -> bool:
        """Whether it is one moment."""
        return self.start == self.end


@dataclass(frozen=True, slots=True)
class Version:
    """An item version that was reachable, with how many copies of it at most at one time.

    Attributes:
        id: its number.
        vendor: who could reach it, None for nobody's folder.
        content: ``sha256:`` and digest, or ``unread:`` and a name.
        feed: id of the feed it is a delivery of.
        rows: of its tables with personal data.
        status: of the outcome.
        gaps: things in it that could not be read.
        shape: equal for versions whose fields a policy judges alike.
        evidence, people: digests of its blobs; None where forgotten or nothing.
        totals: people as counted when it was recorded.
        copies: places that it lay in at the same time.
        paths: these, relative to the share.
    """

    id: int
    vendor: str | None
    content: str
    feed: str
    rows: int
    status: str
    gaps: int
    shape: str
    evidence: str | None
    people: str | None
    totals: Estimate
    copies: int
    paths: tuple[str, ...]


def vendors(connection: Connection) -> list[str | None]:
    """Everybody who ever had something, nobody's folder last."""
    table = schema.versions
    found = [row[0] or None for row in connection.execute(select(table.c.vendor).distinct())]
    return sorted(found, key=lambda each: (each is None, each or ""))


def _within(window: Window) -> ColumnElement[bool]:
    table = schema.presences
    started = table.c.first_seen <= window.end
    # What ended at the very moment is not reachable any more.
    there = or_(table.c.gone.is_(None), table.c.gone > window.start)
    return and_(started, there, or_(table.c.gone.is_(None), table.c.gone > table.c.first_seen))


def states(connection: Connection, window: Window, vendor: str | None = EVERYBODY) -> dict[str | None, str]:
    """For each vendor that had something, what tells its set of reachable versions from another."""
    table = schema.presences
    query = select(table.c.vendor, func.count(), func.sum(table.c.tag)).where(_within(window))
    if vendor != EVERYBODY:
        query = query.where(table.c.vendor == (vendor or ""))
    found = connection.execute(query.group_by(table.c.vendor))
    return {name or None: f"{count}:{total}" for name, count, total in found}


def reachable(connection: Connection, window: Window, vendor: str | None) -> list[Version]:
    """The versions that a vendor could reach, in the order in which they were first recorded."""
    table, versions = schema.presences, schema.versions
    query = select(table.c.version, table.c.first_seen, table.c.gone, table.c.path, table.c.member)
    spans: dict[int, list[tuple[str, str | None, str]]] = defaultdict(list)
    for number, first, gone, path, member in connection.execute(
        query.where(_within(window), table.c.vendor == (vendor or ""))
    ):
        name = f"{path} > {member}" if member else path
        spans[number].append((max(first, window.start), gone, name))
    held = select(versions).where(versions.c.vendor == (vendor or "")).order_by(versions.c.id)
    return [_version(row, spans[row.id]) for row in connection.execute(held) if row.id in spans]


def feed_names(connection: Connection) -> dict[tuple[str, str], str]:
    """The name of each feed, by vendor (empty for nobody's folder) and id."""
    table = schema.feeds
    return {(row.vendor, row.id): row.name for row in connection.execute(select(table))}


def spans(connection: Connection, version: Version, window: Window) -> list[tuple[str, str, str | None]]:
    """Where a version lay in a window: path (with member), first seen, and gone or None."""
    table = schema.presences
    query = select(table.c.path, table.c.member, table.c.first_seen, table.c.gone)
    query = query.where(_within(window), table.c.version == version.id).order_by(
        table.c.first_seen, table.c.id
    )
    return [
        (f"{row.path} > {row.member}" if row.member else row.path, row.first_seen, row.gone)
        for row in connection.execute(query)
    ]


def files(
    connection: Connection, vendor: str | None, at: str, most: int
) -> tuple[int, list[tuple[str, str]]]:
    """What a vendor can reach at a moment: how much, and path and first sight of so many, oldest first."""
    table = schema.presences
    here = _within(Window(at, at)) & (table.c.vendor == (vendor or ""))
    count = connection.execute(select(func.count()).select_from(table).where(here)).scalar()
    query = select(table.c.path, table.c.member, table.c.first_seen).where(here)
    query = query.order_by(table.c.first_seen, table.c.path, table.c.member).limit(most)
    listed = [
        (f"{row.path} > {row.member}" if row.member else row.path, row.first_seen)
        for row in connection.execute(query)
    ]
    return int(count or 0), listed


def across(ledger: Ledger, window: Window, judge: Judge) -> list[joins.Join]:
    """What two vendors could make together of what they could reach."""
    bits: dict[str, int] = {}
    with ledger.reading() as connection:
        tallies = {}
        for vendor in states(connection, window):
            if vendor is not None:
                tallies[vendor] = gather(ledger, connection, window, vendor, judge, bits=bits)
    return joins.across(tallies)


def first_sights(connection: Connection, vendor: str | None) -> dict[int, str]:
    """When each version that a vendor ever had was first seen anywhere."""
    table = schema.presences
    query = select(table.c.version, func.min(table.c.first_seen)).where(table.c.vendor == (vendor or ""))
    return {row[0]: row[1] for row in connection.execute(query.group_by(table.c.version))}


def places(connection: Connection, at: str) -> list[tuple[tuple[str, str], str, Version]]:
    """All that is reachable at a moment: place, path relative to the share, and version of each."""
    table, versions = schema.presences, schema.versions
    query = select(table.c.version, table.c.location, table.c.member, table.c.path)
    there = connection.execute(query.where(_within(Window(at, at)))).all()
    held = {row.id: _version(row, [(at, None, "")]) for row in connection.execute(select(versions))}
    return [((row.location, row.member), row.path, held[row.version]) for row in there]


def undone_by_others(
    ledger: Ledger,
    connection: Connection,
    window: Window,
    vendor: str | None,
    made: dict[str, bytes] | None = None,
) -> undoing.Undone:
    """For each version that a vendor could reach what is told of digests that others of its files undo.

    Args:
        ledger: an open one.
        connection: to it.
        window: a moment, or from when until when.
        vendor: None is nobody's folder.
        made: takes the answer, by name, for who keeps it.
    """
    table = schema.presences

    def there() -> dict[int, str]:
        name = case((table.c.member == "", table.c.path), else_=table.c.member)
        query = select(table.c.version, func.min(name)).where(
            _within(window), table.c.vendor == (vendor or "")
        )
        return {row[0]: row[1] for row in connection.execute(query.group_by(table.c.version))}

    return undoing.undone(ledger, connection, vendor, there, made)


def places_of(
    connection: Connection, at: str, versions: Sequence[int]
) -> list[tuple[tuple[str, str], str, Version]]:
    """As `places`, of these versions."""
    table, known = schema.presences, schema.versions
    out: list[tuple[tuple[str, str], str, Version]] = []
    for start in range(0, len(versions), _AT_ONCE):
        some = versions[start : start + _AT_ONCE]
        held = connection.execute(select(known).where(known.c.id.in_(some)))
        by_id = {row.id: _version(row, [(at, None, "")]) for row in held}
        query = select(table.c.version, table.c.location, table.c.member, table.c.path)
        query = query.where(_within(Window(at, at)), table.c.version.in_(some))
        found = connection.execute(query.order_by(table.c.location, table.c.member))
        out += [((row.location, row.member), row.path, by_id[row.version]) for row in found]
    return out


def _version(row: Row[Any], spans: Sequence[tuple[str, str | None, str]]) -> Version:
    return Version(
        id=row.id,
        vendor=row.vendor or None,
        content=row.content,
        feed=row.feed,
        rows=row.rows,
        status=row.status,
        gaps=row.gaps,
        shape=row.shape,
        evidence=row.evidence,
        people=row.people,
        totals=Estimate(row.people_low, row.people_best, row.people_high),
        copies=_copies(spans),
        paths=tuple(sorted({name for _, _, name in spans})),
    )


def _copies(spans: Sequence[tuple[str, str | None, str]]) -> int:
    """How many of these lay side by side at most: a file that was moved is one, a copy makes two."""
    if len(spans) == 1:
        return 1
    steps = sorted([(first, 1) for first, _, _ in spans] + [(gone, -1) for _, gone, _ in spans if gone])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def outcome_of(
    ledger: Ledger, connection: Connection, version: Version, *, people: bool = False
) -> Outcome | None:
    """The outcome of a version as it was recorded, for a policy to judge; None where it was forgotten."""
    if version.evidence is None:
        return None
    held = ledger.blob(connection, version.evidence)
    if held is None:
        return None
    packed = ledger.blob(connection, version.people) if people and version.people else None
    return evidence.decode(held, packed)


def persons_of(
    ledger: Ledger, connection: Connection, version: Version
) -> dict[int, tuple[tuple[PersonKeys, ...], int]]:
    """The people of a version by part, with the rows of people whom nothing tells apart."""
    packed = ledger.blob(connection, version.people) if version.people else None
    return evidence.unpack(packed) if packed else {}


# -- exposure ------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What one vendor could reach, gathered.

    Attributes:
        bits: the bit of each label.
        crowd: all people.
        feeds: the people of each feed.
        forms: by label.
        allowed: by label; None without a policy.
        people_of_feed: items of each feed.
        rows, items, unread, forgotten: see the exposure document.
    """

    bits: dict[str, int]
    crowd: Crowd
    feeds: dict[str, Crowd]
    forms: dict[str, set[str]]
    allowed: dict[str, bool | None]
    people_of_feed: Counter[str]
    items: int = 0
    rows: int = 0
    unread: int = 0
    forgotten: int = 0

    def bit(self, category: str) -> int:
        """The category's bit; the last one is that of all for which none is left."""
        return self.bits.setdefault(category, min(len(self.bits), BITS - 1))

    def judged(self, category: str, allowed: bool | None) -> None:
        """One field that is not allowed decides."""
        before = self.allowed.get(category, allowed)
        self.allowed[category] = None if allowed is None else bool(before and allowed)


def exposure(
    ledger: Ledger,
    window: Window,
    *,
    judge: Judge,
    judged_by: str | None,
    by_paths: Collection[str] = (),
    vendor: str | None = EVERYBODY,
) -> list[dict[str, Any]]:
    """What vendors could reach, as the ``vendors`` of the exposure contract.

    Args:
        ledger: an open one.
        window: a moment, or from when until when.
        judge: says which fields are personal data, and which of these are allowed.
        judged_by: names what ``judge`` decides by, for answers that are kept; None to look up and keep none.
        by_paths: vendors of whom it also matters where files lay.
        vendor: one only; None is nobody's folder, `EVERYBODY` is all of them.
    """
    out = []
    made: dict[str, tuple[str, bytes]] = {}
    with ledger.reading() as connection:
        known = WhoIsWho(ledger, connection, judge)
        there = states(connection, window, vendor)
        everything = _everything(connection) if there else ""
        for name, state in sorted(there.items(), key=lambda e: (e[0] is None, e[0] or "")):
            asked: list[Any] = [_FORM, name, state, judged_by, *_asked(window)]
            if name in by_paths:
                asked.append(sorted(_Paths(connection, window, name).by_version().items()))
            # An answer that took what others got to tell people apart holds until anybody gets more.
            alone, by_all = (
                ledger.digest(json.dumps(question).encode(), "answer")
                for question in (asked, [*asked, everything])
            )
            held = None
            if judged_by is not None:
                held = _kept(ledger, connection, alone) or _kept(ledger, connection, by_all)
            new = held is None
            known.asked = False
            if held is None:
                unions: dict[str, bytes] = {}
                held = _vendor(ledger, connection, window, name, judge, unions, known)
                made |= {key: (name or "", ledger.union_sealed(key, data)) for key, data in unions.items()}
            out.append((by_all if known.asked else alone, held, new))
        made |= {key: (name, ledger.union_sealed(key, data)) for key, (name, data) in known.made.items()}
    if judged_by is not None:
        _keep(ledger, [(question, answer) for question, answer, new in out if new], made)
    return [answer for _, answer, _ in out]


def _asked(window: Window) -> list[str]:
    return [] if window.instant else [window.start, window.end]


def _kept(ledger: Ledger, connection: Connection, question: str) -> dict[str, Any] | None:
    table = schema.answers
    data = connection.execute(select(table.c.data).where(table.c.question == question)).scalar()
    held = None if data is None else ledger.answer_opened(question, bytes(data))
    answer: dict[str, Any] | None = json.loads(held) if held is not None else None
    return answer


def _keep(
    ledger: Ledger,
    answers: Sequence[tuple[str, dict[str, Any]]],
    unions: Mapping[str, tuple[str, bytes]],
) -> None:
    """Keep what took time to compute; who may not write goes without."""
    if not answers:
        return
    rows = [
        {
            "question": question,
            "vendor": answer["id"] or "",
            "data": ledger.answer_sealed(question, json.dumps(answer)),
        }
        for question, answer in answers
    ]
    _keep_rows(ledger, rows, unions)


def keep_made(ledger: Ledger, made: Mapping[str, tuple[str, bytes]]) -> None:
    """Keep sealed answers that are no documents: vendor (empty for nobody's folder) and data by name."""
    if made:
        _keep_rows(ledger, [], made)


def _keep_rows(ledger: Ledger, rows: list[dict[str, Any]], unions: Mapping[str, tuple[str, bytes]]) -> None:
    rows += [{"question": name, "vendor": vendor, "data": data} for name, (vendor, data) in unions.items()]
    most = _answers_limit()
    size = sum(len(row["data"]) for row in rows)
    try:
        with ledger.engine.begin() as connection:
            held = connection.execute(select(func.sum(func.length(schema.answers.c.data)))).scalar() or 0
            if held + size > most:
                connection.execute(delete(schema.answers))
            if size > most:
                return
            for row in rows:
                there = select(schema.answers.c.question).where(schema.answers.c.question == row["question"])
                if connection.execute(there).first() is None:
                    connection.execute(insert(schema.answers), row)
    except SQLAlchemyError:
        return


def _answers_limit() -> int:
    """Bytes of answers that are kept; when it is reached they are begun anew."""
    given = os.environ.get(ANSWERS_MB, "")
    return (int(given) if given.isdecimal() else _ANSWERS_MB) << 20


def _vendor(
    ledger: Ledger,
    connection: Connection,
    window: Window,
    vendor: str | None,
    judge: Judge,
    made: dict[str, bytes],
    known: WhoIsWho,
) -> dict[str, Any]:
    return _answer(connection, vendor, gather(ledger, connection, window, vendor, judge, made=made), known)


def _everything(connection: Connection) -> str:
    """What tells all versions of all vendors from what they were before."""
    table = schema.versions
    count, total = connection.execute(select(func.count(), func.sum(table.c.tag))).one()
    return f"{count}:{total}"


@dataclass
class WhoIsWho:
    """Which identifiers are one person's, as all that the ledger ever recorded tells it.

    Args:
        ledger: an open one.
        connection: to it.
        judge: says which parts have personal data.
    """

    ledger: Ledger
    connection: Connection
    judge: Judge
    #: Whether an answer needed it since this was last set to False.
    asked: bool = False
    #: Unions that had to be made: vendor and data by name.
    made: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _links: Links | None = None

    def people(self, crowd: Crowd) -> People:
        """The people of a crowd; others' links are asked only where its own leave something open."""
        found = crowd.people()
        told = found.count()
        if told.low == told.high or crowd.told_apart():
            return found
        self.asked = True
        if self._links is None:
            self._links = Links(self._pieces())
        return crowd.people(self._links)

    def _pieces(self) -> dict[tuple[str, str], list[Piece]]:
        out: dict[tuple[str, str], list[Piece]] = defaultdict(list)
        for vendor in vendors(self.connection):
            unions = Unions(self.ledger, self.connection, vendor or "")
            recorded = self.connection.execute(_numbered(vendor))
            for feed, shape, rows in _by_shape(row for row in recorded if row.evidence is not None):
                fields = _shape(
                    self.ledger, self.connection, rows[0].evidence, vendor, self.judge, _category, tuple
                )
                if fields is None:
                    continue
                crowd = Crowd()
                for held in unions.people(f"{feed} {shape}", fields[1], _members(rows)):
                    for part in held.values():
                        crowd.add(part.persons, lambda _: 0)
                for names, pieces in crowd.pieces().items():
                    out[names] += pieces
            self.made |= {name: (vendor or "", data) for name, data in unions.made.items()}
        return out


def _category(evidence: Evidence) -> str:
    return evidence.category


def gather(
    ledger: Ledger,
    connection: Connection,
    window: Window,
    vendor: str | None,
    judge: Judge,
    label: Callable[[Evidence], str] = _category,
    bits: dict[str, int] | None = None,
    made: dict[str, bytes] | None = None,
) -> Tally:
    """All that a vendor could reach.

    Args:
        ledger: an open one.
        connection: to it.
        window: a moment, or from when until when.
        vendor: None is nobody's folder.
        judge: says which fields are personal data, and which of these are allowed.
        label: what people are counted by: the category, or more than that.
        bits: of labels that have one already; tallies to be compared share them.
        made: takes the unions and the answers that had to be made, by name, for who keeps them.
    """
    tally = Tally({} if bits is None else bits, Crowd(), defaultdict(Crowd), defaultdict(set), {}, Counter())
    unions = Unions(ledger, connection, vendor or "")
    copies = _copies_of(connection, window, vendor)
    paths = _Paths(connection, window, vendor)
    undone = undone_by_others(ledger, connection, window, vendor, made)
    recorded = connection.execute(_numbered(vendor))
    for feed, shape, rows in _by_shape(row for row in recorded if row.id in copies):
        for row in rows:
            tally.items += copies[row.id]
            tally.rows += row.rows
            tally.unread += bool(row.gaps)
            tally.people_of_feed[feed] += copies[row.id]
        known = [row for row in rows if row.evidence is not None]
        fields = None
        if known:
            lay = partial(paths.of, [row.id for row in known])
            told = {key: text for row in known for key, text in undone.get(row.id, {}).items()}
            fields = _shape(ledger, connection, known[0].evidence, vendor, judge, label, lay, told)
        tally.forgotten += len(rows) if fields is None else len(rows) - len(known)
        if fields is not None:
            _add(unions.people(f"{feed} {shape}", fields[1], _members(known)), feed, fields[0], tally)
    if made is not None:
        made |= unions.made
    return tally


def _numbered(vendor: str | None) -> Select[Any]:
    """All versions of a vendor, numbered among those of their feed and shape."""
    table = schema.versions
    number = func.row_number().over(partition_by=[table.c.feed, table.c.shape], order_by=table.c.id) - 1
    return (
        select(
            table.c.id, table.c.feed, table.c.shape, table.c.rows, table.c.gaps, table.c.tag,
            table.c.evidence, table.c.people, table.c.people_best, number.label("number"),
        )
        .where(table.c.vendor == (vendor or ""))
        .order_by(table.c.id)
    )  # fmt: skip


@dataclass
class _Paths:
    """Where versions lay in a window; looked up when it is first asked."""

    connection: Connection
    window: Window
    vendor: str | None
    _held: dict[int, list[str]] | None = None

    def by_version(self) -> dict[int, list[str]]:
        """For each version that was reachable its paths, in order."""
        if self._held is None:
            table = schema.presences
            here = and_(_within(self.window), table.c.vendor == (self.vendor or ""))
            query = select(table.c.version, table.c.path).where(here).distinct()
            self._held = defaultdict(list)
            for version, path in self.connection.execute(query.order_by(table.c.version, table.c.path)):
                self._held[version].append(path)
        return self._held

    def of(self, versions: Iterable[int]) -> set[str]:
        """All paths of some versions."""
        held = self.by_version()
        return {path for version in versions for path in held.get(version, ())}


def _by_shape(rows: Iterable[Row[Any]]) -> Iterator[tuple[str, str, list[Row[Any]]]]:
    """Versions of `_numbered` by feed and shape: what a policy judges alike and one union holds."""
    groups: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        groups[row.feed, row.shape].append(row)
    return ((feed, shape, held) for (feed, shape), held in groups.items())


def _members(rows: Iterable[Row[Any]]) -> list[Member]:
    return [Member(row.number, row.tag, row.people, row.people_best) for row in rows]


def _copies_of(connection: Connection, window: Window, vendor: str | None) -> dict[int, int]:
    """The versions that were reachable, each with how many copies of it lay side by side at most."""
    table = schema.presences
    there = and_(_within(window), table.c.vendor == (vendor or ""))
    counted = select(table.c.version, func.count()).where(there).group_by(table.c.version)
    out = {int(version): int(count) for version, count in connection.execute(counted)}
    several = [version for version, count in out.items() if count > 1]
    spans: dict[int, list[tuple[str, str | None, str]]] = defaultdict(list)
    if several:
        query = select(table.c.version, table.c.first_seen, table.c.gone).where(there)
        for version, first, gone in connection.execute(query):
            spans[version].append((max(first, window.start), gone, ""))
    return out | {version: _copies(spans[version]) for version in several}


def _shape(
    ledger: Ledger,
    connection: Connection,
    digest: str,
    vendor: str | None,
    judge: Judge,
    label: Callable[[Evidence], str],
    paths: Paths,
    undone: Mapping[FieldKey, str] | None = None,
) -> tuple[Mapping[FieldKey, tuple[str, str, bool | None]], frozenset[int]] | None:
    """The personal fields of a version with category, form and verdict; and the parts that have any."""
    held = ledger.blob(connection, digest)
    if held is None:
        return None
    outcome = undoing.told(evidence.decode(held), undone or {})
    verdicts = judge(vendor, outcome, paths)
    out: dict[FieldKey, tuple[str, str, bool | None]] = {}
    for key, found in _all_fields(outcome):
        if key in verdicts:
            out[key] = (label(found), str(found.effective_form), verdicts[key])
    return out, frozenset(key[0] for key in out)


def _all_fields(outcome: Outcome) -> Iterator[tuple[FieldKey, Any]]:
    for at, table in enumerate(outcome.tables):
        for column in table.columns:
            for found in column.entities:
                yield (at, column.index, found.entity_type), found
    for at, text in enumerate(outcome.texts):
        for found in text.entities:
            yield (-1 - at, -1, found.entity_type), found


def field_key(outcome: Outcome, part: Table | Text, index: int | None, entity_type: str) -> FieldKey:
    """The key of a field of an outcome."""
    if isinstance(part, Table):
        at = next(at for at, table in enumerate(outcome.tables) if table is part)
        return at, -1 if index is None else index, entity_type
    at = next(at for at, text in enumerate(outcome.texts) if text is part)
    return -1 - at, -1, entity_type


def _add(
    people: Iterable[Parts],
    feed: str,
    fields: Mapping[FieldKey, tuple[str, str, bool | None]],
    tally: Tally,
) -> None:
    """Add versions of one feed and shape."""
    for category, form, allowed in fields.values():
        tally.forms[category].add(form)
        tally.judged(category, allowed)
    for held in people:
        for part, persons in held.items():

            def bit(name: tuple[int, str], part: int = part) -> int:
                found = fields.get((part, *name))
                return -1 if found is None else tally.bit(found[0])

            persons.into(tally.crowd, bit)
            persons.into(tally.feeds[feed], bit)


def _answer(connection: Connection, vendor: str | None, tally: Tally, known: WhoIsWho) -> dict[str, Any]:
    people = known.people(tally.crowd)
    everybody = people.everybody()
    return {
        "id": vendor,
        "people": estimate(everybody),
        "items": tally.items,
        "rows": tally.rows,
        "items_not_read_whole": tally.unread,
        "items_forgotten": tally.forgotten,
        "categories": {
            category: {
                "people": estimate(_of_category(people, tally, category, everybody)),
                "forms": sorted(tally.forms[category]),
                "allowed": tally.allowed[category],
            }
            for category in sorted(tally.forms)
        },
        "combinations": together(people, tally.bits),
        "regions": people.by_place(),
        "regions_inferred": people.by_place(inferred=True),
        "feeds": _feeds(connection, vendor, tally, known),
        "joins": [join.document() for join in joins.within(tally)],
    }


def _of_category(people: People, tally: Tally, category: str, everybody: Estimate) -> Estimate:
    """People of a category; where it was found without anything that tells people apart, one at least."""
    bit = tally.bits.get(category)
    found = Estimate(0, 0, 0) if bit is None else people.count(1 << bit)
    if found.best:
        return found
    return Estimate(min(1, everybody.best), min(1, everybody.best), everybody.high)


def together(people: People, bits: Mapping[str, int]) -> list[dict[str, Any]]:
    """The combinations that somebody has, with how many people have them, most first."""
    out = []
    for wanted, options in present(bits):
        found = people.count_any(options)
        if found.best:
            out.append({"categories": list(wanted), "people": estimate(found)})
    return sorted(out, key=lambda each: (-each["people"]["best"], each["categories"]))


def _feeds(connection: Connection, vendor: str | None, tally: Tally, known: WhoIsWho) -> list[dict[str, Any]]:
    table = schema.feeds
    query = select(table.c.id, table.c.name).where(table.c.vendor == (vendor or ""))
    names = {row.id: row.name for row in connection.execute(query)}
    out = [
        {
            "id": feed,
            "name": names.get(feed, feed),
            "items": count,
            "people": estimate(
                known.people(tally.feeds[feed]).everybody() if feed in tally.feeds else Estimate(0, 0, 0)
            ),
        }
        for feed, count in tally.people_of_feed.items()
    ]
    return sorted(out, key=lambda each: (-each["people"]["best"], each["name"], each["id"]))


def nothing(vendor: str | None) -> dict[str, Any]:
    """The answer for a vendor that could reach nothing."""
    nobody = estimate(Estimate(0, 0, 0))
    return {
        "id": vendor,
        "people": nobody,
        "items": 0,
        "rows": 0,
        "items_not_read_whole": 0,
        "items_forgotten": 0,
        "categories": {},
        "combinations": [],
        "regions": {},
        "regions_inferred": {},
        "feeds": [],
        "joins": [],
    }
