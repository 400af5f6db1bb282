"""The agent's commands: ``watch`` and ``status``."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.surfaces.common import fail, read_policy, told_errors

if TYPE_CHECKING:
    from scanner.agent.config import AgentConfig
    from scanner.agent.loop import Agent
    from scanner.agent.session import Law
    from scanner.agent.status import StatusSocket
    from scanner.surfaces.listener import Listener

DEFAULT = Path("/etc/sharewatch/agent.yaml")
#: Where the agent's configuration is.
CONFIG = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT,
    show_default=True,
    help="The agent's configuration.",
)


@click.command()
@CONFIG
@click.option("--once", is_flag=True, help="Walk once, scan and tell what is found, and end.")
@click.option("--check", is_flag=True, help="Only check the configuration and the policy.")
def watch(config_file: Path, once: bool, check: bool) -> None:
    """Watch the shares: scan what arrives, record it, tell what is over-shared.

    SIGHUP has the configuration read again, SIGTERM ends the agent. With --once the exit code is a scan's: 0
    nothing over-shared, 1 over-shared, 3 incomplete, 4 nothing there.
    """
    with told_errors():
        config, policy = _read(config_file)
        if check:
            click.echo(f"{config_file}: valid; {len(config.shares)} share(s), {len(config.sinks)} sink(s)")
            return
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        code = _run(config_file, config, policy, once)
    raise click.exceptions.Exit(code)


def _read(config_file: Path) -> tuple[AgentConfig, Law]:
    """The configuration and the policy that it names."""
    from scanner.agent.config import load, scan_settings
    from scanner.policy.loading import source_of
    from scanner.surfaces.listener import Address

    config = load(config_file)
    if config.metrics.listen is not None:
        try:
            Address.parsed(config.metrics.listen)
        except ValueError as error:
            fail(f"{config_file}: metrics.listen: {error}")
    scan_settings(config)
    file = Path(config.policy)
    policy, digest = read_policy(file)
    return config, (policy, digest, source_of(file))


def _run(config_file: Path, config: AgentConfig, policy: Law, once: bool) -> int:
    from scanner import __version__
    from scanner.agent.loop import Agent
    from scanner.agent.notify import Notifier
    from scanner.sinks.metrics import AgentMetrics

    notifier = Notifier()
    metrics = AgentMetrics(__version__) if config.metrics.listen and not once else None
    half = notifier.watchdog_seconds / 2 if notifier.watchdog_seconds else None
    agent = Agent(config, policy, once=once, metrics=metrics, beat=notifier.alive, beat_seconds=half)
    agent.reload = lambda: _reread(config_file)

    def ready(text: str) -> None:
        notifier.ready(text)

    agent.on_ready(ready)
    _signals(agent, notifier)
    listener = _listener(agent, config, metrics) if metrics is not None else None
    socket = None if once else _socket(config, agent)
    try:
        agent.run()
    finally:
        notifier.stopping()
        if listener is not None:
            listener.close()
        if socket is not None:
            socket.close()
    return _exit_code(config.ledger, agent) if once else 0


def _socket(config: AgentConfig, agent: Agent) -> StatusSocket:
    from scanner.agent import status

    return status.StatusSocket(status.place(config.ledger), agent.document, {"retry": agent.retry_sinks})


def _reread(config_file: Path) -> tuple[AgentConfig, Law]:
    try:
        return _read(config_file)
    except click.exceptions.Exit:
        raise ValueError(f"{config_file} is refused; see the log") from None


def _signals(agent: Agent, notifier: Any) -> None:
    def reload(*_: object) -> None:
        notifier.reloading()
        agent.ask_reload()

    signal.signal(signal.SIGTERM, lambda *_: agent.stop())
    signal.signal(signal.SIGINT, lambda *_: agent.stop())
    signal.signal(signal.SIGHUP, reload)
    # Of a lease that somebody breaks while a gate asks whether a file is open; the default ends the process.
    signal.signal(signal.SIGIO, signal.SIG_IGN)


def _listener(agent: Agent, config: AgentConfig, metrics: Any) -> Listener:
    from scanner.surfaces.listener import Address, Listener

    def text() -> bytes:
        agent.measure()
        return bytes(metrics.registry.render())

    assert config.metrics.listen is not None
    made = Listener(
        Address.parsed(config.metrics.listen),
        metrics=text,
        alive=lambda: (True, {"uptime_seconds": round(time.time() - agent.state.started)}),
        ready=lambda: _ready(agent),
    )
    made.start()
    return made


def _ready(agent: Agent) -> tuple[bool, Mapping[str, Any]]:
    document = agent.document()
    down = sum(not share["up"] for share in document["shares"])
    good = not down and not document["trouble"] and document["selftest"]["state"] != "failed"
    facts = {"shares_down": down, "trouble": document["trouble"], "selftest": document["selftest"]["state"]}
    return good, facts


def _exit_code(ledger: str, agent: Agent) -> int:
    from scanner.ledger import findings, queue
    from scanner.ledger.store import open_ledger

    with open_ledger(ledger) as opened, opened.reading() as connection:
        held = findings.listed(connection)
        known = queue.count(connection)
    if any(each.document["verdict"] == "over_shared" for each in held):
        return 1
    if agent.state.trouble or any(each.document["verdict"] == "unverifiable" for each in held):
        return 3
    return 0 if known else 4


@click.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="The whole document.")
def status(config_file: Path, as_json: bool) -> None:
    """Say how the agent does. Exit code 1 where something is amiss, 3 where no agent answers."""
    import json

    from scanner.agent import status as told
    from scanner.agent.config import load

    with told_errors():
        path = told.place(load(config_file).ledger)
        try:
            document = told.ask(path)
        except OSError as error:
            click.echo(f"no agent answers at {path}: {error.strerror or error}", err=True)
            raise click.exceptions.Exit(3) from None
        click.echo(json.dumps(document, indent=2) if as_json else _shown(document), nl=as_json)
    raise click.exceptions.Exit(1 if _amiss(document) else 0)


def _amiss(document: dict[str, Any]) -> list[str]:
    out = []
    if document.get("trouble"):
        out.append(f"the ledger cannot be written ({document['trouble']})")
    out += [
        f"share {each['path']}: {each['detail']}" for each in document.get("shares", ()) if not each["up"]
    ]
    out += [
        f"sink {each['name']} is down since {each['down_since']}: {each['problem']}"
        for each in document.get("sinks", ())
        if each["up"] is False
    ]
    out += [
        f"sink {each['name']} gave up {each['dead']:,} events (sharewatch sinks dead)"
        for each in document.get("sinks", ())
        if each["dead"]
    ]
    if document.get("selftest", {}).get("state") == "failed":
        out.append("the self-test failed")
    if document.get("configuration") not in (None, "in force"):
        out.append(f"the newest configuration is refused: {document['configuration']}")
    return out


def _ago(moment: float | None) -> str:
    if moment is None:
        return "never"
    seconds = max(0, round(time.time() - moment))
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return f"{seconds} second{'' if seconds == 1 else 's'} ago"


def _shown(document: dict[str, Any]) -> str:
    from scanner.model import printable

    amiss = _amiss(document)
    queue = document["queue"]
    who = f"sharewatch {document['versions']['program']} on {document['host']}, process {document['pid']}"
    well = "needs attention" if amiss else "all is well"
    lines = [f"{who}, started {_ago(document['started'])}: {well}"]
    lines += [f"  ! {each}" for each in amiss]
    lines += [f"  share     {each['path']}: {each['state'] or 'walked'}" for each in document["shares"]]
    lines += [
        f"  gate      {each['from']} to {each['to']}: {each['held']:,} held" for each in document["gates"]
    ]
    watching = document["watching"]
    if watching:
        polled = f", {watching['polled']:,} polled" if watching["polled"] else ""
        lines.append(
            f"  watching  {watching['watched']:,} folders{polled}; last walk {_ago(document['last_walk'])}"
        )
    waits = f"; what can wait does so: {document['waits_for']}" if document["waits_for"] else ""
    held = f"{queue['waiting']:,} waiting ({queue['fresh']:,} fresh), {queue['scanning']:,} scanning"
    lines.append(f"  queue     {held}{waits}")
    median = document["verdict_seconds_median"]
    speed = f", {median} seconds from complete to verdict" if median is not None else ""
    lines.append(
        f"  files     {document['files']:,} known, {document['scanned']:,} scanned since the start{speed}"
    )
    lines.append(f"  findings  {document['findings_open']:,} open (sharewatch findings list)")
    for each in document["sinks"]:
        lines.append(
            f"  sink      {each['name']}: {each['delivered']:,} delivered, {each['pending']:,} waiting"
        )
    test = document["selftest"]
    lines.append(f"  self-test {test['state']}, passed {_ago(test['last_passed'])}")
    return "\n".join(map(printable, lines)) + "\n"


COMMANDS: tuple[click.Command, ...] = (watch, status)
