"""The command line. Imports little at the top, so that ``--help`` and ``version`` answer at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner import __version__
from scanner.surfaces.common import (
    USAGE_ERROR,
    LazyGroup,
    atomic_file,
    fail,
    read_policy,
    read_settings,
    told_errors,
)

if TYPE_CHECKING:
    from scanner.engine import Progress, Request
    from scanner.model import Report

FORMATS = ("text", "json", "jsonl", "sarif", "ocsf", "csv", "html")

_EXIT_CODES = """
\b
Exit codes:
  0  complete and nothing over-shared
  1  something is over-shared (or what --fail-on names)
  2  usage, configuration or policy error
  3  nothing over-shared, but something could not be read
  4  nothing to scan
"""


def main() -> None:
    """The ``sharewatch`` command."""
    _no_core_dumps()
    try:
        # Outside of its standalone mode click returns the code of an `Exit` instead of raising it.
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE_ERROR)
    except (KeyboardInterrupt, click.Abort):
        click.echo("sharewatch: interrupted", err=True)
        sys.exit(130)


def _no_core_dumps() -> None:
    """Memory may hold what files or people said; a crash must not write it to a disk."""
    try:
        import resource
    except ImportError:  # a system without POSIX limits
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


_REMEDY, _LEDGER = "scanner.surfaces.remedy_cli", "scanner.surfaces.ledger_cli"
_AGENT, _POLICY = "scanner.surfaces.agent_cli", "scanner.surfaces.policy_cli"
_ELSEWHERE = {
    "minimise": _REMEDY,
    "quarantine": _REMEDY,
    "release": _REMEDY,
    "gate": _REMEDY,
    "exposure": _LEDGER,
    "ledger": _LEDGER,
    "findings": "scanner.surfaces.findings_cli",
    "who": "scanner.surfaces.who_cli",
    "diff": "scanner.surfaces.diff_cli",
    "breach": "scanner.surfaces.breach_cli",
    "watch": _AGENT,
    "status": _AGENT,
    "sinks": "scanner.surfaces.sinks_cli",
}


@click.group(
    cls=LazyGroup,
    elsewhere=_ELSEWHERE,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EXIT_CODES,
)
def cli() -> None:
    """Finds personal data in what is shared with vendors, and names what each should not have."""


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"sharewatch {__version__}")


# -- scan ------------------------------------------------------------------------------------------------


_FAIL_ON = ("allowed", "review", "over_shared", "never")
_YAML_FILE = click.Path(path_type=Path)
_NEW_FILE = click.Path(path_type=Path, dir_okay=False)
_SCAN_OPTIONS = (
    click.option("--policy", "policy_file", type=_YAML_FILE, help="Policy: which vendor may have what."),
    click.option(
        "--share",
        "shares",
        multiple=True,
        metavar="DIR",
        help="Root that vendors' paths are relative to, where only a part of it is scanned. May be repeated.",
    ),
    click.option("--vendor", metavar="ID", help="Judge everything as shared with this vendor."),
    click.option(
        "--format",
        "format_name",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How to write the report.",
    ),
    click.option("-o", "--output", type=_NEW_FILE, help="Write the report here, not to standard output."),
    click.option(
        "--fail-on",
        type=click.Choice(_FAIL_ON),
        default="over_shared",
        show_default=True,
        help="What makes the exit code 1: any personal data, what needs review, what is over-shared.",
    ),
    click.option("--jobs", type=click.IntRange(min=0), help="Worker processes; 0: one for each core."),
    click.option(
        "--locate",
        type=click.IntRange(min=0),
        metavar="N",
        help="Report up to N row numbers or text positions for each entity.",
    ),
    click.option("--explain", is_flag=True, help="Show what counted for each verdict."),
    click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Do not scan what matches; reported as excluded. May be repeated.",
    ),
    click.option("--name", help="File name that standard input stands for, as a hint at its format."),
    click.option(
        "--model",
        metavar="NAME",
        help="Installed spaCy pipeline that reads free text; 'none' for patterns only.",
    ),
    click.option("--config", "config_file", type=_YAML_FILE, help="Settings and limits (YAML)."),
    click.option(
        "--ledger",
        metavar="PATH|URL|none",
        default="none",
        show_default=True,
        help="Record what was found, and what is gone, in this ledger; made where it is not there.",
    ),
    click.option(
        "--observed-at",
        metavar="T|mtime",
        help="With --ledger: when this was so (RFC 3339), or each file's own time; now where left out.",
    ),
)


def _scan_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SCAN_OPTIONS):
        command = option(command)
    return command


@cli.command(epilog=_EXIT_CODES)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…")
@_scan_options
def scan(paths: tuple[str, ...], **options: Any) -> None:
    """Scan files and folders; ``-`` is standard input.

    Without a policy the report says what is there. Progress goes to standard error, and only on a terminal.
    """
    _run_scan(paths, options)


@cli.command(epilog=_EXIT_CODES)
@_scan_options
def demo(**options: Any) -> None:
    """Scan the example share that ships with sharewatch, against its example policy."""
    from scanner import resources

    if options["policy_file"] is None:
        options["policy_file"] = resources.path("examples", "policy.yaml")
    _run_scan((str(resources.path("examples", "share")),), options)


def _run_scan(paths: tuple[str, ...], options: dict[str, Any]) -> None:
    from scanner import engine

    with told_errors():
        request = _request(paths, options)
        with _progress_bar() as progress:
            report = _recorded(request, options, progress)
        _write(report, options["format_name"], options["output"])
    if report.info.interrupted:
        click.echo("sharewatch: interrupted; the report holds what was known by then", err=True)
    raise click.exceptions.Exit(engine.exit_code(report, options["fail_on"]))


def _recorded(
    request: Request, options: dict[str, Any], progress: Callable[[Progress], None] | None
) -> Report:
    """Scan, into a ledger where one is given."""
    from scanner import engine

    if options["ledger"] in (None, "none"):
        if options["observed_at"] is not None:
            fail("--observed-at needs --ledger")
        return engine.scan(request, progress)
    from scanner.surfaces import ledger_cli

    return ledger_cli.scan_into(options["ledger"], request, options, progress)


def _request(paths: tuple[str, ...], options: dict[str, Any]) -> Request:
    from scanner.engine import Request

    policy, digest = None, None
    if options["policy_file"] is not None:
        policy, digest = read_policy(options["policy_file"])
        vendor = options["vendor"]
        if vendor is not None and all(known.id != vendor for known in policy.vendors):
            known_ids = ", ".join(known.id for known in policy.vendors) or "none"
            fail(f"the policy has no vendor {vendor!r}; it has {known_ids}")
    elif options["vendor"] is not None:
        fail("--vendor needs --policy: without one there is nothing to hold the vendor to")
    return Request(
        roots=paths,
        settings=read_settings(options),
        policy=policy,
        policy_digest=digest,
        vendor=options["vendor"],
        shares=tuple(options["shares"]),
        name=options["name"],
        explain=options["explain"],
    )


def _write(report: Report, format_name: str, output: Path | None) -> None:
    from scanner.reports import registry

    chosen = registry.get(format_name)
    if output is None:
        chosen.render(report, sys.stdout.buffer if chosen.binary else sys.stdout)
        sys.stdout.flush()
        return
    with atomic_file(output) as stream:
        if chosen.binary:
            chosen.render(report, stream)
        else:
            import io

            text = io.TextIOWrapper(stream, encoding="utf-8", write_through=True)
            chosen.render(report, text)
            text.detach()


@contextmanager
def _progress_bar() -> Iterator[Callable[[Progress], None] | None]:
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("scanning", total=None)

        def show(state: Any) -> None:
            bar.update(
                task,
                total=state.total_bytes,
                completed=state.bytes,
                description=f"{state.items}/{state.total_items} items",
            )

        yield show


# -- policy ----------------------------------------------------------------------------------------------


@cli.group(cls=LazyGroup, elsewhere={"test": _POLICY, "diff": _POLICY})
def policy() -> None:
    """Write, check and explain policies."""


@policy.command("validate")
@click.argument("file", type=click.Path(path_type=Path))
def policy_validate(file: Path) -> None:
    """Check a policy file; every error and warning is told as file:line:column."""
    with told_errors():
        loaded, _ = read_policy(file)
    click.echo(f"{file}: valid; {len(loaded.vendors)} vendor(s)")


@policy.command("schema")
def policy_schema() -> None:
    """Print the JSON Schema of policy files."""
    import json

    from scanner.policy.schema import schema

    click.echo(json.dumps(schema(), indent=2))


@policy.command("explain")
@click.argument("path")
@click.option(
    "--policy", "policy_file", type=click.Path(path_type=Path), required=True, help="The policy file."
)
def policy_explain(path: str, policy_file: Path) -> None:
    """Say which vendor a path belongs to, by which rule, and what that vendor may have.

    PATH is relative to the share's root and need not exist.
    """
    from scanner.policy.explain import explain

    with told_errors():
        loaded, _ = read_policy(policy_file)
        click.echo(explain(loaded, path).text)


@policy.command("init")
@click.argument("directory", type=click.Path(path_type=Path, exists=True))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here, not to standard output; never over an existing file.",
)
@click.option("--organisation", default="My organisation", show_default=True)
@click.option("--jobs", type=click.IntRange(min=0))
def policy_init(directory: Path, output: Path | None, organisation: str, jobs: int | None) -> None:
    """Scan DIRECTORY and draft a policy from what is there, to be read and cut down by a person."""
    from scanner import engine
    from scanner.policy.draft import draft

    with told_errors():
        if output is not None and output.exists():
            fail(f"{output} is there already; choose another name")
        settings = read_settings({"jobs": jobs})
        with _progress_bar() as progress:
            report = engine.scan(engine.Request(roots=(str(directory),), settings=settings), progress)
        text = draft(report.outcomes, organisation)
        if output is None:
            click.echo(text, nl=False)
        else:
            output.write_text(text, encoding="utf-8")
            click.echo(
                f"{output}: drafted; read it, cut it down, then: "
                f"sharewatch scan {directory} --policy {output}",
                err=True,
            )


# -- rules and doctor ------------------------------------------------------------------------------------


@cli.group()
def rules() -> None:
    """List, explain and test the rules that find personal data."""


@rules.command("list")
def rules_list() -> None:
    """List every recognizer."""
    from scanner.detect.catalogue import entries

    with told_errors():
        for entry in entries():
            click.echo(f"{entry.entity_type:<34} {entry.name:<34} {entry.category or '-'}")


@rules.command("explain")
@click.argument("name")
def rules_explain(name: str) -> None:
    """Say all about one recognizer, or about those of one entity type."""
    from scanner.detect.catalogue import explain

    with told_errors():
        try:
            entry = explain(name)
        except KeyError as error:
            fail(error.args[0])
        click.echo(f"{entry.name} finds {entry.entity_type} ({entry.category or 'never personal by itself'})")
        click.echo(f"defined at    rules/recognizers/{entry.source}, run by {entry.engine}")
        click.echo(f"country       {entry.country or 'any'}")
        click.echo(f"check         {entry.check or 'none'}")
        words = ", ".join(entry.context) or "none"
        click.echo(f"context words {words}{' (needed in running text)' if entry.needs_context else ''}")
        for pattern in entry.patterns:
            click.echo(f"pattern       {pattern.name} (score {pattern.score}): {pattern.regex}")
        for example in entry.match:
            click.echo(f"must find     {example}")
        for example in entry.no_match:
            click.echo(f"must not find {example}")


@rules.command("test")
def rules_test() -> None:
    """Run the examples that every rule carries, through Presidio and through the columnar fast path."""
    from scanner.detect.catalogue import entries, run_examples

    with told_errors():
        failures = run_examples()
        for failure in failures:
            click.echo(str(failure), err=True)
        if failures:
            raise click.exceptions.Exit(1)
        click.echo(f"{len(entries())} recognizers, all examples as they must be")


@cli.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings and limits (YAML).")
def doctor(config_file: Path | None) -> None:
    """Check this installation (versions, model, rules, limits) and say how to mend what is wrong."""
    from scanner.detect.doctor import Health, checks

    with told_errors():
        settings = read_settings({"config_file": config_file})
        worst_is_bad = False
        for check in checks(settings):
            mark = {Health.OK: "ok", Health.WARN: "warn", Health.FAIL: "FAIL"}[check.health]
            click.echo(f"{mark:<5} {check.name}: {check.detail}")
            if check.health is not Health.OK and check.mend:
                click.echo(f"      mend: {check.mend}")
            worst_is_bad = worst_is_bad or check.health is Health.FAIL
    raise click.exceptions.Exit(1 if worst_is_bad else 0)
