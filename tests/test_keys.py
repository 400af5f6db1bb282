"""The installation's secret: made once, private, and the root of keys that tell nothing of each other."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scanner.keys import SIZE, KeyFileError, default_path, derive, load_or_create


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """The second call gives the same; the file is 0600, whatever the mask, and nothing lies beside it."""
    file = tmp_path / "state" / "key"
    before = os.umask(0)
    try:
        secret = load_or_create(file)
    finally:
        os.umask(before)
    assert len(secret) == SIZE
    assert load_or_create(file) == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    assert bytes.fromhex(file.read_text()) == secret


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    """It is random."""
    assert load_or_create(tmp_path / "a") != load_or_create(tmp_path / "b")


def test_all_who_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    """Nobody's secret is replaced by a later one."""
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(load_or_create, [tmp_path / "key"] * 32))
    assert len(secrets) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    """The message says how to mend it, and not what the secret is."""
    file = tmp_path / "key"
    secret = load_or_create(file)
    file.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600") as error:
        load_or_create(file)
    assert secret.hex() not in str(error.value)


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "\ufffd"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    """A short or foreign file is never taken for a secret, nor replaced."""
    file = tmp_path / "key"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(KeyFileError, match="32 bytes"):
        load_or_create(file)
    assert file.read_text(encoding="utf-8") == text


def test_a_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    """Nobody writes to it, and nobody waits."""
    os.mkfifo(tmp_path / "key", 0o600)
    with pytest.raises(KeyFileError, match="regular"):
        load_or_create(tmp_path / "key")


def test_keys_are_those_of_hkdf() -> None:
    """RFC 5869, appendix A.3: no salt and no info; the first 32 of its 42 bytes."""
    expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
    assert derive(b"\x0b" * 22, "").hex() == expected


def test_purposes_are_kept_apart() -> None:
    """Neither another purpose nor another secret gives the same key."""
    made = {derive(key, purpose) for key in (b"a" * 32, b"b" * 32) for purpose in ("people", "tokens:acme")}
    assert len(made) == 4
    assert derive(b"a" * 32, "people") in made


@pytest.mark.parametrize(
    ("state", "expected"), [("/var/state", "/var/state"), ("relative", None), ("", None)]
)
def test_the_default_is_in_the_users_state(state: str, expected: str | None) -> None:
    """A relative folder is no folder, as the specification says."""
    folder = Path(expected) if expected else Path.home() / ".local" / "state"
    assert default_path({"XDG_STATE_HOME": state}) == folder / "sharewatch" / "key"
