"""The pool: a hung, dead or greedy worker costs the one task it held."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from scanner.pool import Ended, Piece, Pool


def worker(prefix: str) -> Callable[[str], Iterator[str]]:
    """A worker whose tasks say what it should do."""

    def run(task: str) -> Iterator[str]:
        yield f"{prefix}{task}"
        if task == "die":
            os._exit(9)
        if task == "hang":
            time.sleep(600)
        if task == "eat":
            hoard = [bytearray(16 << 20) for _ in range(40)]
            time.sleep(600)
            del hoard
        if task == "starve":
            raise MemoryError

    return run


def _run(tasks: list[str], **limits: float) -> tuple[list[str], dict[str, str | None]]:
    pool = Pool(
        f"{__name__}:worker",
        ("got ",),
        size=2,
        seconds=limits.get("seconds", 60),
        memory_mb=int(limits.get("memory_mb", 2048)),
    )
    pieces, ends = [], {}
    for event in pool.run(tasks):
        if isinstance(event, Piece):
            pieces.append(event.value)
        else:
            assert isinstance(event, Ended)
            ends[event.task] = event.why
    return sorted(pieces), ends


def test_every_task_ends_once_and_a_dead_worker_is_charged_to_its_own() -> None:
    """Tasks beside and after a worker that dies are done; what it sent before still counts."""
    pieces, ends = _run(["a", "die", "b", "starve", "c"])
    assert ends == {"a": None, "die": "crashed", "b": None, "starve": "memory", "c": None}
    assert pieces == ["got a", "got b", "got c", "got die", "got starve"]


def test_a_task_over_its_time_is_ended() -> None:
    """The deadline ends the worker, keeps its pieces, and the next task gets a new worker."""
    pieces, ends = _run(["hang", "a"], seconds=1.5)
    assert ends == {"hang": "timeout", "a": None}
    assert pieces == ["got a", "got hang"]


def test_a_task_over_its_memory_is_ended() -> None:
    """A worker that grows past its limit is ended, and only its task is charged."""
    pieces, ends = _run(["eat", "a"], memory_mb=300)
    assert ends == {"eat": "memory", "a": None}
    assert "got eat" in pieces


def test_leaving_early_leaves_no_process_behind() -> None:
    """Closing the pool in the middle of a task ends its workers."""
    pool = Pool(f"{__name__}:worker", ("",), size=1, seconds=60, memory_mb=2048)
    events = pool.run(["hang"])
    assert isinstance(next(events), Piece)
    process = pool._slots[0].process
    events.close()
    assert process.poll() is not None


def test_a_worker_that_is_started_before_its_arguments_are_known() -> None:
    """It gets them in time, and so do those that are started later."""
    pool = Pool(f"{__name__}:worker", None, size=2, seconds=60, memory_mb=2048)
    pool.warm()
    pool.equip(("late ",))
    pieces = [event.value for event in pool.run(["a", "die", "b", "c"]) if isinstance(event, Piece)]
    assert sorted(pieces) == ["late a", "late b", "late c", "late die"]


def test_a_worker_that_cannot_be_killed_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits in the system for a server that answers no more; nobody waits for it."""
    monkeypatch.setattr("scanner.pool._END_SECONDS", 0.05)
    pool = Pool(f"{__name__}:worker", ("",), size=1, seconds=60, memory_mb=2048)
    pool.warm()
    process = pool._slots[0].process
    kill = process.kill
    monkeypatch.setattr(process, "kill", lambda: None)
    monkeypatch.setattr(pool._slots[0].pipe, "close", lambda: None)
    pool.close()
    assert process.poll() is None
    kill()
    process.wait()
