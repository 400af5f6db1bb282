"""Which combinations of categories are counted: what is reported after a breach, and what hurts."""

from __future__ import annotations

from functools import cache

from scanner import resources


def covers(parent: str, child: str) -> bool:
    """Whether a category is another one or lies below it."""
    return child == parent or child.startswith(f"{parent}.")


@cache
def combinations() -> tuple[tuple[str, ...], ...]:
    """The combinations that are counted (``rules/combinations.yaml``)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.path("rules", "combinations.yaml").read_text(encoding="utf-8")
    return tuple(tuple(each) for each in yaml.load(text, loader)["combinations"])  # noqa: S506 # a safe loader
