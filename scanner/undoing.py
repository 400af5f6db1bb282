"""What is told of a digest that can be undone, and how digests are known again.

A scan compares the files that it reads; the ledger compares all that a vendor holds. Both do it with this.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scanner.model import REVERSIBLE, Evidence, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def among(wanted: NDArray[np.uint64], held: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """For each wanted hash whether it is held.

    Args:
        wanted: in any order.
        held: ascending, not empty.
    """
    import numpy as np

    places = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
    return np.asarray(held[places] == wanted)


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
