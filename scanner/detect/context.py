"""Context words in running text: what stands near a find makes it likelier, or makes it count at all.

Presidio's own enhancer compares lemmas, for which it needs a whole language pipeline, and takes "lic"
for a word inside "public". This one compares whole words of any language in a window of characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer

from scanner.detect.specs import RecognizerSpec

_BEFORE, _AFTER = 64, 24  # characters; a label before counts from further away than one behind
# A pattern that says nearly nothing (four digits) needs its label right beside it, on the same line.
_WEAK, _BESIDE = 0.2, 24
_BOOST = 0.35  # as in Presidio
_LEAST = 0.6  # what context makes of the weakest pattern


class WindowContextEnhancer(ContextAwareEnhancer):  # type: ignore[misc] # Presidio is not followed
    """Raises scores beside context words; drops finds that count only beside one."""

    def __init__(self, recognizer_specs: Sequence[RecognizerSpec]) -> None:
        super().__init__(
            context_similarity_factor=_BOOST,
            min_score_with_context_similarity=_LEAST,
            context_prefix_count=0,
            context_suffix_count=0,
        )
        self._specs = {spec.name: spec for spec in recognizer_specs}

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[Any],
        nlp_artifacts: Any,
        recognizers: list[Any],
        context: list[str] | None = None,
    ) -> list[Any]:
        """Presidio's signature. ``context`` are words known from elsewhere, such as a column's heading."""
        lowered = text.lower() if raw_results else ""
        if len(lowered) != len(text):
            lowered = text  # a letter that grows when lowered would shift every position
        outside = " ".join(context or ()).lower()
        return [result for result in raw_results if self._keep(lowered, outside, result)]

    def _keep(self, text: str, outside: str, result: Any) -> bool:
        name = result.recognition_metadata[result.RECOGNIZER_NAME_KEY]
        spec = self._specs.get(name)
        if spec is None:
            return True
        words = _word_pattern(spec.context) if spec.context else None
        if words is not None and (self._near(words, text, result) or (outside and words.search(outside))):
            result.score = min(1.0, max(result.score + _BOOST, _LEAST))
            return True
        return not spec.needs_context or result.score >= spec.alone

    @staticmethod
    def _near(words: Any, text: str, result: Any) -> bool:
        start = max(0, result.start - (_BESIDE if result.score < _WEAK else _BEFORE))
        if result.score < _WEAK:
            start = max(start, text.rfind("\n", 0, result.start))
        if words.search(text, start, result.start):
            return True
        end = result.end + _AFTER
        return result.score >= _WEAK and words.search(text, result.end, end) is not None


@cache
def _word_pattern(words: tuple[str, ...]) -> Any:
    """A pattern for any of these words or phrases, as a whole; compiled when first asked for."""
    import regex

    escaped = "|".join(
        regex.escape(word, literal_spaces=True) for word in sorted(words, key=len, reverse=True)
    )
    return regex.compile(rf"(?<![\p{{L}}\p{{N}}])(?:{escaped})(?![\p{{L}}\p{{N}}])")
