"""OpenSearch and Elasticsearch: bulk requests that create documents called by their event's id.

``create`` refuses an id that is there already (status 409): an event that is sent again is there once. Data
streams take nothing but ``create``. https://docs.opensearch.org/latest/api-reference/document-apis/bulk/
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from scanner.events import Waiting, encode
from scanner.sinks import secrets
from scanner.sinks.base import Common, Result, Sink, Unavailable
from scanner.sinks.http import Answer, HttpClient, HttpOptions, judge

_CONFLICT = 409
#: A document's own trouble that may pass: too much load, a shard that moves, a server's error.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
_TOO_LARGE = 413
# https://docs.opensearch.org/latest/api-reference/index-apis/create-index/#index-naming-restrictions
_INDEX = re.compile(r"[a-z0-9.][a-z0-9._+-]{0,254}")
_AUTHENTICATIONS = ("basic", "apikey")


@dataclass(frozen=True, slots=True)
class OpenSearchOptions(HttpOptions):
    """Settings of a search server.

    Attributes:
        url: of the server (``https://search.example.com:9200``); a path is kept before the index.
        index: index, alias or data stream.
        authentication: what the secret is: ``basic`` (``user:password``) or ``apikey``.
        secret_file: file of the secret; without one, none is sent.
        secret_credential: the same as a credential of systemd.
        max_kb: largest request in KiB.
    """

    index: str = "sharewatch"
    authentication: str = "basic"
    secret_file: str | None = None
    secret_credential: str | None = None
    max_kb: int = 4096

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the setting, and why."""
        found = HttpOptions.problems(self)
        if not _INDEX.fullmatch(self.index):
            found.append(("index", "must be lower-case letters, digits, '.', '_', '-' and '+'"))
        if self.authentication not in _AUTHENTICATIONS:
            found.append(("authentication", f"must be one of {', '.join(_AUTHENTICATIONS)}"))
        if self.secret_file is not None or self.secret_credential is not None:
            setting = "secret_file" if self.secret_credential is None else "secret_credential"
            found += secrets.problems(setting, self.secret_file, self.secret_credential)
        return found


class OpenSearchSink(Sink):
    """Creates a document for each event."""

    type = "opensearch"
    partial = True

    def __init__(self, common: Common, options: OpenSearchOptions) -> None:
        super().__init__(common)
        self._options = options
        self._client = HttpClient(options, common.timeout_seconds)
        self._base = self._client.path.rstrip("/")

    def send(self, batch: Sequence[Waiting]) -> Result:
        """Send as much of the batch as fits into one request."""
        result = Result()
        most, size, lines, sent = self._options.max_kb << 10, 0, [], []
        for each in batch:
            line = self._lines(each)
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
                self._deliver(b"".join(lines), sent, result)
        except Unavailable as gone:
            result.unavailable = gone
        return result

    def healthcheck(self) -> None:
        """The index is there or can be made: the server answers with anything but trouble."""
        judge(self._client.request("GET", f"{self._base}/", b"", self._headers()))

    def idle(self) -> None:
        """Close the connection."""
        self._client.close()

    def _lines(self, each: Waiting) -> bytes:
        document = self.document(each)
        # What data streams and dashboards look for.
        document["@timestamp"] = each.document()["time"]
        return f"{encode({'create': {'_id': each.id}})}\n{encode(document)}\n".encode("ascii")

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/x-ndjson"}
        options = self._options
        if options.secret_file is None and options.secret_credential is None:
            return headers
        try:
            secret = secrets.read_word(secrets.located(options.secret_file, options.secret_credential))
        except secrets.SecretError as error:
            raise Unavailable(f"the secret cannot be used: {error}") from None
        if options.authentication == "apikey":
            return {**headers, "Authorization": f"ApiKey {secret}"}
        return {**headers, "Authorization": f"Basic {base64.b64encode(secret.encode()).decode('ascii')}"}

    def _deliver(self, body: bytes, sent: Sequence[Waiting], result: Result) -> None:
        path = f"{self._base}/{quote(self._options.index)}/_bulk"
        answer = self._client.request("POST", path, body, self._headers())
        became = judge(answer)
        if became is None:
            self._each(answer, sent, result)
        elif answer.status == _TOO_LARGE and len(sent) > 1:
            half = len(sent) // 2
            for part in (sent[:half], sent[half:]):
                self._deliver(b"".join(self._lines(each) for each in part), part, result)
        elif became == "refused" and len(sent) > 1:
            # A request that is refused as a whole says nothing of its documents.
            raise Unavailable(f"HTTP {answer.status} to a bulk request")
        else:
            getattr(result, became)[sent[0].seq] = f"HTTP {answer.status}"

    def _each(self, answer: Answer, sent: Sequence[Waiting], result: Result) -> None:
        """What became of each document, by its id."""
        for_id = {each.id: each for each in sent}
        for identity, status, kind in _items(answer):
            each = for_id.pop(identity, None)
            if each is None:
                continue
            if 200 <= status < 300 or status == _CONFLICT:
                result.delivered.append(each.seq)
            elif status in _PASSING:
                result.failed[each.seq] = f"status {status} {kind}"
            else:
                result.refused[each.seq] = f"status {status} {kind}"
        if for_id:
            result.unavailable = Unavailable("the answer leaves out documents")


def _items(answer: Answer) -> list[tuple[str, int, str]]:
    """Id, status and kind of error of each document. The error's text is left: it may quote the document."""
    try:
        items = json.loads(answer.body)["items"]
        found = [next(iter(item.values())) for item in items]
        return [(str(each["_id"]), int(each["status"]), _kind(each)) for each in found]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        raise Unavailable("the answer is not that of a bulk request") from None


def _kind(item: dict[str, Any]) -> str:
    error = item.get("error")
    kind = error.get("type") if isinstance(error, dict) else ""
    return kind if isinstance(kind, str) and re.fullmatch(r"[a-z_]{1,80}", kind) else ""
