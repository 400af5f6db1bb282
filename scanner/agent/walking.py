"""Walks beside what is known, a slice at a time, so that a fresh file does not wait for a walk."""

# ruff: noqa: PTH118 # names of files may be bytes that are not UTF-8, and pass unchanged

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from scanner.agent import telling
from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.ledger import queue
from scanner.ledger.store import Connection, StoreError, stored
from scanner.sources.identity import Signature
from scanner.sources.reconcile import Change, Kind, reconcile

#: Seconds that one turn of the loop walks for.
_SLICE = 0.05
_DAY = 86_400.0


@dataclass(slots=True)
class _Walk:
    """A part of a share that is walked, a slice at a time."""

    root: str
    below: str
    deep: bool
    changes: Iterator[Change]
    connection: Connection
    started: float


class Walking:
    """The walks that are to be done.

    Args:
        session: see `Session`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._walks: list[tuple[str, str, bool]] = []
        self._walking: _Walk | None = None
        self._full: set[str] = set()
        with session.ledger.reading() as connection:
            self._mounts = queue.fact(connection, "mounts") or {}

    def __len__(self) -> int:
        return len(self._walks) + self.going

    @property
    def going(self) -> bool:
        """Whether a walk has been begun."""
        return self._walking is not None

    def later(self, root: str, below: str = "", *, deep: bool = True) -> None:
        """Walk a share, or a folder of it, when its turn comes; without what is below it unless ``deep``."""
        if not below and deep:
            self._walks = [each for each in self._walks if each[0] != root]
        if (root, "", True) not in self._walks and (root, below, deep) not in self._walks:
            self._walks.append((root, below, deep))

    def everything(self) -> None:
        """Walk all that is watched."""
        for root in self._session.roots:
            self.later(root)

    def folder(self, root: str, below: str) -> None:
        """Look at the files of one folder."""
        self.later(root, below, deep=False)

    def slice(self, take: Callable[[str, Change], bool]) -> bool:
        """Walk for a moment; says whether there is more to walk.

        Args:
            take: told of each change that is no failure; False ends the slice.
        """
        if self._walking is None:
            if not self._walks:
                return False
            self._begin(*self._walks.pop(0))
        walk = self._walking
        assert walk is not None
        until = time.monotonic() + _SLICE
        while time.monotonic() < until:
            change = next(walk.changes, None)
            if change is None:
                self._walked(walk)
                return bool(self._walks)
            if change.kind is Kind.FAILED:
                self._failed(walk.root, change)
            elif not take(walk.root, change):
                break
        return True

    def restart(self) -> None:
        """After trouble with the ledger: what was under way begins anew, and everything is walked."""
        walk, self._walking = self._walking, None
        if walk is not None:
            with suppress(StoreError):
                walk.connection.close()
            self._walks.insert(0, (walk.root, walk.below, walk.deep))
        self.everything()

    def close(self) -> None:
        """Leave the walk that is under way."""
        if self._walking is not None:
            self._walking.connection.close()
            self._walking = None

    def _begin(self, root: str, below: str, deep: bool) -> None:
        session = self._session
        connection = session.ledger.engine.connect()
        known = ((path, Signature(*each)) for path, each in queue.known(connection, root, below, deep=deep))
        changes = reconcile(
            root,
            known,
            exclude=session.config.exclude,
            below=below,
            deep=deep,
            lost=lambda: session.shares.lost(root),
        )
        self._walking = _Walk(root, below, deep, iter(changes), connection, time.monotonic())

    def _walked(self, walk: _Walk) -> None:
        session = self._session
        walk.connection.close()
        self._walking = None
        if walk.below or not walk.deep:
            return
        self._full.add(walk.root)
        if not self._full >= set(session.roots):
            return
        self._full.clear()
        session.state.last_walk = time.time()
        if session.metrics is not None:
            session.metrics.last_walk.set(session.state.last_walk)
            session.metrics.walk_seconds.set(time.monotonic() - walk.started)
        days = session.config.verify_days
        session.jobs.outdated(time.time() - days * _DAY if days else -1.0)
        self._keep_mounts()

    def _failed(self, root: str, change: Change) -> None:
        """A folder or file that could not be looked at is a gap, which has one id as long as it is so."""
        session, outcome = self._session, change.outcome
        if outcome is None or all(gap.intentional for gap in outcome.gaps):
            return
        place = (stored(os.path.join(root, outcome.path)), "")
        vendor = session.vendor(outcome.path)
        found = telling.of_outcome(outcome, vendor, place, moment(), session.host)
        session.teller.tell(found[1:])

    def _keep_mounts(self) -> None:
        session = self._session
        held = {share: [list(mount) for mount in session.shares.remembered(share)] for share in session.roots}
        if held != self._mounts:
            session.teller.tell([], lambda connection: queue.keep(connection, "mounts", held))
            self._mounts = held
