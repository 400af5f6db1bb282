"""Hints of what may have changed, coalesced and bounded: a flood becomes one word, *walk this again*."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

#: Hints that wait to be taken; more become hints on folders, then on whole shares. About 400 bytes each.
MAX_HINTS = 20_000


class What(StrEnum):
    """What a hint says of a place."""

    WRITTEN = "written"  # created or written to; whoever writes may not be done
    ATTRIBUTES = "attributes"  # mode, owner, times or number of links
    CLOSED = "closed"  # closed after it was open for writing
    MOVED_IN = "moved_in"  # renamed to this place: complete
    MOVED_OUT = "moved_out"
    DELETED = "deleted"
    FOLDER = "folder"  # a folder came, or was moved: look at all that is below it
    LISTING = "listing"  # something among a folder's own files changed
    OVERFLOW = "overflow"  # hints were lost: look at the whole share
    DEGRADED = "degraded"  # folders without a watch; `detail` says how many and what to do
    UNMOUNTED = "unmounted"  # the share, or a file system in it, is away; `detail` says why
    MOUNTED = "mounted"  # it is back, or new


#: What is said of the watching itself, and so is not covered by another look at the files.
_TIDINGS = frozenset({What.DEGRADED, What.UNMOUNTED, What.MOUNTED})


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that may have changed. It may be late, said twice, or not be so any more.

    Attributes:
        root: of the share, as given.
        path: below the root; empty for the share itself.
        what: what was noticed.
        folder: the place is, or was, a folder: whatever is known below it is meant too.
        detail: one sentence for a person, with what is said of the watching itself.
    """

    root: str
    path: str
    what: What
    folder: bool = False
    detail: str = ""


Key = tuple[str, str, What | None]


class Hints:
    """The hints that wait, one a place, in the order of their first coming.

    Args:
        limit: hints that may wait.
        on_ready: called, from whichever thread, when the first hint comes in.
    """

    def __init__(self, limit: int = MAX_HINTS, on_ready: Callable[[], None] = lambda: None) -> None:
        self._limit = limit
        self._on_ready = on_ready
        self._waiting: dict[Key, Hint] = {}
        self._condition = threading.Condition()
        self._closed = False
        #: How often hints had to be given up for a walk.
        self.collapses = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, hint: Hint) -> None:
        """Add a hint, or have it replace what was said of its place before."""
        with self._condition:
            first = not self._waiting
            self._add(hint)
            if len(self._waiting) > self._limit:
                self._collapse()
            if first and self._waiting:
                self._condition.notify()
        if first:
            self._on_ready()

    def take(self, timeout: float | None = None, most: int | None = None) -> list[Hint]:
        """What waits, oldest first; waits for something where nothing does.

        Args:
            timeout: seconds to wait; None waits until there is a hint or the queue is closed.
            most: how many to take.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._closed, timeout)
            keys = list(self._waiting)[:most]
            return [self._waiting.pop(key) for key in keys]

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _add(self, hint: Hint) -> None:
        if hint.what in _TIDINGS:
            self._waiting[hint.root, hint.path, hint.what] = hint
            return
        if (hint.root, "", None) in self._waiting and self._waiting[hint.root, "", None].what in _WHOLE:
            return
        if hint.what is What.FOLDER and self._is_below_another(hint):
            return
        key = (hint.root, hint.path, None)
        before = self._waiting.get(key)
        if before is not None and before.what is What.FOLDER and hint.what is What.LISTING:
            return  # the folder is looked at with all below it anyway
        if before is not None and before.folder and not hint.folder:
            hint = Hint(hint.root, hint.path, hint.what, folder=True)  # a file where a folder was
        self._waiting[key] = hint
        if not hint.path and hint.what in _WHOLE:
            self._forget_below(hint.root)

    def _is_below_another(self, hint: Hint) -> bool:
        path = hint.path
        while path:
            path = path.rpartition("/")[0]
            above = self._waiting.get((hint.root, path, None))
            if above is not None and above.what is What.FOLDER:
                return True
        return False

    def _forget_below(self, root: str) -> None:
        for key in [key for key in self._waiting if key[0] == root and key[1] and key[2] is None]:
            del self._waiting[key]

    def _collapse(self) -> None:
        """Say less: of each file only its folder, and if that is not enough, of each share only itself."""
        self.collapses += 1
        before, self._waiting = self._waiting, {}
        for hint in before.values():
            if hint.what in _TIDINGS or hint.folder:
                self._add(hint)
            else:
                self._add(Hint(hint.root, hint.path.rpartition("/")[0], What.LISTING, folder=True))
        if len(self._waiting) > self._limit // 2:
            for root in {hint.root for hint in before.values() if hint.what not in _TIDINGS}:
                self._add(Hint(root, "", What.OVERFLOW, folder=True))


_WHOLE = frozenset({What.FOLDER, What.OVERFLOW})

__all__ = ["MAX_HINTS", "Hint", "Hints", "What"]
