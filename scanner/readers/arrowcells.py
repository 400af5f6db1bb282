"""Arrow columns of any type to columns of strings, nested ones taken apart into key paths.

A struct's fields become ``a.b``; the elements of a list become chunks of their own (``a[].b``) that say which
row each belongs to. Numbers and times come out as a person would write them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scanner.model import Gap, Reason, Stage, printable
from scanner.readers import blobs
from scanner.readers.base import TableChunk

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

#: Nesting of types; Parquet writers stay far below.
_DEPTH = 32
_MIDNIGHT = r"( 00:00:00)?\.0+$| 00:00:00$"


@dataclass(slots=True)
class Shredder:
    """Batches of one table to chunks.

    Attributes:
        table: the table's name.
        columns: limit of columns; further ones are counted in ``dropped``.
        opaque: binary values cut short, by column.
        unread: columns of types that are not read.
    """

    table: str
    columns: int
    rows: int = 0
    opaque: dict[str, int] = field(default_factory=dict)
    unread: dict[str, None] = field(default_factory=dict)
    dropped: dict[str, None] = field(default_factory=dict)

    def chunks(self, batch: pa.RecordBatch) -> Iterator[TableChunk]:
        """The batch's plain columns as one chunk, then each list's elements as another."""
        import numpy as np
        import pyarrow as pa

        found = _Columns(self)
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if holds_union(column.type):
                self.unread[name] = None
            else:
                found.take(name, column, None, 0)
        plain = found.levels.pop(None, None)
        arrays, names = plain or ([], [])
        schema = pa.schema([pa.field(name, pa.string()) for name in names])
        if arrays:
            flat = pa.RecordBatch.from_arrays(arrays, schema=schema)
        else:
            flat = pa.RecordBatch.from_struct_array(pa.array([{}] * batch.num_rows, pa.struct([])))
        yield TableChunk(self.table, flat, rows=batch.num_rows)
        for path, (elements, element_names) in found.levels.items():
            assert path is not None
            ids = pa.array(found.parents[path] + np.int64(self.rows + 1), pa.int64())
            below = pa.RecordBatch.from_arrays(elements, element_names)
            yield TableChunk(self.table, below, rows=0, row_ids=ids)
        self.rows += batch.num_rows

    def complaints(self) -> Iterator[Gap]:
        """Gaps for what was not read."""
        for name, count in self.opaque.items():
            detail = f"{count} binary values were looked at for their first {blobs.OPAQUE_BYTES} bytes only"
            yield Gap(Stage.READ, Reason.UNSUPPORTED, detail, printable(name))
        for name in self.unread:
            yield Gap(Stage.READ, Reason.UNSUPPORTED, "the column's type is not read", printable(name))
        if self.dropped:
            detail = f"{len(self.dropped)} columns over {self.columns} were not read (limits.columns)"
            yield Gap(Stage.READ, Reason.TOO_LARGE, detail)


def holds_union(kind: Any) -> bool:
    """True for a union, at any depth: some of Arrow's kernels end the process when given one."""
    import pyarrow as pa

    if pa.types.is_union(kind):
        return True
    if isinstance(kind, pa.BaseExtensionType):
        return holds_union(kind.storage_type)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return holds_union(kind.value_type)
    return any(holds_union(kind.field(at).type) for at in range(kind.num_fields))


class _Columns:
    """The leaves of one batch, by the list they are elements of (None: of no list)."""

    def __init__(self, shredder: Shredder) -> None:
        self._shredder = shredder
        self._count = 0
        self.levels: dict[str | None, tuple[list[pa.Array], list[str]]] = {}
        self.parents: dict[str, Rows] = {}

    def take(self, name: str, column: pa.Array, level: str | None, depth: int) -> None:
        """Take a column apart; ``level`` is the list that its values are elements of."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = column.type
        if depth > _DEPTH:
            self._shredder.unread[name] = None
        elif isinstance(column, pa.ExtensionArray) and kind.extension_name != "arrow.uuid":
            self.take(name, column.storage, level, depth + 1)
        elif pa.types.is_dictionary(kind):
            self.take(name, column.dictionary_decode(), level, depth + 1)
        elif pa.types.is_run_end_encoded(kind):
            self.take(name, pc.run_end_decode(column), level, depth + 1)
        elif pa.types.is_struct(kind):
            for at, child in enumerate(column.flatten()):
                self.take(f"{name}.{kind.field(at).name}", child, level, depth + 1)
        elif pa.types.is_map(kind):
            self._elements(name, column, level, depth, {"key": column.keys, "value": column.items})
        elif pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
            self._elements(name, column, level, depth, {"": column.values})
        elif pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
            self.take(name, column.cast(pa.large_list(kind.value_type)), level, depth + 1)
        else:
            self._leaf(name, column, level)

    def _elements(
        self, name: str, column: pa.Array, level: str | None, depth: int, children: dict[str, pa.Array]
    ) -> None:
        import numpy as np
        import pyarrow as pa

        indices, owners = _spread(column)
        path = f"{name}[]"
        self.parents[path] = owners if level is None else self.parents[level][owners]
        taken = pa.array(indices.astype(np.int64))
        for key, child in children.items():
            self.take(f"{path}.{key}" if key else path, child.take(taken), path, depth + 1)

    def _leaf(self, name: str, column: pa.Array, level: str | None) -> None:
        self._count += 1
        if self._count > self._shredder.columns:
            self._shredder.dropped[name] = None
            return
        cut: list[int] = [0]
        arrays, names = self.levels.setdefault(level, ([], []))
        arrays.append(strings(column, cut))
        names.append(name)
        if cut[0]:
            self._shredder.opaque[name] = self._shredder.opaque.get(name, 0) + cut[0]


def _spread(column: pa.Array) -> tuple[Rows, Rows]:
    """Where in the values the elements of each list lie, and which list each belongs to.

    Computed from the offsets, because Arrow's own kernel ends the process when it is given a map.
    """
    import numpy as np
    import pyarrow as pa

    count = len(column)
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
        starts = (np.arange(count, dtype=np.int64) + column.offset) * size
        lengths = np.full(count, size, dtype=np.int64)
    else:
        offsets = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
        starts, lengths = offsets[:-1], np.diff(offsets)
    if column.null_count:
        lengths = np.where(column.is_valid().to_numpy(zero_copy_only=False), lengths, 0)
    owners = np.repeat(np.arange(count, dtype=np.int64), lengths)
    firsts = np.cumsum(lengths) - lengths
    return np.repeat(starts - firsts, lengths) + np.arange(len(owners), dtype=np.int64), owners


def strings(column: pa.Array, cut: list[int]) -> pa.Array:
    """A column of a plain type as strings. Adds to ``cut[0]`` the binary values that were cut."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    types = pa.types
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return _texts(column)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return _each(column, lambda value: _binary(value, cut))
    if types.is_fixed_size_binary(kind):
        return _each(column, lambda value: _binary(value, cut))
    if isinstance(column, pa.ExtensionArray):
        return _each(column.storage, lambda value: str(uuid.UUID(bytes=value)))
    if types.is_floating(kind):
        return _floats(column)
    if types.is_timestamp(kind):
        # In UTC where it has a zone: names of zones need data that a system may lack.
        text = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
        return pc.replace_substring_regex(text, _MIDNIGHT, "")
    if types.is_time(kind):
        return pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    try:
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return _each(column, str)


def _texts(column: pa.Array) -> pa.Array:
    """Text as it is; a file may hold bytes there that are no UTF-8."""
    import pyarrow as pa

    text = column.cast(pa.string()) if column.type != pa.string() else column
    try:
        text.validate(full=True)
    except (pa.ArrowInvalid, ValueError):
        return _each(text.view(pa.binary()), lambda value: blobs.of_text(value)[0])
    return text


def _floats(column: pa.Array) -> pa.Array:
    """Numbers without an exponent where they are whole (a phone number that became a float), NaN as none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = column.cast(pa.float64())
    numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    text = numbers.cast(pa.string())
    whole = pc.and_(pc.equal(numbers, pc.trunc(numbers)), pc.less(pc.abs(numbers), 1e18))
    exponent = pc.and_(whole, pc.match_substring(text, "e"))
    if not pc.any(exponent).as_py():
        return text
    plain = pc.if_else(exponent, numbers, pa.scalar(0.0)).cast(pa.int64()).cast(pa.string())
    return pc.if_else(exponent, plain, text)


def _binary(value: bytes, cut: list[int]) -> str:
    text, was_cut = blobs.of_binary(value)
    cut[0] += was_cut
    return text


def _each(column: pa.Array, shown: Callable[[Any], str]) -> pa.Array:
    import pyarrow as pa

    return pa.array([None if value is None else shown(value) for value in column.to_pylist()], pa.string())


__all__ = ["Shredder", "holds_union", "strings"]
