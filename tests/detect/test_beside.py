"""Work beside the main thread's: in order, one step behind, and no fault is lost."""

from __future__ import annotations

import threading
import time

import pytest

from scanner.detect.beside import Beside


def test_steps_run_in_order_beside_and_one_behind() -> None:
    """The second step waits for the first, and the caller with it; nobody waits for the last but who asks."""
    beside, done, may_end = Beside(), [], threading.Event()

    def first() -> None:
        time.sleep(0.05)
        done.append(1)

    def second() -> None:
        may_end.wait(10)
        done.append(2)

    beside.run(first)
    beside.run(second)
    assert done == [1]
    may_end.set()
    beside.wait()
    assert done == [1, 2]
    beside.wait()


@pytest.mark.parametrize("fault", [ValueError("no"), MemoryError()])
def test_what_a_step_raises_comes_out_once(fault: BaseException) -> None:
    """Where somebody waits for it: before the next step, or at the end."""
    beside, done = Beside(), []

    def fail() -> None:
        raise fault

    beside.run(fail)
    with pytest.raises(type(fault)):
        beside.run(lambda: done.append(1))
    beside.run(lambda: done.append(2))
    beside.wait()
    assert done == [2]
