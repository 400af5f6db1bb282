"""Many plain rows of an INSERT at once: quote states by vector arithmetic, cells by Arrow's CSV parser.

A window of bytes that starts at a row's opening parenthesis is examined as a whole. Where every quote stands
between cells, parentheses come in flat pairs and nothing but white space, a comma or the same statement's
head lies between them, the bytes are rewritten in place into CSV: what separates rows becomes line ends,
escapes become what Arrow understands, white space and prefixes go. The first row with anything else in it
ends the stretch; `scanner.readers.sqldump.careful` reads that one. Both give the same cells.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from scanner.readers.sqldump.careful import Blob
from scanner.readers.sqldump.grammar import Grammar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Places = NDArray[np.intp]

#: Turns a cell (bytes that should be text, or a binary literal) of the column of that index into text.
ToText = Callable[[int, "bytes | Blob"], str]

_OPEN, _CLOSE, _SPACE, _ODD = 1, 2, 4, 8
_QUOTE, _BACKSLASH, _COMMA, _NEWLINE = 39, 92, 44, 10
_NULLS = ["".join(letters) for letters in itertools.product(*zip("null", "NULL", strict=True))]
_GO = re.compile(rb"[Gg][Oo][ \t]*\r?\n")
_CAST = re.compile(
    rb"(CAST\()([Nn]?'(?:[^']++|'')*+'|[-+]?[0-9.]++(?:[eE][-+]?[0-9]++)?|0x[0-9A-Fa-f]*+|NULL)"
    rb"( [Aa][Ss] [A-Za-z_]\w*+(?:\(\w++(?:, ?\d++)?\))?\))(?=\s*+[,)])"
)
_BINARY = b"_binary '"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Plain rows from the start of a window.

    Attributes:
        columns: one Arrow string array a column.
        rows: how many.
        end: where the last of them ends in the window, after its parenthesis.
    """

    columns: list[Any]
    rows: int
    end: int


def rows(
    data: bytes, start: int, stop: int, head: bytes, width: int, grammar: Grammar, to_text: ToText
) -> Stretch | None:
    """The plain rows at the beginning of ``data[start:stop]``; None where there is not even one.

    Args:
        data: holds a row's opening parenthesis at ``start``.
        start: where the window begins.
        stop: where it ends.
        head: the statement's text up to its first row, which may stand between rows again.
        width: values in a row.
        grammar: the dialect's.
        to_text: makes cells of bytes that are not UTF-8, and of binary literals.
    """
    if b"'" in head:
        return None
    window = _Window(data[start:stop], grammar)
    window.hide()
    count = window.plain_rows(head, grammar.dialect.batches)
    if count == 0:
        return None
    columns = window.parse(count, width, to_text)
    if columns is None:
        return None
    return Stretch(columns, count, int(window.closes[count - 1]) + 1)


@cache
def _classes() -> bytes:
    """What each byte is outside strings, to translate by. Class 0 may be part of a plain bare cell."""
    import numpy as np

    table = np.full(256, _ODD, np.uint8)
    plain = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.+-@,'"
    table[np.frombuffer(plain, np.uint8)] = 0
    table[128:] = 0
    table[ord("(")] = _OPEN
    table[ord(")")] = _CLOSE
    table[np.frombuffer(b" \t\r\n", np.uint8)] = _SPACE
    return table.tobytes()


@cache
def _escapes() -> tuple[Bytes, Bytes]:
    """What the character after a backslash stands for; which of them need the careful way."""
    import numpy as np

    table = np.arange(256, dtype=np.uint8)
    for char, value in {b"0": 0, b"b": 8, b"n": 10, b"r": 13, b"t": 9, b"Z": 26}.items():
        table[char[0]] = value
    odd = np.zeros(256, np.uint8)
    odd[[ord("%"), ord("_")]] = 1
    return table, odd


def inside(quotes: NDArray[np.bool_]) -> Bytes:
    """1 from each opening quote up to before the closing one, else 0: a running exclusive-or.

    Worked out 64 places at a time: a word's prefix parities by six shifts, then the words' own by one scan.
    """
    import numpy as np

    packed = np.packbits(quotes, bitorder="little")
    words = np.zeros((len(packed) + 7) // 8, np.dtype("<u8"))
    words.view(np.uint8)[: len(packed)] = packed
    for shift in (1, 2, 4, 8, 16, 32):
        words ^= words << np.uint64(shift)
    odd = np.bitwise_xor.accumulate((words >> np.uint64(63)).astype(np.uint8))
    words[1:] ^= np.where(odd[:-1], np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0))
    return np.unpackbits(words.view(np.uint8), count=len(quotes), bitorder="little")


class _Window:
    """The bytes of a window and what is known of each."""

    def __init__(self, data: bytes, grammar: Grammar) -> None:
        import numpy as np

        self.data = data
        self.bytes: Bytes = np.frombuffer(data, np.uint8)
        self._grammar = grammar
        self._odd: list[Places] = []
        self._dropped: list[tuple[Places, Places]] = []
        self._blobs: list[tuple[Places, bool]] = []
        quotes = self.bytes == _QUOTE
        self.escaped: Places | None = None
        if grammar.backslash and b"\\" in data:
            self.escaped = self._escaped()
            quotes[self.escaped] = False
        self.inside = inside(quotes)
        self.quotes: Places = np.flatnonzero(quotes)
        self.opens: Places = self.quotes[:0]
        self.closes: Places = self.quotes[:0]

    def _escaped(self) -> Places:
        """Places after a backslash that is not itself escaped."""
        import numpy as np

        places = np.flatnonzero(self.bytes == _BACKSLASH)
        fresh = np.ones(len(places), bool)
        fresh[1:] = np.diff(places) != 1
        first = places[fresh][np.cumsum(fresh) - 1]
        escaped: Places = places[(places - first) % 2 == 0] + 1
        if len(escaped) and escaped[-1] == len(self.bytes):
            escaped = escaped[:-1]
        odd = _escapes()[1][self.bytes[escaped]] != 0
        if odd.any():
            self._odd.append(escaped[odd])
        return escaped

    def hide(self) -> None:
        """Set aside what is code rather than cell: casts, and words before strings."""
        import numpy as np

        dialect = self._grammar.dialect
        if dialect.batches and b"CAST(" in self.data:
            # Four pieces for each: what is before, "CAST(", what is cast, the rest. Their lengths tell.
            pieces = _CAST.split(self.data)
            places = np.cumsum(np.fromiter(map(len, pieces), np.intp, len(pieces)))[:-1].reshape(-1, 4)
            places = places[self._starts_cell(places[:, 0])]
            self._hide(places[:, 0], places[:, 1])
            self._hide(places[:, 2], places[:, 3])
        if dialect.delimiters and _BINARY in self.data:
            starts = np.array([m.start() for m in re.finditer(re.escape(_BINARY), self.data)], np.intp)
            starts = starts[self._starts_cell(starts)]
            ends = starts + len(_BINARY) - 1
            self._hide(starts, ends)
            self._blobs.append((ends, False))

    def _starts_cell(self, places: Places) -> NDArray[np.bool_]:
        """Which places are outside strings, after a separator."""
        found: NDArray[np.bool_] = (self.inside[places] == 0) & (_borders()[self.bytes[places - 1]] & 4 != 0)
        return found

    def _hide(self, starts: Places, ends: Places) -> None:
        self.inside[_ranges(starts, ends)] = 1
        self._drop(starts, ends)

    def _drop(self, starts: Places, ends: Places) -> None:
        if len(starts):
            self._dropped.append((starts, ends))

    def plain_rows(self, head: bytes, batches: bool) -> int:
        """How many rows from the start are plain. Sets ``opens`` and ``closes``, the rows' parentheses."""
        import numpy as np

        # The head may hold parentheses of its own. Where it stands inside a string this changes nothing.
        code = self.data.replace(head, b"_" * len(head))
        classes = np.frombuffer(code.translate(_classes()), np.uint8)
        special = np.flatnonzero((classes & (self.inside - 1)) != 0)
        kinds = classes[special]
        opens, closes = special[kinds == _OPEN], special[kinds == _CLOSE]
        count = min(len(opens), len(closes))
        if count == 0 or opens[0] != 0:
            return 0
        flat = opens[:count] < closes[:count]
        flat[:-1] &= closes[: count - 1] < opens[1:count]
        if len(opens) > count:
            flat[-1] &= bool(closes[count - 1] < opens[count])
        count = _leading(flat)
        if count == 0:
            return 0
        self.opens, self.closes = opens[:count], closes[:count]
        count = self._joined(count, head, batches)
        odd = special[kinds == _ODD]
        odd = np.concatenate([odd, self._outside(ord("-"), ord("-"))])
        for places in (odd, *self._odd):
            count = self._before(places, count)
        count = self._spaces(special[kinds == _SPACE], count)
        count = self._quotes(count)
        self._hexadecimal()
        return count

    def _before(self, places: Places, count: int) -> int:
        """At most ``count`` rows, and only those before the first that holds one of ``places``."""
        import numpy as np

        if not len(places) or not count:
            return count
        index = np.searchsorted(self.opens[:count], places, "right") - 1
        held = places < self.closes[:count][index]
        return min(count, int(index[held].min())) if held.any() else count

    def _joined(self, count: int, head: bytes, batches: bool) -> int:
        """How many rows until something else than a separator stands between two."""
        import numpy as np

        starts = self.closes[: count - 1] + 1
        lengths = self.opens[1:count] - starts
        good = np.zeros(count - 1, bool)
        for length in np.unique(lengths):
            group = np.flatnonzero(lengths == length)
            found = np.lib.stride_tricks.sliding_window_view(self.bytes, length)[starts[group]]
            first = found[0]
            if not _separates(first.tobytes(), head, batches):
                break
            good[group] = (found == first).all(axis=1)
        return _leading(good) + 1

    def _spaces(self, spaces: Places, count: int) -> int:
        """White space inside rows goes where it stands beside a comma or parenthesis; else the row is odd."""
        import numpy as np

        if not len(spaces) or not count:
            return count
        index = np.searchsorted(self.opens[:count], spaces, "right") - 1
        spaces = spaces[spaces < self.closes[:count][index]]
        if not len(spaces):
            return count
        breaks = np.flatnonzero(np.diff(spaces) != 1)
        starts = spaces[np.concatenate([[0], breaks + 1])]
        ends = spaces[np.concatenate([breaks, [len(spaces) - 1]])] + 1
        left, right = self.bytes[starts - 1], self.bytes[ends]
        beside = (left == _COMMA) | (left == 40) | (right == _COMMA) | (right == 41)
        self._drop(starts, ends)
        return self._before(starts[~beside], count)

    def _quotes(self, count: int) -> int:
        """Strings must be whole cells; ``N`` and ``X`` before one is taken note of, anything else is odd."""
        import numpy as np

        if not count:
            return 0
        last = np.searchsorted(self.quotes, self.closes[count - 1])
        opening, closing = self.quotes[:last:2], self.quotes[1:last:2]
        before, after = self.bytes[opening - 1], self.bytes[closing + 1]
        allowed = _borders()
        started = (allowed[before] & 1 != 0) | (self.inside[opening - 1] != 0)
        ended = (allowed[after] & 2 != 0) | (self.inside[closing + 1] != 0)
        if not started.all():
            started |= self._prefixes(opening, before)
        # A quote right after a closing one goes on with the same string, unless a prefix came between.
        return self._before(np.concatenate([opening[~started], closing[~ended]]), count)

    def _prefixes(self, opening: Places, before: Bytes) -> NDArray[np.bool_]:
        lower = before | 0x20
        binary = lower == ord("x")
        accepted: NDArray[np.bool_] = binary.copy()
        if self._grammar.dialect.batches:
            accepted |= lower == ord("n")
        accepted[opening < 2] = False
        accepted &= _borders()[self.bytes[opening - 2]] & 4 != 0
        places = opening[accepted] - 1
        self._drop(places, places + 1)
        if (accepted & binary).any():
            self._blobs.append((opening[accepted & binary], True))
        return accepted

    def _outside(self, first: int, second: int) -> Places:
        """Where two characters stand outside strings, by the place of the first."""
        import numpy as np

        places: Places = np.flatnonzero(self.bytes[1:] == second)
        found: Places = places[(self.bytes[places] == first) & (self.inside[places] == 0)]
        return found

    def _hexadecimal(self) -> None:
        places = self._outside(ord("0"), ord("x"))
        places = places[places > 0]
        places = places[_borders()[self.bytes[places - 1]] & 4 != 0]
        if len(places):
            self._blobs.append((places, True))

    def parse(self, count: int, width: int, to_text: ToText) -> list[Any] | None:
        """The columns of the first ``count`` rows; None where Arrow sees other rows than we do."""
        end = int(self.closes[count - 1]) + 1
        blobs = self._blob_cells(count, width)
        if blobs is None:
            return None
        options = {"delimiter": ",", "quote_char": "'", "double_quote": True, "ignore_empty_lines": True}
        options["escape_char"] = "\\" if self.escaped is not None else False
        try:
            return parse_cells(self._as_csv(count, end), count, width, options, _NULLS, to_text, blobs)
        except ValueError:  # digits that are not hexadecimal
            return None

    def _blob_cells(self, count: int, width: int) -> dict[int, dict[int, bool]] | None:
        """Which cells are binary literals: by column the rows, with whether they are in hexadecimal."""
        import numpy as np

        if not self._blobs:
            return {}
        commas = np.flatnonzero((self.bytes == _COMMA) & (self.inside == 0))
        cells: dict[int, dict[int, bool]] = {}
        for found, hexadecimal in self._blobs:
            places = found[found < self.closes[count - 1]]
            index = np.searchsorted(self.opens[:count], places, "right") - 1
            column = np.searchsorted(commas, places) - np.searchsorted(commas, self.opens[:count][index])
            if (column >= width).any():
                return None
            for row, number in zip(index.tolist(), column.tolist(), strict=True):
                cells.setdefault(number, {})[row] = hexadecimal
        return cells

    def _as_csv(self, count: int, end: int) -> Any:
        """The rows as CSV: separators become line ends, escapes what Arrow takes literally."""
        import numpy as np

        out = self.bytes[:end].copy()
        if self.escaped is not None:
            escaped = self.escaped[self.escaped < end]
            out[escaped] = _escapes()[0][out[escaped]]
        closes, opens = self.closes[:count], self.opens[:count]
        out[opens] = _NEWLINE
        out[closes] = _NEWLINE
        starts, ends = closes[:-1] + 1, opens[1:]
        dropped = list(self._dropped)
        if count > 1 and int((ends - starts).max()) <= 1:
            out[starts[ends > starts]] = _NEWLINE
        else:
            dropped.append((starts, ends))
        if not dropped:
            return out
        keep = np.ones(end, bool)
        for first, last in dropped:
            _clear(keep, first[last <= end], last[last <= end])
        return out[keep]


def parse_cells(
    body: Any,
    count: int,
    width: int,
    options: dict[str, Any],
    nulls: list[str],
    to_text: ToText,
    blobs: dict[int, dict[int, bool]],
) -> list[Any] | None:
    """Arrow's CSV parser on ``count`` rows of ``width`` cells: string columns, or None where it disagrees."""
    import pyarrow as pa

    binary = set(blobs)
    try:
        columns = _parse(body, count, width, options, nulls, binary)
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            return None
        binary = set(range(width))
        try:
            columns = _parse(body, count, width, options, nulls, binary)
        except pa.ArrowInvalid:
            return None
    if columns is None:
        return None
    for number in binary:
        columns[number] = _decoded(columns[number], number, blobs.get(number, {}), to_text)
    return columns


def _parse(
    body: Any, count: int, width: int, options: dict[str, Any], nulls: list[str], binary: set[int]
) -> list[Any] | None:
    import pyarrow as pa
    from pyarrow import csv

    names = [str(number) for number in range(width)]
    types = {name: pa.binary() if number in binary else pa.string() for number, name in enumerate(names)}
    table = csv.read_csv(
        pa.py_buffer(body),
        read_options=csv.ReadOptions(
            use_threads=False, block_size=max(len(body) + 64, 1024), column_names=names
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True, **options),
        convert_options=csv.ConvertOptions(
            column_types=types, null_values=nulls, strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    if table.num_rows != count:
        return None
    return [column.combine_chunks() for column in table.columns]


def _decoded(column: Any, number: int, blobs: dict[int, bool], to_text: ToText) -> Any:
    """A binary column as strings."""
    import pyarrow as pa

    if not blobs:
        try:
            return column.cast(pa.string())
        except pa.ArrowInvalid:
            pass
    cells = [
        None if cell is None else to_text(number, _literal(cell, blobs.get(row)))
        for row, cell in enumerate(column.to_pylist())
    ]
    return pa.array(cells, pa.string())


def _literal(cell: bytes, hexadecimal: bool | None) -> bytes | Blob:
    if hexadecimal is None:
        return cell
    if not hexadecimal:
        return Blob(cell)
    digits = cell.removeprefix(b"0x")
    return Blob(bytes.fromhex((b"0" * (len(digits) % 2) + digits).decode("ascii")))


@cache
def _borders() -> Bytes:
    """Bits: 1 may stand before a string, 2 after one, 4 before a prefix or a bare literal."""
    import numpy as np

    table = np.zeros(256, np.uint8)
    for char in b" \t\r\n":
        table[char] = 1 | 2 | 4
    table[_COMMA] = 1 | 2 | 4
    table[ord("(")] = 1 | 4
    table[ord(")")] = 2
    table[_QUOTE] = 1 | 2
    return table


def _separates(gap: bytes, head: bytes, batches: bool) -> bool:
    """Whether this is what may stand between the parentheses of two rows."""
    text = gap.strip()
    if text == b",":
        return True
    text = text.removeprefix(b";").lstrip()
    if batches:
        text = _GO.sub(b"", text, count=1) if _GO.match(text) else text
    return text.strip() == head


def _leading(good: NDArray[np.bool_]) -> int:
    """How many are true before the first that is not."""
    import numpy as np

    return int(np.argmin(good)) if len(good) and not good.all() else len(good)


def _clear(flags: NDArray[np.bool_], starts: Places, ends: Places) -> None:
    """Set the flags in all half-open ranges to False; those of one length, as heads of rows are, at once."""
    import numpy as np

    lengths = ends - starts
    if len(lengths) and lengths[0] > 1 and (lengths == lengths[0]).all():
        windows = np.lib.stride_tricks.sliding_window_view(flags, int(lengths[0]), writeable=True)
        windows[starts] = False
    else:
        flags[_ranges(starts, ends)] = False


def _ranges(starts: Places, ends: Places) -> Places:
    """All places of all half-open ranges."""
    import numpy as np

    lengths = ends - starts
    if len(lengths) and int(lengths.max()) == 1:
        single: Places = starts[lengths == 1]
        return single
    total = int(lengths.sum())
    offsets = np.arange(total) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    places: Places = np.repeat(starts, lengths) + offsets
    return places
