"""Findings, gaps and numbers of people as JSON documents: one form for reports, the ledger and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scanner.model import Estimate, Finding, Form, Gap, Severity, Verdict

_DIGITS = 4


def estimate(people: Estimate) -> dict[str, int]:
    """A number of people with its interval."""
    return {"low": people.low, "best": people.best, "high": people.high}


def gap(found: Gap) -> dict[str, Any]:
    """Something that was not looked at."""
    return {
        "stage": str(found.stage),
        "reason": str(found.reason),
        "detail": found.detail,
        "where": found.where,
    }


def finding(found: Finding, *, in_text: bool = False) -> dict[str, Any]:
    """A finding as reports have it; its part goes under ``text`` where it is running text."""
    shown = {
        "id": found.id,
        "verdict": str(found.verdict),
        "severity": str(found.severity),
        "vendor": found.vendor,
        "path": found.path,
        "member": found.member,
        "table": None if in_text else found.part,
        "text": found.part if in_text else None,
        "column": found.column,
        "hidden": found.hidden,
        "entity_type": found.entity_type,
        "category": found.category,
        "form": None if found.form is None else str(found.form),
        "rows": found.rows,
        "people": estimate(found.people),
        "confidence": round(found.confidence, _DIGITS),
        "rule": found.rule,
        "because": found.because,
        "remedy": found.remedy,
        "attack": list(found.attack),
    }
    return shown | {"state": "accepted"} if found.accepted else shown


def as_finding(held: Mapping[str, Any]) -> Finding:
    """The finding that a document is of."""
    people = held["people"]
    return Finding(
        id=held["id"],
        verdict=Verdict(held["verdict"]),
        severity=Severity(held["severity"]),
        vendor=held["vendor"],
        path=held["path"],
        member=held["member"],
        part=held["table"] if held["text"] is None else held["text"],
        column=held["column"],
        entity_type=held["entity_type"],
        category=held["category"],
        form=None if held["form"] is None else Form(held["form"]),
        rows=held["rows"],
        people=Estimate(people["low"], people["best"], people["high"]),
        confidence=held["confidence"],
        rule=held["rule"],
        because=held["because"],
        remedy=held["remedy"],
        attack=tuple(held["attack"]),
        hidden=held["hidden"],
    )
