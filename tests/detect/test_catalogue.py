"""Rules listed, explained and put to their own examples."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.detect import catalogue, specs


def test_all_shipped_examples_hold() -> None:
    """Every shipped recognizer keeps to its examples, through Presidio and through its column filter."""
    assert [str(failure) for failure in catalogue.run_examples()] == []


def test_entries_are_complete() -> None:
    """One entry for each recognizer, with category and place."""
    entries = catalogue.entries()
    assert len(entries) == len(specs.specs())
    email = catalogue.explain("email")
    assert (email.entity_type, email.category) == ("EMAIL_ADDRESS", "user.contact.email")
    assert email.source.startswith("contact.yaml:")
    assert catalogue.explain("IBAN_CODE").engine == "Presidio IbanRecognizer"


def test_unknown_rule_suggests_near_ones() -> None:
    """A slip of the pen is answered with what was meant."""
    with pytest.raises(KeyError, match="did you mean StreetAddress"):
        catalogue.explain("StretAddress")


def test_everything_wrong_is_listed_at_once(tmp_path: Path) -> None:
    """Bad expressions, types, filters and examples of all files, each with its place."""
    (tmp_path / "a.yaml").write_text(
        "recognizers:\n"
        "  - {name: Broken, supported_entity: EMAIL_ADDRESS, patterns: [{name: p, regex: '(', score: 0.5}]}\n"
        "  - {name: Typed, supported_entity: EMAIL_ADRESS, patterns: [{name: p, regex: a, score: 0.5}]}\n"
        "  - {name: Liar, supported_entity: URL, patterns: [{name: p, regex: abc, score: 0.5}]}\n"
        "  - {name: Narrow, supported_entity: URL, patterns: [{name: p, regex: 'a|b', score: 0.5}]}\n"
        "  - {name: Ghost, type: predefined, class_name: NoSuchClass, supported_entity: URL}\n"
        "  - {name: Bare, supported_entity: URL, patterns: [{name: p, regex: a, score: 0.5}]}\n"
        "hints: {Ghost: {filter: a}, Narrow: {filter: b}}\n"
        "examples:\n"
        "  Broken: {match: [a], no_match: [b]}\n"
        "  Typed: {match: [a], no_match: [b]}\n"
        "  Liar: {match: [abd], no_match: [abc]}\n"
        "  Narrow: {match: [a], no_match: [c]}\n"
        "  Ghost: {match: [a], no_match: [b]}\n"
    )
    text = "\n".join(map(str, catalogue.run_examples(tmp_path)))
    for expected in (
        "a.yaml:2: Broken: pattern 'p' is not a regular expression",
        "a.yaml:3: Typed: entity type 'EMAIL_ADRESS' has no category; did you mean EMAIL_ADDRESS?",
        "a.yaml:4: Liar: finds nothing in example 1",
        "a.yaml:4: Liar: finds something in example 1",
        "a.yaml:5: Narrow: its column filter misses example 1",
        "a.yaml:6: Ghost: Presidio refuses it",
        "a.yaml:7: rules: no examples of what must match",
    ):
        assert expected in text
