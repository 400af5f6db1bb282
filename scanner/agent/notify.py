"""What systemd is told: ready, reloading, stopping, status, still alive (sd_notify(3), in plain Python)."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """Tells the service manager how the daemon does; does nothing where there is none.

    Args:
        environment: by default the process's. ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` are
            read, and removed from the process's own, so that no child speaks for the daemon.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        given = dict(os.environ if environment is None else environment)
        if environment is None:
            for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
                os.environ.pop(name, None)
        self._address = _address(given.get("NOTIFY_SOCKET", ""))
        self.watchdog_seconds = _watchdog(given)
        self._status = ""

    @property
    def supervised(self) -> bool:
        """Whether somebody listens."""
        return self._address is not None

    def ready(self, status: str = "") -> bool:
        """Start-up, or a reload, is over."""
        return self._send("READY=1", *self._with_status(status))

    def reloading(self) -> bool:
        """The configuration is read again; `ready` ends it."""
        # The time is what Type=notify-reload asks for.
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return self._send("RELOADING=1", f"MONOTONIC_USEC={now}")

    def stopping(self, status: str = "") -> bool:
        """The daemon goes down."""
        return self._send("STOPPING=1", *self._with_status(status))

    def status(self, text: str) -> bool:
        """One line for ``systemctl status``; the same line is not sent again."""
        if text == self._status:
            return False
        return self._send(*self._with_status(text))

    def alive(self) -> bool:
        """Feed the watchdog: at least every half of `watchdog_seconds`."""
        return self._send("WATCHDOG=1")

    def extend(self, seconds: float) -> bool:
        """Starting or stopping takes so much longer than the unit allows."""
        return self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def _with_status(self, text: str) -> list[str]:
        self._status = text or self._status
        line = "".join(char if char.isprintable() else " " for char in text)
        return [f"STATUS={line}"] if line else []

    def _send(self, *lines: str) -> bool:
        """Send what is to be said; false where nobody takes it. Nothing of the daemon depends on that."""
        if self._address is None or not lines:
            return False
        message = "\n".join(lines).encode("utf-8", "replace")
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out,
        ):
            out.settimeout(1.0)
            out.connect(self._address)
            out.sendall(message)
            return True
        return False


def _address(text: str) -> str | None:
    """The socket's address: a path, or after ``@`` a name of the abstract namespace."""
    if text.startswith("@"):
        return "\0" + text[1:]
    return text if text.startswith("/") else None


def _watchdog(environment: Mapping[str, str]) -> float | None:
    """Seconds within which the watchdog wants to be fed; None where there is none for this process."""
    pid, microseconds = environment.get("WATCHDOG_PID", ""), environment.get("WATCHDOG_USEC", "")
    if pid and pid != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000 if microseconds.isascii() and microseconds.isdigit() else None
