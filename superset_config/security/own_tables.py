"""Tables of this project beside Superset's own, in its metadata: made when the application starts."""

from __future__ import annotations

import contextlib
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

metadata = sa.MetaData()
grants = sa.Table(
    "kodomo_grant",
    metadata,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("terms", sa.String(64), nullable=False),
    sa.Column("from_on", sa.Date),
    sa.Column("until_on", sa.Date),
)
factors = sa.Table(
    "kodomo_factor",
    metadata,
    sa.Column("username", sa.String(64), primary_key=True),
    sa.Column("secret", sa.String(255), nullable=False),
    sa.Column("mark", sa.String(32), nullable=False),
    sa.Column("last_step", sa.Integer),
    sa.Column("confirmed_at", sa.DateTime),
    sa.Column("recovery", sa.Text, nullable=False),
)


def install(_app: Any) -> None:
    """Make the tables, where Superset's are there."""
    from superset import db

    if sa.inspect(db.engine).has_table("ab_user"):
        # Of two workers that start at once, one comes second.
        with contextlib.suppress(SQLAlchemyError):
            metadata.create_all(db.engine)
