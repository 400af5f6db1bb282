"""Names in text: what is believed, what is refused, and how surely."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import names


def found(text: str) -> list[str]:
    return [text[judged.start : judged.end] for judged in names.find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear Mrs. Anna de Vries,", "Anna de Vries"),
        ("Herrn Karl-Heinz Öztürk, bitte lesen", "Karl-Heinz Öztürk"),
        ("Dra.Lucía Pérez Gómez Servicio de Urgencias", "Lucía Pérez Gómez"),
        ("Nombre: José O'Donnell", "José O'Donnell"),
        ("my name is Zoë Brown.", "Zoë Brown"),
        ("Mme Hélène Le Goff habite ici", "Hélène Le Goff"),
        ("> Jane Q. Roe\n> 12 Elm Street\n", "Jane Q. Roe"),
        ("Pani Katarzyna Nowak prosi", "Katarzyna Nowak"),
    ],
)
def test_names_beside_a_title_or_label(text: str, expected: str) -> None:
    """The whole name, and neither the title nor what follows."""
    assert expected in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Customer,", "Name: Address", "hello World Bank", "Mr. 4711", "this is Monday", "Contact: Phone",
        "patient: ICD-10 code", "Hi team,", "dr. oetker pizza",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_name(text: str) -> None:
    """Form words, days, companies and codes are nobody."""
    assert found(text) == []


def judged(text: str, span: str, label: str) -> list[tuple[str, str]]:
    start = text.index(span)
    return [
        (each.entity_type, text[each.start : each.end])
        for each in names.judge(text, start, start + len(span), label)
    ]


def test_a_models_span_is_cleaned() -> None:
    """Titles, possessives, next lines and form words are cut off what a model found."""
    assert judged("Mr. John Smith's car", "Mr. John Smith's", "PERSON") == [("PERSON", "John Smith")]
    assert judged("see John Smith\nPhone 1", "John Smith\nPhone", "PERSON") == [("PERSON", "John Smith")]
    assert judged("see John Smith Email", "John Smith Email", "PERSON") == [("PERSON", "John Smith")]


@pytest.mark.parametrize(
    "span", ["4711", "X200 Pro", "user_name", "apt", "Acme GmbH", "a@b", "IBAN", "Safari/17"]
)
def test_a_models_nonsense_is_refused(span: str) -> None:
    """Numbers, product codes, single lower-case words and companies are no person, whatever a model says."""
    assert judged(f"we saw {span} there", span, "PERSON") == []


def test_scores_tell_likely_from_unlikely() -> None:
    """Two words beat one, a title beats none, and a foreign text makes a guess of it; never a constant."""
    score = names.person_score
    full, single = "saw John Smith", "saw John"
    assert score(full, 4, 14) > score(single, 4, 8)
    assert score("saw Mr. Smith", 8, 13) > score("saw the Smith", 8, 13)
    spanish = "El paciente de la unidad con John Smith en la sala de espera del hospital"
    english = "We met the patient with John Smith in the waiting room of the hospital"
    of = [
        next(names.judge(t, t.index("John"), t.index("John") + 10, "PERSON")).score
        for t in (spanish, english)
    ]
    assert of[0] < of[1]


def test_places_of_a_model_are_places() -> None:
    """A place keeps its span; numbers and form words are no place."""
    [place] = names.judge("we moved to Springfield", 12, 23, "GPE")
    assert place.entity_type in {"LOCATION", "CITY"}
    assert list(names.judge("unit 4711 here", 5, 9, "GPE")) == []


@given(st.text(max_size=120))
def test_any_text_ends(text: str) -> None:
    """Whatever the text, spans lie inside it and scores inside (0, 1)."""
    for each in names.find(text):
        assert 0 <= each.start < each.end <= len(text)
        assert 0 < each.score < 1
