"""Excel workbooks (xlsx, xlsm): every sheet, and everything else that such a package carries along.

Hidden sheets and columns are marked. Comments, page headers, defined names, document properties, links, text
in drawings and charts, cached values of other workbooks, pivot caches (which keep the rows of sheets that are
long deleted) and strings that no cell shows any more are parts like any other; embedded files are items of
their own. The XML is streamed: only the shared strings are held, in their encoded form.

Format: ECMA-376 (Office Open XML), parts 1 and 2.
"""

from __future__ import annotations

import posixpath
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from scanner.model import Gap, Reason, Stage, printable
from scanner.readers import xlsx_sheet, xmlparts, zipping
from scanner.readers.base import Child, Event, ReadContext, Reader, ReadError, Source, TextChunk
from scanner.readers.xlsx_numbers import Format, format_of
from scanner.readers.xlsx_sheet import Hints, Sheet, Table

_ENDINGS = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlam")
#: Parts that hold nothing a person wrote: looks, print set-up, the order of calculation, the package's index.
_NOISE = re.compile(
    r"\[content_types\]\.xml|.*\.rels|xl/theme/.*|xl/styles\.xml|xl/calcchain\.(xml|bin)"
    r"|xl/printersettings/.*|xl/ctrlprops/.*|xl/activex/.*\.(bin|xml)|xl/metadata\.xml|mimetype|.*/"
)
#: What parts are called in a report, by the start of their name, and whether who opens the file sees them.
_NAMES: tuple[tuple[str, str, bool], ...] = (
    ("docprops/", "document properties", False),
    ("xl/externallinks/", "values of linked workbooks", True),
    ("xl/persons/", "people", False),
    ("xl/connections", "connections", True),
    ("xl/querytables/", "queries", True),
    ("xl/revisions/", "revisions", True),
    ("customxml/", "custom XML", True),
    ("xl/charts/", "charts", False),
    ("xl/drawings/", "drawings", False),
    ("xl/diagrams/", "diagrams", False),
    ("xl/comments", "comments", False),
    ("xl/threadedcomments/", "threaded comments", False),
    ("xl/pivottables/", "pivot tables", False),
    ("xl/slicercaches/", "slicers", False),
    ("xl/tables/", "table definitions", False),
)
#: What a sheet's related parts are called, by the last word of the relation's type.
_RELATED = {
    "comments": "comments",
    "threadedComment": "threaded comments",
    "drawing": "drawings",
    "vmlDrawing": "drawings",
    "legacyDrawing": "drawings",
}
_TAG_TEXT = re.compile(r">([^<>]+)<")
_VML_NOISE = re.compile(r"[\d, ]*|True|False")
#: Document properties that the program writes for itself.
_DULL = (
    "Application:", "AppVersion:", "DocSecurity:", "ScaleCrop:", "LinksUpToDate:", "SharedDoc:",
    "HyperlinksChanged:", "TotalTime:", "i4:", "revision:", "created:", "modified:", "lastPrinted:",
)  # fmt: skip
_RANGE = re.compile(r"\$?[A-Z]{1,3}\$?(\d{1,7}):")
_VML_BYTES = 8 << 20


class XlsxReader(Reader):
    """Excel workbooks of the XML kind."""

    format = "xlsx"
    limitations = (
        "Macros are not read (a gap).",
        "Hidden rows are read like others and not marked.",
        "A second table on the same sheet shares the columns of the first.",
    )

    def accepts(self, head: bytes, name: str) -> int:
        """Certain of a package with Excel's parts; by name where the first bytes do not show them."""
        kind = zipping.kind_of_head(head)
        if kind == "xlsx":
            return 96
        return 95 if kind == "ooxml" and name.lower().endswith(_ENDINGS) else 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Sheet by sheet, then what belongs to the workbook as a whole.

        Raises:
            ReadError: it is no workbook, or over what may be unpacked.
        """
        with source.seekable(context.limits) as file:
            context.open_container(file.seek(0, 2))
            package = Package(file, context)
            yield from package.gaps
            yield from _Workbook(package, context).events()


class Package:
    """The parts of an Office package by name.

    Names are compared without regard to case, as the format demands. ``gaps`` has what is wrong with the
    container.
    """

    def __init__(self, file: IO[bytes], context: ReadContext) -> None:
        self._zip = zipping.Zip(file, context)
        self._members = {_key(member.name): member for member in self._zip.members()}
        self._taken: set[str] = set()
        self.gaps = self._zip.gaps

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._members

    def open(self, name: str) -> IO[bytes]:
        """A part's bytes; it counts as read from now on.

        Raises:
            ReadError: there is no such part, or it cannot be opened.
        """
        key = _key(name)
        self._taken.add(key)
        member = self._members.get(key)
        if member is None:
            raise ReadError(Reason.CORRUPT, "the package lacks a part that it refers to")
        return self._zip.open(member)

    def skip(self, name: str) -> None:
        """Count a part as read."""
        self._taken.add(_key(name))

    def names(self, start: str = "") -> list[str]:
        """Names of all parts that begin with ``start`` (lower case), as stored, in order."""
        return [member.name for key, member in self._members.items() if key.startswith(start)]

    def rest(self) -> list[zipping.Member]:
        """The parts that nobody opened so far."""
        return [member for key, member in self._members.items() if key not in self._taken]

    def relations(self, name: str) -> list[Relation]:
        """What a part refers to; nothing where its relations are missing or damaged."""
        folder, base = posixpath.split(name)
        path = posixpath.join(folder, "_rels", f"{base}.rels")
        found: list[Relation] = []
        if path not in self:
            return found

        def start(element: str, given: dict[str, str]) -> None:
            if xmlparts.local(element) == "Relationship" and "Target" in given:
                outside = given.get("TargetMode") == "External"
                target = given["Target"]
                target = target if outside else _resolved(folder, target)
                kind = given.get("Type", "").rpartition("/")[2]
                found.append(Relation(given.get("Id", ""), kind, target, outside))

        for _ in xmlparts.parse(self.open(path), start, _nothing, _nothing):
            pass
        return found


@dataclass(frozen=True, slots=True)
class Relation:
    """A reference from one part to another, or to something outside the package."""

    id: str
    kind: str
    target: str
    outside: bool


def _key(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _resolved(folder: str, target: str) -> str:
    path = target if target.startswith("/") else posixpath.join("/", folder, target)
    return posixpath.normpath(path).lstrip("/")


def _nothing(_: str) -> None:
    return None


class SharedStrings:
    """The strings that cells refer to by number, held as UTF-8 in one piece.

    Attributes:
        complete: False where some were too much to hold.
    """

    def __init__(self, most_bytes: int) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])
        self._used = bytearray()
        self._cache: dict[int, str] = {}
        self._most = most_bytes
        self.complete = True

    def __getitem__(self, index: int) -> str:
        text = self._cache.get(index)
        if text is None:
            if index < 0 or index >= len(self._used):
                raise IndexError
            self._used[index] = 1
            text = self._at(index)
            if len(self._cache) >= 65_536:
                self._cache.clear()
            self._cache[index] = text
        return text

    def _at(self, index: int) -> str:
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "replace")

    def load(self, stream: IO[bytes]) -> Iterator[str]:
        """Take in the part. Gives the strings for which there is no room.

        Raises:
            ReadError: the part is damaged; what was before it is kept.
        """
        pieces: list[str] = []
        surplus: list[str] = []
        depth = [0]

        def start(name: str, given: dict[str, str]) -> None:
            del given
            kind = xmlparts.local(name)
            if kind == "si":
                pieces.clear()
            elif kind == "rPh":
                depth[0] += 1

        def characters(text: str) -> None:
            if not depth[0]:
                pieces.append(text)

        def end(name: str) -> None:
            kind = xmlparts.local(name)
            if kind == "rPh":
                depth[0] -= 1
            elif kind == "si":
                self._add("".join(pieces), surplus)
                pieces.clear()

        for _ in xmlparts.parse(stream, start, end, characters):
            yield from surplus
            surplus.clear()

    def _add(self, text: str, surplus: list[str]) -> None:
        text = xlsx_sheet.unescaped(text) if "_x" in text else text
        raw = text.encode("utf-8", "replace")
        if len(self._bytes) + len(raw) > self._most:
            self.complete = False
            surplus.append(text)
            return
        self._bytes += raw
        self._ends.append(len(self._bytes))
        self._used.append(0)

    def unused(self) -> Iterator[str]:
        """The strings that no cell asked for."""
        at = self._used.find(0)
        while at >= 0:
            if self._ends[at] < self._ends[at + 1]:
                yield self._at(at)
            at = self._used.find(0, at + 1)


@dataclass(frozen=True, slots=True)
class _SheetRef:
    name: str
    part: str
    hidden: bool


@dataclass(slots=True)
class _Book:
    """What the workbook part says."""

    sheets: list[tuple[str, str, bool]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    header_rows: dict[int, int] = field(default_factory=dict)
    since_1904: bool = False


class _Workbook:
    """One workbook's events, in order. Each part's damage is that part's gap."""

    def __init__(self, package: Package, context: ReadContext) -> None:
        self._package = package
        self._context = context
        self._book = _Book()
        self._styles: list[Format] = []
        self._strings = SharedStrings(context.limits.spool_mb << 20)

    def events(self) -> Iterator[Event]:
        """All of it."""
        main = self._main_part()
        if main is None:
            raise ReadError(Reason.CORRUPT, "the package holds no workbook")
        relations = self._relations(main)
        yield from self._guarded("workbook", self._read_book(main))
        yield from self._read_styles(relations)
        yield from self._read_strings(relations)
        yield from self._sheets(relations)
        yield from xmlparts.chunks("defined names", self._book.names)
        yield from self._unused()
        yield from self._pivots()
        yield from self._rest()

    def _guarded(self, where: str, events: Iterator[Event]) -> Iterator[Event]:
        """Events of one part; what is wrong with it is a gap, unless the whole item has had enough."""
        try:
            yield from events
        except ReadError as error:
            if error.reason in (Reason.RATIO, Reason.TOO_LARGE):
                raise
            yield Gap(Stage.READ, error.reason, error.detail, printable(where))

    def _relations(self, part: str) -> list[Relation]:
        try:
            return self._package.relations(part)
        except ReadError as error:
            if error.reason in (Reason.RATIO, Reason.TOO_LARGE):
                raise
            return []

    def _main_part(self) -> str | None:
        for relation in self._relations(""):
            if relation.kind == "officeDocument" and relation.target in self._package:
                return relation.target
        if "xl/workbook.xml" in self._package:
            return "xl/workbook.xml"
        return next((n for n in self._package.names() if n.lower().endswith("workbook.xml")), None)

    # --- the workbook part ---------------------------------------------------------------------------------

    def _read_book(self, main: str) -> Iterator[Event]:
        book = self._book
        name: list[str] = []
        text: list[str] = []

        def start(element: str, given: dict[str, str]) -> None:
            kind = xmlparts.local(element)
            if kind == "sheet":
                reference = next((v for k, v in given.items() if k.endswith(":id")), "")
                hidden = given.get("state", "visible") != "visible"
                book.sheets.append((given.get("name", ""), reference, hidden))
            elif kind == "workbookPr":
                book.since_1904 = given.get("date1904") in ("1", "true")
            elif kind == "definedName":
                text.clear()
                name[:] = [given.get("name", ""), given.get("localSheetId", ""), given.get("comment", "")]

        def end(element: str) -> None:
            if xmlparts.local(element) == "definedName" and name:
                _take_name(book, name, "".join(text))
                name.clear()

        for _ in xmlparts.parse(self._package.open(main), start, end, text.append):
            if not name:
                text.clear()
        yield from ()  # a generator, to be guarded like the others

    def _read_styles(self, relations: list[Relation]) -> Iterator[Event]:
        part = _target(relations, "styles")
        if part is None or part not in self._package:
            return
        codes: dict[int, str] = {}
        inside = [False]

        def start(element: str, given: dict[str, str]) -> None:
            kind = xmlparts.local(element)
            if kind == "numFmt" and given.get("numFmtId", "").isdecimal():
                codes[int(given["numFmtId"])] = given.get("formatCode", "")
            elif kind == "cellXfs":
                inside[0] = True
            elif kind == "xf" and inside[0] and len(self._styles) < 1 << 17:
                identifier = given.get("numFmtId", "0")
                number = int(identifier) if identifier.isdecimal() else 0
                self._styles.append(format_of(number, codes.get(number)))

        def end(element: str) -> None:
            if xmlparts.local(element) == "cellXfs":
                inside[0] = False

        def events() -> Iterator[Event]:
            for _ in xmlparts.parse(self._package.open(part), start, end, _nothing):
                pass
            yield from ()

        yield from self._guarded("styles", events())

    def _read_strings(self, relations: list[Relation]) -> Iterator[Event]:
        part = _target(relations, "sharedStrings") or "xl/sharedStrings.xml"
        if part not in self._package:
            return

        def events() -> Iterator[Event]:
            yield from xmlparts.chunks("shared strings", self._strings.load(self._package.open(part)))

        yield from self._guarded("shared strings", events())
        if not self._strings.complete:
            detail = (
                f"over {self._context.limits.spool_mb} MiB of shared strings (limits.spool_mb): the rest was "
                "read as text, apart from its cells"
            )
            yield Gap(Stage.READ, Reason.TOO_LARGE, detail, "shared strings")

    def _unused(self) -> Iterator[TextChunk]:
        return xmlparts.chunks("strings that no cell shows", self._strings.unused(), hidden=True)

    # --- sheets --------------------------------------------------------------------------------------------

    def _sheets(self, relations: list[Relation]) -> Iterator[Event]:
        targets = {relation.id: relation.target for relation in relations if not relation.outside}
        found = [_SheetRef(name, targets.get(ref, ""), hidden) for name, ref, hidden in self._book.sheets]
        known = {_key(sheet.part) for sheet in found}
        for number, sheet in enumerate(found):
            if number >= self._context.limits.tables:
                detail = f"has more than {number} sheets (limits.tables)"
                yield Gap(Stage.READ, Reason.TOO_MANY_MEMBERS, detail)
                return
            yield from self._sheet(sheet, self._book.header_rows.get(number))
        for part in self._package.names("xl/worksheets/"):
            if _key(part) not in known and part.lower().endswith(".xml"):
                yield from self._sheet(_SheetRef(printable(part), part, True), None)

    def _sheet(self, sheet: _SheetRef, header_row: int | None) -> Iterator[Event]:
        relations = self._relations(sheet.part)
        hints = Hints(header_row if header_row is not None else self._table_header(relations))
        parsed = Sheet()

        def events() -> Iterator[Event]:
            found = xlsx_sheet.rows(
                self._package.open(sheet.part),
                parsed,
                self._strings,
                self._styles,
                self._context,
                since_1904=self._book.since_1904,
            )
            yield from xlsx_sheet.table_events(sheet.name, found, parsed, hints, hidden=sheet.hidden)

        yield from self._guarded(sheet.name, events())
        yield from xlsx_sheet.complaints(printable(sheet.name), parsed, self._context)
        texts = (
            ("headers and footers", parsed.headers),
            ("lists and prompts", parsed.others),
            ("text in formulas", list(parsed.formulas)),
            ("links", [relation.target for relation in relations if relation.outside]),
        )
        for name, lines in texts:
            yield from xmlparts.chunks(f"{sheet.name} {name}", lines, hidden=sheet.hidden)
        for relation in relations:
            yield from self._related(sheet, relation)

    def _table_header(self, relations: list[Relation]) -> int | None:
        """The row that names the columns of the sheet's first table, if it has one."""
        rows: list[int] = []

        def start(element: str, given: dict[str, str]) -> None:
            found = _RANGE.match(given.get("ref", ""))
            if xmlparts.local(element) == "table" and found and given.get("headerRowCount", "1") != "0":
                rows.append(int(found.group(1)))

        for relation in relations:
            if relation.kind == "table" and relation.target in self._package:
                try:
                    for _ in xmlparts.parse(self._package.open(relation.target), start, _nothing, _nothing):
                        pass
                except ReadError as error:
                    if error.reason in (Reason.RATIO, Reason.TOO_LARGE):
                        raise
        return min(rows, default=None)

    def _related(self, sheet: _SheetRef, relation: Relation) -> Iterator[Event]:
        """Comments and drawings of a sheet."""
        kind = _RELATED.get(relation.kind)
        if kind is None or relation.outside or relation.target not in self._package:
            return
        name = f"{sheet.name} {kind}"
        yield from self._guarded(name, self._text(name, relation.target, hidden=sheet.hidden))

    def _text(self, name: str, part: str, *, hidden: bool) -> Iterator[Event]:
        stream = self._package.open(part)
        if part.lower().endswith(".vml"):  # not always well-formed
            text = stream.read(_VML_BYTES).decode("utf-8", "replace")
            pieces = [piece.strip() for piece in _TAG_TEXT.findall(text) if len(piece.strip()) > 2]
            lines: Iterator[str] = (piece for piece in pieces if not _VML_NOISE.fullmatch(piece))
        elif part.lower().startswith("docprops/"):
            properties = xmlparts.lines(stream, label=True)
            lines = (line for line in properties if not line.startswith(_DULL))
        else:
            lines = xmlparts.lines(stream)
        yield from xmlparts.chunks(name, lines, hidden=hidden)

    # --- pivot caches --------------------------------------------------------------------------------------

    def _pivots(self) -> Iterator[Event]:
        parts = self._package.names("xl/pivotcache/pivotcachedefinition")
        for number, part in enumerate(parts, 1):
            name = f"pivot cache {number}"
            yield from self._guarded(name, self._pivot(name, part))

    def _pivot(self, name: str, part: str) -> Iterator[Event]:
        cache = _PivotFields(self._context.limits.spool_mb << 18)
        for _ in xmlparts.parse(self._package.open(part), cache.start, cache.end, _nothing):
            pass
        records = _target(self._relations(part), "pivotCacheRecords")
        if records is None or records not in self._package or cache.overflow:
            attributes = xmlparts.TELLING | {"v"}
            for text_part in (part, records):
                if text_part is None or text_part not in self._package:
                    continue
                lines = xmlparts.lines(self._package.open(text_part), attributes)
                yield from xmlparts.chunks(f"{name} values", lines, hidden=True)
            return
        table = Table(name, hidden=True, hidden_columns=set())
        table.head(dict(enumerate(title for title, _ in cache.fields)))
        reader = _PivotRecords(cache)
        for _ in xmlparts.parse(self._package.open(records), reader.start, reader.end, _nothing):
            for row in reader.ready:
                if (chunk := table.add(row)) is not None:
                    yield chunk
            reader.ready.clear()
        if (chunk := table.flush()) is not None:
            yield chunk

    # --- the rest ------------------------------------------------------------------------------------------

    def _rest(self) -> Iterator[Event]:
        for member in self._package.rest():
            key = _key(member.name)
            if _NOISE.fullmatch(key):
                continue
            if key.endswith(("vbaproject.bin", "vbaprojectsignature.bin")):
                yield Gap(Stage.READ, Reason.UNSUPPORTED, "macros are not read", "macros")
            elif key.endswith((".xml", ".vml")):
                name, hidden = _called(key, member.name)
                yield from self._guarded(name, self._text(name, member.name, hidden=hidden))
            else:
                yield from self._guarded(member.name, self._embedded(member))

    def _embedded(self, member: zipping.Member) -> Iterator[Event]:
        self._context.count_member()
        yield Child(member.name, self._package.open(member.name), member.size, member.modified)


def _take_name(book: _Book, name: list[str], text: str) -> None:
    title, sheet, comment = name
    if title == "_xlnm._FilterDatabase":
        found = _RANGE.search(text)
        if found and sheet.isdecimal():
            book.header_rows[int(sheet)] = int(found.group(1))
        return
    if not title.startswith("_xlnm."):
        book.names.append(f"{title}\t{text}\t{comment}".rstrip())


def _target(relations: list[Relation], kind: str) -> str | None:
    return next((r.target for r in relations if r.kind == kind and not r.outside), None)


def _called(key: str, name: str) -> tuple[str, bool]:
    """What a part is called in a report, and whether it is hidden."""
    for start, title, hidden in _NAMES:
        if key.startswith(start):
            return title, hidden
    return printable(name), True


class _PivotFields:
    """The fields of a pivot cache, each with the values that its records refer to by number."""

    def __init__(self, most_characters: int) -> None:
        self.fields: list[tuple[str, list[str | None]]] = []
        self.overflow = False
        self._left = most_characters
        self._shared = False
        self._skipped = False

    def start(self, element: str, given: dict[str, str]) -> None:
        """A start tag."""
        kind = xmlparts.local(element)
        if kind == "cacheField":
            self._skipped = given.get("databaseField") == "0"
            if not self._skipped:
                self.fields.append((given.get("name", ""), []))
        elif kind == "sharedItems":
            self._shared = bool(self.fields) and not self._skipped
        elif self._shared and kind in _PIVOT_VALUES:
            value = _pivot_value(kind, given)
            self._left -= len(value or "") + 64
            self.overflow = self.overflow or self._left < 0
            if not self.overflow:
                self.fields[-1][1].append(value)

    def end(self, element: str) -> None:
        """An end tag."""
        if xmlparts.local(element) == "sharedItems":
            self._shared = False


class _PivotRecords:
    """The records of a pivot cache as rows."""

    def __init__(self, cache: _PivotFields) -> None:
        self.ready: list[dict[int, str]] = []
        self._fields = cache.fields
        self._row: dict[int, str] = {}
        self._at = 0

    def start(self, element: str, given: dict[str, str]) -> None:
        """A start tag."""
        kind = xmlparts.local(element)
        if kind == "r":
            self._row, self._at = {}, 0
            return
        if kind == "x":
            items = self._fields[self._at][1] if self._at < len(self._fields) else []
            index = given.get("v", "")
            at = int(index) if index.isdecimal() and len(index) < 9 else -1
            value = items[at] if 0 <= at < len(items) else None
        elif kind in _PIVOT_VALUES:
            value = _pivot_value(kind, given)
        else:
            return
        if value is not None:
            self._row[self._at] = value
        self._at += 1

    def end(self, element: str) -> None:
        """An end tag."""
        if xmlparts.local(element) == "r" and self._row:
            self.ready.append(self._row)
            self._row = {}


_PIVOT_VALUES = frozenset("sndbem")


def _pivot_value(kind: str, given: dict[str, str]) -> str | None:
    """The text of one value: string, number, date, boolean, error, or missing."""
    value = given.get("v")
    if kind == "m" or value is None:
        return None
    return value.removesuffix("T00:00:00").replace("T", " ") if kind == "d" else value


__all__ = ["Package", "Relation", "SharedStrings", "XlsxReader"]
