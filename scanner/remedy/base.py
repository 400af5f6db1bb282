"""What is to be done with each field of a file, and what a rewriter is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import BinaryIO, ClassVar

from scanner.config import Limits
from scanner.model import Form
from scanner.readers.base import Source
from scanner.remedy.faults import RemedyError
from scanner.remedy.redaction import Redactor
from scanner.remedy.values import Values


class Do(StrEnum):
    """What becomes of a field, least first."""

    KEEP = "keep"
    TRANSFORM = "transform"
    REDACT = "redact"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of one field.

    Attributes:
        do: the kind of treatment.
        form: the form that values are put into, where they are transformed.
        entity_type: what the values are, where they are transformed.
        entity_types: what is taken out of running text, where it is redacted; all where empty.
    """

    do: Do
    form: Form | None = None
    entity_type: str = ""
    entity_types: frozenset[str] = frozenset()


KEEP = Treatment(Do.KEEP)
DROP = Treatment(Do.DROP)


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A field that is not kept as it is, with the treatments that may be tried, mildest first.

    Attributes:
        name: the column's name; the text's where ``index`` is None.
        index: place of the column among those of its table.
        nth: which of the columns of that name it is, from 0.
        treatments: the first is what is done; the others follow where it does not suffice.
        categories: of what is wrong with it.
        rows: rows (of a text: mentions) with it.
    """

    name: str
    index: int | None
    nth: int
    treatments: tuple[Treatment, ...]
    categories: tuple[str, ...]
    rows: int

    @property
    def treatment(self) -> Treatment:
        """What is done."""
        return self.treatments[0]


@dataclass(frozen=True, slots=True)
class PartPlan:
    """A table or text with the fields that are not kept as they are.

    Attributes:
        name: as the reader calls it.
        columns: names of all columns in their order; None for a text.
        fields: by place in the table; a text has one, under 0.
        hidden: indices of columns that are hidden; all where the whole part is.
    """

    name: str
    columns: tuple[str, ...] | None
    fields: dict[int, FieldPlan]
    hidden: bool = False

    def at(self, index: int) -> Treatment:
        """What becomes of the column at a place."""
        planned = self.fields.get(index)
        return planned.treatment if planned else KEEP

    def by_name(self) -> dict[tuple[str, int], Treatment]:
        """Treatments by name and which of that name."""
        return {(each.name, each.nth): each.treatment for each in self.fields.values()}

    def kept(self) -> list[tuple[str, int]]:
        """Name and place of the columns that stay, in some form."""
        names = self.columns or ()
        return [(name, index) for index, name in enumerate(names) if self.at(index).do is not Do.DROP]

    def position(self, name: str, nth: int) -> int | None:
        """Where the ``nth`` of the columns that stay under a name was; None where there is no such."""
        places = [index for kept, index in self.kept() if kept == name]
        return places[nth] if nth < len(places) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a file, by kind and name of its parts."""

    tables: dict[str, PartPlan] = field(default_factory=dict)
    texts: dict[str, PartPlan] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True where nothing is to be done."""
        return not any(True for _ in self.fields())

    def table(self, name: str) -> PartPlan:
        """The plan of a table; of one without anything to do where it is not known."""
        return self.tables.get(name) or PartPlan(name, (), {})

    def text(self, name: str) -> Treatment:
        """What becomes of a text."""
        part = self.texts.get(name)
        return part.at(0) if part else KEEP

    def fields(self) -> Iterator[tuple[PartPlan, FieldPlan]]:
        """All fields that are not kept as they are, tables first."""
        for part in (*self.tables.values(), *self.texts.values()):
            for index in sorted(part.fields):
                yield part, part.fields[index]

    def with_field(self, part: PartPlan, planned: FieldPlan) -> Plan:
        """The same with another plan for one field."""
        changed = replace(part, fields={**part.fields, planned.index or 0: planned})
        if part.columns is None:
            return Plan(self.tables, {**self.texts, part.name: changed})
        return Plan({**self.tables, part.name: changed}, self.texts)


def nths(names: Iterable[str]) -> list[int]:
    """For each name, how many of the same stand before it."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        found.append(seen[name])
        seen[name] += 1
    return found


@dataclass(frozen=True, slots=True)
class Tools:
    """What rewriters work with. ``again`` opens the same bytes anew, for those who read them twice."""

    values: Values
    redactor: Redactor
    limits: Limits
    again: Callable[[], Source] | None = None

    def cells(self, treatment: Treatment, cells: Sequence[str | None], heading: str = "") -> list[str | None]:
        """Cells as they are to be: None for what goes. Blank cells stay as they are."""
        match treatment.do:
            case Do.KEEP:
                return list(cells)
            case Do.DROP:
                return [None] * len(cells)
            case Do.REDACT:
                return self.redactor.cells(cells, treatment.entity_types)
            case Do.TRANSFORM:
                assert treatment.form is not None
                to = self.values.transformer(treatment.form, treatment.entity_type)
                return [cell if cell is None or not cell.strip() else to(cell) for cell in cells]

    def cell(self, treatment: Treatment, cell: str) -> str | None:
        """The same for one cell."""
        return self.cells(treatment, [cell])[0]

    def text(self, treatment: Treatment, text: str) -> str:
        """A piece of running text as it is to be."""
        if treatment.do is Do.KEEP:
            return text
        if treatment.do is Do.DROP:
            return ""
        return self.redactor.text(text, treatment.entity_types)


class Rewriter(ABC):
    """Writes a file of one format anew, without what a plan takes out.

    Attributes:
        formats: names of the formats, as readers report them.
    """

    formats: ClassVar[tuple[str, ...]]

    @abstractmethod
    def rewrite(self, source: Source, out: BinaryIO, plan: Plan, tools: Tools) -> None:
        """Write ``source`` to ``out`` as ``plan`` says.

        Raises:
            RemedyError: it cannot be written so.
            ReadError: it cannot be read.
        """


__all__ = [
    "DROP",
    "KEEP",
    "Do",
    "FieldPlan",
    "PartPlan",
    "Plan",
    "RemedyError",
    "Rewriter",
    "Tools",
    "Treatment",
    "nths",
]
