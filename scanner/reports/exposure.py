"""The exposure of vendors, as JSON, text and HTML; from the document of the exposure contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from scanner.model import Estimate
from scanner.reports import encode, page, wording


def render(document: dict[str, Any], format_name: str) -> bytes:
    """The document in ``json``, ``text`` or ``html``; UTF-8."""
    if format_name == "json":
        return encode.dumps(document) + b"\n"
    pieces = _page(document) if format_name == "html" else _lines(document)
    return "".join(pieces).encode("utf-8", "backslashreplace")


def _people(found: dict[str, int], interval: bool = True) -> str:
    return wording.people(Estimate(found["low"], found["best"], found["high"]), interval)


def _title(vendor: dict[str, Any]) -> str:
    if vendor["id"] is None:
        return wording.UNASSIGNED_NAME
    name = vendor.get("name")
    return wording.name(f"{name} ({vendor['id']})" if name else vendor["id"])


def _when(document: dict[str, Any]) -> str:
    if "from" in document:
        return f"at any time from {wording.moment(document['from'])} to {wording.moment(document['to'])}"
    return f"on {wording.moment(document['as_of'])}"


def _facts(vendor: dict[str, Any]) -> list[str]:
    facts = [wording.count(vendor["items"], "item"), wording.count(vendor["rows"], "record")]
    if vendor["items_not_read_whole"]:
        facts.append(f"{vendor['items_not_read_whole']:,} not read whole: what is in them is not counted")
    if vendor["items_forgotten"]:
        facts.append(f"{vendor['items_forgotten']:,} forgotten: their people are not counted")
    agreement = vendor.get("agreement")
    if agreement:
        ended = " has EXPIRED" if agreement["expired"] else ""
        until = f" until {agreement['expires']}" if agreement["expires"] else ""
        facts.append(f"agreement {wording.name(agreement['ref'])}{until}{ended}")
    return facts


def _verdict(allowed: bool | None) -> str:
    return {True: "allowed", False: "NOT ALLOWED", None: ""}[allowed]


def _together(categories: list[str]) -> str:
    return " + ".join(wording.category(key) for key in categories)


# -- text ---------------------------------------------------------------------------------------------------


def _lines(document: dict[str, Any]) -> Iterator[str]:
    yield f"What vendors could reach {_when(document)}\n"
    if not document["vendors"]:
        yield "\nNothing: no vendor had any file.\n"
    for vendor in document["vendors"]:
        yield f"\n{_title(vendor)}: {_people(vendor['people'])}\n"
        for fact in _facts(vendor):
            yield f"  {fact}\n"
        yield from _listed(
            "Data",
            [
                (
                    wording.category(key),
                    f"{', '.join(found['forms'])}  {_verdict(found['allowed'])}".strip(),
                    found,
                )
                for key, found in vendor["categories"].items()
            ],
        )
        yield from _listed("Together", [(_together(c["categories"]), "", c) for c in vendor["combinations"]])
        regions = sorted(vendor["regions"].items(), key=lambda each: (-each[1], each[0]))
        if regions:
            yield "  Where they live\n"
            yield f"    {', '.join(f'{code} {number:,}' for code, number in regions)}\n"
        yield from _listed(
            "Feeds",
            [
                (wording.name(feed["name"]), wording.count(feed["items"], "item"), feed)
                for feed in vendor["feeds"]
            ],
        )
        names = {feed["id"]: wording.name(feed["name"]) for feed in vendor["feeds"]}
        yield from _joined("Put together", vendor.get("joins", ()), names)
        yield from _files(vendor)
    yield from _joined("What two vendors could put together", document.get("joins_across", ()), {})


def _joined(head: str, joins: Sequence[dict[str, Any]], names: dict[str, str]) -> Iterator[str]:
    """What deliveries give together that none gives alone."""
    if joins:
        yield f"  {head}\n"
    for join in joins:
        yield f"    {_join(join, names)}\n"


def _join(join: dict[str, Any], names: dict[str, str]) -> str:
    left, right = (names.get(side, wording.name(side)) for side in join["feeds"])
    sure = "" if join["confirmed"] else ", by the key alone"
    more = wording.joined([_together(each) for each in join["adds"]])
    both = wording.count(join["people"], "person", "people")
    return f"{left} and {right} share {wording.name(join['key'])} of {both}{sure}: {more}{_said(join)}"


def _said(join: dict[str, Any]) -> str:
    """The policy's verdict on a join, where it is no good one."""
    verdicts = {"over_shared": " (not allowed)", "needs_review": " (needs review)"}
    return verdicts.get(join.get("verdict") or "", "")


def _files(vendor: dict[str, Any]) -> Iterator[str]:
    files = vendor.get("files")
    if not files or not files["count"]:
        return
    yield f"  Files within reach: {files['count']:,}\n"
    for each in files["listed"]:
        yield f"    {wording.name(each['path'])}  since {each['first_seen'][:10]}\n"
    if files["count"] > len(files["listed"]):
        yield f"    and {files['count'] - len(files['listed']):,} more (--files)\n"


def _listed(head: str, rows: list[tuple[str, str, dict[str, Any]]]) -> Iterator[str]:
    if not rows:
        return
    width = max(len(name) for name, _, _ in rows)
    counts = [f"{found['people']['best']:,}" for _, _, found in rows]
    wide = max(map(len, counts))
    yield f"  {head}\n"
    for (name, more, _), count in zip(rows, counts, strict=True):
        yield f"    {name:<{width}}  {count:>{wide}}  {more}".rstrip() + "\n"


# -- HTML ---------------------------------------------------------------------------------------------------


def _page(document: dict[str, Any]) -> Iterator[str]:
    yield page.head("Exposure: sharewatch")
    yield '<body>\n<header class="banner">\n'
    yield f'<p class="kicker">sharewatch exposure <span>{escape(document["generated_at"])}</span></p>\n'
    yield f"<h1>What vendors could reach {escape(_when(document))}</h1>\n</header>\n<main>\n"
    if not document["vendors"]:
        yield "<p>Nothing: no vendor had any file.</p>\n"
    for vendor in document["vendors"]:
        yield from _section(vendor)
    yield from _join_table("Vendors that could put together", document.get("joins_across", ()), {})
    yield "</main>\n</body>\n</html>\n"


def _section(vendor: dict[str, Any]) -> Iterator[str]:
    yield f"<section>\n<h2><bdi>{escape(_title(vendor))}</bdi></h2>\n"
    if vendor.get("purpose"):
        yield f'<p class="purpose"><bdi>{escape(wording.name(vendor["purpose"]))}</bdi></p>\n'
    yield f'<p class="people"><strong>{escape(_people(vendor["people"]))}</strong></p>\n'
    yield f"<p>{escape('; '.join(_facts(vendor)))}</p>\n"
    yield from _table(
        ("Data", "Forms", "Policy", "People"),
        [
            (
                escape(wording.category(key)),
                escape(", ".join(found["forms"])),
                _badge(found["allowed"]),
                found["people"],
            )
            for key, found in vendor["categories"].items()
        ],
    )
    yield from _table(
        ("Together in one person's data", "People"),
        [(escape(_together(each["categories"])), each["people"]) for each in vendor["combinations"]],
    )
    regions = sorted(vendor["regions"].items(), key=lambda each: (-each[1], each[0]))
    inferred = vendor["regions_inferred"]
    yield from _table(
        ("Where they live", "Of these by telephone number or postal code only", "People"),
        [
            (escape(code), f"{inferred.get(code, 0):,}", {"low": number, "best": number, "high": number})
            for code, number in regions
        ],
    )
    yield from _table(
        ("Feed", "Items", "People"),
        [
            (f"<bdi>{escape(wording.name(feed['name']))}</bdi>", f"{feed['items']:,}", feed["people"])
            for feed in vendor["feeds"]
        ],
    )
    names = {feed["id"]: wording.name(feed["name"]) for feed in vendor["feeds"]}
    yield from _join_table("Deliveries that make more of each other", vendor.get("joins", ()), names)
    files = vendor.get("files")
    if files and files["count"]:
        yield f"<h3>Files within reach: {files['count']:,}</h3>\n<ul>\n"
        for each in files["listed"]:
            path = escape(wording.name(each["path"]))
            yield f"<li><bdi>{path}</bdi>, since {escape(each['first_seen'][:10])}</li>\n"
        if files["count"] > len(files["listed"]):
            yield f"<li>and {files['count'] - len(files['listed']):,} more</li>\n"
        yield "</ul>\n"
    yield "</section>\n"


def _join_table(head: str, joins: Sequence[dict[str, Any]], names: dict[str, str]) -> Iterator[str]:
    yield from _table(
        (head, "Only together", "People"),
        [
            (
                _sides(join, names),
                escape("; ".join(_together(each) for each in join["adds"]) + _said(join)),
                {"low": join["people"], "best": join["people"], "high": join["people"]},
            )
            for join in joins
        ],
    )


def _sides(join: dict[str, Any], names: dict[str, str]) -> str:
    both = " and ".join(names.get(side, wording.name(side)) for side in join["feeds"])
    return f"<bdi>{escape(both)}</bdi> by {escape(wording.name(join['key']))}"


def _badge(allowed: bool | None) -> str:
    if allowed is None:
        return ""
    kind, label = ("allowed", "Allowed") if allowed else ("over-shared", "Not allowed")
    return f'<span class="badge {kind}">{label}</span>'


def _table(heads: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    if not rows:
        return
    cells = "".join(
        f'<th scope="col"{" class=number" if head == "People" else ""}>{escape(head)}</th>' for head in heads
    )
    yield f"<table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n"
    for *texts, people in rows:
        first, *others = texts
        yield f'<tr><th scope="row">{first}</th>{"".join(f"<td>{text}</td>" for text in others)}'
        yield f'<td class="number">{people["best"]:,}{_range(people)}</td></tr>\n'
    yield "</tbody>\n</table>\n"


def _range(people: dict[str, int]) -> str:
    if people["low"] == people["high"]:
        return ""
    return f' <span class="range">{people["low"]:,} to {people["high"]:,}</span>'
