"""The mart of the last build again: with another definition, or as a past run saw it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import duckdb

from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.scoring.comparison import Comparison, compare, write_people
from kodomo.scoring.definition import Definition, check, raise_for, read_definition
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.replay import (
    DEFINITION,
    PARAMETERS,
    SCRATCH,
    VERSIONS,
    WAREHOUSE,
    CompiledModels,
    beside_warehouse,
    open_scratch,
)
from kodomo.scoring.score import load_definition, write_scores
from kodomo.scoring.versions import Run, find_run, kept_definition


@dataclass(frozen=True)
class Rescored:
    """What was written, and how it compares with what is in the mart."""

    as_of_on: dt.date
    scores: int
    contributions: int
    comparisons: tuple[Comparison, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Replayed:
    """A run done again: rows that differ from those on record (None: another run has taken their place)."""

    run: Run
    scores: int
    contributions: int
    differing_rows: int | None


def score_mart(home: Home, folder: Path, as_of_on: dt.date | None, out: Path | None) -> Rescored:
    """Score the children of the last build by another definition; the warehouse stays as it is.

    Every version of the definition is scored, and compared with the active or trial versions of the mart that score
    the same difficulty types. ``as_of_on``: another
    date than that of the build. Raises KodomoError naming every mistake of the definition.
    """
    definition = read_definition(folder)
    connection = beside_warehouse(home)
    try:
        built_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        date = as_of_on or built_on
        mistakes = check(definition, observation_obstacles(date), is_tried=True)
        raise_for(mistakes)
        models = CompiledModels.of_last_build(home)
        open_scratch(connection, date)
        load_definition(connection, definition, SCRATCH)
        changed = [*DEFINITION, VERSIONS]
        if date != built_on:
            changed.append(PARAMETERS)
        models.execute(connection, changed)
        comparisons = _against_those_in_force(connection)
        scores, contributions = write_scores(connection, SCRATCH, out) if out else _counts(connection)
        return Rescored(date, scores, contributions, comparisons, tuple(map(str, mistakes)))
    finally:
        connection.close()


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    return tuple(
        connection.execute(f"select count(*) from {SCRATCH}.intermediate.{name}").fetchall()[0][0]
        for name in ("int_risk__scores", "int_risk__contributions")
    )


def _against_those_in_force(connection: duckdb.DuckDBPyConnection) -> tuple[Comparison, ...]:
    pairs = connection.execute(
        "select distinct active.model_version, tried.model_version "
        f"from {WAREHOUSE}.intermediate.int_risk__scores active "
        f"inner join {WAREHOUSE}.seeds.risk_model_versions versions using (model_version) "
        f"inner join {SCRATCH}.intermediate.int_risk__scores tried using (difficulty_type) "
        "where versions.status in ('active', 'trial') order by all"
    ).fetchall()
    return tuple(compare(connection, (WAREHOUSE, before), (SCRATCH, after)) for before, after in pairs)


def replay(home: Home, *, run_id: str | None, as_of_on: dt.date | None, out: Path | None) -> Replayed:
    """Do a past run again from the deliveries and the definition that it had, and compare it with its rows.

    The code is that of the last build. Raises KodomoError when there is no such run.
    """
    connection = beside_warehouse(home)
    try:
        run = find_run(connection, run_id=run_id, as_of_on=as_of_on)
        models = CompiledModels.of_last_build(home)
        open_scratch(connection, run.as_of_on)
        definition = read_definition(kept_definition(home, run.definition_hash))
        raise_for(definition.mistakes)
        load_definition(connection, definition, SCRATCH, only_in_force=True)
        connection.execute(
            f"create or replace table {SCRATCH}.raw.deliveries as "
            f"select * replace (if(delivery_id in (select delivery_id from {WAREHOUSE}.raw.risk_run_deliveries "
            f"where run_id = ?), 'loaded', 'withdrawn') as status) from {WAREHOUSE}.raw.deliveries",
            [run.run_id],
        )
        changed = [*DEFINITION, VERSIONS, PARAMETERS, "raw.deliveries"]
        models.execute(connection, changed, layers=("staging", "intermediate", "marts"))
        scores, contributions = write_scores(connection, SCRATCH, out) if out else _counts(connection)
        is_last = find_run(connection, run_id=None, as_of_on=run.as_of_on).run_id == run.run_id
        differing = _differing_rows(connection, run.as_of_on) if is_last else None
        return Replayed(run, scores, contributions, differing)
    finally:
        connection.close()


def _differing_rows(connection: duckdb.DuckDBPyConnection, as_of_on: dt.date) -> int:
    total = 0
    for mart, model in (
        ("fct_risk_score", "int_risk__scores"),
        ("fct_risk_contribution", "int_risk__contributions"),
    ):
        kept = f"select * from {WAREHOUSE}.marts.{mart} where as_of_on = $as_of_on"
        again = f"select * from {SCRATCH}.intermediate.{model}"
        total += connection.execute(
            f"select count(*) from (({kept} except all {again}) union all ({again} except all {kept}))",
            {"as_of_on": as_of_on},
        ).fetchall()[0][0]
    return total


def diff_versions(home: Home, before: str, after: str, out: Path | None, present: Path | None = None) -> Comparison:
    """Compare two versions over the children of the last build, where they score the same difficulty types.

    What the last build did not score (a version that has ended or has yet to begin, a draft) is scored again by the
    definition in the folder ``present``. Raises UsageError naming the versions that there are, or when the two have no
    difficulty type in common.
    """
    connection = beside_warehouse(home)
    try:
        versions = _types_by_version(connection, WAREHOUSE)
        databases = dict.fromkeys(versions, WAREHOUSE)
        if present is not None and (missing := {before, after} - set(versions)):
            again = _score_again(connection, home, read_definition(present), missing)
            versions |= again
            databases |= dict.fromkeys(again, SCRATCH)
        for name in (before, after):
            if name not in versions:
                raise UsageError(
                    "There is no version {name} to compare; there are {names}.", name=name, names=", ".join(versions)
                )
        if set(versions[before]).isdisjoint(versions[after]):
            raise UsageError(
                "{before} scores {names}, {after} {names_2}: versions are compared in difficulty "
                "types that both score.",
                before=before,
                names=", ".join(versions[before]),
                after=after,
                names_2=", ".join(versions[after]),
            )
        comparison = compare(connection, (databases[before], before), (databases[after], after))
        if out is not None:
            write_people(connection, out)
        return comparison
    finally:
        connection.close()


def _types_by_version(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    return dict(
        connection.execute(
            "select model_version, list(distinct difficulty_type order by difficulty_type) "
            f"from {database}.intermediate.int_risk__scores group by all order by all"
        ).fetchall()
    )


def _score_again(
    connection: duckdb.DuckDBPyConnection, home: Home, definition: Definition, wanted: Collection[str]
) -> dict[str, list[str]]:
    """Score versions in ``scratch`` for the date of the build; the types of those that the definition has."""
    known = {row["model_version"] for row in definition["risk_model_versions"]}
    if not (found := sorted(known & set(wanted))):
        return {}
    raise_for(definition.mistakes)
    built_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
    open_scratch(connection, built_on)
    load_definition(connection, definition, SCRATCH, versions=found)
    CompiledModels.of_last_build(home).execute(connection, [*DEFINITION, VERSIONS])
    return _types_by_version(connection, SCRATCH)
