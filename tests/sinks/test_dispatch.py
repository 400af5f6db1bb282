"""The dispatcher tells everything, in order, to those who can take it, and waits without waking."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from scanner.events import Waiting
from scanner.ledger.outbox import Outbox
from scanner.sinks.base import Result
from scanner.sinks.dispatch import Dispatcher, SinkStatus
from tests.sinks.making import Recorder, down, event, put, store, until, waiting


def test_everything_is_told_in_order(tmp_path: Path) -> None:
    """What was there before the start, and what comes later."""
    with store(tmp_path) as (ledger, outbox):
        sink = Recorder(batch=7)
        put(ledger, outbox, [event(number) for number in range(20)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        put(ledger, outbox, [event(number) for number in range(20, 30)], [sink])
        assert dispatcher.drain(20)
        assert sink.ids == [event(number).id for number in range(30)]
        assert max(sink.batches) <= 7
        assert dispatcher.stop()
        assert sink.closed


def test_a_sink_that_is_down_gets_all_of_it_later(tmp_path: Path) -> None:
    """Nothing is lost or given up, and another sink is not held up."""
    with store(tmp_path) as (ledger, outbox):
        away = threading.Event()
        away.set()
        changes: list[bool | None] = []
        first = Recorder("first", lambda _: down() if away.is_set() else None, tries=1, give_up_hours=0)
        other = Recorder("other")
        dispatcher = Dispatcher(outbox, [first, other], lambda status, _: changes.append(status.up))
        dispatcher.start()
        put(ledger, outbox, [event(number, f"i{number % 3}") for number in range(40)], [first, other])
        dispatcher.wake()
        until(lambda: len(other.ids) == 40 and len(first.batches) > 3)
        status = dispatcher.status()[0]
        assert (status.up, status.problem, status.delivered) == (False, "connection refused", 0)
        assert status.down_since is not None
        assert not dispatcher.drain(0.05)
        assert dispatcher.status()[0].down_since == status.down_since
        away.clear()
        assert dispatcher.drain(20)
        assert first.ids == other.ids
        assert outbox.dead_letters() == []
        dispatcher.stop()
        assert changes == [False, True]
        assert dispatcher.status()[0].problem is None
        assert dispatcher.status()[0].down_since is None


def test_a_try_waits_as_long_as_it_was_asked_to(tmp_path: Path) -> None:
    """Retry-After is kept, up to the limit of waiting, and further events do not shorten it."""
    with store(tmp_path) as (ledger, outbox):
        sink = Recorder(script=lambda _: down("busy", 3600.0), backoff_limit_seconds=100.0)
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        put(ledger, outbox, [event(1)], [sink])
        dispatcher.wake()
        until(lambda: dispatcher.status()[0].retry_in is not None)
        put(ledger, outbox, [event(2)], [sink])
        dispatcher.wake()
        assert not dispatcher.drain(0.1)
        assert 90 < (dispatcher.status()[0].retry_in or 0) <= 100
        assert len(sink.batches) == 1
        dispatcher.retry_now()
        until(lambda: len(sink.batches) == 2)
        assert dispatcher.stop(5)


def test_an_event_that_cannot_be_taken_ends_as_a_dead_letter(tmp_path: Path) -> None:
    """After so many tries; those of other items are not held up, the next of its item follows then."""
    with store(tmp_path) as (ledger, outbox):
        bad = event(1, "x").id

        def script(batch: Sequence[Waiting]) -> Result | None:
            failed = {each.seq: "HTTP 500" for each in batch if each.id == bad}
            held = {each.item for each in batch if each.seq in failed}
            return Result([each.seq for each in batch if each.item not in held], failed)

        told: list[tuple[SinkStatus, int]] = []
        sink = Recorder(script=script, tries=3, give_up_hours=0)
        dispatcher = Dispatcher(outbox, [sink], lambda *what: told.append(what))
        put(ledger, outbox, [event(1, "x"), event(2, "x"), event(3, "y")], [sink])
        dispatcher.start()
        assert dispatcher.drain(20)
        dispatcher.stop()
        assert sink.ids == [event(3, "y").id, event(2, "x").id]
        (letter,) = outbox.dead_letters()
        assert (letter.id, letter.tries, letter.reason) == (bad, 3, "given up after 3 tries: HTTP 500")
        assert [dead for _, dead in told] == [1]


def test_tries_alone_do_not_give_up(tmp_path: Path) -> None:
    """An event is not given up before its hours are over, however often it failed."""
    with store(tmp_path) as (ledger, outbox):
        sink = Recorder(script=lambda batch: Result(failed={batch[0].seq: "HTTP 500"}), tries=2)
        put(ledger, outbox, [event(1)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        until(lambda: len(sink.batches) > 5)
        dispatcher.stop()
        assert outbox.dead_letters() == []
        assert outbox.backlog()[0].pending == 1


def test_a_refused_event_is_a_dead_letter_at_once(tmp_path: Path) -> None:
    """And can be sent again when somebody has seen to it."""
    with store(tmp_path) as (ledger, outbox):
        refusing = threading.Event()
        refusing.set()

        def script(batch: Sequence[Waiting]) -> Result | None:
            return Result(refused={each.seq: "HTTP 400" for each in batch}) if refusing.is_set() else None

        sink = Recorder(script=script)
        put(ledger, outbox, [event(1), event(2)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        assert dispatcher.drain(20)
        assert len(outbox.dead_letters()) == 2
        refusing.clear()
        assert outbox.resend(sink.name) == 2
        assert dispatcher.drain(20)
        assert sink.ids == [event(1).id, event(2).id]
        dispatcher.stop()


def test_a_bug_in_a_sink_ends_nothing(tmp_path: Path) -> None:
    """An exception that nobody thought of is charged to the event, by its type alone."""
    with store(tmp_path) as (ledger, outbox):

        def script(batch: Sequence[Waiting]) -> Result | None:
            if len(sink.batches) <= 2:
                raise KeyError("someone@example.com")
            return None

        sink = Recorder(script=script)
        put(ledger, outbox, [event(1), event(2), event(3)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        assert dispatcher.drain(20)
        dispatcher.stop()
        assert sorted(sink.ids) == sorted(event(number).id for number in (1, 2, 3))
        assert dispatcher.status()[0].failures >= 1


def test_a_listener_that_fails_does_not_end_the_telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is told of a change may be wrong, too."""
    monkeypatch.setattr("scanner.sinks.dispatch._STORE_PAUSE", 0.05)
    with store(tmp_path) as (ledger, outbox):
        away = threading.Event()
        away.set()
        sink = Recorder(script=lambda _: down() if away.is_set() else None)

        def wrong(_: SinkStatus, __: int) -> None:
            raise RuntimeError("wrong")

        dispatcher = Dispatcher(outbox, [sink], wrong)
        put(ledger, outbox, [event(1)], [sink])
        dispatcher.start()
        until(lambda: dispatcher.status()[0].problem == "internal error: RuntimeError")
        away.clear()
        dispatcher.retry_now()
        assert dispatcher.drain(20)
        assert sink.ids == [event(1).id]
        dispatcher.stop()


class _Sick(Outbox):
    """An outbox whose disk is full at times."""

    full = True

    def settle(self, *args: object, **more: object) -> None:
        """Fail while the disk is full."""
        if self.full:
            raise OperationalError("UPDATE", {}, Exception("database or disk is full"))
        super().settle(*args, **more)  # type: ignore[arg-type]


def test_a_full_disk_does_not_repeat_what_was_told(tmp_path: Path) -> None:
    """What was delivered and could not be marked is marked later, and is not sent again meanwhile."""
    with store(tmp_path) as (ledger, _):
        outbox = _Sick(ledger.engine, host="files01")
        sink = Recorder()
        put(ledger, outbox, [event(1)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        until(lambda: dispatcher.status()[0].problem is not None)
        dispatcher.wake()
        dispatcher.wake()
        outbox.full = False
        dispatcher.retry_now()
        assert dispatcher.drain(20)
        dispatcher.stop()
        assert sink.batches == [1]


def test_a_kill_between_delivery_and_mark_repeats_the_same_id(tmp_path: Path) -> None:
    """At least once: the receiver can tell by the id."""
    with store(tmp_path) as (ledger, _):
        outbox = _Sick(ledger.engine, host="files01")
        sink = Recorder()
        put(ledger, outbox, [event(1)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        until(lambda: dispatcher.status()[0].problem is not None)
        assert dispatcher.stop(5)
    with store(tmp_path) as (_, again):
        next_run = Dispatcher(again, [sink])
        next_run.start()
        assert next_run.drain(20)
        next_run.stop()
    assert sink.ids == [event(1).id] * 2


def test_an_idle_dispatcher_does_not_wake(tmp_path: Path) -> None:
    """Asleep, it does not ask the outbox at all."""
    with store(tmp_path) as (ledger, _):
        asked = threading.Semaphore(0)

        class Counting(Outbox):
            def ready(self, *args: object, **more: object) -> tuple[list[Waiting], float | None]:
                asked.release()
                return super().ready(*args, **more)  # type: ignore[arg-type]

        sink = Recorder()
        dispatcher = Dispatcher(Counting(ledger.engine, host="files01"), [sink])
        dispatcher.start()
        assert asked.acquire(timeout=10)
        assert not asked.acquire(timeout=0.5)
        dispatcher.stop()


def test_what_cannot_wait_is_told_past_an_outbox_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be read, and while what was delivered cannot be marked; to those who want it."""
    with store(tmp_path) as (ledger, outbox):
        sink = Recorder("all")
        other = Recorder("gaps", kinds=frozenset({"gap"}))
        dispatcher = Dispatcher(outbox, [sink, other])

        def full(*_: object, **__: object) -> None:
            raise OperationalError("", {}, Exception("database or disk is full"))

        put(ledger, outbox, [event(1)], [sink])
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "settle", full)
            dispatcher.start()
            until(lambda: dispatcher.status()[0].problem is not None)
            dispatcher.tell_now([waiting(2)])
            until(lambda: sink.ids == [event(1).id, event(2).id])
        dispatcher.wake()
        assert dispatcher.drain(20)
        with monkeypatch.context() as patch:
            patch.setattr(outbox, "ready", full)
            dispatcher.tell_now([waiting(3)])
            until(lambda: sink.ids[2:] == [event(3).id])
        assert other.ids == []
        dispatcher.stop()
