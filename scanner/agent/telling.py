"""What the agent tells: events of outcomes, findings and gaps, each with an id that a repetition shares."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from typing import Any

from scanner import documents, events
from scanner.events import Event
from scanner.ledger.findings import Transition
from scanner.ledger.store import shown
from scanner.model import Gap, Outcome


def hostname() -> str:
    """This machine's name."""
    return socket.gethostname()


def of_transitions(transitions: Iterable[Transition], host: str) -> list[Event]:
    """Findings that opened, changed or resolved."""
    return [
        Event(
            "finding.reopened" if each.reopened and each.kind == "opened" else f"finding.{each.kind}",
            f"fnd_{each.id}",
            shown(each.at),
            host,
            each.item,
            {"finding": dict(each.document)},
        )
        for each in transitions
    ]


def of_outcome(outcome: Outcome, vendor: str | None, place: Sequence[str], at: str, host: str) -> list[Event]:
    """That an item was scanned, and what of it was not looked at."""
    item = "\n".join(place)
    content = outcome.sha256 or f"{outcome.bytes} {outcome.modified}"
    found = [
        Event(
            "item.scanned",
            events.stable_id("item", host, item, content, at),
            shown(at),
            host,
            item,
            {"item": _summary(outcome, vendor)},
        )
    ]
    for gap in outcome.gaps:
        if not gap.intentional:
            uid = events.stable_id("gap", item, content, str(gap.reason), gap.where or "")
            found.append(Event("gap", uid, shown(at), host, item, {"gap": _gap(outcome, vendor, gap)}))
    return found


def _summary(outcome: Outcome, vendor: str | None) -> dict[str, Any]:
    return {
        "path": outcome.path,
        "member": outcome.member,
        "vendor": vendor,
        "format": outcome.format,
        "bytes": outcome.bytes,
        "sha256": outcome.sha256,
        "status": str(outcome.status),
        "gaps": sum(not gap.intentional for gap in outcome.gaps),
        "tables": len(outcome.tables),
        "rows": sum(table.rows for table in outcome.tables),
        "categories": _categories(outcome),
    }


def _categories(outcome: Outcome) -> list[str]:
    fields = [column.entities for table in outcome.tables for column in table.columns]
    fields += [text.entities for text in outcome.texts]
    return sorted({each.category for entities in fields for each in entities if each.category})


def _gap(outcome: Outcome, vendor: str | None, gap: Gap) -> dict[str, Any]:
    return {"path": outcome.path, "member": outcome.member, "vendor": vendor, **documents.gap(gap)}
