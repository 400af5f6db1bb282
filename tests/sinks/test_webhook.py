"""The webhook: signed, idempotent, and told apart what is down, what is refused and what is wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from scanner.sinks.base import Common, Unavailable
from scanner.sinks.config import SinkConfigError, build
from scanner.sinks.dispatch import Dispatcher
from scanner.sinks.webhook import WebhookOptions, WebhookSink, keys, signature
from tests.sinks.making import event, put, store, until, waiting
from tests.sinks.server import Reply, Request, authority, serving

KEY = "a key of more than sixteen bytes"


@pytest.fixture(name="secret")
def secret_file(tmp_path: Path) -> str:
    """A file with a key."""
    path = tmp_path / "webhook.key"
    path.write_text(f"{KEY}\n".replace(" ", "-"))
    path.chmod(0o600)
    return str(path)


def _sink(url: str, secret: str, *, timeout: float = 5.0, **options: Any) -> WebhookSink:
    common = Common(
        "webhook", timeout_seconds=timeout, backoff_seconds=0.01, backoff_limit_seconds=0.05, tries=3
    )
    return WebhookSink(common, WebhookOptions(url, secret_file=secret, **options))


def test_an_event_is_posted_and_signed(secret: str) -> None:
    """A receiver that follows Standard Webhooks can check it."""
    with serving() as server:
        assert _sink(f"{server.url}/hook?team=1", secret).send([waiting(0), waiting(1)]).delivered == [1, 2]
    first, second = server.requests
    assert (first.method, first.path) == ("POST", "/hook?team=1")
    assert first.json() == event(0).document()
    assert first.headers["webhook-id"] == first.headers["idempotency-key"] == event(0).id
    assert abs(int(first.headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{event(0).id}.{first.headers['webhook-timestamp']}.".encode() + first.body
    expected = hmac.new(KEY.replace(" ", "-").encode(), signed, hashlib.sha256).digest()
    assert first.headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    assert first.connection == second.connection


def test_the_signature_of_the_specification() -> None:
    """The example that Standard Webhooks publishes with its libraries."""
    (key,) = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_keys_sign_both(tmp_path: Path) -> None:
    """So that a receiver can change from one to the next."""
    path = tmp_path / "keys"
    path.write_text("first-key-0123456789\nwhsec_c2Vjb25kLWtleS0wMTIzNDU2Nzg5\n")
    path.chmod(0o640)
    with serving() as server:
        _sink(server.url, str(path)).send([waiting(0)])
    assert len(server.requests[0].headers["webhook-signature"].split()) == 2


def test_ocsf(secret: str) -> None:
    """In the format that was asked for, the id is where the format has it."""
    with serving() as server:
        common = Common("webhook", format="ocsf")
        WebhookSink(common, WebhookOptions(server.url, secret_file=secret)).send([waiting(0)])
    body = server.requests[0].json()
    assert (body["class_uid"], body["metadata"]["uid"]) == (2006, event(0).id)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refusal_is_of_the_event(secret: str, status: int) -> None:
    """And the next is posted all the same."""
    bad = event(0).id
    with serving(lambda r: Reply(status if r.headers["webhook-id"] == bad else 204, b"")) as server:
        result = _sink(server.url, secret).send([waiting(0), waiting(1)])
    assert (result.refused, result.delivered) == ({1: f"HTTP {status}"}, [2])


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 429, 502, 503])
def test_what_says_nothing_of_the_event_is_the_servers_trouble(secret: str, status: int) -> None:
    """An expired token or a moved address must not make dead letters; a redirect is not followed."""
    headers = {"Location": "http://127.0.0.1:1/elsewhere", "Retry-After": "7"}
    with serving(lambda _: Reply(status, b"", headers)) as server:
        result = _sink(server.url, secret).send([waiting(0), waiting(1)])
        assert len(server.requests) == 1
    assert result.delivered == []
    assert result.failed == result.refused == {}
    assert result.unavailable is not None
    assert result.unavailable.retry_after == 7
    assert f"HTTP {status}" in result.unavailable.reason


def test_retry_after_as_a_date(secret: str) -> None:
    """The header's other form."""
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    with serving(lambda _: Reply(503, b"", {"Retry-After": then})) as server:
        result = _sink(server.url, secret).send([waiting(0)])
    assert result.unavailable is not None
    assert result.unavailable.retry_after == pytest.approx(90, abs=10)


def test_a_server_error_is_tried_again(secret: str) -> None:
    """It counts as a try of the event; later ones wait for their turn."""
    with serving(lambda _: Reply(500)) as server:
        result = _sink(server.url, secret).send([waiting(0), waiting(1)])
    assert (result.failed, result.delivered, result.unavailable) == ({1: "HTTP 500"}, [], None)


def test_a_connection_that_was_closed_meanwhile_is_made_again(secret: str) -> None:
    """Idle connections are closed by servers; that is no failure."""
    with serving(lambda r: Reply(drop=len(server.requests) == 2)) as server:
        sink = _sink(server.url, secret)
        assert sink.send([waiting(0)]).delivered == [1]
        assert sink.send([waiting(1)]).delivered == [2]
        sink.close()
    assert len({request.connection for request in server.requests}) >= 1
    assert [request.headers["webhook-id"] for request in server.requests] == [
        event(0).id,
        event(1).id,
        event(1).id,
    ]


def test_nobody_listens(secret: str) -> None:
    """A connection that is refused."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    result = _sink(f"http://127.0.0.1:{port}/", secret).send([waiting(0)])
    assert result.unavailable is not None
    assert "refused" in result.unavailable.reason


def test_a_server_that_never_answers(secret: str) -> None:
    """The wait ends."""
    go = threading.Event()
    with serving(lambda _: Reply(wait=go)) as server:
        result = _sink(server.url, secret, timeout=0.2).send([waiting(0)])
        go.set()
    assert result.unavailable is not None
    assert result.unavailable.reason == "no answer in time"


def test_a_server_that_dribbles(secret: str) -> None:
    """A byte now and then does not hold the sink for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Event()

        def dribble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(5)
                while not done.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=dribble)
        thread.start()
        sink = _sink(f"http://127.0.0.1:{listening.getsockname()[1]}/", secret, timeout=0.1)
        started = time.monotonic()
        result = sink.send([waiting(0)])
        assert time.monotonic() - started < 5
        done.set()
        thread.join()
    assert result.unavailable is not None


def test_an_answer_without_end_is_cut(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server cannot fill our memory, and the connection is not used again."""
    monkeypatch.setattr("scanner.sinks.http._MOST_ANSWER", 1000)
    with serving(lambda _: Reply(200, b"x" * 100_000)) as server:
        sink = _sink(server.url, secret)
        assert sink.send([waiting(0)]).delivered == [1]
        assert sink._client._connection is None


def test_a_body_over_the_limit_is_refused(secret: str) -> None:
    """It would be refused again each time."""
    with serving() as server:
        result = _sink(server.url, secret, max_kb=1).send(
            [waiting(0, event(0, because="x" * 2000)), waiting(1)]
        )
    assert result.delivered == [2]
    assert "larger than max_kb" in result.refused[1]


def test_tls_is_verified(tmp_path: Path, secret: str) -> None:
    """With the authority that was given it works, without it nothing is sent."""
    ours = authority(tmp_path)
    with serving(tls=(ours.certificate, ours.key)) as server:
        assert _sink(server.url, secret, ca_file=str(ours.ca)).send([waiting(0)]).delivered == [1]
        result = _sink(server.url, secret).send([waiting(1)])
        assert result.unavailable is not None
        assert "certificate" in result.unavailable.reason
        assert len(server.requests) == 1


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, secret: str) -> None:
    """The name is checked too."""
    other = authority(tmp_path, "127.0.0.2")
    with serving(tls=(other.certificate, other.key)) as server:
        result = _sink(server.url, secret, ca_file=str(other.ca)).send([waiting(0)])
    assert result.unavailable is not None
    assert "certificate" in result.unavailable.reason


def test_a_proxy_is_asked_for_a_tunnel(secret: str) -> None:
    """By its setting; those of the environment are not used."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def once() -> None:
            connection, _ = proxy.accept()
            with connection:
                asked.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=once)
        thread.start()
        at = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        result = _sink("https://hooks.example.com/x", secret, proxy=at).send([waiting(0)])
        thread.join()
    assert asked[0].startswith(b"CONNECT hooks.example.com:443 HTTP/1")
    assert result.unavailable is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://example.com/x"}, "must be https://"),
        ({"url": "ftp://example.com/x"}, "must be an address"),
        ({"url": "https://user:word@example.com/"}, "must not hold a password"),
        ({"secret_file": None}, "needs either a file or a credential"),
        ({"secret_file": "/nowhere"}, "No such file"),
        ({"ca_file": "/nowhere"}, "ca_file: /nowhere"),
        ({"proxy": "proxy:3128"}, "must be http://host:port"),
    ],
)
def test_a_wrong_configuration_is_told(secret: str, change: dict[str, Any], said: str) -> None:
    """Before anything is sent."""
    given = {"type": "webhook", "url": "https://example.com/x", "secret_file": secret, **change}
    given = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(SinkConfigError, match=said):
        build([given])


def test_a_secret_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that everybody may read, or a guessable one, is refused; a credential of systemd is taken."""
    path = tmp_path / "hook"
    path.write_text("a-long-enough-key-0123")
    path.chmod(0o644)
    given = {"type": "webhook", "url": "https://example.com/x"}
    with pytest.raises(SinkConfigError, match="read by everybody"):
        build([{**given, "secret_file": str(path)}])
    path.chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (sink,) = build([{**given, "secret_credential": "hook"}])
    assert sink.name == "webhook"
    path.write_text("short")
    with pytest.raises(SinkConfigError, match="at least 16 bytes") as caught:
        build([{**given, "secret_credential": "hook"}])
    assert "short" not in str(caught.value)


def test_a_secret_that_goes_away_holds_events_back(tmp_path: Path, secret: str) -> None:
    """They wait until it is there again."""
    sink = _sink("http://127.0.0.1:1/", secret)
    Path(secret).unlink()
    with pytest.raises(Unavailable, match="secret cannot be used"):
        sink.send([waiting(0)])


def test_down_slow_refusing_and_back(tmp_path: Path, secret: str) -> None:
    """Through the outbox: everything arrives, in order per item, whatever the server does meanwhile."""
    moods: list[Callable[[Request], Reply]] = [
        lambda _: Reply(drop=True),
        lambda _: Reply(503, b"", {"Retry-After": "0"}),
        lambda _: Reply(429, b""),
        lambda _: Reply(500),
        lambda _: Reply(404),
    ]
    calls = [0]

    def answer(request: Request) -> Reply:
        calls[0] += 1
        return moods[calls[0] % 7](request) if calls[0] % 7 < len(moods) else Reply()

    with store(tmp_path) as (ledger, outbox), serving(answer) as server:
        sink = _sink(server.url, secret)
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        put(ledger, outbox, [event(number, f"item {number % 4}") for number in range(30)], [sink])
        dispatcher.wake()
        until(lambda: outbox.backlog()[0].pending == 0, 30)
        dispatcher.stop()
        assert outbox.dead_letters() == []
        first: dict[str, int] = {}
        for at, request in enumerate(server.requests):
            first.setdefault(json.loads(request.body)["finding"]["id"], at)
    assert len(first) == 30
