"""A column that changes its nature is judged again from there on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from scanner.config import Settings
from scanner.detect.fold import Detector
from scanner.model import Column

GIVEN = ("Anna", "Peter", "María", "John", "Giulia", "Thomas", "Sofia", "David", "Laura", "Michael")
FAMILY = ("Müller", "García", "Smith", "Rossi", "Johnson", "Schmidt", "Martin", "Nowak", "Silva", "Jones")
NAMES = [f"{given} {family}" for given in GIVEN for family in FAMILY]


def _scan(parts: Sequence[tuple[Sequence[str], int]], name: str = "field", chunk: int = 10_000) -> Column:
    """A column of so many rows of each kind of value, in chunks."""
    fold = Detector(Settings(), b"k" * 32).item()
    for values, rows in parts:
        array = pa.array(values, pa.string())
        for start in range(0, rows, chunk):
            size = min(chunk, rows - start)
            taken = array.take(pa.array((np.arange(start, start + size) * 7919) % len(values)))
            fold.add_table("t", pa.RecordBatch.from_arrays([taken], names=[name]))
    tables, _, _ = fold.finish()
    return tables[0].columns[0]


def _found(column: Column) -> dict[str, tuple[int, tuple[str, ...]]]:
    return {each.entity_type: (each.rows, each.signals) for each in column.entities}


CODES = [f"REF-{number:06}" for number in range(30_000)]
PHRASES = [f"{size} {colour} {thing}" for size in ("small", "large") for colour in ("red", "green", "grey")
           for thing in ("valve", "gasket", "bracket", "cable", "hose", "bearing")]  # fmt: skip


def test_names_after_nine_hundred_thousand_codes_are_counted() -> None:
    """Of a million rows the last hundred thousand are people: all are counted, and the report says so."""
    found = _found(_scan([(CODES, 900_000), (NAMES, 100_000)]))
    rows, signals = found["PERSON"]
    assert rows == 100_000
    assert "late:counted from row 900001" in signals


def test_names_after_words_that_look_alike_are_found_within_a_stretch() -> None:
    """Words that turn into names look alike byte by byte; a sample of its own tells, every 65,536 rows."""
    found = _found(_scan([(PHRASES, 900_000), (NAMES, 100_000)]))
    assert found["PERSON"][0] >= 100_000 - 65_536


def test_phones_under_a_heading_that_says_nothing_are_caught() -> None:
    """Plain digits of one length that turn into written telephone numbers."""
    phones = [f"+49 89 {number:08}" for number in range(23_000_000, 23_090_000, 7)]
    found = _found(_scan([([f"{n}" for n in range(10_000, 99_999)], 200_000), (phones, 30_000)]))
    assert found["PHONE_NUMBER"][0] == 30_000


@pytest.mark.parametrize("rows", [50_000, 400_000])
def test_a_steady_column_has_nothing_late(rows: int) -> None:
    """Without a change nothing is told of one."""
    for name, values in (("name", NAMES), ("ref", CODES), ("article", PHRASES)):
        assert not any(
            "late" in signal
            for _, signals in _found(_scan([(values, rows)], name)).values()
            for signal in signals
        )


def test_small_chunks_are_watched_too() -> None:
    """A table that comes row by row is compared all the same, a thousand rows at a time."""
    found = _found(_scan([(CODES, 20_000), (NAMES, 6_000)], chunk=500))
    assert found["PERSON"][0] >= 5_000
