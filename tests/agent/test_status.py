"""The status socket: what is told, and that somebody who cannot say is no answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.agent.status import NotReadyError, StatusSocket, ask


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: a socket's path may not be long."""
    with tempfile.TemporaryDirectory(prefix="sw-") as name:
        yield Path(name)


def test_what_is_told_arrives_and_the_socket_is_private(folder: Path) -> None:
    told = StatusSocket(folder / "s", lambda: {"queue": {"waiting": 3}})
    assert ask(folder / "s") == {"queue": {"waiting": 3}}
    assert (folder / "s").stat().st_mode & 0o007 == 0
    told.close()
    assert not (folder / "s").exists()
    with pytest.raises(FileNotFoundError):
        ask(folder / "s")


def test_an_agent_that_is_still_starting_is_no_answer_and_answers_later(folder: Path) -> None:
    document: dict[str, Any] = {}
    told = StatusSocket(folder / "s", lambda: {"queue": document["queue"]})
    with pytest.raises(ConnectionError, match="KeyError"):
        ask(folder / "s")
    document["queue"] = {}
    assert ask(folder / "s") == {"queue": {}}
    told.close()


def test_an_agent_says_why_it_cannot_say(folder: Path) -> None:
    """And nobody else's message is passed on: it may quote what it should not."""
    said: list[Exception] = [NotReadyError("it waits for its ledger"), ValueError("secret@example.org")]

    def tell() -> dict[str, Any]:
        raise said.pop(0)

    told = StatusSocket(folder / "s", tell)
    with pytest.raises(ConnectionError, match="cannot say yet: it waits for its ledger"):
        ask(folder / "s")
    with pytest.raises(ConnectionError, match=r"cannot say yet: ValueError$"):
        ask(folder / "s")
    told.close()


def test_a_word_has_something_done_before_the_answer(folder: Path) -> None:
    done: list[str] = []
    told = StatusSocket(
        folder / "s", lambda: {"done": list(done), "x": 1}, {"retry": lambda: done.append("r")}
    )
    assert ask(folder / "s")["done"] == []
    assert ask(folder / "s", "retry")["done"] == ["r"]
    assert ask(folder / "s", "no such word")["done"] == ["r"]
    told.close()


def test_what_a_killed_agent_left_is_replaced(folder: Path) -> None:
    (folder / "s").write_text("")
    told = StatusSocket(folder / "s", lambda: {"queue": 1})
    assert ask(folder / "s") == {"queue": 1}
    told.close()
