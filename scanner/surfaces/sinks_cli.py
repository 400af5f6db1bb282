"""The commands on what waits for sinks: ``sinks list|dead|resend|drop``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from scanner.surfaces.agent_cli import CONFIG
from scanner.surfaces.common import fail, told_errors

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.agent.config import AgentConfig
    from scanner.ledger.outbox import Backlog, DeadLetter, Outbox

_SINK = click.option("--sink", metavar="NAME", help="Of this sink only.")
_IDS = click.option("--id", "ids", multiple=True, metavar="EVENT", help="This event only. May be repeated.")
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def sinks() -> None:
    """See what waits for sinks, and what they did not take; works while the agent runs, too."""


@sinks.command("list")
@CONFIG
@_JSON
def sinks_list(config_file: Path, as_json: bool) -> None:
    """List the sinks: what waits for each, since when, what was given up, what was left out."""
    with _outbox(config_file) as (config, outbox):
        found = outbox.backlog()
    types = {str(each.get("name") or each["type"]): str(each["type"]) for each in config.sinks}
    known = {each.sink for each in found}
    names = [*(each.sink for each in found), *(name for name in types if name not in known)]
    rows = {each.sink: asdict(each) for each in found}
    documents = [
        {"sink": name, "type": types.get(name), "pending": 0, "dead": 0, "shed": 0, "oldest": None}
        | rows.get(name, {})
        for name in names
    ]
    if as_json:
        click.echo(json.dumps(documents, indent=2))
        return
    for each in documents:
        since = f", the oldest since {each['oldest']}" if each["oldest"] else ""
        shed = f", {each['shed']:,} left out" if each["shed"] else ""
        kind = each["type"] or "not in the configuration"
        click.echo(
            f"{each['sink']} ({kind}): {each['pending']:,} waiting{since}, {each['dead']:,} given up{shed}"
        )


@sinks.command("dead")
@CONFIG
@_SINK
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="So many at most.")
@_JSON
def sinks_dead(config_file: Path, sink: str | None, limit: int, as_json: bool) -> None:
    """List the events that sinks did not take, oldest first. Exit code 1 where there are some."""
    with _outbox(config_file) as (_, outbox):
        _known(sink, outbox.backlog())
        letters = outbox.dead_letters(sink, limit)
    if as_json:
        click.echo(json.dumps([asdict(each) for each in letters], indent=2))
    else:
        for each in letters:
            click.echo(_line(each))
    raise click.exceptions.Exit(1 if letters else 0)


@sinks.command("resend")
@CONFIG
@_SINK
@_IDS
def sinks_resend(config_file: Path, sink: str | None, ids: tuple[str, ...]) -> None:
    """Have events that were given up sent again: all, those of a sink, or some."""
    from scanner.agent import status

    with _outbox(config_file) as (config, outbox):
        _checked(outbox, sink, ids)
        count = outbox.resend(sink, ids or None)
    click.echo(f"{count:,} wait again")
    if count:
        try:
            status.ask(status.place(config.ledger), "retry")
        except OSError:
            click.echo("no agent answers; they go out when one runs", err=True)


@sinks.command("drop")
@CONFIG
@_SINK
@_IDS
def sinks_drop(config_file: Path, sink: str | None, ids: tuple[str, ...]) -> None:
    """Let go of events that were given up, for good: those of a sink, or some."""
    if sink is None and not ids:
        fail("name what to let go of: --sink, --id, or both")
    with _outbox(config_file) as (_, outbox):
        _checked(outbox, sink, ids)
        click.echo(f"{outbox.drop(sink, ids or None):,} are gone")


@contextmanager
def _outbox(config_file: Path) -> Iterator[tuple[AgentConfig, Outbox]]:
    from scanner.agent.config import load
    from scanner.agent.telling import hostname
    from scanner.ledger.outbox import Outbox
    from scanner.ledger.store import open_ledger

    with told_errors():
        config = load(config_file)
        with open_ledger(config.ledger) as ledger:
            yield config, Outbox(ledger.engine, host=hostname(), limit=config.limits.outbox)


def _known(sink: str | None, found: list[Backlog]) -> None:
    names = [each.sink for each in found]
    if sink is not None and sink not in names:
        fail(f"nothing was ever kept for a sink {sink}; there is {', '.join(names) or 'none'}")


def _checked(outbox: Outbox, sink: str | None, ids: tuple[str, ...]) -> None:
    """See that all that is named is there."""
    _known(sink, outbox.backlog())
    if ids:
        held = {each.id for each in outbox.dead_letters(sink, None)}
        fail_on = [each for each in ids if each not in held]
        if fail_on:
            fail(*(f"no event {each} was given up" for each in fail_on))


def _line(letter: DeadLetter) -> str:
    from scanner.model import printable

    tries = f"{letter.tries} {'try' if letter.tries == 1 else 'tries'}"
    return printable(
        f"{letter.id}  {letter.sink}  {letter.event}  since {letter.since}  {tries}: {letter.reason}"
    )


COMMANDS: tuple[click.Command, ...] = (sinks,)
