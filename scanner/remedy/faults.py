"""What keeps a file from being made smaller."""

from __future__ import annotations


class RemedyError(Exception):
    """A file cannot be made smaller.

    ``problems`` are sentences for a person, free of scanned text. ``unread`` is True where the file could not
    be read in full, and False where it was, but cannot be written anew.
    """

    def __init__(self, *problems: str, unread: bool = False) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
        self.unread = unread
