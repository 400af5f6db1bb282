"""Which reader reads what: one explicit tuple, and the choice among them.

Readers import their heavy libraries inside ``read``, so that importing this module is cheap.
"""

from __future__ import annotations

from scanner.readers.archive import TarReader, ZipReader
from scanner.readers.base import Reader
from scanner.readers.delimited import DelimitedReader
from scanner.readers.jsondoc import JsonReader
from scanner.readers.oldsheets import OldSheetReader
from scanner.readers.parquet import ArrowReader, ParquetReader
from scanner.readers.sqldump.reader import SqlDumpReader
from scanner.readers.sqlite import SqliteReader
from scanner.readers.text import TextReader
from scanner.readers.unsupported import UnsupportedReader
from scanner.readers.xlsx import XlsxReader
from scanner.readers.yamldoc import YamlReader

READERS: tuple[Reader, ...] = (
    ZipReader(),
    TarReader(),
    UnsupportedReader(),
    XlsxReader(),
    OldSheetReader(),
    ParquetReader(),
    ArrowReader(),
    SqliteReader(),
    SqlDumpReader(),
    JsonReader(),
    YamlReader(),
    DelimitedReader(),
    TextReader(),
)


def choose(head: bytes, name: str, readers: tuple[Reader, ...] = READERS) -> Reader | None:
    """The reader that is surest of these bytes, the earlier registered on a tie; None where none accepts."""
    best, best_score = None, 0
    for reader in readers:
        score = reader.accepts(head, name)
        if score > best_score:
            best, best_score = reader, score
    return best
