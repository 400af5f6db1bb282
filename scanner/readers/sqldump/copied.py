r"""The rows of PostgreSQL's COPY: its text format and its CSV.

Blocks of whole lines go to Arrow's CSV parser. In the text format ``\N`` becomes two NUL bytes first (which
PostgreSQL's text cannot hold) so that it is told from an escaped ``N``, and the other escapes become a
backslash before the very character, which Arrow takes literally.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from scanner.readers.sqldump.careful import Cell
from scanner.readers.sqldump.fast import ToText, inside, parse_cells
from scanner.readers.sqldump.heads import CopyHead

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NULL = b"\0\0"
_BACKSLASH = 92


def end_of_rows(data: bytes, pos: int, eof: bool) -> tuple[int, int] | None:
    r"""Where the rows end in the window and where their end mark ``\.`` does; None where it is not there.

    ``pos`` must be at the start of a line.
    """
    at = pos
    while True:
        at = data.find(b"\\.", at)
        if at < 0:
            return None
        if at == pos or data[at - 1] == 10:
            rest = data[at + 2 : at + 4]
            if rest[:1] == b"\n":
                return at, at + 3
            if rest == b"\r\n":
                return at, at + 4
            if eof and at + 2 == len(data):
                return at, at + 2
        at += 2


def whole_lines(data: bytes, start: int, head: CopyHead) -> int:
    """Where the last whole row of ``data[start:]`` ends; ``start`` where there is none."""
    if head.form == "text":
        return data.rfind(b"\n", start) + 1 or start
    import numpy as np

    window = np.frombuffer(data, np.uint8, offset=start)
    outside = inside(window == head.quote[0]) == 0
    ends = np.flatnonzero((window == 10) & outside)
    return start + int(ends[-1]) + 1 if len(ends) else start


def columns(data: bytes, width: int, head: CopyHead, to_text: ToText) -> tuple[list[Any], int] | None:
    """Arrow string columns of the rows in ``data`` (whole lines), and how many; None where not plain."""
    rows = _rows(data, head)
    if rows is None or rows == 0:
        return None
    if head.form == "csv":
        return _csv_columns(data, rows, width, head, to_text)
    body: Any = data
    options: dict[str, Any] = {
        "delimiter": head.delimiter.decode("ascii"),
        "quote_char": False,
        "double_quote": False,
        "escape_char": False,
        "ignore_empty_lines": False,
    }
    null = head.null
    if b"\\" in data:
        body = _unescaped(data, head)
        if body is None:
            return None
        null, options["escape_char"] = (_NULL if head.null == b"\\N" else null), "\\"
    found = parse_cells(body, rows, width, options, [null.decode("ascii")], to_text, {})
    return None if found is None else (found, rows)


def _rows(data: bytes, head: CopyHead) -> int | None:
    if len(head.delimiter) != 1 or head.delimiter in b"\r\n\\" or not (head.delimiter + head.null).isascii():
        return None
    if b"\r" in data and (head.form == "text" or data.count(b"\r") != data.count(b"\r\n")):
        return None
    if head.form == "text":
        return data.count(b"\n")
    if head.quote != head.escape or len(head.quote) != 1 or b"\n\n" in data or b"\n\r\n" in data:
        return None
    import numpy as np

    window = np.frombuffer(data, np.uint8)
    return int(np.count_nonzero((window == 10) & (inside(window == head.quote[0]) == 0)))


def _csv_columns(
    data: bytes, rows: int, width: int, head: CopyHead, to_text: ToText
) -> tuple[list[Any], int] | None:
    if b"\r" in data:
        return None
    options: dict[str, Any] = {
        "delimiter": head.delimiter.decode("ascii"),
        "quote_char": head.quote.decode("ascii"),
        "double_quote": True,
        "escape_char": False,
        "ignore_empty_lines": False,
    }
    found = parse_cells(data, rows, width, options, [head.null.decode("ascii")], to_text, {})
    return None if found is None else (found, rows)


@cache
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """What the character after a backslash stands for, and which need the careful way."""
    import numpy as np

    table = np.arange(256, dtype=np.uint8)
    for char, value in {b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11}.items():
        table[char[0]] = value
    odd = np.zeros(256, bool)
    odd[list(b"01234567x\n")] = True
    return table, odd


def _unescaped(data: bytes, head: CopyHead) -> NDArray[np.uint8] | None:
    r"""The block with its escapes made plain for Arrow; None where some are not among the usual ones."""
    import numpy as np

    if b"\0" in data:
        return None
    out = np.frombuffer(data, np.uint8).copy()
    places = np.flatnonzero(out == _BACKSLASH)
    fresh = np.ones(len(places), bool)
    fresh[1:] = np.diff(places) != 1
    first = places[fresh][np.cumsum(fresh) - 1]
    lead = places[(places - first) % 2 == 0]
    if lead[-1] + 1 >= len(out):
        return None
    table, odd = _tables()
    chars = out[lead + 1]
    if odd[chars].any():
        return None
    if head.null == b"\\N":
        nulls = lead[chars == ord("N")]
        if not _alone(out, nulls, head):
            return None
        out[nulls] = 0
        out[nulls + 1] = 0
        others = lead[chars != ord("N")]
    else:
        others = lead
    out[others + 1] = table[out[others + 1]]
    return out


def _alone(out: NDArray[np.uint8], nulls: NDArray[np.intp], head: CopyHead) -> bool:
    r"""Whether each ``\N`` is a whole field."""
    import numpy as np

    delimiter = head.delimiter[0]
    padded = np.concatenate([[np.uint8(10)], out, [np.uint8(10)]])
    before, after = padded[nulls], padded[nulls + 3]
    return bool((((before == delimiter) | (before == 10)) & ((after == delimiter) | (after == 10))).all())


def careful_rows(data: bytes, head: CopyHead) -> list[list[Cell]]:
    """The rows of whole lines one by one."""
    if head.form == "csv":
        return _careful_csv(data, head)
    rows: list[list[Cell]] = []
    for line in _lines(data):
        fields = _fields(line, head.delimiter)
        rows.append([None if field == head.null else unescape_copy(field) for field in fields])
    return rows


_ESCAPE = re.compile(rb"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9A-Fa-f]{1,2})|(?P<char>.))", re.DOTALL)
_CHARS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def unescape_copy(field: bytes) -> bytes:
    """A field of the text format with its escapes undone."""
    return _ESCAPE.sub(_char, field) if b"\\" in field else field


def _char(match: re.Match[bytes]) -> bytes:
    char: bytes | None = match["char"]
    if char is not None:
        return _CHARS.get(char, char)
    code = int(match["octal"], 8) & 0xFF if match["octal"] is not None else int(match["hex"], 16)
    return bytes((code,))


def _lines(data: bytes) -> list[bytes]:
    r"""Lines without their ends; a line end after a backslash belongs to the data."""
    lines: list[bytes] = []
    held = b""
    for line in data.removesuffix(b"\n").split(b"\n"):
        whole = held + line
        trailing = len(whole) - len(whole.rstrip(b"\\"))
        if trailing % 2:
            held = whole + b"\n"
            continue
        lines.append(whole.removesuffix(b"\r"))
        held = b""
    if held:
        lines.append(held.removesuffix(b"\n"))
    return lines


def _fields(line: bytes, delimiter: bytes) -> list[bytes]:
    if b"\\" + delimiter not in line:
        return line.split(delimiter)
    fields: list[bytes] = []
    held = b""
    for part in line.split(delimiter):
        whole = held + part
        if (len(whole) - len(whole.rstrip(b"\\"))) % 2:
            held = whole + delimiter
            continue
        fields.append(whole)
        held = b""
    if held:
        fields.append(held)
    return fields


def _careful_csv(data: bytes, head: CopyHead) -> list[list[Cell]]:
    quote, escape, delimiter = (re.escape(part) for part in (head.quote, head.escape, head.delimiter))
    inner = (
        rb"(?:[^"
        + quote
        + escape
        + rb"]++|"
        + escape
        + rb"["
        + quote
        + escape
        + rb"]|"
        + escape
        + rb"(?!"
        + quote
        + rb"))*+"
        if head.escape != head.quote
        else rb"(?:[^" + quote + rb"]++|" + quote + quote + rb")*+"
    )
    field = re.compile(
        rb"(?:" + quote + rb"(?P<quoted>" + inner + rb")" + quote + rb")?(?P<bare>[^" + delimiter + rb"\n]*+)"
        rb"(?P<end>" + delimiter + rb"|\r?\n|\Z)",
        re.DOTALL,
    )
    undo = re.compile(escape + rb"([" + quote + escape + rb"])")
    rows: list[list[Cell]] = []
    row: list[Cell] = []
    pos = 0
    while pos < len(data):
        found = field.match(data, pos)
        if found is None:
            break
        pos = found.end()
        bare, end = found["bare"], found["end"]
        if end != head.delimiter:
            bare = bare.removesuffix(b"\r")
        if found["quoted"] is not None:
            row.append(undo.sub(rb"\1", found["quoted"]) + bare)
        else:
            row.append(None if bare == head.null else bare)
        if end != head.delimiter:
            rows.append(row)
            row = []
    if row:
        rows.append(row)
    return rows
