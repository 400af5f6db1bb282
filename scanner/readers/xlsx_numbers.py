"""What a spreadsheet shows for a stored number: a date, a time, a padded code, or the number itself.

Cells hold binary floating point; the style says what they mean. A date of birth must come out as a date, a
phone number without ``.0`` or an exponent, a postal code with its leading zeros.

Source of the built-in formats and of the day count: ECMA-376 part 1, 18.8.30 and 18.17.4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

#: Built-in format ids that are dates, in any language version.
_BUILT_IN_DATES = {14, 15, 16, 17, 22, *range(27, 32), 34, 35, 36, *range(50, 59)}
_BUILT_IN_TIMES = {18, 19, 20, 21, 32, 33, 45, 47}
_BUILT_IN_DURATIONS = {46}
_LAST_DAY = 2_958_466  # 10000-01-01
_DAY_SECONDS = 86_400
#: Dropped before a code is looked at: quoted text, escaped and padding characters, colours and locales.
_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_MASK_TOKENS = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|(.)', re.DOTALL)
#: Characters that a code of digit places may hold besides ``0`` and ``#`` and still be a plain mask.
_MASK_LITERALS = frozenset("-() +/:")


@dataclass(frozen=True, slots=True)
class Format:
    """How a style shows a number. ``kind``: ``date``, ``time``, ``duration``, ``mask`` or ``general``."""

    kind: str
    #: For a mask: digit places ``0`` and ``#`` with literal text between, as ``(is_place, character)``.
    mask: tuple[tuple[bool, str], ...] = ()


GENERAL = Format("general")


def format_of(identifier: int, code: str | None) -> Format:
    """The format of a number format id and, where it is not a built-in one, its code."""
    if code is None:
        if identifier in _BUILT_IN_DATES:
            return Format("date")
        if identifier in _BUILT_IN_TIMES:
            return Format("time")
        return Format("duration") if identifier in _BUILT_IN_DURATIONS else GENERAL
    bare = _LITERALS.sub("", code).lower()
    if "general" in bare:
        return GENERAL
    if "[" in bare:
        return Format("duration")
    if "y" in bare or "d" in bare or ("m" in bare and not ("h" in bare or "s" in bare)):
        return Format("date")
    if "h" in bare or "s" in bare or "m" in bare:
        return Format("time")
    return _mask(code)


def _mask(code: str) -> Format:
    """A code of digit places and literal text (``000-00-0000``), `GENERAL` for any other."""
    section = _last_number_section(code)
    places: list[tuple[bool, str]] = []
    for token in _MASK_TOKENS.finditer(section):
        literal, plain = token.group(1) or token.group(2), token.group(3)
        if literal:
            places.extend((False, char) for char in literal)
        elif plain in ("0", "#"):
            places.append((True, plain))
        elif plain in _MASK_LITERALS:
            places.append((False, plain))
        elif plain:
            return GENERAL
    zeros = sum(1 for is_place, char in places if is_place and char == "0")
    has_literal = any(not is_place for is_place, _ in places)
    if zeros > 1 or (has_literal and sum(is_place for is_place, _ in places) > 3):
        return Format("mask", tuple(places))
    return GENERAL


def _last_number_section(code: str) -> str:
    """The section for positive numbers; of a conditional code (``[<=9999999]…;…``) the more general one."""
    sections = code.split(";")
    return sections[1] if sections[0].lstrip().startswith("[<") and len(sections) > 1 else sections[0]


def shown(raw: str, style: Format, *, since_1904: bool) -> str:
    """The text of a stored number. What is not a number stays as it is."""
    if style.kind != "general":
        return _styled(raw, style, since_1904)
    if raw.isdigit() and raw.isascii():
        return raw
    return _number(raw)


@lru_cache(maxsize=65_536)
def _styled(raw: str, style: Format, since_1904: bool) -> str:
    try:
        value = float(raw)
    except ValueError:
        return raw
    if style.kind == "mask":
        return _masked(value, style.mask) if value >= 0 and value == int(value) else _number(raw)
    if not 0 <= value < _LAST_DAY:
        return _number(raw)
    if style.kind == "duration" or (style.kind == "time" and value < 1):
        return _clock(round(value * _DAY_SECONDS))
    return _moment(value, since_1904)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _moment(value: float, since_1904: bool) -> str:
    """A day count as ``2020-01-31``, with ``12:30:00`` where it has a time of day."""
    if since_1904:
        origin = datetime(1904, 1, 1)  # noqa: DTZ001 # a civil date has no zone
    elif value < 60:
        origin = datetime(1899, 12, 31)  # noqa: DTZ001
    else:  # the day count has a 29th of February 1900, which never was
        origin = datetime(1899, 12, 30)  # noqa: DTZ001
    try:
        moment = origin + timedelta(seconds=round(value * _DAY_SECONDS))
    except OverflowError:
        return f"{value:.15g}"
    day = f"{moment.year:04d}-{moment.month:02d}-{moment.day:02d}"
    return day if moment.time() == datetime.min.time() else f"{day} {moment:%H:%M:%S}"


def _masked(value: float, mask: tuple[tuple[bool, str], ...]) -> str:
    """Digits put into the places of a mask, from the right; surplus digits go into the first place."""
    digits = list(str(int(value)))
    out: list[str] = []
    places = sum(is_place for is_place, _ in mask)
    for is_place, char in reversed(mask):
        if not is_place:
            out.append(char)
            continue
        places -= 1
        if digits:
            out.append("".join(digits) if places == 0 else digits.pop())
            if places == 0:
                digits = []
        elif char == "0":
            out.append("0")
    return "".join(reversed(out))


@lru_cache(maxsize=65_536)
def _number(raw: str) -> str:
    """A number without an exponent or a needless fraction, in the 15 digits that a spreadsheet shows."""
    try:
        value = float(raw)
    except ValueError:
        return raw
    if value != value or value in (float("inf"), float("-inf")):
        return raw
    if value == int(value) and abs(value) < 1e18:
        return str(int(value))
    return f"{value:.15g}"


__all__ = ["GENERAL", "Format", "format_of", "shown"]
