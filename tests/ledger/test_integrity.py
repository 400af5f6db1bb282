"""The chain shows what was altered, removed or put elsewhere; without the key nothing can be linked."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from scanner.keys import KeyFileError
from scanner.ledger import queries, store
from scanner.ledger.keys import LedgerKeyError
from scanner.ledger.recorder import Recorder
from scanner.ledger.store import LedgerAway, LedgerError, open_ledger
from scanner.ledger.verify import verify
from tests.ledger.conftest import Shop, day
from tests.ledger.population import CONTACTS, population, write

PEOPLE = population(60)


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """Two deliveries over three days."""
    write(shop.root / "acme/a.csv", PEOPLE[:40], CONTACTS)
    shop.scan(1)
    write(shop.root / "bolt/b.csv", PEOPLE[20:], CONTACTS)
    shop.scan(2)
    (shop.root / "acme/a.csv").unlink()
    shop.scan(3)
    return shop


def test_an_untouched_ledger_verifies(filled: Shop) -> None:
    """Nothing is told of a ledger as it was written."""
    result = verify(filled.ledger)
    assert result.problems == ()
    assert result.entries >= 6


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE presences SET gone = NULL WHERE gone IS NOT NULL", "was altered"),
        ("DELETE FROM presences WHERE id = 1", "was removed"),
        ("UPDATE versions SET rows = 1 WHERE id = 1", "was altered"),
        ("UPDATE fields SET category = 'user' WHERE version = 1", "fields of version 1 were altered"),
        ("DELETE FROM fields WHERE version = 1", "fields of version 1 were altered"),
        ("DELETE FROM entries WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)", "ends before entry"),
        ("UPDATE entries SET recorded_at = '2020' WHERE seq = 2", "entry 2 was altered"),
        ("UPDATE entries SET body = replace(body, 'acme', 'bolt') WHERE seq = 1", "entry 1 was altered"),
        ("UPDATE blobs SET data = zeroblob(length(data)) WHERE rowid = 1", "was altered"),
        ("DELETE FROM blobs WHERE rowid = 1", "was removed"),
        ("UPDATE feeds SET name = 'x'", "was altered"),
    ],
)
def test_tampering_shows(filled: Shop, tmp_path: Path, statement: str, told: str) -> None:
    """Whoever changes the database without the key is found out."""
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute(statement)
    connection.close()
    assert any(told in problem for problem in verify(filled.ledger).problems)


def test_entries_that_change_places_show(filled: Shop, tmp_path: Path) -> None:
    """Two entries are swapped."""
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        for old, new in ((1, 1001), (2, 1), (1001, 2)):
            connection.execute("UPDATE entries SET seq = ? WHERE seq = ?", (new, old))
    connection.close()
    assert verify(filled.ledger).problems


def test_a_kept_answer_cannot_be_replaced(filled: Shop, tmp_path: Path) -> None:
    """An answer to another question is not taken for one to this."""
    first = filled.exposure(1)["acme"]["people"]
    filled.exposure(2)
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE answers SET data = (SELECT data FROM answers WHERE vendor = 'bolt')")
    connection.close()
    assert filled.exposure(1)["acme"]["people"] == first


def test_without_its_key_a_ledger_does_not_open(filled: Shop, tmp_path: Path) -> None:
    """Neither with none nor with another; and no new key is made for it."""
    filled.ledger.close()
    key = tmp_path / "ledger.db.key"
    kept = key.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    for create in (False, True):
        with pytest.raises(LedgerKeyError, match="not there"):
            open_ledger(str(tmp_path / "ledger.db"), create=create)
    key.write_text("00" * 32)
    key.chmod(0o600)
    with pytest.raises(LedgerKeyError, match="not the key"):
        open_ledger(str(tmp_path / "ledger.db"))
    # What is left holds no key of a person in clear.
    outcome = filled.read("bolt/b.csv")
    stored = (tmp_path / "ledger.db").read_bytes()
    for table in outcome.tables:
        for people in table.persons:
            assert all(people.keys[at : at + 8] not in stored for at in range(0, len(people.keys), 8))
    key.write_bytes(kept)
    open_ledger(str(tmp_path / "ledger.db")).close()


def test_a_key_that_others_may_read_is_refused(filled: Shop, tmp_path: Path) -> None:
    """The key file must be its owner's alone."""
    (tmp_path / "ledger.db.key").chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        open_ledger(str(tmp_path / "ledger.db"))


def test_the_key_may_come_from_systemd_or_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then no key file is made."""
    (tmp_path / "sharewatch-ledger.key").write_bytes(b"c" * 32)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    first = open_ledger(str(tmp_path / "l.db"), create=True)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    monkeypatch.setenv("SHAREWATCH_LEDGER_KEY_COMMAND", f"cat {tmp_path / 'sharewatch-ledger.key'}")
    second = open_ledger(str(tmp_path / "l.db"))
    assert first.people_secret == second.people_secret
    first.close()
    second.close()
    assert not (tmp_path / "l.db.key").exists()
    monkeypatch.setenv("SHAREWATCH_LEDGER_KEY_COMMAND", "false")
    with pytest.raises(LedgerKeyError, match="status 1"):
        open_ledger(str(tmp_path / "l.db"))


def test_forgetting_keeps_totals_and_drops_sketches(filled: Shop) -> None:
    """Of what was gone before a time no key of a person is left; the rest is as before."""
    with Recorder(filled.ledger, rules_digest="sha256:test") as recorder:
        assert recorder.forget(day(3.5)) == 1
        assert recorder.forget(day(3.5)) == 0
    with filled.ledger.reading() as connection:
        (version,) = queries.reachable(connection, queries.Window(day(1), day(1)), "acme")
        assert queries.persons_of(filled.ledger, connection, version) == {}
        assert version.totals.best == 40
    assert filled.exposure(1)["acme"]["items_forgotten"] == 1
    assert filled.exposure(3)["bolt"]["people"]["best"] == 40
    assert verify(filled.ledger).problems == ()


def test_what_is_no_ledger_is_told(tmp_path: Path) -> None:
    """A missing file, and a database of something else."""
    with pytest.raises(LedgerError, match="no such ledger"):
        open_ledger(str(tmp_path / "none.db"))
    with pytest.raises(LedgerError, match="postgresql://"):
        open_ledger("mysql://localhost/x")


def test_a_server_that_does_not_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody takes the connection and says nothing: that is no reason to wait for as long as he likes."""
    pytest.importorskip("psycopg")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(store, "_CONNECT_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody:secret@127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(LedgerAway) as error:
            open_ledger(url, create=True)
    assert "secret" not in str(error.value)
