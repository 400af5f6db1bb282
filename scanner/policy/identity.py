"""Ids of findings that outlive the file: the next delivery of a feed has the same ones.

An id is the first 20 hex digits of SHA-256 over a JSON list:

1. the vendor's id, null for files under nobody's paths;
2. the feed: for a table its column names in order and its name (left out where the file names no table);
   for a text, or an item as a whole, the base name of the file and of the member, with every UUID, date
   and run of digits as ``#``;
3. the part: ``table`` or ``text`` with the name as in 2, or what a finding about no field is about;
4. the column's name;
5. the entity type;
6. the form: ``clear``, or ``changed`` for all others, as a rule may tell a hash from a token differently
   in a later delivery.

Neither folder, file name of a table, rows nor values count, so a file may be moved within a vendor's folder,
renamed or filled anew. An id may repeat within a scan: files of one feed share it.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePosixPath
from typing import Any

from scanner.model import Form, Outcome, Text
from scanner.policy.fields import UNNAMED, PersonalField

_LENGTH = 20
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9]+(?:[-_.:T][0-9]+)*", re.IGNORECASE
)


def of_field(vendor: str | None, field: PersonalField) -> str:
    """The id of a finding about a field."""
    part = field.part
    evidence = field.evidence
    if isinstance(part, Text):
        feed: list[Any] = _names(field.outcome)
        place = ["text", collapsed(part.name)]
    else:
        name = None if part.name == UNNAMED else part.name
        feed = [[column.name for column in part.columns], name]
        place = ["table", name or ""]
    form = "clear" if evidence.form is Form.CLEAR else "changed"
    return _digest(
        [vendor, feed, place, field.column.name if field.column else None, evidence.entity_type, form]
    )


def of_item(vendor: str | None, outcome: Outcome, what: str) -> str:
    """The id of a finding about an item as a whole; ``what`` tells several of them apart."""
    return _digest([vendor, _names(outcome), ["item", what], None, None, None])


def of_vendor(vendor: str, what: str) -> str:
    """The id of a finding about all that a vendor holds."""
    return _digest([vendor, [], ["vendor", what], None, None, None])


def collapsed(name: str) -> str:
    """A name with what changes from one delivery to the next as ``#``."""
    return _VARYING.sub("#", name)


def _names(outcome: Outcome) -> list[Any]:
    member = None if outcome.member is None else collapsed(PurePosixPath(outcome.member).name)
    return [collapsed(PurePosixPath(outcome.path).name), member]


def _digest(parts: list[Any]) -> str:
    # Surrogate escapes stand for bytes that are not UTF-8; JSON's ASCII form can hold them.
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:_LENGTH]
