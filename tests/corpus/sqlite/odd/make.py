"""Writes input.db: run in this folder."""

import sqlite3
from pathlib import Path

Path("input.db").unlink(missing_ok=True)
connection = sqlite3.connect("input.db")
connection.executescript(
    """
    PRAGMA page_size = 512;
    CREATE TABLE person (id INTEGER PRIMARY KEY, "full ""name" TEXT DEFAULT 'ask Rolf A.', age, photo BLOB,
                         short TEXT GENERATED ALWAYS AS (substr(age, 1, 1)) VIRTUAL);
    CREATE TABLE pair (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE TABLE bare (x, y);
    CREATE VIEW v AS SELECT 'seen by Ute B.', load_extension('x') FROM person;
    CREATE VIRTUAL TABLE search USING fts4(body);
    INSERT INTO search VALUES ('letter to Max C.');
    INSERT INTO pair VALUES ('p', 'q');
    """
)
rows = [
    (1, "Zoë", 41, b"plain text"),
    (2, None, 1.5, bytes(range(16))),
    (3, "NULL", "old", bytes(range(100))),
    (4, "", None, None),
]
connection.executemany("INSERT INTO person VALUES (?, ?, ?, ?)", rows)
connection.execute("INSERT INTO person VALUES (5, CAST(X'4Bf66c6e' AS TEXT), 7, '')")
connection.commit()
connection.close()
