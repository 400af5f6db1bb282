"""The register of findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its tables."""
    op.create_table(
        "findings",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("vendor", sa.String(256), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("updated_at", sa.String(32), nullable=False),
        sa.Column("resolved_at", sa.String(32)),
        sa.Column("until", sa.String(10)),
        sa.Column("accepted", sa.Text),
    )
    op.create_table(
        "finding_sites",
        sa.Column("finding", sa.String(20), primary_key=True),
        sa.Column("location", sa.Text, primary_key=True),
        sa.Column("member", sa.Text, primary_key=True),
        sa.Column("rank", sa.String(40), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_table(
        "finding_actions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("finding", sa.String(20), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("until", sa.String(10)),
    )
    op.create_index("findings_state", "findings", ["state", "vendor"])
    op.create_index("finding_sites_place", "finding_sites", ["location", "member"])
    op.create_index("finding_sites_rank", "finding_sites", ["finding", "rank"])
    op.create_index("finding_actions_finding", "finding_actions", ["finding"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("finding_actions")
    op.drop_table("finding_sites")
    op.drop_table("findings")
