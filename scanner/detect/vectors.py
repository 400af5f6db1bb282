"""Checks of `scanner.detect.validators` for whole columns: numpy and RE2 in place of Python per cell.

Each gives two masks: values the recognizer certainly finds something in, and values it certainly does not.
What is in neither is asked one by one. Only cells that are nothing but the value are decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scanner import native
from scanner.detect.cells import Cells, Mask
from scanner.detect.validators import IBAN_LENGTHS

VectorCheck = Callable[[Cells, Mask], tuple[Mask, Mask]]

_CARD = r"\A(?:4\d{3}|5[0-5]\d{2}|6\d{3}|3\d{3})[- ]?\d{4}[- ]?\d{4}[- ]?\d{4}\z"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"\A(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]?)(?:\.{_BYTE}){{3}}\z"
# The two-letter endings js, ts and py are a file's rather than a country's; see `validators.email_check`.
EMAIL = (
    r"\A[A-Za-z0-9][A-Za-z0-9._+-]{0,62}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,3}"
    r"(?:[a-ik-oq-su-z][a-z]|[jt][a-rt-z]|p[a-xz]|com|org|net|edu|gov|info|example|test)\z"
)

#: Longer addresses are left to the pattern, which limits their parts.
_ADDRESS_LONGEST = 64
_PARTS = 3
_ENDINGS = [int.from_bytes(ending, "big") for ending in (b"com", b"org", b"net", b"edu", b"gov")]
_FILE_ENDINGS = [int.from_bytes(ending, "big") for ending in (b"js", b"ts", b"py")]

_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2], dtype=np.uint8)
#: Symbols are numbered 0 to 35, digits first; this stands for what no such number has.
_NO_SYMBOL = 63
#: Signs looked at first for how many different ones there are: of most numbers they are enough.
_FIRST_SIGNS = 9
_KINDS = 5


def _vin_codes() -> NDArray[np.uint16]:
    """For each byte its symbol, and in the upper byte its value in the check sum."""
    codes = np.full(256, _NO_SYMBOL, dtype=np.uint16)
    codes[48:58] = np.arange(10) * 257
    values = [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)]
    for letter, value in zip("ABCDEFGHJKLMNPRSTUVWXYZ", values, strict=True):
        code = (ord(letter) - ord("A") + 10) | value << 8
        codes[ord(letter)] = codes[ord(letter.lower())] = code
    return codes


_VIN_CODES = _vin_codes()
_SYMBOL_OF_REMAINDER = np.array([*range(10), ord("X") - ord("A") + 10], dtype=np.uint16)


def _matrix(cells: Cells, chosen: Mask, width: int) -> NDArray[np.uint8]:
    """The bytes of the chosen values, all ``width`` long, one row each."""
    # Values of other lengths may add up to as many bytes by chance.
    if len(cells.data) == width * len(cells.values) and bool((cells.lengths == width).all()):
        every = cells.data.reshape(-1, width)
        return every if chosen.all() else every[chosen]
    matrix: NDArray[np.uint8] = cells.data[cells.offsets[:-1][chosen][:, None] + np.arange(width)]
    return matrix


def vin(cells: Cells, among: Mask) -> tuple[Mask, Mask]:
    """Cells of 17 bytes: the rules of `validators.vin_check`."""
    chosen = among & (cells.lengths == 17)
    sure, refused = np.zeros_like(among), np.zeros_like(among)
    if not chosen.any():
        return sure, refused
    if native.ready():
        sure = native.vins(cells.data, cells.offsets, chosen, _VIN_CODES, _VIN_WEIGHTS)
        return sure, chosen & ~sure
    # One row for each place, so that all operations run along the cells.
    codes = _VIN_CODES[np.ascontiguousarray(_matrix(cells, chosen, 17).T)]
    total = (_VIN_WEIGHTS.astype(np.float32) @ (codes >> 8).astype(np.float32)).astype(np.int32) % 11
    symbols = codes & np.uint16(_NO_SYMBOL)
    # The ninth sign is the remainder, X for ten; itself it counts nothing.
    proven = symbols[8] == _SYMBOL_OF_REMAINDER[total]
    digit = symbols < 10
    fair = (symbols.max(axis=0) != _NO_SYMBOL) & digit[14:].all(axis=0) & _varied(symbols)
    checked = np.isin(symbols[0], (1, 2, 3, 4, 5, ord("L") - ord("A") + 10)) | digit.all(axis=0)
    good = fair & (proven | ~checked)
    sure[chosen] = good
    refused[chosen] = ~good
    return sure, refused


def _varied(symbols: NDArray[np.uint16]) -> Mask:
    """Which columns have at least five different symbols."""
    out = _kinds(symbols[:_FIRST_SIGNS]) >= _KINDS
    rest = np.flatnonzero(~out)
    if len(rest):
        out[rest] = _kinds(symbols[:, rest]) >= _KINDS
    return out


def _kinds(symbols: NDArray[np.uint16]) -> NDArray[np.uint8]:
    bits = np.left_shift(np.uint64(1), symbols.astype(np.uint64))
    kinds: NDArray[np.uint8] = np.bitwise_count(np.bitwise_or.reduce(bits, axis=0))
    return kinds


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
    """Cells that are one plain address: `EMAIL`, where one ``@`` and the signs around it do not prove it."""
    if native.ready():
        return native.emails(cells.data, cells.offsets, among), np.zeros_like(among)
    sure = _plain_addresses(cells) & among
    rest = among & ~sure
    return (sure | cells.search(EMAIL, rest) if rest.any() else sure), np.zeros_like(among)


def _plain_addresses(cells: Cells) -> Mask:
    """Cells of letters, digits, single ``. _ + -`` between them, one ``@`` and a well-known ending."""
    data, begins, ends = cells.data, cells.offsets[:-1], cells.offsets[1:]
    at = np.flatnonzero(data == 64)
    none = np.zeros(len(begins), dtype=bool)
    if len(at) != len(begins) or not ((at > begins) & (at < ends - 4)).all():
        return none  # not one in each cell: the pattern decides
    plain = (((data | np.uint8(32)) - np.uint8(97)) < 26) | ((data - np.uint8(48)) < 10)
    marks = (data == 46) | (data == 45) | (data == 64)
    local = (data == 95) | (data == 43)
    odd = ~(plain | marks | local)
    sign = ~plain
    odd[1:] |= sign[1:] & sign[:-1]
    # These two are in no name of a host.
    where = np.flatnonzero(local)
    if len(where):
        odd[where] |= where > at[np.searchsorted(ends, where, side="right")]
    sure = _known_ending(data, at, ends) & plain[begins] & (ends - begins <= _ADDRESS_LONGEST)
    if odd.any():
        sure &= ~cells.holding(odd)
    # A host of more parts is left to the pattern, which takes no more.
    return sure & (cells.how_many("dot") <= _PARTS)


def _known_ending(data: NDArray[np.uint8], at: NDArray[np.int64], ends: NDArray[np.int64]) -> Mask:
    """Which addresses end like those of `EMAIL`, with something between the ``@`` and the point."""
    last = [data[ends - back] for back in range(1, 5)]
    four = last[0].astype(np.uint32) | last[1].astype(np.uint32) << 8 | last[2].astype(np.uint32) << 16
    small = (last[0] - np.uint8(97) < 26) & (last[1] - np.uint8(97) < 26)
    two = (last[2] == 46) & small & ~np.isin(four & 0xFFFF, _FILE_ENDINGS) & (at < ends - 4)
    three = (last[3] == 46) & np.isin(four, _ENDINGS) & (at < ends - 5)
    known: Mask = two | three
    return known


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
