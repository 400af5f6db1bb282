"""Signatures: what counts as the same file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scanner.sources.identity import Signature, sign


def test_a_file_is_the_same_until_something_is_done_to_it(tmp_path: Path) -> None:
    """Written, replaced, renamed, linked, changed mode: each differs; reading does not."""
    file = tmp_path / "a"
    file.write_text("one")
    before = sign(file)
    file.read_text()
    assert sign(file).is_same(before)
    os.utime(file, ns=(before.mtime_ns, before.mtime_ns))  # somebody hides a change behind its old time
    after = sign(file)
    assert not after.is_same(before)
    assert after.has_same_content(before)
    (tmp_path / "b").write_text("two")
    (tmp_path / "b").replace(file)
    assert not sign(file).has_same_content(before)


def test_hard_links_are_one_file(tmp_path: Path) -> None:
    """Both places have one signature, which says how many there are."""
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert sign(tmp_path / "a") == sign(tmp_path / "b")
    assert sign(tmp_path / "a").links == 2


@pytest.mark.parametrize("seconds", [-5, 0, 10**10])
def test_any_time_will_do(tmp_path: Path, seconds: int) -> None:
    """Before 1970, then, and in the far future."""
    file = tmp_path / "a"
    file.write_text("x")
    os.utime(file, (seconds, seconds))
    assert sign(file).mtime_ns == seconds * 10**9
    assert sign(file).is_same(sign(file))


def test_another_mount_of_the_same_files_changes_nothing() -> None:
    """The number of a device is another after each mount of a network file system."""
    before = Signature(40, 7, 3, 1, 2)
    assert Signature(41, 7, 3, 1, 2).is_same(before)
    assert not Signature(40, 8, 3, 1, 2).is_same(before)


def test_a_missing_file_has_none(tmp_path: Path) -> None:
    """The system's error goes through."""
    with pytest.raises(FileNotFoundError):
        sign(tmp_path / "a")
