"""The store: opening, the one writer, entries of the chain, encrypted blobs.

SQLite (WAL) by path, PostgreSQL by URL. Every write is one transaction that also appends one entry to the
chain: an HMAC over the entry and the one before it, under a key that is not in the database.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection as Connection  # users of the ledger name it without SQLAlchemy
from sqlalchemy import Engine, create_engine, event, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from scanner.ledger import schema
from scanner.ledger.keys import InstallationKey, LedgerKeyError, load

#: The form of the tables that this program writes: the newest revision in ``migrations/versions``.
#: What the database says where it cannot be read or written.
StoreError = SQLAlchemyError
HEAD = "0006"
FIRST_MAC = "0" * 64
_LOCK = 0x73686172  # "shar": PostgreSQL's advisory lock of the one writer
_ANCHOR_FIELDS = 2


#: Seconds to wait for a PostgreSQL server to answer, unless the URL's ``connect_timeout`` says otherwise.
_CONNECT_SECONDS = 10


class LedgerError(ValueError):
    """The ledger cannot be used. ``problems`` says why, a sentence each."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


class LedgerAway(LedgerError):  # noqa: N818 # a state
    """The ledger cannot be used now, and that may pass: a full disk, a server that is down."""


class LedgerBusy(LedgerError):  # noqa: N818 # a state
    """Another process is writing to the ledger."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that a transaction writes: its table's name and all its columns."""

    table: str
    values: Mapping[str, Any]


class Ledger:
    """An open ledger. Use `open_ledger`; close it, or use it as a context.

    Attributes:
        engine: SQLAlchemy's.
        key: the installation's.
    """

    def __init__(self, engine: Engine, key: InstallationKey, anchor: Path) -> None:
        self.engine = engine
        self.key = key
        self._chain = key.derive("chain")
        self._names = key.derive("blob names")
        self._cipher = AESGCM(key.derive("blobs"))
        self._anchor = anchor

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @property
    def people_secret(self) -> bytes:
        """The secret that people's keys are made with."""
        return self.key.derive("people")

    def digest(self, what: bytes, purpose: str = "content") -> str:
        """A keyed digest, 64 hex digits."""
        return hmac.digest(self._names, purpose.encode() + b"\0" + what, "sha256").hex()

    # -- reading --

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the ledger."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    def blob(self, connection: Connection, digest: str) -> bytes | None:
        """The content of a blob; None where it was forgotten.

        Raises:
            LedgerError: it was altered.
        """
        data = connection.execute(select(schema.blobs.c.data).where(schema.blobs.c.digest == digest)).scalar()
        return None if data is None else self.opened(digest, bytes(data))

    def blobs(self, connection: Connection, digests: Sequence[str]) -> dict[str, bytes]:
        """The contents of some blobs by name, without those that were forgotten.

        Raises:
            LedgerError: one was altered.
        """
        table = schema.blobs
        query = select(table.c.digest, table.c.data).where(table.c.digest.in_(digests))
        return {name: self.opened(name, bytes(data)) for name, data in connection.execute(query)}

    def opened(self, digest: str, data: bytes) -> bytes:
        """Decrypt a blob's stored bytes.

        Raises:
            LedgerError: they were altered.
        """
        from cryptography.exceptions import InvalidTag

        try:
            plain = self._cipher.decrypt(bytes.fromhex(digest)[:12], data, digest.encode())
        except InvalidTag:
            raise LedgerError(f"blob {digest[:12]}… does not open: it was altered") from None
        size = int.from_bytes(plain[:8], "little")
        return zstandard.ZstdDecompressor().decompress(plain[8:], max_output_size=size) if size else b""

    def sealed(self, content: bytes) -> tuple[str, bytes]:
        """The name of a content, and the bytes to store; the nonce is part of the content's keyed digest."""
        digest = self.digest(content, "blob")
        packed = zstandard.ZstdCompressor(level=3).compress(content) if content else b""
        plain = len(content).to_bytes(8, "little") + packed
        return digest, self._cipher.encrypt(bytes.fromhex(digest)[:12], plain, digest.encode())

    def answer_sealed(self, question: str, answer: str) -> bytes:
        """An answer that is kept: who has only the database can neither read nor alter it."""
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, answer.encode("utf-8"), question.encode())

    def answer_opened(self, question: str, data: bytes) -> str | None:
        """The answer again; None where it is not one to this question."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(data[:12], data[12:], question.encode()).decode("utf-8")
        except InvalidTag:
            return None

    def union_sealed(self, name: str, content: bytes) -> bytes:
        """A union of people that is kept, compressed and sealed like an answer."""
        nonce = os.urandom(12)
        packed = zstandard.ZstdCompressor(level=3).compress(content)
        plain = len(content).to_bytes(8, "little") + packed
        return nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def union_opened(self, name: str, data: bytes) -> bytes | None:
        """The union again; None where it is not what goes by this name."""
        from cryptography.exceptions import InvalidTag

        try:
            plain = self._cipher.decrypt(data[:12], data[12:], name.encode())
        except InvalidTag:
            return None
        size = int.from_bytes(plain[:8], "little")
        return zstandard.ZstdDecompressor().decompress(plain[8:], max_output_size=size)

    def mac(self, previous: str, seq: int, recorded_at: str, kind: str, body: str) -> str:
        """The HMAC of an entry, which covers the one before it."""
        message = json.dumps([previous, seq, recorded_at, kind, body], ensure_ascii=True).encode("ascii")
        return hmac.digest(self._chain, message, "sha256").hex()

    def anchored(self) -> tuple[int, str] | None:
        """Number and HMAC of the newest entry that was noted beside the key, None where none was."""
        try:
            words = self._anchor.read_text(encoding="ascii").split()
        except OSError:
            return None
        return (int(words[0]), words[1]) if len(words) == _ANCHOR_FIELDS and words[0].isdigit() else None

    def note_anchor(self, seq: int, mac: str) -> None:
        """Note the newest entry outside of the database, so that cutting off its end shows."""
        part = self._anchor.with_name(f"{self._anchor.name}.part")
        try:
            part.write_text(f"{seq} {mac}\n", encoding="ascii")
            part.replace(self._anchor)
        except OSError:
            # A read-only key folder: then only the chain itself can be verified.
            return


class Writer:
    """The one writer of a ledger. Every `write` is durable when it returns.

    Raises:
        LedgerBusy: another process is writing.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._lock = _locked(ledger.engine)
        self._connection = ledger.engine.connect()
        with self._connection.begin():
            last = self._connection.execute(
                select(schema.entries.c.seq, schema.entries.c.mac)
                .order_by(schema.entries.c.seq.desc())
                .limit(1)
            ).one_or_none()
        self._seq, self._mac = (0, FIRST_MAC) if last is None else (int(last.seq), str(last.mac))

    @property
    def connection(self) -> Connection:
        """The writer's own connection, for what it reads between its writes."""
        return self._connection

    @property
    def newest(self) -> int:
        """The number of the newest entry; 0 before the first."""
        return self._seq

    def close(self) -> None:
        """Let others write."""
        self._connection.close()
        self._lock()

    def write(
        self,
        kind: str,
        rows: Sequence[Row],
        *,
        blobs: Mapping[str, bytes] | None = None,
        also: Callable[[Connection], None] | None = None,
        note: Mapping[str, Any] | None = None,
    ) -> int:
        """Write rows and their entry in one transaction; gives the entry's number.

        Args:
            kind: what happened.
            rows: written by their tables' keys, over what is there.
            blobs: sealed bytes by digest; those already there are kept.
            also: further statements of the same transaction.
            note: what else the entry says.
        """
        seq, moment = self._seq + 1, stamp(datetime.now(UTC))
        body = canonical({"rows": [[row.table, dict(row.values)] for row in rows], **(note or {})})
        mac = self.ledger.mac(self._mac, seq, moment, kind, body)
        if self._connection.in_transaction():
            self._connection.rollback()
        with self._connection.begin():
            for digest, data in (blobs or {}).items():
                self._put_blob(digest, data)
            for row in rows:
                self._put(row)
            if also is not None:
                also(self._connection)
            self._connection.execute(
                insert(schema.entries).values(seq=seq, recorded_at=moment, kind=kind, body=body, mac=mac)
            )
        self._seq, self._mac = seq, mac
        self.ledger.note_anchor(seq, mac)
        return seq

    def _put_blob(self, digest: str, data: bytes) -> None:
        table = schema.blobs
        if self._connection.execute(select(table.c.digest).where(table.c.digest == digest)).first() is None:
            self._connection.execute(insert(table).values(digest=digest, data=data))

    def _put(self, row: Row) -> None:
        table, keys = schema.CHAINED[row.table]
        where = [table.c[key] == row.values[key] for key in keys]
        done = self._connection.execute(update(table).where(*where).values(**row.values))
        if not done.rowcount:
            self._connection.execute(insert(table).values(**row.values))


def canonical(value: Any) -> str:
    """JSON that is the same for the same value."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, which sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def shown(moment: str) -> str:
    """A stored time as reports show it: to the millisecond."""
    return f"{moment[:23]}Z"


def stored(name: str) -> str:
    r"""A name as a database takes it: bytes that are not UTF-8 and NUL as ``\xNN``."""
    data = name.encode("utf-8", "surrogateescape") if _has_escapes(name) else None
    clean = name if data is None else data.decode("utf-8", "backslashreplace")
    return clean.replace("\0", "\\x00")


def _has_escapes(name: str) -> bool:
    return any(0xD800 <= ord(char) <= 0xDFFF for char in name)


# -- opening -------------------------------------------------------------------------------------------------


def open_ledger(where: str, *, create: bool = False) -> Ledger:
    """Open a ledger, bringing its tables to the newest form.

    Args:
        where: a path (SQLite), or a URL ``postgresql://…`` or ``sqlite:///…``.
        create: whether a missing one, and a missing key, is made.

    Raises:
        LedgerError: it is not there, is no ledger, or was made by a newer version.
        LedgerAway: it cannot be reached or written now.
        LedgerKeyError: the installation's key is missing or not the one it was written under.
    """
    url, file = _url(where)
    if file is not None and not create and not file.exists():
        raise LedgerError(f"{file}: no such ledger")
    beside = file if file is not None else state_folder() / "ledger"
    if file is not None and create:
        _private_file(file)
    key = load(beside.with_name(beside.name + ".key"), create=create and not _has_data(file))
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            _migrate(connection, create=create)
            _check_key(connection, key)
    except SQLAlchemyError as error:
        engine.dispose()
        kind = LedgerAway if isinstance(error, OperationalError) else LedgerError
        raise kind(f"{_named(where)}: cannot be used: {_reason(error)}") from None
    except BaseException:
        engine.dispose()
        raise
    return Ledger(engine, key, beside.with_name(beside.name + ".head"))


def _url(where: str) -> tuple[str, Path | None]:
    if "://" not in where:
        file = Path(os.path.abspath(where))  # noqa: PTH100 # links stay as they are named
        return f"sqlite:///{file}", file
    url = make_url(where)
    if url.get_backend_name() == "sqlite" and url.database:
        return _url(url.database)
    if url.get_backend_name() != "postgresql":
        raise LedgerError(f"a ledger is a path or a postgresql:// URL, not {url.get_backend_name()}://")
    try:
        import psycopg  # noqa: F401 # only to say what is missing
    except ImportError:
        raise LedgerError("PostgreSQL needs the extra: pip install 'sharewatch[postgresql]'") from None
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False), None


def _named(where: str) -> str:
    return where if "://" not in where else make_url(where).render_as_string(hide_password=True)


def _reason(error: SQLAlchemyError) -> str:
    inner = getattr(error, "orig", None)
    return str(inner or type(error).__name__).splitlines()[0]


def state_folder() -> Path:
    """Where the system wants what a program keeps: the service manager's folder, else the account's."""
    folder = os.environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if folder:
        return Path(folder)
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "sharewatch"


def _private_file(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _has_data(file: Path | None) -> bool:
    """Whether a ledger is there already: its key is never replaced by a new one."""
    return file is not None and file.exists() and file.stat().st_size > 0


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        # The server's own default is to wait for as long as the system does: minutes.
        patience = {} if "connect_timeout=" in url else {"connect_timeout": _CONNECT_SECONDS}
        return create_engine(url, pool_pre_ping=True, connect_args=patience)
    engine = create_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # What was acknowledged stays even if the power fails; readers never wait for the writer.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


def _migrate(connection: Connection, *, create: bool) -> None:
    known = inspect(connection).has_table("alembic_version")
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if known else None
    connection.rollback()
    if found == HEAD:
        return
    if found is None and not create:
        raise LedgerError("is no ledger of sharewatch")
    if found is None and not inspect(connection).get_table_names():
        _made(connection)
        return
    connection.rollback()
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "scanner.ledger:migrations")
    config.set_main_option("path_separator", "os")
    if found is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(found)
        except CommandError:
            raise LedgerError(f"was written by a newer sharewatch (form {found})") from None
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK + 1})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _made(connection: Connection) -> None:
    """Make the tables in their newest form; a test holds them to what the migrations make.

    Alembic alone takes as long to import as a small scan takes.
    """
    connection.rollback()
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK + 1})
        known = inspect(connection).has_table("alembic_version")
        if not known:
            schema.metadata.create_all(connection)
            schema.form.create(connection)
            connection.execute(insert(schema.form).values(version_num=HEAD))


def _check_key(connection: Connection, key: InstallationKey) -> None:
    table = schema.meta
    with connection.begin():
        known = connection.execute(select(table.c.value).where(table.c.name == "key")).scalar()
        if known is None:
            connection.execute(insert(table).values(name="key", value=key.check))
            return
    if not hmac.compare_digest(str(known), key.check):
        raise LedgerKeyError(f"{key.source}: is not the key that this ledger was written under")


def _locked(engine: Engine) -> Callable[[], None]:
    """Be the one writer; gives what lets go of it."""
    busy = LedgerBusy("another process is writing to this ledger; one writer at a time")
    if engine.dialect.name == "sqlite":
        return _locked_file(Path(str(engine.url.database) + ".lock"), busy)
    connection = engine.connect()
    taken = connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _LOCK}).scalar()
    connection.commit()
    if not taken:
        connection.close()
        raise busy

    def free() -> None:
        # Where the server is gone, so is the lock.
        with contextlib.suppress(StoreError):
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.close()

    return free


def _locked_file(path: Path, busy: LedgerBusy) -> Callable[[], None]:
    import fcntl

    stream: IO[bytes] = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600), "r+b")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        raise busy from None
    return stream.close


def content_tag(digest: str) -> int:
    """45 bits of a keyed digest: their sum tells sets of versions apart."""
    return int(digest[:12], 16) >> 3


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()
