"""The outbox: events that wait for their receivers, written in the transaction of what they tell.

A row for each event, and one for each receiver it still has to reach; both are gone once it was reached.
Delivery is at least once: an event that was delivered and not yet marked when the process dies goes out again
under the same id. Not part of the chain: it says nothing that the ledger does not.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from scanner.events import ROUTINE, Event, Subscription, Waiting, alarm, stable_id
from scanner.ledger.schema import outbox, outbox_deliveries, outbox_sinks

_Value = TypeVar("_Value")

PENDING, DEAD = 0, 1
#: Only inside of the transaction that makes a dead letter wait again.
_COMING_BACK = 2
#: Deliveries of one receiver that may wait. A finding is some 1 kB: a full outbox is about 1 GB.
LIMIT = 1_000_000
#: Below this share of the limit a full outbox is free again.
_FREE_AGAIN = 0.9
#: Rows named in one statement: SQLite takes at most 999 parameters in its oldest form.
_AT_ONCE = 400
#: Longest reason that is kept with a delivery.
_REASON = 300


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one receiver has still to get.

    Attributes:
        sink: its name.
        pending: events that wait.
        dead: events that it refused for good, or too often.
        shed: routine events that a full outbox left out, over all time.
        oldest: RFC 3339, since when the oldest waits; None where none does.
    """

    sink: str
    pending: int
    dead: int
    shed: int
    oldest: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a receiver did not take."""

    sink: str
    seq: int
    id: str
    event: str
    since: str
    tries: int
    reason: str


class Outbox:
    """The outbox of one ledger. Safe to use from several threads.

    Args:
        engine: the ledger's.
        host: this machine's name, for alarms of the outbox itself.
        limit: deliveries that may wait for one receiver. Beyond it routine events (`ROUTINE`) are left out
            and counted, an alarm tells when that begins and ends, and everything else is kept all the same.
        longest_wait: seconds; a try that is due later than that can only mean that the clock was set back.
    """

    def __init__(
        self, engine: Engine, *, host: str, limit: int = LIMIT, longest_wait: float = 3600.0
    ) -> None:
        self._engine = engine
        self._host = host
        self._limit = limit
        self._longest = longest_wait

    # -- putting in --

    def append(self, connection: Connection, events: Iterable[Event], sinks: Sequence[Subscription]) -> int:
        """Put events in, in the caller's transaction; gives how many deliveries were added.

        An event whose id waits already is the same event, and is not added again.
        """
        states = self._states(connection, sinks)
        new = _new(connection, {event.id: event for event in events})
        to = {event.id: self._receivers(event, sinks, states) for event in new}
        added = _put(connection, [event for event in new if to[event.id]], to)
        for name, state in states.items():
            self._keep_state(connection, name, state)
            told = {each.id: [sink.name for sink in sinks if sink.wants(each)] for each in state.alarms}
            _put(connection, [each for each in state.alarms if told[each.id]], told)
        return added

    def _receivers(
        self, event: Event, sinks: Sequence[Subscription], states: Mapping[str, _State]
    ) -> list[str]:
        """The names of those who want it and have room for it."""
        found = [
            sink.name
            for sink in sinks
            if sink.wants(event) and self._room(event, sink.name, states[sink.name])
        ]
        for name in found:
            states[name].pending += 1
        return found

    def _states(self, connection: Connection, sinks: Sequence[Subscription]) -> dict[str, _State]:
        table = outbox_sinks
        names = [sink.name for sink in sinks]
        found = {
            row.sink: _State(int(row.pending), int(row.shed), bool(row.full))
            for row in connection.execute(select(table).where(table.c.sink.in_(names)))
        }
        for name in names:
            if name not in found:
                connection.execute(insert(table).values(sink=name, pending=0, shed=0, full=0))
        return {name: found.get(name, _State(0, 0, False)) for name in names}

    def _room(self, event: Event, name: str, state: _State) -> bool:
        if state.pending >= self._limit and not state.full:
            state.full, state.changed = True, True
            state.alarms.append(self._told("outbox_full", name, state, "error"))
        elif state.full and state.pending < self._limit * _FREE_AGAIN:
            state.full, state.changed = False, True
            state.alarms.append(self._told("outbox_free", name, state, "warning"))
        if state.full and event.event in ROUTINE:
            state.shed, state.changed = state.shed + 1, True
            return False
        return True

    def _told(self, what: str, sink: str, state: _State, level: str) -> Event:
        detail = {
            "outbox_full": "too many events wait for a sink: findings, gaps and alarms are kept anyway, "
            "routine events are left out until it takes events again",
            "outbox_free": "routine events are kept again",
        }[what]
        now = _now()
        return alarm(
            what,
            detail,
            level=level,
            time=now,
            host=self._host,
            uid=stable_id(what, self._host, sink, now),
            sink=sink,
            waiting=state.pending,
            left_out=state.shed,
        )

    def _keep_state(self, connection: Connection, name: str, state: _State) -> None:
        if state.changed:
            connection.execute(
                update(outbox_sinks)
                .where(outbox_sinks.c.sink == name)
                .values(shed=state.shed, full=int(state.full))
            )

    # -- taking out --

    def ready(
        self, sink: str, limit: int, *, one_an_item: bool = False
    ) -> tuple[list[Waiting], float | None]:
        """What may be sent now, oldest first: never an event before an earlier one of its item.

        Args:
            sink: the receiver's name.
            limit: how many at most.
            one_an_item: at most the oldest of each item, for a receiver that may take a part of a batch.

        Returns:
            The events; where there are none, also the seconds until one may be tried again, None if none is.
        """
        mine, earlier, now = outbox_deliveries, outbox_deliveries.alias("earlier"), time.time()
        before = [
            earlier.c.sink == mine.c.sink,
            earlier.c.item == mine.c.item,
            earlier.c.seq < mine.c.seq,
            earlier.c.state == PENDING,
        ]
        if not one_an_item:
            before.append(~self._due(earlier, now))
        query = (
            select(outbox, mine.c.tries)
            .join(mine, mine.c.seq == outbox.c.seq)
            .where(mine.c.sink == sink, mine.c.state == PENDING, self._due(mine, now))
            .where(or_(mine.c.item == "", ~exists(select(earlier.c.seq).where(and_(*before)))))
            .order_by(mine.c.seq)
            .limit(limit)
        )
        # All that is due and not in the answer stands behind something that is not due yet.
        later = select(func.min(mine.c.due)).where(
            mine.c.sink == sink, mine.c.state == PENDING, ~self._due(mine, now)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
            due = None if rows else connection.execute(later).scalar()
        found = [
            Waiting(int(row.seq), row.id, row.event, row.item, row.payload, int(row.tries), row.since)
            for row in rows
        ]
        return found, None if due is None else max(0.0, float(due) - now)

    def _due(self, table: Any, now: float) -> Any:
        return or_(table.c.due <= now, table.c.due > now + self._longest)

    def delivered(self, sink: str, seqs: Collection[int]) -> None:
        """These were taken: their deliveries go, and the events that nobody waits for."""
        self.settle(sink, delivered=seqs)

    def failed(self, sink: str, seqs: Mapping[int, str], *, retry_in: float) -> None:
        """These failed on their own account, each for a reason; to be tried again in so many seconds."""
        self.settle(sink, failed=dict.fromkeys(seqs, retry_in), reasons=seqs)

    def dead(self, sink: str, seqs: Mapping[int, str]) -> None:
        """These will not be tried again, each for a reason."""
        self.settle(sink, dead=seqs)

    def settle(
        self,
        sink: str,
        *,
        delivered: Collection[int] = (),
        failed: Mapping[int, float] | None = None,
        dead: Mapping[int, str] | None = None,
        reasons: Mapping[int, str] | None = None,
    ) -> None:
        """Mark what became of a batch, in one transaction.

        Args:
            sink: the receiver's name.
            delivered: events that it has.
            failed: seconds until the next try, by event.
            dead: reason, by event.
            reasons: why events failed.
        """
        mine = outbox_deliveries
        with self._engine.begin() as connection:
            gone = 0
            for some in _parts(sorted(delivered)):
                self._alone(connection, some)
                done = connection.execute(
                    delete(mine).where(mine.c.sink == sink, mine.c.seq.in_(some), mine.c.state == PENDING)
                )
                gone += done.rowcount
                _prune(connection, some)
            for seq, wait in (failed or {}).items():
                reason = (reasons or {}).get(seq, "")[:_REASON]
                connection.execute(
                    update(mine)
                    .where(mine.c.sink == sink, mine.c.seq == seq)
                    .values(due=time.time() + min(wait, self._longest), tries=mine.c.tries + 1, reason=reason)
                )
            for seq, reason in (dead or {}).items():
                done = connection.execute(
                    update(mine)
                    .where(mine.c.sink == sink, mine.c.seq == seq, mine.c.state == PENDING)
                    .values(state=DEAD, tries=mine.c.tries + 1, reason=reason[:_REASON])
                )
                gone += done.rowcount
            _count(connection, [sink], -gone)

    def _alone(self, connection: Connection, seqs: Sequence[int]) -> None:
        """Two receivers may finish the same event at once: one of them must see that it was the last."""
        if connection.dialect.name != "sqlite":
            connection.execute(select(outbox.c.seq).where(outbox.c.seq.in_(seqs)).with_for_update()).all()

    # -- people's side --

    def backlog(self) -> list[Backlog]:
        """What waits, by receiver. Cheap however much that is: it is counted as it comes and goes."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(outbox_sinks).order_by(outbox_sinks.c.sink)).all()
            return [
                Backlog(
                    row.sink,
                    int(row.pending),
                    _dead(connection, row.sink),
                    int(row.shed),
                    _oldest(connection, row.sink),
                )
                for row in rows
            ]

    def dead_letters(self, sink: str | None = None, limit: int | None = 1000) -> list[DeadLetter]:
        """Events that were given up, oldest first; so many at most."""
        mine = outbox_deliveries
        query = (
            select(mine, outbox.c.id, outbox.c.event, outbox.c.since)
            .join(outbox, outbox.c.seq == mine.c.seq)
            .where(mine.c.state == DEAD)
            .order_by(mine.c.seq)
            .limit(limit)
        )
        if sink is not None:
            query = query.where(mine.c.sink == sink)
        with self._engine.connect() as connection:
            return [
                DeadLetter(row.sink, int(row.seq), row.id, row.event, row.since, int(row.tries), row.reason)
                for row in connection.execute(query)
            ]

    def resend(self, sink: str | None = None, ids: Collection[str] | None = None) -> int:
        """Try given-up events again; gives how many deliveries that is. Wake the dispatcher then.

        Args:
            sink: of this receiver only.
            ids: these events only.
        """
        mine = outbox_deliveries
        with self._engine.begin() as connection:
            # The write comes first: a transaction of SQLite that begins with reading may find its view old.
            for where in _given_up(sink, ids):
                connection.execute(update(mine).where(*where).values(state=_COMING_BACK))
            counted = connection.execute(
                select(mine.c.sink, func.count().label("number"))
                .where(mine.c.state == _COMING_BACK)
                .group_by(mine.c.sink)
            ).all()
            connection.execute(
                update(mine)
                .where(mine.c.state == _COMING_BACK)
                .values(state=PENDING, tries=0, due=0.0, reason="")
            )
            for row in counted:
                _count(connection, [row.sink], int(row.number))
        return sum(int(row.number) for row in counted)

    def drop(self, sink: str | None = None, ids: Collection[str] | None = None) -> int:
        """Let go of given-up events for good; gives how many deliveries that was.

        Args:
            sink: of this receiver only.
            ids: these events only.
        """
        mine, gone = outbox_deliveries, 0
        with self._engine.begin() as connection:
            for where in _given_up(sink, ids):
                gone += connection.execute(delete(mine).where(*where)).rowcount
            _sweep(connection)
        return gone

    def retire(self, sinks: Collection[str]) -> dict[str, int]:
        """Drop what waits for receivers other than these; gives how much of each was dropped.

        For a configuration that no longer names a receiver. What others wait for stays.
        """
        mine, names = outbox_deliveries, list(sinks)
        with self._engine.begin() as connection:
            connection.execute(delete(outbox_sinks).where(outbox_sinks.c.sink.not_in(names)))
            dropped = connection.execute(
                select(mine.c.sink, func.count().label("number"))
                .where(mine.c.sink.not_in(names))
                .group_by(mine.c.sink)
            ).all()
            connection.execute(delete(mine).where(mine.c.sink.not_in(names)))
            _sweep(connection)
        return {row.sink: int(row.number) for row in dropped}


@dataclass(slots=True)
class _State:
    """A receiver's row of `outbox_sinks` while events are put in."""

    pending: int
    shed: int
    full: bool
    changed: bool = False
    alarms: list[Event] = field(default_factory=list)


def _given_up(sink: str | None, ids: Collection[str] | None) -> Iterable[list[ColumnElement[bool]]]:
    """Conditions that together name the dead letters of a receiver, of some events, or all."""
    mine = outbox_deliveries
    where = [mine.c.state == DEAD, *([mine.c.sink == sink] if sink is not None else [])]
    if ids is None:
        yield where
        return
    for some in _parts(sorted(ids)):
        yield [*where, mine.c.seq.in_(select(outbox.c.seq).where(outbox.c.id.in_(some)))]


def _sweep(connection: Connection) -> None:
    """Remove every event that nobody waits for."""
    mine = outbox_deliveries
    connection.execute(delete(outbox).where(~exists(select(mine.c.seq).where(mine.c.seq == outbox.c.seq))))


def _dead(connection: Connection, sink: str) -> int:
    mine = outbox_deliveries
    query = select(func.count()).where(mine.c.sink == sink, mine.c.state == DEAD)
    return int(connection.execute(query).scalar() or 0)


def _oldest(connection: Connection, sink: str) -> str | None:
    """Since when the oldest waits."""
    mine = outbox_deliveries
    first = select(func.min(mine.c.seq)).where(mine.c.sink == sink, mine.c.state == PENDING)
    return connection.execute(select(outbox.c.since).where(outbox.c.seq == first.scalar_subquery())).scalar()


def _new(connection: Connection, events: Mapping[str, Event]) -> list[Event]:
    """Those that are not in the outbox yet."""
    known: set[str] = set()
    for some in _parts(list(events)):
        known |= set(connection.execute(select(outbox.c.id).where(outbox.c.id.in_(some))).scalars())
    return [event for event in events.values() if event.id not in known]


def _put(connection: Connection, events: Sequence[Event], to: Mapping[str, Sequence[str]]) -> int:
    """Write events, in their order, and a delivery for each receiver; gives the number of deliveries."""
    now = _now()
    rows = [
        {"id": each.id, "event": each.event, "item": each.item, "since": now, "payload": each.line()}
        for each in events
    ]
    if not rows:
        return 0
    connection.execute(insert(outbox), rows)
    places: dict[str, int] = {}
    for some in _parts([each.id for each in events]):
        found = connection.execute(select(outbox.c.id, outbox.c.seq).where(outbox.c.id.in_(some)))
        places |= {row.id: int(row.seq) for row in found}
    deliveries = [
        {
            "sink": name,
            "seq": places[each.id],
            "item": each.item,
            "state": PENDING,
            "tries": 0,
            "due": 0.0,
            "reason": "",
        }
        for each in events
        for name in to[each.id]
    ]
    connection.execute(insert(outbox_deliveries), deliveries)
    for name, number in Counter(each["sink"] for each in deliveries).items():
        _count(connection, [str(name)], number)
    return len(deliveries)


def _count(connection: Connection, sinks: Sequence[str], change: int) -> None:
    if change:
        connection.execute(
            update(outbox_sinks)
            .where(outbox_sinks.c.sink.in_(sinks))
            .values(pending=outbox_sinks.c.pending + change)
        )


def _prune(connection: Connection, seqs: Sequence[int]) -> None:
    """Remove events that nobody waits for any more."""
    mine = outbox_deliveries
    connection.execute(
        delete(outbox)
        .where(outbox.c.seq.in_(seqs))
        .where(~exists(select(mine.c.seq).where(mine.c.seq == outbox.c.seq)))
    )


def _parts(values: Sequence[_Value]) -> Iterable[Sequence[_Value]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
