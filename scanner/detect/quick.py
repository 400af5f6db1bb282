"""Some patterns of plausible cells, decided by counting bytes where that is enough.

A regular expression costs a hundred nanoseconds a cell; most cells of a telephone or postal code column are
told by how many digits and letters they hold. What that leaves open is matched. A test holds each of these to
its pattern, and to being a pattern that the column rules use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from scanner.detect.cells import Cells, Mask

#: Six digits with no letter between them.
SIX_DIGITS = (
    "^[^0-9]*[0-9][^0-9A-Za-z]*[0-9][^0-9A-Za-z]*[0-9][^0-9A-Za-z]*[0-9][^0-9A-Za-z]*[0-9][^0-9A-Za-z]*[0-9]"
)
#: A postal code of any country.
POSTAL_CODE = r"^ *(?:[A-Za-z]{1,2}-)?[0-9A-Za-z]{2,5}[ -]?[0-9A-Za-z]{0,5}(?:\.0)? *$"


def search(cells: Cells, pattern: str, among: Mask) -> Mask:
    """Which of the values ``among`` an RE2 pattern finds something in."""
    decide = QUICK.get(pattern)
    if decide is None:
        return cells.search(pattern, among)
    sure, open_values = decide(cells)
    return (sure & among) | cells.search(pattern, open_values & among)


def _six_digits(cells: Cells) -> tuple[Mask, Mask]:
    enough = cells.digits >= 6
    lettered = cells.how_many("letter") > 0
    return enough & ~lettered, enough & lettered


def _postal_code(cells: Cells) -> tuple[Mask, Mask]:
    short = (cells.lengths >= 2) & (cells.lengths <= 10)
    plain = (cells.how_many("letter") + cells.how_many("digit") == cells.lengths) & short
    return plain, ~plain


#: For a pattern the values that certainly match, and those that are open; the others certainly do not.
QUICK: Mapping[str, Callable[[Cells], tuple[Mask, Mask]]] = {
    SIX_DIGITS: _six_digits,
    POSTAL_CODE: _postal_code,
}
