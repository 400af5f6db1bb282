"""Events in OCSF hold to the framework's own schema: findings as class 2006, the rest as Base Events."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from scanner.events import Event
from scanner.ocsf import VERSION
from scanner.sinks.base import Common
from scanner.sinks.jsonl import JsonlOptions, JsonlSink
from tests.sinks.making import HOST, event, waiting
from tests.sinks.test_events import one_of_each


@cache
def _official(uid: int) -> jsonschema.Draft202012Validator:
    ocsf = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    return jsonschema.Draft202012Validator(ocsf.get_class_schema(ocsf.lookup_class_name_from_uid(uid)))


def _told(made: Event) -> dict[str, Any]:
    """The event as a sink of that format sends it."""
    sink = JsonlSink(Common("x", format="ocsf"), JsonlOptions("/dev/null"))
    loaded: dict[str, Any] = json.loads(sink.text(waiting(0, made)))
    return loaded


@pytest.mark.parametrize("made", one_of_each(), ids=lambda made: made.event)
def test_valid(made: Event) -> None:
    """Every kind of event."""
    told = _told(made)
    assert [error.message for error in _official(told["class_uid"]).iter_errors(told)] == []
    assert told["class_uid"] == (2006 if made.event.startswith("finding.") else 0)
    assert told["metadata"]["uid"] == made.id


def test_the_schema_is_no_rubber_stamp() -> None:
    """It refuses what it does not know."""
    told = _told(event())
    assert not _official(2006).is_valid({**told, "recipient": "x"})
    assert not _official(2006).is_valid({key: told[key] for key in told if key != "finding_info"})


@pytest.mark.parametrize(
    ("kind", "activity", "status"),
    [
        ("finding.opened", "Create", "New"),
        ("finding.reopened", "Create", "New"),
        ("finding.updated", "Update", "New"),
        ("finding.resolved", "Close", "Resolved"),
    ],
)
def test_what_became_of_a_finding(kind: str, activity: str, status: str) -> None:
    """One finding through its life has one uid, and an event of its own for each step."""
    told = _told(event(3, kind=kind))
    assert (told["activity_name"], told["status"]) == (activity, status)
    assert told["type_uid"] == 200600 + told["activity_id"]
    assert told["finding_info"]["uid"] == told["metadata"]["correlation_uid"] == "f0003"
    assert told["device"]["hostname"] == HOST


def test_a_member_and_a_text() -> None:
    """A finding in a mail's body inside an archive."""
    told = _told(event(member="mails/1.eml!/body", table=None, text="body", column=None))
    assert told["finding_info"]["data_sources"] == ["northwind/customers_0.csv > mails/1.eml > body"]
    assert told["file"]["parent_folder"] == "northwind/customers_0.csv"
    assert "table" not in told
    assert told["unmapped"]["part"] == "body"


def test_an_alarm_is_severe() -> None:
    """The framework's severity follows from its level."""
    alarm = next(made for made in one_of_each() if made.event == "alarm")
    told = _told(alarm)
    assert (told["severity"], told["message"]) == ("Critical", "alarm: a share is not mounted")
    assert told["unmapped"]["alarm"]["what"] == "share_down"
