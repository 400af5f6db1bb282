"""The installation's secret, and keys for one purpose each that are made from it.

One file of 32 random bytes in hexadecimal, readable by its owner alone. What is hashed under a key made of it
cannot be linked to anything once the file is gone.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

#: Bytes of the secret, and of every key that is made from it.
SIZE = 32
#: RFC 5869 with SHA-256: where no salt is given it is a block of zeros.
_NO_SALT = b"\0" * hashlib.sha256().digest_size


class KeyFileError(ValueError):
    """The key file cannot be used. ``problems`` has one sentence for a person."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problems = (problem,)


def default_path(environment: Mapping[str, str] | None = None) -> Path:
    """Where the key lies when nothing else is said: below the user's folder for state.

    See the XDG Base Directory Specification 0.8, ``XDG_STATE_HOME``.
    """
    environment = os.environ if environment is None else environment
    state = environment.get("XDG_STATE_HOME", "")
    folder = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return folder / "sharewatch" / "key"


def load_or_create(path: Path) -> bytes:
    """The secret in a key file, which is made, mode 0600, where there is none.

    Of several processes that make it at the same time one wins, and all get its secret.

    Returns:
        `SIZE` bytes.

    Raises:
        KeyFileError: others than the owner may read it, or it holds something else.
        OSError: it cannot be read or made.
    """
    try:
        return _load(path)
    except FileNotFoundError:
        _create(path)
        return _load(path)


def derive(key: bytes, purpose: str) -> bytes:
    """A key for one purpose: HKDF with SHA-256 (RFC 5869), ``purpose`` as its info.

    Args:
        key: the secret, or a key made from it.
        purpose: what it is for; different purposes give keys that tell nothing of each other.

    Returns:
        `SIZE` bytes.
    """
    extracted = hmac.digest(_NO_SALT, key, "sha256")
    return hmac.digest(extracted, purpose.encode("utf-8") + b"\x01", "sha256")


def _load(path: Path) -> bytes:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise KeyFileError(f"{path}: the key file is not a regular file")
        if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise KeyFileError(f"{path}: others may read the key file; do: chmod 600 {path}")
        text = file.read(4 * SIZE)
    try:
        secret = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != SIZE:
        raise KeyFileError(f"{path}: the key file does not hold {SIZE} bytes in hexadecimal")
    return secret


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(SIZE).encode("ascii") + b"\n")
            file.flush()
            os.fsync(handle)
        # A link, unlike a rename, does not replace what another process made in the meantime.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
