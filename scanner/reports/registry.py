"""The report formats by name; each renderer's module is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a report.

    Attributes:
        name: what ``--format`` calls it.
        module: where its ``render`` is.
        binary: True where ``render`` writes bytes (always UTF-8), False where it writes text.
        suffix: of a file of this format.
        media_type: as in HTTP.
        summary: one line for ``--help``.
    """

    name: str
    module: str
    binary: bool
    suffix: str
    media_type: str
    summary: str

    @property
    def render(self) -> Callable[..., None]:
        """``render(report, out)``; the text format also takes ``width`` and ``color``."""
        function: Any = import_module(self.module).render
        return function  # type: ignore[no-any-return] # a module's attribute is of no known type


FORMATS = (
    Format("text", "scanner.reports.text", False, ".txt", "text/plain", "for people, in a terminal or a log"),
    Format("json", "scanner.reports.jsonv1", True, ".json", "application/json", "one document, version 1"),
    Format("jsonl", "scanner.reports.jsonl", True, ".jsonl", "application/x-ndjson", "one object a line"),
    Format("sarif", "scanner.reports.sarif", True, ".sarif", "application/sarif+json", "SARIF 2.1.0"),
    Format(
        "ocsf", "scanner.reports.ocsf", True, ".ocsf.jsonl", "application/x-ndjson", "one OCSF event a line"
    ),
    Format("csv", "scanner.reports.csvreport", True, ".csv", "text/csv", "one row for each field and type"),
    Format("html", "scanner.reports.html", True, ".html", "text/html", "one page that also prints well"),
)


def names() -> tuple[str, ...]:
    """The formats' names, the default first."""
    return tuple(format_.name for format_ in FORMATS)


def get(name: str) -> Format:
    """The format of that name.

    Raises:
        KeyError: there is none.
    """
    return next((format_ for format_ in FORMATS if format_.name == name), None) or _unknown(name)


def _unknown(name: str) -> Format:
    raise KeyError(name)
