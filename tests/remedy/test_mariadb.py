"""Dumps of MariaDB, written anew, load into MariaDB without what went."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.remedy.base import DROP, Plan, Treatment
from tests.needs import missing
from tests.remedy.making import HASHED, REDACTED, part, rewritten

_SECONDS = 60.0
SHOP = """
CREATE TABLE bank (iban char(22) PRIMARY KEY) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE customer (
  id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name varchar(80) COLLATE utf8mb4_bin NOT NULL DEFAULT 'a,b' COMMENT 'first; last',
  email varchar(40) NOT NULL,
  born date DEFAULT NULL,
  iban char(22) DEFAULT NULL,
  note text,
  mood enum('sad','fine','it''s') NOT NULL DEFAULT 'fine',
  photo blob,
  extra json DEFAULT NULL,
  host varchar(60) GENERATED ALWAYS AS (substring_index(email, '@', -1)) STORED,
  seen timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),
  UNIQUE KEY uq (email),
  KEY both_ (name, iban),
  FULLTEXT KEY words (note),
  CONSTRAINT fk FOREIGN KEY (iban) REFERENCES bank (iban) ON DELETE SET NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE `order` (
  nr int PRIMARY KEY, customer_id int unsigned, total decimal(8,2),
  CONSTRAINT `buyer` FOREIGN KEY (customer_id) REFERENCES customer (id)
);
CREATE VIEW births AS SELECT name, born FROM customer;
CREATE TABLE log (what text);
DELIMITER //
CREATE TRIGGER touched AFTER UPDATE ON customer FOR EACH ROW BEGIN INSERT INTO log VALUES ('a;b'); END//
DELIMITER ;
INSERT INTO bank SELECT concat('DE', seq) FROM seq_1_to_40;
INSERT INTO customer (name, email, born, iban, note, mood, photo, extra)
  SELECT
    concat('O\\'Neil\\t"x", (', seq, ') 🙂'), concat('u', seq, '@example.org'), '1980-01-02',
    concat('DE', seq), concat('a;b\\n\\\\ -- ', seq), if(seq % 2, 'it\\'s', 'sad'),
    unhex('00275c0a1a22ff'), json_object('k', seq, 's', 'x"y')
  FROM seq_1_to_40;
INSERT INTO `order` SELECT seq, seq, seq * 1.5 FROM seq_1_to_9;
"""
COLUMNS = ("id", "name", "email", "born", "iban", "note", "mood", "photo", "extra", "host", "seen")
EVERYTHING = """
SELECT id, hex(name), email, born, iban, hex(note), mood, hex(photo), extra, host FROM customer ORDER BY id
"""


class MariaDB:
    """A server of its own, reached by a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "socket"
        self._options = ["--no-defaults", f"--socket={self.socket}", "--user=root"]

    def run(self, program: str, *arguments: str, stdin: bytes = b"") -> bytes:
        """Standard output of one of MariaDB's programs."""
        command = [program, *self._options, *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True)
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-500:]
        return done.stdout

    def sql(self, database: str, text: str | bytes) -> str:
        """What a script prints; its first error ends it."""
        stdin = text if isinstance(text, bytes) else text.encode()
        found = self.run("mariadb", "--default-character-set=utf8mb4", "-N", "-B", database, stdin=stdin)
        return found.decode()


@pytest.fixture(scope="module")
def mariadb() -> Iterator[MariaDB]:
    """A real server; skipped where none is installed."""
    server = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if server is None or shutil.which("mariadb-dump") is None or shutil.which("mariadb-install-db") is None:
        missing("MariaDB", "on Debian: apt-get install mariadb-server")
    folder = Path(tempfile.mkdtemp(prefix="maria"))
    user = ["--user=root"] if os.geteuid() == 0 else []
    data = f"--datadir={folder / 'data'}"
    install = ["mariadb-install-db", "--no-defaults", data, *user, "--auth-root-authentication-method=normal"]
    subprocess.run([*install, "--skip-test-db"], check=True, capture_output=True)
    place = MariaDB(folder)
    quick = [
        "--skip-networking",
        "--innodb-flush-log-at-trx-commit=0",
        "--skip-log-bin",
        "--character-set-server=utf8mb4",
    ]
    with (folder / "log").open("wb") as log:
        command = [server, "--no-defaults", data, f"--socket={place.socket}", *user, *quick]
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + _SECONDS
        ping = ["mariadb-admin", "--no-defaults", f"--socket={place.socket}", "--user=root", "ping"]
        while subprocess.run(ping, capture_output=True).returncode:
            told = (folder / "log").read_text()
            assert process.poll() is None, told
            assert time.monotonic() < end, told
            time.sleep(0.1)
        place.run("mariadb-admin", "create", "shop")
        place.sql("shop", SHOP)
        yield place
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


@pytest.fixture
def copy(mariadb: MariaDB) -> Iterator[str]:
    """An empty database to load into."""
    mariadb.run("mariadb-admin", "create", "copy")
    yield "copy"
    mariadb.run("mariadb-admin", "--force", "drop", "copy")


def load(mariadb: MariaDB, options: list[str], dump: bytes) -> None:
    """Load a dump under the mode it was made for, where it does not set that itself."""
    modes = ["ANSI_QUOTES"] if "--compatible=ansi" in options else []
    head = f"SET foreign_key_checks=0, sql_mode='{','.join([*modes, 'NO_AUTO_VALUE_ON_ZERO'])}';\n"
    mariadb.sql("copy", head.encode() + dump)


def minimised(mariadb: MariaDB, options: list[str], treatments: dict[int, Treatment]) -> tuple[bytes, bytes]:
    """A dump, and the dump written anew."""
    dump = mariadb.run("mariadb-dump", "--default-character-set=utf8mb4", *options, "shop")
    made = Plan({"customer": part("customer", COLUMNS, treatments)})
    return dump, rewritten("mysqldump", dump, made, "shop.sql")


OPTIONS = pytest.mark.parametrize(
    "options",
    [[], ["--skip-extended-insert", "--complete-insert"], ["--hex-blob", "--compact"], ["--compatible=ansi"]],
    ids=" ".join,
)


@OPTIONS
def test_without_a_plan_nothing_changes(mariadb: MariaDB, copy: str, options: list[str]) -> None:
    """And what was dumped loads: the test would see it if it did not."""
    dump, done = minimised(mariadb, options, {})
    assert done == dump
    load(mariadb, options, done)
    assert mariadb.sql(copy, EVERYTHING) == mariadb.sql("shop", EVERYTHING)


@OPTIONS
def test_columns_go_with_their_keys_and_all_else_stays(
    mariadb: MariaDB, copy: str, options: list[str]
) -> None:
    """Other columns, other tables, the trigger, what refers to the table; a view keeps its column, empty."""
    _, done = minimised(mariadb, options, {3: DROP, 4: DROP, 7: DROP})
    load(mariadb, options, done)
    names = mariadb.sql(copy, "SHOW COLUMNS FROM customer").splitlines()
    assert [line.split("\t")[0] for line in names] == [
        "id", "name", "email", "born", "note", "mood", "extra", "host", "seen",
    ]  # fmt: skip
    kept = "SELECT id, hex(name), email, hex(note), mood, extra, host FROM customer ORDER BY id"
    assert mariadb.sql(copy, kept) == mariadb.sql("shop", kept)
    assert mariadb.sql(copy, "SELECT count(*), count(born) FROM births").split() == ["40", "0"]
    keys = mariadb.sql(copy, "SELECT DISTINCT index_name FROM information_schema.statistics "
                       "WHERE table_schema = 'copy' AND table_name = 'customer'")  # fmt: skip
    assert {"PRIMARY", "uq", "words"} <= set(keys.split())
    orders = "SELECT * FROM `order` ORDER BY nr"
    assert mariadb.sql(copy, orders) == mariadb.sql("shop", orders)
    assert (
        mariadb.sql(copy, "UPDATE customer SET name = 'x' WHERE id = 1; SELECT * FROM log").strip() == "a;b"
    )


@OPTIONS
def test_values_change_and_columns_widen(mariadb: MariaDB, copy: str, options: list[str]) -> None:
    """Hashes are unique still and fit; what is not treated is as it was."""
    _, done = minimised(mariadb, options, {2: HASHED, 3: HASHED, 5: REDACTED, 4: DROP, 9: DROP})
    assert b"@example.org" not in done
    load(mariadb, options, done)
    lengths = "SELECT count(DISTINCT email), min(length(email)), min(length(born)) FROM customer"
    assert mariadb.sql(copy, lengths).split() == ["40", "64", "64"]
    kept = "SELECT id, hex(name), mood, hex(photo), extra FROM customer ORDER BY id"
    assert mariadb.sql(copy, kept) == mariadb.sql("shop", kept)


def test_a_table_of_which_nothing_stays_is_empty(mariadb: MariaDB, copy: str) -> None:
    """Its definition stays, so that what refers to it loads."""
    _, done = minimised(mariadb, [], dict.fromkeys(range(len(COLUMNS)), DROP))
    mariadb.sql(copy, done)
    assert mariadb.sql(copy, "SELECT count(*) FROM customer").strip() == "0"
    assert mariadb.sql(copy, "SELECT count(*) FROM `order`").strip() == "9"
