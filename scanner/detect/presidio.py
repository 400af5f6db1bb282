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

from scanner.config import Settings
from scanner.detect import names, specs
from scanner.detect.filters import Filters
from scanner.detect.joined import Joined
from scanner.detect.language_model import NO_MODEL, ModelError, verify_model
from scanner.detect.passages import passages
from scanner.detect.remembered import Remembered
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


#: Components that only work for others, which listen to them.
_SHARED_LAYERS = frozenset({"tok2vec", "transformer"})


def load_model(name: str) -> Any:
    """The verified spaCy pipeline, with only what named entities need.

    Raises:
        ModelError: it is missing, altered, or finds no entities.
    """
    verify_model(name)
    import spacy
    from thinc.api import use_ops

    unneeded = ["tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
    # By default it multiplies with BLIS, whose wheels have no kernels for most processors; numpy has.
    with use_ops("numpy", use_blis=False):
        nlp = spacy.load(name, exclude=unneeded)
    if "ner" not in nlp.pipe_names and "entity_ruler" not in nlp.pipe_names:
        raise ModelError(
            f"the spaCy model {name} finds no named entities; name another one in the setting 'model'"
        )
    for shared in _SHARED_LAYERS.intersection(nlp.pipe_names):
        if not getattr(nlp.get_pipe(shared), "listening_components", True):
            nlp.remove_pipe(shared)  # only what is left out above listened to it
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
    """A pattern that ends after `PATTERN_SECONDS` and says so; what it found until then counts.

    It is compiled when first asked: most texts need few of all patterns.
    """

    def __init__(self, pattern: str, flags: int, ran_out: Callable[[], None]) -> None:
        self._pattern, self._flags, self._ran_out = pattern, flags, ran_out

    @cached_property
    def _compiled(self) -> Any:
        import regex

        return regex.compile(self._pattern, flags=self._flags)

    def finditer(self, text: str, **_: Any) -> Iterator[Any]:
        try:
            yield from self._compiled.finditer(text, timeout=PATTERN_SECONDS)
        except TimeoutError:
            self._ran_out()


def _guard(recognizer: Any, failures: Counter[tuple[str, Reason]]) -> None:
    """Keep a recognizer's failure to itself, and count it."""
    original, name = recognizer.analyze, recognizer.name

    def ran_out() -> None:
        failures[name, Reason.TIMEOUT] += 1

    def analyze(text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
        try:
            return list(original(text=text, entities=entities, nlp_artifacts=nlp_artifacts))
        except Exception:  # noqa: BLE001 # any recognizer may fail; the text goes on and the gap is reported
            failures[name, Reason.INTERNAL] += 1
            return []

    flags = getattr(recognizer, "global_regex_flags", 0)
    for pattern in getattr(recognizer, "patterns", ()):
        pattern.compiled_regex = _BoundedPattern(pattern.regex, flags, ran_out)
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
        self._filters = Filters(self._specs)
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
        self._matches: Remembered[tuple[Match, ...]] = Remembered(_REMEMBERED_CHARACTERS, _LONGEST_REMEMBERED)
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
        if context or self.read_everything:
            return self._analyze(texts, context)
        known = [self._matches.get(text) for text in texts]
        unread = list(dict.fromkeys(text for text, found in zip(texts, known, strict=True) if found is None))
        failed = self.failures.total()
        read = dict(zip(unread, self._analyze(unread, ()), strict=True))
        if self.failures.total() == failed:  # or else the next item would not be told of the failure
            for text, matches in read.items():
                self._matches.put(text, tuple(matches))
        return [
            read[text] if found is None else list(found) for text, found in zip(texts, known, strict=True)
        ]

    def _analyze(self, texts: Sequence[str], context: Sequence[str]) -> list[list[Match]]:
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
        few = len(pieces) < _FILTER_FROM_TEXTS and sum(map(len, pieces)) < _FILTER_FROM_CHARACTERS
        joined = None if few and not self._filters.used else Joined(pieces)
        asked = self._asked(pieces, joined, " ".join(context))
        named = self._find_names(pieces, joined)
        artifacts = self._artifacts(pieces, named)
        for piece, recognizers, found, artifact in zip(pieces, asked, named, artifacts, strict=True):
            if artifact is not None:
                recognizers.append(self._named)
            yield self._ask(piece, recognizers, found, artifact or _no_artifacts(), context)

    def _find_names(self, pieces: list[str], joined: Joined | None = None) -> list[list[Any]]:
        """What is found of names without the model, in each text."""
        kinds = self._names.supported_entities
        cued = [[joined is None] * len(names.cues()) for _ in pieces]
        for position, cue in enumerate(names.cues() if joined else ()):
            for number in joined.holding(cue) if joined else ():
                cued[number][position] = True
        return [
            self._names.analyze(piece, kinds, _Cued([], tuple(cues)))
            if any(cues) and not piece.islower()
            else []
            for piece, cues in zip(pieces, cued, strict=True)
        ]

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

    def _asked(self, pieces: list[str], joined: Joined | None, context: str) -> list[list[Any]]:
        """For each text the recognizers that may find something in it."""
        if joined is None:
            return [
                [self._by_name[name] for name in self._filters.by_words(piece, context)] for piece in pieces
            ]
        asked: list[list[Any]] = [[] for _ in pieces]
        for name, numbers in self._filters.passed(joined, context):
            for number in numbers:
                asked[number].append(self._by_name[name])
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
#: Passages whose entities are kept, so that one that comes again is not read again.
_REMEMBERED = 50_000
_BATCH = 256
#: Texts whose matches are kept, since notes repeat from chunk to chunk: characters of all, and of one.
_REMEMBERED_CHARACTERS, _LONGEST_REMEMBERED = 16_000_000, 2_000
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
