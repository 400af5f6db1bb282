"""What the commands share: where reports are written to."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from scanner.surfaces.common import atomic_file


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    output = tmp_path / "report"

    def half() -> None:
        with atomic_file(output) as stream:
            stream.write(b"half of it")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        half()
    assert list(tmp_path.iterdir()) == []
    with atomic_file(output) as stream:
        stream.write(b"all of it")
    assert output.read_bytes() == b"all of it"
    assert stat.S_IMODE(output.stat().st_mode) == 0o600


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    """The same goes for devices: nothing takes their place."""
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    with atomic_file(pipe) as stream:
        stream.write(b"all of it")
    reader.join(10)
    assert found == [b"all of it"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
