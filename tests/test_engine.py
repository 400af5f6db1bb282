"""A scan from end to end: items in are outcomes out, bad input costs one item, what is missed is told."""

from __future__ import annotations

import gzip
import io
import os
import socket
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner import engine, item
from scanner.config import Limits, Settings
from scanner.engine import Request, exit_code, scan
from scanner.model import Outcome, Reason, Report, Status

HEADER = "name,email\n"
ROWS = "".join(f"Maria Schmidt,maria{number}@example.org\n" for number in range(30))
SETTINGS = Settings(jobs=1, model="none")


def _scan(*roots: Path | str, **more: Any) -> Report:
    settings = more.pop("settings", SETTINGS)
    return scan(Request(roots=tuple(str(root) for root in roots), settings=settings, **more))


def _by_path(report: Report) -> dict[tuple[str, str | None], Outcome]:
    found = {(outcome.path, outcome.member): outcome for outcome in report.outcomes}
    assert len(found) == len(report.outcomes), "one outcome for each item"
    return found


def _reasons(outcome: Outcome) -> list[Reason]:
    return [gap.reason for gap in outcome.gaps]


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def test_a_share_full_of_trouble_is_scanned_to_its_end(tmp_path: Path) -> None:
    """Each bad item is a gap with its reason, each good one is evidence, and nothing is lost or doubled."""
    share = tmp_path / "share"
    share.mkdir()
    (share / "good.csv").write_text(HEADER + ROWS)
    (share / "cut.csv.gz").write_bytes(gzip.compress((HEADER + ROWS * 200).encode())[:-400])
    (share / "cut.sql").write_text(
        "CREATE TABLE `c` (`id` int, `email` text);\nINSERT INTO `c` VALUES (1,'a@example.org'),(2,'b@exam"
    )
    (share / "empty.csv").write_bytes(b"")
    (share / "noise.bin").write_bytes(bytes(range(256)) * 40)
    (share / "nested.zip").write_bytes(
        _zip(inner__zip=_zip(people__csv=(HEADER + ROWS).encode()), note__txt=b"hello there\n")
    )
    (share / os.fsdecode(b"caf\xe9.csv")).write_text(HEADER + ROWS)
    os.mkfifo(share / "pipe")
    (share / "loop").symlink_to(share)
    (share / "dangling.csv").symlink_to(share / "nowhere")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(share / "sock"))
    report = _scan(share)
    listener.close()
    found = _by_path(report)
    assert {path for path, member in found if member is None} == {
        *("good.csv", "cut.csv.gz", "cut.sql", "empty.csv", "noise.bin", "nested.zip", "pipe", "sock"),
        *("loop", "dangling.csv", os.fsdecode(b"caf\xe9.csv")),
    }
    assert found["good.csv", None].status is Status.SCANNED
    assert found["good.csv", None].tables[0].rows == 30
    assert found[os.fsdecode(b"caf\xe9.csv"), None].tables[0].rows == 30
    assert found["cut.csv.gz", None].status is Status.PARTIAL
    assert Reason.CORRUPT in _reasons(found["cut.csv.gz", None])
    assert found["cut.csv.gz", None].tables[0].rows > 100
    assert (found["cut.sql", None].tables[0].rows, _reasons(found["cut.sql", None])) == (1, [Reason.CORRUPT])
    assert found["empty.csv", None].status is Status.EMPTY
    assert _reasons(found["noise.bin", None]) == [Reason.UNSUPPORTED]
    assert found["nested.zip", "inner.zip!/people.csv"].tables[0].rows == 30
    assert found["nested.zip", "note.txt"].texts[0].characters == 12
    assert _reasons(found["pipe", None]) == _reasons(found["sock", None]) == [Reason.UNSUPPORTED]
    assert _reasons(found["dangling.csv", None]) == [Reason.VANISHED]
    assert not report.info.complete
    assert exit_code(report) == 3


def test_a_zip_that_holds_itself_ends(tmp_path: Path) -> None:
    """Containers inside containers stop at the depth limit, with a gap and not with a crash."""
    content = _zip(people__csv=(HEADER + ROWS).encode())
    for _ in range(12):
        content = _zip(deeper__zip=content)
    (tmp_path / "deep.zip").write_bytes(content)
    report = _scan(tmp_path)
    assert any(Reason.TOO_DEEP in _reasons(outcome) for outcome in report.outcomes)
    assert exit_code(report) == 3


def test_a_bomb_is_stopped_by_its_budget(tmp_path: Path) -> None:
    """Megabytes of zeros from kilobytes: stopped at the limit, told, and the scan goes on."""
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"0" * (200 << 20), 9))
    (tmp_path / "good.csv").write_text(HEADER + ROWS)
    report = _scan(tmp_path, settings=Settings(jobs=1, model="none", limits=Limits(archive_mb=80)))
    found = _by_path(report)
    assert {Reason.RATIO, Reason.TOO_LARGE} & set(_reasons(found["bomb.csv.gz", None]))
    assert found["good.csv", None].status is Status.SCANNED


def test_a_line_over_the_limit_is_told_and_passed(tmp_path: Path) -> None:
    """One endless line costs neither memory nor the lines after it."""
    with (tmp_path / "line.csv").open("w") as file:
        file.write(HEADER + ROWS)
        file.write("x" * (6 << 20) + ",y@example.org\n")
        file.write(ROWS)
    report = _scan(tmp_path, settings=Settings(jobs=1, model="none", limits=Limits(line_mb=2)))
    outcome = report.outcomes[0]
    assert _reasons(outcome) == [Reason.TOO_LARGE]
    assert outcome.tables[0].rows == 60


def test_a_hung_item_costs_only_itself(tmp_path: Path) -> None:
    """The deadline ends one item; the others have their outcomes."""
    (tmp_path / "slow.csv").write_text("a,b\n" + "1,2\n" * 3_000_000)
    (tmp_path / "good.csv").write_text(HEADER + ROWS)
    _scan(tmp_path / "good.csv")  # so that the time below is the item's and not the imports'
    report = _scan(tmp_path, settings=Settings(jobs=1, model="none", limits=Limits(item_seconds=0.01)))
    assert {outcome.path for outcome in report.outcomes} == {"slow.csv", "good.csv"}
    assert _reasons(_by_path(report)["slow.csv", None]) == [Reason.TIMEOUT]


def test_a_file_that_grows_while_it_is_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size or time of writing changed between opening and closing: what was read counts, and it is told."""
    from scanner.detect.fold import Detector
    from scanner.model import ItemRef

    file = tmp_path / "growing.csv"
    file.write_text(HEADER + ROWS)
    digest = item._file_digest

    def grow(stream: Any) -> str | None:
        with file.open("a") as more:
            more.write("late,late@example.org\n")
        return digest(stream)

    monkeypatch.setattr(item, "_file_digest", grow)
    outcomes = list(
        item.read_item(ItemRef(str(tmp_path), "growing.csv"), SETTINGS, Detector(SETTINGS, b"k" * 16))
    )
    assert _reasons(outcomes[0]) == [Reason.CHANGED_WHILE_READ]
    assert outcomes[0].sha256 is None
    assert outcomes[0].tables[0].rows == 30


@pytest.mark.parametrize("done", [0, 1, 2, 3, 9])
def test_members_whose_outcomes_are_known_are_passed_over(tmp_path: Path, done: int) -> None:
    """The file's own outcome is as of a scan of all of them."""
    import zipfile

    from scanner.detect.fold import Detector
    from scanner.model import ItemRef

    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.writestr("x.csv", HEADER + ROWS)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.csv", HEADER + ROWS)
        archive.write(tmp_path / "inner.zip", "2.zip")
        archive.writestr("3.csv", HEADER + ROWS)
    detector = Detector(SETTINGS, b"k" * 16)
    whole = list(item.read_item(ItemRef(str(tmp_path), "a.zip"), SETTINGS, detector))
    names = ["1.csv", "2.zip!/x.csv", "2.zip", "3.csv", None]
    assert [outcome.member for outcome in whole] == names
    left = list(item.read_item(ItemRef(str(tmp_path), "a.zip", done=done), SETTINGS, detector))
    assert [outcome.member for outcome in left] == names[{0: 0, 1: 1, 2: 3}.get(done, 4) :]
    assert left[-1] == whole[-1]


def test_our_own_failure_is_told_by_its_type_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of ours on hostile data becomes a gap that does not quote the data."""
    from scanner.detect.fold import Detector, ItemFold
    from scanner.model import ItemRef

    def broken(self: ItemFold, *args: object, **more: object) -> None:
        raise KeyError("maria0@example.org")

    monkeypatch.setattr(ItemFold, "add_table", broken)
    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    outcomes = list(item.read_item(ItemRef(str(tmp_path), "a.csv"), SETTINGS, Detector(SETTINGS, b"k" * 16)))
    assert _reasons(outcomes[0]) == [Reason.INTERNAL]
    assert "KeyError" in outcomes[0].gaps[0].detail
    assert "example.org" not in repr(outcomes[0])


def test_items_are_the_same_whatever_the_number_of_workers(tmp_path: Path) -> None:
    """Order and content of a report do not depend on which worker was first."""
    for number in range(6):
        (tmp_path / f"{number}.csv").write_text(HEADER + ROWS * (number + 1))
    one, two = (_scan(tmp_path, settings=Settings(jobs=jobs, model="none")) for jobs in (1, 2))
    assert [outcome.path for outcome in one.outcomes] == [outcome.path for outcome in two.outcomes]
    assert [outcome.tables[0].rows for outcome in one.outcomes] == [30 * (n + 1) for n in range(6)]
    assert [outcome.sha256 for outcome in one.outcomes] == [outcome.sha256 for outcome in two.outcomes]


def test_interrupting_keeps_what_is_known(tmp_path: Path) -> None:
    """Ctrl-C in the middle: the report holds the items done by then and says that it is incomplete."""
    for number in range(5):
        (tmp_path / f"{number}.csv").write_text(HEADER + ROWS)

    def stop(progress: engine.Progress) -> None:
        if progress.items == 2:
            raise KeyboardInterrupt

    report = scan(Request(roots=(str(tmp_path),), settings=SETTINGS), stop)
    assert report.info.interrupted
    assert not report.info.complete
    assert len(report.outcomes) == 2
    assert exit_code(report) == 3


def test_excluded_files_are_told_and_do_not_make_a_scan_incomplete(tmp_path: Path) -> None:
    """What is left out on purpose is in the report, on purpose."""
    (tmp_path / "keep.csv").write_text(HEADER + ROWS)
    (tmp_path / "skip.log").write_text("x@example.org\n")
    report = _scan(tmp_path, settings=Settings(jobs=1, model="none", exclude=("*.log",)))
    assert _reasons(_by_path(report)["skip.log", None]) == [Reason.EXCLUDED]
    assert report.info.complete
    assert exit_code(report) == 0


def test_tar_members_are_items_and_nothing_is_written(tmp_path: Path) -> None:
    """Members of an archive are outcomes with their own digest; the share is left as it was."""
    with tarfile.open(tmp_path / "all.tar.gz", "w:gz") as archive:
        data = (HEADER + ROWS).encode()
        for name in ("a.csv", "../b.csv"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    before = sorted(path.name for path in tmp_path.parent.iterdir())
    found = _by_path(_scan(tmp_path))
    assert {member for _, member in found} == {None, "a.csv", "../b.csv"}
    assert found["all.tar.gz", "a.csv"].sha256 == found["all.tar.gz", "../b.csv"].sha256
    assert sorted(path.name for path in tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("verdicts", "complete", "fail_on", "code"),
    [
        ([], True, "over_shared", 0),
        (["over_shared"], True, "over_shared", 1),
        (["over_shared"], False, "over_shared", 1),
        (["over_shared"], True, "never", 0),
        (["needs_review"], True, "over_shared", 0),
        (["needs_review"], True, "review", 1),
        (["unverifiable"], False, "over_shared", 3),
        ([], False, "never", 3),
    ],
)
def test_exit_codes(verdicts: list[str], complete: bool, fail_on: str, code: int) -> None:
    """The contract: 0 clean, 1 over-shared or what was asked for, 3 incomplete, 4 nothing to scan."""
    from dataclasses import replace

    from tests.reports.factory import report

    made = report()
    base = made.findings[0]
    from scanner.model import Verdict

    findings = tuple(replace(base, verdict=Verdict(verdict)) for verdict in verdicts)
    made = replace(made, findings=findings, info=replace(made.info, complete=complete))
    assert exit_code(made, fail_on) == code
    assert exit_code(replace(made, outcomes=()), fail_on) == 4


def test_no_thread_or_process_is_left(tmp_path: Path) -> None:
    """After a scan everything it started has ended."""
    import psutil

    (tmp_path / "a.csv").write_text(HEADER + ROWS)
    before: Callable[[], int] = lambda: len(psutil.Process().children())  # noqa: E731
    count, threads = before(), threading.active_count()
    _scan(tmp_path)
    deadline = time.monotonic() + 5
    while before() > count + 1 and time.monotonic() < deadline:  # the tracker of shared resources may stay
        time.sleep(0.05)
    assert before() <= count + 1
    assert threading.active_count() == threads
