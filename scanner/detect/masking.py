"""Masked samples: enough for a person to recognise the kind of value, too little to know whose it is."""

from __future__ import annotations

import re

DOT = "•"
_LONGEST = 40


def mask(value: str, entity_type: str = "") -> str:
    """``value`` with all but a hint of it replaced by dots; the shape (punctuation, spaces) is kept.

    Addresses of mail keep the first letter of both halves and the ending; digits are all hidden but the last
    two of six or more; words keep their first letter where at least three letters follow.
    """
    value = " ".join(value.split())[:_LONGEST]
    if entity_type == "EMAIL_ADDRESS" and "@" in value:
        local, _, domain = value.rpartition("@")
        host, _, ending = domain.rpartition(".")
        return f"{_word(local)}@{_word(host)}.{ending if ending.isalpha() and len(ending) < 7 else DOT * 3}"
    digits = sum(char.isdigit() for char in value)
    if digits >= 6 and digits * 2 >= len(value):
        return _digits(value, digits)
    return re.sub(r"\w+", lambda found: _word(found[0]), value)


def _word(word: str) -> str:
    if len(word) >= 4 and word[0].isalpha():
        return word[0] + DOT * min(len(word) - 1, 6)
    return DOT * max(1, min(len(word), 6))


def _digits(value: str, digits: int) -> str:
    shown, out = digits - 2, []
    for char in value:
        if char.isdigit():
            out.append(char if shown <= 0 else DOT)
            shown -= 1
        else:
            out.append(DOT if char.isalpha() else char)
    return "".join(out)


# A name of a field that is itself somebody's: an address of mail, or seven digits and more.
_PERSONAL = re.compile(r"[^\s@]@[^\s@]+\.\w|(?:\d[ ().\-/]{0,3}){7,}")


def safe_name(name: str) -> str:
    """A field's name, masked where it looks like somebody's datum (a file read with a wrong header row)."""
    return mask(name, "EMAIL_ADDRESS" if "@" in name else "") if _PERSONAL.search(name) else name
