"""What a column may be, as a value, and the probabilities from which it counts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scanner.model import Form

#: Below it a type is not even reported.
REPORTED = 0.3
#: From here on a column's meaning is firm enough to speak for its table.
FIRM = 0.7
#: Below it a meaning is dropped, and none of its cells are counted.
KEPT = REPORTED / 3
#: No heading and no sample of values makes it surer.
SUREST = 0.995


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column may be.

    Attributes:
        entity_type: Presidio's name.
        concept: the type, or a part of it (``PERSON.first``), which has a category of its own.
        form: how the values appear.
        confidence: probability in [0, 1].
        plausible: RE2 pattern of the cells to count.
        signals: what counted.
        logit: the same before it was made a probability, for what neighbours add.
        stray: the type is not the column's meaning, but some of its cells hold it.
        longest: bytes of the longest cell to count.
        weighed_as: the type whose weights count, where that is another one; empty where it is the same.
    """

    entity_type: str
    concept: str
    form: Form
    confidence: float
    plausible: str
    signals: tuple[str, ...]
    logit: float
    stray: bool = False
    longest: int = 1000
    weighed_as: str = ""


def probability(logit: float) -> float:
    """The logistic function, short of certainty."""
    return min(SUREST, 1 / (1 + math.exp(-max(-60.0, min(60.0, logit)))))


def settled(found: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Meanings worth keeping, likeliest first."""
    ordered = sorted(found, key=lambda meaning: (meaning.stray, -meaning.confidence, meaning.entity_type))
    return tuple(meaning for meaning in ordered if meaning.confidence >= KEPT)
