"""Puts events in and delivers them until it is killed: ``python -m tests.sinks.teller FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from scanner.sinks.base import Common
from scanner.sinks.dispatch import Dispatcher
from scanner.sinks.jsonl import JsonlOptions, JsonlSink
from tests.sinks.making import event, put, store

ITEMS = 7


def main(folder: Path) -> None:
    """Go on where the one before was killed; each event is recorded with its number."""
    log = folder / "put"
    with store(folder) as (ledger, outbox):
        sink = JsonlSink(Common("jsonl", batch=3), JsonlOptions(str(folder / "out.jsonl")))
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        number = len(log.read_text().split()) if log.exists() else 0
        while True:
            put(ledger, outbox, [event(number, f"i{number % ITEMS}")], [sink])
            with log.open("a") as out:
                out.write(f"{number}\n")
            number += 1
            dispatcher.wake()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
