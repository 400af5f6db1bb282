"""What a file's end asks for is done even where a kill comes between: until then the file waits."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.agent import POLICY, Place
from scanner.agent import recording, session
from scanner.agent.recording import Recording, Task
from scanner.agent.state import State
from scanner.config import Settings
from scanner.detect.fold import Detector
from scanner.item import read_item
from scanner.ledger import queue
from scanner.ledger.queue import FRESH, Job
from scanner.ledger.store import Writer, open_ledger
from scanner.model import ItemRef
from scanner.sources.identity import sign
from scanner.surfaces.agent_cli import _read
from tests.agent.test_agent import customers


class KilledError(Exception):
    """Stands for the moment of a kill."""


def killed(*_: object, **__: object) -> None:
    raise KilledError


@contextmanager
def recorder(place: Place) -> Iterator[tuple[Recording, session.Session]]:
    """Records outcomes as a running agent does."""
    config, law = _read(place.config)
    with open_ledger(place.where, create=True) as ledger:
        writer = Writer(ledger)
        made = session.begin(
            config, law, ledger, writer, once=True, state=State(0.0), metrics=None, wake=lambda: None
        )
        try:
            yield Recording(made, lambda connection, places, at: None), made
        finally:
            made.close()
            writer.close()


def scan(made: Recording, opened: session.Session, share: Path, path: str) -> None:
    """A file that waits is scanned, and all of its outcomes are recorded."""
    file = share / path
    job = Job(str(share), path, FRESH, file.stat().st_size, 1.0)
    opened.jobs.put([job])
    opened.jobs.resume(job, "another file")  # so it begins anew
    detector = Detector(Settings(model="none"), b"k" * 16, opened.ledger.people_secret)
    outcomes = list(read_item(ItemRef(str(share), path), Settings(model="none"), detector))
    task = Task(job, sign(file), 0.0)
    for outcome in outcomes[:-1]:
        made.member(task, outcome)
    made.file(task, outcomes[-1])


def members(opened: session.Session, place: Place) -> set[str]:
    return {each.member or "" for each in opened.recorder.open_under([str(place.share)])}


def waits(opened: session.Session) -> bool:
    with opened.ledger.reading() as connection:
        return queue.waiting(connection).fresh > 0


def packed(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "sku,price\nA1,2\nA2,3\n")


def test_members_that_are_gone_are_so_before_the_file_leaves_the_queue(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else they stay for ever: nothing has a known file looked at again."""
    packed(place.share / "acme/a.zip", "old.csv", "kept.csv")
    with recorder(place) as (made, opened):
        scan(made, opened, place.share, "acme/a.zip")
        assert not waits(opened)
        assert members(opened, place) == {"", "old.csv", "kept.csv"}
        packed(place.share / "acme/a.zip", "kept.csv")
        with monkeypatch.context() as context:
            context.setattr(opened.recorder, "gone", killed)
            with pytest.raises(KilledError):
                scan(made, opened, place.share, "acme/a.zip")
        assert waits(opened)
        scan(made, opened, place.share, "acme/a.zip")
        assert not waits(opened)
        assert members(opened, place) == {"", "kept.csv"}


def test_what_is_to_be_out_of_reach_is_so_before_the_file_leaves_the_queue(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it lies there until it is looked at again for age; and it is moved once."""
    place.policy.write_text(POLICY.replace("allow: [user.name]", "allow: [user.name], action: quarantine"))
    place.configure(f"quarantine: {{folder: {place.folder / 'held'}}}\n")
    customers(place.share / "acme/bad.csv")
    customers(place.share / "bolt/good.csv")
    with recorder(place) as (made, opened):
        scan(made, opened, place.share, "bolt/good.csv")
        assert not waits(opened)
        with monkeypatch.context() as context:
            context.setattr(recording, "act", killed)
            with pytest.raises(KilledError):
                scan(made, opened, place.share, "acme/bad.csv")
        assert waits(opened)
        assert (place.share / "acme/bad.csv").exists()
        with monkeypatch.context() as context:
            context.setattr(opened.teller, "tell", killed)
            with pytest.raises(KilledError):
                scan(made, opened, place.share, "acme/bad.csv")
        assert waits(opened)
        assert not (place.share / "acme/bad.csv").exists()
        assert len(list((place.folder / "held").glob("*"))) >= 1
