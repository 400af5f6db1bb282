"""A Debian system of its own to install packages in: booted with systemd where that is possible."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

#: What a server has before the package comes; rpm is there to install the other package.
PACKAGES = "systemd,systemd-sysv,dbus,python3.11,libstdc++6,logrotate,procps,rpm,man-db"


def make(root: Path) -> None:
    """Install a small Debian 12 below a folder.

    Raises:
        subprocess.CalledProcessError: it did not work; the reason is in its output.
    """
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)]
    subprocess.run(command, check=True, capture_output=True, text=True)


def until(true: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it did not in time.
    """
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what}: not within {seconds} seconds"
        time.sleep(0.1)


class Machine:
    """A booted system. Use it as a context.

    Args:
        root: of its files.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def __enter__(self) -> Machine:
        command = [
            "systemd-nspawn",
            "--quiet",
            "-D",
            str(self.root),
            "--boot",
            "--register=no",
            "--keep-unit",
        ]
        command += ["--private-network", "--console=pipe", "--link-journal=no"]
        with (self.root.parent / "boot.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(self._booted, 60, "the system boots")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        with contextlib.suppress(subprocess.SubprocessError):
            self.run("systemctl", "poweroff", check=False)
            self._process.wait(timeout=20)
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _booted(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.root.parent / "boot.log").read_text(errors="replace")
        tasks = Path(f"/proc/{self._process.pid}/task")
        children = [pid for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
        if not children:
            return False
        self._leader = int(children[-1])
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in {"running", "degraded"}

    def run(
        self, *command: str, check: bool = True, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside."""
        inside = ["nsenter", "-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C", *command]
        done = subprocess.run(inside, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{shlex.join(command)}:\n{done.stdout}{done.stderr}"
        return done

    def file(self, path: str) -> Path:
        """A file of it, as seen from outside."""
        return self.root / path.lstrip("/")

    def place(self, source: Path, path: str) -> None:
        """Copy a file into it."""
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, self.file(path))
