"""Train the model of columns: ``rules/column_model.json``, from made-up and real labelled tables.

    python -m bench.train_columns [--dry-run] [--misses] [--generated N]

Two logistic regressions with an L2 penalty. Every type has the weights that all share and its own departure
from them, so that a type with few examples leans on the others. Columns without a heading have weights of
their own, from the same tables without their headings, of all rows and of five. What is printed is measured
on columns whose *source* (repository, public body, made-up table) the model had not seen: ten folds, never
split by row or column. The second regression is fitted on the first one's predictions of unseen columns, and
so calibrates it.

Needs scikit-learn (of the extra ``dev``) and ``$SHAREWATCH_REAL_DATA``; the same data, the same file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import accuracy, common, samples, tables, verdicts
from bench.samples import Label, SampledTable
from scanner.detect.columnrules import NATIONAL, weights
from scanner.detect.neighbours import TableMeanings
from scanner.detect.weighing import BIAS, LOGIT, NO_HEADING, NO_HEADINGS, ColumnModel, Regressions, Rows

FOLDS = 10
#: The inverse of the L2 penalty's strength, of the two regressions. Of 0.3, 1 and 3 the one with the best
#: macro F1 on unseen sources; the figures of these are therefore a little too good.
INVERSE_PENALTY = (3.0, 1.0)
#: How much easier it is for a type to depart from the shared weights than for these to depart from 0. What
#: surrounds a column means much the same for all types, and rare types have too few examples to differ.
DEPARTURE = (0.7, 0.2)
#: What a made-up column counts beside a real one.
GENERATED_WEIGHT = 0.3
#: Values in each column of the shortest tables.
_FEW = 5
_REAL, _MADE_UP = "real sources", "made-up tables"
_SHOWN = 0.5
_SMALLEST = 0.005


@dataclass
class Example:
    """One type that one column may be.

    Attributes:
        place: (table, column).
        entity_type: of the type, or ``national``.
        features: what is weighed.
        right: whether the column is of the type.
        weight: what it counts.
    """

    place: tuple[int, int]
    entity_type: str
    features: dict[str, float]
    right: bool
    weight: float


def is_right(label: Label, entity_type: str, named: frozenset[str]) -> bool | None:
    """Whether a column is of a type; None where its label does not say.

    Args:
        label: of the column.
        entity_type: to be judged.
        named: types that the heading names.
    """
    category = accuracy.label_of(entity_type)
    if label.entity_type is not None:
        if label.entity_type == entity_type:
            return True
        return None if entity_type in label.also or category in label.also else False
    if label.category is None or category in label.also:
        return None
    if category == "NONE":
        return False if label.category not in ("NONE", "other") else None
    if category != label.category:
        return False
    # The real labels do not tell cities from regions; a heading does.
    places = named & {"CITY", "REGION", "COUNTRY"}
    return None if category == "LOCATION" and places and entity_type not in places else True


def examples(seen: Sequence[Sequence[verdicts.Seen]], weight: Sequence[float]) -> list[Example]:
    """Every type that any column may be, where its label says whether it is."""
    found = []
    for at, table in enumerate(seen):
        for index, each in enumerate(table):
            named = frozenset(hint.entity_type for hint in each.heading.hints)
            for weighed in each.weighable:
                entity_type = weighed.rule.entity_type
                right = is_right(each.column.label, entity_type, named)
                if right is not None:
                    found.append(
                        Example((at, index), row_of(entity_type), dict(weighed.features), right, weight[at])
                    )
    return found


def row_of(entity_type: str) -> str:
    """The row of weights of a type."""
    return entity_type if entity_type in weights().types else NATIONAL


class Regression:
    """Shared weights and each type's departure from them."""

    def __init__(self, inverse_penalty: float, departure: float) -> None:
        self._inverse_penalty = inverse_penalty
        self._departure = departure
        self.rows: dict[str, dict[str, float]] = {}

    def fit(self, found: Sequence[Example]) -> Regression:
        """Fit to examples; the order of these does not matter."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        names = sorted({name for each in found for name in each.features} | {BIAS})
        kinds = sorted({*weights().types, NATIONAL})
        column = {name: index for index, name in enumerate(names)}
        block = {kind: (1 + index) * len(names) for index, kind in enumerate(kinds)}
        data, indices, starts = [], [], [0]
        for each in found:
            for name, value in {**each.features, BIAS: 1.0}.items():
                data += [value, value * self._departure]
                indices += [column[name], block[each.entity_type] + column[name]]
            starts.append(len(data))
        matrix = csr_matrix((data, indices, starts), shape=(len(found), (1 + len(kinds)) * len(names)))
        solver = LogisticRegression(C=self._inverse_penalty, fit_intercept=False, max_iter=3_000, tol=1e-5)
        solver.fit(matrix, [each.right for each in found], sample_weight=[each.weight for each in found])
        fitted = solver.coef_[0]
        self.rows = {
            kind: {
                name: round(
                    float(fitted[column[name]] + self._departure * fitted[block[kind] + column[name]]), 3
                )
                for name in names
            }
            for kind in kinds
        }
        self.rows = {
            kind: {name: value for name, value in row.items() if abs(value) >= _SMALLEST}
            for kind, row in self.rows.items()
        }
        return self


def folds_of(sources: Sequence[str], count: int = FOLDS) -> list[int]:
    """A fold for each table, all of a source in the same one; the largest sources are spread first."""
    sizes: dict[str, int] = {}
    for source in sources:
        sizes[source] = sizes.get(source, 0) + 1
    loads = [0] * count
    fold: dict[str, int] = {}
    for source in sorted(sizes, key=lambda name: (-sizes[name], name)):
        fold[source] = int(np.argmin(loads))
        loads[fold[source]] += sizes[source]
    return [fold[source] for source in sources]


def beside(
    seen: Sequence[Sequence[verdicts.Seen]], models: Sequence[ColumnModel], own: Sequence[Example]
) -> list[Example]:
    """The examples for the second regression: logits of unseen columns, and what surrounds them."""
    known = {(each.place, each.entity_type): each for each in own}
    found = []
    for at, table in enumerate(seen):
        first = verdicts.meanings(table, models[at])
        around = TableMeanings(first)
        for index, meanings in enumerate(first):
            for meaning in meanings:
                example = known.get(((at, index), row_of(meaning.entity_type)))
                if example is not None:
                    context = {**around.context(index, meaning), LOGIT: meaning.logit}
                    found.append(
                        Example((at, index), example.entity_type, context, example.right, example.weight)
                    )
    return found


@dataclass
class Trained:
    """The model of everything, and for each table one that has not seen its source."""

    model: ColumnModel
    unseen: list[ColumnModel]


def train(
    seen: Sequence[Sequence[verdicts.Seen]], sources: Sequence[str], weight: Sequence[float]
) -> Trained:
    """Fit, cross-validated by source."""
    fold = folds_of(sources)
    own = examples(seen, weight)
    as_it_is: Rows = {kind: {LOGIT: 1.0} for kind in (*weights().types, NATIONAL)}
    by_fold: list[ColumnModel] = []
    for number in range(FOLDS):
        part = [each for each in own if fold[each.place[0]] != number]
        by_fold.append(ColumnModel(*(Regressions(rows, as_it_is) for rows in _two(part, 0, NO_HEADING))))
    again = beside(seen, [by_fold[number] for number in fold], own)
    unseen = []
    for number, model in enumerate(by_fold):
        part = [each for each in again if fold[each.place[0]] != number]
        unseen.append(_beside(_two(part, 1, NO_HEADINGS), model.headed.own, model.bare.own))
    final = _beside(_two(again, 1, NO_HEADINGS), *_two(own, 0, NO_HEADING))
    return Trained(final, [unseen[number] for number in fold])


def _two(found: Sequence[Example], which: int, bare: str) -> tuple[Rows, Rows]:
    """The first or second regression, of columns with headings and of those without."""
    kinds = (
        [each for each in found if bare not in each.features],
        [each for each in found if bare in each.features],
    )
    headed, without = (Regression(INVERSE_PENALTY[which], DEPARTURE[which]).fit(kind).rows for kind in kinds)
    return headed, without


def _beside(contexts: tuple[Rows, Rows], *own: Rows) -> ColumnModel:
    return ColumnModel(*(Regressions(*pair) for pair in zip(own, contexts, strict=True)))


def report(
    title: str, seen: Sequence[Sequence[verdicts.Seen]], models: Iterable[ColumnModel], misses: bool
) -> dict[str, Any]:
    """Print how right the models are, each about its table."""
    said = [verdicts.answers(table, model) for table, model in zip(seen, models, strict=True)]
    pairs = verdicts.pairs_of(seen, said, _SHOWN)
    text, numbers = accuracy.show(title, pairs, by_source=False)
    print(text, end="\n\n")
    if misses:
        print(accuracy.misses(pairs), end="\n\n")
    return numbers


def save(model: ColumnModel, counts: dict[str, int], measured: dict[str, Any]) -> None:
    """Write the model with what it was trained on."""
    head = {
        "about": "Weights of the columns' features by entity type, for scanner/detect/weighing.py. "
        "Made by python -m bench.train_columns; not to be edited.",
        "trained_on": counts,
        "unseen_sources": measured,
    }
    lines = [f' "{key}": {json.dumps(value)}' for key, value in head.items()]
    for name, part in (("headed", model.headed), ("bare", model.bare)):
        inner = ",\n".join(
            f'  "{kind}": {_json(rows)}' for kind, rows in (("own", part.own), ("context", part.context))
        )
        lines.append(f' "{name}": {{\n{inner}\n }}')
    path = common.ROOT / "rules" / "column_model.json"
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"saved: {path}")


def _json(rows: Rows) -> str:
    inner = ",\n".join(
        f'   "{kind}": {json.dumps(row, sort_keys=True)}' for kind, row in sorted(rows.items())
    )
    return f"{{\n{inner}\n  }}"


def main() -> int:
    """Train, print, save; 2 where the real data is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="measure only")
    parser.add_argument("--misses", action="store_true", help="list every error on unseen real sources")
    parser.add_argument("--generated", type=int, default=tables.TABLES, help="made-up tables")
    options = parser.parse_args()
    if (folder := accuracy.labelled_folder()) is None:
        return 2
    kinds = _kinds(samples.real(folder), tables.generated(options.generated))
    known = [table for kind in kinds.values() for table in kind]
    seen = verdicts.see_all(known)
    trained = train(
        seen,
        [table.source for table in known],
        [GENERATED_WEIGHT if table.generated else 1.0 for table in known],
    )
    measured, first = {}, 0
    for title, kind in kinds.items():
        chosen = slice(first, first + len(kind))
        first += len(kind)
        misses = options.misses and title == _REAL
        measured[title] = report(f"unseen: {title}", seen[chosen], trained.unseen[chosen], misses)
    if not options.dry_run:
        real = kinds[_REAL]
        counts = {
            "real_sources": len({table.source for table in real}),
            "real_tables": len(real),
            "real_columns": _labelled(real),
            "made_up_tables": len(kinds[_MADE_UP]),
            "made_up_columns": _labelled(kinds[_MADE_UP]),
        }
        kept = ("macro_f1", "weighted_f1", "core_false_alarms_at_0.8", "calibration_error")
        figures = {
            title: {key: round(numbers[key], 4) for key in kept}
            for title, numbers in measured.items()
            if not title.startswith(_MADE_UP)
        }
        save(trained.model, counts, figures)
    return 0


def _kinds(real: list[SampledTable], made_up: list[SampledTable]) -> dict[str, list[SampledTable]]:
    """What is trained and measured on: all tables as they are, and as they would be without headings."""
    return {
        _REAL: real,
        f"{_REAL}, no headings": [samples.without_headings(table) for table in real],
        f"{_REAL}, no headings, {_FEW} values": [samples.without_headings(table, _FEW) for table in real],
        _MADE_UP: made_up,
        f"{_MADE_UP}, no headings": [samples.without_headings(table) for table in made_up],
    }


def _labelled(known: Iterable[samples.SampledTable]) -> int:
    return sum(column.label.category is not None for table in known for column in table.columns)


if __name__ == "__main__":
    sys.exit(main())
