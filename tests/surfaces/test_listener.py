"""The listener serves metrics and health on loopback, to patient and impatient clients."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scanner.sinks.metrics import CONTENT_TYPE
from scanner.surfaces.listener import Address, Health, Listener, ListenError


class _State:
    """What the checks say."""

    well = True
    broken = False

    def health(self) -> Health:
        """As set."""
        if self.broken:
            raise KeyError("someone@example.com")
        return self.well, {"queue": 3}


@pytest.fixture(name="state")
def health_state() -> _State:
    """A healthy one."""
    return _State()


@pytest.fixture(name="listener")
def running(state: _State) -> Iterator[Listener]:
    """A listener on a free port."""
    made = Listener(
        Address.parsed("127.0.0.1:0"),
        metrics=lambda: b"# HELP x X.\n# TYPE x gauge\nx 1\n",
        alive=lambda: (True, {}),
        ready=state.health,
    )
    made.start()
    yield made
    made.close()


def _get(listener: Listener, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type") or "", response.read()
    finally:
        connection.close()


def test_metrics(listener: Listener) -> None:
    """With the content type that Prometheus wants."""
    status, kind, body = _get(listener, "/metrics?x=1")
    assert (status, kind) == (200, CONTENT_TYPE)
    assert body.endswith(b"x 1\n")
    assert _get(listener, "/metrics", "HEAD") == (200, CONTENT_TYPE, b"")


def test_health(listener: Listener, state: _State) -> None:
    """Ready and alive are two things."""
    assert _get(listener, "/readyz")[0] == 200
    state.well = False
    status, _, body = _get(listener, "/readyz")
    assert (status, json.loads(body)) == (503, {"ok": False, "queue": 3})
    assert _get(listener, "/healthz")[0] == 200


def test_a_check_that_fails_says_so_and_no_more(listener: Listener, state: _State) -> None:
    """The exception's text is not told."""
    state.broken = True
    status, _, body = _get(listener, "/readyz")
    assert status == 503
    assert b"KeyError" in body
    assert b"someone" not in body
    assert _get(listener, "/healthz")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
    ],
)
def test_nothing_else(listener: Listener, method: str, path: str, status: int) -> None:
    """There is nothing to find and nothing to change."""
    assert _get(listener, path, method)[0] == status


@pytest.mark.parametrize(
    "sent", [b"", b"GET", b"\x00\xff\r\n\r\n", b"GET /metrics HTTP/1.1\r\n", b"A" * 20_000]
)
def test_a_request_that_is_none(listener: Listener, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """It holds nobody up for long."""
    monkeypatch.setattr("scanner.surfaces.listener._PATIENCE", 0.2)
    with socket.create_connection(("127.0.0.1", listener.port)) as rude:
        rude.sendall(sent)
        started = time.monotonic()
        assert _get(listener, "/healthz")[0] == 200
        assert time.monotonic() - started < 5


def test_only_loopback_unless_allowed() -> None:
    """Another address must be allowed by name."""
    assert Address.parsed("[::1]:9477") == Address("::1", 9477)
    assert Address.parsed("localhost:9477").host == "127.0.0.1"
    assert Address.parsed("0.0.0.0:9477", anywhere=True).host == "0.0.0.0"
    for wrong in (
        "0.0.0.0:9477",
        "192.0.2.1:80",
        "[::]:80",
        "9477",
        "127.0.0.1",
        "127.0.0.1:x",
        "host:80",
        ":80",
    ):
        with pytest.raises(ListenError):
            Address.parsed(wrong)


def test_a_port_that_is_taken(listener: Listener) -> None:
    """It is told at the start."""
    with pytest.raises(ListenError, match="in use"):
        Listener(
            Address("127.0.0.1", listener.port),
            metrics=lambda: b"",
            alive=lambda: (True, {}),
            ready=lambda: (True, {}),
        )


def test_an_idle_listener_does_not_wake() -> None:
    """Its thread waits in the kernel: it uses no time, and ends at once when it is told to."""
    made = Listener(
        Address.parsed("127.0.0.1:0"), metrics=lambda: b"", alive=lambda: (True, {}), ready=lambda: (True, {})
    )
    made.start()
    thread = next(each for each in threading.enumerate() if each.name == "listener")
    assert _get(made, "/healthz")[0] == 200
    seen = [-1, _switches(thread)]
    while seen[-1] != seen[-2]:
        # It may still be on its way back to the wait.
        time.sleep(0.05)
        seen.append(_switches(thread))
    time.sleep(0.3)
    assert _switches(thread) == seen[-1]
    made.close()
    assert not thread.is_alive()


def _switches(thread: threading.Thread) -> int:
    """How often the kernel has put the thread to sleep: each time it woke before."""
    lines = Path(f"/proc/self/task/{thread.native_id}/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt")))
