"""The agent as a process: what arrives is scanned, told, and forgotten by nothing that happens to it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.agent import POLICY, Place, chaos, differences
from scanner.ledger.queue import FRESH, Job, put
from scanner.ledger.store import Writer, open_ledger
from tests.sinks.server import Reply, serving

ROWS = [
    ("Anna Weber", "anna@example.org"),
    ("Boris Klein", "boris@example.org"),
    ("Clara Wolf", "clara@example.org"),
]


def customers(path: Path, more: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "email"))
        writer.writerows(ROWS * 3 + [("David Wolf", f"david{n}@example.org") for n in range(more)])


def until(true: Callable[[], object], place: Place, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        log = place.folder / "log.txt"
        assert time.monotonic() < end, f"{place.status()}\n{log.read_text() if log.exists() else ''}"
        assert place.process is None or place.process.poll() is None, log.read_text()
        time.sleep(0.1)


def states(place: Place) -> list[tuple[str, str]]:
    return [(each["event"].partition(".")[2], each["finding"]["path"]) for each in place.told("finding.")]


def scans(place: Place) -> Counter[str]:
    """How often each path was scanned."""
    return Counter(each["item"]["path"] for each in place.told("item.scanned"))


def alarms(place: Place) -> list[str]:
    return [each["alarm"]["what"] for each in place.told("alarm")]


def sinks(place: Place) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in (place.status() or {"sinks": ()})["sinks"]}


def once(place: Place) -> int:
    return subprocess.run(
        place.command("watch", "--config", str(place.config), "--once"), capture_output=True
    ).returncode


def test_what_is_told_again_under_its_id_is_one_event(place: Place) -> None:
    """A kill between the writing of an event and the noting of that has it come again."""
    lines = ['{"event": "alarm", "id": "a"}', '{"event": "gap", "id": "b"}', '{"event": "al']
    place.events.write_text("\n".join([*lines, *lines[:1], '{"event": "alarm", "id": "c"}', ""]))
    assert [each["id"] for each in place.received()] == ["a", "b", "a", "c"]
    assert [each["id"] for each in place.told()] == ["a", "b", "c"]
    assert [each["id"] for each in place.told("alarm")] == ["a", "c"]


def test_one_walk_tells_once(place: Place) -> None:
    assert once(place) == 4
    customers(place.share / "bolt/a.csv")
    assert once(place) == 0
    customers(place.share / "acme/a.csv")
    assert once(place) == 1
    assert states(place) == [("opened", "acme/a.csv")]
    assert len(place.told("item.scanned")) == 2
    assert once(place) == 1
    assert len(place.told("item.scanned")) == 2
    assert states(place) == [("opened", "acme/a.csv")]
    (place.share / "acme/a.csv").unlink()
    assert once(place) == 0
    assert states(place)[-1] == ("resolved", "acme/a.csv")
    assert "@" not in place.events.read_text()


def test_a_file_that_arrives_is_found_moved_changed_and_gone(place: Place) -> None:
    place.start()
    until(lambda: place.status(), place)
    customers(place.share / "acme/a.csv")
    until(lambda: ("opened", "acme/a.csv") in states(place), place)
    (place.share / "acme/sub").mkdir()
    (place.share / "acme/a.csv").rename(place.share / "acme/sub/b.csv")
    until(lambda: any(each["item"]["path"] == "acme/sub/b.csv" for each in place.told("item.scanned")), place)
    place.peace()
    assert [state for state, _ in states(place)] == ["opened"]  # a rename is no new delivery
    customers(place.share / "acme/sub/b.csv", more=40)
    until(lambda: [state for state, _ in states(place)] == ["opened", "updated"], place)
    (place.share / "acme/sub/b.csv").unlink()
    until(lambda: states(place)[-1][0] == "resolved", place)
    # What is still written under a temporary name waits until it has its own.
    part = place.share / "acme/c.csv.part"
    customers(part)
    customers(place.share / "bolt/whole.csv")
    until(lambda: any(each["item"]["path"] == "bolt/whole.csv" for each in place.told("item.scanned")), place)
    assert not any("c.csv" in each["item"]["path"] for each in place.told("item.scanned"))
    part.rename(place.share / "acme/c.csv")
    until(lambda: states(place)[-1] == ("reopened", "acme/c.csv"), place)
    assert place.stop() == 0


def test_what_happened_while_it_was_dead_is_told_when_it_lives_again(place: Place) -> None:
    customers(place.share / "acme/a.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/a.csv")], place)
    place.kill()
    (place.share / "acme/a.csv").unlink()
    customers(place.share / "acme/other.csv", more=5)
    (place.share / "acme/other.csv").rename(place.share / "bolt/other.csv")
    place.start()
    until(lambda: states(place)[-1] == ("resolved", "acme/a.csv"), place)
    place.peace()
    place.stop()
    assert differences(place) == []


def test_random_operations_and_kills(place: Place) -> None:
    found = chaos(place, operations=150, kills=4, seed=11)
    assert found["differences"] == []
    assert found["kills"] == 4


def test_a_damaged_ledger_is_set_aside_and_built_anew_with_the_same_ids(place: Place) -> None:
    customers(place.share / "acme/a.csv")
    assert once(place) == 1
    before = [(each["id"], each["finding"]["id"]) for each in place.told("finding.")]
    for end in ("-wal", "-shm"):
        Path(f"{place.ledger}{end}").unlink(missing_ok=True)
    data = bytearray(place.ledger.read_bytes())
    data[4096:40_960] = os.urandom(36_864)
    place.ledger.write_bytes(data)
    assert once(place) == 1
    # Receivers, who go by the ids, learn nothing new from it.
    again = [(each["id"], each["finding"]["id"]) for each in place.received("finding.")][len(before) :]
    assert again == before
    assert len(place.told("finding.")) == len(before)
    assert [each["alarm"]["what"] for each in place.told("alarm")] == ["ledger_rebuilt"]
    assert list(place.ledger.parent.glob("ledger.db.damaged-*"))


def test_a_new_policy_is_taken_up_and_a_wrong_one_refused(place: Place) -> None:
    customers(place.share / "acme/a.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/a.csv")], place)
    place.peace()
    assert place.process is not None
    place.policy.write_text("version: 1\nvendors: nobody\n")
    place.process.send_signal(signal.SIGHUP)
    until(
        lambda: any(each["alarm"]["what"] == "configuration_refused" for each in place.told("alarm")), place
    )
    status = place.status()
    assert status is not None
    assert status["configuration"] != "in force"
    place.policy.write_text(POLICY.replace("[user.name]", "[user]"))
    place.process.send_signal(signal.SIGHUP)
    until(lambda: states(place)[-1] == ("resolved", "acme/a.csv"), place)
    # Another configuration, other sinks, without losing what is known.
    scanned = len(place.told("item.scanned"))
    place.configure("heartbeat_seconds: 100\n")
    place.process.send_signal(signal.SIGHUP)
    until(lambda: (place.status() or {}).get("configuration") == "in force", place)
    place.peace()
    assert len(place.told("item.scanned")) == scanned


def test_the_self_test_proves_the_line_and_is_not_counted(place: Place) -> None:
    place.start()
    until(lambda: place.told("selftest"), place)
    assert place.told("selftest")[0]["selftest"]["passed"] is True
    place.peace()
    assert place.told("item.scanned") == []
    assert place.told("heartbeat")


def test_what_the_policy_wants_out_of_reach_is_moved(place: Place) -> None:
    place.policy.write_text(POLICY.replace("allow: [user.name]", "allow: [user.name], action: quarantine"))
    place.configure(f"quarantine: {{folder: {place.folder / 'held'}}}\n")
    customers(place.share / "acme/bad.csv")
    customers(place.share / "bolt/good.csv")
    assert once(place) in (0, 1)
    assert not (place.share / "acme/bad.csv").exists()
    assert (place.share / "bolt/good.csv").exists()
    assert [each["alarm"]["what"] for each in place.told("alarm")] == ["quarantined"]
    assert list((place.folder / "held").iterdir())


def test_what_is_over_shared_inside_of_an_archive_takes_the_archive(place: Place) -> None:
    place.policy.write_text(POLICY.replace("allow: [user.name]", "allow: [user.name], action: quarantine"))
    place.configure(f"quarantine: {{folder: {place.folder / 'held'}}}\n")
    customers(place.folder / "bad.csv")
    with zipfile.ZipFile(place.share / "acme/bad.zip", "w") as archive:
        archive.write(place.folder / "bad.csv", "bad.csv")
        archive.writestr("sku.csv", "sku,price\nA1,2\nA2,3\n")
    with zipfile.ZipFile(place.share / "acme/good.zip", "w") as archive:
        archive.writestr("sku.csv", "sku,price\nA1,2\nA2,3\n")
    assert once(place) in (0, 1)
    assert not (place.share / "acme/bad.zip").exists()
    assert (place.share / "acme/good.zip").exists()


def test_status_and_wrong_configurations(place: Place) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(place.folder)}
        return subprocess.run(place.command(*arguments), capture_output=True, text=True, env=environment)

    assert run("status", "--config", str(place.config)).returncode == 3
    place.start()
    until(lambda: place.status(), place)
    done = run("status", "--config", str(place.config))
    assert done.returncode == 0, done.stdout
    assert "all is well" in done.stdout
    place.configure("setle_seconds: 3\n")
    done = run("watch", "--config", str(place.config), "--check")
    assert done.returncode == 2
    assert "there is no setting setle_seconds; settle_seconds is one" in done.stderr


def test_a_sink_that_stays_down_is_an_alarm_and_its_dead_letters_come_back(place: Place) -> None:
    answers = {"status": 400}
    with serving(lambda _: Reply(answers["status"])) as server:
        (place.folder / "key").write_text("a-key-of-some-length")
        (place.folder / "key").chmod(0o600)
        hook = (
            f"{{type: webhook, url: {server.url}/, secret_file: {place.folder / 'key'}, events: [finding],"
            " backoff_limit_seconds: 0.2}"
        )
        text = place.config.read_text().replace("sinks: [", f"sinks: [{hook}, ")
        place.config.write_text(f"{text}sink_down_minutes: 0.02\n")
        customers(place.share / "acme/a.csv")
        place.start()
        until(lambda: states(place) == [("opened", "acme/a.csv")], place)
        until(lambda: sinks(place).get("webhook", {}).get("dead") == 1, place)
        answers["status"] = 503
        customers(place.share / "acme/b.csv", more=3)
        until(lambda: "sink_down" in alarms(place), place)
        assert sinks(place)["webhook"]["down_since"] is not None
        answers["status"] = 200
        until(lambda: "sink_up" in alarms(place), place)
        place.peace()
        before = len(server.requests)
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(place.folder)}
        command = place.command("sinks", "resend", "--config", str(place.config))
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "1 wait again\n", "")
        # The agent is told, so that it does not wait for the next event.
        until(lambda: len(server.requests) > before, place, seconds=10)
        until(lambda: sinks(place).get("webhook", {}).get("dead") == 0, place)
        assert server.requests[-1].headers["webhook-id"] == server.requests[0].headers["webhook-id"]
    # A sink that the configuration names no more is let go of, and that is told.
    place.stop()
    place.configure()
    place.start()
    until(lambda: place.status(), place)
    assert list(sinks(place)) == ["jsonl"]


def test_what_waits_for_a_sink_that_is_taken_away_is_told(place: Place) -> None:
    text = place.config.read_text()
    hook = "{type: webhook, url: http://127.0.0.1:9/, secret_file: %s}" % (place.folder / "key")
    (place.folder / "key").write_text("a-key-of-some-length")
    (place.folder / "key").chmod(0o600)
    place.config.write_text(text.replace("sinks: [", f"sinks: [{hook}, "))
    customers(place.share / "acme/a.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/a.csv")], place)
    place.stop()
    place.config.write_text(text)
    place.start()
    until(lambda: "sink_removed" in alarms(place), place)
    (told,) = [each["alarm"] for each in place.told("alarm")]
    assert (told["sink"], told["dropped"] > 0) == ("webhook", True)


def test_what_a_walk_finds_complete_is_scanned_without_anybody_waking_the_loop(place: Place) -> None:
    text = place.config.read_text().replace("settle_seconds: 0.3", "settle_seconds: 0.001")
    place.config.write_text(f"{text}selftest_minutes: 0\n")
    for number in range(3):
        customers(place.share / f"bolt/{number}.csv")
    place.start()
    until(lambda: len(place.told("item.scanned")) == 3, place, seconds=30)


def test_what_waits_and_is_gone_holds_up_nothing(place: Place) -> None:
    """Files by the hundred came and went while nobody looked: they are dropped one after the other."""
    assert once(place) == 4  # nothing yet
    jobs = [Job(str(place.share), f"acme/{number}.csv", FRESH, 10, time.time()) for number in range(400)]
    with (
        open_ledger(str(place.ledger)) as ledger,
        closing(Writer(ledger)) as writer,
        writer.connection.begin(),
    ):
        put(writer.connection, jobs, 0.0)
    customers(place.share / "bolt/there.csv")
    place.start()
    until(lambda: place.told("item.scanned"), place, seconds=30)
    until(lambda: (place.status() or {"queue": {"waiting": 1}})["queue"]["waiting"] == 0, place, seconds=30)
