"""The trained model of columns (``rules/column_model.json``): features to a logit, and what counted for it.

Two logistic regressions. The first sees a column by itself; the second takes the first's logit and what
stands in the other columns, and so calibrates it. Each type has its weights; types that are not in the file
share one row. ``bench/train_columns.py`` makes the file, whose head says from what.
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
#: A contribution below it is not worth telling.
_TOLD = 0.4
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class ColumnModel:
    """Weights by type and feature.

    Attributes:
        own: of the column by itself.
        context: of the logit of the first and of the other columns.
    """

    own: Mapping[str, Mapping[str, float]]
    context: Mapping[str, Mapping[str, float]]

    def weigh(self, entity_type: str, features: Mapping[str, float]) -> float:
        """The logit of a type for a column by itself."""
        return _sum(self._row(self.own, entity_type), features)

    def weigh_beside(self, entity_type: str, logit: float, context: Mapping[str, float]) -> float:
        """The logit of a type for a column among others, from its logit by itself."""
        return _sum(self._row(self.context, entity_type), {**context, LOGIT: logit})

    def told(self, entity_type: str, features: Mapping[str, float], shown: frozenset[str]) -> tuple[str, ...]:
        """The features out of ``shown`` that count most, strongest first: ``+plural heading``."""
        row = self._row(self.own, entity_type)
        counted = [(row.get(name, 0.0) * features[name], name) for name in features if name in shown]
        counted = [each for each in counted if abs(each[0]) >= _TOLD]
        counted.sort(key=lambda each: (-abs(each[0]), each[1]))
        return tuple(f"{'+' if weight > 0 else '-'}{name}" for weight, name in counted[:_MOST_TOLD])

    @staticmethod
    def _row(table: Mapping[str, Mapping[str, float]], entity_type: str) -> Mapping[str, float]:
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
        model = ColumnModel(data["own"], data["context"])
        rows = [model.own[NATIONAL], model.context[NATIONAL]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name}: is not a model of columns: {type(error).__name__}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path.name}: is not a model of columns")
    return model


@cache
def shipped() -> ColumnModel:
    """The shipped model."""
    return load(resources.path("rules", "column_model.json"))
