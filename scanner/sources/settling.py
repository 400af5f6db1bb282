"""When a file is complete: closed, renamed into place, or quiet for long enough.

Pure logic on a clock that somebody gives it; it never looks at a file itself. Times of files count only for
whether they change: a clock that jumps, and times in the future or before 1970, do not matter.
"""

from __future__ import annotations

import heapq
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate

from scanner.sources.hints import What
from scanner.sources.identity import Signature

#: Names that programs write under until a file is whole: browsers, SFTP clients, editors, rsync.
TEMPORARY_NAMES = (
    "*.part",
    "*.partial",
    "*.filepart",
    "*.tmp",
    "*.temp",
    "*.crdownload",
    "*.download",
    "*.opdownload",
    "*.!ut",
    "*.aria2",
    "*.swp",
    "*.swx",
    "*.swo",
    "*~",
    "~$*",
    ".~lock.*",
    ".nfs*",
    ".fuse_hidden*",
    ".goutputstream-*",
    ".*.[A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9][A-Za-z0-9]",  # rsync's .name.XXXXXX
)

#: Seconds that a temporary name waits to be renamed.
TEMPORARY_SECONDS = 3600.0

Place = tuple[str, str]
#: What is known of files at a moment; None for one that is not there any more.
Look = Callable[[Place], Signature | None]


class How(StrEnum):
    """Why a file is taken for complete."""

    CLOSED = "closed"
    RENAMED = "renamed"
    QUIET = "quiet"
    OVERDUE = "overdue"  # still written to, or still under a temporary name, after the longest wait


@dataclass(frozen=True, slots=True)
class Complete:
    """A file that may be read now.

    Attributes:
        root: of its share.
        path: below the root.
        signature: what it was when it was looked at last.
        how: why it is taken for complete.
        since: on the clock, when it became complete: the last hint of it, or for one that was written until
            the longest wait was over, now.
    """

    root: str
    path: str
    signature: Signature
    how: How
    since: float


@dataclass(slots=True)
class _Waiting:
    """A file that may not be complete.

    Attributes:
        first: when it was first heard of.
        last: when something was last heard of it, or it was seen to change.
        due: when to look at it.
        how: what it is complete by, if it is then as it was.
        signature: what it was when it was looked at last.
    """

    first: float
    last: float
    due: float
    how: How
    signature: Signature | None = None


class Settling:
    """Files on their way to being complete.

    Args:
        settle_seconds: for how long size and times must not change, where nobody says that the file
            was closed.
        settle_max_seconds: a file that is written to for longer is read as it is, and again after as long.
        closed_seconds: after a file was closed, how long to wait whether it is opened again. Doubles with
            each time that the same file was complete lately, up to ``settle_max_seconds``.
        temporary_seconds: how long a temporary name waits to be renamed; then the file is read under it.
        temporary_names: patterns of names, case ignored.
        limit: files that may wait.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        settle_seconds: float = 2.0,
        settle_max_seconds: float = 300.0,
        closed_seconds: float = 0.2,
        temporary_seconds: float = TEMPORARY_SECONDS,
        temporary_names: Sequence[str] = TEMPORARY_NAMES,
        limit: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settle = settle_seconds
        self._settle_max = max(settle_max_seconds, settle_seconds)
        self._closed = closed_seconds
        self._temporary = temporary_seconds
        self._limit = limit
        self._clock = clock
        joined = "|".join(translate(pattern.lower()) for pattern in temporary_names)
        self._is_temporary = re.compile(joined or r"(?!)", re.DOTALL).match
        self._waiting: dict[Place, _Waiting] = {}
        self._order: list[tuple[float, Place]] = []
        #: Files that were complete lately: how often, and when last.
        self._lately: dict[Place, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def is_temporary(self, path: str) -> bool:
        """True where a path's name says that the file is not whole yet."""
        return self._is_temporary(path.rpartition("/")[2].lower()) is not None

    def hint(self, root: str, path: str, what: What) -> bool:
        """Take in what was noticed of a file.

        Args:
            root: of its share.
            path: below the root.
            what: `What.DELETED` and `What.MOVED_OUT` end the waiting.

        Returns:
            False where too many files wait already: this one must be found by a walk later.
        """
        if what in (What.DELETED, What.MOVED_OUT):
            self.forget(root, path)
            return True
        how = {What.CLOSED: How.CLOSED, What.MOVED_IN: How.RENAMED}.get(what, How.QUIET)
        return self._wait((root, path), how)

    def found(self, root: str, path: str, signature: Signature, wall_time: float) -> Complete | None:
        """Take in a file that a walk found new or changed, of which no event told.

        Args:
            root: of its share.
            path: below the root.
            signature: of the file.
            wall_time: seconds since 1970, as the file system counts them.

        Returns:
            The file, where its inode has not changed for longer than files are waited for; else None, and it
            waits.

        Raises:
            OverflowError: too many files wait; ask again later.
        """
        now = self._clock()
        waits = self._temporary if self.is_temporary(path) else self._settle
        place = (root, path)
        age = wall_time - signature.ctime_ns / 1e9
        if age > waits and place not in self._waiting:
            return Complete(root, path, signature, How.QUIET, now)
        if not self._wait(place, How.QUIET, signature):
            raise OverflowError("too many files wait to be complete")
        return None

    def forget(self, root: str, path: str, *, below: bool = False) -> None:
        """Wait no longer for a file, or for all files below a folder."""
        self._waiting.pop((root, path), None)
        if below:
            prefix = f"{path}/" if path else ""
            for place in [each for each in self._waiting if each[0] == root and each[1].startswith(prefix)]:
                del self._waiting[place]

    def due(self) -> float | None:
        """When, on the clock, to call `complete` next; None while nothing waits."""
        while self._order:
            due, place = self._order[0]
            waiting = self._waiting.get(place)
            if waiting is not None and waiting.due == due:
                return due
            heapq.heappop(self._order)
        return None

    def complete(self, look: Look, most: int | None = None) -> Iterable[Complete]:
        """The files that are complete by now, earliest due first.

        Args:
            look: asked for each file whose time has come; one that is gone is forgotten.
            most: how many to look at.
        """
        now = self._clock()
        while (most is None or most > 0) and (due := self.due()) is not None and due <= now:
            _, place = heapq.heappop(self._order)
            found = self._judge(place, self._waiting[place], look(place), now)
            if found is not None:
                yield found
            most = None if most is None else most - 1

    def _wait(self, place: Place, how: How, signature: Signature | None = None) -> bool:
        now = self._clock()
        waiting = self._waiting.get(place)
        if waiting is None:
            if len(self._waiting) >= self._limit:
                return False
            waiting = self._waiting[place] = _Waiting(now, now, now, how, signature)
        waiting.last, waiting.how = now, how
        if signature is not None:
            waiting.signature = signature
        self._schedule(place, waiting, now + self._patience(place, how, now))
        return True

    def _patience(self, place: Place, how: How, now: float) -> float:
        if self.is_temporary(place[1]):
            return self._temporary
        if how is How.QUIET:
            return self._settle
        times, last = self._lately.get(place, (0, now))
        if now - last > self._settle_max:
            times = 0
        return min(self._closed * 2.0 ** min(times, 60), self._settle_max)

    def _schedule(self, place: Place, waiting: _Waiting, due: float) -> None:
        """Look at a file at a time, or when it has waited longest, whichever is first."""
        longest = self._temporary if self.is_temporary(place[1]) else self._settle_max
        waiting.due = min(due, waiting.first + longest)
        heapq.heappush(self._order, (waiting.due, place))
        if len(self._order) > 64 + 4 * len(self._waiting):  # what was put off stays in the heap until then
            self._order = [(each.due, place) for place, each in self._waiting.items()]
            heapq.heapify(self._order)

    def _judge(
        self, place: Place, waiting: _Waiting, signature: Signature | None, now: float
    ) -> Complete | None:
        if signature is None:
            del self._waiting[place]
            return None
        how, since = waiting.how, waiting.last
        longest = self._temporary if self.is_temporary(place[1]) else self._settle_max
        if now >= waiting.first + longest:
            if how is How.QUIET or self.is_temporary(place[1]):
                how, since = How.OVERDUE, now
        elif how is How.QUIET and (waiting.signature is None or not signature.is_same(waiting.signature)):
            waiting.signature, waiting.last = signature, now
            self._schedule(place, waiting, now + self._settle)
            return None
        del self._waiting[place]
        self._remember(place, now)
        return Complete(*place, signature, how, since)

    def _remember(self, place: Place, now: float) -> None:
        times, last = self._lately.pop(place, (0, now))
        self._lately[place] = (1 if now - last > self._settle_max else times + 1, now)
        if len(self._lately) > 4096:
            self._lately.pop(next(iter(self._lately)))


__all__ = ["TEMPORARY_NAMES", "TEMPORARY_SECONDS", "Complete", "How", "Look", "Settling"]
