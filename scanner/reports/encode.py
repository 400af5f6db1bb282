"""JSON as bytes that any reader takes and any terminal survives."""

from __future__ import annotations

import re
from typing import Any

import orjson

# UTF-8 of what JSON may carry as it is but a terminal or a log obeys: DEL and the C1 controls, line and
# paragraph separators, bidirectional controls.
_ACTIVE = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


def dumps(value: Any) -> bytes:
    r"""``value`` as one line of JSON in UTF-8.

    Control and bidirectional characters are written as ``\uXXXX``, which means the same to a parser. Bytes of
    a file name that were not UTF-8 (surrogate escapes) become ``\xNN`` in words, as `model.printable` does.
    """
    try:
        encoded = orjson.dumps(value)
    except TypeError:
        encoded = orjson.dumps(_scrubbed(value))
    return _ACTIVE.sub(_escape, encoded)


def scrub(text: str) -> str:
    r"""The text without lone surrogates: escaped bytes become ``\xNN``, others ``\uXXXX``, in words."""
    return "".join(_scrub_char(char) if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)


def _scrub_char(char: str) -> str:
    code = ord(char)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _escape(match: re.Match[bytes]) -> bytes:
    return f"\\u{ord(match[0].decode()):04x}".encode()


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(inner) for inner in value]
    return value
