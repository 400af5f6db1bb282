"""Compressions around one stream: peeled by content, bounded, and honest about what is missing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config import Limits
from scanner.model import Reason
from scanner.readers import base, compression
from scanner.readers.base import ReadContext, ReadError, Source
from scanner.readers.compression import recognise, strip_ending, unwrap

TEXT = b"".join(b"%d,row %d\n" % (n, n * 7) for n in range(50_000))
#: Does not compress, so that a cut leaves something unpacked before it.
NOISE = random.Random(1).randbytes(300_000)


def _arrow(data: bytes, codec: str) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": lambda data: bz2.compress(data, 1),
    "xz": lzma.compress,
    "zstd": lambda data: _arrow(data, "zstd"),
    "lz4": lambda data: _arrow(data, "lz4"),
}
ENDINGS = {"gzip": ".gz", "bzip2": ".bz2", "xz": ".xz", "zstd": ".zst", "lz4": ".lz4"}


def _drain(source: Source) -> tuple[bytes, ReadError | None]:
    """All bytes up to the end or the first error."""
    parts = []
    try:
        while block := source.stream.read(10_000):
            parts.append(block)
    except ReadError as error:
        return b"".join(parts), error
    return b"".join(parts), None


@pytest.mark.parametrize("codec", PACKERS)
def test_unpacks_and_renames(codec: str) -> None:
    """Each codec gives its bytes back under the inner name."""
    source, layers = unwrap(
        Source.of_bytes(PACKERS[codec](TEXT), "customers.csv" + ENDINGS[codec]), ReadContext()
    )
    assert layers == (codec,)
    assert source.name == "customers.csv"
    assert source.head == TEXT[: base.HEAD_BYTES]
    assert _drain(source) == (TEXT, None)


@pytest.mark.parametrize("codec", PACKERS)
def test_a_wrong_ending_does_not_matter(codec: str) -> None:
    """Content says what it is, whatever the name."""
    source, layers = unwrap(Source.of_bytes(PACKERS[codec](TEXT), "customers.txt"), ReadContext())
    assert layers == (codec,)
    assert source.name == "customers.txt"


def test_lzma_alone_is_known_with_its_ending() -> None:
    """The old lzma format has no magic number: the ending is needed too."""
    packed = lzma.compress(TEXT, format=lzma.FORMAT_ALONE)
    assert recognise(packed, "a.bin") is None
    source, layers = unwrap(Source.of_bytes(packed, "a.csv.lzma"), ReadContext())
    assert (layers, source.name) == (("lzma",), "a.csv")
    assert _drain(source) == (TEXT, None)


def test_layers_are_peeled_outermost_first() -> None:
    """Nested compressions come off one by one, and count as depth."""
    packed = gzip.compress(bz2.compress(lzma.compress(TEXT)))
    context = ReadContext()
    source, layers = unwrap(Source.of_bytes(packed, "a.csv.xz.bz2.gz"), context)
    assert layers == ("gzip", "bzip2", "xz")
    assert source.name == "a.csv"
    assert context.depth == 3
    assert _drain(source) == (TEXT, None)


def test_uncompressed_bytes_stay_as_they_are() -> None:
    """A plain file keeps its bytes; its misleading ending goes."""
    source, layers = unwrap(Source.of_bytes(b"a,b\n1,2\n", "a.csv.gz"), ReadContext())
    assert (layers, source.name) == ((), "a.csv")
    assert source.stream.read() == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    "head", [b"BZh9 is how this text starts", b"\x1f\x8b", b"", b"]\0\0 text", b"(\xb5/"]
)
def test_near_misses_are_not_compressions(head: bytes) -> None:
    """Bytes that only resemble a magic number are left alone."""
    assert recognise(head, "notes.txt") is None


@pytest.mark.parametrize(
    ("name", "stripped"),
    [("a.tgz", "a.tar"), ("a.TBZ2", "a.tar"), ("a.csv.GZ", "a.csv"), (".gz", ".gz"), ("a.csv", "a.csv")],
)
def test_strip_ending(name: str, stripped: str) -> None:
    """Endings go whatever their case; a name is never left empty."""
    assert strip_ending(name) == stripped


@pytest.mark.parametrize("codec", ["gzip", "bzip2", "xz", "zstd"])
def test_members_one_after_another(codec: str) -> None:
    """Concatenated streams are one file, as for the tools that made them."""
    packed = PACKERS[codec](TEXT) + PACKERS[codec](b"") + PACKERS[codec](b"the end\n")
    source, _ = unwrap(Source.of_bytes(packed, "a"), ReadContext())
    assert _drain(source) == (TEXT + b"the end\n", None)


@pytest.mark.parametrize("codec", ["gzip", "bzip2", "xz"])
def test_zero_padding_is_no_error(codec: str) -> None:
    """Tapes and block devices pad with zeros."""
    source, _ = unwrap(Source.of_bytes(PACKERS[codec](TEXT) + bytes(100_000), "a"), ReadContext())
    assert _drain(source) == (TEXT, None)


@pytest.mark.parametrize("codec", PACKERS)
def test_trailing_garbage_comes_as_an_error_after_the_data(codec: str) -> None:
    """Bytes behind the stream were not read: that is told, and nothing before is lost."""
    source, _ = unwrap(Source.of_bytes(PACKERS[codec](TEXT) + b"something else", "a"), ReadContext())
    data, error = _drain(source)
    assert error is not None
    assert error.reason is Reason.CORRUPT
    assert TEXT.startswith(data)
    assert len(TEXT) - len(data) < 1 << 14


@pytest.mark.parametrize("codec", PACKERS)
def test_truncated_keeps_what_came_before(codec: str) -> None:
    """A cut stream gives its bytes, then the error, and again the error."""
    packed = PACKERS[codec](NOISE + TEXT)
    source, _ = unwrap(Source.of_bytes(packed[:290_000], "a"), ReadContext())
    data, error = _drain(source)
    assert error is not None
    assert error.reason is Reason.CORRUPT
    assert (NOISE + TEXT).startswith(data)
    assert len(data) >= 99_000
    with pytest.raises(ReadError):
        source.stream.read(1)


def test_truncated_within_the_head() -> None:
    """An error in the first bytes does not lose the bytes before it."""
    packed = gzip.compress(NOISE[:5_000])
    source, _ = unwrap(Source.of_bytes(packed[:4_000], "a"), ReadContext())
    assert NOISE.startswith(source.head)
    assert len(source.head) > 3_500
    assert source.stream.read(10) == NOISE[:10]
    rest, error = _drain(source)
    assert NOISE[10:].startswith(rest)
    assert error is not None


def test_damaged_in_the_middle() -> None:
    """A flipped byte ends the stream with an error."""
    packed = bytearray(gzip.compress(TEXT))
    packed[len(packed) // 2] ^= 0xFF
    _, error = _drain(unwrap(Source.of_bytes(bytes(packed), "a"), ReadContext())[0])
    assert error is not None
    assert error.reason is Reason.CORRUPT


def test_damage_in_an_inner_layer_is_told() -> None:
    """An outer error passes through the inner decoder as it is."""
    packed = gzip.compress(_arrow(NOISE, "zstd"))
    source, layers = unwrap(Source.of_bytes(packed[:200_000], "a"), ReadContext())
    data, error = _drain(source)
    assert layers == ("gzip", "zstd")
    assert len(data) > 50_000
    assert error is not None
    assert "gzip" in error.detail


@pytest.mark.parametrize("codec", PACKERS)
def test_a_bomb_ends_at_the_ratio(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that unpacks to far more than its size is stopped, and costs no memory before."""
    monkeypatch.setattr(base, "RATIO_FROM", 1 << 20)
    packed = PACKERS[codec](bytes(8 << 20))
    source, _ = unwrap(Source.of_bytes(packed, "a"), ReadContext(Limits(archive_ratio=20)))
    data, error = _drain(source)
    assert error is not None
    assert error.reason is Reason.RATIO
    assert 1 << 20 <= len(data) < 2 << 20


def test_the_ratio_counts_what_was_read_where_the_size_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input has no size: honest data passes, a bomb does not."""
    monkeypatch.setattr(base, "RATIO_FROM", 1 << 18)
    honest = Source(io.BytesIO(gzip.compress(NOISE)), "-")
    assert _drain(unwrap(honest, ReadContext(Limits(archive_ratio=20)))[0])[1] is None
    bomb = Source(io.BytesIO(gzip.compress(bytes(8 << 20))), "-")
    error = _drain(unwrap(bomb, ReadContext(Limits(archive_ratio=20)))[0])[1]
    assert error is not None
    assert error.reason is Reason.RATIO


def test_too_large() -> None:
    """The bytes that one item may unpack to are bounded."""
    source, _ = unwrap(Source.of_bytes(gzip.compress(NOISE * 8), "a"), ReadContext(Limits(archive_mb=1)))
    data, error = _drain(source)
    assert error is not None
    assert error.reason is Reason.TOO_LARGE
    assert len(data) >= 1 << 20


def test_too_deep() -> None:
    """Layers around layers end at the depth limit."""
    packed = TEXT
    for _ in range(9):
        packed = gzip.compress(packed)
    with pytest.raises(ReadError) as caught:
        unwrap(Source.of_bytes(packed, "a"), ReadContext())
    assert caught.value.reason is Reason.TOO_DEEP


def test_a_large_dictionary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An xz stream may ask for gigabytes to unpack a few bytes."""
    monkeypatch.setattr(compression, "_LZMA_MEMORY", 1 << 20)
    with pytest.raises(ReadError) as caught:
        unwrap(Source.of_bytes(lzma.compress(b"x"), "a"), ReadContext())
    assert caught.value.reason is Reason.MEMORY


@given(st.binary(max_size=200), st.sampled_from(sorted(PACKERS)), st.integers(0, 60))
def test_any_bytes_end(data: bytes, codec: str, keep: int) -> None:
    """Whatever follows the start of a stream: it ends, in bytes or in a ReadError."""
    packed = PACKERS[codec](b"some text to start with")[:keep] + data
    reasons = set()
    try:
        source, _ = unwrap(Source.of_bytes(packed, "a.lzma"), ReadContext())
        while source.stream.read(1000):
            pass
    except ReadError as error:
        reasons.add(error.reason)
    assert reasons <= {Reason.CORRUPT, Reason.MEMORY}
