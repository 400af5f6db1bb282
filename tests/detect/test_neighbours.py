"""What a table's other columns say of one."""

from __future__ import annotations

import pytest

from scanner.config import Settings
from scanner.detect.judge import judge
from scanner.detect.neighbours import TableMeanings, with_neighbours

MAILS = ["ana@example.org", "rui@example.org", "eva@example.net", "tom@example.com"]
NAMES = ["Ana Costa", "Rui Silva", "Eva Sousa", "Tomás Pereira"]


def _context(*columns: tuple[str, list[str]], of: int) -> dict[str, float]:
    """What surrounds the main meaning of one of the columns."""
    meanings = [judge(name, "", values, Settings()) for name, values in columns]
    return TableMeanings(meanings).context(of, meanings[of][0])


@pytest.mark.parametrize(("heading", "headless"), [("", 1.0), ("column_2", 1.0), ("email", 0.0)])
def test_a_table_without_headings_is_known_as_such(heading: str, headless: float) -> None:
    """One heading that says something is enough."""
    found = _context(("", NAMES), (heading, MAILS), of=0)
    assert found.get("no headings", 0.0) == headless


def test_a_column_sees_how_likely_the_ones_beside_it_are_of_its_type() -> None:
    """Surnames stand beside given names; one column further they do not count."""
    given = ["Anna", "Peter", "Maria", "Lucia", "Paul"]
    family = ["Schmidt", "Rossi", "Weber", "García", "Novak"]
    numbers = ["7", "9", "12", "15", "3"]
    next_to = _context(("", numbers), ("", given), ("", family), of=2)
    apart = _context(("", given), ("", numbers), ("", family), of=2)
    assert next_to["same type maybe next"] > 0.3
    assert "same type maybe next" not in apart


def test_columns_count_by_how_sure_they_are_somebodys() -> None:
    """A column is not its own neighbour; an address of mail beside a name is almost certain."""
    alone = _context(("name", NAMES), ("qty", ["1", "2", "3", "5"]), of=0)
    beside = _context(("name", NAMES), ("email", MAILS), of=0)
    assert "likely people" not in alone
    assert beside["likely people"] == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize(
    ("heading", "beside", "values", "expected"),
    [
        ("customer_id", "religion", ["catholic", "muslim", "jewish", "buddhist", "hindu"], True),
        ("Kundennummer", "gender", ["male", "female"], True),
        ("patient_id", "street", ["12 High Street", "3 Mill Lane", "44 Station Road", "9 Park Avenue"], True),
        ("customer_id", "amount", ["12.50", "7.00", "19.99", "100.00", "3.25"], False),
        ("order_id", "religion", ["catholic", "muslim", "jewish", "buddhist", "hindu"], False),
        ("id", "gender", ["male", "female"], False),
    ],
)
def test_a_customers_number_counts_beside_what_is_said_of_people(
    heading: str, beside: str, values: list[str], expected: bool
) -> None:
    """Though nothing else tells who they are; beside amounts it is a key like others."""
    numbers = [str(40_000 + 37 * n) for n in range(60)]
    meanings = [judge(name, "", held, Settings()) for name, held in ((heading, numbers), (beside, values))]
    found = with_neighbours(meanings)[0]
    assert any(each.entity_type == "IDENTIFIER" and each.confidence > 0.5 for each in found) is expected


def _coordinates(columns: int, heading: str = "") -> list[float]:
    values = [[f"{40 + column + row / 997:.6f}" for row in range(60)] for column in range(columns)]
    meanings = [judge(heading, "", each, Settings()) for each in values]
    return [
        max((each.confidence for each in found if each.entity_type == "GEO_COORDINATE"), default=0.0)
        for found in with_neighbours(meanings)
    ]


def test_many_columns_of_unnamed_coordinates_are_measurements() -> None:
    """Two are a place; a hundred are a spectrum, unless a heading says what they are."""
    assert any(_coordinates(2))
    assert not any(_coordinates(5))
    assert all(_coordinates(5, "latitude"))
