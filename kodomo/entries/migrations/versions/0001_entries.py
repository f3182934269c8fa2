"""Entries with their versions, determinations, accesses, and what runs made of entries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "entry_version",
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(64)),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("is_deleted", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("entered_by", sa.String(64), nullable=False),
        sa.Column("entered_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "version"),
    )
    op.create_index("ix_entry_version_form", "entry_version", ["form"])
    op.create_index("ix_entry_version_person_id", "entry_version", ["person_id"])
    op.create_table(
        "entry_determination",
        sa.Column("determination_id", sa.String(36), primary_key=True),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("as_of_on", sa.Date, nullable=False),
        sa.Column("publication", sa.String(128), nullable=False),
        sa.Column("heard", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("determined_by", sa.String(64), nullable=False),
        sa.Column("determined_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_entry_determination_person_id", "entry_determination", ["person_id"])
    op.create_table(
        "entry_access",
        sa.Column("access_id", sa.String(36), primary_key=True),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("purpose", sa.Text),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("happened_at", sa.DateTime, nullable=False),
    )
    op.create_index("ix_entry_access_username", "entry_access", ["username"])
    op.create_table(
        "entry_effect",
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("run_id", sa.String(128), nullable=False),
        sa.Column("happened_at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("record_id", "version"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("entry_effect", "entry_access", "entry_determination", "entry_version"):
        op.drop_table(table)
