"""What systemd is told arrives at a real socket, and nothing breaks where nobody listens."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.agent.notify import Notifier


@pytest.fixture(params=["path", "abstract"], name="manager")
def service_manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager's socket, and how the environment names it."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@sharewatch-{uuid.uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)
        listening.settimeout(5)
        yield name, listening


def test_all_that_is_told(manager: tuple[str, socket.socket]) -> None:
    """Each message, as sd_notify(3) has it."""
    name, listening = manager
    notifier = Notifier({"NOTIFY_SOCKET": name})
    assert notifier.supervised

    def heard() -> list[str]:
        return listening.recv(4096).decode().split("\n")

    assert notifier.ready("watching 2 shares")
    assert heard() == ["READY=1", "STATUS=watching 2 shares"]
    assert not notifier.status("watching 2 shares")
    assert notifier.status("3 waiting\nREADY=0")
    assert heard() == ["STATUS=3 waiting READY=0"]
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    assert notifier.reloading()
    first, second = heard()
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= before + 60_000_000
    assert notifier.alive()
    assert heard() == ["WATCHDOG=1"]
    assert notifier.extend(90)
    assert heard() == ["EXTEND_TIMEOUT_USEC=90000000"]
    assert notifier.stopping()
    assert heard() == ["STOPPING=1"]


@pytest.mark.parametrize("name", ["", "relative/path", "vsock:2:1234"])
def test_nobody_listens(name: str) -> None:
    """Started by hand, everything is told to nobody."""
    notifier = Notifier({"NOTIFY_SOCKET": name})
    assert not notifier.supervised
    assert not notifier.ready()
    assert not notifier.alive()


def test_a_manager_that_went_away(tmp_path: Path) -> None:
    """Nothing of the daemon depends on it."""
    assert not Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


def test_the_watchdog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is for the process that it names."""
    ours = {"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}
    assert Notifier(ours).watchdog_seconds == 120
    assert Notifier({**ours, "WATCHDOG_PID": "1"}).watchdog_seconds is None
    assert Notifier({"WATCHDOG_USEC": "soon"}).watchdog_seconds is None
    assert Notifier({}).watchdog_seconds is None


def test_children_do_not_speak_for_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the manager gave is taken out of the environment."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    notifier = Notifier()
    assert notifier.watchdog_seconds == 1
    assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC"} & set(os.environ)
