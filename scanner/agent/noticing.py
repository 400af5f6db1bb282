"""From hints and walks to the queue: which files are complete, and not known as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from scanner.agent.leaving import Leaving
from scanner.agent.places import look
from scanner.agent.session import Session
from scanner.agent.walking import Walking
from scanner.ledger import queue
from scanner.ledger.queue import Job
from scanner.sources.hints import Hint, What
from scanner.sources.reconcile import Change, Kind
from scanner.sources.settling import Complete

#: Files that are taken in at once.
_FEW = 200


class Noticing:
    """What is noticed of shares on its way into the queue.

    Args:
        session: see `Session`.
        walking: has walked what hints cannot say.
        leaving: is told of what is gone.
        admits: asked of each file that is complete; False where it waits: it will be complete again.
    """

    def __init__(
        self, session: Session, walking: Walking, leaving: Leaving, admits: Callable[[Complete], bool]
    ) -> None:
        self._session, self._walking, self._leaving, self._admits = session, walking, leaving, admits
        self._new: dict[tuple[str, str], Job] = {}

    def __len__(self) -> int:
        return len(self._new)

    def hints(self, hints: Iterable[Hint]) -> None:
        """Take in what the watcher says of shares."""
        for hint in hints:
            self._hint(hint)

    def complete(self) -> None:
        """Queue what is complete by now."""
        for found in self._session.settling.complete(look, _FEW):
            self._take(found)
        self._queue()

    def changed(self, root: str, change: Change) -> bool:
        """Take in what a walk says of a place; False where it must be asked again later."""
        if change.kind is Kind.GONE:
            self._leaving.later(root, change.place)
        elif change.kind in (Kind.NEW, Kind.CHANGED):
            assert change.signature is not None
            try:
                found = self._session.settling.found(root, change.place, change.signature, time.time())
            except OverflowError:
                self._walking.later(root)
                return False
            if found is not None:
                self._take(found)
        if len(self._new) >= _FEW:
            self._queue()
        return True

    def written(self, job: Job) -> None:
        """A file was written to while it was scanned."""
        self._session.settling.hint(job.share, job.path, What.WRITTEN)

    def _hint(self, hint: Hint) -> None:
        alarm = self._session.teller.alarm
        if hint.what is What.DEGRADED:
            alarm("watch_degraded", hint.detail, "warning", share=hint.root)
        elif hint.what is What.UNMOUNTED:
            alarm("share_down", hint.detail, "critical", share=hint.root)
        elif hint.what is What.MOUNTED:
            alarm("share_up", hint.detail or "the share is back", "info", share=hint.root)
            self._walking.later(hint.root)
        elif hint.what is What.OVERFLOW:
            self._walking.later(hint.root)
        elif hint.folder:
            self._walking.later(hint.root, hint.path, deep=hint.what is not What.LISTING)
        elif hint.what in (What.DELETED, What.MOVED_OUT):
            self._session.settling.forget(hint.root, hint.path)
            self._new.pop((hint.root, hint.path), None)
            self._leaving.later(hint.root, hint.path)
        elif not self._session.settling.hint(hint.root, hint.path, hint.what):
            self._walking.later(hint.root)

    def _take(self, found: Complete) -> None:
        """A file that may be read now."""
        self._leaving.is_back(found.root, found.path)
        if not self._admits(found):
            return
        since = time.time() - (time.monotonic() - found.since)
        job = Job(found.root, found.path, queue.FRESH, found.signature.size, since)
        self._new[found.root, found.path] = job

    def _queue(self) -> None:
        """Put what is new in the queue, but for what is known as it is now."""
        jobs = []
        for place, job in self._new.items():
            found = look(place)
            if found is None:
                self._leaving.later(*place)
            elif not self._session.jobs.is_known(job, found):
                jobs.append(job)
        self._session.jobs.put(jobs)
        self._new.clear()
