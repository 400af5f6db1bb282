"""What is done by the clock: heartbeats, walks of everything, what time alone changes for a policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from scanner import events
from scanner.agent.ageing import Ageing
from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.agent.together import Together
from scanner.ledger.store import shown

_DAY = 86_400


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
        self._together = Together(session)
        self._reconcile_due = now + session.config.reconcile_minutes * 60

    def dues(self, soon: float) -> list[float]:
        """When to call `clock`, on the monotonic clock; not before ``soon`` what may have to wait."""
        # Whoever sets the clock does not wake us; that it is another day is then seen at the next heartbeat.
        another_day = soon if self._judged != _today() else time.monotonic() + _until_midnight()
        dues = [self._heartbeat_due, self._reconcile_due, max(another_day, soon)]
        if self._changed:
            dues.append(max(self._together.due, soon))
        return dues

    @property
    def _changed(self) -> bool:
        return self._session.watcher is not None and self._together.changed

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
        if (another and not walking) or (not another and self._changed and now >= self._together.due):
            if self._together.step(anew=another):
                return True
            if another:
                self._judged = today
                self._ageing.begin(today)
        return self._ageing.step()

    def judge(self) -> None:
        """Do all that is done daily, to its end."""
        while self._together.judge(anew=True):
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


def _today() -> date:
    """The day that policies are held against: in UTC, as everything in the ledger."""
    return datetime.now(UTC).date()


def _until_midnight() -> float:
    """Seconds until the next day begins."""
    return _DAY - time.time() % _DAY
