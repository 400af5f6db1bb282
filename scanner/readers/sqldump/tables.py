"""The tables of a dump while it is read: what is known of them, and rows on their way into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from scanner.config import Limits
from scanner.model import Gap, Reason, Stage
from scanner.readers.base import CHUNK_BYTES, CHUNK_ROWS, Event, TableChunk
from scanner.readers.blobs import of_binary, of_text
from scanner.readers.sqldump.careful import Blob, Cell
from scanner.readers.sqldump.ddl import Definition
from scanner.readers.sqldump.dialect import Dialect

#: Rows of all tables together that may wait to become chunks, in bytes of their text.
_WAITING_BYTES = 4 * CHUNK_BYTES


@dataclass(slots=True)
class Table:
    """A table of the dump.

    Attributes:
        name: as reported.
        columns: names by its definition, or by the first statement that named them; None while unknown.
        types: the first word of each column's type, where defined.
        defined: whether there was a ``CREATE TABLE``.
        automatic: columns that the database fills itself, see `ddl.Definition`.
        rows: read so far.
        seen: columns that chunks have brought.
        refused: it is over a limit or of no interest; its rows are read over.
        misfits: rows with another number of values than there are columns.
        opaque: cells of each column that hold binary data nobody looked into.
        cut: cells of each column that were longer than the limit.
        extra: rows whose columns beyond the limit were left out.
        headed: whether the columns' names are the dump's.
        waiting: rows read one by one, of statements like ``target``, after those in ``pieces``.
        pieces: Arrow columns named ``piece_names``, on their way into one chunk.
    """

    name: str
    columns: tuple[str, ...] | None = None
    types: dict[str, str] = field(default_factory=dict)
    defined: bool = False
    automatic: frozenset[str] = frozenset()
    rows: int = 0
    seen: set[str] = field(default_factory=set)
    refused: bool = False
    misfits: int = 0
    opaque: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    extra: int = 0
    headed: bool = True
    waiting: list[list[Cell]] = field(default_factory=list)
    waiting_bytes: int = 0
    target: Target | None = None
    pieces: list[list[Any]] = field(default_factory=list)
    piece_names: tuple[str, ...] = ()
    piece_rows: int = 0
    piece_bytes: int = 0


class Target:
    """A table with the columns that one statement brings. ``names`` is None until the first row is seen.

    ``implied`` are names by the definition that the first row has yet to confirm.
    """

    __slots__ = ("implied", "names", "table")

    def __init__(self, table: Table, names: tuple[str, ...] | None, implied: bool = False) -> None:
        self.table = table
        self.names = names
        self.implied = implied

    def confirm(self, values: int) -> None:
        """Leave out the columns that the database fills, where a row has no values for them."""
        if self.implied and self.names is not None:
            given = tuple(name for name in self.names if name not in self.table.automatic)
            if values == len(given):
                self.names = given
        self.implied = False

    def name(self, number: int) -> str:
        """The name of a column by its number from 0, made up where the dump has none."""
        if self.names is not None and number < len(self.names):
            return self.names[number]
        return f"column_{number + 1}"


class Tables:
    """All tables of a dump. Finished chunks and gaps wait in a queue until `drain` is asked for them."""

    def __init__(self, dialect: Dialect, limits: Limits) -> None:
        self._dialect = dialect
        self._limits = limits
        self._by_key: dict[tuple[str, ...], Table] = {}
        self._by_last: dict[str, list[Table]] = {}
        self._events: list[Event] = []
        self._waiting_bytes = 0
        self._counted = 0
        self._over_limit = False
        self._home: str | None = None
        self._qualify_all = False
        self.database: str | None = None

    def qualify_all(self) -> None:
        """Put the database before every table's name: the dump says that it holds several."""
        self._qualify_all = True

    def drain(self) -> Iterator[Event]:
        """Events since the last call."""
        events, self._events = self._events, []
        yield from events

    def define(self, definition: Definition) -> None:
        """Take note of a table's definition."""
        table = self._by_key.get(self._key(definition.name)) or self._new(definition.name)
        inherited: list[tuple[str, str]] = []
        for parent in definition.like:
            source = self._find(parent)
            if source is not None and source.columns is not None:
                inherited.extend((name, source.types.get(name, "")) for name in source.columns)
        known = {name for name, _ in inherited}
        columns = inherited + [column for column in definition.columns if column[0] not in known]
        if columns and not table.rows:
            table.columns = tuple(name for name, _ in columns)
            table.types = dict(columns)
            table.automatic = definition.automatic
            table.defined = True

    def extend(self, definition: Definition) -> None:
        """Take note of columns that a table is given later."""
        table = self._find(definition.name)
        if table is None or table.columns is None:
            return
        fresh = [column for column in definition.columns if column[0] not in table.columns]
        table.columns += tuple(name for name, _ in fresh)
        table.types.update(fresh)

    def drop(self, name: tuple[str, ...]) -> None:
        """Forget a table that has no rows."""
        table = self._find(name)
        if table is not None and not table.rows and not table.waiting:
            key = next(key for key, value in self._by_key.items() if value is table)
            del self._by_key[key]
            self._by_last[key[-1]].remove(table)

    def target(self, name: tuple[str, ...], columns: tuple[str, ...] | None) -> Target:
        """The table that a statement brings rows of, with the columns it names or those of the definition."""
        table = self._find(name) or self._new(name)
        if columns is None:
            return Target(table, table.columns, implied=bool(table.automatic))
        if table.defined and table.columns is not None:
            spelled = {name.casefold(): name for name in table.columns}
            columns = tuple(spelled.get(column.casefold(), column) for column in columns)
        elif table.columns is None:
            table.columns = columns
        return Target(table, columns)

    def _new(self, name: tuple[str, ...]) -> Table:
        table = Table(self._display(name))
        table.refused = name[-1].casefold() in self._dialect.internal
        if not table.refused:
            self._counted += 1
            if self._counted > self._limits.tables:
                table.refused = True
                self._refuse()
                return table
        key = self._key(name)
        self._by_key[key] = table
        self._by_last.setdefault(key[-1], []).append(table)
        return table

    def _refuse(self) -> None:
        if not self._over_limit:
            self._over_limit = True
            self._gap(Reason.TOO_LARGE, f"has more than {self._limits.tables} tables (limits.tables)")

    def _find(self, name: tuple[str, ...]) -> Table | None:
        """The table of that name; a name without its schema finds the only defined one."""
        key = self._key(name)
        found = self._by_key.get(key)
        if found is not None or self.database is not None:
            return found
        if len(key) > 1:
            return self._by_key.get(key[-1:])
        defined = [table for table in self._by_last.get(key[0], ()) if table.defined]
        return defined[0] if len(defined) == 1 else None

    def _key(self, name: tuple[str, ...]) -> tuple[str, ...]:
        parts = tuple(part.casefold() for part in name)
        if len(parts) == 1 and self.database is not None:
            return (self.database.casefold(), *parts)
        return parts

    def _display(self, name: tuple[str, ...]) -> str:
        """The reported name: as the dump writes it, with its database where that is not the first one."""
        if len(name) > 1 or self.database is None:
            return ".".join(name)
        if self._home is None:
            self._home = self.database
        if self.database == self._home and not self._qualify_all:
            return name[-1]
        return f"{self.database}.{name[-1]}"

    def add_row(self, target: Target, cells: list[Cell], size: int) -> None:
        """One row, ``size`` bytes long in the dump."""
        table = target.table
        if table.refused:
            return
        if target.names is None:
            target.names = table.columns = tuple(target.name(number) for number in range(len(cells) or 1))
            table.headed = False
        if target.implied:
            target.confirm(len(cells))
        if table.target is None or target.names != table.target.names:
            self._arrange(table)
            table.target = target
        if cells and len(cells) != len(target.names):
            table.misfits += 1
        table.waiting.append(cells)
        table.waiting_bytes += size
        self._waiting_bytes += size
        if len(table.waiting) >= CHUNK_ROWS or table.waiting_bytes >= CHUNK_BYTES:
            self._arrange(table)
        if self._waiting_bytes > _WAITING_BYTES:
            self._flush_all()

    def add_columns(self, target: Target, columns: list[Any], rows: int, size: int) -> None:
        """Rows that are Arrow string columns already, as many as the target has names."""
        table = target.table
        if table.refused:
            return
        self._arrange(table)
        names = [target.name(number) for number in range(len(columns))]
        if self._limits.columns < len(names):
            table.extra += rows
            names, columns = names[: self._limits.columns], columns[: self._limits.columns]
        columns = [
            self._shortened(target, number, self._bytea(table, name, column))
            for number, (name, column) in enumerate(zip(names, columns, strict=True))
        ]
        self._waiting_bytes += size
        self._push(table, tuple(names), columns, rows, size)

    def _push(self, table: Table, names: tuple[str, ...], columns: list[Any], rows: int, size: int) -> None:
        """Put columns with those that wait already, where they are the same ones."""
        if table.pieces and names != table.piece_names:
            self._emit(table)
        table.pieces.append(columns)
        table.piece_names = names
        table.piece_rows += rows
        table.piece_bytes += size
        table.rows += rows
        table.seen.update(names)
        if table.piece_rows >= CHUNK_ROWS or table.piece_bytes >= CHUNK_BYTES:
            self._emit(table)

    def _emit(self, table: Table) -> None:
        """Make chunks of the columns that wait, about `CHUNK_ROWS` long where there are more."""
        import pyarrow as pa

        pieces, rows = table.pieces, table.piece_rows
        if not pieces:
            return
        self._waiting_bytes -= table.piece_bytes
        table.pieces, table.piece_rows, table.piece_bytes = [], 0, 0
        columns = (
            pieces[0] if len(pieces) == 1 else [pa.concat_arrays(same) for same in zip(*pieces, strict=True)]
        )
        batch = pa.RecordBatch.from_arrays(columns, names=list(table.piece_names))
        length = -(-rows // max(1, rows // CHUNK_ROWS))
        for start in range(0, rows, length):
            self._events.append(TableChunk(table.name, batch.slice(start, length), headed=table.headed))

    def _shortened(self, target: Target, number: int, column: Any) -> Any:
        """A column whose cells are cut at the limit."""
        limit = self._limits.cell_mb << 20
        if column.nbytes <= limit:
            return column
        import pyarrow as pa
        from pyarrow import compute

        if (compute.max(compute.binary_length(column)).as_py() or 0) <= limit:
            return column
        cells = [
            None if cell is None else self.to_text(target, number, cell.encode("utf-8"))
            for cell in column.to_pylist()
        ]
        return pa.array(cells, pa.string())

    def _bytea(self, table: Table, name: str, column: Any) -> Any:
        """PostgreSQL's ``bytea`` in hexadecimal as the text it holds, where it holds text."""
        if table.types.get(name) != "bytea":
            return column
        import pyarrow as pa

        cells = [None if cell is None else self._unhex(table, name, cell) for cell in column.to_pylist()]
        return pa.array(cells, pa.string())

    def _unhex(self, table: Table, name: str, cell: str) -> str:
        if not cell.startswith("\\x") or len(cell) == 2:
            return cell
        try:
            data = bytes.fromhex(cell[2:])
        except ValueError:
            return cell
        return self._binary(table, name, data)

    def to_text(self, target: Target, number: int, value: bytes | Blob) -> str:
        """A cell's bytes as text; what is binary is counted."""
        name = target.name(number)
        if isinstance(value, Blob):
            return self._binary(target.table, name, value.data)
        limit = self._limits.cell_mb << 20
        if len(value) > limit:
            value = value[:limit]
            target.table.cut[name] = target.table.cut.get(name, 0) + 1
            return value.decode("utf-8", "ignore")
        text, opaque = of_text(value)
        if opaque:
            target.table.opaque[name] = target.table.opaque.get(name, 0) + 1
        return text

    def _binary(self, table: Table, name: str, data: bytes) -> str:
        limit = self._limits.cell_mb << 20
        text, opaque = of_binary(data[:limit])
        if len(data) > limit and not opaque:
            table.cut[name] = table.cut.get(name, 0) + 1
        if opaque:
            table.opaque[name] = table.opaque.get(name, 0) + 1
        return text

    def _flush_all(self) -> None:
        for table in self._by_key.values():
            self._arrange(table)
            self._emit(table)

    def _arrange(self, table: Table) -> None:
        """Turn the rows that wait into columns."""
        rows, target = table.waiting, table.target
        if not rows or target is None:
            return
        import pyarrow as pa

        size, table.waiting, table.waiting_bytes = table.waiting_bytes, [], 0
        assert target.names is not None
        width = max(len(target.names), *map(len, rows))
        if width > self._limits.columns:
            table.extra += sum(len(row) > self._limits.columns for row in rows)
            width = self._limits.columns
        for row in rows:
            row.extend([None] * (width - len(row)))
        names = [target.name(number) for number in range(width)]
        columns = [
            self._bytea(table, names[number], pa.array(self._texts(target, number, rows), pa.string()))
            for number in range(width)
        ]
        self._push(table, tuple(names), columns, len(rows), size)

    def _texts(self, target: Target, number: int, rows: list[list[Cell]]) -> list[str | None]:
        texts: list[str | None] = []
        for row in rows:
            cell = row[number]
            texts.append(None if cell is None else self.to_text(target, number, cell))
        return texts

    def finish(self) -> None:
        """All that still waits, columns that no row brought, and what there is to say of each table."""
        import pyarrow as pa

        self._flush_all()
        for table in self._by_key.values():
            if table.refused:
                continue
            missing = [name for name in table.columns or () if name not in table.seen][: self._limits.columns]
            if table.columns is not None and len(table.columns) > self._limits.columns and not table.rows:
                table.extra += 1
            if missing and table.defined:
                empty = [pa.array([], pa.string()) for _ in missing]
                self._events.append(TableChunk(table.name, pa.RecordBatch.from_arrays(empty, names=missing)))
            self._tell(table)

    def _tell(self, table: Table) -> None:
        limits = self._limits
        if table.misfits:
            rows = _count(table.misfits, "row has", "rows have")
            self._gap(
                Reason.CORRUPT, f"{rows} another number of values than the table has columns", table.name
            )
        if table.extra:
            self._gap(
                Reason.TOO_LARGE,
                f"has more than {limits.columns} columns (limits.columns), the others were left out",
                table.name,
            )
        for name, cells in table.opaque.items():
            what = _count(cells, "binary value was", "binary values were")
            self._gap(Reason.UNSUPPORTED, f"{what} not looked into", f"{table.name}.{name}")
        for name, cells in table.cut.items():
            what = _count(cells, "cell is", "cells are")
            self._gap(
                Reason.TOO_LARGE,
                f"{what} over {limits.cell_mb} MiB (limits.cell_mb), the rest was not read",
                f"{table.name}.{name}",
            )

    def _gap(self, reason: Reason, detail: str, where: str | None = None) -> None:
        self._events.append(Gap(Stage.READ, reason, detail, where))


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
