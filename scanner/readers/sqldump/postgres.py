"""Plain-text dumps of PostgreSQL: pg_dump with COPY or INSERT, and psql scripts like them."""

from __future__ import annotations

import re

from scanner.readers.sqldump.dialect import Dialect

DIALECT = Dialect(
    format="pg_dump",
    escape_strings=True,
    nested_comments=True,
    dollar_quotes=True,
    client_lines=True,
    boilerplate=re.compile(
        r"""PostgreSQL\ database\ (?:cluster\ )?dump(?:\ complete)? | Dumped\ (?:from|by)\ .* | TOC\ entry\ .*
        | (?:Data\ for\ )?Name:\ .*;\ Type:\ .* | Dependencies:\ .* | (?:Started|Completed)\ on\ .* """,
        re.VERBOSE,
    ),
)

_TOOL = re.compile(rb"^-- *PostgreSQL database (?:cluster )?dump", re.MULTILINE)
_CODE = re.compile(
    rb"^COPY [^;\n]{1,2000}\bFROM +stdin\b|^SET (?:standard_conforming_strings|client_encoding|search_path)\b"
    rb"|^SELECT pg_catalog\.|^\\(?:connect|restrict|c) |::(?:character varying|text|regclass)\b"
    rb"|^ALTER TABLE ONLY |\bcharacter varying\b",
    re.MULTILINE | re.IGNORECASE,
)


def score(head: bytes) -> int:
    """How sure these bytes are a PostgreSQL dump, 0 to 100."""
    if _TOOL.search(head):
        return 96
    return 86 if _CODE.search(head) else 0
