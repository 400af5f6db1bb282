"""The documentation is true: what it tells to do is done here, in a copy of the project."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.config import Limits, Settings
from tests.docs_blocks import apply, blocks, commands, patched, section

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
COPIED = ("scanner", "rules", "tests/readers", "tests/corpus", "tests/__init__.py", "pyproject.toml")


def _read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the project to change."""
    root = tmp_path / "project"
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    return root


def _run(root: Path, command: list[str]) -> str:
    """Run a command of the documentation on the copy; its standard output."""
    program = {
        "sharewatch": [sys.executable, "-c", "from scanner.surfaces.cli import main; main()"],
        "python": [sys.executable],
    }[command[0]]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*program, *command[1:]], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _follow(root: Path, heading: str) -> list[str]:
    """Do all that a section says; what its commands print."""
    text = section(_read("architecture.md"), heading)
    for block in blocks(text):
        if block.title:
            apply(block, root)
    return [_run(root, command) for command in commands(text)]


def _fields(report: str) -> dict[str, dict[str, str]]:
    """The rows of a CSV report that are fields with an entity, by column."""
    rows = csv.DictReader(io.StringIO(report.removeprefix("\ufeff")))
    return {row["column"]: row for row in rows if row["record"] == "field" and row["entity_type"]}


def test_the_walk_through_of_a_reader(copy: Path) -> None:
    """Whoever follows "Add a reader" has a reader that passes the golden cases and finds what is there."""
    *_, report = _follow(copy, "Add a reader")
    found = _fields(report)
    assert {name: row["entity_type"] for name, row in found.items() if name != "dn"} == {
        "cn": "PERSON",
        "mail": "EMAIL_ADDRESS",
        "telephoneNumber": "PHONE_NUMBER",
    }
    assert {row["format"] for row in found.values()} == {"ldif"}


def test_the_walk_through_of_a_recognizer(copy: Path) -> None:
    """Whoever follows "Add a recognizer" has a type of their own, tested, explained and found."""
    _tested, explained, report = _follow(copy, "Add a recognizer")
    assert "LOYALTY_CARD" in explained
    row = _fields(report)["bonus card"]
    assert (row["entity_type"], row["category"]) == ("LOYALTY_CARD", "user.unique_id")
    assert (row["rows"], row["distinct"]) == ("4", "4")


def test_a_wrong_recognizer_fails_its_examples(copy: Path) -> None:
    """The walk-through's `rules test` would have told: an example that does not match is an error."""
    text = section(_read("architecture.md"), "Add a recognizer")
    for block in blocks(text):
        if block.title and block.title.startswith("rules/"):
            apply(dataclasses.replace(block, text=block.text.replace("- EX-20417733\n", "- XX-1\n")), copy)
    with pytest.raises(AssertionError, match="LoyaltyCard"):
        _run(copy, ["sharewatch", "rules", "test"])


def test_a_change_that_no_longer_fits_is_noticed() -> None:
    """The lines around a change must be in the file, once."""
    assert patched("a\nb\nc\n", " b\n+x\n c\n") == "a\nb\nx\nc\n"
    with pytest.raises(AssertionError):
        patched("a\nc\n", " b\n+x\n")
    with pytest.raises(AssertionError):
        patched("b\nb\n", " b\n+x\n")


def _default(value: object) -> str:
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`" if value else "*(none)*"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


@pytest.mark.parametrize(("kind", "prefix"), [(Settings, ""), (Limits, "limits.")])
def test_every_setting_is_documented(kind: type[Settings] | type[Limits], prefix: str) -> None:
    """Each field has a row of its own, with its default."""
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.+?) \|", _read("configuration.md"), re.MULTILINE))
    fields = {prefix + each.name: getattr(kind(), each.name) for each in dataclasses.fields(kind)}
    documented = {name for name in rows if name.startswith("limits.") == bool(prefix)}
    assert documented == set(fields)
    for name, value in fields.items():
        if not dataclasses.is_dataclass(value):
            assert rows[name] == _default(value), name


@pytest.mark.parametrize("name", ["docs/policy.md", "README.md"])
def test_policies_in_the_documents_are_valid(name: str, tmp_path: Path) -> None:
    """A policy that somebody copies from the documentation loads, without a warning."""
    from scanner.policy.loading import load

    found = [b for b in blocks((REPOSITORY / name).read_text(encoding="utf-8")) if "vendors:" in b.text]
    assert found
    for block in found:
        file = tmp_path / "policy.yaml"
        file.write_text(block.text, encoding="utf-8")
        assert load(file).warnings == ()


def test_the_example_configuration_is_valid(tmp_path: Path) -> None:
    """The settings file of the documentation loads."""
    from scanner.config import load

    (block,) = [b for b in blocks(_read("configuration.md")) if b.kind == "yaml"]
    file = tmp_path / "settings.yaml"
    file.write_text(block.text, encoding="utf-8")
    assert load(file, environment={}).limits.memory_mb == 2048


def test_links_between_documents_lead_somewhere() -> None:
    """Every relative link of the documents names a file of the project."""
    for document in [*DOCS.glob("*.md"), *REPOSITORY.glob("*.md"), REPOSITORY / "bench" / "README.md"]:
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name}: {target}"
