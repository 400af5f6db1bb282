"""Workbooks that are read through a library: ods here (written by hand); xls and xlsb share the way."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.readers.base import ReadContext
from scanner.readers.oldsheets import OldSheetReader
from scanner.readers.registry import choose
from scanner.readers.unsupported import OLE
from tests.readers.folding import Folded, fold_bytes

READER = OldSheetReader()
_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"))
)


def _cell(value: str, kind: str = "string", attribute: str = "") -> str:
    given_value = f' office:{attribute}="{value}"' if attribute else ""
    start = f'<table:table-cell office:value-type="{kind}"{given_value}>'
    return f"{start}<text:p>{value}</text:p></table:table-cell>"


def _row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def _ods(*tables: tuple[str, str, str]) -> bytes:
    body = "".join(
        f'<table:table table:name="{name}" table:style-name="{style}">{rows}</table:table>'
        for name, style, rows in tables
    )
    styles = (
        '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/>'
        '</style:style><style:style style:name="on" style:family="table">'
        '<style:table-properties table:display="true"/></style:style>'
    )
    content = (
        f"<office:document-content {_NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", content)
    return target.getvalue()


PEOPLE = _row(_cell("id"), _cell("name"), _cell("born")) + _row(
    _cell("1", "float", "value"), _cell("Ada Lovelace"), _cell("1979-05-25", "date", "date-value")
)


def _read(data: bytes, limits: Limits | None = None) -> Folded:
    return fold_bytes(READER, data, "a.ods", ReadContext(limits or Limits()))


def test_sheets_and_what_is_not_read() -> None:
    """Cells of all sheets, hidden ones marked; the rest is a gap, not silence."""
    data = _ods(("People", "on", PEOPLE), ("Secret", "off", PEOPLE))
    chosen = choose(data, "download")
    assert isinstance(chosen, OldSheetReader)
    assert chosen.format_of(data, "download") == "ods"
    folded = _read(data)
    table = folded.table("People")
    assert [column.name for column in table.columns] == ["id", "name", "born"]
    assert [column.values for column in table.columns] == [["1"], ["Ada Lovelace"], ["1979-05-25"]]
    assert (table.hidden, folded.table("Secret").hidden) == (False, True)
    assert folded.reasons == ["unsupported"]


def test_an_old_document_that_is_no_workbook() -> None:
    """Other documents of the same container are not taken."""
    assert READER.accepts(OLE + bytes(600) + "WordDocument".encode("utf-16-le"), "a.xls") == 0
    assert READER.accepts(OLE + bytes(600) + "Workbook".encode("utf-16-le"), "a") > 92
    assert READER.accepts(b"id,name\n", "a.xls") == 0


def test_damaged() -> None:
    """Whatever the library says is a reason, without its words."""
    assert fold_bytes(READER, OLE + bytes(600) + "Workbook".encode("utf-16-le"), "a.xls").reasons == [
        "corrupt"
    ]


@pytest.mark.parametrize("size", [1, 4])
def test_too_much_to_hold(size: int) -> None:
    """The library holds all of it in memory: that is bounded before it begins."""
    data = _ods(("S", "on", _row(_cell("x" * (3 << 20)))))
    assert ("too_large" in _read(data, Limits(spool_mb=size)).reasons) is (size == 1)


@given(st.data())
def test_any_damage_ends(data: st.DataObject) -> None:
    """Flip and cut bytes anywhere: it ends, in parts, gaps or a ReadError."""
    good = bytearray(_ods(("People", "on", PEOPLE)))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    _read(bytes(good[: data.draw(st.integers(0, len(good)))]))
