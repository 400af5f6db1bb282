"""Path patterns: what they match, which can never match, and how two of them relate."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.policy.globs import fault, matches, overlap, takes_all

#: Enough names and depth to hold a witness for any two of the patterns drawn below that meet.
_PATHS = ["/".join(names) for depth in range(1, 6) for names in product(("a", "b", "ab"), repeat=depth)]
_patterns = st.lists(
    st.sampled_from(["a", "b", "ab", "a*", "*b", "?", "*", "**", "[ab]", "[!a]"]), min_size=1, max_size=3
).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("acme/**", "acme/2026/x.csv", True),
        ("acme/**", "acme", False),
        ("acme/**", "acme2/x.csv", False),
        ("acme", "acme/2026/x.csv", True),
        ("acme/", "acme/x.csv", True),
        ("acme/*.csv", "acme/sub/x.csv", False),
        ("**/in/*.csv", "in/x.csv", True),
        ("**/in/*.csv", "a/b/in/x.csv", True),
        ("acme/[!x].csv", "acme/y.csv", True),
        ("acme/[!x].csv", "acme/x.csv", False),
        ("acme[!x]y", "acme/y", False),
        ("acme/[a&&b].csv", "acme/&.csv", True),
        ("acme/?.csv", "acme/xy.csv", False),
        ("ACME/**", "acme/x.csv", False),
    ],
)
def test_what_a_pattern_matches(pattern: str, path: str, expected: bool) -> None:
    """Wildcards stay within a name, ``**`` does not, and case counts."""
    assert matches(path, pattern) is expected


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("a/[z-a].csv", "set of characters"),
        ("./acme/**", "relative"),
        ("acme//x", "relative"),
        ("/acme", "relative"),
        ("a/../b", "relative"),
        ("a" * 1025, "longer"),
    ],
)
def test_a_pattern_that_cannot_match_is_faulty(pattern: str, word: str) -> None:
    """What no file of a share can match is told, never compiled in the middle of a scan."""
    assert word in (fault(pattern) or "")


@pytest.mark.parametrize("pattern", ["acme/**", "acme/", "*", "**", "a[b", "a[]b", "a/[&&~~||].csv"])
def test_a_usable_pattern_has_no_fault(pattern: str) -> None:
    """Odd characters are plain ones."""
    assert fault(pattern) is None


@given(_patterns, _patterns)
def test_two_patterns_overlap_where_a_path_matches_both(left: str, right: str) -> None:
    """Held against every path of a small world; two sets of characters may be taken to meet."""
    shared = any(matches(path, left) and matches(path, right) for path in _PATHS)
    if "[" in left and "[" in right:
        assert overlap(left, right) or not shared
    else:
        assert overlap(left, right) is shared
    assert overlap(left, right) is overlap(right, left)


@given(_patterns, _patterns)
def test_a_pattern_that_takes_all_leaves_nothing(wide: str, narrow: str) -> None:
    """Whatever matches the narrow one matches the wide one; each takes all of itself."""
    if takes_all(wide, narrow):
        assert all(matches(path, wide) for path in _PATHS if matches(path, narrow))
    assert takes_all(narrow, narrow)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("acme/**", "acme/sub/*.csv", True),
        ("**", "acme/**", True),
        ("acme", "acme/sub", True),
        ("**/old/**", "a/old/x", True),
        ("acme/*.csv", "acme/**", False),
        ("acme/**", "acme", False),
    ],
)
def test_which_patterns_take_all(wide: str, narrow: str, expected: bool) -> None:
    """The plain cases are seen."""
    assert takes_all(wide, narrow) is expected


def test_long_patterns_are_compared() -> None:
    """Neither depth nor many stars end in a crash or an hour."""
    assert overlap("a/" * 511 + "a", "*/" * 511 + "*")
    assert not overlap("*a" * 512, "*b" * 511 + "c")
