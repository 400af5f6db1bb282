"""Gates: what lies in a staging folder and scans clean is moved to the outbound one, anything else is held.

Nothing of staging is in anybody's reach, so nothing of it is recorded as an exposure. A file that is held is
known as it is, and is looked at again when it, the rules or the policy change.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.agent.config import GateWay
from scanner.agent.places import look, within
from scanner.agent.recording import Task
from scanner.agent.session import Session
from scanner.events import Event
from scanner.ledger import queue
from scanner.ledger.queue import Job
from scanner.ledger.store import Connection
from scanner.model import Outcome, printable
from scanner.sources.hints import What
from scanner.sources.settling import Complete, How

if TYPE_CHECKING:
    from scanner.gate import Decision

#: Reasons that one alarm names.
_REASONS = 3
#: Seconds until a file that could not be moved is tried again: four times as many each time, up to a most.
_RETRY_SECONDS, _RETRY_LONGEST = 30.0, 3600.0


class Gatekeeping:
    """Decides on what lies before gates.

    Args:
        session: see `Session`.
        walk: called with a share and a folder of it that something went to.
        written: called with a job whose file is not complete after all.
        wake: called, from another thread, when a decision was carried out.
    """

    def __init__(
        self,
        session: Session,
        *,
        walk: Callable[[str, str], object],
        written: Callable[[Job], object],
        wake: Callable[[], None],
    ) -> None:
        self._session, self._walk, self._written, self._wake = session, walk, written, wake
        self._gates = {gate.staging: gate for gate in session.config.gates}
        # Moving reads a file twice, which may take minutes: a thread of its own does it.
        self._mover = ThreadPoolExecutor(1, "gate") if self._gates else None
        self._going: dict[tuple[str, str], tuple[Task, Future[Decision | None]]] = {}

    def __len__(self) -> int:
        return len(self._going)

    @property
    def deciding(self) -> set[tuple[str, str]]:
        """Share and path of files that are being decided on."""
        return set(self._going)

    def guards(self, share: str) -> bool:
        """Whether a folder lies before a gate."""
        return share in self._gates

    def admits(self, found: Complete) -> bool:
        """Whether a file that counts as complete is so for a gate: not under a temporary name, or for age."""
        if not self.guards(found.root):
            return True
        from scanner.gate import LOG

        settling = self._session.settling
        if found.path == LOG or settling.is_temporary(found.path):
            return False
        if found.how is How.OVERDUE:
            settling.hint(found.root, found.path, What.WRITTEN)
            return False
        return True

    def member(self, task: Task, outcome: Outcome) -> None:
        """An outcome that others of the same file follow."""
        task.outcomes.append(outcome)

    def file(self, task: Task, outcome: Outcome) -> None:
        """The last outcome of a file: decide, and move it where it may go."""
        assert self._mover is not None, "only files before a gate come here"
        task.outcomes.append(outcome)
        gate = self._gates[task.job.share]
        decided = self._mover.submit(self._decide, gate, task)
        self._going[task.job.share, task.job.path] = task, decided
        decided.add_done_callback(lambda _: self._wake())

    def settle(self) -> None:
        """Take note of decisions that were carried out."""
        for place, (task, decided) in list(self._going.items()):
            if decided.done():
                self._settle(task, decided)
                del self._going[place]

    def close(self) -> None:
        """Let the move that is under way end; others are not begun."""
        if self._mover is not None:
            self._mover.shutdown(cancel_futures=True)

    def _share_of(self, gate: GateWay) -> tuple[str, str]:
        """The share that a gate leads to, and the path of its folder there, with a slash at its end."""
        share = max((each for each in self._session.config.shares if within(gate.outbound, each)), key=len)
        below = gate.outbound[len(share.rstrip("/")) :].strip("/")
        return share, f"{below}/" if below else ""

    def _decide(self, gate: GateWay, task: Task) -> Decision | None:
        """In the mover's thread; None where the file is still open for writing."""
        from scanner.gate import Decision, Passage, Request, let_through

        file = Path(gate.staging, task.job.path)
        if is_written(file):
            return None
        if not os.access(file.parent, os.W_OK | os.X_OK):
            reason = "cannot be moved: nothing may be taken out of its folder"
            return Decision(printable(task.job.path), Passage.FAILED, "clean", (reason,))
        below = self._share_of(gate)[1]
        request = Request(Path(gate.staging), Path(gate.outbound), self._session.policy)
        paths = [below + each.path for each in task.outcomes]
        return let_through(request, task.outcomes, paths=paths, today=datetime.now(UTC).date())

    def _settle(self, task: Task, decided: Future[Decision | None]) -> None:
        from scanner.gate import Passage

        job = task.job
        fault = decided.exception()
        decision = None if fault is not None else decided.result()
        if fault is not None:
            self._failed(task, (f"an internal error ({type(fault).__name__})",))
        elif decision is not None and decision.passage is Passage.PASSED:
            self._passed(job)
        elif decision is None or self._changed(task):
            self._session.jobs.drop(job)
            self._written(job)
        elif decision.passage is Passage.HELD:
            self._held(task, decision)
        else:
            self._failed(task, decision.reasons)

    def _changed(self, task: Task) -> bool:
        """Whether a file is not the one that was scanned; a move that was undone changes its ctime only."""
        found, then = look((task.job.share, task.job.path)), task.signature
        return found is None or (found.inode, found.size, found.mtime_ns) != (
            then.inode,
            then.size,
            then.mtime_ns,
        )

    def _passed(self, job: Job) -> None:
        session = self._session
        session.teller.tell([], lambda connection: queue.forget(connection, job.share, job.path))
        session.state.passed += 1
        self._counted("passed")
        share, below = self._share_of(self._gates[job.share])
        # Its new place tells of itself, but for file systems that do not.
        self._walk(share, (below + job.path).rpartition("/")[0])

    def _held(self, task: Task, decision: Decision) -> None:
        session, job = self._session, task.job
        reasons = "; ".join(decision.reasons[:_REASONS])
        more = len(decision.reasons) - _REASONS
        detail = f"{decision.verdict}: {reasons}{f'; and {more:,} more' if more > 0 else ''}"
        told = [] if job.kind != queue.FRESH else [self._alarm("gate_held", detail, "warning", job)]

        def also(connection: Connection) -> None:
            # Known as it is: looked at again when it, the rules or the policy change.
            queue.scanned(connection, job.share, job.path, task.signature, time.time(), session.rules)

        session.teller.tell(told, also)
        self._counted("held")

    def _failed(self, task: Task, reasons: tuple[str, ...]) -> None:
        """It could not be moved: said once, and tried again at longer and longer intervals."""
        session, job = self._session, task.job
        if job.tries == 0:
            session.teller.tell([self._alarm("gate_failed", "; ".join(reasons), "error", job)])
        self._counted("failed")
        session.jobs.put_off(job, min(_RETRY_SECONDS * 4 ** min(job.tries, 8), _RETRY_LONGEST))

    def _alarm(self, what: str, detail: str, level: str, job: Job) -> Event:
        gate, path = self._gates[job.share], printable(job.path)
        vendor = self._session.vendor(self._share_of(gate)[1] + job.path)
        return self._session.teller.made_alarm(
            what, detail, level, path=path, share=job.share, to=gate.outbound, vendor=vendor
        )

    def _counted(self, passage: str) -> None:
        if self._session.metrics is not None:
            self._session.metrics.gate_files.add(passage=passage)


def is_written(path: Path) -> bool:
    """Whether somebody has a file open for writing, as far as this can be told.

    A read lease is only given where nobody has (fcntl(2), F_SETLEASE), and only to the file's owner or to
    whoever has CAP_LEASE; it is given back at once. Whoever opens the file meanwhile has a signal sent to us,
    which must be ignored: else nothing is asked.
    """
    if signal.getsignal(signal.SIGIO) is not signal.SIG_IGN:
        return False
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False
