"""Encodings are told by their bytes, and text becomes UTF-8 with nothing dropped."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Reason
from scanner.readers.base import HEAD_BYTES
from scanner.readers.encoding import Encoding, as_utf8, decode, detect, head_text

GERMAN = "Nachname;Straße;Ort\nMüller;Größenweg 4;Köln\nJäger;Am Bühl 2;Fürth\n"
FRENCH = "nom;ville\nJérôme Lefèvre;Évreux\nZoé François;Besançon\n"
POLISH = "imię;miasto\nŁukasz Wójcik;Kraków\nStanisław Świątek;Łódź\n"
CZECH = "jméno;město\nJiří Dvořák;Plzeň\nŽaneta Šťastná;Ústí\n"
RUSSIAN = "имя;город\nИван Петров;Москва\nОльга Смирнова;Тула\n"
GREEK = "όνομα;πόλη\nΓιώργος Παππάς;Αθήνα\n"
TURKISH = "ad;şehir\nAyşe Yılmaz;İstanbul\nÇağrı Şişli;Iğdır\n"
JAPANESE = "名前,住所\nやまだ太郎,東京都新宿区\nすずき花子,大阪市のどこか\n"
CHINESE = "姓名,地址\n张伟,北京市朝阳区的大街\n李娜,上海市是一个地方\n"
KOREAN = "이름,주소\n김철수,서울특별시 강남구\n이영희,부산광역시\n"


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("text", ["id,name\r\n1,Zoë\r\n2,Łukasz\r\n", "a;b\n1;2\n"])
def test_unicode_with_and_without_a_mark(name: str, text: str) -> None:
    """Marks are recognised and left out; without one, zero bytes show the width."""
    data = text.encode(name)
    assert decode(data, detect(data)) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GERMAN, "cp1252"),
        (FRENCH, "cp1252"),
        (POLISH, "cp1250"),
        (CZECH, "cp1250"),
        (CZECH, "iso8859-2"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (GREEK, "cp1253"),
        (TURKISH, "cp1254"),
        (GERMAN, "cp850"),
        (FRENCH, "mac-roman"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "gb18030"),
        (KOREAN, "euc-kr"),
    ],
)
def test_legacy_character_sets(text: str, name: str) -> None:
    """The set is guessed well enough that the text reads as it was written."""
    data = text.encode(name)
    assert decode(data, detect(data)) == text


def test_a_character_cut_by_the_end_of_the_head_is_no_error() -> None:
    """UTF-8 stays UTF-8 where the head ends in the middle of a character."""
    assert detect(("x" * 10 + "é").encode()[:-1]) == Encoding("utf-8")


def test_utf8_that_is_damaged_later_keeps_its_stray_bytes() -> None:
    """Bytes of cp1252 in a UTF-8 file are read as what they were, and those that are nothing are counted."""
    data = ("é" * HEAD_BYTES).encode() + "Zürich".encode("cp1252") + b"\x81" + "ö".encode()
    stream = as_utf8(io.BytesIO(data), detect(data[:HEAD_BYTES]))
    assert stream.read().decode().endswith("éZürich\ufffdö")
    assert (stream.mended, stream.undecodable) == (1, 1)
    gap = stream.gap()
    assert gap is not None
    assert gap.reason is Reason.ENCODING


def test_undecodable_units_are_counted() -> None:
    """Half a surrogate pair and a byte too many are each one replacement."""
    data = "ab".encode("utf-16-le") + b"\x00\xd8" + "c".encode("utf-16-le") + b"x"
    stream = as_utf8(io.BytesIO(data), Encoding("utf-16-le"))
    assert stream.read().decode() == "ab\ufffdc\ufffd"
    assert stream.undecodable == 2


def test_clean_text_has_no_gap() -> None:
    """Nothing is reported where everything decoded."""
    stream = as_utf8(io.BytesIO("ä".encode()), Encoding("utf-8"))
    stream.read()
    assert stream.gap() is None


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 7))
def test_any_text_survives_small_reads(text: str, size: int) -> None:
    """Whatever the size of the reads, text comes out as it went in, never more than asked for."""
    for name in ("utf-8", "utf-16-le"):
        stream = as_utf8(io.BytesIO(text.encode(name)), Encoding(name))
        blocks = list(iter(lambda stream=stream: stream.read(size), b""))  # type: ignore[misc]
        assert all(len(block) <= size for block in blocks)
        assert b"".join(blocks).decode() == text


@given(st.binary())
def test_any_bytes_become_valid_utf8(data: bytes) -> None:
    """Detection and transcoding never fail, and what comes out is UTF-8."""
    as_utf8(io.BytesIO(data), detect(data)).read().decode("utf-8")
    head_text(data)


@pytest.mark.parametrize(
    "start", [b"%PDF-1.7\n", b"{\\rtf1", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\xff" * 50]
)
def test_wrapped_and_binary_content_is_not_text(start: bytes) -> None:
    """What needs a reader of its own is not taken for text."""
    assert head_text(start + b"more") is None


def test_noise_is_not_text() -> None:
    """Random bytes are refused."""
    assert head_text(random.Random(4).randbytes(5000)) is None  # no secret


def test_text_with_a_few_zero_bytes_is_text() -> None:
    """A stray zero byte in a long export does not make it binary."""
    assert head_text(b"id,name\n1,\0\n" + b"2,somebody\n" * 50) is not None
