"""The RPM package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from debian import conffiles, version
from tree import Facts


def build(root: Path, facts: Facts, here: Path, work: Path, out: Path, level: int) -> Path:
    """Build it from a staged tree, compressed by zstd at a level; gives the file."""
    top = work / "rpm"
    for name in ("BUILD", "RPMS", "SPECS", "BUILDROOT"):
        (top / name).mkdir(parents=True)
    spec = top / "SPECS/sharewatch.spec"
    text = (here / "redhat/sharewatch.spec.in").read_text()
    config = "".join(f"%config(noreplace) %attr({_attributes(each)}) /{each}\n" for each in conffiles(root))
    values = {"VERSION": version(facts.version), "PYTHON": facts.python, "TREE": str(root), "CONFIG": config}
    values["LEVEL"] = str(level)
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    spec.write_text(text)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(facts.moment)}
    command = ["rpmbuild", "--quiet", "-bb", "--define", f"_topdir {top}", str(spec)]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    made = next((top / "RPMS").rglob("*.rpm"))
    file = out / made.name
    shutil.move(made, file)
    return file


def _attributes(path: str) -> str:
    private = path.startswith("etc/sharewatch/")
    return "0640, root, sharewatch" if private else "0644, root, root"
