"""One column, chunk by chunk: first what it may be, then how often it is so, in every row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from scanner import sketch
from scanner.config import Settings
from scanner.detect import kernels
from scanner.detect.cells import Cells, Mask, Rows
from scanner.detect.hashing import ColumnHasher, Hashes
from scanner.detect.judge import Meaning, is_prose, judge
from scanner.detect.masking import mask
from scanner.detect.tally import SAMPLE, SAMPLE_CHARACTERS, Found, Tally
from scanner.model import Form

#: Rows whose values all compete for the sample; of later chunks the first `_LATER` do.
_SAMPLED_ROWS = 65_536
_LATER = 1_024
#: The column is judged again when it has grown by this factor: it may have changed its nature.
_GROWTH = 32
#: Hashes held back before they are folded into a set; folding sorts, so it is worth saving up.
_PENDING = 2 * sketch.CAPACITY
_CLOSED_PROBE = 64
_FEW_SMALLEST = 64


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What all columns of a worker share."""

    settings: Settings
    hasher: ColumnHasher


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
        if len(kept) >= count and int(hashes.min()) >= kept[-1][0]:
            return ()
        smallest = _smallest(hashes, count)
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


def _smallest(hashes: Hashes, count: int) -> Rows:
    """Where the ``count`` smallest distinct hashes stand; of repeats one."""
    few = _FEW_SMALLEST
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
        self._rows = self._values = self._bytes = 0
        self._sample: dict[int, str] = {}
        self._next_judgement = 0
        self._judged_at = 0
        self.meanings: tuple[Meaning, ...] = ()
        self.prose = False
        self.scores: dict[str, list[float]] = defaultdict(list)
        self.late: dict[str, int] = {}

    def add(self, array: pa.Array, row_ids: Rows) -> None:
        """Fold in the column's part of one chunk."""
        cells = Cells.of(array, row_ids, self._tools.hasher)
        self._rows += cells.rows
        if not cells.filled:
            return
        self._remember(cells)
        self._values += cells.filled
        self._bytes += int(cells.lengths.sum())
        if self._values >= self._next_judgement:
            self._judge()
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
        if self._values > self._judged_at:
            self._judge()
        return self.meanings

    @property
    def values(self) -> int:
        """Cells that are neither absent nor blank."""
        return self._values

    # -- sampling and judging --

    def _remember(self, cells: Cells) -> None:
        values, hashes = cells.values, None
        if self._values >= _SAMPLED_ROWS and len(values) > _LATER:
            values = values.slice(0, _LATER)
            hashes = self._tools.hasher.hash(values)
        if hashes is None:
            hashes = cells.hashes
        if len(self._sample) >= SAMPLE:
            chosen = np.flatnonzero(hashes < np.uint64(max(self._sample)))
            if not len(chosen):
                return
            values, hashes = values.take(pa.array(chosen)), hashes[chosen]
        if len(hashes) > SAMPLE:
            smallest = np.argpartition(hashes, SAMPLE)[:SAMPLE]
            values, hashes = values.take(pa.array(smallest)), hashes[smallest]
        for key, value in zip(hashes.tolist(), values.to_pylist(), strict=True):
            self._sample[key] = value[:SAMPLE_CHARACTERS]
        if len(self._sample) > SAMPLE:
            self._sample = dict(sorted(self._sample.items())[:SAMPLE])

    def _judge(self) -> None:
        first = self._next_judgement == 0
        self._next_judgement = self._values * _GROWTH
        self._judged_at = self._values
        values = [value for _, value in sorted(self._sample.items())]
        meanings = judge(self._name, self._table, values, self._tools.settings)
        firm = bool(meanings) and meanings[0].confidence >= 0.6 and not meanings[0].stray
        prose = not firm and is_prose(self._name, values)
        if not first:
            known = {meaning.entity_type for meaning in self.meanings}
            for meaning in meanings:
                if meaning.entity_type not in known:
                    self.late.setdefault(meaning.entity_type, self._rows)
        self.meanings = meanings
        self.prose = self.prose or prose

    # -- counting --

    def _builder(self, entity_type: str) -> FoundBuilder:
        builder = self._builders.get(entity_type)
        if builder is None:
            builder = self._builders[entity_type] = FoundBuilder(entity_type, self._tools)
        return builder

    def _run_kernels(self, cells: Cells) -> None:
        done = set()
        for meaning in self.meanings[:3]:
            if meaning.entity_type in done or (meaning.confidence < 0.1 and not meaning.stray):
                continue
            if (
                meaning.form is Form.CLEAR
                and meaning.entity_type in kernels.by_type()
                and meaning.entity_type in _KERNEL_COUNTED
            ):
                continue  # counted by its kernel below
            done.add(meaning.entity_type)
            self._builder(meaning.entity_type).add(
                cells, cells.search(meaning.plausible, cells.lengths <= meaning.longest), whole=True
            )
        if self.meanings and self.meanings[0].form is not Form.CLEAR:
            return
        self._look_everywhere(cells, done)

    def _look_everywhere(self, cells: Cells, done: set[str]) -> None:
        unknown = np.ones(len(cells.values), dtype=bool)
        closed_known = False
        for kernel in kernels.EVERYWHERE:
            if kernel.entity_type in done:
                continue
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
