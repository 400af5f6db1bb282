"""What changed from one delivery to the next: columns, categories, forms, numbers, countries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scanner.model import Column, Evidence, Form, Outcome, Table, Text

#: A delivery with so many times the rows or people is not the same delivery any more.
TIMES = 10
#: Tables with this share of their columns in common are the same one (Jaccard).
ALIKE = 0.5
#: Below it nothing is reported of a field; see `scanner.policy.model.Confidence`.
_LIKELY = 0.40


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        kind: ``table_added``, ``column_added``, ``column_removed``, ``column_renamed``, ``category_added``,
            ``category_removed``, ``form_changed``, ``rows``, ``people``, ``country_added``, ``gap_added``, ….
        where: table and column, or text.
        worse: whether a vendor gets more than before.
        said: a sentence.
    """

    kind: str
    where: str
    worse: bool
    said: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery to compare.

    Attributes:
        outcomes: of the file and its members.
        people: about how many people it is.
        countries: ISO codes with people, where the rows say so.
    """

    outcomes: Sequence[Outcome]
    people: int = 0
    countries: Mapping[str, int] = field(default_factory=dict)


def compare(old: Delivery, new: Delivery) -> list[Change]:
    """All that changed, what is worse first."""
    changes = [*_tables(old, new), *_texts(old, new), *_gaps(old, new), *_numbers(old, new)]
    return sorted(changes, key=lambda change: not change.worse)


def likeness(left: Sequence[str], right: Sequence[str]) -> float:
    """The share of columns that two tables have in common, by name (Jaccard)."""
    one, other = {_plain(name) for name in left}, {_plain(name) for name in right}
    return len(one & other) / len(one | other) if one | other else 1.0


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


def _tables(old: Delivery, new: Delivery) -> Iterator[Change]:
    before = [table for outcome in old.outcomes for table in outcome.tables]
    after = [table for outcome in new.outcomes for table in outcome.tables]
    left = list(before)
    for table in after:
        match = _counterpart(table, left)
        if match is None:
            held = _categories(table.columns)
            said = f"new table with {_list(held)}" if held else "new table without personal data"
            yield Change("table_added", table.name, bool(held), said)
            continue
        left.remove(match)
        yield from _table(match, table)
    for table in left:
        yield Change("table_removed", table.name, False, "is not there any more")


def _counterpart(table: Table, among: Sequence[Table]) -> Table | None:
    names = [column.name for column in table.columns]
    best, most = None, 0.0
    for other in among:
        score = likeness(names, [column.name for column in other.columns]) + (other.name == table.name)
        if score > most:
            best, most = other, score
    return best if most >= ALIKE else None


def _table(old: Table, new: Table) -> Iterator[Change]:
    before = {_plain(column.name): column for column in old.columns}
    after = {_plain(column.name): column for column in new.columns}
    gone = [column for name, column in before.items() if name not in after]
    added = [column for name, column in after.items() if name not in before]
    for column in added:
        was = next((other for other in gone if _same_meaning(other, column)), None)
        where = f"{new.name}.{column.name}"
        if was is not None:
            gone.remove(was)
            yield Change("column_renamed", where, False, f"was called {was.name}")
            yield from _column(where, was, column)
            continue
        held = _categories([column])
        said = f"new column with {_list(held)}" if held else "new column without personal data"
        yield Change("column_added", where, bool(held), said)
    for column in gone:
        yield Change("column_removed", f"{new.name}.{column.name}", False, "is not there any more")
    for name, column in after.items():
        if name in before:
            yield from _column(f"{new.name}.{column.name}", before[name], column)
    if new.hidden and not old.hidden:
        yield Change("hidden", new.name, True, "is hidden now")
    yield from _times("rows", new.name, old.rows, new.rows)


def _same_meaning(old: Column, new: Column) -> bool:
    """Whether a column that went and one that came may be one: same main meaning, or same place and none."""
    one, other = _likely(old), _likely(new)
    if not one and not other:
        return old.index == new.index
    return bool(one and other) and (one[0].entity_type, one[0].form) == (other[0].entity_type, other[0].form)


def _likely(column: Column) -> list[Evidence]:
    return [each for each in column.entities if each.category and each.confidence >= _LIKELY]


def _column(where: str, old: Column, new: Column) -> Iterator[Change]:
    before = {each.category: each for each in _likely(old)}
    after = {each.category: each for each in _likely(new)}
    for category, found in after.items():
        known = before.get(category)
        if known is None:
            yield Change("category_added", where, True, f"holds {category} now, in {found.rows:,} rows")
        elif known.form is not found.form:
            worse = found.form is Form.CLEAR
            yield Change("form_changed", where, worse, f"{category} was {known.form}, is {found.form} now")
    for category in before.keys() - after.keys():
        yield Change("category_removed", where, False, f"holds no {category} any more")


def _texts(old: Delivery, new: Delivery) -> Iterator[Change]:
    before, after = _text_categories(old), _text_categories(new)
    for category in sorted(after.keys() - before.keys()):
        yield Change("category_added", after[category], True, f"holds {category} now")
    for category in sorted(before.keys() - after.keys()):
        yield Change("category_removed", before[category], False, f"holds no {category} any more")


def _text_categories(delivery: Delivery) -> dict[str, str]:
    """Categories in running text, each with the first part that has it."""
    out: dict[str, str] = {}
    for outcome in delivery.outcomes:
        for text in outcome.texts:
            for category in _in_text(text):
                out.setdefault(category, f"text {text.name}")
    return out


def _in_text(text: Text) -> list[str]:
    return [each.category for each in text.entities if each.category and each.confidence >= _LIKELY]


def _gaps(old: Delivery, new: Delivery) -> Iterator[Change]:
    before = {(gap.reason, gap.where) for outcome in old.outcomes for gap in outcome.gaps}
    for outcome in new.outcomes:
        for gap in outcome.gaps:
            if (gap.reason, gap.where) not in before and not gap.intentional:
                yield Change("gap_added", gap.where or outcome.path, True, f"could not be read: {gap.detail}")


def _numbers(old: Delivery, new: Delivery) -> Iterator[Change]:
    yield from _times("people", "all of it", old.people, new.people)
    for code in sorted(new.countries.keys() - old.countries.keys()):
        count = new.countries[code]
        yield Change("country_added", code, True, f"first people of {code}: {count:,}")


def _times(kind: str, where: str, old: int, new: int) -> Iterator[Change]:
    if new >= TIMES * max(old, 1) and new > old:
        yield Change(kind, where, True, f"{new:,} {kind}, {old:,} before")
    elif old >= TIMES * max(new, 1) and old > new:
        yield Change(kind, where, False, f"{new:,} {kind}, {old:,} before")


def _categories(columns: Sequence[Column]) -> list[str]:
    found = [each for column in columns for each in _likely(column)]
    return sorted(
        {each.category if each.form is Form.CLEAR else f"{each.category} ({each.form})" for each in found}
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
