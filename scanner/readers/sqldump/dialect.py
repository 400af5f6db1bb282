"""What tells one dialect of SQL dumps from another.

The reader knows one way to go through a dump; a dialect is the set of facts it needs to do so. Each dialect
has a module of its own with its facts (``DIALECT``) and the marks it is known by (``score``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""Facts about one dialect.

    Attributes:
        format: the name in reports.
        backslash: ``\`` escapes inside ``'…'``.
        escape_strings: ``E'…'`` has backslash escapes of its own.
        double_quoted: ``"…"`` among values is a string rather than a name.
        double_quoted_always: it is one in definitions too.
        hash_comments: ``#`` starts a comment.
        nested_comments: a ``/* */`` may hold another.
        conditional_comments: ``/*!40000 … */`` is code.
        dollar_quotes: ``$tag$ … $tag$`` is a string.
        brackets: ``[name]`` is a quoted name; else ``[`` opens a subscript or an array.
        batches: a line ``GO`` ends a batch, statements need no semicolon.
        delimiters: a line ``DELIMITER x`` changes what ends a statement.
        client_lines: a line starting with a backslash is a command to the client.
        blocks: bodies of triggers and procedures are told by counting ``BEGIN`` and ``END``.
        indexes_in_tables: ``KEY`` and ``INDEX`` inside ``CREATE TABLE`` define an index, not a column.
        internal: tables of the system's own, last name part in lower case; they are not reported.
        boilerplate: pattern of comment lines that the dump tool writes and that say nothing of the data.
    """

    format: str
    backslash: bool = False
    escape_strings: bool = False
    double_quoted: bool = False
    double_quoted_always: bool = False
    hash_comments: bool = False
    nested_comments: bool = False
    conditional_comments: bool = False
    dollar_quotes: bool = False
    brackets: bool = False
    batches: bool = False
    delimiters: bool = False
    client_lines: bool = False
    blocks: bool = False
    indexes_in_tables: bool = False
    internal: frozenset[str] = frozenset()
    boilerplate: re.Pattern[str] | None = None
