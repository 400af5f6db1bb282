"""Parquet and Arrow files written anew, batch by batch, with their schema, row groups and compression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from scanner.readers import arrowcells
from scanner.readers.base import CHUNK_ROWS, Source
from scanner.remedy.base import KEEP, Do, PartPlan, Plan, Rewriter, Tools, Treatment

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE, _METADATA = "-", "metadata"
#: Bytes held before a row group is written, where the file's own are larger.
_GROUP_BYTES = 64 << 20
#: What pandas wrote about columns, which may not be there any more.
_ABOUT_COLUMNS = b"pandas"


class ParquetRewriter(Rewriter):
    """Parquet."""

    formats = ("parquet",)

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write the columns that stay.

        Raises:
            ReadError: the file is too large to hold where it must be.
        """
        import pyarrow.parquet as pq

        with source.seekable(tools.limits) as file:
            opened = pq.ParquetFile(file, pre_buffer=False)
            columns = _Columns(plan, tools)
            schema = columns.schema(opened.schema_arrow)
            with pq.ParquetWriter(out, schema, compression=_compression(opened.metadata)) as writer:
                rows = _group_rows(opened.metadata)
                batches = opened.iter_batches(batch_size=min(rows, CHUNK_ROWS), use_threads=False)
                for table in _groups(columns.batches(batches, schema), schema, rows):
                    writer.write_table(table, row_group_size=max(table.num_rows, 1))


class ArrowRewriter(Rewriter):
    """Arrow IPC files and streams."""

    formats = ("arrow",)

    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write the columns that stay.

        Raises:
            ReadError: the file is too large to hold where it must be.
        """
        import pyarrow as pa

        columns = _Columns(plan, tools)
        is_file = source.head.startswith(b"ARROW1")
        with source.seekable(tools.limits) as file:
            if is_file:
                opened = pa.ipc.open_file(file)
                batches: Iterable[Any] = (opened.get_batch(at) for at in range(opened.num_record_batches))
            else:
                opened = batches = pa.ipc.open_stream(file)
            schema = columns.schema(opened.schema)
            start = pa.ipc.new_file if is_file else pa.ipc.new_stream
            with start(out, schema) as writer:
                for batch in columns.batches(batches, schema):
                    writer.write_batch(batch)


def _compression(metadata: Any) -> str:
    if not metadata.num_row_groups or not metadata.num_columns:
        return "snappy"
    name = str(metadata.row_group(0).column(0).compression).lower()
    return "none" if name == "uncompressed" else name


def _group_rows(metadata: Any) -> int:
    groups = range(min(metadata.num_row_groups, 100))
    return max((metadata.row_group(at).num_rows for at in groups), default=CHUNK_ROWS) or CHUNK_ROWS


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema, rows: int) -> Iterator[pa.Table]:
    """Batches gathered into row groups as large as the file's own, or as memory allows."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        enough = sum(each.num_rows for each in held) >= rows
        if enough or sum(each.get_total_buffer_size() for each in held) >= _GROUP_BYTES:
            yield pa.Table.from_batches(held, schema)
            held = []
    if held:
        yield pa.Table.from_batches(held, schema)


class _Columns:
    """What becomes of each leaf, by the key path that the reader calls it."""

    def __init__(self, plan: Plan, tools: Tools) -> None:
        self._part: PartPlan = plan.table(_TABLE)
        self._treatments = self._part.by_name()
        self._bare = plan.text(_METADATA).do is not Do.KEEP
        self._tools = tools
        self._seen: Counter[str] = Counter()

    def schema(self, schema: pa.Schema) -> pa.Schema:
        """The schema of what is written."""
        import pyarrow as pa

        empty = [pa.array([], field.type) for field in schema]
        done = self._columns(schema.names, empty)
        kept = [
            schema.field(at).with_type(column.type) for at, column in enumerate(done) if column is not None
        ]
        fields = [field.remove_metadata() for field in kept] if self._bare else kept
        metadata = dict(schema.metadata or {})
        if len(fields) < len(schema):
            metadata.pop(_ABOUT_COLUMNS, None)
        return pa.schema(fields, metadata=None if self._bare or not metadata else metadata)

    def batches(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The batches without what goes."""
        import pyarrow as pa

        for batch in batches:
            done = [
                column for column in self._columns(batch.schema.names, batch.columns) if column is not None
            ]
            if done:
                yield pa.RecordBatch.from_arrays(done, schema=schema)

    def _columns(self, names: list[str], columns: list[pa.Array]) -> list[pa.Array | None]:
        self._seen.clear()
        return [self._column(name, column) for name, column in zip(names, columns, strict=True)]

    def _column(self, name: str, column: pa.Array) -> pa.Array | None:
        """A column as it is to be; None where it goes."""
        import pyarrow as pa

        below = any(each.startswith((f"{name}.", f"{name}[]")) for each, _ in self._treatments)
        if not below:
            return self._leaf(self._treatment(name), column)
        kind = column.type
        if isinstance(column, pa.ExtensionArray):
            return self._column(name, column.storage)
        if column.offset:
            # Offsets and masks of a slice are those of the whole.
            column = pa.concat_arrays([column])
        if pa.types.is_struct(kind):
            return self._struct(name, column)
        if pa.types.is_map(kind):
            keys = self._column(f"{name}[].key", column.keys)
            items = self._column(f"{name}[].value", column.items)
            if keys is None or items is None:
                return None
            return pa.MapArray.from_arrays(column.offsets, keys, items)
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            values = self._column(f"{name}[]", column.values)
            make = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
            nulls = column.is_null() if column.null_count else None
            return None if values is None else make.from_arrays(column.offsets, values, mask=nulls)
        # Of a list of another sort nothing can be taken out: all of it goes.
        return None

    def _struct(self, name: str, column: pa.Array) -> pa.Array | None:
        import pyarrow as pa

        fields, children = [], []
        for at, child in enumerate(column.flatten()):
            field = column.type.field(at)
            done = self._column(f"{name}.{field.name}", child)
            if done is not None:
                fields.append(field.with_type(done.type))
                children.append(done)
        if not children:
            return None
        return pa.StructArray.from_arrays(children, fields=fields, mask=column.is_null())

    def _treatment(self, name: str) -> Treatment:
        nth = self._seen[name]
        self._seen[name] += 1
        return self._treatments.get((name, nth), KEEP)

    def _leaf(self, treatment: Treatment, column: pa.Array) -> pa.Array | None:
        import pyarrow as pa

        if treatment.do is Do.KEEP:
            return column
        if treatment.do is Do.DROP:
            return None
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        cells = arrowcells.strings(column, [0]).to_pylist()
        large = pa.types.is_large_string(column.type)
        return pa.array(self._tools.cells(treatment, cells), pa.large_string() if large else pa.string())
