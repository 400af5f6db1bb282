"""Data categories: fideslang's keys and ours (``rules/categories.yaml``), and who covers whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from scanner import resources


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """``rules/categories.yaml``, read.

    Attributes:
        labels: category to its name for one and for several.
        types: entity type or concept to its category; None for what is never personal by itself.
        context_only: entity types that say something of a person only beside a field that tells who it is.
        identifying: categories that tell who a person is, children included.
    """

    labels: dict[str, tuple[str, str]]
    types: dict[str, str | None]
    context_only: frozenset[str]
    identifying: tuple[str, ...]


@cache
def taxonomy() -> Taxonomy:
    """The shipped categories."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(resources.path("rules", "categories.yaml").read_text(encoding="utf-8"), loader)  # noqa: S506 # a safe loader
    return Taxonomy(
        labels={key: (one, several) for key, (one, several) in data["categories"].items()},
        types=data["entity_types"],
        context_only=frozenset(data["context_only"]),
        identifying=tuple(data["identifying"]),
    )


def covers(parent: str, child: str) -> bool:
    """Whether who may have ``parent`` may have ``child``: the same key, or one below it."""
    return child == parent or child.startswith(parent + ".")


def label(category: str, count: int = 1) -> str:
    """What people call a category, in the singular or the plural that ``count`` asks for."""
    one, several = taxonomy().labels.get(category, (category.rsplit(".", 1)[-1].replace("_", " "),) * 2)
    return one if count == 1 else several


def is_identifying(category: str) -> bool:
    """Whether values of a category tell who a person is."""
    return any(covers(key, category) for key in taxonomy().identifying)
