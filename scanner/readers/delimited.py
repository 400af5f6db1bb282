"""Delimited text (CSV and its kin): as fast as Arrow reads it where it is regular, complete where it is not.

The text is cut into blocks of whole rows, and each block is one call of Arrow's CSV parser. Rows that do not
have the header's number of cells are handed back by Arrow and read here: cells too many go to columns of
their own, cells too few are absent. Delimiters of several characters are first replaced by one that the block
lacks.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, cast

from scanner.config import Limits
from scanner.model import Gap, Reason, Stage
from scanner.readers.base import HEAD_BYTES, Event, ReadContext, Reader, Source, TableChunk
from scanner.readers.compression import Quiet
from scanner.readers.dialect import Dialect, Layout, is_table, lay_out, lines_of, parse
from scanner.readers.encoding import as_utf8, detect, head_text
from scanner.readers.headers import column_names
from scanner.readers.rowblocks import Block, RowBlocks
from scanner.readers.text import is_log, pieces

if TYPE_CHECKING:
    import pyarrow as pa

#: Endings that promise a table, and those that may well be one.
_TABLE_NAMES = (".csv", ".tsv", ".psv", ".tab", ".ssv", ".csv.txt")
_HINTED_NAMES = (".dat", ".del", ".out", ".unl", ".bcp", ".asc")
_NEVER_NAMES = (".log", ".md", ".py", ".js", ".css", ".html", ".htm", ".xml", ".eml", ".sql", ".yaml", ".yml")
#: Bytes looked at for the layout, where the first lines are longer than the head.
_LONG_HEAD = 1 << 20
#: Bytes that no text uses, to part cells with instead of a delimiter that Arrow does not take.
_SPARE = b"\x1f\x1e\x1d\x1c\x02\x03"

#: Row numbers in a block with the raw row, as Arrow gives back those of another width.
_Ragged = list[tuple[int, str]]


class DelimitedReader(Reader):
    """Reads delimited text as one table, ``-``."""

    format = "csv"
    limitations = (
        "Several tables in one file are read as one, with ragged rows.",
        "Cells of fixed width without a delimiter are read as text.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Text whose rows agree; a weak agreement or one column only where the name ends like a table's."""
        lowered = name.lower()
        text = head_text(head)
        if text is None or lowered.endswith(_NEVER_NAMES):
            return 0
        named = lowered.endswith(_TABLE_NAMES)
        if not named and is_log(text):
            return 0
        layout = lay_out(text, whole=len(head) < HEAD_BYTES, delimited=named)
        if layout is not None and is_table(layout, hinted=named or lowered.endswith(_HINTED_NAMES)):
            return 75 if named else 45
        if named:
            return 15 if text.lstrip().startswith(("{", "[", "<")) else 40
        return 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """The table's rows in order, after whatever stands before it as text.

        Raises:
            ReadError: the stream's, after all rows before it.
        """
        utf8 = as_utf8(source.stream, detect(source.head))
        stream = Quiet(cast("IO[bytes]", utf8))
        start = read_start(stream)
        text = start.decode("utf-8", "ignore")
        layout = lay_out(text, whole=len(start) < HEAD_BYTES, delimited=True)
        if layout is not None:
            yield from pieces("preamble", [layout.preamble] if layout.preamble else [])
            rest = start[len(text[: layout.start].encode()) :]
            yield from _Table(layout, context.limits).chunks(cast("IO[bytes]", stream), rest)
        if (gap := utf8.gap()) is not None:
            yield gap
        if stream.error is not None:
            raise stream.error


def read_start(stream: Quiet) -> bytes:
    """Enough of a text to see its layout: a head's worth, or three lines where they are longer."""
    parts: list[bytes] = []
    size = lines = 0
    while size < HEAD_BYTES or (lines < 3 and size < _LONG_HEAD):
        block = stream.read(HEAD_BYTES)
        if not block:
            break
        parts.append(block)
        size += len(block)
        lines += block.count(b"\n") + block.count(b"\r")
    return b"".join(parts)


@dataclass(slots=True)
class _Table:
    """The table under reading: its columns, and what had to be cut or left out."""

    layout: Layout
    limits: Limits
    names: list[str] = field(init=False)
    rows: int = 0
    cut_cells: int = 0
    cut_columns: int = 0
    empty: bool = True

    def __post_init__(self) -> None:
        width = min(self.layout.width, self.limits.columns)
        self.cut_columns = self.layout.width - width
        self.names = column_names(self.layout.header, width)

    @property
    def headed(self) -> bool:
        return self.layout.header is not None

    def chunks(self, stream: IO[bytes], rest: bytes) -> Iterator[Event]:
        """All rows of ``rest`` and ``stream`` as chunks, then gaps for what was cut."""
        blocks = RowBlocks(stream, rest, self.layout.dialect, self.limits.line_mb << 20)
        for block in blocks:
            yield from self._block(block)
        if self.empty and self.headed:
            yield self._chunk(_batch(self.names, [[] for _ in self.names]), None)
        yield from self._gaps(blocks.left_out)

    def _block(self, block: Block) -> Iterator[TableChunk]:
        dialect = self.layout.dialect
        if block.literal:
            dialect = Dialect(dialect.delimiter, "", "", dialect.row_mark)
        parsed = None if self.cut_columns else _parse_with_arrow(block.data, dialect, len(self.names))
        if parsed is None:
            rows = [row for row in _parse_rows(block.data, dialect) if row]
            yield from self._from_rows(rows, None)
            return
        arrays, ragged = parsed
        regular = len(arrays[0]) if arrays else 0
        if not ragged:
            yield from self._from_arrays(arrays, regular, None)
            return
        places = [place for place, _ in ragged]
        first = self.rows + 1
        others = _complement(places, regular + len(places))
        yield from self._from_arrays(arrays, regular, [first - 1 + place for place in others])
        rows = [_one_row(text, dialect) for _, text in ragged]
        yield from self._from_rows(rows, [first - 1 + place for place in places])

    def _from_arrays(self, arrays: list[pa.Array], count: int, ids: list[int] | None) -> Iterator[TableChunk]:
        if not count:
            return
        import pyarrow as pa

        limit = self.limits.cell_mb << 20
        arrays = [self._cut(array, limit) if array.nbytes > limit else array for array in arrays]
        yield self._chunk(pa.RecordBatch.from_arrays(arrays, names=self.names), ids)

    def _from_rows(self, rows: list[list[str]], ids: list[int] | None) -> Iterator[TableChunk]:
        if not rows:
            return
        width = max(map(len, rows))
        if width > self.limits.columns:
            self.cut_columns = max(self.cut_columns, width - self.limits.columns)
            width = self.limits.columns
        names = [*self.names, *(f"column_{n}" for n in range(len(self.names) + 1, width + 1))]
        columns = [[row[n] if n < len(row) else None for row in rows] for n in range(len(names))]
        limit = self.limits.cell_mb << 20
        batch = _batch(names, [self._cut_list(column, limit) for column in columns])
        yield self._chunk(batch, ids)

    def _chunk(self, batch: pa.RecordBatch, ids: list[int] | None) -> TableChunk:
        import pyarrow as pa

        self.rows += batch.num_rows
        self.empty = False
        row_ids = pa.array(ids, pa.int64()) if ids is not None else None
        return TableChunk("-", batch, batch.num_rows, row_ids, headed=self.headed)

    def _cut(self, array: pa.Array, limit: int) -> pa.Array:
        import pyarrow as pa

        return pa.array(self._cut_list(array.to_pylist(), limit), pa.string())

    def _cut_list(self, cells: list[str | None], limit: int) -> list[str | None]:
        for index, cell in enumerate(cells):
            if cell is not None and len(cell) > limit // 4 and len(data := cell.encode()) > limit:
                cells[index] = data[:limit].decode("utf-8", "ignore")
                self.cut_cells += 1
        return cells

    def _gaps(self, left_out: int) -> Iterator[Gap]:
        limits = self.limits
        told = (
            (left_out, f"rows over {limits.line_mb} MiB were left out (limits.line_mb)"),
            (self.cut_cells, f"cells were cut at {limits.cell_mb} MiB (limits.cell_mb)"),
            (self.cut_columns, f"columns over {limits.columns} were left out (limits.columns)"),
        )
        for count, what in told:
            if count:
                yield Gap(Stage.READ, Reason.TOO_LARGE, f"{count} {what}")


def _batch(names: Sequence[str], columns: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [pa.array(column, pa.string()) for column in columns], names=list(names)
    )


def _complement(places: list[int], total: int) -> list[int]:
    """The numbers from 1 to ``total`` that are not among ``places``."""
    taken = set(places)
    return [place for place in range(1, total + 1) if place not in taken]


def _parse_rows(data: bytes, dialect: Dialect) -> Iterator[list[str]]:
    """Rows by Python's own means; where the csv module gives up, each line is split as it stands."""
    lines = lines_of(data.decode("utf-8"))
    try:
        yield from list(parse(lines, dialect))
    except csv.Error:
        for line in lines:
            cells = line.rstrip("\r\n")
            if cells:
                yield cells.split(dialect.delimiter) if dialect.delimiter else [cells]


def _one_row(text: str, dialect: Dialect) -> list[str]:
    """The cells of one raw row, whatever it is like."""
    return [cell for row in _parse_rows(text.encode(), dialect) for cell in row]


def _parse_with_arrow(data: bytes, dialect: Dialect, width: int) -> tuple[list[pa.Array], _Ragged] | None:
    """A block's columns and its ragged rows; None where it is nothing for Arrow."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    simple = _simplified(data, dialect)
    if simple is None:
        return None
    data, delimiter, restore = simple
    ragged: _Ragged = []

    def keep(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number, restore(row.text)))
        return "skip"

    names = [str(index) for index in range(width)]
    quote = dialect.quote if dialect.quote and dialect.quote.encode() in data else False
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(data) + 1, column_names=names
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=quote,
                double_quote=not dialect.escape,
                escape_char=dialect.escape or False,
                newlines_in_values=bool(quote),
                invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    return [column.combine_chunks() for column in table.columns], ragged


def _simplified(data: bytes, dialect: Dialect) -> tuple[bytes, str, Callable[[str], str]] | None:
    """The block as Arrow can read it, the delimiter in it, and how to turn a raw row back."""
    if dialect.is_plain:
        return data, dialect.delimiter, str
    spare = next((bytes([byte]) for byte in _SPARE if byte not in data), None)
    if spare is None or (dialect.quote and dialect.quote.encode() in data):
        return None
    delimiter, mark = dialect.delimiter.encode(), dialect.row_mark.encode()
    if mark:
        ends = data.count(mark + b"\n") + data.count(mark + b"\r\n")
        if data.count(b"\n") != ends or data.count(b"\r") != data.count(mark + b"\r\n"):
            return None
        data = data.replace(mark + b"\n", b"\n").replace(mark + b"\r\n", b"\n").removesuffix(mark)
    if delimiter:
        data = data.replace(delimiter, spare)
    return data, spare.decode(), lambda row: row.replace(spare.decode(), dialect.delimiter)
