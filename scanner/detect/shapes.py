"""Tests of single values for the verdict on a column: ``value -> known to be of the type?``.

They run on the column's sample of distinct values only (at most `tally.SAMPLE`), so plain Python does. A
recognizer's own opinion is asked where it has one; lexicons and calendars where it has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from scanner.config import Settings
from scanner.detect import validators
from scanner.detect.cells import compiled
from scanner.detect.lexicon import Lexicons, fold

Test = Callable[[Sequence[str], Settings], list[bool]]

_WORD = re.compile(r"[^\W\d_][\w'’`.-]*", re.UNICODE)
_SURE_PHONE = 0.6
_ADMITTED = 0.01
_DIGIT = re.compile(r"[0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_DOTTED = re.compile(r"\S[.:/-]\S")
_HAS_DIGIT = re.compile(r"\d")


def _each(check: Callable[[str], bool]) -> Test:
    return lambda values, settings: [check(value.strip()) for value in values]


@cache
def _lexicon(name: str) -> frozenset[str]:
    return Lexicons().words(name)


def _words(value: str) -> list[str]:
    return [word.rstrip(".") for word in _WORD.findall(value.lower())]


def is_person(value: str) -> bool:
    """Whether a cell reads as a name: one to six words, some of them known names, none an organisation's."""
    given, family = _lexicon("given_names"), _lexicon("family_names")
    organization, common = _lexicon("organization_words"), _lexicon("common_words")
    if _HAS_DIGIT.search(value):
        return False
    words = _words(value)
    if not 1 <= len(words) <= 7 or any(word in organization for word in words):
        return False
    long = [part for word in words for part in word.split("-") if len(part) > 1]
    if not long:
        return False
    known = [word for word in long if word in given or word in family]
    if len(long) == 1:
        return bool(known) and long[0] not in common
    plain = sum(word in common and word not in given for word in long)
    return len(known) * 2 >= len(long) and plain * 2 < len(long)


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
        digits = [len(_DIGIT.findall(value)) for value in values]
        count = len(values)
        return cls(
            wordy=sum(not found and "@" not in value for found, value in zip(digits, values, strict=True))
            / count,
            numbered=sum(found >= 7 for found in digits) / count,
            mixed=sum(
                found > 0 and _LETTER.search(value) is not None
                for found, value in zip(digits, values, strict=True)
            )
            / count,
            at=sum("@" in value for value in values) / count,
            dotted=sum(_DOTTED.search(value) is not None for value in values) / count,
        )

    def admits(self, test: str) -> bool:
        """False where so few values can pass ``test`` that the type is out of the question."""
        share = {
            "person": self.wordy,
            "city": self.wordy,
            "country": self.wordy,
            "region": self.wordy,
            "street": self.mixed,
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


def is_full_name(value: str) -> bool:
    """Whether a cell is a name beyond doubt: two words and more, a given name and another known name."""
    given, family = _lexicon("given_names"), _lexicon("family_names")
    words = [word for word in _words(value) if len(word) > 1]
    if not 2 <= len(words) <= 5 or not is_person(value):
        return False
    return any(
        word in given
        and any(other in family or other in given for other in words[:index] + words[index + 1 :])
        for index, word in enumerate(words)
    )


def _in(name: str) -> Callable[[str], bool]:
    return lambda value: fold(value) in _lexicon(name)


def _region(value: str) -> bool:
    return not value.isdigit() and fold(value) in _lexicon("regions")


_POSTAL = re.compile(
    r"(?i)(?:\d{5}(?:-?\d{4})?|\d{4}|\d{6}|\d{3}|\d{3}[ -]\d{2,4}|\d{2}-\d{3}|\d{5}-?\d{3}"
    r"|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d|\d{4} ?[a-z]{2}|[a-z]{1,2}-\d{4,5}"
    r"|[a-z]\d{4}[a-z]{3}|[a-z]{2}\d{4})(?:\.0)?"
)
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


def is_birth_date(value: str) -> bool:
    """A day, or a year, on which somebody who may be alive or in living memory was born."""
    years = [int(year) for year in re.findall(r"(?<!\d)(\d{4})(?!\d)", value)]
    compact = re.fullmatch(r"((?:18|19|20)\d{2})(\d{2})(\d{2})(?:\.0)?", value)
    if compact:
        return _lived(int(compact[1])) and 1 <= int(compact[2]) <= 12 and 1 <= int(compact[3]) <= 31
    if years:
        return any(_lived(year) for year in years)
    return re.search(r"\d{1,2}[./ -](?:\d{1,2}|[^\W\d_]{3,9})[./ -]\d{2}(?!\d)", value) is not None


def _lived(year: int) -> bool:
    return 1850 <= year <= date.today().year  # noqa: DTZ011 # a year at most


def _age(value: str) -> bool:
    found = re.match(r"(\d{1,3})(?:\.\d+)?\b", value)
    return bool(found) and int(found[1]) <= 120 if found else False


def _coordinate(value: str) -> bool:
    found = re.findall(r"-?\d{1,3}[.,]\d+", value)
    return bool(found) and all(abs(float(each.replace(",", "."))) <= 180 for each in found[:2])


def _phones(values: Sequence[str], settings: Settings) -> list[bool]:
    from scanner.detect import phones

    out = []
    for value in values:
        plain = re.sub(r"\.0$", "", value.strip())
        found = phones.read(plain, settings.regions)
        if found is None:
            parts = [part for part in re.split(r"[;,/|]| or | und | et ", plain) if part.strip()]
            found = phones.read(parts[0], settings.regions) if len(parts) > 1 else None
        out.append(found is not None and (found.valid or found.score >= 0.45))
    return out


def _sure_phones(values: Sequence[str], settings: Settings) -> list[bool]:
    """Numbers that are written as nothing else is: with ``+``, a trunk prefix or an area code in brackets."""
    from scanner.detect import phones

    found = [phones.read(value.strip(), settings.regions) for value in values]
    return [each is not None and each.valid and each.score >= _SURE_PHONE for each in found]


def is_bare_number(value: str) -> bool:
    """Digits and nothing else: such a cell needs a heading to be a telephone number."""
    return re.fullmatch(r"\s*\d+(?:\.0)?\s*", value) is not None


def _recognized(entity_type: str) -> Test:
    def test(values: Sequence[str], settings: Settings) -> list[bool]:
        from scanner.detect import kernels, specs

        out = [False] * len(values)
        for spec in specs.by_entity().get(entity_type, ()):
            for index, found in enumerate(kernels.ask(spec, values, settings)):
                out[index] = out[index] or found
        return out

    return test


# A number and a letter with white space, or a point before the number (``Hauptstr.12``); no mail, no code.
_MAY_BE_STREET = re.compile(
    r"^(?=[^@]*[\s.][^@]*$)(?:.*\d.*[^\W\d_]|.*[^\W\d_].*\d|.*(?i:box|fach|street|road|avenue))"
)


def _street(values: Sequence[str], settings: Settings) -> list[bool]:
    from scanner.detect import specs

    del settings
    likely = [_MAY_BE_STREET.search(value) is not None for value in values]
    # Compiling these patterns costs more than everything else on a small file.
    if sum(likely) < 0.2 * len(values):
        return [False] * len(values)
    kernels = [kernel for spec in specs.by_entity().get("STREET_ADDRESS", ()) for kernel in spec.kernels]
    # Compiled when first reached: most values match one of the first patterns.
    return [
        flag and any(compiled(kernel).search(value.encode()) for kernel in kernels)
        for flag, value in zip(likely, values, strict=True)
    ]


def _checked(check: Callable[[str], bool | None]) -> Test:
    return _each(lambda value: check(value) is True)


_EMAIL = re.compile(r"\S+@\S+\.\w{2,}")


def _email(value: str) -> bool:
    found = _EMAIL.search(value)
    return found is not None and validators.email_check(found[0]) is not False


def _plate(value: str) -> bool:
    return validators.plate_check(value) is None


TESTS: dict[str, Test] = {
    "person": _each(is_person),
    "street": _street,
    "postal": _each(lambda value: _POSTAL.fullmatch(value) is not None),
    "city": _each(_in("cities")),
    "region": _each(_region),
    "country": _each(_in("countries")),
    "birth_date": _each(is_birth_date),
    "phone": _phones,
    "sure_phone": _sure_phones,
    "full_name": _each(is_full_name),
    "age": _each(_age),
    "gender": _each(lambda value: value.lower().rstrip(".") in _GENDERS),
    "words": _each(lambda value: _HAS_DIGIT.search(value) is None and any(map(str.isalpha, value))),
    "username": _each(lambda value: re.fullmatch(r"@?[\w.\\-]{2,64}", value) is not None),
    "anything": _each(lambda value: len(value) >= 4),
    "plate": _each(_plate),
    "code": _each(lambda value: any(map(str.isdigit, value))),
    "imei": _each(lambda value: validators.imei_check(value) is not False),
    "card": _each(
        lambda value: (
            re.fullmatch(r"[\d -]{13,23}", value) is not None and validators.credit_card_check(value) is True
        )
    ),
    "iban": _checked(validators.iban_check),
    "email": _each(_email),
    "ip": _each(
        lambda value: value.count(".") + value.count(":") > 1 and validators.ip_check(value) is not False
    ),
    "mac": _each(lambda value: re.fullmatch(r"(?i)(?:[0-9a-f]{2}[:.-]?){5}[0-9a-f]{2}", value) is not None),
    "url": _each(
        lambda value: (
            re.match(r"(?i)(?:https?|ftp)://|www\.|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}(?:/|$)", value) is not None
        )
    ),
    "coordinate": _each(_coordinate),
    "vin": _each(lambda value: validators.vin_check(value) is not False),
}


def test_of(name: str, entity_type: str) -> Test:
    """The test called ``name``; ``recognizer`` asks the recognizers of ``entity_type``."""
    return _recognized(entity_type) if name == "recognizer" else TESTS[name]
