"""Tables without headings: columns that say little by themselves, and much beside one another."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scanner.config import Settings
from scanner.detect import features, weighing
from scanner.detect.judge import judge
from scanner.detect.meaning import REPORTED
from scanner.detect.neighbours import TableMeanings, with_neighbours

_SETTINGS = Settings(model="none")
_SHOWN = 0.5

GERMAN = [
    ("Katrin", "Lindemann", "14.03.1971", "Ahornallee 12", "50667", "Köln", "k.lindemann@example.org"),
    ("Jürgen", "Pohl", "02.11.1958", "Am Kirchplatz 3b", "04109", "Leipzig", "pohl@example.net"),
    ("Sabine", "Reuter", "27.06.1989", "Goethestraße 44", "20095", "Hamburg", "sabine.reuter@example.org"),
    ("Markus", "Thiele", "19.01.1994", "Lerchenweg 7", "80331", "München", "mthiele@example.com"),
    ("Ute", "Brandt", "30.09.1966", "Bergstr. 101", "01067", "Dresden", "ute.brandt@example.org"),
    ("Holger", "Seidel", "08.12.1979", "Mühlgasse 5", "90402", "Nürnberg", "h.seidel@example.de"),
]
POLISH = [
    ("Agnieszka Wrona", "1984-05-21", "Lipowa 14/3", "30-001", "Kraków", "+48 601 234 567"),
    ("Tomasz Sikora", "1969-10-02", "Mickiewicza 8", "60-101", "Poznań", "+48 502 345 678"),
    ("Magdalena Zając", "1992-01-17", "Ogrodowa 27a", "90-001", "Łódź", "+48 693 456 789"),
    ("Paweł Górski", "1977-08-30", "Polna 3", "80-001", "Gdańsk", "+48 724 567 890"),
    ("Ewa Krawczyk", "1988-12-11", "Słoneczna 55", "50-001", "Wrocław", "+48 785 678 901"),
    ("Marek Dudek", "1961-03-05", "Leśna 19/12", "20-001", "Lublin", "+48 886 789 012"),
]


def types(rows: Sequence[Sequence[str]], names: Sequence[str] = ()) -> list[str]:
    """What is said of each column at half a chance; empty for nothing."""
    columns = [list(dict.fromkeys(column)) for column in zip(*rows, strict=True)]
    headings = names or [""] * len(columns)
    first = [judge(name, "", values, _SETTINGS) for name, values in zip(headings, columns, strict=True)]
    return [
        found[0].entity_type if found and found[0].confidence >= _SHOWN else ""
        for found in with_neighbours(first)
    ]


@pytest.mark.parametrize("count", [4, 6])
def test_six_people_are_known_by_all_that_is_said_of_them(count: int) -> None:
    """Given and family names, a place, an address of mail: each would be doubtful alone."""
    german = types(GERMAN[:count])
    assert german[:2] == ["PERSON", "PERSON"]
    assert german[3:] == ["STREET_ADDRESS", "POSTAL_CODE", "CITY", "EMAIL_ADDRESS"]
    polish = types(POLISH[:count])
    assert polish[0] == "PERSON"
    assert polish[2:] == ["STREET_ADDRESS", "POSTAL_CODE", "CITY", "PHONE_NUMBER"]


def test_dates_beside_people_are_at_least_told() -> None:
    """Nobody can know that they are not the days of a contract; that they may be birthdays is reported."""
    for table, at in ((GERMAN, 2), (POLISH, 1)):
        columns = [list(column) for column in zip(*table, strict=True)]
        found = with_neighbours([judge("", "", values, _SETTINGS) for values in columns])[at]
        assert found[0].entity_type == "DATE_OF_BIRTH"
        assert found[0].confidence >= REPORTED


def test_the_same_columns_beside_codes_are_less_sure() -> None:
    """A word and a number may be a house, a room, or a model of something."""
    words = [(f"Modell {number}", f"A-{number * 17}", f"{number * 3.75:.2f}") for number in range(3, 12)]
    assert types(words) == ["", "", ""]


@pytest.mark.parametrize(
    "rows",
    [
        [("0", "17"), ("0", "18"), ("0", "21")],
        [("1", "2.5"), ("0", "3.75"), ("1", "1.25"), ("0", "9.5")],
        [(f"SKU-{n:05}", f"{n * 1.37:.2f}", str(n * 3)) for n in range(40)],
        [(str(4_000_000 + n), f"2024-03-{n % 28 + 1:02} 08:{n:02}:11", "ok") for n in range(40)],
    ],
)
def test_tables_of_nobody_hold_nothing(rows: list[tuple[str, ...]]) -> None:
    """Ones and zeros are no sexes, amounts and moments no birthdays."""
    assert not any(types(rows))


@pytest.mark.parametrize(
    "value",
    [
        "Lipowa 14/3",
        "Ahornallee 12",
        "Am Kirchplatz 3b",
        "C. Mayor, 5",
        "12 rue des Lilas",
        "221B Baker Street",
    ],
)
def test_houses_are_numbered(value: str) -> None:
    assert features.house_numbers([value]) == 1.0


@pytest.mark.parametrize(
    "value", ["Lipowa", "12", "A-12", "3.75 EUR", "v1.2.3", "2024-03-01", "x@y.org", "12:30 Uhr"]
)
def test_what_is_no_house(value: str) -> None:
    assert features.house_numbers([value]) == 0.0


def test_columns_without_headings_have_weights_of_their_own() -> None:
    """And a table with one heading is one with headings."""
    model = weighing.shipped()
    assert model.headed.own != model.bare.own
    rows = {"PERSON": {"bias": 1.0}, "national": {"bias": 1.0}}
    other = {"PERSON": {"bias": 2.0}, "national": {"bias": 2.0}}
    made = weighing.ColumnModel(weighing.Regressions(rows, rows), weighing.Regressions(other, other))
    assert made.weigh("PERSON", {}) == 1.0
    assert made.weigh("PERSON", {weighing.NO_HEADING: 1.0}) == 2.0
    assert made.weigh_beside("PERSON", 0.0, {}) == 1.0
    assert made.weigh_beside("PERSON", 0.0, {weighing.NO_HEADINGS: 1.0}) == 2.0
    names, mails = [row[0] for row in GERMAN], [row[6] for row in GERMAN]
    headed = [judge("first_name", "", names, _SETTINGS), judge("", "", mails, _SETTINGS)]
    assert weighing.NO_HEADINGS not in TableMeanings(headed).context(0, headed[0][0])
    bare = [judge("", "", names, _SETTINGS), judge("", "", mails, _SETTINGS)]
    assert TableMeanings(bare).context(0, bare[0][0])[weighing.NO_HEADINGS] == 1.0


def test_every_weight_of_what_surrounds_a_column_is_of_a_feature_that_exists() -> None:
    """A feature that was renamed would silently weigh nothing."""
    made = {weighing.BIAS, weighing.LOGIT}
    for table in (GERMAN, POLISH):
        first = [judge("", "", list(column), _SETTINGS) for column in zip(*table, strict=True)]
        around = TableMeanings([*first, first[0], first[0], first[0]])
        made |= {name for at in range(len(first)) for name in around.context(at, first[at][0])}
    expected = {name for name in weighing.shipped().bare.context["PERSON"] if name.startswith("expected")}
    assert len(expected) == 5
    assert expected <= made
