"""The kernel's events, by watchdog: its thread reads and decodes them, what they mean is for `watch`.

watchdog's own observers keep paths and objects for each folder that are too many for a hundred thousand, so
what is used here is the layer below: `InotifyFD`.

Imported where it is used: watchdog takes some 8 MB and a tenth of a second.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

from watchdog.observers.inotify_c import (
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    WatchDescriptor,
    inotify_add_watch,
    inotify_rm_watch,
)

_C = InotifyConstants
#: For a folder: what is done to it and to the names in it. Reads and opens are not asked for.
FOLDER_MASK = (
    _C.IN_CREATE
    | _C.IN_DELETE
    | _C.IN_MODIFY
    | _C.IN_ATTRIB
    | _C.IN_CLOSE_WRITE
    | _C.IN_MOVED_FROM
    | _C.IN_MOVED_TO
    | _C.IN_DELETE_SELF
    | _C.IN_MOVE_SELF
    | _C.IN_ONLYDIR
    | _C.IN_EXCL_UNLINK
)
#: For the file that a link leads to.
FILE_MASK = _C.IN_MODIFY | _C.IN_ATTRIB | _C.IN_CLOSE_WRITE | _C.IN_DELETE_SELF | _C.IN_MOVE_SELF
#: Seconds between two reads while events come in. The kernel merges an event with an equal one before it, so
#: a file that is written in small blocks costs 20 wake-ups a second, not one a block.
PACE = 0.05
#: Events in one read from which on the next one is not put off.
BUSY = 256


class Reader(InotifyFD):
    """An inotify instance and the thread that waits for its events.

    Args:
        on_event: called in that thread, for each event.
        on_overflow: called in that thread when the kernel had to drop events.
        on_failure: called in that thread with our own failure on an event; the thread goes on.

    Raises:
        OSError: the system gives no instance (``EMFILE``: fs.inotify.max_user_instances).
    """

    def __init__(
        self,
        on_event: Callable[[InotifyEvent], None],
        on_overflow: Callable[[], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        super().__init__()
        os.set_inheritable(self._inotify_fd, False)
        self.name = "sharewatch-inotify"
        self._on_event = on_event
        self._on_overflow = on_overflow
        self._on_failure = on_failure

    def run(self) -> None:
        """Wait for events, without waking up in between, until `stop`."""
        while self.should_keep_running():
            events = self.read_events()
            for event in events:
                try:
                    self.handle_event(event)
                except Exception as error:  # noqa: BLE001 # a thread that ended would be blind in silence
                    self._on_failure(error)
            if events and len(events) < BUSY:
                self.stopped_event.wait(PACE)

    def handle_event(self, event: InotifyEvent) -> None:
        """Pass an event on; an overflow, which belongs to no folder, on its own way."""
        if event.is_queue_overflow:
            self._on_overflow()
        else:
            self._on_event(event)

    def watch(self, path: bytes, *, folder: bool = True, follow: bool = False) -> int:
        """Watch a folder, or the file at the end of a link.

        Returns:
            The number that its events carry: the same for whatever path leads to the same inode.

        Raises:
            OSError: with what the system says; ``ENOSPC`` where fs.inotify.max_user_watches is used up.
        """
        mask = FOLDER_MASK if folder else FILE_MASK
        with self._lock:
            if self._closed:
                raise OSError(9, "closed")
            number = add_watch(self._inotify_fd, path, mask | (0 if follow else _C.IN_DONT_FOLLOW))
        if number < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return number

    def unwatch(self, number: int) -> None:
        """Stop watching; one that is not watched any more does not matter."""
        with self._lock:
            if not self._closed:
                inotify_rm_watch(self._inotify_fd, WatchDescriptor(number))


def add_watch(instance: int, path: bytes, mask: int) -> int:
    """inotify_add_watch(2)."""
    return inotify_add_watch(instance, path, mask)


__all__ = ["FILE_MASK", "FOLDER_MASK", "Reader", "add_watch"]
