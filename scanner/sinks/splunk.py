"""Splunk's HTTP Event Collector: batches of events, with indexer acknowledgement where it is asked for.

https://docs.splunk.com/Documentation/Splunk/latest/Data/HECRESTendpoints
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scanner.events import Waiting, encode
from scanner.sinks import secrets
from scanner.sinks.base import Common, Result, Sink, Unavailable
from scanner.sinks.http import Answer, HttpClient, HttpOptions, judge

_PATH = "/services/collector"
#: Seconds between questions whether a batch is on an indexer's disk.
_ASK_EVERY = 1.0
#: Splunk's code of an answer that names the first event it could not use.
_BAD_EVENT = frozenset({5, 6, 12, 13})


@dataclass(frozen=True, slots=True)
class SplunkOptions(HttpOptions):
    """Settings of a HTTP Event Collector.

    Attributes:
        url: of the collector (``https://splunk.example.com:8088``), without a path.
        token_file: file of the token.
        token_credential: the same as a credential of systemd.
        index: index to write to; the token's own by default.
        source: the events' ``source``.
        sourcetype: the events' ``sourcetype``.
        acknowledge: wait until an indexer has a batch; the token must have it switched on.
        acknowledge_seconds: how long; then the batch is sent again.
        max_kb: largest request in KiB.
    """

    token_file: str | None = None
    token_credential: str | None = None
    index: str | None = None
    source: str = "sharewatch"
    sourcetype: str = "sharewatch:json"
    acknowledge: bool = False
    acknowledge_seconds: float = 60.0
    max_kb: int = 800

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the setting, and why."""
        found = HttpOptions.problems(self)
        setting = "token_file" if self.token_credential is None else "token_credential"
        return found + secrets.problems(setting, self.token_file, self.token_credential)


class SplunkSink(Sink):
    """Sends batches to a collector."""

    type = "splunk_hec"

    def __init__(self, common: Common, options: SplunkOptions) -> None:
        super().__init__(common)
        self._options = options
        self._client = HttpClient(options, common.timeout_seconds)
        self._channel = str(uuid.uuid4())

    def send(self, batch: Sequence[Waiting]) -> Result:
        """Send as much of the batch as fits into one request."""
        result = Result()
        most, size, lines, sent = self._options.max_kb << 10, 0, [], []
        for each in batch:
            line = encode(self._envelope(each)).encode("ascii")
            if len(line) > most:
                result.refused[each.seq] = f"larger than max_kb ({len(line):,} bytes)"
                continue
            size += len(line)
            if size > most:
                break
            lines.append(line)
            sent.append(each)
        try:
            if sent:
                self._deliver(lines, sent, result)
        except Unavailable as gone:
            result.unavailable = gone
        return result

    def healthcheck(self) -> None:
        """The collector says that it is healthy."""
        judge(self._client.request("GET", f"{_PATH}/health", b"", self._headers()))

    def idle(self) -> None:
        """Close the connection."""
        self._client.close()

    def _envelope(self, each: Waiting) -> dict[str, Any]:
        document = each.document()
        envelope: dict[str, Any] = {
            "time": round(datetime.fromisoformat(document["time"]).timestamp(), 6),
            "host": document["host"],
            "source": self._options.source,
            "sourcetype": self._options.sourcetype,
            "event": self.document(each),
        }
        return envelope if self._options.index is None else {**envelope, "index": self._options.index}

    def _headers(self) -> dict[str, str]:
        try:
            place = secrets.located(self._options.token_file, self._options.token_credential)
            token = secrets.read_word(place)
        except secrets.SecretError as error:
            raise Unavailable(f"the token cannot be used: {error}") from None
        headers = {"Authorization": f"Splunk {token}", "Content-Type": "application/json"}
        if self._options.acknowledge:
            headers["X-Splunk-Request-Channel"] = self._channel
        return headers

    def _deliver(self, lines: Sequence[bytes], sent: Sequence[Waiting], result: Result) -> None:
        headers = self._headers()
        answer = self._client.request("POST", f"{_PATH}/event", b"\n".join(lines), headers)
        became = judge(answer)
        said = _object(answer)
        if became is None:
            if self._options.acknowledge:
                self._acknowledged(said, headers)
            result.delivered += [each.seq for each in sent]
        elif became == "refused":
            self._refused(answer, said, sent, result)
        else:
            result.failed[sent[0].seq] = _reason(answer, said)

    def _refused(self, answer: Answer, said: dict[str, Any], sent: Sequence[Waiting], result: Result) -> None:
        """A batch was not taken: because of the event that Splunk names, or of one that has to be found."""
        number = said.get("invalid-event-number")
        if isinstance(number, int) and 0 <= number < len(sent) and said.get("code") in _BAD_EVENT:
            result.refused[sent[number].seq] = _reason(answer, said)
        elif len(sent) == 1:
            result.refused[sent[0].seq] = _reason(answer, said)
        else:
            self._halve(sent, result)

    def _halve(self, sent: Sequence[Waiting], result: Result) -> None:
        half = len(sent) // 2
        for part in (sent[:half], sent[half:]):
            if result.failed:
                return  # the second half may hold later events of the same items
            lines = [encode(self._envelope(each)).encode("ascii") for each in part]
            self._deliver(lines, part, result)

    def _acknowledged(self, said: dict[str, Any], headers: dict[str, str]) -> None:
        """Wait until an indexer has the batch.

        Raises:
            Unavailable: it did not say so in time.
        """
        number = said.get("ackId")
        if not isinstance(number, int):
            raise Unavailable("acknowledge is set, but the token has no indexer acknowledgement")
        question = encode({"acks": [number]}).encode("ascii")
        ends = time.monotonic() + self._options.acknowledge_seconds
        while True:
            answer = self._client.request("POST", f"{_PATH}/ack", question, headers)
            judge(answer)
            acks = _object(answer).get("acks")
            if isinstance(acks, dict) and acks.get(str(number)) is True:
                return
            if time.monotonic() >= ends:
                raise Unavailable("no indexer acknowledged the batch in time")
            time.sleep(min(_ASK_EVERY, max(0.0, ends - time.monotonic())))


def _object(answer: Answer) -> dict[str, Any]:
    try:
        loaded = json.loads(answer.body)
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _reason(answer: Answer, said: dict[str, Any]) -> str:
    code = said.get("code")
    return f"HTTP {answer.status}" + (f", code {code}" if isinstance(code, int) else "")
