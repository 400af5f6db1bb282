"""What the benches share: running a command and measuring it, printing tables, saving results."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
#: Results and generated data; git-ignored, safe to remove.
OUT = ROOT / "bench" / "out"
#: The installed command, of the environment that runs the bench.
SHAREWATCH = str(Path(sys.executable).parent / "sharewatch")
#: Exit codes of a scan that ran to its end, whatever it found.
SCANNED = frozenset({0, 1, 3})


@dataclass(frozen=True)
class Run:
    """One finished child process.

    Attributes:
        command: as it would be typed.
        wall: seconds from start to end.
        cpu: user and system seconds, of its own finished children too.
        peak_mb: largest resident MiB of the process or of any one of its children.
        code: exit status.
        output: what it wrote to standard output.
    """

    command: str
    wall: float
    cpu: float
    peak_mb: float
    code: int
    output: str = ""


def run(command: Sequence[str], cpu: int | None = None, accept: frozenset[int] = frozenset({0})) -> Run:
    """Run a command to its end, on one core where ``cpu`` names it.

    Raises:
        RuntimeError: its exit status is not in ``accept``; its last words are in the message.
    """
    # An installed program has its bytecode; without this variable the first run writes a checkout's.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    pinned = [] if cpu is None else ["taskset", "--cpu-list", str(cpu)]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        child = subprocess.Popen(  # `os.wait4` below tells what it used
            [*pinned, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            cwd=ROOT,
            env=environment,
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = code = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if code not in accept:
            last = errors.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{shlex.join(command)} ended with {code}\n{last}")
        return Run(
            shlex.join([*pinned, *command]),
            wall,
            usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024,
            code,
            output.read().decode(errors="replace"),
        )


def best(
    command: Sequence[str], repeat: int, cpu: int | None = None, accept: frozenset[int] = frozenset({0})
) -> Run:
    """The fastest of ``repeat`` runs: noise only ever adds time."""
    return min((run(command, cpu, accept) for _ in range(repeat)), key=lambda done: done.wall)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as folder:
        yield Path(folder)


def environment() -> dict[str, Any]:
    """When, where and with which versions something was measured."""
    packages = ("sharewatch", "pyarrow", "presidio-analyzer", "spacy", "phonenumbers")
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_cpu_model()}",
        "load": round(os.getloadavg()[0], 2),
        "versions": {name: metadata.version(name) for name in packages},
    }


def heading(done: Run) -> str:
    """Date, versions, machine and command of a run, for the head of what a bench prints."""
    found = environment()
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return f"{found['date']}; {versions}; Python {found['python']}; {found['machine']}\n{done.command}\n"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Plain text, columns aligned: the first to the left, the others to the right."""
    cells = [[_cell(value) for value in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def save(name: str, result: dict[str, Any]) -> Path:
    """Write a result with its environment to ``bench/out/NAME.json`` and say where it is."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{name}.json"
    path.write_text(
        json.dumps({"environment": environment(), **result}, indent=1, default=asdict) + "\n",
        encoding="utf-8",
    )
    return path
