"""Objects between a process and its child, over one end each of a pair of sockets.

What `multiprocessing.connection` does, without what it imports: a worker is ready sooner by as much.
"""

from __future__ import annotations

import os
import pickle
import select
from collections.abc import Iterable
from typing import Any

_LENGTH_BYTES = 8
#: Below this many bytes a message and its length are written at once.
_SMALL = 1 << 14
_READ_BYTES = 1 << 20


class Channel:
    """One end; the other process holds the other one.

    Args:
        descriptor: of a connected stream socket, that this object owns from now on.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor; -1 when closed."""
        return self._descriptor

    def send(self, value: Any) -> None:
        """Send a picklable object, waiting for room.

        Raises:
            OSError: the other end is closed.
        """
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        length = len(data).to_bytes(_LENGTH_BYTES, "little")
        if len(data) <= _SMALL:
            self._write(length + data)
        else:
            self._write(length)
            self._write(data)

    def recv(self) -> Any:
        """The next object, waiting for it. Only from a process of our own: it is unpickled.

        Raises:
            EOFError: the other end is closed.
            OSError: this one is.
        """
        length = int.from_bytes(self._read(_LENGTH_BYTES), "little")
        return pickle.loads(self._read(length))  # noqa: S301 # of a process of our own

    def poll(self) -> bool:
        """Whether there is something to receive, be it the end.

        Raises:
            OSError: this end is closed.
        """
        return bool(readable((self._descriptor,), 0.0))

    def close(self) -> None:
        """Close this end; once is enough, twice is no error."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._descriptor, left) :]

    def _read(self, size: int) -> bytearray:
        found = bytearray()
        while len(found) < size:
            block = os.read(self._descriptor, min(size - len(found), _READ_BYTES))
            if not block:
                raise EOFError
            found += block
        return found


def readable(descriptors: Iterable[int], seconds: float) -> list[int]:
    """Those with something to read, waiting until there is one or the time is over.

    Raises:
        OSError: one of them is -1, that of a closed channel.
    """
    waited = select.poll()
    for descriptor in descriptors:
        if descriptor < 0:
            raise OSError("the channel is closed")
        waited.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in waited.poll(seconds * 1000)]
