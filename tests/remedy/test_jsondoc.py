"""JSON written anew: the same text without the fields that go."""

from __future__ import annotations

import json

import pytest

from scanner.remedy.base import DROP, Plan, RemedyError, Treatment
from tests.remedy.making import MASKED, REDACTED, part, rewritten, table, without


def lines(text: str, plan: Plan) -> str:
    """JSON lines after they were written anew."""
    return rewritten("jsonl", text.encode(), plan, "people.jsonl").decode()


def document(text: str, plan: Plan) -> str:
    """A JSON document after it was written anew."""
    return rewritten("json", text.encode(), plan, "people.json").decode()


def drop(*paths: str, name: str = "-") -> Plan:
    """A plan that drops key paths of one table."""
    return without(paths, *paths, name=name)


LINES = (
    '{"id": 1, "email": "m@example.org", "price": 1.10, "big": 123456789012345678, "note": "größe \\u00e9"}\n'
    '{"id": 2, "price": 2e3, "email": null}\r\n'
    "\n"
    '{"email": "x", "id": 3}'
)


def test_without_a_plan_nothing_changes() -> None:
    """Numbers keep their digits, lines their ends, blank lines stay."""
    text = LINES.replace("größe \\u00e9", "größe")
    assert lines(text, Plan()) == text


def test_a_field_goes_from_every_line() -> None:
    """Also where its value is null."""
    assert lines(LINES, drop("email")) == (
        '{"id": 1, "price": 1.10, "big": 123456789012345678, "note": "größe é"}\n'
        '{"id": 2, "price": 2e3}\r\n\n{"id": 3}'
    )


def test_escapes_stay_escapes_in_a_text_of_ascii() -> None:
    """Whoever wrote them may not read anything else."""
    text = '{"a":"\\u00e9","b":1}\n{"a":"\\u00e8","b":2}\n'
    assert lines(text, drop("b")) == '{"a":"\\u00e9"}\n{"a":"\\u00e8"}\n'


def test_nested_fields_and_arrays() -> None:
    """By key path; what is empty then goes with them, and what was empty before stays."""
    text = (
        '{"id":1,"who":{"email":"a@b.org","age":3},"tags":["x"],"phones":["+49 1"],"none":{},"no":[]}\n'
        '{"id":2,"who":{"email":"c@d.org"},"tags":[],"phones":[]}\n'
    )
    done = [json.loads(line) for line in lines(text, drop("who.email", "phones[]")).splitlines()]
    assert done[0] == {"id": 1, "who": {"age": 3}, "tags": ["x"], "none": {}, "no": []}
    assert done[1] == {"id": 2, "tags": [], "phones": []}


def test_values_change_in_their_place() -> None:
    """A number that is put into another form becomes a text; null and blank stay."""
    text = '{"email":"max@example.org","n":1}\n{"email":" ","n":2}\n{"email":null,"n":3}\n{"email":5,"n":4}\n'
    done = [
        json.loads(line)["email"] for line in lines(text, table(("email",), {"email": MASKED})).splitlines()
    ]
    assert done == ["m****@e****.org", " ", None, "*"]


def test_keys_that_are_data() -> None:
    """An object used as a map loses its keys, not its entries."""
    text = "".join(
        json.dumps({"id": n, "by": {f"user{n}{i}@example.org": {"n": i} for i in range(3)}}) + "\n"
        for n in range(3)
    )
    done = [json.loads(line) for line in lines(text, drop("by{key}")).splitlines()]
    assert done[2] == {"id": 2, "by": {"1": {"n": 0}, "2": {"n": 1}, "3": {"n": 2}}}


def test_an_array_keeps_its_layout() -> None:
    """Compact, one element a line, or spread over lines."""
    for text, expected in (
        ('[{"a":1,"b":2},{"a":3,"b":4}]', '[{"a":1},{"a":3}]'),
        ('[\n{"a": 1, "b": 2},\n{"a": 3, "b": 4}\n]\n', '[\n{"a": 1},\n{"a": 3}\n]\n'),
        (json.dumps([{"a": 1, "b": 2}, {"a": 3}], indent=2), json.dumps([{"a": 1}, {"a": 3}], indent=2)),
    ):
        assert document(text, drop("b")) == expected


def test_tables_inside_a_document_go_by_path() -> None:
    """Each array of objects is a table, the rest a row; the order of keys stays."""
    value = {
        "made": "today",
        "owner": {"email": "o@example.org", "name": "Shop"},
        "orders": [{"id": 1, "to": {"email": "a@b.org"}}, {"id": 2, "to": {"email": "c@d.org", "zip": "1"}}],
        "end": {"items": [{"email": "e@f.org", "n": 1}], "count": 1},
    }
    plan = Plan(
        {
            "orders": part("orders", ("id", "to.email"), {1: DROP}),
            "end.items": part("end.items", ("email", "n"), {0: DROP}),
            "-": part("-", ("made", "owner.email"), {1: DROP}),
        }
    )
    done = document(json.dumps(value, indent=1), plan)
    assert done == json.dumps(
        {
            "made": "today",
            "owner": {"name": "Shop"},
            "orders": [{"id": 1}, {"id": 2, "to": {"zip": "1"}}],
            "end": {"items": [{"n": 1}], "count": 1},
        },
        indent=1,
    )


def test_a_document_that_is_a_map_of_records() -> None:
    """Its keys are a column as well."""
    value = {f"user{n}@example.org": {"n": n, "email": "x"} for n in range(4)}
    done = json.loads(document(json.dumps(value), drop("{key}", "email")))
    assert done == {str(n + 1): {"n": n} for n in range(4)}


def test_lists_whose_first_names_the_places() -> None:
    """The name goes with the values."""
    rows = [["id", "email", "city"], *([n, f"u{n}@example.org", "Leeds"] for n in range(60))]
    done = json.loads(document(json.dumps(rows), without(("id", "email", "city"), "email")))
    assert done[:2] == [["id", "city"], [0, "Leeds"]]
    assert len(done) == 61
    assert all(len(row) == 2 for row in done)


def test_documents_one_after_the_other() -> None:
    """Each is a record, whatever stands between."""
    text = '{"a": 1,\n "b": 2}\n\n{"a": 3, "b": 4}\n'
    done = document(text, drop("b"))
    decoder = json.JSONDecoder()
    first, end = decoder.raw_decode(done)
    assert (first, decoder.raw_decode(done[end:].lstrip())[0]) == ({"a": 1}, {"a": 3})


def test_a_large_array_is_not_held() -> None:
    """Elements are written as they come; the file is far larger than a block."""
    rows = [{"id": n, "email": f"u{n}@example.org", "text": "x" * 200} for n in range(20_000)]
    done = document(json.dumps(rows), drop("email"))
    assert "@" not in done
    assert json.loads(done) == [{"id": row["id"], "text": row["text"]} for row in rows]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": ', '[{"a": 1}] x', '{"a": 1} nonsense@example.org'])
def test_what_is_no_json_is_refused(text: str) -> None:
    """With a sentence that quotes nothing of it."""
    with pytest.raises(RemedyError) as error:
        document(text, drop("b"))
    assert "nonsense" not in str(error.value)


def test_prose_is_redacted_in_place() -> None:
    """What is not to be found stays."""
    text = '{"note":"call back at max@example.org please"}\n{"note":"all fine here"}\n'
    treatment: Treatment = REDACTED
    done = lines(text, table(("note",), {"note": treatment}))
    assert done == text.replace("max@example.org", "<EMAIL_ADDRESS>")
