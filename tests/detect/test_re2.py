"""The RE2 translation of a pattern never misses what the pattern finds."""

from __future__ import annotations

import inspect
import re
from functools import cache

import presidio_analyzer.predefined_recognizers as predefined
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import PatternRecognizer

from scanner.detect import re2, specs

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE

CASES = [
    (r"\bab\b", ["ab", "x ab.", "äab", "ab٣", "cab", "-ab-"], True),
    (r"(?<![\w-])\d{3}(?!\d)", ["123", "-123", "a123", "1234", "é123", "٣٤٥"], True),
    (r"(?:a|b-)\b", ["a", "b-c", "b-"], False),
    (r"\b(?:a|-b)\b", ["a", "x-b", "-b"], False),
    (r"\ba?-b", ["a-b", "x-b", "-b"], False),
    (r"(a)(-|:)\1", ["a-a", "a:a", "a-b"], False),
    (r"x(?=\d)", ["x1", "xa"], False),
    (r"(?i)\bK[0-9]\b", ["k1", "K1", "K1"], True),
    (r"[^\d\s]+@", ["ab@", "1@", "٣@"], True),
    (r"(?P<year>\d{4})-\d{2}", ["2024-01"], True),
    (r"a++b", ["aab"], False),
    (r"é\u00e8", ["éè", "ÉÈ"], True),
    (r"\bstraße\b|weg", ["Straße", "wegweiser"], False),
]


def found_by_re2(pattern: str, texts: list[str]) -> list[bool]:
    return pc.match_substring_regex(pa.array(texts), pattern).to_pylist()


@pytest.mark.parametrize(("pattern", "texts", "exact"), CASES)
def test_filter_passes_whatever_the_pattern_finds(pattern: str, texts: list[str], exact: bool) -> None:
    """A filter passes all hits; one that is called exact passes nothing else."""
    made = re2.combine([pattern])
    expected = [regex.search(pattern, text, FLAGS) is not None for text in texts]
    passed = found_by_re2(made.pattern, texts)
    assert made.exact is exact
    assert all(got or not wanted for got, wanted in zip(passed, expected, strict=True))
    if exact:
        assert passed == expected


def test_verbose_patterns_are_not_translated_but_passed() -> None:
    """What cannot be told in RE2 passes everything, and says it is not exact."""
    made = re2.combine(["(?x) a  b"])
    assert found_by_re2(made.pattern, ["zzz"]) == [True]
    assert not made.exact


def test_core_is_a_whole_value() -> None:
    """The anchored form takes the value with blanks around it, and nothing more."""
    made = re2.combine([r"(?<!\w)\d{3}(?!\w)", r"ab"])
    assert found_by_re2(made.core, ["123", " 123\n", "ab", "x 123", "1234"]) == [
        True,
        True,
        True,
        False,
        False,
    ]


@cache
def presidio_patterns() -> list[tuple[str, str]]:
    found = []
    for name in predefined.__all__:
        kind = getattr(predefined, name)
        if inspect.isclass(kind) and issubclass(kind, PatternRecognizer) and name != "UrlRecognizer":
            found += [(name, pattern.regex) for pattern in kind().patterns]
    # Look-behind of varying width is beyond the generator; those filters have examples of their own.
    return [(name, pattern) for name, pattern in found if "(?<=" not in pattern]


@st.composite
def hits(draw: st.DrawFn) -> tuple[str, str]:
    """A pattern of Presidio and a text that likely holds a match, with something around it."""
    _, pattern = draw(st.sampled_from(presidio_patterns()))
    middle = draw(st.from_regex(re.compile(pattern.replace("(?i)", ""), re.IGNORECASE), fullmatch=True))
    around = st.sampled_from(["", " ", "x", "é", "-", "1", "٣", "\n", "claim no ", "Σ"])
    return pattern, draw(around) + middle + draw(around)


@settings(max_examples=300)
@given(hits())
def test_filters_of_presidios_own_patterns_miss_nothing(case: tuple[str, str]) -> None:
    """For every pattern that Presidio ships and any text: found by Presidio implies passed by RE2."""
    pattern, text = case
    made = re2.combine([pattern])
    found = regex.search(pattern, text, FLAGS) is not None
    passed = found_by_re2(made.pattern, [text])[0]
    assert passed or not found


@pytest.mark.parametrize(
    ("regex", "digits"),
    [
        (r"\d{3}", 3),
        (r"a|\d", 0),
        (r"(?:\d\d|1[0-9]{2})x+", 2),
        (r"(?<=\d{4})7(?!\d)", 1),
        (r"(\d-?){3,5}", 3),
        (r"[0-9a]\d?", 0),
        (r"\p{N}{2}(?:a|)", 2),
        (r"(?P<n>[1-4][0-9])(?:(?:1|22){2}){2}\1", 6),
        (r"x{3}\d*y{,2}", 0),
        (r"(?x) \d \d", 0),
        (r"(\d)?(?(1)\d\d|x)", 0),
    ],
)
def test_digits_needed(regex: str, digits: int) -> None:
    """Counted by hand; what is not followed needs none."""
    assert re2.digits_needed(regex) == digits


def test_what_a_recognizer_matches_has_the_digits_it_needs_and_its_loosened_kernels() -> None:
    """Of every shipped example: no text that a recognizer would match is kept from it."""
    for spec in specs.specs():
        regexes = [spec.filter] if spec.filter else [pattern.regex for pattern in spec.patterns]
        least = min(map(re2.digits_needed, regexes))
        for text in spec.match:
            assert sum(each.isnumeric() for each in text) >= least, (spec.name, text)
        texts = pa.array([*spec.match, *(f"so {text}, they said" for text in spec.match)], pa.large_string())
        for kernel in spec.kernels:
            found = pc.match_substring_regex(texts, kernel)
            loose = pc.match_substring_regex(texts, re2.loosened(kernel))
            assert not pc.any(pc.and_(found, pc.invert(loose))).as_py(), (spec.name, kernel)


@pytest.mark.parametrize(
    ("pattern", "loose"),
    [
        (r"a{2}b{0,3}c{1,}", "a+b*c+"),
        (r"\p{N}{1,6}[{2}]\{3}\x{85}", r"\p{N}+[{2}]\{3}\x{85}"),
        (r"[\p{L}\]{2}]{2,3}?", r"[\p{L}\]{2}]+?"),
        (r"[]{2}]{2}[^]{3}]{0}", r"[]{2}]+[^]{3}]*"),
        ("x{a}", "x{a}"),
    ],
)
def test_loosened(pattern: str, loose: str) -> None:
    """Counts become ``+`` and ``*``; what only looks like a count stays."""
    assert re2.loosened(pattern) == loose
