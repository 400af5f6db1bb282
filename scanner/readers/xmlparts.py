"""XML inside documents, streamed and without surprises: no document type, no entities, no outside files.

A document type declaration is refused (expansion bombs and references to outside files need one, office
documents never have one), so that nothing is ever expanded or fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO
from xml.parsers import expat

from scanner.model import Reason
from scanner.readers.base import CHUNK_CHARACTERS, ReadError, TextChunk

#: Bytes fed to a parser at once.
BLOCK = 1 << 16

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]
Characters = Callable[[str], None]

#: Elements of a run of text: a word may go on after their end. All other elements end a line.
RUNS = frozenset(
    ("t", "r", "rPr", "b", "i", "u", "sz", "color", "rFont", "family", "scheme", "charset", "vertAlign",
     "fld", "span", "s", "a")
)  # fmt: skip
#: Attributes that hold words of a person.
TELLING = frozenset(
    ("displayName", "userId", "author", "userName", "connection", "command", "commandText", "sourceFile",
     "url", "description", "descr", "caption", "initials", "prompt", "promptTitle", "error", "errorTitle",
     "display", "tooltip")
)  # fmt: skip


class Parser:
    """An XML parser that is fed piece by piece. Its handlers run while it is fed."""

    def __init__(self, start: Start, end: End, characters: Characters) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = characters
        parser.StartDoctypeDeclHandler = _refuse
        self._parser = parser

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """Go on with ``data``.

        Raises:
            ReadError: ``corrupt``, the part is not well-formed or declares a document type.
        """
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError:
            raise ReadError(Reason.CORRUPT, "the part is not well-formed XML") from None
        except (ValueError, LookupError):
            raise ReadError(Reason.CORRUPT, "the part's encoding is not known") from None

    def close(self) -> None:
        """Let go of the handlers, which refer to the parser's owner."""
        parser = self._parser
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None


def parse(stream: IO[bytes], start: Start, end: End, characters: Characters) -> Iterator[None]:
    """Parse a part block by block; the caller takes out between two steps what the handlers gathered.

    Raises:
        ReadError: as `Parser.feed`; or what the stream raises. What the handlers got before stays.
    """
    parser = Parser(start, end, characters)
    try:
        while block := stream.read(BLOCK):
            parser.feed(block)
            yield
        parser.feed(b"", last=True)
    finally:
        parser.close()
    yield


def _refuse(name: str, system: str | None, public: str | None, internal: bool) -> None:
    del name, system, public, internal
    raise ReadError(Reason.CORRUPT, "the part declares a document type, which office documents do not have")


def local(name: str) -> str:
    """An element's name without its namespace prefix."""
    return name.rpartition(":")[2]


def lines(
    stream: IO[bytes], attributes: frozenset[str] = TELLING, *, label: bool = False, limit: int | None = None
) -> Iterator[str]:
    """The text of a part, a line for each paragraph or element that holds some.

    Args:
        stream: the part.
        attributes: names of the attributes whose values are text too.
        label: put the element's name before its text (``creator: …``).
        limit: characters of a line, at which it is broken.

    Raises:
        ReadError: as `parse`; lines before it were given.
    """
    limit = limit or CHUNK_CHARACTERS - 1
    ready: list[str] = []
    line: list[str] = []
    length = 0

    def flush() -> None:
        nonlocal length
        text = "".join(line).strip()
        line.clear()
        length = 0
        if text:
            ready.append(text)

    def start(name: str, given: dict[str, str]) -> None:
        for key, value in given.items():
            if local(key) in attributes and value.strip():
                ready.append(value)
        if label and local(name) == "property" and "name" in given:
            ready.append(given["name"])

    def characters(text: str) -> None:
        nonlocal length
        while length + len(text) > limit:
            line.append(text[: limit - length])
            text = text[limit - length :]
            flush()
        line.append(text)
        length += len(text)

    def end(name: str) -> None:
        kind = local(name)
        if kind in RUNS:
            return
        if label and "".join(line).strip():
            line.insert(0, f"{kind}: ")
        flush()

    try:
        for _ in parse(stream, start, end, characters):
            yield from ready
            ready.clear()
    except ReadError:
        flush()
        yield from ready
        raise


def chunks(name: str, texts: Iterable[str], *, hidden: bool = False) -> Iterator[TextChunk]:
    """Lines as text chunks of the right size; a `ReadError` of ``texts`` comes after what was before it."""
    held: list[str] = []
    size = 0
    try:
        for text in texts:
            for piece in _pieces(text):
                if size + len(piece) > CHUNK_CHARACTERS:
                    yield TextChunk(name, "".join(held), hidden)
                    held, size = [], 0
                held.append(piece)
                size += len(piece)
    except ReadError:
        if held:
            yield TextChunk(name, "".join(held), hidden)
        raise
    if held:
        yield TextChunk(name, "".join(held), hidden)


def _pieces(text: str) -> Iterator[str]:
    text += "\n"
    for at in range(0, len(text), CHUNK_CHARACTERS):
        yield text[at : at + CHUNK_CHARACTERS]


__all__ = ["BLOCK", "RUNS", "TELLING", "Parser", "chunks", "lines", "local", "parse"]
