"""The files below one or more roots, in the same order every time, without opening any.

What is there but cannot be an item (a folder that may not be listed, a socket, a loop of links) comes out as
an `Outcome` with its gap, so that nothing is passed over in silence.

Links: what a share serves at a path is what its link points to. A link to a file is therefore an item at the
link's own path, wherever the file lies. A link to a folder is followed where the folder lies inside the root,
once: not in a loop, and not from within another linked folder. A folder outside the root is not followed:
it may be anything.
"""

# ruff: noqa: PTH100, PTH114, PTH116, PTH119
# Paths are plain strings here: a share has millions, and a name that is not UTF-8 must pass unchanged.

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from scanner.model import Gap, ItemRef, Outcome, Reason, Stage, Status

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


class RootError(ValueError):
    """What was to be walked is not there. ``problems`` has one sentence for each root."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that a walk has come to.

    Attributes:
        path: absolute path.
        relative: the same below the root; empty for the root itself.
        above: device and inode of it and of every folder that leads to it.
        linked: reached through a link to a folder.
        is_link: is such a link itself.
    """

    path: str
    relative: str
    above: frozenset[tuple[int, int]]
    linked: bool = False
    is_link: bool = False


class Found(NamedTuple):
    """A regular file that a walk has come to: its path below the root, and what the system says of it."""

    relative: str
    status: os.stat_result


Entry = Folder | Found | Outcome


def walk(roots: Sequence[str | os.PathLike[str]], exclude: Sequence[str] = ()) -> Iterator[ItemRef | Outcome]:
    """Every file below the roots, and an outcome for everything that is none.

    Args:
        roots: folders, or single files (whose path is then their name). A root given twice counts once.
        exclude: glob patterns as `excluded_by` reads them; a folder that is excluded is one outcome.

    Returns:
        Items and outcomes in byte order of their paths below the root.

    Raises:
        RootError: a root is missing; all that are missing are listed. Raised before the first item.
    """
    distinct = list(dict.fromkeys(os.path.abspath(os.fspath(root)) for root in roots))
    problems = [problem for root in distinct if (problem := _problem(root)) is not None]
    if problems:
        raise RootError(problems)
    return _walk(distinct, tuple(exclude))


def _problem(root: str) -> str | None:
    try:
        os.stat(root)
    except (FileNotFoundError, NotADirectoryError):
        return f"{root}: no such file or folder"
    except OSError as error:
        return f"{root}: cannot be read: {error.strerror}"
    return None


def _walk(roots: Iterable[str], exclude: tuple[str, ...]) -> Iterator[ItemRef | Outcome]:
    for root in roots:
        try:
            found = os.stat(root)
        except OSError as error:
            yield failed(os.path.basename(root), error)
            continue
        if stat.S_ISDIR(found.st_mode):
            yield from _items(root, Walk(root, exclude).run())
        else:
            parent, name = os.path.split(root)
            yield from _items(parent, [_file(name, found)])


def _items(root: str, entries: Iterable[Entry]) -> Iterator[ItemRef | Outcome]:
    for entry in entries:
        if isinstance(entry, Found):
            yield ItemRef(root, entry.relative, entry.status.st_size)
        elif isinstance(entry, Outcome):
            yield entry


class Walk:
    """A walk below one root: the one place that says what belongs to a share.

    Args:
        root: absolute path of a folder.
        exclude: as for `walk`.
        files: False passes over regular files without asking the system about them; links stay.
        lost: the places below the root whose file system is away, asked before each folder is listed. They
            are given as folders without asking the system, which may not answer; ``enter`` must refuse them.
    """

    def __init__(
        self,
        root: str,
        exclude: Sequence[str] = (),
        *,
        files: bool = True,
        lost: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._root = root
        self._real = os.path.realpath(root)
        self._exclude = tuple(exclude)
        self._files = files
        self._lost = lost
        self._away: Collection[str] = ()

    def run(
        self, below: str = "", *, deep: bool = True, enter: Callable[[Folder], bool] = lambda _: True
    ) -> Iterator[Entry]:
        """Everything at and below a place of the root.

        A folder comes before it is listed, so that a caller who watches it first misses nothing. Names are
        held a folder at a time, and each is looked at when its turn comes.

        Args:
            below: path below the root to start at; empty for the root.
            deep: False gives the entries of that one folder, its folders unlisted.
            enter: asked before a folder is listed, after it was given; False passes it over.
        """
        start = self.at(below)
        yield start
        if not isinstance(start, Folder) or not enter(start):
            return
        # A stack rather than recursion: folders may nest deeper than Python.
        stack = [self._open(start)]
        while stack:
            folder, names, problem = stack[-1]
            if problem is not None:
                yield problem
            if not names:
                stack.pop()
                continue
            entry = self._entry(folder, os.fsdecode(names.pop().removesuffix(b"/")))
            yield entry
            if deep and isinstance(entry, Folder) and enter(entry):
                stack.append(self._open(entry))

    def at(self, relative: str) -> Entry:
        """What lies at a path below the root, by the same rules as a walk would come to it."""
        try:
            found = os.stat(self._root)
        except OSError as error:
            return failed(".", error)
        folder = Folder(self._root, "", frozenset({_identity(found)}))
        self._away = self._lost()
        for name in relative.split("/") if relative else ():
            entry = self._entry(folder, name)
            if isinstance(entry, Found) and entry.relative != relative:
                return failed(relative, NotADirectoryError(errno.ENOTDIR, ""))
            if not isinstance(entry, Folder):
                return entry
            folder = entry
        return folder

    def _open(self, folder: Folder) -> tuple[Folder, list[bytes], Outcome | None]:
        self._away = self._lost()
        try:
            with os.scandir(folder.path) as entries:
                names = [_key(entry) for entry in entries if self._files or _may_lead_on(entry)]
        except OSError as error:
            return folder, [], failed(folder.relative or ".", error)
        names.sort(reverse=True)
        return folder, names, None

    def _entry(self, folder: Folder, name: str) -> Entry:
        relative = f"{folder.relative}/{name}" if folder.relative else name
        path = f"{folder.path}/{name}"
        pattern = excluded_by(relative, self._exclude)
        if pattern is not None:
            return _gap(relative, Reason.EXCLUDED, f"excluded by the pattern {pattern!r}")
        if relative in self._away:
            return Folder(path, relative, folder.above, folder.linked)
        try:
            found = os.lstat(path)
            link = stat.S_ISLNK(found.st_mode)
            if link:
                found = os.stat(path)
        except OSError as error:
            return failed(relative, error, link=os.path.islink(path))
        if not stat.S_ISDIR(found.st_mode):
            return _file(relative, found)
        if link:
            return self._linked(folder, path, relative, found)
        return self._below(folder, path, relative, found)

    def _below(
        self, folder: Folder, path: str, relative: str, found: os.stat_result, *, linked: bool = False
    ) -> Folder | Outcome:
        identity = _identity(found)
        if identity in folder.above:
            # Only a link or a bind mount leads back up; what it leads to is part of this walk already.
            return _gap(relative, Reason.EXCLUDED, "leads back to a folder that it lies in; read there")
        return Folder(path, relative, folder.above | {identity}, linked or folder.linked, linked)

    def _linked(self, folder: Folder, path: str, relative: str, found: os.stat_result) -> Folder | Outcome:
        if _identity(found) in folder.above:
            return self._below(folder, path, relative, found)
        target = os.path.realpath(path)
        if os.path.commonpath((self._real, target)) != self._real:
            detail = (
                "a link to a folder outside the scanned root, which is not followed: scan that folder too"
            )
            return _gap(relative, Reason.UNSUPPORTED, detail)
        if folder.linked:
            detail = (
                "a link to a folder, inside a folder that is reached by a link itself: not followed again"
            )
            return _gap(relative, Reason.TOO_DEEP, detail)
        return self._below(folder, path, relative, found, linked=True)


def _key(entry: os.DirEntry[str]) -> bytes:
    """What names sort by: a folder's with the slash that its files' paths go on with."""
    try:
        folder = entry.is_dir()
    except OSError:  # a link that leads back to itself
        folder = False
    return os.fsencode(entry.name) + (b"/" if folder else b"")


def _may_lead_on(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() or entry.is_dir(follow_symlinks=False)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _file(relative: str, found: os.stat_result) -> Found | Outcome:
    if stat.S_ISREG(found.st_mode):
        return Found(relative, found)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no ordinary file")
    return _gap(relative, Reason.UNSUPPORTED, f"is {kind}, which is never opened")


def failed(relative: str, error: OSError, *, link: bool = False) -> Outcome:
    """The outcome of what the system would not show."""
    if isinstance(error, PermissionError):
        return _gap(relative, Reason.PERMISSION, "may not be listed by this user")
    if link and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return _gap(relative, Reason.VANISHED, "a link to something that is not there")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return _gap(relative, Reason.VANISHED, "was there when its folder was listed and is gone")
    if error.errno == errno.ELOOP:
        return _gap(relative, Reason.TOO_DEEP, "a link that leads back to itself")
    if error.errno == errno.ENAMETOOLONG:
        return _gap(relative, Reason.TOO_DEEP, "lies deeper than the system can open a path")
    return _gap(relative, Reason.CORRUPT, f"cannot be listed: {os.strerror(error.errno or errno.EIO)}")


def _gap(relative: str, reason: Reason, detail: str) -> Outcome:
    gap = Gap(Stage.LIST, reason, detail)
    return Outcome(relative, None, "unknown", 0, None, Status.UNSCANNED, (gap,))


def excluded_by(relative: str, patterns: Sequence[str]) -> str | None:
    """The first pattern that excludes a path, None where none does.

    ``*`` and ``?`` stay within one name, ``**`` goes over any number of folders, ``[…]`` is a set of
    characters. A pattern without ``/`` holds for a name at any depth; ``folder/`` and ``folder/**`` mean the
    folder with all that is in it.
    """
    for pattern in patterns:
        if _compiled(pattern).fullmatch(relative):
            return pattern
    return None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    wanted = pattern.removesuffix("/**").rstrip("/")
    anywhere = "/" not in wanted
    wanted = wanted.lstrip("/")
    parts: list[str] = ["(?:.*/)?" if anywhere else ""]
    at = 0
    while at < len(wanted):
        token, at = _token(wanted, at)
        parts.append(token)
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error:  # a set such as [z-a]: it can only mean itself
        return re.compile(re.escape(pattern), re.DOTALL)


def _token(pattern: str, at: int) -> tuple[str, int]:
    """The next piece of a glob as a regular expression, and where the piece after it starts."""
    if pattern.startswith("**/", at):
        return "(?:.*/)?", at + 3
    if pattern.startswith("**", at):
        return ".*", at + 2
    char = pattern[at]
    if char == "*":
        return "[^/]*", at + 1
    if char == "?":
        return "[^/]", at + 1
    end = pattern.find("]", at + 2) if char == "[" else -1
    if end < 0:
        return re.escape(char), at + 1
    inside = pattern[at + 1 : end].replace("\\", r"\\").replace("[", r"\[")
    if inside.startswith(("!", "^")):
        return f"[^/{inside[1:]}]", end + 1
    return f"[{inside}]", end + 1


__all__ = ["Entry", "Folder", "Found", "RootError", "Walk", "excluded_by", "failed", "walk"]
