"""Notices to case workers: each notice, each reader's state of it, the kinds a reader wants, and mails that wait."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "entry_notice",
        sa.Column("notice_id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("record_id", sa.String(36)),
        sa.Column("detail", sa.String(64), nullable=False),
        sa.Column("on_date", sa.Date),
        sa.Column("shown_from", sa.Date, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("ended_at", sa.DateTime),
    )
    op.create_index("ix_entry_notice_person_id", "entry_notice", ["person_id"])
    op.create_table(
        "entry_notice_state",
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("notice_id", sa.String(36), nullable=False),
        sa.Column("read_at", sa.DateTime),
        sa.Column("mailed_at", sa.DateTime),
        sa.PrimaryKeyConstraint("username", "notice_id"),
    )
    op.create_table(
        "entry_notice_choice",
        sa.Column("username", sa.String(64), primary_key=True),
        sa.Column("unwanted", sa.Text, nullable=False),
        sa.Column("chosen_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "entry_notice_mark",
        sa.Column("mark", sa.String(16), primary_key=True),
        sa.Column("publication", sa.String(128), nullable=False),
        sa.Column("judged_on", sa.Date, nullable=False),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("entries_until", sa.DateTime),
    )
    op.create_table(
        "entry_outbox",
        sa.Column("mail_id", sa.String(36), primary_key=True),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("made_on", sa.Date, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime, nullable=False),
        sa.Column("claimed_at", sa.DateTime),
        sa.Column("sent_at", sa.DateTime),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
