"""Runs suites with Great Expectations on the warehouse file, and keeps only names and counts of what it says."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from expectations.results import Status
from expectations.suites.building import Check

if TYPE_CHECKING:
    from great_expectations.data_context import EphemeralDataContext
    from great_expectations.datasource.fluent import SQLDatasource

# Counts only. Whatever else a result holds (partial lists, exceptions with the engine's message) may quote values.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check on one table."""

    table: str
    check: Check
    status: Status
    unexpected_count: int | None


def validate(warehouse: Path, suites: Mapping[str, Sequence[Check]]) -> list[Outcome]:
    """Carry out the checks, table by table. One that cannot be carried out is an ``errored`` outcome."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    with _silence():
        context = cast("EphemeralDataContext", gx.get_context(mode="ephemeral"))
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        datasource = context.data_sources.add_sql(
            "warehouse",
            connection_string=f"duckdb:///{warehouse}",
            kwargs={"connect_args": {"read_only": True}},
        )
        try:
            _buffer_results(datasource.get_execution_engine().engine)
            return [
                outcome
                for table, checks in suites.items()
                for outcome in _validate_table(context, datasource, table, checks)
            ]
        finally:
            datasource.get_execution_engine().close()
            datasource.get_engine().dispose()


def _validate_table(
    context: EphemeralDataContext, datasource: SQLDatasource, table: str, checks: Sequence[Check]
) -> list[Outcome]:
    import great_expectations as gx

    schema, name = table.split(".")
    try:
        asset = datasource.add_table_asset(table, table_name=name, schema_name=schema)
        suite = gx.ExpectationSuite(table, expectations=[check.to_expectation() for check in checks])
        definition = gx.ValidationDefinition(
            name=table, data=asset.add_batch_definition_whole_table(table), suite=context.suites.add(suite)
        )
        results = definition.run(result_format=RESULT_FORMAT).results
    except Exception:
        # A table that is missing, or a fault in the library: its message may quote values, and is not needed.
        return [Outcome(table, check, "errored", None) for check in checks]
    # The library returns them in an order of its own.
    results_by_name = {result.expectation_config.meta["name"]: result for result in results}
    return [_outcome(table, check, results_by_name[check.name]) for check in checks]


def _outcome(table: str, check: Check, result: Any) -> Outcome:
    status = _status(result)
    return Outcome(table, check, status, None if status == "errored" else _unexpected_count(result))


def _status(result: Any) -> Status:
    if result.success:
        return "passed"
    return "errored" if _has_exception(result.exception_info) else "failed"


def _has_exception(info: Any) -> bool:
    """Whether an expectation errored. The library keeps either one entry or one per metric."""
    if not isinstance(info, Mapping):
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_has_exception(entry) for entry in info.values())


def _unexpected_count(result: Any) -> int | None:
    if result.success:
        return 0
    count = result.result.get("unexpected_count", result.result.get("observed_value"))
    return count if isinstance(count, int) else None


def _buffer_results(engine: Any) -> None:
    """Read each result whole as soon as it is there: duckdb's cursor forgets it when the next statement begins."""
    from sqlalchemy import event
    from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

    @event.listens_for(engine, "after_cursor_execute")
    def buffer(connection, cursor, statement, parameters, context, executemany):
        if cursor.description:
            context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=cursor.fetchall())


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Neither log nor console: tracebacks of the engine quote values of people."""
    logging.disable(logging.CRITICAL)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(action="ignore"),
        ):
            yield
    finally:
        logging.disable(logging.NOTSET)
