"""Delimited text is read completely: what was written comes back, whatever the dialect and the damage."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers import rowblocks
from scanner.readers.base import ReadContext, ReadError, Source, TableChunk
from scanner.readers.delimited import DelimitedReader
from scanner.readers.dialect import Dialect
from scanner.readers.rowblocks import RowBlocks
from tests.readers.folding import Folded, fold, fold_bytes

READER = DelimitedReader()
HEADER = ["customer_id", "email", "note"]


def _read(text: str, **limits: int) -> Folded:
    return fold_bytes(READER, text.encode(), "x.csv", ReadContext(Limits(**limits)))


def _rows(folded: Folded) -> list[list[str | None]]:
    """The table as rows in their order, absent cells as None."""
    table = folded.table()
    grid: list[list[str | None]] = [[None] * len(table.columns) for _ in range(table.rows)]
    for index, column in enumerate(table.columns):
        for row, value in column.cells:
            grid[row - 1][index] = value
    return grid


CELL = st.text(st.sampled_from('ab é"\n;,\t|1'), max_size=8)


@given(
    rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=30),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    ends=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_is_read(
    rows: list[tuple[str, str]], delimiter: str, ends: str, quoting: int
) -> None:
    """Every cell that Python's csv module writes comes back as it was."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ends, quoting=quoting)  # type: ignore[arg-type]
    written = [[str(number), *row] for number, row in enumerate(rows)]
    # Rows that leave no doubt about the dialect come first.
    plain = [["1", "anna@example.com", "first"], ["2", "bert@example.org", "second"]] * 20
    writer.writerows([HEADER, *plain, *written])
    folded = _read(text.getvalue())
    assert folded.reasons == []
    assert [column.name for column in folded.table().columns] == HEADER
    assert _rows(folded) == [*plain, *written]


@given(st.lists(st.lists(st.text(st.sampled_from("abc1 "), min_size=1, max_size=4), min_size=1, max_size=6)))
def test_ragged_rows_are_read_in_their_places(rows: list[list[str]]) -> None:
    """Cells too many go to columns of their own, cells too few are absent, the order stays."""
    plain = [["1", "a@b.de", "x"]] * 20
    text = "".join(",".join(row) + "\n" for row in [HEADER, *plain, *rows])
    found = _rows(_read(text))
    width = len(found[0])
    assert found == [row + [None] * (width - len(row)) for row in [*plain, *rows]]


def test_blocks_of_many_rows_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several blocks, with cells over several lines and a ragged row here and there."""
    lines = [
        f'{n},"mail{n}@example.com","line {n}\nand, more"\n' if n % 7 else f"{n},short\n"
        for n in range(90_000)
    ]
    text = ",".join(HEADER) + "\n" + "".join(lines)
    monkeypatch.setattr(rowblocks, "BLOCK", 1 << 20)
    assert len(text) > 3 * rowblocks.BLOCK
    folded = _read(text)
    found = _rows(folded)
    assert len(found) == len(lines)
    assert [row[0] for row in found] == [str(n) for n in range(90_000)]
    assert found[7] == ["7", "short", None]
    assert found[89_998] == ["89998", "mail89998@example.com", "line 89998\nand, more"]


def _repeated(block: bytes, times: int, end: bytes) -> io.BufferedReader:
    class Blocks(io.RawIOBase):
        def __init__(self) -> None:
            self._blocks: Iterator[bytes] = iter([b"id,note\n1,", *[block] * times, end])
            self._left = b""

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
            self._left = self._left or next(self._blocks, b"")
            count = min(len(view), len(self._left))
            view[:count] = self._left[:count]
            self._left = self._left[count:]
            return count

    return io.BufferedReader(Blocks(), 1 << 20)


@pytest.mark.parametrize("block", [b"x" * (1 << 20), b"x," * (1 << 19)], ids=["one cell", "many cells"])
def test_an_endless_line_costs_neither_memory_nor_time(block: bytes) -> None:
    """A line of 100 MB is left out with a gap; the rows around it are read."""
    source = Source(_repeated(block, 100, b"\n2,after\n"), "x.csv")
    started = time.monotonic()
    tracemalloc.start()
    folded = fold(READER.read(source, ReadContext(Limits(line_mb=8))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert folded.reasons == [Reason.TOO_LARGE]
    assert _rows(folded)[-1][:2] == ["2", "after"]
    assert peak < 64 << 20
    assert time.monotonic() - started < 20


def test_a_cell_of_a_megabyte_is_whole() -> None:
    """Large cells below the limit come as they are."""
    note = "word " * 250_000
    folded = _read(f'id,note\n1,"{note}"\n2,x\n')
    assert folded.reasons == []
    assert folded.table().column("note").values == [note, "x"]


def test_a_quote_never_closed_in_a_large_file_swallows_nothing() -> None:
    """Rows far after it are rows."""
    rows = "".join(f"{n},note {n}\n" for n in range(200_000))
    folded = _read(f'id,note\n0,"open\n{rows}', line_mb=1)
    assert folded.table().rows == 200_001
    assert folded.table().column("note").values[-1] == "note 199999"


def test_a_stream_that_breaks_gives_its_rows_first() -> None:
    """The error of the stream comes after all rows before it."""

    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            if not data:
                raise ReadError(Reason.CORRUPT, "cut off")
            return data

    source = Source(Breaking(b"id,name\n" + b"1,Anna\n" * 50_000), "x.csv")
    events = READER.read(source, ReadContext())
    folded = fold(events)
    assert folded.error is not None
    assert folded.table().rows == 50_000


def test_reading_begins_at_the_start_without_a_look_before() -> None:
    """A source whose head nobody asked for loses nothing."""
    folded = fold(READER.read(Source.of_bytes(b"id,name\n1,Anna\n", "x.csv"), ReadContext()))
    assert folded.table().rows == 1


NO_TABLES = {
    "prose.txt": "Dear Anna,\n\nthank you, and see you soon, in Ulm.\nIt was good, really.\n\nYours,\nBert\n",
    "app.log": "2024-05-06 10:11:12,123 INFO a, b\n2024-05-06 10:11:13,124 INFO a, b\n" * 5,
    "messages": "2024-05-06 10:11:12,123 INFO a, b\n2024-05-06 10:11:13,124 INFO a, b\n" * 5,
    "settings.txt": "host: example.com\nport: 22\nuser: anna\nmode: fast\n",
    "notes.txt": "Milk, eggs\nBread, butter\nCheese, ham, wine\nTea\n",
    "README": "Title\n=====\n\nSome text; with marks.\nMore text; here.\n",
    "main.c": "int main(int argc, char **argv)\n{\n  return f(a, b);\n}\n",
    "hosts": "127.0.0.1 localhost\n192.0.2.7 web\n",
    "image.csv": "\x00\x01\x02\x03" * 100,
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_not_taken_for_one(name: str) -> None:
    """Prose, logs, settings and programs hold delimiters too."""
    assert READER.accepts(NO_TABLES[name].encode(), name) == 0


TABLES = {
    "export": "id|name|city\n1|Anna|Ulm\n2|Bert|Bonn\n3|Eve|Kiel\n",
    "people.txt": "id\tname\n1\tAnna\n2\tBert\n3\tEve\n",
    "list.dat": "1,Anna,anna@example.com\n2,Bert,bert@example.org\n3,Eve,eve@example.net\n",
    "data.txt": "name,email\nAnna,anna@example.com\nBert,bert@example.org\nEve,eve@example.net\n",
    "passwd": "root:x:0:0:root:/root:/bin/sh\nanna:x:1000:1000:Anna:/home/anna:/bin/sh\n"
    "bert:x:1001:1001:Bert:/home/bert:/bin/sh\n",
    "one.csv": "anna@example.com\nbert@example.org\n",
    "empty.csv": "",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_known_by_content_or_by_name(name: str) -> None:
    """Rows that agree are a table under any name; a weak case under a table's name."""
    assert READER.accepts(TABLES[name].encode(), name) > 20


def test_a_personal_value_never_names_a_column() -> None:
    """Not even where the rows below it are of another kind."""
    folded = _read("anna@example.com,0171 5550100\nx,y\nz,w\n")
    assert [column.name for column in folded.table().columns] == ["column_1", "column_2"]
    assert folded.table().rows == 3
    assert not folded.table().headed


@given(st.text(st.sampled_from('a",\n\r'), max_size=60), st.integers(1, 9))
@example('"a\n"', 2)
@example('a,"\n', 1)
@example('a"b\n"c', 3)
def test_blocks_hold_every_byte_once(text: str, size: int) -> None:
    """However small the reads, the blocks put together are the input."""

    class Trickle(io.BytesIO):
        def read(self, wanted: int | None = -1) -> bytes:
            return super().read(min(size, wanted or size) if wanted != -1 else size)

    data = text.encode()
    blocks = RowBlocks(Trickle(data), b"", Dialect(","), 1 << 20)
    assert b"".join(block.data for block in blocks) == data
    assert blocks.left_out == 0


@given(st.binary(max_size=300))
@example(b'"')
@example(b"sep=,")
@example(b"a,b\n\0")
@example(b"\r\n" * 60)
@example(b'a+|"b&|\n+|c&|\n')
def test_any_bytes_end_in_chunks_or_gaps(data: bytes) -> None:
    """No bytes make it raise anything but a `ReadError`, and chunks keep their contract."""
    folded = fold_bytes(READER, data, "x.csv")
    for table in folded.tables.values():
        assert all(len(column.cells) <= table.rows for column in table.columns)


def test_chunks_are_record_batches_of_strings() -> None:
    """Blocks of rows come as vectors, not one by one."""
    text = "id,name\n" + "1,Anna\n" * 1000
    chunks = [
        event
        for event in READER.read(Source.of_bytes(text.encode()), ReadContext())
        if isinstance(event, TableChunk)
    ]
    assert [chunk.batch.num_rows for chunk in chunks] == [1000]
