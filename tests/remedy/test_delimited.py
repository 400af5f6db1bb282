"""Delimited text written anew: what stays is the same to the byte."""

from __future__ import annotations

import codecs
import hashlib
import io

import pytest

from scanner.readers.dialect import Dialect
from scanner.remedy.base import Plan, RemedyError
from scanner.remedy.delimited import quoted, split, unquoted
from scanner.remedy.encoded import Encoded
from tests.remedy.making import HASHED, KEY, MASKED, REDACTED, rewritten, table, text_plan, without

NAMES = ("name", "email", "city")
PLAIN = "name,email,city\nMaria Roe,m@example.org,Leeds\nJohn Doe,j@example.org,York\nAnn Poe,a@b.org,Ely\n"
REST = "name,city\nMaria Roe,Leeds\nJohn Doe,York\nAnn Poe,Ely\n"


def csv(text: str, plan: Plan, encoding: str = "utf-8") -> str:
    """The text of a CSV file after it was written anew."""
    return rewritten("csv", text.encode(encoding), plan, "people.csv").decode(encoding)


def test_without_a_plan_nothing_changes() -> None:
    """What is to stay stays, whatever it looks like."""
    text = PLAIN + '"Quoted, for no reason",x@example.org,"a ""b"""\n'
    assert csv(text, Plan()) == text


def test_a_column_goes_from_header_and_rows() -> None:
    """And nothing else does."""
    assert csv(PLAIN, without(NAMES, "email")) == REST


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_dialect_stays(encoding: str, end: str, delimiter: str) -> None:
    """Delimiter, line ends, encoding and byte order mark are those of the file."""
    before, after = (
        text.replace("Leeds", "Zürich").replace(",", delimiter).replace("\n", end).encode(encoding)
        for text in (PLAIN, REST)
    )
    assert rewritten("csv", before, without(NAMES, "email"), "people.csv") == after


def test_the_mark_of_a_file_is_kept_to_the_byte() -> None:
    """UTF-16 in the other order, too."""
    before = codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be")
    done = rewritten("csv", before, without(NAMES, "email"), "people.csv")
    assert done == codecs.BOM_UTF16_BE + REST.encode("utf-16-be")


def test_quotes_stay_around_what_had_them() -> None:
    """Also around line ends and delimiters inside of cells, and where a quoted cell is dropped."""
    text = (
        'name,email,city\n"Roe, Maria","m@example.org","Leeds\nNorth"\n'
        'John,"j,@example.org",York\nA,b@c.org,Bath\n'
    )
    assert csv(text, without(NAMES, "email")) == 'name,city\n"Roe, Maria","Leeds\nNorth"\nJohn,York\nA,Bath\n'


def test_a_changed_cell_is_quoted_as_it_was() -> None:
    """A cell in quotes stays in quotes, one without them goes without."""
    text = 'name,email,city\nM,"m@example.org",Leeds\nJ,j@example.org,York\nA,a@example.org,Bath\n'
    rows = csv(text, table(NAMES, {"email": MASKED})).splitlines()
    assert rows[1] == 'M,"****@e****.org",Leeds'
    assert rows[2] == "J,****@e****.org,York"


def test_equal_values_stay_equal_however_they_are_written() -> None:
    """Keys that joined before join after, and what is made of them cannot be told without the key."""
    text = PLAIN + 'M Roe,"M@Example.org ",Hull\n'
    rows = [row.split(",") for row in csv(text, table(NAMES, {"email": HASHED})).splitlines()]
    assert rows[1][1] == rows[4][1].strip('"')
    assert len({row[1] for row in rows[1:4]}) == 3
    assert hashlib.sha256(b"m@example.org").hexdigest() not in {row[1] for row in rows}
    assert len(KEY) == 32


def test_rows_of_another_width_lose_the_same_place() -> None:
    """A short row has nothing to lose there, a long one keeps its other cells."""
    text = PLAIN + "Short\nLong,l@example.org,Hull,more\n"
    assert csv(text, without(NAMES, "email")) == REST + "Short\nLong,Hull,more\n"


def test_of_two_columns_of_a_name_the_right_one_goes() -> None:
    """They are told apart by place."""
    text = "id,email,email\n1,m@example.org,x\n2,j@example.org,y\n3,a@example.org,z\n"
    plan = without(("id", "email", "email"), "email")
    assert csv(text, plan) == "id,email\n1,x\n2,y\n3,z\n"


def test_what_stands_before_the_table_is_redacted() -> None:
    """A remark with an address in it, and the line that names the delimiter, which stays."""
    text = "sep=;\n" + PLAIN.replace(",", ";")
    assert csv(text, without(NAMES, "email")).startswith("sep=;\nname;city\n")
    remark = "# questions to m@example.org\n\n" + PLAIN
    done = csv(remark, text_plan("preamble", REDACTED))
    assert done == "# questions to <EMAIL_ADDRESS>\n\n" + PLAIN


def test_a_table_without_a_header() -> None:
    """Its columns go by place all the same."""
    text = "1,m@example.org,Leeds\n2,j@example.org,York\n3,a@example.org,Bath\n"
    plan = without(("column_1", "column_2", "column_3"), "column_2")
    assert csv(text, plan) == "1,Leeds\n2,York\n3,Bath\n"


def test_several_blocks() -> None:
    """A file of several megabytes is written like a small one; its last row without a line end too."""
    rows = "".join(f'"Name {n}",n{n}@example.org,"Leeds, {n}"\n' for n in range(120_000))
    done = csv(f"name,email,city\n{rows}last,x@example.org,end", without(NAMES, "email"))
    assert done.count("\n") == 120_001
    assert "@" not in done
    assert done.endswith('"Name 119999","Leeds, 119999"\nlast,end')


def test_a_quote_that_is_never_closed_takes_nothing_along() -> None:
    """The column goes from the rows after it, too."""
    text = PLAIN + '"Odd,o@example.org,Hull\nLast,l@example.org,Ely\n'
    done = csv(text, without(NAMES, "email"))
    assert "l@example.org" not in done


def test_what_the_encoding_cannot_hold_is_refused() -> None:
    """Nothing is replaced in silence, and the message quotes nothing."""
    out = Encoded(io.BytesIO(), "cp1252", b"")
    with pytest.raises(RemedyError, match="cp1252") as error:
        out.write("Snow \u2603")
    assert "Snow" not in str(error.value)


DIALECTS = [
    Dialect(","),
    Dialect(";", "'"),
    Dialect("\t", ""),
    Dialect(",", '"', "\\"),
    Dialect("||"),
    Dialect("|", "", "", "&|"),
]


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@pytest.mark.parametrize(
    "value", ["plain", "a,b;c", 'say "it"', "it's", "two\nlines", "back\\slash", "&|", ""]
)
def test_a_value_put_into_a_cell_is_read_from_it(dialect: Dialect, value: str) -> None:
    """By what splits rows here; where nothing quotes, what would part cells becomes a space."""
    cell = quoted(value, "", dialect)
    ((cells, end),) = split(f"a{dialect.delimiter}{cell}{dialect.delimiter}b{dialect.row_mark}\n", dialect)
    assert [unquoted(each, dialect) for each in (cells[0], cells[2])] == ["a", "b"]
    assert end == f"{dialect.row_mark}\n"
    if dialect.quote and len(dialect.delimiter) == 1:
        assert unquoted(cells[1], dialect) == value
