"""What some tests need of the machine: there in continuous integration, told by name anywhere else."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str, install: str) -> NoReturn:
    """End a test that cannot run here: failed in continuous integration, else skipped and told what to do."""
    message = f"{what} is not installed; {install}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
