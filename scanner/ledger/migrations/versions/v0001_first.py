"""The first form of the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "meta",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "entries",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
    )
    op.create_table(
        "blobs",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "feeds",
        sa.Column("vendor", sa.String(256), primary_key=True),
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("vendor", sa.String(256), nullable=False),
        sa.Column("content", sa.String(80), nullable=False),
        sa.Column("feed", sa.String(20), nullable=False),
        sa.Column("format", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("gaps", sa.Integer, nullable=False),
        sa.Column("shape", sa.String(64), nullable=False),
        sa.Column("fields", sa.String(64), nullable=False),
        sa.Column("evidence", sa.String(64)),
        sa.Column("people", sa.String(64)),
        sa.Column("people_low", sa.BigInteger, nullable=False),
        sa.Column("people_best", sa.BigInteger, nullable=False),
        sa.Column("people_high", sa.BigInteger, nullable=False),
        sa.Column("rules_digest", sa.String(80), nullable=False),
        sa.Column("policy_digest", sa.String(80)),
        sa.Column("tag", sa.BigInteger, nullable=False),
        sa.Column("forgotten", sa.Integer, nullable=False),
        sa.UniqueConstraint("vendor", "content"),
    )
    op.create_table(
        "presences",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("vendor", sa.String(256), nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("member", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("first_seen", sa.String(32), nullable=False),
        sa.Column("last_seen", sa.String(32), nullable=False),
        sa.Column("gone", sa.String(32)),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.Float),
        sa.Column("device", sa.String(40), nullable=False),
        sa.Column("tag", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "fields",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("part_kind", sa.String(8), nullable=False),
        sa.Column("field", sa.Text),
        sa.Column("entity_type", sa.String(128), nullable=False),
        sa.Column("category", sa.String(128), nullable=False),
        sa.Column("form", sa.String(16), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("distinct_values", sa.BigInteger, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("hidden", sa.Integer, nullable=False),
    )
    op.create_table(
        "answers",
        sa.Column("question", sa.String(64), primary_key=True),
        sa.Column("vendor", sa.String(256), nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("presences_place", "presences", ["location", "member"])
    op.create_index("presences_time", "presences", ["vendor", "first_seen", "gone"])
    op.create_index("presences_version", "presences", ["version"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("answers")
    op.drop_table("fields")
    op.drop_table("presences")
    op.drop_table("versions")
    op.drop_table("feeds")
    op.drop_table("blobs")
    op.drop_table("entries")
    op.drop_table("meta")
