"""Texts searched as one give the same answers as each by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import specs
from scanner.detect.cells import compiled
from scanner.detect.filters import Filters
from scanner.detect.joined import Joined

#: Made of what patterns look at: edges, lines, digits of other scripts, letters of more than a byte.
PIECES = ["a", "B", "7", "42", " ", "\n", "-", "é", "٣", "½", "\0", "ab12", "x@y.com", "SSN", "."]
TEXTS = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=8)
PATTERNS = (
    r"(?ims)\A42\z",
    r"(?ims)(?:\A|[^\p{L}\p{Nd}_])\p{Nd}{2}(?:\z|[^\p{L}\p{Nd}_])",
    r"(?ims)^a.*42$",
    r"(?ims)[^x]*SSN",
    r"(?ims)B\n",
    r"(?i)(?:ssn|x@y)",
    r"(?m:^|[.!?][ \n]+)B",
    r"(?ims)[\s\S]*",
)


def alone(pattern: str, texts: list[str]) -> set[int]:
    return {number for number, text in enumerate(texts) if compiled(pattern).search(text.encode())}


@given(TEXTS, st.sampled_from(PATTERNS))
def test_what_a_text_holds_by_itself_it_holds_among_others(texts: list[str], pattern: str) -> None:
    joined = Joined(texts)
    found = joined.holding(pattern)
    assert alone(pattern, texts) <= found
    assert joined.confirmed(found, (pattern,)) == alone(pattern, texts)


@given(TEXTS)
def test_texts_with_too_few_digits_are_passed_over(texts: list[str]) -> None:
    holding = Joined(texts).holding(r"(?ims)\p{N}", digits=2)
    enough = {n for n, text in enumerate(texts) if sum(map(str.isnumeric, text)) >= 2}
    assert holding == enough


def test_an_end_of_text_is_no_end_of_word_for_what_stands_in_the_next() -> None:
    texts = ["number 12", "34 of them", "5678"]
    assert Joined(texts).holding(r"(?ims)\p{Nd}{4}") == {2}


def test_a_match_over_many_texts_is_looked_for_in_each() -> None:
    texts = ["begin", "nothing", "end", "begin and end", "nothing"]
    assert Joined(texts).holding(r"(?ims)begin.*end") == {3}


def test_what_outgrows_the_cache_is_looked_for_exactly_at_last() -> None:
    large = r"(?ims)(?:(?:\p{L}{1,9} ){1,9}\p{N}{3,5}){1,3}q"
    assert compiled(large).programsize > 5_000
    texts = ["one two 12345q", "one two 12q", "one two 12345"]
    for digits in (0, 5):
        assert Joined(texts).holding(large, digits) == {0}


def test_what_many_texts_hold_is_not_rare() -> None:
    texts = ["one"] * 50 + ["two"]
    assert Joined(texts).rare("two") == {50}
    assert Joined(texts).rare("one") is None


@pytest.mark.parametrize("spec", specs.specs(), ids=lambda spec: spec.name)
def test_every_recognizer_is_asked_where_its_examples_are(spec: specs.RecognizerSpec) -> None:
    """Among texts of others, and where all texts hold something so that no filter is rare."""
    context = " ".join(spec.context)
    filters = Filters([spec])
    for filler in (["nothing here", "12345678901234567890 Ab"] * 40, []):
        texts = [*spec.match, *filler, *spec.match]
        asked = dict(filters.passed(Joined(texts), context))[spec.name]
        least = set(range(len(spec.match))) | {len(texts) - 1 - n for n in range(len(spec.match))}
        assert least <= asked


def test_context_words_decide_before_patterns() -> None:
    [spec] = [spec for spec in specs.specs() if spec.name == "NlBsn"]
    texts = ["number 111222333", "BSN 111222333", "BSN is missing"]
    assert spec.needs_context
    passed = dict(Filters([spec]).passed(Joined(texts), ""))[spec.name]
    assert 1 in passed
    assert 2 not in passed
    assert Filters([spec]).by_words("BSN 1", "") == [spec.name]
