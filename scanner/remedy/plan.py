"""Evidence and a policy to a plan: which field goes, which is put into another form, which is redacted."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from scanner.model import Column, Form, Kind, Outcome, Table, Text
from scanner.policy.decide import Decision, Ground, decide
from scanner.policy.fields import PersonalField, personal_fields
from scanner.policy.model import Policy, Vendor
from scanner.remedy.base import DROP, Do, FieldPlan, PartPlan, Plan, Treatment, nths
from scanner.remedy.values import FORMS, FROM_ANY

_Judged = list[tuple[PersonalField, Decision]]


def make(policy: Policy, vendor: Vendor, outcome: Outcome, today: date, *, hidden_goes: bool = False) -> Plan:
    """The plan that makes an item fit a vendor.

    What needs a person's review counts as over-shared: a copy that may hold too much is not one to hand out.
    With ``hidden_goes`` hidden tables and columns go as well, whatever they hold.
    """
    by_part: dict[int, _Judged] = defaultdict(list)
    for found in personal_fields(outcome, policy.defaults.confidence.review):
        decision = decide(policy, vendor, found, today)
        if decision is not None:
            by_part[id(found.part)].append((found, decision))
    return Plan(
        {table.name: _table(table, by_part.get(id(table), []), hidden_goes) for table in outcome.tables},
        {text.name: _text(text, by_part.get(id(text), [])) for text in outcome.texts},
    )


def _table(table: Table, judged: _Judged, hidden_goes: bool) -> PartPlan:
    names = tuple(column.name for column in table.columns)
    nth = nths(names)
    by_column: dict[int, _Judged] = defaultdict(list)
    for found, decision in judged:
        assert found.column is not None
        by_column[found.column.index].append((found, decision))
    fields = {}
    for place, column in enumerate(table.columns):
        own = by_column.get(column.index, [])
        if hidden_goes and (table.hidden or column.hidden):
            fields[place] = _field(column.name, place, nth[place], (DROP,), own)
        elif own:
            fields[place] = _field(column.name, place, nth[place], _column_treatments(column, own), own)
    return PartPlan(table.name, names, fields, table.hidden)


def _text(text: Text, judged: _Judged) -> PartPlan:
    types = frozenset(found.evidence.entity_type for found, _ in judged)
    fields = {}
    if judged:
        treatments = (Treatment(Do.REDACT, entity_types=types), Treatment(Do.REDACT))
        fields[0] = _field(text.name, None, 0, treatments, judged)
    return PartPlan(text.name, None, fields, text.hidden)


def _field(
    name: str, index: int | None, nth: int, treatments: tuple[Treatment, ...], judged: _Judged
) -> FieldPlan:
    categories = tuple(dict.fromkeys(found.evidence.category for found, _ in judged))
    rows = max((found.evidence.rows for found, _ in judged), default=0)
    return FieldPlan(name, index, nth, treatments, categories, rows)


def _column_treatments(column: Column, judged: _Judged) -> tuple[Treatment, ...]:
    types = frozenset(found.evidence.entity_type for found, _ in judged)
    main = column.entities[0]
    if column.kind is Kind.FREE_TEXT or all(found.evidence is not main for found, _ in judged):
        # Prose, or something that strayed into a column of what the vendor may have.
        return (Treatment(Do.REDACT, entity_types=types), Treatment(Do.REDACT), DROP)
    forms = [set(_forms(found, decision)) for found, decision in judged]
    shared = [form for form in FORMS if all(form in each for each in forms)]
    return (*(Treatment(Do.TRANSFORM, form, main.entity_type) for form in shared), DROP)


def _forms(found: PersonalField, decision: Decision) -> list[Form]:
    """The forms that would do for a field, best first."""
    if decision.ground is not Ground.FORM:
        return []
    return [
        form
        for form in FORMS
        if form in decision.forms and (found.evidence.form is Form.CLEAR or form in FROM_ANY)
    ]
