"""Archives: every member comes out, whatever is wrong is a gap, and no bomb goes off."""

from __future__ import annotations

import bz2
import io
import lzma
import random
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Gap, Reason
from scanner.readers import base
from scanner.readers.archive import TarReader, ZipReader
from scanner.readers.base import Child, ReadContext, Reader, ReadError, Source
from scanner.readers.compression import unwrap

NOISE = random.Random(7).randbytes(200_000)


@dataclass
class Result:
    """What came out: members by name, the error each ended with, the gaps and the archive's own error."""

    members: dict[str, bytes] = field(default_factory=dict)
    errors: dict[str, Reason] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    error: ReadError | None = None

    def reasons(self) -> set[Reason]:
        """All reasons there are."""
        found = {gap.reason for gap in self.gaps} | set(self.errors.values())
        return found | ({self.error.reason} if self.error else set())


def _read(reader: Reader, source: Source, context: ReadContext | None = None) -> Result:
    """Read an archive as the engine does: each member before the next is asked for."""
    result = Result()
    try:
        for event in reader.read(source, context or ReadContext()):
            if isinstance(event, Child):
                assert event.name not in result.members
                data = b""
                try:
                    while block := event.stream.read(50_000):
                        data += block
                except ReadError as error:
                    result.errors[event.name] = error.reason
                result.members[event.name] = data
            else:
                assert isinstance(event, Gap)
                result.gaps.append(event)
    except ReadError as error:
        result.error = error
    return result


def _zip(data: bytes, context: ReadContext | None = None) -> Result:
    return _read(ZipReader(), Source.of_bytes(data, "a.zip"), context)


def _tar(data: bytes, context: ReadContext | None = None) -> Result:
    return _read(TarReader(), Source.of_bytes(data, "a.tar"), context)


def _zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


def _tarred(members: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=format) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mtime = 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    return target.getvalue()


class _Unseekable(io.BytesIO):
    """What a zip is written to when it is sent over a line: sizes follow the data."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def _streamed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = _Unseekable()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()


MEMBERS = {"a.csv": b"id,name\n1,x\n" * 500, "b/noise.bin": NOISE, "b/empty.txt": b""}


# --- zip ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_zip_gives_every_member(method: int) -> None:
    """All methods of the standard library, folders passed over."""
    result = _zip(_zipped({**MEMBERS, "b/": b""}, method))
    assert result.members == MEMBERS
    assert not result.reasons()


@pytest.mark.parametrize("method", [93, 95])
def test_zip_reads_newer_methods(method: int) -> None:
    """Members compressed with zstd (93) and xz (95)."""
    import pyarrow as pa

    if method == 95:
        packed = lzma.compress(b"hello " * 1000)
    else:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(b"hello " * 1000)
        packed = sink.getvalue().to_pybytes()
    result = _zip(_with_member(b"x", packed, method, crc=zlib.crc32(b"hello " * 1000), size=6000))
    assert result.members == {"x": b"hello " * 1000}
    assert not result.reasons()


def _with_member(
    name: bytes,
    packed: bytes,
    method: int,
    *,
    crc: int,
    size: int,
    flags: int = 0,
    packed_size: int | None = None,
) -> bytes:
    """A zip of one member, made by hand."""
    length = len(packed) if packed_size is None else packed_size
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, method, 0, 33, crc, length, size, len(name), 0)
    central = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, flags, method, 0, 33, crc, length, size, len(name), 0, 0, 0, 0, 0, 0
    )
    body = local + name + packed
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(central) + len(name), len(body), 0)
    return body + central + name + end


def test_zip_with_an_encrypted_member() -> None:
    """One member is encrypted: a gap that names it; the others are read."""
    data = bytearray(_zipped(MEMBERS))
    at = data.index(b"a.csv") - 30
    data[at + 6] |= 1
    at = data.rindex(b"a.csv") - 46
    data[at + 8] |= 1
    result = _zip(bytes(data))
    assert set(result.members) == {"b/noise.bin", "b/empty.txt"}
    assert [(gap.reason, gap.where) for gap in result.gaps] == [(Reason.ENCRYPTED, "a.csv")]


def test_zip_with_an_unknown_method() -> None:
    """A method that is not read is named."""
    result = _zip(_with_member(b"x", b"abc", 9, crc=0, size=3))
    assert [(gap.reason, gap.where) for gap in result.gaps] == [(Reason.UNSUPPORTED, "x")]
    assert "Deflate64" in result.gaps[0].detail


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zip_with_a_wrong_checksum(method: int) -> None:
    """The bytes come out all the same, then the error: even of a member of three bytes."""
    packed = b"abc" if method == zipfile.ZIP_STORED else zlib.compress(b"abc", wbits=-15)
    result = _zip(_with_member(b"x", packed, method, crc=1, size=3))
    assert result.members == {"x": b"abc"}
    assert result.errors == {"x": Reason.CORRUPT}


def test_zip_with_a_cut_member() -> None:
    """A directory that promises more bytes than there are."""
    packed = zlib.compress(NOISE, wbits=-15)
    result = _zip(_with_member(b"x", packed[:1000], 8, crc=0, size=len(NOISE), packed_size=1000))
    assert NOISE.startswith(result.members["x"])
    assert len(result.members["x"]) > 900
    assert result.errors == {"x": Reason.CORRUPT}


def test_zip_that_lies_about_a_size_is_read_whole() -> None:
    """A declared size of 1 does not hide the rest."""
    result = _zip(
        _with_member(b"x", zlib.compress(b"abcdef", wbits=-15), 8, crc=zlib.crc32(b"abcdef"), size=1)
    )
    assert result.members == {"x": b"abcdef"}


@pytest.mark.parametrize("streamed", [False, True])
def test_zip_without_its_directory(streamed: bool) -> None:
    """Cut before the directory: members are found by their own headers, and the loss is told."""
    data = (_streamed if streamed else _zipped)(MEMBERS)
    result = _zip(data[: data.index(b"PK\1\2")])
    assert result.members == MEMBERS
    assert [gap.reason for gap in result.gaps] == [Reason.CORRUPT]


def test_zip_cut_in_the_middle_of_a_member() -> None:
    """What was there of the last member counts."""
    data = _zipped(MEMBERS)
    result = _zip(data[:100_000])
    assert result.members["a.csv"] == MEMBERS["a.csv"]
    assert NOISE.startswith(result.members["b/noise.bin"])
    assert len(result.members["b/noise.bin"]) > 99_000
    assert result.errors == {"b/noise.bin": Reason.CORRUPT}


def test_streamed_zip_with_its_directory() -> None:
    """Sizes after the data are no trouble where there is a directory."""
    result = _zip(_streamed(MEMBERS))
    assert result.members == MEMBERS
    assert not result.reasons()


def test_zip64() -> None:
    """Sizes in the zip64 extra field, with and without the directory."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive, archive.open("x.csv", "w", force_zip64=True) as member:
        member.write(b"a,b\n1,2\n")
    data = target.getvalue()
    assert _zip(data).members == {"x.csv": b"a,b\n1,2\n"}
    assert _zip(data[: data.index(b"PK\1\2")]).members == {"x.csv": b"a,b\n1,2\n"}


def test_zip_behind_other_bytes() -> None:
    """Something stands before the archive: it is read, and what stands before it is told."""
    data = b"#!/bin/sh\nexit\n" + _zipped(MEMBERS)
    assert ZipReader().accepts(data[: base.HEAD_BYTES], "setup.zip") > 0
    result = _zip(data)
    assert result.members == MEMBERS
    assert [gap.where for gap in result.gaps] == ["start of the file"]


def test_zip_names_are_only_names() -> None:
    """Absolute names, parent folders and repeated names come out as they are, told apart."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("/etc/passwd", "../../up.csv", "same.csv"):
            archive.writestr(name, name)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("same.csv", "again")
    assert set(_zip(target.getvalue()).members) == {"/etc/passwd", "../../up.csv", "same.csv", "same.csv#2"}


def test_empty_zip() -> None:
    """No members, no complaint."""
    assert _zip(_zipped({})) == Result()


def test_zip_of_too_many_members() -> None:
    """The members of an item are bounded over the whole item."""
    context = ReadContext(Limits(archive_members=5))
    result = _zip(_zipped({str(n): b"x" for n in range(9)}), context)
    assert len(result.members) == 5
    assert result.reasons() == {Reason.TOO_MANY_MEMBERS}


def test_zip_with_an_immense_directory_is_not_loaded() -> None:
    """A directory of more bytes than so many members need is not read into memory."""
    context = ReadContext(Limits(archive_members=2))
    result = _zip(_zipped({str(n) * 200: b"x" for n in range(9)}), context)
    assert len(result.members) == 2
    assert result.reasons() == {Reason.TOO_MANY_MEMBERS}


def test_zip_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flat bomb stops at the ratio, over all members together."""
    monkeypatch.setattr(base, "RATIO_FROM", 1 << 20)
    result = _zip(_zipped({str(n): bytes(1 << 20) for n in range(9)}))
    assert Reason.RATIO in result.reasons()
    assert sum(map(len, result.members.values())) < 3 << 20


def test_zip_of_members_on_top_of_each_other() -> None:
    """Two directory entries over the same bytes: the second is refused."""
    one = _with_member(b"x", b"abc", 0, crc=zlib.crc32(b"abc"), size=3)
    central = one[one.index(b"PK\1\2") : one.index(b"PK\5\6")]
    body = one[: one.index(b"PK\1\2")]
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 2, 2, 2 * len(central), len(body), 0)
    result = _zip(body + central + central + end)
    assert result.members == {"x": b"abc"}
    assert [gap.reason for gap in result.gaps] == [Reason.RATIO]


def test_zips_in_zips_end_at_the_depth_limit() -> None:
    """Nesting is bounded; a zip that holds itself is the same thing."""
    data = _zipped({"x.txt": b"x"})
    for _ in range(9):
        data = _zipped({"in.zip": data})
    context, depth = ReadContext(), 0
    while True:
        result = _zip(data, context)
        if result.error is not None:
            break
        (data,) = result.members.values()
        context, depth = context.inside(), depth + 1
    assert result.error.reason is Reason.TOO_DEEP
    assert depth == context.limits.archive_depth


@given(st.data())
def test_any_damage_to_a_zip_ends(data: st.DataObject) -> None:
    """Flip, cut and insert bytes anywhere: it ends, in members, gaps or a ReadError."""
    good = bytearray(_zipped({"a.csv": b"1,2\n" * 50, "b.txt": NOISE[:200]}))
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(good)))
    _zip(bytes(good[:cut] if data.draw(st.booleans()) else good))


@given(st.binary(max_size=400))
def test_any_bytes_end(data: bytes) -> None:
    """Bytes that are no archive at all end too."""
    _zip(data)
    _tar(data)


# --- tar ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_gives_every_member(dialect: int) -> None:
    """All dialects; long names too."""
    members = {**MEMBERS, "/".join(["folder" * 3] * 9) + "/x.csv": b"1\n"}
    data = _tarred(members, dialect)
    assert TarReader().accepts(data[: base.HEAD_BYTES], "a") > 90
    result = _tar(data)
    assert result.members == members
    assert not result.reasons()


def test_old_tar_without_a_magic() -> None:
    """A header from before ustar is known by its checksum."""
    data = bytearray(_tarred({"a.txt": b"hello"}, tarfile.USTAR_FORMAT))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert TarReader().accepts(bytes(data[: base.HEAD_BYTES]), "a") > 80
    assert _tar(bytes(data)).members == {"a.txt": b"hello"}


@pytest.mark.parametrize("head", [b"name,city\n" * 100, bytes(1024), b"ustar" * 200, b""])
def test_tar_near_misses(head: bytes) -> None:
    """Nothing else is taken for a tar."""
    assert TarReader().accepts(head, "a.csv") == 0


def test_tar_links_and_devices_hold_nothing() -> None:
    """A link is not data, wherever it points; what follows it is read."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, kind in (
            ("s", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("f", tarfile.FIFOTYPE),
            ("c", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "../../etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            archive.addfile(info)
        info = tarfile.TarInfo("after.txt")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"hello"))
    result = _tar(target.getvalue())
    assert result.members == {"after.txt": b"hello"}
    assert not result.reasons()


def test_tar_with_an_unknown_type_is_read() -> None:
    """A member of a type nobody knows still holds bytes."""
    data = bytearray(_tarred({"a.txt": b"hello"}, tarfile.USTAR_FORMAT))
    data[156:157] = b"Q"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert _tar(bytes(data)).members == {"a.txt": b"hello"}


def test_tars_one_after_another() -> None:
    """Concatenated archives are all read, not only up to the first end mark."""
    data = _tarred({"a.txt": b"1"}) + _tarred({"b.txt": b"2"})
    assert _tar(data).members == {"a.txt": b"1", "b.txt": b"2"}


@pytest.mark.parametrize("cut", [150_000, 512 * 3, 512 * 3 + 100])
def test_truncated_tar(cut: int) -> None:
    """Members before the cut count, the one in it as far as it goes, and the cut is told."""
    members = {"a.txt": b"hello", "noise": NOISE}
    data = _tarred(members, tarfile.USTAR_FORMAT)
    result = _tar(data[: 512 * 2] + data[512 * 2 : cut])
    assert result.members["a.txt"] == b"hello"
    assert Reason.CORRUPT in result.reasons()
    if cut > 100_000:
        assert result.members["noise"] == NOISE[: cut - 512 * 3]


def test_tar_cut_between_members() -> None:
    """No end mark: it may have been cut exactly there."""
    result = _tar(_tarred({"a.txt": b"hello"}, tarfile.USTAR_FORMAT)[:1024])
    assert result.members == {"a.txt": b"hello"}
    assert result.reasons() == {Reason.CORRUPT}


def test_tar_with_a_damaged_header_in_the_middle() -> None:
    """A bad header is not the end of the archive: it is told."""
    data = bytearray(_tarred({"a.txt": b"1", "b.txt": b"2", "c.txt": b"3"}, tarfile.USTAR_FORMAT))
    data[1024 + 150] ^= 1
    result = _tar(bytes(data))
    assert result.members == {"a.txt": b"1"}
    assert result.reasons() == {Reason.CORRUPT}


def test_tar_of_too_many_members() -> None:
    """Bounded like every archive."""
    result = _tar(_tarred({str(n): b"x" for n in range(9)}), ReadContext(Limits(archive_members=5)))
    assert len(result.members) == 5
    assert result.reasons() == {Reason.TOO_MANY_MEMBERS}


def test_tar_with_a_giant_extended_header() -> None:
    """A long name of gigabytes is not read into memory."""
    info = tarfile.TarInfo("x")
    info.type = tarfile.GNUTYPE_LONGNAME
    info.size = 1 << 33
    result = _tar(info.tobuf(tarfile.GNU_FORMAT) + bytes(5000))
    assert result.reasons() == {Reason.TOO_LARGE}


def test_sparse_tar_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sparse member of a terabyte of holes stops at the ratio."""
    monkeypatch.setattr(base, "RATIO_FROM", 1 << 20)
    info = tarfile.TarInfo("x")
    info.pax_headers = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "x",
        "GNU.sparse.size": str(1 << 40), "GNU.sparse.map": "0,0",
    }  # fmt: skip
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    result = _tar(target.getvalue())
    assert Reason.RATIO in result.reasons()
    assert len(result.members["x"]) < 8 << 20


def test_tar_inside_a_cut_gzip() -> None:
    """The compression's error passes through, after every byte before it."""
    packed = bz2.compress(_tarred({"a.txt": b"hello", "noise": NOISE}), 1)
    context = ReadContext()
    source, layers = unwrap(Source.of_bytes(packed[:150_000], "a.tbz"), context)
    assert (layers, source.name) == (("bzip2",), "a.tar")
    result = _read(TarReader(), source, context)
    assert result.members["a.txt"] == b"hello"
    assert NOISE.startswith(result.members["noise"])
    assert len(result.members["noise"]) > 90_000
    assert result.error is not None
    assert "bzip2" in result.error.detail


@given(st.data())
def test_any_damage_to_a_tar_ends(data: st.DataObject) -> None:
    """Flip and cut bytes anywhere: it ends, in members or a ReadError."""
    good = bytearray(
        _tarred(
            {"a" * 60 + "/" + "b" * 60: b"1,2\n" * 50, "b.txt": NOISE[:600]},
            data.draw(st.sampled_from([0, 1, 2])),
        )
    )
    for _ in range(data.draw(st.integers(1, 6))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    _tar(bytes(good[: data.draw(st.integers(0, len(good)))]))


def test_zip_headers_that_are_none_name_nothing() -> None:
    """Text behind a header's magic is no member, and not told as the name of one; what follows is read."""
    whole = _zipped({"people.csv": b"name\nAnna\n"})
    inside = whole[: whole.index(b"PK\x01\x02")]
    text = b"PK\x03\x04" + b"Anna Weber,anna@example.org\n" * 20
    found = _zip(text)
    assert (found.members, found.reasons()) == ({}, {Reason.CORRUPT})
    found = _zip(text + inside)
    assert list(found.members) == ["people.csv"]
