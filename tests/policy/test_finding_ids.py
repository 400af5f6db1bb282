"""Ids of findings outlive the file."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from scanner.policy.evaluate import evaluate
from scanner.policy.identity import collapsed
from tests.policy.build import outcome, policy

RULES = {
    "vendors": [
        {"id": "acme", "paths": ["acme/**"], "limits": {"people": 1, "retention_days": 1}},
        {"id": "other"},
    ]
}
TABLE: dict[str, Any] = {"columns": {"email": "EMAIL_ADDRESS", "price": None}, "people": "EMAIL_ADDRESS"}


def _ids(*items: dict[str, Any]) -> list[str]:
    outcomes = [outcome(item) for item in items]
    found = evaluate(
        policy(RULES), outcomes, paths=[o.path for o in outcomes], today=date(2026, 11, 23)
    ).findings
    return sorted(finding.id for finding in found if finding.path)


def _table(path: str = "acme/a.csv", member: str | None = None, **changes: Any) -> list[str]:
    return _ids({"path": path, "member": member, "tables": [{**TABLE, **changes}]})


def _email(**evidence: Any) -> list[str]:
    found = {"type": "EMAIL_ADDRESS", **evidence}
    return _table(columns={"email": found, "price": None}, people=found["type"])


def test_an_id_is_twenty_hex_digits() -> None:
    """Short enough to type, long enough not to collide; the same in every run."""
    (found,) = _table()
    assert len(found) == 20
    int(found, 16)
    assert found == "3f6be1f02455da0ecb7a"


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(lambda: _table("acme/sub/b.csv"), id="moved and renamed"),
        pytest.param(lambda: _table("acme/a.zip", "inner/a.csv"), id="zipped"),
        pytest.param(lambda: _table(rows=5, people="EMAIL_ADDRESS"), id="filled anew"),
        pytest.param(lambda: _email(confidence=0.5), id="less certain"),
    ],
)
def test_a_table_keeps_its_ids(ids: Any) -> None:
    """What changes from one delivery to the next does not count."""
    assert ids() == _table()


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(lambda: _table("other/a.csv"), id="vendor"),
        pytest.param(lambda: _table("else/a.csv"), id="nobody's"),
        pytest.param(lambda: _table(name="customer"), id="table"),
        pytest.param(lambda: _table(columns={"price": None, **TABLE["columns"]}), id="order of columns"),
        pytest.param(lambda: _table(columns={"mail": "EMAIL_ADDRESS", "price": None}), id="column"),
        pytest.param(lambda: _email(type="US_SSN"), id="type"),
        pytest.param(lambda: _email(form="hashed"), id="form"),
    ],
)
def test_another_exposure_has_another_id(ids: Any) -> None:
    """Vendor, feed, field, type and form count."""
    assert set(ids()).isdisjoint(_table())


def test_hashed_and_tokenized_are_one_form() -> None:
    """Which of the two it is may be seen differently in a later delivery."""
    assert _email(form="hashed") == _email(form="tokenized")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("letter_2026-11-20.txt", "letter_#.txt"),
        ("letter_20261120T0600.txt", "letter_#.txt"),
        ("550e8400-e29b-41d4-a716-446655440000.eml", "#.eml"),
        ("comment 12", "comment #"),
        ("letter.txt", "letter.txt"),
    ],
)
def test_what_varies_in_a_name_is_collapsed(name: str, expected: str) -> None:
    """Dates, numbers and UUIDs."""
    assert collapsed(name) == expected


def test_texts_and_whole_items_keep_their_ids_by_name() -> None:
    """The next letter and the next locked archive of a feed are the same finding; another one is not."""

    def letter(path: str) -> list[str]:
        return _ids({"path": path, "texts": [{"entities": ["PERSON"]}], "gaps": [{"reason": "corrupt"}]})

    assert len(set(letter("acme/letter_01.txt"))) == 2
    assert letter("acme/letter_01.txt") == letter("acme/new/letter_2026-12-02.txt")
    assert set(letter("acme/letter_01.txt")).isdisjoint(letter("acme/note_01.txt"))


def test_numbered_parts_of_a_text_share_an_id() -> None:
    """Remark 7 of this delivery is remark 9 of the next."""

    def remark(name: str) -> list[str]:
        return _ids({"path": "acme/a.docx", "texts": [{"name": name, "entities": ["PERSON"]}]})

    assert remark("comment 7") == remark("comment 9") != remark("footnote 7")


def test_two_findings_on_one_item_differ() -> None:
    """What could not be read, and what lies there too long."""
    found = _ids({"path": "acme/a.zip", "gaps": [{"reason": "corrupt"}], "modified": date(2020, 1, 1)})
    assert len(set(found)) == 2


def test_names_that_are_not_utf8_have_ids_too() -> None:
    """A file name keeps such bytes as surrogate escapes."""
    assert len(_ids({"path": "acme/m\udcfcller.txt", "texts": [{"entities": ["PERSON"]}]})) == 1
