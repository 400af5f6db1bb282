"""How bad a finding is, and which techniques of attack it lies open to: ``rules/severity.yaml``, applied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scanner import resources
from scanner.model import Form, Severity
from scanner.policy.model import OnGap

#: Level of a category of which neither it nor any ancestor is listed.
_UNKNOWN = Severity.MEDIUM
_LEVELS = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps up (positive) or down that circumstances count for."""

    people: int
    many_people: int
    sensitive_and_identified: int
    hidden: int
    needs_review: int
    forms: dict[Form, int]


@dataclass(frozen=True, slots=True)
class Attack:
    """MITRE ATT&CK technique ids: for all, for files under no vendor's paths, by category."""

    always: tuple[str, ...]
    unassigned: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Scale:
    """``rules/severity.yaml``, read."""

    categories: dict[str, Severity]
    steps: Steps
    never: Severity
    agreement: Severity
    limits_people: Severity
    limits_retention_days: Severity
    unverifiable: dict[OnGap, Severity]
    attack: Attack


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What counts beside the category: the form, how many people, and the three yes-or-no factors."""

    form: Form
    people: int
    identified: bool
    hidden: bool
    uncertain: bool


@cache
def scale() -> Scale:
    """The shipped levels and steps."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(resources.path("rules", "severity.yaml").read_text(encoding="utf-8"), loader)  # noqa: S506 # a safe loader
    steps, attack = data["steps"], data["attack"]
    return Scale(
        categories={key: Severity(level) for key, level in data["categories"].items()},
        steps=Steps(**{**steps, "forms": {Form(form): step for form, step in steps["forms"].items()}}),
        never=Severity(data["never"]),
        agreement=Severity(data["agreement"]),
        limits_people=Severity(data["limits_people"]),
        limits_retention_days=Severity(data["limits_retention_days"]),
        unverifiable={OnGap(key): Severity(level) for key, level in data["unverifiable"].items()},
        attack=Attack(
            always=tuple(attack["always"]),
            unassigned=tuple(attack["unassigned"]),
            categories={key: tuple(ids) for key, ids in attack["categories"].items()},
        ),
    )


def sensitivity(category: str) -> Severity:
    """The level of the nearest listed ancestor, the category itself first."""
    key = category
    while key:
        if key in scale().categories:
            return scale().categories[key]
        key = key.rpartition(".")[0]
    return _UNKNOWN


def grade(category: str, found: Circumstances) -> Severity:
    """The category's level, moved by the steps that apply; between low and critical."""
    base, steps = sensitivity(category), scale().steps
    up = steps.forms.get(found.form, 0)
    up += steps.many_people if found.people >= steps.people else 0
    up += steps.sensitive_and_identified if base is Severity.HIGH and found.identified else 0
    up += steps.hidden if found.hidden else 0
    up += steps.needs_review if found.uncertain else 0
    return _LEVELS[min(max(base.rank - up, 0), len(_LEVELS) - 1)]


def techniques(category: str | None, assigned: bool) -> tuple[str, ...]:
    """ATT&CK technique ids of an over-shared field, or of a vendor's delivery as a whole (no category)."""
    attack = scale().attack
    ids = [*attack.always, *(() if assigned else attack.unassigned)]
    key = category or ""
    while key:
        ids += attack.categories.get(key, ())
        key = key.rpartition(".")[0]
    return tuple(dict.fromkeys(ids))
