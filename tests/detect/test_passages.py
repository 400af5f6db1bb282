"""Which passages the model reads, and that leaving the others out changes nothing that counts."""

from __future__ import annotations

import itertools
import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bench import notes
from scanner.config import Settings
from scanner.detect import names, presidio
from scanner.detect.passages import passages
from scanner.detect.presidio import TextEngine

TEXTS = sorted({note.text for note in notes.generate(1_500, personal=0.4)})


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return presidio.engine(Settings())


@pytest.mark.parametrize(
    "text",
    [
        "left voicemail, no answer",
        "Asked for a discount on the Premium plan.",
        "refund issued on Monday",
        "invoice 4711 paid in full, nothing open",
        "",
    ],
)
def test_texts_about_nobody_have_no_passage(text: str) -> None:
    """Words that begin a sentence, days of the week and products are no candidates."""
    assert passages(text, english=True) == []


@pytest.mark.parametrize(
    "name", ["Zorvex Quillimore", "Anna", "O’Brien", "José García", "ANNA SMITH", "Berlin"]
)
def test_a_name_makes_its_sentence_a_passage(name: str) -> None:
    """The sentence is read and the ones before and behind are not."""
    text = f"nothing was open. we asked {name} about it again. the rest is fine."
    ((start, end),) = passages(text, english=True)
    assert name in text[start:end]
    assert "nothing" not in text[start:end]
    assert "rest" not in text[start:end]


def test_settled_names_are_not_asked_for_again() -> None:
    """A name found for sure needs no model; another one in the same text does."""
    text = "we met Anna Smith there.\nthen Zorvex Quillimore came."
    first = (text.index("Anna"), text.index(" there"))
    ((start, end),) = passages(text, english=True, settled=[first])
    assert "Anna" not in text[start:end]
    assert "Zorvex" in text[start:end]


def test_passages_are_apart_ascending_and_short() -> None:
    """Also in one endless line of names."""
    text = "Anna Smith " * 2_000
    found = passages(text, english=True)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))
    covered = sum(end - start for start, end in found)
    assert covered <= len(text)
    assert set("".join(text[a:b] for a, b in found).split()) == {"Anna", "Smith"}


def test_cues_are_in_every_text_with_a_name_found_by_rule() -> None:
    """The patterns that choose texts for `names.find` rule none out in which it finds something."""
    more = [
        "Mr. Zorvex",
        "Dear Ms Ada",
        "Name: ZORVEX",
        "X said so.\nZorvex lives there",
        "Jean de la Fontaine",
    ]
    texts = [*TEXTS, *more, *(text.replace(" ", "\u00a0") for text in more)]
    column = pa.array(texts, pa.large_string())
    passed = [False] * len(texts)
    for cue in names.cues():
        found = pc.match_substring_regex(column, cue).to_pylist()
        passed = [a or b for a, b in zip(passed, found, strict=True)]
    missed = [text for text, flag in zip(texts, passed, strict=True) if not flag and list(names.find(text))]
    assert missed == []
    assert not all(passed)


@pytest.mark.parametrize("key", ["introductions", "labels"])
def test_cues_know_phrases_of_several_words(key: str) -> None:
    """Each phrase of the rules that stands before a name is a cue, whatever blanks it is written with."""
    phrases = sorted(phrase for phrase in names._words(key) if " " in phrase)
    assert phrases
    missed = []
    for phrase in phrases:
        for text in (f"{phrase}: Zorvex", f"{phrase} Zorvex", f"{phrase} Zorvex".replace(" ", "\u00a0")):
            found = any(pc.match_substring_regex(pa.array([text]), cue)[0].as_py() for cue in names.cues())
            if list(names.find(text)) and not found:
                missed.append(text)
    assert missed == []


def test_finds_are_those_of_presidios_own_engine(engine: TextEngine) -> None:
    """Asking only recognizers whose filter passes gives what `AnalyzerEngine` gives with all of them."""
    texts = TEXTS[::4]
    for text, found in zip(texts, engine.analyze(texts), strict=True):
        assert found == engine.reference(text), text


def test_passages_lose_at_most_two_in_a_hundred(engine: TextEngine) -> None:
    """Beside a model that reads every text with a capital in the right place."""
    everything = TextEngine(Settings())
    everything.read_everything = True
    lost = total = 0
    for fast, slow in zip(engine.analyze(TEXTS), everything.analyze(TEXTS), strict=True):
        kinds = {(match.entity_type, match.start) for match in fast}
        spans = [(match.start, match.end) for match in fast]
        for match in slow:
            total += 1
            near = any(match.start < end and match.end > start for start, end in spans)
            lost += (match.entity_type, match.start) not in kinds and not near
    assert total > 200
    assert lost <= 0.02 * total


def test_a_template_with_other_numbers_is_read_once(engine: TextEngine) -> None:
    """Numbers are not what a name hangs on; a passage that differs in nothing else is not read again."""
    texts = [f"order {number:05} was signed by Zorvex Quillimore today" for number in range(20_000, 20_040)]
    before = engine.characters_read
    found = engine.analyze(texts)
    assert engine.characters_read - before <= len(texts[0])
    assert len({tuple(re.sub(r"\d", "0", repr(match)) for match in each) for each in found}) == 1


def test_each_way_to_find_a_name_has_its_own_cue() -> None:
    """With the cues that a text holds the same names are found as where nobody looked for cues."""
    texts = [*TEXTS, *(text.replace(" ", "\u00a0") for text in TEXTS)]
    column = pa.array(texts, pa.large_string())
    held = [pc.match_substring_regex(column, cue).to_pylist() for cue in names.cues()]
    found = 0
    for text, cued in zip(texts, zip(*held, strict=True), strict=True):
        everything = list(names.find(text))
        assert list(names.find(text, cued)) == everything, text
        found += bool(everything)
    assert found > 20
