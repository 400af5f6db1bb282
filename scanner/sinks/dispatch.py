"""The dispatcher: one thread for each sink takes events out of the outbox and hands them over.

A thread with nothing to do sleeps until `Dispatcher.wake`, without any timer. A sink that is down is tried
again after exponentially growing waits with jitter (or when it asked to be), and holds up nobody else.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from scanner.events import Waiting
from scanner.sinks.base import Result, Sink, Unavailable

_JITTER = random.SystemRandom()
#: Seconds between tries while the outbox itself cannot be read or written (a full disk).
_STORE_PAUSE = 5.0
#: Seconds that a connection is kept after the last event.
_LINGER = 10.0


class Store(Protocol):
    """What the dispatcher needs of the outbox; `scanner.ledger.outbox.Outbox` is one."""

    def ready(
        self, sink: str, limit: int, *, one_an_item: bool = False
    ) -> tuple[list[Waiting], float | None]:
        """What may be sent now; where nothing may, the seconds until something may."""

    def settle(
        self,
        sink: str,
        *,
        delivered: Sequence[int] = (),
        failed: Mapping[int, float] | None = None,
        dead: Mapping[int, str] | None = None,
        reasons: Mapping[int, str] | None = None,
    ) -> None:
        """Mark what became of a batch."""


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """How one sink does.

    Attributes:
        name: the sink's.
        type: its type.
        up: whether it could be reached at the last try; None before the first.
        delivered: events handed over since the start.
        failures: tries that failed since the start.
        given_up: events that became dead letters since the start.
        last_success: RFC 3339, None where there was none yet.
        problem: the last failure's reason, None once a try succeeded.
        retry_in: seconds until the next try of a sink that is down.
        down_since: RFC 3339, when it was first found to be down; None while it is not.
    """

    name: str
    type: str
    up: bool | None
    delivered: int
    failures: int
    given_up: int
    last_success: str | None
    problem: str | None
    retry_in: float | None
    down_since: str | None = None

    def document(self) -> dict[str, Any]:
        """As JSON takes it, in heartbeats and in the status."""
        return {
            "name": self.name,
            "type": self.type,
            "up": self.up,
            "delivered": self.delivered,
            "failures": self.failures,
            "given_up": self.given_up,
            "last_success": self.last_success,
            "problem": self.problem,
            "retry_in": None if self.retry_in is None else round(self.retry_in, 1),
            "down_since": self.down_since,
        }


class Dispatcher:
    """Delivers what is in the outbox to the sinks.

    Args:
        store: the outbox.
        sinks: names are distinct.
        on_change: called from a sink's thread when the sink goes down or comes up again, and when events were
            given up: ``(status, given_up)``. Must be quick and must not raise.
    """

    def __init__(
        self,
        store: Store,
        sinks: Sequence[Sink],
        on_change: Callable[[SinkStatus, int], None] | None = None,
    ) -> None:
        self._lanes = [_Lane(store, sink, on_change) for sink in sinks]

    def start(self) -> None:
        """Start the threads, which deliver at once what an earlier run left."""
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        """Events were added: call it after their transaction ended."""
        for lane in self._lanes:
            lane.wake()

    def tell_now(self, found: Sequence[Waiting]) -> None:
        """Hand events over past the outbox, while that cannot be written: tried once, and not marked.

        Whoever calls it puts them into the outbox later; a receiver then has them twice, under one id.
        """
        for lane in self._lanes:
            lane.tell_now(found)

    def retry_now(self) -> None:
        """Try sinks that are down at once (after a reload, or when somebody asked for it)."""
        for lane in self._lanes:
            lane.wake(now=True)

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits any more, at most so many seconds; whether that came about.

        What waits for a sink that is down stays in the outbox.
        """
        ends = time.monotonic() + timeout
        self.wake()
        done = [lane.drained(max(0.0, ends - time.monotonic())) for lane in self._lanes]
        return all(done)

    def stop(self, timeout: float = 30.0) -> bool:
        """End the threads after the batch they are at; whether they ended in time. The sinks are closed."""
        for lane in self._lanes:
            lane.stop()
        ends = time.monotonic() + timeout
        done = [lane.ended(max(0.0, ends - time.monotonic())) for lane in self._lanes]
        return all(done)

    def status(self) -> tuple[SinkStatus, ...]:
        """How each sink does."""
        return tuple(lane.status() for lane in self._lanes)


class _Lane:
    """One sink and its thread."""

    def __init__(self, store: Store, sink: Sink, on_change: Callable[[SinkStatus, int], None] | None) -> None:
        self._store, self._sink, self._on_change = store, sink, on_change
        self._thread = threading.Thread(target=self._run, name=f"sink {sink.name}", daemon=True)
        self._changed = threading.Condition()
        self._woken, self._stopping, self._idle, self._retry_now = True, False, False, False
        self._downs = 0  # failures in a row
        self._resume: float | None = None  # monotonic; while the sink is down
        self._busy = False
        self._urgent: list[Waiting] = []  # told past the outbox
        self._up: bool | None = None
        self._delivered = self._failures = self._given_up = 0
        self._last_success: str | None = None
        self._down_since: str | None = None
        self._problem: str | None = None

    def start(self) -> None:
        self._thread.start()

    def wake(self, *, now: bool = False) -> None:
        with self._changed:
            self._woken, self._idle = True, False
            self._retry_now = self._retry_now or now
            self._changed.notify_all()

    def tell_now(self, found: Sequence[Waiting]) -> None:
        with self._changed:
            self._urgent += [each for each in found if each.event in self._sink.common.kinds]
            self._woken, self._idle = True, False
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def ended(self, timeout: float) -> bool:
        if self._thread.ident is None:
            self._sink.close()
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def drained(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._idle, timeout)

    def status(self) -> SinkStatus:
        resume = self._resume
        return SinkStatus(
            self._sink.name,
            self._sink.type,
            self._up,
            self._delivered,
            self._failures,
            self._given_up,
            self._last_success,
            self._problem,
            None if resume is None else max(0.0, resume - time.monotonic()),
            self._down_since,
        )

    # -- the thread --

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._sleep(self._safe_step())
            self._tell_urgent()
        finally:
            self._sink.close()

    def _sleep(self, seconds: float | None) -> None:
        """Until woken, or for so long. A sink that is down is not woken by further events."""
        with self._changed:
            if seconds == 0.0:
                return
            ends = None if seconds is None else time.monotonic() + seconds
            while not (self._stopping or self._retry_now or (self._woken and self._resume is None)):
                left = None if ends is None else ends - time.monotonic()
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            self._retry_now = False

    def _safe_step(self) -> float | None:
        """A step, which does not end the thread whatever goes wrong in it."""
        try:
            return self._step()
        except Exception as error:  # noqa: BLE001 # else this sink would be told nothing any more, in silence
            self._note_failure(f"internal error: {type(error).__name__}")
            return _STORE_PAUSE

    def _step(self) -> float | None:
        """Hand one batch over; seconds to sleep then, None for until woken."""
        with self._changed:
            self._woken = False
        self._tell_urgent()
        common = self._sink.common
        try:
            batch, later = self._store.ready(common.name, common.batch, one_an_item=self._sink.partial)
        except Exception as error:  # noqa: BLE001 # whatever the store's trouble: the events are in it, not lost
            self._note_failure(f"the outbox cannot be read ({type(error).__name__})")
            return _STORE_PAUSE
        if not batch:
            return self._nothing(later)
        self._busy = True
        return self._settle(batch, self._send(batch))

    def _nothing(self, later: float | None) -> float | None:
        self._resume = None
        if later is not None:
            return max(later, 0.05)
        with self._changed:
            if not self._woken:
                self._idle = True
                self._changed.notify_all()
        if self._busy:
            # The connection is kept for a moment: the next event may come soon.
            self._busy = False
            return _LINGER
        self._sink.idle()
        return None

    def _tell_urgent(self) -> None:
        with self._changed:
            found, self._urgent = self._urgent, []
        if found and (gone := self._send(found).unavailable) is not None:
            self._note_failure(gone.reason)

    def _send(self, batch: Sequence[Waiting]) -> Result:
        try:
            result = self._sink.send(batch)
            done = result.delivered or result.failed or result.refused or result.unavailable
            return result if done else Result(unavailable=Unavailable("took nothing and said nothing"))
        except Unavailable as gone:
            return Result(unavailable=gone)
        except Exception as error:  # noqa: BLE001 # our bug in one sink must not end the telling
            return Result(failed={each.seq: f"internal error: {type(error).__name__}" for each in batch[:1]})

    def _settle(self, batch: Sequence[Waiting], result: Result) -> float | None:
        """Mark what became of a batch; seconds to sleep."""
        common = self._sink.common
        dead = dict(result.refused)
        failed: dict[int, float] = {}
        for each in batch:
            reason = result.failed.get(each.seq)
            if reason is None:
                continue
            if each.tries + 1 >= common.tries and _hours_since(each.since) >= common.give_up_hours:
                dead[each.seq] = f"given up after {each.tries + 1} tries: {reason}"
            else:
                failed[each.seq] = self._wait(each.tries)
        while not self._mark(result, failed, dead):
            if self._stopping:
                return None
            # What was delivered and not marked would be sent again and again: mark it first.
            with self._changed:
                self._woken = False
            self._tell_urgent()
            self._sleep(_STORE_PAUSE)
        self._count(result, len(dead))
        return self._pause(result)

    def _mark(self, result: Result, failed: dict[int, float], dead: dict[int, str]) -> bool:
        if not (result.delivered or failed or dead):
            return True
        try:
            self._store.settle(
                self._sink.name, delivered=result.delivered, failed=failed, dead=dead, reasons=result.failed
            )
        except Exception as error:  # noqa: BLE001 # as above
            self._note_failure(f"the outbox cannot be written ({type(error).__name__})")
            return False
        return True

    def _count(self, result: Result, dead: int) -> None:
        before = self._up
        self._delivered += len(result.delivered)
        self._given_up += dead
        if result.unavailable is not None:
            self._note_failure(result.unavailable.reason)
        elif result.failed:
            self._note_failure(next(iter(result.failed.values())))
        if (result.delivered or dead) and result.unavailable is None:
            self._up, self._downs, self._last_success = True, 0, _now()
            self._down_since = None
            self._problem = None if not result.failed else self._problem
        elif result.unavailable is not None:
            self._up = False
            self._down_since = self._down_since or _now()
        changed = self._up is not before and not (before is None and self._up)
        if self._on_change is not None and (changed or dead):
            self._on_change(self.status(), dead)

    def _pause(self, result: Result) -> float | None:
        # Failures and nothing else may be the receiver's trouble as well as the events'.
        only_failed = bool(result.failed) and not (result.delivered or result.refused)
        if result.unavailable is None and not only_failed:
            self._resume = None
            return 0.0
        wait = self._wait(self._downs)
        asked = None if result.unavailable is None else result.unavailable.retry_after
        if asked is not None:
            wait = min(max(asked, wait), max(self._sink.common.backoff_limit_seconds, wait))
        self._downs += 1
        self._resume = time.monotonic() + wait
        return wait

    def _wait(self, tries: int) -> float:
        """Exponential back-off: a random moment in the interval's second half, so that many do not meet."""
        common = self._sink.common
        longest = min(common.backoff_limit_seconds, common.backoff_seconds * 2.0 ** min(tries, 30))
        return longest * _JITTER.uniform(0.5, 1.0)

    def _note_failure(self, reason: str) -> None:
        self._failures += 1
        self._problem = reason


def _hours_since(moment: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds() / 3600


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
