"""The outbox: events that wait for their receivers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "outbox",
        sa.Column("seq", number, primary_key=True),
        sa.Column("id", sa.String(128), nullable=False, unique=True),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "outbox_deliveries",
        sa.Column("sink", sa.String(64), primary_key=True),
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        sa.Column("item", sa.Text, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "outbox_sinks",
        sa.Column("sink", sa.String(64), primary_key=True),
        sa.Column("pending", sa.BigInteger, nullable=False),
        sa.Column("shed", sa.BigInteger, nullable=False),
        sa.Column("full", sa.Integer, nullable=False),
    )
    op.create_index("outbox_deliveries_item", "outbox_deliveries", ["sink", "item", "seq"])
    op.create_index("outbox_deliveries_state", "outbox_deliveries", ["sink", "state", "seq"])
    op.create_index("outbox_deliveries_seq", "outbox_deliveries", ["seq"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("outbox_sinks")
    op.drop_table("outbox_deliveries")
    op.drop_table("outbox")
