"""Which rewriter writes a format."""

from __future__ import annotations

from scanner.remedy.arrow import ArrowRewriter, ParquetRewriter
from scanner.remedy.base import Rewriter
from scanner.remedy.delimited import DelimitedRewriter
from scanner.remedy.jsondoc import JsonRewriter
from scanner.remedy.sqldump.rewriter import DumpRewriter
from scanner.remedy.text import TextRewriter
from scanner.remedy.workbook import WorkbookRewriter

REWRITERS: tuple[Rewriter, ...] = (
    DelimitedRewriter(),
    JsonRewriter(),
    TextRewriter(),
    ParquetRewriter(),
    ArrowRewriter(),
    WorkbookRewriter(),
    DumpRewriter(),
)

#: Formats that keep what a viewer does not show.
HIDING = frozenset({"xlsx"})


def find(format_name: str) -> Rewriter | None:
    """The rewriter of a format as readers report it; None where none is."""
    return next((each for each in REWRITERS if format_name in each.formats), None)


def formats() -> tuple[str, ...]:
    """All formats that are written anew."""
    return tuple(name for each in REWRITERS for name in each.formats)
