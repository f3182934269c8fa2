"""Who was on a saved list when a scope last saw it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "entry_seen_list",
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("scope", sa.String(255), nullable=False),
        sa.Column("publication", sa.String(128), nullable=False),
        sa.Column("person_ids", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "scope", "publication"),
    )
