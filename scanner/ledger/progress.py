"""How far scans of archives are: one that was ended goes on behind the members whose outcomes are recorded.

A member is noted in the transaction that records its outcome, and all are dropped with the end of the file's
waiting. They count only while nothing changes that decides what a scan finds: the binding says what that is.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from scanner.ledger import schema
from scanner.ledger.store import stored
from scanner.model import NESTED


@dataclass(frozen=True, slots=True)
class Done:
    """A member whose outcome is recorded.

    Attributes:
        member: its name, as stored.
        incomplete: whether something of it was not read.
        because: why the policy does not allow it; None where it does.
    """

    member: str
    incomplete: bool
    because: str | None


def binding(signature: Iterable[int], *others: str) -> str:
    """A hex SHA-256 of what a scan's result depends on: the file's signature, rules, settings, policy."""
    text = "\n".join([",".join(str(number) for number in signature), *others])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def note(connection: Connection, share: str, path: str, bound: str, number: int, done: Done) -> None:
    """Note a member, the file's ``number``-th, counted from 0 and with those of nested containers."""
    row = {
        "share": stored(share),
        "key": os.fsencode(path),
        "number": number,
        "member": done.member,
        "incomplete": int(done.incomplete),
        "because": done.because,
        "binding": bound,
    }
    connection.execute(insert(schema.agent_progress), row)


def resume(connection: Connection, share: str, path: str, bound: str) -> list[Done]:
    """What need not be scanned again of a file, in its order; the rest of what was noted is dropped.

    Members of a nested container that was not read to its end are not part of it.
    """
    table = schema.agent_progress
    here = (table.c.share == stored(share), table.c.key == os.fsencode(path))
    rows = connection.execute(select(table).where(*here).order_by(table.c.number)).all()
    noted = [Done(row.member, bool(row.incomplete), row.because) for row in rows]
    whole = _whole(noted) if all(row.binding == bound for row in rows) else 0
    if whole < len(noted):
        connection.execute(delete(table).where(*here, table.c.number >= whole))
    return noted[:whole]


def members(done: Sequence[Done]) -> int:
    """How many members of the file itself these are, without those of nested containers."""
    return sum(NESTED not in each.member for each in done)


def _whole(noted: Sequence[Done]) -> int:
    """How many come up to and with the last member of the file itself."""
    return max((place for place, each in enumerate(noted, 1) if NESTED not in each.member), default=0)


def drop(connection: Connection, share: str, path: str | None = None) -> None:
    """Forget how far a file is, or every file of a share."""
    table = schema.agent_progress
    statement = delete(table).where(table.c.share == stored(share))
    if path is not None:
        statement = statement.where(table.c.key == os.fsencode(path))
    connection.execute(statement)
