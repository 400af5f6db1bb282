"""Evidence and a policy to findings. Pure: no clock, and no file but the shipped rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from scanner.model import Finding, Outcome, VendorSummary, Verdict
from scanner.policy import findings
from scanner.policy.decide import decide
from scanner.policy.fields import PersonalField, personal_fields
from scanner.policy.model import Confidence, Policy, Vendor
from scanner.policy.people import Crowd
from scanner.policy.summary import UNASSIGNED_NAME, Holding


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a policy makes of a scan.

    Attributes:
        findings: worst first.
        vendors: id of the vendor of each outcome; None under nobody's paths, and for all without a policy.
        summary: one for each vendor that has items, in the policy's order; nobody's items (id None) last.
    """

    findings: tuple[Finding, ...]
    vendors: tuple[str | None, ...]
    summary: tuple[VendorSummary, ...]


def evaluate(
    policy: Policy | None,
    outcomes: Sequence[Outcome],
    *,
    paths: Sequence[str],
    vendor: str | None = None,
    today: date,
) -> Judgement:
    """Hold what was found against a policy.

    Without a policy nothing is judged: no findings, everything counted as nobody's and ``allowed``.

    Args:
        policy: what each vendor may have.
        outcomes: of all items and members.
        paths: for each outcome, the path that vendors' patterns are held against.
        vendor: id of the vendor of all outcomes, whatever their paths.
        today: the day that exceptions, agreements and time limits are held against.

    Raises:
        ValueError: the policy has no vendor of that id.
    """
    if policy is None:
        return _counted(outcomes)
    owners = _owners(policy, paths, vendor)
    threshold = policy.defaults.confidence.review
    fields = [personal_fields(outcome, threshold) for outcome in outcomes]
    found: list[Finding] = []
    holdings: dict[str | None, Holding] = defaultdict(Holding)
    narrowed = [owner and owner.at(path) for owner, path in zip(owners, paths, strict=True)]
    for outcome, owner, own in zip(outcomes, narrowed, fields, strict=True):
        judged: list[tuple[PersonalField, Verdict | None]] = []
        for item in own:
            decision = decide(policy, owner, item, today)
            judged.append((item, decision.verdict if decision else None))
            if decision is not None:
                found.append(findings.of_field(owner, item, decision))
        gaps = findings.of_gaps(policy, owner, outcome)
        found += [gaps] if gaps else []
        ended = owner is not None and owner.ended(today)
        holdings[owner.id if owner else None].add(judged, ended=ended)
    found += _kept_too_long(outcomes, owners, fields, today)
    found += _of_vendors(policy, holdings, today)
    return Judgement(
        tuple(sorted(found, key=findings.badness)),
        tuple(owner.id if owner else None for owner in owners),
        tuple(_summaries(policy, holdings)),
    )


def _owners(policy: Policy, paths: Sequence[str], vendor: str | None) -> list[Vendor | None]:
    if vendor is None:
        return [policy.vendor_of(path) for path in paths]
    owner = policy.vendor(vendor)
    if owner is None:
        known = ", ".join(known.id for known in policy.vendors) or "none"
        raise ValueError(f"the policy has no vendor {vendor!r}; it has: {known}")
    return [owner] * len(paths)


def _kept_too_long(
    outcomes: Sequence[Outcome],
    owners: Sequence[Vendor | None],
    fields: Sequence[tuple[PersonalField, ...]],
    today: date,
) -> Iterator[Finding]:
    limited = {id(owner) for owner in owners if owner and owner.limits.retention_days is not None}
    crowds: dict[tuple[str, int], Crowd] = defaultdict(Crowd)
    for outcome, owner, own in zip(outcomes, owners, fields, strict=True):
        if id(owner) in limited:
            crowds[outcome.path, id(owner)].add(own)
    for outcome, owner in zip(outcomes, owners, strict=True):
        if owner is not None and id(owner) in limited:
            about = crowds[outcome.path, id(owner)].total()
            finding = findings.of_retention(owner, outcome, about, today)
            if finding is not None:
                yield finding


def _of_vendors(policy: Policy, holdings: dict[str | None, Holding], today: date) -> Iterator[Finding]:
    for vendor in policy.vendors:
        holding = holdings.get(vendor.id)
        if holding is None or not holding.personal:
            continue
        about = holding.people()
        for finding in (findings.of_people(vendor, about), findings.of_agreement(vendor, about, today)):
            if finding is not None:
                yield finding


def _summaries(policy: Policy, holdings: dict[str | None, Holding]) -> Iterator[VendorSummary]:
    for vendor in policy.vendors:
        if vendor.id in holdings:
            yield holdings[vendor.id].summary(vendor.id, vendor.name, vendor.purpose)
    if None in holdings:
        yield holdings[None].summary(None, UNASSIGNED_NAME, None)


def _counted(outcomes: Sequence[Outcome]) -> Judgement:
    holding = Holding()
    for outcome in outcomes:
        holding.add([(field, None) for field in personal_fields(outcome, Confidence().review)])
    return Judgement((), (None,) * len(outcomes), (holding.summary(None, UNASSIGNED_NAME, None),))
