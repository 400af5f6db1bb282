"""Writes input.zip: files, a folder and a nested archive."""

import io
import zipfile
from pathlib import Path


def build() -> bytes:
    """The archive, the same bytes each time."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("notes.txt"), "nothing in here\n")
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("deliveries/"), b"")
        archive.writestr(zipfile.ZipInfo("deliveries/parts.csv"), "part,stock\nA-17,4\n")
        archive.writestr(zipfile.ZipInfo("deliveries/old.zip"), inner.getvalue())
        archive.writestr(zipfile.ZipInfo("../elsewhere.txt"), "a name is only a name\n")
    return outer.getvalue()


if __name__ == "__main__":
    Path(__file__).with_name("input.zip").write_bytes(build())
