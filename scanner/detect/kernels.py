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
    possible: Callable[[Cells, Mask], Mask]
    precision: float
    chance: float = 0.0


# How an address is written to hide it from harvesters.
_AT = r"(?i)[\[({]at[\])}]"


# Each test is exact: where it says no, the recognizer cannot find anything. They are given the values still
# open and look at bytes that were counted once for all of them.
Possible = Callable[[Cells, Mask], Mask]


def _email_possible(cells: Cells, among: Mask) -> Mask:
    out = cells.how_many("at") > 0 if cells.any("at") else np.zeros_like(among)
    if any(map(cells.occurrences, (40, 91, 123))):
        out |= cells.search(_AT, among)
    return out & among


def _card_possible(cells: Cells, among: Mask) -> Mask:
    if cells.longest < 12:
        return np.zeros_like(among)
    possible = among & (cells.digits >= 13)
    twelve = among & (cells.digits == 12)
    # The only card of twelve digits, Maestro's, is written without a gap.
    return possible | cells.may_run(("digit",), 12, twelve) if twelve.any() else possible


def _iban_possible(cells: Cells, among: Mask) -> Mask:
    if cells.longest < 15 or not (cells.any("letter") or cells.any("beyond ascii")):
        return np.zeros_like(among)
    among = among & (cells.lengths >= 15)
    if not among.any():
        return among
    # Beyond ASCII there are letters too that a pattern without case takes for one of A to Z.
    return among & (cells.digits >= 8) & (cells.how_many("letter") + cells.how_many("beyond ascii") >= 2)


def _ip_possible(cells: Cells, among: Mask) -> Mask:
    # Four numbers and three dots, or at least two colons.
    if cells.longest < 2:
        return np.zeros_like(among)
    colons, dots = cells.occurrences(58), cells.occurrences(46)
    out = np.zeros_like(among)
    if colons >= 2:
        out = cells.how_many("colon") >= 2
    if dots >= 3:
        out |= (cells.lengths >= 7) & (cells.how_many("dot") >= 3) & (cells.digits >= 4)
    return out & among


def _mac_possible(cells: Cells, among: Mask) -> Mask:
    if cells.longest < 12:
        return np.zeros_like(among)
    out = np.zeros_like(among)
    if cells.any("colon") or cells.any("dash"):
        out = (cells.how_many("colon") + cells.how_many("dash") >= 5) & (cells.lengths >= 17)
    if cells.occurrences(46) >= 2:
        out |= (cells.how_many("dot") >= 2) & (cells.lengths >= 14)
    return out & among


def _vin_possible(cells: Cells, among: Mask) -> Mask:
    if cells.longest < 17:
        return np.zeros_like(among)
    among = among & (cells.lengths >= 17)
    if not among.any():
        return among
    among = among & (cells.digits >= 3)
    return cells.may_run(("letter", "digit"), 17, among) if among.any() else among


def _geo_possible(cells: Cells, among: Mask) -> Mask:
    out = np.zeros_like(among)
    if cells.longest < 6:
        return out
    # Two decimal points, or the sign of degrees (U+00B0, in UTF-8 ending in this byte).
    if cells.occurrences(46) >= 2:
        out = cells.how_many("dot") >= 2
    if cells.any("beyond ascii") and cells.occurrences(0xB0):
        out |= cells.holding(cells.data == 0xB0)
    out &= among
    return out & (cells.digits >= 2) & (cells.lengths >= cells.digits + 3) if out.any() else out


# One of these is in every key and token that the recognizer knows.
_KEY_MARKS = (
    r"A(?:KIA|SIA|ROA|IDA)|gh[pousr]_|github_pat_|glpat-|xox|hooks\.slack|AIza|k_live_|npm_|pypi-|SG\.|sk-"
    r"|eyJ|AccountKey=|(?i:authorization)|(?i:-----begin)"
)


def _secret_possible(cells: Cells, among: Mask) -> Mask:
    if cells.longest < 16 or not cells.anywhere(_KEY_MARKS):
        return np.zeros_like(among)
    return cells.search(_KEY_MARKS, among & (cells.lengths >= 16))


def _url_possible(cells: Cells, among: Mask) -> Mask:
    # A scheme, a www, or a point before a letter is in every address of the web.
    marks = cells.web_marks
    return among & cells.holding(marks) if marks is not None else np.zeros_like(among)


#: Looked for in every cell. Phones, streets, names and places are judged by the column, in
#: `scanner.detect.judge`.
EVERYWHERE: tuple[Kernel, ...] = (
    Kernel("EMAIL_ADDRESS", _email_possible, 0.97),
    Kernel("VEHICLE_IDENTIFICATION_NUMBER", _vin_possible, 0.6, chance=0.1),
    Kernel("CREDIT_CARD", _card_possible, 0.6, chance=0.1),
    Kernel("IBAN_CODE", _iban_possible, 0.97),
    Kernel("IP_ADDRESS", _ip_possible, 0.8),
    Kernel("MAC_ADDRESS", _mac_possible, 0.9),
    Kernel("GEO_COORDINATE", _geo_possible, 0.8),
    Kernel("SECRET", _secret_possible, 0.9),
    Kernel("URL", _url_possible, 0.9),
)


@cache
def by_type() -> dict[str, Kernel]:
    """The kernels of `EVERYWHERE` by entity type."""
    return {kernel.entity_type: kernel for kernel in EVERYWHERE}


def matches(entity_type: str, cells: Cells, among: Mask, settings: Settings) -> tuple[Mask, Mask]:
    """Which values any recognizer of ``entity_type`` finds something in, looking only at those ``among``.

    Returns:
        The matching values, and those of them that are nothing but the match and so hold nothing else.
    """
    found = np.zeros(len(cells.values), dtype=bool)
    settled = np.zeros(len(cells.values), dtype=bool)
    for spec in specs.by_entity().get(entity_type, ()):
        open_values = among & ~found
        if open_values.any():
            matched, sure = _spec_matches(spec, cells, open_values, settings)
            found |= matched
            settled |= sure
    return found, settled


def _spec_matches(spec: RecognizerSpec, cells: Cells, among: Mask, settings: Settings) -> tuple[Mask, Mask]:
    """Vectors decide what they can; the recognizer's pattern, then the recognizer itself, the rest."""
    vector = VECTOR_CHECKS.get(spec.check or "")
    sure = np.zeros(len(cells.values), dtype=bool)
    if vector is not None:
        sure, refused = vector(cells, among)
        among = among & ~sure & ~refused
    if not among.any():
        return sure, sure
    passed = _filtered(spec, cells, among)
    if spec.exact and spec.check is None:
        return sure | passed, sure
    return sure | _asked(spec, cells, passed, settings), sure


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
