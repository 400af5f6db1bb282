"""In what encoding a dump is: as it says itself, else as its first bytes look."""

from __future__ import annotations

import codecs
import re

#: Encodings that MySQL (``SET NAMES``) and PostgreSQL (``client_encoding``) call otherwise than Python.
_ALIASES = {
    "latin1": "cp1252", "latin2": "iso8859-2", "latin5": "iso8859-9", "latin7": "iso8859-13",
    "utf8mb3": "utf-8", "utf8mb4": "utf-8", "utf8": "utf-8", "unicode": "utf-8", "binary": "utf-8",
    "sjis": "cp932", "ujis": "euc_jp", "eucjpms": "euc_jp", "euckr": "euc_kr", "uhc": "cp949",
    "gb2312": "gb18030", "gbk": "gb18030", "euc_cn": "gb18030", "tis620": "cp874", "koi8": "koi8_r",
    "koi8r": "koi8_r", "koi8u": "koi8_u", "greek": "iso8859-7", "hebrew": "iso8859-8", "win": "cp1251",
    "win866": "cp866", "mac_roman": "mac_roman", "macroman": "mac_roman",
}  # fmt: skip
_POSTGRES = {"latin1": "latin-1", "latin5": "iso8859-9", "latin9": "iso8859-15", "latin10": "iso8859-16"}
_NAMES = re.compile(rb"^(?:/\*!\d+ )?SET NAMES '?(\w{2,20})'?", re.MULTILINE | re.IGNORECASE)
_CLIENT = re.compile(rb"^SET client_encoding *(?:=|TO) *'?(\w{2,20})'?", re.MULTILINE | re.IGNORECASE)


def declared(head: bytes) -> str | None:
    """The Python codec of the encoding that a dump says it is in; None where it says none we know."""
    found = _CLIENT.search(head)
    if found is not None:
        name = found[1].decode("ascii").lower()
        return _codec(_POSTGRES.get(name, name))
    found = _NAMES.search(head)
    return _codec(found[1].decode("ascii").lower()) if found is not None else None


def _codec(name: str) -> str | None:
    name = _ALIASES.get(name, name)
    if re.fullmatch(r"win\d{3,4}", name):
        name = f"cp{name[3:]}"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None
