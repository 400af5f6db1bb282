"""What tests of the agent as a process share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.agent import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A share whose agent is ended, whatever comes."""
    made = Place(tmp_path / "p")
    yield made
    made.end()
