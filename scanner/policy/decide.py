"""What a policy says of one field: allowed, excepted, over-shared or to be reviewed, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from scanner.model import Form, Outcome, Verdict
from scanner.policy.categories import covers
from scanner.policy.fields import UNNAMED, PersonalField
from scanner.policy.model import Allow, Confidence, Default, Exemption, Policy, Vendor


class Ground(StrEnum):
    """Why a field is not simply allowed."""

    NEVER = "never"
    FORM = "form"
    UNLISTED = "unlisted"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class Decision:
    """What is held against a field.

    Attributes:
        verdict: over-shared or to be reviewed.
        rule: dotted path of the rule that decided.
        ground: the kind of rule.
        forms: those permitted, where the form decided.
        barred: the category that the vendor must never have, where that decided.
        expired: an exception that covered the field until it ended.
        likely: whether what was found is certain enough to be called over-shared.
    """

    verdict: Verdict
    rule: str
    ground: Ground
    forms: frozenset[Form] = frozenset()
    barred: str | None = None
    expired: Exemption | None = None
    likely: bool = True


def decide(policy: Policy, vendor: Vendor | None, field: PersonalField, today: date) -> Decision | None:
    """The decision on a field at least as probable as the policy's threshold for review; None if allowed."""
    confidence = policy.defaults.confidence
    if vendor is None:
        return _by_default(
            policy.defaults.unassigned, "defaults.unassigned", Ground.UNASSIGNED, field, confidence
        )
    category = field.evidence.category
    barred = next((key for key in vendor.never if covers(key, category)), None)
    if barred is not None:
        rule = f"vendors.{vendor.id}.never"
        return Decision(
            *_certain(field, confidence, rule), Ground.NEVER, barred=barred, likely=_likely(field, confidence)
        )
    entries = _most_specific(
        [(i, entry) for i, entry in enumerate(vendor.allow) if covers(entry.category, category)]
    )
    if any(_permits(entry, field) for _, entry in entries):
        return None
    matching = [exemption for exemption in vendor.exceptions if _exempts(exemption, field)]
    if any(today <= exemption.until for exemption in matching):
        return None
    expired = max(matching, key=lambda exemption: exemption.until, default=None)
    if entries:
        index = entries[0][0]
        forms = frozenset(form for _, entry in entries for form in entry.forms or ())
        rule = entries[0][1].rule or f"vendors.{vendor.id}.allow[{index}].form"
        return Decision(
            *_certain(field, confidence, rule), Ground.FORM, forms, None, expired, _likely(field, confidence)
        )
    unlisted = policy.defaults.unlisted
    rule = f"vendors.{vendor.id}.allow" if unlisted is Default.DENY else "defaults.unlisted"
    return _by_default(unlisted, rule, Ground.UNLISTED, field, confidence, expired)


def _most_specific(entries: list[tuple[int, Allow]]) -> list[tuple[int, Allow]]:
    """Those for the nearest category: what is said of e-mail addresses counts, not what is of contacts."""
    nearest = max((len(entry.category) for _, entry in entries), default=0)
    return [(index, entry) for index, entry in entries if len(entry.category) == nearest]


def _permits(entry: Allow, field: PersonalField) -> bool:
    """Whether an entry allows the field's form. A digest that can be undone is no better than the value."""
    if entry.forms is None:
        return True
    form = field.evidence.effective_form
    return form in entry.forms


def _by_default(default: Default, rule: str, ground: Ground, field: PersonalField, confidence: Confidence,
                expired: Exemption | None = None) -> Decision | None:  # fmt: skip
    if default is Default.ALLOW:
        return None
    likely = _likely(field, confidence)
    verdict = Verdict.OVER_SHARED if likely and default is Default.DENY else Verdict.NEEDS_REVIEW
    return Decision(verdict, rule, ground, expired=expired, likely=likely)


def _certain(field: PersonalField, confidence: Confidence, rule: str) -> tuple[Verdict, str]:
    return (Verdict.OVER_SHARED if _likely(field, confidence) else Verdict.NEEDS_REVIEW), rule


def _likely(field: PersonalField, confidence: Confidence) -> bool:
    return field.evidence.confidence >= confidence.over_shared


def _exempts(exemption: Exemption, field: PersonalField) -> bool:
    if exemption.table is not None and not any(_like(n, exemption.table) for n in _tables(field)):
        return False
    if exemption.column is not None:
        name = field.column.name if field.column else None
        if name is None or not _like(name, exemption.column):
            return False
    key, category = exemption.category, field.evidence.category
    return key is None or covers(key, category) or fnmatchcase(category, key)


def _like(name: str, pattern: str) -> bool:
    # `[]` marks an array in a key path (`orders[].email`); as a set of characters it would be empty.
    return fnmatchcase(name, pattern.replace("[]", "[[]]"))


def _tables(field: PersonalField) -> tuple[str, ...]:
    """What an exception may call the part: its name, with or without its schema, else that of the file."""
    if field.part.name != UNNAMED:
        return field.part.name, field.part.name.rpartition(".")[2]
    name = file_name(field.outcome)
    return name, name.partition(".")[0]


def file_name(outcome: Outcome) -> str:
    """Base name of the member, or of the file itself."""
    return PurePosixPath(outcome.member or outcome.path).name
