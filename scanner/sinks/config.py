"""The ``sinks`` of the agent's configuration: strict, and every mistake is told with its place."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from scanner.events import kinds
from scanner.sinks.base import Common, Sink

_COMMON = {
    "name": str,
    "events": list[str],
    "format": str,
    "batch": int,
    "tries": int,
    "give_up_hours": float,
    "backoff_seconds": float,
    "backoff_limit_seconds": float,
    "timeout_seconds": float,
}
_FORMATS = ("native", "ocsf")
#: Below the size that any of the receivers refuses.
_LARGEST_BATCH = 5000
_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the configuration.

    Attributes:
        place: keys and list positions from ``sinks`` on: ``(1, "url")``.
        sentence: what is wrong.
    """

    place: tuple[str | int, ...]
    sentence: str

    def __str__(self) -> str:
        inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.place)
        return f"sinks{inside}: {self.sentence}"


class SinkConfigError(ValueError):
    """The sinks' configuration is wrong. ``problems`` lists all that is."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = list(problems)


def build(given: Any) -> list[Sink]:
    """Sinks of a configuration's list of mappings, as a YAML loader gives it.

    Nothing is connected to and nothing is written; files of secrets are looked at.

    Raises:
        SinkConfigError: an unknown type or setting, a value that cannot be, two sinks of one name.
    """
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        raise SinkConfigError([Problem((), "must be a list of sinks")])
    problems: list[Problem] = []
    sinks = [_sink(number, entry, problems) for number, entry in enumerate(given)]
    names: set[str] = set()
    for number, sink in enumerate(sinks):
        if sink is not None and sink.name in names:
            problems.append(
                Problem((number, "name"), f"is {sink.name!r}, like another sink's; give each its own")
            )
        names |= {sink.name} if sink is not None else set()
    if problems:
        raise SinkConfigError(problems)
    return [sink for sink in sinks if sink is not None]


def _types() -> dict[str, tuple[Callable[[Common, Any], Sink], Any]]:
    from scanner.sinks.jsonl import JsonlOptions, JsonlSink
    from scanner.sinks.opensearch import OpenSearchOptions, OpenSearchSink
    from scanner.sinks.splunk import SplunkOptions, SplunkSink
    from scanner.sinks.syslog import SyslogOptions, SyslogSink
    from scanner.sinks.webhook import WebhookOptions, WebhookSink

    return {
        "jsonl": (JsonlSink, JsonlOptions),
        "webhook": (WebhookSink, WebhookOptions),
        "syslog": (SyslogSink, SyslogOptions),
        "splunk_hec": (SplunkSink, SplunkOptions),
        "opensearch": (OpenSearchSink, OpenSearchOptions),
    }


def _sink(number: int, entry: Any, problems: list[Problem]) -> Sink | None:
    if not isinstance(entry, Mapping):
        problems.append(Problem((number,), "must be a mapping with a 'type'"))
        return None
    known = _types()
    kind = entry.get("type")
    if kind not in known:
        near = _near(str(kind), known)
        problems.append(Problem((number, "type"), f"must be one of {', '.join(known)}{near}"))
        return None
    make, options_type = known[str(kind)]
    wanted = get_type_hints(options_type)
    before = len(problems)
    values = _values(number, entry, {**_COMMON, **wanted}, problems)
    _needed(number, options_type, entry, problems)
    if len(problems) > before:
        return None
    common = _common(number, str(kind), values, problems)
    options = options_type(**{key: value for key, value in values.items() if key in wanted})
    problems += [Problem((number, key), sentence) for key, sentence in options.problems()]
    if len(problems) > before or common is None:
        return None
    return make(common, options)


def _values(
    number: int, entry: Mapping[Any, Any], hints: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "type":
            continue
        if key not in hints:
            problems.append(
                Problem((number, str(key)), f"is no setting of this sink{_near(str(key), hints)}")
            )
            continue
        try:
            values[key] = _converted(hints[key], value)
        except (TypeError, ValueError):
            problems.append(Problem((number, str(key)), f"must be {_described(hints[key])}"))
    return values


def _needed(number: int, options: Any, given: Mapping[Any, Any], problems: list[Problem]) -> None:
    for each in dataclasses.fields(options):
        if each.default is dataclasses.MISSING and each.name not in given:
            problems += [Problem((number,), f"lacks {each.name!r}")]


def _common(number: int, kind: str, values: Mapping[str, Any], problems: list[Problem]) -> Common | None:
    before = len(problems)

    def wrong(key: str, sentence: str) -> None:
        problems.append(Problem((number, key), sentence))

    name = values.get("name", kind)
    if len(name) > _NAME_LENGTH or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        wrong("name", "must be letters, digits, '-' and '_', at most 64")
    told = Common(name).kinds
    try:
        told = kinds(values["events"]) if "events" in values else told
    except ValueError as error:
        wrong("events", str(error))
    if values.get("format", "native") not in _FORMATS:
        wrong("format", f"must be one of {', '.join(_FORMATS)}{_near(values['format'], _FORMATS)}")
    for key in ("batch", "tries", "timeout_seconds", "backoff_seconds", "backoff_limit_seconds"):
        if key in values and values[key] <= 0:
            wrong(key, "must be more than 0")
    if values.get("batch", 1) > _LARGEST_BATCH:
        wrong("batch", f"must be at most {_LARGEST_BATCH}")
    if len(problems) > before:
        return None
    rest = {key: values[key] for key in _COMMON if key in values and key not in {"name", "events"}}
    return Common(name=name, kinds=told, **rest)


def _converted(hint: Any, value: Any) -> Any:
    if get_origin(hint) in {Union, types.UnionType}:
        return None if value is None else _converted(get_args(hint)[0], value)
    if get_origin(hint) is list:
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise TypeError
        return value
    if hint is bool:
        if not isinstance(value, bool):
            raise TypeError
        return value
    if hint is str:
        if not isinstance(value, str) or not value.strip():
            raise TypeError
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    number = hint(value)
    if number != value or number < 0:
        raise ValueError
    return number


def _described(hint: Any) -> str:
    if get_origin(hint) in {Union, types.UnionType}:
        return _described(get_args(hint)[0])
    if get_origin(hint) is list:
        return "a list of words"
    return {int: "a whole number, 0 or more", float: "a number, 0 or more", bool: "true or false"}.get(
        hint, "text"
    )


def _near(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
