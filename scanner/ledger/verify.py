"""Verification: no entry was altered, removed or put elsewhere, and the tables hold what entries say."""

from __future__ import annotations

import hmac
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from scanner.ledger import schema, store
from scanner.ledger.recorder import fields_digest
from scanner.ledger.store import FIRST_MAC, Ledger, LedgerError


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        entries: entries of the chain.
        problems: a sentence for each thing that is not as it was written; empty where all is well.
    """

    entries: int
    problems: tuple[str, ...]


def verify(ledger: Ledger) -> Verification:
    """Hold the chain, the tables and the blobs against each other."""
    with ledger.reading() as connection:
        problems: list[str] = []
        written: dict[tuple[str, ...], str] = {}
        count = _chain(ledger, connection, problems, written)
        problems += _tables(connection, written)
        problems += _fields(connection)
        problems += _blobs(ledger, connection)
        problems += _decisions(connection)
    return Verification(count, tuple(problems))


def _chain(
    ledger: Ledger, connection: Connection, problems: list[str], written: dict[tuple[str, ...], str]
) -> int:
    table = schema.entries
    anchor = ledger.anchored()
    previous, expected, met = FIRST_MAC, 1, anchor is None
    for row in connection.execute(select(table).order_by(table.c.seq)):
        if row.seq != expected:
            problems.append(f"entry {expected} is missing; the next one is {row.seq}")
            expected = row.seq
        mac = ledger.mac(previous, row.seq, row.recorded_at, row.kind, row.body)
        if not hmac.compare_digest(mac, row.mac):
            problems.append(f"entry {row.seq} was altered, or the one before it was")
        if anchor is not None and row.seq == anchor[0]:
            met = True
            if row.mac != anchor[1]:
                problems.append(f"entry {row.seq} is not the one that was noted beside the key")
        for name, values in json.loads(row.body)["rows"]:
            written[_place(name, values)] = store.canonical(values)
        previous, expected = row.mac, expected + 1
    if not met and anchor is not None:
        problems.append(f"the chain ends before entry {anchor[0]}, which was noted beside the key")
    return expected - 1


def _place(name: str, values: dict[str, Any]) -> tuple[str, ...]:
    return (name, *(str(values[key]) for key in schema.CHAINED[name][1]))


def _tables(connection: Connection, written: dict[tuple[str, ...], str]) -> Iterator[str]:
    missing = dict(written)
    for name, (table, _) in schema.CHAINED.items():
        for row in connection.execute(select(table)):
            values = dict(row._mapping)
            place = _place(name, values)
            told = missing.pop(place, None)
            label = f"{name} {' '.join(place[1:])}"
            if told is None:
                yield f"{label} was added without an entry"
            elif told != store.canonical(values):
                yield f"{label} was altered"
    for place in missing:
        yield f"{place[0]} {' '.join(place[1:])} was removed"


def _decisions(connection: Connection) -> Iterator[str]:
    """A finding is accepted only where somebody accepted it last."""
    findings, actions = schema.findings, schema.finding_actions
    last = {row.finding: row for row in connection.execute(select(actions).order_by(actions.c.id))}
    accepted = select(findings.c.id, findings.c.until).where(findings.c.state == "accepted")
    for row in connection.execute(accepted.order_by(findings.c.id)):
        action = last.get(row.id)
        if action is None or action.what != "accept" or action.until != row.until:
            yield f"finding {row.id} is accepted, and nobody accepted it"


def _fields(connection: Connection) -> Iterator[str]:
    held: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(select(schema.fields)):
        held[int(row.version)].append(dict(row._mapping))
    for row in connection.execute(select(schema.versions.c.id, schema.versions.c.fields)):
        if fields_digest(held.pop(int(row.id), [])) != row.fields:
            yield f"fields of version {row.id} were altered"
    for version in held:
        yield f"fields of version {version} were added without an entry"


def _blobs(ledger: Ledger, connection: Connection) -> Iterator[str]:
    wanted: dict[str, int] = {}
    for row in connection.execute(
        select(schema.versions.c.id, schema.versions.c.evidence, schema.versions.c.people)
    ):
        wanted |= {digest: int(row.id) for digest in (row.evidence, row.people) if digest}
    undoing = schema.undoing
    for row in connection.execute(select(undoing)):
        wanted |= {digest: int(row.version) for digest in (row.hashed, row.probes) if digest}
    for row in connection.execute(select(schema.blobs)):
        version = wanted.pop(row.digest, None)
        try:
            altered = ledger.digest(ledger.opened(row.digest, bytes(row.data)), "blob") != row.digest
        except (LedgerError, ValueError):
            altered = True
        if altered:
            yield (
                f"a blob of version {version} was altered" if version else "a blob of no version was altered"
            )
    for version in sorted(set(wanted.values())):
        yield f"a blob of version {version} was removed"
