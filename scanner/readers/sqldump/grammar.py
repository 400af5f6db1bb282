"""The tokens of a dialect as compiled patterns over bytes.

The patterns are possessive throughout: a token that does not end fails at once, and no input makes them slow.
Text is matched as bytes in any encoding in which ASCII bytes mean ASCII, which the reader sees to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from scanner.readers.sqldump.dialect import Dialect

_PLAIN_STRING = rb"'(?:[^']++|'')*+'"
_ESCAPED_STRING = rb"'(?:[^'\\]++|\\.|'')*+'"
_PREFIXED_STRING = rb"(?P<estring>(?<![\w$])[Ee]" + _ESCAPED_STRING + rb")|"
_PLAIN_DOUBLE = rb'"(?:[^"]++|"")*+"'
_ESCAPED_DOUBLE = rb'"(?:[^"\\]++|\\.|"")*+"'
_DOLLAR = rb"\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?+)\$(?s:.*?)\$(?P=tag)\$"
_NUMBER = rb"(?:0x[0-9A-Fa-f]*+|\.?+[0-9][0-9.]*+(?:[eE][-+]?+[0-9]++)?+)"
_WORD = rb"[A-Za-z_@\x80-\xff][\w.$@\x80-\xff]*+"
NAME_PART = rb"(?:`(?:[^`]++|``)*+`|\"(?:[^\"]++|\"\")*+\"|\[(?:[^\]]++|\]\])*+\]|[\w$#@\x80-\xff]++)"


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a dialect's tokens look like.

    Attributes:
        dialect: the facts that the patterns were built from.
        backslash: whether plain strings have backslash escapes here.
        space: white space, comments and conditional-comment marks, any number of them.
        comment: one comment.
        cell: a plain cell and its end: groups ``null``, ``text`` (between the quotes), ``bare``, ``end``.
        token: one token of an expression: groups named after its kind.
        stop: the next thing that matters for where a statement ends: groups named after its kind.
        conditional: the mark that opens a conditional comment (never matches where there are none).
    """

    dialect: Dialect
    backslash: bool
    space: re.Pattern[bytes]
    comment: re.Pattern[bytes]
    cell: re.Pattern[bytes]
    token: re.Pattern[bytes]
    stop: re.Pattern[bytes]
    conditional: re.Pattern[bytes]


@cache
def grammar(dialect: Dialect, backslash: bool, delimiter: bytes = b";") -> Grammar:
    """The grammar of a dialect, with its state: backslash escapes on or off, and what ends a statement."""
    string = _ESCAPED_STRING if backslash else _PLAIN_STRING
    double = _ESCAPED_DOUBLE if backslash and dialect.double_quoted else _PLAIN_DOUBLE
    prefixed = _PREFIXED_STRING if dialect.escape_strings else b""
    comment = _comment(dialect)
    space = rb"\s++|" + comment
    if dialect.conditional_comments:
        space += rb"|/\*M?!\d*+|\*/"
    bare = rb"[-+]?+(?:" + _NUMBER + rb"|" + _WORD + rb")"
    quoted_name = rb"`(?:[^`]++|``)*+`" + (rb"|\[(?:[^\]]++|\]\])*+\]" if dialect.brackets else b"")
    return Grammar(
        dialect=dialect,
        backslash=backslash,
        space=re.compile(rb"(?:" + space + rb")*+"),
        comment=re.compile(comment),
        cell=re.compile(
            rb"\s*+(?:(?P<null>[Nn][Uu][Ll][Ll])|'(?P<text>"
            + string[1:-1]
            + rb")'|(?P<bare>"
            + bare
            + rb"))\s*+(?P<end>[,)])",
            re.DOTALL,
        ),
        token=re.compile(
            rb"(?P<space>(?:" + space + rb")++)"
            rb"|" + prefixed + rb"(?P<string>" + string + rb")"
            rb"|(?P<double>" + double + rb")"
            rb"|(?P<name>"
            + quoted_name
            + rb")"
            + (rb"|(?P<dollar>" + _DOLLAR + rb")" if dialect.dollar_quotes else b"")
            + rb"|(?P<number>"
            + _NUMBER
            + rb")"
            rb"|(?P<word>" + _WORD + rb")"
            rb"|(?P<escaped>\\N)"
            rb"|(?P<operator>\|\||::|.)",
            re.DOTALL,
        ),
        stop=_stop(
            dialect, prefixed + rb"(?P<string>" + string + rb")", double, quoted_name, comment, delimiter
        ),
        conditional=re.compile(rb"/\*M?!\d*+" if dialect.conditional_comments else rb"(?!)"),
    )


def _comment(dialect: Dialect) -> bytes:
    not_code = rb"(?!M?!)" if dialect.conditional_comments else b""
    block = rb"/\*" + not_code + rb"(?:[^*]++|\*(?!/))*+\*/"
    if dialect.nested_comments:
        inner = rb"/\*(?:[^*/]++|\*(?!/)|/(?!\*))*+\*/"
        block = rb"/\*(?:[^*/]++|\*(?!/)|/(?!\*)|" + inner + rb")*+\*/"
    line = rb"--(?=[\s\x00-\x1f]|\Z)[^\n]*+" if dialect.delimiters else rb"--[^\n]*+"
    return line + rb"|" + block + (rb"|\#[^\n]*+" if dialect.hash_comments else b"")


def _stop(
    dialect: Dialect, string: bytes, double: bytes, quoted_name: bytes, comment: bytes, delimiter: bytes
) -> re.Pattern[bytes]:
    parts = [
        string,
        rb"(?P<double>" + double + rb")",
        rb"(?P<name>" + quoted_name + rb")",
        rb"(?P<comment>" + comment + rb")",
        rb"(?P<end>" + re.escape(delimiter) + rb")",
    ]
    if dialect.dollar_quotes:
        parts.append(rb"(?P<dollar>(?<![\w$])" + _DOLLAR + rb")")
        parts.append(rb"(?P<opendollar>(?<![\w$])\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*+)?+\$)")
    if dialect.batches:
        parts.append(rb"(?P<batch>(?m:^)[ \t]*+[Gg][Oo][ \t]*+(?:\d++[ \t]*+)?+(?:--[^\n]*+)?+\r?+(?:\n|\Z))")
        parts.append(rb"(?P<next>(?m:^)[ \t]*+(?i:INSERT|CREATE\s+TABLE|ALTER\s+TABLE)\b)")
    if dialect.blocks or dialect.dollar_quotes:
        parts.append(rb"(?P<block>\b(?i:BEGIN|CASE|END)\b)")
    opening = rb"(?P<open>['\"`]|/\*" + (rb"(?!M?!)" if dialect.conditional_comments else b"")
    parts.append(opening + (rb"|\[)" if dialect.brackets else rb")"))
    return re.compile(rb"|".join(parts), re.DOTALL)


_MYSQL_ESCAPES = {
    b"0": b"\0",
    b"b": b"\b",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"Z": b"\x1a",
    b"%": b"\\%",
    b"_": b"\\_",
}
_MYSQL_ESCAPE = re.compile(rb"\\(.)|''", re.DOTALL)
_MYSQL_DOUBLE_ESCAPE = re.compile(rb'\\(.)|""', re.DOTALL)
_POSTGRES_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_POSTGRES_ESCAPE = re.compile(
    rb"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{1,2})|u(?P<short>[0-9A-Fa-f]{4})"
    rb"|U(?P<long>[0-9A-Fa-f]{8})|(?P<char>.))|''",
    re.DOTALL,
)


def unquote(inner: bytes, backslash: bool) -> bytes:
    r"""The value of what stands between single quotes: ``''`` and, where they count, ``\`` escapes undone."""
    if backslash and b"\\" in inner:
        return _MYSQL_ESCAPE.sub(_mysql_char, inner)
    return inner.replace(b"''", b"'")


def unquote_double(inner: bytes, backslash: bool) -> bytes:
    """The value of what stands between double quotes."""
    if backslash and b"\\" in inner:
        return _MYSQL_DOUBLE_ESCAPE.sub(_mysql_char, inner)
    return inner.replace(b'""', b'"')


def unquote_name(token: bytes) -> bytes:
    """A name without its quotes, of whatever sort."""
    if token[:1] in (b"`", b'"') and len(token) >= 2:
        quote = token[:1]
        return token[1:-1].replace(quote * 2, quote)
    if token[:1] == b"[" and token[-1:] == b"]":
        return token[1:-1].replace(b"]]", b"]")
    return token


def unescape_postgres(inner: bytes) -> bytes:
    r"""The value of an ``E'…'`` string of PostgreSQL, or of a field of COPY's text format."""
    if b"\\" not in inner and b"''" not in inner:
        return inner
    return _POSTGRES_ESCAPE.sub(_postgres_char, inner)


def _mysql_char(match: re.Match[bytes]) -> bytes:
    char: bytes | None = match[1]
    if char is None:
        return match[0][:1]
    return _MYSQL_ESCAPES.get(char, char)


def _postgres_char(match: re.Match[bytes]) -> bytes:
    char: bytes | None = match["char"]
    if char is not None:
        return _POSTGRES_ESCAPES.get(char, char)
    if match["octal"] is not None:
        return bytes((int(match["octal"], 8) & 0xFF,))
    if match["hex"] is not None:
        return bytes((int(match["hex"], 16),))
    code = match["short"] or match["long"]
    if code is None:
        return b"'"
    point = int(code, 16)
    return chr(point).encode("utf-8") if point < 0xD800 or 0xE000 <= point < 0x110000 else b"\xef\xbf\xbd"
