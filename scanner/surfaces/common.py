"""What all commands share: settings and policies from files, and errors as sentences and exit codes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import click

if TYPE_CHECKING:
    from scanner.config import Settings

USAGE_ERROR = 2
#: Where a command's document goes.
OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here, not to standard output.",
)
#: What a shell gives for SIGPIPE.
PIPE_CLOSED = 141


class LazyGroup(click.Group):
    """A group some of whose commands lie in other modules, imported when they are asked for.

    Args:
        elsewhere: module by command name; the module's ``COMMANDS`` has the command of that name.
    """

    def __init__(self, *args: Any, elsewhere: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.elsewhere = elsewhere

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return sorted({*super().list_commands(ctx), *self.elsewhere})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, None where there is none of that name."""
        if cmd_name not in self.elsewhere:
            return super().get_command(ctx, cmd_name)
        commands: tuple[click.Command, ...] = import_module(self.elsewhere[cmd_name]).COMMANDS
        return next(command for command in commands if command.name == cmd_name)


def read_settings(options: dict[str, Any]) -> Settings:
    """Settings from the file, the environment and the flags among a command's options."""
    from scanner.config import load

    flags = {key: options.get(key) for key in ("jobs", "locate", "model")}
    return load(options.get("config_file"), flags=flags | {"exclude": options.get("exclude") or None})


def read_policy(file: Path) -> tuple[Any, str]:
    """The policy and its digest; what is amiss but not wrong goes to standard error."""
    import hashlib

    from scanner.policy.loading import load

    loaded = load(file)
    for warning in loaded.warnings:
        click.echo(warning, err=True)
    digest = hashlib.sha256(file.read_bytes())
    for contract in loaded.contracts:
        digest.update(Path(contract).read_bytes())
    return loaded.policy, f"sha256:{digest.hexdigest()}"


@contextmanager
def told_errors() -> Iterator[None]:
    """What is wrong with the command, its files or this installation, as sentences; never a traceback."""
    from scanner.config import ConfigError
    from scanner.sources.walk import RootError

    try:
        yield
    except (click.ClickException, click.exceptions.Exit):
        raise
    except BrokenPipeError:
        # Whoever read our output has gone (``| head``); nothing more to say, and nowhere to say it. Not 0: a
        # report that did not arrive is not a clean one. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise click.exceptions.Exit(PIPE_CLOSED) from None
    except (ConfigError, RootError) as error:
        fail(*error.problems)
    except FileNotFoundError as error:
        fail(f"{error.filename or error}: no such file" if error.filename else str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:
        # Policy and rule errors list their problems; their classes are imported only where they are used.
        problems = getattr(error, "problems", None)
        if problems:
            fail(*(str(problem) for problem in problems))
        if type(error).__name__ == "ModelError":
            fail(str(error))
        raise


def fail(*problems: str) -> NoReturn:
    """End the command with status 2 and these sentences on standard error."""
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    raise click.exceptions.Exit(USAGE_ERROR)


def one_or_two_times(as_of: str | None, start: str | None, end: str | None) -> None:
    """See that a command is asked about a moment or about a time, not about both."""
    if as_of is not None and (start is not None or end is not None):
        fail("--as-of is one moment, --from and --to are two: give the one or the others")


@contextmanager
def atomic_file(output: Path) -> Iterator[BinaryIO]:
    """A file that is there whole or not at all, and that only its owner may read.

    A device or a pipe is written to as it is: root would put a file in the place of ``/dev/null``.
    """
    import tempfile

    if output.exists() and not output.is_file() and not output.is_dir():
        with output.open("wb") as device:
            yield device
        return
    folder = output.resolve().parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{output.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        Path(name).replace(output)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
