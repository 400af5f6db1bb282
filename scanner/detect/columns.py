"""One column, chunk by chunk: first what it may be, then how often it is so, in every row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from scanner import sketch
from scanner.config import Settings
from scanner.detect import kernels, quick
from scanner.detect.cells import Cells, Mask, Rows
from scanner.detect.drift import Look, Suspicion, Watch
from scanner.detect.hashing import ColumnHasher, Hashes
from scanner.detect.judge import Meaning, is_prose, judge, settled
from scanner.detect.masking import mask
from scanner.detect.personkeys import PersonKeyer
from scanner.detect.tally import SAMPLE, SAMPLE_CHARACTERS, Found, Tally
from scanner.model import Form

#: Rows whose values all compete for the sample; of later chunks those do with which the rows have doubled.
_SAMPLED_ROWS = 16_384
#: Hashes held back before they are folded into a set; folding sorts, so it is worth saving up.
_PENDING = 2 * sketch.CAPACITY
#: A meaning this sure keeps a column of long values from being read as running text.
_SURE = 0.6
#: Values looked at where a column may have changed: its last ones.
_AGAIN = 192
#: Distinct values among them below which nothing is said of what they look like.
_LEAST_AGAIN = 64
#: Chunks from one look at whether values repeat to the next; it decides on speed alone.
_PROBE_EVERY = 4
_CLOSED_PROBE = 16
_FEW_SMALLEST = 64


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What all columns of a worker share."""

    settings: Settings
    hasher: ColumnHasher
    keyer: PersonKeyer | None = None


class FoundBuilder:
    """Adds up a `Found`, chunk by chunk."""

    def __init__(self, entity_type: str, tools: Toolbox) -> None:
        self._entity_type = entity_type
        self._tools = tools
        self._found = Found()
        self._pending: list[Hashes] = []
        self._waiting = 0

    def add(self, cells: Cells, matched: Mask, whole: bool = False) -> None:
        """Count the cells whose value is in ``matched``."""
        rows = cells.count(matched)
        if not rows:
            return
        settings = self._tools.settings
        hashes = cells.hashes[matched]
        found = Found(
            rows=rows,
            mentions=rows,
            samples=self._samples(cells, matched, hashes),
            row_numbers=cells.first_rows(matched, settings.locate),
            whole=rows if whole else 0,
        )
        self._found = self._found.merge(found, settings.samples, settings.locate)
        self._wait(hashes)

    def add_mentions(
        self, values: Sequence[str], hashes: Hashes, rows: int, mentions: int, row_numbers: Sequence[int]
    ) -> None:
        """Count what was found inside of longer texts: the distinct finds and the rows they were in."""
        settings = self._tools.settings
        order = np.argsort(hashes)[: settings.samples]
        samples = tuple((int(hashes[index]), mask(values[index], self._entity_type)) for index in order)
        self._found = self._found.merge(
            Found(rows, mentions, samples=samples, row_numbers=tuple(sorted(row_numbers)[: settings.locate])),
            settings.samples,
            settings.locate,
        )
        self._wait(hashes)

    def result(self) -> Found:
        """All that was counted."""
        self._fold()
        return self._found

    def _samples(self, cells: Cells, matched: Mask, hashes: Hashes) -> tuple[tuple[int, str], ...]:
        count = self._tools.settings.samples
        kept = self._found.samples
        places = np.arange(len(hashes))
        if len(kept) >= count:
            places = np.flatnonzero(hashes < np.uint64(kept[-1][0]))
            known = np.array([key for key, _ in kept], dtype=np.uint64)
            places = places[~np.isin(hashes[places], known)]
            if not len(places):
                return ()
        smallest = places[_smallest(hashes[places], count)]
        values = cells.take(np.flatnonzero(matched)[smallest])
        return tuple(
            (int(hashes[at]), mask(value, self._entity_type))
            for at, value in zip(smallest, values, strict=True)
        )

    def _wait(self, hashes: Hashes) -> None:
        distinct = self._found.distinct
        if not distinct.exact:
            hashes = hashes[hashes < np.uint64(distinct.theta)]
        self._pending.append(hashes)
        self._waiting += len(hashes)
        if self._waiting > _PENDING:
            self._fold()

    def _fold(self) -> None:
        if self._pending:
            more = sketch.of(np.concatenate(self._pending))
            self._found = replace(self._found, distinct=self._found.distinct | more)
            self._pending, self._waiting = [], 0


def sampled(values: pa.Array, hashes: Hashes, below: int | None) -> dict[int, str]:
    """The values with the smallest hashes by hash, at most `SAMPLE`; only hashes ``below`` one count."""
    if below is not None:
        chosen = np.flatnonzero(hashes < np.uint64(below))
        values, hashes = values.take(pa.array(chosen)), hashes[chosen]
    if len(hashes) > SAMPLE:
        smallest = _smallest(hashes, SAMPLE)
        values, hashes = values.take(pa.array(smallest)), hashes[smallest]
    return {
        key: value[:SAMPLE_CHARACTERS] for key, value in zip(hashes.tolist(), values.to_pylist(), strict=True)
    }


def _smallest(hashes: Hashes, count: int) -> Rows:
    """Where the ``count`` smallest distinct hashes stand; of repeats one."""
    few = max(_FEW_SMALLEST, 2 * count)
    chosen = np.arange(len(hashes)) if len(hashes) <= few else np.argpartition(hashes, few)[:few]
    distinct, first = np.unique(hashes[chosen], return_index=True)
    if len(distinct) < count and len(hashes) > few:
        chosen = np.arange(len(hashes))
        distinct, first = np.unique(hashes, return_index=True)
    return np.asarray(chosen[first[:count]], dtype=np.int64)


class ColumnFold:
    """Everything known of one column.

    Args:
        name: its heading as read, empty where it has none.
        table: its table's name.
        tools: settings and hasher.
    """

    def __init__(self, name: str, table: str, tools: Toolbox) -> None:
        self._name = name
        self._table = table
        self._tools = tools
        self._builders: dict[str, FoundBuilder] = {}
        self._rows = self._values = self._bytes = self._chunks = 0
        self._repeating: bool | None = None
        self._sample: dict[int, str] = {}
        self._largest: int | None = None
        self._next_sample = 0
        self._stale = False
        self._judged: list[str] = []
        self._look: Look | None = None
        self._watch: Watch | None = None
        self._current: tuple[Meaning, ...] = ()
        self._later: dict[str, Meaning] = {}
        self.meanings: tuple[Meaning, ...] = ()
        self.prose = False
        self.scores: dict[str, list[float]] = defaultdict(list)
        self.late: dict[str, int] = {}
        #: Cells of the latest chunk in which each type was found, and what was found inside of texts; for
        #: people's keys.
        self.hits: dict[str, Mask] = {}
        self.finds: dict[str, list[str]] = {}

    def add(self, array: pa.Array, row_ids: Rows) -> None:
        """Fold in the column's part of one chunk."""
        cells = Cells.of(array, row_ids, self._tools.hasher, self._repeats())
        self._chunks += 1
        if cells.filled:
            self._repeating = cells.codes is not None
        self.hits, self.finds = {}, {}
        if cells.filled:
            self._see(cells)
        self._rows += cells.rows

    def _repeats(self) -> bool | None:
        """Whether values repeat, as in the chunk before; None where it is time to look."""
        return self._repeating if self._chunks % _PROBE_EVERY else None

    def _see(self, cells: Cells) -> None:
        self._remember(cells)
        self._values += cells.filled
        self._bytes += len(cells.data)
        if self._watch is None:
            self._judge()
            self._current = self.meanings
            self._watch = Watch(cells)
        elif (suspicion := self._watch.suspects(cells, self._proven())) is not None:
            self._look_again(suspicion)
        if self.prose:
            self._read_texts(cells)
        else:
            self._run_kernels(cells)

    def tally(self) -> Tally:
        """What was counted, as a value."""
        return Tally(
            self._rows,
            self._values,
            self._bytes,
            dict(self._sample),
            {name: builder.result() for name, builder in self._builders.items()},
        )

    def judged(self) -> tuple[Meaning, ...]:
        """The meanings by all that was seen; by the heading alone for an empty column."""
        if not self._values:
            return judge(self._name, self._table, (), self._tools.settings)
        if self._stale and not self._looks_as_judged(self._values_sampled(), SAMPLE):
            self._judge()
        named = {meaning.entity_type for meaning in self.meanings}
        later = [meaning for meaning in self._later.values() if meaning.entity_type not in named]
        return settled([*self.meanings, *later]) if later else self.meanings

    @property
    def values(self) -> int:
        """Cells that are neither absent nor blank."""
        return self._values

    # -- sampling and judging --

    def _remember(self, cells: Cells) -> None:
        """Let the values of a chunk compete for the sample, in which the smallest hashes stay."""
        if self._values < self._next_sample:
            return
        if self._values >= _SAMPLED_ROWS:
            self._next_sample = 2 * self._values
        kept = sampled(cells.values, cells.hashes, self._largest)
        if not kept:
            return
        self._sample.update(kept)
        if len(self._sample) > SAMPLE:
            self._sample = dict(sorted(self._sample.items())[:SAMPLE])
        if len(self._sample) == SAMPLE:
            self._largest = max(self._sample)
        self._stale = True

    def _proven(self) -> bool:
        return bool(self._current) and self._current[0].entity_type in _KERNEL_COUNTED

    def _values_sampled(self) -> list[str]:
        return [value for _, value in sorted(self._sample.items())]

    def _judge(self) -> None:
        self._judged, self._look = self._values_sampled(), None
        self.meanings = self._verdict(self._judged, self._values)
        self._stale = False

    def _looks_as_judged(self, values: Sequence[str], least: int) -> bool:
        """Whether ``values`` would get the judgement of those judged, by all that both look like."""
        if min(len(values), len(self._judged)) < least:
            return False
        if self._look is None:
            self._look = Look.of(self._judged)
        return not self._look.numeric and self._look.is_like(Look.of(values))

    def _verdict(self, values: Sequence[str], rows: int) -> tuple[Meaning, ...]:
        """What a sample of so many rows is."""
        meanings = judge(self._name, self._table, values, self._tools.settings, rows)
        firm = bool(meanings) and meanings[0].confidence >= _SURE and not meanings[0].stray
        self.prose = self.prose or (not firm and is_prose(self._name, values))
        return meanings

    def _look_again(self, suspicion: Suspicion) -> None:
        """Judge the last rows again, unless they look as the judged ones did."""
        last = suspicion.values.slice(max(0, len(suspicion.values) - _AGAIN))
        some = sampled(last, self._tools.hasher.hash(last), None)
        values = [value for _, value in sorted(some.items())]
        as_judged = self._current is self.meanings and self._looks_as_judged(values, _LEAST_AGAIN)
        if not (suspicion.by_words_only and as_judged):
            self._judge_again(values, len(last))

    def _judge_again(self, values: Sequence[str], rows: int) -> None:
        """What the last rows are by themselves is counted from here on."""
        meanings = self._verdict(values, rows)
        known = {meaning.entity_type for meaning in self.meanings}
        for meaning in meanings:
            if meaning.entity_type not in known:
                self.late.setdefault(meaning.entity_type, self._rows + 1)
                self._later.setdefault(meaning.entity_type, meaning)
        self._current = meanings

    # -- counting --

    def _hit(self, entity_type: str, cells: Cells, matched: Mask) -> None:
        if self._tools.keyer is not None and matched.any():
            self.hits[entity_type] = cells.spread(matched)

    def _builder(self, entity_type: str) -> FoundBuilder:
        builder = self._builders.get(entity_type)
        if builder is None:
            builder = self._builders[entity_type] = FoundBuilder(entity_type, self._tools)
        return builder

    def _run_kernels(self, cells: Cells) -> None:
        done = set()
        for meaning in self._current[:3]:
            if meaning.entity_type in done or (meaning.confidence < 0.1 and not meaning.stray):
                continue
            if (
                meaning.form is Form.CLEAR
                and meaning.entity_type in kernels.by_type()
                and meaning.entity_type in _KERNEL_COUNTED
            ):
                continue  # counted by its kernel below
            done.add(meaning.entity_type)
            matched = quick.search(cells, meaning.plausible, cells.lengths <= meaning.longest)
            self._builder(meaning.entity_type).add(cells, matched, whole=True)
            self._hit(meaning.entity_type, cells, matched)
        if self._current and self._current[0].form is not Form.CLEAR:
            return
        self._look_everywhere(cells, done)

    def _look_everywhere(self, cells: Cells, done: set[str]) -> None:
        if cells.is_one_shape(kernels.CLOSED):
            return
        unknown = np.ones(len(cells.values), dtype=bool)
        closed_known = False
        for kernel in kernels.EVERYWHERE:
            if kernel.entity_type in done:
                continue
            if not unknown.any():
                break  # every value is one thing and holds nothing else
            possible = kernel.possible(cells, unknown)
            if not closed_known and possible.any():
                unknown &= ~self._closed(cells, possible)
                possible &= unknown
                closed_known = True
            if possible.any():
                matched, settled = kernels.matches(kernel.entity_type, cells, possible, self._tools.settings)
                unknown &= ~settled
                if matched.any():
                    self._builder(kernel.entity_type).add(cells, matched)
                    self._hit(kernel.entity_type, cells, matched)

    def _closed(self, cells: Cells, possible: Mask) -> Mask:
        """Values that are a date or a number and nothing else, where a probe shows many of them."""
        probe = np.zeros_like(possible)
        probe[np.flatnonzero(possible)[:_CLOSED_PROBE]] = True
        if cells.search(kernels.CLOSED, probe).sum() * 2 < probe.sum():
            return np.zeros_like(possible)
        return cells.search(kernels.CLOSED)

    def _read_texts(self, cells: Cells) -> None:
        """Running text goes to Presidio, each distinct text once."""
        from scanner.detect import presidio

        counts = np.ones(len(cells.values), np.int64) if cells.counts is None else cells.counts
        texts = cells.values.to_pylist()
        matches = presidio.engine(self._tools.settings).analyze(texts)
        by_type: dict[str, list[tuple[int, str, float]]] = defaultdict(list)
        for index, found in enumerate(matches):
            for match in found:
                by_type[match.entity_type].append((index, texts[index][match.start : match.end], match.score))
        for entity_type, finds in by_type.items():
            self._add_finds(entity_type, finds, cells, counts)

    def _add_finds(
        self, entity_type: str, finds: Iterable[tuple[int, str, float]], cells: Cells, counts: Rows
    ) -> None:
        finds = list(finds)
        indices = sorted({index for index, _, _ in finds})
        hits = np.zeros(len(cells.values), dtype=bool)
        hits[indices] = True
        distinct = sorted({" ".join(text.split()) for _, text, _ in finds})
        hashes = self._tools.hasher.hash(pa.array(distinct, pa.large_string()))
        mentions = int(sum(counts[index] for index, _, _ in finds))
        self._hit(entity_type, cells, hits)
        if self._tools.keyer is not None:
            self.finds[entity_type] = distinct
        self._builder(entity_type).add_mentions(
            distinct, hashes, cells.count(hits), mentions, cells.first_rows(hits, self._tools.settings.locate)
        )
        scores = self.scores[entity_type]
        scores.extend(score for _, _, score in finds[: max(0, 64 - len(scores))])


#: Types whose rows are those in which the recognizer finds one, rather than those that look plausible.
_KERNEL_COUNTED = frozenset(
    {
        "EMAIL_ADDRESS",
        "IBAN_CODE",
        "IP_ADDRESS",
        "MAC_ADDRESS",
        "URL",
        "VEHICLE_IDENTIFICATION_NUMBER",
        "CREDIT_CARD",
    }
)
