"""A small HTTP listener for this machine: ``/metrics``, ``/healthz`` (alive), ``/readyz`` (working).

One thread waits in the kernel for a connection, without a timer. Requests are answered one after the other,
each within a few seconds whatever the client does, and only by what the given functions say.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scanner.sinks.metrics import CONTENT_TYPE

#: Bytes of a request's head.
_MOST_HEAD = 8192
#: Seconds that a client has for its request, and for taking the answer.
_PATIENCE = 3.0
_JSON = "application/json"
_TEXTS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}

#: What a check of health finds: whether all is well, and facts for a person. No values, no names of files.
Health = tuple[bool, Mapping[str, Any]]


class ListenError(ValueError):
    """The address cannot be listened on; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place to listen on: ``127.0.0.1:9477``, ``[::1]:9477``.

    Raises:
        ListenError: it is none, or other machines could reach it and ``anywhere`` was not set.
    """

    host: str
    port: int

    @classmethod
    def parsed(cls, text: str, *, anywhere: bool = False) -> Address:
        """The address of a configuration."""
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ListenError(f"{text!r} is no address such as 127.0.0.1:9477")
        try:
            found = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            raise ListenError(f"{text!r} is no address such as 127.0.0.1:9477") from None
        if not found.is_loopback and not anywhere:
            raise ListenError(f"{text!r} can be reached by other machines; that must be allowed by name")
        return cls(str(found), int(port))


class Listener:
    """Serves until it is closed.

    Args:
        address: where; port 0 takes a free one.
        metrics: the text of ``/metrics``.
        alive: for ``/healthz``: false only where a restart would help.
        ready: for ``/readyz``: false while it does not do its work (a share is down, the self-test failed).

    Raises:
        ListenError: the address is taken or not allowed.
    """

    def __init__(
        self,
        address: Address,
        *,
        metrics: Callable[[], bytes],
        alive: Callable[[], Health],
        ready: Callable[[], Health],
    ) -> None:
        self._metrics, self._checks = metrics, {"/healthz": alive, "/readyz": ready}
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        try:
            self._socket = socket.create_server((address.host, address.port), family=family, backlog=16)
        except OSError as error:
            raise ListenError(f"{address.host}:{address.port}: {os.strerror(error.errno or 0)}") from None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Serve from a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening and end the thread."""
        self._closed.set()
        with contextlib.suppress(OSError):
            # Ends the wait in accept().
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is not None:
            self._thread.join(2 * _PATIENCE)
        self._socket.close()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._socket.accept()
            except OSError:
                # Closing; or out of file descriptors, or a client that went away, which passes.
                self._closed.wait(0.1)
                continue
            with client, contextlib.suppress(OSError):
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        head = _head(client)
        status, kind, body = self._answer(head)
        lines = (
            f"HTTP/1.1 {status} {_TEXTS[status]}",
            f"Content-Type: {kind}",
            f"Content-Length: {len(body)}",
            "Cache-Control: no-store",
            "Connection: close",
        )
        client.settimeout(_PATIENCE)
        payload = b"" if head.startswith(b"HEAD ") else body
        client.sendall("\r\n".join((*lines, "", "")).encode("ascii") + payload)

    def _answer(self, head: bytes) -> tuple[int, str, bytes]:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or b"\r\n\r\n" not in head:
            return 400, _JSON, b"{}"
        if words[0] not in {b"GET", b"HEAD"}:
            return 405, _JSON, b"{}"
        path = words[1].split(b"?", 1)[0].decode("ascii", "replace")
        try:
            if path == "/metrics":
                return 200, CONTENT_TYPE, self._metrics()
            if path in self._checks:
                well, facts = self._checks[path]()
                said = json.dumps({"ok": well, **facts}, ensure_ascii=True).encode("ascii")
                return (200 if well else 503), _JSON, said + b"\n"
        except Exception as error:  # noqa: BLE001 # a bug in a metric must not take the listener away
            return 503, _JSON, json.dumps({"ok": False, "error": type(error).__name__}).encode("ascii")
        return 404, _JSON, b"{}"


def _head(client: socket.socket) -> bytes:
    """A request's head, as much of it as came in time."""
    ends = time.monotonic() + _PATIENCE
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MOST_HEAD:
        left = ends - time.monotonic()
        if left <= 0:
            break
        client.settimeout(left)
        try:
            data = client.recv(_MOST_HEAD - len(head))
        except TimeoutError:
            break
        if not data:
            break
        head += data
    return head
