"""Alembic's environment for the entries database: the engine is given by the store."""

from __future__ import annotations

from alembic import context

from kodomo.entries.store import VERSION_TABLE, metadata

with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        # Superset's own tables may be in the same database.
        include_object=lambda _object, name, kind, *_: kind != "table" or name in metadata.tables,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
