"""What is told to other systems: one event, as a line of JSON (``rules/schemas/event-1.schema.json``).

Standard library only. An event carries what a report carries: names of files and columns, counts, masked
samples; never a value.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = "1.0"

#: Every kind of event, and the key that its subject stands under.
SUBJECTS = {
    "finding.opened": "finding",
    "finding.updated": "finding",
    "finding.resolved": "finding",
    "finding.reopened": "finding",
    "item.scanned": "item",
    "gap": "gap",
    "alarm": "alarm",
    "heartbeat": "heartbeat",
    "selftest": "selftest",
}
KINDS = tuple(SUBJECTS)
#: Kinds that tell what the ledger tells again at any time: the only ones that a full outbox leaves out.
ROUTINE = frozenset({"item.scanned", "heartbeat", "selftest"})
#: How much an alarm matters, worst first.
LEVELS = ("critical", "error", "warning", "info")

# No full stop: in a webhook's signed text (id.timestamp.body) it is the separator.
_ID = re.compile(r"[A-Za-z0-9_:-]{1,128}")


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell.

    Attributes:
        event: its kind, one of `KINDS`.
        id: the same whenever the same thing is told again, so that a receiver can tell repetitions; letters,
            digits, ``_``, ``:`` and ``-``, at most 128.
        time: RFC 3339.
        host: the machine that tells it.
        item: what orders it: events of one item arrive in the order in which they were made. Empty for events
            of no item. Not part of the document.
        body: its subject under the key that `SUBJECTS` names, and what else is to be said.

    Raises:
        ValueError: the kind or the id is none, or the subject is missing.
    """

    event: str
    id: str
    time: str
    host: str
    item: str
    body: Mapping[str, Any]

    def __post_init__(self) -> None:
        subject = SUBJECTS.get(self.event)
        if subject is None:
            raise ValueError(f"{self.event!r} is no kind of event; there are {', '.join(KINDS)}")
        if not _ID.fullmatch(self.id):
            raise ValueError("an event's id has 1 to 128 letters, digits, '_', ':' or '-'")
        if not isinstance(self.body.get(subject), Mapping):
            raise ValueError(f"an event {self.event} needs {subject!r} in its body")

    def document(self) -> dict[str, Any]:
        r"""The event as JSON takes it; bytes of names that are not UTF-8 as ``\xNN`` in words."""
        head = {
            "schema_version": SCHEMA_VERSION,
            "event": self.event,
            "id": self.id,
            "time": self.time,
            "host": self.host,
        }
        return {**head, **_clean(dict(self.body))}

    def line(self) -> str:
        """The document on one line of ASCII, without the line feed."""
        return encode(self.document())


@dataclass(frozen=True, slots=True)
class Subscription:
    """A receiver's name, and the kinds of event that it is told."""

    name: str
    kinds: frozenset[str] = frozenset(KINDS)

    def wants(self, event: Event) -> bool:
        """Whether the event goes there."""
        return event.event in self.kinds


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event on its way to one receiver.

    Attributes:
        seq: its place in the outbox.
        id: the event's.
        event: its kind.
        item: its ordering key.
        payload: the document, as `Event.line` gave it.
        tries: how often it was refused or failed on its own account.
        since: RFC 3339, when it was put in the outbox.
    """

    seq: int
    id: str
    event: str
    item: str
    payload: str
    tries: int
    since: str

    def document(self) -> dict[str, Any]:
        """The event's document again."""
        loaded: dict[str, Any] = json.loads(self.payload)
        return loaded


def encode(document: Mapping[str, Any]) -> str:
    """JSON on one line of ASCII: nothing in it that a terminal or a log would obey."""
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def stable_id(*parts: str) -> str:
    """An id that is the same for the same words: ``evt_`` and 32 hex digits (SHA-256 of them as JSON)."""
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return "evt_" + hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def kinds(patterns: Iterable[str]) -> frozenset[str]:
    """The kinds that words name: ``gap``, or ``finding`` for all that begin with ``finding.``.

    Raises:
        ValueError: a word names none.
    """
    found: set[str] = set()
    for pattern in patterns:
        named = {kind for kind in KINDS if kind == pattern or kind.startswith(f"{pattern}.")}
        if not named:
            raise ValueError(f"{pattern!r} is no kind of event; there are {', '.join(KINDS)}")
        found |= named
    return frozenset(found)


def finding(
    kind: str,
    document: Mapping[str, Any],
    *,
    uid: str,
    time: str,
    host: str,
    item: str,
    reopened: bool = False,
) -> Event:
    """What became of a finding.

    Args:
        kind: ``opened``, ``updated`` or ``resolved``.
        document: the finding as in the JSON report.
        uid: the same whenever the same change is told.
        time: RFC 3339, when it was observed.
        host: the machine.
        item: the place that it is about.
        reopened: whether what opens now was resolved or accepted before.
    """
    told = "reopened" if kind == "opened" and reopened else kind
    return Event(f"finding.{told}", uid, time, host, item, {"finding": dict(document)})


def alarm(  # what an alarm says
    what: str, detail: str, *, level: str, time: str, host: str, uid: str | None = None, **more: Any
) -> Event:
    """An alarm: something about the watching itself that a person must see to.

    Args:
        what: a word for it that never changes (``share_down``, ``outbox_full``).
        detail: a sentence for a person; no values.
        level: one of `LEVELS`.
        time: RFC 3339.
        host: the machine.
        uid: its id; by default one made from the word, the machine and the time.
        more: further facts, plain values.
    """
    body = {"alarm": {"what": what, "level": level, "detail": detail, **more}}
    return Event("alarm", uid or stable_id("alarm", what, host, time), time, host, "", body)


def heartbeat(  # what a heartbeat says
    *,
    time: str,
    host: str,
    versions: Mapping[str, str | None],
    queue: Mapping[str, int | float | None],
    shares: Sequence[Mapping[str, Any]],
    sinks: Sequence[Mapping[str, Any]],
    uptime_seconds: float,
    every_seconds: float,
    **more: Any,
) -> Event:
    """A sign of life. No heartbeat for longer than ``every_seconds`` is an alarm of the receiver's.

    Args:
        time: RFC 3339.
        host: the machine.
        versions: of the program, ``rules``, ``policy`` and ``model``; None for what there is none of.
        queue: numbers of items by name (``waiting``, ``failed``), ``oldest_seconds``.
        shares: one mapping each, ``path`` and ``up`` at least.
        sinks: one mapping each, as `scanner.sinks.dispatch.SinkStatus.document` gives them.
        uptime_seconds: since the program started.
        every_seconds: until the next is due.
        more: further facts, plain values.
    """
    body = {
        "versions": dict(versions),
        "queue": dict(queue),
        "shares": [dict(share) for share in shares],
        "sinks": [dict(sink) for sink in sinks],
        "uptime_seconds": round(uptime_seconds, 1),
        "every_seconds": round(every_seconds, 1),
        **more,
    }
    return Event("heartbeat", stable_id("heartbeat", host, time), time, host, "", {"heartbeat": body})


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else "".join(_clean_char(char) for char in value)
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    return value


def _clean_char(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{code:04x}" if 0xD800 <= code <= 0xDFFF else char
