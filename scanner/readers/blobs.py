"""Bytes that a database kept where text was expected, or as binary: which of them are text after all."""

from __future__ import annotations

import re

#: Bytes of an opaque value that stand for it, in hexadecimal: a binary UUID, hash or point is whole.
OPAQUE_BYTES = 64
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_PLAIN = re.compile(rb"[\t\n\r\x20-\x7e]")


def text_or_none(data: bytes) -> str | None:
    """The text that ``data`` plainly is (UTF-8, or a Western code page with mostly ASCII), else None."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        if len(data) < 4 or len(_PLAIN.findall(data[:4096])) < 0.85 * len(data[:4096]):
            return None
        text = _western(data)
    return None if _CONTROL.search(text) else text


def of_binary(data: bytes) -> tuple[str, bool]:
    """A binary value as a cell: its text where it is text, else hexadecimal, cut after `OPAQUE_BYTES`.

    Returns:
        The cell, and whether the value was cut: what it holds was then not looked at.
    """
    text = text_or_none(data)
    if text is not None:
        return text, False
    return "0x" + data[:OPAQUE_BYTES].hex(), len(data) > OPAQUE_BYTES


def of_text(data: bytes) -> tuple[str, bool]:
    """A value that should be text as a cell: UTF-8, else a Western code page, else as `of_binary`."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        text = _western(data)
        return (text, False) if not _CONTROL.search(text) else of_binary(data)


def _western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
