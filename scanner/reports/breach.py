"""The fact sheet of a breach, as JSON, Markdown, HTML and text; from the document of the command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from scanner.model import Estimate
from scanner.reports import encode, page, wording

_HEADS = {
    "what": "What happened",
    "data": "Categories of data and of people",
    "combinations": "What stands together about one person",
    "residents": "Where they live",
    "notices": "Notices that may be due",
    "consequences": "Likely consequences",
    "joins": "Deliveries that make more of each other",
    "deliveries": "What was within reach",
    "uncertain": "What is uncertain",
    "next": "What to do next",
    "attack": "Context",
}


@dataclass(frozen=True, slots=True)
class _Block:
    """A part of the sheet: sentences, a table, or a list."""

    head: str
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    numbered: Sequence[str] = ()


def render(document: dict[str, Any], format_name: str) -> bytes:
    """The sheet in ``json``, ``md``, ``html`` or ``text``; UTF-8."""
    if format_name == "json":
        return encode.dumps(document) + b"\n"
    pieces = {"md": _markdown, "html": _html, "text": _text}[format_name](document)
    return "".join(pieces).encode("utf-8", "backslashreplace")


def _title(document: dict[str, Any]) -> str:
    vendor = document["vendor"]
    if vendor["id"] is None:
        return wording.UNASSIGNED_NAME
    name = vendor["name"]
    return wording.name(f"{name} ({vendor['id']})" if name and name != vendor["id"] else vendor["id"])


def _people(found: dict[str, int]) -> str:
    return wording.people(Estimate(found["low"], found["best"], found["high"]))


def _together(categories: Sequence[str]) -> str:
    return " + ".join(wording.category(key) for key in categories)


def _reached(limit: dict[str, Any]) -> str:
    if limit["reached"]:
        return "reached"
    return "may be reached: not all places are known" if limit["possible"] else "not reached"


def _blocks(document: dict[str, Any]) -> Iterator[_Block]:
    yield _Block(_HEADS["what"], lines=_what(document))
    yield _Block(
        _HEADS["data"],
        columns=("Data", "As", "Policy", "People"),
        rows=[
            (
                wording.category(each["category"]),
                _form(each),
                _policy(each["allowed"]),
                _people(each["people"]),
            )
            for each in document["categories"]
        ],
    )
    yield _Block(
        _HEADS["combinations"],
        columns=("Together, in clear text", "People"),
        rows=[(_together(each["categories"]), _people(each["people"])) for each in document["combinations"]],
    )
    yield _Block(
        _HEADS["residents"],
        columns=("Place", "People", "Of these inferred"),
        rows=[
            (each["code"], f"{each['people']:,}", f"{each['inferred']:,}") for each in document["residents"]
        ],
    )
    yield _Block(_HEADS["consequences"], lines=document["consequences"])
    yield _notices(document)
    yield _Block(
        _HEADS["joins"],
        lines=[
            f"{' and '.join(map(wording.name, each['names']))} share {wording.name(each['key'])} of"
            f" {wording.count(each['people'], 'person', 'people')}:"
            f" {wording.joined([_together(one) for one in each['adds']])}."
            for each in document["joins"]
        ],
    )
    more = document["deliveries_more"]
    yield _Block(
        _HEADS["deliveries"],
        columns=("Path", "Records", "People", "First seen", "Gone"),
        rows=[
            (
                wording.name(each["path"]),
                f"{each['rows']:,}",
                _people(each["people"]),
                each["first_seen"][:16].replace("T", " "),
                each["gone"][:16].replace("T", " ") if each["gone"] else "still there",
            )
            for each in document["deliveries"]
        ],
        lines=[f"and {more:,} more, see --format json of exposure."] if more else (),
    )
    yield _Block(_HEADS["uncertain"], lines=document["uncertain"])
    yield _Block(_HEADS["next"], numbered=document["next_steps"])
    yield _Block(
        _HEADS["attack"],
        lines=[f"MITRE ATT&CK {each['id']}, {each['name']}." for each in document["attack"]],
    )


def _what(document: dict[str, Any]) -> list[str]:
    vendor = document["vendor"]
    much = f"{wording.count(document['items'], 'item')} with {wording.count(document['records'], 'record')}"
    when = f"from {wording.moment(document['from'])} to {wording.moment(document['to'])}"
    about = _people(document["people"])
    lines = [f"{_title(document)} could reach {much} of {about}, at some moment {when}."]
    if vendor["purpose"]:
        lines.append(f"Purpose of the sharing: {wording.sentence(vendor['purpose'])}")
    agreement = vendor["agreement"]
    if agreement:
        ended = ", which has ended" if agreement["expired"] else ""
        until = f" until {agreement['expires']}" if agreement["expires"] else ""
        lines.append(f"Agreement: {wording.name(agreement['ref'] or 'without reference')}{until}{ended}.")
    elif vendor["id"] is not None:
        lines.append("No agreement with this vendor is known.")
    over = [each for each in document["categories"] if each["allowed"] is False]
    if over:
        names = sorted({wording.category(each["category"]) for each in over})
        lines.append(f"The policy did not allow it to have: {wording.joined(names)}.")
    if document["categories"]:
        clear = [each for each in document["categories"] if not each["protected"]]
        lines.append(
            "Nothing of it was in clear text."
            if not clear
            else "None of it was masked, hashed or encrypted."
            if len(clear) == len(document["categories"])
            else "Part of it was masked, hashed, tokenized or encrypted; see below."
        )
    return lines


def _form(each: dict[str, Any]) -> str:
    return (
        "clear text (a hash that can be undone)"
        if each["undone"]
        else each["form"].replace("clear", "clear text")
    )


def _policy(allowed: bool | None) -> str:
    return {True: "allowed", False: "not allowed", None: ""}[allowed]


def _notices(document: dict[str, Any]) -> _Block:
    rows = []
    for each in document["notices"]:
        elements = "; ".join(one["label"] for one in each["elements"]) or "none found"
        regulator, agencies = each["regulator"], each["agencies"]
        told = "none named"
        if regulator:
            many = regulator["threshold"]
            told = f"{regulator['who']}: {f'from {many:,} residents' if many > 1 else 'always'}"
            told += f" ({_reached(regulator)}), {regulator['when']}"
        if agencies:
            told += f". Credit agencies: from {agencies['threshold']:,} ({_reached(agencies)})"
        concerned = f"{each['concerned']:,} of {each['residents']:,}"
        rows.append((f"{each['name']} ({each['law']})", concerned, elements, told, each["individuals"]))
    return _Block(
        _HEADS["notices"],
        lines=[
            f"By the table of {document['notice_rules_as_of']}, and by where people are known to live.",
            "This is not legal advice: read the law that is named, and ask counsel.",
            *_compared(document),
            *_harbours(document),
        ],
        columns=("Law", "Residents concerned", "What makes it due", "Whom to tell", "The people themselves"),
        rows=rows,
    )


def _compared(document: dict[str, Any]) -> Iterator[str]:
    """Which rows of the table were held against a second text, when, and against which."""
    alone = [each["name"] for each in document["notices"] if each["compared"] is None]
    for each in document["notices"]:
        if each["compared"] is not None:
            yield f"{each['name']}: compared on {each['compared']['date']} with {each['compared']['with']}"
    if alone:
        yield f"Not compared with a second text: {wording.joined(alone)}."


def _harbours(document: dict[str, Any]) -> list[str]:
    """What the laws say of data that was encrypted, where some of it was protected."""
    if not any(each["protected"] for each in document["categories"]):
        return []
    said: dict[str, list[str]] = {}
    for each in document["notices"]:
        said.setdefault(each["safe_harbour"], []).append(each["name"])
    return [f"Protected data ({wording.joined(names)}): {harbour}." for harbour, names in said.items()]


# -- Markdown and text -----------------------------------------------------------------------------------


def _markdown(document: dict[str, Any]) -> Iterator[str]:
    yield f"# Fact sheet: breach at {_marked(_title(document))}\n\n"
    yield f"Made on {wording.moment(document['generated_at'])}. Not legal advice.\n"
    for block in _blocks(document):
        if not _any(block):
            continue
        yield f"\n## {block.head}\n\n"
        for line in block.lines:
            yield f"- {_marked(line)}\n"
        if block.rows:
            yield "\n" if block.lines else ""
            yield f"| {' | '.join(block.columns)} |\n|{'---|' * len(block.columns)}\n"
            for row in block.rows:
                yield f"| {' | '.join(_marked(cell) for cell in row)} |\n"
        for number, line in enumerate(block.numbered, 1):
            yield f"{number}. {_marked(line)}\n"


def _any(block: _Block) -> bool:
    return bool(block.rows or block.numbered or (block.lines and not (block.columns and not block.rows)))


def _marked(text: str) -> str:
    """Text that Markdown shows as it is."""
    out = "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in text)
    return out.replace("\n", " ")


def _text(document: dict[str, Any]) -> Iterator[str]:
    yield f"Fact sheet: breach at {_title(document)}\nNot legal advice.\n"
    for block in _blocks(document):
        if not _any(block):
            continue
        yield f"\n{block.head}\n"
        for line in block.lines:
            yield f"  {line}\n"
        for row in block.rows:
            yield f"  {row[0]}: {'; '.join(cell for cell in row[1:] if cell)}\n"
        for number, line in enumerate(block.numbered, 1):
            yield f"  {number}. {line}\n"


# -- HTML ---------------------------------------------------------------------------------------------------


def _html(document: dict[str, Any]) -> Iterator[str]:
    yield page.head("Fact sheet of a breach: sharewatch")
    yield '<body>\n<header class="banner">\n'
    made = escape(wording.moment(document["generated_at"]))
    yield f'<p class="kicker">sharewatch breach <span>{made}, not legal advice</span></p>\n'
    yield f"<h1>Fact sheet: breach at <bdi>{escape(_title(document))}</bdi></h1>\n</header>\n<main>\n"
    for block in _blocks(document):
        if not _any(block):
            continue
        yield f"<section>\n<h2>{escape(block.head)}</h2>\n"
        for line in block.lines:
            yield f"<p><bdi>{escape(line)}</bdi></p>\n"
        if block.rows:
            yield from _table(block)
        if block.numbered:
            yield f"<ol>{''.join(f'<li><bdi>{escape(line)}</bdi></li>' for line in block.numbered)}</ol>\n"
        yield "</section>\n"
    yield "</main>\n</body>\n</html>\n"


def _table(block: _Block) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in block.columns)
    yield f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
    for first, *others in block.rows:
        cells = "".join(f"<td><bdi>{escape(cell)}</bdi></td>" for cell in others)
        yield f'<tr><th scope="row"><bdi>{escape(first)}</bdi></th>{cells}</tr>\n'
    yield "</tbody>\n</table>\n"
