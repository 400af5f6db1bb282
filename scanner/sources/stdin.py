"""Standard input as an item."""

from __future__ import annotations

import os
import sys
from typing import IO

from scanner.model import ItemRef

#: What stands for standard input on the command line, and as the root of its item.
STDIN = "-"


def stdin_item(name: str | None = None) -> ItemRef:
    """The item that standard input is.

    Args:
        name: a file name that hints at the format (``customers.csv``), used as the item's path too.
    """
    return ItemRef(root=STDIN, path=name or STDIN)


def is_stdin(item: ItemRef) -> bool:
    """True where the item's bytes come from standard input; such an item can be read once."""
    return item.root == STDIN


def open_stdin() -> IO[bytes]:
    """Standard input as bytes."""
    return sys.stdin.buffer


class StandardInput:
    """Standard input, as a worker process has it (whose own is empty).

    Args:
        handle: a descriptor that the worker inherits under the same number.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def open(self) -> IO[bytes]:
        """Its bytes; to be read once."""
        return os.fdopen(self._handle, "rb", buffering=0)


__all__ = ["STDIN", "StandardInput", "is_stdin", "open_stdin", "stdin_item"]
