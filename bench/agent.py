"""The agent under fire: random operations on a share while it is killed; then idle, then at steady work.

    python -m bench.agent [--operations 10000] [--kills 100] [--seed 1] [--idle 60] [--steady 60]

At the end of the operations the agent is left in peace until its queue is empty. Then what its ledger says is
within reach, and which findings its sink told are open, are held against a plain scan of the tree, and ids in
the sink's file are held against themselves. ``--idle`` and ``--steady`` measure, for so many seconds, memory,
processor time and wake-ups of the agent's own process and of all of its processes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POLICY = """\
version: 1
organisation: Example
vendors:
  - {id: acme, paths: ["acme/**"], allow: [user.name]}
  - {id: bolt, paths: ["bolt/**"], allow: [user]}
"""
_NAMES = ("Anna Weber", "Boris Klein", "Clara Schulz", "David Wolf", "Emma Neumann", "Felix Krause")
_KINDS = (
    "create",
    "create",
    "append",
    "rename",
    "move",
    "delete",
    "replace",
    "chmod",
    "link",
    "folder",
    "burst",
    "archive",
)


def table(dice: random.Random) -> str:
    """A small table, with addresses of mail or without."""
    columns = ["name", "email"] if dice.random() < 0.5 else ["sku", "price"]
    lines = [",".join(columns)]
    for number in range(dice.randint(6, 12)):
        name = dice.choice(_NAMES)
        mail = f"{name.replace(' ', '.').lower()}{dice.randrange(10**6)}@example.org"
        lines.append(f"{name},{mail}" if columns[0] == "name" else f"A-{number},{dice.randint(1, 99)}.00")
    return "\n".join(lines) + "\n"


def archive(dice: random.Random) -> bytes:
    """A zip of some tables, some of them in a zip inside of it."""
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(dice.randint(1, 6)):
            if dice.random() < 0.2:
                made.writestr(f"{number}.zip", archive(dice))
            else:
                made.writestr(f"{number}.csv", table(dice))
    return packed.getvalue()


@dataclass
class Place:
    """A share, and an agent that watches it.

    Attributes:
        folder: of all of it.
        settings: further lines of the configuration.
        database: the ledger's URL; empty for a file in the folder.
    """

    folder: Path
    settings: str = ""
    database: str = ""
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.share, self.events = self.folder / "share", self.folder / "events.jsonl"
        self.ledger, self.config = self.folder / "state/ledger.db", self.folder / "agent.yaml"
        self.policy = self.folder / "policy.yaml"
        for name in ("share/acme", "share/bolt", "state"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if not self.policy.exists():
            self.policy.write_text(POLICY)
        self.configure(self.settings)

    def configure(self, settings: str = "") -> None:
        """Write the configuration."""
        self.config.write_text(
            f"shares: [{self.share}]\npolicy: {self.policy}\nledger: {self.where}\n"
            f"settle_seconds: 0.3\nsinks: [{{type: jsonl, path: {self.events}}}]\n{settings}"
        )

    @property
    def where(self) -> str:
        """The ledger, as commands take it."""
        return self.database or str(self.ledger)

    def command(self, *arguments: str) -> list[str]:
        """A command line of the program."""
        return [sys.executable, "-c", "from scanner.surfaces.cli import main; main()", *arguments]

    def start(self) -> None:
        """Start the agent; its log is kept."""
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(self.folder), **self.environment}
        command = self.command("watch", "--config", str(self.config))
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self.starts += 1

    def kill(self) -> None:
        """As a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """Kill it, where it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def stop(self) -> int:
        """As the service manager does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def received(self, kind: str = "") -> list[dict[str, Any]]:
        """Every line that the sink has got, the beginning of its kind given; a kill has some told again."""
        if not self.events.exists():
            return []
        out = []
        for line in self.events.read_text().splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                continue  # cut by a kill; it was told again
        return [each for each in out if each["event"].startswith(kind)]

    def told(self, kind: str = "") -> list[dict[str, Any]]:
        """The same as a receiver is to understand it: each event once, by its id, where it came first."""
        first: dict[str, dict[str, Any]] = {}
        for each in self.received(kind):
            first.setdefault(each["id"], each)
        return list(first.values())

    def status(self) -> dict[str, Any] | None:
        """What the agent says of itself; None where it does not answer."""
        from scanner.agent.status import ask

        try:
            return ask(self.folder / "agent.sock")
        except (OSError, ValueError):
            return None

    def peace(self, seconds: float = 120.0) -> None:
        """Wait until nothing is left to do.

        Raises:
            TimeoutError: it is not within that time.
        """
        end = time.monotonic() + seconds
        calm = 0
        while calm < 3:
            if time.monotonic() > end:
                raise TimeoutError(f"the agent does not come to rest: {self.status()}")
            time.sleep(0.7)
            found = self.status()
            still = found is not None and found["last_walk"] is not None
            if still and found is not None:
                queue = found["queue"]
                pending = sum(each["pending"] for each in found["sinks"])
                still = (
                    not queue["waiting"] and not queue["scanning"] and not pending and not found["settling"]
                )
            calm = calm + 1 if still else 0


def operate(place: Place, dice: random.Random) -> str:
    """Do something to the share; gives what."""
    files = [path for path in place.share.rglob("*") if path.is_file()]
    folders = [path for path in place.share.rglob("*") if path.is_dir()]
    kind = dice.choice(_KINDS)
    target = dice.choice(folders) / f"{dice.randrange(10**9)}.csv"
    if kind == "create" or not files:
        target.write_text(table(dice))
        return "create"
    chosen = dice.choice(files)
    if kind == "archive":
        part = target.with_name(f".{target.name}.part")
        part.write_bytes(archive(dice))
        part.replace(target.with_suffix(".zip"))
    elif kind == "append":
        with chosen.open("a") as file:
            file.write("\n".join(table(dice).splitlines()[1:]) + "\n")
    elif kind in ("rename", "move"):
        chosen.rename(target if kind == "move" else chosen.with_name(target.name))
    elif kind == "delete":
        chosen.unlink()
    elif kind == "replace":
        part = chosen.with_name(f".{target.name}.part")
        part.write_text(table(dice))
        part.replace(chosen)
    elif kind == "chmod":
        chosen.chmod(dice.choice((0o600, 0o644)))
    elif kind == "link":
        os.link(chosen, target)
    elif kind == "folder":
        if len(folders) > 12 and dice.random() < 0.5:
            shutil.rmtree(dice.choice(folders[2:]), ignore_errors=True)
        else:
            (dice.choice(folders) / f"d{dice.randrange(10**6)}").mkdir(exist_ok=True)
        for name in ("acme", "bolt"):
            (place.share / name).mkdir(exist_ok=True)
    else:
        folder = dice.choice(folders) / f"b{dice.randrange(10**6)}"
        folder.mkdir(exist_ok=True)
        for number in range(8):
            (folder / f"{number}.csv").write_text(table(dice))
    return kind


def differences(place: Place) -> list[str]:
    """What ledger and sink say otherwise than a plain scan of the share; empty where all agree."""
    report = place.folder / "plain.json"
    scan = place.command(
        "scan", str(place.share), "--policy", str(place.policy), "--format", "json", "-o", str(report)
    )
    subprocess.run(scan, check=False, capture_output=True)
    plain = json.loads(report.read_text())
    out = []

    from scanner.ledger import queries
    from scanner.ledger.store import open_ledger, stamp
    from scanner.ledger.verify import verify

    with open_ledger(place.where) as ledger:
        from datetime import UTC, datetime

        with ledger.reading() as connection:
            now = stamp(datetime.now(UTC))
            held = Counter(
                (path, member, version.content.removeprefix("sha256:"))
                for (_, member), path, version in queries.places(connection, now)
                if version.content.startswith("sha256:")
            )
        out += list(verify(ledger).problems)
    wanted = Counter(
        (item["path"], item["member"] or "", item["sha256"]) for item in plain["items"] if item["sha256"]
    )
    out += [f"the ledger lacks {each}" for each in (wanted - held)]
    out += [f"the ledger has too much: {each}" for each in (held - wanted)]

    state: dict[str, str] = {}
    for each in place.told("finding."):
        state[each["finding"]["id"]] = each["event"].partition(".")[2]
    open_ = {name for name, last in state.items() if last != "resolved"}
    expected = {each["id"] for each in plain["findings"] if each["path"]}
    out += [f"a finding was not told: {name}" for name in sorted(expected - open_)]
    out += [f"a finding was told and is none: {name}" for name in sorted(open_ - expected)]
    return out


def chaos(place: Place, operations: int, kills: int, seed: int) -> dict[str, Any]:
    """Operations and kills; then the comparison. Gives numbers, and what differs."""
    dice = random.Random(seed)
    place.start()
    done: Counter[str] = Counter()
    at = set(dice.sample(range(operations), min(kills, operations)))
    started = time.monotonic()
    for number in range(operations):
        done[operate(place, dice)] += 1
        if dice.random() < 0.3:
            time.sleep(dice.random() * 0.05)
        if number in at:
            time.sleep(dice.random())
            place.kill()
            place.start()
    place.peace(600)
    seconds = time.monotonic() - started
    place.stop()
    ids = Counter(each["id"] for each in place.received())
    return {
        "operations": dict(sorted(done.items())),
        "kills": place.starts - 1,
        "seconds": round(seconds, 1),
        "events": sum(ids.values()),
        "repeated": sum(count - 1 for count in ids.values()),
        "differences": differences(place),
    }


def measured(place: Place, seconds: float) -> dict[str, float]:
    """Memory, processor time and wake-ups of a running agent for some time."""
    import psutil

    assert place.process is not None
    pid = place.process.pid
    main = psutil.Process(pid)

    def figures() -> tuple[float, int]:
        times = main.cpu_times()
        return times.user + times.system, sum(_switches(pid))

    before, switched = figures()
    sizes = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        every = [main, *main.children(recursive=True)]
        sizes.append(sum(each.memory_full_info().pss for each in every if each.is_running()))
        time.sleep(min(1.0, seconds))
    after, later = figures()
    return {
        "pss_mb": round(max(sizes) / 1e6, 1),
        "pss_mb_end": round(sizes[-1] / 1e6, 1),
        "rss_mb_main": round(main.memory_info().rss / 1e6, 1),
        "cpu_percent": round((after - before) / seconds * 100, 3),
        "wakeups_per_second": round((later - switched) / seconds, 2),
    }


def _switches(pid: int) -> list[int]:
    """Voluntary context switches of each thread."""
    out = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        out += [int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches")]
    return out


def main() -> int:
    """Run; gives the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--idle", type=float, default=0)
    parser.add_argument("--steady", type=float, default=0)
    options = parser.parse_args()
    differs: list[str] = []
    with tempfile.TemporaryDirectory(prefix="sharewatch-agent-") as folder:
        if options.operations:
            found = chaos(Place(Path(folder) / "chaos"), options.operations, options.kills, options.seed)
            differs = found["differences"]
            print(json.dumps(found | {"differences": differs[:20]}, indent=1))
        if options.idle or options.steady:
            place = Place(Path(folder) / "calm", "limits: {idle_seconds: 2}\n")
            dice = random.Random(options.seed)
            for _ in range(50):
                operate(place, dice)
            place.start()
            place.peace()
            if options.idle:
                time.sleep(5)
                print("idle  ", json.dumps(measured(place, options.idle)))
            if options.steady:
                print("steady", json.dumps(_steady(place, dice, options.steady)))
            place.stop()
    return 1 if differs else 0


def _steady(place: Place, dice: random.Random, seconds: float) -> dict[str, float]:
    import threading

    over = threading.Event()

    def work() -> None:
        while not over.wait(0.5):
            operate(place, dice)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        return measured(place, seconds)
    finally:
        over.set()
        worker.join()


if __name__ == "__main__":
    raise SystemExit(main())
