"""Why a path belongs to whom, and what its vendor may have there: ``policy explain``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.policy.categories import label
from scanner.policy.globs import matches
from scanner.policy.model import Default, Policy, Vendor

_UNLISTED = {
    Default.DENY: "is over-shared",
    Default.REVIEW: "needs review",
    Default.ALLOW: "is allowed",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a policy says of a path. ``pattern`` is the one that matched; ``text`` is for a person."""

    path: str
    vendor: str | None
    pattern: str | None
    text: str


def explain(policy: Policy, path: str) -> Explanation:
    """Which vendor a path (relative to the share's root) belongs to, by which pattern, and what holds."""
    vendor = policy.vendor_of(path)
    if vendor is None:
        verdict = _UNLISTED[policy.defaults.unassigned]
        text = (
            f"{path} lies under no vendor's paths.\n"
            f"Personal data in it {verdict} (defaults.unassigned: {policy.defaults.unassigned})."
        )
        return Explanation(path, None, None, text)
    pattern = next(each for each in vendor.paths if matches(path, each))
    return Explanation(path, vendor.id, pattern, "\n".join(_lines(policy, vendor, path, pattern)))


def _lines(policy: Policy, vendor: Vendor, path: str, pattern: str) -> Iterator[str]:
    yield f"{path} belongs to {vendor.name} ({vendor.id})"
    yield f"  by path       {pattern!r} (vendor at line {vendor.position.partition(':')[0] or '?'})"
    for later in policy.vendors[policy.vendors.index(vendor) + 1 :]:
        if any(matches(path, each) for each in later.paths):
            yield f"  before        {later.id}, whose paths match too: the first in the file wins"
    if vendor.purpose:
        yield f"  purpose       {vendor.purpose}"
    if vendor.agreement:
        ends = f", expires {vendor.agreement.expires}" if vendor.agreement.expires else ""
        yield f"  agreement     {vendor.agreement.ref}{ends}"
    for allow in vendor.allow:
        forms = f", only {' or '.join(sorted(allow.forms))}" if allow.forms else ""
        yield f"  may have      {allow.category} ({label(allow.category, 2)}){forms}"
    for feed in vendor.feeds:
        if feed.covers(path):
            yield f"  by contract   {feed.contract}"
            for allow in feed.allow:
                forms = f", only {' or '.join(sorted(allow.forms))}" if allow.forms else ""
                yield f"    may have    {allow.category} ({label(allow.category, 2)}){forms}"
    for never in vendor.never:
        yield f"  never         {never} ({label(never, 2)})"
    for exception in vendor.exceptions:
        named = {"table": exception.table, "column": exception.column, "category": exception.category}
        where = ", ".join(f"{key} {value}" for key, value in named.items() if value)
        yield f"  exception     {where}, until {exception.until} ({exception.ticket}: {exception.reason})"
    if vendor.limits.people is not None:
        yield f"  limit         {vendor.limits.people} people"
    if vendor.limits.retention_days is not None:
        yield f"  limit         {vendor.limits.retention_days} days"
    unlisted = policy.defaults.unlisted
    yield f"  anything else {_UNLISTED[unlisted]} (defaults.unlisted: {unlisted})"
