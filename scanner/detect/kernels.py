"""The columnar fast path: what recognizers find in cells, by vector kernels over whole columns.

Each `Kernel` says which values of a column its recognizer finds something in. A recognizer whose patterns RE2
can express exactly is its RE2 pattern, and its check where it has one; any other is asked itself, through
Presidio, about the few distinct values that pass its filter. Kernels are run where a cheap and exact test on
bytes (an ``@``, enough digits) does not rule a match out. Equivalence with Presidio is tested cell by cell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from scanner.config import Settings
from scanner.detect import specs
from scanner.detect.cells import Cells, Mask
from scanner.detect.specs import RecognizerSpec
from scanner.detect.vectors import VECTOR_CHECKS

#: Cells that are certainly one of these hold nothing else: an ISO date or timestamp, a number, a UUID.
CLOSED = (
    r"\A\s*(?:\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|[+-]?\d{1,11}(?:\.\d{1,11})?(?:[eE][+-]?\d{1,3})?"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})\s*\z"
)


@dataclass(frozen=True, slots=True)
class Kernel:
    """How one entity type is looked for in any column, whatever its heading.

    Attributes:
        entity_type: what it finds.
        possible: exact test on bytes; values it leaves out cannot match.
        precision: how likely a single match is what it says, for the verdict.
        chance: share of random values of the right shape that pass the check.
    """

    entity_type: str
    possible: Callable[[Cells], Mask]
    precision: float
    chance: float = 0.0


# How an address is written to hide it from harvesters.
_AT = r"(?i)[\[({]at[\])}]"


def _has(*characters: str) -> Callable[[Cells], bool]:
    codes = [ord(char) for char in characters]
    return lambda cells: all(cells.histogram[code] for code in codes)


def _nothing(cells: Cells) -> Mask:
    return np.zeros(len(cells.values), dtype=bool)


def _email_possible(cells: Cells) -> Mask:
    if _has("@")(cells):
        return cells.search("@|" + _AT) if cells.histogram[[40, 91, 123]].any() else cells.search("@")
    return cells.search(_AT) if cells.histogram[[40, 91, 123]].any() else _nothing(cells)


def _card_possible(cells: Cells) -> Mask:
    return np.asarray((cells.digits >= 12) & (cells.lengths < 200), dtype=bool)


def _iban_possible(cells: Cells) -> Mask:
    return np.asarray(
        (cells.digits >= 8) & (cells.lengths >= 15) & (cells.digits < cells.lengths), dtype=bool
    )


def _ip_possible(cells: Cells) -> Mask:
    dots, colons = cells.histogram[46], cells.histogram[58]
    if dots < 3 and colons < 2:
        return _nothing(cells)
    return np.asarray(cells.lengths >= 3, dtype=bool)


def _mac_possible(cells: Cells) -> Mask:
    if cells.histogram[58] < 5 and cells.histogram[45] < 5 and cells.histogram[46] < 2:
        return _nothing(cells)
    return np.asarray(cells.lengths >= 12, dtype=bool)


def _vin_possible(cells: Cells) -> Mask:
    return np.asarray(
        (cells.lengths >= 17) & (cells.digits >= 1) & (cells.lengths > cells.digits), dtype=bool
    )


def _geo_possible(cells: Cells) -> Mask:
    if cells.histogram[46] < 2:
        return _nothing(cells)
    return np.asarray((cells.digits >= 4) & (cells.lengths > cells.digits + 2), dtype=bool)


def _secret_possible(cells: Cells) -> Mask:
    return np.asarray(cells.lengths >= 16, dtype=bool)


def _url_possible(cells: Cells) -> Mask:
    if not _has(".")(cells):
        return _nothing(cells)
    return np.asarray(cells.lengths > cells.digits + 4, dtype=bool)


#: Looked for in every cell. Phones, streets, names and places are judged by the column (`scanner.detect.judge`).
EVERYWHERE: tuple[Kernel, ...] = (
    Kernel("EMAIL_ADDRESS", _email_possible, 0.97),
    Kernel("CREDIT_CARD", _card_possible, 0.6, chance=0.1),
    Kernel("IBAN_CODE", _iban_possible, 0.97),
    Kernel("IP_ADDRESS", _ip_possible, 0.8),
    Kernel("MAC_ADDRESS", _mac_possible, 0.9),
    Kernel("VEHICLE_IDENTIFICATION_NUMBER", _vin_possible, 0.6, chance=0.1),
    Kernel("GEO_COORDINATE", _geo_possible, 0.8),
    Kernel("SECRET", _secret_possible, 0.9),
    Kernel("URL", _url_possible, 0.9),
)


@cache
def by_type() -> dict[str, Kernel]:
    """The kernels of `EVERYWHERE` by entity type."""
    return {kernel.entity_type: kernel for kernel in EVERYWHERE}


def matches(entity_type: str, cells: Cells, among: Mask, settings: Settings) -> Mask:
    """Which values any recognizer of ``entity_type`` finds something in, looking only at those ``among``."""
    out = np.zeros(len(cells.values), dtype=bool)
    for spec in specs.by_entity().get(entity_type, ()):
        open_values = among & ~out
        if open_values.any():
            out |= _spec_matches(spec, cells, open_values, settings)
    return out


def _spec_matches(spec: RecognizerSpec, cells: Cells, among: Mask, settings: Settings) -> Mask:
    """Vectors decide what they can; the recognizer's pattern, then the recognizer itself, the rest."""
    vector = VECTOR_CHECKS.get(spec.check or "")
    sure = np.zeros(len(cells.values), dtype=bool)
    if vector is not None:
        sure, refused = vector(cells, among)
        among = among & ~sure & ~refused
    if not among.any():
        return sure
    passed = _filtered(spec, cells, among)
    if spec.exact and spec.check is None:
        return sure | passed
    return sure | _asked(spec, cells, passed, settings)


def _filtered(spec: RecognizerSpec, cells: Cells, among: Mask) -> Mask:
    if not spec.kernels:
        return cells.search(spec.re2_filter, among)
    passed = np.zeros(len(cells.values), dtype=bool)
    for kernel in spec.kernels:
        passed |= cells.search(kernel, among & ~passed)
    return passed


def _asked(spec: RecognizerSpec, cells: Cells, among: Mask, settings: Settings) -> Mask:
    """What the recognizer itself, in Presidio, says of the values ``among``."""
    out = np.zeros(len(cells.values), dtype=bool)
    indices = np.flatnonzero(among)
    if len(indices):
        out[indices] = ask(spec, cells.take(indices), settings)
    return out


def ask(spec: RecognizerSpec, values: Sequence[str], settings: Settings) -> list[bool]:
    """Whether one recognizer, run by Presidio without context, finds something in each value."""
    from scanner.detect import presidio

    found = presidio.engine(settings).cell_matches(spec.name, values)
    return [any(match.score > 0 for match in each) for each in found]
