"""What is told of a digest that can be undone, and of how many values one is known again.

A scan compares the files that it reads; the ledger compares all that a vendor holds. Both do it with this.
"""

from __future__ import annotations

from dataclasses import replace

from scanner.model import REVERSIBLE, Evidence, printable

#: Values of a clear column that are digested. A column of many people is recognised by any of them.
PROBED = 48


def signal(way: str, source: str, where: str | None = None, kind: str = REVERSIBLE) -> str:
    """The signal that a digest can be undone: ``reversible:md5 of column email in file crm.csv``.

    Args:
        way: the digest.
        source: the column that has the values in clear.
        where: what that column is in, unless it is where the digest is: ``file crm.csv``.
        kind: of the signal.
    """
    return f"{kind}:{way} of column {printable(source)}{'' if where is None else f' in {where}'}"


def signalled(evidence: Evidence, told: str) -> Evidence:
    """Evidence with a signal that goes before the others."""
    return replace(evidence, signals=(told, *evidence.signals))
