"""Parts to evidence: folds an item's chunks, whatever their order, into tables and texts.

`Detector` lives as long as a worker; `ItemFold` as long as an item. Memory is bounded by the number of
columns, not by rows.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scanner import resources, sketch
from scanner.config import Settings
from scanner.detect import reversal
from scanner.detect.beside import Beside
from scanner.detect.cells import Rows
from scanner.detect.columns import ColumnFold, Toolbox
from scanner.detect.hashing import ColumnHasher, Hashes
from scanner.detect.judge import FIRM, GENERAL_IDS, REPORTED, Meaning, weights, with_neighbours
from scanner.detect.masking import mask, safe_name
from scanner.detect.personkeys import PersonKeyer, identifier_of, normal
from scanner.detect.persons import PersonFold, TableColumn, text_persons
from scanner.detect.tally import Found, Tally
from scanner.keys import derive
from scanner.model import (
    Column,
    Distinct,
    Evidence,
    Form,
    Gap,
    Kind,
    PeopleKeys,
    Probe,
    Reason,
    Stage,
    Table,
    Text,
)
from scanner.undoing import PROBED

#: Rows gathered before a table's columns are judged for the first time.
_FIRST_ROWS = 4_096

# What tells people apart, strongest first; a national identifier stands where None does.
_PEOPLE_KEYS = (
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    None,
    "IDENTIFIER",
    "USERNAME",
    "IBAN_CODE",
    "CREDIT_CARD",
    "VEHICLE_IDENTIFICATION_NUMBER",
    "PERSON",
    "STREET_ADDRESS",
    "IP_ADDRESS",
)
_KEY_COVERAGE = 0.5
_KEY_CONFIDENCE = 0.6
_NUMBER = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?\s*")


class Detector:
    """Turns parts into evidence.

    Args:
        settings: phone regions, model, samples and row numbers to keep.
        key: random bytes of this scan, shared by its workers, so that counts can be united.
        people_key: the installation's secret for people's keys, which then makes ``key`` too: what a ledger
            keeps of digests can be compared from scan to scan. None where no ledger asks for it.
    """

    def __init__(self, settings: Settings, key: bytes, people_key: bytes | None = None) -> None:
        keyer = PersonKeyer(people_key, settings.regions) if people_key else None
        hashing = derive(people_key, "values of columns") if people_key else key
        self.tools = Toolbox(settings, ColumnHasher(hashing), keyer)
        self.categories = resources.entity_categories()

    def category(self, concept: str, entity_type: str) -> str:
        """The data category of a concept, or of its type; empty for what is never personal by itself.

        A type that the rules do not list is personal all the same: what an own recognizer finds is judged.
        """
        for key in (concept, entity_type):
            if key in self.categories:
                return self.categories[key] or ""
        return "user"

    def item(self) -> ItemFold:
        """A fold for one item."""
        return ItemFold(self)


class ItemFold:
    """The tables and texts of one item, as their chunks come in."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._tables: dict[str, TableFold] = {}
        self._texts: dict[str, TextFold] = {}

    def add_table(
        self,
        name: str,
        batch: pa.RecordBatch,
        *,
        rows: int | None = None,
        row_ids: pa.Int64Array | None = None,
        hidden: bool = False,
        hidden_columns: frozenset[int] = frozenset(),
        headed: bool = True,
    ) -> None:
        """Fold in some rows of a table; see `scanner.readers.base.TableChunk` for the meaning of each."""
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = TableFold(name, self._detector, headed=headed)
        table.add(batch, batch.num_rows if rows is None else rows, row_ids, hidden, hidden_columns)

    def add_text(self, name: str, text: str, hidden: bool = False) -> None:
        """Fold in a piece of a text part."""
        if name not in self._texts:
            self._texts[name] = TextFold(name, self._detector, hidden)
        self._texts[name].add(text)

    @property
    def empty(self) -> bool:
        """True while nothing was added."""
        return not self._tables and not self._texts

    def finish(self) -> tuple[tuple[Table, ...], tuple[Text, ...], tuple[Gap, ...]]:
        """The parts with their evidence, in the order of their first chunks, and what was not looked at."""
        tables = reversal.resolve_tables([table.finish() for table in self._tables.values()])
        texts = tuple(text.finish() for text in self._texts.values())
        return tables, texts, _engine_gaps(self._detector.tools.settings)


def _engine_gaps(settings: Settings) -> tuple[Gap, ...]:
    import sys

    presidio = sys.modules.get("scanner.detect.presidio")
    if presidio is None or not presidio.engine.cache_info().currsize:
        return ()
    return tuple(presidio.engine(settings).gaps())


class TableFold:
    """One table."""

    def __init__(self, name: str, detector: Detector, *, headed: bool) -> None:
        self._name = name
        self._detector = detector
        self._headed = headed
        self._columns: dict[tuple[str, int], ColumnFold] = {}
        self._hidden_columns: set[tuple[str, int]] = set()
        self._hidden = False
        self._rows = 0
        self._waiting: list[tuple[pa.RecordBatch, list[tuple[str, int]], Rows]] = []
        self._waiting_rows = 0
        self._started = False
        self._pairs = PairKeys(detector.tools)
        keyer = detector.tools.keyer
        self._persons = PersonFold(keyer, name) if keyer is not None else None
        self._beside = Beside()

    def add(
        self,
        batch: pa.RecordBatch,
        rows: int,
        row_ids: pa.Int64Array | None,
        hidden: bool,
        hidden_columns: frozenset[int],
    ) -> None:
        """Fold in a chunk."""
        keys = self._keys(batch, hidden_columns)
        self._hidden = self._hidden or hidden
        if row_ids is not None:
            numbers = np.asarray(row_ids.to_numpy(zero_copy_only=False), dtype=np.int64)
        else:
            numbers = np.arange(self._rows + 1, self._rows + 1 + batch.num_rows, dtype=np.int64)
        self._rows += rows
        if self._started:
            self._fold(batch, keys, numbers)
            return
        self._waiting.append((batch, keys, numbers))
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= _FIRST_ROWS:
            self._start()

    def _start(self) -> None:
        self._started = True
        for batch, keys, numbers in _together(self._waiting):
            self._fold(batch, keys, numbers)
        self._waiting = []

    def _keys(self, batch: pa.RecordBatch, hidden_columns: frozenset[int]) -> list[tuple[str, int]]:
        seen: Counter[str] = Counter()
        keys = []
        for index, name in enumerate(batch.schema.names):
            key = (name, seen[name])
            seen[name] += 1
            keys.append(key)
            if key not in self._columns:
                self._columns[key] = ColumnFold(
                    name if self._headed else "", self._name, self._detector.tools
                )
            if index in hidden_columns:
                self._hidden_columns.add(key)
        return keys

    def _fold(self, batch: pa.RecordBatch, keys: list[tuple[str, int]], numbers: Rows) -> None:
        for key, array in zip(keys, batch.columns, strict=True):
            self._columns[key].add(array, numbers)
        self._pairs.add(batch, [self._columns[key] for key in keys])
        if self._persons is not None:
            self._add_persons(self._persons, batch, keys, numbers)

    def _add_persons(
        self, persons: PersonFold, batch: pa.RecordBatch, keys: list[tuple[str, int]], numbers: Rows
    ) -> None:
        """Who the rows are about; columns are weighed beside the others, as at the end."""
        folds = [self._columns[key] for key in keys]
        meanings = with_neighbours([fold.meanings for fold in folds])
        columns = [
            TableColumn(key, found, fold.hits, fold.prose)
            for key, fold, found in zip(keys, folds, meanings, strict=True)
        ]
        detector = self._detector
        mains = [column.meaning for column in columns]
        categories = [detector.category(each.concept, each.entity_type) if each else "" for each in mains]
        named = [found for fold in folds for found in fold.finds.items()]

        def add() -> None:
            persons.add(batch, columns, numbers, categories)
            for entity_type, values in named:
                found = keys_of_mentions(detector, entity_type, values)
                if found is not None:
                    persons.add_loose(*found)

        self._beside.run(add)

    def finish(self) -> Table:
        """The table with its evidence."""
        self._start()
        folds = list(self._columns.items())
        meanings = with_neighbours([fold.judged() for _, fold in folds])
        columns = tuple(
            self._column(index, key, fold, found)
            for index, ((key, fold), found) in enumerate(zip(folds, meanings, strict=True))
        )
        probes = tuple(
            probe
            for column, (_, fold) in zip(columns, folds, strict=True)
            for probe in self._probes(column, fold)
        )
        people = self._people(columns)
        if self._persons is None:
            return Table(self._name, self._rows, columns, self._hidden, people, probes=probes)
        self._beside.wait()
        persons, nameless = self._persons.finish(columns, [key for key, _ in folds])
        return Table(self._name, self._rows, columns, self._hidden, people, persons, nameless, probes)

    def _probes(self, column: Column, fold: ColumnFold) -> tuple[Probe, ...]:
        """Digests of some values, to know them again in a hashed column."""
        main = column.entities[0] if column.entities and column.kind is Kind.ENTITY else None
        if main is None or main.form is not Form.CLEAR or not main.category or main.confidence < FIRM:
            return ()
        # Those with the smallest hashes: under one key, deliveries of the same people give the same probes.
        sample = fold.tally().sample
        values = [sample[key] for key in heapq.nsmallest(PROBED, sample)]
        return reversal.probes(values, column.name, self._detector.tools.hasher)

    def _column(
        self, index: int, key: tuple[str, int], fold: ColumnFold, meanings: tuple[Meaning, ...]
    ) -> Column:
        tally = fold.tally()
        entities = tuple(
            replace(entity, category=self._detector.category(concept, entity.entity_type))
            for entity, concept in _evidence(tally, fold, meanings)
        )
        kind = Kind.NONE
        if fold.prose and entities:
            kind = Kind.FREE_TEXT
        elif entities:
            kind = Kind.ENTITY
        return Column(safe_name(key[0]), index, tally.values, kind, entities, key in self._hidden_columns)

    def _people(self, columns: Sequence[Column]) -> PeopleKeys | None:
        """The strongest identifier that at least half of the rows have, else the one that most have."""
        options: list[tuple[int, Evidence]] = []
        for column in columns:
            if column.kind is Kind.FREE_TEXT:
                continue
            for evidence in column.entities:
                rank = _key_rank(evidence.entity_type)
                if rank is not None and evidence.confidence >= _KEY_CONFIDENCE:
                    options.append((rank, evidence))
        covering = [option for option in options if option[1].rows >= _KEY_COVERAGE * self._rows]
        pair = self._pairs.result()
        names_only = all(
            option[1].entity_type in {"PERSON", "STREET_ADDRESS", "IP_ADDRESS"} for option in covering
        )
        if pair is not None and names_only:
            return PeopleKeys("PERSON", pair, self._rows)
        if covering:
            best = min(covering, key=lambda option: (option[0], -option[1].rows))[1]
        elif options:
            best = max(options, key=lambda option: option[1].rows)[1]
        else:
            return None
        return PeopleKeys(best.entity_type, best.distinct, best.rows)


def _key_rank(entity_type: str) -> int | None:
    if entity_type in _PEOPLE_KEYS:
        return _PEOPLE_KEYS.index(entity_type)
    general = entity_type in weights().types and entity_type not in GENERAL_IDS
    return None if general else _PEOPLE_KEYS.index(None)


def keys_of_mentions(
    detector: Detector, entity_type: str, values: Sequence[str]
) -> tuple[str, Hashes] | None:
    """The kind of identifier and the keys of what running text names; None where that tells nobody apart."""
    keyer = detector.tools.keyer
    identifier = identifier_of(entity_type, detector.category(entity_type, entity_type))
    if keyer is None or identifier is None or identifier.startswith("account") or not values:
        return None
    found = normal(identifier, pa.array(values, pa.large_string()), keyer.regions).drop_null()
    return identifier, keyer.keys(identifier, found)


class PairKeys:
    """People told apart by given and family name together, where these are columns of their own."""

    def __init__(self, tools: Toolbox) -> None:
        self._tools = tools
        self._parts: list[Hashes] = []
        self._distinct = sketch.EMPTY

    def add(self, batch: pa.RecordBatch, columns: Sequence[ColumnFold]) -> None:
        """Fold in a chunk whose columns were judged."""
        first = _position(columns, "PERSON.first")
        last = _position(columns, "PERSON.last")
        if first is None or last is None or _position(columns, "EMAIL_ADDRESS") is not None:
            return
        given, family = (
            self._tools.hasher.hash(pc.fill_null(batch.column(index), "")) for index in (first, last)
        )
        self._parts.append(given * np.uint64(0x9E3779B97F4A7C15) + family)
        if sum(map(len, self._parts)) > 2 * sketch.CAPACITY:
            self._fold()

    def _fold(self) -> None:
        if self._parts:
            self._distinct = self._distinct | sketch.of(np.concatenate(self._parts))
            self._parts = []

    def result(self) -> Distinct | None:
        """The distinct pairs, None where the table has no such columns."""
        self._fold()
        return self._distinct if self._distinct.kept else None


def _position(columns: Sequence[ColumnFold], concept: str) -> int | None:
    for index, column in enumerate(columns):
        if (
            column.meanings
            and column.meanings[0].concept == concept
            and column.meanings[0].confidence >= FIRM
        ):
            return index
    return None


def _together(
    chunks: list[tuple[pa.RecordBatch, list[tuple[str, int]], Rows]],
) -> Iterator[tuple[pa.RecordBatch, list[tuple[str, int]], Rows]]:
    """Chunks of the same columns as one, so that a table that comes row by row is judged on many rows."""
    groups: dict[tuple[tuple[str, int], ...], list[tuple[pa.RecordBatch, Rows]]] = defaultdict(list)
    for batch, keys, numbers in chunks:
        groups[tuple(keys)].append((batch, numbers))
    for group, members in groups.items():
        keys = list(group)
        if len(members) == 1:
            yield members[0][0], keys, members[0][1]
            continue
        arrays = [
            pa.concat_arrays([batch.column(index).cast(pa.large_string()) for batch, _ in members])
            for index in range(len(keys))
        ]
        joined = pa.RecordBatch.from_arrays(arrays, names=[f"{name}#{nth}" for name, nth in keys])
        yield joined, keys, np.concatenate([numbers for _, numbers in members])


def _evidence(tally: Tally, fold: ColumnFold, meanings: tuple[Meaning, ...]) -> list[tuple[Evidence, str]]:
    """The entities of a column with their concepts, its main meaning first."""
    main = next((each for each in meanings if not each.stray), None)
    found: list[tuple[Evidence, str]] = []
    if main is not None and not fold.prose and main.confidence >= REPORTED:
        counted = tally.found.get(main.entity_type)
        if counted is not None and counted.rows:
            signals = main.signals
            if main.form is Form.HASHED:
                undone = reversal.few_values(main.entity_type, tally.sample.values())
                signals = (undone, *signals) if undone else signals
            entity = _entity(main.entity_type, counted, main.confidence, signals, fold, main.form)
            found.append((entity, main.concept))
    named = {evidence.entity_type for evidence, _ in found}
    others = []
    for entity_type, counted in tally.found.items():
        weighed = _weigh_other(entity_type, counted, tally, fold, meanings)
        if entity_type in named or not counted.rows or weighed is None or weighed[0] < REPORTED:
            continue
        if entity_type == "URL" and "EMAIL_ADDRESS" in tally.found:
            continue  # the host of an address of mail
        others.append((_entity(entity_type, counted, *weighed, fold), entity_type))
    others.sort(key=lambda each: (-each[0].rows * each[0].confidence, each[0].entity_type))
    return found + others


#: Types whose cells were counted by what they look like where the column was weighed for them. If it turned
#: out to be something else, many prove nothing: fractions look like telephone numbers and coordinates.
#: Secrets are counted likewise and stay: what may be a key is better reported once too often.
_WEIGHED_BY_COLUMN = frozenset({"PHONE_NUMBER", "GEO_COORDINATE"})


def _weigh_other(
    entity_type: str, counted: Found, tally: Tally, fold: ColumnFold, meanings: tuple[Meaning, ...]
) -> tuple[float, tuple[str, ...]] | None:
    """Confidence and signals of what is in a column without being its meaning; None: not to be reported."""
    if fold.prose:
        return _prose_confidence(entity_type, counted, fold, tally.values), ("text:presidio",)
    stray = next((each for each in meanings if each.stray and each.entity_type == entity_type), None)
    if stray is not None:
        return stray.confidence, stray.signals
    if entity_type in _WEIGHED_BY_COLUMN and any(each.entity_type == entity_type for each in fold.meanings):
        return None
    if entity_type in weights().single:
        return _single_confidence(entity_type, counted, tally), (f"pattern:{entity_type}",)
    return None


def _entity(
    entity_type: str,
    counted: Found,
    confidence: float,
    signals: Iterable[str],
    fold: ColumnFold,
    form: Form = Form.CLEAR,
) -> Evidence:
    late = fold.late.get(entity_type)
    return Evidence(
        entity_type=entity_type,
        category="",
        form=form,
        rows=counted.rows,
        mentions=counted.mentions,
        distinct=counted.distinct,
        confidence=round(confidence, 3),
        signals=(*signals, *((f"late:counted from row {late}",) if late else ())),
        samples=tuple(sample for _, sample in counted.samples),
        row_numbers=counted.row_numbers,
    )


def _single_confidence(entity_type: str, counted: Found, tally: Tally) -> float:
    """Likelihood that matches in a column of something else are real: more distinct ones, more likely.

    Where a check lets random digits pass now and then, that many matches prove nothing.
    """
    precision = weights().single[entity_type]
    chance = weights().chance.get(entity_type, 0.0)
    numbers = [value for value in tally.sample.values() if _NUMBER.fullmatch(value)]
    # A tenth of all long numbers pass a check digit; in a column of numbers that proves nothing.
    if chance and counted.rows < tally.values * (0.5 if len(numbers) * 2 > len(tally.sample) else 3 * chance):
        return 0.1 if numbers or counted.rows > 0.3 * chance * tally.values else min(0.5, precision)
    return min(0.99, 1 - (1 - precision) ** min(counted.distinct.count, 3))


def _prose_confidence(entity_type: str, counted: Found, fold: ColumnFold, values: int) -> float:
    scores = fold.scores[entity_type]
    mean = sum(scores) / len(scores) if scores else 0.5
    several = 1 - (1 - min(mean, 0.9)) ** min(counted.distinct.count, 2)
    # A model that reads names makes a mistake now and then; a few finds in many texts may be just that.
    rare = (
        entity_type in {"PERSON", "LOCATION", "CITY", "REGION", "COUNTRY", "ORGANIZATION"}
        and counted.rows < 0.01 * values
    )
    return min(mean, 0.6) if rare else min(0.98, several)


class TextFold:
    """One text part."""

    def __init__(self, name: str, detector: Detector, hidden: bool) -> None:
        self._name = name
        self._detector = detector
        self._hidden = hidden
        self._characters = 0
        self._mentions: Counter[str] = Counter()
        self._distinct: dict[str, Distinct] = defaultdict(Distinct)
        self._samples: dict[str, dict[int, str]] = defaultdict(dict)
        self._scores: dict[str, list[float]] = defaultdict(list)
        self._spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._persons: dict[str, list[Hashes]] = defaultdict(list)
        self._person_types: dict[str, str] = {}

    def add(self, text: str) -> None:
        """Fold in a piece."""
        from scanner.detect import presidio

        settings = self._detector.tools.settings
        by_type: dict[str, set[str]] = defaultdict(set)
        for match in presidio.engine(settings).analyze([text])[0] if text.strip() else ():
            by_type[match.entity_type].add(" ".join(text[match.start : match.end].split()))
            self._mentions[match.entity_type] += 1
            self._scores[match.entity_type].append(match.score)
            if len(self._spans[match.entity_type]) < settings.locate:
                self._spans[match.entity_type].append(
                    (self._characters + match.start, self._characters + match.end)
                )
        for entity_type, values in by_type.items():
            self._count(entity_type, sorted(values), settings.samples)
        self._characters += len(text)

    def _count(self, entity_type: str, values: list[str], samples: int) -> None:
        hashes = self._detector.tools.hasher.hash(pa.array(values, pa.large_string()))
        self._distinct[entity_type] |= sketch.of(hashes)
        found = keys_of_mentions(self._detector, entity_type, values)
        if found is not None:
            self._persons[found[0]].append(found[1])
            self._person_types[found[0]] = entity_type
        kept = self._samples[entity_type]
        kept.update((int(key), mask(value, entity_type)) for key, value in zip(hashes, values, strict=True))
        self._samples[entity_type] = dict(sorted(kept.items())[:samples])

    def finish(self) -> Text:
        """The text with its evidence, most mentions first."""
        entities = []
        for entity_type, mentions in self._mentions.items():
            scores = self._scores[entity_type]
            mean = sum(scores) / len(scores)
            confidence = min(0.98, 1 - (1 - min(mean, 0.9)) ** min(self._distinct[entity_type].count, 2))
            if confidence >= REPORTED:
                entities.append(self._entity(entity_type, mentions, confidence))
        entities.sort(key=lambda entity: (-entity.mentions, entity.entity_type))
        persons = text_persons(self._persons, self._person_types, entities)
        return Text(self._name, self._characters, tuple(entities), self._hidden, persons)

    def _entity(self, entity_type: str, mentions: int, confidence: float) -> Evidence:
        return Evidence(
            entity_type=entity_type,
            category=self._detector.category(entity_type, entity_type),
            form=Form.CLEAR,
            rows=mentions,
            mentions=mentions,
            distinct=self._distinct[entity_type],
            confidence=round(confidence, 3),
            signals=("text:presidio",),
            samples=tuple(self._samples[entity_type].values()),
            spans=tuple(self._spans[entity_type]),
        )


def internal_gap(error: BaseException, where: str | None) -> Gap:
    """Our own failure on some part, told by its type alone: its text may quote the data."""
    return Gap(Stage.DETECT, Reason.INTERNAL, f"detection failed with {type(error).__name__}", where)
