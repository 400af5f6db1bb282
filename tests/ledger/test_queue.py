"""The agent's queue and what it knows of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from scanner.ledger import queue
from scanner.ledger.queue import AGAIN, FRESH, VERIFY, Job
from scanner.ledger.store import open_ledger

SIGNATURE = (1, 2, 300, 4_000_000_000, 5_000_000_000, 1)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with open_ledger(str(tmp_path / "l.db"), create=True) as ledger, ledger.engine.begin() as opened:
        yield opened


def jobs(connection: Connection, count: int = 9, *, fresh: bool = False, now: float = 100.0) -> list[str]:
    found = queue.next_jobs(connection, now, count, small=1000, busy={("/s", "busy")}, fresh=fresh)
    return [job.path for job in found]


def test_fresh_before_other_small_before_big_new_before_old(connection: Connection) -> None:
    queue.put(
        connection,
        [
            Job("/s", "verify", VERIFY, 10, 50.0),
            Job("/s", "again", AGAIN, 10, 50.0),
            Job("/s", "big", FRESH, 5000, 60.0),
            Job("/s", "old", FRESH, 10, 10.0),
            Job("/s", "new", FRESH, 10, 20.0),
            Job("/s", "busy", FRESH, 10, 90.0),
        ],
        0.0,
    )
    assert jobs(connection) == ["new", "old", "big", "again", "verify"]
    assert jobs(connection, fresh=True) == ["new", "old"]
    assert jobs(connection, 1) == ["new"]
    assert queue.waiting(connection) == queue.Waiting(4, 1, 1, 10.0)


def test_what_failed_waits_and_is_counted(connection: Connection) -> None:
    queue.put(connection, [Job("/s", "a", FRESH, 10, 10.0)], 0.0)
    queue.put_off(connection, "/s", "a", 200.0)
    assert jobs(connection) == []
    assert queue.next_due(connection) == 200.0
    (job,) = queue.next_jobs(connection, 201.0, 1, small=1000, busy=(), fresh=False)
    assert job.tries == 1


def test_the_more_urgent_reason_stays(connection: Connection) -> None:
    assert queue.put(connection, [Job("/s", "a", VERIFY, 10, 10.0)], 0.0) == 1
    assert queue.put(connection, [Job("/s", "a", FRESH, 20, 30.0)], 0.0) == 0
    queue.put(connection, [Job("/s", "a", AGAIN, 40, 50.0)], 0.0)
    (job,) = queue.next_jobs(connection, 100.0, 5, small=1000, busy=(), fresh=False)
    assert (job.kind, job.size) == (FRESH, 20)


def test_known_files_come_in_the_order_of_their_bytes(connection: Connection) -> None:
    names = ["b", "a/x", "a", "a!", "a/y/z", "\udcff.csv", "line\nfeed"]
    for name in names:
        queue.scanned(connection, "/s", name, SIGNATURE, 1.0, "r1")
    expected = sorted(names, key=lambda name: name.encode("utf-8", "surrogateescape"))
    assert [path for path, _ in queue.known(connection, "/s")] == expected
    assert [path for path, _ in queue.known(connection, "/s", "a")] == ["a", "a/x", "a/y/z"]
    assert [path for path, _ in queue.known(connection, "/s", "a", deep=False)] == ["a", "a/x"]
    assert [path for path, _ in queue.known(connection, "/s", "", deep=False)] == [
        name for name in expected if "/" not in name
    ]
    assert queue.signature(connection, "/s", "\udcff.csv") == (SIGNATURE, "r1")
    queue.forget(connection, "/s", "a")
    assert queue.signature(connection, "/s", "a") is None
    assert queue.count(connection, "/s") == len(names) - 1


def test_other_rules_and_old_scans_are_queued_again_once(connection: Connection) -> None:
    queue.scanned(connection, "/s", "old", SIGNATURE, 1.0, "r1")
    queue.scanned(connection, "/s", "new", SIGNATURE, 90.0, "r1")
    assert [job.path for job in queue.outdated(connection, "r1", 50.0, 10)] == ["old"]
    found = queue.outdated(connection, "r2", 50.0, 10)
    assert [(job.path, job.kind) for job in found] == [("old", AGAIN), ("new", AGAIN)]
    queue.put(connection, found, 0.0)
    assert queue.outdated(connection, "r2", 50.0, 10) == []


def test_facts_are_kept(connection: Connection) -> None:
    assert queue.fact(connection, "mounts") is None
    queue.keep(connection, "mounts", {"/s": [1, 2]})
    queue.keep(connection, "mounts", {"/s": [3]})
    assert queue.fact(connection, "mounts") == {"/s": [3]}
