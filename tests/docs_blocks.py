"""The fenced code blocks of the documentation, and how a test follows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """One fenced block: ``title`` names the file it is, or changes."""

    kind: str
    title: str | None
    text: str


def section(document: str, heading: str) -> str:
    """The text below a heading, up to the next one of its level.

    Raises:
        AssertionError: there is no such heading.
    """
    mark = f"\n## {heading}\n"
    assert mark in document, f"no section {heading!r}"
    return document.split(mark, 1)[1].split("\n## ", 1)[0]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks, in order."""
    for match in _BLOCK.finditer(text):
        yield Block(match["kind"], match["title"], match["text"])


def apply(block: Block, root: Path) -> None:
    """Write the file a block is, or make the change it shows."""
    assert block.title is not None
    path = root / block.title
    if block.kind == "diff":
        path.write_text(patched(path.read_text(encoding="utf-8"), block.text), encoding="utf-8")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")


def patched(text: str, change: str) -> str:
    """``text`` with the lines of a diff that start with ``+`` put among those that start with a space.

    Raises:
        AssertionError: the lines around are not in the text exactly once: the document is out of date.
    """
    lines = change.splitlines(keepends=True)
    before = "".join(line[1:] for line in lines if line.startswith(" "))
    after = "".join(line[1:] for line in lines)
    assert all(line[0] in " +" for line in lines)
    assert text.count(before) == 1, f"{before!r} is {text.count(before)} times in the file"
    return text.replace(before, after)


def commands(text: str) -> list[list[str]]:
    """The commands of the ``console`` blocks, as argument lists; comments left out."""
    found = []
    for block in blocks(text):
        if block.kind == "console":
            lines = [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
            found += [re.sub(r"\s+#.*", "", line).split() for line in lines]
    return found
