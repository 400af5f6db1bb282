"""Events of a reader, folded into what a test can compare: tables, texts, children, gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scanner.model import Gap
from scanner.readers.base import (
    CHUNK_CHARACTERS,
    Child,
    Event,
    ReadContext,
    Reader,
    ReadError,
    Source,
    TableChunk,
    TextChunk,
)

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True)
class FoldedColumn:
    """All cells of a column in order: ``(row from 1, value)``; nulls too."""

    name: str
    hidden: bool = False
    cells: list[tuple[int, str | None]] = field(default_factory=list)

    @property
    def values(self) -> list[str | None]:
        """The cells without their row numbers."""
        return [value for _, value in self.cells]

    @property
    def nonblank(self) -> int:
        """Cells that are neither absent nor blank."""
        return sum(1 for _, value in self.cells if value is not None and value.strip())


@dataclass(slots=True)
class FoldedTable:
    """A table put together from its chunks."""

    name: str
    rows: int = 0
    hidden: bool = False
    headed: bool = True
    columns: list[FoldedColumn] = field(default_factory=list)

    def column(self, name: str) -> FoldedColumn:
        """The column of that name; ``name#2`` is the second of two that share it."""
        base, mark, number = name.rpartition("#")
        wanted, nth = (base, int(number)) if mark and number.isdigit() else (name, 1)
        return [column for column in self.columns if column.name == wanted][nth - 1]

    def add(self, chunk: TableChunk) -> None:
        """Put a chunk's rows to the table's.

        Raises:
            AssertionError: the chunk breaks the contract of `TableChunk`.
        """
        batch = chunk.batch
        assert all(str(kind) in ("string", "large_string") for kind in batch.schema.types), batch.schema
        batch.validate(full=True)
        rows = batch.num_rows if chunk.rows is None else chunk.rows
        if chunk.row_ids is None:
            assert batch.num_rows == rows
            ids = list(range(self.rows + 1, self.rows + 1 + batch.num_rows))
        else:
            ids = chunk.row_ids.to_pylist()
            assert len(ids) == batch.num_rows
        self._add_columns(chunk, batch, ids)
        self.rows += rows
        self.hidden = self.hidden or chunk.hidden
        self.headed = chunk.headed

    def _add_columns(self, chunk: TableChunk, batch: pa.RecordBatch, ids: list[int]) -> None:
        seen: dict[str, int] = {}
        for index, name in enumerate(batch.schema.names):
            seen[name] = seen.get(name, 0) + 1
            same = [column for column in self.columns if column.name == name]
            if len(same) < seen[name]:
                column = FoldedColumn(name)
                self.columns.append(column)
            else:
                column = same[seen[name] - 1]
            column.hidden = column.hidden or index in chunk.hidden_columns
            column.cells.extend(zip(ids, batch.column(index).to_pylist(), strict=True))


@dataclass(slots=True)
class FoldedText:
    """A text part put together from its chunks."""

    name: str
    hidden: bool = False
    text: str = ""


@dataclass(slots=True)
class Folded:
    """All that a reader gave for one item. ``error`` is the `ReadError` that ended it, if one did."""

    tables: dict[str, FoldedTable] = field(default_factory=dict)
    texts: dict[str, FoldedText] = field(default_factory=dict)
    children: list[tuple[str, int]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    error: ReadError | None = None

    def add(self, event: Event) -> None:
        """Put one event to the rest."""
        match event:
            case TableChunk():
                self.tables.setdefault(event.table, FoldedTable(event.table)).add(event)
            case TextChunk():
                assert 0 < len(event.text) <= CHUNK_CHARACTERS
                part = self.texts.setdefault(event.name, FoldedText(event.name, event.hidden))
                part.text += event.text
            case Child():
                self.children.append((event.name, _length(event)))
            case Gap():
                self.gaps.append(event)

    @property
    def reasons(self) -> list[str]:
        """The reasons of all gaps in order, that of the error last."""
        found = [str(gap.reason) for gap in self.gaps]
        return [*found, str(self.error.reason)] if self.error is not None else found

    def table(self, name: str = "-") -> FoldedTable:
        """The table of that name."""
        return self.tables[name]


def _length(child: Child) -> int:
    length = 0
    while block := child.stream.read(1 << 16):
        length += len(block)
    return length


def fold(events: Iterable[Event]) -> Folded:
    """Read all events; a `ReadError` is kept, any other exception is not."""
    folded = Folded()
    try:
        for event in events:
            folded.add(event)
    except ReadError as error:
        folded.error = error
    return folded


def fold_bytes(reader: Reader, data: bytes, name: str = "", context: Any = None) -> Folded:
    """Read bytes in memory with one reader."""
    return fold(reader.read(Source.of_bytes(data, name), context or ReadContext()))
