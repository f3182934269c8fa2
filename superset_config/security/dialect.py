"""DuckDB's dialect for the files of scopes: the words that DuckDB reserves are asked for once in a process."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import duckdb_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer

NAME = "duckdb.kodomo"
"""What the dialect is registered as; an address begins with ``duckdb+kodomo``."""


@cache
def reserved_words() -> frozenset[str]:
    """PostgreSQL's words, and those that this version of DuckDB adds."""
    with duckdb.connect() as connection:
        rows = connection.execute("select keyword_name from duckdb_keywords() where keyword_category = 'reserved'")
        return frozenset(PGIdentifierPreparer.reserved_words) | {row[0] for row in rows.fetchall()}


class Preparer(duckdb_engine.DuckDBIdentifierPreparer):
    """Quotes names as duckdb_engine's does, which opens a database for the words with every engine."""

    def __init__(self, dialect: Any, **named: Any) -> None:
        PGIdentifierPreparer.__init__(self, dialect, **named)
        self.reserved_words = set(reserved_words())


class Dialect(duckdb_engine.Dialect):
    """duckdb_engine's dialect with this project's preparer."""

    driver = "kodomo"
    preparer = Preparer
    supports_statement_cache = duckdb_engine.Dialect.supports_statement_cache


registry.register(NAME, __name__, Dialect.__name__)
