"""How a finding came to be: what each delivery of its feed held of the field that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from scanner.ledger import queries
from scanner.ledger.store import Ledger
from scanner.model import Estimate, Outcome

_ALWAYS = queries.Window("0001", "9999")


@dataclass(frozen=True, slots=True)
class Held:
    """What a delivery held.

    Attributes:
        path: where it lay, with the member.
        first_seen: as stamped.
        gone: None while it is there.
        rows: with the finding's entity type in its column; of the whole item where it is about no field.
        people: of the whole item, as counted when it was recorded.
    """

    path: str
    first_seen: str
    gone: str | None
    rows: int
    people: Estimate


def of_finding(
    ledger: Ledger, connection: Connection, finding: Mapping[str, Any], most: int
) -> tuple[int, list[Held]]:
    """The deliveries of a finding's feed that hold what it is about, oldest first.

    Args:
        ledger: an open one.
        connection: to it.
        finding: as in reports.
        most: so many of the latest are looked into.

    Returns:
        How many deliveries the feed has had, and those that were looked into and hold it.
    """
    if not finding["path"]:
        return 0, []
    place = f"{finding['path']} > {finding['member']}" if finding["member"] else finding["path"]
    known = queries.reachable(connection, _ALWAYS, finding["vendor"])
    feeds = {version.feed for version in known if place in version.paths}
    line = [version for version in known if version.feed in feeds]
    seen = queries.first_sights(connection, finding["vendor"])
    line.sort(key=lambda version: (seen[version.id], version.id))
    out = [each for version in line[-most:] for each in _held(ledger, connection, finding, version)]
    return len(line), out


def _held(
    ledger: Ledger, connection: Connection, finding: Mapping[str, Any], version: queries.Version
) -> Iterator[Held]:
    outcome = queries.outcome_of(ledger, connection, version)
    rows = version.rows if finding["column"] is None or outcome is None else _rows(outcome, finding)
    if not rows and finding["column"] is not None:
        return
    for path, first, gone in queries.spans(connection, version, _ALWAYS):
        yield Held(path, first, gone, rows, version.totals)


def _rows(outcome: Outcome, finding: Mapping[str, Any]) -> int:
    return sum(
        found.rows
        for table in outcome.tables
        for column in table.columns
        if column.name == finding["column"]
        for found in column.entities
        if found.entity_type == finding["entity_type"]
    )
