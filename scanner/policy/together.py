"""What a policy says of a combination that a vendor gets by putting two feeds together.

Whoever may have a name and may have a date of birth may have both, where one agreement allows both: the
vendor's own list, alone or with one data contract. A combination of which only different contracts allow the
parts, or of which a part is not allowed at all, is over-shared, and as severe as its most sensitive part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scanner.model import Estimate, Finding, Form, Verdict
from scanner.policy import findings, identity, severity, wording
from scanner.policy.categories import covers
from scanner.policy.model import Allow, Default, Policy, Vendor


@dataclass(frozen=True, slots=True)
class Judged:
    """What is held against one combination of a join.

    Attributes:
        verdict: over-shared, or to be reviewed.
        rule: dotted path of the rule that decided.
        wanted: the combination.
        categories: those found that make it up.
        barred: whether the vendor must never have one of them.
    """

    verdict: Verdict
    rule: str
    wanted: tuple[str, ...]
    categories: tuple[str, ...]
    barred: bool


def judge(
    policy: Policy, vendor: Vendor, join: Mapping[str, Any], held: Mapping[str, Mapping[str, Any]]
) -> list[Judged]:
    """The combinations of a join that are not allowed; of those within others only the larger one.

    Args:
        policy: the one in force.
        vendor: who has both sides.
        join: as the exposure document has it.
        held: what the document says of each category: ``forms``, and whether it is ``allowed``.
    """
    found = [
        judged
        for wanted in join["adds"]
        if (judged := _combination(policy, vendor, tuple(wanted), join, held)) is not None
    ]
    return [each for each in found if not any(set(each.wanted) < set(other.wanted) for other in found)]


def _combination(
    policy: Policy,
    vendor: Vendor,
    wanted: tuple[str, ...],
    join: Mapping[str, Any],
    held: Mapping[str, Mapping[str, Any]],
) -> Judged | None:
    sides = {name for side in join["categories"] for name in side}
    parts = tuple(sorted(name for name in sides if any(covers(key, name) for key in wanted)))
    barred = any(covers(key, name) for key in vendor.never for name in parts)
    default = policy.defaults.unlisted
    if barred:
        rule = f"vendors.{vendor.id}.never"
    elif _agreed(vendor, parts, held) or default is Default.ALLOW:
        return None
    else:
        rule = f"vendors.{vendor.id}.allow"
    # Where nothing but the key says that it is the same people, somebody has to look.
    sure = join["confirmed"] is True and (barred or default is Default.DENY)
    return Judged(Verdict.OVER_SHARED if sure else Verdict.NEEDS_REVIEW, rule, wanted, parts, barred)


def _agreed(vendor: Vendor, parts: Iterable[str], held: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether one agreement allows all of it, or an exception does."""
    parts = list(parts)
    agreements = [vendor.allow, *(vendor.allow + feed.allow for feed in vendor.feeds)]
    return any(
        all(held.get(name, {}).get("allowed") is True or _permits(allow, name, held) for name in parts)
        for allow in agreements
    )


def _permits(allow: Sequence[Allow], category: str, held: Mapping[str, Mapping[str, Any]]) -> bool:
    entries = [entry for entry in allow if covers(entry.category, category)]
    nearest = max((len(entry.category) for entry in entries), default=0)
    forms = {Form(form) for form in held.get(category, {}).get("forms", ())}
    return any(
        entry.forms is None or (forms and forms <= entry.forms)
        for entry in entries
        if len(entry.category) == nearest
    )


def verdict(policy: Policy, vendor: Vendor, join: Mapping[str, Any], held: Mapping[str, Any]) -> str:
    """The verdict on a join as a whole: ``allowed``, or that on its worst combination."""
    found = [each.verdict for each in judge(policy, vendor, join, held)]
    if not found:
        return "allowed"
    return str(Verdict.OVER_SHARED if Verdict.OVER_SHARED in found else Verdict.NEEDS_REVIEW)


def of_joins(
    policy: Policy, vendor: Vendor, joins: Sequence[Mapping[str, Any]], held: Mapping[str, Any],
    names: Mapping[str, str],
) -> list[Finding]:  # fmt: skip
    """A finding for each combination that joins give and the policy does not allow.

    Args:
        policy: the one in force.
        vendor: who has all sides.
        joins: as the exposure document has them.
        held: its categories.
        names: of feeds, by id.
    """
    every: dict[tuple[str, ...], list[tuple[Judged, Mapping[str, Any]]]] = {}
    for join in joins:
        for judged in judge(policy, vendor, join, held):
            every.setdefault(judged.wanted, []).append((judged, join))
    return [_finding(vendor, found, names) for _, found in sorted(every.items())]


def _finding(
    vendor: Vendor, found: Sequence[tuple[Judged, Mapping[str, Any]]], names: Mapping[str, str]
) -> Finding:
    """Of several joins that give one combination the worst is told."""
    judged, join = min(
        found, key=lambda each: (each[0].verdict is not Verdict.OVER_SHARED, -each[1]["people"])
    )
    sure = judged.verdict is Verdict.OVER_SHARED
    graded = [
        severity.grade(
            name, severity.Circumstances(Form.CLEAR, join["people"], True, hidden=False, uncertain=not sure)
        )
        for name in judged.categories
    ]
    level = severity.scale().never if judged.barred else min(graded, key=lambda each: each.rank)
    feeds = [names.get(feed, feed) for feed in join["feeds"]]
    sentences = wording.put_together(
        vendor, feeds, join["key"], join["people"], judged.wanted, len(found) - 1, sure
    )
    made = findings.general(
        identity.of_vendor(vendor.id, f"together {' '.join(judged.wanted)}"),
        judged.verdict,
        level,
        vendor.id,
        judged.rule,
        sentences,
        about=Estimate(join["people"], join["people"], join["people"]),
    )
    if not sure:
        return replace(made, confidence=0.5)
    return replace(made, attack=severity.techniques(judged.categories[0], True))
