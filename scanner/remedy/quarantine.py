"""Deliveries out of a vendor's reach, with a note where they lay, and back again as they were.

The record is written first and says where a file belongs and what it holds; so a move that was cut off in the
middle is finished, either way, by asking for it again. Records and notes hold paths and reasons, never
values.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from scanner.remedy import moves
from scanner.remedy.faults import RemedyError

#: Where quarantined files go by default, beside what they are taken from.
FOLDER = ".sharewatch-quarantine"
#: Ending of the note that lies in a file's stead.
NOTE = ".quarantined.txt"
_RECORD = "record.json"
_HELD = "file"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Record:
    """Where a quarantined file belongs.

    Attributes:
        id: name of its folder in quarantine.
        path: where it lay, absolute.
        sha256: of its bytes.
        mode, uid, gid, mtime_ns: as it had them.
        reason: why it was taken, free of values.
        at: when, RFC 3339.
        version: of this record's form.
    """

    id: str
    path: str
    sha256: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    reason: str
    at: str
    version: int = _VERSION


def take(file: Path, store: Path, reason: str) -> Record:
    """Move a file into quarantine and leave a note.

    Args:
        file: a plain file; neither it nor what it lies in directly may be a link.
        store: the quarantine's folder, made with mode 0700 where there is none.
        reason: for whoever looks for the file.

    Raises:
        RemedyError: it is no plain file, or changes meanwhile.
        OSError: it cannot be moved.
    """
    file = Path(os.path.abspath(file))  # noqa: PTH100 # links must stay to be seen
    if file.parent.is_symlink():
        raise RemedyError(f"{file.parent} is a link; links are not followed")
    sha256 = moves.digest(file)
    state = os.lstat(file)
    store.mkdir(parents=True, exist_ok=True, mode=0o700)
    record = Record(
        id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
        path=str(file),
        sha256=sha256,
        mode=stat.S_IMODE(state.st_mode),
        uid=state.st_uid,
        gid=state.st_gid,
        mtime_ns=state.st_mtime_ns,
        reason=reason,
        at=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    folder = store / record.id
    folder.mkdir(mode=0o700)
    try:
        moves.write_new(folder / _RECORD, json.dumps(asdict(record), indent=1) + "\n", 0o600)
        moves.move(file, folder / _HELD, sha256)
    except BaseException:
        if not (folder / _HELD).exists():
            (folder / _RECORD).unlink(missing_ok=True)
            folder.rmdir()
        raise
    _leave_note(file, record)
    return record


def _leave_note(file: Path, record: Record) -> None:
    note = file.with_name(file.name + NOTE)
    text = (
        f"{file.name} was taken out of this folder on {record.at}: {record.reason}\n"
        f"It is kept as {record.id}. Whoever answers for this share can put it back:\n"
        f"  sharewatch release {record.id}\n"
    )
    try:
        moves.write_new(note, text, 0o644)
    except RemedyError:
        # A note of an earlier delivery of the same name says what matters as well.
        return


def records(store: Path) -> list[Record]:
    """All that is in quarantine, oldest first.

    Raises:
        RemedyError: a record is damaged.
    """
    if not store.is_dir():
        return []
    found = [folder for folder in sorted(store.iterdir()) if (folder / _RECORD).is_file()]
    return [read(folder.name, store) for folder in found]


def read(record_id: str, store: Path) -> Record:
    """One record.

    Raises:
        RemedyError: there is none of that id, or it is damaged.
    """
    if "/" in record_id or record_id in ("", ".", ".."):
        raise RemedyError(f"{record_id!r} is no id of a file in quarantine")
    try:
        given = json.loads((store / record_id / _RECORD).read_text(encoding="utf-8"))
        record = Record(**given)
    except FileNotFoundError:
        raise RemedyError(f"nothing is kept as {record_id!r} in {store}") from None
    except (ValueError, TypeError):
        raise RemedyError(f"the record of {record_id!r} is damaged") from None
    if record.version != _VERSION or record.id != record_id:
        raise RemedyError(f"the record of {record_id!r} is of another version, or another file's")
    return record


def release(record_id: str, store: Path) -> Record:
    """Put a file back where it lay, with the mode, owner and time it had.

    A move that was cut off before is finished.

    Raises:
        RemedyError: there is no such file, its place is taken, or it is not what was taken.
        OSError: it cannot be moved.
    """
    record = read(record_id, store)
    folder, target = store / record_id, Path(record.path)
    held = folder / _HELD
    if held.exists():
        if target.parent.is_symlink():
            raise RemedyError(f"{target.parent} is a link; links are not followed")
        if not _is(target, record):
            target.parent.mkdir(parents=True, exist_ok=True)
            moves.move(held, target, record.sha256, like=_like(held, record))
        else:
            held.unlink()
    elif not _is(target, record):
        raise RemedyError(f"neither quarantine nor {target} holds the file that was taken")
    target.with_name(target.name + NOTE).unlink(missing_ok=True)
    (folder / _RECORD).unlink()
    folder.rmdir()
    return record


def _is(path: Path, record: Record) -> bool:
    """Whether a file lies there that holds what was taken."""
    return path.is_file() and not path.is_symlink() and moves.digest(path) == record.sha256


def _like(held: Path, record: Record) -> os.stat_result:
    state = list(os.lstat(held))
    state[stat.ST_MODE] = stat.S_IFREG | record.mode
    state[stat.ST_UID], state[stat.ST_GID] = record.uid, record.gid
    nanoseconds = {"st_atime_ns": record.mtime_ns, "st_mtime_ns": record.mtime_ns}
    return os.stat_result(state, nanoseconds)
