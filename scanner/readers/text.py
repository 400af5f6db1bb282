"""Running text and logs: whatever decodes as text and is nothing more particular."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scanner.model import Gap, Reason, Stage
from scanner.readers.base import CHUNK_CHARACTERS, Event, ReadContext, Reader, Source, TextChunk
from scanner.readers.encoding import as_utf8, detect, head_text

_BLOCK = 256 << 10
#: What starts the lines of a log: a time, a level, a syslog priority, a client's address.
_LOG_LINE = re.compile(
    r"\s*(?:<\d{1,3}>)?(?:\[?\d{4}[-/]\d\d[-/]\d\d[T _]|\[?\w{3} +\w{3} +\d|\w{3} +\d{1,2} \d\d:\d\d:\d\d"
    r"|\d{6} \d{6}"
    r"|\[?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
    r"|[\d.]{7,15} \S+ \S+ \[|\[?\d\d:\d\d:\d\d|\d{10}(?:\.\d+)? )"
)
#: Contents that a mail or a certificate wraps, so that they are not seen in its text.
_WRAPPED = re.compile(
    r"^Content-Transfer-Encoding:\s*(?:base64|quoted-printable|x-uuencode)", re.IGNORECASE | re.MULTILINE
)


def pieces(name: str, texts: Iterable[str], *, hidden: bool = False) -> Iterator[TextChunk]:
    """Text in chunks of at most `CHUNK_CHARACTERS` that end at a paragraph, a line or a word.

    Args:
        name: the part's name.
        texts: its text in order, in pieces of any size.
        hidden: the part is hidden from whoever opens the file.
    """
    held = ""
    for text in texts:
        held += text
        while len(held) > CHUNK_CHARACTERS:
            end = _end_of_piece(held)
            yield TextChunk(name, held[:end], hidden)
            held = held[end:]
    if held:
        yield TextChunk(name, held, hidden)


def _end_of_piece(text: str) -> int:
    """Where to cut: in the last quarter after a blank line, else after a line, else after white space."""
    window = CHUNK_CHARACTERS
    for mark, least in (("\n\n", window * 3 // 4), ("\n", 1), ("\t", 1), (" ", 1)):
        end = text.rfind(mark, least, window)
        if end > 0:
            return min(end + len(mark), window)
    return window


def is_log(text: str) -> bool:
    """True where most of the first lines begin as those of logs do."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    return len(lines) > 1 and sum(_LOG_LINE.match(line) is not None for line in lines) >= 0.6 * len(lines)


class TextReader(Reader):
    """Reads text of any encoding as one part, ``body``."""

    format = "text"
    limitations = (
        "Markup (HTML, XML, TeX) is read with its tags.",
        "Contents that a mail carries in base64 or quoted-printable are not decoded; the report says so.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Any text, but as the last of all readers."""
        if head_text(head) is None:
            return 0
        return 20 if name.lower().endswith((".txt", ".log", ".md", ".text")) else 10

    def format_of(self, head: bytes, name: str) -> str:
        """``log`` for logs, by name or by content, else ``text``."""
        return "log" if name.lower().endswith(".log") or is_log(head_text(head) or "") else "text"

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """The text in pieces, then what could not be decoded or was wrapped."""
        del context
        stream = as_utf8(source.stream, detect(source.head))
        wrapped = 0

        def texts() -> Iterator[str]:
            nonlocal wrapped
            cut = b""
            while block := stream.read(_BLOCK):
                end = block.rfind(b"\n") + 1 or _whole_characters(block)
                text = (cut + block[:end]).decode("utf-8")
                cut = block[end:]
                wrapped += len(_WRAPPED.findall(text))
                yield text
            if cut:
                yield cut.decode("utf-8")

        yield from pieces("body", texts())
        if (gap := stream.gap()) is not None:
            yield gap
        if wrapped:
            yield Gap(Stage.READ, Reason.UNSUPPORTED, f"{wrapped} encoded parts of a mail were not decoded")


def _whole_characters(block: bytes) -> int:
    """Bytes of ``block`` up to its last whole UTF-8 character."""
    for back in range(1, min(4, len(block)) + 1):
        byte = block[-back]
        if byte < 0x80:
            return len(block)
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(block) - back if needed > back else len(block)
    return len(block)
