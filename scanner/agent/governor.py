"""When work that can wait may go on: load, memory, disk, battery, quiet hours, a share of the processor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from scanner.agent.config import AgentLimits, quiet

#: Seconds for which an answer about the machine holds.
_FRESH_FOR = 5.0


class Governor:
    """Says whether work that can wait (rescans, big files) may be started now.

    Args:
        limits: see `AgentLimits`.
        quiet_hours: in which it may not.
        state: a folder on the file system that must not fill up.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        limits: AgentLimits,
        quiet_hours: tuple[str, ...],
        state: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._hours, self._state, self._clock = limits, quiet_hours, state, clock
        self._rest_until = 0.0
        self._looked = -_FRESH_FOR
        self._reason: str | None = None

    def reason(self) -> str | None:
        """Why such work waits; None where it may go on."""
        now = self._clock()
        if now < self._rest_until:
            return "processor share"
        if now - self._looked >= _FRESH_FOR:
            self._looked, self._reason = now, self._look()
        return self._reason

    def worked(self, seconds: float) -> None:
        """Some such work took this long: rest so that it keeps to its share of the processor."""
        share = min(self._limits.cpu_percent, 100.0) / 100.0
        if share < 1.0:
            self._rest_until = self._clock() + seconds * (1.0 / share - 1.0)

    def wait(self) -> float:
        """Seconds until it is worth asking again."""
        return max(0.05, min(self._rest_until - self._clock(), _FRESH_FOR) if self._resting() else _FRESH_FOR)

    def _resting(self) -> bool:
        return self._clock() < self._rest_until

    def _look(self) -> str | None:
        import psutil

        minute = datetime.now().astimezone()
        if quiet(self._hours, minute.hour * 60 + minute.minute):
            return "quiet hours"
        with suppress(OSError, AttributeError):
            if os.getloadavg()[0] / (os.cpu_count() or 1) > self._limits.load:
                return "load"
        with suppress(OSError, psutil.Error):
            if psutil.virtual_memory().available < self._limits.min_free_mb << 20:
                return "memory"
        with suppress(OSError, psutil.Error):
            if psutil.disk_usage(str(self._state)).free < self._limits.min_disk_mb << 20:
                return "disk"
        with suppress(OSError, psutil.Error, AttributeError):
            battery = psutil.sensors_battery()
            if battery is not None and battery.power_plugged is False:
                return "battery"
        return None


def step_back(pids: tuple[int, ...]) -> None:
    """Give processes the lowest priority for processor and disk, where that is allowed."""
    import psutil

    for pid in pids:
        with suppress(OSError, psutil.Error, AttributeError):
            process = psutil.Process(pid)
            if process.nice() < 10:
                process.nice(10)
            process.ionice(psutil.IOPRIO_CLASS_IDLE)
