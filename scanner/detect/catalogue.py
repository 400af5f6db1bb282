"""The recognizers for people: what there is, how one decides, and whether each keeps to its examples."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scanner import resources
from scanner.config import Settings
from scanner.detect import specs
from scanner.detect.specs import RecognizerSpec


@dataclass(frozen=True, slots=True)
class Entry:
    """A recognizer as listed. ``category`` is None where `rules/categories.yaml` has none for its type."""

    name: str
    entity_type: str
    category: str | None
    country: str | None
    source: str
    engine: str
    check: str | None
    needs_context: bool
    context: tuple[str, ...]
    patterns: tuple[specs.PatternSpec, ...]
    match: tuple[str, ...]
    no_match: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing wrong with a rule: where (``file:line``), which recognizer, and what, in one sentence."""

    source: str
    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.source}: {self.name}: {self.problem}"


def entries() -> tuple[Entry, ...]:
    """Every recognizer, in the order of files and lines.

    Raises:
        RulesError: the files are wrong; all that is wrong is listed.
    """
    categories = _categories()
    return tuple(_entry(spec, categories.get(spec.entity_type)) for spec in specs.specs())


def explain(name: str) -> Entry:
    """The recognizer of that name, or the first for that entity type; letter case does not matter.

    Raises:
        KeyError: there is none; the message names near ones.
    """
    wanted = name.casefold()
    everything = entries()
    for entry in everything:
        if wanted == entry.name.casefold():
            return entry
    for entry in everything:
        if wanted == entry.entity_type.casefold():
            return entry
    known = {known.casefold(): known for entry in everything for known in (entry.name, entry.entity_type)}
    near = [known[each] for each in difflib.get_close_matches(wanted, known, n=3)]
    raise KeyError(f"no recognizer {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))


def run_examples(folder: Path | None = None, settings: Settings | None = None) -> list[Failure]:
    """Everything wrong with the rules of ``folder`` (the shipped ones by default), all at once.

    Files are read, patterns compiled by Python and by RE2, and every example put before Presidio's own
    recognizer and before the column filter.
    """
    found, problems = specs.load(folder or resources.path("rules", "recognizers"))
    failures = [Failure(*_split(problem)) for problem in problems]
    sound: list[RecognizerSpec] = []
    for spec in found:
        broken = [*_broken_patterns(spec), *_broken_type(spec)]
        failures += [Failure(spec.source, spec.name, problem) for problem in broken]
        if not broken:
            sound.append(spec)
    for spec, recognizer in zip(sound, _build(sound, settings or Settings(), failures), strict=True):
        if recognizer is not None:
            failures += [Failure(spec.source, spec.name, problem) for problem in _examples(spec, recognizer)]
    return failures


def _entry(spec: RecognizerSpec, category: str | None) -> Entry:
    return Entry(
        name=spec.name,
        entity_type=spec.entity_type,
        category=category,
        country=spec.country,
        source=spec.source,
        engine=f"Presidio {spec.class_name}" if spec.class_name else "patterns",
        check=spec.check,
        needs_context=spec.needs_context,
        context=spec.context,
        patterns=spec.patterns,
        match=spec.match,
        no_match=spec.no_match,
    )


@cache
def _categories() -> dict[str, str | None]:
    """Entity type to category, None for a type that is nobody's; empty where there is no such file."""
    import yaml

    try:
        data = yaml.safe_load(resources.path("rules", "categories.yaml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(kind): category and str(category) for kind, category in data["entity_types"].items()}


def _split(problem: str) -> tuple[str, str, str]:
    file, line, sentence = problem.split(":", 2)
    return f"{file}:{line}", "rules", sentence.strip()


def _broken_patterns(spec: RecognizerSpec) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import regex

    for pattern in spec.patterns:
        try:
            regex.compile(pattern.regex)
        except regex.error as error:
            yield f"pattern {pattern.name!r} is not a regular expression: {error.msg}"
    whole = (spec.whole,) if spec.whole else ()
    for kernel in (spec.re2_filter, *spec.kernels, *whole):
        try:
            pc.match_substring_regex(pa.array([""]), kernel)
        except pa.ArrowInvalid:
            yield "RE2 does not take the column filter; give a simpler one as hints: {filter: …}"
            return


def _broken_type(spec: RecognizerSpec) -> Iterator[str]:
    if not spec.entity_type.replace("_", "").isalnum() or spec.entity_type != spec.entity_type.upper():
        yield f"entity type {spec.entity_type!r} must be upper case"
    elif (known := _categories()) and spec.entity_type not in known:
        near = difflib.get_close_matches(spec.entity_type, known, n=1)
        yield f"entity type {spec.entity_type!r} has no category" + (
            f"; did you mean {near[0]}?" if near else ""
        )


def _build(found: Sequence[RecognizerSpec], settings: Settings, failures: list[Failure]) -> list[Any]:
    """Presidio's recognizer of each spec, None for one that Presidio refuses."""
    from scanner.detect.presidio import build_recognizers

    built: list[Any] = []
    for spec in found:
        try:
            built += build_recognizers([spec], settings)
        except Exception as error:  # noqa: BLE001 # whatever Presidio makes of a wrong rule, all rules are listed
            failures.append(Failure(spec.source, spec.name, f"Presidio refuses it ({type(error).__name__})"))
            built.append(None)
    return built


def _examples(spec: RecognizerSpec, recognizer: Any) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    passed = pc.match_substring_regex(pa.array(spec.match), spec.re2_filter).to_pylist()
    for number, (example, filtered) in enumerate(zip(spec.match, passed, strict=True), start=1):
        if not recognizer.analyze(example, [spec.entity_type], None):
            yield f"finds nothing in example {number} of what must match: {example!r}"
        elif not filtered:
            yield f"its column filter misses example {number}: {example!r}"
    for number, example in enumerate(spec.no_match, start=1):
        if recognizer.analyze(example, [spec.entity_type], None):
            yield f"finds something in example {number} of what must not match: {example!r}"
