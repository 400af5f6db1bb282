"""How far scans of archives are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from scanner.ledger import progress, queue
from scanner.ledger.progress import Done
from scanner.ledger.queue import FRESH, Job
from scanner.ledger.store import open_ledger

SIGNATURE = (2, 300, 4_000_000_000, 5_000_000_000)
BOUND = progress.binding(SIGNATURE, "rules", "policy")
NAME = "\udcff.zip"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with open_ledger(str(tmp_path / "l.db"), create=True) as ledger, ledger.engine.begin() as opened:
        yield opened


def noted(connection: Connection, *members: str, path: str = NAME, bound: str = BOUND) -> list[Done]:
    done = [Done(name, name == "b", "too much" if name == "a" else None) for name in members]
    for number, each in enumerate(done):
        progress.note(connection, "/s", path, bound, number, each)
    return done


def test_what_was_noted_is_gone_on_from(connection: Connection) -> None:
    done = noted(connection, "a", "b", "c!/x", "c!/y!/z", "c!/y", "c")
    noted(connection, "other", path="x.zip")
    assert progress.resume(connection, "/s", NAME, BOUND) == done
    assert progress.members(done) == 3
    assert progress.resume(connection, "/s", NAME, BOUND) == done


def test_a_nested_container_that_was_not_read_to_its_end_is_read_again(connection: Connection) -> None:
    done = noted(connection, "a", "b!/x", "b", "c!/x", "c!/y!/z", "c!/y")
    assert progress.resume(connection, "/s", NAME, BOUND) == done[:3]
    # What is scanned again is noted under the numbers that are free now.
    progress.note(connection, "/s", NAME, BOUND, 3, Done("c!/x", False, None))
    assert len(progress.resume(connection, "/s", NAME, BOUND)) == 3
    assert progress.resume(connection, "/t", NAME, BOUND) == []


def test_nothing_counts_but_for_one_nested_member(connection: Connection) -> None:
    noted(connection, "a!/x")
    assert progress.resume(connection, "/s", NAME, BOUND) == []
    assert noted(connection, "a!/x")  # its number is free


@pytest.mark.parametrize(
    "other",
    [
        progress.binding((2, 301, 4_000_000_000, 5_000_000_000), "rules", "policy"),
        progress.binding(SIGNATURE, "rules2", "policy"),
        progress.binding(SIGNATURE, "rules", "policy2"),
    ],
)
def test_another_file_other_rules_another_policy_begin_anew(connection: Connection, other: str) -> None:
    noted(connection, "a", "b")
    assert progress.resume(connection, "/s", NAME, other) == []
    assert progress.resume(connection, "/s", NAME, BOUND) == []


def test_members_noted_under_two_bindings_begin_anew(connection: Connection) -> None:
    progress.note(connection, "/s", NAME, "old", 0, Done("a", False, None))
    progress.note(connection, "/s", NAME, BOUND, 1, Done("b", False, None))
    assert progress.resume(connection, "/s", NAME, BOUND) == []


def test_what_leaves_the_queue_leaves_no_progress(connection: Connection) -> None:
    for name, leaves in (
        ("scanned", lambda: queue.scanned(connection, "/s", NAME, (1, *SIGNATURE, 1), 1.0, "r1")),
        ("gone", lambda: queue.forget(connection, "/s", NAME)),
        ("dropped", lambda: queue.drop(connection, "/s", NAME)),
        ("share", lambda: queue.forget_all(connection, "/s")),
    ):
        queue.put(connection, [Job("/s", NAME, FRESH, 10, 10.0)], 0.0)
        noted(connection, "a")
        noted(connection, "kept", path="x.zip")
        leaves()
        assert progress.resume(connection, "/s", NAME, BOUND) == [], name
        assert bool(progress.resume(connection, "/s", "x.zip", BOUND)) == (name != "share")
        progress.drop(connection, "/s", "x.zip")


def test_a_scan_that_died_keeps_it(connection: Connection) -> None:
    queue.put(connection, [Job("/s", NAME, FRESH, 10, 10.0)], 0.0)
    done = noted(connection, "a")
    queue.put_off(connection, "/s", NAME, 200.0)
    assert progress.resume(connection, "/s", NAME, BOUND) == done
