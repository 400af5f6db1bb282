"""Events in OCSF: findings as Data Security Findings (2006), anything else as a Base Event (0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scanner import __version__, ocsf
from scanner.ocsf import Activity

_ACTIVITIES = {
    "finding.opened": Activity.CREATE,
    "finding.reopened": Activity.CREATE,
    "finding.updated": Activity.UPDATE,
    "finding.resolved": Activity.CLOSE,
}
_INFORMATIONAL = (1, "Informational")
_LEVELS = {
    "critical": (5, "Critical"),
    "error": (4, "High"),
    "warning": (3, "Medium"),
    "info": _INFORMATIONAL,
}
_OTHER = 99


def event(document: Mapping[str, Any]) -> dict[str, Any]:
    """An event's document as OCSF has it; ``metadata.uid`` is the event's id."""
    activity = _ACTIVITIES.get(document["event"])
    return _base(document) if activity is None else _finding(document, activity)


def _finding(document: Mapping[str, Any], activity: Activity) -> dict[str, Any]:
    finding = document["finding"]
    moment = ocsf.milliseconds(document["time"])
    member = finding["member"]
    frame = ocsf.Frame(
        uid=document["id"],
        correlation_uid=finding["id"],
        version=__version__,
        time=moment,
        start=moment,
        end=moment,
        source=" > ".join((finding["path"], *(member.split("!/") if member else ()))),
        activity=activity,
        in_table=finding.get("table") is not None,
    )
    made = ocsf.finding_event(finding, frame)
    return {**made, "device": _device(document)}


def _base(document: Mapping[str, Any]) -> dict[str, Any]:
    severity_id, severity = _severity(document)
    kind = document["event"]
    frame = {"schema_version", "event", "id", "time", "host"}
    return {
        "activity_id": _OTHER,
        "activity_name": kind,
        "category_uid": 0,
        "category_name": "Uncategorized",
        "class_uid": 0,
        "class_name": "Base Event",
        "type_uid": _OTHER,
        "type_name": f"Base Event: {kind}",
        "time": ocsf.milliseconds(document["time"]),
        "severity_id": severity_id,
        "severity": severity,
        "message": _message(document),
        "metadata": ocsf.metadata(document["id"], __version__),
        "unmapped": {
            "host": document["host"],
            "event": kind,
            **{key: value for key, value in document.items() if key not in frame},
        },
    }


def _severity(document: Mapping[str, Any]) -> tuple[int, str]:
    kind = document["event"]
    if kind == "alarm":
        return _LEVELS[document["alarm"]["level"]]
    if kind == "selftest" and not document["selftest"]["ok"]:
        return _LEVELS["error"]
    if kind == "gap" and not document["gap"]["intentional"]:
        return _LEVELS["warning"]
    return _INFORMATIONAL


def _message(document: Mapping[str, Any]) -> str:
    kind = document["event"]
    subject = document.get(kind)
    detail = subject.get("detail") if isinstance(subject, Mapping) else None
    return f"{kind}: {detail}" if detail else str(kind)


def _device(document: Mapping[str, Any]) -> dict[str, Any]:
    """The machine that tells it, as OCSF's device: type 1 is a server."""
    return {"hostname": document["host"], "type_id": 1, "type": "Server"}
