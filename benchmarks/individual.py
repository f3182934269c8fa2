"""How long an individual determination takes, beside the bare engine running the same statements.

KODOMO_HOME=… .venv/bin/python benchmarks/individual.py [determinations] [other date]

Children are drawn by a hash. Every determination is compared with the batch's rows; one that differs stops it. The bare
engine is one connection that is open already and executes the very same statements, nothing else.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from typing import Any

import duckdb

from kodomo.determination import determination as individual
from kodomo.determination.heard import AssessError
from kodomo.determination.service import in_service, reading
from kodomo.home import Home
from kodomo.publication import current
from kodomo.publication.publication import EVERYTHING
from kodomo.scoring.replay import PARAMETERS, WAREHOUSE

WARM = 5


class Recorder:
    """A connection that remembers what was executed."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements: list[tuple[str, Any]] = []

    def execute(self, sql: str, values: Any = None) -> duckdb.DuckDBPyConnection:
        """Execute and remember."""
        self.statements.append((sql, values))
        return self.connection.execute(sql, values)


def statements_of(home: Home, person_id: str, as_of_on: dt.date | None) -> list[tuple[str, Any]]:
    """What one determination executes, from an empty scratch database to the scores and support."""
    with reading(home) as (connection, reader):
        recorder: Any = Recorder(connection)
        built_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        date = as_of_on or built_on
        individual.evaluate(recorder, reader, person_id, "person", [], date, is_built=date == built_on)
    return recorder.statements


def bare_engine(home: Home) -> duckdb.DuckDBPyConnection:
    """The engine with the publication open."""
    engine = duckdb.connect()
    engine.execute(f"attach '{current(home) / EVERYTHING}' as {WAREHOUSE} (read_only)")
    return engine


def bare(connection: duckdb.DuckDBPyConnection, statements: list[tuple[str, Any]]) -> float:
    """Seconds that the engine takes for them."""
    started = time.perf_counter()
    for sql, values in statements:
        connection.execute(sql, values).fetchall()
    elapsed = time.perf_counter() - started
    connection.execute("detach database scratch")
    return elapsed


def batch_rows(home: Home) -> dict[str, set[tuple]]:
    """The batch's scores by child."""
    with in_service(home) as (connection, _):
        rows_by_person: dict[str, set[tuple]] = {}
        for row in connection.execute(
            f"select person_id, model_version, difficulty_type, score, tier, is_override, completeness "
            f"from {WAREHOUSE}.marts.fct_risk_score "
            f"where as_of_on = (select as_of_on from {WAREHOUSE}.{PARAMETERS})"
        ).fetchall():
            rows_by_person.setdefault(row[0], set()).add(row[1:])
    return rows_by_person


def percentiles_text(name: str, seconds: list[float]) -> str:
    """p50 and p95 in milliseconds."""
    ordered = sorted(seconds)
    p50, p95 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95))
    return f"{name:<28} p50 {p50:7.0f} ms   p95 {p95:7.0f} ms"


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    as_of_on = dt.date.fromisoformat(sys.argv[2]) if len(sys.argv) > 2 else None
    home = Home.from_environment()
    with in_service(home) as (connection, _):
        people = [
            row[0]
            for row in connection.execute(
                f"select person_id from {WAREHOUSE}.marts.dim_child order by hash(person_id) limit {count + WARM}"
            ).fetchall()
        ]
        residents = connection.execute(
            f"select count(*) from {WAREHOUSE}.marts.dim_person where is_resident"
        ).fetchall()
    expected = batch_rows(home)
    engine = bare_engine(home)
    whole, alone, same = [], [], 0
    for number, person_id in enumerate(people):
        started = time.perf_counter()
        try:
            determination = individual.determine(home, person_id, as_of_on=as_of_on)
        except AssessError:
            # On the other date this child was none yet.
            continue
        elapsed = time.perf_counter() - started
        statements = statements_of(home, person_id, as_of_on)
        seconds = bare(engine, statements)
        if as_of_on is None:
            rows = {
                tuple(
                    getattr(score, name)
                    for name in ("model_version", "difficulty_type", "score", "tier", "is_override", "completeness")
                )
                for score in determination.children[0].scores
            }
            if rows != expected[person_id]:
                sys.exit("A determination differs from the batch.")
            same += 1
        if number >= WARM:
            whole.append(elapsed)
            alone.append(seconds)
    print(f"{residents[0][0]} residents, {len(whole)} determinations, {same} equal to the batch")
    print(percentiles_text("determination", whole))
    print(percentiles_text("bare engine, same statements", alone))


if __name__ == "__main__":
    main()
