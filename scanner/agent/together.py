"""What vendors hold together, which no file alone tells: judged anew when the ledger has changed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.judging import (
    Settled,
    Undone,
    having,
    of_undone,
    of_vendors,
    prepare,
    settle_undone,
    settle_vendors,
    standing,
)
from scanner.ledger.store import Connection
from scanner.model import Finding

#: The judging of what vendors hold takes no more than this part of the time.
_SHARE = 20
#: Files that are judged for what others undo in one turn of the loop.
_PAGE = 1000


class Together:
    """The judgement of vendors, a part in each turn of the agent's loop.

    Args:
        session: see `Session`.

    Attributes:
        due: when it may be made anew after a change, on the monotonic clock.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.due = time.monotonic()
        self._entry, self._standing = 0, ""
        self._settled: Settled = {}
        self._left: list[str | None] | None = None
        self._took = 0.0

    @property
    def changed(self) -> bool:
        """Whether the ledger has entries that were not there when vendors were judged last."""
        return self._session.writer.newest != self._entry

    def step(self, *, anew: bool) -> bool:
        """Do a part; says whether there is more.

        Args:
            anew: also where nothing is otherwise than it was when this was done last.
        """
        return self._prepare() or self.judge(anew=anew)

    def _prepare(self) -> bool:
        """Look at one vendor, so that other things can be done between two; says whether there are more."""
        session, at, started = self._session, moment(), time.monotonic()
        if self._left is None:
            self._left, self._took = having(session.ledger, at), 0.0
        if self._left:
            prepare(session.ledger, session.policy, at, session.law[1], self._left.pop())
        self._took += time.monotonic() - started
        return bool(self._left)

    def judge(self, *, anew: bool) -> bool:
        """What no file alone tells: limits of people, agreements, acceptances, joins, digests undone.

        Args:
            anew: also where nothing is otherwise than it was when this was done last.

        Returns:
            Whether there is more than is judged in one turn.
        """
        session, at, started = self._session, moment(), time.monotonic()
        ledger, policy, digest = session.ledger, session.policy, session.law[1]
        entry, settled = session.writer.newest, self._settled
        vendors, undone = of_vendors(ledger, policy, at, digest), of_undone(ledger, at, digest)
        if anew or self._now(vendors, undone) != self._standing:

            def also(connection: Connection) -> None:
                nonlocal settled
                changes, settled = settle_undone(connection, ledger, policy, undone, at, self._settled, _PAGE)
                changes += settle_vendors(connection, vendors, at)
                session.teller.transitions(connection, changes)

            session.writer.write("judged", [], also=also, note={"at": at})
            session.teller.sent()
            self._settled, entry = settled, session.writer.newest
            self._standing = self._now(vendors, undone)
        self._took += time.monotonic() - started
        if len(settled) < len(undone.places):
            self._standing = ""
            return True
        self._entry, self._left = entry, None
        self.due = time.monotonic() + max(session.config.account_seconds, _SHARE * self._took)
        return False

    def _now(self, vendors: Mapping[str, Sequence[Finding]], undone: Undone) -> str:
        with self._session.ledger.reading() as connection:
            return standing(connection, vendors, undone)
