"""What a sink is: it takes a batch of events and says what became of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scanner.events import KINDS, Subscription, Waiting, encode


class Unavailable(Exception):  # noqa: N818 # a state of the receiver, not a mistake
    """The receiver takes nothing now; the batch, as far as it is not told otherwise, waits.

    Attributes:
        reason: a sentence without personal data, addresses of secrets or payloads.
        retry_after: seconds that the receiver asked for, None where it did not.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(slots=True)
class Result:
    """What became of a batch. An event that is in none of the three waits for the next try.

    Attributes:
        delivered: events that are with the receiver for good.
        failed: events that it could not take now, each with the reason; they are tried again, and given up
            after a number of tries and hours.
        refused: events that it will never take, each with the reason.
        unavailable: set where the receiver went away in the middle of the batch.
    """

    delivered: list[int] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    unavailable: Unavailable | None = None


@dataclass(frozen=True, slots=True)
class Common:
    """Settings that every sink has.

    Attributes:
        name: tells sinks apart, in the outbox and in the metrics; never change it while events wait.
        kinds: the kinds of event that it is told.
        format: ``native`` (`scanner.events`) or ``ocsf`` (OCSF 1.5.0).
        batch: events handed over at once.
        tries: how often an event that the sink cannot take is tried before it is given up …
        give_up_hours: … and for how long at least. A sink that is down altogether counts no tries.
        backoff_seconds: wait after the first failure; doubles each time, with jitter.
        backoff_limit_seconds: the longest wait, for what the receiver asks for too.
        timeout_seconds: for connecting, and for each answer.
    """

    name: str
    kinds: frozenset[str] = frozenset(KINDS)
    format: str = "native"
    batch: int = 200
    tries: int = 10
    give_up_hours: float = 24.0
    backoff_seconds: float = 1.0
    backoff_limit_seconds: float = 300.0
    timeout_seconds: float = 10.0


class Sink(ABC):
    """A receiver of events. Used by one thread.

    Attributes:
        type: its name in the configuration.
        partial: it may take a part of a batch in any order; then a batch holds one event of each item.
    """

    type: str = ""
    partial = False

    def __init__(self, common: Common) -> None:
        self.common = common

    @property
    def name(self) -> str:
        """What tells it from others."""
        return self.common.name

    @property
    def subscription(self) -> Subscription:
        """What it is told."""
        return Subscription(self.common.name, self.common.kinds)

    def document(self, each: Waiting) -> dict[str, Any]:
        """The event in the sink's format."""
        if self.common.format == "ocsf":
            from scanner.sinks import ocsf

            return ocsf.event(each.document())
        return each.document()

    def text(self, each: Waiting) -> str:
        """The event in the sink's format as one line of ASCII."""
        return each.payload if self.common.format == "native" else encode(self.document(each))

    @abstractmethod
    def send(self, batch: Sequence[Waiting]) -> Result:
        """Hand a batch over, in its order.

        Raises:
            Unavailable: nothing of it was taken, or nobody knows whether.
        """

    @abstractmethod
    def healthcheck(self) -> None:
        """See whether the receiver could take events, without sending one.

        Raises:
            Unavailable: it could not.
        """

    def idle(self) -> None:  # noqa: B027 # most hold nothing open
        """Nothing waits: let go of what is held open for the next batch."""

    def close(self) -> None:
        """The last call."""
        self.idle()
