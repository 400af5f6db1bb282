"""A scan into a ledger: records each outcome as it comes, then what is gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scanner import resources
from scanner.engine import Request, policy_path
from scanner.judging import findings_of, of_undone, of_vendors, settle_undone, settle_vendors
from scanner.ledger import findings
from scanner.ledger.findings import Transition
from scanner.ledger.recorder import Delivery, Presence, Recorder
from scanner.ledger.store import Connection, Ledger, stamp, stored
from scanner.model import Finding, Outcome, Report, Stage

MTIME = "mtime"


class ObservedAtError(ValueError):
    """``--observed-at`` is no time. ``problems`` says so."""

    def __init__(self, given: str) -> None:
        super().__init__(given)
        self.problems = [
            f"--observed-at takes a time as in RFC 3339 (2026-11-23T08:00:00Z) or mtime, not {given!r}"
        ]


def moment(given: str) -> str:
    """A time as the ledger keeps it; without a zone it is UTC, a date is its first moment.

    Raises:
        ObservedAtError: it is none.
    """
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise ObservedAtError(given) from None
    return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))


@dataclass
class ScanRecording:
    """What `engine.scan` tells of its outcomes, into a ledger.

    Args:
        recorder: writes to it.
        request: the scan's.
        observed_at: when what is there was there: a time, ``mtime`` for each file's own, None for now.
    """

    recorder: Recorder
    request: Request
    observed_at: str | None = None
    _seen: set[tuple[str, str]] = field(default_factory=set)
    _closed: list[str] = field(default_factory=list)
    _incomplete: set[str] = field(default_factory=set)
    _devices: dict[str, str] = field(default_factory=dict)
    recorded: int = 0
    #: Transitions of findings so far.
    changes: list[Transition] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._now = stamp(datetime.now(UTC))
        self._fixed = None if self.observed_at in (None, MTIME) else moment(str(self.observed_at))
        self._roots = [os.path.abspath(root) for root in self.request.roots if root != "-"]  # noqa: PTH100 # as walked
        self._known = {
            (each.location, each.member or ""): each for each in self.recorder.open_under(self._roots)
        }

    def __call__(self, outcome: Outcome, root: str) -> None:
        """Record an outcome; what was not there, or was not looked at on purpose, only keeps its place."""
        location = os.path.join(root, outcome.path)  # noqa: PTH118 # bytes of names must pass unchanged
        if any(gap.stage is Stage.LIST for gap in outcome.gaps) or outcome.vanished:
            # Of several roots it is not known whose failure this is: all of them keep what lies there.
            self._closed += [stored(os.path.join(each, outcome.path)) for each in self._roots]  # noqa: PTH118
            self._closed += [stored(each) for each in self._roots if outcome.path == "."]
            return
        place = (stored(location), stored(outcome.member or ""))
        self._seen.add(place)
        if outcome.incomplete:
            self._incomplete.add(place[0])
        facts = _facts(location)
        path = policy_path(outcome, root, self.request.shares)
        delivery = Delivery(self._vendor(path), location, path, facts[1])
        at = self._at(facts[0])
        found = self._findings(outcome, path)

        def register(connection: Connection) -> None:
            self.changes += findings.observe(connection, place, found, at)

        self.recorder.record(outcome, at, delivery, register if self.request.policy else None)
        self.recorded += 1

    def _findings(self, outcome: Outcome, path: str) -> tuple[Finding, ...]:
        today = self.request.today or datetime.now(UTC).date()
        return findings_of(self.request.policy, outcome, path, self.request.vendor, today)

    def _at(self, modified: float | None) -> str:
        if self.observed_at == MTIME and modified is not None:
            return min(stamp(datetime.fromtimestamp(modified, UTC)), self._now)
        return self._fixed or self._now

    def _vendor(self, path: str) -> str | None:
        policy = self.request.policy
        if self.request.vendor is not None or policy is None:
            return self.request.vendor
        owner = policy.vendor_of(path)
        return owner.id if owner else None

    def finish(self, report: Report) -> int:
        """After a scan that was not interrupted: record what is gone; gives how many items that is."""
        if report.info.interrupted:
            return 0
        at = self._fixed or self._now
        missing = [
            each for place, each in self._known.items() if place not in self._seen and self._is_gone(each)
        ]
        count = self.recorder.gone([each.id for each in missing], at, self._gone(at))
        note = {"roots": [stored(root) for root in self._roots], "items": self.recorded, "gone": count}
        self.recorder.scanned(at, note)
        self._settle(at)
        return count

    def _gone(self, at: str) -> Callable[[Connection, Sequence[tuple[str, str]]], None]:
        def register(connection: Connection, places: Sequence[tuple[str, str]]) -> None:
            self.changes += findings.gone(connection, places, at)

        return register

    def _settle(self, at: str) -> None:
        """What all that vendors hold tells: digests that other files undo, limits, agreements, joins."""
        policy, ledger = self.request.policy, self.recorder.writer.ledger
        if policy is None:
            return
        vendors = of_vendors(ledger, policy, at, self.request.policy_digest)
        undone = of_undone(ledger, at, self.request.policy_digest)

        def register(connection: Connection) -> None:
            self.changes += settle_undone(connection, ledger, policy, undone, at)[0]
            self.changes += settle_vendors(connection, vendors, at)

        self.recorder.writer.write("judged", [], also=register, note={"at": at})

    def _is_gone(self, each: Presence) -> bool:
        if any(each.location == place or each.location.startswith(f"{place}/") for place in self._closed):
            return False
        if each.member is not None and each.location in self._incomplete:
            return False
        return self._same_device(each)

    def _same_device(self, each: Presence) -> bool:
        """Whether the folder in which a file is missed is on the file system that it was on.

        An unmounted share is an empty folder. Numbers of file systems may change when a machine starts again:
        a folder in which known files were seen again is the same one, whatever its number.
        """
        folder = _nearest(each.location)
        if not folder or not each.device or _device(folder) == each.device:
            return bool(folder)
        inside = f"{stored(folder)}/"
        return any(
            location.startswith(inside) and (location, member) in self._known
            for location, member in self._seen
        )


def _facts(location: str) -> tuple[float | None, str]:
    """Modification time and file system of a file."""
    try:
        found = os.stat(location)  # noqa: PTH116 # see above
    except OSError:
        return None, ""
    return found.st_mtime, str(found.st_dev)


def _device(folder: str) -> str:
    try:
        return str(os.stat(folder).st_dev)  # noqa: PTH116 # see above
    except OSError:
        return ""


def _nearest(location: str) -> str:
    """The nearest folder above a place that is there."""
    folder = os.path.dirname(location)  # noqa: PTH120 # see above
    while folder and not os.path.isdir(folder):  # noqa: PTH112 # see above
        above = os.path.dirname(folder)  # noqa: PTH120 # see above
        if above == folder:
            return ""
        folder = above
    return folder


def recorder_for(ledger: Ledger, policy_digest: str | None) -> Recorder:
    """A recorder of what this version's rules find."""
    return Recorder(ledger, rules_digest=resources.rules_digest(), policy_digest=policy_digest)
