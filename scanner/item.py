"""Item to outcome, in a worker process: open, choose a reader, fold what it gives into evidence.

The one place where an item's errors become gaps: bad input, and our own failure on a hostile file (told by
the exception's type, never its text, which may quote the data).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from scanner.config import Settings
from scanner.model import NESTED, Gap, ItemRef, Outcome, Reason, Stage, Table, Text, status_of, unread
from scanner.readers import registry
from scanner.readers.base import (
    Child,
    Event,
    ReadContext,
    Reader,
    ReadError,
    Source,
    TableChunk,
    TextChunk,
)
from scanner.sources.stdin import StandardInput, is_stdin

if TYPE_CHECKING:
    from scanner.detect.fold import Detector, ItemFold

_HASH_BLOCK = 1 << 20


def read_item(
    item: ItemRef, settings: Settings, detector: Detector, standard_input: StandardInput | None = None
) -> Iterator[Outcome]:
    """The outcomes of a file: those of its members as they are read, its own last."""
    try:
        stream = standard_input.open() if standard_input and is_stdin(item) else _open(item)
    except OSError as error:
        yield unread(item, _open_gap(error))
        return
    with stream:
        before = os.fstat(stream.fileno())
        if not is_stdin(item) and not stat.S_ISREG(before.st_mode):
            yield unread(item, Gap(Stage.OPEN, Reason.UNSUPPORTED, "is not a regular file"))
            return
        yield from _read_open(item, stream, before, settings, detector)


def _open(item: ItemRef) -> IO[bytes]:
    # Not blocking, so that a pipe put in a file's place after the walk cannot hold the worker.
    handle = os.open(_path_of(item), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(handle, "rb", buffering=0)


def _path_of(item: ItemRef) -> Path:
    """Where the item lies. A root that is itself a file has its own name as the item's path."""
    root = Path(item.root)
    return root if root.name == item.path and not root.is_dir() else root / item.path


def _read_open(
    item: ItemRef, stream: IO[bytes], before: os.stat_result, settings: Settings, detector: Detector
) -> Iterator[Outcome]:
    if is_stdin(item):
        hashing = _HashingStream(stream)
        source = Source(cast("IO[bytes]", hashing), item.path)
        part = _Part(item.path, None, settings, detector)
        yield from part.read(source, ReadContext(settings.limits))
        hashing.drain()
        yield part.outcome(hashing.count, hashing.hexdigest, None)
        return
    path = _path_of(item)
    # Readers close what they are given; the digest is taken over a handle of its own.
    source = Source(
        os.fdopen(os.dup(stream.fileno()), "rb", buffering=0), path.name, path=path, size=before.st_size
    )
    part = _Part(item.path, None, settings, detector, done=item.done)
    yield from part.read(source, ReadContext(settings.limits))
    source.close()
    digest = _file_digest(stream)
    after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        part.gaps.append(Gap(Stage.READ, Reason.CHANGED_WHILE_READ, "was written to while it was read"))
        digest = None
    yield part.outcome(after.st_size, digest, before.st_mtime)


@dataclass
class _Part:
    """One item, or one member, while it is read."""

    path: str
    member: str | None
    settings: Settings
    detector: Detector
    done: int = 0
    format: str = "unknown"
    containers: tuple[str, ...] = ()
    gaps: list[Gap] = field(default_factory=list)
    tables: tuple[Table, ...] = ()
    texts: tuple[Text, ...] = ()
    members: int = 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Outcome]:
        """Read it whole. Gives the outcomes of its members; its own is `outcome`."""
        fold = self.detector.item()
        try:
            yield from self._events(source, context, fold)
        except ReadError as error:
            self.gaps.append(error.gap())
        except OSError as error:
            self.gaps.append(_open_gap(error, Stage.READ))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 # our own failure on one item must not end the scan
            self.gaps.append(_internal(error, Stage.READ))
        self._finish(fold)

    def _events(self, source: Source, context: ReadContext, fold: ItemFold) -> Iterator[Outcome]:
        from scanner.readers.compression import unwrap

        source, self.containers = unwrap(source, context)
        head = source.head
        if not head:
            self.format = "empty"
            return
        reader = registry.choose(head, source.name)
        if reader is None:
            raise ReadError(Reason.UNSUPPORTED, "is of no format that is known here")
        self.format = reader.format_of(head, source.name)
        yield from self._consume(reader, source, context, fold)

    def _consume(
        self, reader: Reader, source: Source, context: ReadContext, fold: ItemFold
    ) -> Iterator[Outcome]:
        for event in reader.read(source, context):
            if isinstance(event, Child):
                self.members += 1
                if self.members > self.done:
                    yield from self._child(event, context)
                else:
                    _pass_over(event)
            else:
                self._take(event, fold)

    def _take(self, event: Event, fold: ItemFold) -> None:
        try:
            match event:
                case TableChunk():
                    fold.add_table(
                        event.table,
                        event.batch,
                        rows=event.rows,
                        row_ids=event.row_ids,
                        hidden=event.hidden,
                        hidden_columns=event.hidden_columns,
                        headed=event.headed,
                    )
                case TextChunk():
                    fold.add_text(event.name, event.text, event.hidden)
                case Gap():
                    self.gaps.append(event)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 # a part that cannot be judged is a gap; the others go on
            where = event.table if isinstance(event, TableChunk) else getattr(event, "name", None)
            gap = _internal(error, Stage.DETECT, where)
            if gap not in self.gaps:
                self.gaps.append(gap)

    def _child(self, child: Child, context: ReadContext) -> Iterator[Outcome]:
        name = child.name if self.member is None else f"{self.member}{NESTED}{child.name}"
        hashing = _HashingStream(child.stream)
        part = _Part(self.path, name, self.settings, self.detector)
        yield from part.read(
            Source(cast("IO[bytes]", hashing), child.name.rsplit("/", 1)[-1], size=child.size),
            context.inside(),
        )
        whole = True
        try:
            hashing.drain()
        except ReadError as error:
            whole = False
            if not any(gap.reason is error.reason for gap in part.gaps):
                part.gaps.append(error.gap())
        yield part.outcome(hashing.count, hashing.hexdigest if whole else None, child.modified)

    def _finish(self, fold: ItemFold) -> None:
        try:
            self.tables, self.texts, gaps = fold.finish()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 # as in `read`
            self.gaps.append(_internal(error, Stage.DETECT))
        else:
            self.gaps.extend(gaps)

    def outcome(self, size: int, digest: str | None, modified: float | None) -> Outcome:
        """What came of it."""
        has_parts = bool(self.tables or self.texts or self.members)
        return Outcome(
            path=self.path,
            member=self.member,
            format=self.format,
            bytes=size,
            sha256=digest,
            status=status_of(self.gaps, has_parts),
            gaps=tuple(self.gaps),
            tables=self.tables,
            texts=self.texts,
            containers=self.containers,
            modified=modified,
        )


def _pass_over(child: Child) -> None:
    """Unpack a member for nobody: that counts towards the limits, and the next one may lie behind it."""
    with suppress(ReadError):
        while child.stream.read(_HASH_BLOCK):
            pass


class _HashingStream:
    """A stream that digests and counts what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._digest.update(block)
        self.count += len(block)
        return block

    def drain(self) -> None:
        """Read what nobody asked for: a digest is of all bytes."""
        while self.read(_HASH_BLOCK):
            pass

    def close(self) -> None:
        """Leave the stream to its owner."""

    @property
    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _file_digest(stream: IO[bytes]) -> str | None:
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(_HASH_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def digest(path: Path) -> str | None:
    """The hex SHA-256 of a file's bytes, as its outcome has it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        return _file_digest(stream)


def _open_gap(error: OSError, stage: Stage = Stage.OPEN) -> Gap:
    if isinstance(error, FileNotFoundError):
        return Gap(stage, Reason.VANISHED, "was gone when it was to be read")
    if isinstance(error, PermissionError):
        return Gap(stage, Reason.PERMISSION, "may not be read by this user")
    return Gap(
        stage,
        Reason.CORRUPT,
        f"cannot be read: {os.strerror(error.errno) if error.errno else type(error).__name__}",
    )


def _internal(error: BaseException, stage: Stage, where: str | None = None) -> Gap:
    return Gap(
        stage, Reason.INTERNAL, f"failed with {type(error).__name__}; this is a defect of sharewatch", where
    )
