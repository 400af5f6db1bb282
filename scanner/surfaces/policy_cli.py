"""Commands that try policies out: ``policy test`` and ``policy diff``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.surfaces.common import fail, one_or_two_times, read_policy, read_settings, told_errors

if TYPE_CHECKING:
    from scanner.model import Finding, Outcome

_FILE = click.Path(path_type=Path)


@click.command("test")
@click.argument("cases", type=_FILE)
@click.option("--policy", "policy_file", type=_FILE, help="The policy; default: the one that CASES names.")
def policy_test(cases: Path, policy_file: Path | None) -> None:
    """Hold a policy against CASES: evidence, and the verdict it must come to. Exit code 1 where one fails."""
    from scanner.model import printable
    from scanner.policy import cases as running

    with told_errors():
        today = datetime.now(UTC).date()
        suite = running.read(cases, today)
        policy = running.suite_policy(suite, policy_file, today)
        failed = 0
        for case in suite.cases:
            amiss = running.run(policy, case)
            failed += bool(amiss)
            for number, sentence in enumerate(amiss):
                start = f"{case.place}: {case.name}: " if number == 0 else "    "
                click.echo(printable(start + sentence), err=True)
        if failed:
            click.echo(f"{failed} of {len(suite.cases)} cases failed", err=True)
            raise click.exceptions.Exit(1)
        click.echo(f"{len(suite.cases)} cases, all as they must be")


@click.command("diff")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.argument("evidence", type=click.Path(path_type=Path, exists=True), required=False)
@click.option(
    "--ledger",
    "where",
    metavar="PATH|URL",
    help="Hold the policies against what was ever recorded in this ledger, without reading a file.",
)
@click.option("--from", "start", metavar="T", help="With --ledger: what was reachable from this time on.")
@click.option("--to", "end", metavar="T", help="With --ledger: what was reachable until then.")
@click.option("--as-of", metavar="T", help="With --ledger: what was reachable at this time.")
@click.option("--jobs", type=click.IntRange(min=0), help="Worker processes; 0: one for each core.")
def policy_diff(
    old: Path,
    new: Path,
    evidence: Path | None,
    where: str | None,
    start: str | None,
    end: str | None,
    as_of: str | None,
    jobs: int | None,
) -> None:
    """Say what another policy would change, in a share, a report, or the history of a ledger.

    EVIDENCE is a share to scan, or a JSON report of a scan of it. Exit code 0 where nothing changes, 1 where
    something does. Limits of people are not compared with a report, which does not say how many people its
    files are about together, nor with a ledger's history, whose deliveries were not all there at one time.
    """
    from scanner.model import printable
    from scanner.policy.difference import compare

    with told_errors():
        if (evidence is None) == (where is None):
            fail("give either EVIDENCE or --ledger")
        (before, _), (after, _) = read_policy(old), read_policy(new)
        if where is not None:
            outcomes = _recorded(where, start, end, as_of)
        else:
            assert evidence is not None
            outcomes = _outcomes(evidence, jobs)
        today = datetime.now(UTC).date()
        changes = compare(before, after, outcomes, [outcome.path for outcome in outcomes], today)
        for change in changes:
            click.echo(printable(f"{change.subject}: {_word(change.old)} -> {_word(change.new)}"))
            if change.new is not None:
                click.echo(f"    {change.new.because}")
        if changes:
            stricter = sum(change.old is None for change in changes)
            looser = sum(change.new is None for change in changes)
            click.echo(f"{len(changes)} changes: {stricter} new findings, {looser} that go")
            raise click.exceptions.Exit(1)
        click.echo("nothing changes")


def _recorded(where: str, start: str | None, end: str | None, as_of: str | None) -> list[Outcome]:
    """What a ledger knows to have been reachable: each version once, at the path where it lay first."""
    from dataclasses import replace

    from scanner.ledger import queries
    from scanner.ledger.store import open_ledger, stamp
    from scanner.surfaces.recording import moment

    one_or_two_times(as_of, start, end)
    until = end or as_of
    last = moment(until) if until else stamp(datetime.now(UTC))
    window = queries.Window(last if as_of else moment(start) if start else "0001", last)
    out = []
    with open_ledger(where) as opened, opened.reading() as connection:
        for vendor in queries.vendors(connection):
            for version in queries.reachable(connection, window, vendor):
                outcome = queries.outcome_of(opened, connection, version)
                if outcome is not None:
                    path = queries.spans(connection, version, window)[0][0].partition(" > ")[0]
                    out.append(replace(outcome, path=path))
    return out


def _word(finding: Finding | None) -> str:
    if finding is None:
        return "allowed"
    return f"{finding.verdict} ({finding.vendor or 'nobody'})"


def _outcomes(evidence: Path, jobs: int | None) -> list[Outcome]:
    from scanner import engine
    from scanner.policy.difference import outcomes_of

    if evidence.is_file():
        import json

        try:
            return outcomes_of(json.loads(evidence.read_bytes()))
        except (ValueError, AttributeError) as error:
            fail(f"{evidence}: {error if type(error) is ValueError else 'is no JSON report of a scan'}")
    settings = read_settings({"jobs": jobs})
    return list(engine.scan(engine.Request(roots=(str(evidence),), settings=settings)).outcomes)


COMMANDS: tuple[click.Command, ...] = (policy_test, policy_diff)
