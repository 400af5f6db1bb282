"""Which file lies at a place, and whether it is still the same: what the system knows without opening it.

A signature says *same file, unchanged since* as well as a file system can say it. That two files hold the
same content is for their hash to say: a rename is not a new delivery, and hard links are several places of
one content.
"""

# ruff: noqa: PTH116

from __future__ import annotations

import os
from typing import NamedTuple


class Signature(NamedTuple):
    """What tells one state of a file from another.

    Attributes:
        device: number of the file system, as long as that is mounted.
        inode: number of the file in it; used anew when the file is gone.
        size: bytes.
        mtime_ns: when its content was last changed, or what somebody set; nanoseconds since 1970, may be
            in the future or negative.
        ctime_ns: when its inode was last changed; cannot be set by a user.
        links: how many names the file has. More than one: it is shared at other places too.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    links: int = 1

    def is_same(self, other: Signature) -> bool:
        """True where both are one file, unchanged.

        The device's number does not count: network file systems get another with every mount, and a file of
        another file system does not share inode, size and two times in nanoseconds.
        """
        return self.lasting == other.lasting

    @property
    def lasting(self) -> tuple[int, ...]:
        """What stays as long as the file is the same: inode, size and both times."""
        return self[1:5]

    def has_same_content(self, other: Signature) -> bool:
        """True where only the inode's own time differs: after a rename, a new link, another owner or mode.

        No proof: who may set a file's times may hide a change from this, but not from its hash.
        """
        return self[1:4] == other[1:4]


def signature_of(found: os.stat_result) -> Signature:
    """The signature in what the system says of a file."""
    return Signature(
        found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_nlink
    )


def sign(path: str | os.PathLike[str]) -> Signature:
    """The signature of the file at a path, through links.

    Raises:
        OSError: the system does not say.
    """
    return signature_of(os.stat(path))


__all__ = ["Signature", "sign", "signature_of"]
