"""The configuration of sinks is strict and says where a mistake is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scanner.events import KINDS
from scanner.sinks.config import SinkConfigError, build


def _problems(given: Any) -> list[str]:
    with pytest.raises(SinkConfigError) as caught:
        build(given)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_configuration(tmp_path: Path) -> None:
    """What is not said has its default."""
    (sink,) = build([{"type": "jsonl", "path": str(tmp_path / "f.jsonl")}])
    assert (sink.name, sink.type, sink.common.batch) == ("jsonl", "jsonl", 200)
    assert sink.subscription.kinds == frozenset(KINDS)
    assert build(None) == build([]) == []


def test_common_settings(tmp_path: Path) -> None:
    """Every sink has them."""
    given = {
        "type": "jsonl",
        "path": str(tmp_path / "f.jsonl"),
        "name": "siem",
        "events": ["finding", "alarm"],
        "format": "ocsf",
        "batch": 5,
        "tries": 3,
        "backoff_limit_seconds": 60,
    }
    (sink,) = build([given])
    assert (sink.name, sink.common.format, sink.common.batch, sink.common.tries) == ("siem", "ocsf", 5, 3)
    assert {kind.partition(".")[0] for kind in sink.common.kinds} == {"finding", "alarm"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"type": "jsonl"}, "sinks[0]: lacks 'path'"),
        ({"type": "json"}, "did you mean 'jsonl'?"),
        ("jsonl", "sinks[0]: must be a mapping"),
        (
            {"type": "jsonl", "path": "/tmp/x", "keeep": 3},
            "sinks[0].keeep: is no setting of this sink; did you",
        ),
        ({"type": "jsonl", "path": "/tmp/x", "keep": "3"}, "sinks[0].keep: must be a whole number"),
        ({"type": "jsonl", "path": "/tmp/x", "keep": 1.5}, "sinks[0].keep: must be a whole number"),
        ({"type": "jsonl", "path": "/tmp/x", "keep": 0}, "sinks[0].keep: must be at least 1"),
        ({"type": "jsonl", "path": "/tmp/x", "gzip": 1}, "sinks[0].gzip: must be true or false"),
        ({"type": "jsonl", "path": "x"}, "sinks[0].path: must be an absolute path"),
        ({"type": "jsonl", "path": "/nowhere/x"}, "needs the folder /nowhere"),
        ({"type": "jsonl", "path": 3}, "sinks[0].path: must be text"),
        ({"type": "jsonl", "path": "/tmp/x", "events": ["findings"]}, "'findings' is no kind of event"),
        ({"type": "jsonl", "path": "/tmp/x", "events": "finding"}, "must be a list of words"),
        ({"type": "jsonl", "path": "/tmp/x", "format": "oscf"}, "did you mean 'ocsf'?"),
        ({"type": "jsonl", "path": "/tmp/x", "batch": 0}, "batch: must be more than 0"),
        ({"type": "jsonl", "path": "/tmp/x", "batch": 99999}, "batch: must be at most"),
        ({"type": "jsonl", "path": "/tmp/x", "name": "a b"}, "name: must be letters"),
    ],
)
def test_a_mistake_is_told_with_its_place(given: Any, said: str) -> None:
    """One mistake, one sentence."""
    problems = _problems([given])
    assert len(problems) == 1
    assert said in problems[0]


def test_all_mistakes_are_told_at_once() -> None:
    """Of all sinks."""
    assert len(_problems([{"type": "jsonl"}, {"type": "jsonl", "path": "x"}, {"type": "nothing"}])) == 3
    assert _problems({"type": "jsonl"}) == ["sinks: must be a list of sinks"]


def test_two_sinks_of_one_type_need_names(tmp_path: Path) -> None:
    """Else the outbox could not tell them apart."""
    one = {"type": "jsonl", "path": str(tmp_path / "a.jsonl")}
    assert "give each its own" in _problems([one, one])[0]
    assert len(build([one, {**one, "name": "second"}])) == 2
