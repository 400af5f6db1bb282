"""Formats that are known and not read: each is named, none is mistaken for text, and no text for one."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Reason
from scanner.readers.registry import choose
from scanner.readers.unsupported import MAGICS, OLE, UnsupportedReader
from tests.readers.folding import fold_bytes

READER = UnsupportedReader()


def _zip(*names: str, mimetype: str = "") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        if mimetype:
            archive.writestr("mimetype", mimetype)
        for name in names:
            archive.writestr(name, "<x/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("head", "name", "format_name"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\n", "a.pdf", "pdf"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "a", "7z"),
        (b"Rar!\x1a\x07\x01\0" + bytes(50), "a", "rar"),
        (b"PGDMP\x01\x0e" + bytes(50), "a.sql", "pgdump-custom"),
        (b"\0\x01\0\0Standard Jet DB\0", "a.mdb", "access"),
        (bytes(8) + b"DUCK" + bytes(50), "a", "duckdb"),
        (b"Obj\x01" + bytes(50), "a", "avro"),
        (b"ORC\x08\0\0" + bytes(50), "a", "orc"),
        (b"MZ\x90\0" + bytes(200), "a", "binary"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "a.csv", "image"),
        (bytes(128) + b"DICM" + bytes(50), "a", "dicom"),
        (b"\0\0\0\x18ftypmp42" + bytes(50), "a", "video"),
        (bytes(range(256)) * 8, "table.ibd", "ibd"),
        (OLE + bytes(600) + "WordDocument".encode("utf-16-le"), "a", "doc"),
        (OLE + bytes(600), "a", "ole"),
        (_zip("[Content_Types].xml", "word/document.xml"), "a.zip", "docx"),
        (_zip("word/document.xml", "[Content_Types].xml"), "a", "docx"),
        (_zip("[Content_Types].xml", "ppt/slides/slide1.xml"), "a", "pptx"),
        (_zip("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "a", "odt"),
        (_zip("Index/Document.iwa"), "a.pages", "iwork"),
    ],
)
def test_a_format_is_named(head: bytes, name: str, format_name: str) -> None:
    """By its bytes, whatever it is called, and chosen before anything else."""
    chosen = choose(head, name)
    assert chosen is not None
    assert chosen.format_of(head, name) == format_name
    folded = fold_bytes(READER, head, name)
    assert folded.reasons == [Reason.UNSUPPORTED]
    assert not folded.tables


@pytest.mark.parametrize(
    "data",
    [
        b"Salted__" + bytes(40),
        b"age-encryption.org/v1\n-> X25519 x\n",
        b"-----BEGIN PGP MESSAGE-----\n\nabc\n",
        b"$ANSIBLE_VAULT;1.1;AES256\n6131\n",
        b"LUKS\xba\xbe\0\x02" + bytes(40),
        OLE + bytes(1000) + "EncryptedPackage".encode("utf-16-le"),
        OLE + bytes(100_000) + "EncryptedPackage".encode("utf-16-le"),
        b"%PDF-1.7\n" + b"x" * 70_000 + b"trailer << /Encrypt 5 0 R >>",
    ],
    ids=["openssl", "age", "pgp", "ansible", "luks", "office", "office-late", "pdf"],
)
def test_encrypted_files_say_so(data: bytes) -> None:
    """That is another reason than a format that is not read."""
    assert READER.accepts(data[:65_536], "a") > 90
    assert fold_bytes(READER, data, "a").reasons == [Reason.ENCRYPTED]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"070701,Main Street,5\n070702,High Street,6\n", "places.csv"),
        (b"ID3,name\n1,Ada\n", "a.csv"),
        (b"MZ,region\nNorth,1\n", "a.csv"),
        (b"ORCHID,price\nwhite,4\n", "a.csv"),
        (b"AC10,part\n", "a.csv"),
        (b"\n\r\r\nsome text\n", "a.txt"),
        (b"MZ", ""),
        (b"", "a.ibd"),
        (b"id,name\n1,Ada\n", "a.dbf"),
        (b"%PDX-1.7", "a"),
        (_zip("word/notes.csv"), "a.zip"),
    ],
)
def test_near_misses(head: bytes, name: str) -> None:
    """Text that begins as some format does is text; an ending alone is nothing."""
    assert READER.accepts(head, name) == 0


def test_every_magic_number_is_found() -> None:
    """No entry of the table is shadowed by an earlier one of another kind."""
    for offset, magic, kind in MAGICS:
        head = b"\x01" * offset + magic + bytes(64)
        assert READER.accepts(head, "a") > 90
        assert READER.format_of(head, "a") == kind.format


@given(st.binary(max_size=300), st.sampled_from(["a", "a.ibd", "a.gpg", "a.csv"]))
def test_any_bytes_are_judged(head: bytes, name: str) -> None:
    """Judging bytes never fails, and what is accepted is always one error."""
    if READER.accepts(head, name):
        assert len(fold_bytes(READER, head, name).reasons) == 1
    else:
        assert READER.format_of(head, name) == "binary"
