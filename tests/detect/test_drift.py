"""A column that changes its nature is judged again from there on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from scanner.config import Settings
from scanner.detect import columns
from scanner.detect.drift import Look
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


def test_a_steady_column_of_words_is_judged_once_and_not_at_each_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What looks as it did keeps the verdict it got; what does not is judged anew."""
    judged: list[int] = []
    judge = columns.judge

    def counting(*arguments: Any) -> Any:
        judged.append(1)
        return judge(*arguments)

    monkeypatch.setattr(columns, "judge", counting)
    _scan([(NAMES, 300_000)], "name")
    steady = len(judged)
    judged.clear()
    _scan([(PHRASES, 150_000), (NAMES, 150_000)], "name")
    assert steady < len(judged)
    assert steady <= 2


def test_samples_of_one_column_look_alike_and_of_two_do_not() -> None:
    """Two draws from the same values, and draws from names, phrases, codes and names in capitals."""
    dice = np.random.default_rng(7)
    drawn = {
        name: [Look.of([str(value) for value in dice.choice(values, 300)]) for _ in range(2)]
        for name, values in {
            "names": NAMES,
            "phrases": PHRASES,
            "codes": CODES,
            "shouted": [name.upper() for name in NAMES],
        }.items()
    }
    for name, (first, second) in drawn.items():
        assert first.is_like(second)
        others = [looks[0] for other, looks in drawn.items() if other != name]
        assert not any(map(first.is_like, others))
    assert not drawn["names"][0].numeric
    assert Look.of([f"2020-01-{day:02}" for day in range(1, 29)]).numeric
