"""What the reports for people show, and in which order: worst first, alike together, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from scanner.model import (
    Column,
    Estimate,
    Evidence,
    Finding,
    Gap,
    Outcome,
    Report,
    Table,
    Text,
    VendorSummary,
    Verdict,
)
from scanner.reports import people, wording

#: Place of an item in a report: path, and member or None.
Place = tuple[str, str | None]
#: Evidence from here on counts as found, below as perhaps; what a policy calls over-shared by default.
LIKELY = 0.80
#: Evidence below is a candidate that only the machine-readable reports list; a policy's default for review.
POSSIBLE = 0.40
_ORDER = {Verdict.OVER_SHARED: 0, Verdict.NEEDS_REVIEW: 1, Verdict.UNVERIFIABLE: 2}


@dataclass(frozen=True, slots=True)
class FileFindings:
    """The findings of one item, worst first; ``alike`` are the other items with the very same ones."""

    place: Place
    findings: tuple[Finding, ...]
    alike: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class VendorView:
    """A vendor with what is wrong there.

    Attributes:
        files: items with findings that rest on what was read, worst first.
        general: findings about no single field or file (a limit on people, a time limit).
        unread: findings that only say that something could not be judged.
    """

    summary: VendorSummary
    files: tuple[FileFindings, ...]
    general: tuple[Finding, ...]
    unread: tuple[Finding, ...]

    @property
    def title(self) -> str:
        """Its name for people."""
        if self.summary.id is None:
            return wording.UNASSIGNED_NAME
        return wording.name(self.summary.name or self.summary.id)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of its findings, worst first."""
        own = [finding for file in self.files for finding in file.findings]
        return tuple(sorted([*own, *self.general, *self.unread], key=badness))

    @property
    def state(self) -> str:
        """Its worst verdict, ``allowed`` where nothing was found against it."""
        return str(self.findings[0].verdict) if self.findings else "allowed"

    @property
    def allowed(self) -> list[str]:
        """Labels of the categories that it holds and may hold."""
        kept = (key for key, found in self.summary.categories.items() if found.verdict == "allowed")
        return sorted(wording.category(key) for key in kept)


@dataclass(frozen=True, slots=True)
class Missed:
    """A gap with its place, and what to do about it where a finding says so."""

    place: Place
    gap: Gap
    remedy: str | None


@dataclass(frozen=True, slots=True)
class Field:
    """One piece of evidence with the part and column that hold it; ``column`` is None in running text."""

    part: Table | Text
    column: Column | None
    evidence: Evidence

    @property
    def hidden(self) -> bool:
        """True where a viewer of the file would not see it."""
        return self.part.hidden or bool(self.column and self.column.hidden)


def badness(finding: Finding) -> tuple[object, ...]:
    """Sort key: the worst verdict first, then severity, then people."""
    return (
        _ORDER[finding.verdict],
        finding.severity.rank,
        -finding.people.best,
        -finding.rows,
        finding.path,
        finding.member or "",
        finding.part or "",
        finding.column or "",
    )


def vendors(report: Report) -> tuple[VendorView, ...]:
    """Every vendor of the report, worst first, those without findings after them."""
    known = {summary.id: summary for summary in report.summary}
    for finding in report.findings:
        nobody = VendorSummary(finding.vendor, finding.vendor or "", None, Estimate(0, 0, 0), 0, 0)
        known.setdefault(finding.vendor, nobody)
    views = [_vendor(summary, report) for summary in known.values()]
    return tuple(sorted(views, key=_vendor_badness))


def _vendor_badness(view: VendorView) -> tuple[object, ...]:
    worst = badness(view.findings[0])[:2] if view.findings else (len(_ORDER), 0)
    return (*worst, -view.summary.people.best, view.summary.id is None, view.title)


def _vendor(summary: VendorSummary, report: Report) -> VendorView:
    own = sorted((f for f in report.findings if f.vendor == summary.id), key=badness)
    unread = tuple(f for f in own if f.verdict is Verdict.UNVERIFIABLE)
    judged = [f for f in own if f.verdict is not Verdict.UNVERIFIABLE]
    general = tuple(f for f in judged if f.column is None and f.part is None)
    return VendorView(summary, _by_file([f for f in judged if f not in general]), general, unread)


def _by_file(findings: list[Finding]) -> tuple[FileFindings, ...]:
    files: dict[Place, list[Finding]] = {}
    for finding in findings:
        files.setdefault((finding.path, finding.member), []).append(finding)
    alike: dict[frozenset[str], list[Place]] = {}
    for place, own in files.items():
        alike.setdefault(frozenset(finding.id for finding in own), []).append(place)
    return tuple(
        FileFindings(places[0], tuple(files[places[0]]), tuple(places[1:])) for places in alike.values()
    )


def missed(report: Report) -> tuple[Missed, ...]:
    """Every gap that nobody asked for, in the order of the items."""
    remedies = {(f.path, f.member): f.remedy for f in report.findings if f.verdict is Verdict.UNVERIFIABLE}
    return tuple(
        Missed(place(outcome), gap, remedies.get(place(outcome)))
        for outcome in report.outcomes
        for gap in outcome.gaps
        if not gap.intentional
    )


def excluded(report: Report) -> int:
    """How many things were left out because somebody asked for it."""
    return sum(gap.intentional for outcome in report.outcomes for gap in outcome.gaps)


def place(outcome: Outcome) -> Place:
    """Path and member of an item."""
    return outcome.path, outcome.member


def fields(outcome: Outcome) -> Iterator[Field]:
    """Every piece of evidence of an item, in the order of its parts."""
    for table in outcome.tables:
        for column in table.columns:
            for evidence in column.entities:
                yield Field(table, column, evidence)
    for text in outcome.texts:
        for evidence in text.entities:
            yield Field(text, None, evidence)


def personal(outcome: Outcome, threshold: float = POSSIBLE) -> tuple[Field, ...]:
    """The evidence of personal data, at least that probable; a type of no category is none."""
    return tuple(
        field
        for field in fields(outcome)
        if field.evidence.category and field.evidence.confidence >= threshold
    )


def evidence_of(report: Report) -> dict[tuple[object, ...], Field]:
    """The evidence behind each finding, by `finding_key`."""
    return {evidence_key(outcome, field): field for outcome in report.outcomes for field in fields(outcome)}


def evidence_key(outcome: Outcome, field: Field) -> tuple[object, ...]:
    """Where a piece of evidence is in `evidence_of`."""
    column = field.column.name if field.column else None
    return outcome.path, outcome.member, field.part.name, column, field.evidence.entity_type


def finding_key(finding: Finding) -> tuple[object, ...]:
    """Where the evidence behind a finding is in `evidence_of`."""
    return finding.path, finding.member, finding.part, finding.column, finding.entity_type


def file_name(where: Place) -> str:
    """``archive.zip > old/hr.xlsx``: the path, then the member."""
    path, member = where
    if member is None:
        return wording.name(path)
    return " > ".join(wording.name(part) for part in (path, *member.split("!/")))


def field_name(where: Place, part: str | None, column: str | None) -> str:
    """``table.column``; the table is not named where it repeats the file's name, or has none (``-``)."""
    stem = PurePosixPath(where[1] or where[0]).name.partition(".")[0]
    table = wording.name(part) if part and part not in {stem, "-"} else ""
    if column is None:
        return table or wording.name(part or "the whole file")
    return f"{table}.{wording.name(column)}" if table else wording.name(column)


def where(finding: Finding) -> str:
    """The field that a finding is about, or what else it is about."""
    if finding.part is None and finding.column is None:
        unread = finding.verdict is Verdict.UNVERIFIABLE
        return "what could not be read" if unread else "the delivery as a whole"
    return field_name((finding.path, finding.member), finding.part, finding.column)


def files_read(report: Report) -> int:
    """Files among the items; members of archives are part of their file."""
    return len({outcome.path for outcome in report.outcomes if not _excluded(outcome)})


def _excluded(outcome: Outcome) -> bool:
    return bool(outcome.gaps) and all(gap.intentional for gap in outcome.gaps) and not outcome.tables


def headline(report: Report) -> str:
    """The verdict in one sentence."""
    if not report.outcomes:
        return "There was nothing to scan."
    if report.policy_name is None:
        return _inventory_headline(report)
    views = [view for view in vendors(report) if view.summary.id is not None]
    holding = [view for view in views if view.summary.categories or view.files]
    if not holding:
        start = f"No vendor holds personal data in the {wording.count(files_read(report), 'file')} scanned"
    else:
        who = wording.count(len(holding), "vendor holds", "vendors hold")
        start = f"{who} personal data of {wording.people(people.everyone(report), interval=False)}"
    return f"{start}{_judgement(views, report, bool(holding))}."


def _judgement(views: list[VendorView], report: Report, holding: bool) -> str:
    over = sum(view.state == Verdict.OVER_SHARED for view in views)
    review = sum(finding.verdict is Verdict.NEEDS_REVIEW for finding in report.findings)
    if over:
        return f"; {over:,} {'holds' if over == 1 else 'hold'} more than the policy allows"
    if any(finding.verdict is Verdict.OVER_SHARED for finding in report.findings):
        return "; the policy is broken by files that lie under no vendor's paths"
    if review:
        return f"; nothing is over-shared, but {wording.count(review, 'field needs', 'fields need')} a review"
    if missed(report) or report.info.interrupted:
        return "; nothing is over-shared in what could be read"
    return ", all of it allowed by the policy" if holding else ""


def _inventory_headline(report: Report) -> str:
    holding = {outcome.path for outcome in report.outcomes if personal(outcome, LIKELY)}
    total = files_read(report)
    if not holding:
        return f"No personal data was found in {wording.count(total, 'file')}."
    found = people.everyone(report)
    whom = f" of {wording.people(found, interval=False)}" if found.best else ""
    verb = "holds" if len(holding) == 1 else "hold"
    return f"{len(holding):,} of {wording.count(total, 'file')} {verb} personal data{whom}."


def caveats(report: Report) -> list[str]:
    """What the headline must not be read without, one sentence each."""
    said = []
    if report.info.interrupted:
        said.append("The scan was stopped before its end: this is what was known by then.")
    unread = len({gap.place for gap in missed(report)})
    if unread:
        verb = "file or part was" if unread == 1 else "files or parts were"
        said.append(f"{unread:,} {verb} not read, or not in full.")
    stray = [f for f in report.findings if f.vendor is None and f.verdict is not Verdict.UNVERIFIABLE]
    if stray:
        files = len({finding.path for finding in stray})
        said.append(f"{wording.count(files, 'file lies', 'files lie')} under no vendor's paths.")
    if report.policy_name is None and report.outcomes:
        said.append("No policy was given, so nothing is judged: this is what is there.")
    return said
