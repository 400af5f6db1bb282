"""Values in another form, by Presidio's anonymizing operators, under keys of one vendor.

The same value gives the same hash and the same token in every delivery to one vendor, so that joins go on
working, and another one for every other vendor, so that two vendors cannot join what they hold.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from scanner.keys import derive
from scanner.model import Form

#: Forms that values can be put into, from the one that keeps most use to the one that keeps least.
FORMS = (Form.HASHED, Form.TOKENIZED, Form.MASKED, Form.TRUNCATED, Form.ENCRYPTED)
#: Forms that can be made of a value that is not in clear any more.
FROM_ANY = frozenset({Form.HASHED, Form.TOKENIZED, Form.ENCRYPTED})
#: Distinct values whose form is remembered; memory stays flat whatever the file.
_REMEMBERED = 1 << 16
_STAR = "*"
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20)\d\d(?!\d)")
_SHORT_DIGITS = 6
_KEPT_DIGITS = 2
_TOKEN_BYTES = 16

Transformer = Callable[[str], str]


class Values:
    """Puts values into other forms.

    Args:
        key: the installation's secret.
        vendor: id of the vendor that the values go to.
    """

    def __init__(self, key: bytes, vendor: str) -> None:
        self._key = derive(key, f"remedy:{vendor}")
        self._made: dict[tuple[Form, str], Transformer] = {}

    def transformer(self, form: Form, entity_type: str) -> Transformer:
        """What puts one value of a type into a form.

        Raises:
            ValueError: nothing is put into that form (``clear``).
        """
        if (form, entity_type) not in self._made:
            plain = self._plain(form, entity_type)
            # An encrypted value differs each time, so that nobody sees which rows are equal.
            self._made[form, entity_type] = plain if form is Form.ENCRYPTED else lru_cache(_REMEMBERED)(plain)
        return self._made[form, entity_type]

    def _plain(self, form: Form, entity_type: str) -> Transformer:
        match form:
            case Form.HASHED:
                return self._hashed(entity_type)
            case Form.TOKENIZED:
                return self._tokenized(entity_type)
            case Form.ENCRYPTED:
                return self._encrypted()
            case Form.MASKED:
                return lambda value: masked(value, entity_type)
            case Form.TRUNCATED:
                return lambda value: truncated(value, entity_type)
        raise ValueError(f"no value is put into the form {form}")

    def _hashed(self, entity_type: str) -> Transformer:
        operator = _operator("hash")
        parameters = {"hash_type": "sha256", "salt": derive(self._key, "hash")}
        return lambda value: str(operator.operate(normal(value, entity_type), parameters))

    def _tokenized(self, entity_type: str) -> Transformer:
        key = derive(self._key, "token")

        def token(value: str) -> str:
            digest = hmac.digest(key, normal(value, entity_type).encode("utf-8", "replace"), hashlib.sha256)
            text = base64.b32encode(digest[:_TOKEN_BYTES]).decode("ascii").rstrip("=").lower()
            return f"tok_{text}"

        return token

    def _encrypted(self) -> Transformer:
        operator = _operator("encrypt")
        parameters = {"key": derive(self._key, "encrypt")}
        return lambda value: f"ENC[{operator.operate(value, parameters)}]"


def _operator(name: str) -> Any:
    from presidio_anonymizer.operators import OperatorsFactory, OperatorType

    return OperatorsFactory().create_operator_class(name, OperatorType.Anonymize)


def normal(value: str, entity_type: str) -> str:
    """A value as it is compared: what two systems write differently for the same gives the same token."""
    value = " ".join(value.split())
    match entity_type:
        case "EMAIL_ADDRESS" | "PERSON" | "USERNAME":
            return value.casefold()
        case "PHONE_NUMBER":
            digits = re.sub(r"\D", "", value)
            return (
                f"+{digits}"
                if value.startswith("+")
                else f"+{digits[2:]}"
                if value.startswith("00")
                else digits
            )
        case "IBAN_CODE" | "CREDIT_CARD" | "VEHICLE_IDENTIFICATION_NUMBER" | "LICENSE_PLATE":
            return re.sub(r"[\W_]", "", value).upper()
    return value


def masked(value: str, entity_type: str) -> str:
    """A value with most of it starred: a hint of a name, the year of a date, the region of a postal code."""
    value = " ".join(value.split())
    if entity_type == "EMAIL_ADDRESS" and "@" in value:
        local, _, domain = value.rpartition("@")
        host, _, ending = domain.rpartition(".")
        return f"{_starred(local)}@{_starred(host)}.{ending}"
    if entity_type == "DATE_OF_BIRTH":
        return f"{truncated(value, entity_type) or _STAR * 4}-{_STAR * 2}-{_STAR * 2}"
    if entity_type.endswith(("POSTAL_CODE", "POSTCODE", "PLZ")):
        return f"{value[:_KEPT_DIGITS]}{_STAR * 3}"
    digits = sum(map(str.isdigit, value))
    if digits * 2 >= len(value):
        return _shown(value, _KEPT_DIGITS if digits >= _SHORT_DIGITS else 0)
    return " ".join(map(_starred, value.split())) or _STAR * 3


def truncated(value: str, entity_type: str) -> str:
    """A value cut down: the year of a date, the first figures of a postal code, else the last four."""
    value = " ".join(value.split())
    if entity_type == "DATE_OF_BIRTH":
        year = _YEAR.search(value)
        return year[0] if year else ""
    if entity_type.endswith(("POSTAL_CODE", "POSTCODE", "PLZ")):
        return value[:_KEPT_DIGITS]
    if entity_type == "PERSON":
        return "".join(f"{word[0]}." for word in value.split())
    return re.sub(r"[\W_]", "", value)[-4:] if len(value) >= 2 * 4 else ""


def _starred(word: str) -> str:
    # Always as many, so that the length tells nothing.
    return (word[:1] if len(word) > 2 else "") + _STAR * 4


def _shown(value: str, count: int) -> str:
    """All but the last ``count`` characters starred, by Presidio's operator."""
    parameters = {"masking_char": _STAR, "chars_to_mask": len(value) - count, "from_end": False}
    return str(_operator("mask").operate(value, parameters)) if value else ""
