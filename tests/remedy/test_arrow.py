"""Parquet and Arrow written anew: same types, same groups, fewer columns."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scanner.remedy.base import DROP, Plan
from tests.remedy.making import HASHED, REDACTED, rewritten, table, text_plan, without

ROWS = 1_000
NAMES = ("id", "email", "who.name", "who.email", "tags[]", "orders[].to", "orders[].n", "notes")


def people() -> pa.Table:
    """A table with nested columns, nulls, and metadata."""
    who = [None if n % 10 == 0 else {"name": "Maria", "email": f"w{n}@example.org"} for n in range(ROWS)]
    orders = [None if n % 7 == 0 else [{"to": f"o{n}@example.org", "n": n}] * (n % 3) for n in range(ROWS)]
    made = pa.table(
        {
            "id": pa.array(range(ROWS), pa.int16()),
            "email": pa.array([f"u{n}@example.org" for n in range(ROWS)]).dictionary_encode(),
            "who": pa.array(who, pa.struct([("name", pa.string()), ("email", pa.string())])),
            "tags": pa.array([["x", "y"]] * ROWS),
            "orders": pa.array(orders, pa.list_(pa.struct([("to", pa.string()), ("n", pa.int32())]))),
            "notes": pa.array(["fine"] * ROWS, pa.large_string()),
        }
    )
    return made.replace_schema_metadata({"owner": "m@example.org", "pandas": "{}"})


def parquet(made: pa.Table) -> bytes:
    """The table as a Parquet file of four groups."""
    out = io.BytesIO()
    pq.write_table(made, out, row_group_size=250, compression="zstd")
    return out.getvalue()


def read(data: bytes) -> pa.Table:
    """What a Parquet file holds."""
    return pq.read_table(io.BytesIO(data))


def test_without_a_plan_nothing_changes() -> None:
    """Schema, metadata, groups, compression and values."""
    before = parquet(people())
    after = rewritten("parquet", before, Plan())
    assert read(after).equals(read(before), check_metadata=True)
    one, other = pq.ParquetFile(io.BytesIO(before)), pq.ParquetFile(io.BytesIO(after))
    assert other.metadata.num_row_groups == one.metadata.num_row_groups == 4
    assert other.metadata.row_group(0).column(0).compression == "ZSTD"


def test_columns_go_at_any_depth() -> None:
    """Nulls stay where they were; what is left has its types."""
    done = read(rewritten("parquet", parquet(people()), without(NAMES, "email", "who.email", "orders[].to")))
    before = people()
    assert done.schema.field("id").type == pa.int16()
    assert done.column_names == ["id", "who", "tags", "orders", "notes"]
    expected = [each and {"name": each["name"]} for each in before["who"].to_pylist()]
    assert done["who"].to_pylist() == expected
    orders = [each and [{"n": order["n"]} for order in each] for each in before["orders"].to_pylist()]
    assert [each or None for each in done["orders"].to_pylist()] == [each or None for each in orders]
    assert done["orders"].null_count == before["orders"].null_count
    assert b"pandas" not in (done.schema.metadata or {})
    assert done.schema.metadata[b"owner"]


def test_an_object_of_which_nothing_stays_goes() -> None:
    """And a list of nothing, too."""
    plan = without(NAMES, "who.name", "who.email", "tags[]", "orders[].to", "orders[].n")
    assert read(rewritten("parquet", parquet(people()), plan)).column_names == ["id", "email", "notes"]


def test_values_change_and_the_type_follows() -> None:
    """A dictionary of addresses becomes a column of hashes; equal ones stay equal."""
    done = read(rewritten("parquet", parquet(people()), table(NAMES, {"email": HASHED, "notes": REDACTED})))
    assert done.schema.field("email").type == pa.string()
    assert done.schema.field("notes").type == pa.large_string()
    assert len(set(done["email"].to_pylist())) == ROWS
    assert all(len(each) == 64 for each in done["email"].to_pylist())


def test_metadata_goes_where_it_tells_something() -> None:
    """All of it: nobody knows what else it says."""
    done = read(rewritten("parquet", parquet(people()), text_plan("metadata", REDACTED)))
    assert done.schema.metadata is None
    assert done.num_rows == ROWS


def test_no_statistics_of_what_went() -> None:
    """The smallest and the largest address stood in the footer."""
    done = rewritten("parquet", parquet(people()), without(NAMES, "email", "who.email", "orders[].to"))
    assert b"example.org" not in done.replace(b"m@example.org", b"")


def test_a_file_without_rows() -> None:
    """Keeps what is left of its schema."""
    done = read(rewritten("parquet", parquet(people().slice(0, 0)), without(NAMES, "email", "who.email")))
    assert done.num_rows == 0
    assert done.schema.field("who").type == pa.struct([("name", pa.string())])


@pytest.mark.parametrize("stream", [False, True])
def test_arrow_files_and_streams(stream: bool) -> None:
    """Each stays what it was."""
    made = people()
    out = io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(out, made.schema) as writer:
        writer.write_table(made)
    done = rewritten("arrow", out.getvalue(), table(NAMES, {"email": DROP}))
    opened = (pa.ipc.open_stream if stream else pa.ipc.open_file)(io.BytesIO(done)).read_all()
    assert opened.column_names == ["id", "who", "tags", "orders", "notes"]
    assert opened["who"].to_pylist() == made["who"].to_pylist()
