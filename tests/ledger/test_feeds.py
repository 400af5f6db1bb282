"""``diff --ledger``: which deliveries are compared with which."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from scanner.surfaces.cli import cli
from tests.ledger.conftest import Shop, day

HEADING = "name,city,country,tag\n"


def deliver(shop: Shop, name: str, people: int) -> None:
    """A file of so many people; each content is another one."""
    file = shop.root / "bolt" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(HEADING + "".join(f"Anna Weber,München,DE,{number}\n" for number in range(people)))


def pairs(where: Path, *more: str) -> list[tuple[str, str]]:
    done = CliRunner().invoke(cli, ["diff", "--ledger", str(where), "--format", "json", *more])
    assert done.exit_code in (0, 1), done.output
    return sorted((each["old"], each["new"]) for each in json.loads(done.output)["deliveries"])


def test_series_of_one_schema_are_compared_each_with_itself(shop: Shop, tmp_path: Path) -> None:
    """Customers of two countries, with the same columns; then a file of another name takes over."""
    where = tmp_path / "ledger.db"
    for month in (1, 2):
        deliver(shop, f"at_2026-0{month}.csv", 10 + month)
        deliver(shop, f"de_2026-0{month}.csv", 20 + month)
        shop.scan(30 * month)
        if month == 1:
            assert pairs(where) == []
    countries = [(f"bolt/{code}_2026-01.csv", f"bolt/{code}_2026-02.csv") for code in ("at", "de")]
    assert pairs(where) == countries
    assert pairs(where, "--from", day(40)) == countries
    assert pairs(where, "--from", day(70)) == []
    deliver(shop, "all.csv", 35)
    shop.scan(90)
    assert pairs(where) == [*countries, ("bolt/de_2026-02.csv", "bolt/all.csv")]
    assert pairs(where, "--from", day(70)) == [("bolt/de_2026-02.csv", "bolt/all.csv")]
    assert pairs(where, "--to", day(70)) == countries


def test_an_archive_of_deliveries_that_is_loaded_at_once(shop: Shop, tmp_path: Path) -> None:
    deliver(shop, "at_2026-01.csv", 10)
    deliver(shop, "at_2026-02.csv", 20)
    shop.scan(1)
    assert pairs(tmp_path / "ledger.db") == [("bolt/at_2026-01.csv", "bolt/at_2026-02.csv")]
