"""``diff``: what changed between two deliveries of a feed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.surfaces.common import OUTPUT, fail, read_settings, told_errors
from scanner.surfaces.ledger_cli import write_out

if TYPE_CHECKING:
    from scanner.comparison import Change, Delivery
    from scanner.ledger.queries import Version
    from scanner.ledger.store import Connection, Ledger
    from scanner.model import Outcome

#: Versions of a vendor whose tables have this share of columns in common are of one feed.
_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two deliveries of a feed, and what to call them."""

    feed: str
    names: tuple[str, str]
    changes: Sequence[Change]


@click.command()
@click.argument("deliveries", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[OLD NEW]")
@click.option(
    "--ledger",
    "where",
    metavar="PATH|URL",
    envvar="SHAREWATCH_LEDGER",
    help="Compare the latest two deliveries of each feed in this ledger, without reading a file.",
)
@click.option("--vendor", metavar="ID", help="With --ledger: feeds of this vendor only.")
@click.option("--feed", metavar="ID|NAME", help="With --ledger: this feed only.")
@click.option("--from", "start", metavar="T", help="With --ledger: compare the last one before T.")
@click.option("--to", "end", metavar="T", help="End of the time; now where left out.")
@click.option(
    "--format", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True
)
@OUTPUT
@click.option("--jobs", type=click.IntRange(min=0), help="Worker processes; 0: one for each core.")
def diff(
    deliveries: tuple[Path, ...],
    where: str | None,
    vendor: str | None,
    feed: str | None,
    start: str | None,
    end: str | None,
    format_name: str,
    output: Path | None,
    jobs: int | None,
) -> None:
    """Say what changed between two deliveries: two files, two JSON reports, or the latest two in a ledger.

    Columns, categories, hashed values that are clear now, ten times the rows or people, first people of a
    country. Exit code 1 where a vendor gets more than before.
    """
    with told_errors():
        if deliveries:
            if len(deliveries) != 2:
                fail("give two deliveries, the older one first")
            pairs = [_of_files(*deliveries, jobs)]
        elif where is None:
            fail("give two deliveries, or --ledger")
        else:
            pairs = _of_ledger(where, vendor, feed, start, end)
        render = _as_json if format_name == "json" else _as_text
        write_out(render(pairs).encode(), output)
    raise click.exceptions.Exit(1 if any(change.worse for pair in pairs for change in pair.changes) else 0)


def _of_files(old: Path, new: Path, jobs: int | None) -> _Pair:
    from scanner.comparison import compare

    changes = compare(_delivery(old, jobs), _delivery(new, jobs))
    return _Pair("", (str(old), str(new)), changes)


def _delivery(file: Path, jobs: int | None) -> Delivery:
    """A file that is scanned, or a JSON report of one."""
    import secrets

    from scanner import engine
    from scanner.comparison import Delivery
    from scanner.policy.difference import outcomes_of

    report = _report(file) if file.suffix == ".json" else None
    if report is not None:
        return Delivery(outcomes_of(report))
    # Keys are made under a secret of this run: only countries and numbers are wanted.
    request = engine.Request(
        (str(file),), settings=read_settings({"jobs": jobs}), people_key=secrets.token_bytes(32)
    )
    return _counted(list(engine.scan(request).outcomes))


def _report(file: Path) -> dict[str, Any] | None:
    """The JSON report in a file; None where it is other data, to be scanned."""
    try:
        held = json.loads(file.read_bytes())
    except ValueError:
        return None
    return held if isinstance(held, dict) and "schema_version" in held and "items" in held else None


def _counted(outcomes: Sequence[Outcome]) -> Delivery:
    from scanner.comparison import Delivery
    from scanner.ledger.people import Crowd

    crowd = Crowd()
    for outcome in outcomes:
        for table in outcome.tables:
            crowd.add(table.persons, lambda _: 0, table.nameless)
        for text in outcome.texts:
            crowd.add(text.persons, lambda _: 0)
    people = crowd.people()
    countries: dict[str, int] = {}
    for code, count in people.by_place().items():
        country = code.partition("-")[0]
        countries[country] = countries.get(country, 0) + count
    return Delivery(outcomes, people.everybody().best, countries)


def _of_ledger(
    where: str, vendor: str | None, feed: str | None, start: str | None, end: str | None
) -> list[_Pair]:
    from datetime import UTC, datetime

    from scanner.ledger import queries
    from scanner.ledger.store import open_ledger, stamp
    from scanner.surfaces.recording import moment

    last = moment(end) if end else stamp(datetime.now(UTC))
    since = moment(start) if start else None
    with open_ledger(where) as opened, opened.reading() as connection:
        names = queries.feed_names(connection)
        vendors = queries.vendors(connection) if vendor is None else [vendor]
        pairs = []
        for each in vendors:
            for line in _lineages(opened, connection, each, last):
                label = names.get((each or "", line[-1].feed), line[-1].feed)
                if feed is not None and feed not in {label, *(version.feed for version in line)}:
                    continue
                title = f"{each or 'nobody'}: {label}"
                pairs += [
                    _compared(opened, connection, title, chosen)
                    for chosen in _pairs(line, queries.first_sights(connection, each), since)
                ]
    if feed is not None and not pairs:
        fail(f"the ledger has no two deliveries of a feed {feed}")
    return pairs


def _lineages(ledger: Ledger, connection: Connection, vendor: str | None, last: str) -> list[list[Version]]:
    """A vendor's versions by feed, oldest first; feeds whose schema changed a little are one."""
    from scanner.comparison import likeness
    from scanner.ledger import queries

    window = queries.Window("0001", last)
    versions = [each for each in queries.reachable(connection, window, vendor) if each.evidence is not None]
    seen = queries.first_sights(connection, vendor)
    versions.sort(key=lambda each: (seen[each.id], each.id))
    lines: list[tuple[list[str], list[Version]]] = []
    columns: dict[str, list[str]] = {}
    for version in versions:
        if version.feed not in columns:
            outcome = queries.outcome_of(ledger, connection, version)
            tables = outcome.tables if outcome else ()
            columns[version.feed] = [column.name for table in tables for column in table.columns]
        mine = columns[version.feed]
        for at, (held, line) in enumerate(lines):
            if line[-1].feed == version.feed or (mine and held and likeness(held, mine) >= _ALIKE):
                line.append(version)
                lines[at] = (mine, line)
                break
        else:
            lines.append((mine, [version]))
    return [line for _, line in lines]


def _pairs(
    line: Sequence[Version], seen: Mapping[int, str], since: str | None
) -> list[tuple[Version, Version]]:
    """What to compare of a feed: the latest two of each name, but for what changes in names from day to day.

    Files of one schema may be several series (one for each country). A name that came but once continues what
    was there before.
    """
    series: dict[str, list[Version]] = {}
    for version in line:
        series.setdefault(_series(version), []).append(version)
    pairs = [_two(same, seen, since) for same in series.values()]
    latest = line[-1]
    if len(series[_series(latest)]) == 1:
        earlier = [each for each in line if seen[each.id] < seen[latest.id]]
        pairs.append(_two([*earlier, latest], seen, since))
    return [pair for pair in pairs if pair is not None]


def _series(version: Version) -> str:
    from pathlib import PurePosixPath

    from scanner.policy.identity import collapsed

    return collapsed(PurePosixPath(version.paths[0]).name)


def _two(
    line: Sequence[Version], seen: Mapping[int, str], since: str | None
) -> tuple[Version, Version] | None:
    """The latest two; with a time, the last one before it and the last one of all."""
    if since is None:
        return (line[-2], line[-1]) if len(line) > 1 else None
    before = [each for each in line if seen[each.id] < since]
    if not before or before[-1] is line[-1]:
        return None
    return before[-1], line[-1]


def _compared(ledger: Ledger, connection: Connection, feed: str, chosen: tuple[Version, Version]) -> _Pair:
    from scanner.comparison import compare
    from scanner.ledger import queries

    held = []
    for version in chosen:
        outcome = queries.outcome_of(ledger, connection, version, people=True)
        held.append(_counted([outcome] if outcome else []))
    names = tuple(version.paths[0] for version in chosen)
    return _Pair(feed, (names[0], names[1]), compare(held[0], held[1]))


def _as_text(pairs: Sequence[_Pair]) -> str:
    from scanner.model import printable

    lines = []
    for pair in pairs:
        lines.append(f"{pair.feed + ': ' if pair.feed else ''}{pair.names[0]} -> {pair.names[1]}")
        lines += [f"  {'!' if each.worse else ' '} {each.where}: {each.said}" for each in pair.changes]
        if not pair.changes:
            lines.append("    nothing changed")
    worse = sum(change.worse for pair in pairs for change in pair.changes)
    told = f"{worse} changes give a vendor more than before"
    lines.append(told if worse else "no vendor gets more than before")
    return "\n".join(map(printable, lines)) + "\n"


def _as_json(pairs: Sequence[_Pair]) -> str:
    document: dict[str, Any] = {
        "schema_version": "1.0",
        "deliveries": [
            {
                "feed": pair.feed or None,
                "old": pair.names[0],
                "new": pair.names[1],
                "changes": [
                    {"kind": each.kind, "where": each.where, "worse": each.worse, "said": each.said}
                    for each in pair.changes
                ],
            }
            for pair in pairs
        ],
    }
    return json.dumps(document, indent=2) + "\n"


COMMANDS: tuple[click.Command, ...] = (diff,)
