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
from functools import cache
from typing import Any

from scanner.config import Settings
from scanner.detect import specs
from scanner.detect.language_model import NO_MODEL, ModelError, verify_model
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
    """

    def __init__(self, settings: Settings, recognizer_specs: Sequence[RecognizerSpec] | None = None) -> None:
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import NoOpNlpEngine

        from scanner.detect.context import WindowContextEnhancer
        from scanner.detect.recognizers import NamedEntityRecognizer, NameRecognizer

        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        self._settings = settings
        self._specs = tuple(specs.specs() if recognizer_specs is None else recognizer_specs)
        self.failures: Counter[tuple[str, Reason]] = Counter()
        recognizers = build_recognizers(self._specs, settings)
        self._gates = _gates(self._specs)
        self._named = NamedEntityRecognizer(supported_language=LANGUAGE)
        self._by_name = dict(zip((spec.name for spec in self._specs), recognizers, strict=True))
        everything = [*recognizers, NameRecognizer(supported_language=LANGUAGE), self._named]
        for recognizer in everything:
            _guard(recognizer, self.failures)
        nlp_engine = NoOpNlpEngine(models=[{"lang_code": LANGUAGE, "model_name": "no_op"}])
        nlp_engine.load()
        self._analyzer = AnalyzerEngine(
            registry=RecognizerRegistry(everything, supported_languages=[LANGUAGE]),
            nlp_engine=nlp_engine,
            supported_languages=[LANGUAGE],
            context_aware_enhancer=WindowContextEnhancer(self._specs),
            default_score_threshold=0.0,
        )
        self._nlp: Any = None

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
        wanted = self._wanted(pieces, " ".join(context))
        artifacts = self._artifacts(pieces)
        for piece, entities, artifact in zip(pieces, wanted, artifacts, strict=True):
            types = sorted(entities if piece.islower() else entities | _NAMED)
            if not types:
                yield []
                continue
            results = self._analyzer.analyze(
                piece, LANGUAGE, entities=types, nlp_artifacts=artifact or _no_artifacts(), context=context
            )
            yield resolve(piece, [_match(result) for result in results])

    def _wanted(self, pieces: list[str], context: str) -> list[set[str]]:
        """For each text the entity types that may be in it: one vector kernel for each recognizer."""
        if len(pieces) < _FILTER_FROM_TEXTS and sum(map(len, pieces)) < _FILTER_FROM_CHARACTERS:
            return [self._wanted_here(f"{context}\n{piece}".lower()) for piece in pieces]
        import pyarrow as pa
        import pyarrow.compute as pc

        column = pa.array(pieces, pa.large_string())
        wanted: list[set[str]] = [set() for _ in pieces]
        for gate in self._gates:
            passed = pc.match_substring_regex(column, gate.pattern)
            if gate.words and not gate.words_in(context.lower()):
                passed = pc.and_(passed, pc.match_substring_regex(column, gate.words))
            for index in pc.indices_nonzero(passed).to_pylist():
                wanted[index].add(gate.entity_type)
        return wanted

    def _wanted_here(self, lowered: str) -> set[str]:
        """The same for one text without compiling filters, which would take longer than asking everybody."""
        return {gate.entity_type for gate in self._gates if not gate.words or gate.words_in(lowered)}

    def _artifacts(self, pieces: list[str]) -> list[Any]:
        """The model's entities for the texts that may hold a name, None for the others."""
        artifacts: list[Any] = [None] * len(pieces)
        if self._settings.model == NO_MODEL:
            return artifacts
        chosen = [index for index, piece in enumerate(pieces) if may_hold_name(piece)]
        if not chosen:
            return artifacts
        if self._nlp is None:
            self._nlp = load_model(self._settings.model)
        distinct = list(dict.fromkeys(pieces[index] for index in chosen))
        entities = {}
        with self._nlp.memory_zone():
            for text, doc in zip(distinct, self._nlp.pipe(distinct, batch_size=64), strict=True):
                entities[text] = _Artifacts([_Span(e.start_char, e.end_char, e.label_) for e in doc.ents])
        for index in chosen:
            artifacts[index] = entities[pieces[index]]
        return artifacts

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
_NAMED = {"PERSON", "LOCATION", "CITY", "REGION", "COUNTRY"}


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


@cache
def _no_artifacts() -> _Artifacts:
    return _Artifacts([])


def _match(result: Any) -> Match:
    name = result.recognition_metadata[result.RECOGNIZER_NAME_KEY]
    return Match(result.entity_type, result.start, result.end, float(result.score), name)


@dataclass(frozen=True, slots=True)
class _Gate:
    """What must be in a text before a recognizer is asked: its filter, and a context word if it needs one."""

    entity_type: str
    pattern: str
    words: str

    def words_in(self, lowered: str) -> bool:
        return _compiled_words(self.words).search(lowered) is not None


@cache
def _compiled_words(pattern: str) -> Any:
    import regex

    return regex.compile(pattern)


def _gates(recognizer_specs: Sequence[RecognizerSpec]) -> list[_Gate]:
    import regex

    gates = []
    for spec in recognizer_specs:
        always = not spec.needs_context or spec.alone <= 1.0
        words = "|".join(regex.escape(word, literal_spaces=True) for word in spec.context)
        gates.append(_Gate(spec.entity_type, spec.re2_filter, "" if always else f"(?i)(?:{words})"))
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
