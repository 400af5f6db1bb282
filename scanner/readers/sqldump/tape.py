"""A window onto a byte stream that is read once, forwards, and knows its line."""

from __future__ import annotations

from typing import IO

from scanner.readers.base import ReadError

_BLOCK = 1 << 20


class Tape:
    """Bytes from a stream, of which only a window is held.

    An error of the stream is kept in ``error`` and acts as the end, so that what came before it is read.

    Attributes:
        data: the window.
        pos: where in the window reading goes on.
        eof: True once the stream has ended; the window then holds all the rest.
        total: bytes read from the stream so far.
        error: what ended the stream early, if anything.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._line = 1
        self._counted = 0
        self.data = b""
        self.pos = 0
        self.eof = False
        self.total = 0
        self.error: ReadError | None = None

    @property
    def left(self) -> int:
        """Bytes of the window that are still to be read."""
        return len(self.data) - self.pos

    @property
    def line(self) -> int:
        """The line that ``pos`` is in, from 1."""
        return self.line_at(self.pos)

    def line_at(self, pos: int) -> int:
        """The line of a place in the window at or after the last one asked for or dropped."""
        if pos >= self._counted:
            self._line += self.data.count(b"\n", self._counted, pos)
            self._counted = pos
            return self._line
        return self._line - self.data.count(b"\n", pos, self._counted)

    def fill(self, want: int) -> bool:
        """Have at least ``want`` bytes after ``pos`` in the window; False where the stream ends before.

        Positions in the window change: what lies before ``pos`` is dropped.
        """
        missing = want - self.left
        if missing <= 0:
            return True
        if self.eof:
            return False
        _ = self.line
        parts = [self.data[self.pos :]]
        while missing > 0:
            block = self._read(max(missing, _BLOCK))
            if not block:
                self.eof = True
                break
            parts.append(block)
            self.total += len(block)
            missing -= len(block)
        self.data = b"".join(parts)
        self.pos = self._counted = 0
        return missing <= 0

    def more(self) -> bool:
        """Widen the window by at least what it holds after ``pos``; False where there is no more."""
        before = self.left
        self.fill(max(2 * before, 1))
        return self.left > before

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except ReadError as error:
            self.error = error
            return b""
