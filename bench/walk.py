"""What watching a large share costs: memory, watches, the walk at the start, wake-ups while nothing happens.

    python -m bench.walk [--files 1000000] [--folders 100000] [--idle 60] [--at FOLDER]

Makes a share of empty files in a temporary folder and removes it at the end. Times are
wall-clock unless they say CPU. Each part runs in a process of its own:

* watch: until every folder has a watch, then idle, then a file that is made, and the largest folder renamed;
* first: a reconciling walk of which nothing is known, written to a SQLite file as a ledger would keep it;
* again: the same walk beside that file, in its order; nothing has changed.

Memory is resident MiB: with Python and the modules loaded, then at its highest. The kernel's own memory for
watches is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import common


def _make(root: Path, files: int, folders: int) -> None:
    """Folders by thousands, a third of them in another one; files spread evenly."""
    made = [root]
    for number in range(folders - 1):
        parent = root / f"vendor{number // 1000:04}"
        if number % 1000:
            parent = made[-1] if number % 3 == 2 else parent
        folder = parent / f"delivery-{number:06}" if number % 1000 else parent
        folder.mkdir(exist_ok=True)
        made.append(folder)
    for number in range(files):
        handle = os.open(f"{made[number % len(made)]}/customers-{number:07}.csv", os.O_CREAT | os.O_WRONLY)
        os.close(handle)


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


def _peak() -> float:
    # Not getrusage's: that starts from what the parent had.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _switches() -> int:
    total = 0
    for task in Path("/proc/self/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt"))
    return total


def _watch(root: Path, idle: float) -> dict[str, Any]:
    from scanner.sources import inotify  # noqa: F401 # loaded before memory is looked at
    from scanner.sources.watch import Watcher

    loaded, started, used = _resident(), time.perf_counter(), time.process_time()
    with Watcher([root]) as watcher:
        watcher.covered.wait()
        covered, cpu = time.perf_counter() - started, time.process_time() - used
        watcher.take(1)
        figures = watcher.figures()
        threading.Event().wait(0.5)
        before, used = _switches(), time.process_time()
        threading.Event().wait(idle)
        # The wait itself is one switch.
        wakeups, idle_cpu = max(_switches() - before - 1, 0), time.process_time() - used
        seconds = _until(watcher.take, "new.csv", (root / "vendor0000" / "new.csv").touch)
        moved = _until(watcher.take, "renamed", lambda: (root / "vendor0000").rename(root / "renamed"))
        return {
            "seconds": covered,
            "cpu seconds": cpu,
            "watches": figures.watched,
            "polled": figures.polled,
            "loaded MiB": loaded,
            "resident MiB": _resident(),
            "peak MiB": _peak(),
            f"wake-ups in {idle:g} s idle": wakeups,
            "idle CPU %": 100 * idle_cpu / idle if idle else 0.0,
            "hint after, ms": seconds * 1000,
            "1,000 folders renamed, ms": moved * 1000,
        }


def _until(take: Callable[[float], list[Any]], name: str, act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    while not any(hint.path.endswith(name) for hint in take(10)):
        if time.perf_counter() - started > 60:
            raise RuntimeError(f"no hint of {name} within a minute")
    return time.perf_counter() - started


def _reconcile(root: Path, store: Path, *, first: bool) -> dict[str, Any]:
    from scanner.sources.identity import Signature
    from scanner.sources.reconcile import Kind, reconcile

    database = sqlite3.connect(store)
    if first:
        database.execute("create table places (place blob primary key, a, b, c, d, e, f) without rowid")

    def known() -> Iterator[tuple[str, Signature]]:
        for place, *signature in database.execute("select * from places order by place"):
            yield os.fsdecode(place), Signature(*signature)

    loaded, started, used = _resident(), time.perf_counter(), time.process_time()
    counts = dict.fromkeys(Kind, 0)
    longest, last = 0.0, started
    for change in reconcile(str(root), known() if not first else ()):
        counts[change.kind] += 1
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        if first and change.signature is not None:
            row = (os.fsencode(change.place), *change.signature)
            database.execute("insert into places values (?, ?, ?, ?, ?, ?, ?)", row)
            last = time.perf_counter()
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    database.commit()
    return {
        "seconds": seconds,
        "cpu seconds": cpu,
        "files a second": sum(counts.values()) / seconds,
        "longest between two, ms": longest * 1000,
        "loaded MiB": loaded,
        "peak MiB": _peak(),
        **{kind.value: count for kind, count in counts.items() if count},
    }


def _apart(part: str, *arguments: object) -> dict[str, Any]:
    """A part, in a process of its own."""
    command = [sys.executable, "-m", "bench.walk", "--part", part, *map(str, arguments)]
    done = subprocess.run(command, cwd=common.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _show(title: str, figures: dict[str, Any]) -> None:
    print(f"\n{title}")
    for name, value in figures.items():
        print(f"  {name:28} {value:14,.3f}" if isinstance(value, float) else f"  {name:28} {value:14,}")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--folders", type=int, default=100_000)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds to count wake-ups")
    parser.add_argument("--at", type=Path, default=None, help="where to make the share (a temporary folder)")
    parser.add_argument("--part", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.part:
        part, root, more = options.part
        if part == "watch":
            result = _watch(Path(root), float(more))
        else:
            result = _reconcile(Path(root), Path(more), first=part == "first")
        print(json.dumps(result))
        return 0
    with tempfile.TemporaryDirectory(dir=options.at, prefix="sharewatch-bench-") as folder:
        root = Path(folder) / "share"
        root.mkdir()
        started = time.perf_counter()
        _make(root, options.files, options.folders)
        made = time.perf_counter() - started
        print(f"{options.files:,} files in {options.folders:,} folders, made in {made:.0f} s at {folder}")
        results = {}
        for part, more in (("watch", options.idle), ("first", f"{folder}/db"), ("again", f"{folder}/db")):
            results[part] = _apart(part, root, more)
            _show(part, results[part])
    common.save("walk", {"files": options.files, "folders": options.folders, **results})
    return 0


if __name__ == "__main__":
    sys.exit(main())
