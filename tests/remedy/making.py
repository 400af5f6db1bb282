"""Plans and rewritten bytes for tests."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from scanner.config import Limits, Settings
from scanner.model import Form
from scanner.pool import Ended, Piece
from scanner.readers.base import Source
from scanner.remedy import registry
from scanner.remedy.base import DROP, Do, FieldPlan, PartPlan, Plan, Tools, Treatment, nths
from scanner.remedy.redaction import Redactor
from scanner.remedy.values import Values

KEY = bytes(range(32))
HASHED = Treatment(Do.TRANSFORM, Form.HASHED, "EMAIL_ADDRESS")
MASKED = Treatment(Do.TRANSFORM, Form.MASKED, "EMAIL_ADDRESS")
REDACTED = Treatment(Do.REDACT)


@cache
def tools(model: str = "none") -> Tools:
    """Tools under a fixed key."""
    return Tools(Values(KEY, "acme"), Redactor(Settings(model=model)), Limits())


def part(name: str, columns: Sequence[str], treatments: dict[int, Treatment]) -> PartPlan:
    """The plan of a table."""
    nth = nths(columns)
    fields = {
        index: FieldPlan(columns[index], index, nth[index], (treatment,), ("user",), 1)
        for index, treatment in treatments.items()
    }
    return PartPlan(name, tuple(columns), fields)


def table(columns: Sequence[str], treatments: dict[str, Treatment], name: str = "-") -> Plan:
    """A plan for one table, by the names of its columns."""
    by_index = {columns.index(column): treatment for column, treatment in treatments.items()}
    return Plan({name: part(name, columns, by_index)})


def without(columns: Sequence[str], *dropped: str, name: str = "-") -> Plan:
    """A plan that drops columns of one table."""
    return table(columns, dict.fromkeys(dropped, DROP), name)


def text_plan(name: str, treatment: Treatment) -> Plan:
    """A plan for one text."""
    return Plan({}, {name: PartPlan(name, None, {0: FieldPlan(name, None, 0, (treatment,), ("user",), 1)})})


def rewritten(
    format_name: str, data: bytes, plan: Plan, name: str = "", with_tools: Tools | None = None
) -> bytes:
    """What a rewriter makes of some bytes."""
    rewriter = registry.find(format_name)
    assert rewriter is not None
    out = io.BytesIO()
    given = replace(with_tools or tools(), again=lambda: Source.of_bytes(data, name))
    rewriter.rewrite(Source.of_bytes(data, name), out, plan, given)
    return out.getvalue()


class OneProcess:
    """The pool's stand-in: the same work, without a worker's start."""

    def __init__(self, worker: str, arguments: None, **_: Any) -> None:
        module, _, name = worker.partition(":")
        self._factory = getattr(importlib.import_module(module), name)

    def warm(self) -> None:
        """Nothing has to start."""

    def equip(self, arguments: tuple[Any, ...]) -> None:
        """What a worker does first."""
        self._work = self._factory(*arguments)

    def run(self, tasks: Iterable[Any]) -> Iterator[Piece | Ended]:
        """The events of each task."""
        for task in tasks:
            for value in self._work(task):
                yield Piece(task, value)
            yield Ended(task, None)

    def close(self) -> None:
        """Nothing runs."""
