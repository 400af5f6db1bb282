"""What is mounted where, and whether a share is there at all.

An unmounted share looks like an empty folder. Whoever takes that for a deletion ends a million exposures that
go on, so a share's mounts are remembered, and a place whose mount is away is *lost*: it is not walked,
nothing in it counts as gone, and somebody is told.

The kernel's table is `/proc/self/mountinfo` (proc(5)); it wakes who polls it when it changes, so that nothing
here needs to look at intervals.
"""

# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import os
import re
import select
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from scanner.sources.answering import ANSWER_SECONDS, Answering

MOUNTINFO = "/proc/self/mountinfo"
#: File systems that others write to without this kernel's knowing, so that inotify stays silent (inotify(7),
#: "Limitations and caveats"). A type also stands for its subtypes (``fuse`` for ``fuse.sshfs``).
REMOTE = frozenset(
    (
        *("9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse", "gfs2", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "pvfs2", "smb3", "smbfs", "virtiofs"),
        *("vboxsf", "vmhgfs"),
    )
)
_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mount(NamedTuple):
    """A mounted file system; plain text, so that it can be kept from one start to the next.

    Attributes:
        point: absolute path that it is mounted on.
        kind: type of the file system (``ext4``, ``nfs4``, ``fuse.sshfs``).
        source: device or server it comes from.
        subpath: folder of the file system that is mounted; ``/`` for all of it.
    """

    point: str
    kind: str
    source: str
    subpath: str = "/"

    def is_kind(self, kinds: Collection[str]) -> bool:
        """True where it is of one of these types, or of a subtype of one."""
        return self.kind in kinds or self.kind.partition(".")[0] in kinds


def parse_mounts(table: bytes) -> tuple[Mount, ...]:
    """The mounts in the text of `/proc/self/mountinfo`; of several on one point the topmost only."""
    mounts: dict[str, Mount] = {}
    for line in table.splitlines():
        before, _, after = line.partition(b" - ")
        left, right = before.split(b" "), after.split(b" ")
        if len(left) < 5 or len(right) < 2:
            continue
        point = _unescaped(left[4])
        mounts.pop(point, None)
        mounts[point] = Mount(point, _unescaped(right[0]), _unescaped(right[1]), _unescaped(left[3]))
    return tuple(mounts.values())


def _unescaped(text: bytes) -> str:
    return os.fsdecode(_ESCAPE.sub(lambda found: bytes([int(found[1], 8) & 255]), text))


class MountTable:
    """The kernel's table of mounts, read again only when it has changed.

    Args:
        path: of the table.
    """

    def __init__(self, path: str = MOUNTINFO) -> None:
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 # kept open: it is polled
        self._poller = select.poll()
        self._poller.register(self._file, select.POLLPRI | select.POLLERR)
        self._lock = threading.Lock()
        self._mounts: tuple[Mount, ...] | None = None

    def fileno(self) -> int:
        """To be polled for `POLLPRI`, by one that then calls `reread`: a change is told to one poll only."""
        return self._file.fileno()

    def reread(self) -> None:
        """Believe nothing that was read before."""
        with self._lock:
            self._mounts = None

    def changed(self) -> bool:
        """True once after each change that nobody else's poll was told of."""
        with self._lock:
            return self._changed()

    def _changed(self) -> bool:
        changed = bool(self._poller.poll(0))
        if changed:
            self._mounts = None
        return changed

    def mounts(self) -> tuple[Mount, ...]:
        """What is mounted now."""
        with self._lock:
            self._changed()
            if self._mounts is None:
                self._file.seek(0)
                self._mounts = parse_mounts(self._file.readall())
            return self._mounts

    def close(self) -> None:
        """Let go of the table."""
        self._file.close()


def mount_of(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that a path without links lies on; None where the table does not know."""
    found = [mount for mount in mounts if _lies_in(path, mount.point)]
    return max(found, key=lambda mount: len(mount.point), default=None)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


class Presence(StrEnum):
    """Whether a share is there."""

    THERE = "there"
    PARTLY = "partly"  # a file system inside it is not mounted
    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNMOUNTED = "unmounted"
    EMPTIED = "emptied"


@dataclass(frozen=True, slots=True)
class ShareState:
    """Whether a share is there, and which parts of it are not.

    Attributes:
        root: absolute path, as given.
        presence: of the whole.
        lost: places below the root that nothing can be said of now; ``("",)`` for all of it.
        detail: one sentence for a person; empty where all is well.
    """

    root: str
    presence: Presence
    lost: tuple[str, ...] = ()
    detail: str = ""


class Shares:
    """Knows which mounts the shares were made of, and says what of them is away.

    Args:
        roots: absolute paths of the shares.
        remembered: for each root what `remembered` gave before, from an earlier run too.
        filled: roots that files are known of: such a root that is empty, with nothing remembered of its
            mounts, is taken for one that is not mounted.
        table: the kernel's table; one of its own by default.
        answer_seconds: after how long a file system of a network that does not answer counts as away.
    """

    def __init__(
        self,
        roots: Sequence[str],
        *,
        remembered: Mapping[str, Sequence[Sequence[str]]] | None = None,
        filled: Collection[str] = (),
        table: MountTable | None = None,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._table = table or MountTable()
        self._lock = threading.Lock()
        self._filled = set(filled)
        self._expected = {root: dict[str, Mount]() for root in roots}
        for root, mounts in (remembered or {}).items():
            if root in self._expected:
                self._expected[root] = {str(mount[0]): Mount(*mount) for mount in mounts}
        self._identity: dict[str, tuple[int, int]] = {}
        self._states: dict[str, ShareState] = {}
        self._answering = Answering(answer_seconds)
        self._real: dict[str, str] = {}
        #: Folders of each share to ask: what a network brings.
        self._remote: dict[str, tuple[str, ...]] = {}

    def check(self, root: str) -> ShareState:
        """Look at a share now. What is newly mounted in it is remembered from here on."""
        with self._lock:
            return self._check(root)

    def lost(self, root: str) -> tuple[str, ...]:
        """The places of a share that are away now; cheap where nothing has changed since the last look."""
        with self._lock:
            if any(self._answering.fault(folder) for folder in self._remote.get(root, ())):
                return self._check(root).lost
            try:
                found = os.stat(root)
            except OSError:
                return self._check(root).lost
            state = self._states.get(root)
            if state is None or state.lost or self._identity.get(root) != (found.st_dev, found.st_ino):
                return self._check(root).lost
            return self._check(root).lost if self._table.changed() else ()

    def remembered(self, root: str) -> tuple[Mount, ...]:
        """What to keep and give to the next run."""
        with self._lock:
            return tuple(sorted(self._expected[root].values()))

    def accept(self, root: str) -> ShareState:
        """Take what is there now for the whole share: the mounts that are away are not coming back."""
        with self._lock:
            self._expected[root] = {}
            self._filled.discard(root)
            self._identity.pop(root, None)
            return self._check(root)

    def close(self) -> None:
        """Let go of the kernel's table."""
        self._table.close()

    def _check(self, root: str) -> ShareState:
        state = self._look(root)
        self._identity.pop(root, None)
        if state.presence in (Presence.THERE, Presence.PARTLY):
            with suppress(OSError):  # gone since; the next look says so
                found = os.stat(root)
                self._identity[root] = (found.st_dev, found.st_ino)
        self._states[root] = state
        return state

    def _look(self, root: str) -> ShareState:
        mounts = self._table.mounts()
        points = {mount.point: mount for mount in mounts}
        expected = self._expected[root]
        faults = self._faults(root, mounts)
        if "" in faults:
            return ShareState(root, Presence.UNREADABLE, ("",), f"the share {root} {faults['']}")
        if root not in self._real:
            self._real[root] = os.path.realpath(root)
            faults = self._faults(root, mounts)
        real = self._real[root] = os.path.realpath(root)
        away = [point for point in expected if point not in points]
        for point in away:
            if _lies_in(real, point):
                detail = f"{expected[point].kind} is not mounted on {point}, where the share {root} lies"
                return ShareState(root, Presence.UNMOUNTED, ("",), detail)
        try:
            with os.scandir(root) as entries:
                empty = next(entries, None) is None
        except FileNotFoundError:
            return ShareState(root, Presence.MISSING, ("",), f"the share {root} is not there")
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            return ShareState(root, Presence.UNREADABLE, ("",), f"the share {root} cannot be read: {reason}")
        if empty and self._is_suspicious(root, mount_of(real, mounts)):
            detail = f"the share {root} had files and now is an empty folder of another file system"
            return ShareState(root, Presence.EMPTIED, ("",), detail)
        self._remember(root, real, mounts)
        below = sorted(os.path.relpath(point, real) for point in away if _lies_in(point, real))
        if not below and not faults:
            return ShareState(root, Presence.THERE)
        details = [f"not mounted in the share {root}: {', '.join(below)}"] if below else []
        details += [f"{place} in the share {root} {fault}" for place, fault in sorted(faults.items())]
        return ShareState(root, Presence.PARTLY, tuple(sorted({*below, *faults})), "; ".join(details))

    def _faults(self, root: str, mounts: Iterable[Mount]) -> dict[str, str]:
        """What is wrong with file systems of a network, by place; the empty one is the whole share.

        Until it was seen once where a share's links lead, a share itself is asked before anything else is.
        """
        remote = [mount.point for mount in mounts if mount.is_kind(REMOTE)]
        real = self._real.get(root)
        below = [] if real is None else [p for p in remote if p != real and _lies_in(p, real)]
        whole = bool(remote) and (real is None or any(_lies_in(real, point) for point in remote))
        self._remote[root] = (*([root] if whole else []), *below)
        if whole and (fault := self._answering.fault(root)):
            return {"": fault}
        found = {point: self._answering.fault(point) for point in below}
        return {os.path.relpath(p, real): fault for p, fault in found.items() if fault is not None}

    def _is_suspicious(self, root: str, mount: Mount | None) -> bool:
        expected = self._expected[root]
        if not expected:
            return root in self._filled
        return mount is not None and expected.get(mount.point) != mount

    def _remember(self, root: str, real: str, mounts: Iterable[Mount]) -> None:
        expected = self._expected[root]
        base = mount_of(real, mounts)
        for mount in mounts:
            if mount == base or (mount.point != real and _lies_in(mount.point, real)):
                expected[mount.point] = mount


__all__ = [
    "REMOTE",
    "Mount",
    "MountTable",
    "Presence",
    "ShareState",
    "Shares",
    "mount_of",
    "parse_mounts",
]
