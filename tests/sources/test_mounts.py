"""Mounts: the kernel's table, and what of a share is away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scanner.sources import mounts as mounts_module
from scanner.sources.mounts import Mount, MountTable, Presence, Shares, mount_of, parse_mounts

TABLE = rb"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:50 / /srv/my\040share rw master:2 propagate_from:1 - nfs4 server:/a\134b rw,vers=4.2
41 40 0:51 / /srv/my\040share rw - tmpfs none rw
42 27 0:52 /sub /srv/caf\351 rw - fuse.sshfs me@host: rw
broken line
"""


def test_the_kernels_table() -> None:
    """Optional fields, escapes, names that are not UTF-8, the topmost of two."""
    mounts = {mount.point: mount for mount in parse_mounts(TABLE)}
    assert mounts["/"] == Mount("/", "ext4", "/dev/vda", "/")
    assert mounts["/srv/my share"] == Mount("/srv/my share", "tmpfs", "none")
    assert mounts["/srv/caf\udce9"].subpath == "/sub"
    assert len(mounts) == 4


def test_the_mount_of_a_path() -> None:
    """The deepest; a sibling whose name starts alike is none of it."""
    mounts = parse_mounts(TABLE)
    assert mount_of("/srv/my share/a", mounts) == Mount("/srv/my share", "tmpfs", "none")
    other = mount_of("/srv/my share2", mounts)
    assert other is not None
    assert other.point == "/"
    assert mount_of("/x", ()) is None


def test_subtypes_count_as_their_type() -> None:
    """fuse.sshfs is a fuse; fuseblk, a local disk, is not."""
    assert Mount("/a", "fuse.sshfs", "").is_kind({"fuse"})
    assert not Mount("/a", "fuseblk", "").is_kind({"fuse"})
    assert Mount("/a", "nfs4", "").is_kind(mounts_module.REMOTE)


def test_the_real_table() -> None:
    """It can be read, again too, and says when it has changed."""
    table = MountTable()
    assert any(mount.point == "/" for mount in table.mounts())
    assert not table.changed()
    assert table.mounts() is table.mounts()
    table.close()


class _Table(MountTable):
    """A table that the test writes."""

    def __init__(self, *mounts: Mount) -> None:
        self.now = mounts

    def changed(self) -> bool:
        return True

    def mounts(self) -> tuple[Mount, ...]:
        return self.now


ROOT = Mount("/", "ext4", "/dev/vda")


def test_a_share_on_its_own_mount(tmp_path: Path) -> None:
    """Away: everything in it is lost, however full the folder beneath. Back: all is well."""
    root = str(tmp_path)
    (tmp_path / "beneath").touch()
    table = _Table(ROOT, Mount(root, "nfs4", "server:/a"))
    shares = Shares([root], table=table)
    assert shares.check(root).presence is Presence.THERE
    there, table.now = table.now, (ROOT,)
    state = shares.check(root)
    assert (state.presence, state.lost) == (Presence.UNMOUNTED, ("",))
    assert root in state.detail
    assert shares.lost(root) == ("",)
    table.now = there
    assert shares.check(root).presence is Presence.THERE
    assert shares.lost(root) == ()


def test_a_mount_inside_a_share(tmp_path: Path) -> None:
    """Only its place is lost."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    root = str(tmp_path)
    table = _Table(ROOT, Mount(f"{root}/a/b", "cifs", "//server/b"))
    shares = Shares([root], table=table)
    shares.check(root)
    table.now = (ROOT,)
    state = shares.check(root)
    assert (state.presence, state.lost) == (Presence.PARTLY, ("a/b",))
    assert shares.accept(root).presence is Presence.THERE
    assert shares.lost(root) == ()


def test_what_was_remembered_counts_after_a_restart(tmp_path: Path) -> None:
    """The agent may start before the mounts are there."""
    root = str(tmp_path)
    before = Shares([root], table=_Table(ROOT, Mount(root, "nfs4", "server:/a")))
    before.check(root)
    kept = {root: [list(mount) for mount in before.remembered(root)]}  # as JSON would give it back
    after = Shares([root], remembered=kept, table=_Table(ROOT))
    assert after.check(root).presence is Presence.UNMOUNTED


def test_an_empty_share(tmp_path: Path) -> None:
    """Empty is fine where nothing was, or on the mount that it was on; on another it is suspicious."""
    root = str(tmp_path)
    assert Shares([root], table=_Table(ROOT)).check(root).presence is Presence.THERE
    assert Shares([root], filled=[root], table=_Table(ROOT)).check(root).presence is Presence.EMPTIED
    table = _Table(ROOT, Mount(root, "ext4", "/dev/vdb"))
    shares = Shares([root], filled=[root], remembered={root: table.now[1:]}, table=table)
    assert shares.check(root).presence is Presence.THERE
    table.now = (ROOT, Mount(root, "ext4", "/dev/vdc"))
    assert shares.check(root).presence is Presence.EMPTIED
    (tmp_path / "a").touch()
    assert shares.check(root).presence is Presence.THERE


def test_a_share_that_is_not_there(tmp_path: Path) -> None:
    """Missing is told, and noticed by `lost` without anybody's calling `check`."""
    root = tmp_path / "share"
    root.mkdir()
    shares = Shares([str(root)])
    assert shares.check(str(root)).presence is Presence.THERE
    assert shares.lost(str(root)) == ()
    root.rmdir()
    assert shares.lost(str(root)) == ("",)
    assert shares.check(str(root)).presence is Presence.MISSING
    shares.close()


@pytest.mark.parametrize("number", [5, 116, 13])
def test_a_share_that_gives_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """EIO, ESTALE, EACCES: it is there and cannot be read."""

    def scandir(_: str) -> object:
        raise OSError(number, os.strerror(number))

    shares = Shares([str(tmp_path)])
    monkeypatch.setattr(mounts_module.os, "scandir", scandir)
    assert shares.check(str(tmp_path)).presence is Presence.UNREADABLE
    shares.close()
