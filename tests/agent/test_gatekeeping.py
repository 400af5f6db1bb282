"""The agent as a gate: what scans clean goes from staging to a share, the rest is held and told."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.agent import POLICY, Place
from scanner.agent.gatekeeping import is_written
from scanner.ledger import queries
from scanner.ledger.store import open_ledger
from tests.agent.test_agent import alarms, customers, once, states, until

SKUS = "sku,price\n" + "".join(f"A-{n},{n}.00\n" for n in range(20))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "p")
    (made.folder / "staging/acme").mkdir(parents=True)
    made.configure(f"gates: [{{from: {made.folder / 'staging'}, to: {made.share}}}]\nselftest_minutes: 0\n")
    yield made
    made.end()


def staged(place: Place) -> list[str]:
    folder = place.folder / "staging"
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def shared(place: Place) -> list[str]:
    return sorted(str(each.relative_to(place.share)) for each in place.share.rglob("*") if each.is_file())


def recorded(place: Place) -> list[str]:
    """What the ledger holds for an exposure."""
    with open_ledger(str(place.ledger)) as ledger, ledger.reading() as connection:
        return sorted(path for _, path, _ in queries.places(connection, "2999-01-01T00:00:00.000000Z"))


def test_what_is_clean_goes_through_and_the_rest_is_held(place: Place) -> None:
    staging = place.folder / "staging"
    (staging / "acme/new").mkdir()
    (staging / "acme/new/good.csv").write_text(SKUS)
    customers(staging / "acme/bad.csv")
    customers(staging / "bolt/fine.csv")  # the same is fine for another
    (staging / "acme/odd.pdf").write_bytes(b"%PDF-1.7\n" + b"\0\1" * 500)
    (staging / "acme/half.csv.part").write_text(SKUS)
    assert once(place) == 0
    assert shared(place) == ["acme/new/good.csv", "bolt/fine.csv"]
    assert staged(place) == ["acme/bad.csv", "acme/half.csv.part", "acme/odd.pdf"]
    # Nobody could have had what was held; what went through is on record in the same run.
    assert recorded(place) == ["acme/new/good.csv", "bolt/fine.csv"]
    assert states(place) == []
    told = {each["alarm"]["path"]: each["alarm"] for each in place.told("alarm")}
    assert set(told) == {"acme/bad.csv", "acme/odd.pdf"}
    bad = told["acme/bad.csv"]
    assert (bad["what"], bad["vendor"], bad["to"]) == ("gate_held", "acme", str(place.share))
    assert bad["detail"].startswith("over_shared: ")
    assert told["acme/odd.pdf"]["detail"].startswith("unverifiable: ")
    assert "@" not in place.events.read_text()
    # Said once, and not again as long as nothing changes.
    assert once(place) == 0
    assert len(place.told("alarm")) == 2
    # Another policy is another question.
    place.policy.write_text(POLICY.replace("allow: [user.name]", "allow: [user]"))
    assert once(place) == 0
    assert "acme/bad.csv" in shared(place)
    assert staged(place) == ["acme/half.csv.part", "acme/odd.pdf"]


def test_a_running_gate(place: Place) -> None:
    """Through as soon as it is complete; mended and taken away; what lies there from before a kill."""
    staging = place.folder / "staging"
    place.start()
    until(lambda: (place.status() or {"last_walk": None})["last_walk"], place)
    (staging / "acme/good.csv").write_text(SKUS)
    until(lambda: shared(place) == ["acme/good.csv"], place)
    until(lambda: len(place.told("item.scanned")) == 1, place)
    customers(staging / "acme/bad.csv")
    until(lambda: alarms(place) == ["gate_held"], place)
    status = place.status()
    assert status is not None
    assert [(each["to"], each["held"]) for each in status["gates"]] == [(str(place.share), 1)]
    assert status["passed"] == 1
    place.kill()
    (staging / "acme/bad.csv").write_text(SKUS + "A-99,1.00\n")  # mended
    customers(staging / "acme/worse.csv", more=9)
    place.start()
    until(lambda: shared(place) == ["acme/bad.csv", "acme/good.csv"], place)
    until(lambda: alarms(place) == ["gate_held"] * 2, place)
    (staging / "acme/worse.csv").unlink()
    until(lambda: (place.status() or {"gates": [{"held": 1}]})["gates"][0]["held"] == 0, place)
    place.peace()
    assert recorded(place) == ["acme/bad.csv", "acme/good.csv"]


def test_a_file_whose_name_is_taken_stays_and_is_tried_again(place: Place) -> None:
    customers(place.share / "bolt/a.csv")
    (place.folder / "staging/bolt").mkdir()
    (place.folder / "staging/bolt/a.csv").write_text(SKUS)
    place.start()
    until(lambda: alarms(place) == ["gate_failed"], place)
    assert staged(place) == ["bolt/a.csv"]
    assert "Anna Weber" in (place.share / "bolt/a.csv").read_text()
    # What lies in the share already is scanned and waits no more.
    until(lambda: recorded(place) == ["bolt/a.csv"], place)
    status = place.status()
    assert status is not None
    assert status["queue"]["waiting"] == 1


def test_a_gate_that_is_taken_away_lets_nothing_through(place: Place) -> None:
    customers(place.folder / "staging/acme/bad.csv")
    assert once(place) == 0
    place.configure("selftest_minutes: 0\nverify_days: 0.000001\n")
    assert once(place) == 4
    assert recorded(place) == []
    assert staged(place) == ["acme/bad.csv"]


def test_a_file_that_is_open_for_writing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x")
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        assert not is_written(file)
        with file.open("a"):
            assert is_written(file)
        with file.open():
            assert not is_written(file)
        assert not is_written(tmp_path / "none")
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        with file.open("a"):
            assert not is_written(file)  # nothing is asked where the answer could end the process
    finally:
        signal.signal(signal.SIGIO, before)


def test_a_file_that_somebody_goes_on_writing_waits(place: Place) -> None:
    file = place.folder / "staging/acme/slow.csv"
    place.start()
    until(lambda: (place.status() or {"last_walk": None})["last_walk"], place)
    with file.open("w") as stream:
        stream.write(SKUS)
        stream.flush()
        (place.folder / "staging/acme/quick.csv").write_text(SKUS)
        until(lambda: shared(place) == ["acme/quick.csv"], place)
        log = "".join(str(each) for each in place.told("alarm"))
        assert log == ""
        # What is moved is there already when it goes here: for a moment it has both names.
        until(lambda: staged(place) == ["acme/slow.csv"], place)
    until(lambda: shared(place) == ["acme/quick.csv", "acme/slow.csv"], place)


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ("[{from: /s/in, to: /s}]", "hold one the other"),
        ("[{from: /, to: /s}]", "must be the absolute path"),
        ("[{from: /in, to: /out}]", "lies in no share"),
        ("[{from: /in, to: /s/a}, {from: /in/b, to: /s/b}]", "lies in what another gate watches"),
        ("[{from: in, to: /s}]", "must be the absolute path"),
        ("[{from: /in}]", "must be {from: FOLDER, to: FOLDER}"),
        ("/in", "must be a list"),
    ],
)
def test_wrong_gates_are_told(tmp_path: Path, gates: str, said: str) -> None:
    from scanner.agent.config import AgentConfigError, load

    file = tmp_path / "agent.yaml"
    file.write_text(f"shares: [/s]\npolicy: /p\nledger: /l.db\ngates: {gates}\n")
    with pytest.raises(AgentConfigError, match=r"agent\.yaml:4:") as caught:
        load(file)
    assert any(said in problem for problem in caught.value.problems)
