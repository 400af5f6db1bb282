"""Scripts of Microsoft SQL Server: ``INSERT`` statements in batches, as Management Studio writes them."""

from __future__ import annotations

import re

from scanner.readers.sqldump.dialect import Dialect

DIALECT = Dialect(
    format="tsql",
    nested_comments=True,
    brackets=True,
    batches=True,
    indexes_in_tables=True,
    boilerplate=re.compile(r"Object: .* Script Date: .*"),
)

_CODE = re.compile(
    rb"^[ \t]*+GO[ \t]*+\r?$|\[dbo\]\.|^SET (?:IDENTITY_INSERT|ANSI_NULLS|QUOTED_IDENTIFIER|NOCOUNT)\b"
    rb"|^DECLARE @|\bNVARCHAR *\("
    rb"|INSERT (?:INTO )?\[|CREATE TABLE \[",
    re.MULTILINE | re.IGNORECASE,
)


def score(head: bytes) -> int:
    """How sure these bytes are a script for SQL Server, 0 to 100."""
    return 85 if _CODE.search(head) else 0
