"""Noticing what changes on a share: a stream of hints, from the kernel where it tells, by looking where not.

Hints are only hints. They may be late, said twice, or about something that is over; `reconcile` finds the
truth. What this promises is that nothing changes without a hint that covers it: its own, its folder's, or the
share's.

Two threads: one waits for the kernel's events (`inotify.Reader`); the other, the *keeper*, puts watches on
what is new, polls what cannot be watched, and waits for the table of mounts to change. Both sleep in the
kernel while nothing happens. Links count as in `walk`, which is what the keeper walks with.
"""

# ruff: noqa: PTH100, PTH114
# Paths are plain strings, as in `walk`.

from __future__ import annotations

import errno
import os
import select
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.model import Outcome, Reason
from scanner.sources.answering import ANSWER_SECONDS
from scanner.sources.hints import MAX_HINTS, Hint, Hints, What
from scanner.sources.mounts import REMOTE, Mount, MountTable, Presence, Shares, ShareState, mount_of
from scanner.sources.polling import Listing, look
from scanner.sources.tree import TOP, Place, Tree
from scanner.sources.walk import Folder, Found, Walk, excluded_by

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyEvent

    from scanner.sources.inotify import Reader

#: Seconds between two looks at a folder without a watch.
POLL_SECONDS = 30.0
#: Of its time, the share that polling may take: after a pass of t seconds the next waits t times this.
_REST = 10
#: Seconds after which folders that got no watch are tried again.
_RETRY_SECONDS = 600.0
#: How many of them.
_SOME = 100
WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")


class Bit(IntFlag):
    """What an event says, by the bits of its mask (inotify(7), `linux/inotify.h`)."""

    MODIFY = 0x2
    ATTRIB = 0x4
    CLOSE_WRITE = 0x8
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    UNMOUNT = 0x2000
    IGNORED = 0x8000
    ISDIR = 0x40000000


@dataclass(frozen=True, slots=True)
class Figures:
    """How the watching goes.

    Attributes:
        watched: folders (and linked files) with a watch.
        polled: folders that are looked at every so often, because the file system does not tell or
            because there was no watch to be had.
        unwatched: of those, the ones for want of a watch.
        events: events that the kernel gave.
        overflows: how often the kernel dropped events.
        collapses: how often hints were given up for a walk.
        renewals: how often all watches were gone through anew.
        waiting: hints that wait to be taken.
        busy_seconds: for how long the keeper has been at what it does now; a share that hangs shows here.
        poll_pass_seconds: what the last round of polling took.
    """

    watched: int
    polled: int
    unwatched: int
    events: int
    overflows: int
    collapses: int
    renewals: int
    waiting: int
    busy_seconds: float
    poll_pass_seconds: float


class Watcher:
    """Watches shares.

    Args:
        roots: absolute paths of folders. One that is not there is waited for.
        exclude: as for `walk`.
        poll_seconds: between two looks at a folder that cannot be watched.
        max_hints: hints that may wait; beyond, they are folded into fewer.
        polled_kinds: types of file systems that are polled.
        events: False polls everything.
        remembered: as for `Shares`.
        filled: as for `Shares`.
        answer_seconds: see `Shares`.
        on_ready: called, from a thread of the watcher, when a hint comes in and none waited.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        roots: Sequence[str | os.PathLike[str]],
        exclude: Sequence[str] = (),
        *,
        poll_seconds: float = POLL_SECONDS,
        max_hints: int = MAX_HINTS,
        polled_kinds: Collection[str] = REMOTE,
        events: bool = True,
        remembered: Mapping[str, Sequence[Sequence[str]]] | None = None,
        filled: Collection[str] = (),
        on_ready: Callable[[], None] = lambda: None,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roots = tuple(dict.fromkeys(os.path.abspath(os.fspath(root)) for root in roots))
        self._exclude = tuple(exclude)
        self._poll_seconds = poll_seconds
        self._polled_kinds = frozenset(polled_kinds)
        self._wants_events = events
        self._clock = clock
        self._table = MountTable()
        self._hints = Hints(max_hints, on_ready)
        #: Which shares are there.
        self.shares = Shares(self._roots, remembered=remembered, filled=filled, answer_seconds=answer_seconds)
        #: Set once every folder is watched or polled.
        self.covered = threading.Event()

        self._lock = threading.Lock()  # over everything below
        self._tree = Tree()
        self._files: set[int] = set()
        self._listings: dict[int, Listing] = {}
        self._lacking: set[int] = set()
        self._denied: set[Place] = set()
        self._children: dict[Place, int] = {}
        self._jobs: deque[Callable[[], None]] = deque()
        self._renew = True
        self._loose = False
        self._next_number = -1

        self._reader: Reader | None = None
        self._keeper = threading.Thread(target=self._keep, name="sharewatch-keeper", daemon=True)
        # The keeper may wait for a server that is gone; somebody has to say so.
        self._sentinel = threading.Thread(target=self._stand_by, name="sharewatch-sentinel", daemon=True)
        self._ended = threading.Event()
        self._checking = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._stopped = False
        self._states: dict[str, ShareState] = {}
        self._poll_at: float | None = None
        self._retry_at = 0.0
        self._limit = ""
        self._told_lacking = 0
        self._busy_since: float | None = None
        self._events = self._overflows = self._renewals = 0
        self._pass_seconds = 0.0
        self._mounts: tuple[Mount, ...] = ()

    # -- for the user --

    def start(self) -> None:
        """Begin. Hints come at once; a `FOLDER` of each root when all below it is covered."""
        if self._wants_events and (problem := self._listen()):
            detail = f"inotify gives no events ({problem}); every folder is polled"
            for root in self._roots:
                self._hints.put(Hint(root, "", What.DEGRADED, detail=detail))
        self._keeper.start()

    def take(self, timeout: float | None = None, most: int | None = None) -> list[Hint]:
        """Hints, oldest first; waits for one. Empty after ``timeout`` seconds, or when stopped."""
        return self._hints.take(timeout, most)

    def states(self) -> dict[str, ShareState]:
        """Whether each share was there when last looked at."""
        with self._lock:
            return dict(self._states)

    def figures(self) -> Figures:
        """How the watching goes."""
        with self._lock:
            watched = len(self._tree) - len(self._listings)
            since = self._busy_since
            return Figures(
                watched=max(watched, 0),
                polled=len(self._listings),
                unwatched=len(self._lacking),
                events=self._events,
                overflows=self._overflows,
                collapses=self._hints.collapses,
                renewals=self._renewals,
                waiting=len(self._hints),
                busy_seconds=0.0 if since is None else self._clock() - since,
                poll_pass_seconds=self._pass_seconds,
            )

    def check(self) -> None:
        """Have the shares looked at now, not only when the kernel tells or at the next poll."""
        self._do(self._look_at_shares)

    def renew(self) -> None:
        """Have every watch seen to anew; then each share is an `OVERFLOW`, to be walked.

        What to do every so often: a link that shows another folder now, say, has no event that tells.
        """
        with self._lock:
            self._renew = True
        self._call()

    def stop(self) -> None:
        """End both threads and let go of everything. A keeper that hangs in the system is left behind."""
        self._stopped = True
        self._ended.set()
        self._hints.close()
        if self._reader is not None:
            self._reader.stop()
            self._reader.join(5)
        os.eventfd_write(self._wake, 1)
        others = [each for each in (self._keeper, self._sentinel) if each.ident is not None]
        for each in others:
            each.join(5)
        if not any(each.is_alive() for each in others):
            os.close(self._wake)
            self._table.close()
            self.shares.close()

    def __enter__(self) -> Watcher:
        """Started."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stopped."""
        self.stop()

    def _listen(self) -> str | None:
        """Begin to read events; what is in the way, where something is."""
        from scanner.sources.inotify import Reader

        try:
            self._reader = Reader(self._on_event, self._on_overflow, self._failed_to_read)
        except OSError as error:
            return error.strerror or type(error).__name__
        self._reader.start()
        return None

    # -- the reader's thread --

    def _on_overflow(self) -> None:
        with self._lock:
            self._overflows += 1
            self._renew = True
        self._call()

    def _on_event(self, event: InotifyEvent) -> None:
        number, mask, name = int(event.wd), int(event.mask), os.fsdecode(event.name)
        with self._lock:
            self._events += 1
            if mask & Bit.IGNORED:
                self._dropped(number)
                return
            is_file = number in self._files
            if (
                mask & Bit.UNMOUNT
            ):  # it may be mounted again by now, so that the table of mounts looks the same
                self._renew = True
            if mask & (Bit.DELETE_SELF | Bit.MOVE_SELF) or (is_file and mask & Bit.ATTRIB):
                at = self._tree.places(number)
                # Of a deleted folder the kernel drops the watch, and that is all; a deleted root is an alarm.
                if is_file or mask & Bit.MOVE_SELF or any(parent == TOP for parent, _ in at):
                    self._jobs.append(lambda: self._recheck(number, at, is_file=is_file))
                places = self._tree.paths(number) if is_file else []
            elif is_file:
                places = self._tree.paths(number)
            else:
                places = self._tree.paths(number, name) if number in self._tree else []
            place = (number, name)
            if mask & (Bit.DELETE | Bit.MOVED_FROM) and (linked := self._tree.linked.get(place)):
                shown = linked in self._files
                self._jobs.append(lambda: self._recheck(linked, [place], is_file=shown))
        what = _meaning(mask, is_file=is_file)
        if what is What.FOLDER or (mask & (Bit.CREATE | Bit.MOVED_TO) and _is_link(places)):
            self._do(lambda: self._arrived(number, name))
        elif what is not None:
            self._tell(places, what, folder=bool(mask & Bit.ISDIR))
        if self._jobs or self._renew:
            self._call()

    def _tell(
        self, places: list[tuple[str, str]], what: What, *, folder: bool = False, detail: str = ""
    ) -> None:
        for root, path in places:
            if not (self._exclude and _is_excluded(path, self._exclude)):
                self._hints.put(Hint(root, path, what, folder, detail))

    def _dropped(self, number: int) -> None:
        """The kernel's last word on a watch: its folder is gone, or its file system."""
        for place in self._tree.places(number):
            self._children.pop(place, None)
        self._tree.remove(number)
        self._files.discard(number)

    def _do(self, job: Callable[[], None]) -> None:
        with self._lock:
            self._jobs.append(job)
        self._call()

    def _call(self) -> None:
        """Wake the keeper."""
        if not self._stopped:
            os.eventfd_write(self._wake, 1)

    def _failed_to_read(self, error: Exception) -> None:
        self._failed(error)
        self._call()

    def _failed(self, error: Exception) -> None:
        """Our own failure: told by its type, and every watch is seen to anew, for it may have cost some."""
        detail = f"watching failed with {type(error).__name__}; this is a defect of sharewatch"
        for root in self._roots:
            self._hints.put(Hint(root, "", What.DEGRADED, detail=detail))
        with self._lock:
            self._renew = True

    # -- the keeper's thread --

    def _keep(self) -> None:
        poller = select.poll()
        poller.register(self._table.fileno(), select.POLLPRI | select.POLLERR)
        poller.register(self._wake, select.POLLIN)
        while not self._stopped:
            self._busy_since = self._clock()
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 # a thread that ended would be blind in silence
                self._failed(error)
                self._poll_at = self._clock() + self._poll_seconds
            self._busy_since = None
            waiting = self._poll_at
            ready = poller.poll(None if waiting is None else max(waiting - self._clock(), 0) * 1000 + 1)
            if any(handle == self._table.fileno() for handle, _ in ready):
                self._table.reread()
                self._do(self._look_at_shares)
            with suppress(BlockingIOError):
                os.eventfd_read(self._wake)

    def _turn(self) -> None:
        self._work()
        if self._poll_at is not None and self._clock() >= self._poll_at and not self._stopped:
            self._poll()
            self._work()
        self._plan()

    def _work(self) -> None:
        """Do what the events asked for; first all of it anew, where some of them were lost."""
        while not self._stopped:
            with self._lock:
                renew, self._renew = self._renew, False
                if renew:
                    self._jobs.clear()
                job = self._jobs.popleft() if self._jobs else None
            if renew:
                self._check_shares()
                self._cover_all()
            elif job is not None:
                job()
            elif self._loose:
                self._prune()
            else:
                return

    def _plan(self) -> None:
        """When to wake up without being called: never, where every folder has a watch."""
        away = any(state.presence is not Presence.THERE for state in self._states.values())
        if not (self._listings or self._denied or away):
            self._poll_at = None
        elif self._poll_at is None:
            self._poll_at = self._clock() + self._poll_seconds

    def _look_at_shares(self) -> None:
        if self._check_shares():
            with self._lock:
                self._renew = True

    def _stand_by(self) -> None:
        """The sentinel's thread, where a network brings a part of a share: is it still there?"""
        while not self._ended.wait(self._poll_seconds):
            try:
                self._look_at_shares()
            except Exception as error:  # noqa: BLE001 # a thread that ended would be blind in silence
                self._failed(error)
            if self._renew:
                self._call()

    def _check_shares(self) -> bool:
        """Look which shares are there, and tell what is different; True where watches must be seen to."""
        with self._checking:
            moved = self._compare_shares()
        if self._sentinel.ident is None and any(each.is_kind(self._polled_kinds) for each in self._mounts):
            self._sentinel.start()
        return moved

    def _compare_shares(self) -> bool:
        mounts = tuple(each for each in self._table.mounts() if self._matters(each))
        moved, self._mounts = mounts != self._mounts, mounts
        for root in self._roots:
            before, now = self._states.get(root), self.shares.check(root)
            with self._lock:
                self._states[root] = now
            lost_before = set(before.lost) if before else set()
            for place in sorted(set(now.lost) - lost_before):
                self._hints.put(Hint(root, place, What.UNMOUNTED, folder=True, detail=now.detail))
            for place in sorted(lost_before - set(now.lost)):
                if not now.lost or "" not in now.lost:
                    self._hints.put(Hint(root, place, What.MOUNTED, folder=True))
            if before is not None and before.lost != now.lost:
                moved = True
        return moved

    def _matters(self, mount: Mount) -> bool:
        for root in self._roots:
            real = os.path.realpath(root)
            prefix = mount.point.rstrip("/")
            if real == mount.point or real.startswith(f"{prefix}/") or prefix.startswith(f"{real}/"):
                return True
        return False

    def _cover_all(self) -> None:
        """Go through every share and put a watch on each folder: at the start, and when events were lost."""
        self._renewals += 1
        with self._lock:
            self._tree.renew()
            self._listings.clear()
            self._lacking.clear()
            self._denied.clear()
            self._children.clear()
        for root in self._roots:
            if "" not in self._states[root].lost:
                self._cover(TOP, root, root, "")
        with self._lock:
            stale = self._tree.renewed()
            self._files.difference_update(stale)
        self._unwatch(stale)
        for root in self._roots:
            if "" not in self._states[root].lost:
                self._hints.put(
                    Hint(root, "", What.FOLDER if self._renewals == 1 else What.OVERFLOW, folder=True)
                )
        self._tell_lacking()
        self.covered.set()

    def _unwatch(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            if number > 0 and self._reader is not None:
                self._reader.unwatch(number)

    def _cover(self, parent: int, name: str, root: str, below: str) -> None:
        """Put a watch on a folder of a share and on all below it, each before it is listed."""
        numbers: dict[str, int] = {}
        lost = self._states[root].lost
        real = os.path.realpath(root)

        def enter(folder: Folder) -> bool:
            if folder.relative in lost or self._stopped:
                return False
            above, _, own = folder.relative.rpartition("/")
            at = folder.relative == below
            above_it, its_name = (parent, name) if at else (numbers[above], own)
            number = self._attach(above_it, its_name, folder, _join(real, folder.relative))
            if number is None:
                return False
            # Folders come depth first: what is not above this one will not be asked for again.
            while numbers and not _is_above(next(reversed(numbers)), folder.relative):
                numbers.popitem()
            numbers[folder.relative] = number
            return True

        for entry in Walk(root, self._exclude, files=False, lost=lambda: lost).run(below, enter=enter):
            if self._stopped:
                return
            if isinstance(entry, Found):
                above, _, own = entry.relative.rpartition("/")
                self._attach_file(parent if entry.relative == below else numbers[above], own, root, entry)
            elif isinstance(entry, Outcome) and entry.gaps[0].reason is Reason.PERMISSION:
                above, _, own = entry.path.rpartition("/")
                if above in numbers:
                    with self._lock:
                        self._denied.add((numbers[above], own))

    def _attach(self, parent: int, name: str, folder: Folder, real: str) -> int | None:
        """Watch one folder, or poll it; None where it is not there any more.

        Args:
            parent: number of the folder above.
            name: of the folder in that.
            folder: as the walk came to it.
            real: its path, where no link leads to it.
        """
        mount = mount_of(os.path.realpath(folder.path) if folder.linked else real, self._mounts)
        if self._reader is None or (mount is not None and mount.is_kind(self._polled_kinds)):
            return self._attach_polled(parent, name, folder, lacking=False)
        with self._lock:
            try:
                number = self._reader.watch(
                    os.fsencode(folder.path), follow=folder.is_link or not folder.relative
                )
            except OSError as error:
                reason = error.errno
            else:
                self._tree.add(number, parent, name, link=folder.is_link)
                if parent < 0:
                    self._children[parent, name] = number
                return number
        if reason in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG):
            return None
        if reason == errno.EACCES:
            with self._lock:
                self._denied.add((parent, name))
            return None
        return self._attach_polled(parent, name, folder, lacking=True)

    def _attach_polled(self, parent: int, name: str, folder: Folder, *, lacking: bool) -> int | None:
        listing = look(folder.path)
        if listing is None:
            return None
        with self._lock:
            number = self._children.get((parent, name), 0)
            if number >= 0:
                number, self._next_number = self._next_number, self._next_number - 1
            self._tree.add(number, parent, name, link=folder.is_link)
            self._children[parent, name] = number
            self._listings[number] = listing
            if lacking:
                self._lacking.add(number)
        return number

    def _attach_file(self, parent: int, name: str, root: str, entry: Found) -> None:
        """Watch the file that a link leads to: what is done to it is told where it lies, not at the link."""
        path = _join(root, entry.relative)
        if self._reader is None or not os.path.islink(path):
            return
        with self._lock:
            try:
                number = self._reader.watch(os.fsencode(path), folder=False, follow=True)
            except OSError:
                return  # the reconciling walk looks at it
            self._tree.add(number, parent, name)
            self._tree.linked[parent, name] = number
            self._files.add(number)

    def _arrived(self, parent: int, name: str) -> None:
        """A folder, or a link, came to be in a folder that is watched."""
        with self._lock:
            places = self._tree.paths(parent, name) if parent in self._tree else []
        if not places:
            return
        root, path = places[0]
        if self._exclude and _is_excluded(path, self._exclude):
            return
        self._cover(parent, name, root, path)
        self._tell(places, What.FOLDER, folder=True)
        self._tell_lacking()

    def _recheck(self, number: int, places: Sequence[Place], *, is_file: bool) -> None:
        """A folder was moved, or what a link shows: drop the places where it does not lie any more."""
        roots = False
        for place in places:
            parent, name = place
            roots = roots or parent == TOP
            with self._lock:
                path = [(name, "")] if parent == TOP else self._tree.paths(parent, name)
                lies = bool(path) and self._watches(path[0], number, folder=not is_file)
                if not lies:
                    self._tree.remove_place(number, place)
                    self._children.pop(place, None)
                    self._renew = self._renew or parent == TOP  # another folder may be the share now
            if is_file and path and not lies:
                self._arrived(parent, name)  # another file may lie at the link's end now
        if roots:
            self._look_at_shares()
        if number not in self._tree:
            self._unwatch([number])
            self._loose = True

    def _prune(self) -> None:
        """Drop what lay in folders that went out of the share."""
        self._loose = False
        with self._lock:
            gone = self._tree.prune()
            self._files.difference_update(gone)
            for each in gone:
                self._listings.pop(each, None)
                self._lacking.discard(each)
            lost = set(gone)
            for place in [place for place, each in self._children.items() if each in lost]:
                del self._children[place]
        self._unwatch(gone)

    def _watches(self, place: tuple[str, str], number: int, *, folder: bool) -> bool:
        if self._reader is None:
            return False
        try:
            found = self._reader.watch(os.fsencode(_join(*place)), folder=folder, follow=True)
        except OSError:
            return False
        if found != number and found not in self._tree:
            self._reader.unwatch(found)
        return found == number

    # -- polling --

    def _poll(self) -> None:
        """Look at every folder that has no watch, and at shares that are away."""
        started = self._clock()
        if any(state.presence is not Presence.THERE for state in self._states.values()):
            self._look_at_shares()
        self._retry(started)
        if self._denied:
            with self._lock:
                denied, self._denied = self._denied, set()
            for place in denied:
                self._retry_denied(place)
        for number in list(self._listings):
            if self._stopped:
                return
            self._work()
            self._poll_folder(number)
        now = self._clock()
        self._pass_seconds = now - started
        self._poll_at = now + max(self._poll_seconds, self._pass_seconds * _REST)

    def _poll_folder(self, number: int) -> None:
        with self._lock:
            before = self._listings.get(number)
            places = self._tree.paths(number)
            if before is not None and not places:  # what it lay in is gone, and was told
                self._dropped(number)
                self._listings.pop(number)
                self._lacking.discard(number)
        if before is None or not places:
            return
        now = look(_join(*places[0]))
        if now is None:
            self._poll_gone(number, places)
            return
        if now.digest == before.digest:
            return
        with self._lock:
            if number in self._listings:
                self._listings[number] = now
            new = [name for name in now.folders if (number, name) not in self._children]
        self._tell(places, What.LISTING, folder=True)
        for name in new:
            self._arrived(number, name)
        if now.folders != before.folders:
            for name in set(now.folders) & set(before.folders):
                if now.folders[name] != before.folders[name]:  # another folder under the same name
                    self._arrived(number, name)

    def _poll_gone(self, number: int, places: list[tuple[str, str]]) -> None:
        states = [self.shares.check(root) for root, _ in places]
        if any(
            path == lost or _is_above(lost, path)
            for state, (_, path) in zip(states, places, strict=True)
            for lost in state.lost
        ):
            self._look_at_shares()
            return
        with self._lock:
            self._dropped(number)
            self._listings.pop(number, None)
            self._lacking.discard(number)
        self._tell(places, What.DELETED, folder=True)

    def _retry(self, now: float) -> None:
        """Go through all watches anew when there may be enough of them now."""
        if self._reader is None and self._wants_events and now >= self._retry_at:
            self._retry_at = now + _RETRY_SECONDS
            if self._listen() is None:
                with self._lock:
                    self._renew = True
                detail = "inotify gives events again"
                for root in self._roots:
                    self._hints.put(Hint(root, "", What.DEGRADED, detail=detail))
        if not self._lacking:
            return
        limit = _limit()
        if limit != self._limit or (now >= self._retry_at and self._could_watch()):
            with self._lock:
                self._renew = True
        if limit != self._limit or now >= self._retry_at:
            self._limit, self._retry_at = limit, now + _RETRY_SECONDS

    def _could_watch(self) -> bool:
        """Whether watches are to be had again: tried with some of the folders that lack one."""
        taken: list[int] = []
        with self._lock:
            some = list(self._lacking)[:_SOME]
            paths = [place for number in some for place in self._tree.paths(number)[:1]]
        try:
            for place in paths:
                with suppress(FileNotFoundError, NotADirectoryError):
                    taken.append(self._reader.watch(os.fsencode(_join(*place)))) if self._reader else None
        except OSError:
            return False
        finally:
            self._unwatch(taken)
        return True

    def _retry_denied(self, place: Place) -> None:
        with self._lock:
            paths = self._tree.paths(*place)
        if paths and os.access(_join(*paths[0]), os.R_OK | os.X_OK):
            self._arrived(*place)
        elif paths:
            with self._lock:
                self._denied.add(place)

    def _tell_lacking(self) -> None:
        """Say how many folders have no watch, when that is another number than before."""
        lacking = len(self._lacking)
        if lacking == self._told_lacking:
            return
        if not self._told_lacking:
            self._limit, self._retry_at = _limit(), self._clock() + _RETRY_SECONDS
        self._told_lacking = lacking
        needed = len(self._tree)
        detail = "every folder has a watch again"
        if lacking:
            detail = (
                f"{lacking} of {needed} folders have no watch and are looked at every {self._poll_seconds:g} "
                f"seconds: fs.inotify.max_user_watches is {_limit() or 'not known'}; it should be over "
                f"{needed}, for this program alone (sysctl -w fs.inotify.max_user_watches={needed * 2})"
            )
        for root in self._roots:
            self._hints.put(Hint(root, "", What.DEGRADED, detail=detail))


def _limit() -> str:
    try:
        return WATCHES.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _join(root: str, path: str) -> str:
    return f"{root.rstrip('/')}/{path}" if path else root


def _is_link(places: list[tuple[str, str]]) -> bool:
    try:
        return bool(places) and stat.S_ISLNK(os.lstat(_join(*places[0])).st_mode)
    except OSError:
        return False


def _is_above(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _is_excluded(path: str, patterns: Sequence[str]) -> bool:
    ends = [at for at, char in enumerate(path) if char == "/"]
    return any(excluded_by(path[:end], patterns) for end in [*ends, len(path)])


def _meaning(mask: int, *, is_file: bool) -> What | None:
    """What an event says of its name; None where it is said by another event, or of no interest."""
    if is_file:
        return What.CLOSED if mask & Bit.CLOSE_WRITE else What.WRITTEN
    if mask & Bit.ISDIR:
        if mask & (Bit.CREATE | Bit.MOVED_TO):
            return What.FOLDER
        if mask & Bit.DELETE:
            return What.DELETED
        return What.MOVED_OUT if mask & Bit.MOVED_FROM else None
    for bit, what in (
        (Bit.CLOSE_WRITE, What.CLOSED),
        (Bit.MOVED_TO, What.MOVED_IN),
        (Bit.MOVED_FROM, What.MOVED_OUT),
        (Bit.DELETE, What.DELETED),
        (Bit.CREATE | Bit.MODIFY, What.WRITTEN),
        (Bit.ATTRIB, What.ATTRIBUTES),
    ):
        if mask & bit:
            return what
    return None


__all__ = ["POLL_SECONDS", "Figures", "Watcher"]
