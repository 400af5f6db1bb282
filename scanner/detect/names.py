"""Names in running text: which spans of a model are believed, and names that need no model to be found.

A statistical model calls half of all capitalised words a person and gives no probability. The score here is
made from what can be seen: how many words, how they are written, whether the lexicons know them, what stands
before. The words that decide are data: ``rules/names.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from scanner import resources

#: A capitalised word, for RE2 and for ``regex`` where case counts.
CAPITALISED = r"\p{Lu}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*"
_CAPITALISED = rf"(?-i:{CAPITALISED}|\p{{Lu}}\.)"
_SPEAKS = "(?:said|says|lives|lived|asked|asks|told|shouted|wants|wrote|works at)"
_IS = "(?:is|was|has|had|will|spent|gave|went|came|called|needs|paid|moved|works|worked)"
# Scores before the lexicons and the surroundings are weighed.
_TITLED, _LABELLED, _BLOCK, _INTRODUCED, _FULL, _SINGLE = 0.75, 0.7, 0.65, 0.6, 0.62, 0.45
_SUBJECT = 0.3
# Where rule and model find the same name, the rule is named as its finder, every time.
_MODEL = 0.005
# The model reads English; what it finds in another language is a guess for the lexicons to confirm.
_FOREIGN = 0.2
_KNOWN = 0.7
_SHORT_PLACE = 3  # letters; "us" and "in" are words before they are places
_SAMPLE = 4000  # characters that tell the language


@dataclass(frozen=True, slots=True)
class Judged:
    """A span that is believed to be a person or a place, with how likely it is one, in (0, 1)."""

    entity_type: str
    start: int
    end: int
    score: float


@cache
def _words(key: str) -> frozenset[str]:
    return frozenset(_lists()[key])


@cache
def _lists() -> dict[str, list[str]]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = resources.path("rules", "names.yaml").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = yaml.load(text, loader)  # noqa: S506 # both are safe loaders, one is fast
    return lists


@cache
def _before_names() -> frozenset[str]:
    """Words that a model takes for the beginning of a name."""
    return _words("titles") | _words("not_names")


@cache
def _small_words() -> frozenset[str]:
    return _words("english") | _words("foreign")


# -- what a model found ------------------------------------------------------------------------------------


def judge(text: str, start: int, end: int, label: str) -> Iterator[Judged]:
    """What a model's span is worth: a person, a place, or nothing.

    Args:
        text: the text the span belongs to.
        start: first character.
        end: behind the last character.
        label: the model's (OntoNotes) label.
    """
    for first, last in _piece(text, start, end):
        guess = _MODEL + (_FOREIGN if is_foreign(text) else 0.0)
        person = person_score(text, first, last) - guess
        if label in ("PERSON", "PER"):
            if person > 0 and place_kind(text[first:last]) != "COUNTRY":
                yield Judged("PERSON", first, last, person)
        elif person >= _KNOWN and place_kind(text[first:last]) is None:
            # A small model often takes a foreign name for a place or a company.
            yield Judged("PERSON", first, last, person - 0.1)
        elif label in ("GPE", "LOC"):
            yield from _place(text, first, last, guess)


def _place(text: str, start: int, end: int, guess: float) -> Iterator[Judged]:
    name = text[start:end]
    if any(char.isdigit() for char in name) or not any(char.isupper() for char in name):
        return
    if name.lower().strip(".") in _before_names():
        return
    kind = place_kind(name)
    yield Judged(kind or "LOCATION", start, end, 0.75 if kind else 0.5 - guess)


@lru_cache(maxsize=256)
def is_foreign(text: str) -> bool:
    """Whether the short words at the beginning of a text are more those of other languages than English."""
    words = text[:_SAMPLE].lower().split()
    return (
        sum(map(_words("foreign").__contains__, words)) > sum(map(_words("english").__contains__, words)) + 1
    )


def _piece(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The first line of a span without titles, possessives, form words and stray signs, if any is left."""
    while start < end and not text[start].isalnum():
        start += 1
    lines = text[start:end].splitlines()
    end = start + len(lines[0]) if lines else start
    end = _without_tail(text, start, end)
    words = text[start:end].split(" ")
    for position, word in enumerate(words):
        if position and word.lower().strip(".,:") in _words("stoppers"):
            end = start + len(" ".join(words[:position]))
            words = words[:position]
            break
    while len(words) > 1 and len(words[-1]) == 1:
        end -= len(words.pop()) + 1
    drop_first, drop_last = _before_names(), _words("not_names")
    while len(words) > 1 and words[0].lower().strip(".,:") in drop_first:
        start += len(words.pop(0)) + 1
    while len(words) > 1 and words[-1].lower().strip(".,:") in drop_last:
        end -= len(words.pop()) + 1
    end = _without_tail(text, start, end)
    if end - start > 1:
        yield start, end


def _without_tail(text: str, start: int, end: int) -> int:
    while start < end and not (text[end - 1].isalnum() or _is_initial(text, end)):
        end -= 1
    return end - 2 if text[start:end].endswith(("'s", "’s")) else end


def _is_initial(text: str, end: int) -> bool:
    """Whether ``text`` has a full stop at ``end`` that belongs to a single capital before it."""
    return end >= 3 and text[end - 1] == "." and text[end - 2].isupper() and not text[end - 3].isalnum()


# -- names without a model ---------------------------------------------------------------------------------


def find(text: str, cued: Sequence[bool] | None = None) -> Iterator[Judged]:
    """Names beside a title, a greeting or a form's label, above an address, or with a known given name.

    Args:
        text: any.
        cued: which of `cues` it holds, None where nobody has looked.
    """
    for expression, base, cue in _expressions():
        if cued is not None and not cued[cue]:
            continue
        for found in expression.finditer(text):
            for start, end in _piece(text, *found.span("name")):
                score = person_score(text, start, end, base)
                if score > 0:
                    yield Judged("PERSON", start, end, score)
    if cued is None or cued[_TWO_CAPITALS]:
        yield from _with_known_given_name(text)


#: The cue of two capitalised words; see `cues`.
_TWO_CAPITALS = 5


@cache
def cues() -> tuple[str, ...]:
    """RE2 patterns: one for each way in which `find` finds, that finds something wherever it does."""
    capital = r"\p{Lu}"
    blank = r"[ \x{a0}]"

    def one_of(key: str) -> str:
        import re

        # Words are looked for without case, blanks as written or not breaking.
        words = (re.escape(each).replace(r"\ ", blank) for each in sorted(_words(key)))
        return f"(?i:{'|'.join(words)})"

    begins = r"(?m:^|[.!?][ \n]+)"
    return (
        rf"{one_of('titles')}(?:\.{blank}*|{blank}+){capital}",
        rf"{one_of('introductions')}[,:]?[ \x{{a0}}\n]+{capital}",
        rf"{one_of('labels')} ?[:=?][ \x{{a0}}\t]*{capital}",
        rf"{begins}(?:{capital}.*)(?i: {_SPEAKS})\b",
        rf"{begins}{CAPITALISED}(?i:'s)?(?i: {_IS})\b",
        rf"(?:{CAPITALISED}|{capital}\.){blank}(?:\p{{Ll}}+{blank}){{0,3}}{capital}",
    )


def _alternatives(key: str) -> str:
    import regex

    words = sorted(_words(key), key=lambda word: (-len(word), word))
    return (
        "(?:"
        + "|".join(regex.escape(word, literal_spaces=True).replace(" ", r"[ \u00a0]") for word in words)
        + ")"
    )


@cache
def _name_pattern() -> str:
    particle = _alternatives("particles")
    return rf"{_CAPITALISED}(?:[ \u00a0](?:{particle}[ \u00a0])?{_CAPITALISED}){{0,4}}"


@cache
def _expressions() -> tuple[tuple[Any, float, int], ...]:
    """Pattern, base score and the number of the cue of each way to find a name."""
    import regex

    name, start = f"(?P<name>{_name_pattern()})", r"(?<![\p{L}\p{N}])"
    full_name = rf"(?P<name>{_CAPITALISED}(?: {_CAPITALISED}){{1,3}})"
    sources = (
        (rf"{start}{_alternatives('titles')}(?:\.[ \u00a0]*|[ \u00a0]+){name}", _TITLED),
        (rf"{start}{_alternatives('introductions')}[,:]?[ \u00a0\n]+{name}", _INTRODUCED),
        (rf"{start}{_alternatives('labels')} ?[:=?][ \u00a0\t]*{name}", _LABELLED),
        # Whoever says, lives or asks something at the beginning of a sentence is a person.
        (
            rf"(?:^|[.!?][ \n]+){name} {_SPEAKS}\b",
            _INTRODUCED,
        ),
        # With less of a verb it is one where the lexicons know the name.
        (rf"(?:^|[.!?][ \n]+)(?P<name>{_CAPITALISED})(?:'s)? {_IS}\b", _SUBJECT),
        # A line of its own, with a house number on one of the next lines: an address block.
        (rf"^[> \t]*{full_name}[ \t]*\n(?:[^\n]*\n){{0,2}}[> \t]*\p{{N}}{{1,6}} \p{{L}}", _BLOCK),
    )
    return tuple(
        (regex.compile(source, regex.IGNORECASE | regex.MULTILINE), base, cue)
        for cue, (source, base) in enumerate(sources)
    )


@cache
def _name_expression() -> Any:
    import regex

    return regex.compile(rf"(?<![\p{{L}}\p{{N}}]){_name_pattern()}", regex.IGNORECASE)


def _with_known_given_name(text: str) -> Iterator[Judged]:
    if not knows_names():
        return
    for found in _name_expression().finditer(text):
        if " " not in found[0] and "\u00a0" not in found[0]:
            continue  # one word; most are
        for start, end in _piece(text, *found.span()):
            words = text[start:end].split()
            score = person_score(text, start, end) if len(words) > 1 and is_given_name(words[0]) else 0
            if score >= _KNOWN:
                yield Judged("PERSON", start, end, score)


# -- how likely it is a name -------------------------------------------------------------------------------


def person_score(text: str, start: int, end: int, base: float | None = None) -> float:
    """How likely ``text[start:end]`` is a person's name, in [0, 1); 0 where it cannot be one.

    Args:
        text: the whole text.
        start: first character of the name.
        end: behind its last character.
        base: what is known from where it stands (a title before it), None for nothing.
    """
    name = text[start:end]
    words = name.split()
    if not _may_be_name(name, words):
        return 0.0
    score = base if base is not None else (_FULL if 2 <= len(words) <= 4 else _SINGLE)
    if knows_names():
        score += _lexicon_weight(words)
    if all(word.isupper() for word in words) and any(len(word) > 2 for word in words):
        score -= 0.15
    if base is None and _after_title(text, start):
        score += 0.2
    return max(0.05, min(score, 0.97))


def _lexicon_weight(words: list[str]) -> float:
    given = any(is_given_name(word) for word in words[:2])
    surname = is_surname(words[-1])
    if not given and not surname:
        return -0.1
    return (0.22 if given else 0.0) + (0.12 if surname else 0.0)


def _may_be_name(name: str, words: list[str]) -> bool:
    if not words or len(words) > 6 or any(char.isdigit() or char in "@_/\\#*=<>{}[]|:;&+," for char in name):
        return False
    bare = [word.strip(".'’").lower() for word in words]
    if any(word in _words("not_names") for word in bare) or _is_organisation(bare):
        return False
    small = _small_words()
    if bare[0] in small or bare[-1] in small or words[-1].islower() or set(bare) <= _words("titles"):
        return False
    if not any(word[0].isupper() for word in words) or max(map(len, bare)) < 2:
        return False
    return not (len(words) == 1 and (name.isupper() or len(name) < 3) and not is_given_name(name))


def _is_organisation(bare: list[str]) -> bool:
    if len(bare) > 1 and any(word in _lexicon("organization_words") for word in bare[1:]):
        return True
    return bare[-1] in _words("organisations") or (len(bare) == 1 and bare[0] in _lexicon("common_words"))


def _after_title(text: str, start: int) -> bool:
    before = text[max(0, start - 12) : start].rstrip().lower().split()
    return bool(before) and before[-1].strip(".") in _words("titles")


# -- the lexicons; without them every answer is "not known", and the writing alone decides -----------------


@cache
def _lexicon(name: str) -> frozenset[str]:
    from scanner.detect.lexicon import Lexicons

    try:
        return Lexicons().words(name)
    except FileNotFoundError:
        return frozenset()


def knows_names() -> bool:
    """Whether lexicons of names are there."""
    return bool(_lexicon("given_names"))


def is_given_name(word: str) -> bool:
    """Whether the lexicons hold this given name, or all its parts (``Karl-Heinz``)."""
    word = word.lower().strip(".,")
    known = _lexicon("given_names")
    return len(word) > 1 and (
        word in known or ("-" in word and all(part in known for part in word.split("-")))
    )


def is_surname(word: str) -> bool:
    """Whether the lexicons hold this surname."""
    word = word.lower().strip(".,")
    return len(word) > 1 and word in _lexicon("family_names")


def particles() -> frozenset[str]:
    """Small words within names (``de``, ``van``)."""
    return _words("particles")


@lru_cache(maxsize=200_000)
def word_kind(word: str) -> str:
    """What the lexicons know of a capitalised word.

    Returns:
        ``known`` for a name or a place, ``dull`` for a word that is something else, ``unknown`` for one that
        is both or neither.
    """
    lowered = word.lower().rstrip(".")
    if lowered in _words("titles") or lowered in _words("not_names"):
        return "dull"
    named = is_given_name(lowered) or place_kind(word) is not None
    if lowered in _lexicon("common_words") or lowered in _lexicon("not_person_words"):
        return "unknown" if named else "dull"
    if lowered in _words("english") or lowered in _words("foreign") or lowered in _words("organisations"):
        return "dull"
    return "known" if named or is_surname(lowered) else "unknown"


def place_kind(name: str) -> str | None:
    """``COUNTRY``, ``REGION`` or ``CITY`` where the lexicons hold this place, else None."""
    folded = " ".join(name.lower().split())
    if len(folded) < _SHORT_PLACE and not name.isupper():
        return None
    for kind, lexicon in (("COUNTRY", "countries"), ("REGION", "regions"), ("CITY", "cities")):
        if folded in _lexicon(lexicon):
            return kind
    return None
