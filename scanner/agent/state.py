"""How the agent does: plain facts that its parts note and that status, heartbeat and health tell."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Fresh files whose time to the verdict is remembered.
_LAGS = 1000


@dataclass(slots=True)
class State:
    """How the agent does, for status, heartbeat and health.

    Attributes:
        started, last_walk, last_selftest: seconds of the epoch; None before the first.
        trouble: why the ledger cannot be written now; empty where it can.
        selftest: ``passed``, ``failed`` or ``pending``.
        scanned: items since the start.
        waits_for: why work that can wait does so.
        passed: files that went through a gate since the start.
        lags: seconds from complete to verdict of the latest fresh files.
        problem: why the newest configuration is not in force; empty where it is.
    """

    started: float
    last_walk: float | None = None
    last_selftest: float | None = None
    trouble: str = ""
    selftest: str = "pending"
    scanned: int = 0
    waits_for: str | None = None
    passed: int = 0
    lags: list[float] = field(default_factory=list)
    problem: str = ""

    def lagged(self, seconds: float) -> None:
        """A fresh file had its verdict after so long."""
        self.lags = [*self.lags[1 - _LAGS :], seconds]
