"""Records without some of their fields, by the key paths that the JSON reader calls them.

A field's path depends on what came before (an object becomes a map once its keys look like data), so the
reader's own rules decide here as well, in the same order.
"""

from __future__ import annotations

from typing import Any

from scanner.config import Limits
from scanner.detect.masking import safe_name
from scanner.readers.shred import VALUE, Cuts, Shredder, is_data_key, is_table_map, keyed, text_of
from scanner.remedy.base import KEEP, Do, Plan, Tools, Treatment

#: In the place of a value that goes.
GONE: Any = object()
_KEY = "{key}"
#: Records looked at to see whether the first of them names the places of the others; as the reader does.
_SAMPLE = 50


class Records(Shredder):
    """One table's records, one after the other, without what goes.

    Args:
        name: the table's.
        plan: what becomes of its fields.
        tools: what changes values.
    """

    def __init__(self, name: str, plan: Plan, tools: Tools) -> None:
        super().__init__(name, tools.limits, Cuts())
        self._tools = tools
        self._treatments: dict[str, Treatment] = {}
        for (field, _), treatment in plan.table(name).by_name().items():
            self._treatments[field] = treatment
        self._by_path: dict[str, Treatment] = {}

    def record(self, value: Any) -> Any:
        """A record as it is to be; an object stays one though all of its fields go."""
        self.rows += 1
        if type(value) is dict:
            nested = any(type(item) in (dict, list) for item in value.values())
            if not nested and value.keys() <= self._known.get("", frozenset()):
                return self._flat(value)
            done = self._object(value, "", 1)
            return {} if done is GONE else done
        if type(value) is list:
            return self.places(value)
        done = self._scalar(VALUE, value)
        return None if done is GONE else done

    def places(self, value: list[Any]) -> list[Any]:
        """A record that is a list, its cells named by place."""
        done = [self._value(item, self._place_name(place), 1) for place, item in enumerate(value)]
        return [item for item in done if item is not GONE]

    def header(self, value: list[Any]) -> list[Any]:
        """The record that names the places, without those that go."""
        return [
            item for place, item in enumerate(value) if self._at(self._place_name(place)).do is not Do.DROP
        ]

    def _at(self, path: str) -> Treatment:
        found = self._by_path.get(path)
        if found is None:
            name = " ".join(path.encode("utf-8", "replace").decode("utf-8").split()) or VALUE
            found = self._by_path[path] = self._treatments.get(safe_name(name), KEEP)
        return found

    def _flat(self, value: dict[str, Any]) -> dict[str, Any]:
        done = {key: self._scalar(key, item) for key, item in value.items()}
        return {key: item for key, item in done.items() if item is not GONE}

    def _object(self, value: dict[str, Any], prefix: str, depth: int) -> Any:
        if depth > self._limits.json_depth:
            return value
        whole_map = self._is_map_at(prefix, value)
        known = frozenset() if whole_map else self._known[prefix]
        start = f"{prefix}." if prefix else ""
        done: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items(), 1):
            if key in known:
                kept = self._value(item, start + key, depth)
            else:
                kept = self._value(item, prefix + "{}", depth)
                key = self._map_key(prefix, key, number)  # noqa: PLW2901 # the key as it is to be
            if kept is not GONE:
                done[key] = kept
        return done if done or not value else GONE

    def _map_key(self, prefix: str, key: str, number: int) -> str:
        """The key of a map's entry; a number in its stead where it goes."""
        treatment = self._at(f"{prefix}{_KEY}")
        return key if treatment.do is Do.KEEP else self._tools.cell(treatment, key) or str(number)

    def _array(self, path: str, elements: list[Any], depth: int) -> Any:
        if depth > self._limits.json_depth:
            return elements
        done = [self._value(item, path, depth) for item in elements]
        kept = [item for item in done if item is not GONE]
        return kept if kept or not elements else GONE

    def _value(self, item: Any, path: str, depth: int) -> Any:
        if type(item) is dict:
            return self._object(item, path, depth + 1)
        if type(item) is list:
            return self._array(path + "[]", item, depth + 1)
        return self._scalar(path, item)

    def _scalar(self, path: str, item: Any) -> Any:
        treatment = self._at(path)
        if treatment.do is Do.KEEP:
            return item
        if treatment.do is Do.DROP:
            return GONE
        text = text_of(item)
        if text is None or not text.strip():
            return item
        done = self._tools.cell(treatment, text)
        return item if done == text else done


class Documents:
    """Whole documents without what goes, taken apart into tables as the reader does."""

    def __init__(self, plan: Plan, tools: Tools) -> None:
        self._plan = plan
        self._tools = tools
        self._limits: Limits = tools.limits
        self._tables: dict[str, Records] = {}

    def table(self, name: str) -> Records:
        """The records of a table; beyond the limit of tables, all share the first."""
        if name not in self._tables:
            if len(self._tables) >= self._limits.tables:
                return next(iter(self._tables.values()))
            self._tables[name] = Records(name, self._plan, self._tools)
        return self._tables[name]

    def document(self, value: Any) -> Any:
        """One document as it is to be."""
        if type(value) is list:
            return self.records("-", value)
        if type(value) is not dict:
            return self.table("-").record(value)
        done, rest = self._split(value, "", 1)
        left = self.table("-").record(rest) if rest or not self._tables else {}
        return _merged(value, done, left)

    def records(self, name: str, values: list[Any]) -> list[Any]:
        """The records of an array; lists whose first names the places of the others are told by it."""
        table = self.table(name)
        sample = values[:_SAMPLE]
        headed = (
            table.rows == 0
            and len(sample) > 1
            and all(type(record) is list for record in sample)
            and table.set_header(sample)
        )
        done = [table.header(values[0])] if headed else []
        return done + [table.record(record) for record in values[len(done) :]]

    def _split(self, value: dict[str, Any], path: str, depth: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """What lies in tables, done, by key, and the rest, which is still to be done.

        A key whose object holds tables further down leads to a `_Within`.
        """
        if depth > self._limits.json_depth:
            return {}, {}
        if is_table_map(value):
            return {"": _Whole(self._map(path, value))}, {}
        done: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            if is_data_key(key):
                rest[key] = item
            elif type(item) is list and any(type(element) is dict for element in item):
                done[key] = self.records(inner, item)
            elif type(item) is dict and item:
                below, left = self._split(item, inner, depth + 1)
                if below:
                    done[key] = _Within(item, below)
                if left:
                    rest[key] = left
            else:
                rest[key] = item
        return done, rest

    def _map(self, path: str, value: dict[str, Any]) -> dict[str, Any]:
        table = self.table(path or "-")
        done: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items(), 1):
            record = table.record(keyed(key, item))
            done[str(record.pop(_KEY, number))] = record
        return done


class _Within:
    """An object some of whose entries are tables, which are done."""

    __slots__ = ("done", "value")

    def __init__(self, value: dict[str, Any], done: dict[str, Any]) -> None:
        self.value, self.done = value, done


class _Whole:
    """An object all of which is one table, done."""

    __slots__ = ("value",)

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value


def _merged(value: dict[str, Any], done: dict[str, Any], left: dict[str, Any]) -> dict[str, Any]:
    """An object from its tables and from what is left of the rest, in the order of its keys."""
    whole = done.get("")
    if isinstance(whole, _Whole):
        return whole.value
    out: dict[str, Any] = {}
    for key in value:
        if isinstance(found := done.get(key, GONE), _Within):
            out[key] = _merged(found.value, found.done, left.get(key, {}))
        elif found is not GONE:
            out[key] = found
        elif key in left:
            out[key] = left[key]
    # Keys that were changed themselves.
    return out | {key: item for key, item in left.items() if key not in value}
