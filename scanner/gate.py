"""From staging to outbound: only what is clean goes through.

Every file is scanned by itself, as if it lay in the outbound folder already, and moved only while it still
holds what was scanned. What goes through in spite of its verdict goes by an override that needs a reason, and
is logged.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

from scanner import engine
from scanner.config import Settings
from scanner.model import Finding, Outcome, Report, Verdict, printable
from scanner.policy.evaluate import evaluate
from scanner.policy.model import Gate, Policy
from scanner.remedy import moves
from scanner.remedy.faults import RemedyError

#: Log of what went by an override, in the staging folder.
LOG = ".sharewatch-gate.jsonl"


class Passage(StrEnum):
    """What became of a file."""

    PASSED = "passed"
    HELD = "held"
    OVERRIDDEN = "overridden"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one file, and why. ``path`` is relative to staging."""

    path: str
    passage: Passage
    verdict: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What to let through.

    Attributes:
        staging: the folder that deliveries are put into.
        outbound: the folder that vendors reach.
        policy: whose paths are relative to both.
        vendor: id of the vendor of everything; None to go by paths.
        override: the reason to let through what is not clean; None not to.
        settings: as for a scan.
    """

    staging: Path
    outbound: Path
    policy: Policy
    vendor: str | None = None
    override: str | None = None
    settings: Settings | None = None


def run(request: Request) -> tuple[Decision, ...]:
    """Scan everything in staging and move what may go; the rest stays.

    Raises:
        RemedyError: one of the folders lies in the other, or an override has no reason.
        OSError: a folder cannot be read or written.
    """
    _check(request)
    settings = request.settings or Settings()
    report = engine.scan(
        engine.Request(
            roots=(str(request.staging),),
            settings=settings,
            policy=request.policy,
            vendor=request.vendor,
        )
    )
    # Nobody can say what was not seen; the next run will.
    own = [outcome for outcome in report.outcomes if outcome.member is None and outcome.path != LOG]
    return tuple(_decide(request, report, outcome) for outcome in own)


def let_through(
    request: Request, outcomes: Sequence[Outcome], *, paths: Sequence[str], today: date
) -> Decision:
    """Decide on one file by what a scan gave of it, and move it where it may go.

    Args:
        request: where it lies and where it is to go; its settings do not matter.
        outcomes: of the file's members, then its own.
        paths: for each of them, the path that vendors' patterns are held against.
        today: the day that time limits are held against.
    """
    judged = evaluate(request.policy, outcomes, paths=paths, vendor=request.vendor, today=today)
    verdict, reasons = _judged(request.policy, outcomes[-1], outcomes, judged.findings)
    return _settled(request, outcomes[-1], verdict, reasons)


def _check(request: Request) -> None:
    staging, outbound = request.staging.resolve(), request.outbound.resolve()
    if staging.is_relative_to(outbound) or outbound.is_relative_to(staging):
        raise RemedyError("staging and outbound must lie beside each other: one holds the other")
    if request.override is not None and not request.override.strip():
        raise RemedyError("an override needs a reason")


def _decide(request: Request, report: Report, outcome: Outcome) -> Decision:
    verdict, reasons = _verdict(request, report, outcome)
    return _settled(request, outcome, verdict, reasons)


def _settled(request: Request, outcome: Outcome, verdict: str, reasons: tuple[str, ...]) -> Decision:
    passage = Passage.PASSED if verdict == "clean" else Passage.HELD
    if passage is Passage.HELD and request.override is not None and outcome.sha256 is not None:
        passage = Passage.OVERRIDDEN
    name = printable(outcome.path)
    if passage is Passage.HELD:
        return Decision(name, passage, verdict, reasons)
    try:
        if passage is Passage.OVERRIDDEN:
            _log(request, outcome, verdict, reasons)
        _move(request, outcome)
    except RemedyError as error:
        return Decision(name, Passage.FAILED, verdict, error.problems)
    except OSError as error:
        return Decision(name, Passage.FAILED, verdict, (f"cannot be moved: {error.strerror}",))
    return Decision(name, passage, verdict, reasons)


def _verdict(request: Request, report: Report, outcome: Outcome) -> tuple[str, tuple[str, ...]]:
    """What the scan says of one file with all that is in it, and of its vendor."""
    members = [
        (each, vendor)
        for each, vendor in zip(report.outcomes, report.vendors, strict=True)
        if each.path == outcome.path
    ]
    owners = {vendor for _, vendor in members}
    # A finding about no path is about all that its vendor gets.
    mine = [f for f in report.findings if f.path == outcome.path or (not f.path and f.vendor in owners)]
    whole = not report.info.interrupted
    return _judged(request.policy, outcome, [each for each, _ in members], mine, whole=whole)


def _judged(
    policy: Policy,
    outcome: Outcome,
    members: Sequence[Outcome],
    found: Sequence[Finding],
    *,
    whole: bool = True,
) -> tuple[str, tuple[str, ...]]:
    """The verdict on a file with its members, and why: by its findings, and by what was not read of it."""
    unread = tuple(dict.fromkeys(gap.detail for each in members for gap in each.gaps))
    wrong = [finding for finding in found if finding.verdict is not Verdict.UNVERIFIABLE]
    if wrong:
        worst = "over_shared" if any(f.verdict is Verdict.OVER_SHARED for f in wrong) else "needs_review"
        return worst, tuple(dict.fromkeys(finding.because for finding in wrong))
    closed = policy.gate is Gate.CLOSED
    if outcome.sha256 is None or not whole or (unread and closed):
        return "unverifiable", unread or ("could not be read in full",)
    return "clean", unread


def _move(request: Request, outcome: Outcome) -> None:
    assert outcome.sha256 is not None, "only what was read in full is moved"
    source = moves.within(request.staging, request.staging / outcome.path)
    target = moves.within(request.outbound, request.outbound / outcome.path)
    for folder in reversed(target.relative_to(request.outbound.absolute()).parents[:-1]):
        (request.outbound / folder).mkdir(exist_ok=True)
    moves.within(request.outbound, target)
    if target.exists() and moves.digest(target) == outcome.sha256:
        # A move that was cut off after its copy.
        if moves.digest(source) != outcome.sha256:
            raise RemedyError(f"{source} was changed meanwhile; it stays where it is")
        source.unlink()
        return
    moves.move(source, target, outcome.sha256)


def _log(request: Request, outcome: Outcome, verdict: str, reasons: tuple[str, ...]) -> None:
    """Put an override on record before anything moves; one that cannot be logged does not happen."""
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "user": os.getuid(),
        "path": printable(outcome.path),
        "sha256": outcome.sha256,
        "verdict": verdict,
        "findings": list(reasons),
        "reason": request.override,
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(request.staging / LOG, flags, 0o600)
    try:
        os.write(handle, (json.dumps(entry, ensure_ascii=False) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)
