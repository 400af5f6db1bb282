"""The agent with its ledger in PostgreSQL: kills, a server that is restarted, a server that is down."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bench.agent import Place, differences
from tests.agent.test_agent import alarms, customers, once, scans, states, until
from tests.ledger.test_migrations import _PROGRAMS, postgres  # noqa: F401 # a fixture

AGAIN = ["ledger_unwritable", "ledger_writable"]


class Server:
    """What is done with the fixture's server."""

    def __init__(self, url: str) -> None:
        self._folder = Path(parse_qs(urlsplit(url).query)["host"][0])

    def control(self, what: str) -> None:
        """Start, stop or restart it; its settings are those that it was started with."""
        data, settings = str(self._folder / "data"), f"-k {self._folder} -c listen_addresses= -F"
        command = [str(_PROGRAMS / "pg_ctl"), "-D", data, "-w", "-m", "fast", "-o", settings, what]
        user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(  # type: ignore[call-overload]
            [each for each in command if what != "start" or each not in ("-m", "fast")],
            check=True,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **user,
        )

    @property
    def runs(self) -> bool:
        return (self._folder / "data/postmaster.pid").exists()


@pytest.fixture
def server(postgres: str) -> Iterator[Server]:  # noqa: F811 # the fixture
    made = Server(postgres)
    yield made
    if made.runs:
        made.control("stop")


@pytest.fixture
def place(tmp_path: Path, postgres: str, server: Server) -> Iterator[Place]:  # noqa: F811 # the fixture
    made = Place(tmp_path / "p", "selftest_minutes: 0\n", postgres)
    yield made
    made.end()


def log(place: Place) -> str:
    return (place.folder / "log.txt").read_text()


def test_kills_and_a_server_that_goes_and_comes(place: Place, server: Server) -> None:
    """Nothing is lost, nothing is told twice, and that the server was away is told."""
    paths = []

    def arrive(number: int) -> None:
        for _ in range(number):
            paths.append(f"acme/{len(paths)}.csv")
            customers(place.share / paths[-1], more=len(paths))

    def all_told() -> bool:
        return set(scans(place)) >= set(paths)

    arrive(1)
    place.start()
    until(all_told, place)
    for _ in range(2):
        before = len(place.told("item.scanned"))
        arrive(8)
        until(lambda so_far=before: len(place.told("item.scanned")) > so_far, place)  # type: ignore[misc]
        place.kill()
        place.start()
    until(all_told, place)
    assert alarms(place) == []
    # Restarted in the middle of work.
    before = len(place.told("item.scanned"))
    arrive(12)
    until(lambda: len(place.told("item.scanned")) > before, place)
    server.control("restart")
    until(lambda: alarms(place) == AGAIN, place)
    until(all_told, place)
    # Down for a while, in which the agent is killed and started again.
    server.control("stop")
    arrive(1)
    until(lambda: alarms(place) == [*AGAIN, AGAIN[0]], place)  # told while it is so
    place.kill()
    arrive(1)
    (place.share / paths[0]).unlink()
    said = len(log(place))
    place.start()
    until(lambda: "the ledger cannot be used, and is tried again" in log(place)[said:], place)
    server.control("start")
    until(all_told, place)
    place.peace()
    assert place.stop() == 0
    assert alarms(place) == [*AGAIN, AGAIN[0], *AGAIN]
    assert differences(place) == []
    assert scans(place) == dict.fromkeys(paths, 1)
    assert [state for state, _ in states(place)].count("opened") == 1
    # A single walk does not wait for a server.
    assert once(place) == 1
    server.control("stop")
    assert once(place) == 2
