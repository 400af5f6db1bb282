"""Settling: when a file is complete, on a clock that the test turns."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from scanner.sources.hints import What
from scanner.sources.identity import Signature
from scanner.sources.settling import How, Settling

ROOT = "/share"


@dataclass
class Share:
    """A clock and files that exist in name only."""

    now: float = 1000.0
    files: dict[str, Signature] = field(default_factory=dict)

    def settling(self, **settings: object) -> Settling:
        return Settling(clock=lambda: self.now, **settings)  # type: ignore[arg-type]

    def write(self, path: str, size: int = 1) -> None:
        self.files[path] = Signature(1, 1, size, int(self.now * 1e9), int(self.now * 1e9))

    def complete(self, settling: Settling) -> dict[str, How]:
        found = list(settling.complete(lambda place: self.files.get(place[1])))
        assert all(each.root == ROOT and each.signature == self.files[each.path] for each in found)
        assert all(each.since <= self.now for each in found)
        return {each.path: each.how for each in found}

    def run(self, settling: Settling, seconds: float) -> dict[str, tuple[How, float]]:
        """Go on to each moment at which something is due, as the agent's loop does."""
        end, found = self.now + seconds, {}
        while (due := settling.due()) is not None and due <= end:
            self.now = max(self.now, due)
            for path, how in self.complete(settling).items():
                found[path] = (how, self.now)
        self.now = end
        return found


@pytest.fixture
def share() -> Share:
    return Share()


@pytest.mark.parametrize(("what", "how"), [(What.CLOSED, How.CLOSED), (What.MOVED_IN, How.RENAMED)])
def test_closed_or_renamed_is_complete_at_once(share: Share, what: What, how: How) -> None:
    """But for the moment in which the same program may open it again."""
    settling = share.settling(closed_seconds=0.25)
    share.write("a")
    assert settling.hint(ROOT, "a", what)
    assert settling.due() == 1000.25
    assert share.complete(settling) == {}
    assert share.run(settling, 1) == {"a": (how, 1000.25)}
    assert settling.due() is None
    assert len(settling) == 0


def test_quiet_is_complete(share: Share) -> None:
    """Nobody said that it was closed: size and times must stand still."""
    settling = share.settling(settle_seconds=2)
    share.write("a")
    settling.hint(ROOT, "a", What.WRITTEN)
    assert share.run(settling, 1.9) == {}
    share.write("a", 2)  # no hint of this, as with a network file system or a mapped file
    assert share.run(settling, 2) == {}
    assert share.run(settling, 3) == {"a": (How.QUIET, 1004.0)}


def test_every_write_puts_it_off(share: Share) -> None:
    """Up to the longest wait; then it is read as it is, and again later."""
    settling = share.settling(settle_seconds=2, settle_max_seconds=60)
    found = []
    for second in range(130):
        share.write("log", second)
        settling.hint(ROOT, "log", What.WRITTEN)
        found += share.run(settling, 1).values()
    assert [how for how, _ in found] == [How.OVERDUE, How.OVERDUE]
    assert [at for _, at in found] == [1060.0, 1120.0]


def test_written_after_closed_waits_again(share: Share) -> None:
    """Whoever opens it again is not done."""
    settling = share.settling()
    share.write("a")
    settling.hint(ROOT, "a", What.CLOSED)
    settling.hint(ROOT, "a", What.WRITTEN)
    assert share.run(settling, 1) == {}
    settling.hint(ROOT, "a", What.CLOSED)
    assert share.run(settling, 1)["a"][0] is How.CLOSED


def test_a_file_closed_again_and_again_is_read_less_and_less(share: Share) -> None:
    """A log that is opened for each line must not be scanned for each line."""
    settling = share.settling(closed_seconds=0.25, settle_max_seconds=60)
    times = 0
    for second in range(600):
        share.write("log", second)
        settling.hint(ROOT, "log", What.CLOSED)
        times += len(share.run(settling, 1))
    assert 8 <= times <= 25
    share.now += 100
    settling.hint(ROOT, "log", What.CLOSED)
    assert share.run(settling, 0.5)["log"][0] is How.CLOSED


@pytest.mark.parametrize(
    ("path", "temporary"),
    [
        ("a/b.csv.part", True),
        ("b.filepart", True),
        ("B.TMP", True),
        ("x.crdownload", True),
        ("notes.txt~", True),
        ("~$budget.xlsx", True),
        (".~lock.a.ods#", True),
        (".a.csv.swp", True),
        (".data.csv.Ab3xY9", True),
        ("a.csv", False),
        ("part", False),
        ("x.part/a.csv", False),
        ("data.csv.Ab3xY9", False),
        (".hidden.csv", False),
        (".config.backup", True),  # reads like rsync's; it waits, and is read in the end
        ("tmp", False),
        ("a.tmp.csv", False),
    ],
)
def test_temporary_names(share: Share, path: str, temporary: bool) -> None:
    """By the last name alone."""
    assert share.settling().is_temporary(path) is temporary


def test_a_temporary_name_waits_for_its_last(share: Share) -> None:
    """Closed or quiet, it waits; renamed, it is complete under the new name."""
    settling = share.settling()
    share.write("a.part")
    settling.hint(ROOT, "a.part", What.CLOSED)
    assert share.run(settling, 600) == {}
    share.files["a"] = share.files.pop("a.part")
    settling.hint(ROOT, "a.part", What.MOVED_OUT)
    settling.hint(ROOT, "a", What.MOVED_IN)
    assert share.run(settling, 1)["a"][0] is How.RENAMED
    assert len(settling) == 0


def test_an_abandoned_temporary_file_is_read_in_the_end(share: Share) -> None:
    """A vendor can read it too."""
    settling = share.settling(temporary_seconds=3600)
    share.write("a.part")
    settling.hint(ROOT, "a.part", What.CLOSED)
    assert share.run(settling, 7200) == {"a.part": (How.OVERDUE, 4600.0)}


def test_names_are_a_setting(share: Share) -> None:
    """None at all, too."""
    assert not share.settling(temporary_names=()).is_temporary("a.part")
    assert share.settling(temporary_names=("*.uploading",)).is_temporary("a.Uploading")


def test_a_vanished_file_is_forgotten(share: Share) -> None:
    """Told by a hint, or seen when its time has come; a folder takes all below it along."""
    settling = share.settling()
    for path in ("a", "b", "c/d", "c/e", "cd"):
        share.write(path)
        settling.hint(ROOT, path, What.CLOSED)
    settling.hint(ROOT, "a", What.DELETED)
    del share.files["b"]
    settling.forget(ROOT, "c", below=True)
    assert set(share.run(settling, 1)) == {"cd"}
    settling.hint(ROOT, "cd", What.CLOSED)
    settling.forget(ROOT, "", below=True)
    assert settling.due() is None


def test_what_a_walk_finds(share: Share) -> None:
    """Old enough: complete. Young, or of the future: it waits and must stand still."""
    settling = share.settling(settle_seconds=2)
    second = 10**9
    old = Signature(1, 1, 5, 50 * second, 50 * second)
    complete = settling.found(ROOT, "old", old, wall_time=100)
    assert complete is not None
    assert complete.how is How.QUIET
    forged = old._replace(mtime_ns=1, ctime_ns=99 * second)  # its own time was set, as copying does
    for path, signature in (("young", forged), ("future", old._replace(ctime_ns=500 * second))):
        share.files[path] = signature
        assert settling.found(ROOT, path, signature, wall_time=100) is None
    assert share.run(settling, 10) == {"young": (How.QUIET, 1002.0), "future": (How.QUIET, 1002.0)}


def test_no_more_than_the_limit_wait(share: Share) -> None:
    """The caller is told, and walks later."""
    settling = share.settling(limit=2)
    for path in "ab":
        share.write(path)
        assert settling.hint(ROOT, path, What.WRITTEN)
    assert settling.hint(ROOT, "a", What.WRITTEN)
    assert not settling.hint(ROOT, "c", What.WRITTEN)
    with pytest.raises(OverflowError):
        settling.found(ROOT, "c", Signature(1, 1, 1, 1, 10**18), wall_time=0)


def test_memory_does_not_grow_with_hints(share: Share) -> None:
    """A file written for hours is one entry, and its old appointments are dropped."""
    settling = share.settling(settle_max_seconds=1e9)
    for _ in range(10_000):
        share.now += 0.01
        settling.hint(ROOT, "a", What.WRITTEN)
    assert len(settling) == 1
    assert len(settling._order) < 100
    for number in range(10_000):
        share.write(str(number))
        settling.hint(ROOT, str(number), What.CLOSED)
        share.run(settling, 0.5)
    assert len(settling._lately) <= 4096


def test_how_many_are_looked_at_is_for_the_caller(share: Share) -> None:
    """So that a flood does not hold up its loop."""
    settling = share.settling()
    for number in range(10):
        share.write(str(number))
        settling.hint(ROOT, str(number), What.CLOSED)
    share.now += 1
    assert len(list(settling.complete(lambda place: share.files[place[1]], most=4))) == 4
    assert len(settling) == 6
