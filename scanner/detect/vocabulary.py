"""The header vocabulary in memory: ``rules/headers/*.yaml`` as tables keyed by levelled, glued words.

It is read at the first table of every scan and holds some ten thousand phrases, so phrases are levelled and
split list by list, not one by one, and weighed only when a heading asks for them.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from scanner.model import Form

_LETTER = r"[^\W\d_]|[\u0900-\u0d7f]"
#: A word or a number; Indic vowel signs are part of their word.
PIECES = re.compile(rf"(?:{_LETTER})+|\d+")
_COMBINING = re.compile("[\u0300-\u036f]+")
_LIGATURES = {
    "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i", "№": " no ", "’": "'",
    "°": "", "º": "", "ª": "",
}  # fmt: skip
_LIGATURE = re.compile(f"[{''.join(_LIGATURES)}]")
_SPELLED_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}
_UMLAUT = re.compile(f"[{''.join(_SPELLED_OUT)}]")
_WEIGHT = re.compile(r"~ ?[\d.]+")
_ALONE = re.compile(r"=[^,\n]*")
_ACCENTED = re.compile(r"[^\x00-\x7f]+")
#: Letters that must be left of a phrase whose accented ones were lost.
_LONG_RUIN = 5
_NATIONAL = re.compile(r"[A-Z]{2}_")
_ROLES: dict[tuple[str, str], str] = {
    ("subjects", "person"): "person",
    ("subjects", "organization"): "organization",
    ("subjects", "other"): "other",
    ("words", "neutral"): "neutral",
    ("words", "name"): "name",
    ("words", "number"): "number",
    ("words", "code"): "code",
    ("words", "id"): "id",
    ("not", "before"): "not_before",
    ("not", "after"): "not_after",
    ("not", "count"): "count",
    ("dates", "other"): "date_other",
    ("dates", "words"): "date_word",
}
_FIRST = ("und", "en", "es", "fr", "de", "pt", "it", "nl")
_BEHAVIOURS = ("needs_person", "named", "coded", "identified")
_NO_ROLES: frozenset[str] = frozenset()


def fold(text: str) -> str:
    """Text without Latin accents and ligatures, case kept: ``Straße`` gives ``Strasse``."""
    if text.isascii():
        return text
    text = _LIGATURE.sub(lambda found: _LIGATURES[found[0]], text)
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text))


class Entry(NamedTuple):
    """A phrase of the vocabulary.

    Attributes:
        concept: what it points to.
        weight: in (0, 1]: how sure the phrase alone makes it.
        alone: it counts only as the whole heading.
        phrase: as the vocabulary writes it.
        language: BCP 47 code.
    """

    concept: str
    weight: float
    alone: bool
    phrase: str
    language: str

    @property
    def nothing(self) -> bool:
        """True for what looks personal and is not."""
        return self.concept.partition(".")[0] == "NONE"


@dataclass(slots=True)
class _Group:
    """The phrases of one concept in one language: ``places`` maps a glued phrase to its item's place."""

    concept: str
    language: str
    items: list[str]
    places: dict[str, int]

    def entry(self, key: str) -> Entry | None:
        place = self.places.get(key)
        if place is None:
            return None
        text, _, weight = self.items[place].partition("~")
        phrase = text.strip().lstrip("=+")
        alone = "=" in text or (len(key) <= 2 and key.isascii() and "+" not in text)
        return Entry(self.concept, float(weight) if weight else 1.0, alone, phrase, self.language)


@dataclass(slots=True)
class Vocabulary:
    """All that the rules say, ready to be asked.

    Attributes:
        pieces: every known word and every glued phrase.
        short, first, last: pieces of up to three letters that may be cut off anywhere, in front, at the end.
        preambles: openings of questions, longest first.
        forms: glued words that name a form.
    """

    pieces: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    first: set[str] = field(default_factory=set)
    last: set[str] = field(default_factory=set)
    preambles: list[str] = field(default_factory=list)
    forms: dict[str, Form] = field(default_factory=dict)
    _roles: dict[str, set[str]] = field(default_factory=dict)
    _groups: list[_Group] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)
    _behaviours: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in _BEHAVIOURS})
    _national: set[str] = field(default_factory=set)

    def entries(self, key: str) -> tuple[Entry, ...]:
        """The phrases that are ``key`` when glued, one a concept, the surest."""
        if key not in self._keys:
            return ()
        best: dict[str, Entry] = {}
        for group in self._groups:
            entry = group.entry(key)
            if entry is not None and (entry.concept not in best or best[entry.concept].weight < entry.weight):
                best[entry.concept] = entry
        return tuple(best.values())

    def roles(self, word: str) -> AbstractSet[str]:
        """What a word may be beside a phrase (``person``, ``other``, ``qualifier``, ``not_after``)."""
        return self._roles.get(word, _NO_ROLES)

    def singular(self, word: str) -> str:
        """A known word that ``word`` is the plural of, else ``word``."""
        if len(word) < 4 or word[-1] != "s" or word in self.pieces:
            return word
        stems = [word[:-1], word[:-2]] + ([word[:-3] + "y"] if word.endswith("ies") else [])
        return next((stem for stem in stems if stem in self.pieces), word)

    def behaves(self, concept: str, behaviour: str) -> bool:
        """Whether a concept keeps its meaning beside a word of that sort, as ``und.yaml`` says."""
        if behaviour == "identified" and concept in self._national:
            return True
        return concept in self._behaviours[behaviour]

    @property
    def concepts(self) -> frozenset[str]:
        """Every concept that has a phrase."""
        return frozenset(group.concept for group in self._groups)


def load(folder: Path) -> Vocabulary:
    """Read every ``*.yaml`` of ``folder``.

    Raises:
        ValueError: a file is not a header vocabulary; the message names it.
    """
    vocabulary = Vocabulary()
    # Where languages share a phrase, the first of them is named: the most common one in databases.
    for file in sorted(folder.glob("*.yaml"), key=lambda f: (_rank(f.stem), f.stem)):
        content = _read(file)
        try:
            _add(vocabulary, content)
        except (TypeError, AttributeError, KeyError, ValueError) as error:
            raise ValueError(f"{file.name}: is not a header vocabulary: {error!r}") from error
    vocabulary.preambles.sort(key=len, reverse=True)
    vocabulary.pieces.update(word for word, roles in vocabulary._roles.items() if roles != {"filler"})
    vocabulary.pieces.update(key for key in vocabulary._keys if len(key) > 2)
    vocabulary.pieces.discard("")
    return vocabulary


def _rank(language: str) -> int:
    return _FIRST.index(language) if language in _FIRST else len(_FIRST)


def _read(file: Path) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every value is text here
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 # it makes text only
    except yaml.YAMLError as error:
        raise ValueError(f"{file.name}: is not valid YAML: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("concepts"), dict):
        raise ValueError(f"{file.name}: is not a header vocabulary: it has no concepts")
    return content


def _add(vocabulary: Vocabulary, content: dict[str, Any]) -> None:
    language = content["language"]
    fillers = set(" ".join(_level(content.get("fillers"))).replace("'", " ").replace(",", " ").split())
    _add_phrases(vocabulary, content["concepts"], language, fillers)
    if language == "und":
        vocabulary._national.update(filter(_NATIONAL.match, content["concepts"]))
    for (section, name), role in _ROLES.items():
        _add_role(vocabulary, content.get(section, {}).get(name), role)
    _add_role(vocabulary, content.get("qualifiers"), "qualifier")
    for word in fillers:
        vocabulary._roles.setdefault(word, set()).add("filler")
    for form, phrases in content.get("forms", {}).items():
        vocabulary.forms.update(dict.fromkeys(_glued(phrases), Form(form)))
        _add_role(vocabulary, phrases, "form")
    for name in ("short", "first", "last"):
        getattr(vocabulary, name).update(_items(content.get("glue", {}).get(name)))
    for name in _BEHAVIOURS:
        vocabulary._behaviours[name].update(_items(content.get(name)))
    vocabulary.preambles.extend(fold(item) for item in _items(content.get("preambles")))


def _add_phrases(vocabulary: Vocabulary, concepts: dict[str, str], language: str, fillers: set[str]) -> None:
    """Enter all phrases of a language. The lists are levelled as one text, a line a concept."""
    lines = [_spelled_out(text) for text in concepts.values()]
    groups = [
        _Group(concept, language, line.split(","), {}) for concept, line in zip(concepts, lines, strict=True)
    ]
    for levelled in _level("\n".join(lines)):
        bare = _WEIGHT.sub("", levelled).replace("+", "")
        vocabulary.pieces.update(_ALONE.sub("", bare).replace(",", " ").split())
        bare = bare.replace("=", "")
        _place(groups, bare)
        _place(groups, " ".join([word for word in bare.split(" ") if word not in fillers]))
    _place(groups, _damaged("\n".join(lines)))
    for group in groups:
        group.places.pop("", None)
        vocabulary._keys.update(group.places)
    vocabulary._groups.extend(groups)


def _damaged(text: str) -> str:
    """What is left of a list where accented letters were lost (``direcci_n``); short words are left out."""
    text = _ALONE.sub("", _WEIGHT.sub("", text)).replace("+", "")
    return "\n".join(",".join(_ruins(item) for item in line.split(",")) for line in text.lower().split("\n"))


def _ruins(item: str) -> str:
    if item.isascii():
        return ""
    left = _ACCENTED.sub("", item)
    return left if len(left.replace(" ", "")) >= _LONG_RUIN else ""


def _place(groups: list[_Group], text: str) -> None:
    """Note where each glued phrase of ``text`` (a line a group) comes from; a spelling known before stays."""
    for group, line in zip(groups, text.replace(" ", "").split("\n"), strict=True):
        group.places = dict(zip(line.split(","), range(len(group.items)), strict=True)) | group.places


def _add_role(vocabulary: Vocabulary, text: str | None, role: str) -> None:
    roles = vocabulary._roles
    for word in _glued(text):
        roles.setdefault(word, set()).add(role)


def _glued(text: str | None) -> list[str]:
    return [
        word for level in _level(text) for word in level.replace(" ", "").replace("'", "").split(",") if word
    ]


def _items(text: str | None) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()] if text else []


def _level(text: str | None) -> list[str]:
    """Levelled spellings of a list: without accents, and with umlauts spelled out as well."""
    if not text:
        return []
    text = text.lower()
    if text.isascii():
        return [text]
    spelled = _UMLAUT.sub(lambda found: _SPELLED_OUT[found[0]], text)
    return [fold(text)] if spelled == text else [fold(text), fold(spelled)]


def _spelled_out(text: str) -> str:
    """The list on one line, with every ``(a|b) c`` as ``a c, b c``."""
    text = text.replace("\n", " ")
    if "(" not in text:
        return text
    return ",".join(variant for item in text.split(",") for variant in _alternations(item))


def _alternations(text: str) -> list[str]:
    """``(a|b) c`` spelled out."""
    if "(" not in text:
        return [text]
    parts = [part.split("|") for part in re.split(r"[()]", text)]
    return [" ".join("".join(choice).split()) for choice in itertools.product(*parts)]
