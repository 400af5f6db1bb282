"""Bytes of text to UTF-8: which encoding they are in, and a stream that turns it into UTF-8.

Nothing is dropped: a byte that does not decode becomes U+FFFD and is counted. In UTF-8 a stray byte of a
legacy set is common (two exports glued together); such bytes are read as cp1252, which is what they nearly
always are.
"""

from __future__ import annotations

import codecs
import io
import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import IO

from scanner.model import Gap, Reason, Stage
from scanner.readers.base import HEAD_BYTES
from scanner.readers.charset import guess

#: Byte order marks, the longer before the shorter that they start with.
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BLOCK = 1 << 20
_LARGE = 256 << 10
#: Encodings in which bytes below 0x80 are ASCII whatever stands before them.
_STATELESS = re.compile(r"(cp|iso8859|koi8|mac|tis)")
_ESCAPED = re.compile("[\udc80-\udcff]")
#: Control characters that text does not hold; tab, line ends, form feed, escape (colour in logs) are text,
#: and so are the separators 0x01 and 0x1c to 0x1f of exports.
_CONTROL = re.compile("[\0\x02-\x08\x0e-\x1a\x7f\x80-\x84\x86-\x9f\ufffd\ufffe\uffff]")
#: Shares of such characters up to which content is still text: damaged UTF-8, and a mere guess.
_NOISE, _NOISE_IN_GUESS = 0.02, 0.003
#: Starts of formats that are not text, or hold text in a wrapping of their own: reading them as text would
#: miss most of it. The share of control characters tells the rest.
_NOT_TEXT = (
    *(b"%PDF-", b"{\\rtf", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1", b"SQLite format 3\0", b"ARROW1"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\x7fELF", b"MZ\x90", b"OggS", b"ID3"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How bytes encode text.

    Attributes:
        name: Python's codec name.
        mark: bytes of the byte order mark at the start.
        certain: False where it is a guess among legacy character sets.
    """

    name: str
    mark: int = 0
    certain: bool = True


@lru_cache(maxsize=4)
def detect(head: bytes) -> Encoding:
    """The encoding of text that starts with ``head`` (up to `HEAD_BYTES`; its end may cut a character)."""
    for mark, name in _MARKS:
        if head.startswith(mark) and (not name.startswith("utf-32") or _decodes(head, name)):
            return Encoding(name, len(mark))
    if b"\0" in head and (wide := _by_zeros(head)) is not None:
        return Encoding(wide)
    if b"\x1b$" in head and head.isascii() and _decodes(head, "iso2022_jp"):
        return Encoding("iso2022_jp")
    if head.isascii() or _decodes(head, "utf-8") or _mostly_utf8(head):
        return Encoding("utf-8")
    return Encoding(guess(head), certain=False)


def _decodes(head: bytes, name: str) -> bool:
    """True where all but a character cut at the end decodes."""
    try:
        codecs.getincrementaldecoder(name)().decode(head, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _by_zeros(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: zeros at every second place, or three of four, and nowhere else."""
    sample = head[: 4096 - len(head[:4096]) % 4] if len(head) >= 4 else head[: len(head) & ~1]
    zeros = [sample[place::4].count(0) / max(1, len(sample[place::4])) for place in range(4)]
    low, high = 0.05, 0.25
    patterns = (
        ("utf-32-le", zeros[0] < low and min(zeros[2:]) > 0.9),
        ("utf-32-be", zeros[3] < low and min(zeros[:2]) > 0.9),
        ("utf-16-le", max(zeros[0], zeros[2]) < low and min(zeros[1], zeros[3]) > high),
        ("utf-16-be", max(zeros[1], zeros[3]) < low and min(zeros[0], zeros[2]) > high),
    )
    for name, fits in patterns:
        if fits and _decodes(head, name) and _noise(head.decode(name, "replace")[:2048]) < _NOISE:
            return name
    return None


def _mostly_utf8(head: bytes) -> bool:
    """True where more sequences are valid than not: UTF-8 with strays. Chance makes few of them valid."""
    text = head.decode("utf-8", "surrogateescape")
    strays = len(_ESCAPED.findall(text))
    valid = sum(char >= "\x80" for char in text) - strays
    return valid > strays


def _noise(text: str) -> float:
    return len(_CONTROL.findall(text)) / max(1, len(text))


@lru_cache(maxsize=4)
def head_text(head: bytes) -> str | None:
    """The decoded head, without a byte order mark or a cut last character; None where it is not text."""
    if head.startswith(_NOT_TEXT):
        return None
    encoding = detect(head)
    text = decode(head, encoding)
    if len(head) >= HEAD_BYTES:
        text = text.rstrip("\ufffd")
    limit = _NOISE if encoding.certain else _NOISE_IN_GUESS
    return text if _noise(text) <= limit else None


def decode(data: bytes, encoding: Encoding) -> str:
    """All of ``data`` as text, by the rules of `Utf8Stream`."""
    return as_utf8(io.BytesIO(data), encoding).read().decode("utf-8")


class Utf8Stream(io.RawIOBase):
    """A stream of text as valid UTF-8 without a byte order mark.

    Attributes:
        undecodable: bytes (or units) that became U+FFFD so far.
        mended: stray bytes in UTF-8 that were read as cp1252 so far.
    """

    def __init__(self, stream: IO[bytes], encoding: Encoding) -> None:
        self._stream = stream
        self._encoding = encoding
        self._to_skip = encoding.mark
        self._is_utf8 = encoding.name == "utf-8"
        self._is_stateless = _STATELESS.match(encoding.name) is not None
        self._decoder = codecs.getincrementaldecoder(encoding.name)("replace")
        self._cut = b""
        self._out = memoryview(b"")
        self._ended = False
        self.undecodable = 0
        self.mended = 0

    def readable(self) -> bool:
        """Always true."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """Up to ``size`` bytes; fewer than asked for only at the end or between blocks; all where negative.

        Raises:
            ReadError: the underlying stream's, after all bytes before it.
        """
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_BLOCK), b""))
        if not size:
            return b""
        while not self._out and not self._ended:
            self._out = memoryview(self._next(size))
        if len(self._out) <= size:
            whole, self._out = self._out, memoryview(b"")
            return (
                whole.obj if isinstance(whole.obj, bytes) and len(whole.obj) == len(whole) else bytes(whole)
            )
        data, self._out = bytes(self._out[:size]), self._out[size:]
        return data

    def readinto(self, buffer: object) -> int:
        """Fill a writable buffer; how many bytes were put into it."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def gap(self) -> Gap | None:
        """What could not be decoded so far, as a gap; None where all could."""
        if not self.undecodable:
            return None
        detail = f"{self.undecodable} bytes are not {self._encoding.name} and were read as U+FFFD"
        return Gap(Stage.READ, Reason.ENCODING, detail)

    def _next(self, size: int) -> bytes:
        if self._to_skip:
            self._stream.read(self._to_skip)
            self._to_skip = 0
        # Room for the bytes kept back, so that a block that passes unchanged fits what was asked for.
        data = self._stream.read(max(size - len(self._cut), 4))
        if not data:
            self._ended = True
        if self._is_utf8:
            return self._utf8(data)
        if self._is_stateless and data.isascii():
            return data
        text = self._decoder.decode(data, final=self._ended)
        self.undecodable += text.count("\ufffd")
        return text.encode("utf-8", "replace")

    def _utf8(self, data: bytes) -> bytes:
        if self._cut:
            data, self._cut = self._cut + data, b""
        if data.isascii():
            return data
        if not self._ended and (cut := _cut_bytes(data)):
            data, self._cut = data[:-cut], data[-cut:]
        return data if _is_utf8(data) else self._mend(data)

    def _mend(self, data: bytes) -> bytes:
        text = _ESCAPED.sub(self._mend_byte, data.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8")

    def _mend_byte(self, match: re.Match[str]) -> str:
        stray = bytes([ord(match.group()) - 0xDC00])
        try:
            char = stray.decode("cp1252")
        except UnicodeDecodeError:
            self.undecodable += 1
            return "\ufffd"
        self.mended += 1
        return char


def _is_utf8(data: bytes) -> bool:
    """True for valid UTF-8. Arrow checks large blocks several times faster than Python decodes them."""
    try:
        if len(data) < _LARGE:
            data.decode("utf-8")
        else:
            import pyarrow as pa

            buffers = [None, pa.py_buffer(struct.pack("=ii", 0, len(data))), pa.py_buffer(data)]
            pa.Array.from_buffers(pa.binary(), 1, buffers).cast(pa.string())
    except ValueError:
        return False
    return True


def _cut_bytes(data: bytes) -> int:
    """Bytes at the end that begin a UTF-8 sequence whose rest is still to come."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if needed > back and byte < 0xF8 else 0
        if byte < 0x80:
            return 0
    return 0


def as_utf8(stream: IO[bytes], encoding: Encoding) -> Utf8Stream:
    """The text of ``stream`` as UTF-8; see `Utf8Stream` for what becomes of bytes that do not decode."""
    return Utf8Stream(stream, encoding)
