"""OCSF 1.5.0: a finding as an event of class 2006, Data Security Finding, for reports and for sinks alike.

https://schema.ocsf.io/1.5.0/classes/data_security_finding. The framework has no field for the recipient of
data: the vendor is a resource, the policy is in ``data_security``, and what has no field at all is under
``unmapped``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

from scanner import resources

VERSION = "1.5.0"
#: What stands for the id of files that lie under no vendor's paths, and for their vendor's name.
UNASSIGNED = "(unassigned)"
UNASSIGNED_NAME = "Files under no vendor's paths"
COMPLETE, PARTIAL, FAILED, UNKNOWN = (1, "Complete"), (2, "Partial"), (3, "Fail"), (0, "Unknown")
#: From here on a confidence is high, or at least medium.
_LIKELY, _POSSIBLE = 0.80, 0.40
_CATEGORY, _CLASS = 2, 2006
_SEVERITIES = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
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
    "over_shared": "A vendor was sent {} beyond the policy",
    "needs_review": "A vendor may have been sent {} beyond the policy",
    "unverifiable": "A delivery could not be held against the policy",
}


class Activity(Enum):
    """What became of a finding: OCSF's number and word, and the finding's state then."""

    CREATE = (1, "Create", 1, "New")
    UPDATE = (2, "Update", 1, "New")
    CLOSE = (3, "Close", 4, "Resolved")


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds a finding.

    Attributes:
        uid: the event's own id.
        correlation_uid: what it belongs together with.
        version: of this program.
        time: milliseconds of the epoch; start and end are of the scan that found it.
        vendor_name: for people; None for the vendor's id.
        policy_uid: digest of the policy.
        policy_name: whose policy it is.
        source: the file's name for people.
        size: bytes of the file, where known.
        sha256: hex digest, where known.
        coverage: how much of the file was read: `COMPLETE`, `PARTIAL`, `FAILED` or `UNKNOWN`.
        rows: numbers of rows where it was found.
        in_table: whether the part is a table.
    """

    uid: str
    correlation_uid: str
    version: str
    time: int
    start: int
    end: int
    source: str
    activity: Activity = Activity.CREATE
    vendor_name: str | None = None
    policy_uid: str | None = None
    policy_name: str | None = None
    size: int | None = None
    sha256: str | None = None
    coverage: tuple[int, str] = UNKNOWN
    rows: Sequence[int] = ()
    in_table: bool = True


def finding_event(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """The event of a finding, which is given as the JSON report has it."""
    activity_id, activity, status_id, status = frame.activity.value
    severity_id, severity = _SEVERITIES[finding["severity"]]
    event: dict[str, Any] = {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Data Security Finding",
        "type_uid": _CLASS * 100 + activity_id,
        "type_name": f"Data Security Finding: {activity}",
        "time": frame.time,
        "start_time": frame.start,
        "end_time": frame.end,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": finding["because"],
        "metadata": metadata(frame.uid, frame.version, frame.correlation_uid),
        "finding_info": _finding_info(finding, frame),
        "confidence_score": round(100 * finding["confidence"]),
        "confidence_id": _confidence_id(finding["confidence"]),
        "resources": [_vendor(finding, frame)],
        "file": _file(finding, frame),
        "data_security": _data_security(finding, frame),
        "is_alert": finding["verdict"] == "over_shared",
        "unmapped": _unmapped(finding),
    }
    part = _part(finding)
    if part and frame.in_table:
        event["table"] = {"name": part}
    return event


def metadata(uid: str, version: str, correlation_uid: str | None = None) -> dict[str, Any]:
    """The frame that every event has."""
    found: dict[str, Any] = {
        "version": VERSION,
        "uid": uid,
        "product": {"name": "sharewatch", "vendor_name": "sharewatch", "version": version},
    }
    return found if correlation_uid is None else {**found, "correlation_uid": correlation_uid}


def milliseconds(stamp: str) -> int:
    """An RFC 3339 time as OCSF has it."""
    return round(datetime.fromisoformat(stamp).timestamp() * 1000)


def _part(finding: Mapping[str, Any]) -> str | None:
    part: str | None = finding.get("table") or finding.get("text")
    return part


def _finding_info(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    info: dict[str, Any] = {
        "uid": finding["id"],
        "title": _TITLES[finding["verdict"]].format(_label(finding["category"])),
        "desc": f"{finding['because']} {finding['remedy']}",
        "types": [finding["verdict"]],
        "created_time": frame.time,
        "analytic": {"name": finding["rule"], "uid": finding["rule"], "type_id": 1, "type": "Rule"},
        "data_sources": [frame.source],
    }
    if finding["attack"]:
        info["attacks"] = [_attack(technique) for technique in finding["attack"]]
    return info


def _label(category: str | None) -> str:
    """The category's name for people, for several."""
    if category is None:
        return "personal data"
    names = resources.category_labels().get(category)
    return names[1] if names else category.rpartition(".")[2].replace("_", " ")


def _attack(technique: str) -> dict[str, Any]:
    parent, _, child = technique.partition(".")
    return {"technique": {"uid": parent}, **({"sub_technique": {"uid": technique}} if child else {})}


def _confidence_id(confidence: float) -> int:
    if confidence >= _LIKELY:
        return 3
    return 2 if confidence >= _POSSIBLE else 1


def _vendor(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    uid = finding["vendor"] or UNASSIGNED
    name = frame.vendor_name or finding["vendor"] or UNASSIGNED_NAME
    return {"uid": uid, "name": name, "type": "vendor", "labels": ["recipient"]}


def _file(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    path, member = finding["path"], finding["member"]
    file: dict[str, Any] = {
        "name": PurePosixPath(member or path).name,
        "path": f"{path}!/{member}" if member else path,
        "type_id": 1,
        "type": "Regular File",
    }
    if frame.size is not None:
        file["size"] = frame.size
    if frame.sha256 is not None:
        file["hashes"] = [{"algorithm_id": 3, "algorithm": "SHA-256", "value": frame.sha256}]
    if member is not None:
        file["parent_folder"] = path
    return file


def _data_security(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    category_id, category = _data_category(finding["category"])
    status_id, status = frame.coverage
    what = finding["entity_type"] or finding["verdict"]
    return {
        "category_id": category_id,
        "category": category,
        "data_lifecycle_state_id": 1,
        "data_lifecycle_state": "Data at-Rest",
        "detection_system_id": 4,
        "detection_system": "Data Discovery & Classification",
        "detection_pattern": what,
        "status_id": status_id,
        "status": status,
        "total": finding["rows"],
        "policy": _policy(finding, frame),
        "discovery_details": [_discovery(finding, frame)],
    }


def _data_category(key: str | None) -> tuple[int, str]:
    fitting = [start for start in _DATA_CATEGORIES if key is not None and f"{key}.".startswith(f"{start}.")]
    return _DATA_CATEGORIES[max(fitting, key=len)] if fitting else (0, "Unknown")


def _policy(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    policy: dict[str, Any] = {"name": finding["rule"], "desc": finding["because"], "is_applied": True}
    if frame.policy_uid is not None:
        policy["uid"] = frame.policy_uid
    if frame.policy_name is not None:
        policy["group"] = {"name": frame.policy_name}
    return policy


def _discovery(finding: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    what = finding["entity_type"] or finding["verdict"]
    details: dict[str, Any] = {"type": what, "count": finding["rows"]}
    if finding["column"] is not None:
        where: dict[str, Any] = {"column_name": finding["column"]}
        details["occurrences"] = [{**where, "row_number": row} for row in frame.rows] or [where]
    return details


def _unmapped(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "verdict": finding["verdict"],
        "category": finding["category"],
        "form": finding["form"],
        "member": finding["member"],
        "part": _part(finding),
        "hidden": finding["hidden"],
        "people": dict(finding["people"]),
        "remedy": finding["remedy"],
    }
