"""Two deliveries: what changed, and whether a vendor gets more."""

from __future__ import annotations

from typing import Any

import pytest

from scanner.comparison import Change, Delivery, compare, likeness
from scanner.model import Column, Evidence, Form, Gap, Kind, Outcome, Reason, Stage, Status, Table, Text
from scanner.sketch import EMPTY


def evidence(
    entity_type: str = "EMAIL_ADDRESS", category: str = "user.contact.email", **more: Any
) -> Evidence:
    values: dict[str, Any] = {"form": Form.CLEAR, "rows": 10, "mentions": 10, "confidence": 0.9} | more
    return Evidence(entity_type=entity_type, category=category, distinct=EMPTY, **values)


def table(
    *columns: tuple[str, Evidence | None], rows: int = 10, name: str = "-", hidden: bool = False
) -> Table:
    made = [
        Column(name, at, rows, Kind.ENTITY if found else Kind.NONE, (found,) if found else ())
        for at, (name, found) in enumerate(columns)
    ]
    return Table(name, rows, tuple(made), hidden)


def delivery(
    *tables: Table, texts: tuple[Text, ...] = (), gaps: tuple[Gap, ...] = (), **more: Any
) -> Delivery:
    outcome = Outcome("a.csv", None, "csv", 1, "0" * 64, Status.SCANNED, gaps, tables, texts)
    return Delivery([outcome], **more)


def kinds(changes: list[Change]) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.where, each.worse) for each in changes]


EMAIL, PLAIN = ("email", evidence()), ("note", None)


def test_the_same_delivery_has_not_changed() -> None:
    assert compare(delivery(table(EMAIL, PLAIN)), delivery(table(EMAIL, PLAIN))) == []


def test_columns_that_come_and_go() -> None:
    phone = ("phone", evidence("PHONE_NUMBER", "user.contact.phone_number"))
    old, new = delivery(table(EMAIL, PLAIN, ("a", None))), delivery(table(EMAIL, PLAIN, ("a", None), phone))
    assert kinds(compare(old, new)) == [("column_added", "-.phone", True)]
    assert kinds(compare(new, old)) == [("column_removed", "-.phone", False)]
    harmless = delivery(table(EMAIL, PLAIN, ("a", None), ("b", None)))
    assert kinds(compare(old, harmless)) == [("column_added", "-.b", False)]


def test_a_column_with_another_name_and_the_same_meaning_is_renamed() -> None:
    old = delivery(table(EMAIL, PLAIN, ("a", None), ("b", None)))
    new = delivery(table(("E-Mail-Adresse", evidence()), PLAIN, ("a", None), ("b", None)))
    assert kinds(compare(old, new)) == [("column_renamed", "-.E-Mail-Adresse", False)]


def test_what_was_hashed_and_is_clear_is_worse_and_the_other_way_is_not() -> None:
    hashed = delivery(table(("email", evidence(form=Form.HASHED)), PLAIN))
    clear = delivery(table(EMAIL, PLAIN))
    assert kinds(compare(hashed, clear)) == [("form_changed", "-.email", True)]
    assert kinds(compare(clear, hashed)) == [("form_changed", "-.email", False)]


def test_a_category_that_appears_in_a_column() -> None:
    assert kinds(compare(delivery(table(EMAIL, PLAIN)), delivery(table(EMAIL, ("note", evidence()))))) == [
        ("category_added", "-.note", True)
    ]
    unlikely = delivery(table(EMAIL, ("note", evidence(confidence=0.35))))
    assert compare(delivery(table(EMAIL, PLAIN)), unlikely) == []


@pytest.mark.parametrize(("before", "after", "told"), [(10, 99, []), (10, 100, [True]), (100, 10, [False])])
def test_ten_times_the_rows(before: int, after: int, told: list[bool]) -> None:
    old, new = delivery(table(EMAIL, PLAIN, rows=before)), delivery(table(EMAIL, PLAIN, rows=after))
    assert [each.worse for each in compare(old, new) if each.kind == "rows"] == told


def test_people_and_countries() -> None:
    old = delivery(table(EMAIL), people=10, countries={"DE": 10})
    new = delivery(table(EMAIL), people=100, countries={"DE": 90, "FR": 10})
    assert kinds(compare(old, new)) == [("people", "all of it", True), ("country_added", "FR", True)]


def test_tables_are_matched_by_name_and_columns() -> None:
    first, second = table(EMAIL, PLAIN, name="x"), table(("sku", None), ("price", None), name="y")
    assert compare(delivery(first, second), delivery(second, first)) == []
    hidden = table(("email2", evidence()), ("other", None), name="crm", hidden=True)
    assert kinds(compare(delivery(second), delivery(second, hidden))) == [("table_added", "crm", True)]
    assert kinds(compare(delivery(first, second), delivery(second))) == [("table_removed", "x", False)]


def test_texts_and_gaps() -> None:
    text = Text("body", 100, (evidence(),))
    gap = Gap(Stage.READ, Reason.ENCRYPTED, "is encrypted", "sheet 2")
    assert kinds(compare(delivery(), delivery(texts=(text,)))) == [("category_added", "text body", True)]
    assert kinds(compare(delivery(), delivery(gaps=(gap,)))) == [("gap_added", "sheet 2", True)]
    assert compare(delivery(gaps=(gap,)), delivery(gaps=(gap,))) == []


def test_likeness_does_not_mind_how_names_are_written() -> None:
    assert likeness(["First Name", "e-mail"], ["first_name", "EMAIL"]) == 1.0
    assert likeness(["a", "b"], ["b", "c"]) == pytest.approx(1 / 3)
