"""A policy as values: which vendor may receive which category, in which form. See `loading` for the file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from scanner.model import Form
from scanner.policy.globs import matches


class Default(StrEnum):
    """What to make of what no vendor's entry covers."""

    DENY = "deny"
    REVIEW = "review"
    ALLOW = "allow"


class OnGap(StrEnum):
    """What a gap does to the verdict."""

    FAIL = "fail"
    WARN = "warn"


class Action(StrEnum):
    """What the agent does with a delivery that is over-shared, besides telling of it."""

    REPORT = "report"
    QUARANTINE = "quarantine"


class Gate(StrEnum):
    """What a release gate does with a file that could not be read in full."""

    CLOSED = "closed"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Allow:
    """A category that a vendor may have, children included; ``forms`` is None for any form.

    ``position`` is ``line:column`` in the file, for explanations; ``rule`` names the rule where it is none of
    the vendor's own ``allow``.
    """

    category: str
    forms: frozenset[Form] | None = None
    position: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """What a data contract allows a vendor in some of its files.

    Attributes:
        contract: the file.
        name: what the policy calls it, relative to its own folder.
        paths: patterns of the files; empty for all of the vendor's.
        allow: what may be in them.
    """

    contract: str
    name: str
    paths: tuple[str, ...]
    allow: tuple[Allow, ...]

    def covers(self, path: str) -> bool:
        """Whether a file is one of the feed's."""
        return not self.paths or any(matches(path, pattern) for pattern in self.paths)


@dataclass(frozen=True, slots=True)
class Exemption:
    """An agreed exception: a field that a vendor has for a time although it should not.

    ``table``, ``column`` and ``category`` are globs (category: a key that covers); None matches all.
    ``until`` is the last day it holds.
    """

    until: date
    ticket: str
    reason: str
    table: str | None = None
    column: str | None = None
    category: str | None = None
    position: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The contract under which a vendor receives data."""

    ref: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class VendorLimits:
    """How many people at most, and how many days a file may lie there."""

    people: int | None = None
    retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """A recipient. ``paths`` are globs relative to the share roots."""

    id: str
    name: str
    paths: tuple[str, ...]
    purpose: str | None = None
    agreement: Agreement | None = None
    allow: tuple[Allow, ...] = ()
    never: tuple[str, ...] = ()
    limits: VendorLimits = field(default_factory=VendorLimits)
    exceptions: tuple[Exemption, ...] = ()
    position: str = ""
    feeds: tuple[Feed, ...] = ()
    action: Action = Action.REPORT

    def at(self, path: str) -> Vendor:
        """The vendor as it is for one file: with what the contracts of its feed allow."""
        more = tuple(allow for feed in self.feeds if feed.covers(path) for allow in feed.allow)
        return replace(self, allow=self.allow + more, feeds=()) if more else self

    def ended(self, today: date) -> bool:
        """Whether the agreement is over; its last day still counts."""
        expires = self.agreement.expires if self.agreement else None
        return expires is not None and expires < today


@dataclass(frozen=True, slots=True)
class Confidence:
    """From which probability on evidence is over-shared, and from which on it needs review."""

    over_shared: float = 0.80
    review: float = 0.40


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a vendor's entry says nothing."""

    unlisted: Default = Default.DENY
    unassigned: Default = Default.DENY
    unverifiable: OnGap = OnGap.FAIL
    confidence: Confidence = field(default_factory=Confidence)
    action: Action = Action.REPORT


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file, version 1."""

    organisation: str
    vendors: tuple[Vendor, ...] = ()
    defaults: Defaults = field(default_factory=Defaults)
    gate: Gate = Gate.CLOSED

    def vendor_of(self, path: str) -> Vendor | None:
        """The vendor that a path belongs to: the first in file order with a pattern that matches."""
        for vendor in self.vendors:
            if any(matches(path, pattern) for pattern in vendor.paths):
                return vendor
        return None

    def vendor(self, vendor_id: str) -> Vendor | None:
        """The vendor with that id."""
        return next((vendor for vendor in self.vendors if vendor.id == vendor_id), None)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy and what is amiss in its file without being wrong: sentences as ``file:line:column: …``.

    ``contracts`` are the files that it takes in, as paths.
    """

    policy: Policy
    warnings: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
