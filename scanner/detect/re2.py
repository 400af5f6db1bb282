r"""Python regular expressions, as Presidio writes them, told in RE2's language.

RE2 runs over a whole Arrow column at once but knows neither look-around nor back references, and its ``\d``,
``\w`` and ``\b`` are ASCII only. `translate` gives a pattern that finds something in every text in which
the original does (a *filter*), and says whether the reverse holds too. Presidio compiles with ``DOTALL``,
``MULTILINE`` and ``IGNORECASE``, and so does the filter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

FLAGS = "(?ims)"
# Sets of Unicode that hold at least what Python's classes hold (RE2 has no \p{Alphabetic}), …
_CLASS = {
    "d": r"\p{Nd}",
    "w": r"\p{L}\p{M}\p{N}\p{Pc}\p{So}\x{200c}\x{200d}",
    "s": r"\s\x0b\x1c-\x1f\x{85}\p{Z}",
}
# … and one that holds at most what \w holds, for what must not stand beside a match.
_WORD_AT_MOST = r"\p{L}\p{M}\p{Nd}_"
_BEFORE, _AFTER = rf"(?:\A|[^{_WORD_AT_MOST}])", rf"(?:\z|[^{_WORD_AT_MOST}])"
_TOKEN = re.compile(
    r"""(?P<look>\(\?(?:<?[=!]))
      | (?P<atomic>\(\?>)
      | (?P<named>\(\?P?<(?P<name>[A-Za-z_]\w*)>)
      | (?P<group>\((?:\?[a-zA-Z-]*:)?(?!\?))
      | (?P<flags>\(\?[a-zA-Z]+\))
      | (?P<backref>\\[1-9]|\(\?P=\w+\))
      | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
      | (?P<property>\\[pP](?:\{[^}]*\}|\w))
      | (?P<hex>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))
      | (?P<escape>\\.)
      | (?P<repeat>(?:[*+?]|\{\d*,?\d*\})[?+]?)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


#: What RE2's own patterns are made of, as far as `loosened` must tell repeats from what looks like one.
_PIECE = re.compile(
    r"""(?P<kept>\\(?:[pPx]\{[^}]*\}|.)|\[\^?\]?(?:\\(?:[pPx]\{[^}]*\}|.)|\[:\^?\w+:\]|[^\]\\])*\])
      | \{(?P<least>\d+)(?:,\d*)?\}""",
    re.VERBOSE | re.DOTALL,
)


@cache
def loosened(pattern: str) -> str:
    """A pattern of RE2 that finds something wherever ``pattern`` does, in which nothing is counted.

    Every ``{m,n}`` becomes ``+`` or ``*``. Counted repeats within repeats make states by the thousand: where
    they outgrow RE2's cache it goes on without it, thirty times as slow.
    """

    def loose(piece: re.Match[str]) -> str:
        if piece["kept"]:
            return piece[0]
        return "+" if int(piece["least"]) else "*"

    return _PIECE.sub(loose, pattern)


@dataclass(frozen=True, slots=True)
class Filter:
    r"""A pattern for RE2.

    Attributes:
        pattern: finds something wherever the original does. May consume a character before and after a match.
        core: the same without what must stand before and after: what a match itself looks like.
        exact: whether both find something only where the original would.
    """

    pattern: str
    core: str
    exact: bool


#: A set that holds digits only.
_DIGITS_ONLY = re.compile(r"\[(?:\\d|[0-9](?:-[0-9])?)+\]")
_OPENING = ("look", "atomic", "named", "group")


@cache
def digits_needed(regex: str) -> int:
    """The least number of numeric characters (Unicode's ``N``) of texts in which a pattern finds something.

    Args:
        regex: a Python pattern; 0 for one whose language is not followed (verbose, conditional).
    """
    if re.search(r"\(\?[a-wyz]*x|\(\?\(", regex):
        return 0
    frames = [_Frame(counts=True)]
    position = 0
    while position < len(regex):
        token = _TOKEN.match(regex, position)
        assert token is not None, "the last alternative takes any character"
        position = token.end()
        kind, text = token.lastgroup or "", token.group()
        if any(token[name] for name in _OPENING):
            frames.append(_Frame(counts=not token["look"]))
        elif kind == "other" and text == ")":
            if len(frames) == 1:
                return 0
            inner = frames.pop()
            frames[-1].add(inner.least() if inner.counts else 0)
        elif kind == "other" and text == "|":
            frames[-1].alternative()
        elif kind == "repeat":
            frames[-1].repeat(text)
        else:
            frames[-1].add(_is_digit(kind, text))
    return frames[0].least() if len(frames) == 1 else 0


def _is_digit(kind: str, text: str) -> bool:
    if kind == "set":
        return _DIGITS_ONLY.fullmatch(text) is not None
    if kind == "property":
        return text in (r"\p{N}", r"\p{Nd}", r"\pN")
    return text == r"\d" or (kind == "other" and text in "0123456789")


@dataclass(slots=True)
class _Frame:
    """A group, as far as it was read: digits that the alternatives before need, this one, its last part."""

    counts: bool
    before: int | None = None
    now: int = 0
    last: int = 0

    def add(self, digits: int) -> None:
        self.now, self.last = self.now + digits, digits

    def repeat(self, text: str) -> None:
        times = re.match(r"\{(\d*)", text)
        least = int(times[1] or 0) if times else int(text[0] == "+")
        self.now, self.last = self.now + self.last * (least - 1), 0

    def alternative(self) -> None:
        self.before, self.now, self.last = self.least(), 0, 0

    def least(self) -> int:
        return self.now if self.before is None else min(self.before, self.now)


@dataclass(slots=True)
class _Out:
    parts: list[str]
    exact: bool = True


def translate(regex: str) -> Filter:
    """An RE2 filter for one Python pattern. Flags are not included; see `combine`."""
    if re.search(r"\(\?[a-wyz]*x", regex):
        return Filter("", r"[\s\S]*", exact=False)  # verbose patterns are not translated: everything passes
    body, before, after = _edges(re.sub(r"\(\?[a-zA-Z]+\)", "", regex))
    out = _Out([])
    position = 0
    while position < len(body):
        token = _TOKEN.match(body, position)
        assert token is not None, "the last alternative takes any character"
        position = _emit(token, body, out)
    core = "".join(out.parts)
    pattern = f"{before}(?:{core}){after}" if before or after else core
    return Filter(pattern, core, out.exact)


def combine(regexes: Sequence[str]) -> Filter:
    """One filter for several patterns of which any may match; ``core`` is then anchored at both ends."""
    filters = [translate(regex) for regex in regexes]
    return Filter(
        FLAGS + "|".join(f"(?:{each.pattern})" for each in filters),
        rf"\A\s*{FLAGS[:-1]}:{'|'.join(f'(?:{each.core})' for each in filters)})\s*\z",
        all(each.exact for each in filters),
    )


# A look-around at the very edge that forbids one character: it may be consumed instead of looked at.
_EDGE_BEFORE = re.compile(r"\(\?<!(\[[^\]]*\]|\\[wd])\)")
_EDGE_AFTER = re.compile(r"\(\?!(\[[^\]]*\]|\\[wd])\)$")
_GROUPS = ("look", "atomic", "named", "name", "group")
_WORDS_ONLY = re.compile(r"\[(?:[^\W_]|\\d|\\w|_|(?<=\w)-(?=\w))+\]")


def _edges(regex: str) -> tuple[str, str, str]:
    """The pattern without its outermost boundary tests, and what to consume before and after instead."""
    before = after = ""
    if not _has_alternatives(regex):
        if found := _EDGE_BEFORE.match(regex):
            before, regex = rf"(?:\A|{_not_one_of(found.group(1))})", regex[found.end() :]
        elif regex.startswith(r"\b") and _edge_is_word(regex[2:], last=False):
            before, regex = _BEFORE, regex[2:]
        if found := _EDGE_AFTER.search(regex):
            after, regex = rf"(?:\z|{_not_one_of(found.group(1))})", regex[: found.start()]
        elif re.search(r"(?<!\\)\\b$", regex) and _edge_is_word(regex[:-2], last=True):
            after, regex = _AFTER, regex[:-2]
    return regex, before, after


def _edge_is_word(regex: str, *, last: bool) -> bool:
    """Whether whatever ``regex`` matches surely begins (ends) with a word character."""
    branches, _ = _branches(regex, 0)
    return all(_branch_edge(branch, last=last) is True for branch in branches)


# A branch is a list of (word, nullable): word says whether the element's edges are word characters, as a pair
# (first, last); None stands for an element that may be empty inside.
_Element = tuple[tuple[bool | None, bool | None], bool]


def _branches(regex: str, position: int) -> tuple[list[list[_Element]], int]:
    branches: list[list[_Element]] = [[]]
    while position < len(regex):
        token = _TOKEN.match(regex, position)
        assert token is not None
        position, kind, text = token.end(), token.lastgroup, token.group()
        if kind in _GROUPS:
            inner, position = _branches(regex, position)
            edges = tuple(_all_edges(inner, last=last) for last in (False, True))
            # A look-around takes up nothing, whatever it asks for.
            branches[-1].append(((None, None), True) if kind == "look" else ((edges[0], edges[1]), False))
        elif text == ")":
            return branches, position
        elif text == "|":
            branches.append([])
        elif kind == "repeat" and branches[-1]:
            edge, nullable = branches[-1][-1]
            branches[-1][-1] = (edge, nullable or text[0] in "*?" or text.startswith(("{0", "{,")))
        elif kind != "flags":
            word = _is_word_token(kind, text)
            branches[-1].append(((word, word), False))
    return branches, position


def _all_edges(branches: list[list[_Element]], *, last: bool) -> bool | None:
    edges = {_branch_edge(branch, last=last) for branch in branches}
    return edges.pop() if len(edges) == 1 else False


def _branch_edge(branch: list[_Element], *, last: bool) -> bool | None:
    """True: a word character; False: perhaps not; None: may be empty, and a word character if not."""
    for edges, nullable in reversed(branch) if last else branch:
        edge = edges[1 if last else 0]
        if edge is False or (edge is True and not nullable):
            return edge
    return None


def _is_word_token(kind: str | None, text: str) -> bool:
    if kind == "set":
        return _WORDS_ONLY.fullmatch(text) is not None
    if kind == "escape":
        return text[1] in "dw"
    if kind == "property":
        return text in (r"\p{L}", r"\p{Lu}", r"\p{Ll}", r"\p{N}", r"\p{Nd}")
    return kind == "other" and text.isalnum()


def _not_one_of(forbidden: str) -> str:
    """The complement of a set; never smaller than Python's."""
    inside = forbidden[1:-1] if forbidden.startswith("[") else forbidden
    if inside.startswith("^"):
        return f"[{_widen(inside[1:])}]"
    inside = inside.replace(r"\w", _WORD_AT_MOST).replace(r"\d", r"\p{Nd}").replace(r"\s", r"\t\n\r ")
    return f"[^{inside}]"


def _widen(inside: str) -> str:
    return re.sub(r"\\([dws])", lambda found: _CLASS[found.group(1)], _hex(inside))


def _hex(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", r"\\x{\1}", text)


def _has_alternatives(regex: str) -> bool:
    """Whether a ``|`` stands outside of every bracket, so that the pattern's ends are not its edges."""
    depth, position = 0, 0
    while position < len(regex):
        token = _TOKEN.match(regex, position)
        assert token is not None
        position = token.end()
        if token.lastgroup in _GROUPS:
            depth += 1
        elif token.group() == ")":
            depth -= 1
        elif token.group() == "|" and depth == 0:
            return True
    return False


def _emit(token: re.Match[str], body: str, out: _Out) -> int:
    """Write one token's translation; returns the position after what it used up."""
    text = token.group()
    match token.lastgroup:
        case "look":
            # What it asks for is no longer asked: more may match, never less.
            out.exact = False
            return _skip_quantifier(body, _closing(body, token.end()))
        case "atomic" | "named" | "name":
            out.parts.append("(?:")
            out.exact = out.exact and token.lastgroup != "atomic"
        case "group":
            out.parts.append("(?:" if text == "(" else text)
        case "flags":
            pass  # Presidio sets the flags, and so does the filter
        case "backref":
            out.parts.append("(?:.*)")
            out.exact = False
        case "set":
            out.parts.append(_set(text))
        case "hex":
            out.parts.append(_hex(text))
        case "escape":
            _escape(text, out)
        case "repeat":
            if text.endswith("+") and len(text) > 1:
                text, out.exact = text[:-1], False
            out.parts.append(text)
        case _:
            out.parts.append(text)
    return token.end()


def _escape(text: str, out: _Out) -> None:
    letter = text[1]
    if letter in "bB":
        out.exact = False
    elif letter in _CLASS:
        out.parts.append(f"[{_CLASS[letter]}]")
    elif letter in "DWS":
        narrow = {"D": r"\p{Nd}", "W": _WORD_AT_MOST, "S": r"\t\n\r "}[letter]
        out.parts.append(f"[^{narrow}]")
    else:
        out.parts.append({"Z": r"\z"}.get(letter, text))


def _set(text: str) -> str:
    negated = text.startswith("[^")
    inside = text[2:-1] if negated else text[1:-1]
    if not negated:
        inside = inside.replace("[", r"\[") if not inside.startswith("[:") else inside
        return f"[{_widen(inside)}]"
    return _not_one_of(f"[{_hex(inside)}]")


def _closing(body: str, position: int) -> int:
    """The position after the bracket that closes the group open at ``position``."""
    depth = 1
    while depth and position < len(body):
        token = _TOKEN.match(body, position)
        assert token is not None
        position = token.end()
        if token.lastgroup in _GROUPS:
            depth += 1
        elif token.group() == ")":
            depth -= 1
    return position


def _skip_quantifier(body: str, position: int) -> int:
    token = _TOKEN.match(body, position)
    return token.end() if token and token.lastgroup == "repeat" else position
