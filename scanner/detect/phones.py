"""Telephone numbers: which strings are one, decided by one regular expression a country.

The numbering plans are those of Google's libphonenumber, read from the metadata of the ``phonenumbers``
package. There a number is valid when its national digits match the pattern of one of its kinds (mobile, fixed
line, …), so the union of these patterns is the whole test; the tests of this module hold it against
`phonenumbers.is_valid_number`. The patterns use nothing that RE2 lacks, so a whole column is one kernel call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager",
    "uan", "voicemail",
)  # fmt: skip
# Argentina's mobile numbers are dialled as 0 area 15 number and stored as 9 area number; the metadata says so
# in a rewriting rule, the only one that is more than a prefix to drop.
_ARGENTINE_MOBILE = "0?[1-9][0-9]{1,3}15[0-9]{6,8}"

SEPARATORS = " \u00a0\u2009\u202f().\\-/\u2010\u2011\u2013"
# Seven digits or more, at most three separators between two of them.
CANDIDATE = (
    r"(?:\+[ \u00a0]?)?\(?[0-9](?:[" + SEPARATORS + r"]{0,3}[0-9]){6,17}"
    r"(?:[ \u00a0,;]{0,2}(?:x|ext\.?|extension|durchwahl|poste|interno|ramal)[ .:]{0,2}[0-9]{1,6})?"
)
_EXTENSION = re.compile(
    r"[\s,;]*(?:x|ext\.?|extension|durchwahl|poste|interno|ramal|#)[\s.:]*[0-9]{1,6}\s*$", re.IGNORECASE
)
_LABEL = re.compile(
    r"^\s*(?:tel|phone|telephone|telefon|telefono|teléfono|mobile|mobil|cell|handy|fax|whatsapp)?[\s.:]*",
    re.IGNORECASE,
)
_TRUNK_IN_BRACKETS = re.compile(r"(?<=[0-9 ])\(0\)")
_ALLOWED = re.compile(rf"\+?[0-9{SEPARATORS}]+")
_INTERNATIONAL_PREFIX = re.compile(r"(?:00|011)(?=[1-9])")
_NOT_DIGITS = re.compile(r"[^0-9]")
# Written like something else: a date, a dotted quad, a decimal, a US social security number, a card, a range
# of years, an amount with thousands, a day as eight digits, a pair of coordinates.
_OTHER_SHAPES = re.compile(
    r"(?:1[89]|20)[0-9]{2}([-/.])[0-9]{1,2}\1[0-9]{1,2}(?:[ T].*)?"
    r"|[0-9]{1,2}([-/.])[0-9]{1,2}\2(?:1[89]|20)?[0-9]{2}(?:[ T].*)?"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|-?[0-9]*\.[0-9]+"
    r"|[0-9]{3}-[0-9]{2}-[0-9]{4}"
    r"|[0-9]{4}([- ]?)[0-9]{4}\3[0-9]{4}\3[0-9]{4}"
    r"|(?:1[89]|20)[0-9]{2}\s?[-/–]\s?(?:1[89]|20)?[0-9]{2}"
    r"|[0-9]{1,3}(?:\.[0-9]{3})+"
    r"|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    r"|-?[0-9]{1,3}\.[0-9]{3,}[ /]+-?[0-9]{1,3}\.[0-9]{3,}"
)
_NANP_SHAPE = re.compile(r"(?:\+?1[-. ]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[-. ])[0-9]{3}[-. ][0-9]{4}")
# How people group a number without a trunk zero, as lengths of the groups. Other groupings are mostly other
# things (a file reference, a tax number) that happen to have the right digits.
_NATURAL = frozenset(
    {
        (3, 3, 4), (3, 7), (3, 4, 4), (2, 4, 4), (2, 5, 4), (5, 5), (4, 3, 3), (1, 3, 3, 4),
        (3, 3, 3), (3, 2, 2, 2), (2, 3, 2, 2), (3, 6), (2, 7), (2, 3, 4), (4, 5), (5, 4),
        (2, 2, 2, 2), (4, 4), (2, 3, 3), (3, 5), (3, 4), (4, 2, 2, 2), (4, 6),
    }
)  # fmt: skip
_MIN_DIGITS, _MAX_DIGITS = 7, 15  # ITU-T E.164: 15 at most; shorter than 7 is not unique to a person


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number.

    Attributes:
        digits: ``+`` and country code and number where the country is written, else the digits as dialled.
        valid: some numbering plan has it; False: it is only written like one.
        score: how sure its writing alone makes us, in (0, 1).
    """

    digits: str
    valid: bool
    score: float


def metadata(region: str) -> Any:
    """What libphonenumber knows of a region; None where it knows none."""
    from phonenumbers import PhoneMetadata

    return PhoneMetadata.metadata_for_region(region.upper(), None)


def _plain(pattern: str) -> str:
    """A metadata pattern with ASCII digits and without capturing groups."""
    return re.sub(r"\((?!\?)", "(?:", pattern).replace(r"\d", "[0-9]")


@cache
def number_pattern(region: str) -> str:
    """Full-match pattern over a region's national significant number, without any prefix.

    Raises:
        ValueError: libphonenumber knows no such region.
    """
    known = metadata(region)
    if known is None:
        raise ValueError(f"unknown phone region {region!r}")
    kinds = [getattr(known, kind) for kind in _KINDS]
    patterns = [
        _plain(kind.national_number_pattern) for kind in kinds if kind and kind.national_number_pattern
    ]
    return f"^(?:{'|'.join(dict.fromkeys(patterns))})$"


@cache
def phone_pattern(region: str) -> str:
    """Full-match pattern over digits as dialled inside ``region``, with or without its trunk prefix."""
    number = number_pattern(region)[1:-1]
    prefix = _trunk_prefix(metadata(region).national_prefix_for_parsing or "")
    if region.upper() == "AR":
        return f"^(?:0?{number}|{_ARGENTINE_MOBILE})$"
    return f"^(?:{prefix})?{number}$" if prefix else f"^{number}$"


def _trunk_prefix(pattern: str) -> str:
    """The prefixes to drop. Alternatives that end in ``$`` complete a local number and are not prefixes."""
    kept = [part for part in _alternatives(pattern) if part and not part.endswith("$")]
    plain = _plain("|".join(kept))
    # Brazil's rule takes the carrier and looks ahead to the number, which the number's own pattern does here.
    plain = plain.replace("(?:[0-9]{10,11})", "")
    return plain if not re.fullmatch(r"0\(\?:.*\[0-9\]\{[0-9]+\}.*\)", plain) else "0"


def _alternatives(pattern: str) -> list[str]:
    """Split at the ``|`` outside of any bracket."""
    parts, depth, start, in_class = [], 0, 0, False
    for index, char in enumerate(pattern):
        if char in "[]":
            in_class = char == "["
        elif not in_class and char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0 and not in_class:
            parts.append(pattern[start:index])
            start = index + 1
    return [*parts, pattern[start:]]


@cache
def international_pattern(country_code: int) -> str:
    """Full-match pattern over the digits after ``+``, country code included.

    As in libphonenumber a trunk prefix may stand between them (``+44 (0)20 …``).

    Raises:
        ValueError: no region has this country code.
    """
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    regions = COUNTRY_CODE_TO_REGION_CODE.get(country_code)
    if not regions:
        raise ValueError(f"unknown country code {country_code}")
    if regions == ("001",):
        return f"^{country_code}{_non_geographical(country_code)}$"
    numbers = "|".join(number_pattern(region)[1:-1] for region in regions)
    trunk = _trunk_prefix(metadata(regions[0]).national_prefix_for_parsing or "")
    return f"^{country_code}(?:{trunk})?(?:{numbers})$"


@cache
def any_international_pattern() -> str:
    """Full-match pattern over the digits after ``+`` of any country. About 80 kB; RE2 takes it."""
    return "|".join(international_pattern(code) for code in sorted(country_codes()))


@cache
def dialled_pattern(regions: tuple[str, ...]) -> str:
    """Full-match pattern over digits as dialled in one of ``regions``, or abroad with 00 or 011 before."""
    abroad = "|".join(international_pattern(code)[1:-1] for code in sorted(country_codes()))
    return "|".join([*map(phone_pattern, regions), f"^(?:00|011)(?:{abroad})$"])


def _non_geographical(country_code: int) -> str:
    from phonenumbers import PhoneMetadata

    metadata = PhoneMetadata.metadata_for_nongeo_region(country_code, None)
    kinds = [getattr(metadata, kind) for kind in _KINDS]
    patterns = [
        _plain(kind.national_number_pattern) for kind in kinds if kind and kind.national_number_pattern
    ]
    return f"(?:{'|'.join(dict.fromkeys(patterns))})"


@cache
def country_codes() -> frozenset[int]:
    """All country calling codes."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    return frozenset(COUNTRY_CODE_TO_REGION_CODE)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def valid_international(digits: str) -> bool:
    """Whether ``digits`` (after the ``+``) are a valid number of the country they begin with."""
    for length in (1, 2, 3):
        code = digits[:length]
        if len(code) == length and int(code) in country_codes():
            return _compiled(international_pattern(int(code))).fullmatch(digits) is not None
    return False


def valid_national(digits: str, regions: tuple[str, ...]) -> bool:
    """Whether ``digits``, as dialled inside one of ``regions``, are a valid number there."""
    return any(_compiled(phone_pattern(region)).fullmatch(digits) for region in regions)


def read(text: str, regions: tuple[str, ...]) -> Phone | None:
    """The telephone number that ``text`` is, as a whole; None where it is none.

    Args:
        text: one value: digits and separators, with or without ``+``, brackets, an extension, a label.
        regions: ISO 3166 codes whose national formats are tried.
    """
    body = _EXTENSION.sub("", _LABEL.sub("", text, count=1)).strip()
    if _ALLOWED.fullmatch(body) is None or _OTHER_SHAPES.fullmatch(body):
        return None
    digits = _NOT_DIGITS.sub("", _TRUNK_IN_BRACKETS.sub("", body))
    # An international prefix and a NANP trunk digit come on top of E.164's 15.
    if not _MIN_DIGITS <= len(digits) <= _MAX_DIGITS + 3:
        return None
    return _international(body, digits) or _national(body, digits, regions)


def _international(body: str, digits: str) -> Phone | None:
    prefix = None if body.startswith("+") else _INTERNATIONAL_PREFIX.match(digits)
    if not body.startswith("+") and prefix is None:
        return None
    rest = digits[prefix.end() :] if prefix else digits
    if valid_international(rest):
        return Phone("+" + rest, valid=True, score=0.75 if prefix else 0.9)
    if prefix or len(rest) > _MAX_DIGITS or rest.startswith("0"):
        return _shaped(body, digits)
    return Phone("+" + rest, valid=False, score=0.5)


def _national(body: str, digits: str, regions: tuple[str, ...]) -> Phone | None:
    if body.startswith("+") or len(digits) > _MAX_DIGITS:
        return None
    grouped = body.strip("()") != digits
    if valid_national(digits, regions):
        trunk = body.startswith(("0", "(")) or _NANP_SHAPE.fullmatch(body) is not None
        if not grouped or not _naturally_grouped(body):
            return Phone(digits, valid=True, score=0.3)
        # Eight digits in two groups are many things; a trunk zero or an area code in brackets are not.
        return Phone(digits, valid=True, score=0.7 if trunk else 0.55 if len(digits) > 8 else 0.35)
    return _shaped(body, digits)


def _naturally_grouped(body: str) -> bool:
    groups = re.findall("[0-9]+", body)
    sizes = tuple(map(len, groups))
    if body.count("/") > 1 or (len(sizes) > 2 and "-" in body and "/" in body):
        return False
    if body.startswith("("):
        return True
    if body.startswith("0"):
        return len(sizes) < 3 or sizes[:2] != (2, 2) or set(sizes) == {2}
    return sizes in _NATURAL


def _shaped(body: str, digits: str) -> Phone | None:
    """A number that no plan has, in the plain North American grouping: made up or mistyped, yet one."""
    bare = re.sub(r"^001[-. ]", "1-", body)
    return Phone(digits, valid=False, score=0.45) if _NANP_SHAPE.fullmatch(bare) else None
