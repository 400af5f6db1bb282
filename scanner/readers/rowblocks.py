"""A stream of delimited text cut into blocks of whole rows, within limits.

A block ends after a line end that is outside quotes. The cheap test (an even number of quotes before it) is
right unless a quote stands inside an unquoted cell; where it says no, the quotes are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from scanner.readers.dialect import Dialect

#: Bytes of a block, where rows are not longer: best of 1 to 8 MiB for reading and detection together.
BLOCK = 4 << 20
#: A quote that stays open for this many bytes is taken for a stray one, the more of them the sooner.
_OPEN_QUOTE = 16 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Whole rows. ``literal`` rows hold a quote that is never closed: their quotes are plain characters."""

    data: bytes
    literal: bool = False


class RowBlocks:
    """Cuts a stream into `Block`s.

    Args:
        stream: UTF-8 text; its ``read`` must not raise `ReadError` (see `Quiet`).
        prefix: bytes already read from it.
        dialect: how rows are written.
        longest: bytes of one row; a longer one is left out.

    Attributes:
        left_out: rows left out so far.
    """

    def __init__(self, stream: IO[bytes], prefix: bytes, dialect: Dialect, longest: int) -> None:
        self._stream = stream
        self._data = prefix
        self._ended = False
        self._longest = longest
        self._block = min(BLOCK, longest)
        self._patience = min(_OPEN_QUOTE, longest)
        self._quote = dialect.quote.encode()
        self._escape = dialect.escape.encode()
        self._delimiter = dialect.delimiter.encode()
        self._mark = dialect.row_mark.encode()
        self._before_cell = frozenset(b"\r\n" + self._delimiter[-1:])
        self._knows_quotes = bool(self._quote) and not self._mark and len(self._delimiter) <= 1
        self.left_out = 0

    def __iter__(self) -> Iterator[Block]:
        wanted = self._block
        while not self._ended or self._data:
            self._fill(wanted)
            end = self._end_of_rows()
            if end:
                yield Block(self._take(end))
                wanted = self._block
            elif self._ended or len(self._data) >= self._limit():
                yield from self._without_end()
                wanted = self._block
            else:
                wanted = 2 * len(self._data)

    def _fill(self, wanted: int) -> None:
        parts = [self._data]
        size = len(self._data)
        while size < wanted and not self._ended:
            block = self._stream.read(wanted - size)
            self._ended = not block
            parts.append(block)
            size += len(block)
        self._data = b"".join(parts) if len(parts) > 1 else self._data

    def _limit(self) -> int:
        return self._patience if self._open_quote() is not None else self._longest

    def _take(self, end: int) -> bytes:
        taken, self._data = self._data[:end], self._data[end:]
        return taken

    def _end_of_rows(self) -> int:
        """Where the last whole row ends, 0 where none does."""
        end = len(self._data) if self._ended else self._last_line_end()
        if not end or self._is_even(end):
            return end
        quote, rows_end = self._scan(end)
        return end if quote is None else rows_end

    def _is_even(self, end: int) -> bool:
        """True where an even number of quotes stands before ``end``, so that it is outside of them."""
        quote = self._quote
        if not quote or self._data.find(quote, 0, end) < 0:
            return True
        return not self._escape and _count(self._data, quote, end) % 2 == 0

    def _scan(self, end: int) -> tuple[int | None, int]:
        """The quote still open at ``end`` (None: none is), and where the last row before it ends."""
        data, feed, before = self._data, self._feed(), self._before_cell
        position = rows_end = 0
        opening = data.find(self._quote, 0, end) if self._knows_quotes else -1
        while opening >= 0:
            if opening and data[opening - 1] not in before:
                opening = data.find(self._quote, opening + 1, end)
                continue
            rows_end = data.rfind(feed, position, opening) + 1 or rows_end
            closing = self._closing_quote(opening + 1, end)
            if closing < 0:
                return opening, rows_end
            position = closing + 1
            opening = data.find(self._quote, position, end)
        return None, data.rfind(feed, position, end) + 1 or rows_end

    def _closing_quote(self, position: int, end: int) -> int:
        """Where the quote stands that closes a cell whose text starts at ``position``; -1 where none does."""
        data, quote, escape = self._data, self._quote, self._escape
        while (found := data.find(quote, position, end)) >= 0:
            if escape and _is_escaped(data, found, position, escape):
                position = found + 1
            elif not escape and data[found + 1 : found + 2] == quote:
                position = found + 2
            else:
                return found
        return -1

    def _feed(self) -> bytes:
        """The byte that ends lines: carriage returns do where there is no line feed at all."""
        return b"\n" if b"\n" in self._data else b"\r"

    def _last_line_end(self) -> int:
        data, mark = self._data, self._mark
        if mark:
            return max(_after(data.rfind(mark + end), mark + end) for end in (b"\n", b"\r\n"))
        feed = self._feed()
        # A carriage return at the very end may yet be followed by its line feed.
        return data.rfind(feed, 0, len(data) - (feed == b"\r")) + 1

    def _open_quote(self) -> int | None:
        return self._scan(len(self._data))[0]

    def _without_end(self) -> Iterator[Block]:
        """Go on where no row ends: a quote that is never closed, or a row that is too long."""
        if self._open_quote() is not None and (end := _first_line_end(self._data)):
            self._patience = max(self._patience // 2, BLOCK)
            yield Block(self._take(end), literal=True)
        elif len(self._data) < self._longest:
            yield Block(self._take(len(self._data)), literal=True)
        else:
            self._skip_line()

    def _skip_line(self) -> None:
        """Leave out the rest of the current line, without holding it."""
        self.left_out += 1
        while not (end := _first_line_end(self._data)) and not self._ended:
            self._data = self._stream.read(BLOCK)
            self._ended = not self._data
        self._data = self._data[end:] if end else b""


def _count(data: bytes, byte: bytes, end: int) -> int:
    """How often one byte stands before ``end``; faster than ``bytes.count`` where it is frequent."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(data, np.uint8, end) == byte[0]))


def _is_escaped(data: bytes, place: int, start: int, escape: bytes) -> bool:
    """True where an odd number of escapes stands right before ``place``."""
    before = place
    while before > start and data[before - 1 : before] == escape:
        before -= 1
    return (place - before) % 2 == 1


def _after(found: int, what: bytes) -> int:
    return found + len(what) if found >= 0 else 0


def _first_line_end(data: bytes) -> int:
    feed = data.find(b"\n") + 1
    return feed or data.find(b"\r") + 1
