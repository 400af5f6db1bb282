"""One transaction for each outcome: what was found, what that changes, what is to be told, and the queue."""

# ruff: noqa: PTH118 # names of files may be bytes that are not UTF-8, and pass unchanged

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from scanner.agent import telling
from scanner.agent.actions import act, is_wanted
from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.judging import findings_of
from scanner.ledger import findings, progress, queue
from scanner.ledger.progress import Done
from scanner.ledger.queue import Job
from scanner.ledger.recorder import Delivery
from scanner.ledger.store import Connection, stored
from scanner.model import Outcome, Verdict, printable
from scanner.sources.identity import Signature

#: Resolves what places held, in the caller's transaction.
Resolve = Callable[[Connection, Sequence[tuple[str, str]], str], None]


@dataclass(slots=True)
class Task:
    """A file that a worker has.

    Attributes:
        job: why.
        signature: what the file was when it was given to the worker.
        started: on the monotonic clock.
        held: the newest outcome that came, not recorded yet.
        bound: what its progress is bound to; see `progress.binding`.
        done: how many members are noted there.
        passed: how many of the file's own members the worker need not look into.
        members: the names, as stored, of those that are recorded; the file's own is empty.
        because: why one of those is over-shared; None where none is.
        incomplete: whether something of them was not read.
        acted: whether what the policy wants done with the file is done.
        ended: whether it has left the queue.
        outcomes: all of them, where a gate is to decide.
    """

    job: Job
    signature: Signature
    started: float
    held: Outcome | None = None
    bound: str = ""
    done: int = 0
    passed: int = 0
    members: set[str] = field(default_factory=set)
    because: str | None = None
    incomplete: bool = False
    acted: bool = False
    ended: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    def add(self, done: Done) -> None:
        """Take in something of the file that is recorded."""
        self.done += 1
        self.members.add(done.member)
        self.because = self.because or done.because
        self.incomplete = self.incomplete or done.incomplete


class Recording:
    """Writes what scans give.

    Args:
        session: see `Session`.
        resolve: for members that an archive has no more.
    """

    def __init__(self, session: Session, resolve: Resolve) -> None:
        self._session, self._resolve = session, resolve

    def member(self, task: Task, outcome: Outcome) -> None:
        """An outcome that others of the same file follow."""
        self._record(task, outcome, final=False)

    def file(self, task: Task, outcome: Outcome) -> None:
        """The last outcome of a file, which ends its waiting.

        All that is to be done of it comes before that end or with it: after a kill in between it is scanned
        again, and done.
        """
        if not (task.incomplete or outcome.incomplete):
            self._gone_members(task)
        self._record(task, outcome, final=True)
        self._verdict(task.job)
        if not task.ended:
            self._act(task, outcome)

    def _record(self, task: Task, outcome: Outcome, *, final: bool) -> None:
        session, job, at = self._session, task.job, moment()
        location = os.path.join(job.share, outcome.path)
        place = (stored(location), stored(outcome.member or ""))
        vendor = session.vendor(outcome.path)
        held = findings_of(session.policy, outcome, outcome.path, None, date.fromisoformat(at[:10]))
        told = telling.of_outcome(outcome, vendor, place, at, session.host)
        reasons = (each.because for each in held if each.verdict is Verdict.OVER_SHARED)
        done = Done(place[1], outcome.incomplete, next(reasons, None))
        over_shared = (task.because or done.because) is not None
        ends = final and not (over_shared and is_wanted(session.policy, outcome))

        def also(connection: Connection) -> None:
            changes = findings.observe(connection, place, held, at)
            session.teller.append(connection, [*telling.of_transitions(changes, session.host), *told])
            if ends:
                self._end(connection, task)
            elif not final:
                progress.note(connection, job.share, job.path, task.bound, task.done, done)

        delivery = Delivery(vendor, location, outcome.path, str(task.signature.device))
        session.recorder.record(outcome, at, delivery, also)
        session.teller.sent()
        task.add(done)
        task.ended = ends
        self._count(outcome)

    def _end(self, connection: Connection, task: Task) -> None:
        job, rules = task.job, self._session.rules
        queue.scanned(connection, job.share, job.path, task.signature, time.time(), rules)

    def _verdict(self, job: Job) -> None:
        session = self._session
        session.state.scanned += 1
        if job.kind != queue.FRESH or job.tries:
            return
        lag = max(0.0, time.time() - job.since)
        session.state.lagged(lag)
        if session.metrics is not None:
            session.metrics.verdict_seconds.observe(lag)

    def _count(self, outcome: Outcome) -> None:
        metrics = self._session.metrics
        if metrics is None:
            return
        metrics.items.add(status=str(outcome.status))
        if outcome.member is None:
            metrics.scanned_bytes.add(outcome.bytes)
        for gap in outcome.gaps:
            metrics.gaps.add(reason=str(gap.reason))

    def _act(self, task: Task, outcome: Outcome) -> None:
        """What the policy says to do with a delivery that is not clean."""
        session, job = self._session, task.job
        done = None if task.acted else act(session.config, session.policy, job, outcome, task.because)
        task.acted = True
        if done is not None:
            what, detail, level = done
            session.teller.alarm(what, detail, level, path=printable(outcome.path), share=job.share)
        session.teller.tell([], lambda connection: self._end(connection, task))
        task.ended = True

    def _gone_members(self, task: Task) -> None:
        """Members that an archive had before and has no more."""
        session, at = self._session, moment()
        location = stored(os.path.join(task.job.share, task.job.path))
        left = [
            each.id
            for each in session.recorder.open_under([location])
            if each.location == location and each.member and each.member not in task.members
        ]
        if left:
            session.recorder.gone(left, at, lambda connection, places: self._resolve(connection, places, at))
            session.teller.sent()
