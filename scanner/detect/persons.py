"""The people of a table, row by row: who each row is about, what it says of them, and where they live.

For each kind of identifier a set of keys (`PersonKeys`). A row's strongest identifier tells who it is about;
its further identifiers are kept with the key of that person, so that somebody known here by e-mail address
and there by telephone number can be taken for one. Memory is bounded: beyond a number of people, payloads
are kept for a sample of keys, the smallest ones, which is the same sample in every file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scanner import sketch
from scanner.detect import personkeys
from scanner.detect.cells import Mask, Rows
from scanner.detect.hashing import Hashes
from scanner.detect.meaning import Meaning
from scanner.detect.personkeys import PersonKeyer, sketch_bound
from scanner.identifiers import UNKNOWN_OWNER, WEAK, rank
from scanner.identifiers import kind as kind_of
from scanner.model import Column, Evidence, Form, PersonKeys
from scanner.sketch import FULL

#: People with payload kept for each kind of identifier that tells rows apart. Beyond it their number is an
#: estimate, with a standard error of 0.4%.
OWN_KEYS = 65_536
#: Beyond so many people, further identifiers are kept for a sample of half as many to as many of them.
FURTHER_KEYS = 16_384
#: Hashes kept for exact membership, of one kind in one part; 64 MiB.
MEMBERS = 1 << 23
#: Kinds that membership is asked for.
_ASKED = frozenset({"email", "phone", "name+birth", "account", "government_id"})
_CONFIDENCE = 0.6
#: The same for the number of an account. What the judge takes for an order's or a product's is below it.
_ACCOUNT = 0.2
_BITS = 64
_FEW_ROWS = 50
_CONSTANT = 5
_IDENTIFYING_FORMS = frozenset({Form.CLEAR, Form.HASHED, Form.TOKENIZED, Form.ENCRYPTED})

ColumnKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a chunk: which it is, what it may be, and the cells in which each type was found."""

    key: ColumnKey
    meanings: tuple[Meaning, ...]
    hits: Mapping[str, Mask]
    prose: bool

    @property
    def meaning(self) -> Meaning | None:
        """The main meaning, where it is likely; the number of an account is one sooner.

        Heading and values of such a number look like those of any other, so it is never thought very likely,
        but numbers of other things are thought far less so.
        """
        for meaning in self.meanings:
            if not meaning.stray:
                enough = _ACCOUNT if meaning.entity_type == "IDENTIFIER" else _CONFIDENCE
                return meaning if meaning.confidence >= enough and not self.prose else None
        return None


@dataclass(slots=True)
class Gather:
    """A growing `PersonKeys`: rows of ranks with payload, folded now and then.

    Ranks tell people apart while a table is read (`PersonKeyer.members`); keys are made of the identifiers
    that are kept in the end, as a key costs as much as reading a row.
    """

    capacity: int
    ranks: list[Hashes] = field(default_factory=list)
    payload: list[tuple[Hashes, NDArray[np.uint32], Hashes | None]] = field(default_factory=list)
    values: list[tuple[Hashes, pa.Array]] = field(default_factory=list)
    waiting: int = 0
    theta: int = FULL

    def add(
        self,
        ranks: Hashes,
        traits: Hashes,
        places: NDArray[np.uint32],
        owners: Hashes | None = None,
        values: pa.Array | None = None,
    ) -> None:
        """Add one entry for each row; ``values`` are the identifiers, left out where they are known."""
        if self.theta != FULL:
            kept = ranks < np.uint64(self.theta)
            ranks, traits, places = ranks[kept], traits[kept], places[kept]
            owners = None if owners is None else owners[kept]
            values = None if values is None else values.filter(pa.array(kept))
        self.ranks.append(ranks)
        self.payload.append((traits, places, owners))
        if values is not None:
            self.values.append((ranks, values))
        self.waiting += len(ranks)
        if self.waiting > 3 * self.capacity:
            self.fold()

    def fold(self) -> tuple[Hashes, Hashes, NDArray[np.uint32], Hashes | None]:
        """All entries as one for each rank: traits united, the surest place, the smallest owner."""
        ranks = np.concatenate(self.ranks)
        order = np.argsort(ranks)
        ranks = ranks[order]
        begins = np.flatnonzero(np.concatenate(([True], ranks[1:] != ranks[:-1]))[: len(ranks)])
        traits = _reduced(np.bitwise_or, [each[0] for each in self.payload], order, begins)
        places = _reduced(np.maximum, [each[1] for each in self.payload], order, begins)
        owners = None
        if self.payload[0][2] is not None:
            parts = [each[2] for each in self.payload if each[2] is not None]
            owners = _reduced(np.minimum, parts, order, begins)
        ranks = ranks[begins]
        if len(ranks) > self.capacity:
            self.theta = sketch_bound(int(ranks[self.capacity]))
            cut = int(np.searchsorted(ranks, np.uint64(self.theta)))
            ranks, traits, places = ranks[:cut], traits[:cut], places[:cut]
            owners = None if owners is None else owners[:cut]
        self.ranks, self.payload, self.waiting = [ranks], [(traits, places, owners)], len(ranks)
        self._fold_values()
        return ranks, traits, places, owners

    def _fold_values(self) -> None:
        if self.values:
            ranks, first = np.unique(np.concatenate([each[0] for each in self.values]), return_index=True)
            if self.theta != FULL:
                cut = int(np.searchsorted(ranks, np.uint64(self.theta)))
                ranks, first = ranks[:cut], first[:cut]
            values = pa.concat_arrays([each[1].cast(pa.large_string()) for each in self.values])
            self.values = [(ranks, values.take(pa.array(first)))]

    def of(self, ranks: Hashes) -> pa.Array:
        """The identifiers of some ranks that are kept, after `fold`."""
        known, values = self.values[0]
        return values.take(pa.array(np.searchsorted(known, ranks)))


@dataclass(slots=True)
class Sample:
    """Which people's further identifiers are kept: those with the smallest ranks."""

    smallest: Hashes = field(default_factory=lambda: np.empty(0, np.uint64))
    theta: int = FULL

    def add(self, ranks: Hashes) -> None:
        """Take note of more people."""
        if self.theta != FULL:
            ranks = ranks[ranks < np.uint64(self.theta)]
        self.smallest = sketch.ordered(np.concatenate((self.smallest, ranks)))
        if len(self.smallest) > FURTHER_KEYS:
            self.theta = sketch_bound(int(self.smallest[FURTHER_KEYS // 2]))
            self.smallest = self.smallest[: np.searchsorted(self.smallest, np.uint64(self.theta))]

    def among(self, owners: Hashes) -> Mask:
        """Which of these people are in it."""
        if self.theta == FULL:
            return np.ones(len(owners), dtype=bool)
        return np.asarray(owners < np.uint64(self.theta), dtype=bool)


@dataclass(slots=True)
class Members:
    """Hashes of all values of one kind."""

    parts: list[Hashes] = field(default_factory=list)
    waiting: int = 0
    overflow: bool = False

    def add(self, hashes: Hashes) -> None:
        """Add those of some rows."""
        if self.overflow:
            return
        self.parts.append(hashes)
        self.waiting += len(hashes)
        if self.waiting > 2 * MEMBERS:
            self.result()

    def result(self) -> bytes:
        """All of them, ascending; nothing where they are too many to keep."""
        together = sketch.ordered(np.concatenate(self.parts)) if self.parts else np.empty(0, np.uint64)
        self.overflow = self.overflow or len(together) > MEMBERS
        self.parts, self.waiting = ([], 0) if self.overflow else ([together], len(together))
        return b"" if self.overflow else together.astype("<u8").tobytes()


def _reduced(how: np.ufunc, parts: Sequence[NDArray[np.generic]], order: Rows, begins: Rows) -> NDArray:  # type: ignore[type-arg]
    together = np.concatenate(parts)[order]
    return how.reduceat(together, begins) if len(together) else together


@dataclass(frozen=True, slots=True)
class _Source:
    """An identifier that rows of a chunk may have, and the columns that it is read from."""

    identifier: str
    columns: tuple[int, ...]


class PersonFold:
    """The people of one table.

    Args:
        keyer: makes the keys.
        categories: the data category of a meaning: ``(concept, entity type) -> category``.
        table: the table's name, for the name space of account numbers.
    """

    def __init__(self, keyer: PersonKeyer, table: str) -> None:
        self._keyer = keyer
        self._table = table
        self._own: dict[str, Gather] = {}
        self._samples: dict[str, Sample] = {}
        self._further: dict[tuple[str, str], Gather] = {}
        self._members: dict[str, Members] = {}
        self._bits: dict[tuple[ColumnKey, str], int] = {}
        self._places: dict[str, int] = {}
        self._nameless = 0
        self._loose: dict[str, list[Hashes]] = {}
        self._plan: tuple[object, list[_Source]] | None = None
        #: Rows of the latest chunk with identifiers, their strongest kind, and its ranks.
        self._parents: tuple[Rows, dict[int, tuple[str, Hashes, Mask]]] | None = None

    def add(
        self,
        batch: pa.RecordBatch,
        columns: Sequence[TableColumn],
        numbers: Rows,
        categories: Sequence[str],
    ) -> None:
        """Fold in a chunk.

        Args:
            batch: its cells.
            columns: what each column may be, and which cells it is in.
            numbers: the table row of each batch row.
            categories: the data category of each column's main meaning, empty where it has none.
        """
        traits = self._traits(columns, batch.num_rows)
        sources = self._planned(batch, columns, categories)
        places: NDArray[np.uint32] | None = None
        owner = np.zeros(batch.num_rows, dtype=np.uint64)
        kind = np.full(batch.num_rows, -1, dtype=np.int64)
        for at, source in enumerate(sources):
            needed = self._wanted(owner, kind, sources)
            there, normal, hashes = self._read(batch, columns, source, kind, needed)
            if not there.any():
                continue
            if places is None:
                places = self._live(batch, columns)
            ranks = np.zeros(batch.num_rows, dtype=np.uint64)
            ranks[there] = hashes
            mine = there & (kind < 0)
            self._own_rows(source.identifier, there, mine, normal, (ranks, traits, places))
            for other in range(at):
                both = there & needed & (kind == other)
                if both.any():
                    chosen = normal.filter(pa.array(both[there]))
                    self._further_rows(
                        (source.identifier, sources[other].identifier),
                        (ranks[both], traits[both], places[both], owner[both], chosen),
                    )
            owner[mine], kind[mine] = ranks[mine], at
        if (kind < 0).all():
            self._add_children(numbers, traits)
            return
        self._nameless += int(np.count_nonzero((kind < 0) & (traits != 0)))
        self._parents = (
            numbers,
            {at: (source.identifier, owner, kind == at) for at, source in enumerate(sources)},
        )

    def _planned(
        self, batch: pa.RecordBatch, columns: Sequence[TableColumn], categories: Sequence[str]
    ) -> list[_Source]:
        """The sources, strongest first; the same for all chunks of the same columns and meanings."""
        state = tuple((column.key, column.meaning, bool(column.hits)) for column in columns)
        if self._plan is None or self._plan[0] != state:
            sources = _sources(batch, columns, categories, self._table)
            self._plan = (state, sorted(sources, key=lambda source: rank(source.identifier)))
        return self._plan[1]

    def _read(
        self,
        batch: pa.RecordBatch,
        columns: Sequence[TableColumn],
        source: _Source,
        kind: NDArray[np.int64],
        needed: Mask,
    ) -> tuple[Mask, pa.Array | personkeys.NamesWith, Hashes]:
        """Which rows have an identifier, its normal form in these, and the ranks of that."""
        there = np.ones(batch.num_rows, dtype=bool)
        for index in source.columns:
            meaning = columns[index].meaning
            hit = columns[index].hits.get(meaning.entity_type) if meaning else None
            there &= hit if hit is not None else False
        asked = kind_of(source.identifier) in _ASKED
        if not asked:
            there &= (kind < 0) if kind_of(source.identifier) in WEAK else needed
        empty = pa.array([], pa.large_string())
        if not there.any():
            return there, empty, np.empty(0, np.uint64)
        cells = [_cells(batch.column(index), there) for index in source.columns]
        if source.identifier == "name+birth":
            dates = personkeys.birth_dates(cells[-1])
            named = personkeys.NamesWith(cells[:-1], dates, self._keyer, source.identifier)
            there[there] = named.valid
            self._members.setdefault(source.identifier, Members()).add(named.ranks)
            return there, named, named.ranks
        normal = _normal(source.identifier, cells, columns, source.columns, self._keyer.regions)
        valid = np.asarray(pc.is_valid(normal).to_numpy(zero_copy_only=False), dtype=bool)
        if not valid.all():
            there[there] = valid
            normal = normal.drop_null()
        ranks = self._keyer.members(source.identifier, normal)
        if asked and len(normal):
            self._members.setdefault(source.identifier, Members()).add(ranks)
        return there, normal, ranks

    def _wanted(self, owner: Hashes, kind: NDArray[np.int64], sources: Sequence[_Source]) -> Mask:
        """Rows whose identifiers are needed: those of people not yet told apart, and those of the sample."""
        wanted = kind < 0
        for at, source in enumerate(sources):
            sample = self._samples.get(source.identifier)
            mine = kind == at
            if sample is not None and mine.any():
                wanted |= mine & sample.among(owner)
        return wanted

    def _own_rows(
        self,
        identifier: str,
        there: Mask,
        mine: Mask,
        normal: pa.Array | personkeys.NamesWith,
        rows: tuple[Hashes, Hashes, NDArray[np.uint32]],
    ) -> None:
        """People whom this kind tells apart; ``normal`` is of the rows that are ``there``."""
        if not mine.any():
            return
        gather = self._own.setdefault(identifier, Gather(OWN_KEYS))
        ranks = rows[0]
        self._samples.setdefault(identifier, Sample()).add(ranks[mine])
        if gather.theta != FULL:
            mine = mine & (ranks < np.uint64(gather.theta))
        chosen = normal.filter(pa.array(mine[there]))
        gather.add(ranks[mine], rows[1][mine], rows[2][mine], None, chosen)

    def _further_rows(
        self,
        pair: tuple[str, str],
        rows: tuple[Hashes, Hashes, NDArray[np.uint32], Hashes, pa.Array],
    ) -> None:
        gather = self._further.setdefault(pair, Gather(OWN_KEYS))
        gather.add(*rows)

    def _add_children(self, numbers: Rows, traits: Hashes) -> None:
        """Rows without an identifier of their own: elements of an array belong to the record around them."""
        about = traits != 0
        if not about.any():
            return
        if self._parents is None:
            self._nameless += len(np.unique(numbers[about]))
            return
        parents, kinds = self._parents
        order = np.argsort(parents, kind="stable")
        at = np.searchsorted(parents[order], numbers)
        known = about & (at < len(parents))
        known[known] = parents[order][at[known]] == numbers[known]
        self._nameless += len(np.unique(numbers[about & ~known]))
        rows = order[at[known]]
        for identifier, owner, mask in kinds.values():
            mine = mask[rows]
            if mine.any():
                nowhere = np.zeros(int(mine.sum()), dtype=np.uint32)
                self._own[identifier].add(owner[rows][mine], traits[known][mine], nowhere)

    def add_loose(self, identifier: str, keys: Hashes) -> None:
        """Add people that are named in running text inside of cells."""
        self._loose.setdefault(identifier, []).append(keys)

    def _traits(self, columns: Sequence[TableColumn], rows: int) -> Hashes:
        traits = np.zeros(rows, dtype=np.uint64)
        for column in columns:
            for entity_type, mask in column.hits.items():
                bit = self._bits.setdefault((column.key, entity_type), len(self._bits))
                if bit < _BITS:
                    traits[mask] |= np.uint64(1 << bit)
        return traits

    def _live(self, batch: pa.RecordBatch, columns: Sequence[TableColumn]) -> NDArray[np.uint32]:
        """For each row one plus its place's number, shifted by 16 bits where the row itself says so."""
        rows = batch.num_rows
        country = _said(batch, columns, "COUNTRY", personkeys.countries)
        state = _said(batch, columns, "REGION", _us_states)
        out = np.zeros(rows, dtype=np.uint32)
        if country is not None or state is not None:
            nothing = (np.zeros(rows, dtype=np.int64), [None])
            (lands, land_codes), (parts, part_codes) = country or nothing, state or nothing
            pairs, at = np.unique(lands * len(part_codes) + parts, return_inverse=True)
            places = np.zeros(len(pairs), dtype=np.uint32)
            for number, pair in enumerate(pairs.tolist()):
                land, part = land_codes[pair // len(part_codes)], part_codes[pair % len(part_codes)]
                place = part if part and land in (None, "US") else land
                places[number] = 0 if place is None else self._place(place) << 16
            out = places[at]
        unknown = out == 0
        if unknown.any():
            self._guess(batch, columns, unknown, out)
        return out

    def _place(self, code: str) -> int:
        return self._places.setdefault(code, len(self._places) + 1)

    def _guess(
        self, batch: pa.RecordBatch, columns: Sequence[TableColumn], unknown: Mask, out: NDArray[np.uint32]
    ) -> None:
        for entity_type, guess in (
            ("POSTAL_CODE", personkeys.postal_countries),
            ("PHONE_NUMBER", self._phone_countries),
        ):
            guessed = _said(batch, columns, entity_type, guess, unknown)
            if guessed is not None:
                numbers = np.array([self._place(each) if each else 0 for each in guessed[1]], dtype=np.uint32)
                out[:] = np.where(out == 0, numbers[guessed[0]], out)

    def _phone_countries(self, values: pa.Array) -> list[str | None]:
        return personkeys.phone_countries(personkeys.telephone_numbers(values, self._keyer.regions))

    def finish(
        self, columns: Sequence[Column], keys: Sequence[ColumnKey]
    ) -> tuple[tuple[PersonKeys, ...], int]:
        """The people by each kind of identifier, and the number of rows that are about nobody known.

        Args:
            columns: the table's columns as reported; what is not reported of a column is no trait.
            keys: the key of each of ``columns``.
        """
        reported = {
            (key, evidence.entity_type): (column.index, evidence.entity_type)
            for key, column in zip(keys, columns, strict=True)
            for evidence in column.entities
        }
        kept = {bit: reported[name] for name, bit in self._bits.items() if name in reported and bit < _BITS}
        if not kept:
            return (), 0
        places = tuple(self._places)
        known: dict[str, tuple[Hashes, Hashes]] = {}
        out = [self._built(name, None, gather, kept, places, known) for name, gather in self._own.items()]
        out += [
            self._built(name, owner, more, kept, places, known)
            for (name, owner), more in self._further.items()
        ]
        out = self._with_members(out)
        out += loose_keys(self._loose, dict.fromkeys(self._loose, ()), best_counts=not self._own)
        return tuple(sorted(out, key=lambda each: (each.identifier, each.owner or ""))), self._nameless

    def _built(
        self,
        identifier: str,
        owner: str | None,
        gather: Gather,
        kept: Mapping[int, tuple[int, str]],
        places: tuple[str, ...],
        known: dict[str, tuple[Hashes, Hashes]],
    ) -> PersonKeys:
        """One set; ``known`` takes the ranks and keys of people, whom further identifiers name by these."""
        ranks, traits, where, owners = gather.fold()
        sampled = self._samples[owner].theta if owner is not None else FULL
        if owners is not None and owner is not None:
            whose, their_keys = known[owner]
            chosen = (owners < np.uint64(sampled)) if sampled != FULL else np.ones(len(owners), dtype=bool)
            ranks, traits, where, owners = ranks[chosen], traits[chosen], where[chosen], owners[chosen]
            owners = their_keys[np.searchsorted(whose, owners)]
        keys = self._keyer.keys(identifier, gather.of(ranks), ranks)
        if owner is None:
            known[identifier] = (ranks, keys)
        order = np.argsort(keys)
        keys, traits, where = keys[order], traits[order], where[order]
        owners = None if owners is None else owners[order]
        fields = tuple(kept[bit] for bit in sorted(kept))
        moved = np.zeros(len(traits), dtype=np.uint64)
        for to, bit in enumerate(sorted(kept)):
            moved |= ((traits >> np.uint64(bit)) & np.uint64(1)) << np.uint64(to)
        regions = np.where(where >= 1 << 16, where >> 16, where & 0xFFFF)
        return PersonKeys(
            identifier=identifier,
            keys=keys.astype("<u8").tobytes(),
            theta=gather.theta,
            traits=moved.astype("<u8").tobytes(),
            fields=fields,
            regions=regions.astype("<u2").tobytes() if where.any() else b"",
            places=places if where.any() else (),
            inferred=((where > 0) & (where < 1 << 16)).astype(np.uint8).tobytes() if where.any() else b"",
            owner=owner,
            owners=b"" if owners is None else owners.astype("<u8").tobytes(),
            owner_theta=sampled,
        )

    def _with_members(self, built: Sequence[PersonKeys]) -> list[PersonKeys]:
        """The same with all members of a kind, at the first of its sets, where not all of these are whole."""
        out: list[PersonKeys] = []
        for name in dict.fromkeys(each.identifier for each in built):
            same = [each for each in built if each.identifier == name]
            if name in self._members and any(min(e.theta, e.owner_theta) < FULL for e in same):
                same[0] = replace(same[0], members=self._members[name].result())
            out += same
        return out


def loose_keys(
    found: Mapping[str, Sequence[Hashes]], types: Mapping[str, Sequence[str]], best_counts: bool = True
) -> list[PersonKeys]:
    """People that running text names.

    Args:
        found: keys by kind of identifier.
        types: for each kind, the entity types that a text says of these people.
        best_counts: whether the kind with the most keys tells how many people there are; the others may be
            theirs.
    """
    united = {name: np.unique(np.concatenate(list(parts))) for name, parts in found.items() if len(parts)}
    best = max(united, key=lambda name: (len(united[name]), -rank(name)), default=None)
    out = []
    for name, everybody in united.items():
        theta, keys = FULL, everybody
        members = b""
        if len(keys) > OWN_KEYS:
            members = everybody[:MEMBERS].astype("<u8").tobytes()
            theta, keys = int(keys[OWN_KEYS]), keys[:OWN_KEYS]
        fields = tuple((-1, each) for each in types.get(name, ()))
        traits = np.full(len(keys), (1 << len(fields)) - 1, dtype=np.uint64)
        owner = None if best_counts and name == best else UNKNOWN_OWNER
        out.append(
            PersonKeys(
                name, keys.astype("<u8").tobytes(), theta, traits.astype("<u8").tobytes(), fields,
                owner=owner, members=members,
            )
        )  # fmt: skip
    return out


def text_persons(
    found: Mapping[str, Sequence[Hashes]], types: Mapping[str, str], entities: Sequence[Evidence]
) -> tuple[PersonKeys, ...]:
    """The people of a text part.

    Args:
        found: keys by kind of identifier.
        types: the entity type that each kind was read from.
        entities: what is reported of the text; all of it is said of the one person that a text is about,
            where it names one only.
    """
    reported = [entity.entity_type for entity in entities]
    kept = {name: parts for name, parts in found.items() if types[name] in reported}
    most = max((len(np.unique(np.concatenate(list(parts)))) for parts in kept.values()), default=0)
    said = {name: tuple(reported[:_BITS]) if most == 1 else (types[name],) for name in kept}
    return tuple(sorted(loose_keys(kept, said), key=lambda each: each.identifier))


def _sources(
    batch: pa.RecordBatch, columns: Sequence[TableColumn], categories: Sequence[str], table: str
) -> list[_Source]:
    """The identifiers that the rows may have, one source for each kind."""
    found: dict[str, list[tuple[float, int]]] = {}
    for index, (column, category) in enumerate(zip(columns, categories, strict=True)):
        meaning = column.meaning
        if meaning is None or meaning.form not in _IDENTIFYING_FORMS or not category:
            continue
        if meaning.concept in _NAME_PARTS:
            continue
        name = personkeys.identifier_of(meaning.entity_type, category, column.key[0], table)
        if name is not None and column.hits.get(meaning.entity_type) is not None:
            name = name if meaning.form is Form.CLEAR else f"{name}/{meaning.form}"
            found.setdefault(name, []).append((meaning.confidence, index))
    sources = [_Source(name, (_best(batch, name, options),)) for name, options in found.items()]
    accounts = [source for source in sources if source.identifier.startswith("account:")]
    if len(accounts) > 1:
        best = _best(batch, "account", [(_sure(columns, each), each.columns[0]) for each in accounts])
        sources = [s for s in sources if s not in accounts or s.columns[0] == best]
    sources = _compound(sources, columns)
    return _telling(batch, sources)


def _sure(columns: Sequence[TableColumn], source: _Source) -> float:
    meaning = columns[source.columns[0]].meaning
    return meaning.confidence if meaning else 0.0


#: Concepts that are a part of a name: by themselves they tell nobody apart.
_NAME_PARTS = frozenset({"PERSON.first", "PERSON.last", "PERSON.middle"})


def _best(batch: pa.RecordBatch, name: str, options: Sequence[tuple[float, int]]) -> int:
    """Of several columns of one kind the fullest; of account numbers the one with the fewest different ones.

    An order has a number of its own and that of its customer: the latter repeats.
    """
    if len(options) == 1:
        return options[0][1]
    sure = max(confidence for confidence, _ in options)
    likely = [index for confidence, index in options if confidence >= sure - 0.15]
    if name.startswith("account"):
        return min(likely, key=lambda index: (pc.count_distinct(batch.column(index)).as_py(), index))
    return max(likely, key=lambda index: (len(batch.column(index)) - batch.column(index).null_count, -index))


def _compound(sources: list[_Source], columns: Sequence[TableColumn]) -> list[_Source]:
    """Adds what is made of several columns: a name of its parts, names with birth dates or addresses."""
    at: dict[str, int] = {}
    for index, column in enumerate(columns):
        meaning = column.meaning
        if meaning is not None and meaning.form is Form.CLEAR:
            at.setdefault(meaning.concept, index)
    name = next((source.columns for source in sources if source.identifier == "name"), None)
    if name is None and "PERSON.first" in at and "PERSON.last" in at:
        name = (at["PERSON.first"], at["PERSON.last"])
        sources = [*sources, _Source("name", name)]
    if name is None and ("PERSON.first" in at or "PERSON.last" in at):
        return [*sources, _Source("name", (at.get("PERSON.last", at.get("PERSON.first", 0)),))]
    if name is None:
        return sources
    born, street = at.get("DATE_OF_BIRTH"), at.get("STREET_ADDRESS")
    if born is not None:
        sources = [*sources, _Source("name+birth", (*name, born))]
    if street is not None:
        sources = [*sources, _Source("name+address", (*name, street))]
    return sources


def _telling(batch: pa.RecordBatch, sources: list[_Source]) -> list[_Source]:
    """Leaves out what is nearly constant where another identifier is not: a firm's own address of mail."""
    if batch.num_rows < _FEW_ROWS or len(sources) < 2:
        return sources
    different = {
        source: max(pc.count_distinct(batch.column(index)).as_py() for index in source.columns)
        for source in sources
    }
    people = [count for source, count in different.items() if source.identifier.startswith("name")]
    most = max(people, default=0)
    return [source for source in sources if different[source] * _CONSTANT >= most or _part(batch, source)]


def _part(batch: pa.RecordBatch, source: _Source) -> bool:
    """Whether few rows have the identifier at all, so that few different ones are no surprise."""
    column = batch.column(source.columns[0])
    return bool((len(column) - column.null_count) * _CONSTANT < len(column))


def _cells(array: pa.Array, there: Mask) -> pa.Array:
    kept = array if there.all() else array.filter(pa.array(there))
    return kept.cast(pa.large_string())


def _normal(
    identifier: str,
    cells: Sequence[pa.Array],
    columns: Sequence[TableColumn],
    indices: Sequence[int],
    regions: Sequence[str],
) -> pa.Array:
    if not identifier.startswith("name") or "/" in identifier:
        return personkeys.normal(identifier, cells[0], regions)
    extra = identifier.partition("+")[2]
    named = cells[: len(cells) - 1] if extra else cells
    name = personkeys.joined_names(*named) if len(named) == 2 else personkeys.names(named[0])
    if not extra:
        return name
    return pc.binary_join_element_wise(
        name, personkeys.names(cells[-1]), pa.scalar("\x1f", pa.large_string())
    )


def _us_states(values: pa.Array) -> list[str | None]:
    return [
        next((code for code in codes if code.startswith("US-")), None) for codes in personkeys.states(values)
    ]


def _said(
    batch: pa.RecordBatch,
    columns: Sequence[TableColumn],
    entity_type: str,
    read: Callable[[pa.Array], list[str | None]],
    among: Mask | None = None,
) -> tuple[NDArray[np.int64], list[str | None]] | None:
    """What ``read`` makes of the first column of a type; None where there is no such column.

    Returns:
        For each row an index into what was made of the different values, the first of which is None.
    """
    for index, column in enumerate(columns):
        meaning = column.meaning
        if meaning is None or meaning.entity_type != entity_type or meaning.form is not Form.CLEAR:
            continue
        hit = column.hits.get(entity_type)
        if hit is None:
            return None
        chosen = hit if among is None else hit & among
        out = np.zeros(batch.num_rows, dtype=np.int64)
        codes: list[str | None] = [None]
        if chosen.any():
            encoded = _cells(batch.column(index), chosen).dictionary_encode()
            codes += read(encoded.dictionary)
            out[chosen] = encoded.indices.to_numpy(zero_copy_only=False) + 1
        return out, codes
    return None
