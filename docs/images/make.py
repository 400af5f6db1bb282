"""Draw `demo.svg`: the beginning of the demo's report, as a terminal shows it.

python docs/images/make.py
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

COLUMNS, LINES = 96, 44
COMMAND = [sys.executable, "-c", "from scanner.surfaces.cli import main; main()", "demo"]


def on_a_terminal(command: list[str]) -> str:
    """What a command writes where its standard output is a terminal; its progress is left out."""
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    child = os.fork()
    if child == 0:
        os.dup2(side, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
        os.execve(command[0], command, environment)  # noqa: S606 # the interpreter that runs this
    os.close(side)
    written = bytearray()
    while True:
        try:
            block = os.read(main, 65_536)
        except OSError:  # a terminal whose other side was closed
            break
        if not block:
            break
        written += block
    os.waitpid(child, 0)
    return written.decode().replace("\r\n", "\n")


def drawn(text: str) -> str:
    """The first lines as SVG, in whatever fixed-width font there is."""
    from rich.console import Console
    from rich.text import Text

    lines = text.splitlines()
    while not lines[LINES - 1].strip():
        lines.pop(LINES - 1)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi("\n".join([*lines[:LINES], "…"])))
    svg = console.export_svg(title="sharewatch demo", unique_id="demo")
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    Path(__file__).with_name("demo.svg").write_text(drawn(on_a_terminal(COMMAND)), encoding="utf-8")
