"""Watching, for real: on Linux's own events, mounts and limits."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.model import ItemRef
from scanner.sources import inotify
from scanner.sources.hints import Hint, What
from scanner.sources.identity import Signature, sign
from scanner.sources.mounts import Presence
from scanner.sources.reconcile import Kind, reconcile
from scanner.sources.walk import walk
from scanner.sources.watch import Watcher
from tests.needs import missing

PATIENCE = 20.0


class Watching:
    """A watcher that is started, and what it said."""

    def __init__(self, *roots: Path, **settings: object) -> None:
        self.said: list[Hint] = []
        self.watcher = Watcher(roots, **settings)  # type: ignore[arg-type]
        self.watcher.start()
        assert self.watcher.covered.wait(PATIENCE)
        #: What was said before and while the watches were put.
        self.first = self.until(*(("", What.FOLDER) for _ in roots))

    def until(self, *wanted: tuple[str, What]) -> list[Hint]:
        """Take hints until each of these has come; those that came."""
        end = time.monotonic() + PATIENCE
        left = set(wanted)
        taken: list[Hint] = []
        while left:
            taken += (new := self.watcher.take(max(end - time.monotonic(), 0)))
            left -= {(hint.path, hint.what) for hint in new}
            assert new or not left, f"never said: {left}; said: {taken}"
        self.said += taken
        return taken

    def settle(self, root: Path) -> list[Hint]:
        """All that was said until a folder that is made now was noticed, by both threads in turn."""
        taken: list[Hint] = []
        end = time.monotonic() + PATIENCE
        while True:
            mark = root / f"mark-{time.monotonic_ns()}"
            mark.mkdir()
            covered = False
            while not covered and not any(hint.path == mark.name for hint in taken):
                assert time.monotonic() < end, taken
                taken += (new := self.watcher.take(PATIENCE))
                covered = any(hint.what is What.OVERFLOW for hint in new)  # which the mark is part of
            mark.rmdir()
            if not covered:
                taken += self.until((mark.name, What.DELETED))
                return [hint for hint in taken if not hint.path.startswith("mark-")]

    def watches(self, watched: int, polled: int = 0) -> None:
        """Wait until so many folders are watched and polled: the kernel drops a watch after all else."""
        end = time.monotonic() + PATIENCE
        while (now := self.watcher.figures()) and (now.watched, now.polled) != (watched, polled):
            assert time.monotonic() < end, now
            threading.Event().wait(0.01)


Start = Callable[..., Watching]


@pytest.fixture
def watching() -> Iterator[Start]:
    """Starts watchers and stops them."""
    started: list[Watching] = []

    def start(*roots: Path, **settings: object) -> Watching:
        started.append(Watching(*roots, **settings))
        return started[-1]

    yield start
    for each in started:
        each.watcher.stop()
    names = {thread.name for thread in threading.enumerate()}
    assert not any(name.startswith("sharewatch-") for name in names)


def _write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_what_is_done_to_a_file(watching: Start, tmp_path: Path) -> None:
    """Written and closed, appended to while open, changed mode, renamed, deleted."""
    seen = watching(tmp_path)
    file = _write(tmp_path / "a")
    seen.until(("a", What.CLOSED))
    with file.open("a") as stream:
        stream.write("more")
        stream.flush()
        seen.until(("a", What.WRITTEN))
    seen.until(("a", What.CLOSED))
    file.chmod(0o600)
    seen.until(("a", What.ATTRIBUTES))
    file.rename(tmp_path / "b")
    seen.until(("a", What.MOVED_OUT), ("b", What.MOVED_IN))
    (tmp_path / "c").hardlink_to(tmp_path / "b")
    seen.until(("c", What.WRITTEN))
    (tmp_path / "b").unlink()
    seen.until(("b", What.DELETED))


def test_a_folder_with_files_already_in_it(watching: Start, tmp_path: Path) -> None:
    """Between its making and its watch anything may happen: the whole folder is to be looked at."""
    seen = watching(tmp_path)
    _write(tmp_path / "a" / "b" / "c" / "x")
    seen.until(("a", What.FOLDER))
    seen.settle(tmp_path)
    _write(tmp_path / "a" / "b" / "c" / "y")
    seen.until(("a/b/c/y", What.CLOSED))
    seen.watches(4)


def test_a_tree_is_renamed_moved_in_and_moved_out(watching: Start, tmp_path: Path) -> None:
    """Its watches go along, and its files are told where they lie now."""
    share, outside = tmp_path / "share", tmp_path / "outside"
    _write(share / "a" / "b" / "x")
    _write(outside / "far" / "y")
    seen = watching(share)
    (share / "a").rename(share / "new")
    seen.until(("a", What.MOVED_OUT), ("new", What.FOLDER))
    _write(share / "new" / "b" / "z")
    seen.until(("new/b/z", What.CLOSED))
    (outside / "far").rename(share / "new" / "near")
    seen.until(("new/near", What.FOLDER))
    _write(share / "new" / "near" / "z")
    seen.until(("new/near/z", What.CLOSED))
    (share / "new").rename(outside / "away")
    gone = [hint for hint in seen.until(("new", What.MOVED_OUT)) if hint.what is What.MOVED_OUT]
    assert gone[0].folder
    _write(outside / "away" / "b" / "unseen")
    assert all(not hint.path.startswith("new/") for hint in seen.settle(share))
    seen.watches(1)


def test_a_folder_that_takes_anothers_place(watching: Start, tmp_path: Path) -> None:
    """Two folders change names: each is known by its new one."""
    _write(tmp_path / "a" / "x")
    _write(tmp_path / "b" / "y")
    seen = watching(tmp_path)
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "b").rename(tmp_path / "a")
    (tmp_path / "c").rename(tmp_path / "b")
    seen.settle(tmp_path)
    _write(tmp_path / "a" / "1")
    _write(tmp_path / "b" / "2")
    taken = seen.until(("a/1", What.CLOSED), ("b/2", What.CLOSED))
    assert not {"a/2", "b/1", "c/1", "c/2"} & {hint.path for hint in taken}


def test_names_that_are_no_text(watching: Start, tmp_path: Path) -> None:
    """Bytes that are not UTF-8, a line break."""
    seen = watching(tmp_path)
    for name in (b"caf\xe9.csv", b"line\nbreak", b"\xff\xfe/in it"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        _write(path)
    seen.until(("caf\udce9.csv", What.CLOSED), ("line\nbreak", What.CLOSED), ("\udcff\udcfe", What.FOLDER))
    _write(tmp_path / "\udcff\udcfe" / "x")
    seen.until(("\udcff\udcfe/x", What.CLOSED))


def test_deep_trees(watching: Start, tmp_path: Path) -> None:
    """As deep as a path may be."""
    seen = watching(tmp_path)
    deep = "/".join(["d" * 20] * 120)
    (tmp_path / deep).mkdir(parents=True)
    seen.until(("d" * 20, What.FOLDER))
    seen.settle(tmp_path)
    _write(tmp_path / deep / "x")
    seen.until((f"{deep}/x", What.CLOSED))
    seen.watches(121)


def test_links_count_as_in_a_walk(watching: Start, tmp_path: Path) -> None:
    """A folder shown by a link is told at both places; a link out of the share is not followed."""
    share = tmp_path / "share"
    _write(share / "a" / "x")
    _write(share / "b" / "c" / "y")
    _write(tmp_path / "outside" / "z")
    (share / "a" / "to b").symlink_to("../b", target_is_directory=True)
    (share / "out").symlink_to("../outside", target_is_directory=True)
    (share / "b" / "up").symlink_to("..", target_is_directory=True)
    seen = watching(share)
    _write(share / "b" / "c" / "y", "longer")
    seen.until(("b/c/y", What.CLOSED), ("a/to b/c/y", What.CLOSED))
    _write(tmp_path / "outside" / "z", "longer")
    (share / "late").symlink_to("b", target_is_directory=True)
    seen.until(("late", What.FOLDER))
    _write(share / "b" / "w")
    paths = {hint.path for hint in seen.until(("b/w", What.CLOSED), ("late/w", What.CLOSED))}
    assert paths == {"b/w", "a/to b/w", "late/w"}
    (share / "late").unlink()
    seen.settle(share)
    _write(share / "b" / "v")
    assert {hint.path for hint in seen.settle(share)} == {"b/v", "a/to b/v"}


def test_a_link_to_a_file(watching: Start, tmp_path: Path) -> None:
    """What is done to the file is told at the link, wherever it lies; also when another takes its place."""
    share = tmp_path / "share"
    share.mkdir()
    target = _write(tmp_path / "outside" / "target")
    (share / "link").symlink_to(target)
    seen = watching(share)
    _write(target, "longer")
    seen.until(("link", What.CLOSED))
    _write(tmp_path / "outside" / "next", "next").replace(target)
    seen.until(("link", What.FOLDER))
    _write(target, "another")
    seen.until(("link", What.CLOSED))
    (share / "link").unlink()
    assert "link" in {hint.path for hint in seen.settle(share)}
    seen.watches(1)


def test_roots_within_roots(watching: Start, tmp_path: Path) -> None:
    """A place of two shares is told for each."""
    inner = tmp_path / "inner"
    inner.mkdir()
    seen = watching(tmp_path, inner)
    _write(inner / "a")
    hints = seen.until(("inner/a", What.CLOSED), ("a", What.CLOSED))
    assert {(hint.root, hint.path) for hint in hints} == {(str(tmp_path), "inner/a"), (str(inner), "a")}


def test_exclusions(watching: Start, tmp_path: Path) -> None:
    """No watch and no hint, for what comes later too."""
    _write(tmp_path / "skip" / "deep" / "x")
    seen = watching(tmp_path, exclude=["skip/", "*.bak"])
    seen.watches(1)
    _write(tmp_path / "a.bak")
    (tmp_path / "b").mkdir()
    _write(tmp_path / "b" / "skip" / "x")
    _write(tmp_path / "skip" / "y")
    assert {hint.path.partition("/")[0] for hint in seen.settle(tmp_path)} == {"b"}


def test_the_kernels_queue_overflows(watching: Start, tmp_path: Path) -> None:
    """While nobody reads, more happens than the kernel keeps: said, and every watch is seen to again."""
    seen = watching(tmp_path)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    with seen.watcher._lock:  # the reader waits for it
        for number in range(limit // 2 + 100):  # each is made and deleted, and another follows
            (tmp_path / f"{number % 2}").touch()
            (tmp_path / f"{number % 2}").unlink()
        _write(tmp_path / "late" / "deep" / "x")
    seen.until(("", What.OVERFLOW))
    assert seen.watcher.figures().overflows == 1
    seen.settle(tmp_path)
    _write(tmp_path / "late" / "deep" / "y")
    seen.until(("late/deep/y", What.CLOSED))


def test_hints_that_nobody_takes(watching: Start, tmp_path: Path) -> None:
    """They become one; memory is bounded."""
    for number in range(40):
        _write(tmp_path / f"{number}" / "x")
    seen = watching(tmp_path, max_hints=100)
    for number in range(400):
        _write(tmp_path / f"{number % 40}" / f"{number}")
    end = time.monotonic() + PATIENCE
    while not seen.watcher.figures().collapses:
        assert time.monotonic() < end
        threading.Event().wait(0.02)
    assert seen.watcher.figures().waiting <= 101


def test_watches_run_out(watching: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders without a watch are polled, how many is said with what to do; no file is lost."""
    for number in range(10):
        _write(tmp_path / str(number) / "in" / "x")
    real, left = inotify.add_watch, [8]

    def add_watch(instance: int, path: bytes, mask: int) -> int:
        if left[0] <= 0:
            inotify.ctypes.set_errno(errno.ENOSPC)
            return -1
        left[0] -= 1
        return real(instance, path, mask)

    monkeypatch.setattr(inotify, "add_watch", add_watch)
    seen = watching(tmp_path, poll_seconds=0.1)
    hints = (
        seen.first
        if any(each.what is What.DEGRADED for each in seen.first)
        else seen.until(("", What.DEGRADED))
    )
    (hint,) = [each for each in hints if each.what is What.DEGRADED]
    assert "13 of 21 folders" in hint.detail
    assert "fs.inotify.max_user_watches" in hint.detail
    assert (seen.watcher.figures().watched, seen.watcher.figures().polled) == (8, 13)
    for number in range(10):
        _write(tmp_path / str(number) / "in" / "x", "longer")
        _write(tmp_path / str(number) / "new" / "deep" / "y")
    end = time.monotonic() + PATIENCE
    told: set[str] = set()
    while not all(
        {f"{number}/in", f"{number}/in/x"} & told and {f"{number}/new", f"{number}/new/deep"} & told
        for number in range(10)
    ):
        assert time.monotonic() < end, told
        told |= {each.path for each in seen.watcher.take(0.5)}
    shutil.rmtree(tmp_path / "9")
    seen.until(("9", What.DELETED))
    left[0] = 10_000
    monkeypatch.setattr("scanner.sources.watch._limit", lambda: "more")
    seen.until(("", What.OVERFLOW))
    assert seen.watcher.figures().polled == 0


_FEW = """
import sys
from scanner.sources.watch import Watcher
from scanner.sources.hints import What
open("/proc/sys/user/max_inotify_watches", "w").write("5")
with Watcher([sys.argv[1]], poll_seconds=0.1) as watcher:
    watcher.covered.wait(20)
    figures = watcher.figures()
    print(figures.watched, figures.polled, figures.unwatched)
    print([hint.detail for hint in watcher.take(20) if hint.what is What.DEGRADED])
    open(sys.argv[1] + "/9/new", "w").close()
    open(sys.argv[1] + "/0/new", "w").close()
    told = set()
    while not ({"0", "0/new"} & told and {"9", "9/new"} & told):
        told |= {hint.path for hint in watcher.take(20)}
    print("told")
"""


def test_the_kernels_limit_of_watches(tmp_path: Path) -> None:
    """For real, in a user namespace, which has a limit of its own (user_namespaces(7))."""
    for number in range(10):
        (tmp_path / str(number)).mkdir()
    if subprocess.run(["unshare", "--user", "--map-root-user", "true"], check=False).returncode:
        missing("the right to make a user namespace", "sysctl -w kernel.unprivileged_userns_clone=1")
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", _FEW, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    figures, detail, told = done.stdout.splitlines()
    assert (figures, told) == ("5 6 6", "told")
    assert "6 of 11 folders have no watch" in detail


def test_no_inotify_at_all(watching: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no instance is to be had, everything is polled, and it is said."""
    _write(tmp_path / "a" / "x")

    def refuse(_: type) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    refusing = pytest.MonkeyPatch()
    refusing.setattr(inotify.Reader, "_create_inotify_fd", classmethod(refuse))
    monkeypatch.setattr("scanner.sources.watch._RETRY_SECONDS", 0)
    try:
        seen = watching(tmp_path, poll_seconds=0.05)
        assert any("Too many open files" in hint.detail for hint in seen.first)
        seen.watches(0, 2)
        _write(tmp_path / "a" / "x", "longer")
        seen.until(("a", What.LISTING))
    finally:
        refusing.undo()
    seen.until(("", What.OVERFLOW))  # there is one again
    seen.settle(tmp_path)
    seen.watches(2)


def test_a_folder_that_may_not_be_read(
    watching: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again, and looked at as a whole once it may be."""
    _write(tmp_path / "a" / "deep" / "x")
    real, denied = inotify.add_watch, [True]

    def add_watch(instance: int, path: bytes, mask: int) -> int:
        if denied[0] and path.endswith(b"/a"):
            inotify.ctypes.set_errno(errno.EACCES)
            return -1
        return real(instance, path, mask)

    monkeypatch.setattr(inotify, "add_watch", add_watch)
    seen = watching(tmp_path, poll_seconds=0.05)
    seen.watches(1)
    denied[0] = False
    seen.until(("a", What.FOLDER))
    seen.settle(tmp_path)
    _write(tmp_path / "a" / "deep" / "x", "longer")
    seen.until(("a/deep/x", What.CLOSED))


def test_a_storm_of_renames(watching: Start, tmp_path: Path) -> None:
    """A tree that never stays where it is ends up watched where it lies, and nowhere else."""
    for number in range(10):
        _write(tmp_path / "0" / str(number) / "x")
    seen = watching(tmp_path)
    for number in range(1000):
        (tmp_path / str(number)).rename(tmp_path / str(number + 1))
    seen.settle(tmp_path)
    seen.watches(12)
    _write(tmp_path / "1000" / "7" / "x", "longer")
    assert {hint.path for hint in seen.settle(tmp_path)} == {"1000/7/x"}


def test_many_folders_at_once(watching: Start, tmp_path: Path) -> None:
    """As an archive that is unpacked makes them: each has its watch in the end."""
    seen = watching(tmp_path)
    for number in range(500):
        _write(tmp_path / str(number % 20) / str(number) / "deep" / "x")
    seen.settle(tmp_path)
    seen.watches(1 + 20 + 2 * 500)


def test_polling(watching: Start, tmp_path: Path) -> None:
    """A file system that does not tell: whatever is done shows at the next look."""
    _write(tmp_path / "a" / "b" / "x")
    seen = watching(tmp_path, events=False, poll_seconds=0.05)
    (tmp_path / "a" / "b" / "x").write_text("y")
    seen.until(("a/b", What.LISTING))
    _write(tmp_path / "new" / "deep" / "x")
    seen.until(("", What.LISTING), ("new", What.FOLDER))
    _write(tmp_path / "new" / "deep" / "y")
    seen.until(("new/deep", What.LISTING))
    (tmp_path / "a").rename(tmp_path / "c")
    seen.until(("a", What.DELETED), ("c", What.FOLDER))
    shutil.rmtree(tmp_path / "new")
    seen.until(("new", What.DELETED))
    seen.watches(0, 3)


def test_a_share_that_comes_later(watching: Start, tmp_path: Path) -> None:
    """It is waited for; that it is away is said."""
    root = tmp_path / "share"
    watcher = Watcher([root], poll_seconds=0.05)
    with watcher:
        assert watcher.covered.wait(PATIENCE)
        (hint,) = watcher.take(PATIENCE)
        assert (hint.what, hint.path) == (What.UNMOUNTED, "")
        assert watcher.states()[str(root)].presence is Presence.MISSING
        _write(root / "a" / "x")
        said = {hint.what for hint in watcher.take(PATIENCE)}
        while not said & {What.OVERFLOW, What.FOLDER}:
            said |= {hint.what for hint in watcher.take(PATIENCE)}
        _write(root / "a" / "y")
        while ("a/y", What.CLOSED) not in {(hint.path, hint.what) for hint in watcher.take(PATIENCE)}:
            pass


def test_a_share_that_is_deleted_and_made_again(watching: Start, tmp_path: Path) -> None:
    """However quickly: the new folder is the share, and is watched."""
    share = tmp_path / "share"
    _write(share / "a" / "x")
    seen = watching(share)
    shutil.rmtree(share)
    share.mkdir()
    seen.until(("", What.OVERFLOW))
    seen.settle(share)
    _write(share / "b")
    seen.until(("b", What.CLOSED))
    shutil.rmtree(share)
    (hint,) = [each for each in seen.until(("", What.UNMOUNTED)) if each.what is What.UNMOUNTED]
    assert hint.detail == f"the share {share} is not there"


def test_our_own_failure_is_told_and_mended(
    watching: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In either thread: by its type alone, then every watch is seen to again."""
    seen = watching(tmp_path, poll_seconds=0.05)

    def fail(*_: object) -> None:
        monkeypatch.undo()
        raise KeyError("a name that must not be told")

    monkeypatch.setattr(seen.watcher._tree, "paths", fail)
    _write(tmp_path / "a")
    (hint,) = [each for each in seen.until(("", What.DEGRADED), ("", What.OVERFLOW)) if each.detail]
    assert "KeyError" in hint.detail
    assert "name" not in hint.detail
    monkeypatch.setattr(seen.watcher, "_cover", fail)
    seen.watcher.renew()
    seen.until(("", What.DEGRADED), ("", What.OVERFLOW))
    seen.settle(tmp_path)
    _write(tmp_path / "b")
    seen.until(("b", What.CLOSED))


def test_watches_are_seen_to_when_asked(watching: Start, tmp_path: Path) -> None:
    """A link that shows another folder than before has no event of its own."""
    share = tmp_path / "share"
    for name in ("one", "two"):
        (share / "by" / name).mkdir(parents=True)
    (share / "by" / "now").symlink_to("one", target_is_directory=True)
    (share / "link").symlink_to("by/now", target_is_directory=True)
    seen = watching(share)
    (share / "by" / "next").symlink_to("two", target_is_directory=True)
    (share / "by" / "next").rename(share / "by" / "now")
    seen.settle(share)
    seen.watcher.renew()
    seen.until(("", What.OVERFLOW))
    seen.settle(share)
    _write(share / "by" / "two" / "x")
    paths = {hint.path for hint in seen.settle(share)}
    assert {"by/two/x", "by/now/x", "link/x"} <= paths
    assert not any(path.startswith("by/one") for path in paths)


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    if done.returncode:
        missing("the right to mount", "run the tests as root, or in a user namespace: unshare -rm")


@pytest.fixture
def unmounted(tmp_path: Path) -> Iterator[Path]:
    """A folder in the share's place, whatever is mounted in it is unmounted at the end."""
    share = tmp_path / "share"
    share.mkdir()
    yield share
    for line in reversed(Path("/proc/self/mountinfo").read_text().splitlines()):
        point = line.split(" ")[4]
        if point.startswith(str(tmp_path)):
            subprocess.run(["umount", "-l", point], check=True)


def test_a_share_is_unmounted_and_mounted_again(watching: Start, unmounted: Path) -> None:
    """An alarm, no deletion; and when it is back, all of it is looked at again."""
    share = unmounted
    _mount("-t", "tmpfs", "first", share)
    _write(share / "a" / "x")
    seen = watching(share)
    known = {"a/x": sign(share / "a" / "x")}
    subprocess.run(["umount", share], check=True)
    (hint,) = [each for each in seen.until(("", What.UNMOUNTED)) if each.what is What.UNMOUNTED]
    assert "tmpfs is not mounted" in hint.detail
    assert seen.watcher.states()[str(share)].presence is Presence.UNMOUNTED
    lost = seen.watcher.shares.lost
    (change,) = reconcile(str(share), known, lost=lambda: lost(str(share)))
    assert change.kind is Kind.FAILED
    _mount("-t", "tmpfs", "first", share)
    _write(share / "a" / "x")
    seen.until(("", What.MOUNTED), ("", What.OVERFLOW))
    seen.settle(share)
    _write(share / "a" / "y")
    seen.until(("a/y", What.CLOSED))
    with seen.watcher._lock:  # nobody looks at the table in between, and it looks the same afterwards
        subprocess.run(["umount", share], check=True)
        _mount("-t", "tmpfs", "first", share)
    seen.until(("", What.OVERFLOW))
    seen.settle(share)
    _write(share / "z")
    seen.until(("z", What.CLOSED))


def test_a_mount_inside_the_share(watching: Start, unmounted: Path) -> None:
    """It comes and goes: said for its place only. A bind mount is a second place of its files."""
    share = unmounted
    (share / "a").mkdir()
    (share / "b").mkdir()
    seen = watching(share)
    _mount("-t", "tmpfs", "none", share / "a")
    seen.until(("", What.OVERFLOW))
    seen.settle(share)
    _write(share / "a" / "x")
    seen.until(("a/x", What.CLOSED))
    _mount("--bind", share / "a", share / "b")
    seen.until(("", What.OVERFLOW))
    seen.settle(share)
    _write(share / "a" / "x", "longer")
    seen.until(("a/x", What.CLOSED), ("b/x", What.CLOSED))
    subprocess.run(["umount", share / "b"], check=True)
    seen.until(("b", What.UNMOUNTED), ("", What.OVERFLOW))
    seen.settle(share)
    assert seen.watcher.states()[str(share)].lost == ("b",)
    _write(share / "a" / "y")
    assert {hint.path for hint in seen.settle(share) if hint.what is What.CLOSED} == {"a/y"}


def test_a_network_file_system_is_polled(watching: Start, unmounted: Path) -> None:
    """By its type, whatever the rest of the share is on."""
    share = unmounted
    (share / "net").mkdir()
    _mount("-t", "tmpfs", "none", share / "net")
    _write(share / "net" / "a" / "x")
    seen = watching(share, polled_kinds={"tmpfs"}, poll_seconds=0.05)
    figures = seen.watcher.figures()
    assert (figures.watched, figures.polled, figures.unwatched) == (1, 2, 0)
    _write(share / "net" / "a" / "x", "longer")
    seen.until(("net/a", What.LISTING))
    subprocess.run(["umount", share / "net"], check=True)
    hints = seen.until(("net", What.UNMOUNTED))
    assert not any(hint.what is What.DELETED for hint in hints)


def test_idle_costs_nothing(watching: Start, tmp_path: Path) -> None:
    """Both threads sleep in the kernel: no switch of theirs while nothing happens."""
    for number in range(50):
        _write(tmp_path / str(number) / "x")
    seen = watching(tmp_path)
    seen.settle(tmp_path)
    mine = [
        f"/proc/self/task/{thread.native_id}/status"
        for thread in threading.enumerate()
        if thread.name.startswith("sharewatch-")
    ]
    assert len(mine) == 2

    def switches() -> list[str]:
        return [
            line for path in mine for line in Path(path).read_text().splitlines() if "voluntary_ctxt" in line
        ]

    threading.Event().wait(0.3)  # the reader's pause after its last event
    before = switches()
    threading.Event().wait(1.5)
    assert switches() == before


class _Ledger:
    """What an agent would know, kept up by hints and reconciling only."""

    def __init__(self, root: Path, watcher: Watcher) -> None:
        self.root, self.watcher = root, watcher
        self.known: dict[str, Signature] = {}

    def drain(self, quiet: float) -> None:
        """Follow hints until none has come for a while."""
        while hints := self.watcher.take(quiet):
            for hint in hints:
                if hint.folder:
                    self.look(hint.path, deep=hint.what is not What.LISTING)
                else:
                    self.look(hint.path)

    def look(self, below: str, *, deep: bool = True) -> None:
        known = {place: each for place, each in self.known.items() if _is_in(place, below, deep=deep)}
        for change in reconcile(str(self.root), known, below=below, deep=deep):
            if change.kind is Kind.GONE:
                del self.known[change.place]
            elif change.signature is not None:
                self.known[change.place] = change.signature


def _is_in(place: str, below: str, *, deep: bool) -> bool:
    if not deep:
        return place.rpartition("/")[0] == below
    return not below or place == below or place.startswith(f"{below}/")


def _operate(share: Path, outside: Path, dice: random.Random, *, links: bool) -> None:
    """One random thing that somebody may do to a share."""
    folders = [Path(at) for at, _, _ in os.walk(share)]
    files = [Path(at) / name for at, _, names in os.walk(share) for name in names]
    folder = dice.choice(folders)
    name = folder / dice.choice("abcdefgh")
    what = dice.randrange(11)
    try:
        if what <= 2 or not files:
            name.write_text("x" * dice.randrange(100))
        elif what == 3:
            name.mkdir()
        elif what == 4:
            (name / "sub" / "deep").mkdir(parents=True)
            (name / "sub" / "deep" / "file").write_text("x")
        elif what == 5:
            dice.choice(files).replace(name)
        elif what == 6 and folder != share:
            folder.rename(dice.choice(folders) / f"moved{dice.randrange(5)}")
        elif what == 7 and folder != share and dice.random() < 0.5:
            folder.rename(outside / str(dice.random()))
        elif what == 8:
            dice.choice(files).unlink()
        elif what == 9:
            with dice.choice(files).open("a") as stream:
                stream.write("more")
        elif what == 10 and links:
            name.hardlink_to(dice.choice(files))
    except OSError:
        pass  # into itself, onto a folder, where something is already: the system said no


@pytest.mark.parametrize(
    ("seed", "settings"),
    [
        (1, {}),
        (2, {"links": True}),
        (3, {"max_hints": 10}),
        (4, {"events": False, "poll_seconds": 0.05}),
        (5, {"few": 6}),
    ],
)
def test_hints_and_walks_end_with_the_truth(
    watching: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    settings: dict[str, Any],
) -> None:
    """Whatever is done in whatever order: what hints led to is what a plain walk finds, signatures and all.

    What is done to a file by another of its hard links shows in a reconciling walk only.
    """
    share, outside = tmp_path / "share", tmp_path / "outside"
    share.mkdir()
    outside.mkdir()
    settings = dict(settings)
    links = settings.pop("links", False)
    if few := int(settings.pop("few", 0)):
        real = inotify.add_watch

        def add_watch(instance: int, path: bytes, mask: int) -> int:
            if seen_at and len(seen_at[0].watcher._tree) > few:
                inotify.ctypes.set_errno(errno.ENOSPC)
                return -1
            return real(instance, path, mask)

        seen_at: list[Watching] = []
        monkeypatch.setattr(inotify, "add_watch", add_watch)
        seen_at.append(watching(share, poll_seconds=0.05))
        seen = seen_at[0]
    else:
        seen = watching(share, **settings)
    ledger = _Ledger(share, seen.watcher)
    dice = random.Random(seed)
    for _ in range(8):
        for _ in range(60):
            _operate(share, outside, dice, links=links)
        ledger.drain(0.02)
    deadline = time.monotonic() + PATIENCE
    while True:
        ledger.drain(0.3)
        if links:
            ledger.look("")
        truth = {item.path: sign(share / item.path) for item in walk([share]) if isinstance(item, ItemRef)}
        if ledger.known == truth:
            break
        assert time.monotonic() < deadline, set(ledger.known.items()) ^ set(truth.items())
