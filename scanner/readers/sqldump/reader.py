"""SQL dumps as a reader: what is one, in which encoding, and whose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, cast

from scanner.readers.base import Event, ReadContext, Reader, Source
from scanner.readers.encoding import Encoding, Utf8Stream, as_utf8, decode, detect
from scanner.readers.sqldump.charset import declared
from scanner.readers.sqldump.sniff import sniff


class SqlDumpReader(Reader):
    """Plain-text dumps of databases, and scripts that insert rows. The dialect is told from the head."""

    format = "sql"
    limitations = (
        "Rows that a script computes (INSERT … SELECT, stored procedures, variables) are read as text.",
        "Names of owners, roles and hosts in statements and in a dump tool's own comments are not looked at.",
        "Large objects of PostgreSQL and binary values over 64 bytes are not looked into.",
        "Backups in a database's own binary format (pg_dump -Fc, .bak) are not SQL and not read here.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """By the dump tool's mark, by statements that bring rows, or by name."""
        return sniff(_plain_head(head), name)[0]

    def format_of(self, head: bytes, name: str) -> str:
        """The dialect's name: ``mysqldump``, ``pg_dump``, ``sqlite_dump``, ``tsql`` or ``sql``."""
        return sniff(_plain_head(head), name)[1].format

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Tables with their rows, and the text ``statements``."""
        head = source.head
        plain = _plain_head(head)
        encoding = _encoding(head, plain)
        stream = source.stream
        converted: Utf8Stream | None = None
        if encoding.name != "utf-8":
            converted = as_utf8(stream, encoding)
            stream = cast("IO[bytes]", converted)
        elif encoding.mark:
            stream.read(encoding.mark)
        from scanner.readers.sqldump.dump import Dump
        from scanner.readers.sqldump.tape import Tape

        dump = Dump(Tape(stream), sniff(plain, source.name)[1], plain, context)
        yield from dump.events()
        if converted is not None and (gap := converted.gap()) is not None:
            yield gap
        if dump.error is not None:
            raise dump.error


def _plain_head(head: bytes) -> bytes:
    """The head in an encoding in which ASCII is ASCII."""
    zeros = max(head[:256:2].count(0), head[1:256:2].count(0))
    if zeros > len(head[:256]) // 4 or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = detect(head)
        if encoding.name.startswith(("utf-16", "utf-32")):
            return decode(head, encoding).encode("utf-8")
    return head


def _encoding(head: bytes, plain: bytes) -> Encoding:
    if head is not plain or head.startswith(b"\xef\xbb\xbf"):
        return detect(head)
    name = declared(head)
    return Encoding(name) if name is not None else detect(head)
