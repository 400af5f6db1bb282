"""The SARIF 2.1.0 report (OASIS, Static Analysis Results Interchange Format): one result for each finding.

A rule is a verdict on a category (``over_shared/user.contact.email``). Gaps are notifications of the
invocation, so that a viewer tells "nothing found" from "not looked at".
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import quote

from scanner.model import Finding, Gap, Outcome, Reason, Report, Severity, Verdict, printable
from scanner.reports import wording
from scanner.reports.encode import dumps, scrub

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: What the artifact locations are relative to: the scanned root.
BASE = "SHAREROOT"
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
#: A place on GitHub's scale: over 9.0 is critical, 7.0 high, 4.0 medium.
_SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.0",
    Severity.LOW: "2.0",
}
_TITLES = {
    Verdict.OVER_SHARED: "{} shared beyond the policy",
    Verdict.NEEDS_REVIEW: "{} perhaps shared beyond the policy",
    Verdict.UNVERIFIABLE: "Could not be held against the policy",
}


def render(report: Report, out: BinaryIO) -> None:
    """Write the report as one SARIF log with one run."""
    out.write(dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}) + b"\n")


def _run(report: Report) -> dict[str, Any]:
    files = [outcome for outcome in report.outcomes if outcome.member is None]
    artifacts = {outcome.path: index for index, outcome in enumerate(files)}
    rules = _rules(report.findings)
    numbers = {rule["id"]: index for index, rule in enumerate(rules)}
    return {
        "tool": {"driver": _driver(report, rules)},
        "automationDetails": {"id": f"sharewatch/scan/{report.info.id}"},
        "invocations": [_invocation(report, artifacts)],
        "originalUriBaseIds": {BASE: _base(report)},
        "artifacts": [_artifact(outcome) for outcome in files],
        "results": [_result(finding, numbers, artifacts, files) for finding in report.findings],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "verdict": report.info.verdict,
            "complete": report.info.complete,
            "rulesDigest": report.info.rules_digest,
            "policyDigest": report.info.policy_digest,
            "model": report.info.model,
        },
    }


def _driver(report: Report, rules: list[dict[str, Any]]) -> dict[str, Any]:
    reasons = sorted({gap.reason for outcome in report.outcomes for gap in outcome.gaps})
    return {
        "name": "sharewatch",
        "version": report.info.version,
        "semanticVersion": report.info.version,
        "shortDescription": {"text": "Finds personal data that a vendor should not have been sent."},
        "rules": rules,
        "notifications": [_notification_rule(reason) for reason in reasons],
    }


def _notification_rule(reason: Reason) -> dict[str, Any]:
    words = wording.REASONS[reason]
    return {
        "id": f"gap/{reason}",
        "name": _camel(f"gap {reason}"),
        "shortDescription": {"text": f"Not looked at: {words}."},
        "fullDescription": {
            "text": f"Something was not looked at ({words}); nothing is known of what it holds."
        },
        "help": {"text": "Look at it by hand, or have it delivered in a form that can be read."},
    }


def _rules(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    worst: dict[tuple[Verdict, str | None], Severity] = {}
    for finding in findings:
        key = (finding.verdict, finding.category)
        worst[key] = min(finding.severity, worst.get(key, Severity.LOW), key=lambda severity: severity.rank)
    ordered = sorted(worst.items(), key=lambda entry: (entry[0][0], entry[0][1] or ""))
    return [_rule(verdict, category, severity) for (verdict, category), severity in ordered]


def _rule(verdict: Verdict, category: str | None, severity: Severity) -> dict[str, Any]:
    label = wording.category(category) or "data"
    title = _TITLES[verdict].format(label[:1].upper() + label[1:])
    return {
        "id": _rule_id(verdict, category),
        "name": _camel(f"{verdict} {label}"),
        "shortDescription": {"text": f"{title}."},
        "fullDescription": {"text": f"{title}. Each result names the vendor, the field and the broken rule."},
        "help": {
            "text": "Change the delivery as the result says, or the policy if the vendor needs the data."
        },
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "category": category,
            "security-severity": _SECURITY_SEVERITY[severity],
            "tags": ["security", "privacy", str(verdict)],
        },
    }


def _camel(words: str) -> str:
    return "".join(word.capitalize() for word in re.findall(r"[^\W_]+", words))


def _rule_id(verdict: Verdict, category: str | None) -> str:
    return f"{verdict}/{category or 'item'}"


def _result(
    finding: Finding, rules: dict[str, int], artifacts: dict[str, int], files: list[Outcome]
) -> dict[str, Any]:
    rule = _rule_id(finding.verdict, finding.category)
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": rules[rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": message(f"{finding.because} {finding.remedy}")},
        "locations": [_location(finding, artifacts, files)],
        "partialFingerprints": {"sharewatchFindingId/v1": finding.id},
        "rank": round(100 * finding.confidence, 2),
        "properties": _properties(finding),
    }
    if finding.rows > 0:
        result["occurrenceCount"] = finding.rows
    return result


def _location(finding: Finding, artifacts: dict[str, int], files: list[Outcome]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact_location(finding.path)}
    index = artifacts.get(finding.path)
    if index is not None:
        physical["artifactLocation"]["index"] = index
        # A field has no region of its own in most formats: the result is about the whole file.
        physical["region"] = {"byteOffset": 0, "byteLength": files[index].bytes}
    place: dict[str, Any] = {"physicalLocation": physical}
    logical = _logical(finding)
    if logical:
        place["logicalLocations"] = logical
    return place


def _logical(finding: Finding) -> list[dict[str, str]]:
    """The place inside the file from the outside in: member, part, column."""
    steps = (("member", finding.member), ("part", finding.part), ("column", finding.column))
    trail: list[str] = []
    places = []
    for kind, name in steps:
        if name is not None:
            shown = scrub(name)
            trail.append(shown)
            places.append({"name": shown, "kind": kind, "fullyQualifiedName": "/".join(trail)})
    return places


def _properties(finding: Finding) -> dict[str, Any]:
    people = finding.people
    return {
        "verdict": str(finding.verdict),
        "severity": str(finding.severity),
        "vendor": finding.vendor,
        "entityType": finding.entity_type,
        "category": finding.category,
        "form": finding.form and str(finding.form),
        "hidden": finding.hidden,
        "people": {"low": people.low, "best": people.best, "high": people.high},
        "rule": finding.rule,
        "remedy": finding.remedy,
        "attack": list(finding.attack),
    }


def message(text: str) -> str:
    r"""A text as a SARIF message: braces are doubled and brackets escaped where they would be markup.

    Source: SARIF 2.1.0, sections 3.11.5 (placeholders) and 3.11.6 (embedded links). A column named
    ``[click](http://…)`` must not become a link in somebody's viewer.
    """
    escaped = text.replace("{", "{{").replace("}", "}}")
    return escaped.replace("[", "\\[").replace("]", "\\]") if "](" in escaped else escaped


def _artifact(outcome: Outcome) -> dict[str, Any]:
    artifact: dict[str, Any] = {
        "location": _artifact_location(outcome.path),
        "length": outcome.bytes,
        "roles": ["analysisTarget"],
        "properties": {"format": outcome.format, "status": str(outcome.status)},
    }
    if outcome.sha256 is not None:
        artifact["hashes"] = {"sha-256": outcome.sha256}
    return artifact


def _artifact_location(path: str) -> dict[str, Any]:
    return {"uri": uri(path), "uriBaseId": BASE}


def uri(path: str) -> str:
    """A path as a URI reference, by its bytes; a colon is escaped, so that no first segment is a scheme."""
    return quote(os.fsencode(_encodable(path)), safe="/~!$&'()*+,;=@")


def _encodable(path: str) -> str:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return scrub(path)
    return path


def _base(report: Report) -> dict[str, Any]:
    base: dict[str, Any] = {"description": {"text": "The folder that was scanned."}}
    roots = report.info.roots
    if len(roots) == 1 and roots[0].startswith("/"):
        base["uri"] = f"file://{uri(roots[0].rstrip('/'))}/"
    return base


def _invocation(report: Report, artifacts: dict[str, int]) -> dict[str, Any]:
    info = report.info
    return {
        "executionSuccessful": info.complete and not info.interrupted,
        "startTimeUtc": _utc(info.started_at),
        "endTimeUtc": _utc(info.finished_at),
        "toolExecutionNotifications": [
            _notification(outcome, gap, artifacts) for outcome in report.outcomes for gap in outcome.gaps
        ],
    }


def _notification(outcome: Outcome, gap: Gap, artifacts: dict[str, int]) -> dict[str, Any]:
    where = {"artifactLocation": _artifact_location(outcome.path)}
    if outcome.path in artifacts:
        where["artifactLocation"]["index"] = artifacts[outcome.path]
    place: dict[str, Any] = {"physicalLocation": where}
    inside = [step for step in (outcome.member, gap.where) if step is not None]
    if inside:
        place["logicalLocations"] = [{"fullyQualifiedName": scrub("/".join(inside))}]
    reason = wording.REASONS[gap.reason]
    return {
        "descriptor": {"id": f"gap/{gap.reason}"},
        "level": "note" if gap.intentional else "error",
        "message": {
            "text": message(f"{printable(scrub(outcome.path))} was not looked at ({reason}): {gap.detail}")
        },
        "locations": [place],
        "properties": {"stage": str(gap.stage), "reason": str(gap.reason)},
    }


def _utc(stamp: str) -> str:
    moment = datetime.fromisoformat(stamp).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
