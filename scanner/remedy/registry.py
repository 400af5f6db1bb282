"""Which rewriter writes a format."""

from __future__ import annotations

from scanner.remedy.base import Rewriter
from scanner.remedy.delimited import DelimitedRewriter
from scanner.remedy.jsondoc import JsonRewriter
from scanner.remedy.text import TextRewriter

REWRITERS: tuple[Rewriter, ...] = (DelimitedRewriter(), JsonRewriter(), TextRewriter())

#: Formats that keep what a viewer does not show.
HIDING = frozenset({"xlsx", "xlsm"})


def find(format_name: str) -> Rewriter | None:
    """The rewriter of a format as readers report it; None where none is."""
    return next((each for each in REWRITERS if format_name in each.formats), None)


def formats() -> tuple[str, ...]:
    """All formats that are written anew."""
    return tuple(name for each in REWRITERS for name in each.formats)
