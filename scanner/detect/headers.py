"""What a heading says of its column: from words in ``rules/headers`` to ranked hints.

A heading is cut into words (camelCase, snake_case, key paths), spelling and case are levelled, and every run
of words that the vocabulary knows is weighed by what stands beside it: ``billing_email_2`` is an e-mail
address, ``email_verified`` is not, ``company name`` is an organization's, ``name`` alone is a guess that the
table's name may settle. Words are data; only the weighing is here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from scanner import resources
from scanner.detect.vocabulary import PIECES, Entry, Vocabulary, fold, load
from scanner.model import Form

#: The concept of a heading that looks personal and is not.
NONE = "NONE"
#: A longer heading is a sentence or a value; its words say little.
MAX_WORDS = 14
MAX_CHARACTERS = 160
#: Below this weight the phrase alone is a guess, and the subject decides.
AMBIGUOUS = 0.7

#: What stands beside a phrase, and how sure the phrase still is: set by hand so that a whole heading is
#: certain, known company costs little, an unknown word before it ("warehouse city") costs less than one
#: after it ("city planning"), where the head of the compound is something else.
_BESIDE = {
    "digit": 0.97,
    "letter": 0.95,
    "known": 0.95,
    "organization": 0.9,
    "other": 0.8,
    "concept_before": 0.75,
    "concept_after": 0.5,
    "unknown_before": 0.7,
    "unknown_after": 0.4,
}
_GLUED = 0.85
#: Letters of a phrase that is known at the end of a word of which the rest is not.
_LONG_ENDING = 7
_PART_GLUED = 0.92
_ALTERNATIVE = 0.92
_OF_TABLE = 0.85
_NEGATED = 0.9
#: A person's role alone (``patient``, ``owner``) heads names and numbers alike.
_ROLE = 0.5
_SUBJECTS = ("person", "organization", "other")


@dataclass(frozen=True, slots=True)
class HeaderHint:
    """What one phrase in a heading points to.

    Attributes:
        concept: entity type, or a part of one (``PERSON.first``); ``NONE`` for what only looks personal.
        entity_type: the concept without its part.
        strength: in [0, 1]: how far the heading alone makes it so.
        phrase: the words that said it, as the vocabulary writes them.
        language: BCP 47 code of the vocabulary; ``und`` for words of no language.
    """

    concept: str
    entity_type: str
    strength: float
    phrase: str
    language: str


@dataclass(frozen=True, slots=True)
class _Heading:
    """A heading as words. Words before ``start`` come from the parents in a key path."""

    words: tuple[str, ...]
    start: int
    penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class _Match:
    first: int
    end: int
    entries: tuple[Entry, ...]

    def covers(self, position: int) -> bool:
        return self.first <= position < self.end


class HeaderVocabulary:
    """Headings to hints. Reading the rules takes some tens of milliseconds; it happens once, when made."""

    def __init__(self, folder: Path | None = None) -> None:
        """Read every ``*.yaml`` of ``folder`` (default: the shipped vocabulary).

        Raises:
            FileNotFoundError: the shipped vocabulary is not part of this installation.
            ValueError: a file is not a vocabulary; the message names it.
        """
        self._words = load(folder or resources.path("rules", "headers"))
        self._cached = lru_cache(maxsize=65_536)(self._hints)

    def hints(self, header: str, table: str = "") -> tuple[HeaderHint, ...]:
        """What ``header`` points to, strongest first, one hint a concept; empty where it says nothing."""
        return self._cached(header, table)

    def form_hint(self, header: str) -> Form | None:
        """The form that the heading claims for its values (``email_sha256``: hashed), if it names one."""
        words = self._words
        if {hint.entity_type for hint in self.hints(header)} == {"SECRET"}:
            return None  # an access token is itself the secret, not a stand-in for one
        for heading in _headings(header, "", words):
            own = heading.words[heading.start :]
            for first, end in _windows(len(own)):
                form = words.forms.get("".join(own[first:end]))
                if form is not None:
                    return form
        return None

    def subject(self, table: str) -> str | None:
        """Whom a table's name is about: ``person``, ``organization``, ``other``, or None where it is open."""
        return _table_subject(table, self._words)

    @property
    def concepts(self) -> frozenset[str]:
        """Every concept that a heading can point to."""
        return self._words.concepts

    def _hints(self, header: str, table: str) -> tuple[HeaderHint, ...]:
        best: dict[str, HeaderHint] = {}
        subject = _table_subject(table, self._words)
        for heading in _headings(header, table, self._words):
            for hint in _Weigher(heading, subject, self._words).hints():
                known = best.get(hint.concept)
                if known is None or known.strength < hint.strength:
                    best[hint.concept] = hint
        _settle(best)
        ranked = sorted(best.values(), key=lambda hint: (-hint.strength, hint.concept))
        return tuple(replace(hint, strength=round(hint.strength, 3)) for hint in ranked if hint.strength > 0)


@cache
def shipped() -> HeaderVocabulary:
    """The shipped vocabulary, read at the first call."""
    return HeaderVocabulary()


def form_hint(header: str) -> Form | None:
    """`HeaderVocabulary.form_hint` of the shipped vocabulary."""
    return shipped().form_hint(header)


# --- a heading into words ---------------------------------------------------------------------------------

_PARENTHESES = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
_PATH_DOT = re.compile(r"(?<=[\w\]])\.(?=[\w@#$])|->|::|\[\d*\]\.?")
_ACRONYM = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.){2,}(?:[^\W\d_](?![^\W_]))?")
_CAMEL = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KNOWN_CAMEL = re.compile(r"IPv(?=[46])|e-?Mail|IDs\b|WhatsApp|LinkedIn|DoB\b|D\.O\.B|GmbH|PayPal|IBANs\b")
# ISO 639-1, without codes that headings have as words or abbreviations of their own (``id``, ``no``, ``ur``);
# inside of a heading also without the particles of the Romance languages.
_LANGUAGES = "bg|ca|cs|da|de|en|es|et|fi|fr|hi|hr|hu|it|ja|ko|lt|lv|nb|nl|nn|pl|pt|ro|ru|sk|sv|tr|zh"
_WITHIN = "bg|cs|en|fi|fr|hr|hu|ja|ko|lt|lv|nb|nl|nn|pl|pt|ru|sk|sv|tr|zh"
_LANGUAGE_LAST = re.compile(
    rf"(?<=[^\W\d_])(?:_{{1,2}}(?:{_LANGUAGES})(?:[_-][a-z]{{2}})?| ?[(\[](?:{_LANGUAGES})[)\]])$",
    re.IGNORECASE,
)
_LANGUAGE_WITHIN = re.compile(rf"(?<=[^\W\d_])_(?:{_WITHIN})(?=_[^\W\d_])", re.IGNORECASE)
#: Keys under which XML and SCIM put a value whose meaning is the parent's.
_TRANSPARENT = frozenset({"value", "text", "content", "_", "t", "val", "data", "items", "item"})


def _headings(header: str, table: str, words: Vocabulary) -> Iterator[_Heading]:
    """The ways to read a heading: whole, without its camel humps or parentheses, each alternative.

    A bare ``name`` or ``code`` is also read after its table's name: ``country``.``code``.
    """
    header = header.strip()
    if not header or len(header) > MAX_CHARACTERS:
        return
    plain = _without_language(fold(header))
    seen: set[tuple[str, ...]] = set()
    readings = [(plain, True, True, 1.0), (plain, True, False, 1.0), (plain, False, True, 1.0)]
    readings += [(text, True, False, _ALTERNATIVE) for text in _alternatives(plain, words)]
    if table and len(table) <= MAX_CHARACTERS and _bare(plain, words):
        readings.append((f"{fold(table).rpartition('.')[2]} {plain}", True, False, _OF_TABLE))
    for text, camel, fillers, penalty in readings:
        heading = _parse(text, camel, fillers, words)
        if heading is None or len(heading.words) > MAX_WORDS or heading.words in seen:
            continue
        seen.add(heading.words)
        yield replace(heading, penalty=heading.penalty * penalty)


def _without_language(text: str) -> str:
    """``name_fi``, ``postcode_sv_name`` and ``title (en)`` tell the value's language, and no more."""
    kept = _LANGUAGE_WITHIN.sub("", _LANGUAGE_LAST.sub("", text))
    return kept if kept.strip() else text


def _bare(text: str, words: Vocabulary) -> bool:
    found = _split(text, True)
    return 0 < len(found) <= 2 and all(
        words.roles(word) & {"name", "code"} or word.isdigit() for word in found
    )


def _alternatives(text: str, words: Vocabulary) -> list[str]:
    """``City / Town`` is a city or a town; ``Date of birth (dd/mm/yyyy)`` has a remark that says nothing."""
    found: list[str] = []
    bare = _PARENTHESES.sub(" ", text).strip()
    if bare and bare != text and not _matters(text, words):
        found.append(bare)
    parts = re.split(r"[/|;]|\s-\s|\bor\b", bare or text)
    return found + [part for part in parts if part.strip() and part != text]


def _matters(text: str, words: Vocabulary) -> bool:
    remarks = " ".join(_PARENTHESES.findall(text))
    return any(words.roles(word) & {"not_after", "other"} for word in _split(remarks, True))


def _parse(text: str, camel: bool, fillers: bool, words: Vocabulary) -> _Heading | None:
    text = _ACRONYM.sub(lambda found: found[0].replace(".", "") + " ", text)
    *parents, own = _path(text)
    while parents and own.startswith("$"):
        own = parents.pop()  # extended JSON: ``birthdate.$date.$numberLong``
    own_words = _level(own, camel, fillers, words)
    parent_words = [word for parent in parents for word in _split(parent, camel)]
    if parent_words and all(word in _TRANSPARENT for word in own_words):
        own_words = _split(parents[-1], camel)
        parent_words = parent_words[: len(parent_words) - len(own_words)]
    if not own_words:
        return None
    expanded, penalty = _expand(own_words, words)
    return _Heading((*parent_words, *expanded), len(parent_words), penalty)


def _path(text: str) -> list[str]:
    """The keys of a path, the last one last; ``Tel.Nr.`` and ``customer.name`` alike."""
    keys = [key for key in _PATH_DOT.split(text) if key and PIECES.search(key)]
    return keys or [text]


def _level(text: str, camel: bool, fillers: bool, words: Vocabulary) -> list[str]:
    """The words of the last key, without a question's opening and, if so asked, without fillers."""
    lowered = text.lower().strip()
    for preamble in words.preambles:
        if lowered.startswith(preamble + " "):
            text = text.strip()[len(preamble) :]
            break
    found = _split(text, camel)
    kept = found if fillers else [word for word in found if "filler" not in words.roles(word)]
    return kept or found


def _split(text: str, camel: bool) -> list[str]:
    if camel and not text.isupper():
        text = _KNOWN_CAMEL.sub(lambda found: found[0].replace("-", "").capitalize(), text)
        text = _CAMEL.sub(" ", text)
    return PIECES.findall(text.lower())


def _expand(own: list[str], words: Vocabulary) -> tuple[list[str], float]:
    """Cut glued words that the vocabulary fully covers: ``nmcliente`` gives ``nm cliente``."""
    expanded: list[str] = []
    cut = False
    for word in own:
        known = len(word) < 5 or words.singular(word) in words.pieces
        pieces = None if known else _segment(word, words) or _ending(word, words)
        expanded.extend(pieces or [word])
        cut = cut or pieces is not None
    if not cut:
        return expanded, 1.0
    return expanded, _GLUED if len(own) == 1 else _PART_GLUED


def _segment(word: str, words: Vocabulary) -> list[str] | None:
    """The fewest vocabulary words that make up ``word``; longest pieces win a tie. None if there are none."""
    best: list[tuple[int, int, list[str]] | None] = [None] * (len(word) + 1)
    best[0] = (0, 0, [])
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - 24), end - 1):
            before = best[start]
            piece = word[start:end]
            if before is None or piece not in words.pieces or not _may_be_cut(piece, start, end, word, words):
                continue
            candidate = (before[0] + 1, before[1] - len(piece) ** 2, [*before[2], piece])
            current = best[end]
            if current is None or candidate[:2] < current[:2]:
                best[end] = candidate
    found = best[len(word)]
    return found[2] if found is not None and 2 <= found[0] <= 4 else None


def _ending(word: str, words: Vocabulary) -> list[str] | None:
    """A long phrase that is sure by itself, after some letters that nobody knows: ``xyfirstname``."""
    for start in range(2, len(word) - _LONG_ENDING + 1):
        end = word[start:]
        if any(not entry.nothing and not entry.alone and entry.weight == 1.0 for entry in words.entries(end)):
            return [word[:start], end]
    return None


def _may_be_cut(piece: str, start: int, end: int, word: str, words: Vocabulary) -> bool:
    """Short pieces are cut off only where the vocabulary says so: ``postage`` holds no age."""
    if len(piece) > 3 or piece in words.short:
        return True
    return (start == 0 and piece in words.first) or (end == len(word) and piece in words.last)


def _windows(size: int, widest: int = 7) -> Iterator[tuple[int, int]]:
    """Every run of up to ``widest`` positions, widest first, from the left."""
    for width in range(min(size, widest), 0, -1):
        for first in range(size - width + 1):
            yield first, first + width


def _table_subject(table: str, words: Vocabulary) -> str | None:
    """The last word that says what the rows are: ``customer_orders`` are orders."""
    if not table or len(table) > MAX_CHARACTERS:
        return None
    cleaned = fold(table)
    own = _split(cleaned, True) or _split(cleaned, False)
    expanded, _ = _expand(own, words)
    for word in reversed(expanded):
        roles = words.roles(word) or words.roles(words.singular(word))
        for subject in _SUBJECTS:
            if subject in roles:
                return subject
    return None


# --- words into hints -------------------------------------------------------------------------------------


class _Weigher:
    """Weighs the matches of one reading of a heading."""

    def __init__(self, heading: _Heading, table_subject: str | None, words: Vocabulary) -> None:
        self._words = words
        self._tokens = heading.words
        self._start = heading.start
        self._penalty = heading.penalty
        self._table = table_subject
        self._keys = [words.singular(token) for token in heading.words]
        self._roles: list[AbstractSet[str]] = [
            words.roles(token) or words.roles(key)
            for token, key in zip(heading.words, self._keys, strict=True)
        ]
        self._mark_compounds()
        self._matches = self._find()

    def hints(self) -> Iterator[HeaderHint]:
        matches = self._speaking()
        if not matches:
            yield from self._without_phrase()
            return
        for match in matches:
            for entry in match.entries:
                yield from self._weigh(match, entry)

    def _mark_compounds(self) -> None:
        """Words that mean something only together (``last 4``, ``opt in``) say nothing else."""
        for first, end in _windows(len(self._tokens), 4):
            key = "".join(self._tokens[first:end])
            together = self._words.roles(key) & {"form", "not_after", "not_before"}
            if end - first > 1 and together:
                self._roles[first:end] = [together] * (end - first)

    # -- finding

    def _find(self) -> list[_Match]:
        """Vocabulary phrases in the heading, none inside another, none wholly in the parents."""
        found: list[_Match] = []
        size = len(self._tokens)
        for first, end in _windows(size):
            if any(match.first <= first and end <= match.end for match in found):
                continue
            entries = self._words.entries("".join(self._tokens[first:end]))
            entries = entries or self._words.entries("".join(self._keys[first:end]))
            if not entries:
                continue
            allowed = tuple(e for e in entries if self._allows(e, first, end))
            if allowed:
                found.append(_Match(first, end, allowed))
        return found

    def _allows(self, entry: Entry, first: int, end: int) -> bool:
        if entry.concept == "USERNAME" and first < self._start < end:
            return False  # the key ``name`` below ``user`` is the user's name
        return not entry.alone or self._whole(first, end)

    def _whole(self, first: int, end: int) -> bool:
        rest = [i for i in range(self._start, len(self._tokens)) if not first <= i < end]
        return first >= self._start and all(self._tokens[i].isdigit() for i in rest)

    def _speaking(self) -> list[_Match]:
        """The matches that count: not those in parents, nor those that only name the subject of another."""
        own = [match for match in self._matches if match.end > self._start]
        if not own and all(self._neutral(i) for i in range(self._start, len(self._tokens))):
            return [match for match in self._matches[-1:] if match.end == self._start]
        heads = [match for match in own if not self._names_subject(match)]
        kept = heads or own
        if any(not self._generic(match) for match in kept):
            kept = [match for match in kept if not self._generic(match)]
        return kept

    def _names_subject(self, match: _Match) -> bool:
        return len(self._matches) > 1 and all(
            self._roles[i] & {*_SUBJECTS, "qualifier", "not_after"} for i in range(match.first, match.end)
        )

    def _generic(self, match: _Match) -> bool:
        """A bare word for name, number or id: it means what stands beside it, where something does."""
        return match.end - match.first == 1 and bool(
            self._roles[match.first] & {"name", "id", "code", "number"}
        )

    # -- weighing

    def _weigh(self, match: _Match, entry: Entry) -> Iterator[HeaderHint]:
        rest = [i for i in range(len(self._tokens)) if not match.covers(i)]
        if entry.nothing:
            yield self._hint(entry.concept, entry.weight * self._company(match, entry, rest), entry)
            return
        if self._dates(match, entry, rest) or any(self._negates(i, match, entry) for i in rest):
            yield self._hint(NONE, _NEGATED, entry)
            return
        if self._names_role(match, entry):
            entry = entry._replace(weight=min(entry.weight, _ROLE))
        sure = entry.weight * self._company(match, entry, rest)
        subject = self._subject(match, rest) or self._own_subject(match, entry)
        if subject is not None:
            yield from self._with_subject(entry, sure, subject)
        else:
            yield from self._with_table(entry, sure)

    def _own_subject(self, match: _Match, entry: Entry) -> str | None:
        """A ``customer id`` is a person's in a table of orders too."""
        own = entry.concept == "IDENTIFIER" and any(
            "person" in self._roles[i] for i in range(match.first, match.end)
        )
        return "person" if own else None

    def _names_role(self, match: _Match, entry: Entry) -> bool:
        return (
            entry.concept == "PERSON"
            and entry.weight < AMBIGUOUS
            and match.end - match.first == 1
            and "person" in self._roles[match.first]
        )

    def _with_subject(self, entry: Entry, sure: float, subject: str) -> Iterator[HeaderHint]:
        """The heading itself says whose it is."""
        if subject == "person":
            yield self._hint(entry.concept, _raised(sure, entry.weight, 0.8), entry)
        elif entry.concept.startswith("PERSON") and entry.weight < AMBIGUOUS:
            concept = "ORGANIZATION" if subject == "organization" else NONE
            yield self._hint(concept, 0.85, entry)
        elif subject == "other" and self._words.behaves(entry.concept, "needs_person"):
            yield self._hint(NONE, 0.8, entry)
        else:
            yield self._hint(entry.concept, sure, entry)

    def _with_table(self, entry: Entry, sure: float) -> Iterator[HeaderHint]:
        """The table's name hints at whose it is."""
        personal = self._words.behaves(entry.concept, "needs_person")
        if self._table == "person":
            yield self._hint(entry.concept, _raised(sure, entry.weight, 0.6), entry)
        elif self._table in ("organization", "other") and personal and entry.weight < AMBIGUOUS:
            organization = self._table == "organization" and entry.concept.startswith("PERSON")
            yield self._hint("ORGANIZATION" if organization else NONE, 0.65, entry)
            yield self._hint(entry.concept, sure * 0.5, entry)
        elif self._table == "other" and personal:
            yield self._hint(entry.concept, sure * 0.8, entry)
        elif self._table == "other" and entry.concept == "IDENTIFIER":
            yield self._hint(entry.concept, sure * 0.5, entry)
        else:
            yield self._hint(entry.concept, sure, entry)

    def _company(self, match: _Match, entry: Entry, rest: list[int]) -> float:
        """The least sure of what stands beside the phrase."""
        return min((self._beside(i, match, entry) for i in rest), default=1.0)

    def _beside(self, position: int, match: _Match, entry: Entry) -> float:
        roles = self._roles[position]
        before = position < match.first
        if position < self._start:
            return 1.0 if roles or not any(m.covers(position) for m in self._matches) else 0.95
        token = self._tokens[position]
        if token.isdigit():
            return _BESIDE["digit"]
        if "person" in roles or "qualifier" in roles or self._passes(position, entry):
            return _BESIDE["known"]
        if "name" in roles and self._words.behaves(entry.concept, "named"):
            return _BESIDE["known"]
        if "organization" in roles:
            return _BESIDE["organization"]
        if "other" in roles:
            return _BESIDE["other"]
        if any(m.covers(position) for m in self._matches):
            return _BESIDE["concept_before" if before else "concept_after"]
        if len(token) == 1:
            return _BESIDE["letter"]
        return _BESIDE["unknown_before" if before else "unknown_after"]

    def _passes(self, position: int, entry: Entry) -> bool:
        roles = self._roles[position]
        if entry.nothing and roles & {"id", "code", "name", "not_after", "not_before", "date_other"}:
            return True
        if roles & {"neutral", "number", "form", "filler"}:
            return True
        return (
            ("date_word" in roles and (entry.concept == "DATE_OF_BIRTH" or len(self._tokens[position]) < 3))
            or ("name" in roles and self._words.behaves(entry.concept, "named"))
            or ("code" in roles and self._words.behaves(entry.concept, "coded"))
            or ("id" in roles and self._words.behaves(entry.concept, "identified"))
            or ("not_before" in roles and position < self._start)
        )

    def _negates(self, position: int, match: _Match, entry: Entry) -> bool:
        """True for a word that makes it something else: ``has phone``, ``phone type``, ``city id``."""
        if position < self._start:
            return False
        roles = self._roles[position]
        before = position < match.first
        if self._passes(position, entry) or "person" in roles or "qualifier" in roles:
            return self._counts(position, match)
        if self._counts(position, match):
            return True
        if any(m.covers(position) for m in self._matches if m is not match) and not roles & {
            "not_after",
            "not_before",
        }:
            return False
        if roles & {"id", "code"}:
            return not ("name" in roles and self._words.behaves(entry.concept, "named"))
        if before:
            return bool(roles & {"not_before", "date_word"})
        return bool(roles & {"not_after", "date_other", "date_word"})

    def _dates(self, match: _Match, entry: Entry, rest: list[int]) -> bool:
        """``dt_cadastro``: a word for another date, beside one for date."""
        return (
            entry.concept != "DATE_OF_BIRTH"
            and all("date_other" in self._roles[i] for i in range(match.first, match.end))
            and any("date_word" in self._roles[i] for i in rest)
        )

    def _counts(self, position: int, match: _Match) -> bool:
        """``num_phones``, ``email count``: a word for counting before a plural."""
        if "count" not in self._roles[position] or position + 1 != match.first:
            return False
        last = match.end - 1
        return self._tokens[last] != self._keys[last]

    def _subject(self, match: _Match, rest: list[int]) -> str | None:
        """Whose it is: the nearest word after the phrase that says so, else the nearest before it."""
        order = [i for i in rest if i >= match.end] + [i for i in reversed(rest) if i < match.first]
        for position in order:
            for subject in _SUBJECTS:
                if subject in self._roles[position]:
                    return subject
        return None

    # -- headings without a phrase

    def _without_phrase(self) -> Iterator[HeaderHint]:
        own = range(self._start, len(self._tokens))
        roles = [self._roles[i] for i in own]
        text = " ".join(self._tokens[self._start :])
        subjects = [next((s for s in _SUBJECTS if s in r), None) for r in roles]
        parent = next((s for r in reversed(self._roles[: self._start]) for s in _SUBJECTS if s in r), None)
        if any(r & {"id", "code", "number"} and not r & {"person"} for r in roles):
            yield from self._identifier(roles, [s for s in subjects if s] or [parent or self._table], text)
        elif self._parent_concept() and roles and all(r & {"not_after", "not_before"} for r in roles):
            yield HeaderHint(NONE, NONE, _NEGATED * self._penalty, text, "und")
        elif any("date_other" in r for r in roles) and any("date_word" in r for r in roles):
            yield HeaderHint(NONE, NONE, 0.85 * self._penalty, text, "und")
        elif roles and "not_after" in roles[-1] and any(subjects[:-1]):
            # ``customer_type``, ``Kundenart``: a code of theirs, nothing of theirs.
            yield HeaderHint(NONE, NONE, _NEGATED * self._penalty, text, "und")
        elif "person" in subjects and all(
            s == "person" or self._neutral(i) for s, i in zip(subjects, own, strict=True)
        ):
            yield HeaderHint("PERSON", "PERSON", 0.45 * self._penalty, text, "und")

    def _parent_concept(self) -> bool:
        return any(match.end <= self._start for match in self._matches)

    def _identifier(
        self, roles: list[AbstractSet[str]], subjects: list[str | None], text: str
    ) -> Iterator[HeaderHint]:
        """``customer no`` singles out a person; ``product id`` does not; ``id`` may."""
        if self._parent_concept():
            yield HeaderHint(NONE, NONE, 0.8 * self._penalty, text, "und")
            return
        known = all(
            r & {"id", "code", "number", "qualifier", "neutral", "name", "form", *_SUBJECTS}
            or t.isdigit()
            or len(t) == 1
            for r, t in zip(roles, self._tokens[self._start :], strict=True)
        )
        bare = not any(r & set(_SUBJECTS) for r in roles)
        keyed = any("id" in r for r in roles)
        if "person" in subjects and subjects[-1] != "other":
            strength = (0.6 if keyed else 0.3) if bare else 0.9
        elif subjects[-1] in ("other", "organization"):
            yield HeaderHint(NONE, NONE, (0.3 if bare else 0.6) * self._penalty, text, "und")
            return
        else:
            strength = 0.3 if keyed else 0.1
        yield HeaderHint(
            "IDENTIFIER", "IDENTIFIER", strength * (1.0 if known else 0.7) * self._penalty, text, "und"
        )

    def _neutral(self, position: int) -> bool:
        roles = self._roles[position]
        return self._tokens[position].isdigit() or bool(
            roles & {"qualifier", "neutral", "form", "person", "name"}
        )

    def _hint(self, concept: str, strength: float, entry: Entry) -> HeaderHint:
        return HeaderHint(
            concept,
            concept.partition(".")[0],
            min(1.0, strength) * self._penalty,
            entry.phrase,
            entry.language,
        )


def _settle(best: dict[str, HeaderHint]) -> None:
    """A bare name that the table makes a city's or a product's is hardly a person's."""
    person = best.get("PERSON")
    others = max((h.strength for h in best.values() if h.entity_type != "PERSON"), default=0.0)
    if person is not None and person.strength <= AMBIGUOUS and others > AMBIGUOUS:
        best["PERSON"] = replace(person, strength=person.strength * 0.5)


def _raised(sure: float, weight: float, by: float) -> float:
    """``sure`` when a subject takes away the share ``by`` of the doubt that the phrase alone leaves."""
    return sure * (weight + (1.0 - weight) * by) / weight
