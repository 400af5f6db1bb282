"""Sinks that go down under load: does every finding arrive, in order per item, once after de-duplication?

A ledger, a JSON lines file, a webhook and an OpenSearch stand-in on loopback. Events are put in at full
speed while the servers refuse, stall and drop connections, and the dispatcher is stopped and started again
half-way. Prints what arrived, throughput and memory (with that of the stand-ins, which keep all requests).
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import psutil

from bench.common import save, scratch, table
from scanner.events import Event, Subscription, stable_id
from scanner.ledger.outbox import Outbox
from scanner.ledger.store import open_ledger
from scanner.sinks.base import Sink
from scanner.sinks.config import build
from scanner.sinks.dispatch import Dispatcher
from tests.sinks.making import HOST, TIME, finding
from tests.sinks.server import Reply, Request, serving

_Answer = TypeVar("_Answer")
_BATCH = 50
_ITEMS = 200


class Weather:
    """Whether the servers are up; down for a while, again and again."""

    def __init__(self) -> None:
        self.down = False
        self.accepted: set[int] = set()
        self._count = 0

    def __call__(self, request: Request) -> Reply:
        """Answer as the weather is."""
        self._count += 1
        if self.down:
            kinds = (
                Reply(503, b""),
                Reply(drop=True),
                Reply(429, b"", {"Retry-After": "0"}),
                Reply(404, b""),
            )
            return kinds[self._count % len(kinds)]
        self.accepted.add(id(request))
        if request.path.endswith("/_bulk"):
            return _bulk(request)
        return Reply(204, b"")


def _bulk(request: Request) -> Reply:
    ids = [json.loads(line)["create"]["_id"] for line in request.body.splitlines()[::2]]
    items = [{"create": {"_id": each, "status": 201}} for each in ids]
    return Reply(200, json.dumps({"errors": False, "items": items}).encode())


def main() -> int:
    """Run the bench; exit status 1 where anything is missing, doubled or out of order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--outages", type=int, default=4, help="times that the servers go down")
    parser.add_argument("--backlog", type=int, help="only measure an outbox with so many events waiting")
    options = parser.parse_args()
    if options.backlog:
        with scratch() as folder:
            found = backlog(folder, options.backlog)
        print(table(["", "value"], list(found.items())))
        save("sinks-backlog", found)
        return 0
    with scratch() as folder:
        found = measure(folder, options.events, options.outages)
    print(table(["", "value"], [[key, value] for key, value in found.items() if key != "sinks"]))
    print()
    header = ["sink", "arrived", "distinct", "repeated", "missing", "out of order"]
    print(table(header, [[name, *row.values()] for name, row in found["sinks"].items()]))
    save("sinks", found)
    return 1 if any(row["missing"] or row["out of order"] for row in found["sinks"].values()) else 0


def measure(folder: Path, events: int, outages: int) -> dict[str, Any]:
    """Put so many events in, with so many outages; what arrived, and how fast."""
    weather = Weather()
    with serving(weather) as server, open_ledger(str(folder / "ledger.db"), create=True) as ledger:
        outbox, sinks = Outbox(ledger.engine, host=HOST), build(_configuration(folder, server.url))
        own = psutil.Process()
        before = own.memory_info().rss
        dispatcher = Dispatcher(outbox, sinks)
        dispatcher.start()
        started, peak = time.monotonic(), before
        turning = threading.Thread(target=_turn, args=(weather, outages))
        turning.start()
        for number in range(0, events, _BATCH):
            made = [_event(each) for each in range(number, min(number + _BATCH, events))]
            with ledger.engine.begin() as connection:
                outbox.append(connection, made, [sink.subscription for sink in sinks])
            dispatcher.wake()
            peak = max(peak, own.memory_info().rss)
            if number // _BATCH == events // _BATCH // 2:
                dispatcher = _restarted(dispatcher, outbox, folder, server.url)
        put_in = time.monotonic() - started
        turning.join()
        dispatcher.retry_now()
        drained = dispatcher.drain(600)
        took = time.monotonic() - started
        peak = max(peak, own.memory_info().rss)
        dispatcher.stop()
        waiting = sum(each.pending + each.dead for each in outbox.backlog())
        arrived = {
            "jsonl": [
                json.loads(line)["id"] for line in (folder / "findings.jsonl").read_text().splitlines()
            ],
            "webhook": [each.headers["webhook-id"] for each in _taken(server.requests, weather, "/hook")],
            "opensearch": _created(_taken(server.requests, weather, "/_bulk")),
        }
    expected = [_event(number) for number in range(events)]
    return {
        "events": events,
        "outages": outages,
        "drained": str(drained),
        "still waiting": waiting,
        "seconds to put in": put_in,
        "seconds until all had arrived": took,
        "deliveries per second": 3 * events / took,
        "memory at the start, MB": before / 1e6,
        "largest memory, MB": peak / 1e6,
        "sinks": {name: _judged(ids, expected) for name, ids in arrived.items()},
    }


def backlog(folder: Path, events: int) -> dict[str, Any]:
    """How an outbox does while a sink has been down for long."""
    where = folder / "ledger.db"
    with open_ledger(str(where), create=True) as ledger:
        outbox, to = Outbox(ledger.engine, host=HOST), [Subscription("down")]
        started = time.monotonic()
        for number in range(0, events, 1000):
            made = [_event(each) for each in range(number, min(number + 1000, events))]
            with ledger.engine.begin() as connection:
                outbox.append(connection, made, to)
        put_in = time.monotonic() - started
        batch, ready = _timed(lambda: outbox.ready("down", 200)[0])
        _, settled = _timed(lambda: outbox.delivered("down", [each.seq for each in batch]))
        _, one_each = _timed(lambda: outbox.ready("down", 200, one_an_item=True))
        _, counted = _timed(outbox.backlog)
    return {
        "events that wait": events,
        "events put in per second": events / put_in,
        "size of the database, MB": where.stat().st_size / 1e6,
        "seconds to take 200": ready,
        "seconds to take 200, one of each item": one_each,
        "seconds to mark 200": settled,
        "seconds to count": counted,
    }


def _timed(what: Callable[[], _Answer]) -> tuple[_Answer, float]:
    started = time.perf_counter()
    answer = what()
    return answer, time.perf_counter() - started


def _configuration(folder: Path, url: str) -> list[dict[str, Any]]:
    secret = folder / "secret"
    secret.write_text("a-key-for-the-bench-only")
    secret.chmod(0o600)
    quick = {"backoff_seconds": 0.05, "backoff_limit_seconds": 1}
    return [
        {"type": "jsonl", "path": str(folder / "findings.jsonl"), **quick},
        {"type": "webhook", "url": f"{url}/hook", "secret_file": str(secret), **quick},
        {"type": "opensearch", "url": url, **quick},
    ]


def _event(number: int) -> Event:
    """The events of an item are numbered upwards."""
    body = {"finding": finding(number)}
    return Event("finding.opened", stable_id("bench", str(number)), TIME, HOST, f"i{number % _ITEMS}", body)


def _turn(weather: Weather, outages: int) -> None:
    for _ in range(outages):
        time.sleep(0.7)
        weather.down = True
        time.sleep(1.3)
        weather.down = False


def _restarted(old: Dispatcher, outbox: Outbox, folder: Path, url: str) -> Dispatcher:
    old.stop()
    sinks: list[Sink] = build(_configuration(folder, url))
    made = Dispatcher(outbox, sinks)
    made.start()
    return made


def _taken(requests: Iterable[Request], weather: Weather, ending: str) -> list[Request]:
    """The requests that were answered with success."""
    return [each for each in requests if each.path.endswith(ending) and id(each) in weather.accepted]


def _created(requests: Iterable[Request]) -> list[str]:
    return [json.loads(line)["create"]["_id"] for each in requests for line in each.body.splitlines()[::2]]


def _judged(ids: list[str], expected: list[Event]) -> dict[str, int]:
    """What arrived beside what was put in; repetitions do not count as disorder, their first time does."""
    first = {identity: at for at, identity in reversed(list(enumerate(ids)))}
    last: dict[str, int] = {}
    disorder = missing = 0
    for each in expected:
        at = first.get(each.id)
        if at is None:
            missing += 1
            continue
        disorder += at < last.get(each.item, -1)
        last[each.item] = at
    return {
        "arrived": len(ids),
        "distinct": len(first),
        "repeated": len(ids) - len(first),
        "missing": missing,
        "out of order": disorder,
    }


if __name__ == "__main__":
    sys.exit(main())
