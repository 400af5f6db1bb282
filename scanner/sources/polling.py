"""What a folder looks like, in a few bytes: to notice by looking again that something in it has changed."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

_MASK = (1 << 64) - 1


class Listing(NamedTuple):
    """A folder at one moment.

    Attributes:
        digest: of its names, and of each file's inode, size and time of change (its content's and its
            inode's); in this process only, as Python's hashes differ from run to run.
        folders: the folders in it, links to such too, with their inodes.
    """

    digest: int
    folders: dict[str, int]


def look(path: str) -> Listing | None:
    """What a folder looks like now; None where it is not there any more.

    A folder that cannot be read looks like the error that it gives: when that changes, something has.
    """
    digest, folders = 0, dict[str, int]()
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                digest = (digest + _entry(entry, folders)) & _MASK
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return Listing(hash((error.errno or errno.EIO,)) & _MASK, folders)
    return Listing(digest, folders)


def _entry(entry: os.DirEntry[str], folders: dict[str, int]) -> int:
    try:
        found = entry.stat()
        folder = entry.is_dir()
    except OSError as error:
        return hash((entry.name, error.errno))
    if folder:
        # Not its times: what happens in it shows when it is looked at itself.
        folders[entry.name] = found.st_ino
        return hash((entry.name, found.st_ino))
    return hash((entry.name, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


__all__ = ["Listing", "look"]
