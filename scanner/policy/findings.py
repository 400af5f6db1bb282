"""Findings: of fields, of items as a whole, and of all that a vendor holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

from scanner.model import Estimate, Finding, Outcome, Severity, Verdict
from scanner.policy import identity, people, severity, wording
from scanner.policy.decide import Decision, Ground
from scanner.policy.fields import PersonalField
from scanner.policy.model import Policy, Vendor

_ORDER = {Verdict.OVER_SHARED: 0, Verdict.NEEDS_REVIEW: 1, Verdict.UNVERIFIABLE: 2}


def badness(finding: Finding) -> tuple[object, ...]:
    """Sort key, worst first; total, so that the order depends on nothing else."""
    return (
        _ORDER[finding.verdict],
        finding.severity.rank,
        -finding.people.best,
        -finding.rows,
        finding.vendor or "",
        finding.path,
        finding.member or "",
        finding.part or "",
        finding.column or "",
        finding.entity_type or "",
        finding.rule,
    )


def of_field(vendor: Vendor | None, field: PersonalField, decision: Decision) -> Finding:
    """The finding that a decision on a field makes."""
    evidence, about = field.evidence, people.of_field(field)
    over_shared = decision.verdict is Verdict.OVER_SHARED
    circumstances = severity.Circumstances(
        form=evidence.effective_form,
        people=about.best,
        identified=field.identified,
        hidden=field.hidden,
        uncertain=not over_shared,
    )
    never = decision.ground is Ground.NEVER
    return Finding(
        id=identity.of_field(vendor.id if vendor else None, field),
        verdict=decision.verdict,
        severity=severity.scale().never if never else severity.grade(evidence.category, circumstances),
        vendor=vendor.id if vendor else None,
        path=field.outcome.path,
        member=field.outcome.member,
        part=field.part.name,
        column=field.column.name if field.column else None,
        entity_type=evidence.entity_type,
        category=evidence.category,
        form=evidence.form,
        rows=evidence.rows,
        people=about,
        confidence=evidence.confidence,
        rule=decision.rule,
        because=wording.because(vendor, field, decision),
        remedy=wording.remedy(vendor, field, decision),
        attack=severity.techniques(evidence.category, vendor is not None) if over_shared else (),
        hidden=field.hidden,
    )


def of_gaps(policy: Policy, vendor: Vendor | None, outcome: Outcome) -> Finding | None:
    """The finding that something of an item was not looked at though nobody asked for that."""
    gaps = [gap for gap in outcome.gaps if not gap.intentional]
    if not gaps:
        return None
    vendor_id = vendor.id if vendor else None
    return general(
        identity.of_item(vendor_id, outcome, "unread"),
        Verdict.UNVERIFIABLE,
        severity.scale().unverifiable[policy.defaults.unverifiable],
        vendor_id,
        "defaults.unverifiable",
        (wording.unreadable(vendor, outcome, gaps), wording.READ_AGAIN),
        outcome=outcome,
    )


def of_retention(vendor: Vendor, outcome: Outcome, about: Estimate, today: date) -> Finding | None:
    """The finding that a file lies longer than its vendor may have it; members count with their file."""
    limit = vendor.limits.retention_days
    if limit is None or outcome.modified is None or outcome.member is not None:
        return None
    days = (today - datetime.fromtimestamp(outcome.modified, UTC).date()).days
    if days <= limit:
        return None
    return general(
        identity.of_item(vendor.id, outcome, "retention"),
        Verdict.OVER_SHARED,
        severity.scale().limits_retention_days,
        vendor.id,
        f"vendors.{vendor.id}.limits.retention_days",
        wording.kept_too_long(vendor, outcome, days, limit),
        outcome=outcome,
        about=about,
    )


def of_people(vendor: Vendor, about: Estimate) -> Finding | None:
    """The finding that a vendor holds data of more people than agreed."""
    limit = vendor.limits.people
    if limit is None or about.best <= limit:
        return None
    return general(
        identity.of_vendor(vendor.id, "limits.people"),
        Verdict.OVER_SHARED,
        severity.scale().limits_people,
        vendor.id,
        f"vendors.{vendor.id}.limits.people",
        wording.too_many_people(vendor, about.best, limit),
        about=about,
    )


def of_agreement(vendor: Vendor, about: Estimate, today: date) -> Finding | None:
    """The finding that a vendor still holds personal data though its agreement has ended."""
    agreement = vendor.agreement
    if agreement is None or agreement.expires is None or today <= agreement.expires:
        return None
    return general(
        identity.of_vendor(vendor.id, "agreement"),
        Verdict.OVER_SHARED,
        severity.scale().agreement,
        vendor.id,
        f"vendors.{vendor.id}.agreement.expires",
        wording.agreement_ended(vendor, agreement.ref, agreement.expires),
        about=about,
    )


def general(id_: str, verdict: Verdict, level: Severity, vendor: str | None, rule: str,
             sentences: tuple[str, str], *, outcome: Outcome | None = None,
             about: Estimate = people.NOBODY) -> Finding:  # fmt: skip
    """A finding about no field; of a vendor's delivery as a whole where there is no outcome."""
    attack = severity.techniques(None, vendor is not None) if verdict is Verdict.OVER_SHARED else ()
    return Finding(
        id=id_,
        verdict=verdict,
        severity=level,
        vendor=vendor,
        path=outcome.path if outcome else "",
        member=outcome.member if outcome else None,
        part=None,
        column=None,
        entity_type=None,
        category=None,
        form=None,
        rows=0,
        people=about,
        confidence=1.0,
        rule=rule,
        because=sentences[0],
        remedy=sentences[1],
        attack=attack,
    )
