"""Checks of `scanner.detect.validators` for whole columns: numpy and RE2 in place of Python per cell.

Each gives two masks: values the recognizer certainly finds something in, and values it certainly does not.
What is in neither is asked one by one. Only cells that are nothing but the value are decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scanner.detect.cells import Cells, Mask
from scanner.detect.hashing import string_buffers
from scanner.detect.validators import IBAN_LENGTHS

VectorCheck = Callable[[Cells, Mask], tuple[Mask, Mask]]

_CARD = r"\A(?:4\d{3}|5[0-5]\d{2}|6\d{3}|3\d{3})[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\z"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"\A(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?)(?:\.{_BYTE}){{3}}\z"
_EMAIL = (
    r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,62}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,3}"
    r"(?:[a-z]{2}|com|org|net|edu|gov|info|example|test)\z"
)
# Two-letter endings that are a file's rather than a country's; see `validators.email_check`.
_EMAIL_FILE = r"\.(?:js|ts|py)\z"

_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2], dtype=np.int32)


def _vin_codes() -> NDArray[np.int32]:
    codes = np.full(256, -1, dtype=np.int32)
    codes[48:58] = np.arange(10)
    values = [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)]
    for letter, value in zip(_VIN_LETTERS, values, strict=True):
        codes[ord(letter)] = codes[ord(letter.lower())] = value
    return codes


_VIN_CODES = _vin_codes()
_UPPER = np.arange(256, dtype=np.uint8)
_UPPER[97:123] -= 32


def _matrix(cells: Cells, chosen: Mask, width: int) -> NDArray[np.uint8]:
    """The bytes of the chosen values, all ``width`` long, one row each."""
    data, offsets = string_buffers(cells.values)
    matrix: NDArray[np.uint8] = data[offsets[:-1][chosen][:, None] + np.arange(width)]
    return matrix


def vin(cells: Cells, among: Mask) -> tuple[Mask, Mask]:
    """Cells of 17 bytes: the rules of `validators.vin_check`."""
    chosen = among & (cells.lengths == 17)
    sure, refused = np.zeros_like(among), np.zeros_like(among)
    if not chosen.any():
        return sure, refused
    signs = _UPPER[_matrix(cells, chosen, 17)]
    codes = _VIN_CODES[signs]
    digit = (signs >= 48) & (signs <= 57)
    total = (codes * _VIN_WEIGHTS).sum(axis=1) % 11
    proven = signs[:, 8] == np.where(total == 10, ord("X"), total + 48)
    ordered = np.sort(signs, axis=1)
    kinds = 1 + (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
    fair = (codes >= 0).all(axis=1) & (kinds >= 5) & digit[:, 14:].all(axis=1)
    numeric = digit.all(axis=1)
    checked = np.isin(signs[:, 0], np.frombuffer(b"12345L", np.uint8))
    good = fair & np.where(numeric | checked, proven, True)
    sure[chosen] = good
    refused[chosen] = ~good
    return sure, refused


def credit_card(cells: Cells, among: Mask) -> tuple[Mask, Mask]:
    """Cells of sixteen digits, grouped or not: Luhn's check digit."""
    chosen = cells.search(_CARD, among & (cells.digits == 16))
    sure, refused = np.zeros_like(among), np.zeros_like(among)
    for width in (16, 19):
        same = chosen & (cells.lengths == width)
        if same.any():
            signs = _matrix(cells, same, width)
            digits = signs[(signs >= 48) & (signs <= 57)].reshape(-1, 16).astype(np.int32) - 48
            doubled = digits[:, ::2] * 2
            total = np.where(doubled > 9, doubled - 9, doubled).sum(axis=1) + digits[:, 1::2].sum(axis=1)
            sure[same] = total % 10 == 0
            refused[same] = total % 10 != 0
    return sure, refused


def iban(cells: Cells, among: Mask) -> tuple[Mask, Mask]:
    """Cells of one run of letters and digits: none is an account number whose length no country has."""
    run = cells.search(r"\A[A-Za-z0-9]+\z", among)
    fits = cells.search(_iban_shape(), run)
    return np.zeros_like(among), run & ~fits


@cache
def _iban_shape() -> str:
    by_length: dict[int, list[str]] = {}
    for country, length in IBAN_LENGTHS.items():
        by_length.setdefault(length, []).append(country)
    shapes = (
        f"(?:{'|'.join(sorted(names))})[0-9]{{2}}[A-Z0-9]{{{length - 4}}}"
        for length, names in by_length.items()
    )
    return rf"(?i)\A(?:{'|'.join(shapes)})\z"


def email(cells: Cells, among: Mask) -> tuple[Mask, Mask]:
    """Cells that are one plain address."""
    sure = cells.search(_EMAIL, among)
    if sure.any():
        sure &= ~cells.search(_EMAIL_FILE, sure)
    return sure, np.zeros_like(among)


def ip(cells: Cells, among: Mask) -> tuple[Mask, Mask]:
    """Cells that are one plain IPv4 address."""
    return cells.search(_IPV4, among), np.zeros_like(among)


#: By the name of the check. `ip` and `email` prove; the others refuse too.
VECTOR_CHECKS: Mapping[str, VectorCheck] = {
    "vin": vin,
    "credit_card": credit_card,
    "iban": iban,
    "email": email,
    "ip": ip,
}
