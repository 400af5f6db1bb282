"""Out of reach and back again, whatever happens in between."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from scanner.remedy import moves, quarantine
from scanner.remedy.faults import RemedyError
from scanner.surfaces.cli import cli

DATA = b"name,email\nMaria,maria@example.org\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A delivery with a mode and a time of its own."""
    made = tmp_path / "share" / "acme" / "list.csv"
    made.parent.mkdir(parents=True)
    made.write_bytes(DATA)
    made.chmod(0o640)
    os.utime(made, ns=(10**18, 10**18))
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the quarantine is."""
    return tmp_path / "state" / "quarantine"


@pytest.fixture(params=["one file system", "two file systems"])
def systems(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once as it is, once as if links from folder to folder were not possible."""
    if request.param == "two file systems":
        link = os.link

        def across(source: Path, target: Path, **more: bool) -> None:
            if Path(source).parent != Path(target).parent:
                raise OSError(errno.EXDEV, "another file system")
            link(source, target, **more)

        monkeypatch.setattr(os, "link", across)


@pytest.mark.usefixtures("systems")
def test_there_and_back(file: Path, store: Path) -> None:
    """Bytes, mode, owner and time are what they were; nothing else is left anywhere."""
    before = file.stat()
    record = quarantine.take(file, store, "clear e-mail addresses")
    assert not file.exists()
    (note,) = file.parent.iterdir()
    assert record.id in note.read_text()
    assert "clear e-mail addresses" in note.read_text()
    assert "maria" not in note.read_text()
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert quarantine.records(store) == [record]
    assert quarantine.release(record.id, store) == record
    after = file.stat()
    assert file.read_bytes() == DATA
    assert (after.st_mode, after.st_mtime_ns, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_uid,
        before.st_gid,
    )
    assert list(file.parent.iterdir()) == [file]
    assert list(store.iterdir()) == []


@pytest.mark.usefixtures("systems")
@pytest.mark.parametrize("step", ["write_new", "digest", "sync", "_dress"])
def test_a_cut_off_move_loses_nothing(
    file: Path, store: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever step the process dies at, the bytes are somewhere whole, and asking again mends it."""
    original = getattr(moves, step)
    calls = 0
    for deadly in range(1, 6):

        def dying(*arguments: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            if calls == deadly:  # noqa: B023 # it is used within this round only
                raise KeyboardInterrupt
            return original(*arguments, **more)

        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(moves, step, dying)
            try:
                quarantine.take(file, store, "why")
            except KeyboardInterrupt:
                held = list(store.glob("*/file"))
                assert file.exists() or held
                assert all(path.read_bytes() == DATA for path in [*held, *[file] * file.exists()])
        for record in quarantine.records(store):
            quarantine.release(record.id, store)
        assert file.read_bytes() == DATA
        assert not list(store.glob("*/file"))


def test_a_place_that_is_taken_is_not_overwritten(file: Path, store: Path) -> None:
    """The vendor has a new delivery of that name by now; both stay."""
    record = quarantine.take(file, store, "why")
    file.write_bytes(b"new")
    with pytest.raises(RemedyError, match="there already"):
        quarantine.release(record.id, store)
    assert file.read_bytes() == b"new"
    second = quarantine.take(file, store, "again")
    assert {each.id for each in quarantine.records(store)} == {record.id, second.id}
    quarantine.release(record.id, store)
    assert file.read_bytes() == DATA


def test_links_and_what_is_no_file_are_refused(file: Path, store: Path) -> None:
    """Nothing is moved that only looks as if it lay there."""
    link = file.with_name("link.csv")
    link.symlink_to(file)
    folder = file.parent.parent / "linked"
    folder.symlink_to(file.parent)
    pipe = file.with_name("pipe")
    os.mkfifo(pipe)
    for path, told in (
        (link, "link"),
        (folder / "list.csv", "link"),
        (pipe, "plain"),
        (file.parent, "plain"),
    ):
        with pytest.raises(RemedyError, match=told):
            quarantine.take(path, store, "why")
    assert file.read_bytes() == DATA
    assert quarantine.records(store) == []


def test_a_file_that_changes_meanwhile_stays(file: Path, tmp_path: Path) -> None:
    """What is moved is what was judged."""
    with pytest.raises(RemedyError, match="changed"):
        moves.move(file, tmp_path / "there", "0" * 64)
    assert file.exists()
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", "nothing"])
def test_an_id_that_is_none(store: Path, name: str) -> None:
    """No path is made of it."""
    with pytest.raises(RemedyError, match=r"no id|nothing is kept"):
        quarantine.release(name, store)


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"id": "x"}'])
def test_a_damaged_record_is_told(file: Path, store: Path, text: str) -> None:
    """And the file stays where it is."""
    record = quarantine.take(file, store, "why")
    (store / record.id / "record.json").write_text(text)
    with pytest.raises(RemedyError, match="damaged"):
        quarantine.release(record.id, store)
    assert (store / record.id / "file").read_bytes() == DATA


def test_a_path_out_of_the_tree() -> None:
    """Neither by dots nor by a root that only begins alike."""
    for path in ("/srv/share/../etc/x", "/srv/shared/x", "/srv/share"):
        with pytest.raises(RemedyError, match="below"):
            moves.within(Path("/srv/share"), Path(path))


def test_the_commands(file: Path, store: Path) -> None:
    """Take, list, put back; a second time is an error."""
    runner = CliRunner()
    taken = runner.invoke(cli, ["quarantine", str(file), "--store", str(store), "--reason", "too much"])
    assert taken.exit_code == 0, taken.output
    listed = runner.invoke(cli, ["release", "--store", str(store)])
    assert (str(file) in listed.output, "too much" in listed.output) == (True, True)
    record_id = listed.output.split()[0]
    assert runner.invoke(cli, ["release", record_id, "--store", str(store)]).exit_code == 0
    assert file.read_bytes() == DATA
    again = runner.invoke(cli, ["release", record_id, "--store", str(store)])
    assert (again.exit_code, "nothing is kept" in again.output) == (2, True)
