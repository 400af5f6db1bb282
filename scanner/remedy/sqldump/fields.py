"""What becomes of the columns of each table of a dump, and whether they can go without breaking it.

A column goes from its definition, its rows, and all keys, indexes and comments that name it. Where a view, a
trigger or a computed column uses it, it stays and is NULL in every row. A table of which nothing would stay
keeps its definition and no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from scanner.detect.masking import safe_name
from scanner.remedy.base import KEEP, Do, PartPlan, Plan, Treatment
from scanner.remedy.sqldump.tokens import Token, clauses, closing, dotted, names, skip, words

#: First words of clauses of a definition that define no column.
_CONSTRAINTS = frozenset({"constraint", "primary", "unique", "foreign", "check", "exclude", "like", "period"})
_INDEXES = frozenset({"key", "index", "fulltext", "spatial"})
#: First words of statements that use no column in a way that would break without it.
_HARMLESS = frozenset(
    (
        *("insert", "replace", "copy", "set", "use", "lock", "unlock", "drop", "select", "comment", "grant"),
        *("revoke", "begin", "commit", "pragma", "alter", "delete", "truncate", "analyze"),
    )
)


@dataclass(slots=True)
class Table:
    """A table of the dump.

    Attributes:
        part: its plan.
        columns: names in the order of the definition, as far as one is known.
        needed: columns that something uses which would break without them.
    """

    part: PartPlan
    columns: list[str] = field(default_factory=list)
    needed: set[str] = field(default_factory=set)

    def at(self, column: str) -> Treatment:
        """What becomes of a column, by its name in any case."""
        for planned in self.part.fields.values():
            if planned.name.casefold() == safe_name(" ".join(column.split())).casefold():
                return planned.treatment
        return KEEP

    @property
    def emptied(self) -> bool:
        """Whether all columns would go."""
        return bool(self.columns) and all(self.at(column).do is Do.DROP for column in self.columns)

    def drops(self, column: str) -> bool:
        """Whether a column goes altogether."""
        return self.at(column).do is Do.DROP and column not in self.needed and not self.emptied

    def blanks(self, column: str) -> bool:
        """Whether a column stays without its values."""
        return self.at(column).do is Do.DROP and not self.drops(column)

    def changes(self, column: str) -> bool:
        """Whether a column's values are other ones."""
        return self.at(column).do in (Do.TRANSFORM, Do.REDACT)

    def loses(self, column: str) -> bool:
        """Whether a column keeps no value of its own."""
        return self.at(column).do is Do.DROP


class Fields:
    """All tables of a dump with what becomes of their columns.

    Args:
        plan: by the names that the reader gives tables.
        indexes_in_tables: the dialect defines indexes inside of tables.
    """

    def __init__(self, plan: Plan, *, indexes_in_tables: bool) -> None:
        self._tables = {name.casefold(): Table(part) for name, part in plan.tables.items()}
        self._not_columns = _CONSTRAINTS | _INDEXES if indexes_in_tables else _CONSTRAINTS

    def table(self, name: tuple[str, ...]) -> Table:
        """A table by its name, with or without what it lies in."""
        whole = ".".join(name).casefold()
        if whole in self._tables:
            return self._tables[whole]
        last = name[-1].casefold() if name else ""
        found = [t for key, t in self._tables.items() if key.rpartition(".")[2] == last or key == last]
        if len(found) == 1:
            return found[0]
        # One that brought no rows, or that the plan leaves alone.
        return self._tables.setdefault(whole, Table(PartPlan(whole, (), {})))

    def survey(self, found: list[Token]) -> None:
        """Take note of a statement: which columns it defines, and which it could not do without."""
        if (definition := self.definition(found)) is not None:
            table, body = definition
            self._define(table, body)
            after = names(found[closing(found, found.index(body[0]) - 1) :]) if body else set()
            table.needed |= {column for column in table.columns if column in after}
        elif found and found[0].lower not in _HARMLESS and not self.is_index(found):
            named = names(found)
            for table in self._tables.values():
                if table.part.name.rpartition(".")[2].casefold() in named:
                    table.needed |= {column for column in table.columns if column in named}

    def _define(self, table: Table, body: Sequence[Token]) -> None:
        columns = [(self.column(clause), clause) for clause in clauses(body)]
        table.columns = [name for name, _ in columns if name is not None]
        for name, clause in columns:
            if name is not None:
                # A computed column, or a check on two of them.
                table.needed |= names(clause[1:]) & set(table.columns) - {name}

    def column(self, clause: Sequence[Token]) -> str | None:
        """The column that a clause of a definition defines."""
        if not clause or not clause[0].is_name:
            return None
        if clause[0].kind == "word" and clause[0].lower in self._not_columns:
            return None
        return clause[0].name

    def definition(self, found: list[Token]) -> tuple[Table, Sequence[Token]] | None:
        """The table that a statement defines, and what stands in its parentheses."""
        if not words(found, 0, "create"):
            return None
        at = next((at for at, token in enumerate(found[:6]) if token.lower == "table"), None)
        if at is None:
            return None
        name, at = dotted(found, skip(found, at + 1, "if", "not", "exists"))
        if not name or at >= len(found) or found[at].raw != b"(":
            return None
        return self.table(name), found[at + 1 : closing(found, at)]

    def is_index(self, found: list[Token]) -> bool:
        """Whether a statement makes an index."""
        return words(found, 0, "create") and any(token.lower == "index" for token in found[1:4])

    def indexed(self, found: list[Token]) -> tuple[Table, Sequence[Token]]:
        """The table of an index, and what follows its name."""
        at = next((at for at, token in enumerate(found) if token.lower == "on"), len(found))
        name, at = dotted(found, skip(found, at + 1, "only"))
        return self.table(name), found[at:]

    def constraint_goes(self, table: Table, clause: Sequence[Token]) -> bool:
        """Whether a key, index or check cannot stay, because a column that it names does not."""
        at = next((at for at, token in enumerate(clause) if token.lower == "references"), None)
        own = names(clause if at is None else clause[:at])
        affected = {column for column in table.columns if column in own}
        if any(table.loses(column) for column in affected):
            return True
        if at is None:
            keeps = any(token.lower in ("primary", "unique", "key", "index") for token in clause[:4])
            return not keeps and any(table.changes(column) for column in affected)
        name, at = dotted(clause, at + 1)
        other = self.table(name)
        theirs = names(clause[at:]) & set(other.columns) or affected
        touched = any(table.changes(column) for column in affected)
        return touched or other.emptied or any(other.loses(each) or other.changes(each) for each in theirs)
