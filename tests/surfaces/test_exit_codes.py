"""The installed command ends with the status that its help promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scanner import resources

COMMAND = [sys.executable, "-c", "from scanner.surfaces.cli import main; main()"]
SHARE = resources.path("examples", "share")


def _status(*arguments: str | Path) -> int:
    return subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, check=False).returncode


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("version",), 0),
        (("--help",), 0),
        (("scan", SHARE / "partway" / "catalogue.sqlite"), 0),
        (("scan", SHARE / "upload", "--fail-on", "allowed"), 1),
        (("scan",), 2),
        (("scan", SHARE / "no such folder"), 2),
        (("scan", SHARE, "--policy", SHARE / "no such policy"), 2),
        (("rules", "explain", "NoSuchRule"), 2),
        (("scan", SHARE / "partway" / "tender"), 3),
    ],
)
def test_status(arguments: tuple[str | Path, ...], status: int) -> None:
    """Zero is only for what is complete and clean."""
    assert _status(*arguments) == status


def test_nothing_to_scan(tmp_path: Path) -> None:
    """An empty folder has a status of its own: a gate must not take it for a clean delivery."""
    assert _status("scan", tmp_path) == 4
