"""The JSON report, version 1: the contract with other programs, described by ``report-1.schema.json``.

Fields are only ever added. The functions that build its parts are also those of the JSON lines report.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from scanner import documents
from scanner.model import (
    Column,
    Estimate,
    Evidence,
    Finding,
    Gap,
    Outcome,
    Report,
    Table,
    Text,
    VendorSummary,
)
from scanner.reports.encode import dumps
from scanner.reports.wording import UNASSIGNED

SCHEMA_VERSION = "1.0"
#: Digits kept of a probability; more would be noise.
_DIGITS = 4


def render(report: Report, out: BinaryIO) -> None:
    """Write the report as one JSON document, an item or finding to a line, without building it whole."""
    out.write(b'{"schema_version":' + dumps(SCHEMA_VERSION))
    out.write(b',\n"tool":' + dumps(tool(report)))
    out.write(b',\n"scan":' + dumps(scan(report)))
    out.write(b',\n"items":[')
    _write_all(out, items(report))
    out.write(b'],\n"findings":[')
    texts = text_parts(report)
    _write_all(out, (finding(found, texts) for found in report.findings))
    out.write(b'],\n"summary":' + dumps(summary(report)) + b"}\n")


def _write_all(out: BinaryIO, values: Iterable[dict[str, Any]]) -> None:
    separator = b"\n"
    for value in values:
        out.write(separator + dumps(value))
        separator = b",\n"


def tool(report: Report) -> dict[str, Any]:
    """What scanned, with which rules and policy."""
    info = report.info
    return {
        "name": "sharewatch",
        "version": info.version,
        "rules_digest": info.rules_digest,
        "policy_digest": info.policy_digest,
        "model": info.model,
        "policy": report.policy_name,
    }


def scan(report: Report) -> dict[str, Any]:
    """What was scanned, from when until when, with which result. ``items`` counts items, not files."""
    info = report.info
    return {
        "id": info.id,
        "started_at": info.started_at,
        "finished_at": info.finished_at,
        "items": len(report.outcomes),
        "bytes": report.bytes,
        "complete": info.complete,
        "verdict": info.verdict,
        "interrupted": info.interrupted,
        "roots": list(info.roots),
    }


def items(report: Report) -> Iterable[dict[str, Any]]:
    """Every item, in the order of the scan."""
    return (_item(outcome, vendor) for outcome, vendor in zip(report.outcomes, report.vendors, strict=True))


def _item(outcome: Outcome, vendor: str | None) -> dict[str, Any]:
    return {
        "path": outcome.path,
        "member": outcome.member,
        "vendor": vendor,
        "format": outcome.format,
        "bytes": outcome.bytes,
        "sha256": outcome.sha256,
        "status": str(outcome.status),
        "containers": list(outcome.containers),
        "gaps": [_gap(gap) for gap in outcome.gaps],
        "tables": [_table(table) for table in outcome.tables],
        "texts": [_text(text) for text in outcome.texts],
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return documents.gap(gap) | {"intentional": gap.intentional}


def _table(table: Table) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "name": table.name,
        "hidden": table.hidden,
        "rows": table.rows,
        "columns": [_column(column) for column in table.columns],
    }
    if table.people is not None:
        low, high = table.people.keys.bounds()
        shown["people"] = {
            "entity_type": table.people.entity_type,
            "rows": table.people.rows,
            **documents.estimate(Estimate(low, table.people.keys.count, high)),
        }
    return shown


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "index": column.index,
        "hidden": column.hidden,
        "values": column.values,
        "kind": str(column.kind),
        "entities": [_column_entity(evidence) for evidence in column.entities],
    }


def _column_entity(evidence: Evidence) -> dict[str, Any]:
    shown = {
        "entity_type": evidence.entity_type,
        "category": evidence.category,
        "form": str(evidence.form),
        "rows": evidence.rows,
        "mentions": evidence.mentions,
        **_weighed(evidence),
    }
    if evidence.row_numbers:
        shown["row_numbers"] = list(evidence.row_numbers)
    return shown


def _text(text: Text) -> dict[str, Any]:
    return {
        "name": text.name,
        "hidden": text.hidden,
        "characters": text.characters,
        "entities": [_text_entity(evidence) for evidence in text.entities],
    }


def _text_entity(evidence: Evidence) -> dict[str, Any]:
    shown = {
        "entity_type": evidence.entity_type,
        "category": evidence.category,
        "form": str(evidence.form),
        "count": evidence.mentions,
        **_weighed(evidence),
    }
    if evidence.spans:
        shown["spans"] = [list(span) for span in evidence.spans]
    return shown


def _weighed(evidence: Evidence) -> dict[str, Any]:
    return {
        "distinct": evidence.distinct.count,
        "exact": evidence.distinct.exact,
        "confidence": round(evidence.confidence, _DIGITS),
        "evidence": list(evidence.signals),
        "samples": list(evidence.samples),
    }


def text_parts(report: Report) -> frozenset[tuple[str, str | None, str]]:
    """Path, member and name of every part that is running text."""
    return frozenset((o.path, o.member, text.name) for o in report.outcomes for text in o.texts)


def finding(found: Finding, texts: frozenset[tuple[str, str | None, str]]) -> dict[str, Any]:
    """A finding; a part named in ``texts`` goes under ``text``, any other under ``table``."""
    part = found.part
    in_text = found.column is None and part is not None and (found.path, found.member, part) in texts
    return documents.finding(found, in_text=in_text)


def summary(report: Report) -> dict[str, Any]:
    """What each vendor holds, by its id; files of nobody under `wording.UNASSIGNED`."""
    return {"vendors": {vendor.id or UNASSIGNED: _vendor(vendor) for vendor in report.summary}}


def _vendor(vendor: VendorSummary) -> dict[str, Any]:
    return {
        "name": vendor.name,
        "purpose": vendor.purpose,
        "items": vendor.items,
        "people": documents.estimate(vendor.people),
        "over_shared_fields": vendor.over_shared_fields,
        "categories": {
            key: {"verdict": str(held.verdict), "people": held.people}
            for key, held in vendor.categories.items()
        },
    }
