"""What is reported in tables that nobody labelled, by type, beside another version: for a person to read.

    python -m bench.unlabelled FOLDER [--beside COMMAND]

Nothing is known of what the tables hold, so nothing is counted as right or wrong. Tables of statistics
packages hold next to nothing of people and are made of numbers: there a type that stands in many columns is a
mistake in all likelihood, and every difference between two versions is worth a look. The names of the columns
that one version reports and the other does not are printed; values are not.

COMMAND is another ``sharewatch``, as it would be typed: that of an environment with an older version.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from bench import common

#: From here on a report gives a field a type rather than a person something to look at.
_SURE = 0.5
_SHOWN = 20


class Cell(NamedTuple):
    """One type in one column: the file, the table and the column's index in it, its name, the type."""

    file: str
    table: str
    at: int
    column: str
    entity_type: str


def _found(command: list[str], folder: Path) -> tuple[int, set[Cell], float]:
    """Columns, what stands in them, and the seconds that it took."""
    with common.scratch() as scratch:
        report = scratch / "report.json"
        scan = [*command, "scan", str(folder), "--format", "json", "-o", str(report)]
        ran = common.run(scan, accept=common.SCANNED)
        items = json.loads(report.read_text("utf-8"))["items"]
    columns, cells = 0, set()
    for item in items:
        for table in item["tables"]:
            columns += len(table["columns"])
            cells |= {
                Cell(item["path"], table["name"], each["index"], each["name"], entity["entity_type"])
                for each in table["columns"]
                for entity in each["entities"]
                if entity["confidence"] >= _SURE
            }
    return columns, cells, ran.wall


def _told(name: str, cells: set[Cell], without: set[Cell]) -> None:
    """Columns that only one version reports; its names of columns may differ from the other's."""
    known = {cell._replace(column="") for cell in without}
    only = [cell for cell in cells if cell._replace(column="") not in known]
    print(f"\nonly {name}: {len(only)}")
    shown: Counter[str] = Counter()
    for cell in sorted(only, key=lambda each: (each.entity_type, each)):
        shown[cell.entity_type] += 1
        if shown[cell.entity_type] <= _SHOWN:
            print(f"  {cell.entity_type}: {cell.file} - {cell.column}")
    for entity_type, count in shown.items():
        if count > _SHOWN:
            print(f"  {entity_type}: and {count - _SHOWN} more")


def main() -> int:
    """Scan, print what is there; with another version also where the two differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--beside", metavar="COMMAND", default="")
    given = parser.parse_args()
    columns, now, seconds = _found([common.SHAREWATCH], given.folder)
    print(f"{columns} columns in {seconds:.0f} s")
    before: set[Cell] = set()
    if given.beside:
        others, before, seconds = _found(shlex.split(given.beside), given.folder)
        print(f"beside: {others} columns in {seconds:.0f} s")
    counts, earlier = (Counter(cell.entity_type for cell in cells) for cells in (now, before))
    for entity_type, _ in (counts + earlier).most_common():
        beside = f" {earlier[entity_type]:7}" if given.beside else ""
        print(f"{entity_type:30} {counts[entity_type]:7}{beside}")
    if given.beside:
        _told("this version", now, before)
        _told("the other", before, now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
