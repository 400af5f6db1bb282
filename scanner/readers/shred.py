"""Nested records to flat columns: a field is its key path, ``customer.addresses[].street``.

Records become rows of a table's main chunks. The elements of an array become rows of chunks of their own that
say which record each belongs to. An object that is used as a map (keyed by address, by number, by whatever
grows) is treated like an array: its keys are values of the column ``users{key}``, what they lead to is
``users{}.name``. So a value that serves as a key is looked at, and never becomes the name of a column.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from scanner.config import Limits
from scanner.model import Gap, Reason, Stage
from scanner.readers.base import CHUNK_ROWS, TableChunk
from scanner.readers.headers import column_names, has_header, is_name, kind

if TYPE_CHECKING:
    import pyarrow as pa

#: Distinct keys beside each other in one place from which on they are taken for data.
MAP_KEYS = 256
#: Entries of one object alike in shape that make it a map.
_ALIKE = 3
#: Column of a value that has no key.
VALUE = "value"
#: Kinds of `scanner.readers.headers` that no field is named by.
_DATA_KINDS = frozenset({"email", "url", "uuid", "hash", "ip", "phone", "date", "number"})
#: Longer keys are data too.
_KEY_CHARACTERS = 120
#: Cells held before they are handed out.
_CELLS = 400_000

_NESTED = frozenset({dict, list})
_NO_KEYS: frozenset[str] = frozenset()

Flat = dict[str, Any]


def text_of(value: Any) -> str | None:
    """A scalar as JSON writes it; a string is itself, null is None."""
    if value is None or type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value)


def is_data_key(key: str) -> bool:
    """True for a key that is a value: an address, a number, an identifier."""
    return len(key) > _KEY_CHARACTERS or kind(key) in _DATA_KINDS or key.count(" ") > 7


def is_map(value: dict[str, Any]) -> bool:
    """True for an object whose keys are data: they look it, there are many, or all lead to the same shape."""
    if len(value) > MAP_KEYS and not _are_names(value):
        return True
    if value and sum(map(is_data_key, value)) >= 0.9 * len(value):
        return True
    return len(value) >= _ALIKE and _are_alike(list(value.values()))


def _are_names(keys: Collection[str]) -> bool:
    """True where most keys are words that fields are named by."""
    return sum(map(is_name, keys)) >= 0.5 * len(keys)


def _are_alike(values: list[Any]) -> bool:
    """True where all are objects with the very same keys."""
    first = values[0]
    if type(first) is not dict or not first:
        return False
    return all(type(value) is dict and value.keys() == first.keys() for value in values)


@dataclass(slots=True)
class _Group:
    """Elements of one array path, and the records that they belong to."""

    flats: list[Flat] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Cuts:
    """What had to be left out while records were flattened, over all tables of an item."""

    too_deep: int = 0
    columns: int = 0
    cells: int = 0

    def gaps(self, limits: Limits) -> Iterator[Gap]:
        """What was left out, as gaps."""
        told = (
            (
                self.too_deep,
                Reason.TOO_DEEP,
                f"values lie deeper than {limits.json_depth} (limits.json_depth)",
            ),
            (self.columns, Reason.TOO_LARGE, f"fields over {limits.columns} were left out (limits.columns)"),
            (self.cells, Reason.TOO_LARGE, f"values were cut at {limits.cell_mb} MiB (limits.cell_mb)"),
        )
        for count, reason, what in told:
            if count:
                yield Gap(Stage.READ, reason, f"{count} {what}")


class Shredder:
    """Collects the records of one table and gives them out as chunks.

    Args:
        table: its name.
        limits: what bounds it.
        cuts: where to count what is left out.
    """

    def __init__(self, table: str, limits: Limits, cuts: Cuts) -> None:
        self._table = table
        self._limits = limits
        self._cuts = cuts
        self._flats: list[Flat] = []
        self._groups: dict[str, _Group] = {}
        self._ready: list[TableChunk] = []
        self._cells = 0
        self._names: set[str] = set()
        self._known: dict[str, set[str]] = {}
        self._maps: set[str] = set()
        self._header: list[str] | None = None
        self._headed = True
        self.rows = 0

    def add(self, record: Any) -> None:
        """Take one record: an object; a list, whose places are columns; or a scalar."""
        self.rows += 1
        flat: Flat = {}
        if type(record) is dict:
            if record.keys() <= self._known.get("", _NO_KEYS) and _NESTED.isdisjoint(
                map(type, record.values())
            ):
                flat = record
            else:
                self._spread_object(record, "", flat, 1)
        elif type(record) is list:
            self._spread_list(record, flat)
        else:
            flat[VALUE] = record
        self._flats.append(flat)
        self._cells += len(flat)

    def add_elements(self, path: str, elements: Iterable[Any]) -> None:
        """Take elements of an array of the record added last; ``path`` ends in ``[]``."""
        self._spread_array(path, elements, 1)

    def chunks(self, *, last: bool = False) -> Iterator[TableChunk]:
        """What is ready to be handed out: enough to make a chunk, or all that is left where ``last``."""
        if last or len(self._flats) >= CHUNK_ROWS or self._cells >= _CELLS:
            self._flush()
        ready, self._ready = self._ready, []
        yield from ready

    def _spread_object(self, value: dict[str, Any], prefix: str, flat: Flat, depth: int) -> None:
        if depth > self._limits.json_depth:
            self._cuts.too_deep += 1
            return
        if self._is_map_at(prefix, value):
            self._spread_map(prefix, value, depth)
            return
        known = self._known[prefix]
        if not value.keys() <= known:
            # A few keys that are data, among fields.
            self._spread_map(prefix, {key: item for key, item in value.items() if key not in known}, depth)
            value = {key: item for key, item in value.items() if key in known}
        start = f"{prefix}." if prefix else ""
        for key, item in value.items():
            path = start + key
            kind_of = type(item)
            if kind_of is dict:
                self._spread_object(item, path, flat, depth + 1)
            elif kind_of is list:
                self._spread_array(path + "[]", item, depth + 1)
            else:
                flat[path] = item

    def _is_map_at(self, path: str, value: dict[str, Any]) -> bool:
        if path in self._maps:
            return True
        known = self._known.setdefault(path, set())
        if value.keys() <= known:
            return False
        new = value.keys() - known
        if is_map(value) or (len(known) + len(new) > MAP_KEYS and not _are_names(new)):
            # Once and for all: the same place is read the same way in all records.
            self._maps.add(path)
            return True
        known.update(key for key in new if not is_data_key(key))
        return False

    def _spread_map(self, path: str, value: dict[str, Any], depth: int) -> None:
        group = path + "{}"
        for key, item in value.items():
            flat: Flat = {path + "{key}": key}
            self._spread_value(item, group, flat, depth)
            self._put(group, flat)

    def _spread_array(self, path: str, elements: Iterable[Any], depth: int) -> None:
        if depth > self._limits.json_depth:
            self._cuts.too_deep += 1
            return
        for item in elements:
            flat: Flat = {}
            self._spread_value(item, path, flat, depth)
            if flat:
                self._put(path, flat)

    def _spread_value(self, item: Any, path: str, flat: Flat, depth: int) -> None:
        kind_of = type(item)
        if kind_of is dict:
            self._spread_object(item, path, flat, depth + 1)
        elif kind_of is list:
            self._spread_array(path + "[]", item, depth + 1)
        else:
            flat[path] = item

    def _spread_list(self, record: list[Any], flat: Flat) -> None:
        """A record that is a list: cells by place, named by the first such record if that is a header."""
        for place, item in enumerate(record):
            self._spread_value(item, self._place_name(place), flat, 1)

    def _place_name(self, place: int) -> str:
        header = self._header or []
        return header[place] if place < len(header) else f"column_{place + 1}"

    def set_header(self, sample: list[list[Any]]) -> bool:
        """Decide from the first records, lists, whether the first of them names the columns; True if so.

        That record is then not to be added.
        """
        rows = [[text_of(cell) or "" for cell in row if type(cell) not in (dict, list)] for row in sample]
        self._headed = has_header(rows)
        if self._headed:
            self._header = column_names(rows[0], len(rows[0]))
        return self._headed

    def _put(self, path: str, flat: Flat) -> None:
        group = self._groups.get(path)
        if group is None:
            group = self._groups[path] = _Group()
        group.flats.append(flat)
        group.rows.append(self.rows)
        self._cells += len(flat)
        if len(group.flats) >= CHUNK_ROWS:
            self._flush_group(path, 0)

    def _flush(self) -> None:
        rows = len(self._flats)
        batch = self._batch(self._flats)
        if batch is not None:
            self._ready.append(TableChunk(self._table, batch, rows, headed=self._headed))
            rows = 0
        for path in list(self._groups):
            rows = self._flush_group(path, rows)
        if rows:
            # Records without any field are rows all the same.
            self._ready.append(TableChunk(self._table, _empty_batch(), rows, _no_ids(), headed=self._headed))
        self._flats = []
        self._cells = 0

    def _flush_group(self, path: str, rows: int) -> int:
        """Make a chunk of a group that adds ``rows`` to the table; what remains to be added."""
        import pyarrow as pa

        group = self._groups.pop(path)
        self._cells -= sum(map(len, group.flats))
        batch = self._batch(group.flats)
        if batch is None:
            return rows
        ids = pa.array(group.rows, pa.int64())
        self._ready.append(TableChunk(self._table, batch, rows, ids, headed=self._headed))
        return 0

    def _batch(self, flats: list[Flat]) -> pa.RecordBatch | None:
        import pyarrow as pa

        names = list(dict.fromkeys(chain.from_iterable(flats)))
        names = [name for name in names if self._admit(name)]
        if not names:
            return None
        columns = [self._column(_cells(flats, name)) for name in names]
        return pa.RecordBatch.from_arrays(columns, names=[_tidy(name) for name in names])

    def _admit(self, name: str) -> bool:
        if name not in self._names:
            if len(self._names) >= self._limits.columns:
                self._cuts.columns += 1
                return False
            self._names.add(name)
        return True

    def _column(self, cells: list[Any]) -> pa.Array:
        import pyarrow as pa

        limit = self._limits.cell_mb << 20
        try:
            array = pa.array(cells, pa.string())
        except (pa.ArrowException, TypeError, UnicodeError):
            array = pa.array([_valid(text_of(cell)) for cell in cells], pa.string())
        if array.nbytes > limit:
            array = pa.array([self._cut(cell, limit) for cell in array.to_pylist()], pa.string())
        return array

    def _cut(self, cell: str | None, limit: int) -> str | None:
        if cell is None or len(cell) <= limit // 4 or len(data := cell.encode()) <= limit:
            return cell
        self._cuts.cells += 1
        return data[:limit].decode("utf-8", "ignore")


def _cells(flats: list[Flat], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), flats))
    except KeyError:
        return [flat.get(name) for flat in flats]


def _valid(cell: str | None) -> str | None:
    """Text that UTF-8 can hold: half a surrogate pair becomes a question mark."""
    return None if cell is None else cell.encode("utf-8", "replace").decode("utf-8")


def _tidy(name: str) -> str:
    """A column's name on one line, of a length that a report can show."""
    name = " ".join(name.encode("utf-8", "replace").decode("utf-8").split())
    return name or VALUE


def _empty_batch() -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array([], pa.string())], names=[VALUE])


def _no_ids() -> pa.Int64Array:
    import pyarrow as pa

    return pa.array([], pa.int64())


class Tables:
    """The tables of one item, by name.

    Args:
        limits: what bounds them.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.cuts = Cuts()
        self._shredders: dict[str, Shredder] = {}
        self._dropped = 0

    def table(self, name: str) -> Shredder:
        """The table of that name, made if it is new. Beyond ``limits.tables``, all share the first."""
        found = self._shredders.get(name)
        if found is None:
            if len(self._shredders) >= self.limits.tables:
                self._dropped += 1
                return next(iter(self._shredders.values()))
            found = self._shredders[name] = Shredder(name, self.limits, self.cuts)
        return found

    def ready(self) -> Iterator[TableChunk]:
        """Chunks that are full."""
        for shredder in self._shredders.values():
            yield from shredder.chunks()

    def finish(self) -> Iterator[TableChunk | Gap]:
        """All that is left, then gaps for what was left out."""
        for shredder in self._shredders.values():
            yield from shredder.chunks(last=True)
        yield from self.cuts.gaps(self.limits)
        if self._dropped:
            detail = f"{self._dropped} tables over {self.limits.tables} were read as one (limits.tables)"
            yield Gap(Stage.READ, Reason.TOO_LARGE, detail)

    def add_records(self, name: str, records: Iterable[Any]) -> Iterator[TableChunk]:
        """Put records to a table; gives the chunks that get full on the way.

        Lists whose first names the others' places are told by the first of them.
        """
        iterator = iter(records)
        shredder = self.table(name)
        sample: list[Any] = []
        for record in iterator:
            sample.append(record)
            if type(record) is not list or len(sample) >= 50:
                break
        if shredder.rows == 0 and len(sample) > 1 and all(type(record) is list for record in sample):
            del sample[: shredder.set_header(sample)]
        for record in sample:
            shredder.add(record)
        for record in iterator:
            shredder.add(record)
            yield from shredder.chunks()

    def add_document(self, value: Any) -> Iterator[TableChunk]:
        """Put one whole document: arrays of objects are tables named by path, the rest is a row."""
        if type(value) is list:
            yield from self.add_records("-", value)
        elif type(value) is dict:
            rest = yield from self._split(value, "", 1)
            if rest or not self._shredders:
                self.table("-").add(rest)
        else:
            self.table("-").add(value)

    def _split(
        self, value: dict[str, Any], path: str, depth: int
    ) -> Generator[TableChunk, None, dict[str, Any]]:
        """Give the tables within an object to their shredders; what remains of it."""
        if depth > self.limits.json_depth:
            self.cuts.too_deep += 1
            return {}
        if is_table_map(value):
            yield from self.add_records(path or "-", map_records(value))
            return {}
        rest: dict[str, Any] = {}
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            if is_data_key(key):
                rest[key] = item
            elif type(item) is list and any(type(element) is dict for element in item):
                yield from self.add_records(inner, item)
            elif type(item) is dict and item:
                left = yield from self._split(item, inner, depth + 1)
                if left:
                    rest[key] = left
            else:
                rest[key] = item
        return rest


def is_table_map(value: dict[str, Any]) -> bool:
    """True for a map whose entries are objects: its entries are the records of a table."""
    return bool(value) and all(type(item) is dict for item in value.values()) and is_map(value)


def map_records(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of a map as records, each with its key."""
    for key, item in value.items():
        yield keyed(key, item)


def keyed(key: str, item: Any) -> dict[str, Any]:
    """A map's entry as a record with its key in the column ``{key}``."""
    return {"{key}": key, **item} if type(item) is dict else {"{key}": key, VALUE: item}
