"""An outcome as JSON and back, and its people as packed arrays: what the ledger keeps of an item version.

What comes back is an `Outcome` that a policy can judge without the file. Counts of distinct values are kept,
the values' hashes are not: they are made under a key of one scan. `Evidence.distinct` then counts right but
cannot be united with another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanner.model import (
    Column,
    Distinct,
    Evidence,
    Form,
    Gap,
    Kind,
    Outcome,
    PeopleKeys,
    PersonKeys,
    Reason,
    Stage,
    Status,
    Table,
    Text,
)
from scanner.sketch import CAPACITY, FULL

FORMAT = 1
_EVIDENCE = ("entity_type", "category", "rows", "mentions", "confidence", "signals", "samples")
#: Confidence is held against thresholds in steps of so much, where versions of one shape are judged once.
_STEP = 0.05


def encode(outcome: Outcome) -> bytes:
    """The evidence of an outcome, without its people."""
    return json.dumps(
        {
            "format": FORMAT,
            "path": outcome.path,
            "member": outcome.member,
            "file_format": outcome.format,
            "bytes": outcome.bytes,
            "sha256": outcome.sha256,
            "status": outcome.status,
            "containers": outcome.containers,
            "modified": outcome.modified,
            "gaps": [[gap.stage, gap.reason, gap.detail, gap.where] for gap in outcome.gaps],
            "tables": [_table(table) for table in outcome.tables],
            "texts": [_text(text) for text in outcome.texts],
        },
        ensure_ascii=True,
        separators=(",", ":"),
    ).encode("ascii")


def decode(data: bytes, persons: bytes | None = None) -> Outcome:
    """The outcome again; with the packed people, its tables have `Table.people` and `Table.persons`."""
    held = json.loads(data)
    people = unpack(persons) if persons else {}
    return Outcome(
        path=held["path"],
        member=held["member"],
        format=held["file_format"],
        bytes=held["bytes"],
        sha256=held["sha256"],
        status=Status(held["status"]),
        gaps=tuple(Gap(Stage(g[0]), Reason(g[1]), g[2], g[3]) for g in held["gaps"]),
        tables=tuple(_as_table(each, people.get(at)) for at, each in enumerate(held["tables"])),
        texts=tuple(_as_text(each, people.get(-1 - at)) for at, each in enumerate(held["texts"])),
        containers=tuple(held["containers"]),
        modified=held["modified"],
    )


def _table(table: Table) -> dict[str, Any]:
    people = table.people
    return {
        "name": table.name,
        "rows": table.rows,
        "hidden": table.hidden,
        "people": None if people is None else [people.entity_type, people.keys.count, people.rows],
        "columns": [
            {
                "name": column.name,
                "index": column.index,
                "values": column.values,
                "kind": column.kind,
                "hidden": column.hidden,
                "entities": [_evidence(each) for each in column.entities],
            }
            for column in table.columns
        ],
    }


def _text(text: Text) -> dict[str, Any]:
    return {
        "name": text.name,
        "characters": text.characters,
        "hidden": text.hidden,
        "entities": [_evidence(each) for each in text.entities],
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    out = {name: getattr(evidence, name) for name in _EVIDENCE}
    return {**out, "form": evidence.form, "distinct": evidence.distinct.count}


def _as_evidence(held: dict[str, Any]) -> Evidence:
    values = {name: held[name] for name in _EVIDENCE}
    values |= {"signals": tuple(held["signals"]), "samples": tuple(held["samples"])}
    return Evidence(form=Form(held["form"]), distinct=_counted(held["distinct"]), **values)


@dataclass(frozen=True, slots=True)
class _Counted(Distinct):
    """A set that says how many it holds without holding them; united with others it is an estimate."""

    number: int = 0

    @property
    def exact(self) -> bool:
        """True up to what sets hold: an estimate is of more."""
        return self.number <= CAPACITY

    @property
    def kept(self) -> int:
        """Number of hashes that it held."""
        return min(self.number, CAPACITY)

    @property
    def count(self) -> int:
        """Distinct values."""
        return self.number


def _counted(count: int) -> Distinct:
    return _Counted(bytes(8), FULL if count == 1 else FULL // count, count) if count > 0 else Distinct()


def _as_table(held: dict[str, Any], persons: tuple[tuple[PersonKeys, ...], int] | None) -> Table:
    columns = tuple(
        Column(
            each["name"],
            each["index"],
            each["values"],
            Kind(each["kind"]),
            tuple(map(_as_evidence, each["entities"])),
            each["hidden"],
        )
        for each in held["columns"]
    )
    people = None
    if held["people"] is not None:
        entity_type, count, rows = held["people"]
        people = PeopleKeys(entity_type, _counted(count), rows)
    keys, nameless = persons or ((), 0)
    return Table(held["name"], held["rows"], columns, held["hidden"], people, keys, nameless)


def _as_text(held: dict[str, Any], persons: tuple[tuple[PersonKeys, ...], int] | None) -> Text:
    entities = tuple(map(_as_evidence, held["entities"]))
    return Text(held["name"], held["characters"], entities, held["hidden"], persons[0] if persons else ())


def shape(outcome: Outcome) -> str:
    """A digest of what a policy's verdict on the fields depends on: equal for most deliveries of a feed."""
    parts: list[Any] = []
    for table in outcome.tables:
        for column in table.columns:
            parts += [
                [table.name, table.hidden, column.name, column.index, *_key(e)] for e in column.entities
            ]
    for text in outcome.texts:
        parts += [[text.name, text.hidden, None, -1, *_key(e)] for e in text.entities]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode("ascii")).hexdigest()


def _key(evidence: Evidence) -> list[Any]:
    return [evidence.entity_type, evidence.category, evidence.form, round(evidence.confidence / _STEP)]


# -- people ------------------------------------------------------------------------------------------


def pack(outcome: Outcome, *, members: bool = True) -> bytes:
    """The people of an outcome's parts; empty where there are none."""
    return pack_parts(
        [
            *((at, table.persons, table.nameless) for at, table in enumerate(outcome.tables)),
            *((-1 - at, text.persons, 0) for at, text in enumerate(outcome.texts)),
        ],
        members=members,
    )


def pack_parts(parts: Iterable[tuple[int, tuple[PersonKeys, ...], int]], *, members: bool) -> bytes:
    """The same of numbered parts, each with its people and nameless rows.

    Keys are sorted, so their differences are small; these go byte plane by byte plane, which zstd likes.
    """
    heads: list[Any] = []
    arrays: list[bytes] = []
    for part, persons, nameless in parts:
        if persons or nameless:
            own = {each.identifier: each for each in persons if each.owner is None}
            sets = [_packed(each, own, arrays, members) for each in persons]
            heads.append([part, nameless, sets])
    if not heads:
        return b""
    head = json.dumps({"format": FORMAT, "parts": heads}, separators=(",", ":")).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *arrays])


def _packed(each: PersonKeys, own: dict[str, PersonKeys], arrays: list[bytes], members: bool) -> list[Any]:
    keys = np.frombuffer(each.keys, "<u8")
    owners, ranks = np.frombuffer(each.owners, "<u8"), b""
    stronger = own.get(each.owner or "")
    if len(owners) and stronger is not None:
        known = np.frombuffer(stronger.keys, "<u8")
        at = np.minimum(np.searchsorted(known, owners), max(len(known) - 1, 0))
        if len(known) and (known[at] == owners).all():
            ranks = _planes(at.astype("<u4"))
    pieces = [
        _planes(_differences(keys)),
        _planes(np.frombuffer(each.traits, "<u8")),
        _planes(np.frombuffer(each.regions, "<u2")),
        each.inferred,
        ranks or each.owners,
        _planes(_differences(np.frombuffer(each.members, "<u8"))) if members else b"",
    ]
    arrays += pieces
    return [
        each.identifier, each.owner, str(each.theta), str(each.owner_theta), each.fields, each.places,
        len(keys), bool(ranks), [len(piece) for piece in pieces],
    ]  # fmt: skip


def unpack(data: bytes) -> dict[int, tuple[tuple[PersonKeys, ...], int]]:
    """People and nameless rows by part: tables from 0 up, texts from -1 down."""
    size = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + size])
    at = 4 + size
    out: dict[int, tuple[tuple[PersonKeys, ...], int]] = {}
    for part, nameless, sets in head["parts"]:
        built: list[tuple[PersonKeys, bytes]] = []
        for identifier, owner, theta, owner_theta, fields, places, _count, ranked, lengths in sets:
            pieces = []
            for length in lengths:
                pieces.append(data[at : at + length])
                at += length
            built.append(
                (
                    PersonKeys(
                        identifier=identifier,
                        keys=_summed(_unplaned(pieces[0], "<u8")),
                        theta=int(theta),
                        traits=_unplaned(pieces[1], "<u8").tobytes(),
                        fields=tuple((int(index), name) for index, name in fields),
                        regions=_unplaned(pieces[2], "<u2").tobytes(),
                        places=tuple(places),
                        inferred=pieces[3],
                        owner=owner,
                        owners=b"" if ranked else pieces[4],
                        owner_theta=int(owner_theta),
                        members=_summed(_unplaned(pieces[5], "<u8")),
                    ),
                    pieces[4] if ranked else b"",
                )
            )
        out[part] = (tuple(_with_owners(each, ranks, built) for each, ranks in built), nameless)
    return out


def _with_owners(each: PersonKeys, ranks: bytes, built: Sequence[tuple[PersonKeys, bytes]]) -> PersonKeys:
    if not ranks:
        return each
    stronger = next(other for other, _ in built if other.owner is None and other.identifier == each.owner)
    owners = np.frombuffer(stronger.keys, "<u8")[_unplaned(ranks, "<u4")]
    return replace(each, owners=owners.astype("<u8").tobytes())


def packed_words(words: NDArray[Any]) -> bytes:
    """Ascending 64-bit words, so that they can be compressed."""
    return _planes(_differences(words.astype("<u8", copy=False)))


def unpacked_words(data: bytes) -> NDArray[Any]:
    """They again."""
    return np.frombuffer(_summed(_unplaned(data, "<u8")), "<u8")


def _differences(keys: NDArray[Any]) -> NDArray[Any]:
    return np.diff(keys, prepend=keys[:0].sum(dtype=keys.dtype)) if len(keys) else keys


def _summed(differences: NDArray[Any]) -> bytes:
    return np.cumsum(differences, dtype="<u8").astype("<u8").tobytes()


def _planes(words: NDArray[Any]) -> bytes:
    """The first bytes of all words, then their second ones, and so on."""
    return words.view(np.uint8).reshape(-1, words.itemsize).T.tobytes() if len(words) else b""


def _unplaned(data: bytes, kind: str) -> NDArray[Any]:
    width = np.dtype(kind).itemsize
    return np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(width, -1).T).view(kind).reshape(-1)


# -- fields and feeds ----------------------------------------------------------------------------------------


def field_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """What was found, one row for each part, column, type and form."""
    out: list[dict[str, Any]] = []
    for table in outcome.tables:
        for column in table.columns:
            out += [
                _field(table.name, "table", column.name, each, table.hidden or column.hidden)
                for each in column.entities
            ]
    for text in outcome.texts:
        out += [_field(text.name, "text", None, each, text.hidden) for each in text.entities]
    return [{**row, "ordinal": at} for at, row in enumerate(out)]


def _field(part: str, kind: str, name: str | None, evidence: Evidence, hidden: bool) -> dict[str, Any]:
    return {
        "part": part,
        "part_kind": kind,
        "field": name,
        "entity_type": evidence.entity_type,
        "category": evidence.category,
        "form": str(evidence.form),
        "rows": evidence.rows,
        "distinct_values": evidence.distinct.count,
        "confidence": evidence.confidence,
        "hidden": int(hidden),
    }
