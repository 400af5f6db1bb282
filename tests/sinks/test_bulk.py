"""Splunk's collector and OpenSearch's bulk interface, against servers that answer as those do."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from scanner.sinks.base import Common, Unavailable
from scanner.sinks.config import SinkConfigError, build
from scanner.sinks.dispatch import Dispatcher
from scanner.sinks.opensearch import OpenSearchOptions, OpenSearchSink
from scanner.sinks.splunk import SplunkOptions, SplunkSink
from tests.sinks.making import HOST, event, put, store, until, waiting
from tests.sinks.server import Reply, Request, serving

COMMON = Common("bulk", timeout_seconds=5, backoff_seconds=0.01, backoff_limit_seconds=0.05, tries=3)


@pytest.fixture(name="secret")
def secret_file(tmp_path: Path) -> str:
    """A file with a token."""
    path = tmp_path / "token"
    path.write_text("11111111-2222-3333-4444-555555555555\n")
    path.chmod(0o600)
    return str(path)


def _objects(body: bytes) -> list[Any]:
    """The JSON documents of a body, one after the other."""
    decoder, text, found = json.JSONDecoder(), body.decode().strip(), []
    while text:
        each, end = decoder.raw_decode(text)
        found.append(each)
        text = text[end:].lstrip()
    return found


class Splunk:
    """A collector: indexes events, refuses those it cannot use, acknowledges when asked later."""

    def __init__(self) -> None:
        self.indexed: list[Any] = []
        self.poison: set[str] = set()
        self.named = True
        self.asked = 0
        self.acknowledges_at = 1

    def __call__(self, request: Request) -> Reply:
        """Answer as the collector does."""
        if request.headers.get("authorization") != "Splunk 11111111-2222-3333-4444-555555555555":
            return Reply(403, b'{"text":"Invalid token","code":4}')
        if request.path == "/services/collector/health":
            return Reply(200, b'{"text":"HEC is healthy","code":17}')
        if request.path == "/services/collector/ack":
            self.asked += 1
            done = self.asked >= self.acknowledges_at
            return Reply(200, json.dumps({"acks": {str(n): done for n in request.json()["acks"]}}).encode())
        events = _objects(request.body)
        for number, each in enumerate(events):
            if each["event"]["id"] in self.poison:
                said = {"text": "Invalid data format", "code": 6}
                if self.named:
                    said["invalid-event-number"] = number
                return Reply(400, json.dumps(said).encode())
        self.indexed += events
        return Reply(200, b'{"text":"Success","code":0,"ackId":7}')


def _splunk(url: str, secret: str, **options: Any) -> SplunkSink:
    return SplunkSink(COMMON, SplunkOptions(url, token_file=secret, **options))


def test_splunk_takes_a_batch(secret: str) -> None:
    """One request, with time, host, source and type."""
    splunk = Splunk()
    with serving(splunk) as server:
        sink = _splunk(server.url, secret, index="main")
        sink.healthcheck()
        assert sink.send([waiting(0), waiting(1)]).delivered == [1, 2]
        sink.close()
    assert [request.path for request in server.requests] == [
        "/services/collector/health",
        "/services/collector/event",
    ]
    first = splunk.indexed[0]
    assert first["event"] == event(0).document()
    assert {key: first[key] for key in ("host", "source", "sourcetype", "index", "time")} == {
        "host": HOST,
        "source": "sharewatch",
        "sourcetype": "sharewatch:json",
        "index": "main",
        "time": 1795420804.25,
    }


@pytest.mark.parametrize("named", [True, False])
def test_splunk_refuses_one_event(tmp_path: Path, secret: str, named: bool) -> None:
    """The others of its batch arrive, whether the collector names the bad one or not."""
    splunk = Splunk()
    splunk.poison, splunk.named = {event(2).id}, named
    with store(tmp_path) as (ledger, outbox), serving(splunk) as server:
        sink = _splunk(server.url, secret)
        put(ledger, outbox, [event(number) for number in range(5)], [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        assert dispatcher.drain(20)
        dispatcher.stop()
        (letter,) = outbox.dead_letters()
    assert (letter.id, letter.reason) == (event(2).id, "HTTP 400, code 6")
    assert sorted({each["event"]["id"] for each in splunk.indexed}) == sorted(
        event(number).id for number in (0, 1, 3, 4)
    )


def test_splunk_with_a_wrong_token_keeps_the_events(tmp_path: Path) -> None:
    """They wait for the right one."""
    path = tmp_path / "wrong"
    path.write_text("wrong")
    path.chmod(0o600)
    with serving(Splunk()) as server:
        result = _splunk(server.url, str(path)).send([waiting(0)])
    assert result.unavailable is not None
    assert result.unavailable.reason == "HTTP 403"


def test_splunk_acknowledges(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch counts once an indexer has it, not before."""
    monkeypatch.setattr("scanner.sinks.splunk._ASK_EVERY", 0.01)
    splunk = Splunk()
    splunk.acknowledges_at = 3
    with serving(splunk) as server:
        sink = _splunk(server.url, secret, acknowledge=True)
        assert sink.send([waiting(0)]).delivered == [1]
        assert splunk.asked == 3
        assert len({r.headers["x-splunk-request-channel"] for r in server.requests}) == 1
        splunk.acknowledges_at = 10**9
        late = _splunk(server.url, secret, acknowledge=True, acknowledge_seconds=0.05).send([waiting(1)])
    assert late.delivered == []
    assert late.unavailable is not None
    assert "no indexer" in late.unavailable.reason


def test_splunk_batches_hold_to_their_size(secret: str) -> None:
    """What does not fit waits; what never fits is refused."""
    splunk = Splunk()
    batch = [waiting(number, event(number, because="x" * 400)) for number in range(4)]
    batch.insert(1, waiting(9, event(9, because="x" * 9000)))
    with serving(splunk) as server:
        result = _splunk(server.url, secret, max_kb=3).send(batch)
    assert result.delivered == [1, 2]
    assert list(result.refused) == [10]
    assert all(len(request.body) <= 3 << 10 for request in server.requests)


class OpenSearch:
    """A search server: ``create`` refuses an id that is there, and answers for each document."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.order: list[str] = []
        self.busy: dict[str, int] = {}
        self.unmappable: set[str] = set()
        self.largest = 10**9

    def __call__(self, request: Request) -> Reply:
        """Answer as the server does."""
        if request.method == "GET":
            return Reply(200, b'{"version":{"number":"3.3.0"}}')
        if len(request.body) > self.largest:
            return Reply(413, b"")
        assert request.path == "/findings/_bulk"
        assert request.body.endswith(b"\n")
        lines = [json.loads(line) for line in request.body.splitlines()]
        items = [self._one(lines[at]["create"]["_id"], lines[at + 1]) for at in range(0, len(lines), 2)]
        errors = any(item["create"]["status"] >= 400 for item in items)
        return Reply(200, json.dumps({"took": 1, "errors": errors, "items": items}).encode())

    def _one(self, identity: str, document: Any) -> dict[str, Any]:
        answer: dict[str, Any] = {"_index": "findings", "_id": identity, "status": 201}
        if self.busy.get(identity, 0):
            self.busy[identity] -= 1
            answer |= {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "…"}}
        elif identity in self.unmappable:
            quoted = "failed to parse field of someone@example.com"
            answer |= {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": quoted}}
        elif identity in self.documents:
            answer |= {"status": 409, "error": {"type": "version_conflict_engine_exception"}}
        else:
            self.documents[identity] = document
            self.order.append(identity)
        return {"create": answer}


def _search(url: str, **options: Any) -> OpenSearchSink:
    return OpenSearchSink(COMMON, OpenSearchOptions(url, index="findings", **options))


def test_opensearch_takes_each_once(secret: str) -> None:
    """A document is called by its event, so that one sent twice is there once."""
    search = OpenSearch()
    with serving(search) as server:
        sink = _search(server.url)
        sink.healthcheck()
        assert sink.send([waiting(0), waiting(1)]).delivered == [1, 2]
        assert sink.send([waiting(1), waiting(2)]).delivered == [2, 3]
        sink.close()
    assert list(search.documents) == [event(number).id for number in range(3)]
    document = search.documents[event(0).id]
    assert document == {**event(0).document(), "@timestamp": event(0).time}


def test_opensearch_takes_a_part_of_a_batch(tmp_path: Path) -> None:
    """A busy document is tried again, one that cannot be is a dead letter; items keep their order."""
    search = OpenSearch()
    search.busy = {event(0, "x").id: 2}
    search.unmappable = {event(1, "y").id}
    made = [event(0, "x"), event(1, "y"), event(2, "x"), event(3, "y"), event(4, "z")]
    with store(tmp_path) as (ledger, outbox), serving(search) as server:
        sink = _search(server.url)
        put(ledger, outbox, made, [sink])
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        assert dispatcher.drain(20)
        dispatcher.stop()
        (letter,) = outbox.dead_letters()
    assert (letter.id, letter.reason) == (event(1, "y").id, "status 400 mapper_parsing_exception")
    assert search.order.index(made[0].id) < search.order.index(made[2].id)
    assert set(search.order) == {made[at].id for at in (0, 2, 3, 4)}


def test_opensearch_splits_what_is_too_large() -> None:
    """A proxy's limit may be below ours."""
    search = OpenSearch()
    search.largest = 2500
    with serving(search) as server:
        result = _search(server.url).send([waiting(number) for number in range(5)])
    assert sorted(result.delivered) == [1, 2, 3, 4, 5]
    assert len(search.documents) == 5


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"items":[{}]}', b'{"items":[{"create":{}}]}', b"[]"])
def test_an_answer_of_something_else_is_trouble(body: bytes) -> None:
    """A proxy's page with status 200 delivers nothing."""
    with serving(lambda _: Reply(200, body)) as server:
        result = _search(server.url).send([waiting(0)])
    assert result.delivered == []
    assert result.unavailable is not None


def test_an_answer_that_leaves_documents_out(secret: str) -> None:
    """They are not taken for delivered."""
    items = [{"create": {"_id": event(0).id, "status": 201}}]
    with serving(lambda _: Reply(200, json.dumps({"items": items}).encode())) as server:
        result = _search(server.url).send([waiting(0), waiting(1)])
    assert result.delivered == [1]
    assert result.unavailable is not None


def test_opensearch_authenticates(secret: str) -> None:
    """With a user's password, or a key."""
    token = Path(secret).read_text().strip()
    search = OpenSearch()
    with serving(search) as server:
        _search(server.url, secret_file=secret).send([waiting(0)])
        _search(server.url, secret_file=secret, authentication="apikey").send([waiting(1)])
    found = [request.headers["authorization"] for request in server.requests]
    assert found == [f"Basic {base64.b64encode(token.encode()).decode()}", f"ApiKey {token}"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"type": "opensearch", "url": "https://x.example", "index": "Findings"},
            "index: must be lower-case",
        ),
        (
            {"type": "opensearch", "url": "https://x.example", "authentication": "bearer"},
            "authentication: must",
        ),
        ({"type": "splunk_hec", "url": "https://x.example"}, "token_file: needs either"),
    ],
)
def test_a_wrong_configuration_is_told(given: dict[str, Any], said: str) -> None:
    """Before anything is sent."""
    with pytest.raises(SinkConfigError, match=said):
        build([given])


def test_a_token_of_two_lines_is_told(tmp_path: Path) -> None:
    """It would not go into a header."""
    path = tmp_path / "token"
    path.write_text("first-line\nsecond-line\n")
    path.chmod(0o600)
    with pytest.raises(SinkConfigError, match="one line of printable ASCII") as caught:
        build([{"type": "splunk_hec", "url": "https://x.example", "token_file": str(path)}])
    assert "second" not in str(caught.value)


def test_a_server_that_comes_back(tmp_path: Path, secret: str) -> None:
    """Events put in while the port is closed arrive when a server listens on it again."""
    splunk = Splunk()
    with serving(splunk) as server:
        port = int(server.url.rsplit(":", 1)[1])
    with store(tmp_path) as (ledger, outbox):
        sink = _splunk(f"http://127.0.0.1:{port}", secret)
        dispatcher = Dispatcher(outbox, [sink])
        dispatcher.start()
        put(ledger, outbox, [event(number) for number in range(10)], [sink])
        dispatcher.wake()
        until(lambda: dispatcher.status()[0].up is False)
        assert "refused" in (dispatcher.status()[0].problem or "")
        with serving(splunk, port=port):
            assert dispatcher.drain(20)
        dispatcher.stop()
    assert [each["event"]["id"] for each in splunk.indexed] == [event(number).id for number in range(10)]


def test_a_health_check_says_what_is_wrong(secret: str) -> None:
    """Before the first event."""
    with serving(lambda _: Reply(503)) as server, pytest.raises(Unavailable, match="HTTP 503"):
        _splunk(server.url, secret).healthcheck()
