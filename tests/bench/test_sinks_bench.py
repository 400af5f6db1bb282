"""The bench of sinks measures what it says, and a small run of it loses nothing."""

from __future__ import annotations

from pathlib import Path

from bench.sinks import _judged, measure
from tests.sinks.making import event


def test_nothing_is_lost_when_sinks_go_down(tmp_path: Path) -> None:
    """Every event arrives at every sink, in order per item, whatever happens to the servers."""
    found = measure(tmp_path, 600, 1)
    assert (found["drained"], found["still waiting"]) == ("True", 0)
    for name, row in found["sinks"].items():
        assert (row["distinct"], row["missing"], row["out of order"]) == (600, 0, 0), name


def test_the_judge_sees_what_is_wrong() -> None:
    """A lost, a repeated and a disordered event are told apart."""
    first, second, third = event(1, "x"), event(2, "x"), event(3, "y")
    judged = _judged([second.id, first.id, second.id], [first, second, third])
    assert judged == {"arrived": 3, "distinct": 2, "repeated": 1, "missing": 1, "out of order": 1}
