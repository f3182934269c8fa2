"""The gate: checks the warehouse after a build, records the results, and renews the site of results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from expectations.results import QualityResult
from expectations.suites import ALL, Suites
from kodomo.home import Home
from kodomo.warehouse import connect, migrate, transaction

if TYPE_CHECKING:
    import duckdb


def check(home: Home, run_id: str, suites: Suites = ALL) -> list[QualityResult]:
    """Carry out the suites on the warehouse.

    The results become rows of raw.quality_results, where a second check of the same run replaces the first, and
    pages of the site. Raises KodomoError where the warehouse cannot be opened; an expectation that cannot be
    carried out is a result, not an exception.
    """
    from expectations.site import write_site
    from expectations.validation import validate

    with connect(home, read_only=True) as connection:
        counts = _row_counts(connection, [table for layer in suites.values() for table in layer])
    checked_at = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    layers = {table: layer for layer, tables in suites.items() for table in tables}
    everything = {table: checks for tables in suites.values() for table, checks in tables.items()}
    results = [
        QualityResult(
            run_id=run_id,
            layer=layers[outcome.table],
            table=outcome.table,
            expectation=outcome.check.name,
            severity=outcome.check.severity,
            status=outcome.status,
            unexpected_count=outcome.unexpected_count,
            element_count=counts.get(outcome.table),
            checked_at=checked_at,
            label_ja=outcome.check.label_ja,
        )
        for outcome in validate(home.warehouse, everything)
    ]
    with connect(home) as connection:
        _record(connection, run_id, results)
        history = connection.execute(
            "select run_id, checked_at, status, count(*) from raw.quality_results "
            "group by all order by checked_at desc, run_id, status"
        ).fetchall()
    write_site(home, results, history)
    return results


def _row_counts(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> dict[str, int]:
    existing = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
    }
    counts: dict[str, int] = {}
    for table in tables:
        if table in existing:
            row = connection.execute(f"select count(*) from {table}").fetchone()
            counts[table] = row[0] if row else 0
    return counts


def _record(connection: duckdb.DuckDBPyConnection, run_id: str, results: Sequence[QualityResult]) -> None:
    migrate(connection)
    with transaction(connection):
        connection.execute("delete from raw.quality_results where run_id = ?", [run_id])
        if results:
            connection.executemany(
                "insert into raw.quality_results by name "
                "select ? as run_id, ? as layer, ? as table_name, ? as expectation, ? as severity, ? as status, "
                "? as unexpected_count, ? as element_count, ? as checked_at, ? as label_ja",
                [
                    [
                        result.run_id,
                        result.layer,
                        result.table,
                        result.expectation,
                        result.severity,
                        result.status,
                        result.unexpected_count,
                        result.element_count,
                        result.checked_at,
                        result.label_ja,
                    ]
                    for result in results
                ],
            )
