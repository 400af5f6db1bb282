"""Chunks folded into evidence: every row, in any order of chunks, and nothing where nothing is."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from scanner.config import Settings
from scanner.detect.fold import Detector
from scanner.model import Column, Evidence, Form, Kind, Table, Text

KEY = b"k" * 16
GIVEN = ["Maria", "Thomas", "Anna", "Peter", "Julia", "Michael", "Laura", "Daniel", "Sarah", "Paul"]
FAMILY = ["Schmidt", "Miller", "Garcia", "Rossi", "Martin", "Weber", "Smith", "Johnson", "Fischer", "Lopez"]


def _scan(columns: dict[str, list[str | None]], table: str = "-", *, chunk: int = 0, **more: object) -> Table:
    fold = Detector(Settings(model="none", locate=2), KEY).item()
    batch = pa.RecordBatch.from_pydict(
        {name: pa.array(values, pa.string()) for name, values in columns.items()}
    )
    step = chunk or max(1, batch.num_rows)
    for start in range(0, max(1, batch.num_rows), step):
        fold.add_table(table, batch.slice(start, step), **more)  # type: ignore[arg-type] # flags of a chunk
    tables, _, gaps = fold.finish()
    assert not gaps
    return tables[0]


def _text(text: str) -> Text:
    fold = Detector(Settings(model="none", locate=5), KEY).item()
    fold.add_text("body", text)
    return fold.finish()[1][0]


def _main(column: Column) -> Evidence:
    assert column.entities, column.name
    return column.entities[0]


def _people(count: int) -> list[tuple[str, str]]:
    dice = random.Random(3)
    return [(dice.choice(GIVEN), dice.choice(FAMILY)) for _ in range(count)]


def _emails(count: int) -> list[str | None]:
    return [f"user{number}@example.org" for number in range(count)]


def test_a_customer_table_is_understood() -> None:
    """Names, contacts, address and date of birth; product, amount and order number are nothing."""
    people = _people(300)
    dice = random.Random(4)
    table = _scan(
        {
            "customer_no": [f"C{number:06}" for number in range(300)],
            "first_name": [given for given, _ in people],
            "surname": [family for _, family in people],
            "e-mail": _emails(300),
            "phone": [f"+44 7700 900{number:03}" for number in range(300)],
            "street": [f"{dice.randint(1, 99)} Mill Road" for _ in range(300)],
            "postcode": [f"M{dice.randint(1, 9)} {dice.randint(1, 9)}AB" for _ in range(300)],
            "date_of_birth": [
                f"{dice.randint(1940, 2000)}-0{dice.randint(1, 9)}-1{dice.randint(0, 9)}" for _ in range(300)
            ],
            "product": [f"Engine {dice.choice('ABC')}-{dice.randint(10, 99)}" for _ in range(300)],
            "amount": [f"{dice.randint(1, 999)}.{dice.randint(10, 99)}" for _ in range(300)],
            "order_number": [f"{dice.randint(10**7, 10**8)}" for _ in range(300)],
            "updated_at": [f"2026-01-{dice.randint(10, 28)} 10:00:00" for _ in range(300)],
        },
        "customer",
    )
    found = {column.name: [entity.entity_type for entity in column.entities][:1] for column in table.columns}
    assert found == {
        "customer_no": ["IDENTIFIER"],
        "first_name": ["PERSON"],
        "surname": ["PERSON"],
        "e-mail": ["EMAIL_ADDRESS"],
        "phone": ["PHONE_NUMBER"],
        "street": ["STREET_ADDRESS"],
        "postcode": ["POSTAL_CODE"],
        "date_of_birth": ["DATE_OF_BIRTH"],
        "product": [],
        "amount": [],
        "order_number": [],
        "updated_at": [],
    }
    categories = {column.name: _main(column).category for column in table.columns if column.entities}
    assert categories["first_name"] == "user.name.first"
    assert categories["surname"] == "user.name.last"
    assert table.people is not None
    assert (table.people.entity_type, table.people.keys.count) == ("EMAIL_ADDRESS", 300)


def test_every_row_counts_whatever_the_chunks() -> None:
    """The same table in one chunk or in many gives the same evidence: exact rows and distinct values."""
    columns: dict[str, list[str | None]] = {
        "email": [f"user{number % 4000}@example.org" if number % 3 else None for number in range(12_000)],
        "note": ["" if number % 2 else "ok" for number in range(12_000)],
    }
    whole = _scan(columns)
    assert (_main(whole.columns[0]).rows, _main(whole.columns[0]).distinct.count) == (8000, 4000)
    assert whole.columns[1].values == 6000
    assert _scan(columns, chunk=977) == whole
    assert _scan(columns, chunk=1) == whole


def test_one_personal_row_in_ten_thousand_is_found() -> None:
    """A stray address in a column of codes is reported with its one row, and labels nothing."""
    values: list[str | None] = [f"REF-{number:05}" for number in range(10_000)]
    values[7_310] = "lost@example.org"
    column = _scan({"reference": values}).columns[0]
    assert [(each.entity_type, each.rows, each.row_numbers) for each in column.entities] == [
        ("EMAIL_ADDRESS", 1, (7_311,))
    ]


def test_a_column_that_changes_its_nature_is_caught() -> None:
    """Codes for fifty thousand rows, then addresses of mail: all of these are counted."""
    values: list[str | None] = [f"X{number}" for number in range(50_000)] + _emails(5_000)
    column = _scan({"field": values}, chunk=4_096).columns[0]
    assert (_main(column).entity_type, _main(column).rows) == ("EMAIL_ADDRESS", 5_000)


def test_headings_that_lie_are_not_believed() -> None:
    """``phone`` full of dates is no phone; ``remark`` full of addresses is mail."""
    table = _scan(
        {
            "phone": [f"2024-0{1 + number % 9}-11" for number in range(200)],
            "remark": _emails(200),
            "email_verified": ["true", "false"] * 100,
            "phone_type": ["mobile", "home"] * 100,
        }
    )
    assert [[each.entity_type for each in column.entities] for column in table.columns] == [
        [],
        ["EMAIL_ADDRESS"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("order_id", [str(10**9 + number) for number in range(200)]),
        ("sku", [f"AB-{number:04}-X" for number in range(200)]),
        ("year", [str(1950 + number % 70) for number in range(200)]),
        ("price", [f"{number}.99" for number in range(200)]),
        ("created_at", [f"2025-03-{1 + number % 28:02}T10:00:00Z" for number in range(200)]),
        ("log_level", ["INFO", "WARN", "ERROR", "DEBUG"] * 50),
        ("uuid", [f"{number:08x}-1111-4222-8333-444455556666" for number in range(200)]),
        ("version", [f"1.{number % 9}.{number}" for number in range(200)]),
        (
            "checksum",
            [f"{number * 2654435761 % 2**64:016x}{number * 40503 % 2**64:016x}" for number in range(200)],
        ),
        ("file_name", [f"report_{number}.pdf" for number in range(200)]),
    ],
)
def test_nothing_where_there_is_nothing(name: str, values: list[str | None]) -> None:
    """Ids, codes, years, amounts, timestamps and file names are nobody's."""
    assert _scan({name: values}).columns[0].entities == ()


def test_hashed_and_masked_values_say_so() -> None:
    """A column of digests under an e-mail heading is mail, hashed; stars with an @ are mail, masked."""
    dice = random.Random(9)
    hashed: list[str | None] = ["".join(dice.choices("0123456789abcdef", k=64)) for _ in range(200)]
    masked: list[str | None] = [f"{dice.choice('abcdef')}*****@example.org" for _ in range(200)]
    table = _scan({"email_hash": hashed, "contact": masked})
    assert [(_main(column).entity_type, _main(column).form) for column in table.columns] == [
        ("EMAIL_ADDRESS", Form.HASHED),
        ("EMAIL_ADDRESS", Form.MASKED),
    ]


def test_phones_inside_notes_are_found() -> None:
    """Running text in a column is read by Presidio: kind free text, rows and mentions counted."""
    notes: list[str | None] = ["Customer was happy with the repair and wants nothing more from us"] * 30
    notes += [
        f"Please call back on +44 7700 900{number:03} or +44 7700 901{number:03} tomorrow"
        for number in range(20)
    ]
    column = _scan({"notes": notes}).columns[0]
    phone = next(each for each in column.entities if each.entity_type == "PHONE_NUMBER")
    assert column.kind is Kind.FREE_TEXT
    assert (phone.rows, phone.mentions, phone.distinct.count) == (20, 40, 40)


def test_headerless_columns_are_judged_by_their_values() -> None:
    """A made-up name says nothing; the values do."""
    table = _scan({"column_1": _emails(50), "column_2": [f"{n}" for n in range(50)]}, headed=False)
    assert [_names(column) for column in table.columns] == [["EMAIL_ADDRESS"], []]


def _names(column: Column) -> list[str]:
    return [each.entity_type for each in column.entities]


def test_a_field_named_by_a_value_is_masked() -> None:
    """If a header row was somebody's record, the report does not print it."""
    assert "ann.lee" not in _scan({"ann.lee@example.org": ["x"]}).columns[0].name


def test_empty_tables_list_their_columns() -> None:
    """No rows: the columns are there, without evidence."""
    table = _scan({"email": [], "phone": []})
    assert [(column.name, column.values, column.entities) for column in table.columns] == [
        ("email", 0, ()),
        ("phone", 0, ()),
    ]


def test_elements_of_arrays_name_the_rows_they_belong_to() -> None:
    """Values below an array count by element; the table's rows are its records."""
    fold = Detector(Settings(model="none", locate=9), KEY).item()
    fold.add_table("-", pa.RecordBatch.from_pydict({"id": pa.array(["1", "2"])}))
    batch = pa.RecordBatch.from_pydict(
        {"contacts[].email": pa.array(["a@example.org", "b@example.org", "c@example.org"])}
    )
    fold.add_table("-", batch, rows=0, row_ids=pa.array([1, 1, 2]))
    table = fold.finish()[0][0]
    email = _main(table.columns[1])
    assert (table.rows, email.rows, email.row_numbers) == (2, 3, (1, 2))


def test_people_are_told_apart_by_both_names_where_nothing_better_is() -> None:
    """Given and family name in two columns: people are the distinct pairs."""
    people = _people(400)
    table = _scan(
        {"first_name": [given for given, _ in people], "last_name": [family for _, family in people]}
    )
    assert table.people is not None
    assert table.people.keys.count == len(set(people))


def test_texts_count_mentions_and_spans() -> None:
    """A letter's mail addresses with their places in the text."""
    text = _text("Write to ann@example.org, or to ann@example.org again, or bob@example.org.")
    email = text.entities[0]
    assert (email.entity_type, email.mentions, email.distinct.count) == ("EMAIL_ADDRESS", 3, 2)
    assert email.spans == ((9, 24), (32, 47), (58, 73))


def test_hidden_tables_and_columns_are_marked() -> None:
    """What the opener of the file does not see is told apart."""
    table = _scan({"email": _emails(5), "phone": ["x"] * 5}, hidden=True, hidden_columns=frozenset({1}))
    assert table.hidden
    assert [column.hidden for column in table.columns] == [False, True]


def test_fractions_are_neither_places_nor_telephone_numbers() -> None:
    """A column that was weighed as such and is none is not reported for the cells that looked like it."""
    dice = random.Random(8)
    numbers: dict[str, list[str | None]] = {
        f"x_{column:03}": [f"{dice.uniform(2, 4):.5f}" for _ in range(200)] for column in range(12)
    }
    numbers["mobil"] = [f"{dice.uniform(-0.2, 0.2):.6f}" for _ in range(200)]
    assert not [column.name for column in _scan(numbers).columns if column.entities]
