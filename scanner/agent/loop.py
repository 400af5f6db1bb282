"""The agent's loop: it calls its parts in turn, sleeps until something is due, and survives trouble.

One thread does all of it; the watcher, the sinks and the status socket have their own and only wake it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scanner.agent import session as sessions
from scanner.agent.account import Account
from scanner.agent.config import AgentConfig
from scanner.agent.database import (
    StoreBroken,
    StoreLost,
    is_file,
    may_pass,
    opened,
    says_damaged,
    set_aside,
)
from scanner.agent.gatekeeping import Gatekeeping
from scanner.agent.housekeeping import Housekeeping
from scanner.agent.leaving import Leaving
from scanner.agent.noticing import Noticing
from scanner.agent.recording import Recording
from scanner.agent.scanning import Scanning
from scanner.agent.selftest import SelfTest
from scanner.agent.session import Law, Session
from scanner.agent.sinkwatch import SinkWatch
from scanner.agent.state import State
from scanner.agent.status import NotReadyError
from scanner.agent.walking import Walking
from scanner.channel import readable
from scanner.events import Event
from scanner.ledger.queue import Job
from scanner.ledger.store import LedgerBusy, LedgerError, StoreError, Writer

if TYPE_CHECKING:
    from scanner.sinks.metrics import AgentMetrics

log = logging.getLogger("sharewatch")

#: Seconds between tries to write when the ledger cannot be written; doubles up to the second number.
_STORE_PAUSE = (2.0, 60.0)
_DAY = 86_400.0
#: Seconds between two looks at what waits for something that tells nothing when it is over.
_PAUSE = 0.25
#: Seconds between two looks at the deadlines and the memory of workers.
_WORKERS = 0.5
#: Seconds to have everything delivered at the end of a single walk.
_DRAIN = 60.0


class Agent:
    """Watches, scans and tells, until it is stopped.

    Args:
        config: see `AgentConfig`.
        policy: what vendors may have, with its digest and its text.
        once: do one walk of everything, scan and tell what is found, and end.
        metrics: numbers to keep; None for none.
        beat: called in each turn of the loop and at least so often as the watchdog wants it.
        beat_seconds: that.
    """

    def __init__(
        self,
        config: AgentConfig,
        policy: Law,
        *,
        once: bool = False,
        metrics: AgentMetrics | None = None,
        beat: Callable[[], object] = lambda: None,
        beat_seconds: float | None = None,
    ) -> None:
        self.config = config
        self._law = policy
        self._once, self._metrics = once, metrics
        self._beat, self._beat_seconds = beat, beat_seconds
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self.state = State(time.time())
        self.reload: Callable[[], tuple[AgentConfig, Law]] | None = None
        self._reload_asked = False
        self._opened_ready: Callable[[str], object] = lambda _: None
        self._account: Account | None = None
        self._pause = _STORE_PAUSE[0]
        self._rebuilt = self._lived = self._said_unwritable = False
        self._untold: list[Event] = []

    # -- from outside ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Have the loop look around now. Safe in a signal handler and from any thread."""
        with suppress(OSError):
            os.eventfd_write(self._wake, 1)

    def stop(self) -> None:
        """End after this turn."""
        self._stopping = True
        self.wake()

    def ask_reload(self) -> None:
        """Read the configuration again in the next turn."""
        self._reload_asked = True
        self.wake()

    def retry_sinks(self) -> None:
        """Try sinks that are down at once, and send what was put back by hand. Safe from any thread."""
        if self._account is not None:
            self._session.teller.dispatcher.retry_now()

    def on_ready(self, call: Callable[[str], object]) -> None:
        """Have it called with a line of status once everything is started, and again after a reload."""
        self._opened_ready = call

    def document(self) -> dict[str, Any]:
        """How it does; see `Account.document`. Safe from any thread.

        Raises:
            NotReadyError: it is still starting, or waits for its ledger.
        """
        if self._account is None:
            trouble = self.state.trouble
            waits = f"it waits for its ledger, which cannot be used ({trouble})"
            raise NotReadyError(waits if trouble else "it is starting")
        return self._account.document()

    def measure(self) -> None:
        """Bring the metrics' gauges up to date. Safe from any thread."""
        if self._account is not None:
            self._account.measure()

    # -- life -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run until `stop`, or until all is done with ``once``.

        Raises:
            LedgerError: the ledger cannot be opened, and that is not for damage nor for what may pass.
        """
        while True:
            try:
                self._live()
            except StoreBroken as broken:
                log.error("the ledger is damaged (%s): it is set aside and built anew", broken)
                set_aside(self.config.ledger)
                self._rebuilt = True
                continue
            except (LedgerError, StoreError, StoreLost, OSError) as error:
                # Who was the writer before has it again once a server notices that its client is gone.
                again = may_pass(error) or (self._lived and isinstance(error, LedgerBusy))
                if self._once and isinstance(error, (StoreError, StoreLost)):
                    raise LedgerError(f"the ledger cannot be used ({_reason(error)})") from None
                if self._once or not again:
                    raise
                self._wait_for_store(error)
            if self._stopping or self._once:
                return

    def _live(self) -> None:
        """From opening the ledger to closing it; a reload that changes more than the policy ends it."""
        with opened(self.config.ledger) as ledger:
            writer = Writer(ledger)
            try:
                session = sessions.begin(
                    self.config,
                    self._law,
                    ledger,
                    writer,
                    once=self._once,
                    state=self.state,
                    metrics=self._metrics,
                    wake=self.wake,
                )
                self._assemble(session)
                try:
                    self._start()
                    self._turns()
                finally:
                    self._account = None
                    self._untold = session.teller.untold()
                    self._walking.close()
                    self._gates.close()
                    session.close()
            finally:
                writer.close()

    def _assemble(self, session: Session) -> None:
        self._session = session
        self._selftest = SelfTest(session)
        self._sinkwatch = SinkWatch(session)
        self._walking = Walking(session)
        self._leaving = Leaving(session, self._walking.folder)
        self._gates = Gatekeeping(
            session,
            walk=self._walking.folder,
            written=self._written,
            wake=self.wake,
        )
        self._noticing = Noticing(session, self._walking, self._leaving, self._gates.admits)
        self._scanning = Scanning(
            session,
            Recording(session, self._leaving.resolve),
            self._gates,
            gone=self._leaving.later,
            written=self._noticing.written,
            others=self._selftest.event,
        )
        self._account = Account(session, scanning=lambda: len(self._scanning), unsettled=self._unsettled)
        self._housekeeping = Housekeeping(session, self._account.document)

    def _written(self, job: Job) -> None:
        self._noticing.written(job)

    def _start(self) -> None:
        session = self._session
        self._resume_at, self._lived = 0.0, True
        self._beat_due = time.monotonic()
        session.teller.dispatcher.start()
        session.teller.carry(self._untold)
        if self.state.trouble and not self._said_unwritable:
            # Without a ledger there was nothing for it to be told from.
            self._alarm_unwritable(self.state.trouble)
        if self._rebuilt:
            self._rebuilt = False
            detail = "the ledger was damaged and is built anew by a walk"
            session.teller.alarm("ledger_rebuilt", detail, "critical")
        if session.watcher is not None:
            # It says so of each share once all of it is watched, so that nothing falls between.
            session.watcher.start()
        else:
            self._walking.everything()
        self._opened_ready(f"watching {len(self.config.shares)} share(s)")

    # -- the loop -------------------------------------------------------------------------------------------

    def _turns(self) -> None:
        while not self._stopping:
            if self._reload_asked:
                self._reload_asked = False
                if self._reloaded():
                    return
            self._beat_now()
            try:
                again = self._turn()
                self._recovered()
            except StoreError as error:
                self._store_failed(error)
                if self._once:
                    raise  # the next single walk does it; this one must not wait for as long as it takes
                again = False
            if self._once and self._finished():
                self._housekeeping.judge()
                if not self._session.teller.dispatcher.drain(_DRAIN):
                    self.state.trouble = "sinks"
                return
            if not again:
                self._sleep()

    def _turn(self) -> bool:
        """Do what is due; says whether there is more to do at once."""
        if time.monotonic() < self._resume_at:
            return False
        self._hints()
        busy = self._walking.slice(self._noticing.changed)
        # After the walk: what it took in last must not wait for somebody to wake the loop.
        self._noticing.complete()
        self._scanning.collect()
        self._gates.settle()
        started = self._scanning.give()
        self._leaving.settle(busy=self._is_busy())
        ageing = self._housekeeping.clock(walking=len(self._walking) > 0)
        self._selftest.clock()
        self._sinkwatch.clock()
        return busy or started or ageing

    def _hints(self) -> None:
        if self._session.watcher is None:
            return
        hints = self._session.watcher.take(0)
        for hint in hints:
            if hint.root == self._selftest.folder:
                self._selftest.hint(hint)
        self._noticing.hints(hint for hint in hints if hint.root != self._selftest.folder)

    def _is_busy(self) -> bool:
        """Whether a file that was moved may still be on its way."""
        return bool(
            self._walking.going or len(self._session.settling) or self._noticing or len(self._scanning)
        )

    def _unsettled(self) -> int:
        return len(self._session.settling) + len(self._leaving) + len(self._noticing) + len(self._walking)

    def _sleep(self) -> None:
        with suppress(OSError):
            if self._wake in readable([self._wake, *self._session.pool.pipes], self._patience()):
                os.eventfd_read(self._wake)

    def _patience(self) -> float:
        """Seconds until something is due."""
        session, now = self._session, time.monotonic()
        # What is due and must wait for something else is not asked for without a pause.
        soon = now + _PAUSE
        due = [self._beat_due, *self._housekeeping.dues(soon)]
        due += [max(each, soon) for each in self._leaving.dues()]
        if self._selftest.due is not None:
            due.append(max(self._selftest.due, soon))
        others = (
            session.settling.due(),
            self._selftest.ends(),
            self._scanning.rests_at(),
            self._sinkwatch.due(),
        )
        due += [each for each in others if each is not None]
        if self._resume_at > now:
            due.append(self._resume_at)
        if session.pool.busy:
            due.append(now + _WORKERS)
        elif not session.jobs.empty:
            due.append(now + self._queue_wait())
        return max(0.0, min(due) - now)

    def _queue_wait(self) -> float:
        """Seconds until something in the queue may be done."""
        if self.state.waits_for:
            return self._session.governor.wait()
        return max(_PAUSE, self._session.jobs.wait())

    def _beat_now(self) -> None:
        now = time.monotonic()
        if self._beat_seconds is None:
            self._beat_due = now + _DAY
        elif now >= self._beat_due:
            self._beat()
            self._beat_due = now + self._beat_seconds

    def _finished(self) -> bool:
        if self._unsettled() or len(self._scanning):
            return False
        self._session.jobs.next(1, small=0, busy=(), fresh=False)
        return self._session.jobs.empty

    # -- trouble --------------------------------------------------------------------------------------------

    def _store_failed(self, error: StoreError) -> None:
        """The ledger cannot be written: nothing is lost, as all of it is still queued or on the share."""
        cause, reason = getattr(error, "orig", None) or error, _reason(error)
        on_file = is_file(self.config.ledger)
        if on_file and says_damaged(str(cause)):
            raise StoreBroken(reason)
        # Connections that were made while the folder was read-only would be so for ever.
        self._session.ledger.engine.dispose()
        connection = self._session.writer.connection
        if connection.in_transaction():
            with suppress(StoreError):
                connection.rollback()
        self._walking.restart()
        if not self.state.trouble:
            self._alarm_unwritable(reason)
        self.state.trouble = reason
        if not on_file:
            raise StoreLost(reason)
        self._resume_at = self._next_try()

    def _alarm_unwritable(self, reason: str) -> None:
        detail = f"the ledger cannot be written ({reason})"
        self._session.teller.alarm("ledger_unwritable", detail, "critical")
        self._said_unwritable = True

    def _next_try(self) -> float:
        """On the monotonic clock, when to try again; each time twice as far away."""
        pause, self._pause = self._pause, min(self._pause * 2, _STORE_PAUSE[1])
        return time.monotonic() + pause

    def _wait_for_store(self, error: Exception) -> None:
        """Without a ledger nothing can be done: wait for a while, and begin anew with a walk."""
        reason = _reason(error)
        # What a database says of a statement may quote it; the others name a file or a server.
        said = reason if isinstance(error, StoreError) else error
        log.warning("the ledger cannot be used, and is tried again: %s", said)
        self.state.trouble = reason
        self._opened_ready("waiting for the ledger, which cannot be used")
        until, self._beat_due = self._next_try(), time.monotonic()
        while not self._stopping and (left := until - time.monotonic()) > 0:
            self._beat_now()
            with suppress(OSError):
                patience = max(0.0, min(left, self._beat_due - time.monotonic()))
                if self._wake in readable([self._wake], patience):
                    os.eventfd_read(self._wake)

    def _recovered(self) -> None:
        if self.state.trouble and time.monotonic() >= self._resume_at:
            self.state.trouble, self._pause, self._said_unwritable = "", _STORE_PAUSE[0], False
            self._session.teller.alarm("ledger_writable", "the ledger can be written again", "info")
        else:
            self._session.teller.alarms()

    def _reloaded(self) -> bool:
        """Take up a new configuration; says whether everything is to be started anew for it."""
        assert self.reload is not None
        session = self._session
        try:
            config, law = self.reload()
        except (ValueError, OSError) as error:
            problem = str((getattr(error, "problems", None) or [str(error)])[0])
            self.state.problem = problem
            session.teller.alarm(
                "configuration_refused", f"the former one stays in force: {problem}", "error"
            )
            self._opened_ready(f"watching; the new configuration is refused: {problem}")
            return False
        self.state.problem = ""
        changed = config != self.config
        self.config, self._law = config, law
        if changed:
            return True
        session.adopt(law)
        self._housekeeping.judge_soon()
        for gate in config.gates:
            self._walking.later(gate.staging)
        self._opened_ready(f"watching {len(config.shares)} share(s)")
        return False


def _reason(error: Exception) -> str:
    """What kind of trouble it is: the name of the database's own error."""
    return (
        str(error) if isinstance(error, StoreLost) else type(getattr(error, "orig", None) or error).__name__
    )
