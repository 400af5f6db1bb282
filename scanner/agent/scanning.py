"""Work for the pool: what is given to workers, what comes back, and what is tried again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from scanner.agent.gatekeeping import Gatekeeping
from scanner.agent.governor import step_back
from scanner.agent.places import look
from scanner.agent.recording import Recording, Task
from scanner.agent.session import Session
from scanner.ledger import progress, queue
from scanner.ledger.queue import Job
from scanner.model import Gap, ItemRef, Outcome, Reason, Stage, unread
from scanner.pool import Ended, Piece
from scanner.sources.identity import Signature

#: Seconds before the second try of a file whose scan died; four times as long before each further one.
_RETRY_SECONDS = 30.0
_ENDED = {
    "timeout": (Reason.TIMEOUT, "took longer than limits.item_seconds, each time it was tried"),
    "memory": (Reason.MEMORY, "needed more memory than limits.memory_mb, each time it was tried"),
    "crashed": (Reason.CRASHED, "the worker process ended while it read this item, each time it was tried"),
}


class Scanning:
    """Files that workers have.

    Args:
        session: see `Session`.
        recording: writes outcomes.
        gates: takes those of what lies before a gate.
        gone: called with share and path of a file that is not there any more.
        written: called with a job whose file was written to while it was scanned.
        others: is asked first about what comes from workers; True where it was for somebody else.
    """

    def __init__(
        self,
        session: Session,
        recording: Recording,
        gates: Gatekeeping,
        *,
        gone: Callable[[str, str], object],
        written: Callable[[Job], object],
        others: Callable[[Piece | Ended], bool],
    ) -> None:
        self._session, self._recording, self._gates = session, recording, gates
        self._gone, self._written, self._others = gone, written, others
        self._tasks: dict[ItemRef, Task] = {}
        self._events: deque[Piece | Ended] = deque()
        self._niced: set[int] = set()
        self._idle_since: float | None = None

    def __len__(self) -> int:
        return len(self._tasks) + len(self._gates)

    def _taker(self, task: Task) -> Recording | Gatekeeping:
        return self._gates if self._gates.guards(task.job.share) else self._recording

    def rests_at(self) -> float | None:
        """On the monotonic clock, when idle workers are to be ended; None where there are none."""
        if self._session.pool.busy or not self._session.pool.processes or self._idle_since is None:
            return None
        return self._idle_since + self._session.config.limits.idle_seconds

    # -- giving ----------------------------------------------------------------------------------------------

    def give(self) -> bool:
        """Start what may be started, drop what is gone; says whether anything was done."""
        session = self._session
        given = False
        if not session.jobs.empty:
            session.state.waits_for = None
            for job in self._next():
                given = (self._may_begin(job) and self._begin(job)) or given
        self._rest()
        return given

    def _next(self) -> list[Job]:
        session = self._session
        busy = {(each.job.share, each.job.path) for each in self._tasks.values()} | self._gates.deciding
        limits = session.config.limits
        room = limits.workers - session.pool.busy
        return session.jobs.next(max(room, 1), small=limits.small_mb << 20, busy=busy, fresh=room <= 0)

    def _may_begin(self, job: Job) -> bool:
        session = self._session
        urgent = not self._can_wait(job)
        if session.pool.busy >= session.config.limits.workers + (1 if urgent else 0):
            return False
        if urgent or session.once or (reason := session.governor.reason()) is None:
            return True
        session.state.waits_for = reason
        return False

    def _can_wait(self, job: Job) -> bool:
        return job.kind != queue.FRESH or job.size > self._session.config.limits.small_mb << 20

    def _begin(self, job: Job) -> bool:
        session = self._session
        if job.share not in session.roots:
            # It was watched when this was queued, and is not any more.
            session.teller.tell([], lambda connection: queue.forget(connection, job.share, job.path))
            return True
        found = look((job.share, job.path))
        if found is None:
            session.jobs.drop(job)
            self._gone(job.share, job.path)
            return True  # the next may be done at once: what is gone comes by the thousand
        task = self._task(job, found)
        item = ItemRef(job.share, job.path, found.size, task.passed)
        self._tasks[item] = task
        session.pool.give(item)
        new = set(session.pool.processes) - self._niced
        if new and not session.once:
            step_back(tuple(new))
            self._niced = set(session.pool.processes)
        return True

    def _task(self, job: Job, found: Signature) -> Task:
        """A file's task, which goes on where an earlier one was ended."""
        session = self._session
        task = Task(job, found, time.monotonic())
        if not self._gates.guards(job.share):  # a gate decides on all outcomes at once
            task.bound = progress.binding(found.lasting, session.reading, session.law[1])
            earlier = session.jobs.resume(job, task.bound)
            task.passed = progress.members(earlier)
            for each in earlier:
                task.add(each)
        return task

    def _rest(self) -> None:
        """End workers that have had nothing to do for long."""
        session = self._session
        if session.pool.busy or not session.pool.processes:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since >= session.config.limits.idle_seconds:
            session.pool.retire()
            self._idle_since = None

    # -- what comes back -------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Take in what workers gave. What could not be recorded is taken in again by the next call."""
        self._events += self._session.pool.collect()
        while self._events:
            event = self._events[0]
            if not self._others(event):
                self._take(event)
            self._events.popleft()

    def _take(self, event: Piece | Ended) -> None:
        task = self._tasks.get(event.task)
        if task is None:
            return
        if isinstance(event, Piece):
            if task.held is not None:
                self._taker(task).member(task, task.held)
            task.held = event.value
        else:
            self._close(task, event)
            del self._tasks[event.task]
            self._measure(task, event)

    def _measure(self, task: Task, event: Ended) -> None:
        session, seconds = self._session, time.monotonic() - task.started
        if self._can_wait(task.job):
            session.governor.worked(seconds)
        if session.metrics is not None:
            session.metrics.scan_seconds.observe(seconds)
            if event.why:
                session.metrics.worker_restarts.add(reason=event.why)

    def _close(self, task: Task, event: Ended) -> None:
        job, limits = task.job, self._session.config.limits
        if event.why is not None and job.tries + 1 < limits.item_tries:
            self._members(task)
            self._session.jobs.put_off(job, _RETRY_SECONDS * 4**job.tries)
            return
        outcome = self._last(task, event)
        if outcome.vanished:
            self._gone(job.share, job.path)
            self._session.jobs.drop(job)
            return
        self._taker(task).file(task, outcome)
        found = look((job.share, job.path))
        if found is not None and not found.is_same(task.signature):
            self._written(job)

    def _members(self, task: Task) -> None:
        """Of a scan that died: a member that came last is whole, and nothing more of the file is."""
        if task.held is not None and task.held.member is not None:
            self._taker(task).member(task, task.held)
            task.held = None

    def _last(self, task: Task, event: Ended) -> Outcome:
        """The outcome of the file itself, which comes last; a gap where none came."""
        if event.why is not None:
            self._members(task)
        if task.held is not None:
            return task.held
        reason, detail = _ENDED.get(event.why or "", (Reason.CRASHED, "the worker said nothing of this item"))
        return unread(event.task, Gap(Stage.READ, reason, detail))
