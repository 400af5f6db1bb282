"""The walk: everything below a root, in order, nothing opened, nothing in silence."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from scanner.model import ItemRef, Outcome, Reason, Status
from scanner.sources import walk as walk_module
from scanner.sources.stdin import is_stdin, open_stdin, stdin_item
from scanner.sources.walk import Found, RootError, Walk, excluded_by, walk

Told = dict[str, Reason | None]


def _write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _told(*roots: Path | str, exclude: tuple[str, ...] = ()) -> Told:
    """Paths in order, with the reason where it is no item. A path comes once."""
    found: Told = {}
    for entry in walk(roots, exclude):
        assert entry.path not in found
        if isinstance(entry, Outcome):
            assert entry.status is Status.UNSCANNED
            (gap,) = entry.gaps
            found[entry.path] = gap.reason
        else:
            found[entry.path] = None
    return found


def test_files_in_order(tmp_path: Path) -> None:
    """Byte order of names, depth first, with sizes and the root as given."""
    for name in ("b/2.csv", "b/10.csv", "a.csv", "B.csv", "c"):
        _write(tmp_path / name, name)
    entries = list(walk([tmp_path]))
    assert [entry.path for entry in entries] == ["B.csv", "a.csv", "b/10.csv", "b/2.csv", "c"]
    assert entries[2] == ItemRef(str(tmp_path), "b/10.csv", len("b/10.csv"))


def test_a_root_may_be_a_file(tmp_path: Path) -> None:
    """Its path is its name, its root the folder it lies in."""
    file = _write(tmp_path / "a.csv")
    assert list(walk([file])) == [ItemRef(str(tmp_path), "a.csv", 1)]


def test_a_root_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roots come out absolute."""
    _write(tmp_path / "share" / "a.csv")
    monkeypatch.chdir(tmp_path)
    assert list(walk(["share"])) == [ItemRef(str(tmp_path / "share"), "a.csv", 1)]


def test_missing_roots_are_all_named_at_once(tmp_path: Path) -> None:
    """Before the first item, and all of them."""
    with pytest.raises(RootError) as caught:
        walk([tmp_path, tmp_path / "no", tmp_path / "nor this"])
    assert [problem.rpartition("/")[2] for problem in caught.value.problems] == [
        "no: no such file or folder",
        "nor this: no such file or folder",
    ]


def test_a_root_given_twice_counts_once(tmp_path: Path) -> None:
    """Under one name or another spelling of it."""
    _write(tmp_path / "a.csv")
    assert _told(tmp_path, f"{tmp_path}/./") == {"a.csv": None}


def test_empty_folders_hold_nothing(tmp_path: Path) -> None:
    """No items, no complaint."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert _told(tmp_path) == {}


def test_pipes_and_sockets_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come out as gaps; so does a link to one."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to pipe").symlink_to("pipe")
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        found = _told(tmp_path)
    assert found == dict.fromkeys(("pipe", "socket", "to pipe"), Reason.UNSUPPORTED)


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    """Such a name keeps its bytes."""
    raw = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    Path(os.fsdecode(raw)).write_text("x")
    (entry,) = walk([tmp_path])
    assert os.fsencode(entry.path) == b"caf\xe9.csv"


def test_a_link_to_a_file_is_an_item_at_its_own_path(tmp_path: Path) -> None:
    """What the share serves there is what it points to, inside the root or outside."""
    inside = _write(tmp_path / "share" / "acme" / "a.csv")
    outside = _write(tmp_path / "elsewhere.csv")
    (tmp_path / "share" / "globex").mkdir()
    (tmp_path / "share" / "globex" / "in.csv").symlink_to(inside)
    (tmp_path / "share" / "globex" / "out.csv").symlink_to(outside)
    assert _told(tmp_path / "share") == {"acme/a.csv": None, "globex/in.csv": None, "globex/out.csv": None}


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    """A dangling link may resolve for the vendor: it is told. So is a link to itself."""
    (tmp_path / "dangling").symlink_to("not here")
    (tmp_path / "self").symlink_to("self")
    assert _told(tmp_path) == {"dangling": Reason.VANISHED, "self": Reason.TOO_DEEP}


def test_a_linked_folder_is_followed_within_the_root(tmp_path: Path) -> None:
    """A vendor that is served another's folder has it."""
    _write(tmp_path / "acme" / "a.csv")
    (tmp_path / "globex").mkdir()
    (tmp_path / "globex" / "theirs").symlink_to("../acme", target_is_directory=True)
    assert _told(tmp_path) == {"acme/a.csv": None, "globex/theirs/a.csv": None}


def test_loops_of_folders_end(tmp_path: Path) -> None:
    """Up to an ancestor, to itself, and two folders that hold each other."""
    _write(tmp_path / "a" / "x.csv")
    _write(tmp_path / "b" / "y.csv")
    (tmp_path / "a" / "up").symlink_to("..", target_is_directory=True)
    (tmp_path / "a" / "to b").symlink_to("../b", target_is_directory=True)
    (tmp_path / "b" / "to a").symlink_to("../a", target_is_directory=True)
    assert _told(tmp_path) == {
        "a/to b/to a": Reason.EXCLUDED,
        "a/to b/y.csv": None,
        "a/up": Reason.EXCLUDED,
        "a/x.csv": None,
        "b/to a/to b": Reason.EXCLUDED,
        "b/to a/up": Reason.EXCLUDED,
        "b/to a/x.csv": None,
        "b/y.csv": None,
    }


def test_links_within_linked_folders_are_not_followed_again(tmp_path: Path) -> None:
    """A few folders full of links would otherwise be walked in every order there is."""
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
        for other in "abcdefgh":
            if other != name:
                (tmp_path / name / f"to {other}").symlink_to(f"../{other}", target_is_directory=True)
    found = _told(tmp_path)
    assert set(found.values()) == {Reason.TOO_DEEP, Reason.EXCLUDED}
    assert len(found) == 8 * 7 * 7


def test_a_folder_outside_the_root_is_a_gap(tmp_path: Path) -> None:
    """It may be anything, the whole disk too; a sibling whose name starts alike is outside."""
    _write(tmp_path / "share2" / "a.csv")
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "out").symlink_to(tmp_path / "share2", target_is_directory=True)
    assert _told(tmp_path / "share") == {"out": Reason.UNSUPPORTED}


def test_a_root_may_be_a_link(tmp_path: Path) -> None:
    """The root itself is what was asked for."""
    _write(tmp_path / "real" / "a.csv")
    (tmp_path / "real" / "in").symlink_to(tmp_path / "real" / "a.csv")
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    assert next(iter(walk([tmp_path / "link"]))) == ItemRef(str(tmp_path / "link"), "a.csv", 1)


def test_exclusions_are_told_once(tmp_path: Path) -> None:
    """A folder that is excluded is one outcome, not one for each file."""
    for name in ("a/tmp/1.csv", "a/tmp/2.csv", "a/keep.csv", "b.bak"):
        _write(tmp_path / name)
    assert _told(tmp_path, exclude=("a/tmp/**", "*.bak")) == {
        "a/keep.csv": None,
        "a/tmp": Reason.EXCLUDED,
        "b.bak": Reason.EXCLUDED,
    }


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.bak", "a/b/c.bak", True),
        ("*.bak", "a/b.bak/c", False),
        ("a/*.csv", "a/x.csv", True),
        ("a/*.csv", "a/b/x.csv", False),
        ("a/**/x.csv", "a/x.csv", True),
        ("a/**/x.csv", "a/b/c/x.csv", True),
        ("**/x.csv", "x.csv", True),
        ("/a", "a", True),
        ("/a", "b/a", False),
        ("a/", "a", True),
        ("a/**", "a", True),
        ("a", "ab", False),
        ("v?.csv", "v1.csv", True),
        ("v[0-9].csv", "v1.csv", True),
        ("v[!0-9].csv", "v1.csv", False),
        ("v[z-a", "v[z-a", True),
        ("v[z-a]", "v[z-a]", True),
        ("a.csv", "axcsv", False),
        ("*", "line\nbreak", True),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    """Globs as people know them."""
    assert (excluded_by(path, (pattern,)) == pattern) is matches


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder(tmp_path: Path) -> None:
    """It is an outcome, and the walk goes on."""
    _write(tmp_path / "a" / "x.csv")
    _write(tmp_path / "b.csv")
    (tmp_path / "a").chmod(0)
    try:
        assert _told(tmp_path) == {"a": Reason.PERMISSION, "b.csv": None}
    finally:
        (tmp_path / "a").chmod(0o700)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "no"), Reason.PERMISSION),
        (FileNotFoundError(2, "no"), Reason.VANISHED),
        (OSError(5, "no"), Reason.CORRUPT),
        (OSError(116, "no"), Reason.CORRUPT),  # ESTALE: the server is away, not the files
        (OSError(36, "no"), Reason.TOO_DEEP),
    ],
)
def test_a_folder_that_cannot_be_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: Reason
) -> None:
    """Whatever the system says about a folder is an outcome of that folder."""
    _write(tmp_path / "a" / "x.csv")
    _write(tmp_path / "b.csv")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("/a"):
            raise error
        return real(path)

    monkeypatch.setattr(walk_module.os, "scandir", scandir)
    assert _told(tmp_path) == {"a": reason, "b.csv": None}


def test_a_file_that_vanishes_while_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed, then gone: told, not forgotten."""
    _write(tmp_path / "a.csv")
    gone = _write(tmp_path / "gone.csv")
    real = walk_module._key

    def key(entry: os.DirEntry[str]) -> bytes:
        gone.unlink(missing_ok=True)
        return real(entry)

    monkeypatch.setattr(walk_module, "_key", key)
    assert _told(tmp_path) == {"a.csv": None, "gone.csv": Reason.VANISHED}


def test_the_order_is_that_of_paths(tmp_path: Path) -> None:
    """Byte order of whole paths: what a folder holds comes where its paths sort, not where its name does."""
    for name in ("a/x", "a.csv", "a-b", "a0", "a"):
        _write(tmp_path / ("d/" + name if name != "a" else "e"))
    paths = [entry.path for entry in walk([tmp_path])]
    assert paths == sorted(paths, key=os.fsencode) == ["d/a-b", "d/a.csv", "d/a/x", "d/a0", "e"]


def test_a_walk_may_start_below(tmp_path: Path) -> None:
    """At a folder, at a file, at what is not there; by the same rules as from the top."""
    _write(tmp_path / "a" / "b" / "x.csv")
    (tmp_path / "a" / "b" / "up").symlink_to("..", target_is_directory=True)
    run = Walk(str(tmp_path)).run
    assert [entry.relative for entry in run("a/b/x.csv") if isinstance(entry, Found)] == ["a/b/x.csv"]
    told = {entry.path: entry.gaps[0].reason for entry in run("a/b") if isinstance(entry, Outcome)}
    assert told == {"a/b/up": Reason.EXCLUDED}
    for missing in ("no", "a/no/x", "a/b/x.csv/y"):
        (entry,) = run(missing)
        assert isinstance(entry, Outcome)
        assert entry.gaps[0].reason is Reason.VANISHED


def test_a_shallow_walk_lists_one_folder(tmp_path: Path) -> None:
    """Its folders are named and not entered; `enter` may say the same of any folder."""
    _write(tmp_path / "a" / "x.csv")
    _write(tmp_path / "b.csv")
    assert [each.relative for each in Walk(str(tmp_path)).run(deep=False)] == ["", "a", "b.csv"]
    entered = Walk(str(tmp_path)).run(enter=lambda folder: not folder.relative)
    assert [each.relative for each in entered] == ["", "a", "b.csv"]


def test_a_walk_of_folders_only(tmp_path: Path) -> None:
    """Regular files are passed over; links are not, for they may lead to folders."""
    _write(tmp_path / "a" / "x.csv")
    (tmp_path / "link").symlink_to("a", target_is_directory=True)
    (tmp_path / "to file").symlink_to("a/x.csv")
    found = Walk(str(tmp_path), files=False).run()
    assert [each.relative for each in found] == ["", "a", "link", "to file"]


def test_standard_input_is_an_item() -> None:
    """With a name for the format, or without."""
    assert stdin_item() == ItemRef("-", "-")
    assert stdin_item("a.csv") == ItemRef("-", "a.csv")
    assert is_stdin(stdin_item("a.csv"))
    assert not is_stdin(ItemRef("/srv", "-"))


def test_standard_input_is_read_as_bytes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not as text: its encoding is for a reader to find."""
    with _write(tmp_path / "a", "b\u00e9").open() as text:
        monkeypatch.setattr("sys.stdin", text)
        assert open_stdin().read() == "b\u00e9".encode()
