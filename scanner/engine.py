"""A scan, from its first item to its report.

Items are read by workers (`scanner.item`); one that dies or hangs costs the item it held, which gets a gap.
What reading needs is imported there and not here, so that a scan starts sooner.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from scanner import __version__, resources
from scanner.config import Settings
from scanner.model import (
    Gap,
    ItemRef,
    Outcome,
    Reason,
    Report,
    ScanInfo,
    Stage,
    Verdict,
    unread,
)
from scanner.pool import Ended, Piece, Pool
from scanner.sources.stdin import STDIN, StandardInput, stdin_item
from scanner.sources.walk import walk

if TYPE_CHECKING:
    from scanner.policy.model import Policy

_WORKER = "scanner.worker:item_worker"
_ENDED = {
    "timeout": (Reason.TIMEOUT, "took longer than limits.item_seconds; what was found before is kept"),
    "memory": (Reason.MEMORY, "needed more memory than limits.memory_mb; what was found before is kept"),
    "crashed": (Reason.CRASHED, "the worker process ended while it read this item"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is: items and bytes done, of how many known so far, and whether all are known."""

    items: int
    bytes: int
    total_items: int
    total_bytes: int
    listed: bool
    current: str


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan and how.

    Attributes:
        roots: files or folders; ``-`` is standard input.
        settings: limits, model, jobs.
        policy: what vendors may have; None to only say what is there.
        policy_digest: of the policy file's bytes.
        vendor: the vendor of all items, whatever their paths.
        shares: the roots that vendors' paths are relative to, where only a part of one is scanned.
        name: what standard input is called, for its format.
        explain: whether the report is to show what counted.
        today: the day agreements and exceptions are held against.
        people_key: a ledger's secret for people's keys; None where the scan is for no ledger.
    """

    roots: tuple[str, ...]
    settings: Settings = field(default_factory=Settings)
    policy: Policy | None = None
    policy_digest: str | None = None
    vendor: str | None = None
    shares: tuple[str, ...] = ()
    name: str | None = None
    explain: bool = False
    today: date | None = None
    people_key: bytes | None = field(default=None, repr=False)


#: Told of each outcome as it comes, with the root that it was found under.
Observer = Callable[[Outcome, str], None]
#: Opens what outcomes are recorded in: its secret for people's keys, and who is told of each outcome.
Opening = Callable[[], tuple[bytes, Observer]]


@dataclass
class _Collected:
    observe: Observer | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    interrupted: bool = False

    def add(self, outcome: Outcome, root: str) -> None:
        if self.observe is not None:
            self.observe(outcome, root)
        self.outcomes.append(outcome)
        self.roots.append(root)


def scan(
    request: Request,
    progress: Callable[[Progress], None] | None = None,
    opens: Opening | None = None,
) -> Report:
    """Scan everything and judge it. ``KeyboardInterrupt`` ends it early with what is known by then.

    Args:
        request: what to scan and how.
        progress: told after each item.
        opens: called while the first worker makes itself ready; who it names is told of each outcome before
            the next one is asked for.

    Raises:
        RootError: a root does not exist.
        ModelError: the configured language model cannot be used.
    """
    started = _now()
    collected = _collect(request, progress, opens)
    order = sorted(range(len(collected.outcomes)), key=lambda index: _order(collected, index))
    roots = [collected.roots[index] for index in order]
    outcomes = _resolved(request, [collected.outcomes[index] for index in order], roots)
    return _report(request, started, outcomes, roots, collected.interrupted)


def _resolved(request: Request, outcomes: Sequence[Outcome], roots: Sequence[str]) -> Sequence[Outcome]:
    """Outcomes with the digests told that another file of the same recipient undoes."""
    from scanner.detect import reversal

    recipients: list[str | None] | None = None
    if request.policy is not None and request.vendor is None:
        vendors = [
            request.policy.vendor_of(policy_path(outcome, root, request.shares))
            for outcome, root in zip(outcomes, roots, strict=True)
        ]
        recipients = [vendor.id if vendor else None for vendor in vendors]
    return reversal.resolve(outcomes, recipients)


def _check_model(settings: Settings) -> None:
    """A model that is missing or altered stops the scan before it begins: it is ours to have right."""
    from scanner.detect import language_model

    if settings.model != language_model.NO_MODEL:
        language_model.verify_model(settings.model)


def _order(collected: _Collected, index: int) -> tuple[str, str, bool, str]:
    outcome = collected.outcomes[index]
    return (collected.roots[index], outcome.path, outcome.member is not None, outcome.member or "")


def _collect(
    request: Request, progress: Callable[[Progress], None] | None, opens: Opening | None
) -> _Collected:
    settings = request.settings
    collected = _Collected()
    handle = os.dup(0) if STDIN in request.roots else None
    pool = Pool(
        _WORKER,
        None,
        size=settings.workers,
        seconds=settings.limits.item_seconds,
        memory_mb=settings.limits.memory_mb,
        inherited=() if handle is None else (handle,),
    )
    people_key = request.people_key
    try:
        pool.warm()
        if opens is not None:
            people_key, collected.observe = opens()
        standard_input = None if handle is None else StandardInput(handle)
        pool.equip((settings, secrets.token_bytes(16), standard_input, people_key))
        _work(request, pool, collected, progress)
    finally:
        pool.close()
        if handle is not None:
            os.close(handle)
    return collected


def _work(
    request: Request, pool: Pool, collected: _Collected, progress: Callable[[Progress], None] | None
) -> None:
    try:
        # While the worker makes itself ready there is time for what is needed sooner or later.
        import_module("scanner.policy.evaluate")
        _check_model(request.settings)
        resources.rules_digest()
        _run(pool, _Items(request, collected), collected, progress)
    except KeyboardInterrupt:
        collected.interrupted = True


def _run(
    pool: Pool, items: _Items, collected: _Collected, progress: Callable[[Progress], None] | None
) -> None:
    sent: dict[ItemRef, bool] = {}
    done_items = done_bytes = 0
    for event in pool.run(items):
        if isinstance(event, Piece):
            collected.add(event.value, event.task.root)
            sent[event.task] = sent.get(event.task, False) or event.value.member is None
            continue
        _close(event, sent, collected)
        done_items, done_bytes = done_items + 1, done_bytes + (event.task.size or 0)
        if progress:
            progress(Progress(done_items, done_bytes, items.count, items.bytes, True, event.task.path))


def _close(event: Ended, sent: dict[ItemRef, bool], collected: _Collected) -> None:
    """Every item gets an outcome of its own, also the one whose worker did not live to send it."""
    if sent.pop(event.task, False):
        return
    reason, detail = _ENDED[event.why or "crashed"]
    collected.add(unread(event.task, Gap(Stage.READ, reason, detail)), event.task.root)


class _Items:
    """The items of the roots; outcomes of what is no item go straight to the collected ones."""

    def __init__(self, request: Request, collected: _Collected) -> None:
        self._items: list[ItemRef] = []
        paths = [root for root in request.roots if root != STDIN]
        if len(paths) < len(request.roots):
            self._items.append(stdin_item(request.name))
        for found in walk(paths, request.settings.exclude) if paths else ():
            if isinstance(found, ItemRef):
                self._items.append(found)
            else:
                collected.add(found, paths[0])
        self.count = len(self._items)
        self.bytes = sum(item.size or 0 for item in self._items)

    def __iter__(self) -> Iterator[ItemRef]:
        return iter(self._items)


def _report(
    request: Request, started: datetime, outcomes: Sequence[Outcome], roots: Sequence[str], interrupted: bool
) -> Report:
    from scanner.policy.evaluate import evaluate

    judgement = evaluate(
        request.policy,
        outcomes,
        paths=[
            policy_path(outcome, root, request.shares) for outcome, root in zip(outcomes, roots, strict=True)
        ],
        vendor=request.vendor,
        today=request.today or started.date(),
    )
    complete = not interrupted and not any(outcome.incomplete for outcome in outcomes)
    info = ScanInfo(
        id=secrets.token_hex(8),
        version=__version__,
        rules_digest=resources.rules_digest(),
        policy_digest=request.policy_digest,
        model=model_label(request.settings),
        started_at=_stamp(started),
        finished_at=_stamp(_now()),
        complete=complete,
        verdict=_verdict(
            [finding.verdict for finding in judgement.findings],
            missed=interrupted or (not complete and _gaps_count(request.policy)),
        ),
        roots=tuple(request.roots),
        interrupted=interrupted,
    )
    return Report(
        info=info,
        outcomes=tuple(outcomes),
        vendors=judgement.vendors,
        findings=judgement.findings,
        summary=judgement.summary,
        policy_name=request.policy.organisation if request.policy else None,
        explain=request.explain,
    )


def policy_path(outcome: Outcome, root: str, shares: Sequence[str]) -> str:
    """The path that vendors' patterns are held against: relative to the share it lies in.

    A scanned root is a share of its own unless ``shares`` names one above it. Folders above are never guessed
    at: one that happens to be called like a vendor's would make that vendor of a file that is nobody's.
    """
    for share in shares:
        whole = Path(root, outcome.path)
        top = Path(os.path.abspath(share))  # noqa: PTH100 # links are part of a share's paths, so not resolved
        if whole.is_relative_to(top):
            return whole.relative_to(top).as_posix()
    return outcome.path


def _verdict(verdicts: Sequence[Verdict], missed: bool) -> str:
    if Verdict.OVER_SHARED in verdicts:
        return "over_shared"
    if missed:
        return "incomplete"
    return "needs_review" if Verdict.NEEDS_REVIEW in verdicts else "clean"


def _gaps_count(policy: Policy | None) -> bool:
    """Whether what could not be read keeps a scan from being clean; a policy may only want to be warned."""
    from scanner.policy.model import OnGap

    return policy is None or policy.defaults.unverifiable is OnGap.FAIL


def model_label(settings: Settings) -> str:
    """Name and version of the language model, without loading it."""
    from scanner.detect import language_model

    return language_model.model_label(settings)


def exit_code(report: Report, fail_on: str = "over_shared") -> int:
    """The exit code of a scan: see the contract in the command line's help.

    Args:
        report: of the scan.
        fail_on: ``allowed`` (any personal data), ``review``, ``over_shared`` or ``never``.
    """
    if not report.outcomes:
        return 3 if report.info.interrupted else 4
    if fail_on != "never" and _fails(report, fail_on):
        return 1
    return 0 if report.info.complete else 3


def with_accepted(report: Report, accepted: Container[str]) -> Report:
    """A report in which findings (by id) are marked as accepted; they do not make a scan fail."""
    if not any(finding.id in accepted for finding in report.findings):
        return report
    findings = tuple(
        replace(finding, accepted=True) if finding.id in accepted else finding for finding in report.findings
    )
    verdict = report.info.verdict
    if verdict in ("over_shared", "needs_review"):
        left = [finding.verdict for finding in findings if not finding.accepted]
        verdict = _verdict(left, missed=report.info.interrupted or not report.info.complete)
    return replace(report, findings=findings, info=replace(report.info, verdict=verdict))


def _fails(report: Report, fail_on: str) -> bool:
    verdicts = {finding.verdict for finding in report.findings if not finding.accepted}
    if Verdict.OVER_SHARED in verdicts:
        return True
    if fail_on == "over_shared":
        return False
    if Verdict.NEEDS_REVIEW in verdicts:
        return True
    return fail_on == "allowed" and any(_holds(outcome) for outcome in report.outcomes)


def _holds(outcome: Outcome) -> bool:
    fields = [column.entities for table in outcome.tables for column in table.columns]
    return any(
        entity.category
        for entities in [*fields, *(text.entities for text in outcome.texts)]
        for entity in entities
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
