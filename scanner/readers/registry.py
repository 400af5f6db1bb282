"""Which reader reads what: one explicit order, and the choice among them.

Readers import their heavy libraries inside ``read``. Those of binary formats are imported themselves only
where the first bytes or the name leave room for one: most of what is shared is text.
"""

from __future__ import annotations

from functools import cache

from scanner.readers.base import Reader
from scanner.readers.delimited import DelimitedReader
from scanner.readers.jsondoc import JsonReader
from scanner.readers.sqldump.reader import SqlDumpReader
from scanner.readers.text import TextReader
from scanner.readers.unsupported import UnsupportedReader
from scanner.readers.yamldoc import YamlReader

_UNSUPPORTED = UnsupportedReader()
_TEXT: tuple[Reader, ...] = (
    SqlDumpReader(),
    JsonReader(),
    YamlReader(),
    DelimitedReader(),
    TextReader(),
)
_TEXT_ONLY = (_UNSUPPORTED, *_TEXT)
#: How files begin that need have no zero byte.
_MAGIC = (b"PK", b"PAR", b"FEA", b"ARROW", b"SQLite", b"\xd0\xcf", b"\xff\xff\xff\xff")
#: Endings by which a reader of a binary format takes what its first bytes do not show.
_NAMES = (".zip", ".tar", ".xls", ".xlt", ".xlsx", ".xlsm", ".xltx", ".xltm", ".xlam", ".xlsb", ".ods")


@cache
def readers() -> tuple[Reader, ...]:
    """All of them, in the order that decides a tie."""
    from scanner.readers.archive import TarReader, ZipReader
    from scanner.readers.oldsheets import OldSheetReader
    from scanner.readers.parquet import ArrowReader, ParquetReader
    from scanner.readers.sqlite import SqliteReader
    from scanner.readers.xlsx import XlsxReader

    return (
        ZipReader(),
        TarReader(),
        _UNSUPPORTED,
        XlsxReader(),
        OldSheetReader(),
        ParquetReader(),
        ArrowReader(),
        SqliteReader(),
        *_TEXT,
    )


def choose(head: bytes, name: str) -> Reader | None:
    """The reader that is surest of these bytes, the earlier registered on a tie; None where none accepts."""
    return surest(head, name, readers() if _may_be_binary(head, name) else _TEXT_ONLY)


def surest(head: bytes, name: str, among: tuple[Reader, ...]) -> Reader | None:
    """The one of some readers that is surest, the earlier on a tie; None where none accepts."""
    best, best_score = None, 0
    for reader in among:
        score = reader.accepts(head, name)
        if score > best_score:
            best, best_score = reader, score
    return best


def _may_be_binary(head: bytes, name: str) -> bool:
    return b"\0" in head or head.startswith(_MAGIC) or name.lower().endswith(_NAMES)
