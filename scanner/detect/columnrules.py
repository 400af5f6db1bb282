"""``rules/columns.yaml``, read: for each entity type the test of its values and the cells it may stand in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from scanner import resources

#: No share reaches it: the type is never considered without a heading.
NEVER = 2.0
#: The row of the trained model for every type that the rules do not list.
NATIONAL = "national"
#: Identifiers of people that a heading calls by a general name.
GENERAL_IDS = frozenset({"NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE", "TAX_ID", "HEALTH_INSURANCE"})


@dataclass(frozen=True, slots=True)
class TypeRule:
    """A line of the rules; see the head of the file.

    Attributes:
        entity_type: Presidio's name.
        test: name of the value test, in `scanner.detect.shapes`.
        plausible: RE2 pattern of a cell that may be such a value.
        longest: bytes of the longest such cell.
        shortest: characters of the shortest one: a column of which most values are shorter is none.
        alone: share of known values from which the type is considered without a heading that names it.
        alone_test: the stricter test beside ``test``, empty for none.
        headless: as ``alone``, for columns that have no heading at all.
    """

    entity_type: str
    test: str
    plausible: str
    longest: int = 1000
    shortest: int = 0
    alone: float = NEVER
    alone_test: str = ""
    headless: float = NEVER


@dataclass(frozen=True, slots=True)
class Weights:
    """The rules of all types.

    Attributes:
        types: by entity type.
        national: of every type that is not listed.
        single: precision of one match in a column of something else, by self-proving type.
        chance: share of random values that pass a type's check.
        prose: words of headings over running text.
    """

    types: dict[str, TypeRule]
    national: TypeRule
    single: dict[str, float]
    chance: dict[str, float]
    prose: frozenset[str]

    def rule(self, entity_type: str) -> TypeRule:
        """The rule of a type."""
        return self.types.get(entity_type) or replace(self.national, entity_type=entity_type)


@cache
def weights() -> Weights:
    """The shipped rules."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load(resources.path("rules", "columns.yaml").read_text("utf-8"), loader)  # noqa: S506 # a safe loader
    return Weights(
        {name: TypeRule(name, **rule) for name, rule in data["types"].items()},
        TypeRule("", **data["national"]),
        data["single"],
        data["chance"],
        frozenset(data["prose"]),
    )
