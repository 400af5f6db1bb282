"""Running text without what must not be in it: Presidio's anonymizer over the spans that detection finds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from scanner.config import Settings

#: Texts whose redacted form is remembered, and characters from which on a text is not.
_REMEMBERED, _LONGEST_REMEMBERED = 1 << 13, 4_000
#: What is left may look like something new, once what stood beside it is gone.
_ROUNDS = 3


class Redactor:
    """Takes entities out of texts, each replaced by its type in angle brackets.

    Args:
        settings: model and phone regions, as in the scan.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: OrderedDict[tuple[frozenset[str], str], str] = OrderedDict()
        self._anonymizer: Any = None
        #: Entities taken out so far.
        self.removed = 0

    def cells(self, cells: Sequence[str | None], entity_types: frozenset[str]) -> list[str | None]:
        """Each cell without the entities of these types (of any where empty)."""
        texts = [cell for cell in dict.fromkeys(cells) if cell and cell.strip()]
        redacted = {
            text: self._known[entity_types, text] for text in texts if (entity_types, text) in self._known
        }
        fresh = [text for text in texts if text not in redacted]
        for text, done in zip(fresh, self._redacted(fresh, entity_types), strict=True):
            redacted[text] = done
            self._remember((entity_types, text), done)
        return [None if cell is None else redacted.get(cell, cell) for cell in cells]

    def text(self, text: str, entity_types: frozenset[str]) -> str:
        """One text without the entities of these types."""
        return self._redacted([text], entity_types)[0] if text.strip() else text

    def _remember(self, key: tuple[frozenset[str], str], redacted: str) -> None:
        if len(key[1]) > _LONGEST_REMEMBERED:
            return
        self._known[key] = redacted
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _redacted(self, texts: list[str], entity_types: frozenset[str]) -> list[str]:
        pending = {index: text for index, text in enumerate(texts) if text.strip()}
        done = list(texts)
        for _ in range(_ROUNDS):
            if not pending:
                break
            again = {}
            for index, redacted in zip(
                pending, self._round(list(pending.values()), entity_types), strict=True
            ):
                if redacted != done[index]:
                    done[index] = again[index] = redacted
            pending = again
        return done

    def _round(self, texts: list[str], entity_types: frozenset[str]) -> list[str]:
        from scanner.detect import presidio

        found = presidio.engine(self._settings).analyze(texts)
        return [
            self._anonymized(text, [m for m in matches if not entity_types or m.entity_type in entity_types])
            for text, matches in zip(texts, found, strict=True)
        ]

    def _anonymized(self, text: str, matches: list[Any]) -> str:
        if not matches:
            return text
        from presidio_anonymizer import AnonymizerEngine
        from presidio_anonymizer.entities import RecognizerResult

        if self._anonymizer is None:
            self._anonymizer = AnonymizerEngine()
        self.removed += len(matches)
        results = [RecognizerResult(m.entity_type, m.start, m.end, m.score) for m in matches]
        # Without operators of its own it replaces each entity by its type in angle brackets.
        return str(self._anonymizer.anonymize(text=text, analyzer_results=results).text)
