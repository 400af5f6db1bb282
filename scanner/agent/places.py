"""What lies at a place of a share now."""

# ruff: noqa: PTH116, PTH118 # names of files may be bytes that are not UTF-8, and pass unchanged

from __future__ import annotations

import os
import stat

from scanner.sources.identity import Signature, signature_of


def look(place: tuple[str, str]) -> Signature | None:
    """What a share and a path below it name; None where that is no file."""
    try:
        found = os.stat(os.path.join(*place))
    except (OSError, ValueError):
        return None
    return signature_of(found) if stat.S_ISREG(found.st_mode) else None


def within(path: str, folder: str) -> bool:
    """Whether an absolute path is a folder, or lies in it; a slash at the end of either changes nothing."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def covers(folder: str, path: str) -> bool:
    """Whether a path is a folder, or lies in it; the empty folder is the share."""
    return not folder or path == folder or path.startswith(f"{folder}/")
