"""Writes input.ods: a plain sheet and a hidden one."""

import zipfile
from pathlib import Path

NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "table", "text", "style")
)


def table(name: str, style: str, rows: list[list[str]]) -> str:
    """A table's XML, every cell a string."""
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in rows
    )
    return f'<table:table table:name="{name}" table:style-name="{style}">{lines}</table:table>'


def main() -> None:
    """Write it beside this file."""
    styles = "".join(
        f'<style:style style:name="{name}" style:family="table">'
        f'<style:table-properties table:display="{shown}"/></style:style>'
        for name, shown in (("on", "true"), ("off", "false"))
    )
    tables = table("Parts", "on", [["part", "remark"], ["A-17", "none"]]) + table(
        "People", "off", [["id", "full name"], ["1", "Ines Beispiel"]]
    )
    content = (
        f"<office:document-content {NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(Path(__file__).with_name("input.ods"), "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(zipfile.ZipInfo("META-INF/manifest.xml"), "<manifest/>")
        archive.writestr(zipfile.ZipInfo("content.xml"), content)


if __name__ == "__main__":
    main()
