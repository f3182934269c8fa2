"""The words that DuckDB reserves, asked for once: its dialect opens a database for them at every question."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import duckdb_engine
from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer


@cache
def reserved_words() -> frozenset[str]:
    """PostgreSQL's words, and those that this version of DuckDB adds."""
    with duckdb.connect() as connection:
        rows = connection.execute("select keyword_name from duckdb_keywords() where keyword_category = 'reserved'")
        return frozenset(PGIdentifierPreparer.reserved_words) | {row[0] for row in rows.fetchall()}


class Preparer(duckdb_engine.DuckDBIdentifierPreparer):
    """Quotes names as the dialect does."""

    def __init__(self, dialect: Any, **named: Any) -> None:
        PGIdentifierPreparer.__init__(self, dialect, **named)
        self.reserved_words = set(reserved_words())


def install() -> None:
    """Let the dialect use it."""
    duckdb_engine.Dialect.preparer = Preparer
