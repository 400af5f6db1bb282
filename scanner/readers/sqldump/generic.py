"""Any other SQL script: standard SQL, with the common liberties."""

from __future__ import annotations

from scanner.readers.sqldump.dialect import Dialect

DIALECT = Dialect(format="sql", escape_strings=True, double_quoted=True, dollar_quotes=True, blocks=True)
