"""The recognizers of ``rules/recognizers/*.yaml`` as data, without importing Presidio.

Each file is in Presidio's own format, with two sibling keys that are ours: ``hints`` (what the columnar fast
path needs to know) and ``examples`` (what a recognizer must and must not find). The first comment of
``rules/recognizers/contact.yaml`` explains them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scanner import resources
from scanner.detect import re2
from scanner.detect.validators import CHECKS, Check

_TOP_LEVEL = frozenset({"recognizers", "hints", "examples", "supported_languages", "global_regex_flags"})
_HINTS = frozenset({"filter", "check", "needs_context", "alone"})
_NEVER = 2.0


class RulesError(ValueError):
    """Rule files are wrong. ``problems`` lists all that is, each beginning with ``file:line:``."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class PatternSpec:
    """One pattern of a recognizer: a Python regular expression with Presidio's flags (``re2.FLAGS``)."""

    name: str
    regex: str
    score: float


@dataclass(frozen=True, slots=True)
class RecognizerSpec:
    r"""One recognizer.

    Attributes:
        name: unique over all files.
        entity_type: what it finds.
        patterns: empty for a recognizer that is a Python class.
        context: lower-case words that make a match likelier (a heading, or a word beside it in text).
        check: name of the validator in `scanner.detect.validators.CHECKS`, or None.
        country: ISO 3166 code as Presidio writes it (``us``, ``uk``), None for all countries.
        source: ``file:line``, the file relative to the rules.
        filter: a wider regular expression to ask first, as given; None for none.
        class_name: the Presidio class to ask (`scanner.detect.presidio.judge`), None where patterns are all.
        needs_context: whether in running text a match counts only beside a word of ``context``.
        alone: the score from which a match needs no context after all.
        entry: the entry as Presidio takes it.
    """

    name: str
    entity_type: str
    patterns: tuple[PatternSpec, ...]
    context: tuple[str, ...]
    check: str | None
    country: str | None
    source: str
    filter: str | None
    class_name: str | None
    needs_context: bool
    alone: float
    match: tuple[str, ...]
    no_match: tuple[str, ...]
    entry: Mapping[str, Any]

    @property
    def re2_filter(self) -> str:
        """Cheap RE2 pattern (flags inside) that finds something wherever the recognizer does."""
        return _translated((self.filter,)).pattern if self.filter else self._together.pattern

    @property
    def kernels(self) -> tuple[str, ...]:
        """RE2 patterns (flags inside), one for each of ``patterns``, each finding something wherever it does.

        Empty for a class. As one they would outgrow RE2's cache and be slow.
        """
        return tuple(_translated((pattern.regex,)).pattern for pattern in self.patterns)

    @property
    def exact(self) -> bool:
        """Whether ``kernels`` find something only there, the check left aside."""
        return bool(self.patterns) and all(_translated((each.regex,)).exact for each in self.patterns)

    @property
    def whole(self) -> str | None:
        """RE2 pattern for a cell that is nothing but a match; None for a class."""
        return None if self.class_name else self._together.core

    @property
    def _together(self) -> re2.Filter:
        return _translated(tuple(pattern.regex for pattern in self.patterns))

    @property
    def validator(self) -> Check | None:
        """The check itself: found text to True (proven), False (disproved) or None (nothing learnt)."""
        return CHECKS.get(self.check) if self.check else None

    @property
    def score(self) -> float:
        """The best score a pattern of it gives; 0 for a class."""
        return max((pattern.score for pattern in self.patterns), default=0.0)


@cache
def _translated(regexes: tuple[str, ...]) -> re2.Filter:
    """Translated when first asked for: a scan needs few of all patterns."""
    return re2.combine(regexes)


@cache
def specs() -> tuple[RecognizerSpec, ...]:
    """All shipped recognizers, in the order of file names and then of the files.

    Raises:
        RulesError: any file is wrong; all that is wrong is listed.
    """
    found, problems = load(resources.path("rules", "recognizers"))
    if problems:
        raise RulesError(problems)
    return found


@cache
def by_entity() -> dict[str, tuple[RecognizerSpec, ...]]:
    """The shipped recognizers by the entity type they find."""
    grouped: dict[str, list[RecognizerSpec]] = {}
    for spec in specs():
        grouped.setdefault(spec.entity_type, []).append(spec)
    return {entity_type: tuple(group) for entity_type, group in grouped.items()}


def load(folder: Path) -> tuple[tuple[RecognizerSpec, ...], tuple[str, ...]]:
    """The recognizers of a folder and what is wrong with its files (``file:line: sentence``)."""
    reader = _Reader()
    for file in sorted(folder.glob("*.yaml")):
        reader.read(file)
    return tuple(reader.found), tuple(reader.problems)


class _Reader:
    """Collects recognizers and problems over files."""

    def __init__(self) -> None:
        self.found: list[RecognizerSpec] = []
        self.problems: list[str] = []
        self._names: dict[str, str] = {}

    def read(self, file: Path) -> None:
        data, lines = _parse(file, self.problems)
        if data is None:
            return
        for key in set(data) - _TOP_LEVEL:
            self.problems.append(f"{file.name}:1: unknown key {key!r}; expected one of {sorted(_TOP_LEVEL)}")
        entries = data.get("recognizers")
        if not isinstance(entries, list):
            self.problems.append(f"{file.name}:1: 'recognizers' must be a list")
            return
        hints, examples = _mapping(data, "hints"), _mapping(data, "examples")
        for entry, line in zip(entries, lines, strict=True):
            self._add(entry, f"{file.name}:{line}", hints, examples)
        names = {entry.get("name") for entry in entries if isinstance(entry, dict)}
        for key, given in (("hints", hints), ("examples", examples)):
            for name in sorted(set(given) - names, key=str):
                self.problems.append(f"{file.name}:1: {key} for {name!r}, which this file does not define")

    def _add(self, entry: Any, place: str, hints: dict[str, Any], examples: dict[str, Any]) -> None:
        if isinstance(entry, dict) and entry.get("enabled") is False:
            return
        problems = _entry_problems(entry)
        if not problems:
            hint, example = hints.get(entry["name"]) or {}, examples.get(entry["name"]) or {}
            problems = [*_hint_problems(entry, hint), *_example_problems(example)]
            if entry["name"] in self._names:
                problems.append(
                    f"recognizer {entry['name']!r} is defined at {self._names[entry['name']]} too"
                )
        self.problems += [f"{place}: {problem}" for problem in problems]
        if not problems:
            self._names[entry["name"]] = place
            self.found.append(_build(entry, hint, example, place))


def _parse(file: Path, problems: list[str]) -> tuple[dict[str, Any] | None, list[int]]:
    """The file's mapping, and the line of each entry of ``recognizers``."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(file.read_text(encoding="utf-8"))
    try:
        node = loader.get_single_node()
        data = loader.construct_document(node) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.append(f"{file.name}:{mark.line + 1 if mark else 1}: is not valid YAML")
        return None, []
    finally:
        loader.dispose()
    if node is None or not isinstance(data, dict):
        problems.append(f"{file.name}:1: must be a mapping with the key 'recognizers'")
        return None, []
    lists = [value for key, value in node.value if key.value == "recognizers"]
    items = lists[0].value if lists and isinstance(lists[0].value, list) else []
    return data, [item.start_mark.line + 1 for item in items]


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key) or {}
    return value if isinstance(value, dict) else {}


def _entry_problems(entry: Any) -> list[str]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        return ["a recognizer must be a mapping with a name"]
    problems = []
    if not isinstance(entry.get("supported_entity"), str):
        problems.append(f"recognizer {entry['name']!r} lacks supported_entity")
    if not isinstance(entry.get("country_code", ""), str):
        problems.append(
            f"country_code of {entry['name']!r} must be text; quote what YAML reads otherwise (no)"
        )
    if not all(isinstance(word, str) for word in entry.get("context") or ()):
        problems.append(f"context of {entry['name']!r} must be words; quote those that YAML reads otherwise")
    if entry.get("type") == "predefined":
        return problems
    patterns = entry.get("patterns")
    if not isinstance(patterns, list) or not patterns:
        return [*problems, f"recognizer {entry['name']!r} has no patterns"]
    for pattern in patterns:
        if not isinstance(pattern, dict) or not {"name", "regex", "score"} <= set(pattern):
            problems.append(f"a pattern of {entry['name']!r} needs name, regex and score")
        elif not 0 < float(pattern["score"]) <= 1:
            problems.append(f"score of {entry['name']!r}, pattern {pattern['name']!r}, must lie in (0, 1]")
    return problems


def _hint_problems(entry: dict[str, Any], hint: Any) -> list[str]:
    if not isinstance(hint, dict):
        return [f"hints of {entry['name']!r} must be a mapping"]
    problems = [f"unknown hint {key!r} for {entry['name']!r}" for key in sorted(set(hint) - _HINTS, key=str)]
    if hint.get("check") is not None and hint["check"] not in CHECKS:
        problems.append(f"unknown check {hint['check']!r} for {entry['name']!r}")
    if entry.get("type") == "predefined" and not hint.get("filter"):
        problems.append(f"recognizer {entry['name']!r} is a class and needs hints: {{filter: …}}")
    return problems


def _example_problems(example: Any) -> list[str]:
    if not isinstance(example, dict):
        return ["examples must be a mapping with match and no_match"]
    problems = []
    for key in ("match", "no_match"):
        values = example.get(key)
        if not isinstance(values, list) or not values:
            problems.append(f"no examples of what must {'' if key == 'match' else 'not '}match ({key})")
        elif not all(isinstance(value, str) for value in values):
            problems.append(f"examples ({key}) must be text; quote those that YAML reads otherwise")
    return problems


def _build(
    entry: dict[str, Any], hint: dict[str, Any], example: dict[str, Any], place: str
) -> RecognizerSpec:
    patterns = tuple(
        PatternSpec(str(pattern["name"]), str(pattern["regex"]), float(pattern["score"]))
        for pattern in entry.get("patterns") or ()
    )
    predefined = entry.get("type") == "predefined"
    return RecognizerSpec(
        name=entry["name"],
        entity_type=entry["supported_entity"],
        patterns=patterns,
        context=tuple(word.lower() for word in entry.get("context") or ()),
        check=hint.get("check"),
        country=entry.get("country_code"),
        source=place,
        filter=hint.get("filter"),
        class_name=entry.get("class_name", entry["name"]) if predefined else None,
        needs_context=bool(hint.get("needs_context")),
        alone=float(hint.get("alone", _NEVER)),
        match=tuple(example["match"]),
        no_match=tuple(example["no_match"]),
        entry=entry,
    )
