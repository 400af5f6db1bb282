"""What ``.dump`` of the SQLite shell writes."""

from __future__ import annotations

import re

from scanner.readers.sqldump.dialect import Dialect

DIALECT = Dialect(
    format="sqlite_dump",
    double_quoted=True,
    brackets=True,
    blocks=True,
    internal=frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat3", "sqlite_stat4"}),
)

_START = re.compile(rb"^PRAGMA foreign_keys *= *OFF; *\r?\nBEGIN TRANSACTION;", re.MULTILINE | re.IGNORECASE)
_CODE = re.compile(
    rb"^PRAGMA \w+ *=|\bAUTOINCREMENT\b|\bWITHOUT ROWID\b"
    rb"|^(?:INSERT INTO|DELETE FROM) \"?sqlite_(?:sequence|schema|master)",
    re.MULTILINE | re.IGNORECASE,
)


def score(head: bytes) -> int:
    """How sure these bytes are a dump of SQLite, 0 to 100."""
    if _START.search(head):
        return 97
    return 84 if _CODE.search(head) else 0
