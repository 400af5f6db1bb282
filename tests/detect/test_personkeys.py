"""One person gives one key, however the identifier is written; and keys stay the same for ever."""

from __future__ import annotations

import datetime as dt
import hmac
import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.detect import personkeys
from scanner.detect.personkeys import PersonKeyer, name_space, normal


def normals(identifier: str, *values: str, regions: tuple[str, ...] = ("US", "DE")) -> list[str | None]:
    found: list[str | None] = normal(identifier, pa.array(values), regions).to_pylist()
    return found


@pytest.mark.parametrize(
    ("identifier", "written", "expected"),
    [
        ("email", "Jane.Roe@Example.COM", "jane.roe@example.com"),
        ("email", " <jane.roe@example.com>; ", "jane.roe@example.com"),
        ("email", "jane at example", None),
        ("phone", "+44 (0)20 7946 0018", "+442079460018"),
        ("phone", "0044 20 7946 0018", "+442079460018"),
        ("phone", "(415) 555-2671", "+14155552671"),
        ("phone", "1-415-555-2671 ext. 12", "+14155552671"),
        ("phone", "12", None),
        ("name", "Doe, Jöhn", "doe john"),
        ("name", "  ", None),
        ("account:customerid", " AB-12 ", "ab-12"),
        ("national_identification_number", "078-05 1120", "078051120"),
    ],
)
def test_normal_forms(identifier: str, written: str, expected: str | None) -> None:
    """Case, separators, accents and order do not make another person."""
    assert normals(identifier, written) == [expected]


def test_a_national_number_takes_the_country_of_its_column() -> None:
    """The first region whose plan has most of the numbers."""
    assert normals("phone", "030 901820", "089 2180 0", "040 42838 0") == [
        "+4930901820",
        "+498921800",
        "+4940428380",
    ]


def test_names_in_one_column_or_two_are_the_same() -> None:
    """Given and family names apart give what the whole name gives."""
    whole = normals("name", "Ada van Dyke", "Roe, Max")
    parts = personkeys.joined_names(pa.array(["Ada", "Max"]), pa.array(["van Dyke", "Roe"]))
    assert parts.to_pylist() == whole


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["1980-02-29", "1980-02-29T00:00:00"], ["1980-02-29", "1980-02-29"]),
        (["29.02.1980", "1.3.1980"], ["1980-02-29", "1980-03-01"]),
        (["02/29/1980", "03/01/1980"], ["1980-02-29", "1980-03-01"]),
        (["29 Feb 1980", "March 1, 1980", "soon"], ["1980-02-29", "1980-03-01", None]),
    ],
)
def test_birth_dates(written: list[str], expected: list[str | None]) -> None:
    """Day or month first is told by the column."""
    assert personkeys.birth_dates(pa.array(written)).to_pylist() == expected


@given(st.lists(st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31)).map(str), min_size=1))
def test_plainly_written_birth_dates_are_read_as_others_are(written: list[str]) -> None:
    """As they are; a neighbour that has to be read, or that is none, changes nothing of them."""
    assert personkeys.birth_dates(pa.array(written)).to_pylist() == written
    for other, read in (("1980-01-31T00:00", "1980-01-31"), ("soon", None), ("1980-13-01", None)):
        beside = personkeys.birth_dates(pa.array([*written, other])).to_pylist()
        assert beside == [*written, read]


def test_account_numbers_count_in_the_name_space_of_their_heading() -> None:
    """The same key in several spellings; a bare id takes its table's name."""
    spaces = {
        name_space(*each) for each in (("customer_id", "-"), ("CustomerID", "-"), ("id", "public.customers"))
    }
    assert spaces == {"customerid"}
    assert name_space("order_no", "-") != name_space("customer_no", "-")


def test_a_key_is_an_hmac_of_kind_and_value_behind_its_rank() -> None:
    """So that who has the key file alone can make it again."""
    keyer = PersonKeyer(b"k" * 32)
    digest = hmac.digest(b"k" * 32, b"email\0jane@example.com", "sha256")
    rank = int(keyer.members("email", pa.array(["jane@example.com"]))[0])
    key = keyer.key("email", "jane@example.com")
    assert key & 0xFFFFFFFF == int.from_bytes(digest[:4], "little")
    assert key >> 32 == rank >> 32
    assert personkeys.sketch_bound(rank) <= key
    repeated = pa.array(["a@b.example", "c@d.example"] * 500)
    keys = keyer.keys("email", repeated)
    assert len(set(keys.tolist())) == 2
    assert int(keys[1]) == keyer.key("email", "c@d.example")


def test_membership_hashes_never_change() -> None:
    """They are kept for years: these values were computed by the first version."""
    keyer = PersonKeyer(bytes(range(32)))
    values = pa.array(["jane@example.com", "x", "J" * 70_000])
    assert [hex(each) for each in keyer.members("email", values).tolist()] == VECTORS
    named = keyer.members("name+birth", pa.array(["jane roe\x1f1980-01-02"]))
    assert hex(named.tolist()[0]) == NAMED_VECTOR


def test_names_with_birth_dates_are_hashed_as_their_joined_forms_are() -> None:
    """From the parts' columns, a whole name's, or the normal form: one hash, in any order of words."""
    keyer = PersonKeyer(b"k" * 32)
    first, last = pa.array(["Jane", "José", "", "Ann"]), pa.array(["Roe", "Müller Díaz", " ", "Lee"])
    born = pa.array(["1980-01-02", "1975-12-31", "1990-05-05", None], pa.large_string())
    whole = pa.array(["ROE, Jane", "Díaz José Müller", "-", "Lee Ann"])
    for columns in ([first, last], [whole]):
        named = personkeys.NamesWith(columns, born, keyer, "name+birth")
        assert named.valid.tolist() == [True, True, False, False]
        forms = named.filter(pa.array([True, True]))
        assert forms.to_pylist() == ["jane roe\x1f1980-01-02", "diaz jose muller\x1f1975-12-31"]
        assert named.ranks.tolist() == keyer.members("name+birth", forms).tolist()
    other = keyer.members("name+birth", pa.array(["jane roe\x1f1980-01-03", "jane rob\x1f1980-01-02"]))
    assert len({*other.tolist(), *named.ranks.tolist()}) == 4


@pytest.mark.parametrize(
    "written",
    [["a@b.co", "A.B@C.example"], ["a@b.co", "x <c@d.example>"], ["@b.co"], ["a@b@c.d"], ["ab@"], [""]],
)
def test_plain_addresses_are_read_as_others_are(written: list[str]) -> None:
    """Byte by byte where all are plain; the same where one is not."""
    alone = personkeys.emails(pa.array(written, pa.large_string())).to_pylist()
    beside = personkeys.emails(pa.array([*written, "no (address)"], pa.large_string())).to_pylist()
    assert alone == beside[:-1]


VECTORS = ["0x7b266faa60dab646", "0x353f86fa5fce9a0d", "0x77848971af9ca49d"]
NAMED_VECTOR = "0xf48f1741127819a6"


def test_where_people_live() -> None:
    """Countries by name or code, states by either, calling codes with Canada told from the US."""
    assert personkeys.countries(pa.array(["Germany", "UK", "fr", "Atlantis"])) == ["DE", "GB", "FR", None]
    assert [
        ("US-CA" in each, "US-TX" in each) for each in personkeys.states(pa.array(["California", "TX"]))
    ] == [
        (True, False),
        (False, True),
    ]
    numbers = pa.array(["+14155552671", "+16045551234", "+4930901820", "0301"])
    assert personkeys.phone_countries(numbers) == ["US", "CA", "DE", None]
    assert personkeys.postal_countries(pa.array(["K1A 0B1", "SW1A 1AA", "12345"])) == ["CA", "GB", None]


ODD_NAMES = [
    "Jane Roe", "  roe,JANE ", "O'Neil-Smith", "José  Müller", "ŁUKASZ Żak", "", " ", "--", "a", "a b c",
    "x  ", "\tDoe;\nJohn", "Иван Петров", "Smith", "İpek", "ｆｕｌｌ ｗｉｄｔｈ",
    "Zoë", "123 Main St.", "ß", "नमस्ते",
]  # fmt: skip


@pytest.mark.parametrize("values", [ODD_NAMES, ODD_NAMES[:3], ODD_NAMES * 300, ["Ann", "Bob"], [""]])
def test_words_are_those_of_the_plain_definition(values: list[str]) -> None:
    """Byte by byte for ASCII, in Python for few others, by kernels for many: all give the same."""

    def plain(text: str) -> str:
        letters = [c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn"]
        return " ".join(re.sub(r"[\W_]+", " ", "".join(letters).lower()).split())

    sliced = pa.array(["before", *values], pa.large_string()).slice(1)
    assert [each or "" for each in personkeys.names(sliced).to_pylist()] == [
        " ".join(sorted(plain(each).split())) for each in values
    ]
    other = values[::-1]
    joined = personkeys.joined_names(sliced, pa.array(other, pa.large_string()))
    assert [each or "" for each in joined.to_pylist()] == [
        " ".join(sorted(plain(f"{a} {b}").split())) for a, b in zip(values, other, strict=True)
    ]


@pytest.mark.parametrize("values", [["+49 30 123456", "+1.415.555.2671"], ["+1 2", "+44-20/7946 0018", ""]])
def test_plainly_written_telephone_numbers_are_read_as_others_are(values: list[str]) -> None:
    """The short way gives what the long one does; it is the long one where there is more to read."""
    alone = personkeys.telephone_numbers(pa.array(values), ("US",)).to_pylist()
    beside = personkeys.telephone_numbers(pa.array([*values, "+1 415 555 2671 ext. 5"]), ("US",)).to_pylist()
    assert alone == beside[:-1]
    assert beside[-1] == "+14155552671"
