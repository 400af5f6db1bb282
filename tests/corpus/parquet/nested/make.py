"""Writes input.parquet: nested columns, dates, a phone number that became a float, a note."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = [
    {
        "id": 1,
        "born": dt.date(1984, 2, 29),
        "phone": 4930123456.0,
        "address": {"city": "Musterstadt", "tags": ["a", "b"]},
    },
    {"id": 2, "born": None, "phone": None, "address": {"city": "Beispielhausen", "tags": []}},
]


def main() -> None:
    """Write it beside this file."""
    table = pa.Table.from_pylist(ROWS).replace_schema_metadata({"owner": "data team"})
    pq.write_table(table, Path(__file__).with_name("input.parquet"))


if __name__ == "__main__":
    main()
