"""Secrets of sinks: from a file of their own or from systemd's credentials, never from the configuration."""

from __future__ import annotations

import os
import stat
from pathlib import Path

#: Longer files hold no secret.
_MOST = 64 << 10


class SecretError(ValueError):
    """A secret cannot be read; the message says why and never quotes it."""


def located(file: str | None, credential: str | None) -> Path:
    """Where a secret lies.

    Args:
        file: absolute path.
        credential: name of a credential (``LoadCredential=`` of the unit).

    Raises:
        SecretError: neither or both are given, or there are no credentials.
    """
    if (file is None) == (credential is None):
        raise SecretError("needs either a file or a credential of systemd")
    if file is not None:
        return Path(file)
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise SecretError("is a credential, and systemd gave none (LoadCredential= in the unit)")
    return Path(folder) / str(credential)


def read(path: Path) -> str:
    """A secret's text without the white space around it. Read anew each time, so that it may be changed.

    Raises:
        SecretError: it cannot be read, is empty, is no text, or everybody may read it.
    """
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            data = stream.read(_MOST + 1)
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror or type(error).__name__}") from None
    if mode & 0o007:
        raise SecretError(f"{path}: may be read by everybody; chmod o= it")
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise SecretError(f"{path}: is not text") from None
    if not text or len(data) > _MOST:
        raise SecretError(f"{path}: {'is empty' if not text else 'is too long for a secret'}")
    return text


def read_word(path: Path) -> str:
    """A secret that goes into a header: one line of printable ASCII.

    Raises:
        SecretError: it is not, or cannot be read.
    """
    text = read(path)
    if not text.isascii() or not text.isprintable():
        raise SecretError(f"{path}: must be one line of printable ASCII")
    return text


def problems(setting: str, file: str | None, credential: str | None) -> list[tuple[str, str]]:
    """What is wrong with a secret of one line now: the setting, and why."""
    try:
        read_word(located(file, credential))
    except SecretError as error:
        return [(setting, str(error))]
    return []
