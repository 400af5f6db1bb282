"""Recognizer files as data: complete, and wrong ones listed whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import regex
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from presidio_analyzer import PatternRecognizer

from scanner.config import Settings
from scanner.detect import specs
from scanner.detect.presidio import build_recognizers

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
SPECS = specs.specs()
AROUND = ["", " ", "x", "é", "-", "1", ".", ",", "/", "\n", "(", '"', "$", "Σ", "٣"]


def test_importing_and_loading_needs_no_presidio() -> None:
    """The columnar path reads rules without paying for Presidio, spaCy or phonenumbers."""
    code = (
        "import sys; from scanner.detect import specs; specs.specs();"
        "heavy = ('presidio_analyzer', 'spacy', 'phonenumbers', 'stdnum', 'pyarrow');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_core_types_have_recognizers() -> None:
    """What the product promises to find has a rule."""
    wanted = {
        "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "POSTAL_CODE", "DATE_OF_BIRTH", "CREDIT_CARD",
        "VEHICLE_IDENTIFICATION_NUMBER", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS", "IMEI", "GEO_COORDINATE",
        "URL", "CRYPTO", "US_SSN", "LICENSE_PLATE", "SECRET", "PASSWORD", "UK_NINO", "ES_NIF", "IN_AADHAAR",
    }  # fmt: skip
    assert wanted <= set(specs.by_entity())


def test_every_spec_is_complete() -> None:
    """Each has examples both ways, a place, a filter, and kernels where it has patterns."""
    for spec in SPECS:
        assert spec.match
        assert spec.no_match
        assert regex.fullmatch(r"\w+\.yaml:\d+", spec.source), spec.name
        assert spec.re2_filter
        assert len(spec.kernels) == len(spec.patterns)
        assert (spec.class_name is None) == bool(spec.patterns)
        assert spec.validator is None or spec.validator("x") in (True, False, None)


def test_source_is_the_line_of_the_name() -> None:
    """`file:line` leads to the entry itself."""
    from scanner import resources

    for spec in SPECS:
        file, line = spec.source.split(":")
        text = resources.path("rules", "recognizers", file).read_text(encoding="utf-8").splitlines()
        assert text[int(line) - 1].strip() == f"- name: {spec.name}"


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_filter_passes_all_that_is_found(spec: specs.RecognizerSpec) -> None:
    """Examples in many surroundings: whatever Presidio's recognizer finds, the filter passes."""
    recognizer = build_recognizers([spec], Settings())[0]
    texts = [
        before + example + after
        for example in spec.match
        for before in AROUND
        for after in ("", " ", ".", "x", "1")
    ]
    found = [bool(recognizer.analyze(text, [spec.entity_type], None)) for text in texts]
    passed = pc.match_substring_regex(pa.array(texts), spec.re2_filter).to_pylist()
    assert any(found)
    missed = [text for text, hit, filtered in zip(texts, found, passed, strict=True) if hit and not filtered]
    assert missed == []


@pytest.mark.parametrize(
    "spec",
    # The phone numbers are no patterns; the generator cannot look ahead.
    [spec for spec in SPECS if spec.class_name and spec.name not in {"Phone", "UsHealthInsuranceMemberId"}],
    ids=lambda spec: spec.name,
)
def test_filter_of_a_class_passes_what_its_patterns_match(spec: specs.RecognizerSpec) -> None:
    """For a Presidio class: texts generated from its own patterns pass the hand-written filter."""
    import re

    recognizer = build_recognizers([spec], Settings())[0]
    assert isinstance(recognizer, PatternRecognizer)
    sources = [
        pattern.regex.replace("(?i)", "")
        for pattern in recognizer.patterns
        if "(?<=" not in pattern.regex and "(?=" not in pattern.regex
    ]

    @settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much])
    @given(
        st.one_of([st.from_regex(re.compile(source, re.IGNORECASE), fullmatch=True) for source in sources])
    )
    def check(text: str) -> None:
        hit = any(regex.search(pattern.regex, text, FLAGS) for pattern in recognizer.patterns)
        passed = pc.match_substring_regex(pa.array([text]), spec.re2_filter)[0].as_py()
        assert passed or not hit

    check()


@settings(max_examples=200)
@given(st.sampled_from([spec for spec in SPECS if spec.patterns]), st.data())
def test_kernels_are_the_patterns(spec: specs.RecognizerSpec, data: st.DataObject) -> None:
    """On texts near the examples each kernel passes what its pattern finds, and no more if called exact."""
    example = data.draw(st.sampled_from([*spec.match, *spec.no_match]))
    cut = data.draw(st.integers(0, len(example)))
    text = (
        data.draw(st.sampled_from(AROUND))
        + example[:cut]
        + data.draw(st.sampled_from(["", "x", "9", " ", "-", "é", "Ä", "_"]))
        + example[cut + data.draw(st.integers(0, 1)) :]
        + data.draw(st.sampled_from(AROUND))
    )
    for pattern, kernel in zip(spec.patterns, spec.kernels, strict=True):
        hit = regex.search(pattern.regex, text, FLAGS) is not None
        passed = pc.match_substring_regex(pa.array([text]), kernel)[0].as_py()
        assert passed or not hit
        if spec.exact:
            assert passed == hit


def test_wrong_files_are_listed_whole(tmp_path: Path) -> None:
    """Every mistake of every file is told at once, with its place."""
    (tmp_path / "a.yaml").write_text(
        "recognizers:\n"
        "  - name: One\n    supported_entity: ONE\n    patterns: [{name: p, regex: a, score: 7}]\n"
        "  - name: Two\n    type: predefined\n    supported_entity: TWO\n"
        "  - supported_entity: THREE\n"
        "hints: {Two: {check: nope, odd: 1}, Nobody: {}}\n"
        "examples: {Two: {match: [1], no_match: []}}\n"
        "surplus: 1\n"
    )
    (tmp_path / "b.yaml").write_text("recognizers: [\n")
    (tmp_path / "c.yaml").write_text("- 1\n")
    found, problems = specs.load(tmp_path)
    assert found == ()
    text = "\n".join(problems)
    for expected in (
        "a.yaml:1: unknown key 'surplus'", "a.yaml:2: score of 'One'", "a.yaml:5: unknown hint 'odd'",
        "a.yaml:5: unknown check 'nope'", "a.yaml:5: recognizer 'Two' is a class",
        "a.yaml:5: examples (match)",
        "a.yaml:5: no examples of what must not match", "a.yaml:8: a recognizer must be",
        "hints for 'Nobody'",
        "b.yaml:", "c.yaml:1: must be a mapping",
    ):  # fmt: skip
        assert expected in text


def test_norway_is_a_country(tmp_path: Path) -> None:
    """YAML reads an unquoted `no` as false; that is told, not crashed on."""
    (tmp_path / "a.yaml").write_text(
        "recognizers:\n  - {name: One, supported_entity: ONE, country_code: no,\n"
        "     patterns: [{name: p, regex: a, score: 0.5}]}\nexamples: {One: {match: [a], no_match: [b]}}\n"
    )
    assert "country_code of 'One' must be text" in specs.load(tmp_path)[1][0]


def test_same_name_twice_is_an_error(tmp_path: Path) -> None:
    """Names are unique over all files."""
    body = (
        "recognizers:\n  - name: One\n    supported_entity: ONE\n"
        "    patterns: [{name: p, regex: a, score: 0.5}]\n"
        "examples: {One: {match: [a], no_match: [b]}}\n"
    )
    (tmp_path / "a.yaml").write_text(body)
    (tmp_path / "b.yaml").write_text(body)
    _, problems = specs.load(tmp_path)
    assert problems == ("b.yaml:2: recognizer 'One' is defined at a.yaml:2 too",)


def test_disabled_entries_are_left_out(tmp_path: Path) -> None:
    """Presidio's `enabled: false` is honoured."""
    (tmp_path / "a.yaml").write_text("recognizers:\n  - {name: One, enabled: false}\n")
    assert specs.load(tmp_path) == ((), ())
