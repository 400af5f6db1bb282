"""Parquet and Arrow files: every type a string, nested ones taken apart, damage a gap."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import uuid
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers import base
from scanner.readers.arrowcells import Shredder
from scanner.readers.base import ReadContext, Reader
from scanner.readers.parquet import ArrowReader, ParquetReader
from tests.readers.folding import Folded, fold_bytes


def _parquet(table: pa.Table, **options: Any) -> bytes:
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


def _file(table: pa.Table) -> bytes:
    target = io.BytesIO()
    with pa.ipc.new_file(target, table.schema) as writer:
        writer.write_table(table)
    return target.getvalue()


def _stream(table: pa.Table) -> bytes:
    target = io.BytesIO()
    with pa.ipc.new_stream(target, table.schema) as writer:
        writer.write_table(table)
    return target.getvalue()


_at = dt.datetime.fromisoformat
_UUID = uuid.UUID(int=7)

WRITERS = [(ParquetReader(), _parquet), (ArrowReader(), _file), (ArrowReader(), _stream)]
IDS = ["parquet", "file", "stream"]


def _read(reader: Reader, data: bytes, limits: Limits | None = None) -> Folded:
    assert reader.accepts(data[: base.HEAD_BYTES], "download") > 60
    return fold_bytes(reader, data, "a", ReadContext(limits or Limits()))


def _cells(folded: Folded) -> dict[str, list[Any]]:
    return {column.name: column.values for column in folded.table().columns}


def _one(column: pa.Array) -> dict[str, list[Any]]:
    """The cells that a single column comes out as."""
    return _cells(_read(ArrowReader(), _file(pa.table({"x": column}))))


@pytest.mark.parametrize(("reader", "write"), WRITERS, ids=IDS)
def test_a_plain_table(reader: Reader, write: Any) -> None:
    """Names, rows, and null apart from empty."""
    table = pa.table({"id": [1, 2, 3], "name": ["Ada", None, ""]})
    folded = _read(reader, write(table))
    assert _cells(folded) == {"id": ["1", "2", "3"], "name": ["Ada", None, ""]}
    assert folded.table().rows == 3
    assert folded.reasons == []


@pytest.mark.parametrize(("reader", "write"), WRITERS, ids=IDS)
def test_an_empty_table_has_its_columns(reader: Reader, write: Any) -> None:
    """No rows, but the columns are there to be listed."""
    folded = _read(
        reader, write(pa.table({"id": pa.array([], pa.int64()), "n": pa.array([], pa.list_(pa.string()))}))
    )
    assert [column.name for column in folded.table().columns] == ["id", "n[]"]
    assert folded.table().rows == 0


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (
            pa.array([5551234567.0, 0.5, 1e17, float("nan"), None]),
            ["5551234567", "0.5", "100000000000000000", None, None],
        ),
        (pa.array([dt.date(1979, 5, 25)]), ["1979-05-25"]),
        (pa.array([_at("1979-05-25"), _at("2020-01-02T03:04:05")]), ["1979-05-25", "2020-01-02 03:04:05"]),
        (pa.array([_at("2020-01-02T03:04:05.6")]), ["2020-01-02 03:04:05.600000"]),
        (pa.array([_at("2020-01-02T03:00")], pa.timestamp("us", "Europe/Berlin")), ["2020-01-02 03:00:00"]),
        (pa.array([dt.time(1, 2, 3)]), ["01:02:03"]),
        (pa.array([decimal.Decimal("1.20")]), ["1.20"]),
        (pa.array([True, None]), ["true", None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array(["a"], pa.large_string()), ["a"]),
        (pa.array(["a"], pa.string_view()), ["a"]),
        (pa.array([b"plain", b"\x00\x01"]), ["plain", "0x0001"]),
        (pa.array([None, None], pa.null()), [None, None]),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), None),
        (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([_UUID.bytes], pa.binary(16))), [str(_UUID)]),
    ],
    ids=str,
)
def test_types(column: pa.Array, text: list[str | None] | None) -> None:
    """Each type comes out as a person would write it."""
    cells = _one(column)["x"]
    assert len(cells) == len(column)
    assert text is None or cells == text


def test_nested_columns() -> None:
    """Structs are key paths; elements of lists know their row."""
    rows = [
        {
            "name": {"first": "Ada"},
            "addresses": [{"street": "Main 1", "tags": ["a", "b"]}, {"street": "Main 2", "tags": []}],
        },
        {"name": None, "addresses": None},
        {"name": {"first": None}, "addresses": [{"street": "Main 3", "tags": ["c"]}]},
    ]
    for reader, write in WRITERS:
        folded = _read(reader, write(pa.Table.from_pylist(rows)))
        assert _cells(folded)["name.first"] == ["Ada", None, None]
        assert folded.table().column("addresses[].street").cells == [
            (1, "Main 1"),
            (1, "Main 2"),
            (3, "Main 3"),
        ]
        assert folded.table().column("addresses[].tags[]").cells == [(1, "a"), (1, "b"), (3, "c")]
        assert folded.table().rows == 3


def test_unions_are_gaps() -> None:
    """A type that is not read, at the top or deep inside, is told; the columns beside it are read."""
    kinds = pa.array([0, 1], pa.int8())
    union = pa.UnionArray.from_sparse(kinds, [pa.array([1, 2]), pa.array(["a", "b"])])
    inside = pa.StructArray.from_arrays([union], ["u"])
    folded = _read(ArrowReader(), _file(pa.table({"x": ["1", "2"], "u": union, "s": inside})))
    assert _cells(folded) == {"x": ["1", "2"]}
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [
        (Reason.UNSUPPORTED, "u"),
        (Reason.UNSUPPORTED, "s"),
    ]


def test_maps_and_fixed_lists() -> None:
    """Keys and values of maps, and lists of a fixed length."""
    maps = pa.array(
        [[("home", "555")], None, [("work", "556"), ("cell", None)]], pa.map_(pa.string(), pa.string())
    )
    fixed = pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2))
    table = _read(ArrowReader(), _file(pa.table({"m": maps, "f": fixed}))).table()
    assert table.column("m[].key").cells == [(1, "home"), (3, "work"), (3, "cell")]
    assert table.column("m[].value").cells == [(1, "555"), (3, "556"), (3, None)]
    assert table.column("f[]").cells == [(1, "1"), (1, "2"), (3, "3"), (3, "4")]


@given(
    st.lists(
        st.none() | st.lists(st.none() | st.lists(st.integers(0, 9), max_size=3), max_size=3), max_size=8
    ),
    st.integers(0, 4),
)
def test_lists_of_lists_in_any_slice(rows: list[Any], start: int) -> None:
    """Elements belong to their rows wherever the batch was cut from."""
    column = pa.array(rows, pa.list_(pa.list_(pa.int64()))).slice(start)
    shredder = Shredder("-", 10)
    found = [
        (row, value)
        for chunk in shredder.chunks(pa.record_batch({"x": column}))
        if chunk.row_ids is not None
        for row, value in zip(chunk.row_ids.to_pylist(), chunk.batch.column(0).to_pylist(), strict=True)
    ]
    wanted = [
        (number, str(value))
        for number, row in enumerate(rows[start:], 1)
        for inner in row or ()
        for value in inner or ()
    ]
    assert found == wanted


def test_many_rows_are_numbered_on() -> None:
    """Row numbers go on over batches and row groups."""
    table = pa.table({"x": [[n] for n in range(50_000)]})
    for data, reader in (
        (_parquet(table, row_group_size=7_000), ParquetReader()),
        (_file(table), ArrowReader()),
    ):
        folded = _read(reader, data)
        assert folded.table().rows == 50_000
        assert folded.table().column("x[]").cells[-1] == (50_000, "49999")


def test_long_binary_values_are_told() -> None:
    """What was not looked at of a value is a gap."""
    folded = _read(ArrowReader(), _file(pa.table({"photo": [b"\x00\xff" * 100, b"\x00"]})))
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [(Reason.UNSUPPORTED, "photo")]


def test_text_that_is_no_utf8_is_mended() -> None:
    """Writers do put other encodings into text columns."""
    text = pa.array([b"caf\xe9", b"ok"]).view(pa.string())
    folded = _read(ParquetReader(), _parquet(pa.table({"x": text})))
    assert _cells(folded)["x"] == ["café", "ok"]


def test_metadata_is_text() -> None:
    """What a person wrote about the file or a column."""
    schema = pa.schema(
        [pa.field("x", pa.int64(), metadata={"contact": "ada@example.org"})],
        metadata={"owner": "Ada", "pandas": "{}"},
    )
    folded = _read(ParquetReader(), _parquet(pa.table({"x": [1]}, schema=schema)))
    assert folded.texts["metadata"].text == "owner: Ada\nx: contact: ada@example.org\n"


def test_encrypted() -> None:
    """An encrypted footer is known by its magic number."""
    assert _read(ParquetReader(), b"PARE" + bytes(100) + b"PARE").reasons == ["encrypted"]


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns and the unpacked size are bounded."""
    wide = pa.table({f"c{n}": [n] for n in range(20)})
    folded = _read(ParquetReader(), _parquet(wide), Limits(columns=5))
    assert (len(folded.table().columns), folded.reasons) == (5, ["too_large"])
    monkeypatch.setattr(base, "RATIO_FROM", 1 << 20)
    bomb = _parquet(pa.table({"x": pa.array(["same"] * 2_000_000).dictionary_encode()}))
    assert _read(ParquetReader(), bomb).reasons == ["ratio"]


def test_feather_version_1_is_named() -> None:
    """Not read, but not a mystery either."""
    assert _read(ArrowReader(), b"FEA1" + bytes(64)).reasons == ["unsupported"]


@pytest.mark.parametrize(("reader", "write"), WRITERS, ids=IDS)
def test_cut_short(reader: Reader, write: Any) -> None:
    """A cut file is a gap, whatever came before."""
    data = write(pa.table({"x": ["some text"] * 5_000}))
    assert set(_read(reader, data[: len(data) // 2]).reasons) == {"corrupt"}


def test_parquet_with_one_damaged_column() -> None:
    """The other columns are read."""
    data = bytearray(
        _parquet(
            pa.table({"a": ["first"] * 100, "b": ["second"] * 100}), compression="NONE", use_dictionary=False
        )
    )
    at = pq.ParquetFile(io.BytesIO(bytes(data))).metadata.row_group(0).column(0).data_page_offset
    data[at : at + 10] = b"\xff" * 10
    folded = _read(ParquetReader(), bytes(data))
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [(Reason.CORRUPT, "a")]
    assert _cells(folded)["b"] == ["second"] * 100


@given(st.binary(max_size=200))
@example(b"PAR1" + bytes(20) + b"PAR1")
@example(b"ARROW1\0\0" + bytes(30) + b"ARROW1")
@example(b"\xff\xff\xff\xff\x10\0\0\0" + bytes(16))
def test_any_bytes_end(data: bytes) -> None:
    """Behind either magic number: it ends."""
    for reader, start, end in (
        (ParquetReader(), b"PAR1", b"PAR1"),
        (ArrowReader(), b"ARROW1\0\0", b"ARROW1"),
    ):
        fold_bytes(reader, start + data + end)
