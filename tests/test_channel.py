"""The channel: whole objects or an end, whatever their size."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from scanner.channel import Channel, readable


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Both ends of a channel."""
    here, there = (Channel(end.detach()) for end in socket.socketpair())
    yield here, there
    here.close()
    there.close()


@pytest.mark.parametrize("size", [0, 1, (1 << 14) - 20, 1 << 14, 1 << 22])
def test_objects_come_whole_and_in_order(ends: tuple[Channel, Channel], size: int) -> None:
    """Also those that no socket's buffer holds."""
    here, there = ends
    sent = [("piece", b"x" * size), ("end", size)]
    sender = threading.Thread(target=lambda: [here.send(each) for each in sent])
    sender.start()
    assert [there.recv(), there.recv()] == sent
    sender.join()


def test_the_end_is_told(ends: tuple[Channel, Channel]) -> None:
    """What was sent before the other end closed still comes; then `EOFError`, and writing fails."""
    here, there = ends
    here.send("last")
    here.close()
    assert there.poll()
    assert there.recv() == "last"
    assert there.poll()
    with pytest.raises(EOFError):
        there.recv()
    with pytest.raises(OSError):  # noqa: PT011 # a broken pipe here, a reset connection there
        there.send("into the void")


def test_an_end_in_the_middle_of_an_object(ends: tuple[Channel, Channel]) -> None:
    """Half an object is none."""
    here, there = ends
    os.write(here.fileno(), (100).to_bytes(8, "little") + b"half")
    here.close()
    with pytest.raises(EOFError):
        there.recv()


def test_waiting_tells_those_with_something(ends: tuple[Channel, Channel]) -> None:
    """And nothing when the time is over; a closed one is an error, not an endless wait."""
    here, there = ends
    assert not readable((here.fileno(), there.fileno()), 0.01)
    here.send(1)
    assert readable((here.fileno(), there.fileno()), 10) == [there.fileno()]
    here.close()
    here.close()
    with pytest.raises(OSError, match="closed"):
        readable((here.fileno(), there.fileno()), 0.01)
