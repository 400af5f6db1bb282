"""Which recognizers must be asked about a text: what is not there need not be looked for through Presidio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from scanner.detect import re2
from scanner.detect.cells import compiled
from scanner.detect.joined import Joined
from scanner.detect.specs import RecognizerSpec


class Filters:
    """Tells for texts which recognizers may find something in them.

    Args:
        recognizer_specs: the recognizers.
    """

    def __init__(self, recognizer_specs: Sequence[RecognizerSpec]) -> None:
        self._gates = [_Gate(spec) for spec in recognizer_specs]
        #: Whether patterns were compiled, so that few texts are worth `passed` too.
        self.used = False

    def by_words(self, text: str, context: str) -> list[str]:
        """The recognizers whose context words, where they need any, are in a text or what stands over it."""
        lowered = f"{context}\n{text}".lower().encode()
        return [gate.name for gate in self._gates if gate.may_be_alone or gate.in_context(lowered)]

    def passed(self, texts: Joined, context: str) -> Iterator[tuple[str, set[int]]]:
        """Each recognizer and the numbers of the texts in which it may find something, in the order of specs.

        Args:
            texts: any.
            context: words known to stand over all of them.
        """
        self.used = True
        over = context.lower().encode()
        for gate in self._gates:
            yield gate.name, gate.passed(texts, over)


class _Gate:
    """What must be in a text before a recognizer is asked: a pattern, and a context word if it needs one."""

    def __init__(self, spec: RecognizerSpec) -> None:
        self.name, self._spec = spec.name, spec
        # What a class finds by itself may score as high as it likes.
        self._beside = spec.needs_context and not (spec.class_name and spec.alone <= 1.0)
        # A check that proves a match gives it the best of scores.
        best = [1.0 if spec.check else pattern.score for pattern in spec.patterns]
        self._enough = [score >= spec.alone for score in best]
        self.may_be_alone = not self._beside or any(self._enough)

    def passed(self, texts: Joined, over: bytes) -> set[int]:
        """The numbers of the texts that pass; ``over`` is what stands over them, in lower case."""
        if self.in_context(over):
            return self._matching(texts)
        # Few texts have the words, and nearly all have what a weak pattern looks for.
        found = texts.confirmed(texts.holding(self._words, self._digits), self._patterns)
        return found.union(*(texts.holding(kernel, self._digits) for kernel in self._alone))

    def _matching(self, texts: Joined) -> set[int]:
        found = texts.rare(self._spec.re2_filter, self._digits)
        if found is not None:
            return found
        if not (self._spec.filter and self._spec.kernels):
            return texts.holding(self._spec.re2_filter, self._digits)
        found = set().union(*map(texts.holding, self._patterns, self._needed))
        return texts.confirmed(found, (self._spec.re2_filter,))

    def in_context(self, lowered: bytes) -> bool:
        """Whether a context word is there, or none is needed."""
        return not self._beside or compiled(self._words).search(lowered) is not None

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        """RE2 patterns, one of which finds something wherever the recognizer does."""
        spec = self._spec
        # A filter is there because the patterns as one would outgrow RE2's cache.
        return spec.kernels if spec.filter and spec.kernels else (spec.re2_filter,)

    @cached_property
    def _needed(self) -> tuple[int, ...]:
        """The digits that each of the recognizer's own patterns needs."""
        return tuple(re2.digits_needed(pattern.regex) for pattern in self._spec.patterns)

    @cached_property
    def _digits(self) -> int:
        """So many are in every text in which the recognizer finds something."""
        filtered = re2.digits_needed(self._spec.filter) if self._spec.filter else 0
        return max(filtered, min(self._needed, default=0))

    @cached_property
    def _words(self) -> str:
        import regex

        words = "|".join(regex.escape(word, literal_spaces=True) for word in self._spec.context)
        return f"(?i)(?:{words})"

    @cached_property
    def _alone(self) -> tuple[str, ...]:
        """RE2 patterns, one of which finds something wherever a match needs no context."""
        kernels = zip(self._spec.kernels, self._enough, strict=True)
        return tuple(kernel for kernel, enough in kernels if enough)
