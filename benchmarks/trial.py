"""How long a 試算 of a draft takes, beside the bare engine with the same statements; and how long judging it takes.

KODOMO_HOME=… .venv/bin/python benchmarks/trial.py [trials]

Each trial is of a draft with another coefficient. The bare engine is one connection that is open already, has the
draft's seeds, and executes the very same statements of models and comparison, nothing else. The drafts are kept in a
temporary home; nothing is written to the one that is measured.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.publication import current
from kodomo.publication.publication import EVERYTHING
from kodomo.scoring.replay import SCRATCH, WAREHOUSE, close_scratch, open_scratch
from kodomo.scoring.score import load_definition
from kodomo.workshop import trial
from kodomo.workshop.drafts import Draft, DraftStore, Place
from kodomo.workshop.judgement import YEARS, judge

ITEM = ("abuse", "household_moves", "1")


class Recorder:
    """A connection that remembers what was executed on the data; the seeds of the draft are given to the engine."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def execute(self, sql: str, values: Any = None) -> duckdb.DuckDBPyConnection:
        """Execute and remember."""
        if f"{SCRATCH}.seeds." not in sql or "from given" not in sql:
            self.statements.append((sql, values))
        return self.connection.execute(sql, values)


def statements_of(home: Home, draft: Draft) -> list[tuple[str, Any]]:
    """What a trial executes after the seeds are there."""
    recorded: list[Recorder] = []
    original = trial.reading

    @contextmanager
    def recording(home: Home, threads: int = 1) -> Any:
        with original(home, threads) as (connection, reader):
            recorded.append(Recorder(connection))
            yield recorded[0], reader

    trial.reading = recording
    try:
        trial.try_out(home, draft)
    finally:
        trial.reading = original
    skipped = ("attach ", "create schema", "create or replace table scratch.raw")
    return [(sql, values) for sql, values in recorded[0].statements if not sql.startswith(skipped)]


def bare(home: Home, draft: Draft, statements: list[tuple[str, Any]], threads: int) -> float:
    """Seconds that the engine takes for them."""
    with duckdb.connect() as engine:
        engine.execute(f"set threads = {threads}")
        engine.execute(f"attach '{current(home) / EVERYTHING}' as {WAREHOUSE} (read_only)")
        as_of_on = engine.execute(f"select as_of_on from {WAREHOUSE}.raw.run_parameters").fetchall()[0][0]
        open_scratch(engine, as_of_on)
        load_definition(engine, draft.definition, SCRATCH, versions=[draft.model_version])
        started = time.perf_counter()
        for sql, values in statements:
            engine.execute(sql, values).fetchall()
        elapsed = time.perf_counter() - started
        close_scratch(engine)
    return elapsed


def main() -> None:
    """Print times and memory."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    measured = Home.from_environment()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "var").ensure()
        home.published.symlink_to(measured.published)
        drafts = DraftStore(EntryStore(home))
        draft = drafts.create("measured", "v2", by="benchmark")
        seconds, processor = [], []
        for number in range(1, times + 1):
            row = {
                "model_version": "measured", "difficulty_type": ITEM[0], "item_code": ITEM[1], "band_no": ITEM[2],
                "coefficient": str(number),
            }  # fmt: skip
            drafts.edit(draft.draft_id, number, {Place.of("risk_coefficients", row): row}, by="benchmark")
            edited = drafts.draft(draft.draft_id)
            started, started_processor = time.perf_counter(), time.process_time()
            result = trial.try_out(home, edited)
            seconds.append(time.perf_counter() - started)
            processor.append(time.process_time() - started_processor)
        judging = []
        for years in YEARS:
            started = time.perf_counter()
            judge(home, edited, years)
            judging.append(time.perf_counter() - started)
        statements = statements_of(home, edited)
        one, two = ([bare(home, edited, statements, threads) for _ in range(3)] for threads in (1, 2))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{result.comparison.children:,} scores compared, {result.comparison.changed:,} tiers change")
    print(f"trial: first {seconds[0]:.2f} s, then p50 {statistics.median(seconds[1:] or seconds):.2f} s")
    print(f"       p50 {statistics.median(processor[1:] or processor):.2f} s of processor time")
    print(f"       slowest of them {max(seconds[1:] or seconds):.2f} s; process {memory:,.0f} MiB at most")
    print(f"judged on past dates: {', '.join(f'{one:.1f} s' for one in judging)}")
    print(f"bare engine: {min(one):.2f} s with one thread, {min(two):.2f} s with two")


if __name__ == "__main__":
    main()
