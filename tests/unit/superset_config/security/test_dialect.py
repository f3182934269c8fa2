"""Names are quoted as DuckDB's own dialect quotes them."""

from __future__ import annotations

import duckdb_engine

from superset_config.security import dialect
from superset_config.security.files import Connector


def test_the_words_are_those_of_the_dialect() -> None:
    own = duckdb_engine.DuckDBIdentifierPreparer(duckdb_engine.Dialect())
    ours = dialect.Preparer(duckdb_engine.Dialect())
    assert own.reserved_words == ours.reserved_words
    assert "qualify" in ours.reserved_words
    for name in ("qualify", "due_days", "Upper", "order", "日"):
        assert ours.quote(name) == own.quote(name)


def test_files_of_scopes_are_opened_by_the_registered_dialect() -> None:
    url, _ = Connector.engine
    assert url.get_dialect() is dialect.Dialect
    assert url.get_backend_name() == "duckdb"
