"""The verdict on a column: what it may be, how surely, and why."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from scanner.config import Settings
from scanner.detect import candidates, features, judge, weighing
from scanner.detect.columnrules import NATIONAL, weights
from scanner.detect.features import Known
from scanner.detect.judge import Meaning, with_neighbours
from scanner.detect.meaning import REPORTED, probability
from scanner.model import Form

SETTINGS = Settings()
NAMES = ["Anna Schmidt", "Peter Müller", "Maria García", "John Smith", "Lucia Rossi", "Paul Martin",
         "Julia Weber", "Thomas Wagner", "Laura Fischer", "James Brown"]  # fmt: skip
MAILS = [f"{name.split()[0].lower()}.{number}@example.org" for number, name in enumerate(NAMES)]
PHONES = [f"+49 30 9012{number:03}" for number in range(10, 30)]
#: As they come: evenly spaced ones would be keys.
CODES = [str(10_115 + number * number * 211 % 88_000) for number in range(1, 25)]
STREETS = [f"{number} Oak Street" for number in range(10, 30)]


def verdict(name: str, values: list[str], table: str = "", *others: tuple[str, list[str]]) -> Meaning | None:
    """The first meaning of a column beside others."""
    columns = [(name, values), *others]
    found = with_neighbours([judge.judge(each, table, some, SETTINGS) for each, some in columns])[0]
    return next((meaning for meaning in found if not meaning.stray), None)


@pytest.mark.parametrize(
    ("name", "values", "entity_type"),
    [
        ("name", NAMES, "PERSON"), ("Kunde", NAMES, "PERSON"), ("cust_eml", MAILS, "EMAIL_ADDRESS"),
        ("", MAILS, "EMAIL_ADDRESS"), ("notes_3", MAILS, "EMAIL_ADDRESS"), ("TEL_MOBIL", PHONES,
        "PHONE_NUMBER"),
        ("", PHONES, "PHONE_NUMBER"), ("addr1", STREETS, "STREET_ADDRESS"),
        ("fecha_nac", [f"{year}-04-12" for year in range(1950, 1999)], "DATE_OF_BIRTH"),
        ("PLZ", CODES, "POSTAL_CODE"),
    ],
)  # fmt: skip
def test_meanings(name: str, values: list[str], entity_type: str) -> None:
    """Heading and values, in many languages, without heading, and against it."""
    found = verdict(name, values, "customers", ("city", ["Berlin", "Hamburg", "Leipzig", "Köln"]))
    assert found is not None
    assert found.entity_type == entity_type
    assert found.confidence >= 0.8


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("phone", [f"2024-0{month}-11" for month in range(1, 10)]),
        ("email_verified", ["true", "false"]),
        ("phone_type", ["mobile", "home", "work"]),
        ("order_no", [f"A-{number}" for number in range(10_000, 10_090)]),
        (
            "name",
            [
                "Blue Lamp",
                "Steel Chair",
                "Oak Table",
                "Brake Pad",
                "Olive Oil",
                "Heavy Bolt",
                "Paint",
                "Rice",
            ],
        ),
        ("created_at", [f"2024-01-{day:02} 10:00:00" for day in range(1, 29)]),
        ("id", [str(number) for number in range(100)]),
        ("", [str(number) for number in range(10_001, 10_100)]),
        ("birthday_discount", ["5", "10", "15"]),
        # abbreviations of identifiers over flags, days and fractions
        ("ssn17", ["0", "1"]),
        ("driver_license", ["0.0", "1.0"]),
        ("pan_day", [str(number) for number in range(60)]),
        ("nif", [f"{number / 7:.10f}" for number in range(1, 60)]),
        ("cpr", [f"-{number / 7:.10f}" for number in range(1, 60)]),
        ("account", [f"{10 + number / 7:.8f}" for number in range(60)]),
        # fractions are no telephone numbers, with a heading of such or without
        ("mobil", [f"{(number - 30) / 700:.12f}" for number in range(60)]),
        ("growth", [f"-0.0{number}22147{number}9852" for number in range(20, 60)]),
    ],
)
def test_nothing_where_there_is_nothing(name: str, values: list[str]) -> None:
    """Headings that lie or only look personal, and values that are nobody's."""
    found = verdict(name, values, "product")
    assert found is None or found.entity_type in {"IDENTIFIER", "ORGANIZATION"} or found.confidence < 0.5


def test_neighbours_raise_what_the_values_leave_open() -> None:
    """Dates without a heading are likelier birthdays beside names and addresses of mail."""
    dates = [f"{year}-04-12" for year in range(1950, 1999)]
    alone = judge.judge("", "", dates, SETTINGS)
    beside = with_neighbours([alone, *(judge.judge("", "", some, SETTINGS) for some in (NAMES, MAILS))])[0]
    before = with_neighbours([alone])[0]

    def sure(found: tuple[Meaning, ...]) -> float:
        return max((each.confidence for each in found if each.entity_type == "DATE_OF_BIRTH"), default=0.0)

    assert sure(beside) > sure(before)


def test_a_bare_key_is_somebodys_beside_people_only() -> None:
    """The same column of keys is an identifier in a table of people, and nothing among products."""
    keys = [f"{number}" for number in range(10_000, 10_500, 7)]
    with_people = verdict("id", keys, "customers", ("name", NAMES), ("email", MAILS))
    assert with_people is not None
    assert with_people.entity_type == "IDENTIFIER"
    assert verdict("id", keys, "products", ("price", ["1.20", "3.40"])) is None


@pytest.mark.parametrize("pattern", ["C-{}", "CUST{}", "K{}", "{}", "PAT-{}-A"])
@pytest.mark.parametrize("heading", ["customer_id", "cust_no", "patient_id", "member number"])
def test_numbers_of_customers_are_reported_with_letters_before_them(heading: str, pattern: str) -> None:
    """Letters before the digits make a key no less a key."""
    keys = [pattern.format(10_023 + 37 * number) for number in range(12)]
    found = verdict(heading, keys, "export", ("name", NAMES), ("email", MAILS))
    assert found is not None
    assert found.entity_type == "IDENTIFIER"
    assert found.confidence >= 0.5


def test_surnames_that_are_jobs_are_names() -> None:
    """Without a heading a column of Bakers and Kovácses is one of people, beside their given names."""
    family = [
        "Baker",
        "Cook",
        "Kovács",
        "Weber",
        "Fischer",
        "Miller",
        "Taylor",
        "Szabó",
        "Molnár",
        "Schneider",
    ]
    given = ["Anna", "Peter", "Maria", "Lucia", "Paul", "Julia", "Thomas", "Laura", "James", "Eva"]
    found = verdict("", family, "", ("", given), ("", MAILS))
    assert found is not None
    assert (found.entity_type, found.confidence >= 0.5) == ("PERSON", True)


@pytest.mark.parametrize("heading", ["customer_type", "Kunde_Art", "user status", "tipo_cliente"])
def test_a_code_of_people_is_not_theirs(heading: str) -> None:
    """Two capitals under the kind of a customer are no countries."""
    found = verdict(heading, ["GD", "SB", "BR"], "customers", ("name", NAMES))
    assert found is None or found.confidence < 0.5


def test_check_digits_tell_a_number_without_a_heading() -> None:
    """Eleven digits that all pass a state's check stand beside names; others do not."""
    cpf = ["52998224725", "11144477735", "12345678909", "98765432100", "15350946056", "39053344705",
           "86288366757", "71428793860"]  # fmt: skip
    found = verdict("", cpf, "", ("", NAMES), ("", MAILS))
    assert found is not None
    assert found.entity_type == "BR_CPF"
    others = [f"{52998224720 + number * 1_234_567}" for number in range(1, 9)]
    missed = verdict("", others, "", ("", NAMES), ("", MAILS))
    assert missed is None or not missed.entity_type.startswith(("BR_", "NATIONAL"))


def test_an_empty_column_is_a_weak_hint() -> None:
    """A heading alone is never surer than what is reported, whatever stands beside it."""
    for found in with_neighbours(
        [judge.judge("email", "", (), SETTINGS), judge.judge("name", "", NAMES, SETTINGS)]
    )[0]:
        assert found.confidence <= REPORTED


def test_what_counted_is_told() -> None:
    """Heading, values and what speaks against are in the signals, and so is what weighed much."""
    found = verdict("email", MAILS)
    assert found is not None
    assert found.signals[:2] == ("header:e mail", "values:100%")
    plural = judge.judge("Postal Codes", "", CODES, SETTINGS)
    assert any("model:-plural heading" in each.signals for each in plural)


def test_disguised_values_are_told_by_their_heading() -> None:
    """Digests under a heading of mail are hashed addresses; under none they are nothing."""
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(40)]
    found = verdict("email_sha256", digests)
    assert found is not None
    assert (found.entity_type, found.form) == ("EMAIL_ADDRESS", Form.HASHED)
    assert verdict("checksum", digests) is None
    masked = verdict("x", [f"{letter}***@example.org" for letter in "abcdefgh"])
    assert masked is not None
    assert (masked.entity_type, masked.form) == ("EMAIL_ADDRESS", Form.MASKED)


def test_numbers_in_a_column_of_codes_are_strays() -> None:
    """Some telephone numbers among other things do not make the column one of telephone numbers."""
    values = [f"REF-{number}" for number in range(50)] + PHONES[:4]
    (stray,) = [
        each for each in judge.judge("reference", "", values, SETTINGS) if each.entity_type == "PHONE_NUMBER"
    ]
    assert stray.stray
    assert stray.confidence < 0.8


def test_a_general_heading_over_one_countrys_numbers_is_that_countrys() -> None:
    """Check digits tell whose they are; a handful of numbers, or numbers without them, tell nothing."""
    numbers = ["355.328.345-98", "111.444.777-35", "529.982.247-25", "123.456.789-09", "987.654.321-00",
               "390.533.447-05", "714.287.938-60", "862.883.667-57", "153.509.460-56"]  # fmt: skip
    found = verdict("tax id", numbers, "clientes", ("name", NAMES))
    assert found is not None
    assert found.entity_type == "BR_CPF"
    assert "check:BR_CPF" in found.signals
    kinds = [each.entity_type for each in judge.judge("cpf", "clientes", numbers, SETTINGS)]
    assert kinds.count("BR_CPF") == 1
    for values in (numbers[:4], [number[:-1] + str((int(number[-1]) + 3) % 10) for number in numbers]):
        found = verdict("tax id", values, "clientes", ("name", NAMES))
        assert found is None or found.entity_type == "TAX_ID"


# --- the parts ------------------------------------------------------------------------------------------


def test_profiles_are_shares() -> None:
    """Every feature of a profile is between 0 and 1."""
    for values in (
        NAMES,
        MAILS,
        ["7"],
        [str(number) for number in range(600)],
        ["", " "],
        ["1e5", "0012", "x" * 5000],
    ):
        assert all(0 <= share <= 1 for share in features.profile(values, 1000).shares.values())


def test_repetition() -> None:
    """Few values in many rows repeat; nobody knows where the rows were not counted."""
    assert features.profile(["a", "b"], 200).shares["repetition"] == 0.99
    assert features.profile(["a", "b"]).shares["repetition"] == 0


@pytest.mark.parametrize("name", ["", " ", "col3", "Column 12", "field_1", "Unnamed: 0", "_c4", "F7"])
def test_headings_that_say_nothing(name: str) -> None:
    """Made-up names of columns count as none."""
    assert features.is_generic(name)


@pytest.mark.parametrize("name", ["first", "col", "name2", "c", "feld name", "x_address_1"])
def test_headings_that_may_say_something(name: str) -> None:
    """Near misses are headings."""
    assert not features.is_generic(name)


def test_an_unlisted_type_takes_the_weights_of_national_identifiers() -> None:
    """A user's own type is weighed without training."""
    model = weighing.shipped()
    heading = judge.heading_of("", "")
    sure = features.of_candidate("X", heading, features.profile(["a1"]), Known(1.0, 1.0, 1.0))
    assert model.weigh("MY_OWN_TYPE", sure) == model.weigh(NATIONAL, sure)


def test_every_type_of_the_rules_has_weights() -> None:
    """The shipped model was trained with the shipped rules."""
    for part in (weighing.shipped().headed, weighing.shipped().bare):
        assert set(part.own) == {*weights().types, NATIONAL}
        assert set(part.context) == {*weights().types, NATIONAL}
        assert all(row["logit"] > 0 for row in part.context.values())


def test_every_weight_is_of_a_feature_that_exists() -> None:
    """A feature that was renamed would silently weigh nothing."""
    look = features.profile(NAMES, 20)
    heading = judge.heading_of("Zip codes of customers", "customers")
    known = Known(0.5, 0.5, 0.5)
    made = set(look.shares) | {weighing.BIAS}
    for subject in ("person", "organization", "other"):
        made.add(f"table of {subject}")
    for name in ("", "Zip codes of customers", "xqz"):
        heading = judge.heading_of(name, "customers")
        for kind in ("POSTAL_CODE", "PERSON"):
            made |= set(features.of_candidate(kind, heading, look, known))
            made |= set(features.of_disguised(kind, heading, 1.0))
    parts = (weighing.shipped().headed, weighing.shipped().bare)
    rows = [row for part in parts for row in part.own.values()]
    weighed = {name for row in rows for name in row if not name.startswith("part ")}
    optional = {"heading against", "other heading", "tied heading", "no value", "heading without values",
                "most values", "sure heading", "disguised other heading",
                "disguised heading against"}  # fmt: skip
    assert weighed <= made | optional | {"few values alone", "numbers alone", "no heading", "unknown heading"}


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    """The rules being wrong stops loudly."""
    for text in (
        "{",
        "[]",
        json.dumps({"own": {}, "context": {}}),
        json.dumps({part: {"own": {}, "context": {}} for part in ("headed", "bare")}),
        json.dumps({part: {"own": {NATIONAL: 1}, "context": {NATIONAL: 2}} for part in ("headed", "bare")}),
    ):
        path = tmp_path / "model.json"
        path.write_text(text)
        with pytest.raises(ValueError, match=r"model\.json"):
            weighing.load(path)


def test_a_column_is_considered_for_what_its_heading_names_and_its_values_are() -> None:
    """Postal codes need a heading, unless no column has one."""

    def kinds(name: str, values: list[str]) -> set[str]:
        tests = candidates.Tests(values, SETTINGS)
        return {rule.entity_type for rule, _ in candidates.candidates(judge.heading_of(name, ""), tests)}

    codes = CODES
    assert "POSTAL_CODE" in kinds("plz", codes)
    assert "POSTAL_CODE" not in kinds("amount", codes)
    assert "POSTAL_CODE" in kinds("", codes)
    assert "EMAIL_ADDRESS" in kinds("amount", MAILS)
    assert "PHONE_NUMBER" not in kinds("asset", [str(number) for number in range(2025550100, 2025550190)])


def test_probabilities_stop_short_of_certainty() -> None:
    """Nothing overflows, and no column is beyond doubt."""
    assert probability(1e9) == 0.995
    assert probability(-1e9) < 1e-20
    assert probability(0.0) == 0.5


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("ssn", [f"{number}-45-67{number % 90 + 10}" for number in range(210, 260)]),
        ("ssn", [f"{number}456789.0" for number in range(21, 60)]),
        ("cpf", [f"123.456.7{number}-09" for number in range(10, 60)]),
        ("nif", [f"No. {number}345678Z" for number in range(10, 60)]),
    ],
)
def test_identifiers_with_dots_dashes_and_spaces_may_be_some(name: str, values: list[str]) -> None:
    """What excludes fractions excludes no way in which people or spreadsheets write identifiers."""
    heading = judge.heading_of(name, "")
    tests = candidates.Tests(values, Settings())
    known = {rule.entity_type: known for rule, known in candidates.candidates(heading, tests)}
    assert known[candidates.named(heading)[0]].plausible == 1.0
