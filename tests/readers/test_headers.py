"""A first row is a header only where it earns it: no value becomes the name of a column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.readers.headers import column_names, has_header, kind

HEADED = [
    ["id,name,email", "1,Anna,anna@example.com", "2,Bert,bert@example.org"],
    ["last,first", "Beispiel,Anna", "Muster,Bert"],
    ["Straße,PLZ,Ort", "Hauptstr. 1,10115,Berlin", "Am Bühl 2,89073,Ulm"],
    ["foo_id,bar_name", "A,B", "C,D"],
    ["x,y", "1,2", "3,4"],
    ["name,2019,2020,2021", "Anna,1,2,3", "Bert,3,4,5"],
    ["code,label", "DE,Germany", "FR,France", "IT,Italy"],
    [",name,total", "0,Anna,3", "1,Bert,4"],
    ["Case,30-60-90 Days Open Window", "A1,13", "A2,14"],
    ["customer_email"],
]
HEADERLESS = [
    ["Beispiel,Anna", "Muster,Bert", "Probe,Eve"],
    ["17,anna@example.com", "18,bert@example.org"],
    ["Anna,34,NY", "Bert,35,CA", "Eve,22,TX"],
    ["Berlin,2019-01-01,12.5", "Hamburg,2019-01-01,3"],
    ["Anna,N/A,x", "Bert,12,y", "Ute,13,z"],
    ["Frau,Anna,Schmidt", "Herr,Karl,Weber", "Frau,Ute,Vogt"],
    ["Anna Beispiel,12 Oak Street,Boston", "Bert Muster,1 Elm Street,Boston"],
    ["PA1234567,+4930555010|+4930555011", "PA1234568,+4930555012"],
    ["Anna,0171 5550100", "Bert,0171 5550101"],
    ["4111 1111 1111 1111,Anna", "5500 0000 0000 0004,Bert"],
    ["Anna,DE89370400440532013000", "Bert,DE02120300000000202051"],
    ["Beispiel,Anna,12 Mill Lane"],
    ["name,anna@example.com", "phone,0171 5550100"],
]


def _rows(lines: list[str]) -> list[list[str]]:
    return [line.split(",") for line in lines]


@pytest.mark.parametrize("lines", HEADED, ids=lambda lines: lines[0])
def test_a_header_is_recognised(lines: list[str]) -> None:
    """By its words, by identifiers, or by the contrast to what is below."""
    assert has_header(_rows(lines))


@pytest.mark.parametrize("lines", HEADERLESS, ids=lambda lines: lines[0])
def test_a_first_row_of_values_is_data(lines: list[str]) -> None:
    """Also where nothing but names stands in it."""
    assert not has_header(_rows(lines))


@pytest.mark.parametrize("value", ["anna@example.com", "https://example.com/anna", "+49 171 5550100"])
@pytest.mark.parametrize("lines", HEADED[:4], ids=lambda lines: lines[0])
def test_one_value_in_the_row_is_enough(lines: list[str], value: str) -> None:
    """However good the other cells look: such a cell is never a heading."""
    first, *others = _rows(lines)
    assert not has_header([[*first, value], *([*row, value] for row in others)])


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("12.50", "number"),
        ("1.234,50 €", "number"),
        ("2024-02-30T10:11:12Z", "date"),
        ("3. May 1984", "date"),
        ("a@b.de", "email"),
        ("www.example.com/x", "url"),
        ("123e4567-e89b-12d3-a456-426614174000", "uuid"),
        ("192.0.2.7", "ip"),
        ("+49 (171) 555-0100", "phone"),
        ("N/A", "blank"),
        ("Mill Lane 4", "text"),
    ],
)
def test_kinds(cell: str, expected: str) -> None:
    """What a cell looks like."""
    assert kind(cell) == expected


def test_names_are_made_up_where_they_are_missing() -> None:
    """Blank cells count from one; line ends inside a name go."""
    assert column_names(["id", "", "first\n name"], 4) == ["id", "column_2", "first name", "column_4"]


@given(st.lists(st.lists(st.text(max_size=20), max_size=6), max_size=8))
def test_any_rows_are_decided(rows: list[list[str]]) -> None:
    """Whatever the cells hold, there is an answer."""
    assert has_header(rows) in (True, False)


def _wide(first: str) -> list[list[str]]:
    """A table of twelve columns under ``first``: places with codes, memberships, and much that is blank."""
    body = [
        f"Land {n},L{n},LND{n},{'Nord' if n % 2 else 'Ost'},,X{n % 3},ABC16_1999,,,ROW,ROW,q"
        for n in range(40)
    ]
    return [line.split(",") for line in [first, *body]]


def test_words_over_numbers_are_headings_though_one_is_a_code() -> None:
    """A row more of such a table would have numbers there; words over words may be one more row."""
    numbers = [["7", "1.5", "3", "0.25"], ["8", "2.5", "", "0.5"], ["9", "3.5", "5", "0.75"]]
    assert has_header([["k", "ABC16_1999", "q", "w"], *numbers])
    assert not has_header([["k", "ABC16_1999", "q", "w"], *numbers[:2]])
    assert not has_header([["k", "a@b.org", "q", "w"], *numbers])
    assert not has_header([["Land", "P19962001x", "u", "w"], *[["Nord", "P29962001x", "v", "x"]] * 3])


def test_a_row_that_stands_apart_in_a_wide_table_is_its_header() -> None:
    """Every cell is a word of its own, though no heading that anybody knows, and one is a code."""
    assert has_header(_wide("qlong,qa,qb,zone,wunk,blat,ABC16_1999,zork,plim,frob,trax,vex"))


@pytest.mark.parametrize(
    "first",
    [
        "Land 41,L41,LND41,Nord,,X2,ABC16_1999,,,ROW,ROW,q",  # blanks and repetitions, as below
        "Land 41,L41,LND41,Nord,w,X2,ABC16_1999,a@b.org,v,ROW,COL,p",  # somebody's address
        "Land 41,PA1234567,LND41,Nord,w,X2,ABC16_1999,u,v,ROW,COL,q",  # too much of it is there below
    ],
)
def test_a_row_like_those_below_stays_data(first: str) -> None:
    """What has blanks, addresses or many of the values below is a row of data."""
    assert not has_header(_wide(first))


def test_blank_columns_are_no_columns_of_numbers() -> None:
    """Only numbers tell that a coded word above is a heading: over blanks it may be a value."""
    first = ["order", "customer", "AB1996200", "city"]
    assert has_header([first, *[["7", "8", "9", "5"]] * 4])
    assert not has_header([first, *[["Bert", "", "", ""]] * 4])
