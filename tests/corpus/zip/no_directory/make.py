"""Writes input.zip: an upload that broke off before the archive's directory."""

import io
import zipfile
from pathlib import Path


def build() -> bytes:
    """The archive, the same bytes each time."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("one.csv"), "part,stock\nA-17,4\n")
        archive.writestr(zipfile.ZipInfo("two.csv"), "part,stock\nA-18,9\n")
    data = target.getvalue()
    return data[: data.index(b"PK\x01\x02")]


if __name__ == "__main__":
    Path(__file__).with_name("input.zip").write_bytes(build())
