"""What it costs to know which digests vendors can undo with others of their files, in a ledger of many files.

    python -m bench.undone                                    100,000 versions of 50 vendors
    python -m bench.undone --versions 20000 --vendors 1

A fifth of the versions are digests of 1,000 addresses, the others hold three clear columns each; the people
of each version are drawn from those of its vendor. All digests can be undone; the bench fails unless all are.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Connection, func, insert, select

from scanner import sketch
from scanner.judging import of_undone, settle_undone
from scanner.ledger import evidence, schema, undoing
from scanner.ledger.store import Ledger, Writer, open_ledger
from scanner.model import Column, Evidence, Form, Kind, Outcome, Probe, Status, Table
from scanner.policy.loading import loads
from scanner.undoing import PROBED

_AT = "2026-11-23T00:00:00.000000Z"
_PEOPLE, _ROWS = 20_000, 1_000
_WAYS = ("md5", "sha1", "sha256", "sha512")
#: Spellings of a value, each in two encodings.
_WRITTEN = 4
_COLUMNS = (("email", "EMAIL_ADDRESS", "user.contact.email"), ("phone", "PHONE_NUMBER", "user.contact.phone"))
_COLUMNS += (("name", "PERSON", "user.name"),)
_EVERY = 5
_T = TypeVar("_T")


def main() -> None:
    """Fill a ledger, then time and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--versions", type=int, default=100_000)
    parser.add_argument("--vendors", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_ledger(f"{folder}/l.db", create=True) as ledger:
        wanted = _filled(ledger, given.versions, given.vendors)
        print(f"{given.versions} versions of {given.vendors} vendors, {wanted} of digests")
        _sizes(ledger)
        _timed_all(ledger, given.vendors, wanted)
        print(f"the file: {Path(folder, 'l.db').stat().st_size >> 20} MiB")


def _filled(ledger: Ledger, versions: int, vendors: int) -> int:
    """Versions, written past the recorder, which would take longer; gives how many are of digests."""
    wanted = number = 0
    for vendor in range(vendors):
        dice = np.random.default_rng(vendor)
        digests = [
            dice.integers(0, 1 << 63, (_PEOPLE, len(_WAYS), _WRITTEN), dtype=np.uint64) for _ in _COLUMNS
        ]
        with ledger.engine.begin() as connection:
            for _ in range(versions // vendors):
                number += 1
                people = np.sort(dice.choice(_PEOPLE, _ROWS, replace=False))
                hashed = number % _EVERY == 0
                wanted += hashed
                outcome = _hashed(digests[0][people]) if hashed else _clear(digests, people)
                _write(ledger, connection, number, f"v{vendor}", outcome)
    return wanted


def _hashed(digests: Any) -> Outcome:
    held = sketch.of(digests[:, 2, 0])
    found = Evidence("EMAIL_ADDRESS", "user.contact.email", Form.HASHED, _ROWS, _ROWS, held, 0.95)
    column = Column("email", 0, _ROWS, Kind.ENTITY, (found,))
    return _outcome(Table("-", _ROWS, (column,)))


def _clear(digests: Any, people: Any) -> Outcome:
    """Probes are of the first of its people, as a scan takes those with the smallest hashes."""
    first = people[:PROBED]
    probes = tuple(
        Probe(name, way, np.sort(every[first, at].reshape(-1)).astype("<u8").tobytes())
        for (name, _, _), every in zip(_COLUMNS, digests, strict=True)
        for at, way in enumerate(_WAYS)
    )
    return _outcome(Table("-", _ROWS, (), probes=probes))


def _outcome(table: Table) -> Outcome:
    return Outcome("f.csv", None, "csv", 1, "0" * 64, Status.SCANNED, tables=(table,))


def _write(ledger: Ledger, connection: Connection, number: int, vendor: str, outcome: Outcome) -> None:
    blobs = dict([ledger.sealed(evidence.encode(outcome))])
    digest = next(iter(blobs))
    sealed = [ledger.sealed(each) if each else None for each in undoing.noted(ledger, outcome)]
    blobs |= dict(each for each in sealed if each)
    known = schema.blobs
    for name, data in blobs.items():
        if connection.execute(select(known.c.digest).where(known.c.digest == name)).first() is None:
            connection.execute(insert(known), {"digest": name, "data": data})
    hashed, probes = [each[0] if each else None for each in sealed]
    row = {"version": number, "vendor": vendor, "hashed": hashed, "probes": probes}
    connection.execute(insert(schema.undoing), row)
    about = {
        "id": number, "vendor": vendor, "content": f"sha256:{number}", "feed": "f", "format": "csv",
        "bytes": 1, "rows": _ROWS, "status": "scanned", "gaps": 0, "shape": "s", "fields": "", "people": None,
        "evidence": digest, "people_low": _ROWS, "people_best": _ROWS, "people_high": _ROWS,
        "rules_digest": "r", "policy_digest": None, "tag": number, "forgotten": 0,
    }  # fmt: skip
    connection.execute(insert(schema.versions), about)
    there = {
        "id": number, "version": number, "vendor": vendor, "location": f"/share/{vendor}/{number}.csv",
        "member": "", "path": f"{vendor}/{number}.csv", "first_seen": "2026-01-01T00:00:00.000000Z",
        "last_seen": _AT, "gone": None, "size": 1, "modified": None, "device": "", "tag": number,
    }  # fmt: skip
    connection.execute(insert(schema.presences), there)


def _sizes(ledger: Ledger) -> None:
    blobs, table = schema.blobs, schema.undoing
    with ledger.reading() as connection:
        for name, column in (("digests", table.c.hashed), ("clear columns", table.c.probes)):
            query = select(func.avg(func.length(blobs.c.data))).where(blobs.c.digest == column)
            print(f"kept of a version with {name}: {connection.execute(query).scalar() / 1024:.1f} KiB")


def _timed_all(ledger: Ledger, vendors: int, wanted: int) -> None:
    law = "version: 1\norganisation: B\nvendors:\n"
    for vendor in range(vendors):
        law += f'  - {{id: v{vendor}, paths: ["v{vendor}/**"], '
        law += "allow: [{category: user.contact.email, form: [hashed]}]}\n"
    policy = loads(law, "p").policy
    first = _timed("known for the first time", lambda: of_undone(ledger, _AT, "p"))
    if len(first.told) != wanted:
        raise SystemExit(f"{len(first.told)} of {wanted} were found")
    writer = Writer(ledger)

    def settled(name: str, undone: Any, before: Any) -> Any:
        out: list[Any] = []

        def also(connection: Connection) -> None:
            out.append(settle_undone(connection, ledger, policy, undone, _AT, before))

        _timed(name, lambda: writer.write("judged", [], also=also))
        changes, state = out[0]
        print(f"    {len(changes)} findings changed")
        return state

    state = settled("registered for the first time", first, None)
    again = _timed("known when nothing changed", lambda: of_undone(ledger, _AT, "p"))
    state = settled("registered when nothing changed", again, state)
    dice = np.random.default_rng(0)
    digests = dice.integers(0, 1 << 63, (_PEOPLE, len(_WAYS), _WRITTEN), dtype=np.uint64)
    with ledger.engine.begin() as connection:
        _write(ledger, connection, 1 << 30, "v0", _clear([digests] * len(_COLUMNS), np.arange(_ROWS)))
    more = _timed("known when one vendor got a file", lambda: of_undone(ledger, _AT, "p"))
    settled("registered then", more, state)
    writer.close()
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")


def _timed(name: str, call: Callable[[], _T]) -> _T:
    started = time.process_time()
    found = call()
    print(f"{name}: {time.process_time() - started:.2f} s of processor time")
    return found


if __name__ == "__main__":
    main()
