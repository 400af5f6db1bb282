"""Writes input.tar: cut in the middle of its second member."""

import io
import tarfile
from pathlib import Path


def build() -> bytes:
    """The archive, the same bytes each time."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, text in (("one.csv", b"part,stock\nA-17,4\n"), ("two.csv", b"part,stock\n" * 100)):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return target.getvalue()[:1900]


if __name__ == "__main__":
    Path(__file__).with_name("input.tar").write_bytes(build())
