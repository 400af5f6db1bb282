"""The JSON lines file: whole lines, synced, rotated, whatever happens to the file."""

from __future__ import annotations

import gzip
import json
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from scanner.sinks.base import Common, Unavailable
from scanner.sinks.jsonl import JsonlOptions, JsonlSink
from tests.sinks.making import event, waiting


def _sink(path: Path, **options: Any) -> JsonlSink:
    return JsonlSink(Common("jsonl"), JsonlOptions(str(path), **options))


def _ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text("ascii").splitlines()]


def test_lines_are_appended(tmp_path: Path) -> None:
    """One event a line, for the owner and the group only."""
    path = tmp_path / "findings.jsonl"
    sink = _sink(path)
    sink.healthcheck()
    assert sink.send([waiting(0), waiting(1)]).delivered == [1, 2]
    assert _sink(path).send([waiting(2)]).delivered == [3]
    assert _ids(path) == [event(number).id for number in range(3)]
    assert json.loads(path.read_text().splitlines()[0]) == event(0).document()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_line_that_a_crash_cut_spoils_no_other(tmp_path: Path) -> None:
    """The next line begins on a line of its own."""
    path = tmp_path / "findings.jsonl"
    path.write_text('{"event": "find')
    _sink(path).send([waiting(0)])
    torn, whole = path.read_text().splitlines()
    assert torn == '{"event": "find'
    assert json.loads(whole)["id"] == event(0).id


def test_a_file_that_logrotate_moved_is_made_anew(tmp_path: Path) -> None:
    """Moved away and compressed by others, without any signal."""
    path, sink = tmp_path / "findings.jsonl", None
    sink = _sink(path)
    sink.send([waiting(0)])
    path.rename(tmp_path / "findings.jsonl.1")
    sink.send([waiting(1)])
    assert (_ids(tmp_path / "findings.jsonl.1"), _ids(path)) == ([event(0).id], [event(1).id])


@pytest.mark.parametrize("packed", [False, True])
def test_rotation_by_size_keeps_so_many(tmp_path: Path, packed: bool) -> None:
    """The newest first, the oldest gone, nothing in two files."""
    path = tmp_path / "findings.jsonl"
    sink = _sink(path, rotate_mb=0.0001, keep=2, gzip=packed)
    for number in range(5):
        sink.send([waiting(number)])
    ending = ".gz" if packed else ""
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "findings.jsonl",
        f"findings.jsonl.1{ending}",
        f"findings.jsonl.2{ending}",
    ]
    newest = tmp_path / f"findings.jsonl.1{ending}"
    assert stat.S_IMODE(newest.stat().st_mode) == 0o640
    data = gzip.decompress(newest.read_bytes()) if packed else newest.read_bytes()
    assert [json.loads(line)["id"] for line in data.splitlines()] == [event(3).id]
    assert _ids(path) == [event(4).id]


@pytest.mark.parametrize("form", ["native", "ocsf"])
def test_rotation_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """The age of the first line counts, as its event says."""
    path = tmp_path / "findings.jsonl"
    sink = JsonlSink(Common("jsonl", format=form), JsonlOptions(str(path), rotate_hours=24))
    first = 1_795_420_804.25
    monkeypatch.setattr(time, "time", lambda: first + 3600)
    sink.send([waiting(0)])
    sink.send([waiting(1)])
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr(time, "time", lambda: first + 25 * 3600)
    sink.send([waiting(2)])
    assert len(path.read_text().splitlines()) == 1
    assert len((tmp_path / "findings.jsonl.1").read_text().splitlines()) == 2


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nobody makes the agent write into another file."""
    (tmp_path / "other").write_text("x\n")
    (tmp_path / "findings.jsonl").symlink_to(tmp_path / "other")
    with pytest.raises(Unavailable, match="symbolic link"):
        _sink(tmp_path / "findings.jsonl").send([waiting(0)])
    assert (tmp_path / "other").read_text() == "x\n"


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """The events wait."""
    with pytest.raises(Unavailable, match="No such file"):
        _sink(tmp_path / "no" / "findings.jsonl").send([waiting(0)])


def test_a_full_disk_leaves_no_half_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was half written is taken back; sent again, it stands there once."""
    path = tmp_path / "findings.jsonl"
    sink = _sink(path)
    sink.send([waiting(0)])
    real, calls = os.write, [0]

    def write(file: int, data: Any) -> int:
        calls[0] += 1
        if calls[0] > 1:
            raise OSError(28, "No space left on device")
        return real(file, bytes(data)[: len(data) // 2])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(Unavailable, match="No space left"):
            sink.send([waiting(1), waiting(2)])
    assert _ids(path) == [event(0).id]
    sink.send([waiting(1), waiting(2)])
    assert _ids(path) == [event(number).id for number in range(3)]


def test_a_disk_that_fills_up_while_a_file_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rotated file stays as it is, the half of its gzip goes, and what waits is told at the next try."""
    path = tmp_path / "findings.jsonl"
    sink = _sink(path, rotate_mb=0.0001, keep=2, gzip=True)
    sink.send([waiting(0)])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("scanner.sinks.jsonl.shutil.copyfileobj", full)
        with pytest.raises(Unavailable, match="No space left"):
            sink.send([waiting(1)])
    assert [each.name for each in tmp_path.iterdir()] == ["findings.jsonl.1"]
    sink.send([waiting(1)])
    assert (_ids(tmp_path / "findings.jsonl.1"), _ids(path)) == ([event(0).id], [event(1).id])
