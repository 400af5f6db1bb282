"""What a bounded memory keeps and forgets."""

from __future__ import annotations

from scanner.detect.remembered import Remembered


def test_what_was_put_is_known() -> None:
    memory: Remembered[tuple[int, ...]] = Remembered(10_000, 100)
    memory.put("a", (1,))
    memory.put("nothing", ())
    assert memory.get("a") == (1,)
    assert memory.get("nothing") == ()
    assert memory.get("b") is None


def test_it_is_bounded_and_keeps_what_is_asked_for() -> None:
    memory: Remembered[int] = Remembered(10_000, 100)
    memory.put("often", 1)
    for number in range(1_000):
        memory.put(f"{number:050}", number)
        assert memory.get("often") == 1
    known = sum(memory.get(f"{number:050}") is not None for number in range(1_000))
    assert 0 < known <= 10_000 // 150


def test_long_texts_are_not_kept() -> None:
    memory: Remembered[int] = Remembered(10_000, 100)
    memory.put("x" * 101, 1)
    memory.put("x" * 100, 2)
    assert memory.get("x" * 101) is None
    assert memory.get("x" * 100) == 2
