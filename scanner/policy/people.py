"""How many people a field, an item, a vendor is about: counted where hashes tell, bounded where not.

People of tables are told apart by the table's strongest identifier (`PeopleKeys`). Hashes of one type and
form unite exactly; those of different types cannot be compared directly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from scanner import sketch
from scanner.model import EMPTY, Distinct, Estimate, Evidence, Form, PeopleKeys, Table, Text
from scanner.policy.categories import covers, is_identifying
from scanner.policy.fields import PersonalField

#: A field with a value in so many of a table's rows is about all of the table's people.
WHOLE = 0.99
#: Types that tell apart the people a text names, strongest first.
TEXT_KEYS = ("EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON")
#: Forms that keep different values different, so that values can be counted.
_COUNTABLE = frozenset({Form.CLEAR, Form.HASHED, Form.TOKENIZED, Form.ENCRYPTED})
#: Categories that help to tell who a person is, but of which many people have the same value.
_SHARED = ("user.name.first", "user.name.last", "user.contact.address.street")
#: Keys whose values are written in many ways, or numbered anew in each system: two that differ may still be
#: one person's, so a difference does not make a new one.
_INCOMPARABLE = frozenset({"PERSON", "STREET_ADDRESS", "IDENTIFIER", "USERNAME", "IP_ADDRESS"})

#: Bytes of sets that wait to be united; at least so many sets, as uniting two at a time would be slow.
_PENDING = 32 << 20
_FEW = 8

NOBODY = Estimate(0, 0, 0)


def estimate(low: int, best: int, high: int) -> Estimate:
    """The three in order: the bounds keep, ``best`` is moved between them."""
    low = max(0, low)
    high = max(low, high)
    return Estimate(low, min(max(best, low), high), high)


def of_field(found: PersonalField) -> Estimate:
    """The people that a field is about."""
    table, evidence = found.part, found.evidence
    if evidence.rows <= 0:
        return NOBODY
    if isinstance(table, Text):
        return _of_text(evidence, table.entities)
    people = _keys_of(table)
    if people is None:
        return _without_keys(evidence)
    if evidence.rows >= table.rows * WHOLE:
        return _of_table(table, people)
    return _of_rows(table, people, evidence)


def counts_people(evidence: Evidence) -> bool:
    """Whether distinct values of the evidence are distinct people, as far as anything can tell."""
    if any(covers(key, evidence.category) for key in _SHARED):
        return False
    return is_identifying(evidence.category) and evidence.form in _COUNTABLE and evidence.distinct.count > 0


def _of_table(table: Table, people: PeopleKeys) -> Estimate:
    low, high = people.keys.bounds()
    # A row without an identifier may be somebody else.
    return estimate(low, people.keys.count, high + max(0, table.rows - people.rows))


def _of_rows(table: Table, people: PeopleKeys, evidence: Evidence) -> Estimate:
    whole = _of_table(table, people)
    best = min(whole.best, evidence.rows)
    if counts_people(evidence):
        best = min(best, evidence.distinct.count)
    # Only as many people as there are rows without a value can be missing.
    low = min(max(1, whole.low - max(0, table.rows - evidence.rows)), best)
    return estimate(low, best, max(best, min(whole.high, evidence.rows)))


def _without_keys(evidence: Evidence) -> Estimate:
    best = max(1, min(evidence.distinct.count, evidence.rows))
    return estimate(best if counts_people(evidence) else 1, best, max(best, evidence.rows))


def _of_text(evidence: Evidence, entities: Iterable[Evidence]) -> Estimate:
    if counts_people(evidence):
        best = evidence.distinct.count
    else:
        named = max((e.distinct.count for e in entities if e.entity_type in TEXT_KEYS), default=1)
        best = min(named, evidence.mentions)
    best = max(1, best)
    return estimate(1, best, max(best, evidence.mentions))


@dataclass(slots=True)
class Gathered:
    """A growing union of sets, united now and then so that thousands of large ones never lie side by side."""

    _pending: list[Distinct] = field(default_factory=list)
    _bytes: int = 0

    def add(self, keys: Distinct) -> None:
        """Add a set."""
        self._pending.append(keys)
        self._bytes += len(keys.packed)
        if self._bytes > _PENDING and len(self._pending) > _FEW:
            self.total()

    def total(self) -> Distinct:
        """The union so far."""
        united = sketch.union(self._pending)
        self._pending = [united]
        self._bytes = len(united.packed)
        return united


@dataclass(slots=True)
class Crowd:
    """People gathered from many fields, tables and items.

    `total` gives, for sets of keys by type and form:

    * low: the largest set, as people behind different types may be the same;
    * high: the sum of all sets, as they may all differ, and of what was counted without keys;
    * best: the largest set, and from each further set those that are seen nowhere in a counted table. A
      customer list with e-mail addresses and phone numbers so tells which people of a list of phone numbers
      are new. Where nothing can be compared, the people are taken to be the same.

    People of one type of key are therefore counted exactly, as long as the sets are.
    """

    _keys: dict[str, Gathered] = field(default_factory=lambda: defaultdict(Gathered))
    _texts: dict[str, Gathered] = field(default_factory=lambda: defaultdict(Gathered))
    #: Values of comparable types in the tables of a key: by key, then by type.
    _seen: dict[str, dict[str, Gathered]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Gathered))
    )
    _loose: list[Estimate] = field(default_factory=list)
    _unkeyed: int = 0

    def add(self, fields: Iterable[PersonalField]) -> None:
        """Add the people that these fields of one item are about."""
        tables: dict[int, list[PersonalField]] = defaultdict(list)
        texts: list[Evidence] = []
        for found in fields:
            if found.table is None:
                texts.append(found.evidence)
            else:
                tables[id(found.table)].append(found)
        for group in tables.values():
            self._add_table(group)
        if texts:
            self._add_texts(texts)

    def _add_table(self, group: list[PersonalField]) -> None:
        table = group[0].table
        if table is None:
            return
        people = _keys_of(table)
        if people is not None and _whole(table, people, group):
            key = _key(people.entity_type, _form_of(table, people))
            self._keys[key].add(people.keys)
            self._unkeyed += max(0, table.rows - people.rows)
            for other in _evidence(table):
                if counts_people(other) and other.entity_type not in _INCOMPARABLE:
                    self._seen[key][_key(other.entity_type, other.form)].add(other.distinct)
        else:
            self._add_part(table, people, group)

    def _add_part(self, table: Table, people: PeopleKeys | None, group: list[PersonalField]) -> None:
        """Add some of a table's people: those that the fields have a value for."""
        each = [of_field(found) for found in group]
        most = table.rows if people is None else _of_table(table, people).high
        high = max(min(sum(e.high for e in each), most), *(e.high for e in each), 0)
        counted = [found.evidence for found in group if counts_people(found.evidence)]
        if counted:
            widest = max(counted, key=lambda evidence: evidence.distinct.count)
            self._keys[_key(widest.entity_type, widest.form)].add(widest.distinct)
            self._unkeyed += max(0, high - widest.distinct.bounds()[0])
        else:
            self._loose.append(estimate(max(e.low for e in each), max(e.best for e in each), high))

    def _add_texts(self, entities: list[Evidence]) -> None:
        by_type = {
            key: sketch.union(e.distinct for e in entities if e.entity_type == key and e.form is Form.CLEAR)
            for key in TEXT_KEYS
        }
        best = max(TEXT_KEYS, key=lambda key: by_type[key].count)
        if by_type[best].count:
            self._texts[_key(best, Form.CLEAR)].add(by_type[best])
            self._unkeyed += sum(by_type[key].bounds()[1] for key in TEXT_KEYS if key != best)
        elif mentions := max(e.mentions for e in entities):
            self._loose.append(estimate(1, max(1, *(e.distinct.count for e in entities)), mentions))

    def total(self) -> Estimate:
        """The people, with the interval they lie in."""
        tables = {key: sets.total() for key, sets in self._keys.items()}
        texts = {key: sets.total() for key, sets in self._texts.items()}
        united = {
            key: sketch.union((tables.get(key, EMPTY), texts.get(key, EMPTY))) for key in {*tables, *texts}
        }
        low = max((keys.bounds()[0] for keys in tables.values()), default=0)
        low = max(low, 1 if texts else 0, *(loose.low for loose in self._loose), 0)
        high = sum(keys.bounds()[1] for keys in united.values())
        high += sum(loose.high for loose in self._loose) + self._unkeyed
        best = max(self._linked(united), *(loose.best for loose in self._loose), 0)
        return estimate(low, best, high)

    def _linked(self, united: dict[str, Distinct]) -> int:
        """People of the largest set, and those of the others that no counted table shows."""
        total = 0
        counted: list[str] = []
        for key in sorted(united, key=lambda key: (-united[key].count, key)):
            known = [self._seen[other][key].total() for other in counted if key in self._seen[other]]
            if not counted:
                total = united[key].count
            elif known:
                shown = sketch.intersection_count(united[key], sketch.union(known))
                total += max(0, united[key].count - shown)
            counted.append(key)
        return total


def _keys_of(table: Table) -> PeopleKeys | None:
    """The table's keys, if they tell people apart: masked or cut values of several people look alike."""
    people = table.people
    if people is None or not people.keys.count or _form_of(table, people) not in _COUNTABLE:
        return None
    return people


def _whole(table: Table, people: PeopleKeys, group: list[PersonalField]) -> bool:
    """Whether the fields are about all people of the table: one covers it, or is what tells them apart."""
    return any(f.evidence.rows >= table.rows * WHOLE or f.evidence.distinct == people.keys for f in group)


def _form_of(table: Table, people: PeopleKeys) -> Form:
    """The form of the column that the keys were taken from; hashes of other forms never match them."""
    forms = (
        e.form for e in _evidence(table) if e.entity_type == people.entity_type and e.distinct == people.keys
    )
    return next(forms, Form.CLEAR)


def _evidence(table: Table) -> Iterable[Evidence]:
    return (evidence for column in table.columns for evidence in column.entities)


def _key(entity_type: str, form: Form) -> str:
    return entity_type if form is Form.CLEAR else f"{entity_type}/{form}"
