"""Tests of single values for the verdict on a column: which values of a sample are known to be of a type?

They run on the column's sample of distinct values only (at most `tally.SAMPLE`), which is cut into words and
looked up in the lexicons once for all of them (`scanner.detect.sample`). A recognizer's own opinion is asked
where it has one; lexicons, calendars and check digits where it has none.

The registry for whoever weighs them:

* `TESTS`: a flag for each value. ``person``, ``full_name`` (beyond doubt), ``initials``, ``organization``,
  ``username``, ``marked_username`` (no person is called so); ``street``, ``sure_street`` (number and street
  where an address has them), ``postal`` (one country's format, no run of keys), ``city``, ``region``,
  ``country``; ``phone`` (also several in a cell, and what a spreadsheet made of one: ``4.9E+11``),
  ``sure_phone`` (written as nothing else is); ``birth_date`` (a year somebody alive was born in, no time of
  day); ``card`` (with check digit, or mangled: ``5.19E+15``), ``iban``, ``national_id`` (a check digit of one
  country's scheme in most values); the other names say what they look for.
* `scanner.detect.nothing.FEATURES`: a number for the whole column, by `features`: what speaks for keys,
  codes, amounts, timestamps, digests, products, log levels, and for years of birth.

`test_of` and `share_of` are the ways in: the first gives the flags, the second their share.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.config import Settings
from scanner.detect import nothing, people, places, validators
from scanner.detect.cells import compiled
from scanner.detect.sample import Flags, Sample, sample_of

Test = Callable[[Sequence[str], Settings], list[bool]]
SampleTest = Callable[[Sample, Settings], Flags]

_SURE_PHONE = 0.6
_ADMITTED = 0.01


@dataclass(frozen=True, slots=True)
class Look:
    """What a sample looks like from afar: shares of its values, to leave out tests that must fail.

    Attributes:
        wordy: without digits and ``@``.
        numbered: with seven digits or more.
        mixed: with a digit and a letter.
        at: with an ``@``.
        dotted: with a ``.`` or ``:`` or ``-`` inside.
    """

    wordy: float
    numbered: float
    mixed: float
    at: float
    dotted: float

    @classmethod
    def of(cls, values: Sequence[str]) -> Look:
        """The look of a sample that is not empty."""
        sample = sample_of(values)
        digits, at = sample.digits, sample.having("@")
        return cls(
            wordy=float(((digits == 0) & ~at).mean()),
            numbered=float((digits >= 7).mean()),
            mixed=float(((digits > 0) & (sample.letters > 0)).mean()),
            at=float(at.mean()),
            dotted=float(sample.finding(_DOTTED, sample.having_any(".:/-")).mean()),
        )

    def admits(self, test: str) -> bool:
        """False where so few values can pass ``test`` that the type is out of the question."""
        share = {
            "person": self.wordy,
            "city": self.wordy,
            "country": self.wordy,
            "region": self.wordy,
            "street": self.mixed,
            "sure_street": self.mixed,
            "phone": self.numbered,
            "card": self.numbered,
            "iban": min(self.mixed, self.numbered),
            "vin": self.mixed,
            "email": self.at,
            "ip": self.dotted,
            "mac": self.dotted,
            "url": self.dotted,
        }.get(test, 1.0)
        return share >= _ADMITTED


_DOTTED = re.compile(r"\S[.:/-]\S")


def _of_sample(test: Callable[[Sample], Flags]) -> SampleTest:
    return lambda sample, settings: test(sample)


def _each(check: Callable[[str], bool], where: Callable[[Sample], Flags] | None = None) -> SampleTest:
    """A check of single values, made only of those that ``where`` flags by counts that cost nothing."""
    return lambda sample, settings: _checked(check, sample, where(sample) if where else None)


def _checked(check: Callable[[str], bool], sample: Sample, among: Flags | None) -> Flags:
    if among is None:
        return np.fromiter(map(check, sample.values), np.bool_, len(sample))
    out = np.zeros(len(sample), np.bool_)
    for index in np.flatnonzero(among).tolist():
        out[index] = check(sample.values[index])
    return out


def _pattern(regex: str) -> SampleTest:
    compiled_regex = re.compile(regex)
    return lambda sample, settings: sample.matching(compiled_regex)


# --- demographics -------------------------------------------------------------------------------------------

_GENDERS = frozenset(
    {
        "m", "f", "male", "female", "mannlich", "weiblich", "männlich", "divers",
        "homme", "femme", "masculin", "féminin", "feminin", "hombre", "mujer", "masculino",
        "femenino", "feminino", "maschio", "femmina", "maschile", "femminile", "mann", "frau",
        "kvinna", "kvinne", "mand", "mies", "nainen", "kobieta", "mężczyzna", "muž",
        "žena", "erkek", "kadın", "man", "woman", "men", "women", "vrouw",
        "purush", "mahila", "nonbinary", "non-binary", "other", "unknown", "u", "x",
        "h", "w", "d", "0", "1", "2", "9",
    }
)  # fmt: skip


def _age(value: str) -> bool:
    found = re.match(r"(\d{1,3})(?:\.\d+)?\b", value)
    return bool(found) and int(found[1]) <= nothing.OLDEST if found else False


def is_birth_date(sample: Sample) -> Flags:
    """Days or years on which somebody alive or in living memory was born, without a time of day."""
    return _checked(_birth_date, sample, (sample.digits >= 3) & (sample.lengths <= 80))


_CLOCK = re.compile(r"[T ](\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?")
_COMPACT_DAY = re.compile(r"((?:18|19|20)\d{2})(\d{2})(\d{2})(?:\.0)?")
_FOUR_DIGITS = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_SHORT_DAY = re.compile(r"\d{1,2}[./ -](?:\d{1,2}|[^\W\d_]{3,9})[./ -]\d{2}(?!\d)")
_MIDNIGHTS = frozenset({"00", "0", "12", "22", "23", "01", "1", "02", "2"})


def _birth_date(value: str) -> bool:
    if (compact := _COMPACT_DAY.fullmatch(value)) is not None:
        return _lived(int(compact[1])) and 1 <= int(compact[2]) <= 12 and 1 <= int(compact[3]) <= 31
    # Midnight in one zone is one or two o'clock, or the evening before, in another.
    if (clock := _CLOCK.search(value)) is not None and (
        clock[1] not in _MIDNIGHTS or clock[2] not in {"00", "30"} or (clock[3] or "00") != "00"
    ):
        return False
    years = [int(year) for year in _FOUR_DIGITS.findall(value)]
    if years:
        return any(_lived(year) for year in years)
    return _SHORT_DAY.search(value) is not None


def _lived(year: int) -> bool:
    from datetime import date

    return 1850 <= year <= date.today().year  # noqa: DTZ011 # a year at most


def _coordinate(value: str) -> bool:
    found = re.findall(r"-?\d{1,3}[.,]\d+", value)
    return bool(found) and all(abs(float(each.replace(",", "."))) <= 180 for each in found[:2])


def _sure_coordinate(value: str) -> bool:
    """Degrees with the digits that a map has, or a pair of them: shares and scores are mostly below 1."""
    found = re.findall(r"-?\d{1,3}[.,]\d{3,}", value)
    return bool(found) and all(1 < abs(float(each.replace(",", "."))) <= 180 for each in found[:2])


# --- telephone numbers --------------------------------------------------------------------------------------

_BETWEEN_PHONES = re.compile(r"[;,/|\n]| or | und | et | y | e | and ")
# Twelve significant digits become four behind the point: nothing can be told but that it was a long number.
_EXPONENT = re.compile(r"\d[eE]\+?\d")
_MANGLED_PHONE = re.compile(r"[1-9](?:[.,]\d+)?[eE]\+?(?:09|9|1[0-4])")
#: Countries whose own ways of dialling are tried where those of the settings know few values of a column.
_MORE_REGIONS = (
    "PL", "PT", "SE", "NO", "DK", "FI", "CZ", "SK", "AT", "CH", "BE", "IE", "GR", "HU", "RO", "BG", "HR",
    "SI", "RS", "EE", "LV", "LT", "LU", "IS", "MT", "CY", "TR", "UA", "RU", "AR", "CL", "CO", "PE", "EC",
    "VE", "UY", "PY", "BO", "CR", "PA", "GT", "HN", "SV", "NI", "DO", "CU", "NZ", "ZA", "SG", "MY", "PH",
    "ID", "TH", "JP", "KR", "CN", "HK", "TW", "PK", "BD", "LK", "NP", "IL", "AE", "SA", "EG", "MA", "NG",
    "KE", "GH",
)  # fmt: skip
_LONGEST_PHONE = 60
_REGION_SHARE = 0.7
_REGION_PROBE = 48
_KNOWN_SHARE = 0.5


def _phones(sample: Sample, settings: Settings) -> Flags:
    possible = (sample.digits >= 7) | sample.finding(_EXPONENT)
    known = _checked(lambda value: _is_phone(value, settings.regions), sample, possible)
    if known.mean() >= _KNOWN_SHARE or (sample.digits >= 7).mean() < _REGION_SHARE:
        return known
    region = _likely_region(sample)
    if region is None:
        return known
    return known | _checked(lambda value: _is_phone(value, (region,)), sample, possible & ~known)


def _is_phone(value: str, regions: tuple[str, ...]) -> bool:
    from scanner.detect import phones

    plain = value.removesuffix(".0")
    found = phones.read(plain, regions)
    if found is None:
        if _MANGLED_PHONE.fullmatch(plain):
            return True
        parts = [part for part in _BETWEEN_PHONES.split(plain) if part.strip()]
        found = phones.read(parts[0], regions) if len(parts) > 1 else None
    return found is not None and (found.valid or found.score >= 0.45)


def _likely_region(sample: Sample) -> str | None:
    """The country in whose way most of the values are dialled, None where there is none for most of them."""
    from scanner.detect import phones

    digits = [re.sub(r"\D", "", value.removesuffix(".0")) for value in sample.values[:_REGION_PROBE]]
    shares = {
        region: sum(phones.valid_national(each, (region,)) for each in digits) for region in _MORE_REGIONS
    }
    best = max(shares, key=lambda region: shares[region])
    return best if shares[best] >= _REGION_SHARE * len(digits) else None


def _sure_phones(sample: Sample, settings: Settings) -> Flags:
    """Numbers that are written as nothing else is: with ``+``, a trunk prefix or an area code in brackets."""
    from scanner.detect import phones

    def sure(value: str) -> bool:
        found = phones.read(value, settings.regions)
        return found is not None and found.valid and found.score >= _SURE_PHONE

    return _checked(sure, sample, (sample.digits >= 7) & (sample.lengths <= _LONGEST_PHONE))


def is_bare_number(value: str) -> bool:
    """Digits and nothing else: such a cell needs a heading to be a telephone number."""
    return _BARE.fullmatch(value) is not None


_BARE = re.compile(r"\s*\d+(?:\.0)?\s*")


# --- recognizers --------------------------------------------------------------------------------------------


def _recognized(entity_type: str) -> SampleTest:
    def test(sample: Sample, settings: Settings) -> Flags:
        from scanner.detect import kernels, specs

        out = np.zeros(len(sample), np.bool_)
        for spec in specs.by_entity().get(entity_type, ()):
            out |= np.array(kernels.ask(spec, sample.values, settings), np.bool_)
        return out

    return test


# A number and a letter, with white space or a point (``Hauptstr.12``), or the word of a post box or a street.
_NUMBER_AND_LETTER = re.compile(r"[^\d\n]*\d.*[^\W\d_]|(?:[\W\d_](?<!\n))*[^\W\d_].*\d")
_STREET_WORD = re.compile(r".*(?i:box|fach|street|road|avenue)")
_SPACE_OR_POINT = re.compile(r"[\s.]")
_STREETS_KNOWN = 0.4
_STREETS_POSSIBLE = 0.2
_STREETS_ASKED = 64
_LONGEST_STREET = 300


def _street(sample: Sample, settings: Settings) -> Flags:
    """Lexicons first; the recognizers' patterns for the rest, where it may change the verdict."""
    del settings
    known = places.is_street(sample)
    if known.mean() >= _STREETS_KNOWN:
        return known
    likely = _may_be_street(sample, ~known & (sample.letters > 0) & (sample.lengths <= _LONGEST_STREET))
    # Compiling the patterns costs more than everything else on a small file.
    if likely.mean() < _STREETS_POSSIBLE:
        return known
    kernels = _street_kernels()
    for index in np.flatnonzero(likely)[:_STREETS_ASKED].tolist():
        # Compiled when first reached: most values match one of the first patterns.
        known[index] = any(
            compiled(kernel).search(sample.values[index].encode("utf-8", "replace")) for kernel in kernels
        )
    return known


def _may_be_street(sample: Sample, among: Flags) -> Flags:
    """What is no mail and no code, and has in its first line what a street has."""
    among = sample.finding(_SPACE_OR_POINT, among & ~sample.having("@"))
    numbers = sample.beginning(_NUMBER_AND_LETTER, among & sample.numbered)
    return numbers | sample.beginning(_STREET_WORD, among & ~numbers)


def _street_kernels() -> list[str]:
    from scanner.detect import specs

    return [kernel for spec in specs.by_entity().get("STREET_ADDRESS", ()) for kernel in spec.kernels]


# --- numbers with check digits ------------------------------------------------------------------------------

_CARD = re.compile(r"\d(?:[ -]?\d){12,18}(?:\.0)?")
# What a spreadsheet shows of thirteen to sixteen digits.
_MANGLED_CARD = re.compile(r"[3-6][.,]\d{1,14}[eE]\+?1[2-5]")


def _card(value: str) -> bool:
    if _CARD.fullmatch(value):
        return validators.credit_card_check(value.removesuffix(".0")) is True
    return _MANGLED_CARD.fullmatch(value) is not None


def _national_id(sample: Sample, settings: Settings) -> Flags:
    """Values with the check digits of the one national scheme that knows most of them."""
    del settings
    return validators.national_scheme(sample.values)[1]


_EMAIL = re.compile(r"\S+@\S+\.\w{2,}")


def _email(value: str) -> bool:
    if "@" not in value:
        return False
    found = _EMAIL.search(value)
    return found is not None and validators.email_check(found[0]) is not False


def _short_and_mixed(sample: Sample) -> Flags:
    return (sample.digits > 0) & (sample.letters > 0) & (sample.lengths <= 16)


#: Every test of a value, by its name in ``rules/columns.yaml``.
TESTS: dict[str, SampleTest] = {
    "person": _of_sample(people.is_person),
    "full_name": _of_sample(people.is_full_name),
    "initials": _of_sample(people.is_initials),
    "organization": _of_sample(people.is_organization),
    "username": _of_sample(people.is_username),
    "marked_username": _of_sample(people.is_marked_username),
    "street": _street,
    "sure_street": _of_sample(places.is_sure_street),
    "postal": _of_sample(places.is_postal),
    "city": _of_sample(places.is_city),
    "region": _of_sample(places.is_region),
    "country": _of_sample(places.is_country),
    "birth_date": _of_sample(is_birth_date),
    "phone": _phones,
    "sure_phone": _sure_phones,
    "age": _each(_age),
    "gender": _each(lambda value: value.lower().rstrip(".") in _GENDERS),
    "words": lambda sample, settings: (sample.digits == 0) & (sample.letters > 0),
    "anything": lambda sample, settings: sample.lengths >= 4,
    "plate": _each(lambda value: validators.plate_check(value) is None, _short_and_mixed),
    "code": lambda sample, settings: sample.digits > 0,
    "imei": _each(
        lambda value: validators.imei_check(value) is not False, lambda sample: sample.digits == 15
    ),
    "card": _each(_card, lambda sample: (sample.digits >= 13) | sample.finding(_EXPONENT)),
    "iban": _each(
        lambda value: validators.iban_check(value) is True,
        lambda sample: (sample.digits >= 8) & (sample.letters >= 2) & (sample.lengths >= 15),
    ),
    "national_id": _national_id,
    "email": _each(_email, lambda sample: sample.having("@")),
    "ip": _each(
        lambda value: value.count(".") + value.count(":") > 1 and validators.ip_check(value) is not False,
        lambda sample: (sample.sizes <= 4) & (sample.lengths <= 64) & ~sample.having(" "),
    ),
    "mac": _pattern(r"(?i)(?:[0-9a-f]{2}[:.-]?){5}[0-9a-f]{2}"),
    "url": _pattern(r"(?is)(?:(?:https?|ftp)://|www\.).*|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}(?:/.*)?"),
    "coordinate": _each(_coordinate, lambda sample: (sample.digits >= 2) & (sample.lengths <= 80)),
    "sure_coordinate": _each(_sure_coordinate, lambda sample: (sample.digits >= 4) & (sample.lengths <= 80)),
    "vin": _each(lambda value: validators.vin_check(value) is not False, lambda sample: sample.lengths == 17),
}


def flags_of(name: str, entity_type: str, values: Sequence[str], settings: Settings) -> Flags:
    """Which values pass the test called ``name``; ``recognizer`` asks the recognizers of ``entity_type``."""
    test = _recognized(entity_type) if name == "recognizer" else TESTS[name]
    return test(sample_of(values), settings) if values else np.zeros(0, np.bool_)


def share_of(name: str, entity_type: str, values: Sequence[str], settings: Settings) -> float:
    """The share of values that pass; 0 for none."""
    return float(flags_of(name, entity_type, values, settings).mean()) if values else 0.0


def test_of(name: str, entity_type: str) -> Test:
    """The test called ``name`` as a function of values; see `flags_of`."""

    def test(values: Sequence[str], settings: Settings) -> list[bool]:
        found: list[bool] = flags_of(name, entity_type, values, settings).tolist()
        return found

    return test


def features(values: Sequence[str]) -> dict[str, float]:
    """Every feature of `scanner.detect.nothing` for some values; all 0 for none."""
    if not values:
        return dict.fromkeys(nothing.FEATURES, 0.0)
    return nothing.features(sample_of(values))
