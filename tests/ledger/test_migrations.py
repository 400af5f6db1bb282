"""Every form of the ledger that was released comes to the newest, in SQLite and in PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from scanner.ledger import queries, schema
from scanner.ledger.recorder import Delivery, Recorder
from scanner.ledger.store import HEAD, LedgerError, open_ledger
from scanner.ledger.verify import verify
from tests.ledger.conftest import day
from tests.ledger.writer import outcome
from tests.needs import missing

_PROGRAMS = next(
    iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), Path("/usr/local/bin")
)


@pytest.mark.parametrize("migrated", [False, True])
def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path, migrated: bool) -> None:
    """What the newest revision leaves is what the code writes, and what a new ledger is made with."""
    if migrated:
        # Where anything is there already, the tables are made by the migrations.
        with sqlite3.connect(tmp_path / "l.db") as database:
            database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        (tmp_path / "l.db.key").write_text("00" * 32)
        (tmp_path / "l.db.key").chmod(0o600)
    with open_ledger(str(tmp_path / "l.db"), create=True) as ledger, ledger.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_a_newer_form_is_refused(tmp_path: Path) -> None:
    """Rather than written to."""
    with open_ledger(str(tmp_path / "l.db"), create=True) as ledger, ledger.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LedgerError, match="newer sharewatch"):
        open_ledger(str(tmp_path / "l.db"))


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    """It is not turned into a ledger unasked."""
    connection = sqlite3.connect(tmp_path / "l.db")
    connection.execute("CREATE TABLE other (x)")
    connection.close()
    (tmp_path / "l.db.key").write_text("00" * 32)
    (tmp_path / "l.db.key").chmod(0o600)
    with pytest.raises(LedgerError, match="no ledger"):
        open_ledger(str(tmp_path / "l.db"))


@pytest.fixture
def postgres(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A PostgreSQL server of this test's own, on a socket in a folder."""
    pytest.importorskip("psycopg")
    if not (_PROGRAMS / "initdb").exists():
        missing("PostgreSQL", "on Debian: apt-get install postgresql")
    # The server refuses to run as root: then another user must be able to reach its folder.
    folder = Path("/tmp") / f"sharewatch-pg-{os.getpid()}"
    folder.mkdir()
    user: dict[str, object] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **user)  # type: ignore[call-overload]

    try:
        run(str(_PROGRAMS / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "--no-sync")
        server = subprocess.Popen(
            [
                str(_PROGRAMS / "postgres"),
                "-D",
                str(data),
                "-k",
                str(folder),
                "-c",
                "listen_addresses=",
                "-F",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            **user,
        )
        try:
            _wait(folder / ".s.PGSQL.5432")
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
            yield f"postgresql://tester@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder)


def _wait(socket: Path) -> None:
    """Until the server listens and answers."""
    import psycopg

    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        try:
            psycopg.connect(f"host={socket.parent} user=tester dbname=postgres").close()
        except psycopg.OperationalError:
            continue
        return
    raise AssertionError("the server did not start")


def test_postgresql_is_a_ledger_too(postgres: str) -> None:
    """Written, read, verified, forgotten; one writer at a time; tampering shows."""
    with open_ledger(postgres, create=True) as ledger:
        with ledger.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
        with Recorder(ledger, rules_digest="test") as recorder:
            with pytest.raises(LedgerError, match="another process"):
                Recorder(ledger, rules_digest="test")
            for number in range(3):
                item = outcome(number)
                recorder.record(item, day(1), Delivery("acme", f"/share/{item.path}", item.path))
            known = recorder.open_under(["/share"])
            assert [each.path for each in known] == ["acme/0.txt", "acme/1.txt", "acme/2.txt"]
            assert recorder.gone([known[0].id], day(2)) == 1
            assert recorder.forget(day(3)) == 1
        window = queries.Window(day(2), day(2))
        found = queries.exposure(ledger, window, judge=lambda vendor, item, paths: {}, judged_by="test")
        assert [(each["id"], each["items"]) for each in found] == [("acme", 2)]
    with open_ledger(postgres) as ledger:
        assert verify(ledger).problems == ()
        with ledger.engine.begin() as connection:
            connection.execute(text("UPDATE presences SET gone = NULL"))
        assert verify(ledger).problems
