"""The register of findings: which are open, since when, where, and what people decided about them.

A finding is open while at least one place has it, and resolved when none has any more. A person may accept
it until a day: it comes back when what it holds changes, or when that day has passed. What changes is told
as a `Transition`, whose id is the same when the same change is told again.

Places are the absolute path of a file with the member inside of it; what is about all that a vendor holds
lies at the place that `of_vendor` gives, and what a file has only because of others at that of `with_others`:
who reads the file alone leaves it as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, delete, func, insert, or_, select, update

from scanner import documents
from scanner.ledger import schema
from scanner.ledger.store import Row as Entry
from scanner.ledger.store import Writer, stored
from scanner.model import Finding, Severity, Verdict

OPEN, ACCEPTED, RESOLVED = "open", "accepted", "resolved"
#: An accepted finding is about another matter when it is about so many times the people.
_GROWN = 10
#: An open one is told again when the number of its people has changed by so much.
_NOTABLE = 0.10
_ORDER = {str(each): at for at, each in enumerate(Verdict)} | {"": len(Verdict)}
_ID = 20
#: More than there are people, or rows in a file.
_MOST = 10**15 - 1
_WITH_OTHERS = "with others:"
_TOLD = ("verdict", "severity", "category", "form", "rule", "hidden")

Place = tuple[str, str]


class FindingError(ValueError):
    """There is no such finding, or it is not in a state for this. ``problems`` says so."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problems = [problem]


@dataclass(frozen=True, slots=True)
class Transition:
    """What became of a finding.

    Attributes:
        kind: ``opened``, ``updated`` or ``resolved``.
        id: of the event that tells it; the same whenever the same transition is told.
        document: the finding as in reports, with ``state`` and ``opened_at``.
        at: when it was observed.
        item: the place that it is about, for the order of events.
        reopened: whether it was resolved or accepted before.
    """

    kind: str
    id: str
    document: Mapping[str, Any]
    at: str
    item: str
    reopened: bool = False


@dataclass(frozen=True, slots=True)
class Registered:
    """A finding as the register has it.

    Attributes:
        id: stable over rescans, moves and renames.
        state: ``open``, ``accepted`` or ``resolved``.
        document: the finding as in reports, of its worst place.
        places: number of places that have it.
        opened_at, updated_at, resolved_at: times as `scanner.ledger.store.stamp` writes them.
        until: the day (``YYYY-MM-DD``) that it is accepted until.
    """

    id: str
    state: str
    document: Mapping[str, Any]
    places: int
    opened_at: str
    updated_at: str
    resolved_at: str | None
    until: str | None


def of_vendor(vendor: str) -> Place:
    """The place of findings about all that a vendor holds."""
    return f"vendor:{vendor}", ""


def with_others(place: Place) -> Place:
    """The place of findings that a file has because of what else its recipient holds."""
    return f"{_WITH_OTHERS}{place[0]}", place[1]


def _file(place: Place) -> Place:
    """The place of the file itself."""
    return place[0].removeprefix(_WITH_OTHERS), place[1]


def observe(connection: Connection, place: Place, findings: Sequence[Finding], at: str) -> list[Transition]:
    """What a place holds now, in the caller's transaction; gives what changed by that.

    Args:
        connection: the writer's, inside of its transaction.
        place: see above; names are brought into the ledger's form.
        findings: all that the place has. Several with one id count as the worst of them.
        at: as `scanner.ledger.store.stamp` writes it.
    """
    place = (stored(place[0]), stored(place[1]))
    sites = schema.finding_sites
    here = (sites.c.location == place[0], sites.c.member == place[1])
    known = {row.finding: row for row in connection.execute(select(sites).where(*here))}
    now: dict[str, Finding] = {}
    for found in sorted(findings, key=_badness, reverse=True):
        now[found.id] = found
    out: list[Transition] = []
    for id_, found in sorted(now.items()):
        _put_site(connection, place, found, known.get(id_))
        out += _settle(connection, id_, at, place)
    for id_ in sorted(known.keys() - now.keys()):
        connection.execute(delete(sites).where(*here, sites.c.finding == id_))
        out += _settle(connection, id_, at, place)
    return out


def gone(connection: Connection, places: Iterable[Place], at: str) -> list[Transition]:
    """Places that are there no more."""
    out: list[Transition] = []
    for place in places:
        for each in (place, with_others(place)):
            out += observe(connection, each, (), at)
    return out


def expire(connection: Connection, at: str) -> list[Transition]:
    """Open again what was accepted until a day that has passed."""
    table = schema.findings
    late = select(table.c.id).where(table.c.state == ACCEPTED, table.c.until < at[:10])
    ids = [row.id for row in connection.execute(late.order_by(table.c.id))]
    return [each for id_ in ids for each in _settle(connection, id_, at, None)]


def _put_site(connection: Connection, place: Place, found: Finding, known: Row[Any] | None) -> None:
    sites = schema.finding_sites
    data = json.dumps(documents.finding(found), ensure_ascii=True, sort_keys=True)
    if known is None:
        row = {"finding": found.id, "location": place[0], "member": place[1]}
        connection.execute(insert(sites), {**row, "rank": _rank(found), "data": data})
    elif known.data != data:
        here = (sites.c.location == place[0], sites.c.member == place[1], sites.c.finding == found.id)
        connection.execute(update(sites).where(*here).values(rank=_rank(found), data=data))


def _settle(connection: Connection, id_: str, at: str, place: Place | None) -> Iterator[Transition]:
    """Bring a finding's row to what its places say."""
    table, sites = schema.findings, schema.finding_sites
    row = connection.execute(select(table).where(table.c.id == id_)).one_or_none()
    worst = select(sites.c.data).where(sites.c.finding == id_)
    worst = worst.order_by(sites.c.rank, sites.c.location, sites.c.member).limit(1)
    held = connection.execute(worst).scalar()
    if held is None:
        if row is None or row.state == RESOLVED:
            return
        changed = {"state": RESOLVED, "resolved_at": at, "updated_at": at, "until": None}
        yield _changed(connection, row, changed, "resolved", at, place)
        return
    document = json.loads(held)
    if row is None:
        yield _added(connection, id_, document, at, place)
        return
    values: dict[str, Any] = {"data": json.dumps(document, ensure_ascii=True, sort_keys=True)}
    again = row.state == RESOLVED or (row.state == ACCEPTED and _outgrown(row, document, at))
    if again:
        values |= {"state": OPEN, "opened_at": at, "updated_at": at, "resolved_at": None, "until": None}
        yield _changed(connection, row, values, "opened", at, place, reopened=True)
    elif _differs(json.loads(row.data), document):
        values["updated_at"] = at
        yield _changed(connection, row, values, "updated", at, place)
    elif values["data"] != row.data:
        connection.execute(update(table).where(table.c.id == id_).values(**values))


def _added(
    connection: Connection, id_: str, document: dict[str, Any], at: str, place: Place | None
) -> Transition:
    values = {
        "id": id_,
        "vendor": document["vendor"] or "",
        "state": OPEN,
        "data": json.dumps(document, ensure_ascii=True, sort_keys=True),
        "changes": 1,
        "opened_at": at,
        "updated_at": at,
        "resolved_at": None,
        "until": None,
        "accepted": None,
    }
    connection.execute(insert(schema.findings), values)
    return _transition("opened", values, document, at, place, False)


def _changed(
    connection: Connection,
    row: Row[Any],
    values: dict[str, Any],
    kind: str,
    at: str,
    place: Place | None,
    reopened: bool = False,
) -> Transition:
    values = {**row._mapping, **values, "changes": row.changes + 1}
    connection.execute(update(schema.findings).where(schema.findings.c.id == row.id).values(**values))
    return _transition(kind, values, json.loads(values["data"]), at, place, reopened)


def _transition(
    kind: str,
    values: Mapping[str, Any],
    document: dict[str, Any],
    at: str,
    place: Place | None,
    reopened: bool,
) -> Transition:
    name = json.dumps(["finding", values["id"], kind, values["changes"]])
    document = {**document, "state": values["state"], "opened_at": values["opened_at"]}
    item = "\n".join(_file(place)) if place else f"finding:{values['id']}"
    digest = hashlib.sha256(name.encode("ascii")).hexdigest()[:_ID]
    return Transition(kind, digest, document, at, item, reopened)


def _badness(found: Finding) -> tuple[int, int, int, int]:
    return _ORDER[str(found.verdict)], found.severity.rank, -found.people.best, -found.rows


def _rank(found: Finding) -> str:
    """What sorts places, worst first. People are those of one place: several places may share them."""
    verdict, severity, people, rows = _badness(found)
    return f"{verdict}{severity}{_MOST + people:015d}{_MOST + rows:015d}"


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an open finding has changed so that it is worth telling."""
    if any(before[name] != after[name] for name in _TOLD):
        return True
    old, new = int(before["people"]["best"]), int(after["people"]["best"])
    return abs(new - old) > _NOTABLE * max(old, 1)


def _outgrown(row: Row[Any], document: Mapping[str, Any], at: str) -> bool:
    """Whether an acceptance does not cover any more what is there."""
    if row.until is not None and row.until < at[:10]:
        return True
    held = json.loads(row.accepted or row.data)
    if any(held[name] != document[name] for name in ("category", "form", "entity_type")):
        return True
    if held["verdict"] != Verdict.OVER_SHARED and document["verdict"] == Verdict.OVER_SHARED:
        return True
    return bool(document["people"]["best"] >= _GROWN * max(1, held["people"]["best"]))


# -- what people decide ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody decided about a finding: ``accept``, ``resolve`` or ``reopen``; times as stamped."""

    finding: str
    at: str
    who: str
    what: str
    why: str
    until: str | None


def decide(writer: Writer, action: Action) -> Transition | None:
    """Record a decision, as an entry of the chain; gives the change of state that it makes, if any.

    Raises:
        FindingError: there is no such finding, or it is resolved already.
    """
    table = schema.findings
    row = writer.connection.execute(select(table).where(table.c.id == action.finding)).one_or_none()
    writer.connection.rollback()
    if row is None:
        raise FindingError(f"there is no finding {action.finding}")
    if action.what == "accept" and row.state == RESOLVED:
        raise FindingError(f"finding {action.finding} is resolved: there is nothing to accept")
    values: dict[str, Any] = {"updated_at": action.at}
    kind = "updated"
    if action.what == "accept":
        values |= {"state": ACCEPTED, "until": action.until, "accepted": row.data}
    elif action.what == "resolve":
        values |= {"state": RESOLVED, "resolved_at": action.at, "until": None}
        kind = "resolved"
    else:
        values |= {"state": OPEN, "resolved_at": None, "until": None}
        kind = "opened"
    out: list[Transition] = []

    def change(connection: Connection) -> None:
        out.append(_changed(connection, row, values, kind, action.at, None, kind == "opened"))

    entry = {
        "id": _next_action(writer),
        "finding": action.finding,
        "at": action.at,
        "who": action.who,
        "what": action.what,
        "why": action.why,
        "until": action.until,
    }
    writer.write("decided", [Entry("finding_actions", entry)], also=change)
    return out[0] if out else None


def _next_action(writer: Writer) -> int:
    table = schema.finding_actions
    found = writer.connection.execute(select(table.c.id).order_by(table.c.id.desc()).limit(1)).scalar()
    writer.connection.rollback()
    return int(found or 0) + 1


# -- what is asked -----------------------------------------------------------------------------------------


def listed(
    connection: Connection,
    *,
    vendor: str | None = None,
    states: Sequence[str] = (OPEN,),
    severity: str | None = None,
    verdict: str | None = None,
) -> list[Registered]:
    """Findings, worst first.

    Args:
        connection: to the ledger.
        vendor: of one vendor only.
        states: those wanted; empty for all.
        severity: this one or a worse one.
        verdict: this one only.
    """
    table, sites = schema.findings, schema.finding_sites
    query = select(table)
    if vendor is not None:
        query = query.where(table.c.vendor == vendor)
    if states:
        query = query.where(or_(*(table.c.state == state for state in states)))
    files = select(sites.c.finding, sites.c.member, _location()).distinct().subquery()
    places = select(files.c.finding, func.count()).group_by(files.c.finding)
    counted = {row[0]: int(row[1]) for row in connection.execute(places)}
    found = [_registered(row, counted.get(row.id, 0)) for row in connection.execute(query)]
    if severity is not None:
        most = Severity(severity).rank
        found = [each for each in found if Severity(each.document["severity"]).rank <= most]
    if verdict is not None:
        found = [each for each in found if each.document["verdict"] == verdict]
    return sorted(found, key=lambda each: (_badness(documents.as_finding(each.document)), each.id))


def one(connection: Connection, id_: str) -> Registered:
    """A finding by its id, or by the beginning of it where that is enough.

    Raises:
        FindingError: there is none, or there are several.
    """
    table = schema.findings
    rows = [
        row
        for row in connection.execute(select(table).where(table.c.id >= id_, table.c.id < f"{id_}~"))
        if row.id.startswith(id_)
    ]
    if len(rows) != 1:
        raise FindingError(f"there is no finding {id_}" if not rows else f"several findings begin with {id_}")
    return _registered(rows[0], len(places_of(connection, rows[0].id)))


def _location() -> ColumnElement[str]:
    """The path of a site's file."""
    column = schema.finding_sites.c.location
    beyond = func.substr(column, len(_WITH_OTHERS) + 1)
    return case((column.like(f"{_WITH_OTHERS}%"), beyond), else_=column).label("file")


def places_of(connection: Connection, id_: str) -> list[tuple[Place, Mapping[str, Any]]]:
    """The files that have a finding, each with the finding as it is there."""
    sites = schema.finding_sites
    query = select(sites).where(sites.c.finding == id_).order_by(sites.c.rank.desc())
    found = {_file((row.location, row.member)): row.data for row in connection.execute(query)}
    return [(place, json.loads(data)) for place, data in sorted(found.items())]


def all_places(connection: Connection) -> list[Place]:
    """Every place that has a finding, but for those of `with_others`."""
    sites = schema.finding_sites
    query = select(sites.c.location, sites.c.member).distinct()
    query = query.where(sites.c.location.not_like(f"{_WITH_OTHERS}%"))
    return [(row.location, row.member) for row in connection.execute(query)]


def places_with_others(connection: Connection) -> list[Place]:
    """The files that have a finding because of what else their recipient holds."""
    sites = schema.finding_sites
    query = select(sites.c.location, sites.c.member).distinct()
    query = query.where(sites.c.location.like(f"{_WITH_OTHERS}%"))
    return [_file((row.location, row.member)) for row in connection.execute(query)]


def actions_of(connection: Connection, id_: str) -> list[Action]:
    """What was decided about a finding, oldest first."""
    table = schema.finding_actions
    query = select(table).where(table.c.finding == id_).order_by(table.c.id)
    return [
        Action(row.finding, row.at, row.who, row.what, row.why, row.until)
        for row in connection.execute(query)
    ]


def accepted(connection: Connection, at: str) -> dict[str, str | None]:
    """Ids of findings that are accepted at a time, with the day until which."""
    table = schema.findings
    query = select(table.c.id, table.c.until).where(table.c.state == ACCEPTED)
    return {
        row.id: row.until for row in connection.execute(query) if row.until is None or row.until >= at[:10]
    }


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Open findings by vendor (empty for nobody's folder) and severity."""
    table = schema.findings
    query = select(table.c.vendor, table.c.data).where(table.c.state == OPEN)
    return dict(Counter((row.vendor, json.loads(row.data)["severity"]) for row in connection.execute(query)))


def _registered(row: Row[Any], places: int) -> Registered:
    return Registered(
        row.id,
        row.state,
        json.loads(row.data),
        places,
        row.opened_at,
        row.updated_at,
        row.resolved_at,
        row.until,
    )
