"""The agent's loop: hints and walks, the queue, workers, and one transaction for each outcome.

One thread does all of it; the watcher, the sinks and the status socket have their own and only wake it.
"""

# ruff: noqa: PTH118 # names of files may be bytes that are not UTF-8, and pass unchanged

from __future__ import annotations

import logging
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import __version__, events, resources
from scanner.agent import selftest, telling
from scanner.agent.config import AgentConfig
from scanner.agent.governor import Governor, step_back
from scanner.config import Settings
from scanner.judging import findings_of, of_vendors, rejudge
from scanner.ledger import findings, queue
from scanner.ledger.findings import Transition
from scanner.ledger.outbox import Outbox
from scanner.ledger.queue import Job
from scanner.ledger.recorder import Delivery, Recorder
from scanner.ledger.store import (
    Connection,
    Ledger,
    LedgerError,
    StoreError,
    Writer,
    open_ledger,
    shown,
    stamp,
    state_folder,
    stored,
)
from scanner.model import Finding, Gap, ItemRef, Outcome, Reason, Stage, printable, unread
from scanner.pool import Ended, Piece, Pool
from scanner.sinks.config import build
from scanner.sinks.dispatch import Dispatcher, SinkStatus
from scanner.sources.hints import Hint, What
from scanner.sources.identity import Signature, signature_of
from scanner.sources.mounts import Presence, Shares
from scanner.sources.reconcile import Change, Kind, reconcile
from scanner.sources.settling import Complete, Settling
from scanner.sources.watch import Watcher

if TYPE_CHECKING:
    from scanner.policy.model import Policy
    from scanner.sinks.metrics import AgentMetrics

log = logging.getLogger("sharewatch")

#: Seconds that something may be away before that is recorded: a file that is moved is first seen where it is.
GONE_AFTER = 3.0
#: Seconds that one turn of the loop walks for, so that a fresh file does not wait for a walk.
_WALK_SLICE = 0.05
#: Seconds between tries to write when the ledger cannot be written; doubles up to the second number.
_STORE_PAUSE = (2.0, 60.0)
_DAY = 86_400.0
_FEW = 200
#: Seconds between two looks at what waits for something that tells nothing when it is over.
_PAUSE = 0.25
#: What SQLite says of a file that is damaged.
_DAMAGED = ("malformed", "not a database", "corrupt")
_RETRY_SECONDS = 30.0
_SELFTEST_PATIENCE = 120.0


class StoreBroken(Exception):  # noqa: N818 # a state
    """The ledger's database is damaged: set it aside and begin anew."""


@dataclass(slots=True)
class _Task:
    """A file that a worker has."""

    job: Job
    signature: Signature
    started: float
    held: Outcome | None = None
    members: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    incomplete: bool = False


@dataclass(slots=True)
class _Walk:
    """A part of a share that is walked, a slice at a time."""

    root: str
    below: str
    deep: bool
    changes: Iterator[Change]
    connection: Connection
    started: float


@dataclass(slots=True)
class State:
    """How the agent does, for status, heartbeat and health.

    Attributes:
        started, last_walk, last_selftest: seconds of the epoch; None before the first.
        trouble: why the ledger cannot be written now; empty where it can.
        selftest: ``passed``, ``failed`` or ``pending``.
        scanned: items since the start.
        waits_for: why work that can wait does so.
        lags: seconds from complete to verdict of the latest fresh files.
        problem: why the newest configuration is not in force; empty where it is.
    """

    started: float
    last_walk: float | None = None
    last_selftest: float | None = None
    trouble: str = ""
    selftest: str = "pending"
    scanned: int = 0
    waits_for: str | None = None
    lags: list[float] = field(default_factory=list)
    problem: str = ""


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
        policy: tuple[Policy, str, str],
        *,
        once: bool = False,
        metrics: AgentMetrics | None = None,
        beat: Callable[[], object] = lambda: None,
        beat_seconds: float | None = None,
    ) -> None:
        self.config = config
        self._policy, self._policy_digest, self._policy_text = policy
        self._once, self._metrics = once, metrics
        self._beat, self._beat_seconds = beat, beat_seconds
        self._host = telling.hostname()
        self._rules = resources.rules_digest()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopping = False
        self.state = State(time.time())
        self.reload: Callable[[], tuple[AgentConfig, tuple[Policy, str, str]]] | None = None
        self._reload_asked = False
        self._opened_ready: Callable[[str], object] = lambda _: None

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

    def on_ready(self, call: Callable[[str], object]) -> None:
        """Have it called with a line of status once everything is started, and again after a reload."""
        self._opened_ready = call

    # -- life -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Run until `stop`, or until all is done with ``once``.

        Raises:
            LedgerError: the ledger cannot be opened, and that is not for damage.
        """
        rebuilt = False
        while True:
            try:
                self._session(rebuilt)
            except StoreBroken as broken:
                log.error("the ledger is damaged (%s): it is set aside and built anew", broken)
                set_aside(self.config.ledger)
                rebuilt = True
                continue
            if self._stopping or self._once:
                return

    def _session(self, rebuilt: bool) -> None:
        """From opening the ledger to closing it; a reload that changes more than the policy ends it."""
        ledger = opened(self.config.ledger)
        with ledger:
            writer = Writer(ledger)
            try:
                self._ledger, self._writer = ledger, writer
                self._start(rebuilt)
                try:
                    self._turns()
                finally:
                    self._end()
            finally:
                writer.close()

    def _start(self, rebuilt: bool) -> None:
        config, limits = self.config, self.config.limits
        self._recorder = Recorder(
            self._ledger, rules_digest=self._rules, policy_digest=self._policy_digest, writer=self._writer
        )
        self._outbox = Outbox(self._ledger.engine, host=self._host, limit=limits.outbox)
        self._sinks = build(config.sinks)
        self._subscriptions = [sink.subscription for sink in self._sinks]
        self._dispatcher = Dispatcher(self._outbox, self._sinks, self._sink_changed)
        self._alarms: list[events.Event] = []
        # Small things of the agent lie beside the ledger, or beside the key of one that is no file.
        file = Path(config.ledger).absolute()
        state = state_folder() if "://" in config.ledger else file.parent
        self._governor = Governor(limits, config.quiet_hours, state)
        settings = scan_settings(config)
        self._model = settings.model
        self._pool = Pool(
            "scanner.item:item_worker",
            (settings, secrets.token_bytes(16), None, self._ledger.people_secret),
            size=limits.workers + 1,
            seconds=limits.item_seconds,
            memory_mb=limits.memory_mb,
        )
        self._niced: set[int] = set()
        self._tasks: dict[ItemRef, _Task] = {}
        self._walks: list[tuple[str, str, bool]] = []
        self._walking: _Walk | None = None
        self._full: set[str] = set()
        self._new: dict[tuple[str, str], Job] = {}
        self._gone: dict[tuple[str, str], float] = {}
        self._pause, self._resume_at = _STORE_PAUSE[0], 0.0
        self._idle_since: float | None = None
        self._empty = False
        self._queue_due: float | None = None
        now = time.monotonic()
        self._beat_due = now
        self._heartbeat_due = now
        self._daily_due = now
        self._selftest_due = now if config.selftest_minutes and not self._once else None
        self._selftest_since: float | None = None
        self._selftest_root = str(state / "selftest")
        self._reconcile_due = now + config.reconcile_minutes * 60
        self.settling = Settling(
            settle_seconds=config.settle_seconds,
            settle_max_seconds=config.settle_max_seconds,
            closed_seconds=min(0.2, config.settle_seconds),
        )
        self._remembered()
        self._adopt_policy()
        self._dispatcher.start()
        if rebuilt:
            self._alarm("ledger_rebuilt", "the ledger was damaged and is built anew by a walk", "critical")
        self._watch()
        if self._once:
            for share in self.config.shares:
                self._walk_later(share)
        # Else the watcher says so of each share once all of it is watched, so that nothing falls between.
        self._opened_ready(f"watching {len(self.config.shares)} share(s)")

    def _remembered(self) -> None:
        with self._ledger.reading() as connection:
            self._mounts = queue.fact(connection, "mounts") or {}
            self._filled = [share for share in self.config.shares if queue.count(connection, share)]

    def _watch(self) -> None:
        config = self.config
        self._watcher: Watcher | None = None
        if self._once:
            self._shares = Shares(config.shares, remembered=self._mounts, filled=self._filled)
            return
        roots = [*config.shares]
        if config.selftest_minutes:
            Path(self._selftest_root).mkdir(mode=0o700, parents=True, exist_ok=True)
            roots.append(self._selftest_root)
        self._watcher = Watcher(
            roots,
            config.exclude,
            poll_seconds=config.poll_seconds,
            remembered=self._mounts,
            filled=self._filled,
            on_ready=self.wake,
        )
        self._shares = self._watcher.shares
        self._watcher.start()

    def _end(self) -> None:
        if self._walking is not None:
            self._walking.connection.close()
        if self._watcher is not None:
            self._watcher.stop()
        else:
            self._shares.close()
        self._pool.close()
        self._dispatcher.stop(10.0)

    def _adopt_policy(self) -> None:
        """Judge what is there again where the policy is not the one that was in force."""
        with self._ledger.reading() as connection:
            before = queue.fact(connection, "policy")
        self._recorder.policy(self._policy_text, self._policy_digest)
        if before == self._policy_digest:
            return

        def tell(connection: Connection, changes: Sequence[Transition]) -> None:
            self._append(connection, telling.of_transitions(changes, self._host))
            queue.keep(connection, "policy", self._policy_digest)

        rejudge(self._writer, self._policy, tell)

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
                again = False
            if self._once and self._finished():
                self._finish_once()
                return
            if not again:
                self._sleep()

    def _turn(self) -> bool:
        """Do what is due; says whether there is more to do at once."""
        if time.monotonic() < self._resume_at:
            return False
        self._hints()
        self._complete()
        self._queue_new()
        busy = self._walk_slice()
        self._collect()
        started = self._give()
        self._settle_gone()
        self._timers()
        return busy or started

    def _sleep(self) -> None:
        with suppress(OSError, ValueError):
            ready = wait([self._wake, *self._pool.pipes], timeout=self._patience())
            if self._wake in ready:
                os.eventfd_read(self._wake)

    def _patience(self) -> float | None:
        """Seconds until something is due; None for until somebody wakes the loop."""
        now = time.monotonic()
        due = [
            self._heartbeat_due,
            max(self._daily_due, now + _PAUSE),
            self._reconcile_due,
            self._beat_due,
        ]
        due += [each for each in (self.settling.due(), self._selftest_ends()) if each is not None]
        # What is due and must wait for something else is not asked for without a pause.
        soon = now + _PAUSE
        due += [max(each, soon) for each in (self._selftest_due, *self._gone.values()) if each is not None]
        if self._resume_at > now:
            due.append(self._resume_at)
        if self._pool.busy:
            due.append(now + 0.5)
        elif self._pool.processes and self._idle_since is not None:
            due.append(self._idle_since + self.config.limits.idle_seconds)
        if not self._empty and not self._pool.busy:
            due.append(now + self._queue_wait())
        return max(0.0, min(due) - now)

    def _queue_wait(self) -> float:
        """Seconds until something in the queue may be done."""
        if self.state.waits_for:
            return self._governor.wait()
        return max(_PAUSE, (self._queue_due or 0.0) - time.time())

    def _beat_now(self) -> None:
        now = time.monotonic()
        if self._beat_seconds is None:
            self._beat_due = now + _DAY
        elif now >= self._beat_due:
            self._beat()
            self._beat_due = now + self._beat_seconds

    # -- noticing -------------------------------------------------------------------------------------------

    def _hints(self) -> None:
        if self._watcher is None:
            return
        for hint in self._watcher.take(0):
            if hint.root == self._selftest_root:
                self._selftest_hint(hint)
            else:
                self._hint(hint)

    def _hint(self, hint: Hint) -> None:
        if hint.what is What.DEGRADED:
            self._alarm("watch_degraded", hint.detail, "warning", share=hint.root)
        elif hint.what is What.UNMOUNTED:
            self._alarm("share_down", hint.detail, "critical", share=hint.root)
        elif hint.what is What.MOUNTED:
            self._alarm("share_up", hint.detail or "the share is back", "info", share=hint.root)
            self._walk_later(hint.root)
        elif hint.what is What.OVERFLOW:
            self._walk_later(hint.root)
        elif hint.folder:
            self._walk_later(hint.root, hint.path, deep=hint.what is not What.LISTING)
        elif hint.what in (What.DELETED, What.MOVED_OUT):
            self.settling.forget(hint.root, hint.path)
            self._new.pop((hint.root, hint.path), None)
            self._gone_later(hint.root, hint.path)
        elif not self.settling.hint(hint.root, hint.path, hint.what):
            self._walk_later(hint.root)

    def _complete(self) -> None:
        for found in self.settling.complete(_look, _FEW):
            self._take(found)

    def _take(self, found: Complete) -> None:
        """A file that may be read now."""
        if found.root == self._selftest_root:
            return
        self._gone.pop((found.root, found.path), None)
        since = time.time() - (time.monotonic() - found.since)
        job = Job(found.root, found.path, queue.FRESH, found.signature.size, since)
        self._new[found.root, found.path] = job

    def _queue_new(self) -> None:
        """Put what is new in the queue, but for what is known as it is now."""
        if not self._new:
            return
        jobs = []
        with self._ledger.reading() as connection:
            for (root, path), job in self._new.items():
                known = queue.signature(connection, root, path)
                found = _look((root, path))
                if found is None:
                    self._gone_later(root, path)
                elif known is None or known[1] != self._rules or not found.is_same(Signature(*known[0])):
                    jobs.append(job)
        if jobs:
            connection = self._writer.connection
            with connection.begin():
                queue.put(connection, jobs, 0.0)
            self._empty = False
        self._new.clear()

    # -- walking --------------------------------------------------------------------------------------------

    def _walk_later(self, root: str, below: str = "", *, deep: bool = True) -> None:
        if not below and deep:
            self._walks = [each for each in self._walks if each[0] != root]
        if (root, "", True) not in self._walks and (root, below, deep) not in self._walks:
            self._walks.append((root, below, deep))

    def _walk_slice(self) -> bool:
        """Walk for a moment; says whether there is more to walk."""
        if self._walking is None:
            if not self._walks:
                return False
            self._begin_walk(*self._walks.pop(0))
        walk = self._walking
        assert walk is not None
        until = time.monotonic() + _WALK_SLICE
        while time.monotonic() < until:
            change = next(walk.changes, None)
            if change is None:
                self._walked(walk)
                return bool(self._walks)
            if not self._changed(walk.root, change):
                break
        return True

    def _begin_walk(self, root: str, below: str, deep: bool) -> None:
        connection = self._ledger.engine.connect()
        known = ((path, Signature(*each)) for path, each in queue.known(connection, root, below, deep=deep))
        changes = reconcile(
            root,
            known,
            exclude=self.config.exclude,
            below=below,
            deep=deep,
            lost=lambda: self._shares.lost(root),
        )
        self._walking = _Walk(root, below, deep, iter(changes), connection, time.monotonic())

    def _walked(self, walk: _Walk) -> None:
        walk.connection.close()
        self._walking = None
        if walk.below or not walk.deep:
            return
        self._full.add(walk.root)
        if self._full >= set(self.config.shares):
            self._full.clear()
            self.state.last_walk = time.time()
            if self._metrics is not None:
                self._metrics.last_walk.set(self.state.last_walk)
                self._metrics.walk_seconds.set(time.monotonic() - walk.started)
            self._queue_outdated()
            self._keep_mounts()

    def _changed(self, root: str, change: Change) -> bool:
        """Take in what a walk says of a place; False where it must be asked again later."""
        if change.kind is Kind.GONE:
            self._gone_later(root, change.place)
        elif change.kind is Kind.FAILED:
            self._failed(root, change)
        elif change.kind in (Kind.NEW, Kind.CHANGED):
            assert change.signature is not None
            try:
                found = self.settling.found(root, change.place, change.signature, time.time())
            except OverflowError:
                self._walk_later(root)
                return False
            if found is not None:
                self._take(found)
        if len(self._new) >= _FEW:
            self._queue_new()
        return True

    def _failed(self, root: str, change: Change) -> None:
        """A folder or file that could not be looked at is a gap, which has one id as long as it is so."""
        outcome = change.outcome
        if outcome is None or all(gap.intentional for gap in outcome.gaps):
            return
        location = os.path.join(root, outcome.path)
        vendor = self._vendor(outcome.path)
        place = (stored(location), "")
        found = telling.of_outcome(outcome, vendor, place, self._now(), self._host)
        with self._writer.connection.begin():
            self._append(self._writer.connection, found[1:])
        self._told()

    def _queue_outdated(self) -> None:
        """Scan again what other rules were used on, and what was not looked at for long."""
        days = self.config.verify_days
        before = time.time() - days * _DAY if days else -1.0
        connection = self._writer.connection
        while True:
            with connection.begin():
                jobs = queue.outdated(connection, self._rules, before, 1000)
                queue.put(connection, jobs, 0.0)
            if not jobs:
                return
            self._empty = False

    def _keep_mounts(self) -> None:
        held = {
            share: [list(mount) for mount in self._shares.remembered(share)] for share in self.config.shares
        }
        if held != self._mounts:
            with self._writer.connection.begin():
                queue.keep(self._writer.connection, "mounts", held)
            self._mounts = held

    # -- what is gone ---------------------------------------------------------------------------------------

    def _gone_later(self, root: str, path: str) -> None:
        """A file that is moved is seen at its new place first, so that its findings stay open."""
        self._gone.setdefault((root, path), time.monotonic() + (0.0 if self._once else GONE_AFTER))

    def _settle_gone(self) -> None:
        now = time.monotonic()
        waiting = self._walking is not None or len(self.settling) or self._new or self._tasks
        due = [
            place
            for place, at in self._gone.items()
            if at <= now - (60.0 if waiting and not self._once else 0.0)
        ]
        if waiting and self._once:
            return
        for root, path in due:
            del self._gone[root, path]
            if _look((root, path)) is not None:
                self._walk_later(root, path.rpartition("/")[0], deep=False)
            elif not any(_covers(each, path) for each in self._shares.lost(root)):
                self._record_gone(root, path)

    def _record_gone(self, root: str, path: str) -> None:
        place = os.path.join(root, path)
        held = self._recorder.open_under([place])
        at = self._now()

        def also(connection: Connection, places: Sequence[tuple[str, str]]) -> None:
            self._resolve(connection, places, at)
            queue.forget(connection, root, path)

        if held:
            self._recorder.gone([each.id for each in held], at, also)
        else:
            with self._writer.connection.begin():
                queue.forget(self._writer.connection, root, path)
        self._told()

    def _resolve(self, connection: Connection, places: Sequence[tuple[str, str]], at: str) -> None:
        """What places that are gone held is not found there any more."""
        changes = findings.gone(connection, places, at)
        self._append(connection, telling.of_transitions(changes, self._host))

    # -- scanning -------------------------------------------------------------------------------------------

    def _give(self) -> bool:
        """Start what may be started; says whether something was."""
        if self._empty:
            self._rest()
            return False
        limits, busy = self.config.limits, {(each.job.share, each.job.path) for each in self._tasks.values()}
        small = limits.small_mb << 20
        room = limits.workers - self._pool.busy
        self.state.waits_for = None
        with self._ledger.reading() as connection:
            now = time.time()
            jobs = queue.next_jobs(connection, now, max(room, 1), small=small, busy=busy, fresh=room <= 0)
            if not jobs and not busy:
                self._queue_due = queue.next_due(connection)
                self._empty = self._queue_due is None
        given = False
        for job in jobs:
            urgent = job.kind == queue.FRESH and job.size <= small
            if self._pool.busy >= limits.workers + (1 if urgent else 0):
                continue
            if not urgent and (reason := self._governor.reason()) is not None and not self._once:
                self.state.waits_for = reason
                continue
            given = self._begin(job) or given
        self._rest()
        return given

    def _rest(self) -> None:
        """End workers that have had nothing to do for long."""
        if self._pool.busy or not self._pool.processes:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since >= self.config.limits.idle_seconds:
            self._pool.retire()
            self._idle_since = None

    def _begin(self, job: Job) -> bool:
        found = _look((job.share, job.path))
        if found is None:
            with self._writer.connection.begin():
                queue.drop(self._writer.connection, job.share, job.path)
            self._gone_later(job.share, job.path)
            return False
        item = ItemRef(job.share, job.path, found.size)
        self._tasks[item] = _Task(job, found, time.monotonic())
        self._pool.give(item)
        new = set(self._pool.processes) - self._niced
        if new and not self._once:
            step_back(tuple(new))
            self._niced = set(self._pool.processes)
        return True

    def _collect(self) -> None:
        for event in self._pool.collect():
            task = self._tasks.get(event.task)
            if event.task.root == self._selftest_root:
                self._selftest_event(event)
            elif task is None:
                continue
            elif isinstance(event, Piece):
                if task.held is not None:
                    self._record(task, task.held, final=False)
                task.held = event.value
            else:
                self._ended(task, event)

    def _ended(self, task: _Task, event: Ended) -> None:
        job = task.job
        try:
            self._close(task, event)
        finally:
            self._tasks.pop(event.task, None)
        seconds = time.monotonic() - task.started
        if job.kind != queue.FRESH or job.size > self.config.limits.small_mb << 20:
            self._governor.worked(seconds)
        if self._metrics is not None:
            self._metrics.scan_seconds.observe(seconds)
            if event.why:
                self._metrics.worker_restarts.add(reason=event.why)

    def _close(self, task: _Task, event: Ended) -> None:
        job = task.job
        if event.why is not None:
            if job.tries + 1 < self.config.limits.item_tries:
                if task.held is not None and task.held.member is not None:
                    self._record(task, task.held, final=False)
                due = time.time() + _RETRY_SECONDS * 4**job.tries
                with self._writer.connection.begin():
                    queue.put_off(self._writer.connection, job.share, job.path, due)
                return
            if task.held is None or task.held.member is not None:
                if task.held is not None:
                    self._record(task, task.held, final=False)
                reason, detail = ENDED[event.why]
                task.held = unread(event.task, Gap(Stage.READ, reason, detail))
        outcome = task.held
        if outcome is None:
            outcome = unread(
                event.task, Gap(Stage.READ, Reason.CRASHED, "the worker said nothing of this item")
            )
        if outcome.vanished:
            self._gone_later(job.share, job.path)
            with self._writer.connection.begin():
                queue.drop(self._writer.connection, job.share, job.path)
            return
        self._record(task, outcome, final=True)
        self._gone_members(task)
        found = _look((job.share, job.path))
        if found is not None and not found.is_same(task.signature):
            self.settling.hint(job.share, job.path, What.WRITTEN)

    def _record(self, task: _Task, outcome: Outcome, *, final: bool) -> None:
        """One transaction: what was found, what that changes, what is to be told, and the queue."""
        job, at = task.job, self._now()
        location = os.path.join(job.share, outcome.path)
        place = (stored(location), stored(outcome.member or ""))
        task.members.add(place[1])
        task.incomplete = task.incomplete or outcome.incomplete
        vendor = self._vendor(outcome.path)
        held = findings_of(self._policy, outcome, outcome.path, None, date.fromisoformat(at[:10]))
        task.findings += held
        told = telling.of_outcome(outcome, vendor, place, at, self._host)

        def also(connection: Connection) -> None:
            changes = findings.observe(connection, place, held, at)
            self._append(connection, [*telling.of_transitions(changes, self._host), *told])
            if final:
                queue.scanned(connection, job.share, job.path, task.signature, time.time(), self._rules)

        device = str(task.signature.device)
        self._recorder.record(outcome, at, Delivery(vendor, location, outcome.path, device), also)
        self._told()
        self._count(outcome)
        if final:
            self._verdict(job)
            self._act(job, outcome, task.findings)

    def _verdict(self, job: Job) -> None:
        self.state.scanned += 1
        if job.kind != queue.FRESH or job.tries:
            return
        lag = max(0.0, time.time() - job.since)
        self.state.lags = [*self.state.lags[-999:], lag]
        if self._metrics is not None:
            self._metrics.verdict_seconds.observe(lag)

    def _count(self, outcome: Outcome) -> None:
        if self._metrics is None:
            return
        self._metrics.items.add(status=str(outcome.status))
        if outcome.member is None:
            self._metrics.scanned_bytes.add(outcome.bytes)
        for gap in outcome.gaps:
            self._metrics.gaps.add(reason=str(gap.reason))

    def _gone_members(self, task: _Task) -> None:
        """Members that an archive had before and has no more; of one not read whole nothing is gone."""
        if task.incomplete:
            return
        location = stored(os.path.join(task.job.share, task.job.path))
        held = self._recorder.open_under([location])
        left = [
            each for each in held if each.location == location and (each.member or "") not in task.members
        ]
        if left:
            at = self._now()
            ids = [each.id for each in left]
            self._recorder.gone(ids, at, lambda connection, places: self._resolve(connection, places, at))
            self._told()

    def _act(self, job: Job, outcome: Outcome, held: Sequence[Finding]) -> None:
        """What the policy says to do with a delivery that is not clean."""
        from scanner.agent.actions import act

        done = act(self.config, self._policy, job, outcome, held)
        if done is not None:
            what, detail, level = done
            self._alarm(what, detail, level, path=printable(outcome.path), share=job.share)

    # -- the self-test --------------------------------------------------------------------------------------

    def _selftest_hint(self, hint: Hint) -> None:
        if self._selftest_since is None or hint.path != selftest.NAME:
            return
        item = ItemRef(self._selftest_root, selftest.NAME)
        if hint.what in (What.CLOSED, What.MOVED_IN, What.WRITTEN) and item not in self._tasks:
            job = Job(self._selftest_root, selftest.NAME, queue.FRESH, 0, time.time())
            found = _look((self._selftest_root, selftest.NAME))
            if found is not None:
                self._tasks[item] = _Task(job, found, time.monotonic())
                self._pool.give(item)

    def _selftest_event(self, event: Piece | Ended) -> None:
        task = self._tasks.get(event.task)
        if task is None:
            return
        if isinstance(event, Piece):
            task.held = event.value
            return
        del self._tasks[event.task]
        good = task.held is not None and selftest.passed(task.held)
        self._selftest_over(good, "" if good else "the planted people were not found")

    def _selftest_over(self, good: bool, detail: str) -> None:
        seconds = time.monotonic() - (self._selftest_since or time.monotonic())
        self._selftest_since = None
        before, self.state.selftest = self.state.selftest, "passed" if good else "failed"
        if good:
            self.state.last_selftest = time.time()
            if self._metrics is not None:
                self._metrics.self_test.set(time.time())
        now = shown(self._now())
        body = {"passed": good, "seconds": round(seconds, 3), "detail": detail}
        uid = events.stable_id("selftest", self._host, now)
        with self._writer.connection.begin():
            told = events.Event("selftest", uid, now, self._host, "", {"selftest": body})
            self._append(self._writer.connection, [told])
        if not good and before != "failed":
            self._alarm("selftest_failed", detail, "critical")
        self._told()

    def _selftest_ends(self) -> float | None:
        return None if self._selftest_since is None else self._selftest_since + _SELFTEST_PATIENCE

    # -- telling --------------------------------------------------------------------------------------------

    def _append(self, connection: Connection, found: Sequence[events.Event]) -> None:
        if found and self._subscriptions:
            self._outbox.append(connection, found, self._subscriptions)

    def _told(self) -> None:
        self._dispatcher.wake()

    def _alarm(self, what: str, detail: str, level: str, **more: Any) -> None:
        log.log(logging.INFO if level == "info" else logging.WARNING, "%s: %s", what, detail)
        now = shown(self._now())
        told = events.alarm(what, detail, level=level, time=now, host=self._host, **more)
        if self._metrics is not None:
            self._metrics.alarms.add(what=what)
        self._alarms.append(told)
        self._tell_alarms()

    def _tell_alarms(self) -> None:
        """Alarms wait in memory only while the ledger cannot be written."""
        if not self._alarms:
            return
        try:
            connection = self._writer.connection
            if connection.in_transaction():
                connection.rollback()
            with connection.begin():
                self._append(connection, self._alarms)
            self._alarms = []
            self._told()
        except StoreError:
            self._alarms = self._alarms[-100:]

    def _sink_changed(self, status: SinkStatus, given_up: int) -> None:
        """From a sink's thread: only a word to the log, as alarms go through the sinks themselves."""
        if given_up:
            log.warning("sink %s: %d events were given up: %s", status.name, given_up, status.problem)
        elif status.up is False:
            log.warning("sink %s is down: %s", status.name, status.problem)
        else:
            log.info("sink %s takes events", status.name)

    def _timers(self) -> None:
        now = time.monotonic()
        if now >= self._heartbeat_due:
            self._heartbeat_due = now + self.config.heartbeat_seconds
            self._heartbeat()
        if now >= self._reconcile_due and not self._once:
            self._reconcile_due = now + self.config.reconcile_minutes * 60
            if self._watcher is not None:
                self._watcher.renew()  # every watch is seen to anew, and then each share is to be walked
        if now >= self._daily_due and not self._walks and self._walking is None and not self._once:
            self._daily_due = now + _DAY
            self._judge_vendors()
        if self._selftest_due is not None and now >= self._selftest_due and self._covered():
            self._selftest_due = now + self.config.selftest_minutes * 60
            self._selftest_since = now
            with suppress(OSError):
                selftest.plant(Path(self._selftest_root))
        ends = self._selftest_ends()
        if ends is not None and now >= ends:
            self._tasks.pop(ItemRef(self._selftest_root, selftest.NAME), None)
            self._selftest_over(False, f"nothing was found within {_SELFTEST_PATIENCE:.0f} seconds")

    def _covered(self) -> bool:
        return self._watcher is not None and self._watcher.covered.is_set()

    def _heartbeat(self) -> None:
        now = shown(self._now())
        document = self.document()
        told = events.heartbeat(
            time=now,
            host=self._host,
            versions=document["versions"],
            queue=document["queue"],
            shares=document["shares"],
            sinks=document["sinks"],
            uptime_seconds=time.time() - self.state.started,
            every_seconds=self.config.heartbeat_seconds,
        )
        with self._writer.connection.begin():
            self._append(self._writer.connection, [told])
        self._told()

    def _judge_vendors(self) -> None:
        """Limits of people, agreements, acceptances: what changes without any file changing."""
        at = self._now()
        vendors = of_vendors(self._ledger, self._policy, at)

        def also(connection: Connection) -> None:
            changes: list[Transition] = []
            for vendor, found in vendors.items():
                changes += findings.observe(connection, findings.of_vendor(vendor), found, at)
            changes += findings.expire(connection, at)
            self._append(connection, telling.of_transitions(changes, self._host))

        self._writer.write("judged", [], also=also, note={"at": at})
        self._told()

    # -- trouble --------------------------------------------------------------------------------------------

    def _store_failed(self, error: StoreError) -> None:
        """The ledger cannot be written: nothing is lost, as all of it is still queued or on the share."""
        reason = type(getattr(error, "orig", None) or error).__name__
        text = str(getattr(error, "orig", ""))
        if any(word in text for word in _DAMAGED):
            raise StoreBroken(reason)
        if self._writer.connection.in_transaction():
            with suppress(StoreError):
                self._writer.connection.rollback()
        if self._walking is not None:
            with suppress(StoreError):
                self._walking.connection.close()
            self._walks.insert(0, (self._walking.root, self._walking.below, self._walking.deep))
            self._walking = None
        for root in self.config.shares:
            self._walk_later(root)
        if not self.state.trouble:
            self._alarm("ledger_unwritable", f"the ledger cannot be written ({reason})", "critical")
        self.state.trouble = reason
        self._resume_at = time.monotonic() + self._pause
        self._pause = min(self._pause * 2, _STORE_PAUSE[1])

    def _recovered(self) -> None:
        if self.state.trouble and time.monotonic() >= self._resume_at:
            self.state.trouble, self._pause = "", _STORE_PAUSE[0]
            self._alarm("ledger_writable", "the ledger can be written again", "info")
        elif self._alarms:
            self._tell_alarms()

    def _reloaded(self) -> bool:
        """Take up a new configuration; says whether everything is to be started anew for it."""
        assert self.reload is not None
        try:
            config, policy = self.reload()
        except (ValueError, OSError) as error:
            problems = getattr(error, "problems", None) or [str(error)]
            self.state.problem = str(problems[0])
            self._alarm("configuration_refused", f"the former one stays in force: {problems[0]}", "error")
            self._opened_ready(f"watching; the new configuration is refused: {problems[0]}")
            return False
        self.state.problem = ""
        changed = config != self.config
        self.config = config
        self._policy, self._policy_digest, self._policy_text = policy
        if changed:
            return True
        self._recorder = Recorder(
            self._ledger, rules_digest=self._rules, policy_digest=self._policy_digest, writer=self._writer
        )
        self._adopt_policy()
        self._daily_due = time.monotonic()
        self._opened_ready(f"watching {len(config.shares)} share(s)")
        return False

    # -- once ------------------------------------------------------------------------------------------------

    def _finished(self) -> bool:
        if (
            self._walks
            or self._walking is not None
            or self._new
            or len(self.settling)
            or self._gone
            or self._tasks
        ):
            return False
        with self._ledger.reading() as connection:
            return queue.next_due(connection) is None

    def _finish_once(self) -> None:
        self._judge_vendors()
        if not self._dispatcher.drain(60.0):
            self.state.trouble = "sinks"

    # -- facts ----------------------------------------------------------------------------------------------

    def _vendor(self, path: str) -> str | None:
        owner = self._policy.vendor_of(path)
        return owner.id if owner else None

    def _now(self) -> str:
        return stamp(datetime.now(UTC))

    def document(self) -> dict[str, Any]:
        """How the agent does, as ``sharewatch status --json`` shows it. Safe from any thread."""
        with self._ledger.reading() as connection:
            waiting = queue.waiting(connection)
            known = queue.count(connection)
            open_ = findings.counts(connection)
        now = time.time()
        states = self._watcher.states() if self._watcher is not None else {}
        backlog = {each.sink: each for each in self._outbox.backlog()}
        figures = self._watcher.figures() if self._watcher is not None else None
        lags = sorted(self.state.lags)
        return {
            "schema_version": "1.0",
            "host": self._host,
            "pid": os.getpid(),
            "started": self.state.started,
            "versions": {
                "program": __version__,
                "rules": self._rules,
                "policy": self._policy_digest,
                "model": self._model,
            },
            "queue": {
                "waiting": waiting.fresh + waiting.again + waiting.verify,
                "fresh": waiting.fresh,
                "again": waiting.again,
                "verify": waiting.verify,
                "scanning": len(self._tasks),
                "oldest_seconds": None
                if waiting.oldest is None
                else round(max(0.0, now - waiting.oldest), 1),
            },
            "settling": len(self.settling) + len(self._gone) + len(self._new) + len(self._walks),
            "waits_for": self.state.waits_for,
            "files": known,
            "scanned": self.state.scanned,
            "verdict_seconds_median": round(lags[len(lags) // 2], 3) if lags else None,
            "findings_open": sum(open_.values()),
            "shares": [
                {
                    "path": share,
                    "up": share not in states or states[share].presence in (Presence.THERE, Presence.PARTLY),
                    "state": str(states[share].presence) if share in states else None,
                    "detail": states[share].detail if share in states else "",
                }
                for share in self.config.shares
            ],
            "watching": None
            if figures is None
            else {
                "watched": figures.watched,
                "polled": figures.polled,
                "unwatched": figures.unwatched,
                "overflows": figures.overflows,
            },
            "sinks": [
                status.document()
                | {
                    "pending": backlog[status.name].pending if status.name in backlog else 0,
                    "dead": backlog[status.name].dead if status.name in backlog else 0,
                }
                for status in self._dispatcher.status()
            ],
            "last_walk": self.state.last_walk,
            "selftest": {"state": self.state.selftest, "last_passed": self.state.last_selftest},
            "trouble": self.state.trouble,
            "configuration": self.state.problem or "in force",
            "workers": len(self._pool.processes),
        }

    def measure(self) -> None:
        """Bring the gauges up to date; called before they are read."""
        if self._metrics is None:
            return
        made, now = self._metrics, time.time()
        with self._ledger.reading() as connection:
            waiting = queue.waiting(connection)
            made.findings.replace({key: float(count) for key, count in findings.counts(connection).items()})
        made.queue.replace(
            {("fresh",): waiting.fresh, ("again",): waiting.again, ("verify",): waiting.verify}
        )
        made.queue_oldest.set(0.0 if waiting.oldest is None else max(0.0, now - waiting.oldest))
        made.workers.set(len(self._pool.processes))
        made.sinks(self._dispatcher.status(), self._outbox.backlog(), now)
        states = self._watcher.states() if self._watcher is not None else {}
        up = (Presence.THERE, Presence.PARTLY)
        made.share_up.replace({(name,): float(each.presence in up) for name, each in states.items()})


ENDED = {
    "timeout": (Reason.TIMEOUT, "took longer than limits.item_seconds, each time it was tried"),
    "memory": (Reason.MEMORY, "needed more memory than limits.memory_mb, each time it was tried"),
    "crashed": (Reason.CRASHED, "the worker process ended while it read this item, each time it was tried"),
}


def _covers(folder: str, path: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _look(place: tuple[str, str]) -> Signature | None:
    """What lies at a place now; None where that is no file."""
    try:
        found = os.stat(os.path.join(*place))  # noqa: PTH116 # see above
    except (OSError, ValueError):
        return None
    return signature_of(found) if stat.S_ISREG(found.st_mode) else None


def scan_settings(config: AgentConfig) -> Settings:
    """The settings of a scan that a configuration gives.

    Raises:
        ConfigError: one of them is none.
    """
    from scanner.config import load

    limits = dict(config.scan.get("limits") or {})
    limits |= {"memory_mb": config.limits.memory_mb, "item_seconds": config.limits.item_seconds}
    return load(None, environment={}, flags={**config.scan, "limits": limits})


def opened(where: str) -> Ledger:
    """The ledger, made where there is none.

    Raises:
        StoreBroken: it is damaged.
        LedgerError: it cannot be opened for another reason.
    """
    try:
        ledger = open_ledger(where, create=True)
    except LedgerError as error:
        if any(word in str(error) for word in (*_DAMAGED, "DatabaseError")):
            raise StoreBroken(str(error)) from None
        raise
    if ledger.engine.dialect.name == "sqlite":
        with ledger.reading() as connection:
            try:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            except StoreError as error:
                found = type(error).__name__
        if found != "ok":
            ledger.close()
            raise StoreBroken("its check failed")
    return ledger


def set_aside(where: str) -> Path:
    """Rename a damaged ledger's files; its key stays, so that people's keys are the same ones."""
    file = Path(where.removeprefix("sqlite:///"))
    mark = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = file.with_name(f"{file.name}.damaged-{mark}")
    for end in ("-wal", "-shm", ".head", ""):
        source = Path(f"{file}{end}")
        if source.exists():
            source.rename(f"{target}{end}")
    return target
