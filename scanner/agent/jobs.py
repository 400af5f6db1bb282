"""The queue as the agent's parts use it: what waits to be scanned, and until when nothing need be asked."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from scanner.ledger import progress, queue
from scanner.ledger.progress import Done
from scanner.ledger.queue import Job
from scanner.ledger.store import Ledger, Writer
from scanner.sources.identity import Signature

_BATCH = 1000


class Jobs:
    """The durable queue of files.

    Args:
        ledger: whose database it lies in.
        writer: of the same.
        rules: digest of the rules in force: what others were used on is scanned again.

    Attributes:
        empty: True once nothing waits, until something is put in.
    """

    def __init__(self, ledger: Ledger, writer: Writer, rules: str) -> None:
        self._ledger, self._writer, self._rules = ledger, writer, rules
        self.empty = False
        self._due: float | None = None

    def put(self, jobs: Sequence[Job]) -> None:
        """Queue files."""
        if jobs:
            with self._writer.connection.begin():
                queue.put(self._writer.connection, jobs, 0.0)
            self.empty = False

    def is_known(self, job: Job, found: Signature) -> bool:
        """Whether a file was scanned as it is now, by these rules."""
        with self._ledger.reading() as connection:
            known = queue.signature(connection, job.share, job.path)
        return known is not None and known[1] == self._rules and found.is_same(Signature(*known[0]))

    def outdated(self, before: float) -> None:
        """Queue what other rules were used on, and what was scanned before a time (seconds of the epoch)."""
        connection = self._writer.connection
        while True:
            with connection.begin():
                jobs = queue.outdated(connection, self._rules, before, _BATCH)
                queue.put(connection, jobs, 0.0)
            if not jobs:
                return
            self.empty = False

    def next(self, count: int, *, small: int, busy: Collection[tuple[str, str]], fresh: bool) -> list[Job]:
        """The most urgent that may be done now; see `queue.next_jobs`."""
        with self._ledger.reading() as connection:
            jobs = queue.next_jobs(connection, time.time(), count, small=small, busy=busy, fresh=fresh)
            if not jobs and not busy:
                self._due = queue.next_due(connection)
                self.empty = self._due is None
        return jobs

    def resume(self, job: Job, bound: str) -> list[Done]:
        """What an earlier scan recorded of the same file by the same law; see `progress.resume`."""
        with self._writer.connection.begin():
            return progress.resume(self._writer.connection, job.share, job.path, bound)

    def wait(self) -> float:
        """Seconds until something that was put off may be done; negative where that is now."""
        return (self._due or 0.0) - time.time()

    def put_off(self, job: Job, seconds: float) -> None:
        """After a scan without an outcome: count it, and wait."""
        with self._writer.connection.begin():
            queue.put_off(self._writer.connection, job.share, job.path, time.time() + seconds)

    def drop(self, job: Job) -> None:
        """A file that does not wait any more."""
        with self._writer.connection.begin():
            queue.drop(self._writer.connection, job.share, job.path)
