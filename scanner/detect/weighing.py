"""The trained model of columns (``rules/column_model.json``): features to a logit, and what counted for it.

Two logistic regressions. The first sees a column by itself; the second takes the first's logit and what
stands in the other columns, and so calibrates it. Each type has its weights; types that are not in the file
share one row. There are two of each: where no heading says what a column is, everything else weighs
differently. ``bench/train_columns.py`` makes the file, whose head says from what.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scanner import resources
from scanner.detect.columnrules import NATIONAL

BIAS = "bias"
LOGIT = "logit"
#: The feature of a column that has no heading, or one that says nothing, and of a table of such columns.
NO_HEADING, NO_HEADINGS = "no heading", "no headings"
#: A contribution below it is not worth telling.
_TOLD = 0.4
_MOST_TOLD = 3


#: Weights by type and feature.
Rows = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Regressions:
    """The weights of two regressions.

    Attributes:
        own: of the column by itself.
        context: of the logit of the first and of the other columns.
    """

    own: Rows
    context: Rows


@dataclass(frozen=True, slots=True)
class ColumnModel:
    """Weights by type and feature.

    Attributes:
        headed: of columns with headings.
        bare: of columns without; its second regression is that of tables in which no column has one.
    """

    headed: Regressions
    bare: Regressions

    def weigh(self, entity_type: str, features: Mapping[str, float]) -> float:
        """The logit of a type for a column by itself."""
        return _sum(self._own(entity_type, features), features)

    def weigh_beside(self, entity_type: str, logit: float, context: Mapping[str, float]) -> float:
        """The logit of a type for a column among others, from its logit by itself."""
        rows = (self.bare if context.get(NO_HEADINGS) else self.headed).context
        return _sum(self._row(rows, entity_type), {**context, LOGIT: logit})

    def told(self, entity_type: str, features: Mapping[str, float], shown: frozenset[str]) -> tuple[str, ...]:
        """The features out of ``shown`` that count most, strongest first: ``+plural heading``."""
        row = self._own(entity_type, features)
        counted = [(row.get(name, 0.0) * features[name], name) for name in features if name in shown]
        counted = [each for each in counted if abs(each[0]) >= _TOLD]
        counted.sort(key=lambda each: (-abs(each[0]), each[1]))
        return tuple(f"{'+' if weight > 0 else '-'}{name}" for weight, name in counted[:_MOST_TOLD])

    def _own(self, entity_type: str, features: Mapping[str, float]) -> Mapping[str, float]:
        return self._row((self.bare if features.get(NO_HEADING) else self.headed).own, entity_type)

    @staticmethod
    def _row(table: Rows, entity_type: str) -> Mapping[str, float]:
        return table.get(entity_type) or table[NATIONAL]


def _sum(row: Mapping[str, float], features: Mapping[str, float]) -> float:
    return row.get(BIAS, 0.0) + sum(row.get(name, 0.0) * value for name, value in features.items())


def load(path: Path) -> ColumnModel:
    """Read a model.

    Raises:
        ValueError: the file is not one; the message names it.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        parts = [Regressions(data[name]["own"], data[name]["context"]) for name in ("headed", "bare")]
        rows = [each[NATIONAL] for part in parts for each in (part.own, part.context)]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: is not a model of columns: {type(error).__name__}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path.name}: is not a model of columns")
    return ColumnModel(*parts)


@cache
def shipped() -> ColumnModel:
    """The shipped model."""
    return load(resources.path("rules", "column_model.json"))
