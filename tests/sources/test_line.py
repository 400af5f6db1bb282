"""The whole line, as the documentation has it: from what is done to a file to its being read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.sources.identity import Signature
from scanner.sources.settling import Settling
from scanner.sources.watch import Watcher
from tests.docs_blocks import blocks

DOCUMENT = Path(__file__).parents[2] / "docs" / "watching.md"
PATIENCE = 20.0


class Line:
    """The documented loop, at work on a share."""

    def __init__(self, share: Path) -> None:
        self.share = share
        self.known: dict[tuple[str, str], Signature] = {}
        self.read: list[str] = []
        self.came = threading.Condition()
        self.watcher = Watcher([share])
        self.settling = Settling(settle_seconds=0.3, closed_seconds=0.05)
        (block,) = [block for block in blocks(DOCUMENT.read_text(encoding="utf-8")) if block.title]
        names: dict[str, Any] = {}
        exec(block.text, names)
        follow: Callable[..., None] = names["follow"]
        self.running = True
        arguments = (self.watcher, self.settling, self.known, self._read, lambda: self.running)
        self.thread = threading.Thread(target=follow, args=arguments)
        self.watcher.start()
        self.thread.start()

    def _read(self, root: str, path: str) -> None:
        assert root == str(self.share)
        with self.came:
            self.read.append(path)
            self.came.notify_all()

    def until(self, *paths: str) -> None:
        """Wait until each of these was read."""
        with self.came:
            assert self.came.wait_for(lambda: set(paths) <= set(self.read), PATIENCE), self.read

    def stop(self) -> None:
        self.running = False
        self.watcher.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    (tmp_path / "old").write_text("was there before")
    made = Line(tmp_path)
    yield made
    made.stop()


def test_complete_files_are_read_once(line: Line) -> None:
    """One that was there, one that is uploaded under another name first, a folder that is moved in."""
    line.until("old")
    (line.share / "up.csv.part").write_text("half")
    (line.share / "late").mkdir()
    (line.share / "late" / "in it").write_text("x")
    line.until("late/in it")
    assert "up.csv.part" not in line.read
    (line.share / "up.csv.part").rename(line.share / "up.csv")
    line.until("up.csv")
    assert sorted(line.read) == ["late/in it", "old", "up.csv"]
    (line.share / "late").rename(line.share / "moved")
    line.until("moved/in it")
    (line.share / "old").unlink()
    (line.share / "last").write_text("x")
    line.until("last")
    assert {path for _, path in line.known} == {"up.csv", "moved/in it", "last"}


def test_from_complete_to_read_takes_a_moment(line: Line) -> None:
    """Well under the two seconds that a verdict may take on an idle server."""
    line.until("old")
    waits = []
    for number in range(10):
        (line.share / str(number)).write_text("x")
        closed = time.monotonic()
        line.until(str(number))
        waits.append(time.monotonic() - closed)
    assert sorted(waits)[5] < 1
