"""The commands on a ledger: ``exposure`` and ``ledger …``; and the scan into one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.surfaces.common import OUTPUT, atomic_file, fail, one_or_two_times, read_policy, told_errors

if TYPE_CHECKING:
    from scanner.engine import Progress, Request
    from scanner.ledger.store import Connection, Ledger
    from scanner.model import Report
    from scanner.policy.model import Policy
    from scanner.surfaces.recording import ScanRecording

LEDGER = click.option(
    "--ledger",
    "where",
    metavar="PATH|URL",
    envvar="SHAREWATCH_LEDGER",
    required=True,
    help="The ledger: a file, or postgresql://… ($SHAREWATCH_LEDGER).",
)
_FORMATS = ("text", "json", "html")


def scan_into(
    where: str, request: Request, options: dict[str, Any], progress: Callable[[Progress], None] | None
) -> Report:
    """Scan and record. Each outcome is recorded when it comes; what is gone once the scan is complete."""
    from scanner import engine

    begun: list[tuple[Ledger, ScanRecording]] = []
    with ExitStack() as reading:
        with ExitStack() as writing:

            def begin() -> tuple[bytes, engine.Observer]:
                begun.append(_begun(reading, writing, where, request, options))
                ledger, recording = begun[0]
                return ledger.people_secret, recording

            report = engine.scan(request, progress, begin)
            ledger, recording = begun[0]
            recording.finish(report)
        accepted = _accepted(ledger, request)
    return engine.with_accepted(report, accepted)


def _begun(
    reading: ExitStack, writing: ExitStack, where: str, request: Request, options: dict[str, Any]
) -> tuple[Ledger, ScanRecording]:
    """The ledger, open as long as the first stack, and a recording into it, as long as the second."""
    from scanner.ledger.store import open_ledger
    from scanner.policy.loading import source_of
    from scanner.surfaces.recording import ScanRecording, recorder_for

    ledger = reading.enter_context(open_ledger(where, create=True))
    recorder = writing.enter_context(recorder_for(ledger, request.policy_digest))
    if options.get("policy_file") is not None and request.policy_digest is not None:
        recorder.policy(source_of(options["policy_file"]), request.policy_digest)
    return ledger, ScanRecording(recorder, request, options.get("observed_at"))


def _accepted(ledger: Ledger, request: Request) -> dict[str, str | None]:
    """The findings that are accepted now, once what is asked most is computed."""
    from scanner.ledger import findings
    from scanner.ledger.store import stamp

    _prepare(ledger, request)
    with ledger.reading() as connection:
        return findings.accepted(connection, stamp(datetime.now(UTC)))


def _prepare(opened: Ledger, request: Request) -> None:
    """Compute what is asked most: what each vendor can reach now; those without a change keep theirs."""
    from scanner.judging import by_paths, judge_by, policy_state
    from scanner.ledger import queries
    from scanner.ledger.store import stamp

    now = datetime.now(UTC)
    queries.exposure(
        opened,
        queries.Window(stamp(now), stamp(now)),
        judge=judge_by(request.policy, now.date()),
        judged_by=policy_state(request.policy, request.policy_digest, now.date()),
        by_paths=by_paths(request.policy),
    )


@click.command()
@LEDGER
@click.option("--vendor", metavar="ID", help="This vendor only.")
@click.option("--as-of", metavar="T", help="What was reachable at this time (RFC 3339); now where left out.")
@click.option("--from", "start", metavar="T", help="With --to: all that was reachable at any moment between.")
@click.option("--to", "end", metavar="T", help="End of the time; now where left out.")
@click.option(
    "--policy",
    "policy_file",
    type=click.Path(path_type=Path),
    help="Judge by this policy; the one of the latest scan where left out.",
)
@click.option("--across-vendors", is_flag=True, help="Also say what two vendors could make of it together.")
@click.option(
    "--files",
    "most",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Files to list, oldest first.",
)
@click.option("--format", "format_name", type=click.Choice(_FORMATS), default="text", show_default=True)
@OUTPUT
def exposure(
    where: str,
    vendor: str | None,
    as_of: str | None,
    start: str | None,
    end: str | None,
    policy_file: Path | None,
    across_vendors: bool,
    most: int,
    format_name: str,
    output: Path | None,
) -> None:
    """If a vendor is breached: whose data it has, how many people, which data, and since when.

    Reads the ledger only, no scanned file. Times without a zone are UTC.
    """
    with told_errors():
        one_or_two_times(as_of, start, end)
        if end is not None and start is None:
            fail("--to needs --from")
        document = _exposure(where, vendor, as_of, start, end, policy_file, across_vendors, most)
        _write(document, format_name, output)


def _exposure(
    where: str,
    vendor: str | None,
    as_of: str | None,
    start: str | None,
    end: str | None,
    policy_file: Path | None,
    across_vendors: bool,
    most: int,
) -> dict[str, Any]:
    from scanner.judging import by_paths, judge_by, policy_state, with_verdicts
    from scanner.ledger import queries
    from scanner.ledger.store import open_ledger, shown, stamp
    from scanner.surfaces.recording import moment

    now = stamp(datetime.now(UTC))
    until = end or as_of
    last = moment(until) if until else now
    first = moment(start) if start else last
    if first > last:
        fail("--from is after --to")
    today = date.fromisoformat(now[:10])
    with open_ledger(where) as opened:
        policy, digest = policy_for(opened, policy_file)
        found = queries.exposure(
            opened,
            queries.Window(first, last),
            judge=judge_by(policy, today),
            judged_by=policy_state(policy, digest, today),
            by_paths=by_paths(policy),
            vendor=queries.EVERYBODY if vendor is None else vendor,
        )
        with opened.reading() as connection:
            found = [each | {"files": _files(connection, each["id"], last, most)} for each in found]
        joined = None
        if across_vendors:
            joined = queries.across(opened, queries.Window(first, last), judge_by(policy, today))
    known = {each["id"] for each in found}
    if vendor is not None and vendor not in known:
        found.append(queries.nothing(vendor))
    out: dict[str, Any] = {"schema_version": "1.0", "as_of": shown(last)}
    if start is not None:
        out |= {"from": shown(first), "to": shown(last)}
    if joined is not None:
        out["joins_across"] = [join.document() for join in joined]
    return {
        **out,
        "generated_at": shown(now),
        "policy_digest": digest,
        "vendors": [with_verdicts(policy, each) | terms(policy, each["id"], today) for each in found],
    }


def _files(connection: Connection, vendor: str | None, at: str, most: int) -> dict[str, Any]:
    """What of it is still there."""
    from scanner.ledger import queries
    from scanner.ledger.store import shown

    count, listed = queries.files(connection, vendor, at, most)
    return {"count": count, "listed": [{"path": path, "first_seen": shown(first)} for path, first in listed]}


def policy_for(opened: Ledger, policy_file: Path | None) -> tuple[Policy | None, str | None]:
    """The policy to judge by: a file's, else the one of the latest scan."""
    from scanner.ledger.recorder import last_policy
    from scanner.policy.loading import loads

    if policy_file is not None:
        return read_policy(policy_file)
    with opened.reading() as connection:
        known = last_policy(connection)
    if known is None:
        return None, None
    source, digest = known
    return loads(source.text, "the ledger's policy", contracts=source.contracts).policy, digest


def terms(policy: Policy | None, vendor: str | None, today: date) -> dict[str, Any]:
    """What is agreed with a vendor, and whether it still holds."""
    owner = policy.vendor(vendor) if policy and vendor else None
    if owner is None:
        return {"name": None, "purpose": None, "agreement": None}
    agreement = owner.agreement
    terms = None
    if agreement is not None:
        expires = agreement.expires
        terms = {
            "ref": agreement.ref,
            "expires": expires.isoformat() if expires else None,
            "expired": bool(expires and today > expires),
        }
    return {"name": owner.name, "purpose": owner.purpose, "agreement": terms}


def _write(document: dict[str, Any], format_name: str, output: Path | None) -> None:
    from scanner.reports import exposure as page

    write_out(page.render(document, format_name), output)


def write_out(data: bytes, output: Path | None) -> None:
    """Write a document to a file that only its owner may read, or to standard output."""
    if output is not None:
        with atomic_file(output) as stream:
            stream.write(data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


@click.group()
def ledger() -> None:
    """Check and tend the account of exposures."""


@ledger.command("verify")
@LEDGER
def ledger_verify(where: str) -> None:
    """Check that no entry was altered, removed or put elsewhere. Exit code 1 where one was."""
    from scanner.ledger.store import open_ledger
    from scanner.ledger.verify import verify

    with told_errors():
        with open_ledger(where) as opened:
            result = verify(opened)
        for problem in result.problems:
            click.echo(problem, err=True)
        if result.problems:
            raise click.exceptions.Exit(1)
        click.echo(f"{result.entries} entries, each as it was written")


@ledger.command("forget")
@LEDGER
@click.option(
    "--before", metavar="T", required=True, help="Forget what was gone before this time (RFC 3339)."
)
def ledger_forget(where: str, before: str) -> None:
    """Drop sketches, key sets and evidence of what is long gone. Totals stay, people cannot be told apart."""
    from scanner.ledger.store import open_ledger
    from scanner.surfaces.recording import moment, recorder_for

    with told_errors():
        with open_ledger(where) as opened, recorder_for(opened, None) as recorder:
            count = recorder.forget(moment(before))
        click.echo(f"{count} item version{'' if count == 1 else 's'} forgotten")


@ledger.command("vendors")
@LEDGER
def ledger_vendors(where: str) -> None:
    """List every vendor that ever had something."""
    from scanner.ledger.queries import vendors
    from scanner.ledger.store import open_ledger

    with told_errors(), open_ledger(where) as opened, opened.reading() as connection:
        for each in vendors(connection):
            click.echo(each or "(nobody's folder)")


#: What the command line gains from this module.
COMMANDS = (exposure, ledger)
