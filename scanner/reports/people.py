"""How many people a whole report is about: people of different vendors may be the same."""

from __future__ import annotations

from collections.abc import Iterable

from scanner import sketch
from scanner.model import Distinct, Estimate, Outcome, Report


def everyone(report: Report) -> Estimate:
    """The people of all scanned items together.

    Hashes of one identifier type unite, those of different types cannot: the types' people may all be the
    same (lower bound: the largest type) or all differ (upper bound: the sum). People that only a vendor's
    own summary knows of (those of running text) are added to the upper bound.
    """
    united = _by_type(report.outcomes)
    low = max((keys.bounds()[0] for keys in united.values()), default=0)
    best = max((keys.count for keys in united.values()), default=0)
    high = sum(keys.bounds()[1] for keys in united.values())
    for vendor in report.summary:
        own = [o for o, holder in zip(report.outcomes, report.vendors, strict=True) if holder == vendor.id]
        known = sum(keys.bounds()[1] for keys in _by_type(own).values())
        high += max(0, vendor.people.high - known)
        low, best = max(low, vendor.people.low), max(best, vendor.people.best)
    high = min(max(high, best), max(sum(vendor.people.high for vendor in report.summary), best))
    return Estimate(min(low, best), best, high)


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
