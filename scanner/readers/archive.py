"""Archives: every member of a zip or tar goes out as an item of its own.

Nothing is ever extracted: names are only names, and links point nowhere. What an archive may cost (depth,
members, bytes, ratio) is one budget over everything inside one file.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, Any, cast

from scanner.model import Gap, Reason, Stage
from scanner.readers import zipping
from scanner.readers.base import Child, Event, ReadContext, Reader, ReadError, Source
from scanner.readers.compression import Quiet, SteppedStream

_BLOCK = 512
#: Bytes of one extended header (a long name, pax records): more is not held in memory.
_TAR_HEADER = 1 << 20


class ZipReader(Reader):
    """Zip archives: stored, deflated, bzip2, lzma, xz and zstd members, zip64, split off or damaged ones."""

    format = "zip"
    limitations = (
        "Encrypted members, and members compressed with Deflate64, PPMd or older methods, are gaps.",
        "The comment of the archive and of its members is not read.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Certain of a zip's first bytes; by its name where something stands before the archive."""
        if head.startswith((zipping.LOCAL_HEADER, b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04")):
            return 90
        if name.lower().endswith(".zip") and zipping.LOCAL_HEADER in head:
            return 60
        return 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Each member as a child.

        Raises:
            ReadError: the archive is too deep, has too many members, or cannot be held in memory.
        """
        with source.seekable(context.limits) as file:
            context.open_container(file.seek(0, 2))
            archive = zipping.Zip(file, context)
            yield from archive.gaps
            if archive.before:
                detail = f"{archive.before} bytes before the archive's first member are no part of it"
                yield Gap(Stage.READ, Reason.UNSUPPORTED, detail, "start of the file")
            seen: dict[str, int] = {}
            any_member = False
            for member in archive.members():
                any_member = True
                if member.is_folder:
                    continue
                context.count_member()
                yield _zip_child(archive, member, seen)
        if not any_member and archive.gaps:
            raise ReadError(Reason.CORRUPT, "no member of the archive can be found")


def _zip_child(archive: zipping.Zip, member: zipping.Member, seen: dict[str, int]) -> Child | Gap:
    try:
        stream = archive.open(member)
    except ReadError as error:
        return Gap(Stage.READ, error.reason, error.detail, zipping.label(member))
    return Child(_unique(member.name, seen), stream, member.size, member.modified)


def _unique(name: str, seen: dict[str, int]) -> str:
    """The name; from its second occurrence on with a number, as ``name#2``."""
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name}#{seen[name]}"


class TarReader(Reader):
    """Tar archives of any dialect (v7, ustar, GNU, pax, sparse files), read in one pass."""

    format = "tar"
    limitations = ("Links and devices hold no data of their own and are passed over.",)

    def accepts(self, head: bytes, name: str) -> int:
        """Certain of a ustar magic, nearly so of an older header whose checksum fits."""
        block = head[:_BLOCK]
        if len(block) == _BLOCK and _checksum_fits(block):
            return 95 if block[257:262] == b"ustar" else 85
        if name.lower().endswith(".tar") and len(head) >= _BLOCK and not head.strip(b"\0"):
            return 50
        return 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Each file in the archive as a child.

        Raises:
            ReadError: the archive is damaged or cut short, too deep, or has too many members.
        """
        context.open_container(source.size)
        counted = context if context.depth == 0 and source.size is None else None
        packed = Quiet(source.stream, counted)
        headers = _headers()
        try:
            with tarfile.open(
                fileobj=cast("IO[bytes]", packed),
                mode="r|",
                tarinfo=headers,
                ignore_zeros=True,
                encoding="utf-8",
                errors="surrogateescape",
            ) as archive:
                yield from _tar_children(archive, packed, context)
        except ReadError as error:
            raise packed.error or error from None
        except RecursionError:
            raise ReadError(Reason.CORRUPT, "the archive's extended headers never end") from None
        except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, IndexError, KeyError):
            raise packed.error or ReadError(Reason.CORRUPT, "the archive is damaged or cut short") from None
        if packed.error is not None:
            raise packed.error
        if not headers.ended:
            raise ReadError(Reason.CORRUPT, "the archive ends without its end mark: it may be cut short")


def _tar_children(archive: tarfile.TarFile, packed: Quiet, context: ReadContext) -> Iterator[Event]:
    seen: dict[str, int] = {}
    while (member := archive.next()) is not None:
        # A stream of members is read once: the list that tarfile keeps of them would only grow.
        archive.members.clear()  # type: ignore[attr-defined] # present in every version, not in the stubs
        if not _has_data(member):
            continue
        context.count_member()
        if member.issparse():
            stream: SteppedStream = _Sparse(archive, member, packed, context)
        else:
            stream = _TarMember(archive, member, packed)
        name = _unique(member.name, seen)
        yield Child(name, cast("IO[bytes]", stream), member.size, float(member.mtime))
        if stream.error is not None:
            raise stream.error


def _has_data(member: tarfile.TarInfo) -> bool:
    if member.isfile():
        return True
    # An unknown type is data of some kind; links, folders and devices have none.
    return member.type not in tarfile.SUPPORTED_TYPES and member.size > 0


class _TarMember(SteppedStream):
    """The bytes of one plain member, read where they lie."""

    def __init__(self, archive: tarfile.TarFile, member: tarfile.TarInfo, packed: Quiet) -> None:
        super().__init__()
        self._file: Any = archive.fileobj
        self._position = member.offset_data
        self._end = member.offset_data + member.size
        self._packed = packed

    def step(self, most: int) -> bytes:
        wanted = min(most, self._end - self._position)
        data = b""
        if wanted:
            self._file.seek(self._position)
            data = self._file.read(wanted)
            self._position += len(data)
        if len(data) < wanted:
            self.error = self._packed.error or ReadError(Reason.CORRUPT, "the archive is cut short here")
        self.ended = self._position >= self._end
        return data


class _Sparse(SteppedStream):
    """A member with holes: a few stored bytes may stand for terabytes of zeros."""

    def __init__(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, packed: Quiet, context: ReadContext
    ) -> None:
        super().__init__()
        self._stream = archive.extractfile(member)
        self._packed = packed
        self._context = context

    def step(self, most: int) -> bytes:
        data = b""
        try:
            data = self._stream.read(min(most, 1 << 14)) if self._stream else b""
            self._context.count_unpacked(len(data))
        except ReadError as error:
            self.error = error
        except (tarfile.TarError, EOFError, OSError, ValueError):
            self.error = self._packed.error or ReadError(Reason.CORRUPT, "the archive is cut short here")
        self.ended = not data
        return data


class _Header(tarfile.TarInfo):
    """A header that says what is wrong with it, where `tarfile` would quietly take it for the end."""

    ended = False

    @classmethod
    def frombuf(cls, buf: Any, encoding: str | None, errors: str) -> Any:
        try:
            header = super().frombuf(buf, encoding, errors)  # type: ignore[arg-type] # as tarfile calls it
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # present in every version
            cls.ended = True
            raise
        except tarfile.EmptyHeaderError:  # type: ignore[attr-defined] # likewise
            raise
        except tarfile.HeaderError:
            raise ReadError(Reason.CORRUPT, "a header in the archive is damaged or cut short") from None
        cls.ended = False
        if header.size < 0:
            raise ReadError(Reason.CORRUPT, "a header in the archive is damaged")
        if header.type in b"LKxgX" and header.size > _TAR_HEADER:
            raise ReadError(Reason.TOO_LARGE, "an extended header in the archive is over 1 MiB")
        return header


def _headers() -> type[_Header]:
    """A header class for one archive: it notes whether the end mark was seen."""
    return type("_Header", (_Header,), {})


def _checksum_fits(block: bytes) -> bool:
    """True where the number at 148 is the sum of the header's bytes, as every tar header has it."""
    field = block[148:156].strip(b" \0")
    if not field or field.strip(b"01234567"):
        return False
    return int(field, 8) == sum(block) - sum(block[148:156]) + 8 * 0x20


__all__ = ["TarReader", "ZipReader"]
