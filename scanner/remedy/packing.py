"""Streams packed as the input was: what came gzipped goes out gzipped."""

from __future__ import annotations

from typing import BinaryIO, cast

#: Compressions that can be written, by the name that readers report.
PACKERS = frozenset({"gzip", "bzip2", "xz", "lzma", "zstd", "lz4"})


def packed(out: BinaryIO, codec: str) -> BinaryIO:
    """A stream that packs what is written to it; to be closed, which leaves ``out`` open.

    Raises:
        ValueError: nothing is packed so.
    """
    match codec:
        case "gzip":
            import gzip

            # No name and no time: the same input gives the same output, and no path is told.
            return cast("BinaryIO", gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0))
        case "bzip2":
            import bz2

            return cast("BinaryIO", bz2.BZ2File(out, "wb"))
        case "xz" | "lzma":
            import lzma

            form = lzma.FORMAT_XZ if codec == "xz" else lzma.FORMAT_ALONE
            return cast("BinaryIO", lzma.LZMAFile(out, "wb", format=form))
        case "zstd" | "lz4":
            import pyarrow as pa

            return cast("BinaryIO", pa.CompressedOutputStream(_Left(out), codec))
    raise ValueError(f"nothing is packed as {codec}")


class _Left:
    """A file that whoever writes to it does not close."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.closed = False

    def write(self, data: bytes) -> int:
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        return self._out.tell()
