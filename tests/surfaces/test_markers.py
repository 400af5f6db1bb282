"""Nothing personal stays anywhere: values that only a share's files hold are looked for in what is left."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from scanner import __file__ as package

ROOT = str(Path(package).parent.parent)
MAIN = "from scanner.surfaces.cli import main; main()"
POLICY = """
version: 1
organisation: Example
vendors:
  - {id: acme, name: Acme, paths: ["acme/**"], allow: [user.name]}
"""
COLUMNS = ("name", "email", "phone", "card_number", "street")
FORMATS = ("json", "text", "jsonl", "sarif", "ocsf", "csv", "html")


def person(number: int) -> tuple[str, ...]:
    """Values that are nowhere else: not in lexicons, rules, or programs."""
    rng = random.Random(number)
    words = ["".join(rng.choice("qwzxvkj") + rng.choice("aeiou") for _ in range(4)) for _ in range(3)]
    digits = f"{rng.randrange(10**7, 10**8)}"
    return (
        f"{words[0].title()} {words[1].title()}",
        f"{words[0]}.{words[2]}@example.org",
        f"+49 30 {digits}",
        _card(f"453201{rng.randrange(10**8, 10**9)}"),
        f"{words[2].title()} Street {number + 100}",
    )


def _card(start: str) -> str:
    """With the check digit of Luhn."""
    doubled = [int(d) * (2 - at % 2) for at, d in enumerate(start)]
    return start + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


PEOPLE = [person(number) for number in range(40)]


def markers() -> list[bytes]:
    """What must be nowhere: values, their words and digits, and digests without a key."""
    out: set[str] = set()
    for name, email, phone, card, street in PEOPLE:
        out |= {*name.lower().split(), email, email.partition("@")[0], phone, phone.replace(" ", "")[1:]}
        out |= {
            phone.split()[-1],
            card,
            card[6:],
            " ".join(card[at : at + 4] for at in range(0, 16, 4)),
            street,
        }
    found = {each.lower().encode() for each in out}
    for row in PEOPLE:
        for value in {*row, *(each.lower() for each in row), row[2].replace(" ", "")}:
            for algorithm in ("md5", "sha1", "sha256", "sha512"):
                digest = hashlib.new(algorithm, value.encode()).digest()
                found |= {digest, digest.hex().encode(), base64.b64encode(digest).lower()}
    return sorted(found)


MARKERS = markers()


def leaks(data: bytes) -> list[bytes]:
    """The markers that data holds, whatever case; digests also as bytes."""
    small = data.lower()
    return [each for each in MARKERS if each in small or each in data]


@dataclass
class Watched:
    """Runs the command, and looks at what the system shows of it and of its workers meanwhile."""

    folder: Path
    seen: dict[str, bytes] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "", codes: Sequence[int] = (0, 1, 3)) -> bytes:
        """All that it prints."""
        environment = {
            **os.environ, "PYTHONPATH": ROOT, "TMPDIR": str(self.folder / "tmp"),
            "HOME": str(self.folder / "home"), "XDG_STATE_HOME": str(self.folder / "state"),
            "PYTHONFAULTHANDLER": "1",
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
            cwd=self.folder,
        )  # fmt: skip
        done = threading.Event()
        looking = threading.Thread(target=self._look, args=(process.pid, done))
        looking.start()
        output, _ = process.communicate(stdin.encode(), timeout=120)
        done.set()
        looking.join()
        assert process.returncode in codes, (arguments[0], process.returncode, output[-2000:])
        return output

    def _look(self, pid: int, done: threading.Event) -> None:
        while not done.wait(0.02):
            for number in family(pid):
                for name in ("cmdline", "environ"):
                    try:
                        held = Path(f"/proc/{number}/{name}").read_bytes()
                    except OSError:
                        continue
                    self.seen[f"{number} {name}"] = held


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        below = [each for task in tasks for each in (task / "children").read_text().split()]
    except OSError:
        return
    for each in below:
        yield from family(int(each))


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    """A share with markers in several formats, some of them broken so that readers fail."""
    share = tmp_path / "share" / "acme"
    share.mkdir(parents=True)
    for name in ("tmp", "home", "state", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "policy.yaml").write_text(POLICY)
    with (share / "people.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([COLUMNS, *PEOPLE])
    values = ",".join("('" + "','".join(row) + "')" for row in PEOPLE)
    columns = ",".join(f"`{each}` varchar(80)" for each in COLUMNS)
    (share / "dump.sql").write_text(
        f"CREATE TABLE `people` ({columns});\nINSERT INTO `people` VALUES {values};\n"
    )
    name, email, phone, card, street = PEOPLE[7]
    (share / "letter.txt").write_text(
        f"Dear {name},\nwe could not reach you at {email} or {phone}; card {card}.\n{street}\n"
    )
    (share / "broken.json").write_text(f'{{"name": "{name}", "email": "{email}", "phone": ')
    (share / "broken.xml").write_text(f"<people><person email='{email}'>{name}</peeple>")
    (share / "broken.xlsx").write_bytes(b"PK\x03\x04" + "\n".join(map(",".join, PEOPLE)).encode())
    (share / "broken.parquet").write_bytes(b"PAR1" + email.encode() * 20 + b"\x10\x00\x00\x00PAR1")
    (share / "broken.sqlite").write_bytes(b"SQLite format 3\x00" + email.encode() * 50)
    return Watched(tmp_path)


def test_markers_are_nowhere(watched: Watched) -> None:
    """Scan, agent, exposure, breach, who, findings and minimise: neither outputs nor files nor processes."""
    folder = watched.folder
    scan = ("scan", "share", "--policy", "policy.yaml", "--model", "none", "--explain", "--locate", "5")
    outputs = [
        watched.run(*scan, "--format", each, "-o", f"out/report.{each}", *ledger)
        for each, ledger in zip(FORMATS, [("--ledger", "l.db"), *[()] * (len(FORMATS) - 1)], strict=True)
    ]
    (folder / "agent.yaml").write_text(
        f"shares: [{folder}/share]\npolicy: {folder}/policy.yaml\nledger: {folder}/agent.db\n"
        "scan: {model: none}\n"
        f"sinks:\n  - {{type: jsonl, path: {folder}/out/events.jsonl}}\n"
    )
    outputs.append(watched.run("watch", "--config", "agent.yaml", "--once"))
    ledger = ("--ledger", "l.db")
    outputs += [watched.run("exposure", *ledger, "--format", each) for each in ("text", "json", "html")]
    for each in ("md", "json", "html"):
        outputs.append(
            watched.run("breach", *ledger, "--vendor", "acme", "--from", "2020-01-01", "--format", each)
        )
    outputs += [watched.run("who", *ledger, stdin=f"{value}\n") for value in PEOPLE[3][1:3]]
    outputs.append(watched.run("findings", "list", *ledger, "--format", "json"))
    for name in ("people.csv", "dump.sql"):
        outputs.append(
            watched.run(
                "minimise",
                f"share/acme/{name}",
                "--vendor",
                "acme",
                "--policy",
                "policy.yaml",
                "-o",
                f"m_{name}",
            )
        )
    assert (folder / "out/report.json").stat().st_size > 1000
    assert b"over_shared" in (folder / "out/events.jsonl").read_bytes()
    assert watched.seen
    shown = b"\n".join(watched.seen.values())
    assert b"share" in shown
    assert leaks(shown) == []
    for output in outputs:
        assert leaks(output) == [], output[:2000]
    for file in folder.rglob("*"):
        # What is left for the vendor of a minimised copy is data: names are allowed.
        if file.is_file() and folder / "share" not in file.parents and not file.name.startswith("m_"):
            assert leaks(file.read_bytes()) == [], file


def test_what_is_looked_for_is_found(watched: Watched) -> None:
    """The files themselves hold markers of each kind."""
    found = leaks((watched.folder / "share/acme/people.csv").read_bytes())
    assert len(found) > 5 * len(PEOPLE)
    assert leaks(hashlib.sha256(PEOPLE[0][1].encode()).hexdigest().encode())


def test_no_core_is_dumped() -> None:
    """Neither by the command itself: its memory holds what ``who`` was asked."""
    look = (
        "import atexit, resource; atexit.register(lambda: print(resource.getrlimit(resource.RLIMIT_CORE)));"
    )
    done = subprocess.run(
        [sys.executable, "-c", look + MAIN, "version"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "(0, 0)"
