"""The fields of an outcome that hold personal data, each with the part around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scanner.model import Column, Evidence, Outcome, Table, Text
from scanner.policy.categories import is_identifying, taxonomy

#: Formats whose tables people know as worksheets.
WORKBOOKS = frozenset({"xlsx", "xlsm", "xlsb", "xls", "ods"})
#: What readers call the only table of a file that names none.
UNNAMED = "-"


@dataclass(frozen=True, slots=True)
class PersonalField:
    """One piece of evidence of personal data.

    Attributes:
        outcome: the item that holds it.
        part: the table or the text.
        column: None in running text.
        evidence: what was found; its category is not empty.
        identified: whether the table (or the item's texts) also tells by another field who it is about.
    """

    outcome: Outcome
    part: Table | Text
    column: Column | None
    evidence: Evidence
    identified: bool

    @property
    def hidden(self) -> bool:
        """True where a viewer of the file would not see it."""
        return self.part.hidden or bool(self.column and self.column.hidden)

    @property
    def table(self) -> Table | None:
        """The table, None in running text."""
        return self.part if isinstance(self.part, Table) else None


_Found = tuple[Table | Text, Column | None, Evidence]


def personal_fields(outcome: Outcome, threshold: float) -> tuple[PersonalField, ...]:
    """The evidence of personal data that is at least ``threshold`` probable, in the order of the parts.

    What says something of a person only beside a field that tells who it is (``context_only``) is left out
    where the same table, or for a text any text of the item, holds no such field.
    """
    found: list[PersonalField] = []
    for table in outcome.tables:
        found += _kept(outcome, list(_of_table(table, threshold)))
    found += _kept(outcome, list(_of_texts(outcome.texts, threshold)))
    return tuple(found)


def _of_table(table: Table, threshold: float) -> Iterator[_Found]:
    for column in table.columns:
        for evidence in _likely(column.entities, threshold):
            yield table, column, evidence


def _of_texts(texts: Sequence[Text], threshold: float) -> Iterator[_Found]:
    for text in texts:
        for evidence in _likely(text.entities, threshold):
            yield text, None, evidence


def _likely(entities: Iterable[Evidence], threshold: float) -> Iterator[Evidence]:
    return (evidence for evidence in entities if evidence.category and evidence.confidence >= threshold)


def _kept(outcome: Outcome, found: list[_Found]) -> Iterator[PersonalField]:
    context_only = taxonomy().context_only
    telling = {index for index, (_, _, evidence) in enumerate(found) if _tells_who(evidence)}
    for index, (part, column, evidence) in enumerate(found):
        identified = bool(telling - {index})
        if identified or evidence.entity_type not in context_only:
            yield PersonalField(outcome, part, column, evidence, identified)


def _tells_who(evidence: Evidence) -> bool:
    # A number that a firm and a sole trader hold alike does not tell by itself that a table is about people.
    return is_identifying(evidence.category) and evidence.entity_type not in taxonomy().context_only
