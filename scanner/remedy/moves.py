"""Files moved so that they are never in two places, never in none, and never over something else.

On one file system a move is a link to the new name and the removal of the old one; from one to another it is
a synced copy under a hidden name, the same link, and the removal. Whatever the process dies between, the file
is whole at one of its places at least, and a note tells which.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scanner.remedy.faults import RemedyError

_BLOCK = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def digest(path: Path) -> str:
    """The hex SHA-256 of a plain file; links are not followed.

    Raises:
        RemedyError: it is no plain file.
        OSError: it cannot be read.
    """
    with _plain(path) as handle:
        return _digest(handle)


@contextmanager
def _plain(path: Path) -> Iterator[int]:
    try:
        handle = os.open(path, _OPEN)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RemedyError(f"{path} is a link; links are not followed") from None
        raise
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise RemedyError(f"{path} is not a plain file")
        yield handle
    finally:
        os.close(handle)


def _digest(handle: int) -> str:
    found = hashlib.sha256()
    position = 0
    while block := os.pread(handle, _BLOCK, position):
        found.update(block)
        position += len(block)
    return found.hexdigest()


def move(source: Path, target: Path, sha256: str, *, like: os.stat_result | None = None) -> None:
    """Move a plain file to a name that is not taken.

    Args:
        source: the file.
        target: its new place; the folder must exist.
        sha256: what it must hold.
        like: mode, owner and times it gets; those it has where left out.

    Raises:
        RemedyError: it is no plain file, holds something else, or the name is taken.
        OSError: it cannot be moved.
    """
    with _plain(source) as handle:
        state = os.fstat(handle)
        if _digest(handle) != sha256:
            raise RemedyError(f"{source} was changed meanwhile; it stays where it is")
        try:
            _link(source, target, state)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK):
                raise
            _copy(handle, target, state)
        if like is not None:
            _dress(target, like)
        sync(target.parent)
        try:
            if digest(target) != sha256:
                raise RemedyError(f"{source} was changed while it was moved; it stays where it is")
            if _same(source, state):
                source.unlink()
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    sync(source.parent)


def _link(source: Path, target: Path, state: os.stat_result) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise RemedyError(f"{target} is there already") from None
    if not _same(target, state):
        target.unlink()
        raise RemedyError(f"{source} was replaced meanwhile; it stays where it is")


def _same(path: Path, state: os.stat_result) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (state.st_dev, state.st_ino)


def _copy(handle: int, target: Path, state: os.stat_result) -> None:
    draft = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    out = os.open(draft, flags, 0o600)
    try:
        position = 0
        while block := os.pread(handle, _BLOCK, position):
            view = memoryview(block)
            while view:
                view = view[os.write(out, view) :]
            position += len(block)
        os.fsync(out)
        _dress(draft, state)
        try:
            os.link(draft, target, follow_symlinks=False)
        except FileExistsError:
            raise RemedyError(f"{target} is there already") from None
    finally:
        os.close(out)
        draft.unlink(missing_ok=True)


def _dress(path: Path, state: os.stat_result) -> None:
    """Give a file the owner, mode and times of another, the owner where this user may."""
    mode = stat.S_IMODE(state.st_mode)
    try:
        os.chown(path, state.st_uid, state.st_gid, follow_symlinks=False)
    except PermissionError:
        # What another owner's file may do beyond its mode is not for this user to give.
        mode &= 0o777
    path.chmod(mode)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns), follow_symlinks=False)


def sync(folder: Path) -> None:
    """Put a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_new(path: Path, text: str, mode: int) -> None:
    """A file that is there whole or not at all, under a name that is not taken.

    Raises:
        RemedyError: the name is taken.
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        draft.chmod(mode)
        os.link(draft, path)
    except FileExistsError:
        raise RemedyError(f"{path} is there already") from None
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)


def within(root: Path, path: Path) -> Path:
    """A path below a root, none of whose folders is a link.

    Raises:
        RemedyError: it leads out of the root, or through a link.
    """
    root = Path(os.path.abspath(root))  # noqa: PTH100 # links must stay to be seen
    whole = Path(os.path.abspath(path))  # noqa: PTH100
    if not whole.is_relative_to(root) or whole == root:
        raise RemedyError(f"{path} does not lie below {root}")
    step = root
    for part in whole.relative_to(root).parts[:-1]:
        step = step / part
        if step.is_symlink():
            raise RemedyError(f"{step} is a link; links are not followed")
    return whole
