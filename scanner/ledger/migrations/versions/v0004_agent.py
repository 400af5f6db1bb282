"""What the agent keeps: known files, the queue, facts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its tables."""
    op.create_table(
        "agent_files",
        sa.Column("share", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("device", sa.BigInteger, nullable=False),
        sa.Column("inode", sa.BigInteger, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("mtime_ns", sa.BigInteger, nullable=False),
        sa.Column("ctime_ns", sa.BigInteger, nullable=False),
        sa.Column("links", sa.BigInteger, nullable=False),
        sa.Column("scanned", sa.Float, nullable=False),
        sa.Column("rules", sa.String(80), nullable=False),
    )
    op.create_table(
        "agent_queue",
        sa.Column("share", sa.Text, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("due", sa.Float, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_table(
        "agent_facts",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("agent_files_scanned", "agent_files", ["scanned"])
    op.create_index("agent_queue_order", "agent_queue", ["kind", "since"])
    op.create_index("agent_queue_due", "agent_queue", ["due"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("agent_facts")
    op.drop_table("agent_queue")
    op.drop_table("agent_files")
