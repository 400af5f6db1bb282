"""What a column looks like whatever it means: shares that speak for keys, codes, amounts, dates, digests.

Each feature is a number in [0, 1] of a whole sample. None of them names a type; a column that is counted up,
has one shape, few values or units is mostly nobody's datum, and the verdict weighs that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date

import numpy as np

from scanner.detect import people, places
from scanner.detect.forms import DIGEST, IDENTIFIER_LIKE
from scanner.detect.sample import Flags, Sample, word_set

Feature = Callable[[Sample], float]

_LEAST = 5
_SHAPE = str.maketrans(
    dict.fromkeys("0123456789", "9")
    | dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "A")
    | dict.fromkeys("abcdefghijklmnopqrstuvwxyz", "a")
)
_BOOLEANS = word_set(
    """true false t f yes no y n 0 1 on off ja nein j oui non o si sí sim não nao s tak nie ano ne igen nem
    da nu kyllä ei evet hayır vero falso vrai faux wahr falsch verdadero verdadeiro -1"""
)
_LEVELS = word_set(
    """trace debug info information notice warn warning error err fatal critical crit severe verbose alert
    emergency emerg panic fine finer finest"""
)
_UNIT = re.compile(
    r"(?i)(?:[$€£¥₹]|(?:usd|eur|gbp|inr|brl|chf|r\$|rs\.?) ?)?[+-]?\d[\d., ]* ?"
    r"(?:%|‰|°[cf]?|[$€£¥₹]|usd|eur|gbp|inr|brl|chf|kr|zł|[mkcdµ]?m[²³23]?|km/?h?|mph|mi|ft|in|yd|[mkµ]?g|lbs?|oz|t"
    r"|[mcd]?l|gal|[kmgt]i?b(?:ps|/s)?|[kmgt]?hz|[mkg]?w|[kmg]?wh|[mk]?v|m?a|m?ah|px|pt|dpi|kcal|cal|kj|bar|psi|rpm"
    r"|ms|s|sec|min|mins|h|hrs?|hours?|days?|weeks?|months?|years?|stk|pcs?|x \d+)?"
)
_LONGEST_UNIT = 24
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:[.,' ]\d{3})+|\d+)(?:[.,]\d{1,2})|[$€£¥₹] ?\d[\d.,]*")
_DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/. ](?:\d{1,2}|[^\W\d_]{3,10})\.?[-/. ,]{1,2}\d{2,4}"
    r"|[^\W\d_]{3,10}\.? \d{1,2},? \d{4})"
)
_CLOCK = (
    r"[T ,]{1,2}\d{1,2}[:.]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
    r"(?: ?Z| ?[+-]\d\d:?\d\d| [A-Z]{3,4})?"
)
_IS_DATE = re.compile(rf"{_DATE}(?:{_CLOCK})?")
_TIMED = re.compile(rf"{_DATE}{_CLOCK}")
_MIDNIGHT = re.compile(r"[T ,]0{1,2}[:.]00(?:[:.]00(?:[.,]0+)?)?|12:00(?::00)? ?[Aa]\.?[Mm]")
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d{2}(?:\.0)?")
_PATH = re.compile(r"(?:[a-z]:)?[\\/]?(?:[\w .-]+[\\/])+[\w .-]*|[\w .-]+\.[a-z][a-z0-9]{1,4}", re.IGNORECASE)
#: Living memory: people who may be alive are at most so old.
OLDEST = 120
# At this many times the distance nothing is left: what is drawn evenly lies at a twentieth, names at a third.
_STRICT = 3.0
_SPREAD = 12.0
_FULL_RANGE = 0.9


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def sequence(sample: Sample) -> float:
    """How densely whole numbers fill the range from the least to the greatest: 1 for keys counted up."""
    numbers = sample.integers
    if len(numbers) < max(_LEAST, _FULL_RANGE * len(sample)):
        return 0.0
    return len(numbers) / (int(numbers[-1]) - int(numbers[0]) + 1)


def constant_step(sample: Sample) -> float:
    """Share of neighbouring whole numbers that lie the commonest distance apart."""
    numbers = sample.integers
    if len(numbers) < max(_LEAST, _FULL_RANGE * len(sample)):
        return 0.0
    steps = np.diff(numbers)
    return float(np.unique(steps, return_counts=True)[1].max() / len(steps))


def uniform(sample: Sample) -> float:
    """How evenly whole numbers spread (Kolmogorov's distance): near 1 for keys and serials."""
    numbers = sample.integers
    if len(numbers) < max(_LEAST, _FULL_RANGE * len(sample)) or numbers[0] == numbers[-1]:
        return 0.0
    position = (numbers - numbers[0]) / float(numbers[-1] - numbers[0])
    distance = np.abs(position - np.linspace(0, 1, len(numbers))).max()
    return float(max(0.0, 1.0 - _STRICT * distance))


def one_shape(sample: Sample) -> float:
    """Share of the commonest shape, digits and letters levelled: 1 for codes and numbers of one format."""
    shapes = Counter(value.translate(_SHAPE) for value in sample.values)
    return shapes.most_common(1)[0][1] / len(sample)


def code(sample: Sample) -> float:
    """Share of single words that mix letters and digits, or are short and of capitals only."""
    words = sample.values
    single = sample.sizes <= 2
    mixed = single & (sample.digits > 0) & (sample.letters > 0) & ~sample.having(" ")
    capital = np.fromiter((len(v) <= 4 and v.isupper() and v.isalpha() for v in words), np.bool_, len(words))
    return _share(mixed | capital)


def few(sample: Sample) -> float:
    """How few distinct values there are: 1 for one, 0.5 for eleven, near 0 for a full sample."""
    return 1.0 / (1.0 + (len(sample) - 1) / 10.0)


def boolean(sample: Sample) -> float:
    """Share of yes and no, in many languages; two values and more than three are no yes and no."""
    return _share(_among(sample, _BOOLEANS)) if len(sample) <= 4 else 0.0


def log_level(sample: Sample) -> float:
    """Share of what logs call their levels."""
    return _share(_among(sample, _LEVELS))


def _among(sample: Sample, words: frozenset[str]) -> Flags:
    return np.fromiter((value in words for value in sample.folded), np.bool_, len(sample))


def number(sample: Sample) -> float:
    """Share of plain numbers."""
    return _share(sample.numeric)


def amount(sample: Sample) -> float:
    """Share of numbers with cents, groups of thousands or a currency."""
    return _share(sample.matching(_AMOUNT, sample.numbered))


def unit(sample: Sample) -> float:
    """Share of numbers with a unit or a currency."""
    possible = (sample.digits > 0) & (sample.lengths <= _LONGEST_UNIT) & ~sample.numeric
    return sum(_UNIT.fullmatch(sample.values[i]) is not None for i in np.flatnonzero(possible)) / len(sample)


def is_date(sample: Sample) -> float:
    """Share of dates, with or without a time of day."""
    return _share(sample.matching(_IS_DATE, sample.numbered))


def timestamp(sample: Sample) -> float:
    """Share of dates with a time of day other than midnight: something happened then; nobody was born."""
    timed = sample.matching(_TIMED, sample.numbered & sample.having_any(":."))
    return _share(timed & ~sample.finding(_MIDNIGHT, timed))


def year(sample: Sample) -> float:
    """Share of bare years."""
    return _share(sample.matching(_YEAR, sample.numbered & (sample.lengths <= 6)))


def digest(sample: Sample) -> float:
    """Share of digests, UUIDs and long runs of hex digits."""
    identifiers = sample.matching(IDENTIFIER_LIKE, sample.numbered & (sample.lengths >= 7))
    return _share(sample.matching(DIGEST, ~identifiers) | identifiers)


def path(sample: Sample) -> float:
    """Share of paths and file names."""
    return _share(
        sample.matching(_PATH, sample.having_any("/\\.") & ~sample.having("@")) & (sample.letters > 0)
    )


def thing(sample: Sample) -> float:
    """Share of values with a word for a thing, a colour or a size and no given name: products."""
    things = sample.count(sample.word_in("thing_words"))
    given = sample.count(sample.word_in("given_names") & ~sample.word_in("thing_words", "common_words"))
    return _share((things > 0) & (given == 0))


def occupation(sample: Sample) -> float:
    """Share of jobs; a Baker or a Kovács is somebody's surname, far more often."""
    return _share(sample.whole_in("occupations") & ~sample.whole_in("family_names"))


def language(sample: Sample) -> float:
    """Share of languages and of words for nationalities."""
    return _share(sample.whole_in("languages", "demonyms"))


def ordinary(sample: Sample) -> float:
    """Share of values that are one ordinary word and no given name."""
    known = sample.whole_in("common_words", "not_person_words", "thing_words", "dictionary_words")
    return _share(known & ~sample.whole_in("given_names"))


def upper(sample: Sample) -> float:
    """Share of values in capitals."""
    return _share(np.fromiter((value.isupper() for value in sample.values), np.bool_, len(sample)))


def titled(sample: Sample) -> float:
    """Share of values of which every word begins with a capital letter, as names do; codes do not."""
    capital = np.fromiter((value.istitle() for value in sample.values), np.bool_, len(sample))
    return _share(capital & (sample.digits == 0))


def long_text(sample: Sample) -> float:
    """Share of values of eight words and more."""
    return _share(sample.sizes >= 8)


def postal_country(sample: Sample) -> float:
    """Share of the country whose postal codes most values are written as: a column has mostly one."""
    return places.postal_country(sample)[1]


# --- years of birth -----------------------------------------------------------------------------------------


def born(sample: Sample) -> float:
    """Share of values whose year is one in which somebody alive may have been born."""
    years = sample.years
    today = date.today().year  # noqa: DTZ011 # a year at most
    return float(((years >= today - OLDEST) & (years <= today)).sum()) / len(sample)


def birth_spread(sample: Sample) -> float:
    """How widely the years of a column spread, as years of birth do: 1 from twelve years of deviation on."""
    years = sample.years
    return min(1.0, float(years.std()) / _SPREAD) if len(years) >= _LEAST else 0.0


def grown_up(sample: Sample) -> float:
    """Share of dates that lie sixteen to ninety-five years back, as most birthdays of customers do."""
    years = sample.years
    today = date.today().year  # noqa: DTZ011 # a year at most
    return float(((years <= today - 16) & (years >= today - 95)).sum()) / len(sample)


#: Every feature by its name. A column's sample to a number in [0, 1]; see each for what it speaks for.
FEATURES: dict[str, Feature] = {
    "sequence": sequence,
    "constant_step": constant_step,
    "uniform": uniform,
    "one_shape": one_shape,
    "code": code,
    "few": few,
    "boolean": boolean,
    "log_level": log_level,
    "number": number,
    "amount": amount,
    "unit": unit,
    "date": is_date,
    "timestamp": timestamp,
    "year": year,
    "digest": digest,
    "path": path,
    "thing": thing,
    "occupation": occupation,
    "language": language,
    "ordinary": ordinary,
    "upper": upper,
    "titled": titled,
    "long_text": long_text,
    "organization": lambda sample: _share(people.is_organization(sample)),
    "marked_username": lambda sample: _share(people.is_marked_username(sample)),
    "postal_country": postal_country,
    "born": born,
    "birth_spread": birth_spread,
    "grown_up": grown_up,
}


def features(sample: Sample) -> dict[str, float]:
    """Every feature of a sample that is not empty."""
    return {name: feature(sample) for name, feature in FEATURES.items()}
