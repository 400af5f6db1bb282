"""The CSV report: a row for each field and entity type, for spreadsheets and quick joins.

Findings that rest on no single field, and gaps, have rows of their own, so that nothing is missing:
``record`` is ``field``, ``finding`` or ``gap``. A cell that a spreadsheet would run as a formula gets an
apostrophe before it, as OWASP's "CSV Injection" page advises.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from scanner.model import Evidence, Finding, Gap, Outcome, Report, printable
from scanner.reports import view
from scanner.reports.encode import scrub

COLUMNS = (
    "record",
    "vendor",
    "path",
    "member",
    "format",
    "status",
    "part",
    "part_kind",
    "part_hidden",
    "column",
    "column_index",
    "column_hidden",
    "entity_type",
    "category",
    "form",
    "part_rows",
    "values",
    "rows",
    "mentions",
    "distinct",
    "distinct_exact",
    "confidence",
    "samples",
    "evidence",
    "verdict",
    "severity",
    "people_low",
    "people_best",
    "people_high",
    "rule",
    "because",
    "remedy",
    "finding_id",
    "gap_stage",
    "gap_reason",
    "gap_where",
    "gap_detail",
)
#: First characters that make a spreadsheet read a cell as a formula or a control; the full-width forms too.
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = dict[str, object]


def render(report: Report, out: BinaryIO) -> None:
    """Write the report as CSV (RFC 4180: CRLF, quotes doubled) in UTF-8 with a byte order mark for Excel."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", write_through=True)
    try:
        writer = csv.DictWriter(text, COLUMNS, restval="", dialect="excel")
        writer.writeheader()
        for row in rows(report):
            writer.writerow({key: cell(value) for key, value in row.items()})
    finally:
        text.detach()


def cell(value: object) -> str:
    """A value as the text of a cell that no spreadsheet will run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = printable(scrub(str(value)))
    return f"'{text}" if text.lstrip(" ").startswith(_ACTIVE) else text


def rows(report: Report) -> Iterator[Row]:
    """The rows of the report by column name, in the order of the items; findings of no field last."""
    by_field: dict[tuple[object, ...], list[Finding]] = {}
    for finding in report.findings:
        by_field.setdefault(view.finding_key(finding), []).append(finding)
    told: set[tuple[object, ...]] = set()
    for outcome, vendor in zip(report.outcomes, report.vendors, strict=True):
        item = _item(outcome, vendor)
        for field in view.fields(outcome):
            key = view.evidence_key(outcome, field)
            told.add(key)
            yield from _field_rows({**item, **_field(field)}, by_field.get(key, ()))
        for gap in outcome.gaps:
            yield {**item, "record": "gap", **_gap(gap)}
    for key, findings in by_field.items():
        if key not in told:
            for finding in findings:
                yield {"record": "finding", **_place(finding), **_finding(finding)}


def _field_rows(row: Row, findings: Iterable[Finding]) -> Iterator[Row]:
    joined = list(findings)
    if not joined:
        yield row
    for finding in joined:
        yield {**row, **_finding(finding)}


def _item(outcome: Outcome, vendor: str | None) -> Row:
    return {
        "record": "field",
        "vendor": vendor,
        "path": outcome.path,
        "member": outcome.member,
        "format": outcome.format,
        "status": str(outcome.status),
    }


def _field(field: view.Field) -> Row:
    column = field.column
    return {
        "part": field.part.name,
        "part_kind": "text" if column is None else "table",
        "part_hidden": field.part.hidden,
        "column": column.name if column else None,
        "column_index": column.index if column else None,
        "column_hidden": column.hidden if column else None,
        "part_rows": getattr(field.part, "rows", None),
        "values": column.values if column else None,
        **_evidence(field.evidence),
    }


def _evidence(evidence: Evidence) -> Row:
    return {
        "entity_type": evidence.entity_type,
        "category": evidence.category,
        "form": str(evidence.form),
        "rows": evidence.rows,
        "mentions": evidence.mentions,
        "distinct": evidence.distinct.count,
        "distinct_exact": evidence.distinct.exact,
        "confidence": round(evidence.confidence, 4),
        "samples": " | ".join(evidence.samples),
        "evidence": " | ".join(evidence.signals),
    }


def _place(finding: Finding) -> Row:
    return {
        "vendor": finding.vendor,
        "path": finding.path,
        "member": finding.member,
        "part": finding.part,
        "column": finding.column,
        "entity_type": finding.entity_type,
        "category": finding.category,
        "form": finding.form and str(finding.form),
        "rows": finding.rows,
        "confidence": round(finding.confidence, 4),
    }


def _finding(finding: Finding) -> Row:
    return {
        "verdict": str(finding.verdict),
        "severity": str(finding.severity),
        "people_low": finding.people.low,
        "people_best": finding.people.best,
        "people_high": finding.people.high,
        "rule": finding.rule,
        "because": finding.because,
        "remedy": finding.remedy,
        "finding_id": finding.id,
    }


def _gap(gap: Gap) -> Row:
    return {
        "gap_stage": str(gap.stage),
        "gap_reason": str(gap.reason),
        "gap_where": gap.where,
        "gap_detail": gap.detail,
    }
