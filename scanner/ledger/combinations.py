"""Which combinations of categories are counted: what is reported after a breach, and what hurts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from scanner import resources


def covers(parent: str, child: str) -> bool:
    """Whether a category is another one or lies below it."""
    return child == parent or child.startswith(f"{parent}.")


def present(bits: Mapping[str, int]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """Each combination of which all parts were found, with the bits that stand for each part.

    Args:
        bits: of the categories that were found; several may share one.
    """
    for wanted in combinations():
        options = options_of(wanted, bits)
        if all(options):
            yield wanted, options


def options_of(wanted: Sequence[str], bits: Mapping[str, int]) -> list[int]:
    """For each category the bits of those found that it covers; 0 where there are none."""
    return [
        sum(1 << bit for bit in {bit for name, bit in bits.items() if covers(key, name)}) for key in wanted
    ]


@cache
def combinations() -> tuple[tuple[str, ...], ...]:
    """The combinations that are counted (``rules/combinations.yaml``)."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.path("rules", "combinations.yaml").read_text(encoding="utf-8")
    return tuple(tuple(each) for each in yaml.load(text, loader)["combinations"])  # noqa: S506 # a safe loader
