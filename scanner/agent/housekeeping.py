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
from scanner.judging import (
    Settled,
    Undone,
    having,
    of_undone,
    of_vendors,
    prepare,
    settle_undone,
    settle_vendors,
    standing,
)
from scanner.ledger.store import Connection, shown
from scanner.model import Finding

_DAY = 86_400
#: The judging of what vendors hold takes no more than this part of the time.
_SHARE = 20
#: Files that are judged for what others undo in one turn of the loop.
_PAGE = 1000


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
        self._left: list[str | None] | None = None
        self._took = 0.0
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
        another = self._judged != today
        if (another and not walking) or (not another and self._changed and now >= self._account_due):
            if self._prepare() or self._judge_vendors(anew=another):
                return True
            if another:
                self._judged = today
                self._ageing.begin(today)
        return self._ageing.step()

    def judge(self) -> None:
        """Do all that is done daily, to its end."""
        while self._judge_vendors(anew=True):
            pass
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

    def _prepare(self) -> bool:
        """Look at one vendor, so that other things can be done between two; says whether there are more."""
        session, at, started = self._session, moment(), time.monotonic()
        if self._left is None:
            self._left, self._took = having(session.ledger, at), 0.0
        if self._left:
            prepare(session.ledger, session.policy, at, session.law[1], self._left.pop())
        self._took += time.monotonic() - started
        return bool(self._left)

    def _judge_vendors(self, *, anew: bool = False) -> bool:
        """What no file alone tells: limits of people, agreements, acceptances, joins, digests undone.

        Args:
            anew: also where nothing is otherwise than it was when this was done last.

        Returns:
            Whether there is more than is judged in one turn.
        """
        session, at, started = self._session, moment(), time.monotonic()
        ledger, policy, digest = session.ledger, session.policy, session.law[1]
        entry, settled = session.writer.newest, self._settled
        vendors, undone = of_vendors(ledger, policy, at, digest), of_undone(ledger, at, digest)
        if anew or self._now(vendors, undone) != self._standing:

            def also(connection: Connection) -> None:
                nonlocal settled
                changes, settled = settle_undone(connection, ledger, policy, undone, at, self._settled, _PAGE)
                changes += settle_vendors(connection, vendors, at)
                session.teller.transitions(connection, changes)

            session.writer.write("judged", [], also=also, note={"at": at})
            session.teller.sent()
            self._settled, entry = settled, session.writer.newest
            self._standing = self._now(vendors, undone)
        self._took += time.monotonic() - started
        if len(settled) < len(undone.places):
            self._standing = ""
            return True
        self._entry, self._left = entry, None
        self._account_due = time.monotonic() + max(session.config.account_seconds, _SHARE * self._took)
        return False

    def _now(self, vendors: Mapping[str, Sequence[Finding]], undone: Undone) -> str:
        with self._session.ledger.reading() as connection:
            return standing(connection, vendors, undone)


def _today() -> date:
    """The day that policies are held against: in UTC, as everything in the ledger."""
    return datetime.now(UTC).date()


def _until_midnight() -> float:
    """Seconds until the next day begins."""
    return _DAY - time.time() % _DAY
