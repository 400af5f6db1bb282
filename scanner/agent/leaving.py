"""What is gone from a share: believed after a moment, recorded, and its findings resolved."""

# ruff: noqa: PTH118 # names of files may be bytes that are not UTF-8, and pass unchanged

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from scanner.agent.places import covers, look
from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.ledger import findings, queue
from scanner.ledger.store import Connection

#: Seconds that something may be away before that is recorded: a file that is moved is first seen where it is.
GONE_AFTER = 3.0
#: Seconds more that this may take while other files are on their way: one of them may be the moved one.
_LONGEST = 60.0


class Leaving:
    """Files that are on their way to being gone.

    Args:
        session: see `Session`.
        walk: called with share and folder where a file that was said to be gone is there.
    """

    def __init__(self, session: Session, walk: Callable[[str, str], object]) -> None:
        self._session, self._walk = session, walk
        self._gone: dict[tuple[str, str], float] = {}

    def __len__(self) -> int:
        return len(self._gone)

    def later(self, root: str, path: str) -> None:
        """A file or folder is not there: believed soon, after its new place was seen if it was moved."""
        after = 0.0 if self._session.once else GONE_AFTER
        self._gone.setdefault((root, path), time.monotonic() + after)

    def is_back(self, root: str, path: str) -> None:
        """It is there after all."""
        self._gone.pop((root, path), None)

    def dues(self) -> list[float]:
        """On the monotonic clock, when to call `settle`."""
        return list(self._gone.values())

    def settle(self, *, busy: bool) -> None:
        """Record what has been gone for long enough.

        Args:
            busy: whether files are being walked, settled or scanned, one of which may be a moved one.
        """
        if busy and self._session.once:
            return
        latest = time.monotonic() - (_LONGEST if busy else 0.0)
        for root, path in [place for place, at in self._gone.items() if at <= latest]:
            del self._gone[root, path]
            if look((root, path)) is not None:
                self._walk(root, path.rpartition("/")[0])
            elif not any(covers(each, path) for each in self._session.shares.lost(root)):
                self._record(root, path)

    def resolve(self, connection: Connection, places: Sequence[tuple[str, str]], at: str) -> None:
        """What places that are gone held is not found there any more; in the caller's transaction."""
        self._session.teller.transitions(connection, findings.gone(connection, places, at))

    def _record(self, root: str, path: str) -> None:
        session, at = self._session, moment()
        held = session.recorder.open_under([os.path.join(root, path)])

        def also(connection: Connection, places: Sequence[tuple[str, str]]) -> None:
            self.resolve(connection, places, at)
            queue.forget(connection, root, path)

        if held:
            session.recorder.gone([each.id for each in held], at, also)
            session.teller.sent()
        else:
            session.teller.tell([], lambda connection: queue.forget(connection, root, path))
