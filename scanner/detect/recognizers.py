"""Presidio recognizers that YAML cannot express. Imports Presidio: import this module only when needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from presidio_analyzer import EntityRecognizer, LocalRecognizer, Pattern, PatternRecognizer, RecognizerResult

from scanner.config import Settings
from scanner.detect import names, phones
from scanner.detect.specs import RecognizerSpec
from scanner.detect.validators import Check


class CheckedPatternRecognizer(PatternRecognizer):  # type: ignore[misc] # Presidio is not followed
    """A pattern recognizer of a YAML file, with its check as ``validate_result``."""

    def __init__(self, entry: dict[str, Any], check: Check | None, *, language: str = "en") -> None:
        super().__init__(
            supported_entity=entry["supported_entity"],
            name=entry["name"],
            supported_language=language,
            patterns=[Pattern(each["name"], each["regex"], each["score"]) for each in entry["patterns"]],
            context=list(entry.get("context") or ()),
            country_code=entry.get("country_code"),
        )
        self._check = check

    def validate_result(self, pattern_text: str) -> bool | None:
        """What the check says of a found text."""
        return self._check(pattern_text) if self._check else None


# What may follow a street: flat, place, postal code, country, on the same line or the next ones.
_UNIT = (
    r"(?:suite|ste|apt|apartment|unit|flat|floor|room|piso|apto|app|appt|wohnung|top|tür|int|depto)"
    r"\.?[ ]?[#:]?[ ]?\p{N}{1,5}[a-z]?"
)
_CODE = (
    r"(?:(?-i:[A-Z]{1,3}[ -]{1,2})?\p{N}{4,6}(?:-\p{N}{3,4})?|\p{N}{2,3}[ -]\p{N}{2,3}(?![ -]?\p{N})"
    r"|\p{N}{4} ?(?-i:[A-Z]{2})"
    r"|(?-i:[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]))"
)
_WORD = r"(?-i:(?:St|Ste|Mt|Ft)\.|\p{Lu}[\p{L}\p{M}'’-]*)"
_PLACE = rf"{_WORD}(?: (?:(?:de|del|della|di|da|do|dos|am|an der|im|la|le|les|sur|on|upon) )?{_WORD}){{0,3}}"
_GLUE = r"[ \t]*(?:,[ \t]*)?(?:\r?\n[>\t ]*){0,2}(?:,[ \t]*)?"
_WORD_END = r"(?![\p{L}\p{N}_])"


class AddressRecognizer(CheckedPatternRecognizer):
    """Street addresses with what belongs to them: a number before, flat, postal code and place behind."""

    def __init__(self, entry: dict[str, Any], check: Check | None, *, language: str = "en") -> None:
        import regex

        super().__init__(entry, check, language=language)
        flags = regex.IGNORECASE
        self._steps = [
            (kind, regex.compile(f"{_GLUE}{source}{_WORD_END}", flags))
            for kind, source in (("unit", _UNIT), ("code", _CODE), ("place", _PLACE))
        ]
        self._number_before = regex.compile(r"(?<![\p{L}\p{N}_.,/$€£-])\p{N}{1,6}[ \t]{1,3}$")

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """Presidio's signature. Spans are widened, never moved: what the patterns find stays found."""
        results: list[RecognizerResult] = super().analyze(text, entities, nlp_artifacts)
        for result in results:
            result.start = self._start(text, result.start)
            result.end = self._end(text, result.start, result.end)
        return results

    def _start(self, text: str, start: int) -> int:
        line = max(start - 12, 0)
        found = self._number_before.search(text, line, start)
        return found.start() if found else start

    def _end(self, text: str, start: int, end: int) -> int:
        """The end of the last flat, code or place that a code or flat vouches for."""
        end = _without_full_stop(text, start, end)
        position, sure, places = end, end, 0
        for _ in range(6):
            step = self._step(text, position)
            if step is None:
                break
            kind, position = step
            places = places + 1 if kind == "place" else 0
            if kind != "place":
                sure = position
            elif places > 2:
                break
            elif sure > end and places == 1:
                sure = position  # the country below the postal code
        return sure

    def _step(self, text: str, position: int) -> tuple[str, int] | None:
        for kind, pattern in self._steps:
            found = pattern.match(text, position)
            if found:
                return kind, found.end()
        return None


def _without_full_stop(text: str, start: int, end: int) -> int:
    """Leave the full stop of a sentence outside; that of an abbreviation ("St.") belongs to the address."""
    while text[end - 1] in " \t\n,":
        end -= 1
    last = text[start : end - 1].rsplit(" ", 1)[-1]
    return end - 1 if text[end - 1] == "." and (len(last) > 4 or last.isdigit()) else end


def from_patterns(spec: RecognizerSpec, language: str) -> CheckedPatternRecognizer:
    """The recognizer of a spec that has patterns."""
    kind = AddressRecognizer if spec.entity_type == "STREET_ADDRESS" else CheckedPatternRecognizer
    return kind(dict(spec.entry), spec.validator, language=language)


# Not inside of a word, a longer number, an amount or a decimal.
_BEFORE = r"(?<![\p{L}\p{N}_$€£#])(?<![0-9][.,:/\-])"
_AFTER = r"(?![\p{L}\p{N}_%€£]|[,:/\-][0-9]|-[\p{L}])"
_GROUP = re.compile(r"[^ \u00a0]+")
_MOST_GROUPS = 9
_LONE_NUMBER = 9  # characters


class PhoneNumberRecognizer(LocalRecognizer):  # type: ignore[misc] # Presidio is not followed
    """Telephone numbers in running text: the formats of `Settings.regions`, and all countries with ``+``.

    Presidio's own recognizer asks libphonenumber's matcher once for each region and each text; this one tries
    the candidates of one expression against compiled numbering plans (`scanner.detect.phones`).
    """

    def __init__(
        self,
        supported_entity: str = "PHONE_NUMBER",
        name: str | None = None,
        supported_language: str = "en",
        context: list[str] | None = None,
        regions: tuple[str, ...] | None = None,
    ) -> None:
        import regex

        self.regions = Settings().regions if regions is None else regions
        self._candidate = regex.compile(_BEFORE + phones.CANDIDATE + _AFTER, regex.IGNORECASE)
        super().__init__(
            supported_entities=[supported_entity],
            name=name,
            supported_language=supported_language,
            context=context,
        )

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """All telephone numbers of ``text``; Presidio's signature."""
        results = []
        for found in self._candidate.finditer(text):
            for start, end, phone in self._numbers(found.group()):
                results.append(self._result(found.start() + start, found.start() + end, phone))
        return results

    def _numbers(self, candidate: str) -> Iterator[tuple[int, int, phones.Phone]]:
        """The candidate as one number, or else the longest runs of its groups that are one each."""
        whole = phones.read(candidate, self.regions)
        if whole is not None and whole.valid:
            yield 0, len(candidate), whole
            return
        groups = [found.span() for found in _GROUP.finditer(candidate)][:_MOST_GROUPS]
        first = 0
        while first < len(groups):
            for last in range(len(groups) - 1, first - 1, -1):
                start, end = groups[first][0], groups[last][1]
                if whole is not None and (start, end) == (0, len(candidate)):
                    continue
                part = phones.read(candidate[start:end], self.regions)
                if part is not None and part.valid and _is_most(end - start, candidate):
                    yield start, end, part
                    whole, first = None, last
                    break
            first += 1
        if whole is not None:
            yield 0, len(candidate), whole

    def _result(self, start: int, end: int, phone: phones.Phone) -> RecognizerResult:
        return RecognizerResult(
            entity_type=self.supported_entities[0],
            start=start,
            end=end,
            score=phone.score,
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            },
        )


class NamedEntityRecognizer(LocalRecognizer):  # type: ignore[misc] # Presidio is not followed
    """People and places that the spaCy model found, each with a score that says how likely it is one."""

    ENTITIES = ("PERSON", "LOCATION", "CITY", "REGION", "COUNTRY", "ORGANIZATION")

    def __init__(self, supported_language: str = "en") -> None:
        super().__init__(
            supported_entities=list(self.ENTITIES), name="NamedEntity", supported_language=supported_language
        )

    def load(self) -> None:
        """The model is loaded by whoever makes the artifacts."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """Named entities of ``nlp_artifacts`` (spaCy spans), judged; nothing where no model has run."""
        results = []
        for span in nlp_artifacts.entities if nlp_artifacts is not None else ():
            for judged in names.judge(text, span.start_char, span.end_char, span.label_):
                if judged.entity_type in entities:
                    results.append(_plain_result(self, judged))  # noqa: PERF401
        return results


class NameRecognizer(LocalRecognizer):  # type: ignore[misc] # Presidio is not followed
    """People told by a title, a greeting or a known given name, in languages that the model does not read."""

    def __init__(
        self,
        supported_entity: str = "PERSON",
        name: str | None = None,
        supported_language: str = "en",
        context: list[str] | None = None,
    ) -> None:
        super().__init__(
            supported_entities=[supported_entity],
            name=name,
            supported_language=supported_language,
            context=context,
        )

    def load(self) -> None:
        """Nothing to load; the lexicons load when first asked."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """All names of ``text``; Presidio's signature. Artifacts may tell which of `names.cues` it holds."""
        cues = getattr(nlp_artifacts, "cues", None)
        return [_plain_result(self, judged) for judged in names.find(text, cues)]


def _is_most(length: int, candidate: str) -> bool:
    """Whether a part is long enough not to be a piece cut out of some other number."""
    return length * 2 > len(candidate) or length >= _LONE_NUMBER


def _plain_result(recognizer: EntityRecognizer, judged: names.Judged) -> RecognizerResult:
    return RecognizerResult(
        entity_type=judged.entity_type,
        start=judged.start,
        end=judged.end,
        score=judged.score,
        recognition_metadata={
            RecognizerResult.RECOGNIZER_NAME_KEY: recognizer.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: recognizer.id,
        },
    )
