"""Events hold to their published schema, and refuse what is none."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from scanner import events, resources
from scanner.events import Event, Subscription, alarm, heartbeat, kinds, stable_id
from tests.reports.reading import schema, strict
from tests.sinks.making import HOST, TIME, event, gap, scanned


def validator(*, closed: bool = False) -> jsonschema.Draft202012Validator:
    """The published schema, its references resolved."""
    own = json.loads(resources.path("rules", "schemas", "event-1.schema.json").read_text("utf-8"))
    both = [own, schema("report-1")]
    registry = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in both)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    return jsonschema.Draft202012Validator(
        strict(own) if closed else own, registry=registry, format_checker=checker
    )


def one_of_each() -> list[Event]:
    """An event of every kind."""
    life = heartbeat(
        time=TIME,
        host=HOST,
        versions={"sharewatch": "0.1.0", "rules": "sha256:00", "policy": None, "model": None},
        queue={"waiting": 3, "oldest_seconds": None},
        shares=[{"path": "/srv/share", "up": True}],
        sinks=[{"name": "jsonl", "type": "jsonl", "up": None, "problem": None}],
        uptime_seconds=1.25,
        every_seconds=3600,
    )
    findings = [event(1, kind=kind) for kind in events.KINDS if kind.startswith("finding.")]
    test = Event("selftest", "t1", TIME, HOST, "", {"selftest": {"ok": True, "seconds": 1.5, "detail": None}})
    trouble = alarm(
        "share_down", "a share is not mounted", level="critical", time=TIME, host=HOST, share="/srv"
    )
    return [*findings, scanned(), gap(), trouble, life, test]


def test_every_kind_holds_to_the_schema() -> None:
    """One event of each kind, as it goes over the line."""
    made = one_of_each()
    assert {each.event for each in made} == set(events.KINDS)
    for each in made:
        problems = [error.message for error in validator().iter_errors(json.loads(each.line()))]
        assert problems == [], each.event


@pytest.mark.parametrize(
    "change",
    [{"id": "a.b"}, {"event": "finding.lost"}, {"time": 3}, {"finding": {"id": "x"}}, {"host": None}],
)
def test_the_schema_is_no_rubber_stamp(change: dict[str, Any]) -> None:
    """A changed event is refused."""
    assert not validator().is_valid({**event().document(), **change})


def test_what_is_no_event_is_refused() -> None:
    """A kind, an id or a subject that cannot be."""
    good = event()
    for change in ({"event": "nothing"}, {"id": "a b"}, {"id": ""}, {"body": {"item": {}}}):
        fields = {"event": good.event, "id": good.id, "body": good.body, **change}
        with pytest.raises(ValueError, match=r"event|id"):
            Event(fields["event"], fields["id"], TIME, HOST, "", fields["body"])


def test_a_line_is_one_line_of_ascii_whatever_a_name_holds() -> None:
    """Control characters, bidirectional ones and bytes that are not UTF-8 do no harm."""
    made = event(path="k\udcfcnd\x1b[31m\n\u202een\ud800ü.csv")
    line = made.line()
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["finding"]["path"] == "k\\xfcnd\x1b[31m\n\u202een\\ud800ü.csv"


def test_what_became_of_a_finding() -> None:
    """A finding that comes back is told apart from a new one."""
    said = {"uid": "f1", "time": TIME, "host": HOST, "item": "a"}
    kinds_told = [
        events.finding(kind, event().body["finding"], reopened=again, **said).event
        for kind, again in (("opened", False), ("opened", True), ("updated", True), ("resolved", False))
    ]
    assert kinds_told == ["finding.opened", "finding.reopened", "finding.updated", "finding.resolved"]


def test_an_id_is_stable_and_tells_words_apart() -> None:
    """The same words give the same id, words cut elsewhere another."""
    assert stable_id("a", "bc") == stable_id("a", "bc") != stable_id("ab", "c")
    assert stable_id("a").startswith("evt_")


def test_a_subscription_names_kinds() -> None:
    """A word names a kind, or all kinds below it."""
    chosen = Subscription("siem", kinds(["finding", "alarm"]))
    assert [chosen.wants(each) for each in (event(), scanned(), gap())] == [True, False, False]
    with pytest.raises(ValueError, match="findings"):
        kinds(["findings"])


def test_importing_events_is_light() -> None:
    """A process that only tells must not pay for what scans."""
    code = (
        "import sys, scanner.events, scanner.sinks.dispatch, scanner.sinks.config\n"
        "heavy = {'pyarrow', 'numpy', 'sqlalchemy', 'yaml', 'spacy', 'presidio_analyzer', 'http.client'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
