"""What time alone makes of files: kept for too long, an exception that has ended.

Once a day, what the ledger knows is judged again where the day matters; no file is read. A page at a time, so
that nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from scanner.agent.session import Session
from scanner.agent.teller import now as moment
from scanner.judging import findings_of
from scanner.ledger import findings, queue, standing
from scanner.ledger.findings import Transition
from scanner.ledger.standing import Standing
from scanner.ledger.store import Connection
from scanner.model import Outcome
from scanner.policy.model import Policy

#: Places that are looked at in one turn of the loop.
_PAGE = 200
#: The fact that holds the last day that was judged, and by which policy.
_FACT = "aged"


class Ageing:
    """Judges by the day.

    Args:
        session: see `Session`.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._day: date | None = None
        self._after = 0
        self._all = False
        with session.ledger.reading() as connection:
            self._done: Sequence[str] = queue.fact(connection, _FACT) or ("", "")

    @property
    def going(self) -> bool:
        """Whether there are pages left."""
        return self._day is not None

    def begin(self, day: date) -> None:
        """Judge by a day, unless that was done."""
        if [day.isoformat(), self._session.law[1]] == list(self._done):
            return
        # A clock that was set back may have opened what is not so yet: then everything is looked at.
        self._all = day.isoformat() < self._done[0]
        self._day, self._after = day, 0

    def step(self) -> bool:
        """Judge a page; says whether there are more."""
        if self._day is None:
            return False
        session, policy = self._session, self._session.policy
        with session.ledger.reading() as connection:
            found = standing.page(connection, self._after, _PAGE)
            concerned = [each for each in found if self._concerns(policy, each, self._day)]
            outcomes = standing.outcomes(session.ledger, connection, concerned)
        self._judge(concerned, outcomes, self._day)
        if found:
            self._after = found[-1].number
        else:
            self._finish(self._day)
        return self.going

    def _concerns(self, policy: Policy, each: Standing, day: date) -> bool:
        """Whether a place's findings may be others on this day than on another."""
        owner = policy.vendor_of(each.path)
        if owner is None:
            return False
        if owner.exceptions or self._all:
            return True
        limit = owner.limits.retention_days
        if limit is None or each.modified is None or each.place[1]:
            return False
        return datetime.fromtimestamp(each.modified, UTC).date() < day - timedelta(days=limit)

    def _judge(self, found: Sequence[Standing], outcomes: Sequence[Outcome | None], day: date) -> None:
        session, at = self._session, moment()
        if not found:
            return

        def also(connection: Connection) -> None:
            changes: list[Transition] = []
            for each, outcome in zip(found, outcomes, strict=True):
                if outcome is not None:
                    held = findings_of(session.policy, outcome, each.path, None, day)
                    changes += findings.observe(connection, each.place, held, at)
            session.teller.transitions(connection, changes)

        session.writer.write("judged", [], also=also, note={"at": at, "places": len(found)})
        session.teller.sent()

    def _finish(self, day: date) -> None:
        done = [day.isoformat(), self._session.law[1]]
        self._session.teller.tell([], lambda connection: queue.keep(connection, _FACT, done))
        self._done, self._day = done, None
