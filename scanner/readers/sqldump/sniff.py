"""Is this SQL with rows in it, and whose."""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache

from scanner.readers.sqldump import generic, mysql, postgres, sqlite_dump, tsql
from scanner.readers.sqldump.dialect import Dialect

_SPECIFIC = (mysql, postgres, sqlite_dump, tsql)
_BLANK = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|--[^\n]*+(?:\n|\Z)|#[^\n]*+(?:\n|\Z)|/\*(?!M?!)(?:[^*]++|\*(?!/))*+\*/)*+"
)
_OPEN_COMMENT = re.compile(rb"/\*(?!M?!)(?:[^*]++|\*(?!/))*+\Z")
_VERB = re.compile(
    rb"""(?: SET | CREATE | INSERT | REPLACE | DROP | USE | BEGIN | START | PRAGMA | COPY | DECLARE | PRINT
        | LOCK | ALTER | SELECT | TRUNCATE | DELETE | UPDATE | COMMENT | GRANT | REVOKE | EXEC | EXECUTE | IF
        | GO | WITH | DELIMITER | COMMIT | ANALYZE | CONNECT | PROMPT )\b | /\*M?! | \\[a-z!-]""",
    re.VERBOSE | re.IGNORECASE,
)
_PART = rb"(?:`[^`\n]{1,200}`|\"[^\"\n]{1,200}\"|\[[^\]\n]{1,200}\]|[\w$.@\x80-\xff]{1,200})"
_NAME = _PART + rb"(?:\s*\.\s*" + _PART + rb"){0,3}"
_ROWS = (
    rb"(?:/\*!\d*\s*)?(?:"
    rb"CREATE (?:GLOBAL |LOCAL |TEMP |TEMPORARY |UNLOGGED |FOREIGN )*TABLE (?:IF NOT EXISTS )?"
    + _NAME
    + rb"\s*\("
    rb"|(?:INSERT|REPLACE)\s+(?:LOW_PRIORITY |DELAYED |HIGH_PRIORITY |IGNORE |OR \w+ )*(?:INTO\s+)?"
    + _NAME
    + rb"\s*(?:\(|VALUES?\b|SELECT\b|SET\b|DEFAULT\b)"
    rb"|COPY " + _NAME + rb"\s*(?:\([^)]{0,4000}+\))?\s+FROM\s+stdin\b)"
)
_FIRST_ROWS = re.compile(_ROWS, re.IGNORECASE)
_LATER_ROWS = re.compile(rb"^[ \t]*+" + _ROWS, re.IGNORECASE | re.MULTILINE)
_BACKSLASH_QUOTE = re.compile(rb"\\'(?!\s*[,)])")


@lru_cache(maxsize=4)
def sniff(head: bytes, name: str) -> tuple[int, Dialect]:
    """How sure ``head`` starts a SQL dump (0 to 100), and its dialect.

    SQL is known by its first words, comments left aside, and by a statement that defines a table or brings
    rows; a dump tool's own mark is enough by itself. A file called ``.sql`` is taken at its word.
    """
    head = head.removeprefix(b"\xef\xbb\xbf")
    best, dialect = 0, generic.DIALECT
    for module in _SPECIFIC:
        score = module.score(head)
        if score > best:
            best, dialect = score, module.DIALECT
    named = name.lower().endswith((".sql", ".ddl", ".dump", ".psql", ".mysql"))
    if best >= 96:
        return best, dialect
    blank = _BLANK.match(head)
    start = blank.end() if blank else 0
    if start == len(head) or _OPEN_COMMENT.match(head, start):
        return (30 if named and head else 0), _generic(head)
    verb = _VERB.match(head, start) is not None
    if verb and (_FIRST_ROWS.match(head, start) or _LATER_ROWS.search(head)):
        return (best, dialect) if best else (72, _generic(head))
    if verb and best >= 84 and (named or best == 97):
        return 60, dialect
    return (30 if named else 0), (dialect if best else _generic(head))


def _generic(head: bytes) -> Dialect:
    if _BACKSLASH_QUOTE.search(head):
        return dataclasses.replace(generic.DIALECT, backslash=True)
    return generic.DIALECT
