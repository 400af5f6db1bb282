"""What a reader is, what it gives and what it is given.

A reader turns the bytes of one item into a stream of events, in constant memory:

* `TableChunk`: some rows of a table, as an Arrow record batch of strings (null where there is no value);
* `TextChunk`: a piece of running text;
* `Child`: another item inside this one (a member of an archive); the engine reads it before it asks for the
  next event, so a reader may hand out a stream that is only good until then;
* `Gap`: something it could not read, and goes on.

A reader raises `ReadError` to stop for good; what it gave before still counts. It never prints, never writes
to disk, and never puts scanned text into an exception or a gap.
"""

from __future__ import annotations

import io
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, ClassVar, cast

from scanner.config import Limits
from scanner.model import Gap, Reason, Stage

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes a reader may look at before it says whether it can read them.
HEAD_BYTES = 65_536
#: Aim of a chunk: enough rows to make vector kernels worth it, few enough to stay in cache and in bounds.
CHUNK_ROWS = 16_384
CHUNK_BYTES = 4 * 1024 * 1024
#: Characters of one text chunk.
CHUNK_CHARACTERS = 100_000
#: Bytes asked of an underlying stream at once.
_BLOCK = 1 << 20
#: Unpacked bytes from which on `Limits.archive_ratio` is held: small files may well compress better.
RATIO_FROM = 64 << 20


class ReadError(Exception):
    """The rest of an item cannot be read.

    Attributes:
        reason: one of the closed set.
        detail: one sentence for a person, free of scanned text.
        where: the place, if known.
    """

    def __init__(self, reason: Reason, detail: str, where: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.where = where

    def gap(self, stage: Stage = Stage.READ) -> Gap:
        """This error as a gap."""
        return Gap(stage, self.reason, self.detail, self.where)


@dataclass(frozen=True, slots=True)
class TableChunk:
    """Some rows of a table.

    Attributes:
        table: the table's name, unique in the item (``public.customer``, ``Sheet1``, ``-`` for a file that is
            one table). Chunks of several tables may come interleaved.
        batch: string columns only; null means that the row has no such value (absent, SQL NULL, JSON null),
            an empty string that it is there and empty. Columns are matched between chunks of a table by name
            and, where a name repeats, by its nth occurrence; a later chunk may bring new columns.
        rows: table rows that this chunk adds, ``batch.num_rows`` where None. A chunk that holds the elements
            of arrays (``addresses[].street``) adds 0 and gives ``row_ids``.
        row_ids: for each batch row the number of the table row it belongs to (from 1), where they differ
            from counting on.
        hidden: the table is hidden from whoever opens the file (a hidden or very hidden sheet).
        hidden_columns: indices in this batch of columns that are hidden.
        headed: False where the column names were made up because the file has none.
    """

    table: str
    batch: pa.RecordBatch
    rows: int | None = None
    row_ids: pa.Int64Array | None = None
    hidden: bool = False
    hidden_columns: frozenset[int] = frozenset()
    headed: bool = True


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of a text part, in order. ``name`` is unique in the item (``body``, ``Sheet1 comments``).

    A chunk ends at a line or paragraph end where there is one, so that nothing to find is cut in two.
    """

    name: str
    text: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    """Another item inside this one. ``size`` is what the container says of it, which may be a lie."""

    name: str
    stream: IO[bytes]
    size: int | None = None
    modified: float | None = None


Event = TableChunk | TextChunk | Child | Gap


class Source:
    """The bytes of one item: a file, a member's stream, or standard input.

    ``head`` looks ahead without consuming; ``stream`` reads once from the start; ``seekable`` gives random
    access, from the file itself where there is one, else from a copy in memory (never on disk).

    Args:
        stream: a binary stream at its start.
        name: the file's base name, for hints only.
        path: the plain file these very bytes lie in, if any.
        size: bytes, if known.
    """

    def __init__(
        self, stream: IO[bytes], name: str, *, path: Path | None = None, size: int | None = None
    ) -> None:
        self._buffered = cast(
            "io.BufferedReader",
            stream if isinstance(stream, io.BufferedReader) else _Buffered(stream),
        )
        self._head: bytes | None = None
        self.name = name
        self.path = path
        self.size = size

    @classmethod
    def of_bytes(cls, data: bytes, name: str = "") -> Source:
        """A source over bytes in memory."""
        return cls(io.BytesIO(data), name, size=len(data))

    @classmethod
    def of_file(cls, path: Path) -> Source:
        """A source over a plain file.

        Raises:
            OSError: it cannot be opened.
        """
        stream = path.open("rb")
        return cls(stream, path.name, path=path, size=os.fstat(stream.fileno()).st_size)

    @property
    def head(self) -> bytes:
        """Up to `HEAD_BYTES` from the start, not consumed."""
        if self._head is None:
            self._head = self._buffered.read(HEAD_BYTES)
            self._buffered = cast("io.BufferedReader", _Prefixed(self._head, self._buffered))
        return self._head

    @property
    def stream(self) -> IO[bytes]:
        """The bytes from the start; to be read once."""
        # The head is looked at first: once the stream is given out, looking would consume it.
        _ = self.head
        return self._buffered

    def seekable(self, limits: Limits) -> IO[bytes]:
        """A binary file that can seek: the plain file, or a copy in memory.

        Raises:
            ReadError: ``too_large``, the copy would be over ``limits.spool_mb``.
        """
        if self.path is not None:
            return self.path.open("rb")
        limit = limits.spool_mb << 20
        spool = io.BytesIO()
        while block := self._buffered.read(1 << 20):
            if spool.tell() + len(block) > limit:
                raise ReadError(
                    Reason.TOO_LARGE,
                    f"needs random access and is over the {limits.spool_mb} MiB held in memory "
                    "(limits.spool_mb)",
                )
            spool.write(block)
        spool.seek(0)
        return spool

    def close(self) -> None:
        """Close the underlying stream."""
        self._buffered.close()


class _Prefixed(io.RawIOBase):
    """Bytes already read, then the rest of the stream. An error of the rest comes after all of its bytes."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = memoryview(head)
        self._rest = rest
        self._error: ReadError | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if self._error is not None:
            raise self._error
        wanted = -1 if size is None else size
        if not self._head:
            return self._rest.read(wanted)
        data = bytes(self._head) if wanted < 0 else bytes(self._head[:wanted])
        self._head = self._head[len(data) :]
        if wanted < 0 or len(data) < wanted:
            try:
                data += self._rest.read(wanted if wanted < 0 else wanted - len(data))
            except ReadError as error:
                self._error = error
        return data

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._rest.close()
        super().close()


class _Buffered(io.RawIOBase):
    """Any stream with ``read``, whose short reads are made whole.

    A `ReadError` in the middle of a read is kept for the next one, so that no byte before it is lost.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._error: ReadError | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        if self._error is not None:
            raise self._error
        left = sys.maxsize if size is None or size < 0 else size
        parts: list[bytes] = []
        try:
            while left > 0 and (block := self._stream.read(min(left, _BLOCK))):
                parts.append(block)
                left -= len(block)
        except ReadError as error:
            if not parts:
                raise
            self._error = error
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(slots=True)
class Budget:
    """What one file has cost so far in unpacking, over all its members and depths.

    Attributes:
        packed: bytes of the outermost container: its size, or what was read of it where that is not known.
        unpacked: bytes that came out of decompression.
        members: members of archives.
    """

    packed: int = 0
    unpacked: int = 0
    members: int = 0


@dataclass(slots=True)
class ReadContext:
    """What a reader works under.

    Attributes:
        limits: what the item may cost.
        depth: how many containers the item is inside of.
        budget: what was unpacked so far; shared by a file and everything inside it.
    """

    limits: Limits = field(default_factory=Limits)
    depth: int = 0
    budget: Budget = field(default_factory=Budget)

    def inside(self) -> ReadContext:
        """The context of an item inside this one: one deeper, on the same budget."""
        return ReadContext(self.limits, self.depth + 1, self.budget)

    def open_container(self, size: int | None) -> None:
        """Say that the item is a container of ``size`` packed bytes (None: not known).

        Raises:
            ReadError: ``too_deep``.
        """
        if self.depth >= self.limits.archive_depth:
            raise ReadError(
                Reason.TOO_DEEP,
                f"lies {self.depth} containers deep and is one itself (limits.archive_depth)",
            )
        if self.depth == 0 and size is not None:
            self.budget.packed = max(self.budget.packed, size)

    def count_member(self) -> None:
        """Count one member of an archive.

        Raises:
            ReadError: ``too_many_members``.
        """
        if self.budget.members >= self.limits.archive_members:
            raise ReadError(
                Reason.TOO_MANY_MEMBERS,
                f"has more than {self.limits.archive_members} members (limits.archive_members)",
            )
        self.budget.members += 1

    def count_unpacked(self, count: int) -> None:
        """Count ``count`` bytes that came out of decompression.

        Raises:
            ReadError: ``ratio`` or ``too_large``.
        """
        budget, limits = self.budget, self.limits
        budget.unpacked += count
        if budget.unpacked > limits.archive_mb << 20:
            raise ReadError(
                Reason.TOO_LARGE, f"unpacks to more than {limits.archive_mb} MiB (limits.archive_mb)"
            )
        if budget.unpacked > RATIO_FROM and budget.unpacked > budget.packed * limits.archive_ratio:
            raise ReadError(
                Reason.RATIO,
                f"unpacks to more than {limits.archive_ratio} times its size, as a decompression bomb does "
                "(limits.archive_ratio)",
            )


class Reader(ABC):
    """Reads one format. Stateless: one instance serves all items.

    Attributes:
        format: the name in reports (``csv``).
        limitations: what of the format it does not read, one sentence each; printed by the documentation.
    """

    format: ClassVar[str]
    limitations: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def accepts(self, head: bytes, name: str) -> int:
        """How sure this reader is that it can read such bytes: 0 not at all, 100 certain.

        By content first (a magic number: 90 and more), then by name (an ending alone: 20 to 50). ``head`` is
        up to `HEAD_BYTES` from the start; ``name`` is the base name, compression endings removed.
        """

    @abstractmethod
    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """The item's parts, in order.

        Raises:
            ReadError: nothing more can be read.
        """

    def format_of(self, head: bytes, name: str) -> str:
        """The report's format name for such bytes, where one reader reads several dialects."""
        del head, name
        return self.format
