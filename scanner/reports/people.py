"""How many people a whole report is about: people of different vendors may be the same."""

from __future__ import annotations

from collections.abc import Iterable

from scanner import sketch
from scanner.model import Distinct, Estimate, Outcome, Report


def everyone(report: Report) -> Estimate:
    """The people of all scanned items together; under a policy, of those that some vendor can reach.

    Hashes of one identifier type unite, those of different types cannot: the types' people may all be the
    same (lower bound: the largest type) or all differ (upper bound: the sum). People that only a vendor's
    own summary knows of (those of running text) are added to the upper bound.
    """
    judged = report.policy_name is not None
    holders = [vendor for vendor in report.summary if not judged or vendor.id is not None]
    pairs = list(zip(report.outcomes, report.vendors, strict=True))
    united = _by_type(outcome for outcome, holder in pairs if not judged or holder is not None)
    low = max((keys.bounds()[0] for keys in united.values()), default=0)
    best = max((keys.count for keys in united.values()), default=0)
    high = sum(keys.bounds()[1] for keys in united.values())
    for vendor in holders:
        own = _by_type(outcome for outcome, holder in pairs if holder == vendor.id)
        known = sum(keys.bounds()[1] for keys in own.values())
        high += max(0, vendor.people.high - known)
        low, best = max(low, vendor.people.low), max(best, vendor.people.best)
    return Estimate(min(low, best), best, max(high, best))


def of_outcome(outcome: Outcome) -> Estimate:
    """The people of one item's tables."""
    united = _by_type((outcome,)).values()
    return Estimate(
        max((keys.bounds()[0] for keys in united), default=0),
        max((keys.count for keys in united), default=0),
        sum(keys.bounds()[1] for keys in united),
    )


def _by_type(outcomes: Iterable[Outcome]) -> dict[str, Distinct]:
    found: dict[str, list[Distinct]] = {}
    for outcome in outcomes:
        for table in outcome.tables:
            if table.people is not None:
                found.setdefault(table.people.entity_type, []).append(table.people.keys)
    return {entity_type: sketch.union(sets) for entity_type, sets in found.items()}
