"""The table of the speed bench is the same each time, in both formats, and well formed."""

from __future__ import annotations

import csv
from pathlib import Path

from bench import customers
from scanner.detect.validators import vin_check


def test_rows_are_the_same_each_time(tmp_path: Path) -> None:
    """Two runs write the same bytes."""
    customers.write_csv(tmp_path / "a.csv", 300)
    customers.write_csv(tmp_path / "b.csv", 300)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_the_table_is_well_formed(tmp_path: Path) -> None:
    """Fourteen columns in each row; addresses differ; vehicle numbers have the right check digit."""
    path = customers.ensure(tmp_path, 500, "csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert tuple(header) == customers.COLUMNS
    assert len(rows) == 500
    assert {len(row) for row in rows} == {14}
    assert len({row[3] for row in rows}) == 500
    assert all(vin_check(row[10]) for row in rows)


def test_the_dump_holds_the_same_rows(tmp_path: Path) -> None:
    """One INSERT for each five thousand rows, with as many tuples."""
    text = customers.ensure(tmp_path, 5_200, "sql").read_text(encoding="utf-8")
    inserts = [line for line in text.splitlines() if line.startswith("INSERT")]
    assert [line.count("),(") + 1 for line in inserts] == [5_000, 200]
    assert inserts[0].startswith("INSERT INTO `customer` VALUES (1,'")
