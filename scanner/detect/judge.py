"""The verdict on a column: heading, values and neighbours weighed into one probability for each type.

The weights are data (``rules/columns.yaml``). Values are weighed over *distinct* values, so that one stray
match in a million rows labels nothing, and a constant proves nothing twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from scanner import resources
from scanner.config import Settings
from scanner.detect import forms, shapes
from scanner.detect.headers import HeaderHint, HeaderVocabulary, shipped
from scanner.model import Form

#: Below it a type is not even reported.
REPORTED = 0.3
#: From here on a column's meaning is firm enough to speak for its table.
FIRM = 0.7
_PLAUSIBLE_SHARE = 0.5
_NEIGHBOUR_BONUS = 0.8
_STRAY_SHARE = 0.01
_SURE_HEADING = 0.9
_NEXT_TO_NOTHING = 0.03
_HANDFUL = 8
_FEW_DISTINCT = 2.5
_OTHER_MEANING = 0.6

# Tests that cost some microseconds a value, and those that no heading asks for, see fewer of the (random)
# sample.
_COSTLY = frozenset({"street", "phone", "recognizer"})
_FEW = 160

#: Identifiers of people that a heading calls by a general name.
GENERAL_IDS = frozenset({"NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE", "TAX_ID", "HEALTH_INSURANCE"})
#: Types that say that a table is about people, whatever its other columns.
PERSONAL = GENERAL_IDS | frozenset({"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "DATE_OF_BIRTH", "USERNAME"})
_HELPED = frozenset(
    {"PERSON", "POSTAL_CODE", "DATE_OF_BIRTH", "PHONE_NUMBER", "CITY", "REGION", "COUNTRY", "STREET_ADDRESS"}
)


@dataclass(frozen=True, slots=True)
class TypeRule:
    """A line of ``rules/columns.yaml``."""

    entity_type: str
    test: str
    bias: float
    header: float
    values: float
    against: float
    alone: float
    plausible: str
    longest: int = 1000
    nothing: float = 0.0
    alone_test: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column may be.

    Attributes:
        entity_type: Presidio's name.
        concept: the type, or a part of it (``PERSON.first``), which has a category of its own.
        form: how the values appear.
        confidence: probability in [0, 1].
        plausible: RE2 pattern of the cells to count.
        longest: bytes of the longest cell to count.
        signals: what counted.
        logit: the same before it was made a probability, for what neighbours add.
        stray: the type is not the column's meaning, but some of its cells hold it.
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


@dataclass(frozen=True, slots=True)
class Weights:
    """``rules/columns.yaml``, read."""

    types: dict[str, TypeRule]
    national: TypeRule
    single: dict[str, float]
    chance: dict[str, float]
    prose: frozenset[str]


@cache
def weights() -> Weights:
    """The shipped weights."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: dict[str, Any] = yaml.load(resources.path("rules", "columns.yaml").read_text("utf-8"), loader)  # noqa: S506 # a safe loader
    return Weights(
        {name: TypeRule(name, **rule) for name, rule in data["types"].items()},
        TypeRule("", **data["national"]),
        data["single"],
        data["chance"],
        frozenset(data["prose"]),
    )


@cache
def vocabulary() -> HeaderVocabulary:
    """The shipped header vocabulary."""
    return shipped()


def judge(name: str, table: str, values: Sequence[str], settings: Settings) -> tuple[Meaning, ...]:
    """What a column may be, likeliest first; empty where nothing speaks for anything.

    Args:
        name: its heading, empty for none.
        table: its table's name.
        values: a sample of its distinct values, not blank.
        settings: phone regions and the like.
    """
    hints = vocabulary().hints(name, table) if name else ()
    form = vocabulary().form_hint(name) if name else None
    seen = forms.form_of(values)
    if seen is not Form.CLEAR:
        return _disguised(hints, values, seen)
    found = [
        meaning
        for entity_type in _candidates(hints, values)
        if (meaning := _weigh(entity_type, hints, values, settings)) is not None
    ]
    if form is Form.TRUNCATED:
        found = [replace(meaning, form=form) for meaning in found]
    return settled(found)


def with_neighbours(meanings: Sequence[tuple[Meaning, ...]]) -> list[tuple[Meaning, ...]]:
    """The meanings of a table's columns, each weighed again beside the others.

    A column that may be a name, a postal code or a date of birth is likelier one beside a column that is
    about people for sure; a bare key is somebody's only there.
    """
    firm = [
        bool(each) and each[0].confidence >= FIRM and _is_personal(each[0].entity_type) for each in meanings
    ]
    out = []
    for index, each in enumerate(meanings):
        others = any(flag for position, flag in enumerate(firm) if position != index)
        out.append(tuple(kept for meaning in each if (kept := _beside(meaning, others)) is not None))
    return out


def is_prose(name: str, values: Sequence[str]) -> bool:
    """Whether cells are running text: sentences, or shorter texts under a heading of prose."""
    if not values:
        return False
    words = [len(value.split()) for value in values]
    mean = sum(words) / len(words)
    long = sum(count >= 4 for count in words) / len(words)
    tokens = set(re.findall(r"[a-zà-ÿ]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    if tokens & weights().prose:
        return mean >= 2
    return (mean >= 6 and long >= 0.5) or sum(count >= 15 for count in words) >= 0.1 * len(words)


def _is_personal(entity_type: str) -> bool:
    return entity_type in PERSONAL or entity_type not in weights().types


def _beside(meaning: Meaning, others: bool) -> Meaning | None:
    if meaning.entity_type == "IDENTIFIER" and not others:
        return None
    if others and meaning.entity_type in _HELPED and not meaning.stray:
        logit = meaning.logit + _NEIGHBOUR_BONUS
        return replace(
            meaning,
            logit=logit,
            confidence=_probability(logit),
            signals=(*meaning.signals, "neighbours:person"),
        )
    return meaning


def _candidates(hints: Sequence[HeaderHint], values: Sequence[str]) -> list[str]:
    """The types to weigh: those that the heading names, and those that the values may be without one."""
    named = [hint.entity_type for hint in hints if hint.entity_type != "NONE"]
    if not values:
        return list(dict.fromkeys(named))
    look = shapes.Look.of(values)
    alone = [
        rule.entity_type for rule in weights().types.values() if rule.alone <= 1 and look.admits(rule.test)
    ]
    return list(dict.fromkeys([*named, *alone]))


def _rule(entity_type: str) -> TypeRule:
    return weights().types.get(entity_type) or replace(weights().national, entity_type=entity_type)


def _plausible_share(rule: TypeRule, values: Sequence[str]) -> float:
    import pyarrow as pa
    import pyarrow.compute as pc

    fitting = pa.array([value for value in values if len(value) <= rule.longest], pa.large_string())
    matched: int = pc.sum(pc.match_substring_regex(fitting, rule.plausible)).as_py() or 0
    return matched / len(values)


def _hint_for(entity_type: str, hints: Sequence[HeaderHint]) -> HeaderHint | None:
    return max(
        (hint for hint in hints if hint.entity_type == entity_type),
        key=lambda hint: hint.strength,
        default=None,
    )


def _weigh(
    entity_type: str, hints: Sequence[HeaderHint], values: Sequence[str], settings: Settings
) -> Meaning | None:
    rule, hint = _rule(entity_type), _hint_for(entity_type, hints)
    strength = hint.strength if hint else 0.0
    concept = hint.concept if hint else entity_type
    if not values:
        return _of_heading_alone(rule, hint, concept) if hint else None
    if hint and rule.alone > 1 and _plausible_share(rule, values) < _PLAUSIBLE_SHARE:
        return None
    if entity_type == "PHONE_NUMBER" and strength < 0.5 and _mostly_bare(values):
        return None
    known = _known(entity_type, rule, values, settings, alone=hint is None)
    if not hint and known < rule.alone:
        strays = entity_type == "PHONE_NUMBER" and known >= _STRAY_SHARE
        return _stray(rule, known, len(values)) if strays else None
    against = _against(entity_type, hints) if strength < _SURE_HEADING else 0.0
    logit = rule.bias + rule.header * strength + rule.values * known - rule.against * against
    logit -= rule.nothing * (known < _NEXT_TO_NOTHING)
    # Without a heading a handful of distinct values proves little: they may be words that happen to be names.
    logit -= _FEW_DISTINCT * (hint is None and len(values) < _HANDFUL)
    signals = (
        ([f"header:{hint.phrase}"] if hint else [])
        + ([f"values:{known:.0%}"] if known else [])
        + (["header:against"] if against else [])
    )

    return Meaning(
        entity_type,
        concept,
        Form.CLEAR,
        _probability(logit),
        rule.plausible,
        tuple(signals),
        logit,
        longest=rule.longest,
    )


def _against(entity_type: str, hints: Sequence[HeaderHint]) -> float:
    """How surely the heading says that the column is something else."""
    return max(
        (
            hint.strength * (1.0 if hint.entity_type == "NONE" else _OTHER_MEANING)
            for hint in hints
            if hint.entity_type != entity_type
        ),
        default=0.0,
    )


def _of_heading_alone(rule: TypeRule, hint: HeaderHint, concept: str) -> Meaning:
    """An empty column: its heading is a weak hint, kept under what is reported as evidence."""
    logit = rule.bias + rule.header * hint.strength / 2
    return Meaning(
        rule.entity_type,
        concept,
        Form.CLEAR,
        min(_probability(logit), REPORTED),
        rule.plausible,
        (f"header:{hint.phrase}",),
        logit,
    )


def _known(
    entity_type: str, rule: TypeRule, values: Sequence[str], settings: Settings, *, alone: bool
) -> float:
    few = values[:_FEW] if alone or rule.test in _COSTLY else values
    test = rule.alone_test if alone and rule.alone_test else rule.test
    verdicts = shapes.test_of(test, entity_type)(few, settings)
    share = sum(verdicts) / len(few)
    chance = weights().chance.get(entity_type, 0.0)
    return max(0.0, (share - chance) / (1 - chance))


def _mostly_bare(values: Sequence[str]) -> bool:
    return sum(map(shapes.is_bare_number, values)) > len(values) / 2


def _stray(rule: TypeRule, known: float, count: int) -> Meaning:
    found = max(1, round(known * count))
    confidence = 1 - (1 - weights().single["PHONE_NUMBER"]) ** min(found, 4)
    pattern = r"(?:^|[^\p{L}0-9])(?:\+[0-9]|\(?0[0-9]|\([0-9]|[0-9]{3}[ .-])[0-9 ().\-/]{5,16}[0-9]"
    return Meaning(
        rule.entity_type,
        rule.entity_type,
        Form.CLEAR,
        confidence * 0.9,
        pattern,
        ("pattern:Phone",),
        0.0,
        stray=True,
    )


def settled(found: Iterable[Meaning]) -> tuple[Meaning, ...]:
    """Meanings worth keeping, likeliest first."""
    ordered = sorted(found, key=lambda meaning: (meaning.stray, -meaning.confidence, meaning.entity_type))
    return tuple(meaning for meaning in ordered if meaning.confidence >= REPORTED / 3)


def _disguised(hints: Sequence[HeaderHint], values: Sequence[str], form: Form) -> tuple[Meaning, ...]:
    """Values that are not clear say nothing themselves, but that an @ under a mask is an address of mail."""
    named = [hint for hint in hints if hint.entity_type not in {"NONE", "IDENTIFIER", "URL"}]
    signals = (f"form:{form}",)
    if form is Form.MASKED and sum("@" in value for value in values) * 2 > len(values):
        return (Meaning("EMAIL_ADDRESS", "EMAIL_ADDRESS", form, 0.9, forms.PATTERNS[form], signals, 2.2),)
    if not named:
        return ()
    best = max(named, key=lambda hint: hint.strength)
    logit = -2.5 + 5.0 * best.strength
    return (
        Meaning(
            best.entity_type,
            best.concept,
            form,
            _probability(logit),
            forms.PATTERNS[form],
            (f"header:{best.phrase}", *signals),
            logit,
        ),
    )


def _probability(logit: float) -> float:
    return min(0.995, 1 / (1 + math.exp(-logit)))
