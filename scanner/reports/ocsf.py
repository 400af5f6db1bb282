"""The OCSF report: a Data Security Finding event (class 2006) for each finding, one JSON object a line.

What an event looks like is in `scanner.ocsf`.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from scanner import ocsf
from scanner.model import Finding, Outcome, Report, Verdict, printable
from scanner.ocsf import VERSION
from scanner.reports import jsonv1, view
from scanner.reports.encode import dumps, scrub

__all__ = ["VERSION", "render"]


def render(report: Report, out: BinaryIO) -> None:
    """Write one event for each finding."""
    outcomes = {view.place(outcome): outcome for outcome in report.outcomes}
    evidence = view.evidence_of(report)
    texts = jsonv1.text_parts(report)
    names = {vendor.id: vendor.name for vendor in report.summary}
    for number, finding in enumerate(report.findings):
        outcome = outcomes.get((finding.path, finding.member))
        field = evidence.get(view.finding_key(finding))
        frame = _frame(report, number, finding, outcome, field, names.get(finding.vendor))
        document = jsonv1.finding(finding, texts)
        out.write(dumps(ocsf.finding_event(_safe(document), frame)) + b"\n")


def _safe(document: dict[str, Any]) -> dict[str, Any]:
    """The finding with names that any system takes."""
    named = {key: document[key] and printable(scrub(document[key])) for key in ("path", "member")}
    return {**document, **named}


def _frame(  # one finding with all that is known around it
    report: Report,
    number: int,
    finding: Finding,
    outcome: Outcome | None,
    field: view.Field | None,
    vendor_name: str | None,
) -> ocsf.Frame:
    finished = ocsf.milliseconds(report.info.finished_at)
    return ocsf.Frame(
        uid=f"{report.info.id}/{number}",
        correlation_uid=report.info.id,
        version=report.info.version,
        time=finished,
        start=ocsf.milliseconds(report.info.started_at),
        end=finished,
        source=printable(scrub(view.file_name((finding.path, finding.member)))),
        vendor_name=vendor_name,
        policy_uid=report.info.policy_digest,
        policy_name=None if report.policy_name is None else printable(scrub(report.policy_name)),
        size=None if outcome is None else outcome.bytes,
        sha256=None if outcome is None else outcome.sha256,
        coverage=_coverage(finding, outcome),
        rows=() if field is None else field.evidence.row_numbers,
        in_table=field is None or field.column is not None,
    )


def _coverage(finding: Finding, outcome: Outcome | None) -> tuple[int, str]:
    if finding.verdict is Verdict.UNVERIFIABLE and (outcome is None or not (outcome.tables or outcome.texts)):
        return ocsf.FAILED
    return ocsf.PARTIAL if outcome is not None and outcome.incomplete else ocsf.COMPLETE
