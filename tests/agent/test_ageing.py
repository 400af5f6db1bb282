"""What time alone changes: a file that lies too long, an exception that ends, a clock that jumps."""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from bench.agent import Place
from scanner.agent import housekeeping
from scanner.agent.loop import Agent
from scanner.ledger.store import LedgerError
from scanner.surfaces.agent_cli import _read
from tests.agent.test_agent import customers, once

TODAY = datetime.now(UTC).date()
POLICY = """\
version: 1
organisation: Example
vendors:
  - id: acme
    paths: ["acme/**"]
    allow: [user.name, user.contact]
    limits: {retention_days: 30}
  - id: bolt
    paths: ["bolt/**"]
    allow: [user.name]
    exceptions:
      - {column: email, until: %s, ticket: SEC-1, reason: migration}
  - {id: cord, paths: ["cord/**"], allow: [user]}
"""


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A share with a file for each of three vendors, scanned once; nothing is amiss today."""
    made = Place(tmp_path_factory.mktemp("aged") / "p")
    made.policy.write_text(POLICY % (TODAY + timedelta(days=10)))
    for vendor in ("acme", "bolt", "cord"):
        customers(made.share / vendor / "a.csv")
    with zipfile.ZipFile(made.share / "acme/b.zip", "w") as archive:
        archive.write(made.share / "acme/a.csv", "a.csv")
    for file in made.share.rglob("*.*"):
        os.utime(file, (time.time() - 20 * 86_400,) * 2)
    assert once(made) == 0
    shutil.copytree(made.folder / "state", made.folder / "state as scanned")
    shutil.copy(made.events, made.folder / "events as scanned")
    return made


@pytest.fixture
def place(scanned: Place) -> Place:
    """That share, with the ledger as it was after the scan."""
    shutil.rmtree(scanned.folder / "state")
    shutil.copytree(scanned.folder / "state as scanned", scanned.folder / "state")
    shutil.copy(scanned.folder / "events as scanned", scanned.events)
    scanned.configure()
    return scanned


@pytest.fixture
def on(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[tuple[str, str]]]:
    """Have the agent do its work in so many days from now; gives what findings it told of meanwhile."""

    def run(days: int) -> list[tuple[str, str]]:
        day = TODAY + timedelta(days=days)
        monkeypatch.setattr(housekeeping, "_today", lambda: day)
        before = len(place.told("finding."))
        scanned = len(place.told("item.scanned"))
        Agent(*_read(place.config), once=True).run()
        assert len(place.told("item.scanned")) == scanned, "no file is read for it"
        told = place.told("finding.")[before:]
        return sorted((each["event"].partition(".")[2], each["finding"]["path"]) for each in told)

    return run


def test_what_lies_too_long_is_a_finding_without_a_scan(place: Place, on: Callable[[int], object]) -> None:
    """From the day after the last that the policy permits, and once."""
    assert on(9) == []
    assert on(10) == []
    assert on(11) == [("opened", "acme/a.csv"), ("opened", "acme/b.zip"), ("opened", "bolt/a.csv")]
    assert on(11) == []
    assert on(12) == []
    rules = {each["finding"]["path"]: each["finding"]["rule"] for each in place.told("finding.")}
    assert rules == {
        "acme/a.csv": "vendors.acme.limits.retention_days",
        "acme/b.zip": "vendors.acme.limits.retention_days",
        "bolt/a.csv": "vendors.bolt.allow",
    }


def test_a_clock_that_was_wrong_is_made_good(on: Callable[[int], list[object]]) -> None:
    """What a clock that ran ahead opened is resolved once it is set back."""
    assert len(on(400)) == 3
    assert on(0) == [("resolved", "acme/a.csv"), ("resolved", "acme/b.zip"), ("resolved", "bolt/a.csv")]


def test_a_day_is_judged_while_the_agent_runs(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """At midnight or after the clock was set, at the latest with a heartbeat; a page at a time."""
    monkeypatch.setattr("scanner.agent.ageing._PAGE", 1)
    place.config.write_text(place.config.read_text() + "heartbeat_seconds: 0.2\nselftest_minutes: 0\n")
    agent = Agent(*_read(place.config))
    days: list[date] = [TODAY]
    monkeypatch.setattr(housekeeping, "_today", lambda: days[-1])
    turns: list[int] = []
    before = agent._turn

    def turn() -> bool:
        turns.append(1)
        opened = len(place.told("finding.opened"))
        if agent.state.last_walk is not None and days == [TODAY] and len(turns) > 10:
            assert opened == 0
            days.append(TODAY + timedelta(days=40))
        if opened >= 3 or len(turns) > 500:
            agent.stop()
        return before()

    monkeypatch.setattr(agent, "_turn", turn)
    agent.run()
    assert len(place.told("finding.opened")) == 3


def test_the_wait_for_midnight() -> None:
    assert 0 < housekeeping._until_midnight() <= 86_400


def test_a_single_walk_ends_where_the_ledger_cannot_be_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle: said so, and not waited for; the next walk does what is left."""
    new = place.share / "cord/new.csv"
    customers(new)

    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr("scanner.ledger.queue.scanned", full)
        with pytest.raises(LedgerError, match=r"^the ledger cannot be used \(Exception\)$"):
            Agent(*_read(place.config), once=True).run()
    before = len(place.told("item.scanned"))
    Agent(*_read(place.config), once=True).run()
    new.unlink()
    assert [each["item"]["path"] for each in place.told("item.scanned")][before:] == ["cord/new.csv"]
