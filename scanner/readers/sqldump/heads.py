"""The beginnings of statements that bring rows: which table, which columns, in what form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scanner.readers.blobs import of_text
from scanner.readers.sqldump.grammar import NAME_PART, Grammar, unescape_postgres, unquote, unquote_name

_GAP = rb"(?:\s++|--[^\n]*+\n|/\*(?!M?!)(?:[^*]++|\*(?!/))*+\*/)*+"
_NAME = NAME_PART + rb"(?:" + _GAP + rb"\." + _GAP + NAME_PART + rb")*+"
_LIST = rb"\(" + _GAP + NAME_PART + _GAP + rb"(?:," + _GAP + NAME_PART + _GAP + rb")*+\)"

_INSERT = re.compile(
    rb"(?:(?i:INSERT|REPLACE)\b(?:\s+(?i:LOW_PRIORITY|DELAYED|HIGH_PRIORITY|IGNORE|ALL|OVERWRITE|OR\s+[A-Z]+))*"
    + _GAP
    + rb"(?:(?i:INTO)\b)?|(?i:INTO)\b)"
    + _GAP
    + rb"(?P<name>"
    + _NAME
    + rb")"
    + _GAP
    + rb"(?:(?i:WITH)\s*\([^)]*+\)"
    + _GAP
    + rb")?(?:(?i:PARTITION)\s*\([^)]*+\)"
    + _GAP
    + rb")?(?:(?i:AS)\s+"
    + NAME_PART
    + _GAP
    + rb")?(?P<columns>"
    + _LIST
    + rb")?"
    + _GAP
    + rb"(?:(?i:OVERRIDING\s+(?:SYSTEM|USER)\s+VALUE)"
    + _GAP
    + rb")?(?i:VALUES?)(?![\w$])(?="
    + _GAP
    + rb"\()"
)
_COPY = re.compile(
    rb"(?i:COPY)\b" + _GAP + rb"(?P<name>" + _NAME + rb")" + _GAP + rb"(?P<columns>" + _LIST + rb")?" + _GAP
    + rb"(?i:FROM)\s+(?i:STDIN)\b(?P<options>(?:[^;']++|'(?:[^']++|'')*+')*+);[ \t]*+\r?+\n"
)  # fmt: skip
_PART = re.compile(NAME_PART)
_OPTION = re.compile(
    rb"(?i:(?P<key>FORMAT|DELIMITERS?|NULL|HEADER|QUOTE|ESCAPE|CSV|BINARY|OIDS|FREEZE))\b(?:\s+(?i:AS)\b)?\s*"
    rb"(?P<value>[Ee]?'(?:[^']++|'')*+'|\b(?i:true|false|on|off|match|text|csv|binary|[01])\b)?"
)
#: A head that is longer than this is not one.
HEAD_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class InsertHead:
    """``INSERT INTO name (columns) VALUES``.

    Attributes:
        name: the table's name parts, unquoted.
        columns: the named columns, None where it names none.
        text: the head itself, up to and with ``VALUES``.
    """

    name: tuple[str, ...]
    columns: tuple[str, ...] | None
    text: bytes


@dataclass(frozen=True, slots=True)
class CopyHead:
    """``COPY name (columns) FROM stdin``; the rows' form is one of ``text``, ``csv``, ``binary``."""

    name: tuple[str, ...]
    columns: tuple[str, ...] | None
    form: str
    delimiter: bytes
    null: bytes
    quote: bytes
    escape: bytes
    header: bool
    end: int


def insert(data: bytes, pos: int) -> InsertHead | None:
    """The head of an INSERT or REPLACE with values that starts at ``pos``."""
    found = _INSERT.match(data, pos, pos + HEAD_BYTES)
    if found is None:
        return None
    return InsertHead(_names(found["name"]), _columns(found["columns"]), found[0])


def copy(data: bytes, pos: int, grammar: Grammar) -> CopyHead | None:
    """The head of a COPY from standard input that starts at ``pos``; ``end`` is where its rows begin."""
    found = _COPY.match(data, pos, pos + HEAD_BYTES)
    if found is None:
        return None
    options = _options(found["options"], grammar)
    form = options.get("form", b"text").decode("ascii", "replace").lower()
    csv = form == "csv"
    quote = options.get("quote", b'"')
    return CopyHead(
        name=_names(found["name"]),
        columns=_columns(found["columns"]),
        form=form if form in ("text", "csv") else "binary",
        delimiter=options.get("delimiter", b"," if csv else b"\t"),
        null=options.get("null", b"" if csv else b"\\N"),
        quote=quote,
        escape=options.get("escape", quote),
        header="header" in options,
        end=found.end(),
    )


def _options(text: bytes, grammar: Grammar) -> dict[str, bytes]:
    options: dict[str, bytes] = {}
    for found in _OPTION.finditer(text):
        key, value = found["key"].lower(), found["value"] or b""
        if key == b"format":
            options["form"] = value.strip(b"'")
        elif key in (b"csv", b"binary"):
            options["form"] = key
        elif key == b"header":
            if value.lower() not in (b"false", b"off", b"0"):
                options["header"] = b""
        elif b"'" in value:
            inner = value[value.index(b"'") + 1 : -1]
            decoded = unescape_postgres(inner) if value[:1] in b"Ee" else unquote(inner, grammar.backslash)
            options[key.decode("ascii").rstrip("s")] = decoded
    return options


def _names(text: bytes) -> tuple[str, ...]:
    return tuple(of_text(unquote_name(part))[0] for part in _PART.findall(_uncommented(text)))


def _columns(text: bytes | None) -> tuple[str, ...] | None:
    return None if text is None else _names(text[1:-1])


_COMMENT = re.compile(rb"(?P<keep>`[^`]*+`|\"[^\"]*+\"|\[[^\]]*+\])|--[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/")


def _uncommented(text: bytes) -> bytes:
    if b"--" not in text and b"/*" not in text:
        return text
    return _COMMENT.sub(lambda found: found["keep"] or b" ", text)
