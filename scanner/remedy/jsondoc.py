"""JSON and JSON lines written anew: the same records, spaces and numbers, without the fields that go."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import IO, Any, BinaryIO, cast

from scanner.readers.base import Source
from scanner.readers.encoding import as_utf8, detect
from scanner.readers.jsondoc import JsonReader
from scanner.remedy.base import Plan, RemedyError, Rewriter, Tools
from scanner.remedy.encoded import Encoded
from scanner.remedy.jsontext import DECODER, Style, dumps, loads, style_of
from scanner.remedy.keypaths import Documents

_BLOCK = 1 << 20
_SPACE = " \t\r\n\x1e\ufeff"
_BETWEEN = re.compile(r"[\s\x1e\ufeff,]*")
#: Elements held until it is known whether the first of them is a header.
_HELD = 50


class JsonRewriter(Rewriter):
    """JSON lines, JSON documents, and documents one after the other."""

    formats = ("json", "jsonl")

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write the records without the fields that go; a large object is held in memory.

        Raises:
            RemedyError: it is no JSON, or an object or record is over a limit.
            ReadError: the stream's.
        """
        encoding = detect(source.head)
        lines = JsonReader().format_of(source.head, source.name) == "jsonl"
        written = Encoded(out, encoding.name, source.head[: encoding.mark])
        text = _Text(cast("IO[bytes]", as_utf8(source.stream, encoding)), tools.limits.line_mb << 20)
        documents = Documents(plan, tools)
        try:
            pieces = _lines(text, documents) if lines else _documents(text, documents, tools)
            for piece in pieces:
                written.write(piece)
        except (ValueError, RecursionError):
            # The decoder's own words may quote the text.
            raise RemedyError("a record is no JSON; the file cannot be written anew") from None


class _Text:
    """Text that is read as far as it is needed."""

    def __init__(self, stream: IO[bytes], longest: int) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.longest = longest
        self.data = ""
        self.position = 0
        self.ended = False

    def more(self, size: int = _BLOCK) -> bool:
        """Read on; False at the end. What lies before the position is let go."""
        if self.ended:
            return False
        block = self._stream.read(size)
        self.ended = not block
        self.data = self.data[self.position :] + self._decoder.decode(block, final=self.ended)
        self.position = 0
        return not self.ended

    def widen(self) -> bool:
        """Read on for a value that does not end yet.

        Raises:
            RemedyError: it is too long to hold.
        """
        if len(self.data) - self.position > self.longest:
            raise RemedyError(f"a record is over {self.longest >> 20} MiB (limits.line_mb)", unread=True)
        return self.more(max(_BLOCK, len(self.data) - self.position))

    def between(self) -> str:
        """What stands before the next value: spaces and commas."""
        start = _BETWEEN.match(self.data, self.position)
        assert start is not None, "it matches nothing too"
        while start.end() == len(self.data) and self.more():
            start = _BETWEEN.match(self.data, self.position)
            assert start is not None, "it matches nothing too"
        found = self.data[self.position : start.end()]
        self.position = start.end()
        return found

    def value(self) -> tuple[Any, str]:
        """The value at the position, and its text.

        Raises:
            ValueError: there is none.
        """
        while True:
            try:
                value, end = DECODER.raw_decode(self.data, self.position)
            except ValueError:
                if not self.widen():
                    raise
                continue
            # A number or a word may go on after what is at hand.
            if end < len(self.data) or not self.widen():
                raw = self.data[self.position : end]
                self.position = end
                return value, raw


def _lines(text: _Text, documents: Documents) -> Iterator[str]:
    table = documents.table("-")
    style: Style | None = None
    while text.position < len(text.data) or not text.ended:
        end = text.data.find("\n", text.position) + 1
        if not end:
            if text.widen():
                continue
            end = len(text.data)
        line = text.data[text.position : end]
        text.position = end
        body = line.strip(_SPACE)
        if not body:
            yield line
            continue
        style = style or replace(style_of(body), indent=None)
        start = line.index(body[0])
        yield line[:start] + dumps(table.record(loads(body)), style) + line[start + len(body) :]


def _documents(text: _Text, documents: Documents, tools: Tools) -> Iterator[str]:
    yield text.between()
    if text.position >= len(text.data):
        return
    if text.data[text.position] == "[":
        yield from _array(text, documents)
    else:
        yield from _values(text, documents, tools)


def _array(text: _Text, documents: Documents) -> Iterator[str]:
    """An array, element by element."""
    text.position += 1
    held: list[tuple[str, Any, str]] = []
    style: Style | None = None
    yield "["
    while True:
        before = text.between()
        if text.data[text.position : text.position + 1] == "]":
            break
        value, raw = text.value()
        style = style or _element_style(before, raw)
        held.append((before, value, raw))
        if type(value) is not list or len(held) >= _HELD:
            yield from _flush(held, documents, style)
            held = []
    yield from _flush(held, documents, style or Style())
    text.position += 1
    yield before + "]" + text.between()
    if text.position < len(text.data):
        raise ValueError


def _flush(held: list[tuple[str, Any, str]], documents: Documents, style: Style) -> Iterator[str]:
    done = documents.records("-", [value for _, value, _ in held])
    for (before, _, _), value in zip(held, done, strict=True):
        yield before + dumps(value, style, 1)


def _element_style(before: str, raw: str) -> Style:
    """The style of an array's elements; their inner lines are indented by what is more than their own."""
    style = style_of(raw)
    own = before.rpartition("\n")[2]
    unit = style.indent.removeprefix(own) if style.indent else ""
    return replace(style, indent=unit or style.indent)


def _values(text: _Text, documents: Documents, tools: Tools) -> Iterator[str]:
    """One document that is no array, or several one after the other."""
    text.longest = max(text.longest, tools.limits.spool_mb << 20)
    value, raw = text.value()
    style = style_of(raw)
    between = text.between()
    if text.position >= len(text.data):
        yield dumps(documents.document(value), style) + between
        return
    table = documents.table("-")
    yield dumps(table.record(value), style)
    while text.position < len(text.data):
        yield between
        value, _ = text.value()
        yield dumps(table.record(value), style)
        between = text.between()
    yield between
