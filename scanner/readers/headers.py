"""Whether the first row of a table names its columns, and what the names are.

A value that is taken for a name would be printed in every report, so the first row must earn being a header:
by words that headings use, by identifiers, or by looking unlike what stands below it. A row without any such
sign is data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

Row = Sequence[str]

#: Rows below the first that it is held against.
SAMPLE_ROWS = 200
#: A heading is not longer than this many characters; a cell that is, is a value.
NAME_CHARACTERS = 150

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("number", re.compile(r"[-+(]?[$€£¥]?\s?-?\d{1,3}(?:[,. '’]\d{3})+(?:[.,]\d+)?\s?[%€)]?")),
    ("number", re.compile(r"[-+(]?[$€£¥]?\s?-?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?\s?[%€)]?")),
    (
        "date",
        re.compile(
            r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
            r"|\d{1,2}[-. ]{0,2}[^\W\d_]{3,9}\.?[-. ,]*\d{2,4}|[^\W\d_]{3,9}\.? \d{1,2},? \d{2,4})"
            r"(?:[T ,]+\d{1,2}:\d{2}\S*(?: ?[AaPp][Mm])?)?(?: ?(?:UTC|GMT|Z))?"
        ),
    ),
    ("date", re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[AaPp][Mm])?")),
    ("email", re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")),
    ("url", re.compile(r"(?:https?|ftp)://\S+|www\.\S+\.\S+")),
    ("uuid", re.compile(r"\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")),
    ("hash", re.compile(r"(?=.*\d)(?:0x)?[0-9a-fA-F]{16,}")),
    ("ip", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")),
    ("phone", re.compile(r"(?:tel:|\+)?[\d(][\d\s().+/-]{6,24}(?:\s?(?:x|ext\.?)\s?\d+)?")),
)
#: Kinds that a heading never has.
_VALUES_ONLY = frozenset({"email", "url", "uuid", "hash", "ip", "phone"})
_NOTHING = frozenset(
    {"", "null", "none", "nil", "na", "n/a", "nan", "-", "--", "?", ".", "\\n", "unknown", "<na>"}
)

#: A table as wide and long as this has rows enough that repeat themselves, and one above that does not.
_WIDE, _ENOUGH_ROWS = 8, 20
#: Columns of numbers under words, and rows of them, from which on they tell that the words are headings.
_SOME_COLUMNS, _SOME_ROWS = 3, 3
#: Most such rows below it, fewest of its cells that do not occur there (of a column that marks members with
#: its own name they do), and what standing apart is worth.
_ALIKE, _ANEW, _APART = 0.02, 0.6, 4.0

_TOKEN = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_IDENTIFIER = re.compile(r"[^\W\d]\w*_\w+|[a-zà-ÿ]+(?:[A-Z][a-z0-9]+)+|[A-Z][a-z]+(?:[A-Z][a-z0-9]+)*I[Dd]")


def kind(cell: str) -> str:
    """What a cell looks like: ``blank``, ``number``, ``date``, ``email``, …, or ``text``."""
    cell = cell.strip()
    if cell.lower() in _NOTHING:
        return "blank"
    if len(cell) > NAME_CHARACTERS:
        return "text"
    for name, pattern in _KINDS:
        if pattern.fullmatch(cell):
            return _number_kind(cell) if name == "number" else name
    return "text"


def _number_kind(cell: str) -> str:
    digits = sum(map(str.isdigit, cell))
    return "phone" if digits >= 9 and cell.startswith("+") else "number"


@cache
def _heading_words() -> frozenset[str]:
    """Words of headings, lower case, in the languages that exports come in."""
    return frozenset(Path(__file__).with_name("heading_words.txt").read_text("utf-8").split())


def words(cell: str) -> list[str]:
    """The words of a heading, lower case: ``birthDate`` and ``birth_date`` are both two."""
    return [word.lower() for word in _TOKEN.findall(_CAMEL.sub(" ", cell))]


def _is_worded(cell: str) -> bool:
    """True where the words of a cell are those of headings, most of them."""
    found = words(cell)
    if not found or len(found) > 8:
        return False
    headings = _heading_words()
    known = sum(word in headings or word.rstrip("s") in headings for word in found)
    return known == len(found) if cell[0].isdigit() else known >= 0.5 * len(found)


def is_name(cell: str) -> bool:
    """True for a cell that is surely a heading: words that headings use, or an identifier."""
    return _is_worded(cell) or _IDENTIFIER.fullmatch(cell) is not None


def _is_coded(cell: str, found: str) -> bool:
    """True for a text of figures: without any letter, or with a long number and no word of headings."""
    if found != "text":
        return False
    digits, letters = sum(map(str.isdigit, cell)), sum(map(str.isalpha, cell))
    if not letters:
        return digits > 0
    return digits >= 5 and letters < 2 * digits and not _is_worded(cell)


def has_header(rows: Sequence[Row]) -> bool:
    """True where the first row names the columns of those below it.

    Args:
        rows: the first rows of the table, blank ones left out. A single row is a header only by its words.
    """
    if not rows or not rows[0]:
        return False
    first = [cell.strip() for cell in rows[0]]
    body = [row for row in rows[1 : SAMPLE_ROWS + 1] if [cell.strip() for cell in row] != first]
    if not any(first) or any(len(cell) > NAME_CHARACTERS for cell in first):
        return False
    kinds = [kind(cell) for cell in first]
    if any(found in _VALUES_ONLY for found in kinds):
        return False
    apart = _stands_apart(first, kinds, body)
    if not apart and any(map(_is_coded, first, kinds)) and not _over_numbers(kinds, body):
        return False
    years = _are_years(first)
    score = sum(
        _column_score(cell, found, [row[index] for row in body if index < len(row)], years)
        for index, (cell, found) in enumerate(zip(first, kinds, strict=True))
    )
    named = sum(map(is_name, first))
    filled = sum(found != "blank" for found in kinds)
    return score + _word_score(named, filled) + _APART * apart > 0.5


def _word_score(named: int, filled: int) -> float:
    """Worth of ``named`` known headings among ``filled`` cells: most of them settle it."""
    share = named / max(1, filled)
    if named == 1 and filled > 2:
        return 0.4
    return 6.0 * share * min(1.0, 0.5 + named / 4) if share >= 0.25 or named >= 3 else share


def _stands_apart(first: Row, kinds: Row, body: Sequence[Row]) -> bool:
    """A word of its own in each column of a wide table, as hardly any row below has: few repeat it, too."""
    if len(first) < _WIDE or len(body) < _ENOUGH_ROWS or set(kinds) != {"text"} or not _is_distinct(first):
        return False
    alike = sum(len(row) == len(first) and _is_distinct(row) for row in body)
    below = [{row[at].strip() for row in body if at < len(row)} for at in range(len(first))]
    anew = sum(cell not in values for cell, values in zip(first, below, strict=True))
    return alike <= _ALIKE * len(body) and anew >= _ANEW * len(first)


def _over_numbers(kinds: Row, body: Sequence[Row]) -> bool:
    """Words over columns of numbers, in half of a table or more: one more row would have numbers there."""
    if len(body) < _SOME_ROWS:
        return False
    over = sum(
        found == "text" and {kind(row[at]) for row in body if at < len(row)} - {"blank"} == {"number"}
        for at, found in enumerate(kinds)
    )
    return over >= max(_SOME_COLUMNS, len(kinds) / 2)


def _is_distinct(row: Row) -> bool:
    """No cell is blank, none is there twice."""
    cells = [cell.strip() for cell in row]
    return len(set(cells)) == len(cells) and not any(cell.lower() in _NOTHING for cell in cells)


def _are_years(first: Row) -> bool:
    """True where the numbers of the row are headings of a series: years or counters, one after the other."""
    numbers = [int(cell) for cell in first if re.fullmatch(r"\d{1,4}", cell)]
    return len(numbers) >= 2 and all(after - before == 1 for before, after in pairwise(numbers))


def _column_score(cell: str, found: str, below: list[str], years: bool) -> float:
    """Evidence of one column that its first cell is a heading (above 0) or one more value (below 0)."""
    kinds = Counter(kind(value) for value in below)
    del kinds["blank"]
    total = kinds.total()
    if found in ("number", "date"):
        return 0.0 if years else -4.0 if not total or kinds[found] else -1.5
    if found == "blank" or not total:
        return 0.0
    common, count = kinds.most_common(1)[0]
    if common != "text" and count >= 0.8 * total:
        return 2.0 if total > 1 else 1.5
    return _text_score(cell, [value.strip() for value in below if value.strip()])


def _text_score(cell: str, values: list[str]) -> float:
    """The same for a column of text: by repetition, digits, length and case."""
    total = len(values)
    if cell in values:
        return -2.0
    score = 0.0
    digits = sum(any(map(str.isdigit, value)) for value in values) / total
    if digits >= 0.9 and total > 2:
        score += 1.0 if not any(map(str.isdigit, cell)) else -0.5
    lengths = {len(value) for value in values}
    if total > 4 and len(lengths) == 1:
        score += 1.0 if len(cell) not in lengths else -0.5
    if cell.islower() and sum(value[:1].isupper() for value in values) >= 0.9 * total:
        score += 0.7
    if cell.isupper() and len(cell) > 2 and sum(value.isupper() for value in values) <= 0.1 * total:
        score += 0.7
    return score or -0.2


def column_names(first: Row | None, width: int) -> list[str]:
    """Names of ``width`` columns: the header's cells, tidied; ``column_3`` where there is none."""
    cells = list(first or [])[:width]
    cells += [""] * (width - len(cells))
    return [" ".join(cell.split()) or f"column_{index}" for index, cell in enumerate(cells, 1)]
