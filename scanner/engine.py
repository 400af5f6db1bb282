"""Item to outcome, and a scan from its first item to its report.

The one place where an item's errors become gaps: bad input, our own failure on a hostile file (told by the
exception's type, never its text, which may quote the data), and a worker that died or hung.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from scanner import __version__, resources
from scanner.config import Settings
from scanner.model import (
    Gap,
    ItemRef,
    Outcome,
    Reason,
    Report,
    ScanInfo,
    Stage,
    Table,
    Text,
    Verdict,
    status_of,
)
from scanner.pool import Ended, Piece, Pool
from scanner.readers import registry
from scanner.readers.base import (
    NESTED,
    Child,
    Event,
    ReadContext,
    Reader,
    ReadError,
    Source,
    TableChunk,
    TextChunk,
)
from scanner.sources.stdin import STDIN, is_stdin, stdin_item
from scanner.sources.walk import walk

if TYPE_CHECKING:
    from scanner.detect.fold import Detector, ItemFold
    from scanner.policy.model import Policy

_WORKER = "scanner.engine:item_worker"
_ENDED = {
    "timeout": (Reason.TIMEOUT, "took longer than limits.item_seconds; what was found before is kept"),
    "memory": (Reason.MEMORY, "needed more memory than limits.memory_mb; what was found before is kept"),
    "crashed": (Reason.CRASHED, "the worker process ended while it read this item"),
}
_HASH_BLOCK = 1 << 20


# -- one item --------------------------------------------------------------------------------------------


class StandardInput:
    """Standard input, on its way into a worker process (whose own is closed at its start)."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def __reduce__(self) -> tuple[Any, ...]:
        from multiprocessing import reduction

        return _inherited, (reduction.DupFd(self._handle),)

    def open(self) -> IO[bytes]:
        """Its bytes; to be read once."""
        return os.fdopen(self._handle, "rb", buffering=0)


def _inherited(duplicate: Any) -> StandardInput:
    return StandardInput(duplicate.detach())


def item_worker(
    settings: Settings,
    key: bytes,
    standard_input: StandardInput | None = None,
    people_key: bytes | None = None,
) -> Callable[[ItemRef], Iterator[Outcome]]:
    """What a worker process does with its tasks; called once in each."""
    from scanner.detect.fold import Detector

    detector = Detector(settings, key, people_key)
    return lambda item: read_item(item, settings, detector, standard_input)


def read_item(
    item: ItemRef, settings: Settings, detector: Detector, standard_input: StandardInput | None = None
) -> Iterator[Outcome]:
    """The outcomes of a file: those of its members as they are read, its own last."""
    try:
        stream = standard_input.open() if standard_input and is_stdin(item) else _open(item)
    except OSError as error:
        yield _failed(item, _open_gap(error))
        return
    with stream:
        before = os.fstat(stream.fileno())
        if not is_stdin(item) and not stat.S_ISREG(before.st_mode):
            yield _failed(item, Gap(Stage.OPEN, Reason.UNSUPPORTED, "is not a regular file"))
            return
        yield from _read_open(item, stream, before, settings, detector)


def _open(item: ItemRef) -> IO[bytes]:
    # Not blocking, so that a pipe put in a file's place after the walk cannot hold the worker.
    handle = os.open(_path_of(item), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return os.fdopen(handle, "rb", buffering=0)


def _path_of(item: ItemRef) -> Path:
    """Where the item lies. A root that is itself a file has its own name as the item's path."""
    root = Path(item.root)
    return root if root.name == item.path and not root.is_dir() else root / item.path


def _read_open(
    item: ItemRef, stream: IO[bytes], before: os.stat_result, settings: Settings, detector: Detector
) -> Iterator[Outcome]:
    if is_stdin(item):
        hashing = _HashingStream(stream)
        source = Source(cast("IO[bytes]", hashing), item.path)
        part = _Part(item.path, None, settings, detector)
        yield from part.read(source, ReadContext(settings.limits))
        hashing.drain()
        yield part.outcome(hashing.count, hashing.hexdigest, None)
        return
    path = _path_of(item)
    # Readers close what they are given; the digest is taken over a handle of its own.
    source = Source(
        os.fdopen(os.dup(stream.fileno()), "rb", buffering=0), path.name, path=path, size=before.st_size
    )
    part = _Part(item.path, None, settings, detector)
    yield from part.read(source, ReadContext(settings.limits))
    source.close()
    digest = _file_digest(stream)
    after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        part.gaps.append(Gap(Stage.READ, Reason.CHANGED_WHILE_READ, "was written to while it was read"))
        digest = None
    yield part.outcome(after.st_size, digest, before.st_mtime)


@dataclass
class _Part:
    """One item, or one member, while it is read."""

    path: str
    member: str | None
    settings: Settings
    detector: Detector
    format: str = "unknown"
    containers: tuple[str, ...] = ()
    gaps: list[Gap] = field(default_factory=list)
    tables: tuple[Table, ...] = ()
    texts: tuple[Text, ...] = ()
    members: int = 0

    def read(self, source: Source, context: ReadContext) -> Iterator[Outcome]:
        """Read it whole. Gives the outcomes of its members; its own is `outcome`."""
        fold = self.detector.item()
        try:
            yield from self._events(source, context, fold)
        except ReadError as error:
            self.gaps.append(error.gap())
        except OSError as error:
            self.gaps.append(_open_gap(error, Stage.READ))
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 # our own failure on one item must not end the scan
            self.gaps.append(_internal(error, Stage.READ))
        self._finish(fold)

    def _events(self, source: Source, context: ReadContext, fold: ItemFold) -> Iterator[Outcome]:
        from scanner.readers.compression import unwrap

        source, self.containers = unwrap(source, context)
        head = source.head
        if not head:
            self.format = "empty"
            return
        reader = registry.choose(head, source.name)
        if reader is None:
            raise ReadError(Reason.UNSUPPORTED, "is of no format that is known here")
        self.format = reader.format_of(head, source.name)
        yield from self._consume(reader, source, context, fold)

    def _consume(
        self, reader: Reader, source: Source, context: ReadContext, fold: ItemFold
    ) -> Iterator[Outcome]:
        for event in reader.read(source, context):
            if isinstance(event, Child):
                self.members += 1
                yield from self._child(event, context)
            else:
                self._take(event, fold)

    def _take(self, event: Event, fold: ItemFold) -> None:
        try:
            match event:
                case TableChunk():
                    fold.add_table(
                        event.table,
                        event.batch,
                        rows=event.rows,
                        row_ids=event.row_ids,
                        hidden=event.hidden,
                        hidden_columns=event.hidden_columns,
                        headed=event.headed,
                    )
                case TextChunk():
                    fold.add_text(event.name, event.text, event.hidden)
                case Gap():
                    self.gaps.append(event)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 # a part that cannot be judged is a gap; the others go on
            where = event.table if isinstance(event, TableChunk) else getattr(event, "name", None)
            gap = _internal(error, Stage.DETECT, where)
            if gap not in self.gaps:
                self.gaps.append(gap)

    def _child(self, child: Child, context: ReadContext) -> Iterator[Outcome]:
        name = child.name if self.member is None else f"{self.member}{NESTED}{child.name}"
        hashing = _HashingStream(child.stream)
        part = _Part(self.path, name, self.settings, self.detector)
        yield from part.read(
            Source(cast("IO[bytes]", hashing), child.name.rsplit("/", 1)[-1], size=child.size),
            context.inside(),
        )
        whole = True
        try:
            hashing.drain()
        except ReadError as error:
            whole = False
            if not any(gap.reason is error.reason for gap in part.gaps):
                part.gaps.append(error.gap())
        yield part.outcome(hashing.count, hashing.hexdigest if whole else None, child.modified)

    def _finish(self, fold: ItemFold) -> None:
        try:
            self.tables, self.texts, gaps = fold.finish()
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 # as in `read`
            self.gaps.append(_internal(error, Stage.DETECT))
        else:
            self.gaps.extend(gaps)

    def outcome(self, size: int, digest: str | None, modified: float | None) -> Outcome:
        """What came of it."""
        has_parts = bool(self.tables or self.texts or self.members)
        return Outcome(
            path=self.path,
            member=self.member,
            format=self.format,
            bytes=size,
            sha256=digest,
            status=status_of(self.gaps, has_parts),
            gaps=tuple(self.gaps),
            tables=self.tables,
            texts=self.texts,
            containers=self.containers,
            modified=modified,
        )


class _HashingStream:
    """A stream that digests and counts what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        self._digest.update(block)
        self.count += len(block)
        return block

    def drain(self) -> None:
        """Read what nobody asked for: a digest is of all bytes."""
        while self.read(_HASH_BLOCK):
            pass

    def close(self) -> None:
        """Leave the stream to its owner."""

    @property
    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _file_digest(stream: IO[bytes]) -> str | None:
    stream.seek(0)
    digest = hashlib.sha256()
    while block := stream.read(_HASH_BLOCK):
        digest.update(block)
    return digest.hexdigest()


def digest(path: Path) -> str | None:
    """The hex SHA-256 of a file's bytes, as its outcome has it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        return _file_digest(stream)


def _failed(item: ItemRef, gap: Gap) -> Outcome:
    return Outcome(
        item.path, None, "unknown", item.size or 0, None, status_of((gap,), has_parts=False), (gap,)
    )


def _open_gap(error: OSError, stage: Stage = Stage.OPEN) -> Gap:
    if isinstance(error, FileNotFoundError):
        return Gap(stage, Reason.VANISHED, "was gone when it was to be read")
    if isinstance(error, PermissionError):
        return Gap(stage, Reason.PERMISSION, "may not be read by this user")
    return Gap(
        stage,
        Reason.CORRUPT,
        f"cannot be read: {os.strerror(error.errno) if error.errno else type(error).__name__}",
    )


def _internal(error: BaseException, stage: Stage, where: str | None = None) -> Gap:
    return Gap(
        stage, Reason.INTERNAL, f"failed with {type(error).__name__}; this is a defect of sharewatch", where
    )


# -- a scan ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is: items and bytes done, of how many known so far, and whether all are known."""

    items: int
    bytes: int
    total_items: int
    total_bytes: int
    listed: bool
    current: str


@dataclass(frozen=True, slots=True)
class Request:
    """What to scan and how.

    Attributes:
        roots: files or folders; ``-`` is standard input.
        settings: limits, model, jobs.
        policy: what vendors may have; None to only say what is there.
        policy_digest: of the policy file's bytes.
        vendor: the vendor of all items, whatever their paths.
        shares: the roots that vendors' paths are relative to, where only a part of one is scanned.
        name: what standard input is called, for its format.
        explain: whether the report is to show what counted.
        today: the day agreements and exceptions are held against.
        people_key: a ledger's secret for people's keys; None where the scan is for no ledger.
    """

    roots: tuple[str, ...]
    settings: Settings = field(default_factory=Settings)
    policy: Policy | None = None
    policy_digest: str | None = None
    vendor: str | None = None
    shares: tuple[str, ...] = ()
    name: str | None = None
    explain: bool = False
    today: date | None = None
    people_key: bytes | None = field(default=None, repr=False)


#: Told of each outcome as it comes, with the root that it was found under.
Observer = Callable[[Outcome, str], None]


@dataclass
class _Collected:
    observe: Observer | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    roots: list[str] = field(default_factory=list)
    interrupted: bool = False

    def add(self, outcome: Outcome, root: str) -> None:
        if self.observe is not None:
            self.observe(outcome, root)
        self.outcomes.append(outcome)
        self.roots.append(root)


def scan(
    request: Request,
    progress: Callable[[Progress], None] | None = None,
    observe: Observer | None = None,
) -> Report:
    """Scan everything and judge it. ``KeyboardInterrupt`` ends it early with what is known by then.

    Args:
        request: what to scan and how.
        progress: told after each item.
        observe: told of each outcome before the next one is asked for.

    Raises:
        RootError: a root does not exist.
        ModelError: the configured language model cannot be used.
    """
    started = _now()
    _check_model(request.settings)
    collected = _collect(request, progress, observe)
    order = sorted(range(len(collected.outcomes)), key=lambda index: _order(collected, index))
    outcomes = [collected.outcomes[index] for index in order]
    roots = [collected.roots[index] for index in order]
    return _report(request, started, outcomes, roots, collected.interrupted)


def _check_model(settings: Settings) -> None:
    """A model that is missing or altered stops the scan before it begins: it is ours to have right."""
    from scanner.detect import presidio

    if settings.model != presidio.NO_MODEL:
        presidio.verify_model(settings.model)


def _order(collected: _Collected, index: int) -> tuple[str, str, bool, str]:
    outcome = collected.outcomes[index]
    return (collected.roots[index], outcome.path, outcome.member is not None, outcome.member or "")


def _collect(
    request: Request, progress: Callable[[Progress], None] | None, observe: Observer | None
) -> _Collected:
    settings = request.settings
    collected = _Collected(observe)
    items = _Items(request, collected)
    handle = StandardInput(os.dup(0)) if STDIN in request.roots else None
    pool = Pool(
        _WORKER,
        (settings, secrets.token_bytes(16), handle, request.people_key),
        size=min(settings.workers, max(1, items.count)),
        seconds=settings.limits.item_seconds,
        memory_mb=settings.limits.memory_mb,
    )
    sent: dict[ItemRef, bool] = {}
    done_items = done_bytes = 0
    try:
        for event in pool.run(items):
            if isinstance(event, Piece):
                collected.add(event.value, event.task.root)
                sent[event.task] = sent.get(event.task, False) or event.value.member is None
                continue
            _close(event, sent, collected)
            done_items, done_bytes = done_items + 1, done_bytes + (event.task.size or 0)
            if progress:
                progress(Progress(done_items, done_bytes, items.count, items.bytes, True, event.task.path))
    except KeyboardInterrupt:
        collected.interrupted = True
        pool.close()
    return collected


def _close(event: Ended, sent: dict[ItemRef, bool], collected: _Collected) -> None:
    """Every item gets an outcome of its own, also the one whose worker did not live to send it."""
    if sent.pop(event.task, False):
        return
    reason, detail = _ENDED[event.why or "crashed"]
    gap = Gap(Stage.READ, reason, detail)
    collected.add(_failed(event.task, gap), event.task.root)


class _Items:
    """The items of the roots; outcomes of what is no item go straight to the collected ones."""

    def __init__(self, request: Request, collected: _Collected) -> None:
        self._items: list[ItemRef] = []
        paths = [root for root in request.roots if root != STDIN]
        if len(paths) < len(request.roots):
            self._items.append(stdin_item(request.name))
        for found in walk(paths, request.settings.exclude) if paths else ():
            if isinstance(found, ItemRef):
                self._items.append(found)
            else:
                collected.add(found, paths[0])
        self.count = len(self._items)
        self.bytes = sum(item.size or 0 for item in self._items)

    def __iter__(self) -> Iterator[ItemRef]:
        return iter(self._items)


def _report(
    request: Request, started: datetime, outcomes: Sequence[Outcome], roots: Sequence[str], interrupted: bool
) -> Report:
    from scanner.policy.evaluate import evaluate

    judgement = evaluate(
        request.policy,
        outcomes,
        paths=[
            policy_path(outcome, root, request.shares) for outcome, root in zip(outcomes, roots, strict=True)
        ],
        vendor=request.vendor,
        today=request.today or started.date(),
    )
    complete = not interrupted and not any(outcome.incomplete for outcome in outcomes)
    info = ScanInfo(
        id=secrets.token_hex(8),
        version=__version__,
        rules_digest=resources.rules_digest(),
        policy_digest=request.policy_digest,
        model=model_label(request.settings),
        started_at=_stamp(started),
        finished_at=_stamp(_now()),
        complete=complete,
        verdict=_verdict(
            [finding.verdict for finding in judgement.findings],
            missed=interrupted or (not complete and _gaps_count(request.policy)),
        ),
        roots=tuple(request.roots),
        interrupted=interrupted,
    )
    return Report(
        info=info,
        outcomes=tuple(outcomes),
        vendors=judgement.vendors,
        findings=judgement.findings,
        summary=judgement.summary,
        policy_name=request.policy.organisation if request.policy else None,
        explain=request.explain,
    )


def policy_path(outcome: Outcome, root: str, shares: Sequence[str]) -> str:
    """The path that vendors' patterns are held against: relative to the share it lies in.

    A scanned root is a share of its own unless ``shares`` names one above it. Folders above are never guessed
    at: one that happens to be called like a vendor's would make that vendor of a file that is nobody's.
    """
    for share in shares:
        whole = Path(root, outcome.path)
        top = Path(os.path.abspath(share))  # noqa: PTH100 # links are part of a share's paths, so not resolved
        if whole.is_relative_to(top):
            return whole.relative_to(top).as_posix()
    return outcome.path


def _verdict(verdicts: Sequence[Verdict], missed: bool) -> str:
    if Verdict.OVER_SHARED in verdicts:
        return "over_shared"
    if missed:
        return "incomplete"
    return "needs_review" if Verdict.NEEDS_REVIEW in verdicts else "clean"


def _gaps_count(policy: Policy | None) -> bool:
    """Whether what could not be read keeps a scan from being clean; a policy may only want to be warned."""
    from scanner.policy.model import OnGap

    return policy is None or policy.defaults.unverifiable is OnGap.FAIL


def model_label(settings: Settings) -> str:
    """Name and version of the language model, without loading it."""
    from scanner.detect import presidio

    return presidio.model_label(settings)


def exit_code(report: Report, fail_on: str = "over_shared") -> int:
    """The exit code of a scan: see the contract in the command line's help.

    Args:
        report: of the scan.
        fail_on: ``allowed`` (any personal data), ``review``, ``over_shared`` or ``never``.
    """
    if not report.outcomes:
        return 4
    if fail_on != "never" and _fails(report, fail_on):
        return 1
    return 0 if report.info.complete else 3


def _fails(report: Report, fail_on: str) -> bool:
    verdicts = {finding.verdict for finding in report.findings}
    if Verdict.OVER_SHARED in verdicts:
        return True
    if fail_on == "over_shared":
        return False
    if Verdict.NEEDS_REVIEW in verdicts:
        return True
    return fail_on == "allowed" and any(_holds(outcome) for outcome in report.outcomes)


def _holds(outcome: Outcome) -> bool:
    fields = [column.entities for table in outcome.tables for column in table.columns]
    return any(
        entity.category
        for entities in [*fields, *(text.entities for text in outcome.texts)]
        for entity in entities
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
