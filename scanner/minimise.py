"""The smallest copy of a file that a vendor may have: written anew, scanned again, and only then given.

The copy lies beside its place to be in a folder of its own that nobody else may enter, until a second scan
under the same policy finds nothing. What cannot be made clean is removed, and the reason told.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

from scanner import engine, item
from scanner.config import Settings
from scanner.model import Outcome, Report, Verdict
from scanner.policy.model import Policy, Vendor
from scanner.readers.base import ReadContext, ReadError, Source
from scanner.readers.compression import unwrap
from scanner.remedy import plan as planning
from scanner.remedy import registry, views
from scanner.remedy.base import FieldPlan, PartPlan, Plan, RemedyError, Rewriter, Tools
from scanner.remedy.moves import sync
from scanner.remedy.packing import PACKERS, packed
from scanner.remedy.redaction import Redactor
from scanner.remedy.values import Values

#: Times that a copy is written and scanned before it is given up; each time something more goes.
ATTEMPTS = 8
_COPY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """What to make smaller, and for whom.

    Attributes:
        file: a plain file.
        output: where the copy goes; what lies there is replaced.
        policy: what vendors may have.
        vendor: id of the vendor that the copy is for.
        key: the installation's secret, which hashes and tokens are made under.
        settings: as for a scan.
        today: the day agreements and exceptions are held against.
    """

    file: Path
    output: Path
    policy: Policy
    vendor: str
    key: bytes
    settings: Settings = field(default_factory=Settings)
    today: date | None = None

    @property
    def day(self) -> date:
        """The day that counts."""
        return self.today or datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it.

    Attributes:
        output: the copy, which a scan found clean.
        format: of both files.
        changes: the fields that are not as they were, each with its part.
        values: values of people that went or were put into another form: over all fields, their rows.
        queries: what the export should have been.
        bytes: size of the copy.
        anew: whether it was written anew, so that it holds nothing that the file does not show.
    """

    output: Path
    format: str
    changes: tuple[tuple[PartPlan, FieldPlan], ...]
    values: int
    queries: tuple[str, ...]
    bytes: int
    anew: bool


def minimise(request: Request) -> Result:
    """Write the copy.

    Raises:
        RemedyError: the file cannot be read in full, written anew, or made clean; nothing is left behind.
        ValueError: the policy has no such vendor.
        OSError: a file cannot be read or written.
    """
    vendor = request.policy.vendor(request.vendor)
    if vendor is None:
        known = ", ".join(known.id for known in request.policy.vendors) or "none"
        raise ValueError(f"the policy has no vendor {request.vendor!r}; it has: {known}")
    # By the path that the scan of the copy will judge it under.
    vendor = vendor.at(request.output.name)
    _check(request, vendor)
    outcome = _scanned(request, request.file)
    rewriter = _rewriter(outcome)
    named = replace(outcome, path=request.output.name)
    plan = planning.make(request.policy, vendor, named, request.day, hidden_goes=_hides(outcome))
    with _workplace(request.output) as draft:
        plan = _clean(request, vendor, outcome, rewriter, plan, draft)
        size = draft.stat().st_size
        draft.replace(request.output)
        sync(request.output.resolve().parent)
    changes = tuple(plan.fields())
    stem = request.file.name.partition(".")[0]
    return Result(
        request.output,
        outcome.format,
        changes,
        sum(planned.rows for _, planned in changes),
        tuple(views.views(plan, outcome.format, stem, vendor.id)),
        size,
        bool(changes) or _hides(outcome),
    )


def _check(request: Request, vendor: Vendor) -> None:
    if not request.file.is_file():
        raise RemedyError(f"{request.file} is not a plain file")
    if request.output.exists() and request.output.samefile(request.file):
        raise RemedyError("the copy cannot take the place of the file itself; name another one")
    agreement = vendor.agreement
    if agreement and agreement.expires and agreement.expires < request.day:
        raise RemedyError(
            f"the agreement {agreement.ref} with {vendor.name} ended on {agreement.expires}: "
            "there is no copy that they may have"
        )


def _scanned(request: Request, file: Path) -> Outcome:
    """The outcome of a file that was read in full.

    Raises:
        RemedyError: it was not, or it is a container.
    """
    report = _scan(request, file)
    outcomes = report.outcomes
    own = next((outcome for outcome in outcomes if outcome.member is None), None)
    if own is None or own.sha256 is None or report.info.interrupted:
        raise RemedyError(f"{file.name} could not be read in full", unread=True)
    if len(outcomes) > 1:
        raise RemedyError(f"{file.name} holds other files; unpack it, and make each of them smaller")
    if own.incomplete:
        details = "; ".join(dict.fromkeys(gap.detail for gap in own.gaps if not gap.intentional))
        raise RemedyError(f"{file.name} could not be read in full: {details}", unread=True)
    return own


def _scan(request: Request, file: Path) -> Report:
    # Everything counts: an exclusion that spares a share's scan would spare the copy from being looked at.
    settings = replace(request.settings, exclude=(), jobs=1, locate=0)
    return engine.scan(
        engine.Request(
            roots=(str(file),),
            settings=settings,
            policy=request.policy,
            vendor=request.vendor,
            today=request.day,
        )
    )


def _rewriter(outcome: Outcome) -> Rewriter:
    rewriter = registry.find(outcome.format)
    if rewriter is None:
        known = ", ".join(registry.formats())
        raise RemedyError(f"files of the format {outcome.format} are not written anew, only {known}")
    if len(outcome.containers) > 1 or not PACKERS.issuperset(outcome.containers):
        packing = ", ".join(outcome.containers)
        raise RemedyError(f"a file that is packed as {packing} is not written anew; unpack it first")
    return rewriter


def _clean(
    request: Request, vendor: Vendor, outcome: Outcome, rewriter: Rewriter, plan: Plan, draft: Path
) -> Plan:
    """Write and scan the draft until it is clean; the plan that made it so.

    Raises:
        RemedyError: it does not get clean.
    """
    tools = Tools(Values(request.key, vendor.id), Redactor(request.settings), request.settings.limits)
    report: Report | None = None
    for _ in range(ATTEMPTS):
        _write(request, outcome, rewriter, plan, tools, draft)
        report = _scan(request, draft)
        if _is_clean(report, outcome):
            return plan
        next_plan = _stricter(request, vendor, plan, report)
        if next_plan is None:
            break
        plan = next_plan
    assert report is not None, "there is at least one attempt"
    raise RemedyError(*_complaints(report, outcome))


def _is_clean(report: Report, before: Outcome) -> bool:
    if not report.info.complete or report.info.verdict != "clean" or len(report.outcomes) != 1:
        return False
    return report.outcomes[0].format in (before.format, "empty")


def _complaints(report: Report, before: Outcome) -> list[str]:
    told = ["the copy is not clean, and nothing was written"]
    told += [finding.because for finding in report.findings if finding.verdict is not Verdict.UNVERIFIABLE]
    for after in report.outcomes:
        told += [f"the copy could not be read in full: {gap.detail}" for gap in after.gaps]
        if after.format != before.format:
            told.append(f"the copy reads as {after.format} under its name, not as {before.format}")
    return list(dict.fromkeys(told))


def _stricter(request: Request, vendor: Vendor, plan: Plan, report: Report) -> Plan | None:
    """A plan that takes out what the scan of the draft still found; None where there is no such."""
    if len(report.outcomes) != 1 or not report.info.complete:
        return None
    found = planning.make(request.policy, vendor, report.outcomes[0], request.day)
    stricter = plan
    for part, planned in found.fields():
        before = (plan.texts if part.columns is None else plan.tables).get(part.name)
        if before is None:
            return None
        place = 0 if part.columns is None else before.position(planned.name, planned.nth)
        if place is None:
            return None
        changed = _next(before, place, planned)
        if changed is None:
            return None
        stricter = stricter.with_field(_part(stricter, before), changed)
    return None if stricter is plan else stricter


def _part(plan: Plan, part: PartPlan) -> PartPlan:
    """The part as the plan has it by now."""
    return (plan.texts if part.columns is None else plan.tables)[part.name]


def _next(before: PartPlan, place: int, found: FieldPlan) -> FieldPlan | None:
    """What to do with a field of which something is still to be found."""
    known = before.fields.get(place)
    if known is not None:
        return replace(known, treatments=known.treatments[1:]) if len(known.treatments) > 1 else None
    if before.columns is None:
        return found
    name = before.columns[place]
    nth = before.columns[:place].count(name)
    return replace(found, name=name, index=place, nth=nth)


def _write(
    request: Request, outcome: Outcome, rewriter: Rewriter, plan: Plan, tools: Tools, draft: Path
) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out:
        try:
            if plan.is_empty and not _hides(outcome):
                _copy(request.file, out)
            else:
                _rewrite(request, outcome, rewriter, plan, tools, out)
        except (RemedyError, OSError):
            raise
        except ReadError as error:
            raise RemedyError(error.detail, unread=True) from None
        except Exception as error:  # noqa: BLE001 # its text may quote the data
            what = f"{type(error).__name__}; this is a defect of sharewatch"
            raise RemedyError(f"the file could not be written anew: {what}") from None
        out.flush()
        os.fsync(handle)
    if item.digest(request.file) != outcome.sha256:
        raise RemedyError("the file was written to while it was read", unread=True)


def _hides(outcome: Outcome) -> bool:
    """Whether a format keeps what its viewer does not show; such a file is always written anew."""
    return outcome.format in registry.HIDING


def _copy(file: Path, out: BinaryIO) -> None:
    with file.open("rb") as stream:
        shutil.copyfileobj(stream, out, _COPY_BYTES)


def _rewrite(
    request: Request, outcome: Outcome, rewriter: Rewriter, plan: Plan, tools: Tools, out: BinaryIO
) -> None:
    def opened() -> tuple[Source, tuple[str, ...]]:
        return unwrap(Source.of_file(request.file), ReadContext(tools.limits))

    tools = replace(tools, again=lambda: opened()[0])
    source, containers = opened()
    try:
        if not containers:
            rewriter.rewrite(source, out, plan, tools)
            return
        with packed(out, containers[0]) as stream:
            rewriter.rewrite(source, stream, plan, tools)
    finally:
        source.close()


@contextmanager
def _workplace(output: Path) -> Iterator[Path]:
    """A place for a draft beside the output, under the output's name, that nobody else can look into."""
    folder = Path(tempfile.mkdtemp(dir=output.resolve().parent, prefix=f".{output.name}."))
    try:
        yield folder / output.name
    finally:
        shutil.rmtree(folder)
