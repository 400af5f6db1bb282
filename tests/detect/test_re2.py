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

from scanner.detect import re2

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
