"""Policies and outcomes from a few words of YAML, for the cases of the tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from scanner import sketch
from scanner.model import (
    EMPTY,
    Column,
    Distinct,
    Evidence,
    Form,
    Gap,
    Kind,
    Outcome,
    PeopleKeys,
    Reason,
    Stage,
    Table,
    Text,
    status_of,
)
from scanner.policy.categories import taxonomy
from scanner.policy.model import (
    Agreement,
    Allow,
    Confidence,
    Default,
    Defaults,
    Exemption,
    OnGap,
    Policy,
    Vendor,
    VendorLimits,
)

Words = Mapping[str, Any]


def keys(count: int, start: int = 0) -> Distinct:
    """A set of ``count`` pretend hashes; equal ranges give equal sets."""
    import numpy as np

    if not count:
        return EMPTY
    return sketch.of(np.arange(start + 1, start + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def policy(words: Words) -> Policy:
    """A policy from what a policy file says; without the file's checks."""
    defaults = dict(words.get("defaults", {}))
    return Policy(
        organisation=words.get("organisation", "Example Motors"),
        vendors=tuple(_vendor(entry) for entry in words.get("vendors", ())),
        defaults=Defaults(
            unlisted=Default(defaults.get("unlisted", "deny")),
            unassigned=Default(defaults.get("unassigned", "deny")),
            unverifiable=OnGap(defaults.get("unverifiable", "fail")),
            confidence=Confidence(**defaults.get("confidence", {})),
        ),
    )


def _vendor(entry: Words) -> Vendor:
    agreement = entry.get("agreement")
    return Vendor(
        id=entry["id"],
        name=entry.get("name", entry["id"].title()),
        paths=tuple(entry.get("paths", [f"{entry['id']}/**"])),
        purpose=entry.get("purpose"),
        agreement=Agreement(agreement["ref"], agreement.get("expires")) if agreement else None,
        allow=tuple(_allow(allowed) for allowed in entry.get("allow", ())),
        never=tuple(entry.get("never", ())),
        limits=VendorLimits(**entry.get("limits", {})),
        exceptions=tuple(
            Exemption(**{"ticket": "T-1", "reason": "agreed", **e}) for e in entry.get("exceptions", ())
        ),
    )


def _allow(entry: str | Words) -> Allow:
    if isinstance(entry, str):
        return Allow(entry)
    return Allow(entry["category"], frozenset(Form(form) for form in entry["form"]))


def evidence(words: str | Words, rows: int) -> Evidence:
    """Evidence of a type; by default in clear, in every row, all values different, certain."""
    words = {"type": words} if isinstance(words, str) else words
    found = words.get("rows", rows)
    category = words.get("category", taxonomy().types.get(words["type"], "user"))
    return Evidence(
        entity_type=words["type"],
        category=category or "",
        form=Form(words.get("form", "clear")),
        rows=found,
        mentions=words.get("mentions", found),
        distinct=keys(words.get("distinct", found), words.get("start", 0)),
        confidence=words.get("confidence", 0.99),
    )


def table(words: Words) -> Table:
    """A table; ``people`` names the type whose values tell its people apart."""
    rows = words.get("rows", 100)
    hidden = words.get("hidden_columns", ())
    columns = []
    for index, (name, found) in enumerate(words.get("columns", {}).items()):
        entities = [
            evidence(e, rows) for e in (found if isinstance(found, list) else [found] if found else [])
        ]
        kind = (
            Kind.FREE_TEXT if name in words.get("free_text", ()) else Kind.ENTITY if entities else Kind.NONE
        )
        columns.append(Column(name, index, rows, kind, tuple(entities), name in hidden))
    people = None
    if "people" in words:
        key = next(e for c in columns for e in c.entities if e.entity_type == words["people"])
        people = PeopleKeys(key.entity_type, key.distinct, key.rows)
    return Table(words.get("name", "-"), rows, tuple(columns), words.get("hidden", False), people)


def outcome(words: Words) -> Outcome:
    """An item with its tables, texts and gaps."""
    tables = tuple(table(entry) for entry in words.get("tables", ()))
    texts = tuple(
        Text(
            t.get("name", "body"), 1000, tuple(evidence(e, 1) for e in t["entities"]), t.get("hidden", False)
        )
        for t in words.get("texts", ())
    )
    gaps = tuple(
        Gap(Stage.READ, Reason(g["reason"]), "a reason", g.get("where")) for g in words.get("gaps", ())
    )
    modified = words.get("modified")
    return Outcome(
        path=words["path"],
        member=words.get("member"),
        format=words.get("format", "csv"),
        bytes=1,
        sha256=None,
        status=status_of(gaps, bool(tables or texts)),
        gaps=gaps,
        tables=tables,
        texts=texts,
        modified=_moment(modified) if modified else None,
    )


def _moment(day: date) -> float:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
