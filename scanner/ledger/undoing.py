"""Digests that a vendor can undo with another of its files, whenever the two were delivered.

Of each version the ledger keeps, sealed, hashes of the digests that its columns hold, and hashes of what
digests of some of its clear values would be (`scanner.detect.reversal`). What a vendor can reach at one time
is held against itself when that is asked, so the answer depends on what is there alone: not on the order in
which files came, nor on which of them one scan read.

The hashes are those of `scanner.detect.hashing`, made under a key of the installation's and enciphered under
another one before they are kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from scanner.ledger import schema
from scanner.ledger.evidence import packed_words, unpacked_words
from scanner.ledger.store import Ledger
from scanner.model import Column, Evidence, Form, Outcome, Probe, Table, printable
from scanner.sketch import positions
from scanner.undoing import PROBED, signal, signalled

#: A field of an item, as `scanner.ledger.queries.FieldKey`.
FieldKey = tuple[int, int, str]
#: For each version what is told of its fields that another file undoes.
Undone = Mapping[int, Mapping[FieldKey, str]]

Words = NDArray[np.uint64]

#: Of kept answers: what is found in another way is found again.
_FORM = 1
#: Different hashes of digests of clear values that are compared at a time: some 50 MiB.
_AT_ONCE = 1 << 20
#: Blobs that are opened at a time, each of 2 MiB at most.
_BLOBS = 16
_BLOCK = 16
#: How many of the values that a probe is of are kept at least: with 12 of `PROBED`, a file whose people are
#: all in another one is missed once in a million times.
_FEWEST = 12
#: Types of so few values that a scan tries all: no clear column is needed to undo their digests.
_TRIED = frozenset({"DATE_OF_BIRTH", "POSTAL_CODE", "GENDER", "AGE"})


@dataclass(frozen=True, slots=True)
class _Clue:
    """Where clear values are: the file's name, the column's, and the way in which they were digested."""

    name: str
    source: str
    way: str


@dataclass(frozen=True, slots=True)
class _Best:
    """What undoes most of a field so far; of equals the first by name."""

    hits: int
    name: str
    source: str
    way: str

    @property
    def order(self) -> tuple[int, str, str, str]:
        """The best has the smallest."""
        return -self.hits, self.name, self.source, self.way


# -- what is kept ------------------------------------------------------------------------------------------


def tells(outcome: Outcome) -> bool:
    """Whether there is anything to be kept of an outcome."""
    return any(table.probes for table in outcome.tables) or any(True for _ in _hashed(outcome))


def noted(ledger: Ledger, outcome: Outcome) -> tuple[bytes, bytes]:
    """What is to be kept of an outcome's digests, and of its clear values; empty where there are none."""
    hashed = [(list(at), found.distinct.hashes()) for at, found in _hashed(outcome)]
    probes = [
        ([probe.source, probe.way], words)
        for table in outcome.tables
        for probe in table.probes
        if len(words := _some(probe, table))
    ]
    return _packed(ledger, hashed), _packed(ledger, probes)


def _some(probe: Probe, table: Table) -> Words:
    """The hashes of a probe that are kept: fewer of a column of few values, so that small files weigh little.

    A digest in one spelling is one of several hashes of a value, so leaving out some is to probe with fewer.
    """
    words = np.frombuffer(probe.packed, "<u8")
    held = [column.entities[0] for column in table.columns if column.name == probe.source and column.entities]
    if any(each.entity_type in _TRIED for each in held):
        return words[:0]
    values = max((each.distinct.count for each in held), default=0)
    share = max(_FEWEST, math.isqrt(values)) / max(1, min(PROBED, values))
    return words[: math.ceil(len(words) * min(1.0, share))]


def _hashed(outcome: Outcome) -> Iterator[tuple[FieldKey, Evidence]]:
    """Digests that nothing in the item itself undoes."""
    for at, table in enumerate(outcome.tables):
        for column in table.columns:
            for found in column.entities:
                if found.form is Form.HASHED and found.undone is None and found.distinct.packed:
                    yield (at, column.index, found.entity_type), found


def _packed(ledger: Ledger, sets: Sequence[tuple[list[Any], Words]]) -> bytes:
    if not sets:
        return b""
    pieces = [packed_words(_enciphered(ledger, words)) for _, words in sets]
    heads = [[head, len(piece)] for (head, _), piece in zip(sets, pieces, strict=True)]
    head = json.dumps(heads, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    return b"".join([len(head).to_bytes(4, "little"), head, *pieces])


def _unpacked(data: bytes) -> Iterator[tuple[list[Any], Words]]:
    at = 4 + int.from_bytes(data[:4], "little")
    for head, size in json.loads(data[4:at]):
        yield head, unpacked_words(data[at : at + size])
        at += size


def _enciphered(ledger: Ledger, words: Words) -> Words:
    """Each word through AES, cut to 64 bits again; ascending."""
    blocks = np.zeros((len(words), _BLOCK // 8), "<u8")
    blocks[:, 0] = words
    # Single blocks through a keyed permutation are what is wanted: equal words must stay equal.
    cipher = Cipher(algorithms.AES(ledger.key.derive("undoing")), modes.ECB())  # noqa: S305 # see above
    sealed = cipher.encryptor().update(blocks.tobytes())
    return np.sort(np.frombuffer(sealed, "<u8").reshape(-1, _BLOCK // 8)[:, 0])


# -- what is asked -----------------------------------------------------------------------------------------


def concerned(connection: Connection) -> list[str | None]:
    """Vendors that had digests which another file might undo; None is nobody's folder."""
    table = schema.undoing
    query = select(table.c.vendor).where(table.c.hashed.is_not(None)).distinct()
    return [row.vendor or None for row in connection.execute(query.order_by(table.c.vendor))]


def undone(
    ledger: Ledger,
    connection: Connection,
    vendor: str | None,
    there: Callable[[], Mapping[int, str]],
    made: dict[str, bytes] | None = None,
) -> dict[int, dict[FieldKey, str]]:
    """What a vendor can undo of the versions that it can reach.

    Args:
        ledger: an open one.
        connection: to it.
        vendor: None is nobody's folder.
        there: gives the versions and the name of a file that each is; asked only where it matters.
        made: takes the answer, by name, for who keeps it.
    """
    table = schema.undoing
    mine = table.c.vendor == (vendor or "")
    digests = connection.execute(select(table).where(mine, table.c.hashed.is_not(None))).all()
    if not digests:
        return {}
    names = there()
    digests = [row for row in digests if row.version in names]
    clear = [
        row
        for row in connection.execute(select(table).where(mine, table.c.probes.is_not(None)))
        if row.version in names
    ]
    if not digests or not clear:
        return {}
    question = _question(ledger, vendor, digests, clear, names)
    held = _kept(ledger, connection, question)
    if held is None:
        best = _best(ledger, connection, digests, _by_name(clear, names))
        said = [[*at, signal(b.way, b.source, f"file {printable(b.name)}")] for at, b in sorted(best.items())]
        held = json.dumps(said).encode("ascii")
        if made is not None:
            made[question] = held
    out: dict[int, dict[FieldKey, str]] = {}
    for version, part, column, entity_type, text in json.loads(held):
        out.setdefault(version, {})[part, column, entity_type] = text
    return out


def _question(
    ledger: Ledger,
    vendor: str | None,
    digests: Sequence[Row[Any]],
    clear: Sequence[Row[Any]],
    names: Mapping[int, str],
) -> str:
    asked = [
        "undone",
        _FORM,
        vendor,
        sorted((row.version, row.hashed) for row in digests),
        sorted((names[row.version], row.probes) for row in clear),
    ]
    return ledger.digest(json.dumps(asked).encode(), "answer")


def _kept(ledger: Ledger, connection: Connection, question: str) -> bytes | None:
    table = schema.answers
    data = connection.execute(select(table.c.data).where(table.c.question == question)).scalar()
    return None if data is None else ledger.union_opened(question, bytes(data))


def _by_name(clear: Sequence[Row[Any]], names: Mapping[int, str]) -> dict[str, str]:
    """Blobs of clear values and a file's name for each: the first of those that hold the same."""
    out: dict[str, str] = {}
    for name, blob in sorted((names[row.version], row.probes) for row in clear):
        out.setdefault(blob, name)
    return out


def _best(
    ledger: Ledger, connection: Connection, digests: Sequence[Row[Any]], clear: Mapping[str, str]
) -> dict[tuple[int, int, int, str], _Best]:
    """For each field (version, part, column, type) that can be undone what undoes most of it."""
    out: dict[tuple[int, int, int, str], _Best] = {}
    versions: dict[str, list[int]] = {}
    for row in digests:
        versions.setdefault(row.hashed, []).append(row.version)
    for wanted in _slices(ledger, connection, clear):
        for blob, data in _opened(ledger, connection, versions):
            for (part, column, entity_type), held in _unpacked(data):
                found = wanted.best(held)
                if found is None:
                    continue
                for version in versions[blob]:
                    at = (version, part, column, entity_type)
                    if at not in out or found.order < out[at].order:
                        out[at] = found
    return out


def _opened(ledger: Ledger, connection: Connection, blobs: Collection[str]) -> Iterator[tuple[str, bytes]]:
    names = list(blobs)
    for start in range(0, len(names), _BLOBS):
        some = names[start : start + _BLOBS]
        held = ledger.blobs(connection, some)
        yield from ((name, held[name]) for name in some if name in held)


def _slices(ledger: Ledger, connection: Connection, clear: Mapping[str, str]) -> Iterator[_Wanted]:
    """Clear columns, so many at a time that their hashes do not take too much memory."""
    wanted = _Wanted()
    for blob, data in _opened(ledger, connection, clear):
        for (source, way), held in _unpacked(data):
            wanted.add(_Clue(clear[blob], source, way), held)
        if wanted.size >= _AT_ONCE:
            yield wanted
            wanted = _Wanted()
    if wanted.size:
        yield wanted


class _Wanted:
    """Hashes of digests to look for, each with the first clear column that it is of.

    Deliveries of the same people have mostly the same ones, so that many of them take little.
    """

    def __init__(self) -> None:
        self._clues: list[_Clue] = []
        self._words: Words = np.empty(0, "<u8")
        self._owners = np.empty(0, np.int32)
        self._more: list[Words] = []
        self._of: list[int] = []
        self._waiting = 0

    @property
    def size(self) -> int:
        """How many there are: different ones, and those that were added last."""
        return len(self._words) + self._waiting

    def add(self, clue: _Clue, words: Words) -> None:
        """Add a clear column."""
        self._of.append(len(self._clues))
        self._clues.append(clue)
        self._more.append(words)
        self._waiting += len(words)
        if self._waiting > _AT_ONCE // 2:
            self._unite()

    def _unite(self) -> None:
        owners = np.repeat(np.array(self._of, np.int32), [len(each) for each in self._more])
        every = np.concatenate([self._words, *self._more])
        # The first of equal ones is kept, and clear columns come in the order of their files' names.
        self._words, first = np.unique(every, return_index=True)
        self._owners = np.concatenate([self._owners, owners])[first]
        self._more, self._of, self._waiting = [], [], 0

    def best(self, held: Words) -> _Best | None:
        """The clear column of which most is held; None where nothing is."""
        if self._more:
            self._unite()
        at, there = positions(self._words, held)
        found = self._owners[at[there]]
        if not len(found):
            return None
        hits = np.bincount(found)
        clue = self._clues[int(hits.argmax())]
        return _Best(int(hits.max()), clue.name, clue.source, clue.way)


# -- what becomes of it ------------------------------------------------------------------------------------


def told(outcome: Outcome, known: Mapping[FieldKey, str]) -> Outcome:
    """An outcome of which it is told what others undo."""
    if not known:
        return outcome
    tables = tuple(_table(at, table, known) for at, table in enumerate(outcome.tables))
    return replace(outcome, tables=tables)


def _table(at: int, table: Table, known: Mapping[FieldKey, str]) -> Table:
    return replace(table, columns=tuple(_column(at, column, known) for column in table.columns))


def _column(at: int, column: Column, known: Mapping[FieldKey, str]) -> Column:
    return replace(column, entities=tuple(_evidence(at, column, each, known) for each in column.entities))


def _evidence(at: int, column: Column, evidence: Evidence, known: Mapping[FieldKey, str]) -> Evidence:
    said = known.get((at, column.index, evidence.entity_type))
    if said is None or evidence.form is not Form.HASHED or evidence.undone is not None:
        return evidence
    return signalled(evidence, said)
