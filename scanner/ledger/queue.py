"""What the agent must not forget: the files it knows, those that wait to be scanned, and facts of its own.

All of it lies in the ledger's database, so that a file leaves the queue in the transaction that records what
was found in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, not_, or_, select, update

from scanner.ledger import progress, schema
from scanner.ledger.store import stored

#: Why a file waits, most urgent first.
FRESH, AGAIN, VERIFY = 0, 1, 2

_SIGNED = ("device", "inode", "size", "mtime_ns", "ctime_ns", "links")


@dataclass(frozen=True, slots=True)
class Job:
    """A file that waits.

    Attributes:
        share, path: where it is.
        kind: `FRESH`, `AGAIN` (other rules) or `VERIFY` (it is time to look again).
        size: bytes, when it was queued.
        since: seconds of the epoch at which it was complete.
        tries: scans of it that ended without an outcome.
    """

    share: str
    path: str
    kind: int
    size: int
    since: float
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits: by kind, and seconds of the epoch since which the oldest does."""

    fresh: int
    again: int
    verify: int
    oldest: float | None


def _key(path: str) -> bytes:
    return os.fsencode(path)


def _numbers(signature: Iterable[int]) -> dict[str, int]:
    return dict(zip(_SIGNED, (_signed(value) for value in signature), strict=True))


def _signed(value: int) -> int:
    """Device and inode numbers may use the highest bit, which a column of 64 bits takes for a sign."""
    return value - (1 << 64) if value >= 1 << 63 else value


# -- the queue ----------------------------------------------------------------------------------------------


def put(connection: Connection, jobs: Iterable[Job], due: float) -> int:
    """Queue files; one that waits already keeps the more urgent of both kinds. Gives how many are new."""
    table, added = schema.agent_queue, 0
    for job in jobs:
        here = (table.c.share == stored(job.share), table.c.key == _key(job.path))
        known = connection.execute(select(table.c.kind).where(*here)).scalar()
        values = {"kind": job.kind, "size": job.size, "since": job.since, "due": due, "tries": 0}
        if known is None:
            row = {"share": stored(job.share), "key": _key(job.path), **values}
            connection.execute(insert(table), row)
            added += 1
        elif job.kind <= known:
            connection.execute(update(table).where(*here).values(**values))
    return added


def next_jobs(
    connection: Connection,
    now: float,
    count: int,
    *,
    small: int,
    busy: Collection[tuple[str, str]],
    fresh: bool,
) -> list[Job]:
    """The most urgent jobs: fresh before others, small before big, new before old.

    Args:
        connection: to the ledger.
        now: seconds of the epoch; what is put off until later is left out.
        count: of jobs at most.
        small: bytes up to which a file is small.
        busy: share and path of what is being scanned.
        fresh: only fresh small files.
    """
    table = schema.agent_queue
    big = table.c.size > small
    query = select(table).where(table.c.due <= now)
    if fresh:
        query = query.where(table.c.kind == FRESH, not_(big))
    query = query.order_by(table.c.kind, big, table.c.since.desc(), table.c.key).limit(count + len(busy))
    found = [_job(row) for row in connection.execute(query)]
    return [job for job in found if (job.share, job.path) not in busy][:count]


def _job(row: Row[Any]) -> Job:
    return Job(row.share, os.fsdecode(bytes(row.key)), row.kind, row.size, row.since, row.tries)


def next_due(connection: Connection) -> float | None:
    """When the earliest job may be done, in seconds of the epoch; None where nothing waits."""
    found = connection.execute(select(func.min(schema.agent_queue.c.due))).scalar()
    return None if found is None else float(found)


def put_off(connection: Connection, share: str, path: str, due: float) -> None:
    """After a scan without an outcome: count it, and wait."""
    table = schema.agent_queue
    here = (table.c.share == stored(share), table.c.key == _key(path))
    connection.execute(update(table).where(*here).values(tries=table.c.tries + 1, due=due))


def drop(connection: Connection, share: str, path: str) -> None:
    """A file that does not wait any more."""
    table = schema.agent_queue
    connection.execute(delete(table).where(table.c.share == stored(share), table.c.key == _key(path)))
    progress.drop(connection, share, path)


def waiting(connection: Connection) -> Waiting:
    """How much waits."""
    table = schema.agent_queue
    query = select(table.c.kind, func.count(), func.min(table.c.since)).group_by(table.c.kind)
    found = {row[0]: (int(row[1]), float(row[2])) for row in connection.execute(query)}
    oldest = min((since for _, since in found.values()), default=None)
    counts = [found.get(kind, (0, 0.0))[0] for kind in (FRESH, AGAIN, VERIFY)]
    return Waiting(counts[0], counts[1], counts[2], oldest)


# -- what is known -------------------------------------------------------------------------------------------


def scanned(
    connection: Connection, share: str, path: str, signature: Iterable[int], at: float, rules: str
) -> None:
    """A file was scanned as it was then: it is known, and leaves the queue."""
    table = schema.agent_files
    here = (table.c.share == stored(share), table.c.key == _key(path))
    values = {**_numbers(signature), "scanned": at, "rules": rules}
    if not connection.execute(update(table).where(*here).values(**values)).rowcount:
        connection.execute(insert(table), {"share": stored(share), "key": _key(path), **values})
    drop(connection, share, path)


def forget(connection: Connection, share: str, path: str) -> None:
    """A file that is gone."""
    table = schema.agent_files
    connection.execute(delete(table).where(table.c.share == stored(share), table.c.key == _key(path)))
    drop(connection, share, path)


def forget_all(connection: Connection, share: str) -> None:
    """All files of a share, so that each is scanned when it is next noticed."""
    for table in (schema.agent_files, schema.agent_queue):
        connection.execute(delete(table).where(table.c.share == stored(share)))
    progress.drop(connection, share)


def known(
    connection: Connection, share: str, below: str = "", *, deep: bool = True
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Known files of a share and their signatures, in the order of their paths' bytes, as they are read.

    Args:
        connection: to the ledger; do nothing else with it meanwhile.
        share: which.
        below: the folder, or the file; empty for all.
        deep: False gives the files of that one folder only.
    """
    table = schema.agent_files
    query = select(table).where(table.c.share == stored(share)).order_by(table.c.key)
    if below:
        start = _key(below)
        inside = and_(table.c.key >= start + b"/", table.c.key < start + b"0")
        query = query.where(or_(table.c.key == start, inside))
    prefix = f"{below}/" if below else ""
    rows = connection.execution_options(stream_results=True, yield_per=2000).execute(query)
    for row in rows:
        path = os.fsdecode(bytes(row.key))
        if not deep and "/" in path[len(prefix) :]:
            continue
        yield path, tuple(int(getattr(row, name)) for name in _SIGNED)


def signature(connection: Connection, share: str, path: str) -> tuple[tuple[int, ...], str] | None:
    """The signature of a known file when it was scanned, and the rules it was scanned by."""
    table = schema.agent_files
    query = select(table).where(table.c.share == stored(share), table.c.key == _key(path))
    row = connection.execute(query).one_or_none()
    return None if row is None else (tuple(int(getattr(row, name)) for name in _SIGNED), row.rules)


def count(connection: Connection, share: str | None = None) -> int:
    """How many files are known."""
    table = schema.agent_files
    query = select(func.count()).select_from(table)
    if share is not None:
        query = query.where(table.c.share == stored(share))
    return int(connection.execute(query).scalar() or 0)


def outdated(connection: Connection, rules: str, before: float, most: int) -> list[Job]:
    """Known files that other rules were used on, then those scanned before a time; none that wait already."""
    table, queue = schema.agent_files, schema.agent_queue
    there = select(queue.c.key).where(queue.c.share == table.c.share, queue.c.key == table.c.key).exists()
    query = select(table).where(not_(there), or_(table.c.rules != rules, table.c.scanned < before))
    query = query.order_by((table.c.rules == rules), table.c.scanned).limit(most)
    return [
        Job(
            row.share,
            os.fsdecode(bytes(row.key)),
            AGAIN if row.rules != rules else VERIFY,
            row.size,
            row.scanned,
        )
        for row in connection.execute(query)
    ]


# -- facts ---------------------------------------------------------------------------------------------------


def fact(connection: Connection, name: str) -> Any:
    """A fact that was kept; None where it was not."""
    table = schema.agent_facts
    held = connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
    return None if held is None else json.loads(held)


def keep(connection: Connection, name: str, value: Any) -> None:
    """Keep a fact."""
    table = schema.agent_facts
    text = json.dumps(value)
    if not connection.execute(update(table).where(table.c.name == name).values(value=text)).rowcount:
        connection.execute(insert(table), {"name": name, "value": text})
