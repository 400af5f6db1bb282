"""Rows of values one token at a time: slow, and right for whatever an INSERT may hold.

The fast way (`scanner.readers.sqldump.fast`) gives the same cells for the plain rows it takes on, and leaves
everything else to this module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scanner.readers.sqldump.grammar import (
    Grammar,
    unescape_postgres,
    unquote,
    unquote_double,
)


class IncompleteError(Exception):
    """The bytes end before the row does."""


class MalformedError(Exception):
    """This is not a row of values."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A binary literal."""

    data: bytes


#: A cell: NULL, the bytes of a text, or a binary literal.
Cell = bytes | Blob | None


@dataclass(slots=True)
class Row:
    """One row: its cells, where it ends (after the parenthesis), and comments that stood inside."""

    cells: list[Cell]
    end: int
    comments: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: bytes
    start: int
    end: int


def row(data: bytes, pos: int, grammar: Grammar) -> Row:
    """The row that opens at ``pos``, where there is a parenthesis.

    Raises:
        IncompleteError: ``data`` ends first.
        MalformedError: a parenthesis or bracket closes that was never opened.
    """
    result = Row([], pos + 1)
    match_cell = grammar.cell.match
    backslash = grammar.backslash
    while True:
        found = match_cell(data, result.end)
        if found is None:
            cell, end, closed = _expression(data, result.end, grammar, result)
            if not (closed and cell == b"" and not result.cells):
                result.cells.append(cell)
        else:
            end, closed = found.end(), found["end"] == b")"
            text = found["text"]
            if text is not None:
                result.cells.append(unquote(text, backslash) if b"'" in text or backslash else text)
            elif found["null"] is not None:
                result.cells.append(None)
            else:
                result.cells.append(_bare(found["bare"]))
        result.end = end
        if closed:
            return result


def _bare(word: bytes) -> Cell:
    if word[:2] == b"0x":
        digits = word[2:]
        return Blob(_unhex(digits))
    return word


def _unhex(digits: bytes) -> bytes:
    return bytes.fromhex((b"0" * (len(digits) % 2) + digits).decode("ascii"))


def _expression(data: bytes, pos: int, grammar: Grammar, into: Row) -> tuple[Cell, int, bool]:
    """A cell that is more than one plain token: its value, where it ends, whether the row ends with it."""
    tokens: list[_Token] = []
    depth, first, last = 0, -1, -1
    match_token = grammar.token.match
    while True:
        found = match_token(data, pos)
        if found is None:
            raise IncompleteError
        kind, value = found.lastgroup or "", found[0]
        start, pos = pos, found.end()
        if kind == "space":
            into.comments.extend(grammar.comment.findall(value))
            continue
        if kind == "operator":
            if _opens(value, data[pos : pos + 1], grammar):
                raise IncompleteError
            if depth == 0 and value in b",)":
                return _value(data[first:last], tokens, grammar), pos, value == b")"
            if value in b"([":
                depth += 1
            elif value in b")]":
                depth -= 1
                if depth < 0:
                    raise MalformedError
        first = start if first < 0 else first
        last = pos
        if len(tokens) <= _TOKENS:
            tokens.append(_Token(kind, value, start, pos))


def _opens(value: bytes, following: bytes, grammar: Grammar) -> bool:
    """Whether a lone character opens a token whose end is not in sight."""
    if value in b"'\"`" or (value == b"/" and following == b"*"):
        return True
    return (value == b"[" and grammar.dialect.brackets) or (value == b"$" and grammar.dialect.dollar_quotes)


def _value(text: bytes, tokens: list[_Token], grammar: Grammar) -> Cell:
    """What an expression comes to; its own text where that takes a database."""
    if not tokens:
        return b""
    if len(tokens) > _TOKENS:
        return text
    try:
        reader = _Expression(tokens, grammar)
        value = reader.concatenation()
        if reader.at_end:
            return value
    except _NotPlainError:
        pass
    return text


#: Tokens of an expression that is worked out; a longer one keeps its own text.
_TOKENS = 10_000


class _NotPlainError(Exception):
    """An expression that only a database can work out."""


#: Deepest nesting of calls and parentheses that is worked out; deeper ones keep their own text.
_DEPTH = 32
_STRING_PREFIXES = frozenset(
    {b"n", b"date", b"time", b"timestamp", b"datetime", b"interval", b"json", b"uuid"}
)
#: Functions whose value is, for our purpose, their first argument.
_FIRST_ARGUMENT = frozenset(
    {
        b"to_date", b"to_timestamp", b"to_timestamp_tz", b"to_number", b"str_to_date", b"to_clob",
        b"to_nclob", b"st_geomfromtext", b"st_geometryfromtext", b"st_pointfromtext", b"geomfromtext",
        b"json", b"trim", b"n", b"parse_json", b"upper", b"lower", b"date", b"datetime", b"timestamp",
    }
)  # fmt: skip
_TYPE_WORD = re.compile(rb"[A-Za-z_][\w.]*\Z")


class _Expression:
    """Works out literals, casts, concatenations and the few functions that dump tools write."""

    def __init__(self, tokens: list[_Token], grammar: Grammar) -> None:
        self._tokens = tokens
        self._next = 0
        self._grammar = grammar
        self._depth = 0
        self._textual = False

    @property
    def at_end(self) -> bool:
        return self._next == len(self._tokens)

    def _peek(self) -> _Token:
        if self.at_end:
            raise _NotPlainError
        return self._tokens[self._next]

    def _is(self, value: bytes) -> bool:
        return not self.at_end and self._tokens[self._next].value.lower() == value

    def _expect(self, value: bytes) -> None:
        if not self._is(value):
            raise _NotPlainError
        self._next += 1

    def concatenation(self) -> Cell:
        """Terms that are joined by ``||``, ``+`` or by standing side by side."""
        terms = [self._term()]
        textual = self._textual
        while not self.at_end:
            if self._is(b"||") or self._is(b"+"):
                self._next += 1
            elif self._peek().kind not in ("string", "estring", "double"):
                break
            terms.append(self._term())
            textual &= self._textual
        if len(terms) == 1:
            return terms[0]
        texts = [term for term in terms if isinstance(term, bytes)]
        if len(texts) != len(terms) or not textual:
            raise _NotPlainError
        self._textual = True
        return b"".join(texts)

    def _term(self) -> Cell:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _NotPlainError
        value = self._primary()
        while self._cast():
            pass
        self._depth -= 1
        return value

    def _primary(self) -> Cell:
        token = self._peek()
        self._next += 1
        self._textual = token.kind in ("string", "estring", "double", "dollar")
        match token.kind:
            case "estring":
                return unescape_postgres(token.value[2:-1])
            case "string":
                return unquote(token.value[1:-1], self._grammar.backslash)
            case "double" if self._grammar.dialect.double_quoted:
                return unquote_double(token.value[1:-1], self._grammar.backslash)
            case "dollar":
                tag = token.value.index(b"$", 1) + 1
                return token.value[tag:-tag]
            case "number":
                return _bare(token.value)
            case "escaped":
                return None
            case "word":
                return self._word(token)
        if token.value == b"(":
            value = self.concatenation()
            self._expect(b")")
            return value
        raise _NotPlainError

    def _word(self, token: _Token) -> Cell:
        word = token.value.lower()
        if not self.at_end:
            following = self._tokens[self._next]
            if following.kind == "string":
                return self._prefixed(word, following)
            if following.value == b"(":
                self._next += 1
                return self._call(word)
            if following.kind == "number" and word.startswith(b"_"):
                self._next += 1
                return _bare(following.value)
        return None if word == b"null" else token.value

    def _prefixed(self, word: bytes, string: _Token) -> Cell:
        """A string with a word before it that says what it is."""
        self._next += 1
        self._textual = True
        inner = string.value[1:-1]
        plain = unquote(inner, self._grammar.backslash)
        if word == b"x":
            try:
                return Blob(_unhex(plain))
            except ValueError:
                raise _NotPlainError from None
        if word == b"b":
            return plain
        if word == b"_binary":
            return Blob(plain)
        if word in _STRING_PREFIXES or word.startswith(b"_"):
            return plain
        raise _NotPlainError

    def _cast(self) -> bool:
        """Go over ``::type`` or ``COLLATE name``, which do not change what a value says."""
        if self._is(b"::"):
            self._next += 1
            self._type()
            return True
        if self._is(b"collate"):
            self._next += 2
            if self._next > len(self._tokens):
                raise _NotPlainError
            return True
        return False

    def _type(self) -> None:
        token = self._peek()
        if token.kind not in ("word", "name", "double"):
            raise _NotPlainError
        self._next += 1
        while not self.at_end and self._peek().kind in ("word", "name", "double"):
            self._next += 1
        if self._is(b"."):
            self._next += 1
            self._type()
            return
        for opening, closing in ((b"(", b")"), (b"[", b"]")):
            if self._is(opening):
                while not self._is(closing):
                    self._peek()
                    self._next += 1
                self._next += 1

    def _call(self, name: bytes) -> Cell:
        if name in (b"cast", b"try_cast"):
            value = self.concatenation()
            self._expect(b"as")
            self._type()
            self._expect(b")")
            return value
        if name in (b"convert", b"try_convert"):
            return self._convert()
        arguments = self._arguments()
        value = _call(name, arguments)
        self._textual = True
        return value

    def _convert(self) -> Cell:
        """``CONVERT(type, value, style)`` or ``CONVERT(value, type)`` or ``CONVERT(value USING name)``."""
        if self._peek().kind == "word" and not self._followed_by_string():
            self._type()
            self._expect(b",")
            value = self.concatenation()
            if self._is(b","):
                self._next += 2
        else:
            value = self.concatenation()
            if self._is(b","):
                self._next += 1
            else:
                self._expect(b"using")
            self._type()
        self._expect(b")")
        return value

    def _followed_by_string(self) -> bool:
        following = self._next + 1
        return following < len(self._tokens) and self._tokens[following].kind == "string"

    def _arguments(self) -> list[Cell]:
        arguments: list[Cell] = []
        while not self._is(b")"):
            arguments.append(self.concatenation())
            if not self._is(b","):
                break
            self._next += 1
        self._expect(b")")
        return arguments


def _call(name: bytes, arguments: list[Cell]) -> Cell:
    """The value of a function that dump tools write around plain literals."""
    if name == b"concat" and arguments:
        return b"".join(_text(argument) for argument in arguments)
    if name == b"replace" and len(arguments) == 3:
        text, old, new = (_text(argument) for argument in arguments)
        return text.replace(old, new) if old else text
    if name in (b"char", b"chr") and arguments:
        return "".join(_char(argument) for argument in arguments).encode("utf-8")
    if name == b"unistr" and len(arguments) == 1:
        return _UNISTR.sub(_unistr_char, _text(arguments[0]))
    if name in (b"unhex", b"hextoraw") and len(arguments) == 1:
        try:
            return Blob(_unhex(_text(arguments[0])))
        except ValueError:
            raise _NotPlainError from None
    if name in _FIRST_ARGUMENT and arguments:
        return arguments[0]
    raise _NotPlainError


def _text(argument: Cell) -> bytes:
    if not isinstance(argument, bytes):
        raise _NotPlainError
    return argument


def _char(argument: Cell) -> str:
    text = _text(argument)
    if not text.isdigit() or len(text) > 7 or int(text) > 0x10FFFF or 0xD800 <= int(text) < 0xE000:
        raise _NotPlainError
    return chr(int(text))


_UNISTR = re.compile(rb"\\(?:\\|u([0-9A-Fa-f]{4})|([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|U([0-9A-Fa-f]{8}))")


def _unistr_char(match: re.Match[bytes]) -> bytes:
    code = match[1] or match[2] or match[3] or match[4]
    if code is None:
        return b"\\"
    point = int(code, 16)
    return chr(point).encode("utf-8") if point < 0xD800 or 0xE000 <= point < 0x110000 else b"\xef\xbf\xbd"
