"""Made-up tables, samples and training: the same each time, split by source, labelled as they are."""

from __future__ import annotations

import itertools

import pytest

from bench import identifiers, samples, tables, train_columns, verdicts, wordings
from bench.samples import Column, Label, SampledTable
from bench.train_columns import Example, folds_of, is_right
from scanner import resources
from scanner.config import Settings
from scanner.detect.headers import shipped as vocabulary
from scanner.detect.weighing import shipped


def _tables(count: int) -> list[SampledTable]:
    return list(itertools.islice(tables.tables(count), count))


def test_made_up_tables_are_the_same_each_time() -> None:
    """Neither the day nor what ran before matters."""
    assert _tables(5) == _tables(5)


def test_made_up_tables_are_many_things() -> None:
    """Core types, places, keys and columns of nothing; with and without headings."""
    found = [column for table in _tables(60) for column in table.columns]
    kinds = {column.label.entity_type for column in found}
    assert {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "POSTAL_CODE", "NONE"} <= kinds
    assert any(not column.name for column in found)
    assert all(column.values and column.filled >= len(column.values) for column in found)


@pytest.mark.parametrize(
    ("label", "entity_type", "named", "right"),
    [
        (Label("PERSON"), "PERSON", (), True),
        (Label("PERSON", frozenset({"USERNAME"})), "USERNAME", (), None),
        (Label("NONE"), "PERSON", (), False),
        (Label("NONE"), "IDENTIFIER", (), None),
        (Label("EMAIL"), "IDENTIFIER", (), False),
        (Label("LOCATION"), "CITY", ("CITY",), True),
        (Label("LOCATION"), "REGION", ("CITY",), None),
        (Label("LOCATION"), "REGION", (), True),
        (Label("GOV_ID"), "PL_PESEL", (), True),
        (Label("LOCATION", frozenset(), "CITY"), "REGION", (), False),
        (Label("NONE", frozenset({"STREET_ADDRESS"}), "NONE"), "STREET_ADDRESS", (), None),
        (Label(None), "PERSON", (), None),
    ],
)
def test_labels(label: Label, entity_type: str, named: tuple[str, ...], right: bool | None) -> None:
    """What a label leaves open trains nothing."""
    assert is_right(label, entity_type, frozenset(named)) is right


def test_a_source_is_in_one_fold() -> None:
    """Tables of a source are never split, and folds are even."""
    sources = [f"s{number % 7}" for number in range(70)]
    fold = folds_of(sources, 3)
    assert all(
        len({fold[i] for i, name in enumerate(sources) if name == source}) == 1 for source in set(sources)
    )
    assert {fold.count(number) for number in range(3)} <= {20, 30}


def test_sources() -> None:
    """A public body is one source, whichever of its tables it is."""
    assert samples.source_of("opendata/some_city_ab12-cd34.csv") == "opendata some_city"
    assert samples.source_of("tables/org/folder/file.csv") == "tables/org"


def test_a_regression_learns_and_rare_types_lean_on_the_others() -> None:
    """A feature that decides gets its weight, for a type without examples too."""
    pytest.importorskip("sklearn")
    found = [Example((0, n), "PERSON", {"values": float(n % 2)}, n % 2 == 1, 1.0) for n in range(40)]
    rows = train_columns.Regression(1.0, 0.7).fit(found).rows
    assert rows["PERSON"]["values"] > rows["AGE"]["values"] > 0
    assert rows == train_columns.Regression(1.0, 0.7).fit(found).rows


def test_verdicts_are_those_of_the_detector() -> None:
    """The answer for a sampled table is the first meaning, prose aside."""
    table = [
        Column("email", Label("EMAIL"), [f"a{n}@example.org" for n in range(9)], 9),
        Column(
            "notes", Label("NONE"), [f"he said that it was number {n} again and again" for n in range(9)], 9
        ),
    ]
    seen = [verdicts.see(column, "customers", Settings()) for column in table]
    said = verdicts.answers(seen, shipped())
    assert [answer.label for answer in said] == ["EMAIL", "NONE"]
    assert verdicts.pairs_of([seen], [said], 0.5)[0][1].confidence > 0.9


def test_every_language_of_headings_has_made_up_tables() -> None:
    """What is not trained on is not known to be of use."""
    files = {file.stem for file in resources.path("rules", "headers").glob("*.yaml")}
    assert files - set(tables.LOCALES.values()) == {"und"}


@pytest.mark.parametrize("event", sorted(wordings.DATES))
def test_other_days_are_not_read_as_birthdays(event: str) -> None:
    """A heading of hire, expiry or death says nothing of birth, in any of the languages."""
    for heading in wordings.DATES[event]:
        assert all(
            hint.entity_type != "DATE_OF_BIRTH" or hint.strength < 0.5 for hint in vocabulary().hints(heading)
        ), heading


def test_plates_are_those_of_their_recognizers() -> None:
    """Each layout is found by the recognizer that it is named after."""
    from scanner.detect import presidio

    engine = presidio.engine(Settings())
    for name in identifiers.PLATES:
        found = [
            engine._by_name[name].analyze(text, ["LICENSE_PLATE"], None)
            for text in identifiers.plates(name, 5)
        ]
        assert all(found), name
