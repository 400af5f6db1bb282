"""The bench of dumps writes what the readers read whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import dumps


@pytest.mark.parametrize("name", dumps.DUMPS)
def test_every_row_of_every_dialect_is_read(name: str, tmp_path: Path) -> None:
    """A quote in a name, casts, batches: no row is lost and none gives a gap."""
    path = tmp_path / "dump.sql"
    path.write_text("".join(dumps.DUMPS[name](dumps.customers(250))), encoding="utf-8")
    rows, gaps, _ = dumps.read(path)
    assert (rows, gaps) == (250, 0)


def test_a_line_is_printed_for_each_kind_of_file(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends well, and a SQLite file is among them."""
    assert dumps.main(["300"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(dumps.DUMPS) + 1
    assert all("MB/s" in line for line in lines)
