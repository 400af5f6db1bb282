"""The cells of one column of one chunk, made ready for kernels.

Blank cells are put aside, and where values repeat the kernels see each distinct one once, with its count.
Every row counts; nothing is sampled here. What several kernels ask (lengths, digits, which bytes occur) is
computed when first asked for, over the column's one buffer: by `scanner.native` where it was compiled and no
cell is too long for it, else with numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scanner import native
from scanner.detect import bytesets
from scanner.detect.hashing import ColumnHasher, Hashes, string_buffers

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_PROBE = 1_024
_REPEATS = 0.5
#: Fewer values are matched one by one: Arrow compiles a pattern for each call, which takes as long.
_FEW = 128
#: Cells longer than this are not laid under one another.
_WIDEST = 64
_SIDE_BY_SIDE = 64
_BLANKS = np.zeros(256, dtype=bool)
_BLANKS[[9, 10, 11, 12, 13, 32]] = True

#: Classes of bytes that kernels ask for, each a few vector operations.
_CLASSES: dict[str, Callable[[Bytes], Mask]] = {
    "digit": lambda data: (data - np.uint8(48)) < 10,
    "letter": lambda data: ((data | np.uint8(32)) - np.uint8(97)) < 26,
    "colon": lambda data: data == 58,
    "dash": lambda data: data == 45,
    "dot": lambda data: data == 46,
    "at": lambda data: data == 64,
    "space": lambda data: data == 32,
    "beyond ascii": lambda data: data >= 128,
}
_LANES = {kind: lane for lane, kind in enumerate(_CLASSES)}
_EVERY_BYTE = np.arange(256, dtype=np.uint8)
_MEMBERS = {kind: test(_EVERY_BYTE) for kind, test in _CLASSES.items()}
_IN_LANES = np.zeros(256, dtype=np.uint64)
for _kind, _lane in _LANES.items():
    _IN_LANES[_MEMBERS[_kind]] = np.uint64(1 << 8 * _lane)
#: Classes of one byte, by it.
_SINGLE = {int(np.flatnonzero(held)[0]): kind for kind, held in _MEMBERS.items() if held.sum() == 1}
_SET = np.arange(256) != 0


@dataclass
class Cells:
    """Distinct or plain values of a column chunk.

    Attributes:
        values: string array without nulls and blanks.
        counts: occurrences of each value; None where every value stands for one row.
        codes: for each non-blank row the index of its value; None where they are one to one.
        row_ids: the table's row numbers of the non-blank rows.
        rows: cells of the chunk, blank ones included.
        kept: which cells of the chunk are not blank; None where all are not.
    """

    values: pa.Array
    counts: NDArray[np.int64] | None
    codes: NDArray[np.int64] | None
    row_ids: Rows
    rows: int
    hasher: ColumnHasher
    kept: Mask | None = None
    _masks: dict[str, Mask | None] = field(default_factory=dict, repr=False)
    _counted: dict[str, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, array: pa.Array, row_ids: Rows, hasher: ColumnHasher, repeating: bool | None = None) -> Cells:
        """The cells of a string array that may hold nulls and blanks.

        Args:
            array: string or large_string array.
            row_ids: table row number of each cell.
            hasher: hashes values for distinct counts.
            repeating: whether values repeat so that each distinct one is worth looking at once; a probe tells
                where it is None.
        """
        rows = len(array)
        keep = _not_blank(array)
        if keep is not None:
            array = array.filter(pa.array(keep))
            row_ids = row_ids[keep]
        if not (repeats(array) if repeating is None else repeating):
            return cls(array, None, None, row_ids, rows, hasher, keep)
        encoded = array.dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        counts = np.bincount(codes, minlength=len(encoded.dictionary)).astype(np.int64)
        return cls(encoded.dictionary, counts, codes, row_ids, rows, hasher, keep)

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return len(self.row_ids)

    @cached_property
    def hashes(self) -> Hashes:
        """A keyed hash for each of ``values``."""
        return self.hasher.hash_buffers(self.data, self.offsets)

    @cached_property
    def _buffers(self) -> tuple[Bytes, Rows]:
        data, offsets = string_buffers(self.values)
        return data[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0]

    @property
    def data(self) -> Bytes:
        """The bytes of all ``values``, one after the other."""
        return self._buffers[0]

    @property
    def offsets(self) -> Rows:
        """Where each of ``values`` begins in `data`, and the end of the last."""
        return self._buffers[1]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each of ``values``."""
        return np.diff(self.offsets)

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest of ``values``; 0 where there is none."""
        return int(self.lengths.max(initial=0))

    @cached_property
    def digits(self) -> NDArray[np.int64]:
        """ASCII digits in each of ``values``."""
        return self.how_many("digit")

    @cached_property
    def _all_counts(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]] | None:
        """For each of ``values`` how many bytes of each class, and for all; None where numpy must count."""
        if not native.ready():
            return None
        counted = native.counts(self.data, self.offsets, _IN_LANES)
        if counted is None:
            return None
        return counted[0].view(np.uint8).reshape(-1, native.LANES), counted[1]

    def occurrences(self, byte: int) -> int:
        """How often a byte occurs in ``values``."""
        if byte in _SINGLE:
            return self.total(_SINGLE[byte])
        return int(np.count_nonzero(self.data == byte))

    def any(self, kind: str) -> bool:
        """Whether a byte of a class (``digit``, ``letter``, …) occurs in ``values``."""
        return self.total(kind) > 0

    def total(self, kind: str) -> int:
        """Bytes of a class in all ``values``."""
        if self._all_counts is not None:
            return int(self._all_counts[1][_LANES[kind]])
        mask = self._mask(kind)
        return 0 if mask is None else int(np.count_nonzero(mask))

    def how_many(self, kind: str) -> NDArray[np.int64]:
        """Bytes of a class in each of ``values``."""
        if kind not in self._counted:
            self._counted[kind] = self._count(kind)
        return self._counted[kind]

    def _count(self, kind: str) -> NDArray[np.int64]:
        if self._all_counts is not None:
            return self._all_counts[0][:, _LANES[kind]].astype(np.int64)
        mask = self._mask(kind)
        return np.zeros(len(self.values), np.int64) if mask is None else self._per_cell(mask)

    def may_run(self, kinds: tuple[str, ...], length: int, among: Mask) -> Mask:
        """Which values ``among`` may have ``length`` bytes of some classes in a row; no other has."""
        if native.ready():
            wanted = np.logical_or.reduce([_MEMBERS[kind] for kind in kinds])
            return native.runs(self.data, self.offsets, among, wanted, length)
        masks = [mask for kind in kinds if (mask := self._mask(kind)) is not None]
        if not masks:
            return np.zeros(len(self.values), dtype=bool)
        return among & self._may_run(np.logical_or.reduce(masks), length)

    def _may_run(self, mask: Mask, length: int) -> Mask:
        long = self.lengths >= length
        out = (self._per_cell(mask) == self.lengths) & long
        edges = np.concatenate(([-1], np.flatnonzero(~mask), [len(mask)]))
        wide = np.flatnonzero(np.diff(edges) > length)
        # A stretch may lie across values; all that it touches are taken.
        first = np.searchsorted(self.offsets, edges[wide] + 1, side="right") - 1
        last = np.searchsorted(self.offsets, edges[wide + 1] - 1, side="right") - 1
        size = len(self.offsets)
        steps = np.bincount(first, minlength=size) - np.bincount(last + 1, minlength=size)
        touched: Mask = (np.cumsum(steps[:-1]) > 0) & long
        either: Mask = out | touched
        return either

    def anywhere(self, pattern: str) -> bool:
        r"""Whether an RE2 pattern finds something in all ``values`` written one after the other.

        Where it does not, it finds nothing in any single value either, unless it asks for borders (``^``).
        """
        found: bool = compiled(pattern).search(self.data.tobytes()) is not None
        return found

    @cached_property
    def web_marks(self) -> Mask | None:
        """Flags for `data` where ``://``, ``www`` or a point before a letter begins; None: nowhere."""
        data = self.data
        if len(data) < 3:
            return None
        flags = np.zeros(len(data), dtype=bool)
        if self.any("dot") and (dots := self._mask("dot")) is not None:
            flags[:-1] = dots[:-1] & (((data[1:] | np.uint8(32)) - np.uint8(97)) < 26)
        if self.any("colon") and (colons := self._mask("colon")) is not None:
            flags[:-2] |= colons[:-2] & (data[1:-1] == 47) & (data[2:] == 47)
        small_w = (data | np.uint8(32)) == 119
        twice = small_w[:-1] & small_w[1:]
        if twice.any():
            flags[:-2] |= twice[:-1] & small_w[2:]
        flags[self.offsets[1:] - 1] = False  # what follows is another value
        return flags if flags.any() else None

    def holding(self, mask: Mask) -> Mask:
        """Which values hold a byte flagged in ``mask``, which has one flag for each byte of `data`."""
        if native.ready():
            return native.holding(mask.view(np.uint8), self.offsets, _SET)
        held: Mask = self._per_cell(mask) > 0
        return held

    def search(self, pattern: str, among: Mask | None = None) -> Mask:
        """Which values an RE2 pattern finds something in; only those ``among`` are looked at."""
        if among is not None and not among.any():
            return np.zeros(len(self.values), dtype=bool)
        asked = bytesets.read(pattern)
        if asked is not None:
            out = self._holding_any(asked) ^ asked.every
            return out if among is None else out & among
        if (same := self._same_for_all(pattern)) is not None:
            return np.full(len(self.values), same) if among is None else among & same
        if among is None or among.all():
            return _match(self.values, pattern)
        out = np.zeros(len(self.values), dtype=bool)
        out[among] = _match(self.values.filter(pa.array(among)), pattern)
        return out

    def _holding_any(self, asked: bytesets.ByteSet) -> Mask:
        """Which values hold a byte of a set."""
        if native.ready():
            return native.holding(self.data, self.offsets, asked.flags)
        inside = asked.inside(self.data)
        return np.zeros(len(self.values), dtype=bool) if inside is None else self.holding(inside)

    def count(self, mask: Mask) -> int:
        """Rows whose value is in ``mask``."""
        if self.counts is None:
            return int(np.count_nonzero(mask))
        return int(self.counts[mask].sum())

    def spread(self, mask: Mask) -> Mask:
        """Which cells of the chunk, blank ones included, have a value in ``mask``."""
        rows = mask if self.codes is None else mask[self.codes]
        if self.kept is None:
            return rows
        out = np.zeros(self.rows, dtype=bool)
        out[self.kept] = rows
        return out

    def first_rows(self, mask: Mask, limit: int) -> tuple[int, ...]:
        """The first row numbers whose value is in ``mask``."""
        if not limit:
            return ()
        rows = mask if self.codes is None else mask[self.codes]
        return tuple(int(row) for row in np.sort(self.row_ids[rows])[:limit])

    def take(self, indices: NDArray[np.int64]) -> list[str]:
        """The values at ``indices``."""
        taken: list[str] = self.values.take(pa.array(indices)).to_pylist()
        return taken

    @cached_property
    def template(self) -> str | None:
        """What all values look like where they differ in nothing but digits (``0000-00-00``), else None."""
        width = self.longest
        if not 0 < width <= _WIDEST or len(self.data) != width * len(self.values):
            return None
        low, high = (_fold_rows(self.data, width, fold) for fold in (np.minimum, np.maximum))
        digits = (low >= 48) & (high <= 57)
        if not (digits | (low == high)).all() or (high >= 128).any():
            return None
        return "".join("0" if digit else chr(code) for digit, code in zip(digits, low.tolist(), strict=True))

    def is_one_shape(self, pattern: str) -> bool:
        """Whether all values differ in nothing but digits and the RE2 pattern finds something in each."""
        return self._same_for_all(pattern) is True

    def _same_for_all(self, pattern: str) -> bool | None:
        """The pattern's answer for all values, where they have one `template` and digits are alike to it."""
        if self.template is None or not _digits_alike(pattern):
            return None
        return compiled(pattern).search(self.template.encode()) is not None

    def _mask(self, kind: str) -> Mask | None:
        """The bytes of a class, None where there is none."""
        if kind not in self._masks:
            mask = _CLASSES[kind](self.data)
            self._masks[kind] = mask if mask.any() else None
        return self._masks[kind]

    def _per_cell(self, mask: Mask) -> NDArray[np.int64]:
        """Flagged bytes in each value."""
        flagged = int(np.count_nonzero(mask))
        if flagged * 4 < len(self.values):
            cells = np.searchsorted(self.offsets, np.flatnonzero(mask), side="right") - 1
            return np.bincount(cells, minlength=len(self.values))
        prefix = _prefix(mask)
        at: NDArray[np.int64] = prefix[self.offsets]
        return np.diff(at)


def _fold_rows(data: Bytes, width: int, fold: np.ufunc) -> Bytes:
    """The least or the largest byte at each place of rows ``width`` wide, many rows side by side at first."""
    wide = width * _SIDE_BY_SIDE
    whole = len(data) // wide * wide
    parts = [data[whole:].reshape(-1, width)]
    if whole:
        parts.append(fold.reduce(data[:whole].reshape(-1, wide), axis=0).reshape(-1, width))
    folded: Bytes = fold.reduce(np.concatenate(parts), axis=0)
    return folded


def _prefix(mask: Mask) -> NDArray[Any]:
    """Flags before each place, and all of them at the end."""
    prefix = np.empty(len(mask) + 1, dtype=np.int32)
    prefix[0] = 0
    np.cumsum(mask, out=prefix[1:], dtype=np.int32)
    return prefix


@cache
def compiled(pattern: str) -> Any:
    """An RE2 pattern for bytes, compiled once a process: Arrow's kernels speak the same language.

    For text the binding would keep account of characters at each search, which costs three times the search.
    """
    import re2

    options = re2.Options()
    options.log_errors = False  # what it logs goes to standard error, past everything
    return re2.compile(pattern.encode(), options=options)


@cache
def _digits_alike(pattern: str) -> bool:
    r"""Whether a pattern cannot tell one digit from another: all it has of digits is ``\d`` and ``0-9``."""
    import re

    bare = re.sub(
        r"\[0-9|0-9(?=[^\[]*\])|\\d|\\p\{Nd?\}|\{[0-9]+(?:,[0-9]*)?\}|\\x[0-9a-fA-F]{2}", "", pattern
    )
    return re.search("[0-9]", bare) is None and not _odd_range(pattern)


def _odd_range(pattern: str) -> bool:
    r"""Whether a class has a range in ``\x..`` codes that parts the digits from one another."""
    import re

    codes = [int(code, 16) for code in re.findall(r"\\x([0-9a-fA-F]{2})", pattern)]
    return any(0x30 <= code < 0x39 or code == 0x39 for code in codes)


def _match(values: pa.Array, pattern: str) -> Mask:
    if len(values) < _FEW:
        found = compiled(pattern)
        texts = values.cast(pa.large_binary()).to_pylist()
        return np.fromiter((found.search(text) is not None for text in texts), bool, len(values))
    return _as_mask(pc.match_substring_regex(values, pattern))


def _not_blank(array: pa.Array) -> Mask | None:
    """Which cells hold something, or None where all do."""
    filled = None
    if array.null_count:
        filled = _as_mask(pc.is_valid(array))
        array = pc.fill_null(array, "")
    data, offsets = string_buffers(array)
    lengths = np.diff(offsets)
    short = lengths == 0
    # Only a cell that begins with white space can be all white space.
    if short.any():
        begins = np.zeros(len(array), dtype=bool)
        some = ~short
        begins[some] = _BLANKS[data[offsets[:-1][some]]]
    else:
        begins = data[offsets[:-1]] <= 32
    if begins.any():
        at = np.flatnonzero(begins)
        trimmed = pc.utf8_trim_whitespace(array.take(pa.array(at)))
        short[at] = _as_mask(pc.equal(trimmed, ""))
    if not short.any() and filled is None:
        return None
    kept: Mask = ~short if filled is None else filled & ~short
    return kept


def repeats(array: pa.Array) -> bool:
    """Whether values repeat enough in a probe to make a dictionary worth its price."""
    if len(array) < 64:
        return False
    probe = array.slice(0, _PROBE)
    return len(pc.unique(probe)) < _REPEATS * len(probe)


def _as_mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)
