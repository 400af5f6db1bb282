"""The agent's way to its sinks: events into the outbox; alarms wait for a ledger that cannot be written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from scanner import events
from scanner.agent import telling
from scanner.events import Waiting
from scanner.ledger.outbox import Outbox
from scanner.ledger.store import Connection, StoreError, Writer, shown, stamp
from scanner.sinks.base import Sink
from scanner.sinks.dispatch import Dispatcher, SinkStatus

if TYPE_CHECKING:
    from scanner.ledger.findings import Transition
    from scanner.sinks.metrics import AgentMetrics

log = logging.getLogger("sharewatch")

#: Alarms that wait in memory while the ledger cannot be written; older ones are in the log.
_KEPT_ALARMS = 100


def now() -> str:
    """The time as the ledger writes it."""
    return stamp(datetime.now(UTC))


class Teller:
    """Puts events into the outbox and has them delivered.

    Args:
        writer: of the ledger.
        outbox: of the same.
        sinks: who is told; none means that nothing is kept.
        host: this machine's name.
        metrics: counts alarms; None for none.
        changed: called, from a sink's thread, when a sink goes down or is up again.
    """

    def __init__(
        self,
        writer: Writer,
        outbox: Outbox,
        sinks: Sequence[Sink],
        host: str,
        metrics: AgentMetrics | None = None,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self._writer, self.outbox, self.host, self._metrics = writer, outbox, host, metrics
        self._subscriptions = [sink.subscription for sink in sinks]
        self._alarms: list[events.Event] = []
        self._said: set[str] = set()
        self._changed = changed
        self.dispatcher = Dispatcher(outbox, sinks, self._sink_changed)

    def append(self, connection: Connection, found: Sequence[events.Event]) -> None:
        """Put events in, in the caller's transaction; call `sent` after it."""
        if found and self._subscriptions:
            self.outbox.append(connection, found, self._subscriptions)

    def transitions(self, connection: Connection, changes: Sequence[Transition]) -> None:
        """The same for findings that opened, changed or resolved."""
        self.append(connection, telling.of_transitions(changes, self.host))

    def tell(self, found: Sequence[events.Event], also: Callable[[Connection], None] | None = None) -> None:
        """Put events in, in a transaction of their own, with further statements."""
        with self._writer.connection.begin():
            self.append(self._writer.connection, found)
            if also is not None:
                also(self._writer.connection)
        self.sent()

    def sent(self) -> None:
        """What was put in may be delivered."""
        self.dispatcher.wake()

    def alarm(self, what: str, detail: str, level: str, **more: Any) -> None:
        """Say, in the log too, that a person should look at something. Never raises for the ledger."""
        self._alarms.append(self.made_alarm(what, detail, level, **more))
        self.alarms()

    def made_alarm(self, what: str, detail: str, level: str, **more: Any) -> events.Event:
        """An alarm for the caller to tell, in a transaction of its own; it is in the log already."""
        log.log(logging.INFO if level == "info" else logging.WARNING, "%s: %s", what, detail)
        if self._metrics is not None:
            self._metrics.alarms.add(what=what)
        at = now()
        about = [f"{name}={value}" for name, value in sorted(more.items())]
        uid = events.stable_id("alarm", what, self.host, at, *about)
        return events.alarm(what, detail, level=level, time=shown(at), host=self.host, uid=uid, **more)

    def alarms(self) -> None:
        """Tell what alarms wait. They wait in memory only while the ledger cannot be written.

        Meanwhile sinks are told of them past the outbox: an alarm of a full disk is of no use afterwards.
        """
        if not self._alarms:
            return
        try:
            connection = self._writer.connection
            if connection.in_transaction():
                connection.rollback()
            with connection.begin():
                self.append(connection, self._alarms)
            self._alarms = []
            self._said.clear()
            self.sent()
        except StoreError:
            self._alarms = self._alarms[-_KEPT_ALARMS:]
            new = [each for each in self._alarms if each.id not in self._said]
            self._said |= {each.id for each in new}
            self.dispatcher.tell_now(
                [Waiting(0, each.id, each.event, each.item, each.line(), 0, each.time) for each in new]
            )

    def untold(self) -> list[events.Event]:
        """Alarms that could not be put into the outbox."""
        return self._alarms

    def carry(self, found: Sequence[events.Event]) -> None:
        """Alarms of a teller before, which told them past the outbox."""
        self._alarms = [*found, *self._alarms]
        self._said |= {each.id for each in found}

    def _sink_changed(self, status: SinkStatus, given_up: int) -> None:
        """From a sink's thread: a word to the log; an alarm is for the loop to raise."""
        if given_up:
            log.warning("sink %s: %d events were given up: %s", status.name, given_up, status.problem)
        elif status.up is False:
            log.warning("sink %s is down: %s", status.name, status.problem)
        else:
            log.info("sink %s takes events", status.name)
        self._changed()
