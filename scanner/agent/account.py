"""How the agent does, as status, heartbeat and metrics tell it. Safe from any thread."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from scanner import __version__
from scanner.agent.session import Session
from scanner.ledger import findings, queue
from scanner.ledger.store import Connection
from scanner.sources.mounts import Presence

_UP = (Presence.THERE, Presence.PARTLY)


class Account:
    """Gives an account of a session.

    Args:
        session: see `Session`.
        scanning: how many files are being scanned.
        unsettled: how much is noticed and not in the queue yet.
    """

    def __init__(
        self, session: Session, *, scanning: Callable[[], int], unsettled: Callable[[], int]
    ) -> None:
        self._session, self._scanning, self._unsettled = session, scanning, unsettled

    def document(self) -> dict[str, Any]:
        """As ``sharewatch status --json`` shows it."""
        session, state, now = self._session, self._session.state, time.time()
        with session.ledger.reading() as connection:
            waiting = queue.waiting(connection)
            known = queue.count(connection)
            open_ = findings.counts(connection)
            held = self._held(connection)
        lags = sorted(state.lags)
        return {
            "schema_version": "1.0",
            "host": session.host,
            "pid": os.getpid(),
            "started": state.started,
            "versions": {
                "program": __version__,
                "rules": session.rules,
                "policy": session.law[1],
                "model": session.model,
            },
            "queue": {
                "waiting": waiting.fresh + waiting.again + waiting.verify,
                "fresh": waiting.fresh,
                "again": waiting.again,
                "verify": waiting.verify,
                "scanning": self._scanning(),
                "oldest_seconds": None
                if waiting.oldest is None
                else round(max(0.0, now - waiting.oldest), 1),
            },
            "settling": self._unsettled(),
            "waits_for": state.waits_for,
            "files": known,
            "scanned": state.scanned,
            "verdict_seconds_median": round(lags[len(lags) // 2], 3) if lags else None,
            "findings_open": sum(open_.values()),
            "shares": self._shares(),
            "gates": [
                {"from": gate.staging, "to": gate.outbound, "held": held[gate.staging]}
                for gate in session.config.gates
            ],
            "passed": state.passed,
            "watching": self._watching(),
            "sinks": self._sinks(),
            "last_walk": state.last_walk,
            "selftest": {"state": state.selftest, "last_passed": state.last_selftest},
            "trouble": state.trouble,
            "configuration": state.problem or "in force",
            "workers": len(session.pool.processes),
        }

    def _held(self, connection: Connection) -> dict[str, int]:
        """Files that lie before each gate, by its staging folder."""
        return {gate.staging: queue.count(connection, gate.staging) for gate in self._session.config.gates}

    def _shares(self) -> list[dict[str, Any]]:
        watcher = self._session.watcher
        states = watcher.states() if watcher is not None else {}
        return [
            {
                "path": share,
                "up": share not in states or states[share].presence in _UP,
                "state": str(states[share].presence) if share in states else None,
                "detail": states[share].detail if share in states else "",
            }
            for share in self._session.config.shares
        ]

    def _watching(self) -> dict[str, int] | None:
        watcher = self._session.watcher
        if watcher is None:
            return None
        figures = watcher.figures()
        return {
            "watched": figures.watched,
            "polled": figures.polled,
            "unwatched": figures.unwatched,
            "overflows": figures.overflows,
        }

    def _sinks(self) -> list[dict[str, Any]]:
        teller = self._session.teller
        backlog = {each.sink: each for each in teller.outbox.backlog()}
        return [
            status.document()
            | {
                "pending": backlog[status.name].pending if status.name in backlog else 0,
                "dead": backlog[status.name].dead if status.name in backlog else 0,
            }
            for status in teller.dispatcher.status()
        ]

    def measure(self) -> None:
        """Bring the gauges up to date; called before they are read."""
        session, made, now = self._session, self._session.metrics, time.time()
        if made is None:
            return
        with session.ledger.reading() as connection:
            waiting = queue.waiting(connection)
            held = self._held(connection)
            made.gate_held.replace({(staging,): float(count) for staging, count in held.items()})
            made.findings.replace({key: float(count) for key, count in findings.counts(connection).items()})
        made.queue.replace(
            {("fresh",): waiting.fresh, ("again",): waiting.again, ("verify",): waiting.verify}
        )
        made.queue_oldest.set(0.0 if waiting.oldest is None else max(0.0, now - waiting.oldest))
        made.workers.set(len(session.pool.processes))
        made.sinks(session.teller.dispatcher.status(), session.teller.outbox.backlog(), now)
        states = session.watcher.states() if session.watcher is not None else {}
        made.share_up.replace({(name,): float(each.presence in _UP) for name, each in states.items()})
