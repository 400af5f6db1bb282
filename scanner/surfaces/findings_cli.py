"""The commands on the register of findings: ``findings list|show|accept|resolve|reopen|rejudge``."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.surfaces.common import OUTPUT, fail, told_errors
from scanner.surfaces.ledger_cli import LEDGER, policy_for, write_out

if TYPE_CHECKING:
    from scanner.ledger.findings import Registered
    from scanner.ledger.store import Connection, Ledger

#: So many of the latest deliveries of a feed are looked into for a finding's history.
_DELIVERIES = 50
_STATES = ("open", "accepted", "resolved", "all")
_SEVERITIES = ("critical", "high", "medium", "low")
_VERDICTS = ("over_shared", "needs_review", "unverifiable")
_WHY = click.option("--why", required=True, metavar="TEXT", help="The reason; it is kept.")
_BY = click.option(
    "--by", metavar="NAME", help="Who decides; the account that runs the command where left out."
)


@click.group()
def findings() -> None:
    """List findings over time, and say what was decided about them."""


@findings.command("list")
@LEDGER
@click.option("--vendor", metavar="ID", help="Of this vendor only.")
@click.option("--state", type=click.Choice(_STATES), default="open", show_default=True)
@click.option("--severity", type=click.Choice(_SEVERITIES), help="This one or a worse one.")
@click.option("--verdict", type=click.Choice(_VERDICTS), help="This one only.")
@click.option(
    "--format", "format_name", type=click.Choice(("text", "json", "csv")), default="text", show_default=True
)
@OUTPUT
def findings_list(
    where: str,
    vendor: str | None,
    state: str,
    severity: str | None,
    verdict: str | None,
    format_name: str,
    output: Path | None,
) -> None:
    """List findings, worst first. Exit code 1 where one of them is open."""
    from scanner.ledger import findings as register
    from scanner.ledger.store import open_ledger

    with told_errors():
        with open_ledger(where) as opened, opened.reading() as connection:
            found = register.listed(
                connection,
                vendor=vendor,
                states=() if state == "all" else (state,),
                severity=severity,
                verdict=verdict,
            )
        render = {"text": _as_text, "json": _as_json, "csv": _as_csv}[format_name]
        write_out(render(found).encode(), output)
    raise click.exceptions.Exit(1 if any(each.state == "open" for each in found) else 0)


@findings.command("show")
@LEDGER
@click.argument("finding")
@click.option(
    "--format", "format_name", type=click.Choice(("text", "json")), default="text", show_default=True
)
def findings_show(where: str, finding: str, format_name: str) -> None:
    """Show a finding (the beginning of its id will do): where it is, since when, what was decided."""
    from scanner.ledger import findings as register
    from scanner.ledger.store import open_ledger

    with told_errors(), open_ledger(where) as opened, opened.reading() as connection:
        found = register.one(connection, finding)
        document = _document(found) | {
            "places": [
                {
                    "location": at,
                    "member": member or None,
                    "rows": held["rows"],
                    "people": held["people"],
                }
                for (at, member), held in register.places_of(connection, found.id)
            ],
            "actions": [
                {"at": each.at, "who": each.who, "what": each.what, "why": each.why, "until": each.until}
                for each in register.actions_of(connection, found.id)
            ],
            **_history(opened, connection, found),
        }
        if format_name == "json":
            click.echo(json.dumps(document, indent=2))
        else:
            click.echo(_shown(document), nl=False)


@findings.command("accept")
@LEDGER
@click.argument("finding")
@_WHY
@click.option(
    "--until", required=True, metavar="DATE", help="The last day (YYYY-MM-DD) that it is accepted on."
)
@_BY
def findings_accept(where: str, finding: str, why: str, until: str, by: str | None) -> None:
    """Take a finding on until a day. It opens again after that day, or when it holds something else."""
    with told_errors():
        try:
            day = date.fromisoformat(until)
        except ValueError:
            fail(f"--until takes a day (2026-12-31), not {until!r}")
        if day < datetime.now(UTC).date():
            fail(f"--until {day} has passed")
        _decide(where, finding, "accept", why, by, day.isoformat())


@findings.command("resolve")
@LEDGER
@click.argument("finding")
@_WHY
@_BY
def findings_resolve(where: str, finding: str, why: str, by: str | None) -> None:
    """Say that a finding is dealt with. It opens again when the next scan still finds it."""
    with told_errors():
        _decide(where, finding, "resolve", why, by, None)


@findings.command("reopen")
@LEDGER
@click.argument("finding")
@_WHY
@_BY
def findings_reopen(where: str, finding: str, why: str, by: str | None) -> None:
    """Take back that a finding was accepted or resolved."""
    with told_errors():
        _decide(where, finding, "reopen", why, by, None)


@findings.command("rejudge")
@LEDGER
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Judge by this policy, in force from now on; by that of the latest scan where left out.",
)
def findings_rejudge(where: str, policy_file: Path | None) -> None:
    """Judge all that is reachable now by a policy, without reading a file."""
    from scanner.judging import rejudge
    from scanner.ledger.store import open_ledger
    from scanner.model import printable
    from scanner.policy.loading import source_of
    from scanner.surfaces.recording import recorder_for

    with told_errors(), open_ledger(where) as opened:
        policy, digest = policy_for(opened, policy_file)
        if policy is None:
            fail("no policy is known: give one with --policy")
        with recorder_for(opened, digest) as recorder:
            if policy_file is not None and digest is not None:
                recorder.policy(source_of(policy_file), digest)
            changes = rejudge(recorder.writer, policy, digest=digest)
        for each in changes:
            click.echo(printable(f"{each.kind:<9} {each.document['id']}  {_what(each.document)}"))
        click.echo(f"{len(changes)} finding{'' if len(changes) == 1 else 's'} changed")


def _decide(where: str, finding: str, what: str, why: str, by: str | None, until: str | None) -> None:
    from scanner.ledger import findings as register
    from scanner.ledger.store import Writer, open_ledger, stamp

    if not why.strip():
        fail("--why is empty: the reason is what an auditor asks for")
    with open_ledger(where) as opened:
        with opened.reading() as connection:
            found = register.one(connection, finding)
        writer = Writer(opened)
        try:
            at = stamp(datetime.now(UTC))
            action = register.Action(found.id, at, by or _account(), what, why.strip(), until)
            change = register.decide(writer, action)
        finally:
            writer.close()
    state = change.document["state"] if change else found.state
    click.echo(f"{found.id} is {state}{f' until {until}' if until else ''}")


def _account() -> str:
    """Who runs the command, also behind sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _document(found: Registered) -> dict[str, Any]:
    from scanner.ledger.store import shown

    return {
        **found.document,
        "state": found.state,
        "accepted_until": found.until,
        "places": found.places,
        "opened_at": shown(found.opened_at),
        "updated_at": shown(found.updated_at),
        "resolved_at": shown(found.resolved_at) if found.resolved_at else None,
    }


def _history(opened: Ledger, connection: Connection, found: Registered) -> dict[str, Any]:
    """What the deliveries of a finding's feed held, over time."""
    from scanner.ledger import history
    from scanner.ledger.store import shown

    count, held = history.of_finding(opened, connection, found.document, _DELIVERIES)
    return {
        "deliveries_of_feed": count,
        "deliveries": [
            {
                "path": each.path,
                "first_seen": shown(each.first_seen),
                "gone": shown(each.gone) if each.gone else None,
                "rows": each.rows,
                "people": {"low": each.people.low, "best": each.people.best, "high": each.people.high},
            }
            for each in held
        ],
    }


def _what(document: Any) -> str:
    place = [document["path"], document["member"], document["table"] or document["text"], document["column"]]
    where = " / ".join(each for each in place if each and each != "-") or "all that it holds"
    return f"{document['vendor'] or 'nobody'}: {where} ({document['category'] or document['rule']})"


def _as_text(found: Sequence[Registered]) -> str:
    from scanner.model import printable

    if not found:
        return "no findings\n"
    lines = []
    for each in found:
        held = each.document
        state = f"accepted until {each.until}" if each.state == "accepted" else each.state
        many = f", {each.places} places" if each.places > 1 else ""
        people = held["people"]["best"]
        lines.append(printable(f"{each.id}  {held['severity']:<8} {held['verdict']:<12} {_what(held)}"))
        lines.append(f"    {state} since {each.opened_at[:10]}{many}, {people:,} people")
    return "\n".join(lines) + f"\n{len(found)} finding{'' if len(found) == 1 else 's'}\n"


def _as_json(found: Sequence[Registered]) -> str:
    return (
        json.dumps({"schema_version": "1.0", "findings": [_document(each) for each in found]}, indent=2)
        + "\n"
    )


_COLUMNS = (
    "id", "state", "severity", "verdict", "vendor", "path", "member", "table", "text", "column", "category",
    "form", "rows", "opened_at", "updated_at", "resolved_at", "accepted_until", "places", "because",
)  # fmt: skip


def _as_csv(found: Sequence[Registered]) -> str:
    import csv
    import io

    from scanner.reports.csvreport import cell

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow((*_COLUMNS, "people"))
    for each in found:
        held = _document(each)
        held["people"] = held["people"]["best"]
        writer.writerow([cell(held[name]) for name in (*_COLUMNS, "people")])
    return out.getvalue()


def _shown(document: dict[str, Any]) -> str:
    from scanner.model import printable

    people = document["people"]
    lines = [
        f"{document['id']}  {document['severity']} {document['verdict']}, {document['state']}",
        _what(document),
        f"because   {document['because']}",
        f"remedy    {document['remedy']}",
        f"people    {people['best']:,} ({people['low']:,} to {people['high']:,}), {document['rows']:,} rows",
        f"opened    {document['opened_at']}",
        f"updated   {document['updated_at']}",
    ]
    if document["resolved_at"]:
        lines.append(f"resolved  {document['resolved_at']}")
    if document["accepted_until"]:
        lines.append(f"accepted until {document['accepted_until']}")
    for place in document["places"]:
        name = f"{place['location']} > {place['member']}" if place["member"] else place["location"]
        lines.append(f"  at {name}: {place['rows']:,} rows, {place['people']['best']:,} people")
    if document["deliveries"]:
        count = document["deliveries_of_feed"]
        lines.append(f"over time ({count:,} {'delivery' if count == 1 else 'deliveries'} of the feed):")
    for each in document["deliveries"]:
        until = f"to {each['gone'][:10]}" if each["gone"] else "on"
        held = f"{each['rows']:,} rows, {each['people']['best']:,} people in it"
        lines.append(f"  from {each['first_seen'][:10]} {until} {each['path']}: {held}")
    for each in document["actions"]:
        until = f" until {each['until']}" if each["until"] else ""
        lines.append(f"  {each['at'][:16]} {each['who']}: {each['what']}{until}: {each['why']}")
    return "\n".join(map(printable, lines)) + "\n"


COMMANDS: tuple[click.Command, ...] = (findings,)
