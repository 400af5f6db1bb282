"""The installation's key: where it comes from, and the secrets that are derived from it.

Who destroys it makes every ledger that was written under it unlinkable: people's keys cannot be made again,
sketches and evidence cannot be decrypted, and the chain cannot be computed.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from scanner import keys

_CREDENTIAL = "sharewatch-ledger.key"
_COMMAND = "SHAREWATCH_LEDGER_KEY_COMMAND"
_COMMAND_SECONDS = 60


class LedgerKeyError(ValueError):
    """The installation's key is missing or wrong. ``problems`` says what to do, a sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True, repr=False)
class InstallationKey:
    """The key and where it came from.

    Attributes:
        secret: 32 bytes or more.
        source: a path or a command, for messages.
    """

    secret: bytes
    source: str

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose."""
        return keys.derive(self.secret, f"ledger {purpose}")

    @property
    def check(self) -> str:
        """What a ledger keeps to know its key again."""
        return self.derive("check").hex()


def load(beside: Path, *, create: bool) -> InstallationKey:
    """The key: from ``$SHAREWATCH_LEDGER_KEY_COMMAND``, systemd's ``$CREDENTIALS_DIRECTORY``, or a file.

    Args:
        beside: the key file, ``<ledger>.key``.
        create: whether a missing file is made, with random bytes, readable by its owner only.

    Raises:
        LedgerKeyError: there is none, or it is too short.
        KeyFileError: others may read the file, or it holds something else.
    """
    command = os.environ.get(_COMMAND)
    if command:
        return _from_command(command)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / _CREDENTIAL).is_file():
        file = Path(folder) / _CREDENTIAL
        return _checked(file.read_bytes(), str(file))
    if not beside.exists() and not create:
        raise LedgerKeyError(
            f"{beside}: the key of this ledger is not there; without it nothing in the ledger can be "
            "linked to a person, and no sketch can be read"
        )
    beside.parent.mkdir(parents=True, exist_ok=True)
    return InstallationKey(keys.load_or_create(beside), str(beside))


def _from_command(command: str) -> InstallationKey:
    try:
        done = subprocess.run(  # noqa: S603 # the operator's own command, no shell
            shlex.split(command), capture_output=True, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise LedgerKeyError(f"${_COMMAND} could not be run: {type(error).__name__}") from None
    if done.returncode:
        raise LedgerKeyError(f"${_COMMAND} ended with status {done.returncode}")
    return _checked(done.stdout, f"${_COMMAND}")


def _checked(secret: bytes, source: str) -> InstallationKey:
    if len(secret) < keys.SIZE:
        raise LedgerKeyError(f"{source}: a key must have at least {keys.SIZE} bytes")
    # Commands end their output with a line break; 32 random bytes are taken as they are.
    kept = secret if len(secret) == keys.SIZE else hashlib.sha256(secret.rstrip(b"\r\n")).digest()
    return InstallationKey(kept, source)
