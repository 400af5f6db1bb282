"""Writes input.tgz: files, a folder, a link to elsewhere."""

import gzip
import io
import tarfile
from pathlib import Path


def build() -> bytes:
    """The archive, the same bytes each time."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        folder = tarfile.TarInfo("deliveries")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        link = tarfile.TarInfo("deliveries/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
        for name, text in (
            ("deliveries/parts.csv", b"part,stock\nA-17,4\n"),
            ("d\u00e9j\u00e0 vu.txt", b"again\n"),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    return gzip.compress(target.getvalue(), mtime=0)


if __name__ == "__main__":
    Path(__file__).with_name("input.tgz").write_bytes(build())
