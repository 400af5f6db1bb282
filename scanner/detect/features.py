"""What the model of columns looks at: numbers that a person can check against the column.

A `Profile` tells what a column's values look like, whatever they are. `of_candidate` adds what heading and
value tests say of one entity type. Every number is about 0 to 1, so that weights can be compared.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.detect import shapes
from scanner.detect.headers import HeaderHint

#: Values looked at; more say no more.
FEW = 160
#: A handful of distinct values may well be words that happen to be names.
HANDFUL = 8
_SAMPLE = 512
_KNOWN_TO_NONE = 0.03
_SURE = 0.7
_WORDS = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*", re.UNICODE)
_BARE = re.compile(r"\s*\d+(?:\.0)?\s*")
_DECIMAL = re.compile(r"\s*[-+]?\d*[.,]\d+(?:[eE][-+]?\d+)?\s*")
_CODE = re.compile(r"\s*(?=\S*\d)(?=\S*[^\W\d_])[\w./-]+\s*")
_NUMBERED = r"\d{1,4}(?: ?[A-Za-z])?(?: ?[/-] ?\d{1,4}[A-Za-z]?)?"
_HOUSE = re.compile(
    rf"[^\W\d_][^\d,;:@]{{2,40}}[ .,]{{1,2}}{_NUMBERED}|\d{{1,5}}(?: ?[A-Za-z])?,? [^\W\d_][^\d;:@]{{3,40}}"
)
_GENERIC = re.compile(
    r"(?i)\s*(?:unnamed.*|_?(?:col(?:umn|onne|una|onna)?|field|feld|campo|champ|spalte|var|attr(?:ibute)?|f|c|v|x)"
    r"[ _.:-]*\d+)\s*"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a column's values look, for all types alike.

    Attributes:
        count: distinct values in the sample.
        shares: named numbers between 0 and 1.
    """

    count: int
    shares: dict[str, float]


def profile(values: Sequence[str], filled: int | None = None) -> Profile:
    """The profile of a sample of distinct values.

    Args:
        values: the sample, not empty.
        filled: rows that the sample is of, None where they were not counted.
    """
    few = values[:FEW]
    count = len(few)
    words = [len(_WORDS.findall(value)) for value in few]
    lengths = [len(value.strip()) for value in few]
    bare = [value for value in few if _BARE.fullmatch(value)]
    shares = {
        "constant": float(len(values) == 1),
        "few values": float(len(values) < HANDFUL),
        "many values": min(1.0, math.log(len(values)) / math.log(_SAMPLE)),
        "bare numbers": len(bare) / count,
        "decimal numbers": sum(_DECIMAL.fullmatch(value) is not None for value in few) / count,
        "codes": sum(_CODE.fullmatch(value) is not None for value in few) / count,
        "digits": sum(sum(map(str.isdigit, value)) for value in few) / max(1, sum(lengths)),
        "one word": sum(number == 1 for number in words) / count,
        "many words": sum(number >= 5 for number in words) / count,
        "length": min(1.0, math.log2(1 + sum(lengths) / count) / 8),
        "one length": max(Counter(lengths).values()) / count,
        "one or two characters": sum(length <= 2 for length in lengths) / count,
        "lower case": sum(value.islower() for value in few) / count,
        "commas": sum("," in value for value in few) / count,
        "leading zeros": sum(value.strip().startswith("0") for value in bare) / count,
        "house numbers": house_numbers(few),
        "repetition": _repetition(len(values), filled),
    }
    looks = {name.replace("_", " "): value for name, value in shapes.features(few).items()}
    return Profile(len(values), looks | shares)


def house_numbers(values: Sequence[str]) -> float:
    """Share of values that are some words with a short number before or behind, as houses are numbered."""
    return sum(_HOUSE.fullmatch(value.strip()) is not None for value in values) / len(values)


def _repetition(distinct: int, filled: int | None) -> float:
    """1 less distinct values per row; 0 where the sample does not hold them all."""
    if not filled or distinct >= _SAMPLE:
        return 0.0
    return 1 - min(1.0, distinct / filled)


def is_generic(name: str) -> bool:
    """Whether a heading says nothing: none, or ``column 3``."""
    return not name.strip() or _GENERIC.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Heading:
    """What the heading of a column and the name of its table say.

    Attributes:
        name: as read.
        hints: of the vocabulary, strongest first.
        subject: whom the table's name is about.
    """

    name: str
    hints: tuple[HeaderHint, ...]
    subject: str | None

    def hint(self, entity_type: str) -> HeaderHint | None:
        """The strongest hint at a type."""
        return next((hint for hint in self.hints if hint.entity_type == entity_type), None)

    def strongest(self, *, nothing: bool, but: str) -> float:
        """Strength of the strongest hint at nothing, or at any type ``but`` one."""
        return max(
            (
                hint.strength
                for hint in self.hints
                if (hint.entity_type == "NONE") == nothing and hint.entity_type != but
            ),
            default=0.0,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What tests say of the values, for one type.

    Attributes:
        share: of distinct values that the type's test knows, corrected for chance.
        strict: the same of its stricter test; ``share`` where it has none.
        plausible: share of the values that may be of the type.
    """

    share: float
    strict: float
    plausible: float


def of_candidate(entity_type: str, heading: Heading, look: Profile, known: Known) -> dict[str, float]:
    """The features of one type for one column; those that are 0 may be left out."""
    hint = heading.hint(entity_type)
    strength = hint.strength if hint else 0.0
    found = {
        "heading": strength,
        "sure heading": max(0.0, strength - _SURE) / (1 - _SURE),
        "values": known.share,
        "most values": max(0.0, known.share - 0.8) / 0.2,
        "no value": float(known.share < _KNOWN_TO_NONE),
        "strict values": known.strict,
        "heading and values": strength * known.share,
        "heading and strict values": strength * known.strict,
        "heading without values": strength * (known.share < _KNOWN_TO_NONE),
        "implausible values": 1 - known.plausible,
        **_of_heading(heading, hint, entity_type),
        **look.shares,
    }
    if hint is None:
        found |= {
            "no heading": float(is_generic(heading.name)),
            "unknown heading": float(not is_generic(heading.name) and not heading.hints),
            "values alone": known.share,
            "strict values alone": known.strict,
            "few values alone": float(look.count < HANDFUL),
            "numbers alone": look.shares["bare numbers"],
        }
    return {name: value for name, value in found.items() if value}


def _of_heading(heading: Heading, hint: HeaderHint | None, entity_type: str) -> dict[str, float]:
    strength = hint.strength if hint else 0.0
    against = heading.strongest(nothing=True, but=entity_type)
    other = heading.strongest(nothing=False, but=entity_type)
    found = {
        "heading against": max(0.0, against - strength),
        "other heading": max(0.0, other - strength),
        "tied heading": float(hint is not None and other >= strength),
    }
    if heading.subject is not None:
        found[f"table of {heading.subject}"] = 1.0
    if hint is not None:
        found["plural heading"] = float(_is_plural(heading.name, hint.phrase))
        found["long heading"] = _extra_words(heading.name, hint.phrase)
        part = hint.concept.partition(".")[2]
        if part:
            found[f"part {part}"] = 1.0
    return found


def _is_plural(name: str, phrase: str) -> bool:
    """``Zip Codes`` head a set of areas, a ``zip code`` is somebody's."""
    return name.strip().lower().endswith("s") and not phrase.removesuffix("s").endswith("s") and len(name) > 4


def _extra_words(name: str, phrase: str) -> float:
    """How much more the heading says than the phrase that was found in it, by words."""
    own = len(re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-zß-ÿ])(?=[A-ZÀ-Þ])", " ", name)))
    return min(1.0, max(0, own - len(phrase.split())) / 4)


def of_disguised(entity_type: str, heading: Heading, mails: float) -> dict[str, float]:
    """The features of one type for a column whose values are hashed, masked, tokenized or encrypted.

    Such values say nothing themselves, but that there is an ``@`` under a mask (``mails``: the share).
    """
    hint = heading.hint(entity_type)
    strength = hint.strength if hint else 0.0
    found = {
        "disguised": 1.0,
        "disguised heading": strength,
        "disguised mail": mails,
        "disguised other heading": max(0.0, heading.strongest(nothing=False, but=entity_type) - strength),
        "disguised heading against": max(0.0, heading.strongest(nothing=True, but=entity_type) - strength),
    }
    return {name: value for name, value in found.items() if value}
