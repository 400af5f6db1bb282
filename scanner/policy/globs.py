"""Path patterns: ``**`` any folders, ``*`` and ``?`` within a name, ``[..]`` sets. Case matters."""

from __future__ import annotations

import re
from functools import lru_cache


def matches(path: str, pattern: str) -> bool:
    """Whether a path (``/`` between its parts) matches; a folder's pattern covers all that is below."""
    return _compiled(pattern).fullmatch(path.lstrip("/")) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = pattern.strip("/").split("/")
    out = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
        else:
            out.append(_part(part) + ("(?:/.*)?" if last else "/"))
    return re.compile("".join(out), re.DOTALL)


def _part(part: str) -> str:
    out, position = [], 0
    while position < len(part):
        char = part[position]
        closing = part.find("]", position + 2) if char == "[" else -1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif closing > 0:
            inside = part[position + 1 : closing].replace("\\", r"\\").replace("[", r"\[")
            out.append("[" + ("^" + inside[1:] if inside.startswith("!") else inside) + "]")
            position = closing
        else:
            out.append(re.escape(char))
        position += 1
    return "".join(out)
