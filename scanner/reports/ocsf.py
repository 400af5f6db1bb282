"""The OCSF report: a Data Security Finding event (class 2006) for each finding, one JSON object a line.

Written against OCSF 1.5.0 (https://schema.ocsf.io/1.5.0/classes/data_security_finding). The framework has no
field for the recipient of data: the vendor is a resource, the policy is in ``data_security``, and what has no
field at all is under ``unmapped``.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from scanner.model import Finding, Outcome, Report, Severity, Verdict, printable
from scanner.reports import view, wording
from scanner.reports.encode import dumps, scrub

VERSION = "1.5.0"
_CATEGORY, _CLASS = 2, 2006
_CREATE = 1
_SEVERITIES = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
#: OCSF's kinds of data by the beginning of our categories; the longest that fits counts.
_DATA_CATEGORIES = {
    "user": (1, "Personal"),
    "user.government_id": (2, "Governmental"),
    "user.financial": (3, "Financial"),
    "user.payment": (3, "Financial"),
    "user.authorization": (6, "Security"),
    "system": (6, "Security"),
}
_TITLES = {
    Verdict.OVER_SHARED: "A vendor was sent {} beyond the policy",
    Verdict.NEEDS_REVIEW: "A vendor may have been sent {} beyond the policy",
    Verdict.UNVERIFIABLE: "A delivery could not be held against the policy",
}


def render(report: Report, out: BinaryIO) -> None:
    """Write one event for each finding."""
    outcomes = {view.place(outcome): outcome for outcome in report.outcomes}
    evidence = view.evidence_of(report)
    names = {vendor.id: vendor.name for vendor in report.summary}
    for number, finding in enumerate(report.findings):
        outcome = outcomes.get((finding.path, finding.member))
        field = evidence.get(view.finding_key(finding))
        out.write(dumps(_event(report, number, finding, outcome, field, names)) + b"\n")


def _event(
    report: Report,
    number: int,
    finding: Finding,
    outcome: Outcome | None,
    field: view.Field | None,
    names: dict[str | None, str],
) -> dict[str, Any]:
    severity_id, severity = _SEVERITIES[finding.severity]
    event: dict[str, Any] = {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Data Security Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Data Security Finding: Create",
        "time": _milliseconds(report.info.finished_at),
        "start_time": _milliseconds(report.info.started_at),
        "end_time": _milliseconds(report.info.finished_at),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "message": finding.because,
        "metadata": _metadata(report, number),
        "finding_info": _finding_info(report, finding),
        "confidence_score": round(100 * finding.confidence),
        "confidence_id": _confidence_id(finding.confidence),
        "resources": [_vendor(finding, names)],
        "file": _file(finding, outcome),
        "data_security": _data_security(report, finding, outcome, field),
        "is_alert": finding.verdict is Verdict.OVER_SHARED,
        "unmapped": _unmapped(finding),
    }
    if finding.part and (field is None or field.column is not None):
        event["table"] = {"name": finding.part}
    return event


def _metadata(report: Report, number: int) -> dict[str, Any]:
    return {
        "version": VERSION,
        "uid": f"{report.info.id}/{number}",
        "correlation_uid": report.info.id,
        "product": {"name": "sharewatch", "vendor_name": "sharewatch", "version": report.info.version},
    }


def _finding_info(report: Report, finding: Finding) -> dict[str, Any]:
    label = wording.category(finding.category) or "personal data"
    info: dict[str, Any] = {
        "uid": finding.id,
        "title": _TITLES[finding.verdict].format(label),
        "desc": f"{finding.because} {finding.remedy}",
        "types": [str(finding.verdict)],
        "created_time": _milliseconds(report.info.finished_at),
        "analytic": {"name": finding.rule, "uid": finding.rule, "type_id": 1, "type": "Rule"},
        "data_sources": [printable(scrub(view.file_name((finding.path, finding.member))))],
    }
    if finding.attack:
        info["attacks"] = [_attack(technique) for technique in finding.attack]
    return info


def _attack(technique: str) -> dict[str, Any]:
    parent, _, child = technique.partition(".")
    return {"technique": {"uid": parent}, **({"sub_technique": {"uid": technique}} if child else {})}


def _confidence_id(confidence: float) -> int:
    if confidence >= view.LIKELY:
        return 3
    return 2 if confidence >= view.POSSIBLE else 1


def _vendor(finding: Finding, names: dict[str | None, str]) -> dict[str, Any]:
    uid = finding.vendor or wording.UNASSIGNED
    name = names.get(finding.vendor) or (finding.vendor or wording.UNASSIGNED_NAME)
    return {"uid": uid, "name": name, "type": "vendor", "labels": ["recipient"]}


def _file(finding: Finding, outcome: Outcome | None) -> dict[str, Any]:
    path = printable(scrub(finding.path))
    inside = finding.member is not None
    name = PurePosixPath(finding.member or finding.path).name
    file: dict[str, Any] = {
        "name": printable(scrub(name)),
        "path": f"{path}!/{printable(scrub(finding.member))}" if finding.member else path,
        "type_id": 1,
        "type": "Regular File",
    }
    if outcome is not None:
        file["size"] = outcome.bytes
        if outcome.sha256 is not None:
            file["hashes"] = [{"algorithm_id": 3, "algorithm": "SHA-256", "value": outcome.sha256}]
    if inside:
        file["parent_folder"] = path
    return file


def _data_security(
    report: Report, finding: Finding, outcome: Outcome | None, field: view.Field | None
) -> dict[str, Any]:
    category_id, category = _data_category(finding.category)
    status_id, status = _coverage(finding, outcome)
    return {
        "category_id": category_id,
        "category": category,
        "data_lifecycle_state_id": 1,
        "data_lifecycle_state": "Data at-Rest",
        "detection_system_id": 4,
        "detection_system": "Data Discovery & Classification",
        "detection_pattern": finding.entity_type or str(finding.verdict),
        "status_id": status_id,
        "status": status,
        "total": finding.rows,
        "policy": _policy(report, finding),
        "discovery_details": [_discovery(finding, field)],
    }


def _data_category(key: str | None) -> tuple[int, str]:
    fitting = [start for start in _DATA_CATEGORIES if key is not None and f"{key}.".startswith(f"{start}.")]
    return _DATA_CATEGORIES[max(fitting, key=len)] if fitting else (0, "Unknown")


def _coverage(finding: Finding, outcome: Outcome | None) -> tuple[int, str]:
    if finding.verdict is Verdict.UNVERIFIABLE and (outcome is None or not (outcome.tables or outcome.texts)):
        return 3, "Fail"
    return (2, "Partial") if outcome is not None and outcome.incomplete else (1, "Complete")


def _policy(report: Report, finding: Finding) -> dict[str, Any]:
    policy = {"name": finding.rule, "desc": finding.because, "is_applied": True}
    if report.info.policy_digest is not None:
        policy["uid"] = report.info.policy_digest
    if report.policy_name is not None:
        policy["group"] = {"name": printable(scrub(report.policy_name))}
    return policy


def _discovery(finding: Finding, field: view.Field | None) -> dict[str, Any]:
    details: dict[str, Any] = {"type": finding.entity_type or str(finding.verdict), "count": finding.rows}
    if finding.column is not None:
        rows = field.evidence.row_numbers if field is not None else ()
        where: dict[str, Any] = {"column_name": finding.column}
        details["occurrences"] = [{**where, "row_number": row} for row in rows] or [where]
    return details


def _unmapped(finding: Finding) -> dict[str, Any]:
    people = finding.people
    return {
        "verdict": str(finding.verdict),
        "category": finding.category,
        "form": finding.form and str(finding.form),
        "member": finding.member,
        "part": finding.part,
        "hidden": finding.hidden,
        "people": {"low": people.low, "best": people.best, "high": people.high},
        "remedy": finding.remedy,
    }


def _milliseconds(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)
