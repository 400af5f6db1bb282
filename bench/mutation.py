"""What each recognizer, file of headings and lexicon is worth: switched off, what is lost is counted.

    python -m bench.mutation [--generated 300] [--only NAME ...]

Columns: the sampled real tables and the made-up ones, judged in this process by the shipped model. An answer
whose rows only a recognizer counts (an address of mail, an IBAN) is one only while a recognizer finds some.
Sentences: one with a made-up value and a word of its recognizer's context, for each layout of value that
`bench.identifiers` and `bench.tables` can make; its examples in the rules where they can make none. Lost is
what was right and is no more; a mutation that loses nothing has `-` in the last column, and is either not
needed or not measured.

Only columns that a mutation can touch are judged again. Needs ``$SHAREWATCH_REAL_DATA``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bench import accuracy, common, identifiers, samples, tables, verdicts
from bench.samples import SampledTable
from scanner import resources
from scanner.config import Settings
from scanner.detect import headers, judge, lexicon, presidio, sample, specs, weighing
from scanner.detect.columns import _KERNEL_COUNTED as COUNTED
from scanner.detect.judge import heading_of
from scanner.detect.remembered import Remembered

GENERATED = 300
_SHOWN = 0.5
_LOOKED_AT = 160
_SENTENCES = 8
_SETTINGS = Settings()


@dataclass(frozen=True)
class Mutation:
    """Something that can be switched off.

    Attributes:
        kind: ``recognizer``, ``headings`` or ``lexicon``.
        name: of the recognizer, file or list.
        off: a context in which it is.
        touches: whether it can change what is said of a column.
    """

    kind: str
    name: str
    off: Callable[[], AbstractContextManager[None]]
    touches: Callable[[Place], bool]


@dataclass(frozen=True)
class Place:
    """A column among all: its table's name, the column as seen, and the lexicons that know a word of it."""

    table: str
    seen: verdicts.Seen
    lists: int


@dataclass
class Loss:
    """What one mutation costs.

    Attributes:
        touched: columns judged again.
        columns: of these, right before and wrong after.
        gained: wrong before and right after.
        weighted: weighted F1 over all columns after it.
        sentences: sentences in which the type was found before, and is no more.
    """

    touched: int = 0
    columns: int = 0
    gained: int = 0
    weighted: float = 0.0
    sentences: int = 0

    @property
    def falls(self) -> bool:
        """Whether accuracy falls anywhere."""
        return self.columns > self.gained or self.sentences > 0


class Columns:
    """All columns, with what is said of them before any mutation."""

    def __init__(self, known: Sequence[SampledTable], seen: list[list[verdicts.Seen]]) -> None:
        self.tables = known
        self.seen = seen
        self.lists = [[_lists_of(column.values) for column in table.columns] for table in known]
        self.model = weighing.shipped()
        self.before = [self.say(index, table) for index, table in enumerate(self.seen)]
        self.weighted = self._weighted(self.before)

    def say(self, index: int, seen: Sequence[verdicts.Seen]) -> list[accuracy.Answer]:
        """What is said of a table's columns."""
        said = verdicts.answers(seen, self.model)
        return [self._counted(each, answer) for each, answer in zip(seen, said, strict=True)]

    @staticmethod
    def _counted(seen: verdicts.Seen, answer: accuracy.Answer) -> accuracy.Answer:
        if answer.entity_type not in COUNTED:
            return answer
        found = any(presidio.engine(_SETTINGS).judge(answer.entity_type, seen.column.values[:5]))
        clear = any(w.rule.entity_type == answer.entity_type and w.form == "clear" for w in seen.weighable)
        return answer if found or not clear else accuracy.NONE

    def without(self, mutation: Mutation) -> Loss:
        """What a mutation costs in columns."""
        loss = Loss()
        after = list(self.before)
        with mutation.off():
            for index, table in enumerate(self.tables):
                seen = list(self.seen[index])
                places = [
                    Place(table.name, each, lists)
                    for each, lists in zip(seen, self.lists[index], strict=True)
                ]
                touched = [at for at, place in enumerate(places) if mutation.touches(place)]
                for at in touched:
                    seen[at] = verdicts.see(table.columns[at], table.name, _SETTINGS)
                if touched:
                    loss.touched += len(touched)
                    after[index] = self.say(index, seen)
        for before, now in zip(self._rights(self.before), self._rights(after), strict=True):
            loss.columns += before and not now
            loss.gained += now and not before
        loss.weighted = self._weighted(after)
        return loss

    def _rights(self, said: Sequence[Sequence[accuracy.Answer]]) -> list[bool]:
        """Whether each answer is right, by its very type where the label has one."""
        pairs = verdicts.pairs_of(self.seen, said, _SHOWN)
        labels = [each.column.label for table in self.seen for each in table]
        labels = [label for label in labels if label.category is not None]
        return [
            accuracy.judge(truth, answer) in ("right", "also")
            and (
                label.entity_type in (None, "NONE", answer.entity_type)
                or answer.label != truth.category
                or truth.category == "NONE"
            )
            for (truth, answer), label in zip(pairs, labels, strict=True)
        ]

    def _weighted(self, said: Sequence[Sequence[accuracy.Answer]]) -> float:
        return accuracy.weighted_f1(accuracy.scores(verdicts.pairs_of(self.seen, said, _SHOWN)))


def _lists_of(values: Sequence[str]) -> int:
    """The lexicons that hold any word or value, as bits."""
    if not values:
        return 0
    look = sample.Sample(values[:_LOOKED_AT])
    found = lexicon.memberships([*look.words, *look.folded])
    return int(np.bitwise_or.reduce(found)) if len(found) else 0


# --- mutations ------------------------------------------------------------------------------------------


@contextmanager
def _fresh_samples() -> Iterator[None]:
    """Samples remember what the lexicons said."""
    sample._shared.cache_clear()
    try:
        yield
    finally:
        sample._shared.cache_clear()


@contextmanager
def without_lexicon(name: str) -> Iterator[None]:
    """No list holds what this one alone holds."""
    hashes, lists = lexicon._members()
    kept = (hashes, lists & np.uint16(~lexicon.bit(name) & 0xFFFF))
    with _fresh_samples(), mock.patch.object(lexicon, "_members", return_value=kept):
        yield


@contextmanager
def without_headings(language: str) -> Iterator[None]:
    """The vocabulary of all languages but one."""
    with tempfile.TemporaryDirectory(prefix="sharewatch-bench-") as folder:
        for file in resources.path("rules", "headers").glob("*.yaml"):
            if file.stem != language:
                Path(folder, file.name).symlink_to(file)
        words = headers.HeaderVocabulary(Path(folder))
    with mock.patch.object(judge, "vocabulary", return_value=words):
        yield


@contextmanager
def without_recognizer(name: str) -> Iterator[None]:
    """The recognizer finds nothing, in cells and in texts."""
    engine = presidio.engine(_SETTINGS)
    left = {
        entity_type: tuple(spec for spec in found if spec.name != name)
        for entity_type, found in specs.by_entity().items()
    }
    with (
        mock.patch.object(engine._by_name[name], "analyze", return_value=[]),
        mock.patch.object(engine, "_matches", Remembered(0, 0)),  # what it found before does not count
        mock.patch.object(specs, "by_entity", return_value=left),
    ):
        yield


def _asks(spec: specs.RecognizerSpec, place: Place) -> bool:
    kinds = {
        weighed.rule.entity_type
        for weighed in place.seen.weighable
        if weighed.rule.test in ("recognizer", "street") or weighed.rule.entity_type in COUNTED
    }
    return spec.entity_type in kinds


def _knows(bit: int, place: Place) -> bool:
    return bool(place.lists & bit)


def _reads_otherwise(place: Place) -> bool:
    return heading_of(place.seen.column.name, place.table) != place.seen.heading


def mutations() -> Iterator[Mutation]:
    """All of them."""
    for spec in specs.specs():
        yield Mutation("recognizer", spec.name, partial(without_recognizer, spec.name), partial(_asks, spec))
    for file in sorted(resources.path("rules", "headers").glob("*.yaml")):
        yield Mutation("headings", file.stem, partial(without_headings, file.stem), _reads_otherwise)
    for name in lexicon.NAMES:
        known = partial(_knows, lexicon.bit(name))
        yield Mutation("lexicon", name, partial(without_lexicon, name), known)


# --- sentences ------------------------------------------------------------------------------------------

_MAKERS = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "STREET_ADDRESS": "street", "IBAN_CODE": "iban",
           "CREDIT_CARD": "card", "IP_ADDRESS": "ip", "MAC_ADDRESS": "mac", "URL": "url", "IMEI": "imei",
           "VEHICLE_IDENTIFICATION_NUMBER": "vin", "LICENSE_PLATE": "plate", "DATE_OF_BIRTH": "birth",
           "BANK_ACCOUNT": "account"}  # fmt: skip


@cache
def sentences(name: str) -> tuple[str, ...]:
    """Sentences that a recognizer should find something in."""
    spec = next(each for each in specs.specs() if each.name == name)
    words = spec.context or ("number",)
    if spec.entity_type in identifiers.LAYOUTS:
        values = identifiers.pool(spec.entity_type)[:_SENTENCES]
    elif name in identifiers.PLATES:
        values = identifiers.plates(name, _SENTENCES)
    elif spec.entity_type in _MAKERS:
        world = tables.World(tables.SEED)
        world.kind = 4
        values = tuple(tables.PEOPLE[_MAKERS[spec.entity_type]].make(world) for _ in range(_SENTENCES))
    else:
        return tuple(f"as agreed, {text}, see above" for text in spec.match)
    made = [
        f"as agreed, the {words[at % len(words)]} is {value}, see above" for at, value in enumerate(values)
    ]
    return (*made, *(f"as agreed, {text}, see above" for text in spec.match))


def found_in(name: str) -> list[bool]:
    """In which of its sentences the type of a recognizer is found."""
    spec = next(each for each in specs.specs() if each.name == name)
    matches = presidio.engine(_SETTINGS).analyze(sentences(name))
    return [any(match.entity_type == spec.entity_type for match in each) for each in matches]


def lost_sentences(mutation: Mutation) -> int:
    """Sentences of a recognizer in which its type is found only by itself."""
    if mutation.kind != "recognizer":
        return 0
    before = found_in(mutation.name)
    with mutation.off():
        after = found_in(mutation.name)
    return sum(was and not still for was, still in zip(before, after, strict=True))


def run(columns: Columns, chosen: Sequence[Mutation]) -> list[tuple[Mutation, Loss]]:
    """Try every mutation."""
    found = []
    for mutation in chosen:
        loss = columns.without(mutation)
        loss.sentences = lost_sentences(mutation)
        found.append((mutation, loss))
        print(f"{mutation.kind} {mutation.name}: {loss.columns} columns", file=sys.stderr)
    return found


def rows_of(found: Sequence[tuple[Mutation, Loss]], weighted: float) -> list[list[Any]]:
    """The table, costliest first within each kind."""
    kinds = ("recognizer", "headings", "lexicon")
    ordered = sorted(
        found,
        key=lambda each: (kinds.index(each[0].kind), each[1].weighted, -each[1].sentences, each[0].name),
    )
    return [
        [
            f"{mutation.kind} {mutation.name}", loss.touched, loss.columns, loss.gained,
            f"{loss.weighted - weighted:+.4f}", loss.sentences, "falls" if loss.falls else "-",
        ]
        for mutation, loss in ordered
    ]  # fmt: skip


def main() -> int:
    """Switch off one after the other, print, save; 2 where the real data is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generated", type=int, default=GENERATED, help="made-up tables")
    parser.add_argument("--only", nargs="*", help="names of recognizers, heading files or lexicons")
    options = parser.parse_args()
    if (folder := accuracy.labelled_folder()) is None:
        return 2
    known = samples.real(folder) + tables.generated()
    count = len(known) - tables.TABLES + options.generated
    columns = Columns(known[:count], verdicts.see_all(known)[:count])
    chosen = [each for each in mutations() if not options.only or each.name in options.only]
    found = run(columns, chosen)
    rows = rows_of(found, columns.weighted)
    heads = ["switched off", "touched", "lost", "gained", "weighted F1", "sentences", ""]
    print(f"weighted F1 before: {columns.weighted:.4f}")
    print(common.table(heads, rows))
    still = [row[0] for row in rows if row[-1] == "-"]
    print(f"fall: {len(rows) - len(still)} of {len(rows)}")
    print("do not fall:", ", ".join(still) or "none")
    result = {"weighted_f1": columns.weighted, "heads": heads, "rows": rows}
    print(f"saved: {common.save('mutation', result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
