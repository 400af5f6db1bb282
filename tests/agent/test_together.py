"""What several files of a vendor tell together: told once by the agent, and taken back when one is gone."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.agent import Place
from scanner.agent.loop import Agent
from scanner.agent.together import Together
from scanner.ledger.findings import listed
from scanner.ledger.store import open_ledger
from scanner.ledger.verify import verify
from scanner.surfaces.agent_cli import _read
from scanner.surfaces.cli import cli
from tests.agent.test_agent import once, scans, until
from tests.ledger.test_joins import person
from tests.ledger.test_migrations import postgres  # noqa: F401 # a fixture

LAW = """\
version: 1
organisation: Example
vendors:
  - {id: acme, paths: ["acme/**"], allow: [{category: user.contact.email, form: [hashed]}]}
  - {id: bolt, paths: ["bolt/**"], allow: [user.name, user.unique_id, user.contact, %s]}
  - {id: cord, paths: ["cord/**"], allow: [user]}
"""
APART, ALL = LAW % "user.demographic.gender", LAW % "user"
SETTINGS = "account_seconds: 0.2\nselftest_minutes: 0\nscan: {model: none}\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "p", SETTINGS)
    made.policy.write_text(APART)
    yield made
    made.end()


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def write(path: Path, columns: list[str], count: int, written: Callable[[str], str] = str) -> None:
    """A table of people, put in place at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with part.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(columns)
        rows.writerows([written(person(number)[name]) for name in columns] for number in range(count))
    part.rename(path)


def hashes(place: Place, vendor: str = "acme") -> None:
    write(place.share / vendor / "hashes.csv", ["email"], 40, digest)


def clear(place: Place, vendor: str = "acme") -> None:
    write(place.share / vendor / "clear.csv", ["email", "city"], 60)


def mail(place: Place) -> None:
    write(place.share / "bolt/mail.csv", ["customer_id", "email", "name", "date_of_birth"], 60)


def post(place: Place) -> None:
    write(place.share / "bolt/post.csv", ["customer_id", "email", "street"], 40)


def told(place: Place, about: str) -> list[str]:
    """What became of findings that say this, in the order told."""
    return [
        f"{each['event'].partition('.')[2]} {each['finding']['path']}".strip()
        for each in place.told("finding.")
        if about in each["finding"]["because"]
    ]


UNDONE, JOINED = "can be undone", "together they give"


def rejudged(place: Place, law: str) -> list[str]:
    place.policy.write_text(law)
    command = ["findings", "rejudge", "--ledger", place.where, "--policy", str(place.policy)]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    return [line.split()[0] for line in done.stdout.splitlines()[:-1]]


def findings(place: Place) -> dict[str, str]:
    """The open ones: why, by id."""
    with open_ledger(place.where) as ledger, ledger.reading() as connection:
        return {each.id: str(each.document["because"]) for each in listed(connection)}


def test_the_running_agent_tells_it_once_and_takes_it_back(place: Place) -> None:
    """Files that come one by one, hours apart for all that it knows."""
    place.start()
    until(lambda: place.status(), place)
    hashes(place)
    hashes(place, "cord")
    mail(place)
    until(lambda: len(scans(place)) == 3, place)
    assert told(place, UNDONE) == []
    clear(place, "cord")  # another vendor's addresses undo nothing for acme
    until(lambda: len(scans(place)) == 4, place)
    clear(place)
    post(place)
    until(lambda: told(place, UNDONE) and told(place, JOINED), place)
    joined = told(place, JOINED)
    assert set(joined) == {"opened"}
    for number in range(2):  # other work, and the same file again
        write(place.share / "cord" / f"other{number}.csv", ["city"], 5 + number)
    os.utime(place.share / "acme/hashes.csv")
    until(lambda: scans(place)["acme/hashes.csv"] == 2, place)
    until(lambda: len(scans(place)) == 8, place)
    assert told(place, UNDONE) == ["opened acme/hashes.csv"]
    assert told(place, JOINED) == joined
    (place.share / "acme/clear.csv").unlink()
    (place.share / "bolt/post.csv").unlink()
    until(lambda: len(told(place, UNDONE)) > 1 and len(told(place, JOINED)) > len(joined), place)
    place.peace()
    assert told(place, UNDONE) == ["opened acme/hashes.csv", "resolved acme/hashes.csv"]
    assert told(place, JOINED) == joined + ["resolved"] * len(joined)
    assert place.stop() == 0
    assert "@" not in place.events.read_text()


def test_single_walks_tell_it_once_and_a_new_policy_judges_it(place: Place) -> None:
    """Walks that find nothing new tell nothing; ``findings rejudge`` comes to what a scan comes to."""
    hashes(place)
    mail(place)
    once(place)
    assert told(place, UNDONE) == told(place, JOINED) == []
    clear(place)
    post(place)
    for _ in range(2):
        assert once(place) == 1
        assert told(place, UNDONE) == ["opened acme/hashes.csv"]
        assert set(told(place, JOINED)) == {"opened"}
    before = findings(place)
    joined = sum(JOINED in because for because in before.values())
    assert joined == len(told(place, JOINED))
    assert rejudged(place, APART) == []
    assert set(rejudged(place, ALL)) == {"resolved"}
    assert not any(JOINED in because for because in findings(place).values())
    assert any(UNDONE in because for because in findings(place).values())
    assert set(rejudged(place, APART)) == {"opened"}
    assert findings(place) == before
    (place.share / "acme/hashes.csv").unlink()
    (place.share / "bolt/mail.csv").unlink()
    once(place)
    assert told(place, UNDONE)[-1] == "resolved acme/hashes.csv"
    assert told(place, JOINED) == ["opened"] * joined + ["resolved"] * joined
    with open_ledger(place.where) as ledger:
        assert verify(ledger).problems == ()


def test_nothing_is_judged_or_written_where_nothing_changed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a clock that ticks, and after an entry that changes nothing; what there is, a page at a time."""
    monkeypatch.setattr("scanner.agent.together._PAGE", 1)
    for number in range(3):
        write(place.share / "acme" / f"hashes{number}.csv", ["email"], 40 + number, digest)
    clear(place)
    agent = Agent(*_read(place.config))
    judged: list[int] = []
    ticks: list[int] = []
    before, turn = Together.judge, agent._turn

    def judge(self: Together, *, anew: bool) -> bool:
        more = before(self, anew=anew)
        judged.append(agent._session.writer.newest)
        return more

    def turned() -> bool:
        quiet = agent.state.scanned == 4 and told(place, UNDONE)
        if quiet and agent._session.writer.newest == agent._housekeeping._together._entry:
            ticks.append(len(judged))
            if len(ticks) == 1:
                agent._session.recorder.scanned("2026-01-01T00:00:00.000000Z", {})  # an entry, and no change
            elif len(judged) == ticks[0] + 1 and len(ticks) > 10:
                agent.stop()
        return turn()

    monkeypatch.setattr(Together, "judge", judge)
    monkeypatch.setattr(agent, "_turn", turned)
    monkeypatch.setattr(agent, "_patience", lambda: 0.02)
    agent.run()
    assert judged[-1] == judged[-2] + 1, "it was looked at, and nothing was written"
    assert len(judged) == ticks[0] + 1, "and not looked at again"
    assert [each.split()[0] for each in told(place, UNDONE)] == ["opened"]
    with open_ledger(place.where) as ledger, ledger.reading() as connection:
        (found,) = (each for each in listed(connection) if UNDONE in each.document["because"])
    assert found.places == 3


def test_a_ledger_in_postgresql_does_the_same(place: Place, postgres: str) -> None:  # noqa: F811 # the fixture
    place.database = postgres
    place.configure(SETTINGS)
    hashes(place)
    once(place)
    clear(place)
    for _ in range(2):
        assert once(place) == 1
        assert told(place, UNDONE) == ["opened acme/hashes.csv"]
    assert rejudged(place, APART) == []
    (place.share / "acme/clear.csv").unlink()
    once(place)
    assert told(place, UNDONE) == ["opened acme/hashes.csv", "resolved acme/hashes.csv"]
