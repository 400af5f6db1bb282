"""A statement's words with their places, its clauses, and the names in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.readers.sqldump.grammar import Grammar, unquote_name

_NAMES = frozenset({"word", "name", "double"})


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind, its bytes, its place in the statement."""

    kind: str
    raw: bytes
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The token as a word of SQL."""
        return self.raw.decode("ascii", "replace").lower()

    @property
    def is_name(self) -> bool:
        """Whether it may name something."""
        return self.kind in _NAMES

    @property
    def name(self) -> str:
        """The name that it stands for; names are compared without case."""
        return unquote_name(self.raw).decode("utf-8", "replace").casefold()


def tokens(raw: bytes, grammar: Grammar) -> list[Token]:
    """All tokens but space and comments."""
    found = []
    position = 0
    while match := grammar.token.match(raw, position):
        position = match.end()
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup or "", match[0], match.start(), match.end()))
    return found


def words(found: Sequence[Token], at: int, *expected: str) -> bool:
    """Whether these words stand at a place."""
    return [token.lower for token in found[at : at + len(expected)]] == list(expected)


def skip(found: Sequence[Token], at: int, *expected: str) -> int:
    """The place after these words, where they stand there."""
    return at + len(expected) if words(found, at, *expected) else at


def dotted(found: Sequence[Token], at: int) -> tuple[tuple[str, ...], int]:
    """A name of parts with dots between them, and the place after it.

    The grammar takes an unquoted name with its dots for one word.
    """
    parts: list[str] = []
    while at < len(found) and found[at].is_name:
        token = found[at]
        parts += token.name.split(".") if token.kind == "word" else [token.name]
        at += 1
        if at < len(found) and found[at].raw == b"." and at + 1 < len(found):
            at += 1
            continue
        if parts and parts[-1] == "" and at < len(found):
            # A word that ends in its dot, before a quoted part.
            parts.pop()
            continue
        break
    return tuple(parts), at


def closing(found: Sequence[Token], at: int) -> int:
    """The place of the parenthesis that closes the one at ``at``; the end where none does."""
    depth = 0
    for place in range(at, len(found)):
        depth += {b"(": 1, b")": -1}.get(found[place].raw, 0)
        if depth == 0:
            return place
    return len(found)


def clauses(found: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """What stands between the commas that are in no parentheses."""
    depth = first = 0
    for place, token in enumerate(found):
        depth += {b"(": 1, b")": -1}.get(token.raw, 0)
        if token.raw == b"," and depth == 0:
            yield found[first:place]
            first = place + 1
    yield found[first:]


def names(found: Sequence[Token]) -> set[str]:
    """All names in some tokens, dotted ones in their parts too."""
    named: set[str] = set()
    for token in found:
        if token.is_name:
            named.add(token.name)
            named.update(token.name.split("."))
    return named
