"""The JSON lines file: one event a line, appended and synced; rotated here or by logrotate."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scanner.events import Waiting
from scanner.sinks.base import Common, Result, Sink, Unavailable

_MODE = 0o640
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class JsonlOptions:
    """Settings of a JSON lines file.

    Attributes:
        path: the file. Its folder must be there.
        rotate_mb: size in MiB from which it is rotated; 0 leaves that to others (logrotate).
        rotate_hours: age of its first line in hours from which it is rotated; 0 for never.
        keep: rotated files that are kept, at least 1 (``findings.jsonl.1`` is the newest).
        gzip: whether rotated files are compressed.
    """

    path: str
    rotate_mb: float = 0.0
    rotate_hours: float = 0.0
    keep: int = 10
    gzip: bool = False

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the setting, and why."""
        found = []
        if not os.path.isabs(self.path):  # noqa: PTH117 # of a text
            found.append(("path", "must be an absolute path"))
        elif not Path(self.path).parent.is_dir():
            found.append(("path", f"needs the folder {Path(self.path).parent}, which is not there"))
        if self.keep < 1:
            found.append(("keep", "must be at least 1"))
        return found


class JsonlSink(Sink):
    """Appends events to a file.

    The file is opened for each batch, so that one that others moved or removed is made anew; a line that a
    crash has cut is ended before the next begins. A batch is with the receiver once the file is synced.
    """

    type = "jsonl"

    def __init__(self, common: Common, options: JsonlOptions) -> None:
        super().__init__(common)
        self._options = options
        self._path = Path(options.path)

    def send(self, batch: Sequence[Waiting]) -> Result:
        """Append the batch and sync it."""
        lines = "".join(f"{self.text(each)}\n" for each in batch).encode("ascii")
        with self._trouble():
            self._rotate_if_due()
            file = self._open()
            try:
                _append(file, lines)
            finally:
                os.close(file)
        return Result(delivered=[each.seq for each in batch])

    def healthcheck(self) -> None:
        """The file can be opened for appending."""
        with self._trouble():
            os.close(self._open())

    @contextlib.contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"{self._path}: {error.strerror or type(error).__name__}") from None

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            return os.open(self._path, flags)
        except FileNotFoundError:
            file = os.open(self._path, flags | os.O_CREAT, _MODE)
            os.fchmod(file, _MODE)
            _sync_folder(self._path.parent)
            return file
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, "is a symbolic link, which is not followed") from None
            raise

    # -- rotation --

    def _rotate_if_due(self) -> None:
        options = self._options
        if not (options.rotate_mb or options.rotate_hours):
            return
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return
        large = options.rotate_mb and found.st_size >= options.rotate_mb * _MIB
        if found.st_size and (large or self._old()):
            self._rotate()

    def _old(self) -> bool:
        """Whether the first line was written too long ago; the line says when."""
        if not self._options.rotate_hours:
            return False
        with self._path.open("rb") as stream:
            first = stream.readline(_MIB)
        moment = _moment(first)
        return moment is not None and time.time() - moment >= self._options.rotate_hours * 3600

    def _rotate(self) -> None:
        """Move each file one on; one that falls off the end is removed."""
        keep = self._options.keep
        for suffix in ("", ".gz"):
            self._numbered(keep, suffix).unlink(missing_ok=True)
            for number in range(keep - 1, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    self._numbered(number, suffix).rename(self._numbered(number + 1, suffix))
        newest = self._numbered(1, "")
        self._path.rename(newest)
        if self._options.gzip:
            _compress(newest)
        _sync_folder(self._path.parent)

    def _numbered(self, number: int, suffix: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}{suffix}")


def _moment(line: bytes) -> float | None:
    """The time of an event's line, in seconds of the epoch."""
    import json
    from datetime import datetime

    try:
        when = json.loads(line)["time"]
        return when / 1000 if isinstance(when, int) else datetime.fromisoformat(when).timestamp()
    except (ValueError, KeyError, TypeError):
        return None


def _append(file: int, lines: bytes) -> None:
    """Append and sync, all or nothing as far as the disk allows; a line that was cut is ended first."""
    size = os.fstat(file).st_size
    torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
    view = memoryview(b"\n" + lines if torn else lines)
    try:
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
    except OSError:
        # A full disk: half a batch would stand there twice once it is sent again.
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
        raise


def _compress(path: Path) -> None:
    """Replace a file by its gzip; the file stays until all of that is on the disk."""
    part = path.with_name(f"{path.name}.gz.part")
    try:
        with path.open("rb") as source, part.open("wb") as raw:
            os.fchmod(raw.fileno(), _MODE)
            with gzip.GzipFile(path.name, "wb", fileobj=raw) as packed:
                shutil.copyfileobj(source, packed, _MIB)
            raw.flush()
            os.fsync(raw.fileno())
    except OSError:
        # A full disk is not filled further by what nobody can read.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    part.rename(path.with_name(f"{path.name}.gz"))
    path.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
