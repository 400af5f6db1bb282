"""The ledger's database as the agent meets it: opened with a check, and set aside where it is damaged."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from pathlib import Path

from scanner.ledger.store import Ledger, LedgerAway, LedgerError, StoreError, open_ledger

#: What SQLite says of a file that is damaged.
_DAMAGED = ("malformed", "not a database", "corrupt")
#: What a file system says that cannot be written for a while.
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


class StoreBroken(Exception):  # noqa: N818 # a state
    """The ledger's database is damaged: set it aside and begin anew."""


class StoreLost(Exception):  # noqa: N818 # a state
    """The connection to the database's server is gone, and the right to be its one writer with it."""


def may_pass(error: Exception) -> bool:
    """Whether what kept a ledger from being used may be over without anybody mending the configuration."""
    if isinstance(error, OSError):
        return error.errno in _PASSING
    return isinstance(error, (LedgerAway, StoreError, StoreLost))


def says_damaged(text: str) -> bool:
    """Whether a database's message is about damage, and not about what passes."""
    return any(word in text for word in _DAMAGED)


def is_file(where: str) -> bool:
    """Whether a ledger is a file, and not a server's."""
    return not where.startswith("postgresql")


def opened(where: str) -> Ledger:
    """The ledger, made where there is none.

    Raises:
        StoreBroken: it is damaged.
        LedgerAway: it cannot be used now.
        LedgerError: it cannot be opened for another reason.
    """
    try:
        ledger = open_ledger(where, create=True)
    except LedgerError as error:
        if is_file(where) and (says_damaged(str(error)) or "DatabaseError" in str(error)):
            raise StoreBroken(str(error)) from None
        raise
    if ledger.engine.dialect.name == "sqlite":
        with ledger.reading() as connection:
            try:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
            except StoreError as error:
                found = type(error).__name__
        if found != "ok":
            ledger.close()
            raise StoreBroken("its check failed")
    return ledger


def set_aside(where: str) -> Path:
    """Rename a damaged ledger's files; its key stays, so that people's keys are the same ones."""
    file = Path(where.removeprefix("sqlite:///"))
    mark = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = file.with_name(f"{file.name}.damaged-{mark}")
    for end in ("-wal", "-shm", ".head", ""):
        source = Path(f"{file}{end}")
        if source.exists():
            source.rename(f"{target}{end}")
    return target
