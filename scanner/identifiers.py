"""Kinds of identifier that tell people apart, strongest first. Standard library only."""

from __future__ import annotations

#: ``account`` has a name space after a colon; identifiers that a state gave are called by their data category
#: and rank as ``government_id``.
RANKS = (
    "email",
    "phone",
    "government_id",
    "account",
    "name+birth",
    "name+address",
    "username",
    "bank_account",
    "credit_card",
    "vin",
    "name",
    "address",
    "device",
)
#: Kinds under which two people are often found: no ground for taking two records to be one person's.
WEAK = frozenset({"name", "address", "device"})
#: What stands for the owner of what was found in running text: nobody knows whose it is.
UNKNOWN_OWNER = "?"


def kind(identifier: str) -> str:
    """The kind without name space and form."""
    bare = identifier.partition("/")[0].partition(":")[0]
    return bare if bare in RANKS else "government_id"


def rank(identifier: str) -> int:
    """How well an identifier tells people apart: 0 is best. One that is hashed comes after those in clear."""
    return RANKS.index(kind(identifier)) + (len(RANKS) if "/" in identifier else 0)
