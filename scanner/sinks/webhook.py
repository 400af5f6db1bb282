"""The webhook: one POST for each event, signed as https://www.standardwebhooks.com has it.

Headers: ``webhook-id`` (the event's id, which is the idempotency key), ``webhook-timestamp`` and
``webhook-signature``: HMAC-SHA256 of ``id.timestamp.body``, in base64 after ``v1,``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.events import Waiting
from scanner.sinks import secrets
from scanner.sinks.base import Common, Result, Sink, Unavailable
from scanner.sinks.http import HttpClient, HttpOptions, judge

_PREFIX = "whsec_"
#: Shorter keys can be guessed.
_SHORTEST_KEY = 16


@dataclass(frozen=True, slots=True)
class WebhookOptions(HttpOptions):
    """Settings of a webhook.

    Attributes:
        secret_file: file of the key. ``whsec_`` and base64, or any text; several lines are several keys, each
            of which signs, so that a receiver can change from one to the next.
        secret_credential: the same as a credential of systemd.
        max_kb: largest body in KiB; an event over it becomes a dead letter.
    """

    secret_file: str | None = None
    secret_credential: str | None = None
    max_kb: int = 1024

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the setting, and why."""
        found = HttpOptions.problems(self)
        try:
            keys(secrets.read(secrets.located(self.secret_file, self.secret_credential)))
        except secrets.SecretError as error:
            setting = "secret_file" if self.secret_credential is None else "secret_credential"
            found.append((setting, str(error)))
        return found


def keys(text: str) -> list[bytes]:
    """The keys of a secret's text, one a line.

    Raises:
        SecretError: one is not base64 though it says so, or is too short.
    """
    found = []
    for line in text.split():
        try:
            key = (
                base64.b64decode(line[len(_PREFIX) :], validate=True)
                if line.startswith(_PREFIX)
                else line.encode()
            )
        except binascii.Error:
            raise secrets.SecretError("a key that begins with whsec_ goes on in base64") from None
        if len(key) < _SHORTEST_KEY:
            raise secrets.SecretError(f"a key needs at least {_SHORTEST_KEY} bytes")
        found.append(key)
    return found


def signature(signing: Sequence[bytes], event_id: str, timestamp: int, body: bytes) -> str:
    """The header's value: a signature for each key, with spaces between."""
    message = f"{event_id}.{timestamp}.".encode("ascii") + body
    made = (base64.b64encode(hmac.digest(key, message, "sha256")).decode("ascii") for key in signing)
    return " ".join(f"v1,{each}" for each in made)


class WebhookSink(Sink):
    """Posts events, one after the other, over one connection."""

    type = "webhook"

    def __init__(self, common: Common, options: WebhookOptions) -> None:
        super().__init__(common)
        self._options = options
        self._client = HttpClient(options, common.timeout_seconds)

    def send(self, batch: Sequence[Waiting]) -> Result:
        """Post each, up to the first that the server could not take."""
        result = Result()
        signing = self._keys()
        for each in batch:
            try:
                self._one(each, signing, result)
            except Unavailable as gone:
                result.unavailable = gone
                break
            if result.failed:
                break
        return result

    def healthcheck(self) -> None:
        """The server accepts a connection; a HEAD request changes nothing whatever it answers."""
        self._keys()
        self._client.request("HEAD", self._client.path, b"", {})

    def idle(self) -> None:
        """Close the connection."""
        self._client.close()

    def _keys(self) -> list[bytes]:
        try:
            return keys(
                secrets.read(secrets.located(self._options.secret_file, self._options.secret_credential))
            )
        except secrets.SecretError as error:
            raise Unavailable(f"the secret cannot be used: {error}") from None

    def _one(self, each: Waiting, signing: Sequence[bytes], result: Result) -> None:
        body = self.text(each).encode("ascii")
        if len(body) > self._options.max_kb << 10:
            result.refused[each.seq] = f"larger than max_kb ({len(body):,} bytes)"
            return
        now = int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": each.id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(signing, each.id, now, body),
            "Idempotency-Key": each.id,
        }
        answer = self._client.request("POST", self._client.path, body, headers)
        became = judge(answer)
        if became is None:
            result.delivered.append(each.seq)
        else:
            getattr(result, became)[each.seq] = f"HTTP {answer.status}"
