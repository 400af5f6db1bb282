"""Hints: coalesced, bounded, never lost without a word that covers them."""

from __future__ import annotations

import threading

from scanner.sources.hints import Hint, Hints, What


def _file(path: str, what: What = What.CLOSED, root: str = "/s") -> Hint:
    return Hint(root, path, what)


def test_one_hint_a_place() -> None:
    """The last word counts, in the order of first coming."""
    hints = Hints()
    hints.put(_file("a", What.WRITTEN))
    hints.put(_file("b"))
    hints.put(_file("a"))
    assert hints.take(0) == [_file("a"), _file("b")]
    assert hints.take(0) == []


def test_some_at_a_time() -> None:
    """The rest stays."""
    hints = Hints()
    for path in "abc":
        hints.put(_file(path))
    assert [hint.path for hint in hints.take(0, most=2)] == ["a", "b"]
    assert [hint.path for hint in hints.take(0)] == ["c"]


def test_a_file_where_a_folder_was_means_both() -> None:
    """What was known below the place must still be looked at."""
    hints = Hints()
    hints.put(Hint("/s", "a", What.DELETED, folder=True))
    hints.put(_file("a"))
    assert hints.take(0) == [Hint("/s", "a", What.CLOSED, folder=True)]


def test_a_folder_covers_the_folders_in_it() -> None:
    """Not the files: their own word says that they are complete."""
    hints = Hints()
    hints.put(Hint("/s", "a", What.FOLDER, folder=True))
    hints.put(Hint("/s", "a/b/c", What.FOLDER, folder=True))
    hints.put(Hint("/s", "ab", What.FOLDER, folder=True))
    hints.put(_file("a/x"))
    hints.put(Hint("/s", "a", What.LISTING, folder=True))
    assert [(hint.path, hint.what) for hint in hints.take(0)] == [
        ("a", What.FOLDER),
        ("ab", What.FOLDER),
        ("a/x", What.CLOSED),
    ]


def test_a_flood_in_one_folder_is_that_folder() -> None:
    """Other hints stay as they are, as far as they fit."""
    hints = Hints(limit=100)
    hints.put(Hint("/s", "moved", What.FOLDER, folder=True))
    for number in range(1000):
        hints.put(_file(f"a/{number}"))
    taken = hints.take(0)
    assert len(taken) <= 101
    assert Hint("/s", "a", What.LISTING, folder=True) in taken
    assert Hint("/s", "moved", What.FOLDER, folder=True) in taken
    assert hints.collapses > 0


def test_a_flood_everywhere_is_the_share() -> None:
    """And only that share; what is said of the watching itself stays."""
    hints = Hints(limit=100)
    hints.put(Hint("/s", "", What.DEGRADED, detail="few"))
    hints.put(_file("x", root="/other"))
    for number in range(1000):
        hints.put(_file(f"{number}/a"))
    taken = hints.take(0)
    assert Hint("/s", "", What.OVERFLOW, folder=True) in taken
    assert Hint("/s", "", What.DEGRADED, detail="few") in taken
    assert {hint.root for hint in taken} == {"/s", "/other"}
    assert len(taken) == 3


def test_somebody_who_waits_is_woken() -> None:
    """By the first hint, and by the end."""
    ready = threading.Event()
    hints = Hints(on_ready=ready.set)
    taken: list[list[Hint]] = []
    for end in (lambda: hints.put(_file("a")), hints.close):
        thread = threading.Thread(target=lambda: taken.append(hints.take()))
        thread.start()
        end()
        thread.join(10)
        assert not thread.is_alive()
    assert taken == [[_file("a")], []]
    assert ready.is_set()
