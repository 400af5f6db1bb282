"""The lock: every distribution that the package carries, by version and hashes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

#: Databases that a ledger may be kept in are part of the package.
EXTRAS = "postgresql"

_HEADER = """\
# Everything the packages carry besides sharewatch itself. Written by `python packaging/build.py lock`.
"""


def lock_for(python: Path, here: Path) -> Path:
    """The lock of an interpreter: hashes are those of the files for its version and machine."""
    ask = "import platform, sys; print('cp%d%d-%s' % (*sys.version_info[:2], platform.machine()))"
    tag = subprocess.run([python, "-c", ask], check=True, capture_output=True, text=True).stdout.strip()
    return here / f"requirements-{tag}.lock"


def write(python: Path, project: Path, lock: Path) -> None:
    """Resolve the project's dependencies for an interpreter and write them with their hashes."""
    with tempfile.TemporaryDirectory(prefix="sharewatch-lock-") as folder:
        bare = Path(folder) / "venv"
        subprocess.run([python, "-m", "venv", "--without-pip", bare], check=True)
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "--quiet", "--python", str(bare / "bin/python"), "install"]
        command += ["--dry-run", "--ignore-installed", "--only-binary", ":all:", "--report", str(report)]
        subprocess.run([*command, f"{project}[{EXTRAS}]"], check=True)
        found = json.loads(report.read_text())["install"]
    lines = [_line(each) for each in found if each["metadata"]["name"] != "sharewatch"]
    lock.write_text(_HEADER + "".join(sorted(lines, key=str.lower)))


def _line(each: dict[str, Any]) -> str:
    metadata, archive = each["metadata"], each["download_info"]["archive_info"]
    digest = archive["hashes"]["sha256"]
    return f"{metadata['name']}=={metadata['version']} --hash=sha256:{digest}\n"
