"""YAML: lists of records, one after the other in constant memory; other documents whole.

Values are read as they are written (``on`` stays ``on``, a date stays text). Aliases are followed within a
budget: a small text can refer to itself into any size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO, Any, cast

from scanner.config import Limits
from scanner.model import Gap, Reason, Stage
from scanner.readers.base import HEAD_BYTES, Event, ReadContext, Reader, Source, TableChunk
from scanner.readers.compression import Quiet
from scanner.readers.encoding import as_utf8, detect, head_text
from scanner.readers.shred import Tables
from scanner.readers.text import pieces

_NAMES = (".yaml", ".yml")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_START = re.compile(r"(?:%YAML[^\n]*\n)?(?:#[^\n]*\n|[ \t\r]*\n)*---[ \t\r]*(?:#[^\n]*)?\n")
#: What a document of YAML goes on with: a key with its value, or an entry of a list.
_ENTRY = re.compile(r"\s*(?:- |-$|---|\.\.\.$|[\w.\"'$/ -]+:(?:\s|$))")
#: Values that aliases may stand for, over a whole file.
_ALIASED = 200_000
#: Values of one document that is held whole.
_HELD = 2_000_000
#: Brackets open at the same time. The parser's time grows with the square of their number.
_BRACKETS = 5_000
_UNPARSED = "unparsed"

#: A YAML event of PyYAML, which has no types worth the name.
_Events = Iterator[Any]


class _TooLargeError(Exception):
    """A document has more values than may be held."""


class _TooDeepError(Exception):
    """Brackets are nested so deeply that the parser would take minutes."""


class YamlReader(Reader):
    """Reads YAML. A top-level list or several documents are the table ``-``; other lists go by path."""

    format = "yaml"
    limitations = ("Tags are ignored: a value is what is written.",)

    def accepts(self, head: bytes, name: str) -> int:
        """By name; without it only what starts with a document's mark and goes on with keys or entries."""
        text = head_text(head)
        if not text:
            return 0
        if name.lower().endswith(_NAMES):
            return 70
        start = _START.match(text)
        return 50 if start is not None and _has_entries(text[start.end() :], len(head) < HEAD_BYTES) else 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """The tables, chunk by chunk; then gaps, and as text what did not parse.

        Raises:
            ReadError: the stream's, after all that came before it.
        """
        utf8 = as_utf8(source.stream, detect(source.head))
        stream = Quiet(cast("IO[bytes]", utf8))
        tables = Tables(context.limits)
        loader = _Loader(stream, context.limits)
        yield from loader.read(tables)
        yield from tables.finish()
        yield from loader.gaps()
        if (gap := utf8.gap()) is not None:
            yield gap
        if stream.error is not None:
            raise stream.error


def _has_entries(text: str, whole: bool) -> bool:
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    lines = lines[:100] if whole else lines[:100][:-1]
    return bool(lines) and sum(_ENTRY.match(line) is not None for line in lines) >= 0.7 * len(lines)


class _Kept:
    """A stream that remembers what was read since the last call of `forget`."""

    def __init__(self, stream: Quiet, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._size = 0
        self._open = 0
        self.kept: list[bytes] = []

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._stream.read(size if size > 0 else 1 << 16)
        self.kept.append(block)
        self._size += len(block)
        opened, closed = (sum(map(block.count, brackets)) for brackets in ((b"[", b"{"), (b"]", b"}")))
        self._open = max(0, self._open + opened - closed)
        if self._open > _BRACKETS:
            raise _TooDeepError
        if self._size > self._limit:
            raise _TooLargeError
        return block

    def forget(self) -> None:
        """Let go of all but the block that is being parsed."""
        del self.kept[:-2]
        self._size = sum(map(len, self.kept))


class _Loader:
    """Builds values from events."""

    def __init__(self, stream: Quiet, limits: Limits) -> None:
        self._stream = _Kept(stream, limits.spool_mb << 20)
        self._rest = stream
        self._limits = limits
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliased = 0
        self._unfollowed = 0
        self._too_deep = 0
        self._count = 0

    def read(self, tables: Tables) -> Iterator[Event]:
        """All documents; what does not parse comes as text, with a gap."""
        import yaml

        try:
            yield from self._documents(yaml.parse(cast("Any", self._stream), Loader=yaml.CSafeLoader), tables)
        except (yaml.YAMLError, ValueError, RecursionError):
            yield from self._fallen(Reason.CORRUPT, "is no YAML")
        except _TooDeepError:
            yield from self._fallen(Reason.TOO_DEEP, f"opens more than {_BRACKETS} brackets")
        except _TooLargeError:
            what = f"one document holds over {_HELD} values or {self._limits.spool_mb} MiB (limits.spool_mb)"
            yield from self._fallen(Reason.TOO_LARGE, what)

    def gaps(self) -> Iterator[Gap]:
        """What was left out."""
        if self._unfollowed:
            detail = f"{self._unfollowed} aliases stand for more than {_ALIASED} values and were not followed"
            yield Gap(Stage.READ, Reason.TOO_LARGE, detail)
        if self._too_deep:
            detail = f"{self._too_deep} values lie below {self._limits.json_depth} levels (limits.json_depth)"
            yield Gap(Stage.READ, Reason.TOO_DEEP, detail)

    def _fallen(self, reason: Reason, what: str) -> Iterator[Event]:
        yield Gap(Stage.READ, reason, f"{what}; it was read as text from there on")

        def texts() -> Iterator[str]:
            yield b"".join(self._stream.kept).decode("utf-8", "replace")
            while block := self._rest.read(1 << 16):
                yield block.decode("utf-8", "replace")

        yield from pieces(_UNPARSED, texts())

    def _documents(self, events: _Events, tables: Tables) -> Iterator[TableChunk]:
        """One document as it is; of several, each is a record unless it is a list of records."""
        import yaml

        held: list[Any] = []
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self._anchors.clear()
                self._count = 0
            elif isinstance(event, yaml.SequenceStartEvent) and event.anchor is None:
                yield from tables.add_records("-", self._elements(events))
            elif isinstance(event, yaml.NodeEvent):
                value = self._build(event, events, 1)[0]
                if documents == 1:
                    held.append(value)
                    continue
                for record in [*held, value]:
                    tables.table("-").add(record)
                held.clear()
                yield from tables.ready()
        for value in held:
            if value is not None:
                yield from tables.add_document(value)

    def _elements(self, events: _Events) -> Iterator[Any]:
        """The entries of the list whose start was just read, until its end."""
        import yaml

        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            self._count = 0
            yield self._build(event, events, 2)[0]
            self._stream.forget()

    def _build(self, event: Any, events: _Events, depth: int) -> tuple[Any, int]:
        """The value that begins with an event, and how many values it holds."""
        import yaml

        self._count += 1
        if self._count > _HELD:
            raise _TooLargeError
        if isinstance(event, yaml.AliasEvent):
            return self._follow(event.anchor)
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style and event.value in _NULLS
            value, size = (None if plain else event.value), 1
        elif depth > self._limits.json_depth:
            self._too_deep += 1
            _skip(events)
            value, size = None, 1
        elif isinstance(event, yaml.SequenceStartEvent):
            value, size = self._sequence(events, depth)
        else:
            value, size = self._mapping(events, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, size)
        return value, size

    def _follow(self, anchor: str | None) -> tuple[Any, int]:
        value, size = self._anchors.get(anchor or "", (None, 1))
        if self._aliased + size > _ALIASED:
            self._unfollowed += 1
            return None, 1
        self._aliased += size
        return value, size

    def _sequence(self, events: _Events, depth: int) -> tuple[list[Any], int]:
        import yaml

        values: list[Any] = []
        size = 1
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            value, inner = self._build(event, events, depth + 1)
            values.append(value)
            size += inner
        return values, size

    def _mapping(self, events: _Events, depth: int) -> tuple[dict[str, Any], int]:
        import yaml

        values: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        size = 1
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, _ = self._build(event, events, depth + 1)
            value, inner = self._build(next(events), events, depth + 1)
            size += inner
            if key == "<<":
                for other in value if isinstance(value, list) else [value]:
                    merged = {**other, **merged} if isinstance(other, dict) else merged
            else:
                name = key if isinstance(key, str) else "" if key is None else _key_text(key)
                values[name if name not in values else f"{name} (again)"] = value
        return {**merged, **values}, size


def _key_text(key: Any) -> str:
    """A key that is itself a list or a mapping, as one line of text."""
    if isinstance(key, dict):
        return ", ".join(f"{inner}: {_key_text(value)}" for inner, value in key.items())
    if isinstance(key, list):
        return ", ".join(map(_key_text, key))
    return str(key)


def _skip(events: _Events) -> None:
    """Pass over the value whose start was just read."""
    import yaml

    depth = 1
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            if not depth:
                return
