"""What tells that a vendor's files undo each other's digests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "undoing",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("vendor", sa.String(256), nullable=False),
        sa.Column("hashed", sa.String(64), nullable=True),
        sa.Column("probes", sa.String(64), nullable=True),
    )
    op.create_index("undoing_hashed", "undoing", ["vendor", "hashed"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("undoing")
