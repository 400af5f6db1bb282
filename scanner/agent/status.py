"""The status socket: whoever may open it is told how the agent does, as one JSON document.

A client may first send a word for something to be done, then it ends its side and reads the answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NAME = "agent.sock"
#: Longest path that a socket may have.
_LONGEST = 100
_PATIENCE = 5.0


class NotReadyError(RuntimeError):
    """An agent that has nothing to tell yet; the message says why, in words that quote nothing."""


def place(ledger: str) -> Path:
    """Where the socket lies: in the runtime folder, else beside the ledger."""
    folder = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if not folder and Path("/run/sharewatch").is_dir() and os.access("/run/sharewatch", os.W_OK | os.X_OK):
        folder = "/run/sharewatch"
    if folder:
        return Path(folder) / NAME
    return Path(f"{ledger}.sock") if "://" not in ledger else Path.home() / f".sharewatch-{NAME}"


class StatusSocket:
    """Answers every connection with what a function says; costs nothing while nobody asks.

    Args:
        path: where; what is left there by an agent that was killed is replaced.
        tell: gives the document; called from a thread of the socket's own.
        words: what else may be asked for; called likewise, before the document is given.
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[], dict[str, Any]],
        words: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        self._path, self._tell, self._words = path, tell, words or {}
        self._socket: socket.socket | None = None
        if len(os.fsencode(path)) > _LONGEST:
            return
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.bind(str(path))
            path.chmod(0o660)
            made.listen(4)
            self._socket = made
            threading.Thread(target=self._serve, name="status", daemon=True).start()

    def _serve(self) -> None:
        assert self._socket is not None
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.settimeout(_PATIENCE)
                asked = client.recv(_LONGEST).decode("ascii", "replace")
                try:
                    self._words.get(asked, _nothing)()
                    document = self._tell()
                except NotReadyError as error:
                    document = {"trouble": str(error)}
                except Exception as error:  # noqa: BLE001 # a status that cannot be told must not end the agent
                    document = {"trouble": type(error).__name__}
                client.sendall(json.dumps(document).encode())

    def close(self) -> None:
        """Stop answering."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._path.unlink(missing_ok=True)


def _nothing() -> None:
    """What an empty word asks for."""


def ask(path: Path, word: str = "") -> dict[str, Any]:
    """The agent's document, after something was done.

    Args:
        path: of the socket.
        word: ``retry`` has sinks tried at once that are down; empty for nothing.

    Raises:
        OSError: nobody answers, or whoever does cannot say: it is still starting, say.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_PATIENCE)
        client.connect(str(path))
        client.sendall(word.encode("ascii"))
        client.shutdown(socket.SHUT_WR)
        pieces = []
        while piece := client.recv(1 << 16):
            pieces.append(piece)
    document: dict[str, Any] = json.loads(b"".join(pieces) or b"{}")
    if document.keys() <= {"trouble"}:
        raise ConnectionError(f"the agent cannot say yet: {document.get('trouble', 'no answer')}")
    return document
