"""Requests over HTTPS: one connection, kept while there is something to send; verified and bounded.

``http.client`` and ``ssl`` of the standard library, loaded by the first request.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scanner.sinks.base import Unavailable

if TYPE_CHECKING:
    import http.client
    import ssl

#: Bytes of an answer that are read; a longer one is cut there, and the connection is not used again.
_MOST_ANSWER = 4 << 20
#: A whole exchange may take so many times the time-out of its single steps.
_WHOLE = 6
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_USER_AGENT = "sharewatch"


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How to reach a server.

    Attributes:
        url: ``https://…``; ``http://`` to this machine only.
        ca_file: PEM file of the authorities to trust instead of the system's.
        certificate_file: PEM file of a client certificate with its key.
        proxy: ``http://host:port`` of a proxy to tunnel through. Proxies of the environment are not used.
    """

    url: str
    ca_file: str | None = None
    certificate_file: str | None = None
    proxy: str | None = None

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the setting, and why."""
        found = url_problems(self.url)
        for setting, file in (("ca_file", self.ca_file), ("certificate_file", self.certificate_file)):
            if file is not None:
                found += certificate_problems(setting, file, chain=setting == "certificate_file")
        if self.proxy is not None:
            parts = urlsplit(self.proxy)
            if parts.scheme != "http" or not parts.hostname or parts.username or parts.path.strip("/"):
                found.append(("proxy", "must be http://host:port"))
        return found


def url_problems(url: str) -> list[tuple[str, str]]:
    """What is wrong with an address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return [("url", "is not an address")]
    if parts.scheme not in {"http", "https"} or not host:
        return [("url", "must be an address such as https://host/path")]
    if parts.scheme == "http" and host not in _LOOPBACK:
        return [("url", "must be https:// (http:// is for this machine only)")]
    if parts.username is not None or parts.password is not None:
        return [("url", "must not hold a password; put it into a file")]
    if parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        return [("url", "is not an address")]
    return []


def certificate_problems(setting: str, file: str, *, chain: bool) -> list[tuple[str, str]]:
    """What is wrong with a file of certificates; with a key where it is a chain."""
    import ssl

    context = ssl.create_default_context()
    try:
        if chain:
            context.load_cert_chain(file)
        else:
            context.load_verify_locations(file)
    except OSError as error:
        return [(setting, f"{file}: {error.strerror or 'is no PEM file of certificates'}")]
    return []


def tls_context(ca_file: str | None, certificate_file: str | None) -> ssl.SSLContext:
    """A context that verifies the other side, from TLS 1.2 on."""
    import ssl

    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate_file is not None:
        context.load_cert_chain(certificate_file)
    return context


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered.

    Attributes:
        status: 200 to 599.
        retry_after: seconds that it asked to wait, None where it did not.
        body: the first 4 MiB.
    """

    status: int
    retry_after: float | None
    body: bytes


class _Broken(Unavailable):
    """The connection could not be made, or broke."""


class HttpClient:
    """Requests to one server. For one thread.

    Args:
        options: where and how.
        timeout: seconds for connecting and for each step; six times that for all of a request.
    """

    def __init__(self, options: HttpOptions, timeout: float) -> None:
        self._options, self._timeout = options, timeout
        self._parts = urlsplit(options.url)
        self._connection: http.client.HTTPConnection | None = None

    @property
    def path(self) -> str:
        """The address's path and query."""
        path = self._parts.path or "/"
        return f"{path}?{self._parts.query}" if self._parts.query else path

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and read its answer.

        Raises:
            Unavailable: the server cannot be reached, is not who it should be, or does not answer in time.
        """
        reused = self._connection is not None
        try:
            return self._exchange(method, path, body, headers)
        except _Broken:
            self.close()
            if not reused:
                raise
        except Unavailable:
            self.close()
            raise
        # A server may close a connection that was idle at any time: that says nothing of the server.
        try:
            return self._exchange(method, path, body, headers)
        except Unavailable:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        import http.client
        import ssl

        late = threading.Event()
        try:
            connection = self._connection or self._connected()
            self._connection = connection
            guard = threading.Timer(self._timeout * _WHOLE, _cut, (connection, late))
            guard.daemon = True
            guard.start()
            try:
                connection.request(method, path, body, {"User-Agent": _USER_AGENT, **headers})
                response = connection.getresponse()
                data = response.read(_MOST_ANSWER)
                if response.read(1) or response.will_close:
                    self.close()
            finally:
                guard.cancel()
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"the server's certificate is not valid: {error.verify_message}") from None
        except TimeoutError:
            raise Unavailable("no answer in time") from None
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise Unavailable("no answer in time") from None
            what = error.strerror if isinstance(error, OSError) else None
            raise _Broken(f"no connection: {what or type(error).__name__}") from None
        return Answer(response.status, _retry_after(response.getheader("Retry-After")), data)

    def _connected(self) -> http.client.HTTPConnection:
        import http.client

        host, port = str(self._parts.hostname), self._parts.port
        proxy = urlsplit(self._options.proxy) if self._options.proxy else None
        to, at = (str(proxy.hostname), proxy.port or 8080) if proxy else (host, port)
        connection: http.client.HTTPConnection
        if self._parts.scheme == "https":
            context = tls_context(self._options.ca_file, self._options.certificate_file)
            connection = http.client.HTTPSConnection(to, at, timeout=self._timeout, context=context)
        else:
            connection = http.client.HTTPConnection(to, at, timeout=self._timeout)
        if proxy:
            connection.set_tunnel(host, port or (443 if self._parts.scheme == "https" else 80))
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End an exchange from another thread: whoever reads then reads the end."""
    import contextlib
    import socket

    late.set()
    if connection.sock is not None:
        with contextlib.suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _retry_after(header: str | None) -> float | None:
    """Seconds to wait; the header has seconds or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header.strip()[:9])
    from datetime import UTC, datetime

    try:
        then = parsedate_to_datetime(header)
    except ValueError:
        return None
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - datetime.now(UTC)).total_seconds())


#: Answers that no repetition will change: this event is not wanted in this form.
REFUSALS = frozenset({400, 406, 411, 413, 414, 415, 422, 431})
#: Answers that mean everybody: wrong or expired secrets, wrong address, overload, maintenance.
_AWAY = frozenset({401, 402, 403, 404, 405, 407, 408, 410, 421, 423, 425, 429, 502, 503, 504})


def judge(answer: Answer) -> str | None:
    """What an answer means for what was sent: None for taken, else ``refused`` or ``failed``.

    Raises:
        Unavailable: nothing is taken now; a redirect, which is not followed, is one too.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    if status in REFUSALS:
        return "refused"
    if status in _AWAY or status < 400:
        hint = "; redirects are not followed" if 300 <= status < 400 else ""
        raise Unavailable(f"HTTP {status}{hint}", answer.retry_after)
    return "failed"
