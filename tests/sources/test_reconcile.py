"""Reconciling: what is there beside what is known, in one pass."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import ItemRef, Reason
from scanner.sources import walk as walk_module
from scanner.sources.identity import Signature, sign
from scanner.sources.reconcile import Change, Kind, place_order, reconcile
from scanner.sources.walk import walk

OLD = Signature(1, 1, 1, 1, 1)


def _write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _known(root: Path) -> dict[str, Signature]:
    return {item.path: sign(root / item.path) for item in walk([root]) if isinstance(item, ItemRef)}


def _kinds(changes: Iterator[Change]) -> dict[str, str]:
    found: dict[str, str] = {}
    for change in changes:
        assert change.place not in found
        found[change.place] = change.kind.value
    return found


def test_new_changed_same_gone(tmp_path: Path) -> None:
    """One of each, in the order of places, with what was and what is."""
    for name in ("a.csv", "b/x", "b/y", "z"):
        _write(tmp_path / name)
    known = _known(tmp_path)
    _write(tmp_path / "b" / "x", "longer")
    (tmp_path / "b" / "y").unlink()
    _write(tmp_path / "b-new")
    changes = list(reconcile(str(tmp_path), known))
    assert [(each.kind, each.place) for each in changes] == [
        (Kind.SAME, "a.csv"),
        (Kind.NEW, "b-new"),
        (Kind.CHANGED, "b/x"),
        (Kind.GONE, "b/y"),
        (Kind.SAME, "z"),
    ]
    assert changes[2].before == known["b/x"]
    assert changes[2].signature == sign(tmp_path / "b" / "x")
    assert changes[3].before == known["b/y"]


def test_a_reused_inode_is_another_file(tmp_path: Path) -> None:
    """Whatever the number that the file system gives to what comes after it."""
    file = _write(tmp_path / "a", "one")
    known = _known(tmp_path)
    inode = file.stat().st_ino
    file.unlink()
    _write(file, "two")
    (change,) = reconcile(str(tmp_path), known)
    assert change.kind is Kind.CHANGED
    assert not change.touched or file.stat().st_ino != inode


def test_a_changed_mode_is_told_apart(tmp_path: Path) -> None:
    """Changed, but in the inode's time only."""
    file = _write(tmp_path / "a")
    known = _known(tmp_path)
    file.chmod(0o600)
    os.utime(file, ns=(known["a"].mtime_ns, known["a"].mtime_ns))
    (change,) = reconcile(str(tmp_path), known)
    assert (change.kind, change.touched) == (Kind.CHANGED, True)


def test_a_folder_that_became_a_file_and_the_other_way(tmp_path: Path) -> None:
    """What lay in it is gone; what it is now is new."""
    _write(tmp_path / "a")
    _write(tmp_path / "b" / "x")
    assert _kinds(reconcile(str(tmp_path), {"a/x": OLD, "b": OLD})) == {
        "a": "new",
        "a/x": "gone",
        "b": "gone",
        "b/x": "new",
    }


def test_only_what_lies_below(tmp_path: Path) -> None:
    """A folder, a file, one that is gone."""
    for name in ("a/x", "a/b/y", "c"):
        _write(tmp_path / name)
    known = _known(tmp_path)
    (tmp_path / "a" / "x").unlink()
    below = {place: known[place] for place in known if place.startswith("a/")}
    assert _kinds(reconcile(str(tmp_path), below, below="a")) == {"a/b/y": "same", "a/x": "gone"}
    assert _kinds(reconcile(str(tmp_path), {"c": known["c"]}, below="c")) == {"c": "same"}
    shutil.rmtree(tmp_path / "a")
    assert _kinds(reconcile(str(tmp_path), below, below="a")) == {"a/b/y": "gone", "a/x": "gone"}
    assert _kinds(reconcile(str(tmp_path), {"a/x": OLD}, below="a", deep=False)) == {"a/x": "gone"}


def test_one_folder_only(tmp_path: Path) -> None:
    """Not deep: its own files."""
    for name in ("a/x", "a/b/y"):
        _write(tmp_path / name)
    assert _kinds(reconcile(str(tmp_path), {"a/w": OLD}, below="a", deep=False)) == {
        "a/w": "gone",
        "a/x": "new",
    }


@pytest.mark.parametrize(
    ("error", "kinds"),
    [
        (PermissionError(13, ""), {"a": "failed", "b": "same"}),
        (OSError(5, ""), {"a": "failed", "b": "same"}),
        (OSError(116, ""), {"a": "failed", "b": "same"}),
        (FileNotFoundError(2, ""), {"a/x": "gone", "b": "same"}),
    ],
)
def test_what_cannot_be_looked_at_is_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, kinds: dict[str, str]
) -> None:
    """A folder that may not be listed, a broken disk, a server that is away; but gone is gone."""
    _write(tmp_path / "a" / "x")
    _write(tmp_path / "b")
    known = _known(tmp_path)
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/a"):
            raise error
        return real(path)

    monkeypatch.setattr(walk_module.os, "scandir", scandir)
    assert _kinds(reconcile(str(tmp_path), known)) == kinds


def test_a_missing_root_is_a_failure(tmp_path: Path) -> None:
    """Never a deletion of everything."""
    (change,) = reconcile(str(tmp_path / "no"), {"a": OLD, "b/c": OLD})
    assert (change.kind, change.place) == (Kind.FAILED, ".")
    assert change.outcome is not None
    assert change.outcome.gaps[0].reason is Reason.VANISHED


def test_exclusions_end_no_exposure(tmp_path: Path) -> None:
    """What nobody looks at any more is still there for a vendor."""
    _write(tmp_path / "a" / "x")
    _write(tmp_path / "b")
    kinds = _kinds(reconcile(str(tmp_path), {"a/x": OLD, "b": OLD}, exclude=["a/", "b"]))
    assert kinds == {"a": "failed", "b": "failed"}


def test_a_pipe_where_a_file_was(tmp_path: Path) -> None:
    """The file is gone, and the pipe is told as what it is."""
    os.mkfifo(tmp_path / "a")
    kinds = [(each.kind, each.place) for each in reconcile(str(tmp_path), {"a": OLD})]
    assert kinds == [(Kind.FAILED, "a"), (Kind.GONE, "a")]


def test_a_lost_place_is_not_walked(tmp_path: Path) -> None:
    """What lies beneath a missing mount is not the share; what is known there is not gone."""
    _write(tmp_path / "a" / "beneath")
    _write(tmp_path / "b")
    known = {"a/x": OLD, "a/y": OLD, "a-b": OLD}
    assert _kinds(reconcile(str(tmp_path), known, lost=lambda: ["a"])) == {
        "a": "failed",
        "a-b": "gone",
        "b": "new",
    }
    assert _kinds(reconcile(str(tmp_path), known, lost=lambda: [""])) == {".": "failed"}


def test_a_share_lost_during_the_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was empty when it was listed, for it had just been unmounted: asked before anything is gone."""
    lost: list[str] = []

    def listed(path: str) -> Any:
        lost.append("")
        return scandir(path)

    scandir = os.scandir
    monkeypatch.setattr("scanner.sources.walk.os.scandir", listed)
    kinds = _kinds(reconcile(str(tmp_path), {"a": OLD, "b/c": OLD}, lost=lambda: lost))
    assert kinds == {".": "failed"}


def test_known_places_must_be_in_order(tmp_path: Path) -> None:
    """A wrong order would make gone and new of what is the same: loud."""
    with pytest.raises(ValueError, match="order"):
        list(reconcile(str(tmp_path), [("b", OLD), ("a", OLD)]))


def test_it_stops_between_any_two_changes(tmp_path: Path) -> None:
    """Nothing is listed ahead: a file that comes into a later folder meanwhile is found."""
    _write(tmp_path / "a" / "x")
    (tmp_path / "b").mkdir()
    changes = reconcile(str(tmp_path), {})
    assert next(changes).place == "a/x"
    _write(tmp_path / "b" / "y")
    assert [change.place for change in changes] == ["b/y"]


NAMES = st.text(st.sampled_from("ab-./0\udce9\n"), min_size=1, max_size=8)


@given(st.dictionaries(NAMES, st.booleans(), max_size=12))
def test_the_merge_is_a_plain_comparison(
    tmp_path_factory: pytest.TempPathFactory, wanted: dict[str, bool]
) -> None:
    """Whatever the names: the same as two sets would say."""
    root = tmp_path_factory.mktemp("share")
    there, known = set[str](), dict[str, Signature]()
    for name, keep in wanted.items():
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        place = "/".join(parts)
        if not parts or place in there:
            continue
        try:
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text("x")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            known[place] = OLD
            continue
        there.add(place)
        if keep:
            known[place] = sign(root / place)
    found = _kinds(reconcile(str(root), known))
    expected = dict.fromkeys(there - known.keys(), "new") | dict.fromkeys(there & known.keys(), "same")
    assert found == expected | dict.fromkeys(known.keys() - there, "gone")
    assert list(found) == sorted(found, key=place_order)
