"""The self-test: people who do not exist, in a file of our own, must be found and told of.

The file lies in a folder beside the ledger that is scanned like a share, so it proves the line from the file
system over worker and detection to the sinks. Nothing of it is counted.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from scanner.model import Outcome

NAME = "people.csv"
#: What must be found in it.
WANTED = frozenset({"PERSON", "EMAIL_ADDRESS"})
_FIRSTS = ("Ada", "Boris", "Clara", "David", "Emma", "Felix", "Greta", "Hugo")
_LASTS = ("Example", "Weber", "Martin", "Rossi", "Silva", "Novak", "Jensen", "Smith")


def plant(folder: Path) -> Path:
    """Write the file anew, with other people than before, and put it in place at once."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = ["name,email"]
    for number in range(24):
        first, last = secrets.choice(_FIRSTS), secrets.choice(_LASTS)
        lines.append(f"{first} {last},{first}.{last}{number}@example.org")
    part = folder / f".{NAME}.part"
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    target = folder / NAME
    part.replace(target)
    return target


def passed(outcome: Outcome) -> bool:
    """Whether the planted people were found."""
    found = {
        each.entity_type for table in outcome.tables for column in table.columns for each in column.entities
    }
    return found >= WANTED
