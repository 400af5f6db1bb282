"""The report for people, in a terminal or a log: the verdict, then vendors, files and fields, worst first.

Words carry the meaning; colour and weight only repeat it. There are no boxes and rules of line-drawing
characters, nothing is cut off at the width, and what is left out for length is counted in a line of its own.
"""

from __future__ import annotations

import io
import os
import shlex
import shutil
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from scanner.model import Finding, Outcome, Report, Severity, Verdict
from scanner.reports import people, view, wording

if TYPE_CHECKING:
    from rich.console import Console

#: Columns where nothing tells the width: a log, a pipe.
DEFAULT_WIDTH = 80
#: Lines longer than this are hard to read; a wider terminal stays empty at the right.
_WIDEST = 110
_NARROWEST = 40
#: Shown before "… and N more": files of a vendor, fields of a file, gaps, alike files.
_FILES, _FIELDS, _GAPS, _ALIKE = 20, 12, 25, 3
_INDENT = 2
_TAG = 11

#: Characters of the report that a narrower encoding may lack, and what stands for them there.
_PLAIN = str.maketrans({"…": "...", "•": "*", "·": "-", "–": "-", "’": "'"})  # fmt: skip
_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
}
_SUMMARY_STYLES = {"clean": "bold green", "over_shared": "bold red"}


def render(report: Report, out: TextIO, *, width: int | None = None, color: bool | None = None) -> None:
    """Write the report.

    Args:
        report: what to write.
        out: a text stream; characters that its encoding lacks are replaced by readable ones.
        width: columns; None takes the terminal's, or 80 where ``out`` is no terminal.
        color: None colours only a terminal, and none where ``NO_COLOR`` is set or ``TERM`` is ``dumb``.
    """
    terminal = _is_terminal(out)
    columns = width or (shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if terminal else DEFAULT_WIDTH)
    coloured = _colour_wanted(terminal) if color is None else color
    page = _Page(max(_NARROWEST, min(columns, _WIDEST)), coloured, _can_write(out, "…•·–"))
    _write(report, page)
    text = page.text()
    encoding = getattr(out, "encoding", None) or "utf-8"
    out.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _is_terminal(out: TextIO) -> bool:
    try:
        return out.isatty()
    except (AttributeError, ValueError):
        return False


def _colour_wanted(terminal: bool) -> bool:
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _can_write(out: TextIO, characters: str) -> bool:
    try:
        characters.encode(getattr(out, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Page:
    """Lines of words at a width, hanging under an indent or a tag; the only place that knows Rich."""

    def __init__(self, width: int, color: bool, unicode: bool) -> None:
        from rich.console import Console

        self._buffer = io.StringIO()
        self._unicode = unicode
        self._color = color
        self._console: Console = Console(
            file=self._buffer,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            safe_box=True,
            _environ={},
        )

    def line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        """A paragraph, wrapped, every line of it indented."""
        self.tagged("", text, style=style, indent=indent, tag_width=0)

    def tagged(
        self,
        tag: str,
        text: str,
        *,
        tag_style: str = "",
        style: str = "",
        indent: int = 0,
        tag_width: int = _TAG,
    ) -> None:
        """A paragraph that hangs under its own beginning, with a tag before it."""
        from rich.text import Text

        room = self._console.width - indent - tag_width
        body = Text(self._plain(text), style=style)
        head = Text(self._plain(tag).ljust(tag_width), style=tag_style)
        for line in body.wrap(self._console, max(room, 8), overflow="fold") or [Text()]:
            line.rstrip()
            whole = Text(" " * indent).append_text(head).append_text(line)
            if not self._color:
                whole.rstrip()
            self._console.print(whole, soft_wrap=True)
            head = Text(" " * tag_width)

    def text(self) -> str:
        """All that was written."""
        return self._buffer.getvalue()

    def _plain(self, text: str) -> str:
        return text if self._unicode else text.translate(_PLAIN)


def _write(report: Report, page: _Page) -> None:
    page.line(view.headline(report), style=_SUMMARY_STYLES.get(report.info.verdict, "bold yellow"))
    for sentence in view.caveats(report):
        page.line(sentence)
    if report.policy_name is None:
        _inventory(report, page, "What is there")
    else:
        _vendors(report, page)
        if report.explain:
            _inventory(report, page, "Every field, and what its verdict rests on")
    _gaps(report, page)
    _closing(report, page)


def _heading(page: _Page, text: str, style: str = "bold") -> None:
    page.line()
    page.line(text, style=style)


def _vendors(report: Report, page: _Page) -> None:
    evidence = view.evidence_of(report)
    calm = []
    for vendor in view.vendors(report):
        if vendor.findings:
            _vendor(vendor, page, evidence, report.explain)
        elif vendor.allowed or vendor.summary.items:
            calm.append(vendor)
    if calm:
        _heading(page, "Nothing against the policy")
    for vendor in calm:
        held = _allowed(vendor) if vendor.allowed else "no personal data found."
        page.line(f"{_who(vendor)}: {held}", indent=_INDENT)


def _who(vendor: view.VendorView) -> str:
    identity = vendor.summary.id
    return f"{vendor.title} ({wording.name(identity)})" if identity else vendor.title


def _allowed(vendor: view.VendorView) -> str:
    return f"{wording.joined(vendor.allowed)}, {wording.people(vendor.summary.people)}."


def _vendor(
    vendor: view.VendorView, page: _Page, evidence: dict[tuple[object, ...], view.Field], explain: bool
) -> None:
    summary = vendor.summary
    _heading(page, f"{_who(vendor)}: {wording.people(summary.people)}", style=f"bold {_vendor_style(vendor)}")
    if summary.purpose:
        page.line(f"Shared for: {wording.name(summary.purpose)}", indent=_INDENT)
    for finding in vendor.general:
        page.line()
        _finding(finding, page, None, explain)
    shown = vendor.files if explain else vendor.files[:_FILES]
    for file in shown:
        _file(file, page, evidence, explain)
    _left_out(page, len(vendor.files) - len(shown), "file", _INDENT)
    if vendor.unread:
        items = len({(finding.path, finding.member) for finding in vendor.unread})
        page.line()
        page.tagged(
            "UNREAD",
            f'{wording.count(items, "file")} could not be judged: see "Not read" below.',
            tag_style=_STYLES[vendor.unread[0].severity],
            indent=_INDENT,
        )
    if vendor.allowed:
        page.line()
        page.tagged("allowed", f"{wording.joined(vendor.allowed)}.", tag_style="green", indent=_INDENT)


def _vendor_style(vendor: view.VendorView) -> str:
    return {"over_shared": "red", "allowed": "green"}.get(vendor.state, "yellow")


def _file(
    file: view.FileFindings, page: _Page, evidence: dict[tuple[object, ...], view.Field], explain: bool
) -> None:
    page.line()
    page.line(view.file_name(file.place), style="bold", indent=_INDENT)
    if file.alike:
        names = [view.file_name(place) for place in (file.alike if explain else file.alike[:_ALIKE])]
        more = len(file.alike) - len(names)
        rest = f" … and {more:,} more (see --format json)" if more else ""
        page.line(f"The same in {', '.join(names)}{rest}", indent=2 * _INDENT)
    shown = file.findings if explain else file.findings[:_FIELDS]
    for finding in shown:
        _finding(finding, page, evidence.get(view.finding_key(finding)), explain)
    _left_out(page, len(file.findings) - len(shown), "field", 2 * _INDENT)


def _finding(finding: Finding, page: _Page, field: view.Field | None, explain: bool) -> None:
    tag = str(finding.severity).upper() if finding.verdict is Verdict.OVER_SHARED else "REVIEW"
    style = _STYLES[finding.severity]
    what = wording.what(finding.category, finding.form)
    parts = [f"{view.where(finding)}{' (hidden)' if finding.hidden else ''}"]
    if what:
        parts[0] += f": {what}"
    if finding.people.high:
        parts.append(wording.people(finding.people))
    page.tagged(tag, " · ".join(parts), tag_style=style, style="bold", indent=_INDENT)
    if field is not None and field.evidence.samples:
        page.tagged("", f"such as {field.evidence.samples[0]}", indent=_INDENT)
    page.tagged(
        "", f"Why: {wording.sentence(finding.because)} [{wording.name(finding.rule)}]", indent=_INDENT
    )
    page.tagged("", f"Do:  {wording.sentence(finding.remedy)}", indent=_INDENT)
    if explain and field is not None:
        page.tagged("", _signals(field), style="dim", indent=_INDENT)


def _signals(field: view.Field) -> str:
    evidence = field.evidence
    signals = ", ".join(wording.name(signal) for signal in evidence.signals) or "none"
    place = ""
    if evidence.row_numbers:
        place = f"; rows {', '.join(map(str, evidence.row_numbers))}"
    if evidence.spans:
        place = f"; characters {', '.join(f'{start}–{end}' for start, end in evidence.spans)}"
    return f"Signals: {signals}; probability {evidence.confidence:.2f}{place}"


def _inventory(report: Report, page: _Page, title: str) -> None:
    holding = [(outcome, view.personal(outcome)) for outcome in report.outcomes]
    holding = [(outcome, fields) for outcome, fields in holding if fields]
    if not holding:
        return
    _heading(page, title)
    holding.sort(key=lambda entry: (entry[0].path.rpartition("/")[0], entry[0].path, entry[0].member or ""))
    shown = holding if report.explain else holding[: 2 * _FILES]
    for outcome, fields in shown:
        page.line()
        _item_line(outcome, page)
        visible = fields if report.explain else fields[:_FIELDS]
        for field in visible:
            _inventory_field(view.place(outcome), field, page, report.explain)
        _left_out(page, len(fields) - len(visible), "field", 2 * _INDENT)
    _left_out(page, len(holding) - len(shown), "file", _INDENT)
    unlikely = sum(
        len(view.personal(outcome, 0)) - len(view.personal(outcome)) for outcome in report.outcomes
    )
    if unlikely:
        page.line()
        page.line(
            f"… and {wording.count(unlikely, 'unlikely candidate')} (see --format json)", indent=_INDENT
        )


def _item_line(outcome: Outcome, page: _Page) -> None:
    facts = [outcome.format, *outcome.containers, wording.size(outcome.bytes)]
    if outcome.tables:
        facts.append(wording.count(sum(table.rows for table in outcome.tables), "row"))
    held = people.of_outcome(outcome)
    if held.high:
        facts.append(wording.people(held))
    page.line(view.file_name(view.place(outcome)), style="bold", indent=_INDENT)
    page.line(" · ".join(facts), indent=_INDENT)


def _inventory_field(place: view.Place, field: view.Field, page: _Page, explain: bool) -> None:
    evidence = field.evidence
    column = field.column.name if field.column else None
    sure = "" if evidence.confidence >= view.LIKELY else "perhaps "
    where = f"{view.field_name(place, field.part.name, column)}{' (hidden)' if field.hidden else ''}"
    parts = [
        f"{where}: {sure}{wording.what(evidence.category, evidence.form)}",
        wording.count(evidence.rows, "row") if field.column else wording.count(evidence.mentions, "mention"),
    ]
    if evidence.samples:
        parts.append(f"such as {evidence.samples[0]}")
    page.tagged("-", " · ".join(parts), indent=2 * _INDENT, tag_width=2)
    if explain:
        page.tagged("", _signals(field), style="dim", indent=2 * _INDENT, tag_width=2)


def _gaps(report: Report, page: _Page) -> None:
    missed = view.missed(report)
    excluded = view.excluded(report)
    if not missed and not excluded:
        return
    _heading(page, "Not read", style="bold yellow" if missed else "bold")
    shown = missed if report.explain else missed[:_GAPS]
    for gap in shown:
        _gap(gap, page)
    _left_out(page, len(missed) - len(shown), "gap", _INDENT)
    if excluded:
        page.line(f"{wording.count(excluded, 'thing')} left out on purpose (excluded).", indent=_INDENT)


def _gap(missed: view.Missed, page: _Page) -> None:
    gap = missed.gap
    where = f", {wording.name(gap.where)}" if gap.where else ""
    page.line(f"{view.file_name(missed.place)}{where}", indent=_INDENT)
    reason = wording.REASONS[gap.reason]
    page.line(f"{reason[:1].upper()}{reason[1:]}. {wording.sentence(gap.detail)}", indent=2 * _INDENT)
    if missed.remedy:
        page.line(f"Do: {wording.sentence(missed.remedy)}", indent=2 * _INDENT)


def _left_out(page: _Page, number: int, noun: str, indent: int) -> None:
    if number > 0:
        page.line(
            f"… and {number:,} more {noun if number == 1 else noun + 's'} (see --format json)", indent=indent
        )


def _closing(report: Report, page: _Page) -> None:
    steps = list(_steps(report))
    if steps:
        _heading(page, "Next")
    for step in steps:
        page.tagged("-", step, indent=_INDENT, tag_width=2)
    page.line()
    page.line(_facts(report), style="dim")


def _steps(report: Report) -> Iterable[str]:
    root = shlex.quote(wording.name(report.info.roots[0])) if report.info.roots else "DIR"
    if not report.outcomes:
        yield "Name a file or folder that holds files."
        return
    if report.policy_name is None:
        yield f"sharewatch policy init {root} drafts a policy from this inventory."
        yield f"sharewatch scan {root} --policy policy.yaml then names what is over-shared."
        return
    if report.findings:
        yield "Mend the deliveries above, worst first, and scan again."
        yield "sharewatch policy explain FILE says which vendor and which rule a file falls under."
        if not report.explain:
            yield "--explain shows what each verdict rests on."
        yield "--format html -o report.html makes a page to hand on."


def _facts(report: Report) -> str:
    info = report.info
    policy = f"policy {wording.name(report.policy_name)}" if report.policy_name else "no policy"
    digest = info.rules_digest.removeprefix("sha256:")[:12]
    return (
        f"sharewatch {info.version} · {wording.count(view.files_read(report), 'file')}, "
        f"{wording.size(report.bytes)} · {policy} · rules {digest} · model {info.model} · "
        f"{wording.moment(info.finished_at)}"
    )
