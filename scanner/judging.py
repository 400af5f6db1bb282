"""Outcomes, policy and register: what a place holds becomes findings that open and resolve.

A scan into a ledger and the agent use the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from scanner.ledger import findings, queries
from scanner.ledger.findings import Transition
from scanner.ledger.store import Ledger, Writer, stamp
from scanner.model import Finding, Outcome
from scanner.policy.evaluate import evaluate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from scanner.policy.model import Policy

#: Told of what changed, inside of the transaction that changes it.
Told = Callable[["Connection", Sequence[Transition]], None]


def findings_of(
    policy: Policy | None, outcome: Outcome, path: str, vendor: str | None, today: date
) -> tuple[Finding, ...]:
    """The findings about one outcome; none without a policy.

    Args:
        policy: what vendors may have.
        outcome: of one item.
        path: the one that vendors' patterns are held against.
        vendor: the vendor whatever the path; None to go by the path.
        today: the day agreements and exceptions are held against.
    """
    if policy is None:
        return ()
    judged = evaluate(policy, [outcome], paths=[path], vendor=vendor, today=today)
    # What is about all that a vendor holds has no path; it is not for one outcome to say.
    return tuple(found for found in judged.findings if found.path)


def of_vendors(ledger: Ledger, policy: Policy, at: str) -> dict[str, tuple[Finding, ...]]:
    """The findings about all that each vendor of a policy holds, counted by the ledger."""
    from scanner.model import Estimate
    from scanner.policy import findings as made

    window = queries.Window(at, at)
    today = date.fromisoformat(at[:10])
    # Who is counted does not depend on what is allowed, so every field with personal data counts.
    held = queries.exposure(ledger, window, judge=judge_by(None, today), judged_by="people of vendors")
    about = {each["id"]: Estimate(**each["people"]) for each in held if each["categories"]}
    out: dict[str, tuple[Finding, ...]] = {}
    for vendor in policy.vendors:
        people = about.get(vendor.id)
        both = (
            ()
            if people is None
            else (made.of_people(vendor, people), made.of_agreement(vendor, people, today))
        )
        out[vendor.id] = tuple(found for found in both if found is not None)
    return out


def judge_by(policy: Policy | None, today: date) -> queries.Judge:
    """Says which fields of an outcome are personal data and allowed by a policy; see `queries.Judge`."""
    from scanner.policy.decide import decide
    from scanner.policy.fields import personal_fields
    from scanner.policy.model import Confidence

    threshold = (policy.defaults.confidence if policy else Confidence()).review

    def judge(vendor: str | None, outcome: Outcome) -> Mapping[queries.FieldKey, bool | None]:
        owner = policy.vendor(vendor) if policy and vendor else None
        out: dict[queries.FieldKey, bool | None] = {}
        for found in personal_fields(outcome, threshold):
            index = found.column.index if found.column else None
            key = queries.field_key(outcome, found.part, index, found.evidence.entity_type)
            verdict = None if policy is None else decide(policy, owner, found, today) is None
            out[key] = verdict
        return out

    return judge


def rejudge(writer: Writer, policy: Policy | None, told: Told | None = None) -> list[Transition]:
    """Judge by a policy all that is reachable now, without reading a file; gives what changed.

    Args:
        writer: of the ledger.
        policy: which to judge by; None resolves all findings.
        told: see `Told`.
    """
    ledger, at = writer.ledger, stamp(datetime.now(UTC))
    today = date.fromisoformat(at[:10])
    out: list[Transition] = []
    with ledger.reading() as connection:
        held = [
            (place, path, queries.outcome_of(ledger, connection, version))
            for place, path, version in queries.places(connection, at)
        ]
    vendors = of_vendors(ledger, policy, at) if policy else {}

    def settle(connection: Connection) -> None:
        seen = set()
        for place, path, outcome in held:
            seen.add(place)
            if outcome is not None:
                found = findings_of(policy, outcome, path, None, today)
                out.extend(findings.observe(connection, place, found, at))
        for vendor, about in vendors.items():
            seen.add(findings.of_vendor(vendor))
            out.extend(findings.observe(connection, findings.of_vendor(vendor), about, at))
        left = [place for place in findings.all_places(connection) if place not in seen]
        out.extend(findings.gone(connection, left, at))
        out.extend(findings.expire(connection, at))
        if told is not None:
            told(connection, out)

    writer.write("judged", [], also=settle, note={"at": at, "places": len(held)})
    return out
