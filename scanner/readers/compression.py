"""Compressions of one stream, peeled off before a reader is chosen: gzip, bzip2, xz, lzma, zstd, lz4.

Each layer is a stream over the decompressed bytes, in constant memory. Whatever is wrong with it (truncated,
damaged, a bomb) comes as a `ReadError` from ``read``, after every byte before it was handed out.

Formats: RFC 1952 (gzip), RFC 8878 (zstd), the xz and lz4 frame specifications.
"""

from __future__ import annotations

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import IO, Any, Protocol

from scanner.model import Reason
from scanner.readers.base import ReadContext, ReadError, Source

#: Packed bytes asked for at once.
_PACKED = 1 << 16
#: The decoder's window; xz -9 needs 65 MiB.
_LZMA_MEMORY = 256 << 20

#: Endings that name a compression, with what remains of the name in their place.
ENDINGS: dict[str, str] = {
    ".gz": "",
    ".gzip": "",
    ".bz2": "",
    ".bz": "",
    ".xz": "",
    ".lzma": "",
    ".zst": "",
    ".zstd": "",
    ".lz4": "",
    ".tgz": ".tar",
    ".taz": ".tar",
    ".tbz": ".tar",
    ".tbz2": ".tar",
    ".txz": ".tar",
    ".tlz": ".tar",
    ".tzst": ".tar",
}


class Decoder(Protocol):
    """What `bz2` and `lzma` give: fed with packed bytes, it unpacks at most so many at once."""

    @property
    def eof(self) -> bool:
        """True at the end of the stream."""

    @property
    def needs_input(self) -> bool:
        """True where it gives nothing more without new packed bytes."""

    @property
    def unused_data(self) -> bytes:
        """Packed bytes after the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` unpacked bytes."""


class ZlibDecoder:
    """zlib behind the interface of `bz2` and `lzma`.

    Args:
        wbits: as in `zlib.decompressobj`: 31 reads gzip, -15 raw deflate.
    """

    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.decompressobj(wbits)
        self._full = False

    @property
    def eof(self) -> bool:
        """True at the end of the stream."""
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        """True where it gives nothing more without new packed bytes."""
        return not self._full and not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """Packed bytes after the end of the stream."""
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Up to ``max_length`` unpacked bytes."""
        unpacked = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        # A full step may have left output inside zlib although all input is taken.
        self._full = len(unpacked) == max_length
        return unpacked


class SteppedStream(io.RawIOBase):
    """A raw stream whose errors come last.

    Subclasses give `step`; `error` and `ended` say what it met. All bytes before an error are handed out,
    then reading raises it, again and again.
    """

    #: Most bytes asked of one step.
    most = 1 << 18

    def __init__(self) -> None:
        self.error: ReadError | None = None
        self.ended = False

    def step(self, most: int) -> bytes:
        """Up to ``most`` bytes, perhaps none; sets ``error`` or ``ended`` where there is nothing more."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Up to ``size`` bytes; fewer only at the end, or before an error that the next read raises.

        Raises:
            ReadError: there is more, but it cannot be read.
        """
        left = sys.maxsize if size is None or size < 0 else size
        parts: list[bytes] = []
        while left > 0 and self.error is None and not self.ended:
            parts.append(self.step(min(left, self.most)))
            left -= len(parts[-1])
        data = b"".join(parts)
        if self.error is not None and not data and size != 0:
            raise self.error
        return data

    def readinto(self, buffer: Any) -> int:
        """Read into a writable buffer; the number of bytes read."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class Unpacking(SteppedStream):
    """The unpacked bytes of a stream of one or more concatenated members.

    Args:
        packed: the stream to unpack, at its start.
        decoder: makes a decoder, one for each member.
        magic: how each member starts; other bytes after a member are not part of the stream. None where
            there is one member only and what follows is no concern (``leftover`` has what was read of it).
        name: of the format, for messages.
        context: the budget that is charged.
        counts_packed: add what is read to the budget's packed bytes.
    """

    def __init__(
        self,
        packed: IO[bytes],
        decoder: Callable[[], Decoder],
        magic: bytes | None,
        name: str,
        context: ReadContext,
        *,
        counts_packed: bool = False,
    ) -> None:
        super().__init__()
        self._packed = packed
        self._make = decoder
        self._decoder: Decoder = decoder()
        self._magic = magic
        self._name = name
        self._context = context
        self._counts_packed = counts_packed
        self.leftover = b""

    def close(self) -> None:
        """Close the packed stream too."""
        self._packed.close()
        super().close()

    def step(self, most: int) -> bytes:
        """Some unpacked bytes, perhaps none."""
        unpacked = b""
        try:
            if self._decoder.eof:
                self._next_member(self._decoder.unused_data)
                return b""
            data = b""
            if self._decoder.needs_input:
                data = self._fetch()
                if not data:
                    raise ReadError(Reason.CORRUPT, f"the {self._name} stream is cut short")
            unpacked = self._decoder.decompress(data, most)
            self._context.count_unpacked(len(unpacked))
        except ReadError as error:
            self.error = error
        except lzma.LZMAError as error:
            self.error = self._lzma_error(error)
        except (zlib.error, OSError, EOFError, ValueError):
            self.error = ReadError(Reason.CORRUPT, f"the {self._name} stream is damaged")
        return unpacked

    def _fetch(self) -> bytes:
        data = self._packed.read(_PACKED)
        if self._counts_packed:
            self._context.budget.packed += len(data)
        return data

    def _next_member(self, rest: bytes) -> None:
        """Go on with the member that follows; zero padding is skipped, anything else is not ours."""
        if self._magic is None:
            self.leftover, self.ended = rest, True
            return
        rest = rest.lstrip(b"\0")
        while len(rest) < len(self._magic) and (more := self._fetch()):
            rest = (rest + more).lstrip(b"\0")
        if not rest:
            self.ended = True
        elif rest.startswith(self._magic):
            self._decoder = _Fed(self._make(), rest)
        else:
            raise ReadError(
                Reason.CORRUPT, f"the {self._name} stream is followed by bytes that are not part of it"
            )

    def _lzma_error(self, error: lzma.LZMAError) -> ReadError:
        if "memory" in str(error).lower():
            return ReadError(
                Reason.MEMORY, f"the {self._name} stream needs over {_LZMA_MEMORY >> 20} MiB to unpack"
            )
        return ReadError(Reason.CORRUPT, f"the {self._name} stream is damaged")


class _Fed:
    """A decoder that has its first packed bytes already."""

    def __init__(self, decoder: Decoder, data: bytes) -> None:
        self._decoder = decoder
        self._data = data

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        return not self._data and self._decoder.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        data, self._data = self._data + data, b""
        return self._decoder.decompress(data, max_length)


class _ArrowUnpacking(SteppedStream):
    """The unpacked bytes of a zstd or lz4 stream, through the codecs that Arrow brings along."""

    # What a damaged block takes with it is less than a step.
    most = 1 << 14

    def __init__(
        self, packed: IO[bytes], codec: str, context: ReadContext, *, counts_packed: bool = False
    ) -> None:
        import pyarrow as pa

        super().__init__()
        self._packed = Quiet(packed, context if counts_packed else None)
        self._codec = codec
        self._context = context
        self._stream = pa.CompressedInputStream(pa.PythonFile(self._packed, mode="r"), codec)

    def close(self) -> None:
        """Close the packed stream too."""
        self._packed.close()
        super().close()

    def step(self, most: int) -> bytes:
        """Some unpacked bytes; none at the end."""
        unpacked: bytes = b""
        try:
            unpacked = self._stream.read(most)
            self._context.count_unpacked(len(unpacked))
        except ReadError as error:
            self.error = error
        except (OSError, ValueError):
            self.error = self._packed.error or ReadError(
                Reason.CORRUPT, f"the {self._codec} stream is damaged or cut short"
            )
        if not unpacked and self.error is None:
            self.error, self.ended = self._packed.error, True
        return unpacked


class Quiet(io.RawIOBase):
    """A stream whose `ReadError` is kept and looks like its end: a library would lose bytes over it.

    Args:
        stream: the stream to read.
        context: where to count what is read as packed bytes, if anywhere.
    """

    def __init__(self, stream: IO[bytes], context: ReadContext | None = None) -> None:
        self._stream = stream
        self._context = context
        self.error: ReadError | None = None

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Up to ``size`` bytes; none at the end or once ``error`` is set."""
        if self.error is not None:
            return b""
        try:
            data = self._stream.read(-1 if size is None else size)
        except ReadError as error:
            self.error = error
            return b""
        if self._context is not None:
            self._context.budget.packed += len(data)
        return data

    def close(self) -> None:
        """Close the stream below."""
        self._stream.close()
        super().close()


def _lzma_decoder() -> Decoder:
    return lzma.LZMADecompressor(memlimit=_LZMA_MEMORY)


def _gzip_decoder() -> Decoder:
    return ZlibDecoder(31)


_DECODERS: dict[str, tuple[Callable[[], Decoder], bytes]] = {
    "gzip": (_gzip_decoder, b"\x1f\x8b"),
    "bzip2": (bz2.BZ2Decompressor, b"BZh"),
    "xz": (_lzma_decoder, b"\xfd7zXZ\0"),
    "lzma": (_lzma_decoder, b"\x5d\0\0"),
}


def recognise(head: bytes, name: str = "") -> str | None:
    """The compression that bytes start with: ``gzip``, ``bzip2``, ``xz``, ``lzma``, ``zstd``, ``lz4``, None.

    The lzma format has no magic number worth the name: its ending is asked for too.
    """
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\0"):
        return "xz"
    if head.startswith(b"\x04\x22\x4d\x18"):
        return "lz4"
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F):
        return "zstd"
    if head.startswith(b"\x5d\0\0") and name.lower().endswith((".lzma", ".tlz")):
        return "lzma"
    return None


def strip_ending(name: str) -> str:
    """A base name without one compression ending: ``a.csv.gz`` is ``a.csv``, ``a.tgz`` is ``a.tar``."""
    lowered = name.lower()
    for ending, instead in ENDINGS.items():
        if lowered.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)] + instead
    return name


def unpack(packed: IO[bytes], codec: str, context: ReadContext, *, counts_packed: bool = False) -> IO[bytes]:
    """A stream over the unpacked bytes of ``packed``, charged to the context's budget.

    Args:
        packed: the compressed stream at its start.
        codec: one of `recognise`'s.
        context: what bounds it.
        counts_packed: add what is read to the budget's packed bytes, where the size is not known beforehand.
    """
    if codec in ("zstd", "lz4"):
        stream: SteppedStream = _ArrowUnpacking(packed, codec, context, counts_packed=counts_packed)
    else:
        decoder, magic = _DECODERS[codec]
        stream = Unpacking(packed, decoder, magic, codec, context, counts_packed=counts_packed)
    return stream  # type: ignore[return-value] # a raw stream reads like any other


def unwrap(source: Source, context: ReadContext) -> tuple[Source, tuple[str, ...]]:
    """Peel off every compression around an item, by content.

    Args:
        source: the item as stored. Its name loses a compression ending even where the bytes are not
            compressed (someone unpacked it and kept the name).
        context: its depth grows by one for each layer.

    Returns:
        A source over the unpacked bytes, named without the endings, and the layers, outermost first.

    Raises:
        ReadError: ``too_deep``; or a layer that is damaged before its first byte.
    """
    layers: list[str] = []
    while (found := recognise(source.head, source.name)) is not None:
        context.open_container(source.size)
        counts_packed = context.depth == 0 and source.size is None
        context.depth += 1
        stream = unpack(source.stream, found, context, counts_packed=counts_packed)
        source = Source(stream, strip_ending(source.name))
        layers.append(found)
    if not layers:
        source.name = strip_ending(source.name)
    return source, tuple(layers)
