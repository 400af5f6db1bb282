"""Syslog: RFC 5424 messages with octet counting over TCP (RFC 6587) or TLS (RFC 5425).

Syslog acknowledges nothing. A batch has a connection of its own, and counts as delivered once the other side,
having read to our end, has closed its own: what it had not read when it went away is sent again.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scanner.events import Waiting, encode
from scanner.sinks.base import Common, Result, Sink, Unavailable
from scanner.sinks.http import certificate_problems, tls_context

# RFC 5424, table 2.
_EMERGENCY, _ALERT, _CRITICAL, _ERROR, _WARNING, _NOTICE, _INFORMATIONAL = range(7)
_FACILITIES = {"user": 1, "daemon": 3, "auth": 4, "authpriv": 10, "audit": 13} | {
    f"local{number}": 16 + number for number in range(8)
}
_FINDINGS = {"critical": _ALERT, "high": _CRITICAL, "medium": _WARNING, "low": _NOTICE}
_ALARMS = {"critical": _ALERT, "error": _ERROR, "warning": _WARNING, "info": _INFORMATIONAL}
_PORTS = {"tcp": 601, "tls": 6514}
_NOT_IN_NAMES = {ord(char): "_" for char in ' "=]'}


@dataclass(frozen=True, slots=True)
class SyslogOptions:
    """Settings of a syslog server.

    Attributes:
        host: its name or address.
        port: 6514 for TLS, 601 for TCP by default.
        transport: ``tls`` or ``tcp`` (in clear: for this machine or a network that is trusted).
        ca_file: PEM file of the authorities to trust instead of the system's.
        certificate_file: PEM file of a client certificate with its key.
        facility: ``local0`` … ``local7``, ``user``, ``daemon``, ``auth``, ``authpriv``, ``audit``.
        app_name: the messages' APP-NAME.
        enterprise_id: private enterprise number of the structured data's name, ``sharewatch@…``; the default
            is the one reserved for documentation (RFC 5612).
        max_bytes: longest message. The document in a longer one is replaced by its head.
    """

    host: str
    port: int = 0
    transport: str = "tls"
    ca_file: str | None = None
    certificate_file: str | None = None
    facility: str = "local0"
    app_name: str = "sharewatch"
    enterprise_id: int = 32473
    max_bytes: int = 8192

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the setting, and why."""
        found = []
        if self.transport not in _PORTS:
            found.append(("transport", "must be one of tls, tcp"))
        if self.facility not in _FACILITIES:
            found.append(("facility", f"must be one of {', '.join(_FACILITIES)}"))
        if self.port > 65535:
            found.append(("port", "must be at most 65535"))
        if self.max_bytes < 1024:
            found.append(("max_bytes", "must be at least 1024"))
        if _name(self.app_name, 48) != self.app_name:
            found.append(("app_name", "must be at most 48 printable ASCII characters without spaces"))
        for setting, file in (("ca_file", self.ca_file), ("certificate_file", self.certificate_file)):
            if file is not None:
                found += certificate_problems(setting, file, chain=setting == "certificate_file")
        return found


class SyslogSink(Sink):
    """Sends batches, each over its own connection."""

    type = "syslog"

    def __init__(self, common: Common, options: SyslogOptions) -> None:
        super().__init__(common)
        self._options = options

    def send(self, batch: Sequence[Waiting]) -> Result:
        """Send a batch and wait until the server has read it."""
        frames = bytearray()
        for each in batch:
            message = self.message(each)
            frames += f"{len(message)} ".encode("ascii") + message
        self._exchange(bytes(frames))
        return Result(delivered=[each.seq for each in batch])

    def healthcheck(self) -> None:
        """The server accepts a connection, and is who it should be."""
        self._exchange(b"")

    def message(self, each: Waiting) -> bytes:
        """The event as one RFC 5424 message."""
        document = each.document()
        head = self._head(each, document)
        text = self.text(each)
        message = f"{head} {text}".encode("ascii")
        if len(message) <= self._options.max_bytes:
            return message
        kept = {key: document[key] for key in ("schema_version", "event", "id", "time", "host")}
        short = {**kept, "shortened": True, "bytes": len(text)}
        return f"{head} {encode(short)}".encode("ascii")

    def _head(self, each: Waiting, document: Mapping[str, Any]) -> str:
        options = self._options
        priority = _FACILITIES[options.facility] * 8 + severity(document)
        host = _name(document["host"], 255)
        data = _structured(f"sharewatch@{options.enterprise_id}", _facts(document))
        kind = _name(each.event, 32)
        return f"<{priority}>1 {document['time']} {host} {options.app_name} - {kind} {data}"

    def _exchange(self, data: bytes) -> None:
        import ssl

        options = self._options
        address = (options.host, options.port or _PORTS[options.transport])
        try:
            with socket.create_connection(address, self.common.timeout_seconds) as plain:
                if options.transport == "tcp":
                    plain.sendall(data)
                    plain.shutdown(socket.SHUT_WR)
                    _read_to_end(plain)
                    return
                context = tls_context(options.ca_file, options.certificate_file)
                with context.wrap_socket(plain, server_hostname=options.host) as secure:
                    secure.sendall(data)
                    _end_tls(secure)
        except ssl.SSLCertVerificationError as error:
            raise Unavailable(f"the server's certificate is not valid: {error.verify_message}") from None
        except TimeoutError:
            raise Unavailable("the server did not read the messages in time") from None
        except OSError as error:
            raise Unavailable(f"no connection: {error.strerror or type(error).__name__}") from None


def _read_to_end(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def _end_tls(secure: Any) -> None:
    """Say that nothing follows, and wait until the other side ends too; with or without a word of its own."""
    import ssl

    try:
        secure.unwrap().close()
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return
    except ssl.SSLSyscallError:
        return
    except ssl.SSLError as error:
        raise OSError(error.reason or "TLS failed") from None


def severity(document: Mapping[str, Any]) -> int:
    """Syslog's severity of an event: a resolved finding is information, however bad it was."""
    kind = document["event"]
    if kind == "alarm":
        return _ALARMS[document["alarm"]["level"]]
    if kind == "finding.resolved":
        return _INFORMATIONAL
    if kind.startswith("finding."):
        return _FINDINGS[document["finding"]["severity"]]
    if kind == "gap":
        return _INFORMATIONAL if document["gap"]["intentional"] else _WARNING
    if kind == "selftest" and not document["selftest"]["ok"]:
        return _ERROR
    return _INFORMATIONAL


def _facts(document: Mapping[str, Any]) -> dict[str, str]:
    """What is worth a field of its own in structured data."""
    found = {"id": str(document["id"]), "event": str(document["event"])}
    finding = document.get("finding")
    if isinstance(finding, Mapping):
        names = ("verdict", "severity", "vendor", "category", "form")
        found["finding"] = str(finding["id"])
        found |= {name: str(finding[name]) for name in names if finding.get(name) is not None}
        found["people"] = str(finding["people"]["best"])
    return found


def _structured(name: str, facts: Mapping[str, str]) -> str:
    r"""RFC 5424, 6.3: in values ``"``, ``\`` and ``]`` have a ``\`` before them."""
    inside = " ".join(f'{key}="{_escaped(value)}"' for key, value in facts.items())
    return f"[{name} {inside}]"


def _escaped(value: str) -> str:
    safe = value.encode("ascii", "backslashreplace").decode("ascii")
    printable = "".join(char if char.isprintable() else "_" for char in safe)
    return printable.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _name(text: str, longest: int) -> str:
    """A name as the header takes it: printable ASCII, no space; ``-`` for none."""
    ascii_only = text.encode("ascii", "replace").decode("ascii").translate(_NOT_IN_NAMES)
    return "".join(char for char in ascii_only if "!" <= char <= "~")[:longest] or "-"
