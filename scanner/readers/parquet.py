"""Parquet files and Arrow IPC files and streams (Feather), batch by batch.

Formats: the Parquet and the Arrow columnar format specifications, read by pyarrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scanner.model import Gap, Reason, Stage, printable
from scanner.readers import xmlparts
from scanner.readers.arrowcells import Shredder
from scanner.readers.base import CHUNK_BYTES, CHUNK_ROWS, Event, ReadContext, Reader, ReadError, Source

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_TABLE = "-"
#: Keys of the metadata that programs write for themselves.
_NOISE = frozenset(
    (
        b"pandas",
        b"iceberg.schema",
        b"org.apache.spark.sql.parquet.row.metadata",
        b"org.apache.spark.version",
        b"parquet.avro.schema",
        b"writer.model.name",
    )
)
#: Bytes of a column that are read at once: a row group is never in memory whole.
_BUFFER = 1 << 20


class ParquetReader(Reader):
    """Parquet files with all their columns, nested ones as key paths."""

    format = "parquet"
    limitations = (
        "Binary values that are no text are shown by their first bytes.",
        "Unions are not read (a gap).",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Certain of the magic number, of an encrypted file's too."""
        return 97 if head.startswith((b"PAR1", b"PARE")) else 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """One table, and the text in the file's metadata.

        Raises:
            ReadError: ``encrypted``, ``corrupt``, ``unsupported`` or over a limit.
        """
        if source.head.startswith(b"PARE"):
            raise ReadError(Reason.ENCRYPTED, "the Parquet file is encrypted, its footer too")
        import pyarrow as pa
        import pyarrow.parquet as pq

        with source.seekable(context.limits) as file:
            context.open_container(file.seek(0, 2))
            file.seek(0)
            try:
                opened = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False, memory_map=False)
                yield from _parquet(opened, context)
            except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
                raise _translated(error, "Parquet") from None


def _parquet(opened: pq.ParquetFile, context: ReadContext) -> Iterator[Event]:
    shredder = Shredder(_TABLE, context.limits.columns)
    schema = opened.schema_arrow
    yield from _metadata(schema)
    columns, gaps = _readable(opened)
    yield from gaps
    if not opened.metadata.num_rows or not columns:
        yield from shredder.chunks(_empty(schema))
        return
    rows = _batch_rows(opened)
    wanted = columns if gaps else None
    for batch in opened.iter_batches(batch_size=rows, columns=wanted, use_threads=False):
        context.count_unpacked(batch.nbytes)
        yield from shredder.chunks(batch)
    yield from shredder.complaints()


def _readable(opened: pq.ParquetFile) -> tuple[list[str], list[Gap]]:
    """The columns that can be read, and gaps for those that cannot (encrypted, say).

    Each column's first batch is tried only where reading all of them together fails.
    """
    import pyarrow as pa

    names = list(dict.fromkeys(opened.schema_arrow.names))
    try:
        next(opened.iter_batches(batch_size=1, use_threads=False), None)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        failed, gaps = set(), []
        for name in names:
            try:
                next(opened.iter_batches(batch_size=1, columns=[name], use_threads=False), None)
            except (pa.ArrowException, OSError, ValueError, KeyError) as single:
                failed.add(name)
                gaps.append(_translated(single, "Parquet").gap())
                gaps[-1] = Gap(Stage.READ, gaps[-1].reason, gaps[-1].detail, printable(name))
        if len(failed) == len(names):
            raise _translated(error, "Parquet") from None
        return [name for name in names if name not in failed], gaps
    return names, []


def _batch_rows(opened: pq.ParquetFile) -> int:
    """Rows of a batch, fewer where rows are long."""
    metadata = opened.metadata
    groups = [metadata.row_group(at) for at in range(min(metadata.num_row_groups, 1000))]
    widest = max((g.total_byte_size / max(g.num_rows, 1) for g in groups), default=1)
    return int(min(CHUNK_ROWS, max(16, 4 * CHUNK_BYTES / max(widest, 1))))


class ArrowReader(Reader):
    """Arrow IPC files (Feather version 2) and streams."""

    format = "arrow"
    limitations = (
        "Feather version 1, which Arrow itself gave up, is not read.",
        "Unions are not read (a gap).",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Certain of a file's magic number; a stream is known by how its first message begins."""
        if head.startswith((b"ARROW1\0\0", b"FEA1")):
            return 97
        length = int.from_bytes(head[4:8], "little")
        if (
            head.startswith(b"\xff\xff\xff\xff")
            and len(head) > 16
            and 0 < length < 1 << 24
            and length % 8 == 0
        ):
            return 80
        return 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """One table, and the text in the schema's metadata.

        Raises:
            ReadError: ``corrupt``, ``unsupported`` or over a limit.
        """
        import pyarrow as pa

        if source.head.startswith(b"FEA1"):
            raise ReadError(Reason.UNSUPPORTED, "Feather version 1 is not read; write it anew as version 2")
        context.open_container(source.size)
        try:
            if source.head.startswith(b"ARROW1"):
                with source.seekable(context.limits) as file:
                    context.open_container(file.seek(0, 2))
                    opened = pa.ipc.open_file(file)
                    batches = (opened.get_batch(at) for at in range(opened.num_record_batches))
                    yield from _arrow(opened.schema, batches, context)
            else:
                stream = pa.ipc.open_stream(source.stream)
                yield from _arrow(stream.schema, iter(stream), context)
        except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError) as error:
            raise _translated(error, "Arrow") from None


def _arrow(schema: pa.Schema, batches: Iterator[pa.RecordBatch], context: ReadContext) -> Iterator[Event]:
    shredder = Shredder(_TABLE, context.limits.columns)
    yield from _metadata(schema)
    given = False
    for batch in batches:
        # Offsets come straight from the file: unchecked they would lead anywhere in memory.
        batch.validate(full=True)
        # Not `nbytes`, which ends the process on a union.
        context.count_unpacked(batch.get_total_buffer_size())
        for at in range(0, batch.num_rows, CHUNK_ROWS):
            given = True
            yield from shredder.chunks(batch.slice(at, CHUNK_ROWS))
    if not given:
        yield from shredder.chunks(_empty(schema))
    yield from shredder.complaints()


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [
            pa.array([], field.type) if not _is_extension(field.type) else pa.array([], pa.string())
            for field in schema
        ],
        names=schema.names,
    )


def _is_extension(kind: Any) -> bool:
    import pyarrow as pa

    return isinstance(kind, pa.BaseExtensionType)


def _metadata(schema: pa.Schema) -> Iterator[Event]:
    """What people wrote into the metadata of the file and of its columns."""
    lines = _entries("", schema.metadata)
    for entry in schema:
        lines.extend(_entries(f"{entry.name}: ", entry.metadata))
    yield from xmlparts.chunks("metadata", lines)


def _entries(prefix: str, metadata: dict[bytes, bytes] | None) -> list[str]:
    return [
        f"{prefix}{key.decode('utf-8', 'replace')}: {value.decode('utf-8', 'replace')}"
        for key, value in (metadata or {}).items()
        if key not in _NOISE and not key.startswith((b"PARQUET:", b"ARROW:")) and value
    ]


def _translated(error: BaseException, name: str) -> ReadError:
    """What a library said, by its reason; its words may quote the data and are left out."""
    import pyarrow as pa

    if isinstance(error, ReadError):
        return error
    if isinstance(error, MemoryError):
        return ReadError(Reason.MEMORY, f"a part of the {name} file needs more memory than there is")
    words = str(error).lower()
    if "crypt" in words:
        return ReadError(Reason.ENCRYPTED, f"the {name} file, or a column of it, is encrypted")
    if isinstance(error, pa.ArrowNotImplementedError) or "codec" in words:
        return ReadError(Reason.UNSUPPORTED, f"the {name} file uses a feature that is not read")
    return ReadError(Reason.CORRUPT, f"the {name} file is damaged or cut short")


__all__ = ["ArrowReader", "ParquetReader"]
