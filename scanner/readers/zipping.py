"""Zip containers: the directory of members, and each member's bytes with every byte before an error.

The standard library's `zipfile` parses the central directory; where that is broken or immense, the members'
own headers are read one after another. Members are unpacked here rather than by `zipfile`, which throws away
the last block of a member whose checksum is wrong (for a small member: all of it) and trusts declared sizes.

Format: PKWARE APPNOTE 6.3.
"""

from __future__ import annotations

import bz2
import calendar
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, cast

from scanner.model import Gap, Reason, Stage, printable
from scanner.readers.base import ReadContext, ReadError
from scanner.readers.compression import Decoder, SteppedStream, Unpacking, ZlibDecoder, unpack

LOCAL_HEADER = b"PK\x03\x04"
_CENTRAL_HEADER = b"PK\x01\x02"
_LOCAL = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 0x1
_SIZES_FOLLOW = 0x8
_UTF8 = 0x800
_STORED, _DEFLATED, _BZIP2, _LZMA, _ZSTD, _XZ = 0, 8, 12, 14, 93, 95
#: Compression methods by number, for messages.
METHODS = {
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 9: "Deflate64",
    10: "PKWARE Implode", 16: "IBM CMPSC", 18: "IBM Terse", 19: "LZ77", 94: "MP3", 96: "JPEG",
    97: "WavPack", 98: "PPMd", 99: "AES",
}  # fmt: skip
#: Central directory bytes per allowed member: a longer directory is not loaded into memory.
_DIRECTORY_BYTES = 1024
#: See `_is_likely`; with some room for newer versions.
_NEWEST, _SYSTEMS, _LAST_OLD, _NEW_METHODS = 99, 30, 20, range(93, 100)
_LZMA_DICTIONARY = 256 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the archive describes it; all of it may be a lie.

    Attributes:
        name: as stored, ``/`` between parts. Never a path to write to.
        offset: where its local header starts.
        packed: bytes as stored, None where only its end will tell.
        size: bytes when unpacked.
        crc: checksum of the unpacked bytes, None where it follows the data.
        overlaps: it shares its bytes with another member.
    """

    name: str
    offset: int
    method: int
    flags: int
    packed: int | None
    size: int | None
    crc: int | None
    modified: float | None = None
    overlaps: bool = False

    @property
    def is_folder(self) -> bool:
        """True for an entry that only names a folder."""
        return self.name.endswith("/") and not self.size


class Zip:
    """An open zip container.

    Args:
        file: seekable; stays with the caller.
        context: the budget that unpacking is charged to.

    Attributes:
        gaps: what is wrong with the container as a whole.
    """

    def __init__(self, file: IO[bytes], context: ReadContext) -> None:
        self._file = file
        self._context = context
        self._size = file.seek(0, io.SEEK_END)
        self.gaps: list[Gap] = []
        self._listed = self._directory()

    def members(self) -> Iterator[Member]:
        """All members, in the directory's order; without a directory, as they come.

        Where the sizes are not known beforehand a member must be opened before the next is asked for.
        """
        if self._listed is not None:
            yield from self._listed
            return
        yield from self._sequential()

    @property
    def before(self) -> int:
        """Bytes of the file before the first member of the directory."""
        return min((member.offset for member in self._listed or ()), default=0)

    @property
    def listed(self) -> tuple[Member, ...] | None:
        """The members of the central directory, None where there is no usable one."""
        return self._listed

    def open(self, member: Member) -> IO[bytes]:
        """The member's unpacked bytes.

        Raises:
            ReadError: ``encrypted``, ``unsupported``, ``corrupt`` or ``ratio`` before the first byte; the
                stream's ``read`` raises what comes later.
        """
        if member.flags & _ENCRYPTED:
            raise ReadError(Reason.ENCRYPTED, "the member is encrypted")
        if member.overlaps:
            raise ReadError(
                Reason.RATIO, "the member shares its bytes with another one, as in a decompression bomb"
            )
        start = self._start(member.offset)
        length = self._size - start if member.packed is None else member.packed
        section = _Section(self._file, start, length)
        stream = _MemberStream(self._unpacked(section, member), member, section)
        return cast("IO[bytes]", stream)

    def _unpacked(self, section: _Section, member: Member) -> IO[bytes]:
        packed = cast("IO[bytes]", section)
        if member.method == _STORED:
            if member.packed is None:
                raise ReadError(Reason.UNSUPPORTED, "the member is stored without telling its size")
            return cast("IO[bytes]", _Stored(section, self._context))
        if member.method == _ZSTD:
            return unpack(packed, "zstd", self._context)
        if member.method == _DEFLATED:
            stream = Unpacking(packed, lambda: ZlibDecoder(-15), None, "deflate", self._context)
        elif member.method == _BZIP2:
            stream = Unpacking(packed, bz2.BZ2Decompressor, None, "bzip2", self._context)
        elif member.method == _XZ:
            stream = Unpacking(packed, lzma.LZMADecompressor, None, "xz", self._context)
        elif member.method == _LZMA:
            decoder = _lzma_decoder(section)
            stream = Unpacking(packed, lambda: decoder, None, "lzma", self._context)
        else:
            name = METHODS.get(member.method, "unknown")
            raise ReadError(
                Reason.UNSUPPORTED, f"the member's compression (method {member.method}, {name}) is not read"
            )
        return cast("IO[bytes]", stream)

    def _start(self, offset: int) -> int:
        """Where the data of the member begins whose local header is at ``offset``."""
        header = self._header(offset)
        if header is None:
            raise ReadError(Reason.CORRUPT, "the member's header is not where the directory says")
        return offset + _LOCAL.size + int(header[9]) + int(header[10])

    def _header(self, offset: int) -> tuple[int, ...] | None:
        if not 0 <= offset <= self._size - _LOCAL.size:
            return None
        self._file.seek(offset)
        raw = self._file.read(_LOCAL.size)
        if len(raw) < _LOCAL.size or not raw.startswith(LOCAL_HEADER):
            return None
        return _LOCAL.unpack(raw)

    def _directory(self) -> tuple[Member, ...] | None:
        if self._directory_size() > self._context.limits.archive_members * _DIRECTORY_BYTES:
            return None
        try:
            with zipfile.ZipFile(self._file) as directory:
                infos = directory.infolist()
        except (zipfile.BadZipFile, NotImplementedError, UnicodeError, struct.error, ValueError) as error:
            self._broken(error)
            return None
        except (OSError, EOFError, OverflowError, IndexError, zlib.error) as error:
            self._broken(error)
            return None
        if not infos and self._find(LOCAL_HEADER, 0) is not None:
            self._broken(None)
            return None
        return _marked([_described(info) for info in infos])

    def _broken(self, error: Exception | None) -> None:
        del error  # its text may quote the file
        self.gaps.append(
            Gap(
                Stage.READ,
                Reason.CORRUPT,
                "the archive's directory is missing or damaged; members were read one after another as far "
                "as they can be found",
            )
        )

    def _directory_size(self) -> int:
        """Bytes of the central directory as its end record claims; 0 where there is none."""
        tail_start = max(0, self._size - 65_557 - 100)
        self._file.seek(tail_start)
        tail = self._file.read(self._size - tail_start)
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) < at + 22:
            return 0
        (size,) = struct.unpack_from("<I", tail, at + 12)
        if size != 0xFFFFFFFF:
            return int(size)
        at = tail.rfind(b"PK\x06\x06")
        if at < 0 or len(tail) < at + 56:
            return 0
        return int(struct.unpack_from("<Q", tail, at + 40)[0])

    def _sequential(self) -> Iterator[Member]:
        """Members by their local headers, in the order of the file."""
        position = self._find(LOCAL_HEADER, 0)
        while position is not None:
            header = self._header(position)
            if header is None:
                return
            if _is_likely(header):
                member = self._from_header(position, header)
                yield member
                position = self._find(LOCAL_HEADER, self._after(member))
            else:
                position = self._find(LOCAL_HEADER, position + len(LOCAL_HEADER))

    def _after(self, member: Member) -> int:
        """A position at or before the header that follows ``member``."""
        start = self._start(member.offset)
        if member.packed is not None:
            return start + member.packed if start + member.packed <= self._size else start
        try:
            stream = cast("_MemberStream", self.open(member))
            stream.drain()
        except ReadError:
            return start
        return start if stream.error is not None else stream.end

    def _from_header(self, position: int, header: tuple[int, ...]) -> Member:
        _, _, flags, method, time, date, crc, packed, size, name_length, extra_length = header
        self._file.seek(position + _LOCAL.size)
        raw, extra = self._file.read(name_length), self._file.read(extra_length)
        name = raw.decode("utf-8" if flags & _UTF8 else "cp437", errors="replace")
        if flags & _SIZES_FOLLOW and not packed:
            return Member(name, position, method, flags, None, None, None, _epoch(date, time))
        if 0xFFFFFFFF in (packed, size):
            size, packed = _zip64_sizes(extra, size, packed)
        return Member(name, position, method, flags, packed, size, crc, _epoch(date, time))

    def _find(self, signature: bytes, start: int) -> int | None:
        """Where ``signature`` comes next, from ``start`` on."""
        position, block = start, 1 << 20
        while position < self._size:
            self._file.seek(position)
            data = self._file.read(block + len(signature) - 1)
            at = data.find(signature)
            if at >= 0:
                return position + at
            position += block
        return None


class _Section(io.RawIOBase):
    """A stretch of a seekable file, with its own position."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        self._file = file
        self.position = start
        self.end = start + length

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        left = self.end - self.position
        self._file.seek(self.position)
        data = self._file.read(left if size is None or size < 0 else min(size, left))
        self.position += len(data)
        return data


class _Stored(SteppedStream):
    """A member that is not compressed."""

    def __init__(self, section: _Section, context: ReadContext) -> None:
        super().__init__()
        self._section = section
        self._context = context

    def step(self, most: int) -> bytes:
        data = self._section.read(most)
        self.ended = self._section.position >= self._section.end
        if not data and not self.ended:
            self.error = ReadError(Reason.CORRUPT, "the member is cut short")
        try:
            self._context.count_unpacked(len(data))
        except ReadError as error:
            self.error = error
        return data


class _MemberStream(SteppedStream):
    """A member's bytes; at their end the checksum is held against them."""

    def __init__(self, inner: IO[bytes], member: Member, section: _Section) -> None:
        super().__init__()
        self._inner = inner
        self._section = section
        # An lzma stream need not mark its own end.
        self._left = member.size if member.method == _LZMA and member.size is not None else None
        self._expected = member.crc
        self._crc = 0

    @property
    def end(self) -> int:
        """Position in the file after the member's packed bytes, once it was read to its end."""
        leftover = self._inner.leftover if isinstance(self._inner, Unpacking) else b""
        return self._section.position - len(leftover)

    def drain(self) -> None:
        """Read on to the end or the first error."""
        while self.error is None and not self.ended:
            self.step(self.most)

    def step(self, most: int) -> bytes:
        if self._left is not None:
            most = min(most, self._left)
        try:
            data = self._inner.read(most) if most else b""
        except ReadError as error:
            self.error = error
            return b""
        if self._left is not None:
            self._left -= len(data)
        self._crc = zlib.crc32(data, self._crc)
        if not data:
            self.ended = True
            if self._expected is not None and self._crc != self._expected:
                self.error = ReadError(Reason.CORRUPT, "the member does not fit its checksum")
        return data


def _lzma_decoder(section: _Section) -> Decoder:
    """A decoder for a raw LZMA stream with the properties that zip puts before it."""
    head = section.read(4)
    length = struct.unpack("<2xH", head)[0] if len(head) == 4 else 0
    properties = section.read(length)
    if length != 5 or len(properties) != 5 or properties[0] >= 225:
        raise ReadError(Reason.CORRUPT, "the member's lzma properties are damaged")
    first, dictionary = struct.unpack("<BI", properties)
    if dictionary > _LZMA_DICTIONARY:
        raise ReadError(Reason.MEMORY, f"the member needs over {_LZMA_DICTIONARY >> 20} MiB to unpack")
    settings = {
        "id": lzma.FILTER_LZMA1,
        "dict_size": dictionary,
        "lc": first % 9,
        "lp": first // 9 % 5,
        "pb": first // 45,
    }
    try:
        return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[settings])
    except (lzma.LZMAError, ValueError):
        raise ReadError(Reason.CORRUPT, "the member's lzma properties are damaged") from None


def _is_likely(header: tuple[int, ...]) -> bool:
    """Whether a local header that no directory vouches for is one: else data would be told as a name.

    The version needed is 6.3 at most, times ten, with a number of a system above it; methods go to 20, and
    from 93 to 99 (PKWARE's APPNOTE 6.3.10, 4.4.2 to 4.4.5).
    """
    version, method = header[1], header[3]
    return (
        version & 0xFF <= _NEWEST
        and version >> 8 <= _SYSTEMS
        and (method <= _LAST_OLD or method in _NEW_METHODS)
    )


def _described(info: zipfile.ZipInfo) -> Member:
    modified = _civil(*info.date_time)
    return Member(
        info.filename,
        info.header_offset,
        info.compress_type,
        info.flag_bits,
        info.compress_size,
        info.file_size,
        info.CRC,
        modified,
    )


def _marked(members: list[Member]) -> tuple[Member, ...]:
    """The members, those marked that lie on top of an earlier one's bytes."""
    overlapping: set[int] = set()
    end = 0
    for index in sorted(range(len(members)), key=lambda at: members[at].offset):
        member = members[index]
        if member.offset < end:
            overlapping.add(index)
        end = max(end, member.offset + _LOCAL.size + (member.packed or 0))
    if not overlapping:
        return tuple(members)
    return tuple(
        Member(m.name, m.offset, m.method, m.flags, m.packed, m.size, m.crc, m.modified, at in overlapping)
        for at, m in enumerate(members)
    )


def _zip64_sizes(extra: bytes, size: int, packed: int) -> tuple[int, int]:
    """Sizes from the zip64 extra field (id 1), where the 32-bit ones say so."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            values = [
                int.from_bytes(extra[n : n + 8], "little") for n in range(at + 4, at + 4 + length - 7, 8)
            ]
            if size == 0xFFFFFFFF and values:
                size = values.pop(0)
            if packed == 0xFFFFFFFF and values:
                packed = values.pop(0)
        at += 4 + length
    return size, packed


def _epoch(date: int, time: int) -> float | None:
    return _civil((date >> 9) + 1980, date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2)


def _civil(year: int, month: int, day: int, hour: int, minute: int, second: int) -> float | None:
    """Seconds since 1970 of a DOS time, whose zone is not stored: taken as UTC. None for no date."""
    if not (1 <= month <= 12 and 1 <= day <= 31) or (year, month, day) == (1980, 1, 1):
        return None
    return float(calendar.timegm((year, month, day, hour, minute, second)))


def label(member: Member) -> str:
    """The member's name for a person."""
    return printable(member.name)


#: Folders of an Office package, and what kind of document has them.
_OFFICE: tuple[tuple[str, str], ...] = (
    ("xl/", "xlsx"),
    ("word/", "docx"),
    ("ppt/", "pptx"),
    ("visio/", "vsdx"),
)
#: Other documents that are zips, by a prefix of a member's name.
_OTHERS: tuple[tuple[str, str], ...] = (
    ("Documents/1/", "xps"),
    ("Index/Document.iwa", "iwork"),
    ("Index/Tables/", "iwork"),
    ("index.xml.gz", "iwork"),
    ("index.apxl", "iwork"),
    ("META-INF/MANIFEST.MF", "jar"),
)
_MIMETYPES: tuple[tuple[bytes, str], ...] = (
    (b"application/vnd.oasis.opendocument.spreadsheet", "ods"),
    (b"application/vnd.oasis.opendocument.text", "odt"),
    (b"application/vnd.oasis.opendocument.presentation", "odp"),
    (b"application/vnd.oasis.opendocument", "odf"),
    (b"application/epub+zip", "epub"),
)


def kind_of_names(names: list[str]) -> str:
    """What a zip with such members is: ``xlsx``, ``xlsb``, ``docx``, …, ``zip`` for a plain archive.

    ``ooxml`` is an Office package of which not enough is seen.
    """
    parts = [name for name in names if name.endswith((".xml", ".rels", ".bin"))]
    if any(name == "[Content_Types].xml" or name.startswith(("_rels/", "docProps/")) for name in parts):
        if any(name.startswith("xl/") and name.endswith(".bin") and "heet" in name for name in parts):
            return "xlsb"
        for folder, kind in _OFFICE:
            if any(name.startswith(folder) for name in parts):
                return kind
    for prefix, kind in _OTHERS:
        if any(name.startswith(prefix) for name in names):
            return kind
    return "ooxml" if "[Content_Types].xml" in parts else "zip"


def kind_of_head(head: bytes) -> str:
    """The same from the first bytes of a file; ``""`` where they are no zip's."""
    if not head.startswith(LOCAL_HEADER):
        return ""
    if head[30:38] == b"mimetype":
        for mimetype, kind in _MIMETYPES:
            if head.startswith(mimetype, 38):
                return kind
    names = _names(head)
    # The part that marks a package may come last: its own folders are as telling.
    if any(name.startswith(_TELLING) for name in names):
        names.append("[Content_Types].xml")
    return kind_of_names(names)


_TELLING = ("xl/worksheets/sheet", "xl/workbook.", "word/document.xml", "ppt/slides/slide")


def _names(head: bytes) -> list[str]:
    names: list[str] = []
    at = head.find(LOCAL_HEADER)
    while at >= 0 and at + _LOCAL.size <= len(head):
        (length,) = struct.unpack_from("<H", head, at + 26)
        names.append(head[at + 30 : at + 30 + length].decode("latin-1").replace("\\", "/"))
        at = head.find(LOCAL_HEADER, at + 30)
    return names


__all__ = ["LOCAL_HEADER", "METHODS", "Member", "Zip", "kind_of_head", "kind_of_names", "label"]
