"""Commands that make less of what was shared: ``minimise``, ``quarantine``, ``release``, ``gate``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.surfaces.common import USAGE_ERROR, fail, read_policy, read_settings, told_errors

if TYPE_CHECKING:
    from scanner.minimise import Result
    from scanner.remedy.base import FieldPlan, PartPlan

UNREAD = 3

_FILE = click.Path(path_type=Path)
_POLICY = click.option(
    "--policy", "policy_file", type=_FILE, required=True, help="Policy: which vendor may have what."
)
_CONFIG = click.option("--config", "config_file", type=_FILE, help="Settings and limits (YAML).")
_MODEL = click.option(
    "--model", metavar="NAME", help="Installed spaCy pipeline that reads free text; 'none' for patterns only."
)
_KEY_FILE = click.option(
    "--key-file",
    type=_FILE,
    help="The installation's secret, made when missing. Default: sharewatch/key in the user's state folder.",
)

_MINIMISE_CODES = """
\b
Exit codes:
  0  the copy was written, and a scan under the same policy found it clean
  2  usage or policy error, or a file that cannot be written anew or made clean
  3  the file could not be read in full
"""


@click.command(epilog=_MINIMISE_CODES)
@click.argument("file", type=_FILE)
@click.option("--vendor", metavar="ID", required=True, help="The vendor that the copy is for.")
@_POLICY
@click.option("-o", "--output", type=_FILE, required=True, help="Where the copy goes.")
@_KEY_FILE
@_CONFIG
@_MODEL
def minimise(
    file: Path, vendor: str, policy_file: Path, output: Path, key_file: Path | None, **options: Any
) -> None:
    """Write the smallest copy of FILE that a vendor may have, in the same format.

    Over-shared fields are dropped, or put into a form that the policy allows; running text is redacted in
    place. The copy is scanned before it is handed out; one that is not clean is removed.
    """
    from scanner import keys
    from scanner.minimise import Request
    from scanner.minimise import minimise as run

    with told_errors():
        policy, _ = read_policy(policy_file)
        settings = read_settings(options)
        if not file.exists():
            fail(f"{file}: no such file")
        key = keys.load_or_create(key_file or keys.default_path())
        result = _told(lambda: run(Request(file, output, policy, vendor, key, settings)))
        _tell(result)


def _told(work: Callable[[], Any]) -> Any:
    """What ``work`` gives; its refusals as messages and exit codes."""
    from scanner.remedy.faults import RemedyError

    try:
        return work()
    except RemedyError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        raise click.exceptions.Exit(UNREAD if error.unread else USAGE_ERROR) from None
    except ValueError as error:
        fail(str(error))


def _tell(result: Result) -> None:
    if not result.changes:
        kept = "what the file shows" if result.anew else "what the file holds"
        click.echo(f"{result.output}: nothing was over-shared; the copy holds {kept}")
        return
    number = len(result.changes)
    click.echo(f"{result.output}: clean; {number} field{'' if number == 1 else 's'} made smaller")
    for part, planned in result.changes:
        click.echo(
            f"  {_done(planned):<10} {_place(part, planned)}: {planned.rows:,} rows ({_categories(planned)})"
        )
    click.echo(f"{result.values:,} values of people removed or disguised (fields x rows)")
    if result.queries:
        click.echo("\nThe export that would have been right:\n")
        click.echo("\n\n".join(result.queries))


def _done(planned: FieldPlan) -> str:
    from scanner.remedy.base import Do

    treatment = planned.treatment
    if treatment.form is not None:
        return str(treatment.form)
    return "dropped" if treatment.do is Do.DROP else "redacted"


def _place(part: PartPlan, planned: FieldPlan) -> str:
    from scanner.model import printable

    if part.columns is None or part.name == "-":
        return printable(planned.name)
    return printable(f"{part.name}.{planned.name}")


def _categories(planned: FieldPlan) -> str:
    from scanner.policy.categories import label

    return ", ".join(label(category, 2) for category in planned.categories) or "hidden"


# -- quarantine ------------------------------------------------------------------------------------------

_STORE = click.option(
    "--store",
    type=_FILE,
    help="The quarantine, out of vendors' reach. Default: sharewatch/quarantine in the user's state folder.",
)


def _store(given: Path | None) -> Path:
    from scanner import keys

    return given or keys.default_path().with_name("quarantine")


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--reason", default="it holds what should not be shared", show_default=True, help="For the note."
)
@_STORE
def quarantine(file: Path, reason: str, store: Path | None) -> None:
    """Move FILE out of a vendor's reach, and leave a note where it lay.

    It keeps its bytes, owner, mode and time; `release` puts it back.
    """
    from scanner.remedy import quarantine as store_of

    with told_errors():
        record = _told(lambda: store_of.take(file, _store(store), reason))
        click.echo(f"{file}: in quarantine as {record.id}")


@click.command()
@click.argument("id", required=False)
@_STORE
def release(id: str | None, store: Path | None) -> None:  # noqa: A002 # what the user calls it
    """Put a file back from quarantine where it lay; without an ID, list what is there."""
    from scanner.model import printable
    from scanner.remedy import quarantine as store_of

    with told_errors():
        if id is None:
            for record in _told(lambda: store_of.records(_store(store))):
                click.echo(f"{record.id}  {record.at}  {printable(record.path)}: {record.reason}")
            return
        record = _told(lambda: store_of.release(id, _store(store)))
        click.echo(f"{printable(record.path)}: released")


# -- the gate --------------------------------------------------------------------------------------------

_GATE_CODES = """
\b
Exit codes:
  0  everything went through clean
  1  something was held back or let through by an override, being over-shared or to be reviewed
  2  usage or policy error, or a file that could not be moved
  3  something was held back, or let through by an override, that could not be read in full
  4  nothing in staging
"""


@click.command(epilog=_GATE_CODES)
@click.argument("staging", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("outbound", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_POLICY
@click.option("--vendor", metavar="ID", help="Judge everything as meant for this vendor.")
@click.option(
    "--override", is_flag=True, help="Let through what is not clean as well. Logged; needs --reason."
)
@click.option("--reason", help="Why an override is right.")
@_CONFIG
@_MODEL
def gate(
    staging: Path,
    outbound: Path,
    policy_file: Path,
    vendor: str | None,
    override: bool,
    reason: str | None,
    **options: Any,
) -> None:
    """Move what is clean from STAGING to OUTBOUND; hold the rest back, and say why."""
    from scanner.gate import Request, run

    with told_errors():
        if override and not (reason or "").strip():
            fail("--override needs --reason TEXT")
        if reason is not None and not override:
            fail("--reason is for --override")
        policy, _ = read_policy(policy_file)
        settings = read_settings(options)
        request = Request(staging, outbound, policy, vendor, reason if override else None, settings)
        decisions = _told(lambda: run(request))
        for decision in decisions:
            click.echo(f"{decision.passage:<10} {decision.path}")
            for sentence in decision.reasons:
                click.echo(f"           {sentence}")
    raise click.exceptions.Exit(_gate_code(decisions))


def _gate_code(decisions: tuple[Any, ...]) -> int:
    if not decisions:
        return 4
    if any(each.passage == "failed" for each in decisions):
        return USAGE_ERROR
    verdicts = {each.verdict for each in decisions}
    if verdicts & {"over_shared", "needs_review"}:
        return 1
    return UNREAD if "unverifiable" in verdicts else 0


COMMANDS: tuple[click.Command, ...] = (minimise, quarantine, release, gate)
