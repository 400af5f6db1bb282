"""Connections that a test's sinks hold are closed with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scanner.sinks.http import HttpClient


@pytest.fixture(autouse=True)
def _closed_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[HttpClient] = []
    original = HttpClient.__init__

    def noted(self: HttpClient, *args: Any, **more: Any) -> None:
        original(self, *args, **more)
        made.append(self)

    monkeypatch.setattr(HttpClient, "__init__", noted)
    yield
    for client in made:
        client.close()
