"""What changed the definition in force: approvals, retirements and imports, each with person, date and reason."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "entry_definition",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("definition_hash", sa.String(64), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("model_version", sa.String(64)),
        sa.Column("status", sa.String(16)),
        sa.Column("on_date", sa.Date),
        sa.Column("draft_id", sa.String(36)),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("entered_by", sa.String(64), nullable=False),
        sa.Column("entered_at", sa.DateTime, nullable=False),
    )
