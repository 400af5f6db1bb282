"""Writes input.zip: two members, the first of which says that it is encrypted."""

import io
import zipfile
from pathlib import Path


def build() -> bytes:
    """The archive, the same bytes each time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(zipfile.ZipInfo("secret.csv"), "\x8a\x1f\x03")
        archive.writestr(zipfile.ZipInfo("plain.csv"), "part,stock\nA-17,4\n")
    data = bytearray(target.getvalue())
    data[data.index(b"secret.csv") - 30 + 6] |= 1
    data[data.rindex(b"secret.csv") - 46 + 8] |= 1
    return bytes(data)


if __name__ == "__main__":
    Path(__file__).with_name("input.zip").write_bytes(build())
