"""Worker processes: one task in flight each, a deadline, a memory limit, and blame where it belongs.

Each slot is a process of its own with a pipe of its own, so a worker that dies or hangs costs exactly the
task it held. Workers are started when there is work for them, as new processes: a fork of a process that has
threads is not safe, and one of ``multiprocessing`` first imports what this process has run. Results are sent
piece by piece, so that what a task gave before it was ended counts.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from scanner.channel import Channel, readable

if TYPE_CHECKING:
    from subprocess import Popen

#: What a worker runs. Its arguments are its end of the channel and this process's import path.
_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from scanner.pool import serve; serve(int(sys.argv[1]))"
#: Seconds between looks at deadlines and memory.
_POLL_SECONDS = 0.2
#: Seconds that a killed worker has to be gone.
_END_SECONDS = 5.0
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
    process: Popen[bytes]
    pipe: Channel
    task: Any = None
    busy: bool = False
    started: float = 0.0


class Pool:
    """Runs tasks in worker processes.

    Args:
        worker: ``module:function``; called once in each worker with ``arguments``, it returns the function
            that turns a task into an iterable of picklable pieces.
        arguments: picklable; None where `equip` gives them later.
        size: workers at most.
        seconds: wall-clock deadline of a task.
        memory_mb: resident MiB of a worker.
        inherited: descriptors that workers have too, under the same numbers.
    """

    def __init__(
        self,
        worker: str,
        arguments: tuple[Any, ...] | None,
        *,
        size: int,
        seconds: float,
        memory_mb: int,
        inherited: tuple[int, ...] = (),
    ) -> None:
        self._worker = worker
        self._arguments = arguments
        self._size = size
        self._seconds = seconds
        self._memory = memory_mb << 20
        self._inherited = inherited
        self._slots: list[_Slot] = []

    def warm(self) -> None:
        """Start a worker now, which makes itself ready while this process does something else."""
        if not self._slots:
            self._start()

    def equip(self, arguments: tuple[Any, ...]) -> None:
        """Give the arguments that were not known when a first worker was started."""
        self._arguments = arguments
        for slot in self._slots:
            self._send(slot, arguments)

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
        return tuple(slot.process.pid for slot in self._slots)

    @property
    def pipes(self) -> list[int]:
        """Descriptors to wait on for `collect` to have something."""
        return [slot.pipe.fileno() for slot in self._slots if slot.busy]

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
        import socket
        import subprocess

        ours, theirs = (end.detach() for end in socket.socketpair())
        channel = Channel(ours)
        # Isolated where this process is; the import path is this process's in any case.
        flags = ["-I"] if sys.flags.isolated else []
        try:
            process = subprocess.Popen(  # noqa: S603 # this very interpreter, with a program of ours
                [sys.executable, *flags, "-c", _PROGRAM, str(theirs), *sys.path],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs, *self._inherited),
                env={**_WORKER_ENVIRONMENT, **os.environ},
            )
        except BaseException:
            channel.close()
            raise
        finally:
            os.close(theirs)
        slot = _Slot(process, channel)
        self._slots.append(slot)
        self._send(slot, (self._worker, self._memory))
        if self._arguments is not None:
            self._send(slot, self._arguments)
        return slot

    def _send(self, slot: _Slot, value: Any) -> None:
        # A worker that died is noticed when its pipe is next looked at.
        with contextlib.suppress(OSError):
            slot.pipe.send(value)

    def _give(self, slot: _Slot, task: Any) -> None:
        assert self._arguments is not None, "workers are equipped before they are given a task"
        slot.task, slot.busy, slot.started = task, True, time.monotonic()
        self._send(slot, task)

    def _collect(self) -> Iterator[Piece | Ended]:
        busy = {slot.pipe.fileno(): slot for slot in self._slots if slot.busy}
        for pipe in readable(busy, _POLL_SECONDS):
            yield from self._receive(busy[pipe])
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


def _resident(process: Popen[bytes]) -> int:
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
    import subprocess

    slot.pipe.close()
    slot.process.kill()
    # One that waits for a file system that answers no more cannot be killed; it ends when that does.
    with contextlib.suppress(subprocess.TimeoutExpired):
        slot.process.wait(_END_SECONDS)


def _keep_memory() -> None:
    """Let the allocator keep freed blocks of a chunk's size.

    Each chunk needs the same buffers again, and pages that were given back come back one fault at a time.
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def serve(descriptor: int) -> None:
    """A worker's life: build the function once, then task after task until the channel closes.

    Args:
        descriptor: its end of the channel; what to do comes over it.
    """
    pipe = Channel(descriptor)
    # Nobody that a worker starts may hold its end of the channel.
    os.set_inheritable(descriptor, False)
    try:
        worker, memory = pipe.recv()
    except (EOFError, OSError):
        return
    _confine(memory)
    _keep_memory()
    module, _, name = worker.partition(":")
    # What is made here stays: looking through it for garbage again and again takes time, and finds none.
    gc.disable()
    factory = getattr(import_module(module), name)
    try:
        arguments = pipe.recv()
    except (EOFError, OSError):
        return
    function: Callable[[Any], Iterable[Any]] = factory(*arguments)
    gc.freeze()
    gc.enable()
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
