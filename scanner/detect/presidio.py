"""The adapter to Presidio: one registry from the rule files, one analyzer, texts in, matches out.

Importing this module is cheap; `TextEngine` imports Presidio, and the spaCy model is loaded by the first text
that may hold a name. Presidio alone would let one failing recognizer end the text, shorten a result silently
when a pattern runs out of time, and ask the network for a list of domains; here none of these happens.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner.config import Settings
from scanner.detect import names, re2, specs
from scanner.detect.language_model import NO_MODEL, ModelError, verify_model
from scanner.detect.passages import passages
from scanner.detect.specs import RecognizerSpec
from scanner.model import Gap, Reason, Stage

LANGUAGE = "en"  # one registry serves all languages; Presidio only wants a name for it
CHUNK_CHARACTERS = 100_000
PATTERN_SECONDS = 10.0
MINIMUM_SCORE = 0.4


@dataclass(frozen=True, slots=True)
class Match:
    """One find in a text: ``text[start:end]``; ``score`` in [0, 1]; ``recognizer`` by name."""

    entity_type: str
    start: int
    end: int
    score: float
    recognizer: str


# -- the model -------------------------------------------------------------------------------------------


def load_model(name: str) -> Any:
    """The verified spaCy pipeline, with only what named entities need.

    Raises:
        ModelError: it is missing, altered, or finds no entities.
    """
    verify_model(name)
    import spacy

    unneeded = ["tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
    nlp = spacy.load(name, exclude=unneeded)
    if "ner" not in nlp.pipe_names and "entity_ruler" not in nlp.pipe_names:
        raise ModelError(
            f"the spaCy model {name} finds no named entities; name another one in the setting 'model'"
        )
    nlp.max_length = max(nlp.max_length, 2 * CHUNK_CHARACTERS)
    return nlp


# -- building the registry -------------------------------------------------------------------------------


def keep_offline() -> None:
    """Make tldextract, which Presidio's e-mail recognizer asks, use its own list: no network, no cache."""
    import tldextract
    import tldextract.tldextract as module

    module.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def build_recognizers(recognizer_specs: Sequence[RecognizerSpec], settings: Settings) -> list[Any]:
    """Presidio's recognizer of each spec, in the same order."""
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider

    # Importing it makes our classes known to Presidio by name.
    from scanner.detect import recognizers

    keep_offline()
    entries = [dict(spec.entry) for spec in recognizer_specs if spec.class_name]
    predefined: dict[str, Any] = {}
    if entries:
        configuration = {
            "supported_languages": [LANGUAGE],
            "global_regex_flags": int(re.DOTALL | re.MULTILINE | re.IGNORECASE),
            "recognizers": entries,
        }
        registry = RecognizerRegistryProvider(
            registry_configuration=configuration
        ).create_recognizer_registry()
        predefined = {recognizer.name: recognizer for recognizer in registry.recognizers}
    built = [
        predefined[spec.name] if spec.class_name else recognizers.from_patterns(spec, LANGUAGE)
        for spec in recognizer_specs
    ]
    for recognizer in built:
        if isinstance(recognizer, recognizers.PhoneNumberRecognizer):
            recognizer.regions = settings.regions
    return built


class _BoundedPattern:
    """A compiled pattern that ends after `PATTERN_SECONDS` and says so; what it found until then counts."""

    def __init__(self, compiled: Any, ran_out: Callable[[], None]) -> None:
        self._compiled, self._ran_out = compiled, ran_out

    def finditer(self, text: str, **_: Any) -> Iterator[Any]:
        try:
            yield from self._compiled.finditer(text, timeout=PATTERN_SECONDS)
        except TimeoutError:
            self._ran_out()


def _guard(recognizer: Any, failures: Counter[tuple[str, Reason]]) -> None:
    """Keep a recognizer's failure to itself, and count it."""
    import regex

    original, name = recognizer.analyze, recognizer.name

    def ran_out() -> None:
        failures[name, Reason.TIMEOUT] += 1

    def analyze(text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
        try:
            return list(original(text=text, entities=entities, nlp_artifacts=nlp_artifacts))
        except Exception:  # noqa: BLE001 # any recognizer may fail; the text goes on and the gap is reported
            failures[name, Reason.INTERNAL] += 1
            return []

    flags = getattr(recognizer, "global_regex_flags", None)
    for pattern in getattr(recognizer, "patterns", ()):
        pattern.compiled_regex = _BoundedPattern(regex.compile(pattern.regex, flags=flags), ran_out)
        pattern.compiled_with_flags = flags
    recognizer.analyze = analyze


# -- the engine ------------------------------------------------------------------------------------------


class TextEngine:
    """Finds personal data in texts, through Presidio.

    Args:
        settings: which model, which phone regions.
        recognizer_specs: the recognizers to use; the shipped ones where left out.

    Attributes:
        failures: recognizer and reason (`Reason.INTERNAL`, `Reason.TIMEOUT`) to the number of texts it
            failed on.
        read_everything: give the model whole texts instead of passages; for measuring what that loses.
        characters_read: by the model, so far.
    """

    def __init__(self, settings: Settings, recognizer_specs: Sequence[RecognizerSpec] | None = None) -> None:
        from scanner.detect.context import WindowContextEnhancer
        from scanner.detect.recognizers import NamedEntityRecognizer, NameRecognizer

        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        self._settings = settings
        self._specs = tuple(specs.specs() if recognizer_specs is None else recognizer_specs)
        self.failures: Counter[tuple[str, Reason]] = Counter()
        recognizers = build_recognizers(self._specs, settings)
        self._gates = _gates(self._specs)
        self._by_name = dict(zip((spec.name for spec in self._specs), recognizers, strict=True))
        everything = [
            *recognizers,
            NameRecognizer(supported_language=LANGUAGE),
            NamedEntityRecognizer(supported_language=LANGUAGE),
        ]
        for recognizer in everything:
            _guard(recognizer, self.failures)
        self._names, self._named = everything[-2:]
        self._enhancer = WindowContextEnhancer(self._specs)
        self._nlp: Any = None
        self._entities: dict[str, tuple[tuple[int, int, str], ...]] = {}
        self.read_everything = False
        self.characters_read = 0

    def analyze(self, texts: Sequence[str], context: Sequence[str] = ()) -> list[list[Match]]:
        """The matches of each text, by position; overlaps resolved, nothing below `MINIMUM_SCORE`.

        Args:
            texts: any number; a few hundred at once are much faster than one by one.
            context: words known to stand over all of them, such as a column's heading.

        Raises:
            ModelError: a text may hold a name and the configured model cannot be used.
        """
        chunks = [
            (index, offset, piece) for index, text in enumerate(texts) for offset, piece in chunked(text)
        ]
        found: list[list[Match]] = [[] for _ in texts]
        pieces = [piece for _, _, piece in chunks]
        for (index, offset, _), matches in zip(
            chunks, self._analyze_pieces(pieces, list(context)), strict=True
        ):
            found[index].extend(
                Match(each.entity_type, each.start + offset, each.end + offset, each.score, each.recognizer)
                for each in matches
            )
        return found

    def gaps(self, where: str | None = None) -> list[Gap]:
        """What recognizers did not look at so far, as gaps; clears the counter."""
        gaps = [
            Gap(Stage.DETECT, reason, f"recognizer {name} {_FAILED[reason]} on {count} text(s)", where)
            for (name, reason), count in sorted(self.failures.items())
        ]
        self.failures.clear()
        return gaps

    def _analyze_pieces(self, pieces: list[str], context: list[str]) -> Iterator[list[Match]]:
        asked = self._asked(pieces, " ".join(context))
        named = self._find_names(pieces)
        artifacts = self._artifacts(pieces, named)
        for piece, recognizers, found, artifact in zip(pieces, asked, named, artifacts, strict=True):
            if artifact is not None:
                recognizers.append(self._named)
            yield self._ask(piece, recognizers, found, artifact or _no_artifacts(), context)

    def _find_names(self, pieces: list[str]) -> list[list[Any]]:
        """What is found of names without the model, in each text."""
        kinds = self._names.supported_entities
        return [
            self._names.analyze(piece, kinds, _Cued([], cues)) if any(cues) and not piece.islower() else []
            for piece, cues in zip(pieces, self._cues(pieces), strict=True)
        ]

    @staticmethod
    def _cues(pieces: list[str]) -> list[tuple[bool, ...]]:
        """For each text which of `names.cues` it holds."""
        if len(pieces) < _FILTER_FROM_TEXTS:
            return [(True,) * len(names.cues())] * len(pieces)
        column = pa.array(pieces, pa.large_string())
        flags = np.stack([_holding(column, (cue,)) for cue in names.cues()], axis=1)
        return list(map(tuple, flags.tolist()))

    def _ask(
        self, piece: str, recognizers: list[Any], named: list[Any], artifact: Any, context: list[str]
    ) -> list[Match]:
        """What these recognizers find, as `AnalyzerEngine.analyze` puts it together."""
        from presidio_analyzer import EntityRecognizer

        results: list[Any] = list(named)
        for recognizer in recognizers:
            results.extend(recognizer.analyze(piece, recognizer.supported_entities, artifact))
        if not results:
            return []
        kept = self._enhancer.enhance_using_context(piece, results, artifact, recognizers, context)
        return resolve(piece, [_match(result) for result in EntityRecognizer.remove_duplicates(kept)])

    @cached_property
    def _analyzer(self) -> Any:
        """Presidio's own engine over the same recognizers; only `reference` asks it."""
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import NoOpNlpEngine

        nlp_engine = NoOpNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": "no_op"}])
        nlp_engine.load()
        everything = [*self._by_name.values(), self._names, self._named]
        return AnalyzerEngine(
            registry=RecognizerRegistry(everything, supported_languages=[LANGUAGE]),
            nlp_engine=nlp_engine,
            supported_languages=[LANGUAGE],
            context_aware_enhancer=self._enhancer,
            default_score_threshold=0.0,
        )

    def reference(self, text: str, context: Sequence[str] = ()) -> list[Match]:
        """The same by Presidio's own engine with all recognizers, nothing left out; for tests."""
        artifact = self._artifacts([text], self._find_names([text]))[0] or _no_artifacts()
        results = self._analyzer.analyze(text, LANGUAGE, nlp_artifacts=artifact, context=list(context))
        return resolve(text, [_match(result) for result in results])

    def _asked(self, pieces: list[str], context: str) -> list[list[Any]]:
        """For each text the recognizers that may find something in it: vector kernels over all texts."""
        asked: list[list[Any]] = [[] for _ in pieces]
        if len(pieces) < _FILTER_FROM_TEXTS and sum(map(len, pieces)) < _FILTER_FROM_CHARACTERS:
            for piece, recognizers in zip(pieces, asked, strict=True):
                lowered = f"{context}\n{piece}".lower()
                recognizers += [
                    self._by_name[gate.name]
                    for gate in self._gates
                    if not gate.words or gate.alone or gate.words_in(lowered)
                ]
            return asked
        column = pa.array(pieces, pa.large_string())
        digits = pc.count_substring_regex(column, r"\p{N}").to_numpy(zero_copy_only=False)
        for gate in self._gates:
            for index in gate.passed(column, digits, context.lower()):
                asked[index].append(self._by_name[gate.name])
        return asked

    def _artifacts(self, pieces: list[str], named: Sequence[list[Any]]) -> list[Any]:
        """The model's entities in the passages that may hold a name, None for texts without any.

        Args:
            pieces: the texts.
            named: the names that were found in each without the model.
        """
        artifacts: list[Any] = [None] * len(pieces)
        if self._settings.model == NO_MODEL:
            return artifacts
        chosen = {
            index: self._passages(piece, found)
            for index, (piece, found) in enumerate(zip(pieces, named, strict=True))
        }
        self._read({_numberless(pieces[index][a:b]) for index, spans in chosen.items() for a, b in spans})
        for index, spans in chosen.items():
            if spans:
                artifacts[index] = _Artifacts(
                    [
                        _Span(a + start, a + end, label)
                        for a, b in spans
                        for start, end, label in self._entities[_numberless(pieces[index][a:b])]
                    ]
                )
        return artifacts

    def _passages(self, piece: str, named: list[Any]) -> list[tuple[int, int]]:
        if self.read_everything:
            return [(0, len(piece))] if may_hold_name(piece) else []
        settled = [(each.start, each.end) for each in named if each.score >= _SETTLED]
        return passages(piece, english=not names.is_foreign(piece), settled=settled)

    def _read(self, wanted: set[str]) -> None:
        """Have the model read what it has not read of late, each passage once."""
        if len(self._entities) + len(wanted) > _REMEMBERED:
            self._entities = {text: found for text, found in self._entities.items() if text in wanted}
        unread = sorted((text for text in wanted if text not in self._entities), key=len)
        if not unread:
            return
        if self._nlp is None:
            self._nlp = load_model(self._settings.model)
        self.characters_read += sum(map(len, unread))
        with self._nlp.memory_zone():
            for text, doc in zip(unread, self._nlp.pipe(unread, batch_size=_BATCH), strict=True):
                self._entities[text] = tuple((e.start_char, e.end_char, e.label_) for e in doc.ents)

    # -- single recognizers, for columns and for tests --

    def cell_matches(self, name: str, values: Sequence[str]) -> list[list[Match]]:
        """What one recognizer, by itself and without context, finds in each value."""
        recognizer = self._by_name[name]
        return [
            [
                _match(result)
                for result in recognizer.analyze(value, recognizer.supported_entities, _no_artifacts())
            ]
            for value in values
        ]

    def judge(self, entity_type: str, values: Sequence[str]) -> list[bool]:
        """Whether any recognizer of ``entity_type`` finds something in each value, context left aside."""
        names = [spec.name for spec in self._specs if spec.entity_type == entity_type]
        verdicts = [False] * len(values)
        for name in names:
            for index, matches in enumerate(self.cell_matches(name, values)):
                verdicts[index] = verdicts[index] or bool(matches)
        return verdicts


# Compiling the filters takes as long as asking every recognizer about so much.
_FILTER_FROM_TEXTS, _FILTER_FROM_CHARACTERS = 16, 8_000
_FAILED = {Reason.INTERNAL: "failed", Reason.TIMEOUT: "ran out of time"}
#: A filter that lets through more than this share of the texts is followed by the patterns themselves.
_MANY = 0.05
#: Passages whose entities are kept, so that one that comes again is not read again.
_REMEMBERED = 50_000
_BATCH = 256
#: A name found with this score needs no second opinion.
_SETTLED = 0.7
_DIGIT = re.compile("[1-9]")


def _numberless(passage: str) -> str:
    """A passage with zeros for its digits: what the model makes of names does not hang on numbers."""
    return _DIGIT.sub("0", passage)


@cache
def engine(settings: Settings) -> TextEngine:
    """The engine of this process for these settings, built once."""
    return TextEngine(settings)


def judge(entity_type: str, values: Sequence[str]) -> list[bool]:
    """`TextEngine.judge` with the default settings."""
    return engine(Settings()).judge(entity_type, values)


def cell_matches(names: Sequence[str], values: Sequence[str]) -> dict[str, list[bool]]:
    """For each recognizer named, whether it finds something in each value; for tests of equivalence."""
    return {name: [bool(found) for found in engine(Settings()).cell_matches(name, values)] for name in names}


@dataclass(frozen=True, slots=True)
class _Span:
    start_char: int
    end_char: int
    label_: str


@dataclass(frozen=True, slots=True)
class _Artifacts:
    """What our recognizers and the context enhancer read of Presidio's `NlpArtifacts`: the entities."""

    entities: list[_Span]


@dataclass(frozen=True, slots=True)
class _Cued(_Artifacts):
    """Which of `names.cues` a text holds, for the recognizer of names."""

    cues: tuple[bool, ...]


@cache
def _no_artifacts() -> _Artifacts:
    return _Artifacts([])


def _match(result: Any) -> Match:
    name = result.recognition_metadata[result.RECOGNIZER_NAME_KEY]
    return Match(result.entity_type, result.start, result.end, float(result.score), name)


@dataclass(frozen=True, slots=True)
class _Gate:
    """What must be in a text before a recognizer is asked: its filter, and a context word if it needs one.

    Attributes:
        name: the recognizer's.
        digits: in every text in which the recognizer finds something there are so many.
        pattern: RE2; finds something wherever the recognizer does.
        words: RE2 for the context words, empty where none is needed.
        alone: RE2 patterns, one of which finds something wherever a match needs no context after all.
        kernels: RE2 patterns, one of which finds something wherever the recognizer does: narrower.
    """

    name: str
    digits: int
    pattern: str
    words: str
    alone: tuple[str, ...]
    kernels: tuple[str, ...]

    def words_in(self, lowered: str) -> bool:
        return _compiled_words(self.words).search(lowered) is not None

    def passed(self, column: Any, digits: Any, context: str) -> list[int]:
        """The places of the texts that pass; ``digits`` has how many each has."""
        places = np.flatnonzero(digits >= self.digits)
        if not len(places):
            return []
        places = places[_holding(column.take(pa.array(places)), (self.pattern,))]
        if self.words and len(places) and not self.words_in(context):
            texts = column.take(pa.array(places))
            found = _holding(texts, (self.words,))
            places = places[_holding(texts, self.alone, found)]
        if self.kernels and len(places) > _MANY * len(column):
            places = places[_holding(column.take(pa.array(places)), self.kernels)]
        passed: list[int] = places.tolist()
        return passed


def _holding(texts: Any, patterns: Sequence[str], found: Any = None) -> Any:
    """Flags for the texts in which one of some RE2 patterns finds something, or that were ``found`` already.

    Each pattern is looked for first as `re2.loosened` has it, then as it is in the few texts that are left.
    """
    found = np.zeros(len(texts), bool) if found is None else found
    for pattern in patterns:
        left = np.flatnonzero(~found)
        loose = re2.loosened(pattern)
        for step in (loose, pattern) if loose != pattern else (pattern,):
            if len(left):
                some = texts if len(left) == len(texts) else texts.take(pa.array(left))
                left = left[pc.match_substring_regex(some, step).to_numpy(zero_copy_only=False)]
        found[left] = True
    return found


@cache
def _compiled_words(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)


def _gates(recognizer_specs: Sequence[RecognizerSpec]) -> list[_Gate]:
    import regex

    gates = []
    for spec in recognizer_specs:
        words = "|".join(regex.escape(word, literal_spaces=True) for word in spec.context)
        regexes = [pattern.regex for pattern in spec.patterns]
        beside = spec.needs_context and not (spec.class_name and spec.alone <= 1.0)
        # A check that proves a match gives it the best of scores.
        alone = [
            kernel
            for kernel, pattern in zip(spec.kernels, spec.patterns, strict=True)
            if (1.0 if spec.check else pattern.score) >= spec.alone
        ]
        gates.append(
            _Gate(
                spec.name,
                min(map(re2.digits_needed, [spec.filter] if spec.filter else regexes)),
                spec.re2_filter,
                f"(?i)(?:{words})" if beside else "",
                tuple(alone) if beside else (),
                () if spec.filter is None else spec.kernels,
            )
        )
    return gates


# -- which texts the model must read ---------------------------------------------------------------------


@cache
def _name_cue() -> Any:
    import regex

    return regex.compile(
        r"\p{Lu}[\p{L}\p{M}'’.-]*[ \u00a0\n]+"
        r"(?:(?:de|del|della|di|da|do|dos|van|von|der|den|la|le|el|al|bin)[ \u00a0])*\p{Lu}"
        r"|(?<=[\p{Ll}\p{N},;:>)\"'“–-][ \u00a0\n]*)\p{Lu}\p{Ll}+"
        # a sentence that somebody begins
        r"|(?m:^[> \t]*|[.!?:][ \u00a0\n]+)"
        r"(?!(?:It|This|That|There|Here|He|She|We|They|You|What|Who|Which|The|All)\b)"
        r"\p{Lu}\p{Ll}+(?:['’]s)?(?:[,:]| (?:is|was|has|had|will|can|and|said|says|lives?|lived|called|calls|"
        r"asks|asked|wants|wanted|works|worked|told|moved|paid|writes|wrote|spent|shouted|reports|reported|needs|"
        r"needed|came|went|gave)\b)"
        r"|^[^\p{Ll}]*\p{Lu}{3,}|^\s*\p{Lu}\p{Ll}+\s*$"
    )


def may_hold_name(text: str) -> bool:
    """Whether a capitalised word stands where no sentence begins, or two stand together."""
    return _name_cue().search(text) is not None


# -- long texts ------------------------------------------------------------------------------------------


def chunked(text: str, size: int = CHUNK_CHARACTERS) -> Iterator[tuple[int, str]]:
    """Pieces of at most ``size`` characters with their offsets, cut at a line, a sentence or a space.

    The pieces joined are the text: nothing is cut off, nothing is read twice.
    """
    start = 0
    while len(text) - start > size:
        end = _cut(text, start, start + size)
        yield start, text[start:end]
        start = end
    if start < len(text):
        yield start, text[start:]


def _cut(text: str, start: int, limit: int) -> int:
    lowest = start + (limit - start) // 2
    for mark in ("\n", ". ", " "):
        position = text.rfind(mark, lowest, limit)
        if position >= 0:
            return position + len(mark)
    return limit


# -- overlaps --------------------------------------------------------------------------------------------

# Where two finds overlap the one of the earlier type stands, whatever the scores; types that are not here
# stand behind these, by score.
_PRECEDENCE = {
    kind: rank
    for rank, kind in enumerate(
        (
            "SECRET",
            "PASSWORD",
            "EMAIL_ADDRESS",
            "URL",
            "IBAN_CODE",
            "MAC_ADDRESS",
            "GEO_COORDINATE",
            "IP_ADDRESS",
            "STREET_ADDRESS",
        )
    )
}
_MORE_NUMBERS = re.compile(r"\.\d")
_VERSION_BEFORE = re.compile(
    r"(?:\d\.|\bv|version|ver\.?|release|build|firmware|rev\.?)[ :.]{0,2}$", re.IGNORECASE
)


def resolve(text: str, matches: Sequence[Match]) -> list[Match]:
    """One match for each stretch of text, by position: the better kind, else score, else the longer."""
    ranked = sorted(matches, key=_rank)
    kept: list[Match] = []
    for match in ranked:
        if match.score < MINIMUM_SCORE or _is_version(text, match):
            continue
        if all(match.end <= other.start or match.start >= other.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda match: match.start)


def _rank(match: Match) -> tuple[int, float, int, str, str]:
    precedence = _PRECEDENCE.get(match.entity_type, len(_PRECEDENCE)) if match.score >= MINIMUM_SCORE else 99
    return precedence, -match.score, match.start - match.end, match.entity_type, match.recognizer


def _is_version(text: str, match: Match) -> bool:
    """Four numbers after the word "version", or within more numbers and dots, are no address."""
    if match.entity_type != "IP_ADDRESS":
        return False
    before = text[max(0, match.start - 12) : match.start]
    return _VERSION_BEFORE.search(before) is not None or bool(_MORE_NUMBERS.match(text, match.end))
