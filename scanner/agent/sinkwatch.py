"""Sinks that stay down: an alarm to the others, and another when they are back."""

from __future__ import annotations

import time
from datetime import datetime

from scanner.agent.session import Session
from scanner.sinks.dispatch import SinkStatus

#: Seconds between two looks at a sink that is down, past those that its alarm waits for.
_AGAIN = 1.0


class SinkWatch:
    """Minds how long each sink has been down.

    A sink that took nothing since the agent's start counts as down for as long as its oldest event waits, so
    that restarts do not put its alarm off.

    Args:
        session: see `Session`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._limit = session.config.sink_down_minutes * 60
        self._down_at: dict[str, float] = {}
        self._told: set[str] = set()
        self._due: float | None = None

    def due(self) -> float | None:
        """On the monotonic clock, when a sink will have been down for too long; None while none is down."""
        return self._due

    def clock(self) -> None:
        """Tell of sinks that are down for too long, and of those that are back."""
        if not self._limit:
            return
        self._due = None
        for status in self._session.teller.dispatcher.status():
            if status.up is not False:
                self._back(status)
            elif status.name not in self._told:
                self._down(status)

    def _back(self, status: SinkStatus) -> None:
        self._down_at.pop(status.name, None)
        if status.up and status.name in self._told:
            self._told.remove(status.name)
            self._session.teller.alarm("sink_up", "a sink takes events again", "info", sink=status.name)

    def _down(self, status: SinkStatus) -> None:
        if status.name not in self._down_at:
            self._down_at[status.name] = self._since(status)
        left = self._limit - (time.time() - self._down_at[status.name])
        if left > 0:
            due = time.monotonic() + max(left, _AGAIN)
            self._due = due if self._due is None else min(self._due, due)
            return
        self._told.add(status.name)
        detail = f"nothing could be delivered for {self._session.config.sink_down_minutes:g} minutes"
        self._session.teller.alarm(
            "sink_down", f"{detail}: {status.problem}", "error", sink=status.name, since=status.down_since
        )

    def _since(self, status: SinkStatus) -> float:
        """Seconds of the epoch."""
        moments = [status.down_since]
        if status.last_success is None:
            backlog = self._session.teller.outbox.backlog()
            moments += [each.oldest for each in backlog if each.sink == status.name]
        found = [datetime.fromisoformat(each).timestamp() for each in moments if each is not None]
        return min(found, default=time.time())
