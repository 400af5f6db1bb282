"""The files below one or more roots, in the same order every time, without opening any.

What is there but cannot be an item (a folder that may not be listed, a socket, a loop of links) comes out as
an `Outcome` with its gap, so that nothing is passed over in silence.

Links: what a share serves at a path is what its link points to. A link to a file is therefore an item at the
link's own path, wherever the file lies. A link to a folder is followed where the folder lies inside the root,
once: not in a loop, and not from within another linked folder. A folder outside the root is not followed:
it may be anything.
"""

# ruff: noqa: PTH100, PTH114, PTH116, PTH118, PTH119, PTH208
# Paths are plain strings here: a share has millions, and a name that is not UTF-8 must pass unchanged.

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

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
class _Folder:
    """A folder to list: its path, the same relative to the root, and the folders that lead to it."""

    path: str
    relative: str
    above: frozenset[tuple[int, int]]
    linked: bool = False


def walk(roots: Sequence[str | os.PathLike[str]], exclude: Sequence[str] = ()) -> Iterator[ItemRef | Outcome]:
    """Every file below the roots, and an outcome for everything that is none.

    Args:
        roots: folders, or single files (whose path is then their name). A root given twice counts once.
        exclude: glob patterns as `excluded_by` reads them; a folder that is excluded is one outcome.

    Returns:
        Items and outcomes in byte order of their names, folder by folder; depth first.

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
            yield _failed(os.path.basename(root), error)
            continue
        if stat.S_ISDIR(found.st_mode):
            yield from _Walk(root, exclude).run(found)
        else:
            parent, name = os.path.split(root)
            yield _item(parent, name, found)


class _Walk:
    """One root's walk."""

    def __init__(self, root: str, exclude: tuple[str, ...]) -> None:
        self._root = root
        self._real = os.path.realpath(root)
        self._exclude = exclude

    def run(self, found: os.stat_result) -> Iterator[ItemRef | Outcome]:
        """Everything below the root. A stack rather than recursion: folders may nest deeper than Python."""
        pending: list[_Folder | ItemRef | Outcome] = [_Folder(self._root, "", frozenset({_identity(found)}))]
        while pending:
            entry = pending.pop()
            if isinstance(entry, _Folder):
                pending.extend(reversed(self._list(entry)))
            else:
                yield entry

    def _list(self, folder: _Folder) -> list[_Folder | ItemRef | Outcome]:
        try:
            names = sorted(os.listdir(folder.path), key=os.fsencode)
        except OSError as error:
            return [_failed(folder.relative or ".", error)]
        return [self._entry(folder, name) for name in names]

    def _entry(self, folder: _Folder, name: str) -> _Folder | ItemRef | Outcome:
        relative = f"{folder.relative}/{name}" if folder.relative else name
        path = os.path.join(folder.path, name)
        pattern = excluded_by(relative, self._exclude)
        if pattern is not None:
            return _gap(relative, Reason.EXCLUDED, f"excluded by the pattern {pattern!r}")
        try:
            found = os.stat(path)
            link = os.path.islink(path)
        except OSError as error:
            return _failed(relative, error, link=os.path.islink(path))
        if not stat.S_ISDIR(found.st_mode):
            return _item(self._root, relative, found)
        if link:
            return self._linked(folder, path, relative, found)
        return self._below(folder, path, relative, found)

    def _below(
        self, folder: _Folder, path: str, relative: str, found: os.stat_result, *, linked: bool = False
    ) -> _Folder | Outcome:
        identity = _identity(found)
        if identity in folder.above:
            # Only a link or a bind mount leads back up; what it leads to is part of this walk already.
            return _gap(relative, Reason.EXCLUDED, "leads back to a folder that it lies in; read there")
        return _Folder(path, relative, folder.above | {identity}, linked or folder.linked)

    def _linked(self, folder: _Folder, path: str, relative: str, found: os.stat_result) -> _Folder | Outcome:
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


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _item(root: str, relative: str, found: os.stat_result) -> ItemRef | Outcome:
    if stat.S_ISREG(found.st_mode):
        return ItemRef(root, relative, found.st_size)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no ordinary file")
    return _gap(relative, Reason.UNSUPPORTED, f"is {kind}, which is never opened")


def _failed(relative: str, error: OSError, *, link: bool = False) -> Outcome:
    if isinstance(error, PermissionError):
        return _gap(relative, Reason.PERMISSION, "may not be listed by this user")
    if link and error.errno in (errno.ENOENT, errno.ENOTDIR):
        return _gap(relative, Reason.VANISHED, "a link to something that is not there")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
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


__all__ = ["RootError", "excluded_by", "walk"]
