"""How many people a field, a category and a vendor are about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Estimate, VendorSummary
from scanner.policy import people
from scanner.policy.evaluate import Judgement, evaluate
from tests.policy.build import outcome, policy

TODAY = date(2026, 11, 23)


def _judge(*items: dict[str, Any]) -> Judgement:
    rules = policy({"vendors": [{"id": "acme"}]})
    outcomes = [outcome({"path": f"acme/{number}.csv", **item}) for number, item in enumerate(items)]
    return evaluate(rules, outcomes, paths=[item.path for item in outcomes], today=TODAY)


def _vendor(*items: dict[str, Any]) -> VendorSummary:
    return _judge(*items).summary[0]


def _table(people: str | None, rows: int = 100, **columns: Any) -> dict[str, Any]:
    table: dict[str, Any] = {"rows": rows, "columns": columns}
    return {"tables": [{**table, "people": people} if people else table]}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (_table("EMAIL_ADDRESS", e="EMAIL_ADDRESS", x="DATE_OF_BIRTH"), (100, 100, 100)),
        # 60 people in 100 rows, one field in every row
        (_table("EMAIL_ADDRESS", e={"type": "EMAIL_ADDRESS", "distinct": 60}, x="GENDER"), (60, 60, 60)),
        # 20 of 100 rows tell nobody: up to 20 others
        (_table("EMAIL_ADDRESS", e={"type": "EMAIL_ADDRESS", "rows": 80}, x="GENDER"), (80, 80, 100)),
        # a value in 30 of 100 rows of 100 people
        (_table("EMAIL_ADDRESS", e="EMAIL_ADDRESS", x={"type": "DATE_OF_BIRTH", "rows": 30}), (30, 30, 30)),
        # 9 accounts in 30 rows
        (_table("US_SSN", e="US_SSN", x={"type": "IBAN_CODE", "rows": 30, "distinct": 9}), (9, 9, 30)),
        # no keys: values that are each somebody's, and values that are not
        (_table(None, x={"type": "US_SSN", "distinct": 70}), (70, 70, 100)),
        (_table(None, x={"type": "GENDER", "distinct": 2}), (1, 2, 100)),
        # masked values are alike, so they are not counted
        (_table(None, x={"type": "EMAIL_ADDRESS", "distinct": 3, "form": "masked"}), (1, 3, 100)),
        (_table("EMAIL_ADDRESS", x={"type": "EMAIL_ADDRESS", "distinct": 3, "form": "masked"}), (1, 3, 100)),
    ],
)  # fmt: skip
def test_people_of_a_field(item: dict[str, Any], expected: tuple[int, int, int]) -> None:
    """Counted by the table's keys, held to the rows that the field has a value in."""
    (finding,) = [f for f in _judge(item).findings if f.column == "x"]
    assert finding.people == Estimate(*expected)


def test_people_of_a_text() -> None:
    """A text is about those it names."""
    entities = [
        {"type": "PERSON", "rows": 4, "distinct": 3},
        {"type": "DATE_OF_BIRTH", "rows": 5, "distinct": 5},
    ]
    findings = _judge({"texts": [{"entities": entities}]}).findings
    assert {f.entity_type: f.people for f in findings} == {
        "PERSON": Estimate(1, 3, 4),
        "DATE_OF_BIRTH": Estimate(1, 3, 5),
    }


def test_one_type_of_key_is_counted_exactly() -> None:
    """The union over files, not the sum."""
    parts = [
        _table("EMAIL_ADDRESS", e={"type": "EMAIL_ADDRESS", "start": start}) for start in (0, 50, 50, 120)
    ]
    vendor = _vendor(*parts)
    assert vendor.people == Estimate(220, 220, 220)
    assert vendor.categories["user.contact.email"].people == 220


def test_hashes_are_not_held_against_clear_values() -> None:
    """The same address in clear and hashed cannot be told to be one: between 100 and 200 people."""
    vendor = _vendor(
        _table("EMAIL_ADDRESS", e="EMAIL_ADDRESS"),
        _table("EMAIL_ADDRESS", e={"type": "EMAIL_ADDRESS", "form": "hashed", "start": 500}),
    )
    assert vendor.people == Estimate(100, 100, 200)


def test_types_that_cannot_be_compared_are_taken_as_the_same_people() -> None:
    """The bounds say what is not known."""
    vendor = _vendor(_table("EMAIL_ADDRESS", e="EMAIL_ADDRESS"), _table("PHONE_NUMBER", 40, p="PHONE_NUMBER"))
    assert vendor.people == Estimate(100, 100, 140)


def test_a_table_with_both_tells_who_is_new() -> None:
    """30 of the 40 numbers are in the customer list, 10 are not."""
    vendor = _vendor(
        _table("EMAIL_ADDRESS", e="EMAIL_ADDRESS", p={"type": "PHONE_NUMBER", "start": 0}),
        _table("PHONE_NUMBER", 40, p={"type": "PHONE_NUMBER", "start": 70}),
    )
    assert vendor.people == Estimate(100, 110, 140)


def test_partial_fields_of_a_table_are_at_most_its_rows() -> None:
    """Two fields that each have a value in other rows are about more people than either alone."""
    first = {"type": "US_SSN", "rows": 60}
    second = {"type": "DATE_OF_BIRTH", "rows": 30}
    third = {"type": "GENDER", "rows": 40, "distinct": 2}
    assert _vendor(_table(None, a=first, b=second)).people == Estimate(60, 60, 90)
    assert _vendor(_table(None, a=first, b=second, c=third)).people == Estimate(60, 60, 100)


def test_many_sets_are_united_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded and the count is the same."""
    monkeypatch.setattr(people, "_PENDING", 1000)
    parts = [
        _table("EMAIL_ADDRESS", e={"type": "EMAIL_ADDRESS", "start": start}) for start in range(0, 900, 30)
    ]
    assert _vendor(*parts).people == Estimate(970, 970, 970)


def test_rows_without_an_identifier_may_be_others() -> None:
    """They widen the interval of a vendor too."""
    table = _table("EMAIL_ADDRESS", e={"type": "EMAIL_ADDRESS", "rows": 80})
    assert _vendor(table).people == Estimate(80, 80, 100)


def test_texts_alone_are_about_somebody() -> None:
    """Names in prose may all be one person's, written in several ways."""
    parts = [{"texts": [{"entities": [{"type": "PERSON", "rows": 2, "start": start}]}]} for start in (0, 1)]
    assert _vendor(*parts).people == Estimate(1, 3, 3)


def test_texts_widen_the_interval_only() -> None:
    """Names in prose may be those of the table."""
    vendor = _vendor(
        _table("EMAIL_ADDRESS", e="EMAIL_ADDRESS"), {"texts": [{"entities": [{"type": "PERSON", "rows": 5}]}]}
    )
    assert vendor.people == Estimate(100, 100, 105)


def test_tables_without_personal_data_count_nobody() -> None:
    """Keys of what was not found personal are keys of things."""
    vendor = _vendor(_table("PHONE_NUMBER", p={"type": "PHONE_NUMBER", "confidence": 0.1}))
    assert vendor.people == Estimate(0, 0, 0)
    assert vendor.categories == {}


_TYPES = st.sampled_from(
    ["EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON", "US_SSN", "DATE_OF_BIRTH", "GENDER", "IDENTIFIER"]
)
_FORMS = st.sampled_from(["clear", "clear", "hashed", "masked"])


@st.composite
def _items(draw: st.DrawFn) -> dict[str, Any]:
    rows = draw(st.integers(1, 60))
    columns = {}
    for name in "abc"[: draw(st.integers(1, 3))]:
        found = draw(st.integers(1, rows))
        columns[name] = {
            "type": draw(_TYPES),
            "rows": found,
            "distinct": draw(st.integers(0, found)),
            "start": draw(st.integers(0, 50)),
            "form": draw(_FORMS),
            "confidence": draw(st.sampled_from([0.3, 0.5, 0.99])),
        }
    if draw(st.booleans()):
        return {"texts": [{"entities": list(columns.values())}]}
    keys: list[str | None] = [None, *(str(column["type"]) for column in columns.values())]
    return _table(draw(st.sampled_from(keys)), rows, **columns)


@given(st.lists(_items(), min_size=1, max_size=4))
def test_low_best_high_are_in_order(items: list[dict[str, Any]]) -> None:
    """For findings and vendors; and more files are never fewer people."""
    judgement = _judge(*items)
    estimates = [finding.people for finding in judgement.findings] + [judgement.summary[0].people]
    for estimate in estimates:
        assert 0 <= estimate.low <= estimate.best <= estimate.high
    for finding in judgement.findings:
        assert finding.people.best >= 1
        assert finding.people.high <= max(finding.rows, finding.people.best)
    before = _vendor(*items[:-1]).people if len(items) > 1 else Estimate(0, 0, 0)
    after = judgement.summary[0].people
    assert before.low <= after.low
    assert before.high <= after.high
