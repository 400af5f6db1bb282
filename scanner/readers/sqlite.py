"""SQLite database files: every real table, read in place and never written to.

The file is hostile until proven otherwise: it is opened read-only and immutable (no journal, lock or shared
memory file appears beside it), nothing of its schema is trusted, and only plain reads of plain tables are let
through; views and triggers are read as text.
"""

from __future__ import annotations

import os
import sqlite3
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from scanner.config import Limits
from scanner.model import Gap, Reason, Stage
from scanner.readers.base import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    Event,
    ReadContext,
    Reader,
    ReadError,
    Source,
    TableChunk,
    TextChunk,
)
from scanner.readers.blobs import of_binary, of_text

_MAGIC = b"SQLite format 3\0"
#: Rows over the length limit after which a table is given up: each costs a walk from its beginning.
_MOST_LEFT_OUT = 64
#: Rows fetched at a time: at first, and at most where they are small.
_FIRST_BLOCK, _LARGEST_BLOCK = 64, 1024
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA})
_HIDDEN_OF_VIRTUAL = 1
#: Tables in which full-text and spatial indexes keep what they derived from their content.
_INDEX_PARTS = (
    "segments", "segdir", "docsize", "stat", "data", "idx", "config", "node", "parent", "rowid"
)  # fmt: skip


class SqliteReader(Reader):
    """SQLite 3 database files."""

    format = "sqlite"
    limitations = (
        "Rows that were deleted but still lie in free pages are not read.",
        "Rows that are only in a write-ahead log or rollback journal beside the file are not read.",
        "Virtual tables are not run; of full-text indexes the table that holds the content is read.",
        "Encrypted databases cannot be told from random bytes.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """By the magic bytes at the start."""
        del name
        return 99 if head.startswith(_MAGIC) else 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Each table; and the text ``statements``, what the schema says in comments and literals.

        Raises:
            ReadError: ``corrupt``, the schema cannot be read; ``too_large``, it is over what memory may hold.
        """
        head = source.head
        yield from _journals(source.path)
        with closing(_open(source, context.limits)) as connection:
            yield from _Database(connection, context.limits).events()
        yield from _missing(head, source)


def _missing(head: bytes, source: Source) -> Iterator[Gap]:
    """A gap where the file is shorter than its header says: SQLite takes some such files for empty."""
    size = source.size if source.path is None else source.path.stat().st_size
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    valid = head[24:28] == head[92:96]
    if size is not None and valid and size < pages * (65_536 if page == 1 else page):
        yield Gap(Stage.READ, Reason.CORRUPT, "the file is shorter than its header says")


def _journals(path: Path | None) -> Iterator[Gap]:
    """Changes beside the file that are not in it yet."""
    if path is None:
        return
    for ending, what in (("-wal", "write-ahead log"), ("-journal", "rollback journal")):
        try:
            size = path.with_name(path.name + ending).stat().st_size
        except OSError:
            continue
        if size:
            detail = f"a {what} lies beside the database; rows that are only in there were not read"
            yield Gap(Stage.READ, Reason.UNSUPPORTED, detail)


def _open(source: Source, limits: Limits) -> sqlite3.Connection:
    """A connection that cannot write, to the file itself or to a copy in memory."""
    try:
        if source.path is not None:
            quoted = urllib.parse.quote(os.fsencode(source.path.absolute()))
            connection = sqlite3.connect(f"file:{quoted}?mode=ro&immutable=1", uri=True, cached_statements=0)
        else:
            with source.seekable(limits) as stream:
                data = bytearray(stream.read())
            if data[18:20] == b"\2\2":
                # A database in write-ahead mode opens in memory only once that is turned off.
                data[18:20] = b"\1\1"
            connection = sqlite3.connect(":memory:", cached_statements=0)
            connection.deserialize(bytes(data))
        _restrict(connection, limits)
    except (sqlite3.Error, OverflowError):
        raise ReadError(Reason.CORRUPT, "is not a database that SQLite can open") from None
    return connection


def _restrict(connection: sqlite3.Connection, limits: Limits) -> None:
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA query_only=ON")
    # Lets a definition that does not parse hide its own table only. Nothing is written all the same.
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("PRAGMA cell_size_check=ON")
    connection.execute("PRAGMA mmap_size=0")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(limits.line_mb, 1) << 20)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(_authorize)


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Reads of tables and the few PRAGMAs that describe them; nothing else."""
    if action == sqlite3.SQLITE_PRAGMA and first not in ("table_xinfo", "table_list"):
        return sqlite3.SQLITE_DENY
    del second
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


class _Database:
    """An open database being read."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits

    def events(self) -> Iterator[Event]:
        """All its tables, then the text of its schema."""
        self._connection.text_factory = _text
        try:
            schema = self._connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
        except sqlite3.Error:
            raise ReadError(Reason.CORRUPT, "the schema cannot be read") from None
        names = [str(name) for kind, name, _ in schema if kind == "table"]
        names = [name for name in names if not name.lower().startswith("sqlite_")]
        virtual = {str(name) for _, name, sql in schema if isinstance(sql, str) and _is_virtual(sql)}
        indexes = {f"{name}_{part}" for name in virtual for part in _INDEX_PARTS}
        names = [name for name in names if name not in indexes]
        if len(names) > self._limits.tables:
            detail = f"has more than {self._limits.tables} tables (limits.tables)"
            yield Gap(Stage.READ, Reason.TOO_LARGE, detail)
        for name in names[: self._limits.tables]:
            if name in virtual:
                yield Gap(Stage.READ, Reason.UNSUPPORTED, "is a virtual table, which is not run", name)
            else:
                yield from _Table(self._connection, name, self._limits).events()
        said = list(_said([sql for _, _, sql in schema if isinstance(sql, str)]))
        if said:
            yield TextChunk("statements", "\n".join(said) + "\n")


def _said(definitions: list[str]) -> Iterator[str]:
    """What the definitions say in comments and literals."""
    from scanner.readers.sqldump.grammar import grammar
    from scanner.readers.sqldump.sqlite_dump import DIALECT
    from scanner.readers.sqldump.statements import texts

    for definition in definitions:
        yield from texts(definition.encode("utf-8", "replace"), grammar(DIALECT, False))


def _is_virtual(sql: str) -> bool:
    return sql.lstrip()[:20].upper().split()[:2] == ["CREATE", "VIRTUAL"]


def _text(data: bytes) -> str:
    return of_text(data)[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _many(rows: sqlite3.Cursor) -> tuple[list[tuple[Any, ...]], sqlite3.Error | None]:
    """Rows for one chunk, by the block; those of a block with an error are lost."""
    chunk: list[tuple[Any, ...]] = []
    size, block = 0, _FIRST_BLOCK
    while len(chunk) < CHUNK_ROWS and size < CHUNK_BYTES:
        try:
            some = rows.fetchmany(block)
        except sqlite3.Error as error:
            return chunk, error
        if not some:
            break
        chunk += some
        # The size of one row in 16 stands for all: this is about memory, not about a count.
        sample = some[::16]
        part = sum(len(cell) for row in sample for cell in row if isinstance(cell, (str, bytes)))
        size += part * len(some) // len(sample)
        block = min(2 * block, _LARGEST_BLOCK) if size < CHUNK_BYTES // 4 else _FIRST_BLOCK
    return chunk, None


def _some(rows: sqlite3.Cursor) -> tuple[list[tuple[Any, ...]], sqlite3.Error | None]:
    """Rows for one chunk, one by one, and the error that ended it, if any."""
    chunk: list[tuple[Any, ...]] = []
    size = 0
    while len(chunk) < CHUNK_ROWS and size < CHUNK_BYTES:
        try:
            row = next(rows, None)
        except sqlite3.Error as error:
            return chunk, error
        if row is None:
            break
        chunk.append(row)
        size += sum(len(cell) for cell in row if isinstance(cell, (str, bytes)))
    return chunk, None


class _Way(NamedTuple):
    """How rows are asked for: how many in all (-1 for no end), and how they are put into chunks."""

    most: int
    some: Callable[[sqlite3.Cursor], tuple[list[tuple[Any, ...]], sqlite3.Error | None]]


#: Quickly; then, after an error, as far as there are rows; then the one that SQLite held back.
_WAYS = (_Way(-1, _many), _Way(-1, _some), _Way(1, _some))


class _Table:
    """A table being read."""

    def __init__(self, connection: sqlite3.Connection, name: str, limits: Limits) -> None:
        self._connection = connection
        self._name = name
        self._limits = limits
        self._columns: list[str] = []
        self._opaque: dict[str, int] = {}
        self._cut: dict[str, int] = {}
        self._rows = 0
        self._left_out = 0

    def events(self) -> Iterator[Event]:
        """Its rows in chunks, at least an empty one; then what there is to say of it."""
        try:
            info = self._connection.execute(f"PRAGMA table_xinfo({_quoted(self._name)})").fetchall()
        except sqlite3.Error:
            info = []
        self._columns = [str(column[1]) for column in info if column[6] != _HIDDEN_OF_VIRTUAL]
        if not self._columns:
            yield self._gap(Reason.CORRUPT, "its columns cannot be read")
            return
        if len(self._columns) > self._limits.columns:
            yield self._gap(
                Reason.TOO_LARGE,
                f"has more than {self._limits.columns} columns (limits.columns), the others were left out",
            )
            self._columns = self._columns[: self._limits.columns]
        yield from self._chunks()
        if not self._rows:
            yield self._chunk([])
        yield from self._told()

    def _chunks(self) -> Iterator[Event]:
        """Rows; text as SQLite decodes it, from the first cell that is no UTF-8 on as we do.

        A row that SQLite fails on takes the one before with it, which was not handed out yet: so that one is
        asked for by itself. A row over the length limit is left out, and reading begins anew behind it.
        """
        self._connection.text_factory = str
        way = 0
        while True:
            before = self._rows
            try:
                yield from self._rows_from(self._rows + self._left_out, _WAYS[way])
                if way < 2 or self._rows == before:
                    return
                way = 0
            except sqlite3.Error as error:
                if self._connection.text_factory is str and "decode" in str(error):
                    self._connection.text_factory = _text
                elif way < 2:
                    way += 1
                elif isinstance(error, sqlite3.DataError) and self._left_out < _MOST_LEFT_OUT:
                    self._left_out += 1
                    way = 0
                else:
                    yield self._gap(Reason.CORRUPT, "reading ended at a damaged row")
                    return

    def _rows_from(self, offset: int, way: _Way) -> Iterator[Event]:
        columns = ", ".join(_quoted(column) for column in self._columns)
        query = f"SELECT {columns} FROM main.{_quoted(self._name)} LIMIT {way.most:d} OFFSET {offset:d}"  # noqa: S608
        with closing(self._connection.execute(query)) as rows:
            error: sqlite3.Error | None = None
            while error is None:
                chunk, error = way.some(rows)
                if not chunk:
                    break
                self._rows += len(chunk)
                yield self._chunk(chunk)
            if error is not None:
                raise error

    def _chunk(self, rows: list[tuple[Any, ...]]) -> TableChunk:
        import pyarrow as pa

        cells: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(self._columns)
        arrays = [self._array(name, column) for name, column in zip(self._columns, cells, strict=True)]
        return TableChunk(self._name, pa.RecordBatch.from_arrays(arrays, names=self._columns))

    def _array(self, name: str, cells: tuple[Any, ...]) -> Any:
        """Cells of any of SQLite's types as strings."""
        import pyarrow as pa

        kinds = set(map(type, cells)) - {type(None)}
        if kinds == {int}:
            return pa.array(cells, pa.int64()).cast(pa.string())
        if kinds == {float}:
            return pa.array([None if cell is None else repr(cell) for cell in cells], pa.string())
        limit = self._limits.cell_mb << 20
        if kinds <= {str}:
            column = pa.array(cells, pa.string())
            if column.nbytes <= limit or max(len(cell) * 4 for cell in cells if cell is not None) <= limit:
                return column
        return pa.array([self._cell(name, cell) for cell in cells], pa.string())

    def _cell(self, name: str, cell: Any) -> str | None:
        if cell is None:
            return None
        limit = self._limits.cell_mb << 20
        if isinstance(cell, bytes):
            text, opaque = of_binary(cell[:limit])
            if opaque:
                self._opaque[name] = self._opaque.get(name, 0) + 1
            elif len(cell) > limit:
                self._cut[name] = self._cut.get(name, 0) + 1
            return text
        if not isinstance(cell, str):
            return repr(cell)
        data = cell.encode("utf-8", "replace")
        if len(data) <= limit:
            return data.decode("utf-8")
        self._cut[name] = self._cut.get(name, 0) + 1
        return data[:limit].decode("utf-8", "ignore")

    def _told(self) -> Iterator[Gap]:
        if self._left_out:
            what = "1 row is" if self._left_out == 1 else f"{self._left_out:,} rows are"
            end = ", reading ended there" if self._left_out >= _MOST_LEFT_OUT else ""
            detail = f"{what} over {self._limits.line_mb} MiB (limits.line_mb){end}"
            yield self._gap(Reason.TOO_LARGE, detail)
        for name, cells in self._opaque.items():
            what = "1 binary value was" if cells == 1 else f"{cells:,} binary values were"
            yield Gap(Stage.READ, Reason.UNSUPPORTED, f"{what} not looked into", f"{self._name}.{name}")
        for name, cells in self._cut.items():
            what = "1 cell is" if cells == 1 else f"{cells:,} cells are"
            detail = f"{what} over {self._limits.cell_mb} MiB (limits.cell_mb), the rest was not read"
            yield Gap(Stage.READ, Reason.TOO_LARGE, detail, f"{self._name}.{name}")

    def _gap(self, reason: Reason, detail: str) -> Gap:
        return Gap(Stage.READ, reason, detail, self._name)
