"""Formats that are known but not read, so that a report can name what it did not look at.

Recognised by magic numbers alone, kept as a table. Encrypted containers are told apart from unread formats:
nobody could have read those.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scanner.model import Reason
from scanner.readers import zipping
from scanner.readers.base import Event, ReadContext, Reader, ReadError, Source

_SCAN_BYTES = 256 << 20
_BLOCK = 1 << 20
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Kind:
    """A format that is not read.

    Attributes:
        format: its name in reports.
        title: its name in a sentence, plural.
        reason: ``unsupported`` or ``encrypted``.
        encrypted_mark: bytes that stand somewhere in an encrypted file of this format.
    """

    format: str
    title: str
    reason: Reason = Reason.UNSUPPORTED
    encrypted_mark: bytes | None = None


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


_PDF = Kind("pdf", "PDF documents", encrypted_mark=b"/Encrypt ")
_IMAGE = Kind("image", "images")
_AUDIO = Kind("audio", "sound recordings")
_VIDEO = Kind("video", "video recordings")
_PROGRAM = Kind("binary", "programs")
_FONT = Kind("font", "fonts")
_DISK = Kind("disk", "disk images")
_CIPHER = Kind("encrypted", "encrypted files", Reason.ENCRYPTED)
_CAPTURE = Kind("capture", "network captures")
_STATISTICS = Kind("statistics", "files of statistics programs")
_DATABASE = Kind("database", "database files of this kind")
_KEYS = Kind("keystore", "key stores", Reason.ENCRYPTED)


def _archive(name: str) -> Kind:
    return Kind(name, f"{name} archives")


#: ``(offset, magic, kind)``; the first that fits counts, so longer ones stand before their beginnings.
MAGICS: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"%PDF-", _PDF),
    (0, b"7z\xbc\xaf\x27\x1c", _archive("7z")),
    (0, b"Rar!\x1a\x07", _archive("rar")),
    (0, b"MSCF\0\0\0\0", _archive("cab")),
    (0, b"!<arch>\n", _archive("ar")),
    (0, b"\xed\xab\xee\xdb", _archive("rpm")),
    (0, b"070701", _archive("cpio")),
    (0, b"070702", _archive("cpio")),
    (0, b"070707", _archive("cpio")),
    (0, b"\xc7\x71", _archive("cpio")),
    (0, b"xar!", _archive("xar")),
    (0, b"MSWIM\0\0\0", _archive("wim")),
    (2, b"-lh5-", _archive("lha")),
    (2, b"-lh0-", _archive("lha")),
    (0, b"zPQ", _archive("zpaq")),
    (0, b"\x1f\x9d", Kind("compress", "files packed with compress (.Z)")),
    (0, b"\x1f\xa0", Kind("compress", "files packed with compress (.Z)")),
    (0, b"LZIP\x01", Kind("lzip", "files packed with lzip")),
    (0, b"\x89LZO\0\r\n\x1a\n", Kind("lzop", "files packed with lzop")),
    (0, b"\xff\x06\0\0sNaPpY", Kind("snappy", "files packed with snappy")),
    # encrypted
    (0, b"Salted__", _CIPHER),
    (0, b"age-encryption.org/", _CIPHER),
    (0, b"-----BEGIN AGE ENCRYPTED FILE-----", _CIPHER),
    (0, b"-----BEGIN PGP MESSAGE-----", _CIPHER),
    (0, b"$ANSIBLE_VAULT;", _CIPHER),
    (0, b"LUKS\xba\xbe", _CIPHER),
    (0, b"AES\x02\0", _CIPHER),
    (0, b"\x03\xd9\xa2\x9a", _KEYS),
    (0, b"\xfe\xed\xfe\xed", _KEYS),
    # databases and data
    (0, b"PGDMP", Kind("pgdump-custom", "PostgreSQL dumps in the custom format (not plain SQL)")),
    (4, b"Standard Jet DB", Kind("access", "Microsoft Access databases")),
    (4, b"Standard ACE DB", Kind("access", "Microsoft Access databases")),
    (8, b"DUCK", Kind("duckdb", "DuckDB databases")),
    (0, b"\x89HDF\r\n\x1a\n", Kind("hdf5", "HDF5 files")),
    (0, b"Obj\x01", Kind("avro", "Avro files")),
    (0, b"!BDN", Kind("pst", "Outlook data files")),
    (0, b"REDIS0", _DATABASE),
    (0, b"TAPE\0\0", Kind("mssql-backup", "SQL Server backups")),
    (0, b"\x6d\xe2\x99\x81", Kind("mongodump", "MongoDB archives")),
    (3, b"EXPORT:V", Kind("oracle-dump", "Oracle export files")),
    (12, b"\x62\x31\x05\0", _DATABASE),
    (12, b"\x61\x15\x06\0", _DATABASE),
    (0, b"$FL2@(#)", _STATISTICS),
    (0, b"$FL3@(#)", _STATISTICS),
    (0, b"<stata_dta>", _STATISTICS),
    (0, b"MATLAB 5.0 MAT-file", _STATISTICS),
    (0, b"RDX2\n", _STATISTICS),
    (0, b"RDX3\n", _STATISTICS),
    (0, b"\0\0\0\0\0\0\0\0\0\0\0\0\xc2\xea\x81\x60", _STATISTICS),
    (0, b"\x93NUMPY", _STATISTICS),
    (0, b"ElfFile\0", Kind("evtx", "Windows event logs")),
    (0, b"bplist00", Kind("plist", "binary property lists")),
    (0, b"\x78\x9f\x3e\x22", Kind("tnef", "TNEF attachments (winmail.dat)")),
    (0, b"\x1a\0\0\x04\0\0", Kind("notes", "Lotus Notes databases")),
    (0, b"\xd4\xc3\xb2\xa1", _CAPTURE),
    (0, b"\xa1\xb2\xc3\xd4", _CAPTURE),
    (0, b"\x0a\x0d\x0d\x0a", _CAPTURE),
    # images
    (0, b"\xff\xd8\xff", _IMAGE),
    (0, b"\x89PNG\r\n\x1a\n", _IMAGE),
    (0, b"GIF87a", _IMAGE),
    (0, b"GIF89a", _IMAGE),
    (0, b"II*\0", _IMAGE),
    (0, b"MM\0*", _IMAGE),
    (8, b"WEBP", _IMAGE),
    (4, b"ftypheic", _IMAGE),
    (4, b"ftypavif", _IMAGE),
    (0, b"8BPS\0", _IMAGE),
    (0, b"\0\0\x01\0\x01\0", _IMAGE),
    (0, b"AT&TFORM", _IMAGE),
    (0, b"\xd7\xcd\xc6\x9a", _IMAGE),
    (40, b" EMF\0\0", _IMAGE),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", _IMAGE),
    (0, b"AC10", Kind("dwg", "AutoCAD drawings")),
    (128, b"DICM", Kind("dicom", "DICOM medical images")),
    # sound and video
    (0, b"ID3", _AUDIO),
    (0, b"fLaC", _AUDIO),
    (0, b"OggS\0", _AUDIO),
    (8, b"WAVEfmt ", _AUDIO),
    (0, b"MThd\0\0\0\x06", _AUDIO),
    (0, b"#!AMR", _AUDIO),
    (8, b"AVI LIST", _VIDEO),
    (4, b"ftyp", _VIDEO),
    (0, b"\x1a\x45\xdf\xa3", _VIDEO),
    (0, b"FLV\x01", _VIDEO),
    (0, b"\0\0\x01\xba", _VIDEO),
    (0, b"\0\0\x01\xb3", _VIDEO),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO),
    # programs, fonts, disks
    (0, b"\x7fELF", _PROGRAM),
    (0, b"\xca\xfe\xba\xbe", _PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", _PROGRAM),
    (0, b"\xce\xfa\xed\xfe", _PROGRAM),
    (0, b"\0asm\x01\0\0\0", _PROGRAM),
    (0, b"dex\n03", _PROGRAM),
    (0, b"wOFF\0", _FONT),
    (0, b"wOF2\0", _FONT),
    (0, b"OTTO\0", _FONT),
    (0, b"\0\x01\0\0\0", _FONT),
    (0, b"KDMV", _DISK),
    (0, b"QFI\xfb", _DISK),
    (0, b"vhdxfile", _DISK),
    (0, b"conectix", _DISK),
    (32_769, b"CD001", _DISK),
    (0, b"hsqs", _DISK),
)  # fmt: skip

#: Magic numbers of formats that are, or may begin as, plain text.
_TEXTUAL = frozenset(
    (
        b"%PDF-",
        b"age-encryption.org/",
        b"-----BEGIN AGE ENCRYPTED FILE-----",
        b"-----BEGIN PGP MESSAGE-----",
        b"$ANSIBLE_VAULT;",
        b"<stata_dta>",
    )
)

#: Documents that are zips, by what `zipping.kind_of_head` calls them.
_ZIPPED: dict[str, Kind] = {
    "docx": Kind("docx", "Word documents"),
    "pptx": Kind("pptx", "PowerPoint presentations"),
    "vsdx": Kind("vsdx", "Visio drawings"),
    "ooxml": Kind("ooxml", "Office documents of this kind"),
    "odt": Kind("odt", "OpenDocument texts"),
    "ods": Kind("ods", "OpenDocument spreadsheets"),
    "odp": Kind("odp", "OpenDocument presentations"),
    "odf": Kind("odf", "OpenDocument files of this kind"),
    "xlsb": Kind("xlsb", "binary Excel workbooks"),
    "epub": Kind("epub", "e-books"),
    "iwork": Kind("iwork", "Pages, Numbers and Keynote documents"),
    "xps": Kind("xps", "XPS documents"),
}
#: Old Office documents by the name of a stream in them.
_OLE_STREAMS: tuple[tuple[bytes, Kind], ...] = (
    (_wide("EncryptedPackage"), Kind("encrypted-office", "encrypted Office documents", Reason.ENCRYPTED)),
    (_wide("WordDocument"), Kind("doc", "Word documents of the old kind (.doc)")),
    (_wide("PowerPoint Document"), Kind("ppt", "PowerPoint presentations of the old kind (.ppt)")),
    (_wide("__substg1.0_"), Kind("msg", "Outlook messages (.msg)")),
    (_wide("VisioDocument"), Kind("vsd", "Visio drawings of the old kind (.vsd)")),
    (_wide("Workbook"), Kind("xls", "Excel workbooks of the old kind (.xls)")),
    (_wide("Book"), Kind("xls", "Excel workbooks of the old kind (.xls)")),
)
_OLE_OTHER = Kind("ole", "old Office documents of this kind", encrypted_mark=_wide("EncryptedPackage"))
#: Formats without a magic number, by ending; only where the bytes are no text.
_ENDINGS: dict[str, Kind] = {
    ".ibd": Kind("ibd", "MySQL table files"),
    ".frm": Kind("ibd", "MySQL table files"),
    ".myd": Kind("ibd", "MySQL table files"),
    ".mdf": Kind("mdf", "SQL Server database files"),
    ".orc": Kind("orc", "ORC files"),
    ".dbf": Kind("dbf", "dBase tables"),
    ".bson": Kind("bson", "BSON dumps"),
    ".gpg": _CIPHER,
    ".pgp": _CIPHER,
    ".p12": _KEYS,
    ".pfx": _KEYS,
    ".bmp": _IMAGE,
    ".mp3": _AUDIO,
    ".exe": _PROGRAM,
    ".dll": _PROGRAM,
    ".br": Kind("brotli", "files packed with brotli"),
    ".dta": _STATISTICS,
    ".one": Kind("onenote", "OneNote notebooks"),
}  # fmt: skip


def kind_of(head: bytes, name: str) -> Kind | None:
    """The known but unread format that bytes are of, None where they are of none."""
    magical = _magical(head)
    if magical is not None:
        return magical
    if head.startswith(OLE):
        return _ole_kind(head)
    if head.startswith(b"ORC") and b"\0" in head[:512]:
        return _ENDINGS[".orc"]
    if head.startswith(b"MZ") and b"\0" in head[:128]:
        return _PROGRAM
    zipped = _ZIPPED.get(zipping.kind_of_head(head))
    if zipped is not None:
        return zipped
    dot = name.rfind(".")
    by_name = _ENDINGS.get(name[dot:].lower()) if dot >= 0 else None
    return by_name if by_name is not None and _is_binary(head) else None


def _magical(head: bytes) -> Kind | None:
    """The kind whose magic number it is. Most are words a text may begin with: those need binary bytes."""
    binary = b"\0" in head[:4096] or _is_binary(head)
    for offset, magic, kind in MAGICS:
        if head.startswith(magic, offset) and (binary or magic in _TEXTUAL):
            return kind
    return None


def _ole_kind(head: bytes) -> Kind:
    return next((kind for stream, kind in _OLE_STREAMS if stream in head), _OLE_OTHER)


def _is_binary(head: bytes) -> bool:
    sample = head[:4096]
    return sum(byte < 9 or 13 < byte < 32 for byte in sample) * 50 > len(sample)


class UnsupportedReader(Reader):
    """Names what is not read. Every item it accepts is one gap."""

    format = "binary"
    limitations = ("Reads nothing: it only names formats that are known and not read.",)

    def accepts(self, head: bytes, name: str) -> int:
        """Sure of a magic number; below any reader that can read the format."""
        kind = kind_of(head, name)
        if kind is None:
            return 0
        return 40 if kind_of(head, "") is None else 92

    def format_of(self, head: bytes, name: str) -> str:
        """The format's own name."""
        kind = kind_of(head, name)
        return kind.format if kind is not None else self.format

    def read(self, source: Source, context: ReadContext) -> Iterator[Event]:
        """Never gives anything.

        Raises:
            ReadError: always: ``unsupported`` or ``encrypted``, naming the format.
        """
        del context
        kind = kind_of(source.head, source.name) or Kind(self.format, "files of this kind")
        reason = kind.reason
        if kind.encrypted_mark is not None and _holds(source, kind.encrypted_mark):
            reason = Reason.ENCRYPTED
        if reason is Reason.ENCRYPTED:
            raise ReadError(reason, f"{kind.title} cannot be read without their key")
        yield from ()
        raise ReadError(reason, f"{kind.title} are not read")


def _holds(source: Source, mark: bytes) -> bool:
    """True where ``mark`` stands anywhere in the file's first part."""
    before, seen = b"", 0
    while seen < _SCAN_BYTES and (block := source.stream.read(_BLOCK)):
        if mark in before + block:
            return True
        before, seen = block[-len(mark) :], seen + len(block)
    return False


__all__ = ["MAGICS", "OLE", "Kind", "UnsupportedReader", "kind_of"]
