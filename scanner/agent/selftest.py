"""The self-test: people who do not exist, in a file of our own, must be found and told of.

The file lies in a folder beside the ledger that is scanned like a share, so it proves the line from the file
system over worker and detection to the sinks. Nothing of it is counted.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from scanner import events
from scanner.agent.places import look
from scanner.agent.teller import now as moment
from scanner.ledger.store import shown
from scanner.model import ItemRef, Outcome
from scanner.pool import Ended, Piece
from scanner.sources.hints import Hint, What

if TYPE_CHECKING:
    from scanner.agent.session import Session

NAME = "people.csv"
#: Seconds in which the people must be found.
_PATIENCE = 120.0
#: What must be found in it.
WANTED = frozenset({"PERSON", "EMAIL_ADDRESS"})
_FIRSTS = ("Ada", "Boris", "Clara", "David", "Emma", "Felix", "Greta", "Hugo")
_LASTS = ("Example", "Weber", "Martin", "Rossi", "Silva", "Novak", "Jensen", "Smith")


def plant(folder: Path) -> Path:
    """Write the file anew, with other people than before, and put it in place at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = ["name,email"]
    for number in range(24):
        first, last = secrets.choice(_FIRSTS), secrets.choice(_LASTS)
        lines.append(f"{first} {last},{first}.{last}{number}@example.org")
    part = folder / f".{NAME}.part"
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    target = folder / NAME
    part.replace(target)
    return target


def passed(outcome: Outcome) -> bool:
    """Whether the planted people were found."""
    found = {
        each.entity_type for table in outcome.tables for column in table.columns for each in column.entities
    }
    return found >= WANTED


def root(folder: Path) -> Path:
    """The folder of the self-test, in the agent's own."""
    return folder / "selftest"


class SelfTest:
    """Plants the file when it is time, and says whether its people were found.

    Args:
        session: see `Session`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.folder = str(root(session.folder))
        self._item = ItemRef(self.folder, NAME)
        wanted = session.config.selftest_minutes and session.watcher is not None
        #: On the monotonic clock, when the next is due; None for never.
        self.due = time.monotonic() if wanted else None
        self._since: float | None = None
        self._given = False
        self._held: Outcome | None = None

    def ends(self) -> float | None:
        """On the monotonic clock, when the one under way has failed; None where none is."""
        return None if self._since is None else self._since + _PATIENCE

    def clock(self) -> None:
        """Begin what is due, and end what takes too long."""
        now, watcher = time.monotonic(), self._session.watcher
        if self.due is not None and now >= self.due and watcher is not None and watcher.covered.is_set():
            self.due = now + self._session.config.selftest_minutes * 60
            self._since = now
            with suppress(OSError):
                plant(Path(self.folder))
        ends = self.ends()
        if ends is not None and now >= ends:
            self._over(f"nothing was found within {_PATIENCE:.0f} seconds")

    def hint(self, hint: Hint) -> None:
        """The watcher has seen something in the self-test's folder, or that something changed in it."""
        if self._since is None or self._given or not (hint.path in ("", NAME) or hint.folder):
            return
        gone = hint.what in (What.DELETED, What.MOVED_OUT)
        if not gone and look((self.folder, NAME)) is not None:
            self._given, self._held = True, None
            self._session.pool.give(self._item)

    def event(self, event: Piece | Ended) -> bool:
        """Take in what a worker gave; False where it is of another file."""
        if event.task != self._item:
            return False
        if isinstance(event, Piece):
            self._held = event.value
        else:
            self._given = False
            if self._since is not None:
                found = self._held is not None and passed(self._held)
                self._over("" if found else "the planted people were not found")
        return True

    def _over(self, problem: str) -> None:
        session, state = self._session, self._session.state
        seconds = time.monotonic() - (self._since or time.monotonic())
        now = shown(moment())
        body = {"passed": not problem, "seconds": round(seconds, 3), "detail": problem}
        uid = events.stable_id("selftest", session.host, now)
        session.teller.tell([events.Event("selftest", uid, now, session.host, "", {"selftest": body})])
        self._since = None
        before, state.selftest = state.selftest, "failed" if problem else "passed"
        if not problem:
            state.last_selftest = time.time()
            if session.metrics is not None:
                session.metrics.self_test.set(state.last_selftest)
        elif before != "failed":
            session.teller.alarm("selftest_failed", problem, "critical")
