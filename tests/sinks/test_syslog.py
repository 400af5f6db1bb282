"""Syslog messages are as RFC 5424 wants them, and a real rsyslog takes them, in clear and over TLS."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scanner.events import Event, alarm
from scanner.sinks.base import Common, Unavailable
from scanner.sinks.config import SinkConfigError, build
from scanner.sinks.dispatch import Dispatcher
from scanner.sinks.syslog import SyslogOptions, SyslogSink, severity
from tests.needs import missing
from tests.sinks.making import HOST, TIME, event, gap, put, scanned, store, until, waiting
from tests.sinks.server import authority

COMMON = Common("syslog", timeout_seconds=5, backoff_seconds=0.02, backoff_limit_seconds=0.1)
# RFC 5424, section 6: header, structured data, message.
_MESSAGE = re.compile(
    rb"<(?P<pri>\d{1,3})>1 (?P<time>\S+) (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) - (?P<id>[!-~]{1,32})"
    rb' \[(?P<name>[^ =\]"]{1,32})(?P<data>(?: [^ =\]"]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] (?P<text>.*)',
    re.DOTALL,
)


def _sink(**options: Any) -> SyslogSink:
    return SyslogSink(COMMON, SyslogOptions(**{"host": "127.0.0.1", "transport": "tcp", **options}))


def _parsed(message: bytes) -> dict[str, bytes]:
    found = _MESSAGE.fullmatch(message)
    assert found is not None, message
    return found.groupdict()


def test_a_message_is_as_the_standard_wants_it() -> None:
    """Every part of the header, the structured data, the document."""
    found = _parsed(_sink().message(waiting(0)))
    assert found["pri"] == str(16 * 8 + 2).encode()
    assert (found["time"], found["host"], found["app"]) == (TIME.encode(), HOST.encode(), b"sharewatch")
    assert (found["id"], found["name"]) == (b"finding.opened", b"sharewatch@32473")
    data = dict(re.findall(r' (\w+)="([^"]*)"', found["data"].decode()))
    assert data["id"] == event(0).id
    assert (data["vendor"], data["verdict"], data["people"]) == ("northwind", "over_shared", "599")
    assert json.loads(found["text"]) == event(0).document()


@pytest.mark.parametrize("vendor", ['a"b]c\\d', "Müller & Söhne", "x\ny\x00z", "\u202eabc"])
def test_a_hostile_name_stays_in_its_place(vendor: str) -> None:
    """Quotes, brackets, line feeds and other scripts neither end a value nor the message."""
    message = _sink().message(waiting(0, event(0, vendor=vendor)))
    assert _parsed(message)["name"] == b"sharewatch@32473"
    assert all(0x20 <= byte < 0x7F for byte in message)


def test_a_host_that_is_no_name() -> None:
    """It becomes one that the header takes."""
    made = event(0)
    odd = Event(made.event, made.id, made.time, 'fil es"01 ü]', "", made.body)
    assert _parsed(_sink().message(waiting(0, odd)))["host"] == b"fil_es_01_?_"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (event(severity="critical"), 1),
        (event(severity="low"), 5),
        (event(kind="finding.resolved", severity="critical"), 6),
        (scanned(), 6),
        (gap(), 4),
        (alarm("share_down", "…", level="critical", time=TIME, host=HOST), 1),
        (Event("selftest", "t", TIME, HOST, "", {"selftest": {"ok": False}}), 3),
    ],
)
def test_severities(made: Event, expected: int) -> None:
    """What a person must see to is worse than what is routine."""
    assert severity(made.document()) == expected


def test_a_long_message_keeps_its_head() -> None:
    """The document is replaced by what tells which it was, and that it was shortened."""
    message = _sink(max_bytes=1024).message(waiting(0, event(0, because="x" * 3000)))
    assert len(message) <= 1024
    said = json.loads(_parsed(message)["text"])
    assert (said["id"], said["shortened"]) == (event(0).id, True)
    assert said["bytes"] > 3000


def _frames(data: bytes) -> list[bytes]:
    """Messages by their octet counts."""
    found = []
    while data:
        count, _, rest = data.partition(b" ")
        found.append(rest[: int(count)])
        data = rest[int(count) :]
    return found


def test_octets_are_counted() -> None:
    """Each message has its length before it, and the connection ends with the batch."""
    taken: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(65536):
                    taken.append(data)

        thread = threading.Thread(target=take)
        thread.start()
        sink = _sink(port=server.getsockname()[1])
        assert sink.send([waiting(0), waiting(1)]).delivered == [1, 2]
        thread.join()
    frames = _frames(b"".join(taken))
    assert [json.loads(_parsed(frame)["text"])["id"] for frame in frames] == [event(0).id, event(1).id]


def test_a_server_that_dies_before_reading_gets_it_again() -> None:
    """Written into a socket is not delivered."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def die() -> None:
            connection, _ = server.accept()
            connection.recv(10)
            # A close with unread data is a reset.
            connection.close()

        thread = threading.Thread(target=die)
        thread.start()
        sink = _sink(port=server.getsockname()[1])
        with pytest.raises(Unavailable, match="no connection"):
            sink.send([waiting(0, event(0, because="x" * 3000))])
        thread.join()


def test_a_server_that_never_reads() -> None:
    """The wait ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = SyslogSink(
            Common("syslog", timeout_seconds=0.1),
            SyslogOptions("127.0.0.1", server.getsockname()[1], transport="tcp"),
        )
        with pytest.raises(Unavailable, match="in time"):
            sink.send([waiting(0)])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transport": "udp"}, "transport: must be one of tls, tcp"),
        ({"facility": "local9"}, "facility: must be one of"),
        ({"app_name": "share watch"}, "app_name: must be"),
        ({"max_bytes": 10}, "max_bytes: must be at least 1024"),
        ({"port": 70000}, "port: must be at most 65535"),
        ({"ca_file": "/nowhere"}, "ca_file: /nowhere"),
    ],
)
def test_a_wrong_configuration_is_told(change: dict[str, Any], said: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SinkConfigError, match=said):
        build([{"type": "syslog", "host": "log.example.com", **change}])


# -- a real server -------------------------------------------------------------------------------------------


def _rsyslogd() -> str:
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin:/sbin")
    if program is None:
        missing("rsyslog", "on Debian: apt-get install rsyslog")
    return program


@contextmanager
def _rsyslog(folder: Path, port: int, tls: str = "") -> Iterator[Path]:
    """A rsyslog of the test's own on a port of loopback; the file that it writes messages to, one a line."""
    folder.mkdir(exist_ok=True)
    out, configuration = folder / "out.log", folder / "rsyslog.conf"
    stream = 'StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"' if tls else ""
    configuration.write_text(
        f"""global(workDirectory="{folder}" maxMessageSize="64k" {tls})
module(load="imtcp" {stream})
template(name="raw" type="list") {{
  property(name="pri") constant(value=" ") property(name="structured-data") constant(value=" ")
  property(name="msg") constant(value="\\n")
}}
input(type="imtcp" address="127.0.0.1" port="{port}")
action(type="omfile" file="{out}" template="raw" asyncWriting="off")
"""
    )
    command = [_rsyslogd(), "-n", "-f", str(configuration), "-i", str(folder / "pid")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield out
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _ids(out: Path) -> list[str]:
    """The ids of the messages that rsyslog wrote, and the proof that it took them apart."""
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    for line in lines:
        assert re.match(r"130 \[sharewatch@32473 id=\"evt_", line)
    return [json.loads(line.partition("] ")[2])["id"] for line in lines]


def test_rsyslog_down_and_back(tmp_path: Path) -> None:
    """All that was put in while it was down is there, in order, taken apart as messages."""
    port = _free_port()
    with store(tmp_path) as (ledger, outbox):
        sink = _sink(port=port)
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        put(ledger, outbox, [event(number, f"i{number % 3}") for number in range(25)], [sink])
        dispatcher.wake()
        until(lambda: dispatcher.status()[0].up is False)
        with _rsyslog(tmp_path / "first", port) as out:
            assert dispatcher.drain(30)
            until(lambda: len(_ids(out)) >= 25)
        put(ledger, outbox, [event(number) for number in range(25, 30)], [sink])
        dispatcher.wake()
        until(lambda: dispatcher.status()[0].up is False)
        with _rsyslog(tmp_path / "second", port) as again:
            assert dispatcher.drain(30)
            until(lambda: len(_ids(again)) >= 5)
        dispatcher.stop()
    assert _ids(out) == [event(number, f"i{number % 3}").id for number in range(25)]
    assert _ids(again) == [event(number).id for number in range(25, 30)]


def test_rsyslog_over_tls(tmp_path: Path) -> None:
    """With the authority that was given; without it nothing is sent."""
    if not any(Path("/usr/lib").glob("**/rsyslog/lmnsd_gtls.so")):
        missing("TLS for rsyslog", "on Debian: apt-get install rsyslog-gnutls")
    ours, port = authority(tmp_path), _free_port()
    tls = (
        f'defaultNetstreamDriverCAFile="{ours.ca}" defaultNetstreamDriverCertFile="{ours.certificate}" '
        f'defaultNetstreamDriverKeyFile="{ours.key}"'
    )
    with _rsyslog(tmp_path / "tls", port, tls) as out:
        until(lambda: _listens(port))
        sink = _sink(port=port, transport="tls", ca_file=str(ours.ca))
        sink.healthcheck()
        assert sink.send([waiting(number) for number in range(5)]).delivered == [1, 2, 3, 4, 5]
        with pytest.raises(Unavailable, match="certificate"):
            _sink(port=port, transport="tls").send([waiting(9)])
        until(lambda: len(_ids(out)) >= 5)
    assert _ids(out) == [event(number).id for number in range(5)]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
