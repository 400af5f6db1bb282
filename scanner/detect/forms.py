"""How values appear: clear, masked, truncated, hashed, tokenized or encrypted, told from a sample."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection

from scanner.model import Form

# Digests by length in hex: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512; in base64: MD5, SHA-1, SHA-256 and
# SHA-512; bcrypt, argon2 and their like by their prefixes (modular crypt format).
HASHED = (
    r"^\s*(?:(?:0x)?(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}|"
    r"[0-9A-F]{32}|[0-9A-F]{40}|[0-9A-F]{56}|[0-9A-F]{64}|[0-9A-F]{96}|[0-9A-F]{128})"
    r"|[A-Za-z0-9+/_-]{22}==|[A-Za-z0-9+/_-]{27}=|[A-Za-z0-9+/_-]{43}=|[A-Za-z0-9+/_-]{86}=="
    r"|\$(?:2[aby]|argon2\w*|5|6|1|y|scrypt|pbkdf2[^$]*)\$.{8,})\s*$"
)
MASKED = (
    r"[*•●∙█]{2,}|(?:^|[ ._-])[xX#]{4,}|[xX#]{3,}[0-9]{2,4}$|[xX#]{2,3}[ -][xX#]{2,4}[ -]?[0-9]{2,4}"
    r"|(?i:^\W*(?:redacted|masked|anonymi[sz]ed|geschwärzt|anonymisiert|caviardé)\W*$)"
)
TRUNCATED = r"^.{1,40}(?:…|[.]{3})\s*$"
_UUID = r"\{?[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\}?"
TOKENIZED = rf"(?i)^\s*(?:(?:tok|token|tkn|pseudo|psn|anon|hash)[_:-][A-Za-z0-9_=-]{{6,}}|{_UUID})\s*$"
# PGP, Fernet, Vault's transit, ENC[], OpenSSL's "Salted__", JWE's five parts, age, and bare base64.
ENCRYPTED = (
    r"^\s*(?:-----BEGIN PGP|gAAAAA[A-Za-z0-9_-]{40,}|vault:v\d+:|ENC\[|U2FsdGVkX1|age1|YWdlLWVuY3J5cHRpb24"
    r"|eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\s*$"
    r"|[A-Za-z0-9+/_-]{22,}={0,2}\s*$)"
)

#: What is left of a value that was cut to say less: the year of a birth, the first two or three digits of a
#: postal code, a British or Canadian one without its second half. HIPAA's safe harbor (45 CFR 164.514(b)(2))
#: keeps years and three digits.
_CUT: dict[str, re.Pattern[str]] = {
    "DATE_OF_BIRTH": re.compile(r"\s*(?:19|20)\d\d(?:\.0|[-/](?:0?[1-9]|1[0-2])|s)?\s*"),
    "POSTAL_CODE": re.compile(r"(?i)\s*(?:\d{2,3}|[a-z]{1,2}\d[a-z\d]?|[a-z]\d[a-z])\s*"),
}
_CUT_SHARE = 0.9

#: A digest and nothing else, for single values.
DIGEST = re.compile(HASHED)
#: Runs of hex digits that are keys rather than digests: UUIDs, object ids, short commit ids.
IDENTIFIER_LIKE = re.compile(rf"{_UUID}|(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{{7,24}}")

PATTERNS: dict[Form, str] = {
    Form.HASHED: HASHED,
    Form.MASKED: MASKED,
    Form.TRUNCATED: TRUNCATED,
    Form.TOKENIZED: TOKENIZED,
    Form.ENCRYPTED: ENCRYPTED,
}
#: A UUID may itself be the key of a person; in place of these it stands for what it replaced.
_REPLACED = frozenset(
    {
        "PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "POSTAL_CODE", "DATE_OF_BIRTH", "CITY",
        "CREDIT_CARD", "IBAN_CODE", "BANK_ACCOUNT", "NATIONAL_ID", "TAX_ID", "PASSPORT", "DRIVER_LICENSE",
    }
)  # fmt: skip
_IS_UUID = re.compile(rf"\s*{_UUID}\s*")
# Bits of a character: hex digits carry 4, base64 6. A file in base64 begins alike from value to value.
_CIPHER_BITS = 5.2
_BASE64 = re.compile(r"\s*[A-Za-z0-9+/_-]{22,}={0,2}\s*")
_FILES = ("iVBOR", "/9j/", "R0lGOD", "JVBERi", "UEsDB", "PHN2Zy", "PD94bW", "data:")
_SHARE = 0.6
_ONE_LENGTH = 0.9
# Hex digits carry 4 bits; a column of real digests comes close, a column of padded numbers does not.
_MIN_BITS = 3.2


def form_of(values: Collection[str], types: Collection[str] = ()) -> Form:
    """The form that most of the sampled distinct values have; clear where no other has.

    Args:
        values: a sample of a column.
        types: entity types that its heading names: a UUID in place of a name is a token, as a key it is
            clear; runs of base64 are ciphers only where something personal is expected.
    """
    if not values:
        return Form.CLEAR
    personal = not _REPLACED.isdisjoint(types)
    for form, pattern in PATTERNS.items():
        matching = _matching(re.compile(pattern), values)
        if matching and _holds(form, matching, personal):
            return form
    return Form.CLEAR


def is_cut(values: Collection[str], entity_type: str) -> bool:
    """Whether nearly all of the values are what generalising leaves of the type's (``1984``, ``101``)."""
    pattern = _CUT.get(entity_type)
    if pattern is None or not values:
        return False
    return sum(pattern.fullmatch(value) is not None for value in values) >= _CUT_SHARE * len(values)


def _matching(expression: re.Pattern[str], values: Collection[str]) -> list[str]:
    """The values that are written in a form, where they are most; else none."""
    matching = []
    possible, needed = len(values), _SHARE * len(values)
    for value in values:
        if expression.search(value):
            matching.append(value)
        else:
            possible -= 1
            if possible < needed:
                return []
    return matching


def _holds(form: Form, matching: Collection[str], personal: bool) -> bool:
    """Whether values that are written in a form are it."""
    if form is Form.HASHED:
        return _bits(matching) >= _MIN_BITS and _of_one_length(matching)
    if form is Form.TOKENIZED:
        return personal or not all(map(_IS_UUID.fullmatch, matching))
    if form is Form.TRUNCATED:
        return personal
    if form is Form.ENCRYPTED and all(map(_BASE64.fullmatch, matching)):
        return _marked(matching) or (personal and _ciphers(matching))
    return True


def _of_one_length(values: Collection[str]) -> bool:
    """Whether digests come of one algorithm; what names its own (``$2b$…``) may be of any length."""
    sizes = Counter(len(value.strip()) for value in values if not value.strip().startswith("$"))
    return not sizes or max(sizes.values()) >= _ONE_LENGTH * sum(sizes.values())


def _marked(values: Collection[str]) -> bool:
    return all(value.strip().startswith(("gAAAAA", "U2FsdGVkX1", "YWdlLWVuY3J5cHRpb24")) for value in values)


def _ciphers(values: Collection[str]) -> bool:
    """Whether base64 looks random: no picture, no text."""
    files = any(value.strip().startswith(_FILES) for value in values)
    return not files and _bits(values, fold=False) >= _CIPHER_BITS


def _bits(values: Collection[str], *, fold: bool = True) -> float:
    """How evenly the characters are spread, in bits: near 4 for digests in hex."""
    text = "".join(value.strip() for value in values)
    counts = Counter(text.lower() if fold else text)
    total = sum(counts.values())
    return -sum(count / total * math.log2(count / total) for count in counts.values())
