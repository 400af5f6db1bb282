"""JSON texts in and out: numbers as they stand, strings escaped as they were, the same spaces."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

_COLON = re.compile(r'"\s*:(\s*)')
_COMMA = re.compile(r'[\w"\]}],( *)["\w\[{]')
_INDENT = re.compile(r"[\[{]\r?\n([ \t]+)")


class Number(str):
    """A number as it is written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How JSON is written.

    Attributes:
        colon: between a key and its value.
        comma: between two entries on one line.
        indent: of one level, where entries stand on lines of their own.
        newline: what ends those lines.
        escaped: characters beyond ASCII are escaped.
    """

    colon: str = ":"
    comma: str = ","
    indent: str | None = None
    newline: str = "\n"
    escaped: bool = False


def style_of(text: str) -> Style:
    """The style that a JSON text is written in, told from its start."""
    colon, comma, indent = _COLON.search(text), _COMMA.search(text), _INDENT.search(text)
    return Style(
        colon=f":{colon[1]}" if colon else ":",
        comma=f",{comma[1]}" if comma else ",",
        indent=indent[1] if indent else None,
        newline="\r\n" if "\r\n" in text else "\n",
        escaped=text.isascii() and "\\u" in text,
    )


def _constant(word: str) -> Number:
    return Number(word)


#: Reads a value and says where it ends; numbers keep their digits.
DECODER = json.JSONDecoder(strict=False, parse_float=Number, parse_int=Number, parse_constant=_constant)


def loads(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    return DECODER.decode(text)


def dumps(value: Any, style: Style, level: int = 0) -> str:
    """A value as text; inner lines are indented from ``level`` on."""
    if type(value) is str:
        return encode_basestring_ascii(value) if style.escaped else encode_basestring(value)
    if type(value) is Number:
        return str.__str__(value)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is dict:
        entries = [
            f"{dumps(key, style)}{style.colon}{dumps(item, style, level + 1)}" for key, item in value.items()
        ]
        return _bracketed("{", entries, "}", style, level)
    return _bracketed("[", [dumps(item, style, level + 1) for item in value], "]", style, level)


def _bracketed(opening: str, entries: list[str], closing: str, style: Style, level: int) -> str:
    if not entries:
        return opening + closing
    if style.indent is None:
        return opening + style.comma.join(entries) + closing
    inner = style.newline + style.indent * (level + 1)
    return f"{opening}{inner}{f',{inner}'.join(entries)}{style.newline}{style.indent * level}{closing}"
