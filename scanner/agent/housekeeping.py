"""What is done by the clock: heartbeats, walks of everything, what time alone changes for a policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from scanner import events
from scanner.agent.ageing import Ageing
from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.judging import Settled, Undone, of_undone, of_vendors, settle_undone, settle_vendors, standing
from scanner.ledger.store import Connection, shown
from scanner.model import Finding

_DAY = 86_400
#: The judging of what vendors hold takes no more than this part of the time.
_SHARE = 20


class Housekeeping:
    """Things that are due at times.

    Args:
        session: see `Session`.
        document: how the agent does, for the heartbeat.
    """

    def __init__(self, session: Session, document: Callable[[], Mapping[str, Any]]) -> None:
        self._session, self._document = session, document
        now = time.monotonic()
        self._heartbeat_due = now
        self._ageing = Ageing(session)
        self._judged: date | None = None
        self._entry, self._standing = 0, ""
        self._settled: Settled = {}
        self._account_due = now
        self._reconcile_due = now + session.config.reconcile_minutes * 60

    def dues(self, soon: float) -> list[float]:
        """When to call `clock`, on the monotonic clock; not before ``soon`` what may have to wait."""
        # Whoever sets the clock does not wake us; that it is another day is then seen at the next heartbeat.
        another_day = soon if self._judged != _today() else time.monotonic() + _until_midnight()
        dues = [self._heartbeat_due, self._reconcile_due, max(another_day, soon)]
        if self._changed:
            dues.append(max(self._account_due, soon))
        return dues

    @property
    def _changed(self) -> bool:
        """Whether the ledger has entries that were not there when vendors were judged last."""
        return self._session.watcher is not None and self._session.writer.newest != self._entry

    def judge_soon(self) -> None:
        """Do what is done daily now."""
        self._judged = None

    def clock(self, *, walking: bool) -> bool:
        """Do what is due; says whether there is more to do at once."""
        session, now = self._session, time.monotonic()
        if now >= self._heartbeat_due:
            self._heartbeat_due = now + session.config.heartbeat_seconds
            self._heartbeat()
        if session.watcher is None:
            return False
        if now >= self._reconcile_due:
            self._reconcile_due = now + session.config.reconcile_minutes * 60
            session.watcher.renew()  # every watch is seen to anew, and then each share is to be walked
        today = _today()
        if self._judged != today and not walking:
            self._judge_vendors(anew=True)
            self._judged = today
            self._ageing.begin(today)
        elif self._judged == today and self._changed and now >= self._account_due:
            self._judge_vendors()
        return self._ageing.step()

    def judge(self) -> None:
        """Do all that is done daily, to its end."""
        self._judge_vendors(anew=True)
        self._ageing.begin(_today())
        while self._ageing.step():
            pass

    def _heartbeat(self) -> None:
        session, document = self._session, self._document()
        told = events.heartbeat(
            time=shown(moment()),
            host=session.host,
            versions=document["versions"],
            queue=document["queue"],
            shares=document["shares"],
            sinks=document["sinks"],
            uptime_seconds=time.time() - session.state.started,
            every_seconds=session.config.heartbeat_seconds,
        )
        session.teller.tell([told])

    def _judge_vendors(self, *, anew: bool = False) -> None:
        """What no file alone tells: limits of people, agreements, acceptances, joins, digests undone.

        Args:
            anew: also where nothing is otherwise than it was when this was done last.
        """
        session, at, started = self._session, moment(), time.monotonic()
        ledger, policy, digest = session.ledger, session.policy, session.law[1]
        entry = session.writer.newest
        vendors, undone = of_vendors(ledger, policy, at, digest), of_undone(ledger, at, digest)
        if anew or self._now(vendors, undone) != self._standing:
            before, settled = None if anew else self._settled, [self._settled]

            def also(connection: Connection) -> None:
                changes, settled[0] = settle_undone(connection, ledger, policy, undone, at, before)
                changes += settle_vendors(connection, vendors, at)
                session.teller.transitions(connection, changes)

            session.writer.write("judged", [], also=also, note={"at": at})
            session.teller.sent()
            self._settled = settled[0]
            entry = session.writer.newest
            self._standing = self._now(vendors, undone)
        self._entry = entry
        took = time.monotonic() - started
        self._account_due = time.monotonic() + max(session.config.account_seconds, _SHARE * took)

    def _now(self, vendors: Mapping[str, Sequence[Finding]], undone: Undone) -> str:
        with self._session.ledger.reading() as connection:
            return standing(connection, vendors, undone)


def _today() -> date:
    """The day that policies are held against: in UTC, as everything in the ledger."""
    return datetime.now(UTC).date()


def _until_midnight() -> float:
    """Seconds until the next day begins."""
    return _DAY - time.time() % _DAY
