"""A writer that is killed at any moment loses nothing it acknowledged, and doubles nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from scanner import __file__ as package
from scanner.ledger import schema
from scanner.ledger.recorder import Delivery, Recorder
from scanner.ledger.store import open_ledger
from scanner.ledger.verify import verify
from tests.ledger.conftest import day
from tests.ledger.writer import outcome

KILLS = int(os.environ.get("SHAREWATCH_TEST_KILLS", "4"))


def test_kills_while_writing(tmp_path: Path) -> None:
    """After each kill the chain verifies and all acknowledged items are there once; the next run goes on."""
    where = str(tmp_path / "l.db")
    open_ledger(where, create=True).close()
    rng = random.Random(3)
    acknowledged: set[int] = set()
    start = 0
    for _ in range(KILLS):
        acknowledged |= _killed(where, start, rng.randint(1, 40))
        # The item that was under way is recorded again, as a scan that is run again does.
        start = max(acknowledged, default=0)
        with open_ledger(where) as ledger:
            assert verify(ledger).problems == ()
            assert acknowledged <= _recorded(ledger.engine)
    with open_ledger(where) as ledger:
        with Recorder(ledger, rules_digest="test") as recorder:
            for number in sorted(acknowledged):
                item = outcome(number)
                recorder.record(item, day(2), Delivery("acme", f"/share/{item.path}", item.path))
        with ledger.reading() as connection:
            places = [row.location for row in connection.execute(select(schema.presences.c.location))]
            contents = [row.content for row in connection.execute(select(schema.versions.c.content))]
        assert len(places) == len(set(places))
        assert len(contents) == len(set(contents)) == len(places)
        assert verify(ledger).problems == ()


def _recorded(engine: object) -> set[int]:
    with engine.connect() as connection:  # type: ignore[attr-defined] # an SQLAlchemy engine
        return {int(row.content[-64:], 16) for row in connection.execute(select(schema.versions.c.content))}


def _killed(where: str, start: int, after: int) -> set[int]:
    """Runs a writer, and kills it somewhere after it acknowledged so many; gives what it acknowledged."""
    root = str(Path(package).parent.parent)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", where, str(start)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": root},
        text=True,
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    return {int(line) for line in told if line.endswith("\n")}
