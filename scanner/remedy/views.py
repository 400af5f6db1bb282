"""The query that an export should have been: what stays of each table, and what is made of the rest."""

from __future__ import annotations

import re

from scanner.model import Form
from scanner.remedy.base import Do, PartPlan, Plan, Treatment

_MYSQL = "mysqldump"
_UNNAMED = "-"
#: An element of an array, or a key of a map: no column that a query could name.
_NESTED = re.compile(r"\[\]|\{|\}")


def views(plan: Plan, format_name: str, file_stem: str, vendor: str) -> list[str]:
    """One ``CREATE VIEW`` for each table of which something stays and something goes.

    Args:
        plan: what became of each field.
        format_name: of the file; MySQL quotes names in its own way.
        file_stem: the file's name without endings, what a table without a name is called.
        vendor: id of the vendor.
    """
    return [
        _view(part, format_name == _MYSQL, file_stem, vendor)
        for part in plan.tables.values()
        if part.fields and part.kept()
    ]


def _view(part: PartPlan, mysql: bool, stem: str, vendor: str) -> str:
    table = stem if part.name == _UNNAMED else part.name
    name = re.sub(r"\W+", "_", f"{table.rpartition('.')[2]}_for_{vendor}")
    lines = [_expression(column, part.at(index), mysql) for column, index in part.kept()]
    source = ".".join(_quoted(each, mysql) for each in table.split("."))
    body = ",\n  ".join(lines)
    return f"CREATE VIEW {_quoted(name, mysql)} AS\nSELECT\n  {body}\nFROM {source};"


def _expression(column: str, treatment: Treatment, mysql: bool) -> str:
    quoted = _quoted(column, mysql)
    if _NESTED.search(column) or treatment.do is Do.KEEP:
        return quoted
    if treatment.do is Do.REDACT:
        return f"CAST(NULL AS CHAR) AS {quoted}"
    match treatment.form:
        case Form.HASHED:
            salted = f"CONCAT({quoted}, @salt)" if mysql else f"{quoted} || :salt"
            hashed = f"SHA2({salted}, 256)" if mysql else f"encode(sha256(({salted})::bytea), 'hex')"
            return f"{hashed} AS {quoted}"
        case Form.TRUNCATED | Form.MASKED if treatment.entity_type == "DATE_OF_BIRTH":
            return f"EXTRACT(YEAR FROM {quoted}) AS {quoted}"
        case Form.TRUNCATED if treatment.entity_type.endswith("POSTAL_CODE"):
            return f"LEFT({quoted}, 2) AS {quoted}"
        case Form.TRUNCATED:
            return f"RIGHT({quoted}, 4) AS {quoted}"
        case Form.MASKED:
            return f"CONCAT(LEFT({quoted}, 1), '****') AS {quoted}"
    # Tokens and ciphers are made by a program that has the key.
    return f"CAST(NULL AS CHAR) AS {quoted}"


def _quoted(name: str, mysql: bool) -> str:
    mark = "`" if mysql else '"'
    return f"{mark}{name.replace(mark, mark * 2)}{mark}"
