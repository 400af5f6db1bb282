"""JSON: documents, JSON lines, and documents one after the other; in constant memory where they are large.

Lines are parsed one by one. A large array of objects is cut between two of its elements: where a cut is
right, what lies before it parses, so the fast parser is its own test. Any other large document goes through
ijson's events. What does not parse is a gap and is read as text, so that nothing in it goes unseen.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

from scanner.model import Gap, Reason, Stage
from scanner.readers.base import HEAD_BYTES, Event, ReadContext, Reader, Source, TableChunk
from scanner.readers.compression import Quiet
from scanner.readers.encoding import as_utf8, detect, head_text
from scanner.readers.shred import MAP_KEYS, Tables, is_data_key, is_map, keyed
from scanner.readers.text import pieces

#: Documents up to this many bytes are parsed whole.
_SMALL = 4 << 20
_BLOCK = 1 << 20
#: Bytes of an array in which no cut was found, after which events are used.
_PATIENCE = 16 << 20
#: Cuts tried, from the last, before more is read.
_TRIES = 6
_LINES_NAMES = (".jsonl", ".ndjson", ".ldjson", ".jsonlines", ".jsonnl")
_DOCUMENT_NAMES = (".json", ".geojson", ".json5", ".topojson", ".jsonld", ".har", ".ipynb", ".webmanifest")
_SPACE = b" \t\r\n\x1e"
#: Digits of a whole number from which on orjson may read it as a float, and lose some of them.
_LONG_DIGITS = 16
_LONG_NUMBER = re.compile(rb"[:\[,]\s*-?\d{19}")
_NOT_A_NUMBER = re.compile(rb"(?<=[:\[,\s])-?(?:NaN|Infinity)(?=\s*[,\]}])")
_FIRST_KEY = re.compile(rb'\s*\{\s*("(?:[^"\\]|\\.)*")\s*:')
_MARK = b"\xef\xbb\xbf"
_UNPARSED = "unparsed"


def loads(data: bytes, *, exactly: bool | None = None) -> Any:
    """The value of one JSON text; also of what is nearly JSON (NaN, control characters in strings).

    Args:
        data: the text.
        exactly: it may hold numbers of very many digits; None where that is not known.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply to parse.
    """
    import orjson

    exactly = has_long_digits(data) if exactly is None else exactly
    if not exactly or not _LONG_NUMBER.search(data):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    return json.loads(data.decode("utf-8"), strict=False, parse_constant=str)


def has_long_digits(data: bytes) -> bool:
    """True where `_LONG_DIGITS` digits stand side by side, be it in a number or not; cheap."""
    if len(data) < 2 * _LONG_DIGITS:
        return _LONG_NUMBER.search(data) is not None
    import numpy as np

    runs = (np.frombuffer(data, np.uint8) - ord("0")) < 10
    width = 1
    while width < _LONG_DIGITS:
        runs = runs[:-width] & runs[width:]
        width *= 2
    return bool(runs.any())


class JsonReader(Reader):
    """Reads JSON. A top-level array or JSON lines are the table ``-``; other arrays of objects go by path."""

    format = "json"
    limitations = (
        "Where an object repeats a key, the last value counts.",
        "Numbers are compared and shown as the shortest text of the same value.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """What starts as JSON does and goes on so."""
        text = head_text(head)
        if text is None:
            return 0
        named = name.lower().endswith((*_LINES_NAMES, *_DOCUMENT_NAMES))
        start = _bare(text.encode("utf-8", "replace"))
        is_json = _is_json_start(start, whole=len(head) < HEAD_BYTES)
        if not start.startswith((b"{", b"[")):
            return 60 if named and is_json and start else 0
        if is_json:
            return 88 if named else 82
        return 55 if named else 0

    def format_of(self, head: bytes, name: str) -> str:
        """``jsonl`` for JSON lines, else ``json``."""
        data = _bare((head_text(head) or "").encode("utf-8", "replace"))
        return "jsonl" if _is_lines(data, len(head) < HEAD_BYTES, name) else "json"

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """The tables, chunk by chunk; then gaps, and as text what did not parse.

        Raises:
            ReadError: the stream's, after all that came before it.
        """
        utf8 = as_utf8(source.stream, detect(source.head))
        stream = Quiet(cast("IO[bytes]", utf8))
        start = _read(stream, _SMALL)
        feed = _Feed(_bare(start), stream, whole=len(start) < _SMALL)
        tables = Tables(context.limits)
        if feed.data:
            yield from _parse(feed, tables, source.name, context.limits.line_mb << 20)
        yield from tables.finish()
        if (gap := utf8.gap()) is not None:
            yield gap
        if stream.error is not None:
            raise stream.error


@dataclass(slots=True)
class _Feed:
    """Bytes read so far and not yet used, and the stream that goes on; ``whole`` where it does not."""

    data: bytes
    stream: Quiet
    whole: bool

    def more(self, size: int = 0) -> bool:
        """Read on, a block or more; False at the end."""
        block = b"" if self.whole else self.stream.read(max(size, _BLOCK))
        self.whole = not block
        self.data += block
        return not self.whole

    def rest(self) -> Iterator[bytes]:
        """All that is left, in blocks that end at line ends where there are any."""
        while self.data:
            end = len(self.data) if self.whole else self.data.rfind(b"\n") + 1
            if end:
                yield self.data[:end]
                self.data = self.data[end:]
            if not self.data or not end:
                self.more(len(self.data))


def _bare(data: bytes) -> bytes:
    """Bytes without the white space and byte order marks in front."""
    data = data.lstrip(_SPACE)
    while data.startswith(_MARK):
        data = data[len(_MARK) :].lstrip(_SPACE)
    return data


def _read(stream: Quiet, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (block := stream.read(size)):
        parts.append(block)
        size -= len(block)
    return b"".join(parts)


def _is_json_start(data: bytes, *, whole: bool) -> bool:
    """True where the bytes are JSON as far as they go; also where most lines are, each of its own."""
    return _parses(_NOT_A_NUMBER.sub(b"null", data), whole) or _mostly_lines(data, whole)


def _parses(data: bytes, whole: bool) -> bool:
    """True where events of the bytes come without an error before their end."""
    import ijson

    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, multiple_values=True)
    try:
        # The end may cut a word or a character, which is an error like any other to the parser.
        parser.send(data if whole else data[:-64])
        if whole:
            parser.close()
    except ijson.IncompleteJSONError as error:
        return "premature EOF" in str(error)
    except (ijson.JSONError, ValueError, ArithmeticError):
        return False
    return True


def _mostly_lines(data: bytes, whole: bool) -> bool:
    lines = [line.strip(_SPACE) for line in data.split(b"\n")]
    lines = [line for line in (lines if whole else lines[:-1]) if line][:200]
    objects = sum(line.startswith(b"{") and _is_valid(line) for line in lines)
    return len(lines) > 2 and objects >= 0.6 * len(lines)


def _is_valid(line: bytes) -> bool:
    try:
        loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _is_lines(data: bytes, whole: bool, name: str) -> bool:
    """True where each line is a JSON text of its own."""
    first, _, rest = data.partition(b"\n")
    first = first.strip(_SPACE)
    if name.lower().endswith(_LINES_NAMES) and len(first) > 1:
        return True
    if not rest.strip(_SPACE):
        return False
    try:
        value = loads(first)
    except (ValueError, RecursionError):
        return False
    following = [line.strip(_SPACE) for line in rest.split(b"\n")]
    following = [line for line in (following if whole else following[:-1]) if line][:50]
    if any(line in (b"{", b"[") for line in following):
        return False  # Documents over several lines, after an empty one.
    return type(value) in (dict, list) and bool(following) and following[0][:1] in (b"{", b"[")


def _parse(feed: _Feed, tables: Tables, name: str, longest: int) -> Iterator[Event]:
    if _is_lines(feed.data, feed.whole, name):
        yield from _lines(feed, tables, longest)
    elif feed.whole:
        yield from _small(feed, tables)
    elif _is_sequence(feed.data):
        yield from _values(feed, tables, "", multiple=True)
    elif feed.data.startswith(b"[") and _FIRST_KEY.match(feed.data, 1):
        yield from _array(feed, tables)
    elif feed.data.startswith(b"["):
        yield from _values(feed, tables, "item")
    else:
        yield from _document(feed, tables)


def _lines(feed: _Feed, tables: Tables, longest: int) -> Iterator[Event]:
    """JSON lines: a table of one record a line."""
    bad = too_long = 0
    table = tables.table("-")
    while feed.data or not feed.whole:
        end = len(feed.data) if feed.whole else feed.data.rfind(b"\n") + 1
        block, feed.data = feed.data[:end], feed.data[end:]
        unparsed: list[str] = []
        exactly = has_long_digits(block)
        for line in block.split(b"\n"):
            line = _bare(line).rstrip(_SPACE)  # noqa: PLW2901 # the line, tidied
            if not line:
                continue
            if len(line) > longest:
                too_long += 1
                continue
            try:
                table.add(loads(line, exactly=exactly))
            except (ValueError, RecursionError):
                bad += 1
                unparsed.append(line.decode("utf-8") + "\n")
        yield from table.chunks()
        yield from pieces(_UNPARSED, unparsed)
        if len(feed.data) > longest:
            too_long += 1
            while (end := feed.data.find(b"\n") + 1) == 0 and feed.more():
                feed.data = feed.data[-_BLOCK:]
            feed.data = feed.data[end:] if end else b""
        feed.more(len(feed.data))
    if bad:
        yield Gap(Stage.READ, Reason.CORRUPT, f"{bad} lines are no JSON and were read as text")
    if too_long:
        yield Gap(Stage.READ, Reason.TOO_LARGE, f"{too_long} lines over {longest >> 20} MiB were left out")


def _small(feed: _Feed, tables: Tables) -> Iterator[Event]:
    """A whole text in memory: one document, or several one after the other."""
    try:
        yield from tables.add_document(loads(feed.data))
        return
    except ValueError:
        values, rest = _sequence(feed.data.decode("utf-8"))
    except RecursionError:
        yield from _fallen(feed, Reason.TOO_DEEP, "is nested too deeply to parse")
        return
    if len(values) > 1 or (values and not rest):
        for value in values:
            tables.table("-").add(value)
            yield from tables.ready()
        feed.data = rest.encode()
    elif _FIRST_KEY.match(feed.data, 1):
        yield from _array(feed, tables)
        return
    if feed.data:
        yield from _fallen(feed, Reason.CORRUPT, "is no JSON")


def _sequence(text: str) -> tuple[list[Any], str]:
    """The values that a text is a sequence of, and what follows the last that parses."""
    decoder = json.JSONDecoder(strict=False, parse_constant=str)
    values: list[Any] = []
    position = 0
    spaces = re.compile(r"[\s\x1e\ufeff,]*")
    while position < len(text):
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        values.append(value)
        position = spaces.match(text, end).end()  # type: ignore[union-attr] # it matches the empty string too
    return values, text[position:]


def _is_sequence(data: bytes) -> bool:
    """True where a first value ends within ``data`` and another begins."""
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(data.decode("utf-8", "ignore"))
    except (ValueError, RecursionError):
        return False
    return end < len(data) - _BLOCK


def _fallen(feed: _Feed, reason: Reason, what: str) -> Iterator[Event]:
    """The rest as text, and a gap that says so."""
    yield Gap(Stage.READ, reason, f"{what}; it was read as text from there on")
    yield from pieces(_UNPARSED, (block.decode("utf-8", "replace") for block in feed.rest()))


def _array(feed: _Feed, tables: Tables) -> Iterator[Event]:
    """A large array of objects, cut between its elements; ``feed`` stands at its bracket."""
    key = _FIRST_KEY.match(feed.data, 1)
    assert key is not None
    cuts = re.compile(rb"\}\s*,\s*(?=\{\s*" + re.escape(key.group(1)) + rb"\s*:)")
    feed.data = feed.data[1:]
    table = tables.table("-")
    while True:
        values = _try_whole(feed.data) if feed.whole else None
        if values is not None:
            yield from tables.add_records("-", values)
            return
        values = _try_cuts(feed, cuts)
        if values is not None:
            for value in values:
                table.add(value)
            yield from table.chunks()
            del values
            if len(feed.data) < _BLOCK:
                feed.more()
        elif feed.whole:
            yield from _fallen(feed, Reason.CORRUPT, "an array of JSON is damaged or cut off")
            return
        elif len(feed.data) > _PATIENCE:
            feed.data = b"[" + feed.data
            yield from _values(feed, tables, "item")
            return
        else:
            feed.more(len(feed.data))


def _try_whole(data: bytes) -> list[Any] | None:
    """The elements of the rest of an array, its closing bracket included; None where it does not parse."""
    try:
        value = loads(b"[" + data)
    except (ValueError, RecursionError):
        return None
    return value if type(value) is list else None


def _try_cuts(feed: _Feed, cuts: re.Pattern[bytes]) -> list[Any] | None:
    """The elements before the last right cut, taken from ``feed``; None where no cut tried is right."""
    found = [match.span() for match in cuts.finditer(feed.data)]
    tried = found[-_TRIES:][::-1]
    if feed.whole and len(found) > _TRIES:
        # The end is damaged somewhere: look for the place by halves as well.
        tried += [found[len(found) >> shift] for shift in range(1, 8)] + [found[0]]
    for start, end in tried:
        try:
            value = loads(b"[" + feed.data[: start + 1] + b"]")
        except (ValueError, RecursionError):
            continue
        feed.data = feed.data[end:]
        return cast("list[Any]", value)
    return None


class _Tail:
    """The stream that ijson reads: what is at hand, then the rest; it remembers the block given last."""

    def __init__(self, feed: _Feed) -> None:
        self._feed = feed
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """The next bytes; none where none are asked for, as ijson does to see what kind of stream it is."""
        feed = self._feed
        if not size:
            return b""
        if not feed.data:
            feed.more()
        size = min(size, 1 << 16) if size > 0 else 1 << 16
        self.last, feed.data = feed.data[:size], feed.data[size:]
        return self.last


def _guarded(events: Iterator[Any], feed: _Feed, tail: _Tail) -> Generator[Any, None, bool]:
    """Events until their end or the first error; the block with the error goes back to ``feed``."""
    import ijson

    try:
        yield from events
    except (ijson.JSONError, ValueError, ArithmeticError, RecursionError):
        feed.data = tail.last + feed.data
        return False
    return True


def _values(feed: _Feed, tables: Tables, prefix: str, *, multiple: bool = False) -> Iterator[Event]:
    """The values at an ijson prefix as records of the table ``-``."""
    import ijson

    tail = _Tail(feed)
    good = True

    def values() -> Iterator[Any]:
        nonlocal good
        good = yield from _guarded(ijson.items(tail, prefix, multiple_values=multiple), feed, tail)

    yield from tables.add_records("-", values())
    if not good:
        yield from _fallen(feed, Reason.CORRUPT, "a JSON text is damaged or cut off")


def _document(feed: _Feed, tables: Tables) -> Iterator[Event]:
    """A large object: its arrays of objects become tables as they come, the rest is one row."""
    import ijson

    maps = _map_paths(feed.data)
    tail = _Tail(feed)
    guarded = _Guard(ijson.basic_parse(tail), feed, tail)
    events = iter(guarded)
    rest: dict[str, Any] = {}
    if next(events, ("", None))[0] == "start_map":
        rest = yield from _object(events, "", tables, maps)
    if rest:
        tables.table("-").add(rest)
    if not guarded.good:
        yield from _fallen(feed, Reason.CORRUPT, "a JSON text is damaged or cut off")


class _Guard:
    """Events, which end at the first error; ``good`` says whether there was none."""

    def __init__(self, events: Iterator[Any], feed: _Feed, tail: _Tail) -> None:
        self._events, self._feed, self._tail = events, feed, tail
        self.good = True

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        self.good = yield from _guarded(self._events, self._feed, self._tail)


def _object(
    events: Iterator[tuple[str, Any]], path: str, tables: Tables, maps: set[str], depth: int = 1
) -> Generator[TableChunk, None, dict[str, Any]]:
    """The inside of an object: tables go where they belong, what remains is returned."""
    rest: dict[str, Any] = {}
    key = ""
    objects = 0
    for event, value in events:
        if event == "map_key":
            key = value
        elif event == "end_map":
            break
        elif path in maps:
            table = tables.table(path or "-")
            table.add(keyed(key, _build(events, event, value)))
            yield from table.chunks()
        elif is_data_key(key):
            rest[key] = _build(events, event, value)
        elif event == "start_map" and depth < tables.limits.json_depth:
            objects += 1
            if objects > MAP_KEYS:
                maps.add(path)
            inner = yield from _object(events, f"{path}.{key}" if path else key, tables, maps, depth + 1)
            if inner:
                rest[key] = inner
        elif event == "start_array":
            left = yield from _elements(events, f"{path}.{key}" if path else key, tables)
            if left:
                rest[key] = left
        else:
            rest[key] = _build(events, event, value)
    return rest


def _elements(
    events: Iterator[tuple[str, Any]], path: str, tables: Tables
) -> Generator[TableChunk, None, list[Any]]:
    """The inside of an array: objects are records of the table at ``path``, others are returned."""
    left: list[Any] = []
    for event, value in events:
        if event == "end_array":
            break
        item = _build(events, event, value)
        if type(item) is dict:
            table = tables.table(path)
            table.add(item)
            yield from table.chunks()
        else:
            left.append(item)
            if len(left) >= 50_000:
                yield from tables.add_records(path, left)
                left = []
    return left


def _build(events: Iterator[tuple[str, Any]], event: str, value: Any) -> Any:
    """The value that begins with this event."""
    if event not in ("start_map", "start_array"):
        return value
    from ijson import ObjectBuilder

    builder = ObjectBuilder()
    builder.event(event, value)
    depth = 1
    for event, value in events:  # the next events of the same value
        builder.event(event, value)
        if event in ("start_map", "start_array"):
            depth += 1
        elif event in ("end_map", "end_array"):
            depth -= 1
            if not depth:
                break
    return builder.value


def _map_paths(start: bytes) -> set[str]:
    """Paths of the objects in the first part of a document that are maps to objects."""
    import ijson

    keys: dict[str, dict[str, Any]] = {}
    places: list[tuple[str, str]] = []
    path = key = ""
    arrays = 0
    try:
        for event, value in ijson.basic_parse(io.BytesIO(start)):
            if event in ("start_array", "end_array"):
                arrays += 1 if event == "start_array" else -1
            elif arrays:
                continue
            elif event == "map_key":
                key = value
            elif event == "start_map":
                places.append((path, key))
                if len(places) > 1:
                    keys.setdefault(path, {})[key] = None
                    path = f"{path}.{key}" if path else key
            elif event == "end_map":
                path, key = places.pop()
    except (ijson.JSONError, ValueError, ArithmeticError, RecursionError):
        pass
    return {path for path, found in keys.items() if is_map(found)}
