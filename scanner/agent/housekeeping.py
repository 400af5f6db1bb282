"""What is done by the clock: heartbeats, walks of everything, what time alone changes for a policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from scanner import events
from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.judging import of_vendors
from scanner.ledger import findings
from scanner.ledger.findings import Transition
from scanner.ledger.store import Connection, shown

_DAY = 86_400.0


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
        self._daily_due = now
        self._reconcile_due = now + session.config.reconcile_minutes * 60

    def dues(self, soon: float) -> list[float]:
        """When to call `clock`, on the monotonic clock; not before ``soon`` what may have to wait."""
        return [self._heartbeat_due, self._reconcile_due, max(self._daily_due, soon)]

    def judge_soon(self) -> None:
        """Do what is done daily now."""
        self._daily_due = time.monotonic()

    def clock(self, *, walking: bool) -> None:
        """Do what is due."""
        session, now = self._session, time.monotonic()
        if now >= self._heartbeat_due:
            self._heartbeat_due = now + session.config.heartbeat_seconds
            self._heartbeat()
        if session.watcher is None:
            return
        if now >= self._reconcile_due:
            self._reconcile_due = now + session.config.reconcile_minutes * 60
            session.watcher.renew()  # every watch is seen to anew, and then each share is to be walked
        if now >= self._daily_due and not walking:
            self._daily_due = now + _DAY
            self.judge_vendors()

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

    def judge_vendors(self) -> None:
        """Limits of people, agreements, acceptances: what changes without any file changing."""
        session, at = self._session, moment()
        vendors = of_vendors(session.ledger, session.policy, at)

        def also(connection: Connection) -> None:
            changes: list[Transition] = []
            for vendor, found in vendors.items():
                changes += findings.observe(connection, findings.of_vendor(vendor), found, at)
            changes += findings.expire(connection, at)
            session.teller.transitions(connection, changes)

        session.writer.write("judged", [], also=also, note={"at": at})
        session.teller.sent()
