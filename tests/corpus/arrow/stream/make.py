"""Writes input.arrows: an Arrow stream, which has no magic number."""

from pathlib import Path

import pyarrow as pa


def main() -> None:
    """Write it beside this file."""
    table = pa.table({"id": [1, 2], "name": pa.array(["Ines Beispiel", None]).dictionary_encode()})
    target = str(Path(__file__).with_name("input.arrows"))
    with pa.OSFile(target, "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


if __name__ == "__main__":
    main()
