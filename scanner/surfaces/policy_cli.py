"""Commands that try policies out: ``policy test`` and ``policy diff``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.surfaces.common import fail, read_policy, read_settings, told_errors

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
@click.argument("evidence", type=click.Path(path_type=Path, exists=True))
@click.option("--jobs", type=click.IntRange(min=0), help="Worker processes; 0: one for each core.")
def policy_diff(old: Path, new: Path, evidence: Path, jobs: int | None) -> None:
    """Say what another policy would change. EVIDENCE is a share to scan, or a JSON report of a scan of it.

    Exit code 0 where nothing changes, 1 where something does. Limits of people are not compared with a
    report, which does not say how many people its files are about together.
    """
    from scanner.model import printable
    from scanner.policy.difference import compare

    with told_errors():
        (before, _), (after, _) = read_policy(old), read_policy(new)
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
