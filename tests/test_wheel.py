"""The built package works without a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
#: Run beside the unpacked wheel: where does the program find what ships with it?
PROBE = """
import pathlib, scanner, sys
from scanner import resources
home = pathlib.Path(sys.argv[1])
assert pathlib.Path(scanner.__file__).is_relative_to(home), scanner.__file__
for parts in [("rules", "categories.yaml"), ("examples", "share"), ("examples", "policy.yaml")]:
    found = resources.path(*parts)
    assert found.is_relative_to(home), found
files = {p.relative_to(home / "scanner" / "_data").as_posix()
         for p in (home / "scanner" / "_data").rglob("*") if p.is_file() and p.suffix != ".pyc"}
print("\\n".join(sorted(files)))
print(resources.rules_digest())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel, built from this checkout without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (file,) = folder.glob("*.whl")
    home = folder / "unpacked"
    with zipfile.ZipFile(file) as bundle:
        bundle.extractall(home)
    return home


def test_rules_and_examples_are_found_in_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Every file of `rules/` and of the example share is where `scanner.resources` looks for it."""
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, str(wheel)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert probe.returncode == 0, probe.stderr
    *shipped, _digest = probe.stdout.splitlines()
    for folder in ("rules", "examples/share"):
        here = {
            p.relative_to(REPOSITORY).as_posix()
            for p in (REPOSITORY / folder).rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        }
        assert here == {name for name in shipped if name.startswith(folder + "/")}


def test_the_wheel_has_its_licence_and_no_tests(wheel: Path) -> None:
    """What is not the program stays out."""
    names = {path.relative_to(wheel).parts[0] for path in wheel.rglob("*")}
    assert {name for name in names if not name.endswith(".dist-info")} == {"scanner"}
    assert list(wheel.glob("*.dist-info/licenses/LICENSE"))
