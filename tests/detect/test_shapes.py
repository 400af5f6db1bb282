"""Tests of values: what each knows, what only looks like it, and that samples are shared."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config import Settings
from scanner.detect import shapes
from scanner.detect.judge import weights
from scanner.detect.lexicon import Lexicons
from scanner.detect.nothing import FEATURES
from scanner.detect.sample import Sample, sample_of

SETTINGS = Settings()


def flags(test: str, values: list[str]) -> list[bool]:
    return shapes.test_of(test, "")(values, SETTINGS)


PEOPLE = """
    Mary Smith|SMITH, John|J. R. Müller|Dr. Anna van der Berg|García López, José|Priya Sharma
    Mary-Jane O'Brien|WOJCIECH KOWALSKI|Herr Hans Schmidt|Mme Françoise Dubois|İbrahim Yılmaz
    ΓΙΏΡΓΟΣ ΠΑΠΑΔΌΠΟΥΛΟΣ|Sra. María Fernández|Giulia Rossi|João da Silva|Smith|Giulia|Rajesh Kumar Iyer
    Smith J|Björn Andersson|Eszter Nagy|Aino Virtanen
"""
NOBODY = """
    Acme GmbH|Smith & Sons Ltd|Lakeview Elementary School|Red Cotton Shirt|Nurse|English|Unknown|Mr|Blue
    john.smith_84|jsmith@example.org|Main Street 5|St. Mary's Hospital|Order 12|<name>|Black Leather Wallet
"""


def _split(text: str) -> list[str]:
    return [part.strip() for line in text.split("\n") for part in line.split("|") if part.strip()]


@pytest.mark.parametrize("name", _split(PEOPLE))
def test_names_are_people(name: str) -> None:
    """Full and partial names, in any order and case, with titles and particles."""
    assert flags("person", [name]) == [True]


@pytest.mark.parametrize("name", _split(NOBODY))
def test_what_is_not_a_name_is_nobody(name: str) -> None:
    """Companies, schools, products, jobs and placeholders are not people."""
    assert flags("person", [name]) == [False]


def test_a_full_name_is_more_than_a_name() -> None:
    """Two known names make one; one name, or a list of names, does not."""
    values = ["Mary Smith", "Mary", "Smith, Mary", "Clinton, Jackson, Mary", "Mary Xqzt"]
    assert flags("full_name", values) == [True, False, True, False, False]


def test_organizations_and_initials() -> None:
    """A word that only organisations have; letters with full stops."""
    assert flags("organization", ["Acme GmbH", "Mary Smith", "GmbH"]) == [True, False, False]
    assert flags("initials", ["J", "J.R.", "J. R.", "Mary", "12"]) == [True, True, True, False, False]


def test_user_names_are_told_from_names() -> None:
    """One word each, but one is marked as nobody's name is."""
    values = ["jsmith84", "mary.smith", "Mary", "xx_dragon", "Mary Smith", "12345", "qwvx"]
    assert flags("username", values) == [True, True, True, True, False, False, True]
    assert flags("marked_username", values) == [True, True, False, True, False, False, True]


STREETS = """
    12 Main Street|221B Baker Street|Hauptstraße 5|Hauptstr. 12|12 rue Molière|12 bis rue de la Paix
    Kungsgatan 3
    Calle Mayor 3, 2º B|Rua das Flores, 123|ul. Długa 5/7|Via Roma 12|Av. Paulista 1000|Keizersgracht 123
    Mannerheimintie 5|Rådhusgade 4|1600 Pennsylvania Ave NW, Washington, DC 20500|Hauptstr. 5, 10115 Berlin
"""
LINES = """
    P.O. Box 123|Postfach 12 34|c/o Meyer|Apt 4B|Apartado 55|Postbus 90|Suite 300|B.P. 12|Flat 3|Piso 2
    Plot No 5, Sector 12|Cra 7 # 45-12
"""
NO_STREETS = """
    Order 12|Widget 12 XL|12|2020-01-01|main street|Berlin|12 kg|jane@street12.example|https://street.example/12
"""


@pytest.mark.parametrize("value", _split(STREETS))
def test_streets(value: str) -> None:
    """A number before or after the street, in many languages, alone or in a whole address."""
    assert flags("street", [value]) == [True]
    assert flags("sure_street", [value]) == [True]


@pytest.mark.parametrize("value", _split(LINES))
def test_lines_of_addresses(value: str) -> None:
    """Post boxes, apartments and the like need a heading: they are streets, but not beyond doubt."""
    assert flags("street", [value]) == [True]


def test_ordinary_words_are_no_streets_beyond_doubt() -> None:
    """Many types of streets are ordinary words as well."""
    assert not any(flags("sure_street", ["5 to 9 years", "port 22 is open", "unit 4 no 3", "box 12 of 14"]))


@pytest.mark.parametrize("value", _split(NO_STREETS))
def test_no_streets(value: str) -> None:
    """A number beside words is no address."""
    assert flags("street", [value]) == [False]
    assert flags("sure_street", [value]) == [False]


@pytest.mark.parametrize(
    "codes",
    [
        ["12345", "10115", "99501-1234", "90210"],
        ["02134", "10115", "2139", "94107", "60614"],
        ["12345.0", "10115.0", "90210.0"],
        ["SW1A 1AA", "M11AE", "EH1 1YZ"],
        ["K1A 0B1", "H0H0H0"],
        ["1012 AB", "3011XZ"],
        ["00-950", "31-042"],
        ["1000-205", "4400"],
        ["01310-100", "20040002"],
        ["110001", "560 034"],
        ["D02 X285", "A65F4E2"],
        ["114 55", "21119"],
        ["75008 CEDEX 08", "69002"],
        ["LV-1010", "LV-3001"],
        ["K1A 0B1", "90210", "10115", "60614"],
    ],
)
def test_postal_codes_of_one_country(codes: list[str]) -> None:
    """Each country's format, as spreadsheets leave it; a neighbour's among them as well."""
    assert all(flags("postal", codes))


@pytest.mark.parametrize(
    "numbers",
    [
        [str(number) for number in range(10_001, 10_400)],
        [str(number) for number in range(1, 400)],
        [str(number**3) for number in range(2, 60)],
        ["Berlin", "Paris"],
        ["12.50", "9.99"],
        ["12", "7"],
        ["A-12345678", "B-12345679"],
    ],
)
def test_numbers_that_are_no_postal_codes(numbers: list[str]) -> None:
    """Keys in a run, numbers of all lengths, words, amounts."""
    assert not any(flags("postal", numbers))


def test_places() -> None:
    """Cities also with what stands after them; a number is no region."""
    values = ["Paris", "MÜNCHEN", "Springfield, IL", "Praha 4", "Xqzt", "Frankfurt (Main)"]
    assert flags("city", values) == [True, True, True, True, False, True]
    assert flags("region", ["Bayern", "TX", "12"]) == [True, True, False]
    assert flags("country", ["Deutschland", "us", "Xqzt"]) == [True, True, False]


@pytest.mark.parametrize(
    "value",
    [
        "+48 601 234 567",
        "030 1234567; 030 1234568",
        "2025550123.0",
        "(202) 555-0123 ext. 12",
        "4.9E+11",
        "4,9151E+11",
        "1701234567",
    ],
)
def test_telephone_numbers(value: str) -> None:
    """International and national, several in a cell, as a number, as a spreadsheet mangles them."""
    assert flags("phone", [value]) == [True]


@pytest.mark.parametrize(
    "value", ["12345", "2021-05-06", "1.5E+3", "12.50", "4.9E+20", "Berlin", "555-55-5555"]
)
def test_no_telephone_numbers(value: str) -> None:
    """Short numbers, dates, amounts."""
    assert flags("phone", [value]) == [False]


def test_a_column_is_dialled_as_one_country_does() -> None:
    """Where the countries of the settings know few numbers, the one that knows most is found."""
    generator = random.Random(7)
    finnish = [f"04{generator.choice('0145')} {generator.randrange(10**6, 10**7)}" for _ in range(40)]
    narrow = Settings(regions=("US",))
    assert sum(shapes.test_of("phone", "")(finnish, narrow)) >= 36
    assert not any(shapes.test_of("phone", "")([value[1:4] for value in finnish], narrow))


def test_birth_dates_have_no_time_of_day() -> None:
    """Days and years in living memory; not the future, nor a moment; midnight in some zone is a day."""
    future = f"{date.today().year + 1}-01-01"  # noqa: DTZ011 # a year at most
    values = [
        "1980-05-06",
        "06.05.80",
        "19800506",
        "1980",
        "1980-05-06 00:00:00",
        "6 May 1980",
        "1980-05-06T22:00:00Z",
    ]
    assert all(flags("birth_date", values))
    assert not any(
        flags("birth_date", [future, "1980-05-06 14:23:11", "1432", "hello", "12.5", "1980-05-06T09:15"])
    )


def test_cards_also_as_a_spreadsheet_shows_them() -> None:
    """The check digit, or an exponent of fifteen."""
    values = ["4111111111111111", "4111 1111 1111 1111", "5.19E+15", "4,11111E+15"]
    assert all(flags("card", values))
    assert not any(flags("card", ["4111111111111112", "5.19E+3", "9.1E+15", "1234"]))


def test_a_national_scheme_is_one_for_the_column() -> None:
    """Check digits of one country in most values; random numbers pass none."""
    valid = ["52998224725", "11144477735", "12345678909", "295.379.955-93"]
    assert flags("national_id", valid) == [True] * 4
    generator = random.Random(3)
    assert not any(flags("national_id", [str(generator.randrange(10**10, 10**11)) for _ in range(50)]))


@pytest.mark.parametrize("rule", sorted(weights().types))
def test_every_rule_names_tests_that_exist(rule: str) -> None:
    """A rule of a column asks for tests of the registry."""
    for test in filter(None, (weights().types[rule].test, weights().types[rule].alone_test)):
        assert test in shapes.TESTS


@pytest.mark.parametrize("test", sorted(shapes.TESTS))
@given(values=st.lists(st.text(max_size=25), max_size=6))
def test_every_test_answers_for_every_value(test: str, values: list[str]) -> None:
    """Whatever the values, one answer each and no error."""
    assert len(flags(test, values)) == len(values)


@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=6))
def test_features_are_shares(values: list[str]) -> None:
    """Whatever the values, every feature is in [0, 1]."""
    found = shapes.features(values)
    assert set(found) == set(FEATURES)
    assert all(0.0 <= each <= 1.0 for each in found.values())


FEATURED = {
    "sequence": [str(number) for number in range(500, 900)],
    "constant_step": [str(number) for number in range(0, 4000, 10)],
    "uniform": [str(number * 6_185 % 10_007) for number in range(1, 400)],
    "one_shape": [f"AB-{number:04d}" for number in range(300)],
    "code": [f"AB{number:04d}" for number in range(300)],
    "boolean": ["yes", "no"],
    "log_level": ["INFO", "WARN", "ERROR"],
    "number": ["1", "2.5", "-3"],
    "amount": ["1,234.50", "$12", "9.99"],
    "unit": ["12 kg", "3.5 cm", "40%", "12 €"],
    "date": ["2021-05-06", "06.05.2021", "May 6, 2021"],
    "timestamp": ["2021-05-06 14:23:11", "2021-05-06T14:23:11Z"],
    "year": ["1999", "2021"],
    "digest": ["9e107d9d372bb6826bd81d3542a419d6", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"],
    "path": ["/var/log/syslog", "C:\\temp\\a.txt", "report.pdf"],
    "thing": ["Red cotton shirt", "USB cable", "Mountain bike tire"],
    "occupation": ["Nurse", "Accountant"],
    "language": ["English", "Deutsch", "French"],
    "upper": ["ABC", "XY"],
    "titled": ["Mary Smith", "Berlin"],
    "long_text": ["one two three four five six seven eight nine"],
    "organization": ["Acme GmbH", "Lakeview School"],
    "marked_username": ["jsmith84", "xx_dragon"],
    "postal_country": ["10115", "80331", "01067"],
    "born": ["1980-05-06", "1955-01-01"],
    "birth_spread": [f"{year}-01-01" for year in range(1940, 2005, 5)],
    "grown_up": ["1980-05-06", "1970-01-01"],
    "few": ["x"],
    "ordinary": ["unknown", "table", "pending", "blue"],
}
PLAIN = ["Mary Smith", "Jürgen Müller", "Giulia Rossi", "José García", "Aino Virtanen", "Priya Sharma"]


@pytest.mark.parametrize("feature", sorted(FEATURES))
def test_a_feature_tells_its_columns_from_names(feature: str) -> None:
    """Each speaks for the columns it is about, and less so for a column of names."""
    speaks = shapes.features(FEATURED[feature])[feature]
    assert speaks >= 0.7
    if feature != "titled":
        assert shapes.features(PLAIN)[feature] < 0.7


def test_recent_dates_do_not_spread_like_birthdays() -> None:
    """What was created in two years is told from people of all ages."""
    recent = [f"{2020 + day % 2}-0{1 + day % 9}-1{day % 9}" for day in range(40)]
    assert shapes.features(recent)["birth_spread"] < 0.2
    assert shapes.features(recent)["grown_up"] == 0.0


def test_the_same_values_share_a_sample() -> None:
    """What one test computes is there for the next."""
    values = ["Mary Smith", "Berlin"]
    assert sample_of(values) is sample_of(list(values))


@given(st.lists(st.text(alphabet="aBéÜßİ' -.,x\t", max_size=15), min_size=1, max_size=6))
def test_a_sample_is_cut_like_single_values(values: list[str]) -> None:
    """Words and folded values of a sample are those of each value by itself."""
    whole = Sample(values)
    assert [" ".join(Sample([value]).words) for value in values] == [
        " ".join(word for word, parent in zip(whole.words, whole.parents, strict=True) if parent == index)
        for index in range(len(values))
    ]
    assert whole.folded == [Sample([value]).folded[0] for value in values]


@pytest.mark.parametrize("name", ["given_names", "cities", "countries", "occupations"])
def test_a_sample_finds_what_the_lexicons_hold(name: str) -> None:
    """The quick path (hashes) and the slow one (the set itself) agree, on entries and on what is none."""
    generator = random.Random(11)
    entries = generator.sample(Lexicons().values(name).to_pylist(), 200)
    values = entries + [entry + "q" for entry in entries]
    found = Sample([value.upper() if value.isascii() else value for value in values]).whole_in(name)
    known = Lexicons().words(name)
    assert found.tolist() == [value in known for value in values]
    assert found[:200].all()


@pytest.mark.parametrize(
    ("values", "sure"),
    [
        (["52.52000, 13.40500", "48.1374", "-33.8688,151.2093"], 3),
        (["0.1234", "-0.98765", "0.5000", "190.1234"], 0),  # shares, scores, and no angle on earth
        (["52.5", "13.40"], 0),  # too few digits for a place
    ],
)
def test_sure_coordinates_have_the_digits_of_a_map(values: list[str], sure: int) -> None:
    """Decimals between -1 and 1 are scores far more often than places in the Gulf of Guinea."""
    assert sum(shapes.test_of("sure_coordinate", "GEO_COORDINATE")(values, Settings())) == sure


def test_continents_are_regions() -> None:
    """In many languages, and the United Nations' parts of them."""
    values = ["Africa", "Europa", "Amérique du Sud", "Southern Asia", "Ozeanien"]
    assert all(shapes.test_of("region", "REGION")(values, Settings()))
