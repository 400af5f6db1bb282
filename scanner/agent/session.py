"""What the agent's parts share from the opening of the ledger to its closing."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner import __version__, resources
from scanner.agent import selftest, telling
from scanner.agent.config import AgentConfig, scan_settings
from scanner.agent.governor import Governor
from scanner.agent.jobs import Jobs
from scanner.agent.state import State
from scanner.agent.teller import Teller
from scanner.config import Settings
from scanner.detect.language_model import model_label
from scanner.judging import rejudge
from scanner.ledger import queue
from scanner.ledger.findings import Transition
from scanner.ledger.outbox import Outbox
from scanner.ledger.recorder import Recorder
from scanner.ledger.store import Connection, Ledger, Writer, state_folder
from scanner.model import PolicySource
from scanner.pool import Pool
from scanner.sinks.config import build
from scanner.sources.mounts import Shares
from scanner.sources.settling import TEMPORARY_SECONDS, Settling
from scanner.sources.watch import Watcher

if TYPE_CHECKING:
    from scanner.policy.model import Policy
    from scanner.sinks.metrics import AgentMetrics

#: A policy, its digest and its text.
Law = tuple["Policy", str, PolicySource]
#: Seconds after which a file that was closed is taken for complete.
_CLOSED_SECONDS = 0.2


@dataclass(slots=True)
class Session:
    """One life of the agent: see `begin`.

    Attributes:
        config: what is in force.
        law: the policy in force, with its digest and as it was written.
        once: whether it ends when all is done.
        state: how it does.
        metrics: numbers to keep; None for none.
        rules: digest of the rules.
        model: name of the language model.
        reading: what decides, but for the policy, what a scan of the same bytes finds.
        folder: where small things of the agent's own lie: beside the ledger, or beside the key of one that is
            no file.
        ledger, writer, recorder, jobs, teller, pool, governor, settling: as their classes say.
        shares: which of them are there.
        watcher: gives hints; None with ``once``.
    """

    config: AgentConfig
    law: Law
    once: bool
    state: State
    metrics: AgentMetrics | None
    rules: str
    model: str
    reading: str
    folder: Path
    ledger: Ledger
    writer: Writer
    recorder: Recorder
    jobs: Jobs
    teller: Teller
    pool: Pool
    governor: Governor
    settling: Settling
    shares: Shares
    watcher: Watcher | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """All folders that are watched."""
        return self.config.roots

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.law[0]

    @property
    def host(self) -> str:
        """This machine's name."""
        return self.teller.host

    def vendor(self, path: str) -> str | None:
        """Who a path belongs to, by id."""
        owner = self.policy.vendor_of(path)
        return owner.id if owner else None

    def adopt(self, law: Law) -> None:
        """Have a policy in force, and judge what is there again where it is not the one that was."""
        self.law = law
        policy, digest, source = law
        self.recorder = Recorder(
            self.ledger, rules_digest=self.rules, policy_digest=digest, writer=self.writer
        )
        with self.ledger.reading() as connection:
            before = queue.fact(connection, "policy")
        self.recorder.policy(source, digest)
        if before == digest:
            return

        def tell(connection: Connection, changes: Sequence[Transition]) -> None:
            self.teller.transitions(connection, changes)
            for gate in self.config.gates:
                # What another policy held may go through by this one.
                queue.forget_all(connection, gate.staging)
            queue.keep(connection, "policy", digest)

        rejudge(self.writer, policy, tell, digest)

    def close(self) -> None:
        """End workers, watching and telling."""
        if self.watcher is not None:
            self.watcher.stop()
        else:
            self.shares.close()
        self.pool.close()
        self.teller.dispatcher.stop(10.0)


def begin(
    config: AgentConfig,
    law: Law,
    ledger: Ledger,
    writer: Writer,
    *,
    once: bool,
    state: State,
    metrics: AgentMetrics | None,
    wake: Callable[[], None],
) -> Session:
    """Make everything that a life of the agent needs, and judge by its policy; nothing is started yet.

    Args:
        config: to be in force.
        law: the same.
        ledger: open.
        writer: of the ledger.
        once: do one walk of everything, scan and tell what is found, and end.
        state: where the parts note how they do.
        metrics: numbers to keep; None for none.
        wake: called, from another thread, when there are hints of changes.
    """
    rules, limits = resources.rules_digest(), config.limits
    settings = scan_settings(config)
    file = Path(config.ledger).absolute()
    folder = state_folder() if "://" in config.ledger else file.parent
    sinks = build(config.sinks)
    outbox = Outbox(ledger.engine, host=telling.hostname(), limit=limits.outbox)
    with ledger.reading() as connection:
        mounts: Mapping[str, Any] = queue.fact(connection, "mounts") or {}
        filled = [share for share in config.roots if queue.count(connection, share)]
    watcher = None if once else _watcher(config, folder, wake, remembered=mounts, filled=filled)
    session = Session(
        config=config,
        law=law,
        once=once,
        state=state,
        metrics=metrics,
        rules=rules,
        model=settings.model,
        reading=_reading(settings, rules),
        folder=folder,
        ledger=ledger,
        writer=writer,
        recorder=Recorder(ledger, rules_digest=rules, policy_digest=law[1], writer=writer),
        jobs=Jobs(ledger, writer, rules),
        teller=Teller(writer, outbox, sinks, telling.hostname(), metrics, wake),
        pool=Pool(
            "scanner.worker:item_worker",
            (settings, secrets.token_bytes(16), None, ledger.people_secret),
            size=limits.workers + 1,
            seconds=limits.item_seconds,
            memory_mb=limits.memory_mb,
        ),
        governor=Governor(limits, config.quiet_hours, folder),
        settling=Settling(
            settle_seconds=config.settle_seconds,
            settle_max_seconds=config.settle_max_seconds,
            closed_seconds=min(_CLOSED_SECONDS, config.settle_seconds),
            # A single walk reads what is there; it does not wait for somebody to rename it.
            temporary_seconds=config.settle_seconds if once else TEMPORARY_SECONDS,
        ),
        shares=watcher.shares
        if watcher
        else Shares(config.roots, remembered=mounts, filled=filled, answer_seconds=config.answer_seconds),
        watcher=watcher,
    )
    session.adopt(law)
    for name, left in outbox.retire([str(sink.name) for sink in sinks]).items():
        detail = "the configuration names a sink no more; what waited for it is dropped"
        session.teller.alarm("sink_removed", detail, "warning", sink=name, dropped=left)
    return session


def _reading(settings: Settings, rules: str) -> str:
    told = json.dumps(asdict(settings), sort_keys=True)
    return "\n".join([__version__, rules, model_label(settings), told])


def _watcher(
    config: AgentConfig,
    folder: Path,
    wake: Callable[[], None],
    *,
    remembered: Mapping[str, Any],
    filled: Collection[str],
) -> Watcher:
    roots = [*config.roots]
    if config.selftest_minutes:
        planted = selftest.root(folder)
        planted.mkdir(mode=0o700, parents=True, exist_ok=True)
        roots.append(str(planted))
    return Watcher(
        roots,
        config.exclude,
        poll_seconds=config.poll_seconds,
        answer_seconds=config.answer_seconds,
        remembered=remembered,
        filled=filled,
        on_ready=wake,
    )
