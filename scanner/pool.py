"""Worker processes: one task in flight each, a deadline, a memory limit, and blame where it belongs.

Each slot is a process of its own with a pipe of its own, so a worker that dies or hangs costs exactly the
task it held. Workers are started when there is work for them, by ``spawn``: a fork of a process that has
threads is not safe. Results are sent piece by piece, so that what a task gave before it was ended counts.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

#: Seconds between looks at deadlines and memory.
_POLL_SECONDS = 0.2
#: Linear algebra is not what workers do; its library would start a thread for each core at import.
_WORKER_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
#: glibc's options: above how many bytes memory is given back, and blocks are mapped by themselves.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 << 20
#: A worker above this share of its memory limit is replaced after its task: allocators do not give back.
_RECYCLE_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that a task gave."""

    task: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """A task is over. ``why`` is None when it ended by itself, else ``timeout``, ``memory``, ``crashed``."""

    task: Any
    why: str | None = None


@dataclass(slots=True)
class _Slot:
    process: SpawnProcess
    pipe: Connection
    task: Any = None
    busy: bool = False
    started: float = 0.0


class Pool:
    """Runs tasks in worker processes.

    Args:
        worker: ``module:function``; called once in each worker with ``arguments``, it returns the function
            that turns a task into an iterable of picklable pieces.
        arguments: picklable.
        size: workers at most.
        seconds: wall-clock deadline of a task.
        memory_mb: resident MiB of a worker.
    """

    def __init__(
        self, worker: str, arguments: tuple[Any, ...], *, size: int, seconds: float, memory_mb: int
    ) -> None:
        self._worker = worker
        self._arguments = arguments
        self._size = size
        self._seconds = seconds
        self._memory = memory_mb << 20
        self._context = multiprocessing.get_context("spawn")
        self._slots: list[_Slot] = []

    def warm(self) -> None:
        """Start a worker now, which makes itself ready while this process does something else."""
        if not self._slots:
            self._start()

    def run(self, tasks: Iterable[Any]) -> Iterator[Piece | Ended]:
        """Pieces and ends as they come, tasks overlapping. Leaving the iterator early ends all workers."""
        todo = iter(tasks)
        exhausted = False
        try:
            while True:
                while not exhausted and self._has_room():
                    try:
                        task = next(todo)
                    except StopIteration:
                        exhausted = True
                    else:
                        self._give(self._free(), task)
                if exhausted and not any(slot.busy for slot in self._slots):
                    return
                yield from self._collect()
        finally:
            self.close()

    # -- for a caller that waits for other things too --

    @property
    def busy(self) -> int:
        """Workers that have a task."""
        return sum(slot.busy for slot in self._slots)

    @property
    def processes(self) -> tuple[int, ...]:
        """Their process ids."""
        return tuple(slot.process.pid for slot in self._slots if slot.process.pid is not None)

    @property
    def pipes(self) -> list[Connection]:
        """What to wait on for `collect` to have something."""
        return [slot.pipe for slot in self._slots if slot.busy]

    def give(self, task: Any) -> None:
        """Start a task, in a worker that is free or a new one; the caller minds how many there may be."""
        self._give(self._free(), task)

    def collect(self) -> list[Piece | Ended]:
        """What came since the last call, without waiting; ends tasks that took too long or too much."""
        found: list[Piece | Ended] = []
        for slot in [slot for slot in self._slots if slot.busy]:
            try:
                while slot.busy and slot in self._slots and slot.pipe.poll():
                    found += self._receive(slot)
            except OSError:
                found += self._drop(slot, "crashed")
        for slot in [slot for slot in self._slots if slot.busy]:
            if (why := self._overrun(slot)) is not None:
                found += self._drop(slot, why)
        return found

    def retire(self, keep: int = 0) -> None:
        """End workers that have no task, but for so many."""
        idle = [slot for slot in self._slots if not slot.busy]
        for slot in idle[keep:]:
            self._slots.remove(slot)
            _end(slot)

    def close(self) -> None:
        """End all workers now."""
        for slot in self._slots:
            _end(slot)
        self._slots = []

    def _has_room(self) -> bool:
        return len(self._slots) < self._size or not all(slot.busy for slot in self._slots)

    def _free(self) -> _Slot:
        return next((slot for slot in self._slots if not slot.busy), None) or self._start()

    def _start(self) -> _Slot:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_serve, args=(theirs, self._worker, self._arguments, self._memory), daemon=True
        )
        with _environment(_WORKER_ENVIRONMENT):
            process.start()
        theirs.close()
        slot = _Slot(process, ours)
        self._slots.append(slot)
        return slot

    def _give(self, slot: _Slot, task: Any) -> None:
        slot.task, slot.busy, slot.started = task, True, time.monotonic()
        # A worker that died while idle is noticed when its pipe is next looked at.
        with contextlib.suppress(OSError):
            slot.pipe.send(task)

    def _collect(self) -> Iterator[Piece | Ended]:
        pipes = {slot.pipe: slot for slot in self._slots if slot.busy}
        for pipe in wait(list(pipes), timeout=_POLL_SECONDS):
            assert isinstance(pipe, Connection)
            yield from self._receive(pipes[pipe])
        for slot in [slot for slot in self._slots if slot.busy]:
            why = self._overrun(slot)
            if why is not None:
                yield from self._drop(slot, why)

    def _receive(self, slot: _Slot) -> Iterator[Piece | Ended]:
        try:
            kind, value = slot.pipe.recv()
        except (EOFError, OSError):
            yield from self._drop(slot, "crashed")
            return
        if kind == "piece":
            yield Piece(slot.task, value)
            return
        task, slot.task, slot.busy = slot.task, None, False
        if kind == "memory":
            yield from self._drop(slot, "memory", task)
            return
        if value > self._memory * _RECYCLE_SHARE:
            self._slots.remove(slot)
            _end(slot)
        yield Ended(task)

    def _overrun(self, slot: _Slot) -> str | None:
        if time.monotonic() - slot.started > self._seconds:
            return "timeout"
        if time.monotonic() - slot.started > _POLL_SECONDS and _resident(slot.process) > self._memory:
            return "memory"
        return None

    def _drop(self, slot: _Slot, why: str, task: Any = None) -> Iterator[Piece | Ended]:
        """End a worker, keep what it had already sent, and charge its task."""
        held = slot.task if task is None else task
        with contextlib.suppress(EOFError, OSError):
            while why != "crashed" and slot.pipe.poll():
                kind, value = slot.pipe.recv()
                if kind == "piece":
                    yield Piece(held, value)
        if slot in self._slots:
            self._slots.remove(slot)
        _end(slot)
        yield Ended(held, why)


def _resident(process: SpawnProcess) -> int:
    """Resident bytes of a process; 0 where that cannot be told (it has just ended)."""
    import psutil

    try:
        return int(psutil.Process(process.pid).memory_info().rss)
    except psutil.Error:
        return 0


def _peak() -> int:
    """The most bytes that this process was ever resident with; 0 where that cannot be told."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _end(slot: _Slot) -> None:
    slot.pipe.close()
    slot.process.kill()
    slot.process.join()


@contextlib.contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    """The environment with some variables more; a child started meanwhile has them."""
    missing = {name: value for name, value in added.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


def _keep_memory() -> None:
    """Let the allocator keep freed blocks of a chunk's size.

    Each chunk needs the same buffers again, and pages that were given back come back one fault at a time.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def _serve(pipe: Connection, worker: str, arguments: tuple[Any, ...], memory: int) -> None:
    """The worker's life: build the function once, then task after task until the pipe closes."""
    _confine(memory)
    _keep_memory()
    module, _, name = worker.partition(":")
    function: Callable[[Any], Iterable[Any]] = getattr(import_module(module), name)(*arguments)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            for piece in function(task):
                pipe.send(("piece", piece))
            pipe.send(("end", _peak()))
        except MemoryError:
            pipe.send(("memory", None))
        except (BrokenPipeError, ConnectionResetError):
            return
        except Exception:  # noqa: BLE001 # the parent charges the task; a traceback could quote the data
            sys.exit(1)


def _confine(memory: int) -> None:
    """Limits that hold even if the parent is slow to look: no core dumps, no files, an end to memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Libraries write warnings that may quote what they read; nothing of a worker belongs on a terminal.
    silent = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silent, stream)
    os.close(silent)
    try:
        import resource
    except ImportError:  # a system without POSIX limits; the parent's look at the memory remains
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Address space is far more than memory: libraries reserve without using. This only stops a runaway.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory * 4 + (8 << 30), resource.RLIM_INFINITY))
