"""Records generated outcomes until it is killed, and says which were acknowledged."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from scanner.ledger.recorder import Delivery, Recorder
from scanner.ledger.store import open_ledger, stamp
from scanner.model import Outcome, Status

_SEEN = stamp(datetime(2026, 1, 2, tzinfo=UTC))


def outcome(number: int) -> Outcome:
    """An item whose content is its number."""
    return Outcome(f"acme/{number}.txt", None, "text", 1, f"{number:064x}", Status.SCANNED)


def main(where: str, start: int) -> None:
    """Record from a number on."""
    with open_ledger(where) as ledger, Recorder(ledger, rules_digest="test") as recorder:
        for number in range(start, start + 100_000):
            item = outcome(number)
            recorder.record(item, _SEEN, Delivery("acme", f"/share/{item.path}", item.path))
            print(number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
