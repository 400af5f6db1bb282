"""A process that is killed again and again while it tells loses nothing and tells in order."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from scanner.sinks.base import Common
from scanner.sinks.dispatch import Dispatcher
from scanner.sinks.jsonl import JsonlOptions, JsonlSink
from tests.sinks.making import event, store, until
from tests.sinks.teller import ITEMS

_ROOT = Path(__file__).resolve().parents[2]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _told(path: Path) -> list[str]:
    """The ids in the file; a line that a kill has cut says nothing, and was told again."""
    found = []
    for line in _lines(path):
        with suppress(ValueError):
            found.append(json.loads(line)["id"])
    return found


def test_kills_while_telling(tmp_path: Path) -> None:
    """At the end every event stands there, in order per item; what stands twice has the same id."""
    out, log = tmp_path / "out.jsonl", tmp_path / "put"
    for _ in range(4):
        before = len(_lines(out))
        process = subprocess.Popen([sys.executable, "-m", "tests.sinks.teller", str(tmp_path)], cwd=_ROOT)
        try:
            until(lambda so_far=before: len(_lines(out)) > so_far + 10, 30)  # type: ignore[misc]
        finally:
            process.kill()
            process.wait()
    put_in = len(_lines(log))
    with store(tmp_path) as (_, outbox):
        dispatcher = Dispatcher(outbox, [JsonlSink(Common("jsonl"), JsonlOptions(str(out)))])
        dispatcher.start()
        assert dispatcher.drain(20)
        dispatcher.stop()
        assert outbox.backlog()[0].pending == 0
    first = list(dict.fromkeys(_told(out)))
    expected = [event(number, f"i{number % ITEMS}").id for number in range(put_in)]
    # The kill may fall between the outbox's transaction and our own log.
    assert set(expected) <= set(first)
    assert len(first) <= put_in + 1
    for item in range(ITEMS):
        mine = expected[item::ITEMS]
        assert [each for each in first if each in set(mine)] == mine
