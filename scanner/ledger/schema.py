"""The tables. They change by migrations only (``migrations/versions``); a test holds the two together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

#: Alembic's own: the newest migration that the tables have.
form = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

#: Facts of the ledger itself: its id, the check value of its key.
meta = Table(
    "meta", metadata, Column("name", String(64), primary_key=True), Column("value", Text, nullable=False)
)

#: The chain: one entry for each transaction, with the rows that it wrote.
entries = Table(
    "entries",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("recorded_at", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Column("mac", String(64), nullable=False),
)

#: Sketches, key sets and evidence: compressed, encrypted, called by a keyed digest of their content.
blobs = Table(
    "blobs",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

#: Deliveries of one schema to one vendor.
feeds = Table(
    "feeds",
    metadata,
    Column("vendor", String(256), primary_key=True),
    Column("id", String(20), primary_key=True),
    Column("name", Text, nullable=False),
)

#: One content that one vendor had: a file or a member, by its SHA-256.
versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("vendor", String(256), nullable=False),
    Column("content", String(80), nullable=False),
    Column("feed", String(20), nullable=False),
    Column("format", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("shape", String(64), nullable=False),
    Column("fields", String(64), nullable=False),
    Column("evidence", String(64)),
    Column("people", String(64)),
    Column("people_low", BigInteger, nullable=False),
    Column("people_best", BigInteger, nullable=False),
    Column("people_high", BigInteger, nullable=False),
    Column("rules_digest", String(80), nullable=False),
    Column("policy_digest", String(80)),
    Column("tag", BigInteger, nullable=False),
    Column("forgotten", Integer, nullable=False),
    UniqueConstraint("vendor", "content"),
)

#: Where a version lay, from when until when. ``gone`` is null while it is there.
presences = Table(
    "presences",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("vendor", String(256), nullable=False),
    Column("location", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("first_seen", String(32), nullable=False),
    Column("last_seen", String(32), nullable=False),
    Column("gone", String(32)),
    Column("size", BigInteger, nullable=False),
    Column("modified", Float),
    Column("device", String(40), nullable=False),
    Column("tag", BigInteger, nullable=False),
    Index("presences_place", "location", "member"),
    Index("presences_time", "vendor", "first_seen", "gone"),
    Index("presences_version", "version"),
)

#: What was found in a version's fields: one row for each part, column, entity type and form.
fields = Table(
    "fields",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("part", Text, nullable=False),
    Column("part_kind", String(8), nullable=False),
    Column("field", Text),
    Column("entity_type", String(128), nullable=False),
    Column("category", String(128), nullable=False),
    Column("form", String(16), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("distinct_values", BigInteger, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("hidden", Integer, nullable=False),
)

#: Of versions with digests, or with clear values: what digests there are, and what digests of the values are
#: (blobs, see `scanner.ledger.undoing`). Null where there is none, or it was forgotten.
undoing = Table(
    "undoing",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("vendor", String(256), nullable=False),
    Column("hashed", String(64)),
    Column("probes", String(64)),
    Index("undoing_hashed", "vendor", "hashed"),
)

#: Findings: each with its state, and as it is at its worst place (JSON, no personal value).
findings = Table(
    "findings",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("vendor", String(256), nullable=False),
    Column("state", String(16), nullable=False),
    Column("data", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False),
    Column("resolved_at", String(32)),
    Column("until", String(10)),
    Column("accepted", Text),
    Index("findings_state", "state", "vendor"),
)

#: Where findings are: a file's path and the member inside of it.
finding_sites = Table(
    "finding_sites",
    metadata,
    Column("finding", String(20), primary_key=True),
    Column("location", Text, primary_key=True),
    Column("member", Text, primary_key=True),
    Column("rank", String(40), nullable=False),
    Column("data", Text, nullable=False),
    Index("finding_sites_place", "location", "member"),
    Index("finding_sites_rank", "finding", "rank"),
)

#: What people decided about findings. Never changed, only added to.
finding_actions = Table(
    "finding_actions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("finding", String(20), nullable=False),
    Column("at", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("what", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Column("until", String(10)),
    Index("finding_actions_finding", "finding"),
)

#: Files that the agent knows, as they were when they were scanned. ``key`` is the path's bytes.
agent_files = Table(
    "agent_files",
    metadata,
    Column("share", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("device", BigInteger, nullable=False),
    Column("inode", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger, nullable=False),
    Column("links", BigInteger, nullable=False),
    Column("scanned", Float, nullable=False),
    Column("rules", String(80), nullable=False),
    Index("agent_files_scanned", "scanned"),
)

#: Files that wait to be scanned.
agent_queue = Table(
    "agent_queue",
    metadata,
    Column("share", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("kind", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("since", Float, nullable=False),
    Column("due", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Index("agent_queue_order", "kind", "since"),
    Index("agent_queue_due", "due"),
)

#: Members of files that are being scanned whose outcomes are recorded already (`scanner.ledger.progress`).
agent_progress = Table(
    "agent_progress",
    metadata,
    Column("share", Text, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("member", Text, nullable=False),
    Column("incomplete", Integer, nullable=False),
    Column("because", Text, nullable=True),
    Column("binding", String(64), nullable=False),
)

#: Facts of the agent: mounts, what was in force last.
agent_facts = Table(
    "agent_facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

#: Answers that were computed before, by a digest of the question and the state it was asked of.
answers = Table(
    "answers",
    metadata,
    Column("question", String(64), primary_key=True),
    Column("vendor", String(256), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

#: Events that still wait for a receiver (`scanner.ledger.outbox`); not in the chain, it is no account.
outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("event", String(32), nullable=False),
    Column("item", Text, nullable=False),
    Column("since", String(32), nullable=False),
    Column("payload", Text, nullable=False),
    sqlite_autoincrement=True,
)

#: One row for each receiver that an event has to reach: waiting (state 0) or given up (1).
outbox_deliveries = Table(
    "outbox_deliveries",
    metadata,
    Column("sink", String(64), primary_key=True),
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("item", Text, nullable=False),
    Column("state", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Index("outbox_deliveries_item", "sink", "item", "seq"),
    Index("outbox_deliveries_state", "sink", "state", "seq"),
    Index("outbox_deliveries_seq", "seq"),
)

#: Counts of each receiver: what waits, what a full outbox left out, whether it is full.
outbox_sinks = Table(
    "outbox_sinks",
    metadata,
    Column("sink", String(64), primary_key=True),
    Column("pending", BigInteger, nullable=False),
    Column("shed", BigInteger, nullable=False),
    Column("full", Integer, nullable=False),
)

#: Tables whose rows are in the chain, and their keys.
CHAINED: dict[str, tuple[Table, tuple[str, ...]]] = {
    "feeds": (feeds, ("vendor", "id")),
    "versions": (versions, ("id",)),
    "presences": (presences, ("id",)),
    "undoing": (undoing, ("version",)),
    "finding_actions": (finding_actions, ("id",)),
}
