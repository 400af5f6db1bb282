"""Recording: what is there, moved, overwritten, gone; and who counts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scanner.ledger import queries, schema
from scanner.ledger.recorder import Recorder
from scanner.ledger.store import LedgerError
from scanner.surfaces import recording
from tests.ledger.conftest import Shop, day
from tests.ledger.population import CALLS, CONTACTS, MAILING, population, write

PEOPLE = population(400)


def test_people_of_a_delivery_are_counted_exactly(shop: Shop) -> None:
    """One file of contacts: each row is a person, and their states are told."""
    write(shop.root / "acme/contacts.csv", PEOPLE[:300], CONTACTS)
    shop.scan(1)
    found = shop.exposure(1)["acme"]
    assert found["people"] == {"low": 300, "best": 300, "high": 300}
    assert (found["items"], found["rows"]) == (1, 300)
    truth: dict[str, int] = {}
    for person in PEOPLE[:300]:
        truth[f"US-{person.state}"] = truth.get(f"US-{person.state}", 0) + 1
    assert found["regions"] == truth
    assert found["categories"]["user.contact.email"]["people"]["best"] == 300
    assert found["categories"]["user.contact.email"]["allowed"] is True


def test_as_of_any_moment(shop: Shop) -> None:
    """Before it came and after it went a file counts for nothing; overlapping files count people once."""
    write(shop.root / "acme/a.csv", PEOPLE[:200], CONTACTS)
    shop.scan(1)
    write(shop.root / "acme/b.csv", PEOPLE[100:300], MAILING)
    shop.scan(2)
    (shop.root / "acme/a.csv").unlink()
    assert shop.scan(3) == 1
    counts = [
        shop.exposure(at).get("acme", queries.nothing("acme"))["people"]["best"] for at in (0, 1, 1.5, 2, 3)
    ]
    assert counts == [0, 200, 200, 300, 200]
    assert shop.exposure(0, 5)["acme"]["people"]["best"] == 300


def test_a_person_is_recognised_by_another_identifier_where_a_table_holds_both(shop: Shop) -> None:
    """Telephone numbers of people known by e-mail address add nobody."""
    write(shop.root / "acme/contacts.csv", PEOPLE[:200], CONTACTS)
    write(shop.root / "acme/calls.csv", PEOPLE[150:350], CALLS)
    shop.scan(1)
    found = shop.exposure(1)["acme"]["people"]
    assert found["best"] == 350
    assert found["low"] <= 350 <= found["high"]


def test_a_move_is_no_new_delivery(shop: Shop) -> None:
    """The same content under another name: one item over the time, people as before."""
    write(shop.root / "acme/a.csv", PEOPLE[:100], CONTACTS)
    shop.scan(1)
    (shop.root / "acme/old").mkdir()
    (shop.root / "acme/a.csv").rename(shop.root / "acme/old/a2.csv")
    assert shop.scan(2) == 1
    assert shop.exposure(2)["acme"]["items"] == 1
    assert shop.exposure(0, 9)["acme"]["items"] == 1
    with shop.ledger.reading() as connection:
        versions = queries.reachable(connection, queries.Window(day(0), day(9)), "acme")
    assert [version.paths for version in versions] == [("acme/a.csv", "acme/old/a2.csv")]


def test_an_overwritten_file_is_another_version(shop: Shop) -> None:
    """What lay there before ends when the new content is seen."""
    write(shop.root / "acme/a.csv", PEOPLE[:100], CONTACTS)
    shop.scan(1)
    write(shop.root / "acme/a.csv", PEOPLE[100:150], CONTACTS)
    shop.scan(2)
    assert shop.exposure(1)["acme"]["people"]["best"] == 100
    assert shop.exposure(2)["acme"]["people"]["best"] == 50
    assert shop.exposure(1, 2)["acme"]["people"]["best"] == 150
    assert len(shop.exposure(1, 2)["acme"]["feeds"]) == 1


def test_older_observations_may_come_later(shop: Shop) -> None:
    """An archive that is loaded newest first gives the same account."""
    write(shop.root / "acme/a.csv", PEOPLE[100:150], CONTACTS)
    shop.scan(5)
    write(shop.root / "acme/a.csv", PEOPLE[:100], CONTACTS)
    assert shop.scan(1) == 0
    assert shop.exposure(1)["acme"]["people"]["best"] == 100
    assert shop.exposure(5)["acme"]["people"]["best"] == 50


def test_a_scan_that_was_interrupted_marks_nothing_gone(shop: Shop) -> None:
    """What was not reached may still be there."""
    write(shop.root / "acme/a.csv", PEOPLE[:50], CONTACTS)
    shop.scan(1)
    (shop.root / "acme/a.csv").unlink()
    assert shop.scan(2, interrupted=True) == 0
    assert shop.exposure(2)["acme"]["people"]["best"] == 50


def test_an_unmounted_share_marks_nothing_gone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder on another file system is not the share."""
    write(shop.root / "acme/a.csv", PEOPLE[:50], CONTACTS)
    shop.scan(1)
    shutil.rmtree(shop.root / "acme")
    with monkeypatch.context() as patch:
        patch.setattr(recording, "_device", lambda folder: "another")
        assert shop.scan(2) == 0
    assert shop.scan(3) == 1


def test_a_folder_that_cannot_be_listed_keeps_what_it_held(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the share is looked at, and what is missing there is gone."""
    import os

    write(shop.root / "acme/a.csv", PEOPLE[:50], CONTACTS)
    write(shop.root / "bolt/b.csv", PEOPLE[:50], CONTACTS)
    shop.scan(1)
    (shop.root / "acme/a.csv").unlink()
    (shop.root / "bolt/b.csv").unlink()
    scandir = os.scandir

    def denied(path: str | bytes) -> object:
        if os.fsdecode(path).endswith("acme"):
            raise PermissionError(13, "denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    assert shop.scan(2) == 1
    assert set(shop.exposure(2)) == {"acme"}


def test_scanning_again_changes_nothing_but_when_it_was_seen(shop: Shop) -> None:
    """No second version, presence or blob."""
    write(shop.root / "acme/a.csv", PEOPLE[:50], CONTACTS)
    shop.scan(1)
    shop.scan(2)
    with shop.ledger.reading() as connection:
        rows = connection.execute(schema.presences.select()).all()
        assert len(connection.execute(schema.versions.select()).all()) == 1
    assert [(row.first_seen, row.last_seen, row.gone) for row in rows] == [(day(1), day(2), None)]


def test_one_writer(shop: Shop) -> None:
    """A second writer is refused, not made to wait."""
    with (
        Recorder(shop.ledger, rules_digest="x"),
        pytest.raises(LedgerError, match="another process"),
    ):
        Recorder(shop.ledger, rules_digest="x")


def test_a_combination_over_two_tables_of_one_person(shop: Shop) -> None:
    """Street addresses in one file and birth dates in another, both by e-mail address."""
    write(shop.root / "acme/a.csv", PEOPLE[:200], ("first_name", "last_name", "email", "birth_date"))
    write(shop.root / "acme/b.csv", PEOPLE[100:300], ("email", "street"))
    shop.scan(1)
    found = {
        tuple(each["categories"]): each["people"]["best"] for each in shop.exposure(1)["acme"]["combinations"]
    }
    wanted = ("user.name", "user.demographic.date_of_birth", "user.contact.address.street")
    assert found[wanted] == 100


def test_nothing_personal_is_stored(shop: Shop, tmp_path: Path) -> None:
    """No byte of a value is in the ledger's files, nor the digits of one."""
    write(shop.root / "acme/a.csv", PEOPLE[:60], CONTACTS)
    shop.scan(1)
    shop.exposure(1)
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("ledger.db*"))
    for person in PEOPLE[:60]:
        digits = person.phone.replace(" ", "").lstrip("+")
        for value in (person.email, person.phone, digits, digits[-10:]):
            assert value.encode() not in stored
