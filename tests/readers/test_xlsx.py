"""Workbooks: every sheet and everything a package carries along, streamed and without surprises."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.worksheet.table import Table as ExcelTable

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers import heading, xlsx_sheet
from scanner.readers.base import ReadContext, Source
from scanner.readers.registry import choose
from scanner.readers.xlsx import XlsxReader
from scanner.readers.xlsx_numbers import format_of, shown
from tests.readers.folding import Folded, FoldedTable, fold, fold_bytes

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _book(*sheets: tuple[str, list[list[Any]]]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    return book


def _read(data: bytes, limits: Limits | None = None) -> Folded:
    return fold_bytes(XlsxReader(), data, "a.xlsx", ReadContext(limits or Limits()))


def _column(table: FoldedTable, name: str) -> list[str | None]:
    return table.column(name).values


def _raw(sheet: str, strings: str = "", styles: str = "", **parts: str) -> bytes:
    """A workbook of one sheet from its XML; further parts by name."""
    kinds = {
        "s1": ("worksheet", "worksheets/sheet1.xml"),
        "s2": ("sharedStrings", "sharedStrings.xml"),
        "s3": ("styles", "styles.xml"),
    }
    relations = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in kinds.items()
    )
    members = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": (
            f'<workbook xmlns:r="{RELATIONS}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="s1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": f"<Relationships>{relations}</Relationships>",
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": f"<sst>{strings}</sst>",
        "xl/styles.xml": f"<styleSheet>{styles}</styleSheet>",
        **parts,
    }
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return target.getvalue()


def _sheet(rows: str, before: str = "", after: str = "") -> str:
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'


PEOPLE = [["id", "name", "phone"], [1, "Ada Lovelace", 5551234567], [2, "Alan Turing", 5557654321]]


def test_a_plain_sheet() -> None:
    """Names of columns, rows, and numbers as they were typed."""
    folded = _read(_saved(_book(("People", PEOPLE))))
    table = folded.table("People")
    assert [column.name for column in table.columns] == ["id", "name", "phone"]
    assert _column(table, "name") == ["Ada Lovelace", "Alan Turing"]
    assert _column(table, "phone") == ["5551234567", "5557654321"]
    assert (table.rows, table.headed, folded.reasons) == (2, True, [])


def test_the_registry_chooses_it_by_content() -> None:
    """An ending is not needed, and a zip of other files is no workbook."""
    chosen = choose(_saved(_book(("S", PEOPLE)))[:65536], "download")
    assert isinstance(chosen, XlsxReader)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("xl/notes.txt", "x")
    assert XlsxReader().accepts(target.getvalue(), "a.zip") == 0


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_hidden_sheets_and_columns_are_marked(state: str) -> None:
    """Hidden from who opens the file, not from us."""
    book = _book(("Shown", PEOPLE), ("Secret", PEOPLE))
    book["Secret"].sheet_state = state
    book["Shown"].column_dimensions["B"].hidden = True
    folded = _read(_saved(book))
    assert folded.table("Secret").hidden
    assert folded.table("Secret").rows == 2
    shown_table = folded.table("Shown")
    assert not shown_table.hidden
    assert [column.name for column in shown_table.columns if column.hidden] == ["name"]


def test_hidden_rows_are_read() -> None:
    """A filter hides rows; they are there all the same."""
    book = _book(("S", PEOPLE))
    book["S"].row_dimensions[3].hidden = True
    assert _column(_read(_saved(book)).table("S"), "name") == ["Ada Lovelace", "Alan Turing"]


def test_values_as_a_person_sees_them() -> None:
    """Dates as dates, times as times, codes with their zeros, booleans as words."""
    book = _book(("S", [["born", "at", "both", "zip", "ssn", "flag", "amount", "name"]]))
    sheet = book["S"]
    sheet.append(
        [
            dt.date(1979, 5, 25), dt.time(13, 30), dt.datetime(2020, 1, 31, 8, 15),  # noqa: DTZ001 # cells have no zone

            1234, 123456789, True, 12.5, "x_x000D_y",
        ]
    )  # fmt: skip
    sheet["D2"].number_format = "00000"
    sheet["E2"].number_format = "000\\-00\\-0000"
    table = _read(_saved(book)).table("S")
    assert [column.values[0] for column in table.columns] == [
        "1979-05-25", "13:30:00", "2020-01-31 08:15:00", "01234", "123-45-6789", "TRUE", "12.5", "x\ry",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "identifier", "code", "text"),
    [
        ("44197", 14, None, "2021-01-01"),
        ("44197.5", 22, None, "2021-01-01 12:00:00"),
        ("1.5", 46, None, "36:00:00"),
        ("61", 14, None, "1900-03-01"),
        ("59", 14, None, "1900-02-28"),
        ("-5", 14, None, "-5"),
        ("99999999", 14, None, "99999999"),
        ("44197", 164, "[$-409]mmmm d, yyyy;@", "2021-01-01"),
        ("44197", 164, '"Day" 0', "44197"),
        ("44197", 164, "[Red]0.00", "44197"),
        ("5551234567", 164, r"[<=9999999]###\-####;\(###\)\ ###\-####", "(555) 123-4567"),
        ("15551234567", 164, "000-000-0000", "1555-123-4567"),
        ("5.551234567E9", 0, None, "5551234567"),
        ("0.30000000000000004", 0, None, "0.3"),
        ("4111111111111111", 1, None, "4111111111111111"),
        ("1234.5", 4, "#,##0.00", "1234.5"),
        ("1E400", 0, None, "1E400"),
        ("not a number", 14, None, "not a number"),
    ],
)
def test_numbers(raw: str, identifier: int, code: str | None, text: str) -> None:
    """The style says what a number means; nothing gets a needless fraction or exponent."""
    assert shown(raw, format_of(identifier, code), since_1904=False) == text


def test_the_other_day_count() -> None:
    """Workbooks from old Macs count from 1904."""
    assert shown("1", format_of(14, None), since_1904=True) == "1904-01-02"


def test_what_stands_above_the_table_is_text() -> None:
    """A title is no row and no name of a column."""
    rows: list[list[Any]] = [
        ["Delivery for Acme", None, None],
        [None, None, None],
        ["as of", "2021-01-01", None],
        *PEOPLE,
    ]
    folded = _read(_saved(_book(("S", rows))))
    assert folded.texts["S above the table"].text == "Delivery for Acme\nas of\t2021-01-01\n"
    assert [column.name for column in folded.table("S").columns] == ["id", "name", "phone"]
    assert folded.table("S").rows == 2


@pytest.mark.parametrize(
    "rows",
    [
        [["Ada Lovelace", "London"], ["Alan Turing", "Wilmslow"], ["Grace Hopper", "New York"]],
        [["Ada Lovelace"], ["Alan Turing"]],
        [["Ada Lovelace", "ada@example.org"], ["Alan Turing", "alan@example.org"]],
        [["Ada Lovelace", "555 123 4567"], ["Alan Turing", "555 765 4321"]],
        [["Ada Lovelace", "London"]],
    ],
)
def test_a_person_never_becomes_the_name_of_a_column(rows: list[list[str]]) -> None:
    """Without names of columns the first row is data."""
    table = _read(_saved(_book(("S", rows)))).table("S")
    assert not table.headed
    assert [column.name for column in table.columns] == [f"column_{n + 1}" for n in range(len(rows[0]))]
    assert table.rows == len(rows)


@pytest.mark.parametrize(
    ("rows", "at"),
    [
        ([["Gizmo", "Frob"], ["1", "2"], ["3", "4"]], 0),
        ([["customer_ref", "remark"], ["abc", "def"], ["ghi", "jkl"]], 0),
        ([["Vorname", "Nachname"], ["Ada", "Lovelace"]], 0),
        ([["Title"], ["as of", "May"], ["id", "name", "city"], ["1", "Ada", "London"]], 2),
        ([["North", "1"], ["South", "2"]], None),
        ([["call 555 12345", "x"], ["1", "2"], ["3", "4"]], None),
        ([], None),
    ],
)
def test_heading(rows: list[list[str]], at: int | None) -> None:
    """Words of headings, or words above numbers."""
    assert heading.find(rows) == at


def test_a_table_of_the_workbook_says_where_its_names_are() -> None:
    """Where nothing in the words would tell, the workbook does."""
    book = _book(("S", [["remarks on the side", None], ["Blorp", "Grix"], ["abc", "def"], ["ghi", "jkl"]]))
    book["S"].add_table(ExcelTable(displayName="T", ref="A2:B4"))
    assert [column.name for column in _read(_saved(book)).table("S").columns] == ["Blorp", "Grix"]


def test_frozen_panes_say_it_too() -> None:
    """People freeze the row of names."""
    book = _book(("S", [["Blorp", "Grix"], ["abc", "def"], ["ghi", "jkl"]]))
    book["S"].freeze_panes = "A2"
    assert [column.name for column in _read(_saved(book)).table("S").columns] == ["Blorp", "Grix"]


def test_columns_that_begin_later() -> None:
    """A value to the right of all names still has a column."""
    rows: list[list[Any]] = [*PEOPLE, [3, "Grace Hopper", 5550000000, None, "a stray note"]]
    table = _read(_saved(_book(("S", rows)))).table("S")
    assert _column(table, "column_5")[-1] == "a stray note"


def test_everything_around_the_cells() -> None:
    """Comments, headers, links, lists, names, properties, formulas: each is a part."""
    book = _book(("S", PEOPLE))
    sheet = book["S"]
    sheet["A1"].comment = Comment("ask Grace Hopper", "Katherine Johnson")
    sheet.oddHeader.center.text = "for Annie Easley"
    sheet["B2"].hyperlink = "mailto:ada@example.org"
    sheet["D1"] = '=IF(A2=1,"call Mary Jackson","")'
    book.properties.creator = "Dorothy Vaughan"
    book.defined_names["owner"] = openpyxl.workbook.defined_name.DefinedName(
        "owner", attr_text='"Melba Mouton"'
    )
    folded = _read(_saved(book))
    texts = {name: part.text for name, part in folded.texts.items()}
    assert "ask Grace Hopper" in texts["S comments"]
    assert "Katherine Johnson" in texts["S comments"]
    assert "for Annie Easley" in texts["S headers and footers"]
    assert texts["S links"] == "mailto:ada@example.org\n"
    assert texts["S text in formulas"] == "call Mary Jackson\n"
    assert "creator: Dorothy Vaughan" in texts["document properties"]
    assert "Melba Mouton" in texts["defined names"]
    assert folded.reasons == []


def test_strings_that_no_cell_shows() -> None:
    """Deleted cells may leave their text behind."""
    folded = _read(
        _raw(
            _sheet('<row r="1"><c r="A1" t="s"><v>1</v></c></row>'),
            "<si><t>gone</t></si><si><t>here</t></si>",
        )
    )
    part = folded.texts["strings that no cell shows"]
    assert (part.text, part.hidden) == ("gone\n", True)


def test_pivot_caches_keep_rows_of_deleted_sheets() -> None:
    """They come out as hidden tables."""
    fields = (
        '<cacheField name="name"><sharedItems><s v="Ada"/><s v="Alan"/></sharedItems></cacheField>'
        '<cacheField name="born"><sharedItems/></cacheField>'
        '<cacheField name="sum" databaseField="0"><sharedItems/></cacheField>'
    )
    records = '<r><x v="1"/><d v="1912-06-23T00:00:00"/></r><r><x v="0"/><m/></r><r><x v="9"/><n v="4"/></r>'
    members = {
        "xl/pivotCache/pivotCacheDefinition1.xml": f"<d><cacheFields>{fields}</cacheFields></d>",
        "xl/pivotCache/_rels/pivotCacheDefinition1.xml.rels": (
            f'<Relationships><Relationship Id="r" Type="{RELATIONS}/pivotCacheRecords"'
            ' Target="pivotCacheRecords1.xml"/></Relationships>'
        ),
        "xl/pivotCache/pivotCacheRecords1.xml": f"<rs>{records}</rs>",
    }
    folded = _read(_raw(_sheet(""), **members))
    table = folded.table("pivot cache 1")
    assert table.hidden
    assert _column(table, "name") == ["Alan", "Ada", None]
    assert _column(table, "born") == ["1912-06-23", None, "4"]
    without_records = {
        "xl/pivotCache/pivotCacheDefinition1.xml": members["xl/pivotCache/pivotCacheDefinition1.xml"]
    }
    assert _read(_raw(_sheet(""), **without_records)).texts["pivot cache 1 values"].text == "Ada\nAlan\n"


def test_other_parts() -> None:
    """Embedded files are items, macros a gap, unknown XML text, looks nothing."""
    folded = _read(
        _raw(
            _sheet(""),
            **{
                "xl/embeddings/old.xlsx": "PK",
                "xl/vbaProject.bin": "x",
                "xl/externalLinks/externalLink1.xml": "<e><cell><v>Ada Lovelace</v></cell></e>",
                "xl/persons/person.xml": '<p><person displayName="Alan Turing"/></p>',
                "xl/theme/theme1.xml": "<a>Office</a>",
                "customXml/item1.xml": "<x>Grace Hopper</x>",
            },
        )
    )
    assert folded.children == [("xl/embeddings/old.xlsx", 2)]
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [(Reason.UNSUPPORTED, "macros")]
    assert {name: (part.text, part.hidden) for name, part in folded.texts.items()} == {
        "values of linked workbooks": ("Ada Lovelace\n", True),
        "people": ("Alan Turing\n", False),
        "custom XML": ("Grace Hopper\n", True),
    }


ODD_ROWS = [
    '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>1</v></c></row>',
    '<row><c t="s"><v>0</v></c><c><v>2</v></c></row>',
    '<row r="7" spans="1:2" ht="15" customHeight="1"><c r="C7" s="1"><v>44197</v></c></row>',
    '<row r="8"/>',
    '<row r="9"></row>',
    (
        '<row r="10"><c r="A10" t="inlineStr"><is><t>in &amp; line</t></is></c>'
        '<c r="B10" t="inlineStr"><is><t>plain</t></is></c></row>'
    ),
    (
        '<row r="11"><c r="A11" t="inlineStr"><is><r><t>rich </t></r><r><t>text</t></r>'
        "<rPh><t>x</t></rPh></is></c></row>"
    ),
    (
        '<row r="12"><c r="A12" t="str"><f>B1&amp;"x"</f><v>formula</v></c>'
        '<c r="B12"><f>1+1</f><v>2</v></c></row>'
    ),
    (
        '<row r="13"><c r="A13" t="b"><v>1</v></c><c r="B13" t="e"><v>#N/A</v></c>'
        '<c r="C13" t="d"><v>2020-01-31T00:00:00</v></c></row>'
    ),
    '<row r="14"><!-- <row r="15"> --><c r="A14"><v>5</v></c></row>',
    '<row r="16"><c r="A16"><v><![CDATA[6]]></v></c></row>',
    '<row r="17"><c s="1" r="A17"><v>44198</v></c><c r="B17" s="99"><v>7.50</v></c></row>',
    '<row r="18"><c r="XFD18"><v>8</v></c><c r="A18" t="s"><v>99</v></c></row>',
    '\n <row r="19" >\n<c r="A19"><v>9</v></c>\n</row>\n',
    '<row r="20"><c r="A20"/><c r="B20" s="1"/><c r="C20" t="inlineStr"><is><t>_x0041_</t></is></c></row>',
]


@given(st.lists(st.sampled_from(ODD_ROWS), max_size=12), st.integers(1, 400))
def test_the_fast_way_gives_what_the_parser_gives(rows: list[str], block: int) -> None:
    """Rows in any shape, cut into any blocks: with and without the fast way, the same cells."""

    class Strings:
        def __getitem__(self, index: int) -> str:
            return ["shared"][index]

    styles = [format_of(0, None), format_of(14, None)]
    results = []
    for prefix in ("", "x:"):
        text = _sheet("".join(rows), after="<headerFooter><oddHeader>top</oddHeader></headerFooter>")
        if prefix:
            for word in (
                "worksheet",
                "sheetData",
                "row",
                "c",
                "v",
                "is",
                "t",
                "f",
                "r",
                "rPh",
                "headerFooter",
                "oddHeader",
            ):
                for tag in ("<", "</"):
                    for after in (">", " ", "/"):
                        text = text.replace(f"{tag}{word}{after}", f"{tag}x:{word}{after}")
            text = text.replace("xmlns=", "xmlns:x=")
        sheet = xlsx_sheet.Sheet()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(xlsx_sheet, "_BLOCK", block)
            found = list(xlsx_sheet.rows(io.BytesIO(text.encode()), sheet, Strings(), styles, ReadContext()))
        results.append((found, sheet))
    assert results[0] == results[1]


def test_a_document_type_is_refused() -> None:
    """No entity is ever expanded or fetched."""
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + _sheet(
        '<row r="1"><c r="A1"><v>&b;</v></c></row>'
    )
    folded = _read(_raw(bomb))
    assert folded.reasons == ["corrupt"]
    assert not folded.tables


def test_a_damaged_sheet_counts_as_far_as_it_goes() -> None:
    """Rows before the damage are read, the sheet's gap names it, other parts go on."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 100))
    folded = _read(
        _raw(
            _sheet(rows)[:-30].replace("<v>90<", "<v>90</w><"),
            **{"docProps/core.xml": "<c><creator>Ada</creator></c>"},
        )
    )
    assert folded.table("S").rows == 89
    assert [(gap.reason, gap.where) for gap in folded.gaps] == [(Reason.CORRUPT, "S")]
    assert folded.texts["document properties"].text == "creator: Ada\n"


def test_missing_and_orphaned_parts() -> None:
    """A sheet that is not there is a gap; one that no list names is read, as hidden."""
    data = _raw(_sheet(""), **{"xl/worksheets/sheet9.xml": _sheet('<row r="1"><c r="A1"><v>5</v></c></row>')})
    table = _read(data).table("xl/worksheets/sheet9.xml")
    assert (table.rows, table.hidden) == (1, True)
    broken = _raw(_sheet("")).replace(b"worksheets/sheet1.xml", b"worksheets/sheet7.xml")
    assert Reason.CORRUPT in {gap.reason for gap in _read(broken).gaps}


def test_limits() -> None:
    """Columns, cells and shared strings are bounded; what is cut is told."""
    wide = _sheet('<row r="1"><c r="A1"><v>1</v></c><c r="Z1"><v>2</v></c></row>')
    folded = _read(_raw(wide), Limits(columns=10))
    assert (len(folded.table("S").columns), folded.reasons) == (1, ["too_large"])
    long = _sheet('<row r="1"><c r="A1" t="str"><v>' + "x" * (1 << 20) + "yyy</v></c></row>")
    assert _read(_raw(long), Limits(cell_mb=1)).reasons == ["too_large"]
    strings = "".join(f"<si><t>{n:06d}{'z' * 1000}</t></si>" for n in range(1200))
    folded = fold(
        XlsxReader().read(
            Source.of_bytes(_raw(_sheet('<row r="1"><c r="A1" t="s"><v>1199</v></c></row>'), strings)),
            ReadContext(Limits(spool_mb=1)),
        )
    )
    assert "too_large" in folded.reasons
    assert "001199" in folded.texts["shared strings"].text


def test_no_workbook_at_all() -> None:
    """A package without a workbook says so."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    assert _read(target.getvalue()).reasons == ["corrupt"]


@given(st.data())
def test_any_damage_ends(data: st.DataObject) -> None:
    """Flip and cut bytes anywhere: it ends, in parts, gaps or a ReadError."""
    good = bytearray(
        _raw(_sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>' * 5), "<si><t>name</t></si>")
    )
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    _read(bytes(good[: data.draw(st.integers(0, len(good)))]))


@given(st.binary(max_size=300))
def test_any_sheet_ends(noise: bytes) -> None:
    """A sheet's part of any bytes: it ends."""
    sheet = xlsx_sheet.Sheet()
    start = _sheet('<row r="1"><c r="A1"><v>1</v></c></row>')[:-24].encode()
    errors = []
    try:
        list(xlsx_sheet.rows(io.BytesIO(start + noise), sheet, [], [], ReadContext()))  # type: ignore[arg-type]
    except xlsx_sheet.ReadError as error:
        errors.append(error.reason)
    assert errors in ([], [Reason.CORRUPT])
