"""Recording: outcomes as they come, and what is gone. A scan and the agent use the same code.

Each outcome is one transaction. Recording the same outcome again changes nothing but when it was last seen,
so a scan that was killed is simply run again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from scanner.ledger import evidence, schema, store, undoing
from scanner.ledger.people import Crowd
from scanner.ledger.store import Ledger, Writer, stored
from scanner.model import Outcome, PolicySource, Table

_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]+(?:[-_.:T][0-9]+)*", re.IGNORECASE
)
_FEED_LENGTH = 20
#: What readers call the only table of a file that names none.
_UNNAMED = "-"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an outcome was found, and by whom it can be reached.

    Attributes:
        vendor: the recipient's id; None where the policy knows none, or there is no policy.
        location: absolute path of the file.
        path: relative to the share, as policies see it.
        device: the file system that it was found on, to tell an unmounted share from an emptied one.
    """

    vendor: str | None
    location: str
    path: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """A version that lies somewhere, as the ledger knows it."""

    id: int
    version: int
    vendor: str | None
    location: str
    member: str | None
    path: str
    first_seen: str
    last_seen: str
    device: str


class Recorder:
    """Writes to a ledger; one at a time. Close it, or use it as a context.

    Args:
        ledger: where to.
        rules_digest: of the rules that found the evidence.
        policy_digest: of the policy that is in force, None without one.
        members: whether key sets for exact membership are kept beside the sketches.

        writer: one that is open already and stays so; a new one where left out.

    Raises:
        LedgerError: another process is writing.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        rules_digest: str,
        policy_digest: str | None = None,
        members: bool = True,
        writer: Writer | None = None,
    ) -> None:
        self._ledger = ledger
        self._lent = writer is not None
        self._writer = writer or Writer(ledger)
        self._rules = rules_digest
        self._policy = policy_digest
        self._members = members
        self._next = {name: self._highest(name) + 1 for name in ("versions", "presences")}

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others write, where the writer is this one's own."""
        if not self._lent:
            self._writer.close()

    @property
    def writer(self) -> Writer:
        """What it writes with."""
        return self._writer

    def _highest(self, name: str) -> int:
        table = schema.CHAINED[name][0]
        found = self._writer.connection.execute(select(func.max(table.c.id))).scalar()
        self._writer.connection.rollback()
        return int(found or 0)

    # -- what is there --

    def record(
        self,
        outcome: Outcome,
        at: str,
        delivery: Delivery,
        also: Callable[[Connection], None] | None = None,
    ) -> int:
        """Record an outcome as observed at a time; durable when it returns.

        Args:
            outcome: with its people's keys, made under `Ledger.people_secret`.
            at: as `scanner.ledger.store.stamp` writes it.
            delivery: where it was found.
            also: further statements of the same transaction.

        Returns:
            The number of the version that it is.
        """
        place = _Place(stored(delivery.location), stored(outcome.member or ""))
        known = self._at(place)
        content = self._content(outcome, place, known)
        vendor = delivery.vendor or ""
        version, rows, blobs, fields = self._version(outcome, vendor, content)
        # Of several times that this content lay here, the one that had not ended: files go and come back.
        same = next((e for e in known if e.version == version["id"] and not _ended(e, at)), None)
        presences = self._moved(known, version["id"], at)
        if same is None:
            presences.append(self._appeared(outcome, delivery, place, version, at, known))
        else:
            presences.append({**_seen(same, outcome, delivery, at), "tag": version["tag"]})
        rows += [store.Row("presences", each) for each in presences]
        kind = "seen" if same is not None and not blobs else "found"

        def write_fields(connection: Connection) -> None:
            if fields is not None:
                connection.execute(delete(schema.fields).where(schema.fields.c.version == version["id"]))
                if fields:
                    connection.execute(insert(schema.fields), fields)
            if also is not None:
                also(connection)

        self._writer.write(kind, rows, blobs=blobs, also=write_fields)
        return int(version["id"])

    def _at(self, place: _Place) -> list[Row[Any]]:
        table = schema.presences
        query = select(table).where(table.c.location == place.location, table.c.member == place.member)
        found = self._writer.connection.execute(query.order_by(table.c.first_seen, table.c.id)).all()
        self._writer.connection.rollback()
        return list(found)

    def _content(self, outcome: Outcome, place: _Place, known: Sequence[Row[Any]]) -> str:
        """What tells contents apart: the digest; for what could not be read whole, place, size and time."""
        if outcome.sha256 is not None:
            return f"sha256:{outcome.sha256}"
        last = next((each for each in reversed(known) if each.gone is None), None)
        if last is not None and outcome.modified is not None and last.modified == outcome.modified:
            # Not read this time (it took too long, say), but not changed either.
            return self._content_of(int(last.version))
        what = json.dumps([place.location, place.member, outcome.bytes, outcome.modified])
        return f"unread:{self._ledger.digest(what.encode())}"

    def _content_of(self, version: int) -> str:
        table = schema.versions
        found = self._writer.connection.execute(select(table.c.content).where(table.c.id == version)).scalar()
        self._writer.connection.rollback()
        return str(found)

    def _version(
        self, outcome: Outcome, vendor: str, content: str
    ) -> tuple[dict[str, Any], list[store.Row], dict[str, bytes], list[dict[str, Any]] | None]:
        """The version's row, further rows to write with it, its blobs, and its fields where they changed."""
        table = schema.versions
        query = select(table).where(table.c.vendor == vendor, table.c.content == content)
        row = self._writer.connection.execute(query).one_or_none()
        self._writer.connection.rollback()
        unread = outcome.sha256 is None and not outcome.tables and not outcome.texts
        noted = row is not None and self._noted(int(row.id))
        same_rules = row is not None and row.rules_digest == self._rules and row.forgotten == 0
        # What was recorded before such was noted is recorded anew.
        complete = same_rules and (noted or not undoing.tells(outcome))
        if row is not None and (unread or complete):
            return dict(row._mapping), [], {}, None
        number = self._next["versions"] if row is None else int(row.id)
        self._next["versions"] += row is None
        feed, name = feed_of(outcome)
        fields = [{**each, "version": number} for each in _storable(evidence.field_rows(outcome))]
        packed = evidence.pack(outcome, members=self._members)
        blobs = dict(self._ledger.sealed(data) for data in (evidence.encode(outcome), packed) if data)
        digests = list(blobs)
        about = _people(outcome)
        values = {
            "id": number,
            "vendor": vendor,
            "content": content,
            "feed": feed,
            "format": outcome.format,
            "bytes": outcome.bytes,
            "rows": sum(table.rows for table in outcome.tables if _personal(table)),
            "status": str(outcome.status),
            "gaps": sum(not gap.intentional for gap in outcome.gaps),
            "shape": evidence.shape(outcome),
            "fields": fields_digest(fields),
            "evidence": digests[0],
            "people": digests[1] if packed else None,
            "people_low": about.low,
            "people_best": about.best,
            "people_high": about.high,
            "rules_digest": self._rules,
            "policy_digest": self._policy,
            "tag": store.content_tag(self._ledger.digest(f"{number} {digests}".encode())),
            "forgotten": 0,
        }
        rows = [store.Row("versions", values)]
        rows += self._feed(vendor, feed, name)
        sealed = [
            self._ledger.sealed(data) if data else None for data in undoing.noted(self._ledger, outcome)
        ]
        blobs |= dict(each for each in sealed if each is not None)
        if noted or any(sealed):
            names = [None if each is None else each[0] for each in sealed]
            row_of = {"version": number, "vendor": vendor, "hashed": names[0], "probes": names[1]}
            rows.append(store.Row("undoing", row_of))
        return values, rows, blobs, fields

    def _noted(self, version: int) -> bool:
        """Whether it is noted what a version's digests and clear values are."""
        table = schema.undoing
        query = select(table.c.version).where(table.c.version == version)
        found = self._writer.connection.execute(query).first()
        self._writer.connection.rollback()
        return found is not None

    def _feed(self, vendor: str, feed: str, name: str) -> list[store.Row]:
        table = schema.feeds
        query = select(table.c.name).where(table.c.vendor == vendor, table.c.id == feed)
        known = self._writer.connection.execute(query).scalar()
        self._writer.connection.rollback()
        return [] if known else [store.Row("feeds", {"vendor": vendor, "id": feed, "name": stored(name)})]

    def _moved(self, known: Sequence[Row[Any]], version: int, at: str) -> list[dict[str, Any]]:
        """Other versions at the place end when this one is seen there."""
        return [
            {**each._mapping, "gone": at}
            for each in known
            if each.version != version and each.first_seen <= at and (each.gone is None or each.gone > at)
        ]

    def _appeared(
        self,
        outcome: Outcome,
        delivery: Delivery,
        place: _Place,
        version: dict[str, Any],
        at: str,
        known: Sequence[Row[Any]],
    ) -> dict[str, Any]:
        number = self._next["presences"]
        self._next["presences"] += 1
        # Deliveries may be loaded out of order: what was seen there later ends this one.
        later = [each.first_seen for each in known if each.first_seen > at]
        return {
            "id": number,
            "version": version["id"],
            "vendor": version["vendor"],
            "location": place.location,
            "member": place.member,
            "path": stored(delivery.path),
            "first_seen": at,
            "last_seen": at,
            "gone": min(later) if later else None,
            "size": outcome.bytes,
            "modified": outcome.modified,
            "device": delivery.device,
            "tag": version["tag"],
        }

    # -- what is gone --

    def open_under(self, roots: Iterable[str]) -> list[Presence]:
        """What the ledger knows to lie at or below these absolute paths."""
        table = schema.presences
        found: dict[int, Presence] = {}
        for root in roots:
            place = stored(root)
            # A range rather than LIKE: names may hold wildcards, and an index can serve it.
            below = (table.c.location >= f"{place.rstrip('/')}/") & (
                table.c.location < f"{place.rstrip('/')}0"
            )
            query = select(table).where(table.c.gone.is_(None), below | (table.c.location == place))
            for row in self._writer.connection.execute(query):
                found[int(row.id)] = _presence(row)
            self._writer.connection.rollback()
        return list(found.values())

    def gone(
        self,
        presences: Iterable[int],
        at: str,
        also: Callable[[Connection, Sequence[tuple[str, str]]], None] | None = None,
    ) -> int:
        """Record that presences (by number) ended at a time; gives how many did.

        One that was first or last seen after that time is left alone: an older observation does not undo a
        newer one. ``also`` is told the places that ended, in the same transaction.
        """
        table = schema.presences
        rows = []
        for number in presences:
            row = self._writer.connection.execute(select(table).where(table.c.id == number)).one_or_none()
            if row is not None and row.gone is None and row.last_seen <= at:
                rows.append(store.Row("presences", {**row._mapping, "gone": at}))
        self._writer.connection.rollback()
        if rows:
            places = [(row.values["location"], row.values["member"]) for row in rows]
            self._writer.write("gone", rows, also=None if also is None else lambda c: also(c, places))
        return len(rows)

    def forget(self, before: str) -> int:
        """Drop sketches, key sets and evidence of versions that were gone before a time; totals stay.

        Returns:
            How many versions were forgotten.
        """
        versions, presences, blobs = schema.versions, schema.presences, schema.blobs
        connection = self._writer.connection
        later = select(presences.c.version).where(presences.c.gone.is_(None) | (presences.c.gone >= before))
        query = select(versions).where(versions.c.forgotten == 0, versions.c.id.not_in(later))
        rows = [dict(row._mapping) for row in connection.execute(query)]
        connection.rollback()
        if not rows:
            return 0
        held = {digest for row in rows for digest in (row["evidence"], row["people"]) if digest}
        forgotten = {row["id"] for row in rows}
        kept = select(versions.c.evidence, versions.c.people).where(versions.c.id.not_in(forgotten))
        still = {digest for pair in connection.execute(kept) for digest in pair if digest}
        changed = [
            store.Row("versions", {**row, "evidence": None, "people": None, "forgotten": 1}) for row in rows
        ]
        for each in connection.execute(select(schema.undoing)):
            digests = {each.hashed, each.probes} - {None}
            if each.version in forgotten:
                held |= digests
                changed.append(store.Row("undoing", {**each._mapping, "hashed": None, "probes": None}))
            else:
                still |= digests
        connection.rollback()

        def drop(writing: Connection) -> None:
            for digest in sorted(held - still):
                writing.execute(delete(blobs).where(blobs.c.digest == digest))
            writing.execute(delete(schema.answers))

        self._writer.write("forgotten", changed, also=drop, note={"before": before})
        return len(rows)

    def policy(self, source: PolicySource, digest: str) -> None:
        """Keep the policy that is in force, where it is not the one that was kept last."""
        known = last_policy(self._writer.connection)
        self._writer.connection.rollback()
        if known is None or known[1] != digest:
            contracts = {"contracts": dict(source.contracts)} if source.contracts else {}
            self._writer.write("policy", [], note={"digest": digest, "text": source.text, **contracts})

    def scanned(self, at: str, note: dict[str, Any]) -> None:
        """Record that a scan is complete."""
        self._writer.write("scanned", [], note={"at": at, **note})


def last_policy(connection: Connection) -> tuple[PolicySource, str] | None:
    """The policy that was kept last, and its digest."""
    table = schema.entries
    query = select(table.c.body).where(table.c.kind == "policy").order_by(table.c.seq.desc()).limit(1)
    body = connection.execute(query).scalar()
    if body is None:
        return None
    held = json.loads(body)
    return PolicySource(str(held["text"]), held.get("contracts", {})), str(held["digest"])


@dataclass(frozen=True, slots=True)
class _Place:
    location: str
    member: str


def _ended(presence: Row[Any], at: str) -> bool:
    return presence.gone is not None and presence.gone <= at


def _seen(presence: Row[Any], outcome: Outcome, delivery: Delivery, at: str) -> dict[str, Any]:
    return {
        **presence._mapping,
        "first_seen": min(presence.first_seen, at),
        "last_seen": max(presence.last_seen, at),
        "modified": outcome.modified if outcome.modified is not None else presence.modified,
        "device": delivery.device or presence.device,
    }


def _presence(row: Row[Any]) -> Presence:
    return Presence(
        int(row.id), int(row.version), row.vendor or None, row.location, row.member or None, row.path,
        row.first_seen, row.last_seen, row.device,
    )  # fmt: skip


def _personal(table: Table) -> bool:
    return any(evidence.category for column in table.columns for evidence in column.entities)


def _people(outcome: Outcome) -> Any:
    crowd = Crowd()
    for table in outcome.tables:
        if _personal(table):
            crowd.add(table.persons, lambda _: 0, table.nameless)
    for text in outcome.texts:
        crowd.add(text.persons, lambda _: 0)
    return crowd.people().everybody()


def _storable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {key: stored(value) if isinstance(value, str) else value for key, value in row.items()}
        for row in rows
    ]


def fields_digest(fields: Sequence[dict[str, Any]]) -> str:
    """A digest of a version's rows in ``fields``, which its own row keeps."""
    ordered = sorted(fields, key=lambda row: row["ordinal"])
    return store.sha256(store.canonical([sorted(row.items()) for row in ordered]).encode("ascii"))


def feed_of(outcome: Outcome) -> tuple[str, str]:
    """The id of the feed that an outcome is a delivery of, and a name for it.

    A feed is known by its schema: the tables' names and columns. What has no tables is known by its name,
    with dates, numbers and UUIDs left out.
    """
    file = PurePosixPath(outcome.path).name
    member = None if outcome.member is None else PurePosixPath(outcome.member).name
    name = _VARYING.sub("*", member or file)
    if outcome.tables:
        what: list[Any] = [
            [None if table.name == _UNNAMED else table.name, [column.name for column in table.columns]]
            for table in outcome.tables
        ]
    else:
        what = [_VARYING.sub("#", file), None if member is None else _VARYING.sub("#", member)]
    text = json.dumps(what, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_FEED_LENGTH], name
