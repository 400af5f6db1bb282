"""Workbooks that are not Office Open XML: xls, xlsb and ods, through calamine.

calamine holds a sheet in memory whole, so these are bounded by ``limits.spool_mb`` as stored and unpacked. It
gives cells only; that the rest of such a workbook was not looked at is a gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import IO, Any

from scanner.model import Gap, Reason, Stage, printable
from scanner.readers import xlsx_sheet, zipping
from scanner.readers.base import Event, ReadContext, Reader, ReadError, Source
from scanner.readers.unsupported import kind_of
from scanner.readers.xlsx_numbers import GENERAL, shown

_UNREAD = (
    "comments, page headers, document properties and embedded files of this kind of workbook are not read"
)


class OldSheetReader(Reader):
    """Excel 97 workbooks, binary Excel workbooks and OpenDocument spreadsheets."""

    format = "ods"
    limitations = (
        "Only cells are read; comments, headers, properties and embedded files are a gap.",
        "Hidden sheets are marked, hidden columns are not.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Certain of such a package; an old Office document is known by its streams, else by its ending."""
        if zipping.kind_of_head(head) in ("xlsb", "ods"):
            return 96
        kind = kind_of(head, name)
        if kind is None or kind.format not in ("xls", "ole"):
            return 0
        return 97 if kind.format == "xls" or name.lower().endswith((".xls", ".xlt")) else 0

    def format_of(self, head: bytes, name: str) -> str:
        """``xls``, ``xlsb`` or ``ods``."""
        return zipping.kind_of_head(head) or "xls"

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Sheet by sheet.

        Raises:
            ReadError: ``encrypted``, ``corrupt`` or over a limit.
        """
        import python_calamine

        with source.seekable(context.limits) as file:
            _bound(file, source, context)
            book = _guarded(lambda: python_calamine.CalamineWorkbook.from_filelike(file))
            for number, about in enumerate(book.sheets_metadata):
                if number >= context.limits.tables:
                    raise ReadError(Reason.TOO_MANY_MEMBERS, f"has more than {number} sheets (limits.tables)")
                hidden = about.visible != python_calamine.SheetVisibleEnum.Visible
                yield from _sheet(book, about.name, hidden, context)
        yield Gap(Stage.READ, Reason.UNSUPPORTED, _UNREAD, "workbook")


def _bound(file: IO[bytes], source: Source, context: ReadContext) -> None:
    """Hold the workbook against the limits before a library unpacks it into memory.

    Raises:
        ReadError: ``too_large``, ``too_deep`` or ``ratio``.
    """
    limit = context.limits.spool_mb << 20
    size = file.seek(0, 2)
    context.open_container(size)
    unpacked = size
    if source.head.startswith(zipping.LOCAL_HEADER):
        unpacked = 0
        package = zipping.Zip(file, context)
        for member in package.members():
            if member.is_folder:
                continue
            stream = package.open(member)
            while unpacked <= limit and (block := stream.read(1 << 20)):
                unpacked += len(block)
    file.seek(0)
    if unpacked > limit:
        detail = f"this kind of workbook is read in memory and is over {context.limits.spool_mb} MiB there"
        raise ReadError(Reason.TOO_LARGE, f"{detail} (limits.spool_mb)")


def _guarded(step: Any) -> Any:
    """Do a step of calamine's; whatever it raises, by its reason. Its words may quote the data."""
    import python_calamine

    try:
        return step()
    except python_calamine.PasswordError:
        raise ReadError(Reason.ENCRYPTED, "the workbook is encrypted") from None
    except (python_calamine.CalamineError, OSError, ValueError, TypeError, OverflowError) as error:
        reason = Reason.ENCRYPTED if "password" in str(error).lower() else Reason.CORRUPT
        raise ReadError(reason, "the workbook, or a sheet of it, is damaged or encrypted") from None
    except BaseException as error:
        # A panic of the library is none of Python's exceptions, and means a damaged file.
        if type(error).__name__ == "PanicException":
            raise ReadError(Reason.CORRUPT, "the workbook, or a sheet of it, is damaged") from None
        raise


def _sheet(book: Any, name: str, hidden: bool, context: ReadContext) -> Iterator[Event]:
    try:
        cells = _guarded(lambda: book.get_sheet_by_name(name))
        if cells.start is None:
            return
        parsed = xlsx_sheet.Sheet()
        found = _rows(cells, parsed, context)
        yield from xlsx_sheet.table_events(name, found, parsed, xlsx_sheet.Hints(), hidden=hidden)
        yield from xlsx_sheet.complaints(printable(name), parsed, context)
    except ReadError as error:
        yield Gap(Stage.READ, error.reason, error.detail, printable(name))


def _rows(cells: Any, parsed: xlsx_sheet.Sheet, context: ReadContext) -> Iterator[tuple[int, xlsx_sheet.Row]]:
    iterator = _guarded(cells.iter_rows)
    number = 0
    while (values := _guarded(lambda: next(iterator, None))) is not None:
        number += 1
        row = {place: text for place, value in enumerate(values) if (text := _text(value))}
        outside = [place for place in row if place >= context.limits.columns]
        for place in outside:
            del row[place]
        parsed.outside += len(outside)
        if any(not text.isspace() for text in row.values()):
            yield number, row


def _text(value: Any) -> str:
    """A cell as a person sees it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return shown(repr(value), GENERAL, since_1904=False)
    if isinstance(value, dt.datetime):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(value)


__all__ = ["OldSheetReader"]
