"""JSON is read the same however it is laid out, completely where it is damaged, and keys are no names."""

from __future__ import annotations

import io
import json
import string
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers import jsondoc, shred
from scanner.readers.base import ReadContext, Source, TableChunk
from scanner.readers.jsondoc import JsonReader, has_long_digits, loads
from tests.readers.folding import Folded, FoldedTable, fold, fold_bytes

READER = JsonReader()
KEYS = st.sampled_from(["id", "name", "email", "note", "city"])
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=2, max_size=12)


def _cells(table: FoldedTable) -> dict[str, list[tuple[int, str]]]:
    """All values by column, absent ones left out."""
    found = {c.name: [(row, value) for row, value in c.cells if value is not None] for c in table.columns}
    return {name: cells for name, cells in found.items() if cells}


def _read(data: str | bytes, name: str = "x.json", **limits: int) -> Folded:
    data = data.encode() if isinstance(data, str) else data
    return fold_bytes(READER, data, name, ReadContext(Limits(**limits)))


@given(RECORDS)
def test_an_array_lines_and_a_sequence_are_the_same_table(records: list[dict[str, Any]]) -> None:
    """The same records, laid out in four ways."""
    array = _read(json.dumps(records))
    lines = _read("".join(json.dumps(record) + "\n" for record in records), "x.jsonl")
    pretty = _read("\n".join(json.dumps(record, indent=2) for record in records))
    assert array.reasons == lines.reasons == pretty.reasons == []
    assert array.table().rows == lines.table().rows == pretty.table().rows == len(records)
    assert _cells(array.table()) == _cells(lines.table()) == _cells(pretty.table())


@given(RECORDS, st.sampled_from([None, 1]))
def test_large_documents_are_read_like_small_ones(records: list[dict[str, Any]], indent: int | None) -> None:
    """Cut between elements, or event by event: the tables are those of the document parsed whole."""
    for document in (records, {"meta": {"page": 1}, "results": records, "next": None}):
        data = json.dumps(document, indent=indent)
        whole = _read(data)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsondoc, "_SMALL", 64)
            patch.setattr(jsondoc, "_BLOCK", 32)
            patch.setattr(jsondoc, "_PATIENCE", 200)
            streamed = _read(data)
        assert streamed.reasons == whole.reasons == []
        assert {name: table.rows for name, table in streamed.tables.items()} == {
            name: table.rows for name, table in whole.tables.items()
        }
        for name, table in whole.tables.items():
            assert _cells(streamed.table(name)) == _cells(table)


@pytest.mark.parametrize(
    "key",
    ["anna@example.com", "0171 5550100", "123e4567-e89b-12d3-a456-426614174000", "2024-05-06", "x" * 200],
)
@pytest.mark.parametrize("shape", ["document", "record", "nested", "mixed", "streamed"])
def test_a_value_used_as_a_key_names_nothing(key: str, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a value of a column, wherever it stands, and the name of no column and no table."""
    inner = {"role": "owner", "tags": [{"t": 1}]}
    document: Any = {
        "document": {key: inner},
        "streamed": {key: inner},
        "record": [{key: inner}, {key: inner}],
        "nested": [{"id": 1, "by": {key: inner}}],
        "mixed": {"id": 1, "name": "x", "city": "y", key: inner, "rows": [{key: 1, "id": 2, "name": "z"}]},
    }[shape]
    if shape == "streamed":
        monkeypatch.setattr(jsondoc, "_SMALL", 8)
    folded = _read(json.dumps(document))
    names = [*folded.tables, *(column.name for table in folded.tables.values() for column in table.columns)]
    assert not any(key in name for name in names)
    values = {value for t in folded.tables.values() for c in t.columns for value in c.values}
    assert key in values


def test_an_object_of_many_keys_is_a_map() -> None:
    """Names of people as keys look like nothing; there are too many of them to be fields."""
    letters = string.ascii_lowercase
    document = {f"Anna {a}{b}q": {"n": 1, a: 2} for a in letters for b in letters}
    folded = _read(json.dumps(document))
    assert folded.table().rows == len(document)
    assert folded.table().column("{key}").values == list(document)


def test_a_record_of_many_named_fields_is_no_map() -> None:
    """A wide export stays a table of its fields."""
    record = {f"customer_field_{chr(97 + n // 26)}{chr(97 + n % 26)}": n for n in range(400)}
    folded = _read(json.dumps([record] * 3))
    assert [column.name for column in folded.table().columns] == list(record)


def test_numbers_keep_their_digits() -> None:
    """Also where they are longer than a machine word."""
    assert loads(b'{"a": 12345678901234567890123}') == {"a": 12345678901234567890123}
    assert not has_long_digits(b'{"a": 123456789012345}' * 3)


def test_damage_in_the_middle_of_a_large_array(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is whole before it is a table, all from there on is text."""
    monkeypatch.setattr(jsondoc, "_SMALL", 256)
    monkeypatch.setattr(jsondoc, "_BLOCK", 128)
    records = [json.dumps({"id": n, "mail": f"a{n}@example.com"}) for n in range(200)]
    records[150] = '{"id": 150, "mail": a150@example.com}'
    folded = _read("[" + ", ".join(records) + "]")
    assert folded.reasons == [Reason.CORRUPT]
    rows = folded.table().rows
    text = folded.texts["unparsed"].text
    assert 0 < rows <= 150
    assert all(f"a{n}@example.com" in text for n in range(rows, 200))


@pytest.mark.parametrize("document", ["[" * 5000 + "]" * 5000, '{"a":' * 5000 + "1" + "}" * 5000])
def test_deep_nesting_is_a_gap(document: str) -> None:
    """No recursion without end."""
    assert _read(document).reasons[-1] == Reason.TOO_DEEP


def test_a_long_line_is_left_out() -> None:
    """JSON lines go on after it."""
    data = '{"id": 1}\n{"id": 2, "x": "' + "y" * (3 << 20) + '"}\n{"id": 3}\n'
    folded = _read(data + '{"id": 4}\n' * 3_000, "x.jsonl", line_mb=1)
    assert Reason.TOO_LARGE in folded.reasons
    assert folded.table().rows == 3_002


def test_memory_is_flat_in_the_number_of_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """An array four times as long takes no more."""
    monkeypatch.setattr(jsondoc, "_SMALL", 64 << 10)
    monkeypatch.setattr(jsondoc, "_BLOCK", 64 << 10)
    monkeypatch.setattr(shred, "CHUNK_ROWS", 500)

    def peak(records: int) -> int:
        one = json.dumps({"id": 1, "name": "Anna", "note": "x" * 60, "tags": [{"t": "a"}]})
        data = ("[" + ", ".join([one] * records) + "]").encode()
        tracemalloc.start()
        rows = 0
        for event in READER.read(Source(io.BytesIO(data), "x.json"), ReadContext()):
            assert isinstance(event, TableChunk)
            rows += event.batch.num_rows if event.rows is None else event.rows
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert rows == records
        return most

    assert peak(12_000) < 1.5 * peak(3_000)


TEXTS = ["[section]\nkey=1\n", "[2024-05-06 10:11:12] login\n", "{{ template }}\n", "{a: 1}", "[ERROR] no\n"]


@pytest.mark.parametrize("text", TEXTS)
def test_brackets_alone_are_no_json(text: str) -> None:
    """Settings, logs, templates begin with brackets as well."""
    assert READER.accepts(text.encode(), "x.txt") == 0


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        ('{"a": 1}\n{"a": 2}\n', "x", "jsonl"),
        ('{"a": 1}\n', "x.jsonl", "jsonl"),
        ('{\n "a": 1\n}\n', "x.json", "json"),
        ("[1,\n2]", "x", "json"),
        ('{"a": 1}\n', "x.json", "json"),
    ],
)
def test_lines_and_documents_are_told_apart(data: str, name: str, expected: str) -> None:
    """By their first two lines; a single line by the name."""
    assert READER.accepts(data.encode(), name) > 80
    assert READER.format_of(data.encode(), name) == expected


@given(st.binary(max_size=200) | st.text(st.sampled_from('[]{}",:1a\n '), max_size=60).map(str.encode))
@example(b'{"a": 1e9999999999}')
@example(b"\xbd")
@example(b'{"a": "\\ud800"}')
@example(b'[{"a":1},{"a":1}')
@example(b'{"":{"":[{}]}}')
@example(b"\x1e{}\n\x1e{}")
def test_any_bytes_end_in_chunks_or_gaps(data: bytes) -> None:
    """Under every name and at every size, nothing but a `ReadError` comes out."""
    for name in ("x.json", "x.jsonl"):
        READER.accepts(data, name)
        fold_bytes(READER, data, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsondoc, "_SMALL", 4)
        patch.setattr(jsondoc, "_BLOCK", 8)
        fold(READER.read(Source.of_bytes(data, "x"), ReadContext()))
