"""Full disks, read-only file systems, a battery, all real: the agent waits, and loses and doubles nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from bench.agent import Place, differences
from tests.agent.test_agent import alarms, customers, once, scans, sinks, states, until
from tests.needs import missing

_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]


def as_root(*command: str) -> None:
    done = subprocess.run([*_ROOT, *command], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        missing(
            f"what this test mounts file systems with ({' '.join(command)}: {done.stderr.strip()})",
            "it needs root or sudo without a password, mount, and e2fsprogs",
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A share whose agent is ended, and whose disks are unmounted, whatever comes."""
    made = Place(tmp_path / "p")
    yield made
    made.end()
    for folder in (made.folder / "state", made.folder / "out"):
        if folder.is_mount():
            subprocess.run([*_ROOT, "umount", "-l", str(folder)], check=True)


def tmpfs(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    options = f"size=8m,mode=0700,uid={os.geteuid()}"
    as_root("mount", "-t", "tmpfs", "-o", options, "sharewatch-test", str(folder))


def fill(folder: Path) -> Path:
    """Take all the room there is; gives the file that has it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue
    return filler


def log(place: Place) -> str:
    return (place.folder / "log.txt").read_text()


def strain(place: Place, true: Callable[[], object]) -> list[str]:
    """Have files arrive until something is true; gives their paths."""
    arrived = []
    numbers = count(len(list(place.share.rglob("*"))) + 1)

    def arrive() -> object:
        path = f"acme/{next(numbers)}.csv"
        customers(place.share / path, more=len(arrived))
        arrived.append(path)
        return true()

    until(arrive, place)
    return arrived


def at_rest(place: Place, paths: list[str], told: list[str]) -> None:
    """All is told that has happened, and once."""
    until(lambda: set(scans(place)) >= set(paths), place)
    place.peace()
    assert place.stop() == 0
    assert [each for each in alarms(place) if each.startswith("ledger")] == told
    assert differences(place) == []
    assert scans(place) == dict.fromkeys(paths, 1)
    assert [state for state, _ in states(place)].count("opened") == 1


AGAIN = ["ledger_unwritable", "ledger_writable"]


def test_a_full_disk_under_the_ledger(place: Place) -> None:
    """While it runs, and when it is started: it waits for room, and goes on by itself."""
    tmpfs(place.folder / "state")
    place.configure("selftest_minutes: 0\n")
    customers(place.share / "acme/0.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/0.csv")], place)
    place.peace()
    filler = fill(place.folder / "state")
    arrived = strain(place, lambda: "ledger_unwritable" in log(place))
    status = place.status()
    assert status is not None
    assert status["trouble"] == "OperationalError"
    # Told while it is so: nobody would make room because of an alarm that comes once there is room.
    until(lambda: alarms(place) == AGAIN[:1], place)
    filler.unlink()
    until(lambda: alarms(place) == AGAIN, place)
    place.peace()
    # Killed while there is no room, and started while there is none.
    filler = fill(place.folder / "state")
    arrived += strain(place, lambda: log(place).count("ledger_unwritable") == 2)
    until(lambda: alarms(place) == [*AGAIN, AGAIN[0]], place)
    place.kill()
    (place.share / "acme/0.csv").unlink()
    said = len(log(place))
    place.start()
    waits = ("ledger_unwritable", "the ledger cannot be used")
    arrived += strain(place, lambda: any(each in log(place)[said:] for each in waits))
    filler.unlink()
    at_rest(place, ["acme/0.csv", *arrived], [*AGAIN, AGAIN[0], *AGAIN])


def test_a_ledger_in_a_folder_that_is_read_only_and_writable_again(place: Place) -> None:
    tmpfs(place.folder / "state")
    place.configure("selftest_minutes: 0\n")
    customers(place.share / "acme/0.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/0.csv")], place)
    place.peace()
    place.stop()
    as_root("mount", "-o", "remount,ro", str(place.folder / "state"))
    customers(place.share / "acme/1.csv", more=1)
    place.start()
    until(lambda: "the ledger cannot be used, and is tried again" in log(place), place)
    assert states(place) == [("opened", "acme/0.csv")]
    # Nobody waits for a single walk for as long as that takes.
    assert once(place) == 2
    as_root("mount", "-o", "remount,rw", str(place.folder / "state"))
    at_rest(place, ["acme/0.csv", "acme/1.csv"], AGAIN)


def test_a_file_system_that_makes_itself_read_only_under_the_ledger(place: Place, tmp_path: Path) -> None:
    """As ext4 does when it meets an error: with the ledger open, and for good until it is checked."""
    image, folder = tmp_path / "image", place.folder / "state"
    with image.open("wb") as file:
        file.truncate(32 << 20)
    as_root("mkfs.ext4", "-q", "-m", "0", str(image))
    as_root("mount", "-o", "loop,errors=remount-ro", str(image), str(folder))
    as_root("chown", str(os.geteuid()), str(folder))
    place.configure("selftest_minutes: 0\n")
    customers(place.share / "acme/0.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/0.csv")], place)
    place.peace()
    device = folder.stat().st_dev
    name = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
    as_root("sh", "-c", f"echo 1 > /sys/fs/ext4/{name}/trigger_fs_error")
    arrived = strain(place, lambda: "ledger_unwritable" in alarms(place))
    place.kill()
    as_root("umount", str(folder))
    # 1: errors were there and are corrected.
    as_root("sh", "-c", f"e2fsck -fp {image} || [ $? = 1 ]")
    as_root("mount", "-o", "loop", str(image), str(folder))
    place.start()
    at_rest(place, ["acme/0.csv", *arrived], AGAIN[:1])


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_sink_whose_folder_takes_nothing_gets_everything_later(place: Place, trouble: str) -> None:
    out = place.folder / "out"
    tmpfs(out)
    place.events = out / "events.jsonl"
    place.configure("selftest_minutes: 0\n")
    text = place.config.read_text()
    place.config.write_text(text.replace("events.jsonl}", "events.jsonl, backoff_limit_seconds: 0.5}"))
    customers(place.share / "acme/0.csv")
    place.start()
    until(lambda: states(place) == [("opened", "acme/0.csv")], place)
    place.peace()
    filler = out / "filler"
    if trouble == "full":
        fill(out)
    else:
        as_root("mount", "-o", "remount,ro", str(out))
    said = {"full": "No space left on device", "read-only": "Read-only file system"}[trouble]
    arrived = strain(place, lambda: said in (sinks(place).get("jsonl", {}).get("problem") or ""))
    # The ledger goes on, and what is to be told waits in it, over a kill too.
    until(lambda: (place.status() or {"files": 0})["files"] == 1 + len(arrived), place)
    place.kill()
    place.start()
    until(lambda: said in (sinks(place).get("jsonl", {}).get("problem") or ""), place)
    if trouble == "full":
        filler.unlink()
    else:
        as_root("mount", "-o", "remount,rw", str(out))
    until(lambda: sinks(place).get("jsonl", {}).get("up"), place)
    at_rest(place, ["acme/0.csv", *arrived], [])
    ids = [each["id"] for each in place.received("finding.")]
    assert len(ids) == len(set(ids)), "half a batch was left in the file and sent again"
    assert place.events.read_bytes().count(b"\n") == len(place.received())


def big(path: Path) -> None:
    """A file above one MiB, which can wait."""
    customers(path, more=33_000)
    assert path.stat().st_size > 1 << 20


def test_quiet_hours_keep_the_backlog_and_not_what_is_fresh_and_small(place: Place) -> None:
    calm = "selftest_minutes: 0\nlimits: {small_mb: 1, cpu_percent: 100, load: 1000}\n"
    place.configure(f'{calm}quiet_hours: ["00:00-12:00", "12:00-00:00"]\n')
    big(place.share / "bolt/big.csv")
    place.start()
    until(lambda: (place.status() or {}).get("waits_for") == "quiet hours", place)
    customers(place.share / "acme/small.csv")
    until(lambda: states(place) == [("opened", "acme/small.csv")], place)
    until(lambda: (place.status() or {}).get("waits_for") == "quiet hours", place)
    status = place.status()
    assert status is not None
    assert (status["queue"]["waiting"], status["queue"]["scanning"], status["files"]) == (1, 0, 1)
    assert place.process is not None
    place.configure(calm)
    place.process.send_signal(1)  # SIGHUP: the hours are over
    until(lambda: any(each["item"]["path"] == "bolt/big.csv" for each in place.told("item.scanned")), place)
    until(lambda: (place.status() or {"waits_for": 1})["waits_for"] is None, place)


def test_on_battery_the_backlog_waits_until_it_is_plugged_in(place: Place) -> None:
    """The kernel's own files say so, in a file system that this agent alone sees."""
    power = place.folder / "class/power_supply"
    for name, files in {
        "AC0": {"online": "0"},
        "BAT0": {"status": "Discharging", "capacity": "60", "energy_now": "6", "energy_full": "10"},
    }.items():
        (power / name).mkdir(parents=True)
        for file, value in files.items():
            (power / name / file).write_text(f"{value}\n")
    if shutil.which("unshare") is None:
        missing("unshare", "it is part of util-linux")
    as_root("unshare", "-m", "mount", "--bind", str(power.parent), "/sys/class")
    plain = place.command
    alone = [*_ROOT, "unshare", "-m", "sh", "-c", 'mount --bind "$0" /sys/class && exec "$@"']

    def command(*arguments: str) -> list[str]:
        return [*alone, str(power.parent), *plain(*arguments)]

    place.configure("selftest_minutes: 0\nlimits: {small_mb: 1, cpu_percent: 100, load: 1000}\n")
    big(place.share / "bolt/big.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "command", command)
        place.start()
    until(lambda: (place.status() or {}).get("waits_for") == "battery", place)
    customers(place.share / "acme/small.csv")
    until(lambda: states(place) == [("opened", "acme/small.csv")], place)
    until(lambda: (place.status() or {}).get("waits_for") == "battery", place)
    (power / "AC0/online").write_text("1\n")
    (power / "BAT0/status").write_text("Charging\n")
    until(lambda: any(each["item"]["path"] == "bolt/big.csv" for each in place.told("item.scanned")), place)
