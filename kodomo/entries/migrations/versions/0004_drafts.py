"""Drafts of the risk definition: versions, and the rows that each version writes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "entry_draft_version",
        sa.Column("draft_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("base_version", sa.String(64), nullable=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("comment", sa.Text),
        sa.Column("entered_by", sa.String(64), nullable=False),
        sa.Column("entered_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("draft_id", "version"),
    )
    op.create_table(
        "entry_draft_row",
        sa.Column("draft_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("table_name", sa.String(64), nullable=False),
        sa.Column("row_key", sa.String(512), nullable=False),
        sa.Column("content", sa.Text),
        sa.PrimaryKeyConstraint("draft_id", "version", "table_name", "row_key"),
    )
