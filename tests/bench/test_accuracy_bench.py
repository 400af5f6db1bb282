"""The accuracy bench counts what it says it counts."""

from __future__ import annotations

from typing import Any

import pytest

from bench.accuracy import (
    NONE,
    Answer,
    Score,
    Truth,
    answer_of,
    coverage,
    false_alarms,
    find_column,
    find_table,
    judge,
    label_of,
    macro,
    reliability,
    scores,
)


def _truth(category: str, *also: str, column: str = "c", index: int = 0, table: str = "-") -> Truth:
    return Truth("tables/a/x.csv", table, index, column, category, frozenset(also), 3, 3)


def _column(name: str, index: int, entity: str | None = None, confidence: float = 0.9) -> dict[str, Any]:
    entities = [{"entity_type": entity, "confidence": confidence}] if entity else []
    return {
        "name": name,
        "index": index,
        "values": 3,
        "kind": "entity" if entity else "none",
        "entities": entities,
    }


@pytest.mark.parametrize(
    ("entity_type", "label"),
    [
        ("PERSON", "PERSON"), ("UK_POSTCODE", "POSTCODE"), ("REGION", "LOCATION"), ("DE_TAX_ID", "GOV_ID"),
        ("US_BANK_NUMBER", "FINANCIAL"), ("URL", "NONE"), ("AGE", "other"), ("SOMETHING_NEW", "other"),
    ],
)  # fmt: skip
def test_entity_types_map_to_the_labels_of_the_truth(entity_type: str, label: str) -> None:
    """Every type has one label; any country's identifier is a government's."""
    assert label_of(entity_type) == label


@pytest.mark.parametrize(
    ("truth", "said", "verdict"),
    [
        (_truth("PERSON"), "PERSON", "right"),
        (_truth("PERSON", "USERNAME"), "USERNAME", "also"),
        (_truth("PERSON"), "NONE", "missed"),
        (_truth("PERSON", "NONE"), "NONE", "also"),
        (_truth("PERSON"), "EMAIL", "confused"),
        (_truth("NONE"), "PHONE", "false"),
        (_truth("NONE"), "NONE", "right"),
    ],
)
def test_verdicts(truth: Truth, said: str, verdict: str) -> None:
    """An answer that is also right is neither a hit nor an error."""
    assert judge(truth, Answer(said, 0.9)) == verdict


def test_scores_of_each_type() -> None:
    """A confused answer is missed for one type and false for the other."""
    pairs = [
        (_truth("PERSON"), Answer("PERSON", 0.9)),
        (_truth("PERSON"), Answer("EMAIL", 0.9)),
        (_truth("EMAIL"), Answer("EMAIL", 0.9)),
        (_truth("NONE"), Answer("PERSON", 0.6)),
        (_truth("NONE"), NONE),
    ]
    assert scores(pairs) == {"PERSON": Score(1, 1, 1), "EMAIL": Score(1, 0, 1)}
    assert macro(scores(pairs), pairs) == pytest.approx((0.5 + 2 / 3) / 2)
    assert false_alarms(pairs) == (1, 2)


def test_calibration_error() -> None:
    """Nine answers of ten right at 0.9 are perfectly calibrated; all wrong are not."""
    even = [(_truth("PERSON"), Answer("PERSON", 0.9))] * 9 + [(_truth("NONE"), Answer("PERSON", 0.9))]
    assert reliability(even)[1] == pytest.approx(0)
    assert reliability([(_truth("NONE"), Answer("PERSON", 0.9))])[1] == pytest.approx(0.9)


def test_an_answer_needs_kind_and_confidence() -> None:
    """Below the threshold, and for prose that mentions somebody, the column has no answer."""
    assert answer_of(_column("c", 0, "PERSON", 0.6), 0.5) == Answer("PERSON", 0.6, "PERSON")
    assert answer_of(_column("c", 0, "PERSON", 0.4), 0.5) == NONE
    assert answer_of({**_column("c", 0, "PERSON"), "kind": "free_text"}, 0.5) == NONE
    assert answer_of(None, 0.5) == NONE


def test_columns_and_tables_are_matched() -> None:
    """By name, whatever schema or brackets are written, then by place."""
    table = {"name": "public.city", "rows": 3, "columns": [_column("a[].b", 0), _column("x", 1)]}
    item = {"tables": [table], "gaps": [], "format": "sql"}
    assert find_table(item, "city", single=False) == table
    assert find_table(item, "sheet 1", single=False) is None
    assert find_table(item, "sheet 1", single=True) == table
    assert find_column(table, _truth("NONE", column="a.b", index=5)) == table["columns"][0]
    assert find_column(table, _truth("NONE", column="renamed", index=1)) == table["columns"][1]
    assert find_column(table, _truth("NONE", column="renamed", index=7)) is None


def test_coverage_names_what_is_missing() -> None:
    """A file without its table, and a table with the wrong number of rows, are listed."""
    known = [_truth("NONE", column="x", table="t"), _truth("NONE", column="y", table="u")]
    table = {"name": "t", "rows": 2, "columns": [_column("x", 0)]}
    items = {
        "tables/a/x.csv": {"tables": [table], "gaps": [{"reason": "corrupt"}], "format": "csv"},
    }
    lines = coverage(items, known)
    assert lines[:2] == ["files 1 of 1", "tables 1 of 2, right number of rows 0"]
    assert any("rows: tables/a/x.csv t: 2 for 3" in line for line in lines)
    assert any("no such table: tables/a/x.csv u (read as csv, corrupt)" in line for line in lines)
