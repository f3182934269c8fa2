"""Score given observations by a given definition, with the SQL of the batch."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from kodomo.csv_files import read_csv
from kodomo.errors import KodomoError, UsageError
from kodomo.files import atomic_path
from kodomo.home import Home
from kodomo.scoring.definition import TABLES, Definition, check, raise_for, read_definition
from kodomo.scoring.engine import load_bundle, memory_warehouse
from kodomo.seeds import column_types

MAX_MISTAKES_SHOWN = 20
OBSERVATION_COLUMNS = {
    "person_id": ("varchar", True),
    "observation_code": ("varchar", True),
    "observed_on": ("date", True),
    "ended_on": ("date", False),
    "value": ("decimal(36,18)", False),
    "text_value": ("varchar", False),
}
PEOPLE_COLUMNS = {"person_id": ("varchar", True), "birth_on": ("date", False), "sex": ("varchar", False)}
EXPECTED = {"date": "a date such as 2026-04-01", "decimal(36,18)": "a number below 10^18", "varchar": "text"}


@dataclass(frozen=True)
class Scored:
    """What was written, and what was passed over."""

    subjects: int
    scores: int
    contributions: int
    unknown_people: int
    warnings: tuple[str, ...] = ()


def score(
    home: Home,
    definition_folder: Path,
    observations: Path,
    people: Path | None,
    as_of_on: dt.date,
    out: Path,
) -> Scored:
    """Write ``fct_risk_score.csv`` and ``fct_risk_contribution.csv`` to ``out``.

    Subjects are the people of ``people``; without it everyone in ``observations``, with the birth date of the last
    build where it knows them, else with an unknown age. Nothing of the warehouse is changed.
    Raises KodomoError naming file, line and column of what cannot be read.
    """
    definition = read_definition(definition_folder)
    mistakes = check(definition, is_tried=True)
    raise_for(mistakes)
    connection = memory_warehouse()
    try:
        set_as_of(connection, as_of_on)
        load_definition(connection, definition)
        _load_file(connection, observations, "observations", OBSERVATION_COLUMNS)
        if people is not None:
            _load_file(connection, people, "people", PEOPLE_COLUMNS)
            _refuse_repeated_people(connection, people)
        else:
            _people_of_observations(connection, home)
        connection.execute(INPUTS)
        load_bundle(home.ensure()).execute(connection)
        scores, contributions = write_scores(connection, "warehouse", out)
        return Scored(
            subjects=_count(connection, "select count(*) from people"),
            scores=scores,
            contributions=contributions,
            unknown_people=_count(
                connection, "select count(distinct person_id) from observations anti join people using (person_id)"
            ),
            warnings=tuple(map(str, mistakes)),
        )
    finally:
        connection.close()


def set_as_of(connection: duckdb.DuckDBPyConnection, as_of_on: dt.date) -> None:
    """Make the run's parameters in an in-memory warehouse."""
    connection.execute(
        "create or replace table warehouse.raw.run_parameters as "
        "select 'score' as run_id, ?::date as as_of_on, now()::timestamp as started_at",
        [as_of_on],
    )


def load_definition(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    database: str = "warehouse",
    *,
    only_in_force: bool = False,
    versions: Collection[str] | None = None,
) -> None:
    """Fill the ``risk_*`` seeds of a database, and the versions to score: all, those active or on trial, or these."""
    load_tables(connection, definition, f"{database}.seeds.")
    condition = "status in ('active', 'trial')" if only_in_force else "list_contains($versions, model_version)"
    wanted = [row["model_version"] for row in definition["risk_model_versions"]] if versions is None else versions
    connection.execute(
        f"create or replace table {database}.intermediate.int_risk__versions as "
        f"select model_version, difficulty_type from (select model_version, difficulty_type "
        f"from {database}.seeds.risk_tiers union select model_version, difficulty_type "
        f"from {database}.seeds.risk_coefficients) "
        f"semi join (select model_version from {database}.seeds.risk_model_versions where {condition}) "
        "using (model_version)",
        None if only_in_force else {"versions": list(wanted)},
    )


def load_tables(connection: duckdb.DuckDBPyConnection, definition: Definition, prefix: str) -> None:
    """Make the tables of a definition, with the columns and types of the seeds. ``prefix``: of their names."""
    for table in TABLES:
        types = {name: _arrow_type(kind) for name, kind in column_types()[table].items()}
        columns = {name: pa.array([row.get(name) for row in definition[table]], kind) for name, kind in types.items()}
        connection.register("given", pa.table(columns))
        connection.execute(f"create or replace table {prefix}{table} as select * from given")
        connection.unregister("given")


_ARROW = {"varchar": pa.string(), "integer": pa.int32(), "boolean": pa.bool_(), "date": pa.date32()}


def _arrow_type(column_type: str) -> pa.DataType:
    if column_type.startswith("decimal"):
        precision, scale = column_type.removeprefix("decimal(").rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return _ARROW[column_type]


def _load_file(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, columns: dict[str, tuple[str, bool]]
) -> None:
    """Load a file into a temporary table with typed columns and ``line_number``, or say what cannot be read."""
    if not path.is_file():
        raise UsageError("There is no file {path}.", path=path)
    file = read_csv(path)
    missing = [name for name, (_, is_required) in columns.items() if is_required and name not in file.header]
    if missing:
        raise KodomoError("{name}:1: the column {names} is missing: add it.", name=path.name, names=", ".join(missing))
    texts: dict[str, Any] = {"line_number": pa.array([line for line, _ in file.records], pa.int64())}
    for name in columns:
        if name in file.header:
            position = file.header.index(name)
            texts[name] = pa.array([values[position] or None for _, values in file.records], pa.string())
        else:
            texts[name] = pa.nulls(len(file.records), pa.string())
    connection.register("given", pa.table(texts))
    typed = [_typed(name, kind) + f" as {name}" for name, (kind, _) in columns.items()]
    connection.execute(f"create or replace temp table {table} as select line_number, {', '.join(typed)} from given")
    mistakes = [f"{path.name}:{line}: more values than headings: quote the commas." for line in file.too_long]
    for name, (kind, is_required) in columns.items():
        problems = [
            f"select line_number, '{name} is not {EXPECTED[kind]}.' from given where {name} is not null "
            f"and {_typed(name, kind)} is null"
        ]
        if is_required:
            problems.append(
                f"select line_number, '{name} is empty: write {EXPECTED[kind]}.' from given where {name} is null"
            )
        for problem in problems:
            problem_rows = connection.execute(f"{problem} order by line_number").fetchall()
            mistakes += [f"{path.name}:{line}: {message}" for line, message in problem_rows]
    connection.unregister("given")
    if mistakes:
        shown = mistakes[:MAX_MISTAKES_SHOWN]
        more = len(mistakes) - len(shown)
        if more:
            raise KodomoError("{mistakes}\n… and {count} more", mistakes="\n".join(shown), count=more)
        raise KodomoError("{mistakes}", mistakes="\n".join(shown))


def _typed(name: str, kind: str) -> str:
    if kind == "date":
        # `infinity` and `epoch` are dates to the engine, and none to a person.
        return f"case when regexp_full_match({name}, '[0-9]{{4}}-.*') then try_cast({name} as date) end"
    return f"try_cast({name} as {kind})"


def _refuse_repeated_people(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    repeated = connection.execute(
        "select line_number from people qualify row_number() over (partition by person_id order by line_number) > 1 "
        f"order by line_number limit {MAX_MISTAKES_SHOWN}"
    ).fetchall()
    if repeated:
        raise KodomoError(
            "\n".join(f"{path.name}:{line}: this person_id is there twice: keep one row." for (line,) in repeated)
        )


def _people_of_observations(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    births = pa.table({"person_id": pa.array([], pa.string()), "birth_on": pa.array([], pa.date32())})
    if home.warehouse.exists():
        try:
            with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
                births = warehouse.execute("select person_id, birth_on from marts.dim_person").to_arrow_table()
        except (duckdb.CatalogException, duckdb.IOException):
            # Never built, or being written at this moment: the ages are unknown then.
            pass
    connection.register("births", births)
    connection.execute(
        "create or replace temp table people as "
        "select person_id, births.birth_on from (select distinct person_id from observations) "
        "left join births using (person_id)"
    )
    connection.unregister("births")


# The relations that the scoring models read. No source is known of an analyst's file: what was observed is what was
# answered. A birth that lies ahead is a due date: −1 minus the completed months
# until then. Without a family, a household is the person alone.
INPUTS = """
create or replace macro completed_months(from_on, to_on) as
    (year(to_on) - year(from_on)) * 12 + month(to_on) - month(from_on)
    - case when day(to_on) < day(from_on) then 1 else 0 end;
create or replace table warehouse.intermediate.int_risk__subjects as
select
    people.person_id,
    cast(
        case
            when people.birth_on > parameters.as_of_on
                then -1 - completed_months(parameters.as_of_on, people.birth_on)
            else completed_months(people.birth_on, parameters.as_of_on)
        end as integer
    ) as age_months
from people
cross join warehouse.raw.run_parameters as parameters;
create or replace table warehouse.intermediate.int_risk__scope_members as
select
    people.person_id,
    unnest(['self', 'household', 'family']) as scope,
    people.person_id as member_id
from people;
create or replace table warehouse.intermediate.int_observations__all as
select
    person_id,
    observation_code,
    observed_on,
    ended_on,
    value,
    text_value,
    cast(null as varchar) as source_id,
    cast(null as varchar) as delivery_id,
    line_number
from observations;
create or replace table warehouse.intermediate.int_observations__barred (purpose varchar, observation_code varchar);
create or replace table warehouse.intermediate.int_risk__item_sources as
select item_code, cast(null as varchar) as source_id, false as is_barred
from warehouse.seeds.risk_items
where kind = 'observation';
create or replace table warehouse.intermediate.int_risk__unanswered (
    person_id varchar, source_id varchar, reason_code varchar
);
create or replace table warehouse.intermediate.int_chain__values (
    person_id varchar, chain_type varchar, value integer, evidence varchar
);
"""


def write_scores(connection: duckdb.DuckDBPyConnection, database: str, out: Path) -> tuple[int, int]:
    """Write both CSV files from a database in which the scoring models are built; how many rows each has."""
    out.mkdir(parents=True, exist_ok=True)
    counts = []
    for mart, relation, order in (
        ("fct_risk_score", "int_risk__scores", "model_version, difficulty_type, person_id"),
        (
            "fct_risk_contribution",
            "int_risk__contributions",
            "model_version, difficulty_type, person_id, item_code, band_no",
        ),
    ):
        with atomic_path(out / f"{mart}.csv") as draft:
            connection.execute(
                f"copy (select * from {database}.intermediate.{relation} order by {order}) to '{_quoted(draft)}' "
                "(header, format csv)"
            )
        counts.append(_count(connection, f"select count(*) from {database}.intermediate.{relation}"))
    return counts[0], counts[1]


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return connection.execute(query).fetchall()[0][0]
