"""The compiled loops: results as without them, nothing read outside of a buffer, built or left out."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import native
from scanner.detect import kernels, lexicon, vectors
from scanner.detect.cells import Cells
from scanner.detect.hashing import ColumnHasher
from tests import needs

REPOSITORY = Path(__file__).resolve().parent.parent
HASHER = ColumnHasher(bytes(range(32)))
Result = TypeVar("Result")

signs = st.text(alphabet="aZk09@.-_+:/ xXLé漢\0", max_size=40)
any_text = st.text(st.characters(exclude_categories=("Cs",)), max_size=70)
columns = st.lists(signs | any_text, min_size=1, max_size=30)


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if not native.ready():
        needs.missing("a C compiler", "apt-get install gcc libc6-dev, then `make venv` anew")


def both(compute: Callable[[], Result]) -> tuple[Result, Result]:
    """What is computed with the compiled loops, and without."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "ready", lambda: False)
        without = compute()
    return compute(), without


def made(values: Sequence[str]) -> Cells:
    return Cells.of(pa.array(values, pa.string()), np.arange(len(values)), HASHER, repeating=False)


def same(compute: Callable[[], Sequence[object]]) -> None:
    found, expected = both(compute)
    assert list(found) == list(expected)


@given(values=columns, start=st.integers(0, 5))
def test_hashes_are_the_same(values: list[str], start: int) -> None:
    """Of whole arrays and of slices, of short and long cells, of the last cell of a buffer."""
    array = pa.array(values, pa.large_string()).slice(start)
    same(lambda: HASHER.hash(array).tolist())


@given(words=st.lists(any_text | st.text(max_size=400), max_size=20))
def test_hashes_of_words_are_the_same(words: list[str]) -> None:
    """Of words that lexicons have, and of longer ones, which they have not."""
    same(lambda: lexicon.hash_words([*words, "x" * 160, "x" * 161, "\ud800", ""]).tolist())


@given(values=columns)
def test_counts_are_the_same(values: list[str]) -> None:
    """Bytes of each class, in each value and in all."""

    def count() -> list[object]:
        cells = made(values)
        kinds = ("digit", "letter", "colon", "dash", "dot", "at", "space", "beyond ascii")
        each = [cells.how_many(kind).tolist() for kind in kinds]
        return [*each, *map(cells.total, kinds), *map(cells.any, kinds), cells.occurrences(64)]

    same(count)


def test_totals_of_many_cells_do_not_run_over() -> None:
    """Of cells as long as can be counted, and of one byte more, where numpy takes over."""
    for length, count in ((255, 1000), (256, 300), (1, 70_000)):
        cells = made(["7" * length] * count)
        assert (cells._all_counts is None) == (length > native.COUNTED)
        assert cells.total("digit") == length * count
        assert set(cells.digits.tolist()) == {length}


@given(values=columns, pattern=st.sampled_from(["[0-9]", r"^[^0-9@]+$", r"\S", "[x-z]", "."]))
def test_sets_of_bytes_are_the_same(values: list[str], pattern: str) -> None:
    """Which values hold a byte of a set, or none of it."""
    same(lambda: made(values).search(pattern).tolist())


@given(values=columns, length=st.integers(1, 20), some=st.integers(1, 3))
def test_runs_are_exact(values: list[str], length: int, some: int) -> None:
    """Compiled, they are found exactly; without, no value that has one is left out."""
    cells = made(values)
    among = np.arange(len(cells.values)) % some == 0
    found, at_least = both(lambda: cells.may_run(("digit", "letter"), length, among).tolist())
    for value, asked, exact, may in zip(cells.values.to_pylist(), among, found, at_least, strict=True):
        marks = "".join("x" if c.isascii() and c.isalnum() else " " for c in value)
        assert exact == bool(asked and "x" * length in marks)
        assert may or not exact


local = st.text("abZ09._+-", min_size=1, max_size=66)
host = st.text("aZ0-.", max_size=70)
endings = st.sampled_from(
    ["com", "de", "js", "py", "Com", "info", "c", "ts", "test", "example", "d3", "orgx"]
)
addresses = st.builds("{}@{}.{}".format, local, host, endings)


@given(values=st.lists(addresses | signs, min_size=1, max_size=12))
def test_plain_addresses_are_those_of_the_pattern(values: list[str]) -> None:
    """Neither the compiled check nor the one by vectors takes another address than the pattern does."""
    cells = made([*values, f"a@{'b' * 63}.com", f"a@{'b' * 64}.com", f"{'a' * 64}@b.com", "a@b.c.d.e.com"])
    every = np.ones(len(cells.values), dtype=bool)
    found, without = both(lambda: vectors.email(cells, every)[0].tolist())
    assert found == without == cells.search(vectors.EMAIL).tolist()
    assert not native.emails(cells.data, cells.offsets, ~every).any()


vehicles = st.text("019AHLXZIO5", min_size=16, max_size=18) | st.sampled_from(
    ["1HGCM82633A004352", "11111111111111111", "WVWZZZ1JZXW000001", "1M8GDM9AXKP042788"]
)


@given(values=st.lists(vehicles | signs, min_size=1, max_size=20))
def test_numbers_of_vehicles_are_the_same(values: list[str]) -> None:
    """Sure and refused ones, with check digit and without."""
    cells = made([*values, "1M8GDM9AXKP042788"])
    every = np.ones(len(cells.values), dtype=bool)
    found, without = both(lambda: [flags.tolist() for flags in vectors.vin(cells, every)])
    assert found == without
    assert found[0][-1]


@given(values=st.lists(addresses | vehicles | signs, min_size=1, max_size=20))
def test_possible_values_that_match_are_the_same(values: list[str]) -> None:
    """What kernels find in the end does not depend on which loops looked for it."""
    from scanner.config import Settings

    def found() -> list[object]:
        cells = made(values)
        every = np.ones(len(cells.values), dtype=bool)
        out = []
        for kernel in kernels.EVERYWHERE:
            possible = kernel.possible(cells, every)
            matched, _ = kernels.matches(kernel.entity_type, cells, possible, Settings())
            out.append(matched.tolist())
        return out

    same(found)


@pytest.mark.parametrize("offsets", [[0, 9], [3, 1], [-1, 2], [0, 5, 4], [0, 2**62], [2**63 - 1, 0]])
def test_offsets_that_do_not_fit_are_refused(offsets: list[int]) -> None:
    """As a damaged file may have them: nothing is read outside of the bytes."""
    data, cells = np.frombuffer(b"a@b.com ", np.uint8), np.array(offsets, np.int64)
    flags, every = np.zeros(256, dtype=bool), np.ones(len(cells) - 1, dtype=bool)
    numbers = np.zeros(256, np.uint64)
    asked: list[Callable[[], object]] = [
        lambda: native.hashes(data, cells, numbers[:4]),
        lambda: native.words(data, cells, numbers[:20], 1),
        lambda: native.counts(data, cells, numbers),
        lambda: native.holding(data, cells, flags),
        lambda: native.runs(data, cells, every, flags, 3),
        lambda: native.emails(data, cells, every),
        lambda: native.vins(data, cells, every, np.zeros(256, np.uint16), np.zeros(17, np.uint8)),
    ]
    for ask in asked:
        with pytest.raises(ValueError, match="do not fit"):
            ask()


def test_flags_of_other_cells_are_refused() -> None:
    """One flag for each cell, no fewer."""
    data, cells = np.frombuffer(b"ab", np.uint8), np.array([0, 1, 2])
    with pytest.raises(ValueError, match="flag"):
        native.emails(data, cells, np.ones(1, dtype=bool))


def test_flags_with_gaps_are_read_right() -> None:
    """A copy without the gaps is made, and is there for as long as it is read."""
    data, cells = np.frombuffer(b"a@b.com" * 4096, np.uint8), np.arange(4097, dtype=np.int64) * 7
    among = np.arange(2 * 4096) % 3 == 0
    assert native.emails(data, cells, among[::2]).tolist() == among[::2].tolist()


def test_the_library_is_of_this_source() -> None:
    """A library of an older text would be tested in place of this one."""
    assert native.source() == hashlib.sha256((REPOSITORY / "scanner/native.c").read_bytes()).hexdigest()


def test_a_scan_says_the_same_without() -> None:
    """The shipped share, read with and without the compiled loops."""
    reports = []
    for value in ("1", "0"):
        done = subprocess.run(
            [sys.executable, "-c", "from scanner.surfaces.cli import main; main()", "scan", "examples/share",
             "--policy", "examples/policy.yaml", "--format", "json"],
            cwd=REPOSITORY, env={**os.environ, native.VARIABLE: value}, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        report = json.loads(done.stdout)
        del report["scan"]
        reports.append(_without_samples(report))
    assert reports[0] == reports[1]


def _without_samples(node: object) -> object:
    """Which values are looked at and shown goes by a key that each scan draws."""
    drawn = {"samples", "confidence", "signals"}
    if isinstance(node, dict):
        return {key: _without_samples(value) for key, value in node.items() if key not in drawn}
    return [_without_samples(each) for each in node] if isinstance(node, list) else node


def test_it_can_be_switched_off_and_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the environment; where there is no library; where it is none for this machine."""
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"\x7fELF no library")
    for variable, library, ready in (
        ("0", native.LIBRARY, False),
        ("1", tmp_path / "absent.so", False),
        ("1", broken, False),
        ("1", native.LIBRARY, True),
    ):
        monkeypatch.setenv(native.VARIABLE, variable)
        monkeypatch.setattr(native, "LIBRARY", library)
        native.library.cache_clear()
        try:
            assert native.ready() is ready
            assert (native.source() is not None) is ready
        finally:
            native.library.cache_clear()


@pytest.mark.parametrize(("compiler", "built"), [("cc", True), ("false", False), ("no-such-compiler", False)])
def test_the_wheel_is_built_with_and_without_a_compiler(compiler: str, built: bool, tmp_path: Path) -> None:
    """With one it holds the library and is for this platform; without, it is for all."""
    copied = tmp_path / "project"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True).stdout
    wanted = ("scanner/", "rules/", "examples/", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE")
    for name in listed.decode().split("\0"):
        if name.startswith(wanted):
            (copied / name).parent.mkdir(parents=True, exist_ok=True)
            (copied / name).write_bytes((REPOSITORY / name).read_bytes())
    (copied / "scanner/_native.so").write_bytes(b"of an earlier build")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=copied, env={**os.environ, "CC": compiler}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ("more slowly" in done.stderr) is not built
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-any.whl") is not built
    with zipfile.ZipFile(wheel) as bundle:
        names = bundle.namelist()
        assert ("scanner/_native.so" in names) is built
        assert not built or bundle.read("scanner/_native.so").startswith(b"\x7fELF")
