"""Text out in the encoding that it came in."""

from __future__ import annotations

from typing import BinaryIO

from scanner.remedy.faults import RemedyError


class Encoded:
    """Writes text in one encoding, after a byte order mark where there was one.

    Args:
        out: where to.
        encoding: Python's codec name.
        mark: the mark's bytes.
    """

    def __init__(self, out: BinaryIO, encoding: str, mark: bytes) -> None:
        self._out = out
        self._encoding = encoding
        out.write(mark)

    def write(self, text: str) -> None:
        """Write a piece.

        Raises:
            RemedyError: the encoding has no bytes for a character.
        """
        try:
            self._out.write(text.encode(self._encoding))
        except UnicodeEncodeError:
            raise RemedyError(
                f"a character cannot be written in the file's encoding, {self._encoding}"
            ) from None
