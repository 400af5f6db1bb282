"""Events, stores and waits for the tests of sinks; every name in them is made up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scanner.events import Event, Waiting, stable_id
from scanner.ledger.outbox import Outbox
from scanner.ledger.store import Ledger, open_ledger
from scanner.sinks.base import Common, Result, Sink, Unavailable

TIME = "2026-11-23T08:00:04.250000Z"
HOST = "files01"


def finding(number: int = 0, **more: Any) -> dict[str, Any]:
    """A finding as the JSON report has it."""
    return {
        "id": f"f{number:04d}",
        "verdict": "over_shared",
        "severity": "high",
        "vendor": "northwind",
        "path": f"northwind/customers_{number}.csv",
        "member": None,
        "table": "customers",
        "text": None,
        "column": "email",
        "hidden": False,
        "entity_type": "EMAIL_ADDRESS",
        "category": "user.contact.email",
        "form": "clear",
        "rows": 599,
        "people": {"low": 599, "best": 599, "high": 599},
        "confidence": 0.99,
        "rule": "vendors.northwind.allow",
        "because": "email addresses are not among what northwind may have.",
        "remedy": "Take the column out of the delivery.",
        "attack": ["T1199", "T1213.004"],
        **more,
    }


def event(number: int = 0, item: str = "", kind: str = "finding.opened", **more: Any) -> Event:
    """An event about a finding; ``number`` makes it another."""
    body = {"finding": finding(number, **more)}
    return Event(kind, stable_id(kind, item, str(number)), TIME, HOST, item, body)


def scanned(number: int = 0, item: str = "") -> Event:
    """A routine event."""
    about = {
        "path": f"northwind/{number}.csv",
        "member": None,
        "vendor": "northwind",
        "format": "csv",
        "bytes": 1,
        "status": "scanned",
    }
    return Event("item.scanned", stable_id("scanned", item, str(number)), TIME, HOST, item, {"item": about})


def gap(number: int = 0) -> Event:
    """An event about something not looked at."""
    about = {
        "stage": "read",
        "reason": "encrypted",
        "detail": "a password is needed",
        "where": None,
        "intentional": False,
    }
    where = {"path": f"northwind/{number}.zip", "member": None, "vendor": "northwind"}
    return Event("gap", stable_id("gap", str(number)), TIME, HOST, "", {"gap": about, "item": where})


def waiting(number: int = 0, made: Event | None = None) -> Waiting:
    """An event on its way."""
    each = made or event(number)
    return Waiting(number + 1, each.id, each.event, each.item, each.line(), 0, TIME)


def put(ledger: Ledger, outbox: Outbox, events: Sequence[Event], sinks: Sequence[Sink]) -> int:
    """Put events into the outbox."""
    with ledger.engine.begin() as connection:
        return outbox.append(connection, events, [sink.subscription for sink in sinks])


@contextmanager
def store(folder: Path, **more: Any) -> Iterator[tuple[Ledger, Outbox]]:
    """A ledger and its outbox."""
    with open_ledger(str(folder / "ledger.db"), create=True) as ledger:
        yield ledger, Outbox(ledger.engine, host=HOST, **more)


class Recorder(Sink):
    """A sink that keeps what it is given, and fails as it is told to.

    Attributes:
        script: called with the batch; gives the result, or None for success.
    """

    type = "recorder"

    def __init__(
        self,
        name: str = "recorder",
        script: Callable[[Sequence[Waiting]], Result | None] | None = None,
        **common: Any,
    ) -> None:
        super().__init__(Common(name, **{"backoff_seconds": 0.01, "backoff_limit_seconds": 0.05, **common}))
        self.taken: list[Waiting] = []
        self.batches: list[int] = []
        self.script = script
        self.closed = False

    def send(self, batch: Sequence[Waiting]) -> Result:
        self.batches.append(len(batch))
        result = self.script(batch) if self.script else None
        if result is None:
            result = Result(delivered=[each.seq for each in batch])
        done = set(result.delivered)
        self.taken += [each for each in batch if each.seq in done]
        return result

    def healthcheck(self) -> None:
        return None

    def close(self) -> None:
        self.closed = True

    @property
    def ids(self) -> list[str]:
        """What it took, in order."""
        return [each.id for each in self.taken]


def down(reason: str = "connection refused", after: float | None = None) -> Result:
    """The receiver is away."""
    return Result(unavailable=Unavailable(reason, after))


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something to become true."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not come about in time"
        time.sleep(0.005)
