"""A share that a network brings: no events, a server that goes and comes, and one that answers no more.

A real one: OpenSSH's SFTP server behind sshfs. What is written on the server's side makes no event here.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.agent import Place
from tests.agent.test_agent import alarms, customers, states, until
from tests.needs import missing

_SERVERS = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server", "/usr/lib/sftp-server")
_OPTIONS = "dir_cache=no,attr_timeout=0,entry_timeout=0,negative_timeout=0"


@dataclass
class Network:
    """A folder of a server, and where it is mounted."""

    server: str
    there: Path
    here: Path

    def mount(self) -> None:
        """Mount the folder, with a server process of its own."""
        command = self.here.parent / "connect"
        command.write_text(f'#!/bin/sh\necho $$ > "{self.pid}"\nexec "{self.server}"\n')
        command.chmod(0o755)
        subprocess.run(
            ["sshfs", "-o", f"{_OPTIONS},ssh_command={command}", f"server:{self.there}", self.here],
            check=True,
        )

    def unmount(self) -> None:
        """Unmount it, whatever state it is in."""
        subprocess.run(["fusermount3", "-uz", self.here], check=False, capture_output=True)

    @property
    def pid(self) -> Path:
        """Where the server's process notes its number."""
        return self.here.parent.parent / "server.pid"

    def signal(self, number: int) -> None:
        """Send the server a signal."""
        os.kill(int(self.pid.read_text()), number)

    def end(self) -> None:
        """End the server, where there is one."""
        with suppress(ProcessLookupError, FileNotFoundError):
            self.signal(signal.SIGKILL)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    server = next((each for each in _SERVERS if Path(each).exists()), None)
    if shutil.which("sshfs") is None or server is None:
        missing("sshfs with an SFTP server", "on Debian: apt install sshfs openssh-sftp-server")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        missing("FUSE", "load the kernel's module fuse and give access to /dev/fuse")
    there = tmp_path / "server"
    there.mkdir()
    made = Network(server, there, tmp_path / "p/share/acme")
    yield made
    made.end()
    made.unmount()


@pytest.fixture
def place(tmp_path: Path, network: Network) -> Iterator[Place]:
    made = Place(tmp_path / "p", "poll_seconds: 0.5\nanswer_seconds: 1\nselftest_minutes: 0\n")
    network.mount()
    yield made
    network.end()  # who waits for it cannot be killed
    made.end()


def test_what_the_server_is_given_is_found_by_looking(place: Place, network: Network) -> None:
    """New, changed, renamed and deleted on the server, of which the kernel here says nothing."""
    place.start()
    until(lambda: (place.status() or {"last_walk": None})["last_walk"], place)
    status = place.status()
    assert status is not None
    assert status["watching"]["polled"] >= 1
    customers(network.there / "a.csv")
    until(lambda: states(place) == [("opened", "acme/a.csv")], place)
    customers(network.there / "a.csv", more=40)
    until(lambda: [state for state, _ in states(place)] == ["opened", "updated"], place)
    (network.there / "deep").mkdir()
    (network.there / "a.csv").rename(network.there / "deep/b.csv")
    until(lambda: any(e["item"]["path"] == "acme/deep/b.csv" for e in place.told("item.scanned")), place)
    (network.there / "deep/b.csv").unlink()
    until(lambda: states(place)[-1][0] == "resolved", place)
    assert place.stop() == 0


def test_a_server_that_is_lost_is_no_deletion(place: Place, network: Network) -> None:
    """Its share is down until it is mounted again; then what happened meanwhile is told."""
    customers(network.there / "a.csv")
    (network.there / "b.csv").write_text("contact,mail\n" + "Anna Weber,anna@example.org\n" * 5)
    place.start()
    until(lambda: len(states(place)) == 2, place)
    place.peace()
    network.signal(signal.SIGKILL)
    until(lambda: "share_down" in alarms(place), place)
    customers(place.share / "bolt/else.csv")
    until(lambda: any(e["item"]["path"] == "bolt/else.csv" for e in place.told("item.scanned")), place)
    assert [state for state, _ in states(place)] == ["opened", "opened"]
    network.unmount()
    time.sleep(1.5)  # an empty folder is where the share was: several looks at it
    assert [state for state, _ in states(place)] == ["opened", "opened"]
    (network.there / "b.csv").unlink()
    network.mount()
    until(lambda: "share_up" in alarms(place), place)
    until(lambda: states(place)[2:] == [("resolved", "acme/b.csv")], place)
    place.peace()
    assert place.stop() == 0


def test_a_server_that_answers_no_more_holds_up_nothing_else(place: Place, network: Network) -> None:
    """Whoever asks it waits for ever: what lies elsewhere is scanned all the same, and it is told."""
    customers(network.there / "a.csv")
    place.start()
    until(lambda: len(states(place)) == 1, place)
    place.peace()
    network.signal(signal.SIGSTOP)
    time.sleep(1.5)
    customers(place.share / "bolt/else.csv")
    until(lambda: any(e["item"]["path"] == "bolt/else.csv" for e in place.told("item.scanned")), place)
    until(lambda: "share_down" in alarms(place), place)
    network.signal(signal.SIGCONT)
    until(lambda: "share_up" in alarms(place), place)
    assert len(states(place)) == 1
    place.peace()
    assert place.stop() == 0


def test_a_start_while_the_server_does_not_answer(place: Place, network: Network) -> None:
    """The rest of the share is watched; what is there is told once it answers."""
    customers(network.there / "a.csv")
    network.signal(signal.SIGSTOP)
    customers(place.share / "bolt/else.csv")
    place.start()
    until(lambda: any(e["item"]["path"] == "bolt/else.csv" for e in place.told("item.scanned")), place)
    until(lambda: alarms(place) == ["share_down"], place)
    assert "acme in the share" in place.told("alarm")[0]["alarm"]["detail"]
    network.signal(signal.SIGCONT)
    until(lambda: states(place) == [("opened", "acme/a.csv")], place)
    place.peace()
    assert place.stop() == 0
