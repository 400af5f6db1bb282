"""Mutations switch off what they name, cost what they should, and leave nothing behind."""

from __future__ import annotations

import pytest

from bench import identifiers, mutation, verdicts
from bench.samples import Column, Label, SampledTable
from scanner.config import Settings
from scanner.detect import lexicon, specs
from scanner.detect.headers import HeaderVocabulary
from scanner.detect.judge import vocabulary

PEOPLE = ["Anna Schmidt", "Peter Müller", "Maria García", "John Smith", "Lucia Rossi", "Paul Martin",
          "Julia Weber", "Thomas Wagner", "Laura Fischer", "James Brown"]  # fmt: skip


def _columns() -> mutation.Columns:
    table = SampledTable(
        "made up",
        "kunden",
        [
            Column("Geburtsdatum", Label("DATE_OF_BIRTH"), [f"{y}-04-12" for y in range(1950, 1999)], 49),
            Column("name", Label("PERSON", frozenset(), "PERSON"), PEOPLE, 10),
            Column("mail", Label("EMAIL"), [f"a{n}@example.org" for n in range(9)], 9),
        ],
    )
    seen = [[verdicts.see(column, table.name, Settings()) for column in table.columns]]
    return mutation.Columns([table], seen)


def _named(kind: str, name: str) -> mutation.Mutation:
    return next(each for each in mutation.mutations() if (each.kind, each.name) == (kind, name))


@pytest.mark.parametrize(
    ("kind", "name", "lost"), [("headings", "de", 1), ("recognizer", "Email", 1), ("headings", "tr", 0)]
)
def test_a_mutation_costs_what_needs_it(kind: str, name: str, lost: int) -> None:
    """German headings lose a birthday, the recognizer of mail an address, Turkish ones nothing here."""
    columns = _columns()
    assert columns.weighted == 1.0
    loss = columns.without(_named(kind, name))
    assert loss.columns == lost
    assert loss.falls == bool(lost)
    assert (loss.weighted < 1.0) == bool(lost)


def test_everything_is_as_it_was_afterwards() -> None:
    """Lists, headings and recognizers are there again."""
    hint = vocabulary().hints("geburtsdatum")
    with mutation.without_lexicon("given_names"), mutation.without_headings("de"):
        assert not lexicon.Lexicons().contains("given_names", "anna")
        assert lexicon.Lexicons().contains("cities", "berlin")
    with mutation.without_recognizer("Email"):
        assert not any(mutation.found_in("Email"))
    assert lexicon.Lexicons().contains("given_names", "anna")
    assert vocabulary().hints("geburtsdatum") == hint
    assert isinstance(vocabulary(), HeaderVocabulary)
    assert any(mutation.found_in("Email"))


def test_every_list_and_recognizer_is_tried() -> None:
    """One mutation each."""
    found = [(each.kind, each.name) for each in mutation.mutations()]
    assert len(found) == len(set(found))
    assert {name for kind, name in found if kind == "lexicon"} == set(lexicon.NAMES)
    assert {name for kind, name in found if kind == "recognizer"} == {spec.name for spec in specs.specs()}
    assert ("headings", "und") in found


def test_rows_say_what_does_not_fall() -> None:
    """The costliest first; what loses nothing is marked."""
    columns = _columns()
    found = mutation.run(columns, [_named("headings", "tr"), _named("recognizer", "Email")])
    rows = mutation.rows_of(found, columns.weighted)
    assert [(row[0], row[-1]) for row in rows] == [("recognizer Email", "falls"), ("headings tr", "-")]


@pytest.mark.parametrize("entity_type", sorted(identifiers.LAYOUTS))
def test_identifiers_are_made_for_every_layout(entity_type: str) -> None:
    """Distinct, the same each time, of a type that a recognizer is for."""
    made = identifiers.pool(entity_type)
    assert len(set(made)) == len(made) >= 20
    assert entity_type in specs.by_entity()


def test_identifiers_of_a_place() -> None:
    """A place has its own, a place without any has none."""
    assert "PL_PESEL" in identifiers.of_locale("pl_PL")
    assert identifiers.of_locale("xx_XX") == []
