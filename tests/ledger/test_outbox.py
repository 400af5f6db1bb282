"""The outbox keeps what is to be told: in order per item, bounded, until everybody has it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from scanner.events import kinds
from scanner.ledger import schema
from scanner.ledger.outbox import Outbox
from scanner.ledger.store import Ledger, open_ledger
from tests.ledger.test_migrations import postgres  # noqa: F401 # a fixture
from tests.sinks.making import HOST, Recorder, event, put, scanned, store


def _rows(ledger: Ledger) -> tuple[int, int]:
    """Events and deliveries that are stored."""
    with ledger.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar()
            for table in (schema.outbox, schema.outbox_deliveries)
        ]
    return int(counts[0] or 0), int(counts[1] or 0)


def test_an_event_is_gone_once_everybody_has_it(tmp_path: Path) -> None:
    """Not before, and nothing is left of it."""
    with store(tmp_path) as (ledger, outbox):
        a, b = Recorder("a"), Recorder("b")
        assert put(ledger, outbox, [event(1), event(2)], [a, b]) == 4
        batch, _ = outbox.ready("a", 10)
        assert [each.id for each in batch] == [event(1).id, event(2).id]
        assert batch[0].document() == event(1).document()
        outbox.delivered("a", [each.seq for each in batch])
        assert outbox.ready("a", 10) == ([], None)
        assert _rows(ledger) == (2, 2)
        outbox.delivered("b", [each.seq for each in outbox.ready("b", 10)[0]])
        assert _rows(ledger) == (0, 0)
        assert [each.pending for each in outbox.backlog()] == [0, 0]


def test_an_event_goes_with_its_transaction(tmp_path: Path) -> None:
    """What is rolled back is not told."""
    with store(tmp_path) as (ledger, outbox):
        with ledger.engine.connect() as connection, connection.begin() as transaction:
            outbox.append(connection, [event(1)], [Recorder("a").subscription])
            transaction.rollback()
        assert outbox.ready("a", 10) == ([], None)
        assert outbox.backlog() == []


def test_the_same_event_waits_once(tmp_path: Path) -> None:
    """An item that is recorded again after a crash does not tell twice."""
    with store(tmp_path) as (ledger, outbox):
        sink = Recorder("a")
        assert [put(ledger, outbox, [event(1)], [sink]) for _ in range(2)] == [1, 0]
        assert outbox.backlog()[0].pending == 1


def test_a_sink_gets_what_it_asked_for(tmp_path: Path) -> None:
    """An event that nobody wants is not kept."""
    with store(tmp_path) as (ledger, outbox):
        picky, all_of_it = Recorder("picky", kinds=kinds(["finding"])), Recorder("all")
        put(ledger, outbox, [scanned(1), event(1)], [picky, all_of_it])
        assert [each.event for each in outbox.ready("picky", 9)[0]] == ["finding.opened"]
        assert len(outbox.ready("all", 9)[0]) == 2
        assert put(ledger, outbox, [scanned(2)], [picky]) == 0
        assert _rows(ledger)[0] == 2


def test_a_later_event_of_an_item_waits_for_the_earlier(tmp_path: Path) -> None:
    """While one waits for its next try, those of its item wait too; others go on."""
    with store(tmp_path) as (ledger, outbox):
        put(
            ledger, outbox, [event(1, "x"), event(2, "x"), event(3, "y"), event(4), event(5)], [Recorder("a")]
        )
        batch, _ = outbox.ready("a", 10)
        assert len(batch) == 5
        outbox.failed("a", {batch[0].seq: "busy"}, retry_in=60)
        left, _ = outbox.ready("a", 10)
        assert [each.id for each in left] == [event(3, "y").id, event(4).id, event(5).id]
        outbox.delivered("a", [each.seq for each in left])
        nothing, later = outbox.ready("a", 10)
        assert nothing == []
        assert later == pytest.approx(60, abs=5)


def test_one_of_each_item_where_a_batch_may_be_taken_in_parts(tmp_path: Path) -> None:
    """Else the second of an item could arrive without the first."""
    with store(tmp_path) as (ledger, outbox):
        put(
            ledger, outbox, [event(1, "x"), event(2, "x"), event(3, "y"), event(4), event(5)], [Recorder("a")]
        )
        batch, _ = outbox.ready("a", 10, one_an_item=True)
        assert [each.id for each in batch] == [event(1, "x").id, event(3, "y").id, event(4).id, event(5).id]


def test_a_clock_set_back_holds_nothing_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A try that is due in a far future can only be the clock's doing."""
    with store(tmp_path) as (ledger, outbox):
        put(ledger, outbox, [event(1)], [Recorder("a")])
        outbox.failed("a", {outbox.ready("a", 1)[0][0].seq: "busy"}, retry_in=30)
        assert outbox.ready("a", 1)[0] == []
        real = time.time
        monkeypatch.setattr("scanner.ledger.outbox.time.time", lambda: real() - 86_400)
        assert len(outbox.ready("a", 1)[0]) == 1


def test_dead_letters_are_listed_and_sent_again(tmp_path: Path) -> None:
    """A refused event does not hold up its item, and is not lost."""
    with store(tmp_path) as (ledger, outbox):
        put(ledger, outbox, [event(1, "x"), event(2, "x")], [Recorder("a")])
        first = outbox.ready("a", 1)[0][0]
        outbox.dead("a", {first.seq: "HTTP 400"})
        assert [each.id for each in outbox.ready("a", 9)[0]] == [event(2, "x").id]
        (letter,) = outbox.dead_letters()
        assert (letter.sink, letter.id, letter.event, letter.reason) == (
            "a",
            first.id,
            "finding.opened",
            "HTTP 400",
        )
        backlog = outbox.backlog()[0]
        assert (backlog.pending, backlog.dead, backlog.oldest is not None) == (1, 1, True)
        assert outbox.dead_letters("b") == []
        assert outbox.resend("b") == 0
        assert outbox.resend() == 1
        assert outbox.backlog()[0].pending == 2
        assert [each.tries for each in outbox.ready("a", 9)[0]] == [0, 0]


def test_some_dead_letters_are_sent_again_and_some_let_go(tmp_path: Path) -> None:
    """By sink and by event; what another sink waits for stays."""
    with store(tmp_path) as (ledger, outbox):
        put(ledger, outbox, [event(1), event(2), event(3)], [Recorder("a"), Recorder("b")])
        for name in ("a", "b"):
            outbox.dead(name, {each.seq: "HTTP 400" for each in outbox.ready(name, 9)[0]})
        assert outbox.resend("a", [event(1).id, "evt_other"]) == 1
        assert [each.id for each in outbox.ready("a", 9)[0]] == [event(1).id]
        assert outbox.drop("a", [event(1).id]) == 0  # it waits: only what was given up is let go
        assert outbox.drop("a", [event(2).id]) == 1
        assert outbox.drop("b") == 3
        assert [(each.sink, each.id) for each in outbox.dead_letters()] == [("a", event(3).id)]
        assert _rows(ledger) == (2, 2)
        outbox.delivered("a", [outbox.ready("a", 9)[0][0].seq])
        assert outbox.resend() == 1
        assert [(each.sink, each.pending, each.dead) for each in outbox.backlog()] == [
            ("a", 1, 0),
            ("b", 0, 0),
        ]


def test_a_full_outbox_says_what_it_leaves_out(tmp_path: Path) -> None:
    """Routine events are counted and left out; findings stay; alarms tell of the beginning and the end."""
    with store(tmp_path, limit=10) as (ledger, outbox):
        sink = Recorder("a")
        put(ledger, outbox, [scanned(number) for number in range(10)], [sink])
        put(ledger, outbox, [scanned(10), event(1), scanned(11)], [sink])
        batch, _ = outbox.ready("a", 99)
        assert [each.event for each in batch[10:]] == ["finding.opened", "alarm"]
        told = batch[-1].document()["alarm"]
        assert (told["what"], told["sink"], told["waiting"]) == ("outbox_full", "a", 10)
        assert outbox.backlog()[0].shed == 2
        outbox.delivered("a", [each.seq for each in batch])
        put(ledger, outbox, [scanned(12)], [sink])
        last = outbox.ready("a", 99)[0]
        assert [each.event for each in last] == ["item.scanned", "alarm"]
        freed = last[-1].document()["alarm"]
        assert (freed["what"], freed["left_out"]) == ("outbox_free", 2)


def test_a_sink_that_is_no_more_holds_nothing(tmp_path: Path) -> None:
    """Its deliveries are dropped and counted; what others wait for stays."""
    with store(tmp_path) as (ledger, outbox):
        put(ledger, outbox, [event(1), event(2)], [Recorder("old"), Recorder("new")])
        put(ledger, outbox, [event(3)], [Recorder("old")])
        assert outbox.retire(["new"]) == {"old": 3}
        assert _rows(ledger) == (2, 2)
        assert [each.sink for each in outbox.backlog()] == ["new"]


def _finish_together(ledger: Ledger, outbox: Outbox) -> None:
    """Threads settle the same events, each for a receiver."""
    sinks = [Recorder(name) for name in "abcd"]
    put(ledger, outbox, [event(number) for number in range(100)], sinks)

    def take(name: str) -> None:
        while batch := outbox.ready(name, 7)[0]:
            outbox.delivered(name, [each.seq for each in batch])

    threads = [threading.Thread(target=take, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert _rows(ledger) == (0, 0)
    assert {each.pending for each in outbox.backlog()} == {0}


def test_sinks_finish_at_the_same_time(tmp_path: Path) -> None:
    """Nothing is left behind, and no count is wrong."""
    with store(tmp_path) as (ledger, outbox):
        _finish_together(ledger, outbox)


def test_an_outbox_in_postgresql(postgres: str) -> None:  # noqa: F811 # the fixture
    """The same there: order, tries, dead letters, receivers that finish together."""
    with open_ledger(postgres, create=True) as ledger:
        outbox = Outbox(ledger.engine, host=HOST)
        _finish_together(ledger, outbox)
        sink = Recorder("a")
        put(ledger, outbox, [event(1, "x"), event(2, "x"), event(3, "y"), event(4)], [sink])
        first, *others = outbox.ready("a", 9)[0]
        assert [each.id for each in others] == [event(2, "x").id, event(3, "y").id, event(4).id]
        assert len(outbox.ready("a", 9, one_an_item=True)[0]) == 3
        outbox.failed("a", {first.seq: "busy"}, retry_in=60)
        assert [each.id for each in outbox.ready("a", 9)[0]] == [event(3, "y").id, event(4).id]
        outbox.dead("a", {first.seq: "HTTP 400"})
        assert outbox.ready("a", 9)[0][0].id == event(2, "x").id
        assert [each.tries for each in outbox.dead_letters("a")] == [2]
        assert outbox.resend() == 1
        assert outbox.ready("a", 9)[0][0].id == first.id
        assert (outbox.backlog()[0].pending, outbox.backlog()[0].oldest is None) == (4, False)
        assert outbox.retire([]) == {"a": 4}
        assert _rows(ledger) == (0, 0)


def test_the_outbox_outlives_its_process(tmp_path: Path) -> None:
    """What was put in by one is found by the next, under the same numbers."""
    with store(tmp_path) as (ledger, outbox):
        put(ledger, outbox, [event(1)], [Recorder("a")])
        before = outbox.ready("a", 1)
    with store(tmp_path) as (ledger, _):
        assert Outbox(ledger.engine, host="files01").ready("a", 1) == before
