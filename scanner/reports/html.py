"""The HTML report: one page without scripts or anything from outside, for a screen, a projector or paper.

Every name in it comes from somebody else's file: all text goes through `_text` or `_name`, which escape. A
content security policy forbids everything but the page's own style sheet, by its hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape
from typing import BinaryIO

from scanner.model import Column, Estimate, Finding, Outcome, Report, Severity, Status, Table, Text, Verdict
from scanner.reports import page, people, view, wording

_STATES = {
    "over_shared": "Over-shared",
    "needs_review": "Needs review",
    "unverifiable": "Not judged",
    "allowed": "Allowed",
}
_VERDICTS = {
    "clean": "Clean",
    "over_shared": "Over-shared",
    "needs_review": "Needs review",
    "incomplete": "Incomplete",
}
_STATUSES = {
    Status.SCANNED: "read whole",
    Status.PARTIAL: "read in part",
    Status.UNSCANNED: "not read",
    Status.EMPTY: "empty",
}
_FINDING_HEADS = ("Severity", "Vendor", "Where", "What", "People", "Why, and what to do")
_FIELD_HEADS = ("Field", "Holds", "Rows", "Distinct", "Probability", "Masked samples", "Evidence")
#: Heads of columns of numbers, which are aligned at the right.
_NUMBERS = frozenset({"People", "Rows", "Mentions", "Distinct", "Probability"})


def render(report: Report, out: BinaryIO) -> None:
    """Write the report as one HTML page in UTF-8."""
    out.writelines(piece.encode("utf-8", "backslashreplace") for piece in _page(report))


def _page(report: Report) -> Iterator[str]:
    vendors = view.vendors(report)
    yield from _head(report)
    yield from _banner(report)
    yield "<main>\n"
    if report.policy_name is not None:
        yield from _vendors(vendors)
        yield from _findings(report, {vendor.summary.id: vendor.title for vendor in vendors})
        yield from _gaps(report)
        yield from _files(report)
    else:
        yield from _files(report)
        yield from _gaps(report)
    yield from _facts(report)
    yield "</main>\n</body>\n</html>\n"


def _text(text: str) -> str:
    return escape(text)


def _name(name: str) -> str:
    """A name from outside: escaped, and kept from reordering the text around it."""
    return f"<bdi>{escape(wording.name(name))}</bdi>"


def _file(place: view.Place) -> str:
    """A path that may break after its slashes, members after it."""
    parts = [escape(part).replace("/", "/<wbr>") for part in view.file_name(place).split(" > ")]
    return (
        f'<bdi class="path">{"</bdi> <span aria-label=contains>›</span> <bdi class=path>".join(parts)}</bdi>'
    )


def _time(stamp: str) -> str:
    return f'<time datetime="{escape(stamp)}">{_text(wording.moment(stamp))}</time>'


def _badge(kind: str, label: str) -> str:
    return f'<span class="badge {kind.replace("_", "-")}">{_text(label)}</span>'


def _head(report: Report) -> Iterator[str]:
    yield page.head(f"{_VERDICTS.get(report.info.verdict, report.info.verdict)}: sharewatch report")


def _banner(report: Report) -> Iterator[str]:
    verdict = report.info.verdict.replace("_", "-")
    yield f'<body>\n<header class="banner {_text(verdict)}">\n'
    yield f'<p class="kicker">sharewatch report {_time(report.info.finished_at)}</p>\n'
    yield f"<h1>{_text(view.headline(report))}</h1>\n"
    caveats = view.caveats(report)
    if caveats:
        yield f'<ul class="caveats">{"".join(f"<li>{_text(said)}</li>" for said in caveats)}</ul>\n'
    yield from _tally(report)
    yield "</header>\n"


def _tally(report: Report) -> Iterator[str]:
    severities = Counter(f.severity for f in report.findings if f.verdict is Verdict.OVER_SHARED)
    verdicts = Counter(f.verdict for f in report.findings)
    figures = [(str(severity), str(severity), severities[severity]) for severity in Severity]
    figures.append(("review", "to review", verdicts[Verdict.NEEDS_REVIEW]))
    figures.append(("unread", "not judged", verdicts[Verdict.UNVERIFIABLE]))
    shown = [(kind, label, number) for kind, label, number in figures if number]
    if shown:
        items = (
            f'<li class="{kind}"><strong>{number:,}</strong> {label}</li>' for kind, label, number in shown
        )
        yield f'<ul class="tally" aria-label="Findings">{"".join(items)}</ul>\n'


def _vendors(vendors: Iterable[view.VendorView]) -> Iterator[str]:
    cards = [_card(vendor) for vendor in vendors]
    if cards:
        yield '<section aria-labelledby="vendors">\n<h2 id="vendors">Vendors</h2>\n<div class="cards">\n'
        yield from cards
        yield "</div>\n</section>\n"


def _card(vendor: view.VendorView) -> str:
    summary = vendor.summary
    identity = f'<p class="id">{_name(summary.id)}</p>' if summary.id else ""
    purpose = f'<p class="purpose">{_name(summary.purpose)}</p>' if summary.purpose else ""
    held = sorted(
        summary.categories.items(), key=lambda entry: (_order(entry[1].verdict), wording.category(entry[0]))
    )
    rows = "".join(
        f"<li>{_badge(found.verdict, _STATES.get(found.verdict, found.verdict))}"
        f'<span title="{escape(key)}">{_text(wording.category(key))}</span>'
        f'<span class="number">{found.people:,}</span></li>'
        for key, found in held
    )
    return (
        f'<article class="card {vendor.state.replace("_", "-")}">\n'
        f"<h3><bdi>{escape(vendor.title)}</bdi></h3>{identity}{purpose}\n"
        f'<p class="people">{_people_figure(summary.people)}</p>\n'
        f'<p class="note">{_text(_holding(vendor))}</p>\n'
        f"{f'<ul class=categories>{rows}</ul>' if rows else ''}\n</article>\n"
    )


def _order(verdict: str) -> int:
    known = list(_STATES)
    return known.index(verdict) if verdict in known else len(known)


def _holding(vendor: view.VendorView) -> str:
    facts = [wording.count(vendor.summary.items, "item")]
    if vendor.summary.over_shared_fields:
        facts.append(wording.count(vendor.summary.over_shared_fields, "over-shared field"))
    if vendor.unread:
        facts.append(f"{len(vendor.unread):,} not judged")
    return ", ".join(facts)


def _people_figure(estimate: Estimate) -> str:
    noun = "person" if estimate.best == 1 else "people"
    if estimate.low == estimate.high:
        return f"<strong>{estimate.best:,}</strong> {noun}"
    return (
        f"<strong><abbr title=about>~</abbr>{estimate.best:,}</strong> {noun} "
        f'<span class="range">{estimate.low:,} to {estimate.high:,}</span>'
    )


def _findings(report: Report, titles: dict[str | None, str]) -> Iterator[str]:
    yield '<section aria-labelledby="findings">\n<h2 id="findings">Findings</h2>\n'
    if not report.findings:
        yield "<p>Nothing that was read goes beyond the policy.</p>\n</section>\n"
        return
    evidence = view.evidence_of(report)
    yield '<table class="findings">\n<caption>Worst first. Samples are masked.</caption>\n'
    yield _table_head(_FINDING_HEADS)
    for finding in sorted(report.findings, key=view.badness):
        yield _finding(finding, titles, evidence.get(view.finding_key(finding)), report.explain)
    yield "</tbody>\n</table>\n</section>\n"


def _table_head(heads: Iterable[str]) -> str:
    cells = "".join(
        f'<th scope="col"{" class=number" if head in _NUMBERS else ""}>{_text(head)}</th>' for head in heads
    )
    return f"<thead><tr>{cells}</tr></thead>\n<tbody>\n"


def _finding(finding: Finding, titles: dict[str | None, str], field: view.Field | None, explain: bool) -> str:
    place = (finding.path, finding.member)
    what = _text(wording.what(finding.category, finding.form)) or "–"
    samples = _samples(field.evidence.samples) if field is not None else ""
    hidden = _badge("hidden", "hidden") if finding.hidden else ""
    why = f'{_text(wording.sentence(finding.because))} <code class="rule">{_name(finding.rule)}</code>'
    remedy = _text(wording.sentence(finding.remedy))
    signals = f'<p class="signals">{_signals(field)}</p>' if explain and field is not None else ""
    cells = (
        f'<th scope="row">{_finding_badge(finding)}</th>',
        f"<td>{escape(titles.get(finding.vendor) or wording.UNASSIGNED_NAME)}</td>",
        f'<td>{_file(place)}<div class="field"><bdi>{escape(view.where(finding))}</bdi> {hidden}</div></td>',
        f"<td>{what}{samples}</td>",
        f'<td class="number">{_people_cell(finding)}</td>',
        f'<td><p>{why}</p><p class="remedy">{remedy}</p>{signals}</td>',
    )
    labelled = (
        cell.replace(">", f' data-label="{escape(head)}">', 1)
        for head, cell in zip(_FINDING_HEADS, cells, strict=True)
    )
    return f'<tr class="{finding.severity}">{"".join(labelled)}</tr>\n'


def _finding_badge(finding: Finding) -> str:
    severity = _badge(str(finding.severity), str(finding.severity))
    if finding.verdict is Verdict.OVER_SHARED:
        return severity
    return f"{severity} <small>{_text(wording.VERDICTS[finding.verdict])}</small>"


def _people_cell(finding: Finding) -> str:
    return _people_figure(finding.people) if finding.people.high else "–"


def _samples(samples: Iterable[str]) -> str:
    shown = "".join(f"<li><bdi>{escape(wording.name(sample))}</bdi></li>" for sample in samples)
    return f'<ul class="samples">{shown}</ul>' if shown else ""


def _signals(field: view.Field) -> str:
    evidence = field.evidence
    shown = ", ".join(wording.name(signal) for signal in evidence.signals)
    places = ", ".join(map(str, evidence.row_numbers)) or ", ".join(
        f"{start}–{end}" for start, end in evidence.spans
    )
    where = f" ({'rows' if evidence.row_numbers else 'characters'} {places})" if places else ""
    return escape(f"{shown}{where}")


def _gaps(report: Report) -> Iterator[str]:
    missed = view.missed(report)
    excluded = view.excluded(report)
    if not missed and not excluded:
        return
    yield '<section aria-labelledby="gaps">\n<h2 id="gaps">What was not read</h2>\n'
    if missed:
        yield '<table class="gaps">\n'
        yield _table_head(("Where", "Why not", "What to do"))
        for gap in missed:
            yield _gap(gap)
        yield "</tbody>\n</table>\n"
    if excluded:
        yield f"<p>{wording.count(excluded, 'thing')} left out on purpose, by the settings.</p>\n"
    yield "</section>\n"


def _gap(missed: view.Missed) -> str:
    gap = missed.gap
    where = f'<div class="field">{_name(gap.where)}</div>' if gap.where else ""
    reason = wording.REASONS[gap.reason]
    remedy = _text(wording.sentence(missed.remedy)) if missed.remedy else "–"
    return (
        f'<tr><th scope="row">{_file(missed.place)}{where}</th>'
        f"<td>{_badge('unread', reason)} {_text(wording.sentence(gap.detail))}</td><td>{remedy}</td></tr>\n"
    )


def _files(report: Report) -> Iterator[str]:
    flagged = {(finding.path, finding.member) for finding in report.findings}
    holding = [outcome for outcome in report.outcomes if any(True for _ in view.fields(outcome))]
    others = [
        outcome
        for outcome in report.outcomes
        if outcome.status is not Status.UNSCANNED and not any(True for _ in view.fields(outcome))
    ]
    yield '<section aria-labelledby="files">\n<h2 id="files">What each file holds</h2>\n'
    for outcome in holding:
        yield from _outcome(outcome, view.place(outcome) in flagged or report.policy_name is None)
    if others:
        yield f"<h3>Nothing personal found in {wording.count(len(others), 'item')}</h3>\n"
        yield '<ul class="others">\n'
        for outcome in others:
            yield f"<li>{_file(view.place(outcome))} <span>{_text(_facts_of(outcome))}</span></li>\n"
        yield "</ul>\n"
    yield "</section>\n"


def _facts_of(outcome: Outcome) -> str:
    facts = [outcome.format, *outcome.containers, wording.size(outcome.bytes)]
    if outcome.tables:
        facts.append(wording.count(sum(table.rows for table in outcome.tables), "row"))
        facts.append(wording.count(sum(len(table.columns) for table in outcome.tables), "column"))
    if outcome.status is not Status.SCANNED:
        facts.append(_STATUSES[outcome.status])
    return ", ".join(facts)


def _outcome(outcome: Outcome, opened: bool) -> Iterator[str]:
    held = people.of_outcome(outcome)
    count = f", {wording.people(held)}" if held.high else ""
    yield (
        f"<details{' open' if opened else ''}>\n<summary><h3>{_file(view.place(outcome))}</h3> "
        f"<span>{_text(_facts_of(outcome) + count)}</span></summary>\n"
    )
    for table in outcome.tables:
        yield from _table(table)
    for text in outcome.texts:
        yield from _running_text(text)
    if outcome.sha256 is not None:
        yield f'<p class="digest">SHA-256 <code>{_text(outcome.sha256)}</code></p>\n'
    yield "</details>\n"


def _part_caption(name: str, hidden: bool, fact: str) -> str:
    badge = _badge("hidden", "hidden") if hidden else ""
    return f"<caption>{_name(name) if name else 'Table'} {badge} <span>{_text(fact)}</span></caption>\n"


def _table(table: Table) -> Iterator[str]:
    facts = f"{wording.count(table.rows, 'row')}, {wording.count(len(table.columns), 'column')}"
    yield f'<table class="fields">\n{_part_caption(table.name, table.hidden, facts)}'
    yield _table_head(_FIELD_HEADS)
    for column in table.columns:
        yield _column(column)
    yield "</tbody>\n</table>\n"


def _column(column: Column) -> str:
    hidden = _badge("hidden", "hidden") if column.hidden else ""
    name = f"{_name(column.name) if column.name else '<em>no name</em>'} {hidden}"
    if not column.entities:
        kind = "free text, nothing personal" if column.kind == "free_text" else "nothing personal"
        return (
            f'<tr class="none"><th scope="row">{name}</th><td>{kind}</td>'
            f'<td class="number">{column.values:,}</td><td></td><td></td><td></td><td></td></tr>\n'
        )
    rows = [
        _entity(view.Field(Table("", 0, ()), column, evidence), evidence.rows) for evidence in column.entities
    ]
    head = f'<th scope="rowgroup" rowspan="{len(rows)}">{name}</th>'
    return f"<tr>{head}{'</tr><tr>'.join(rows)}</tr>\n"


def _running_text(text: Text) -> Iterator[str]:
    facts = wording.count(text.characters, "character")
    yield f'<table class="fields">\n{_part_caption(text.name, text.hidden, facts)}'
    yield _table_head(("Text", "Holds", "Mentions", *_FIELD_HEADS[3:]))
    for evidence in text.entities:
        yield (
            f'<tr><th scope="row">{_name(text.name)}</th>'
            f"{_entity(view.Field(text, None, evidence), evidence.mentions)}</tr>\n"
        )
    yield "</tbody>\n</table>\n"


def _entity(field: view.Field, number: int) -> str:
    evidence = field.evidence
    about = "" if evidence.distinct.exact else "<abbr title=about>~</abbr>"
    sure = "" if evidence.confidence >= view.LIKELY else "perhaps "
    label = sure + (wording.what(evidence.category, evidence.form) or evidence.entity_type)
    return (
        f'<td><span title="{escape(evidence.category)}">{_text(label)}</span>'
        f'<div class="type">{_name(evidence.entity_type)}</div></td>'
        f'<td class="number">{number:,}</td><td class="number">{about}{evidence.distinct.count:,}</td>'
        f'<td class="number">{evidence.confidence:.2f}</td><td>{_samples(evidence.samples)}</td>'
        f'<td class="signals">{_signals(field)}</td>'
    )


def _facts(report: Report) -> Iterator[str]:
    info = report.info
    facts = (
        ("Verdict", _VERDICTS.get(info.verdict, info.verdict)),
        ("Complete", "yes" if info.complete else "no"),
        ("Scanned", ", ".join(wording.name(root) for root in info.roots) or "–"),
        ("Read", f"{wording.count(len(report.outcomes), 'item')}, {wording.size(report.bytes)}"),
        ("From", wording.moment(info.started_at)),
        ("Until", wording.moment(info.finished_at)),
        ("Policy", wording.name(report.policy_name) if report.policy_name else "none given"),
        ("Policy digest", info.policy_digest or "–"),
        ("Rules digest", info.rules_digest),
        ("Language model", info.model),
        ("Program", f"sharewatch {info.version}"),
        ("Scan", info.id),
    )
    yield '<section aria-labelledby="scan">\n<h2 id="scan">The scan</h2>\n<dl class="facts">\n'
    for term, value in facts:
        yield f"<div><dt>{_text(term)}</dt><dd><bdi>{_text(value)}</bdi></dd></div>\n"
    yield "</dl>\n</section>\n"
