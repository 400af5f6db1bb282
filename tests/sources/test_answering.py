"""What answers, what gives errors, and what answers no more."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from scanner.sources import answering
from scanner.sources.answering import Answering


def test_what_answers_is_well_whatever_it_says(tmp_path: Path) -> None:
    """Also a folder that is not there, and a file: that is for others to tell."""
    (tmp_path / "file").touch()
    asked = Answering()
    assert [asked.fault(str(each)) for each in (tmp_path, tmp_path / "no", tmp_path / "file")] == [None] * 3


def test_errors_are_told_and_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an answer says holds for a moment only."""
    scandir, broken = os.scandir, [True]

    def failing(path: str) -> Any:
        if broken[0]:
            raise OSError(errno.EIO, "the text of the system's")
        return scandir(path)

    monkeypatch.setattr(answering.os, "scandir", failing)
    asked = Answering()
    assert asked.fault(str(tmp_path)) == "gives errors (Input/output error)"
    broken[0] = False
    monkeypatch.setattr(answering, "_FRESH", 0.0)
    assert asked.fault(str(tmp_path)) is None


def test_silence_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first who asks waits so long as is allowed, the others not at all; one thread waits on."""
    scandir, may_answer, questions = os.scandir, threading.Event(), []

    def silent(path: str) -> Any:
        questions.append(path)
        may_answer.wait(30)
        return scandir(path)

    monkeypatch.setattr(answering.os, "scandir", silent)
    monkeypatch.setattr(answering, "_FRESH", 0.0)
    asked = Answering(0.2)
    started = time.monotonic()
    assert asked.fault(str(tmp_path)) == "does not answer"
    assert time.monotonic() - started >= 0.2
    for _ in range(100):
        assert asked.fault(str(tmp_path)) == "does not answer"
    assert len(questions) == 1
    may_answer.set()
    deadline = time.monotonic() + 10
    while asked.fault(str(tmp_path)) is not None:
        assert time.monotonic() < deadline
