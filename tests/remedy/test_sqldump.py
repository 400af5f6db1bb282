"""Dumps written anew load into the real database, without what went."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scanner.remedy.base import DROP, Plan, RemedyError, Treatment
from tests.needs import missing
from tests.remedy.making import HASHED, REDACTED, part, rewritten, text_plan

COLUMNS = ("id", "name", "email", "born", "iban", "note")
DROPPED = {2: DROP, 4: DROP}


def plan(treatments: dict[int, Treatment], name: str = "customer") -> Plan:
    """A plan for the table of customers."""
    return Plan({name: part(name, COLUMNS, treatments)})


SQLITE = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email VARCHAR(40) NOT NULL UNIQUE,
  born DATE, iban TEXT CHECK (length(iban) > 3), note TEXT DEFAULT 'it''s; fine',
  UNIQUE (name, iban));
CREATE TABLE "order" (nr INTEGER PRIMARY KEY, customer_email TEXT REFERENCES customer (email), total REAL);
CREATE INDEX by_email ON customer (email);
CREATE INDEX by_name ON customer (name);
CREATE TRIGGER touched AFTER UPDATE ON customer BEGIN SELECT 1; END;
"""


def sqlite_dump(more: str = "") -> str:
    """What SQLite's shell would write of a small database."""
    with sqlite3.connect(":memory:") as database:
        database.executescript(SQLITE + more)
        rows = [
            (n, f"O'Neil, {n}", f"u{n}@example.org", "1980-01-02", f"DE{n:04}", "a;b\n(c)") for n in range(50)
        ]
        database.executemany("INSERT INTO customer VALUES (?,?,?,?,?,?)", rows)
        database.execute('INSERT INTO "order" VALUES (1, ?, 2.50)', ("u1@example.org",))
        database.commit()
        return "PRAGMA foreign_keys=OFF;\n" + "\n".join(database.iterdump()) + "\n"


def loaded(dump: str) -> sqlite3.Connection:
    """A database that a dump was loaded into, its references checked."""
    database = sqlite3.connect(":memory:")
    database.executescript(dump)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    return database


def sqlite(treatments: dict[int, Treatment], more: str = "") -> sqlite3.Connection:
    """The database after its dump was made smaller."""
    text = sqlite_dump(more)
    return loaded(rewritten("sqlite_dump", text.encode(), plan(treatments), "shop.sql").decode())


def test_without_a_plan_nothing_changes() -> None:
    """To the byte."""
    text = sqlite_dump()
    assert rewritten("sqlite_dump", text.encode(), Plan(), "shop.sql").decode() == text


def test_columns_go_with_their_keys_and_indexes() -> None:
    """Rows, other tables, other indexes and the trigger stay."""
    with sqlite(DROPPED) as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(customer)")]
        assert names == ["id", "name", "born", "note"]
        rows = database.execute("SELECT * FROM customer ORDER BY id").fetchall()
        assert rows[3] == (3, "O'Neil, 3", "1980-01-02", "a;b\n(c)")
        assert len(rows) == 50
        kept = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type != 'table'")}
        assert {"by_name", "touched"} <= kept
        assert "by_email" not in kept
        assert database.execute('SELECT * FROM "order"').fetchall() == [(1, "u1@example.org", 2.5)]


def test_values_change_and_columns_widen() -> None:
    """A hash fits where an address did; what was not null and unique still is."""
    with sqlite({2: HASHED, 5: REDACTED}) as database:
        kinds = {row[1]: (row[2].lower(), row[3]) for row in database.execute("PRAGMA table_info(customer)")}
        assert (kinds["email"], kinds["note"][0]) == (("text", 1), "text")
        hashes = [row[0] for row in database.execute("SELECT email FROM customer")]
        assert len(set(hashes)) == 50
        assert {len(each) for each in hashes} == {64}


def test_what_a_view_uses_stays_without_values() -> None:
    """The dump still loads, and the view still works."""
    with sqlite(DROPPED, "CREATE VIEW mails AS SELECT name, email FROM customer;") as database:
        assert set(database.execute("SELECT email FROM mails")) == {(None,)}
        assert "iban" not in [row[1] for row in database.execute("PRAGMA table_info(customer)")]


def test_a_computed_column_keeps_what_it_is_made_of() -> None:
    """As NULL."""
    text = (
        "CREATE TABLE customer (id int, email text, host text "
        "GENERATED ALWAYS AS (substr(email, 3)) STORED);\n"
        "INSERT INTO customer (id, email) VALUES (1,'u1@example.org');\n"
    )
    made = Plan({"customer": part("customer", ("id", "email"), {1: DROP})})
    with loaded(rewritten("sql", text.encode(), made, "x.sql").decode()) as database:
        assert database.execute("SELECT id, email, host FROM customer").fetchall() == [(1, None, None)]


def test_a_table_of_which_nothing_stays_is_empty() -> None:
    """Its definition stays, so that what refers to it loads."""
    with sqlite(dict.fromkeys(range(6), DROP)) as database:
        assert database.execute("SELECT count(*) FROM customer").fetchone() == (0,)
        assert database.execute('SELECT count(*) FROM "order"').fetchone() == (1,)


MYSQL = """-- MySQL dump 10.13
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `customer`;
/*!40101 SET character_set_client = utf8 */;
CREATE TABLE `customer` (
  `id` int NOT NULL AUTO_INCREMENT,
  `name` varchar(80) COLLATE utf8mb4_bin NOT NULL DEFAULT 'a,b' COMMENT 'first, last',
  `email` varchar(40) NOT NULL,
  `born` date DEFAULT NULL,
  `iban` char(22) DEFAULT NULL,
  `note` text,
  PRIMARY KEY (`id`),
  UNIQUE KEY `uq` (`email`),
  KEY `both` (`name`,`iban`),
  CONSTRAINT `fk` FOREIGN KEY (`iban`) REFERENCES `bank` (`iban`)
) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT CHARSET=utf8mb4;
LOCK TABLES `customer` WRITE;
/*!40000 ALTER TABLE `customer` DISABLE KEYS */;
INSERT INTO `customer` VALUES (1,'O\\'Neil, (A)','a@example.org','1980-01-02','DE1',NULL),
(2,'B\\\\','b@example.org',NULL,NULL,_binary 'x;y');
INSERT INTO `customer` (`email`,`id`,`name`) VALUES ('c@example.org',3,'C');
UNLOCK TABLES;
"""


def test_mysql() -> None:
    """Definition, keys and both forms of INSERT; escapes and conditional comments stay."""
    done = rewritten("mysqldump", MYSQL.encode(), plan(DROPPED), "shop.sql").decode()
    expected = MYSQL
    keys = (
        ",\n  UNIQUE KEY `uq` (`email`),\n  KEY `both` (`name`,`iban`),\n"
        "  CONSTRAINT `fk` FOREIGN KEY (`iban`) REFERENCES `bank` (`iban`)"
    )
    columns = ("  `email` varchar(40) NOT NULL,\n", "  `iban` char(22) DEFAULT NULL,\n")
    for gone in (*columns, keys, "'a@example.org',", "'b@example.org',", ",'DE1'"):
        assert gone in expected
        expected = expected.replace(gone, "")
    expected = expected.replace("NULL,NULL,_binary", "NULL,_binary").replace(
        "(`email`,`id`,`name`) VALUES ('c@example.org',3,'C')", "(`id`, `name`) VALUES (3,'C')"
    )
    assert done == expected


def test_mysql_values() -> None:
    """Hashes fit a key of MySQL's, whose texts must have a length."""
    done = rewritten("mysqldump", MYSQL.encode(), plan({2: HASHED}), "shop.sql").decode()
    assert "`email` varchar(255) NOT NULL,\n" in done
    assert "UNIQUE KEY `uq` (`email`)" in done
    assert "@example.org" not in done
    assert "'O\\'Neil, (A)'" in done


def test_text_of_a_dump_is_redacted_in_place() -> None:
    """Comments and strings of statements; rows are left to the plan of their table."""
    text = MYSQL.replace("-- MySQL dump 10.13", "-- MySQL dump 10.13\n-- asked for by max@example.org")
    text = text.replace("first, last", "ask max@example.org")
    done = rewritten("mysqldump", text.encode(), text_plan("statements", REDACTED), "shop.sql").decode()
    assert done == text.replace("max@example.org", "<EMAIL_ADDRESS>")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "CREATE TABLE customer (id int, email text);\nINSERT INTO customer VALUES (1);\n",
            "number of values",
        ),
        ("INSERT INTO customer VALUES (1,'secret@example.org');\n", "names no columns"),
        ("CREATE TABLE customer (id int, email text);\nINSERT INTO customer VALUES (1,'secret", "not end"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, told: str) -> None:
    """Nothing is guessed, and nothing quoted."""
    made = Plan({"customer": part("customer", ("id", "email"), {1: DROP})})
    with pytest.raises(RemedyError, match=told) as error:
        rewritten("sql", text.encode(), made, "x.sql")
    assert "secret" not in str(error.value)


POSTGRES = """
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('sad', 'fine');
CREATE TABLE shop.bank (iban char(22) PRIMARY KEY);
CREATE TABLE shop.customer (
  id serial PRIMARY KEY, name character varying(80) NOT NULL, email varchar(40) NOT NULL UNIQUE,
  born date DEFAULT '1970-01-01', iban char(22) REFERENCES shop.bank, note text, mood shop.mood,
  CHECK (email LIKE '%@%'), EXCLUDE USING btree (iban WITH =)
);
CREATE TABLE shop."Order" (nr int PRIMARY KEY, "customer_email" varchar(40) REFERENCES shop.customer (email));
CREATE INDEX by_lower ON shop.customer (lower(email) varchar_pattern_ops);
CREATE INDEX by_name ON shop.customer (name);
COMMENT ON COLUMN shop.customer.email IS 'address; of mail';
COMMENT ON INDEX shop.by_lower IS 'used by the shop';
CREATE VIEW shop.births AS SELECT name, born FROM shop.customer;
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END; $$;
CREATE TRIGGER touched BEFORE UPDATE ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.touch();
INSERT INTO shop.bank SELECT 'DE' || n FROM generate_series(1, 40) n;
INSERT INTO shop.customer (name, email, born, iban, note, mood)
  SELECT E'O''Neil\\t' || n, 'u' || n || '@example.org', '1980-01-02', 'DE' || n,
    E'a;b\\n\\\\.\\n' || n, 'fine'
  FROM generate_series(1, 40) n;
INSERT INTO shop."Order" SELECT n, 'u' || n || '@example.org' FROM generate_series(1, 9) n;
"""


class Postgres:
    """A server of its own, reached by a socket in a folder."""

    def __init__(self, folder: Path, programs: Path, prefix: list[str]) -> None:
        self._folder, self._programs, self._prefix = folder, programs, prefix

    def run(self, program: str, *arguments: str, stdin: str | None = None) -> str:
        """Standard output of one of PostgreSQL's programs."""
        command = [*self._prefix, str(self._programs / program), *arguments]
        environment = {**os.environ, "PGHOST": str(self._folder), "PGUSER": "tester", "LC_ALL": "C"}
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, database: str, text: str) -> str:
        """What a script prints; its first error ends it."""
        return self.run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, stdin=text)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A real server; skipped where none is installed, or where it may not be started."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        missing("PostgreSQL", "on Debian: apt-get install postgresql")
    prefix: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("runuser") is None:
            missing("runuser, without which PostgreSQL does not run as root,", "it is part of util-linux")
        prefix = ["runuser", "-u", "nobody", "--"]
    # Not below pytest's own folder, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if prefix:
        shutil.chown(folder, "nobody")
    server = Postgres(folder, programs[-1], prefix)
    data = str(folder / "data")
    server.run("initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    server.run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    try:
        server.run("createdb", "shop")
        server.sql("shop", POSTGRES)
        yield server
    finally:
        server.run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


PG_COLUMNS = ("id", "name", "email", "born", "iban", "note", "mood")
Minimised = Callable[[str, dict[int, Treatment], list[str]], str]


@pytest.mark.parametrize("options", [[], ["--inserts"], ["--column-inserts", "--rows-per-insert=7"]], ids=str)
@pytest.mark.parametrize(
    ("case", "treatments"),
    [
        ("same", {}),
        ("dropped", {0: DROP, 2: DROP, 3: DROP, 4: DROP}),
        ("changed", {2: HASHED, 3: HASHED, 5: REDACTED}),
        ("emptied", dict.fromkeys(range(7), DROP)),
    ],
)
def test_postgres(
    postgres: Postgres, options: list[str], case: str, treatments: dict[int, Treatment]
) -> None:
    """Whatever goes, what pg_dump wrote loads without an error, and the other rows are all there."""
    dump = postgres.run("pg_dump", *options, "shop")
    made = Plan({"shop.customer": part("shop.customer", PG_COLUMNS, treatments)})
    done = rewritten("pg_dump", dump.encode(), made, "shop.sql").decode()
    if case == "same":
        assert done == dump
    postgres.run("createdb", "copy")
    try:
        postgres.sql("copy", done)
        count = postgres.sql("copy", 'SELECT count(*) FROM shop.customer; SELECT count(*) FROM shop."Order"')
        assert count.split() == ["0" if case == "emptied" else "40", "9"]
        if case == "dropped":
            columns = "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM "
            columns += "information_schema.columns WHERE table_name = 'customer'"
            # A view uses the date, so it stays without its values.
            assert postgres.sql("copy", columns).split() == ["name", "born", "note", "mood"]
            assert postgres.sql("copy", "SELECT count(born) FROM shop.births").strip() == "0"
        if case == "changed":
            lengths = (
                "SELECT DISTINCT length(email), length(born::text), name LIKE 'O''Neil_%' FROM shop.customer"
            )
            assert postgres.sql("copy", lengths).strip() == "64|64|t"
        if case in ("dropped", "changed"):
            kept = postgres.sql("copy", "SELECT count(*) FROM shop.customer WHERE note LIKE E'a;b\\n_.\\n%'")
            assert kept.strip() == "40"
    finally:
        postgres.run("dropdb", "copy")
