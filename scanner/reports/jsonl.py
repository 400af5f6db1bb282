"""The JSON lines report: one object a line, so that a log pipeline or ``grep`` can take it apart.

The first line is the ``scan`` (tool and frame), then every ``item``, every ``finding``, and the ``summary``
last: a file without its summary was cut. Shapes are those of the JSON report; a line is described by
``report-lines-1.schema.json``.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from scanner.model import Report
from scanner.reports import jsonv1
from scanner.reports.encode import dumps


def render(report: Report, out: BinaryIO) -> None:
    """Write the report, one JSON object to a line."""
    frame = {
        "schema_version": jsonv1.SCHEMA_VERSION,
        "tool": jsonv1.tool(report),
        "scan": jsonv1.scan(report),
    }
    _line(out, "scan", frame)
    for item in jsonv1.items(report):
        _line(out, "item", item)
    texts = jsonv1.text_parts(report)
    for finding in report.findings:
        _line(out, "finding", jsonv1.finding(finding, texts))
    _line(out, "summary", jsonv1.summary(report))


def _line(out: BinaryIO, kind: str, value: dict[str, Any]) -> None:
    out.write(dumps({"type": kind, **value}) + b"\n")
