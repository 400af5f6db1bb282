"""Whether file systems of a network answer.

Whoever asks a server that is gone may wait for ever, and nothing ends a system call that waits: so a thread
of its own asks, and who wants to know waits for that thread only so long.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field

#: Seconds after which a file system that did not answer counts as away.
ANSWER_SECONDS = 10.0
#: Seconds that an answer holds.
_FRESH = 1.0


@dataclass(slots=True)
class _Asked:
    """A question under way, or answered."""

    at: float
    done: threading.Event = field(default_factory=threading.Event)
    fault: str | None = None


class Answering:
    """Asks folders whether they can be listed. Safe from any thread.

    Args:
        seconds: how long one may take.
    """

    def __init__(self, seconds: float = ANSWER_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked: dict[str, _Asked] = {}

    def fault(self, folder: str) -> str | None:
        """What is wrong with a folder, to be read behind its name; None where it answers.

        That it is not there, or not for us to read, is an answer.
        """
        with self._lock:
            now = time.monotonic()
            asked = self._asked.get(folder)
            if asked is None or (asked.done.is_set() and now - asked.at > _FRESH):
                asked = self._asked[folder] = _Asked(now)
                threading.Thread(
                    target=_ask, args=(folder, asked), name="sharewatch-ask", daemon=True
                ).start()
        # One that did not answer in time is not waited for again; its thread stays until it does.
        if not asked.done.wait(max(0.0, asked.at + self._seconds - now)):
            return "does not answer"
        return asked.fault


def _ask(folder: str, asked: _Asked) -> None:
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass
    except OSError as error:
        asked.fault = f"gives errors ({os.strerror(error.errno or 0)})"
    asked.done.set()
