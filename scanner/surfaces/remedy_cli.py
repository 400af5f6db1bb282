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


COMMANDS: tuple[click.Command, ...] = (minimise,)
