"""What lies within reach now, a page at a time: for what is to be judged again without a scan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from scanner.ledger import evidence, schema
from scanner.ledger.store import Ledger
from scanner.model import Outcome


@dataclass(frozen=True, slots=True)
class Standing:
    """A version at a place.

    Attributes:
        number: of the presence; pages go by it.
        place: absolute path of the file, and the member inside of it.
        path: relative to the share.
        modified: seconds of the epoch at which the file there was last changed; None where that is not known.
        evidence: name of the blob that holds what was found; None where it was forgotten.
    """

    number: int
    place: tuple[str, str]
    path: str
    modified: float | None
    evidence: str | None


def page(connection: Connection, after: int, count: int) -> list[Standing]:
    """What lies within reach, in the order of numbers.

    Args:
        connection: to the ledger.
        after: the last number of the page before; 0 for the first page.
        count: how many at most.
    """
    table, versions = schema.presences, schema.versions
    query = (
        select(table.c.id, table.c.location, table.c.member, table.c.path, table.c.modified)
        .add_columns(versions.c.evidence)
        .join(versions, versions.c.id == table.c.version)
        .where(table.c.id > after, table.c.gone.is_(None))
        .order_by(table.c.id)
        .limit(count)
    )
    return [
        Standing(row.id, (row.location, row.member), row.path, row.modified, row.evidence)
        for row in connection.execute(query)
    ]


def outcomes(ledger: Ledger, connection: Connection, found: list[Standing]) -> list[Outcome | None]:
    """What was recorded of each, as of the file at its place; None where it was forgotten."""
    blobs = ledger.blobs(connection, sorted({each.evidence for each in found if each.evidence}))
    return [
        None
        if each.evidence not in blobs
        else replace(
            evidence.decode(blobs[each.evidence]),
            path=each.path,
            member=each.place[1] or None,
            modified=each.modified,
        )
        for each in found
    ]
