"""Running text and logs written anew, with what must not be in them taken out in place."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from scanner.readers.base import Source
from scanner.readers.encoding import as_utf8, detect
from scanner.readers.text import pieces
from scanner.remedy.base import Plan, Rewriter, Tools
from scanner.remedy.encoded import Encoded

_BLOCK = 256 << 10


class TextRewriter(Rewriter):
    """Text of any encoding."""

    formats = ("text", "log")

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write the text piece by piece.

        Raises:
            RemedyError: a character that the encoding cannot hold.
            ReadError: the stream's.
        """
        encoding = detect(source.head)
        written = Encoded(out, encoding.name, source.head[: encoding.mark])
        stream = cast("IO[bytes]", as_utf8(source.stream, encoding))
        for piece in pieces("body", _texts(stream)):
            written.write(tools.text(plan.text("body"), piece.text))


def _texts(stream: IO[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    while block := stream.read(_BLOCK):
        yield decoder.decode(block)
