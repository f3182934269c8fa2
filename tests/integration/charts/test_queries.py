"""Every query of every chart of every audience, on the published tables of a small city."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from kodomo.access.access import read_access
from kodomo.home import Home
from kodomo.publication.publication import EVERYTHING
from superset_config.asset_audiences import for_audiences
from superset_config.asset_files import Chart, query, read_assets, read_models
from superset_config.audit import table as audit
from superset_config.security.statements import check_statement
from tests.conftest import City

pytestmark = pytest.mark.slow

ASSETS = for_audiences(read_assets(), read_access())
LIVE = {table.name for table in read_access().published_tables() if table.is_live}
# What a type of the yml is in the file.
TYPES = {
    "varchar": ("VARCHAR",),
    "integer": ("INTEGER", "BIGINT", "HUGEINT", "SMALLINT"),
    "decimal": ("DECIMAL", "DOUBLE"),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP",),
    "boolean": ("BOOLEAN",),
}
OPERATORS = {"==": "=", "!=": "<>", ">": ">", "<": "<", "IN": "in", "NOT IN": "not in"}


@pytest.fixture(scope="module")
def published(city: City) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every audience's tables, as published."""
    file = Home(city.home).published / "current" / EVERYTHING
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def live() -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables that are made at the moment of the question."""
    with duckdb.connect() as connection:
        definition = ", ".join(f"{name} {kind}" for name, kind in audit.columns().items())
        connection.execute(f"create table {audit.NAME} ({definition})")
        yield connection


def literal(value: object) -> str:
    """A value of a condition in SQL."""
    if isinstance(value, list):
        return "(" + ", ".join(map(literal, value)) + ")"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def chart_sql(chart: Chart) -> str:
    """The statement that Superset makes of the chart's query."""
    asked = query(chart)
    metrics = ASSETS.datasets[chart.dataset].metrics
    columns = [column if isinstance(column, str) else column["sqlExpression"] for column in asked["columns"]]
    selected = [
        *columns,
        *(f"{metrics[name]['expression']} as {name}" for name in dict.fromkeys(asked["metrics"] or [])),
    ]
    conditions = [
        f"{condition['col']} {condition['op'].lower()}"
        if condition["op"].startswith("IS ")
        else f"{condition['col']} {OPERATORS[condition['op']]} {literal(condition['val'])}"
        for condition in asked["filters"]
    ]
    sql = f"select {', '.join(selected)} from {ASSETS.schema}.{chart.dataset}"  # from the project's files
    if conditions:
        sql += f" where {' and '.join(conditions)}"
    if columns and asked["metrics"] is not None:
        sql += f" group by {', '.join(columns)}"
    if asked["orderby"]:
        sql += " order by " + ", ".join(f"{name} {'asc' if up else 'desc'}" for name, up in asked["orderby"])
    return f"{sql} limit {asked['row_limit']}"


@pytest.mark.parametrize("key", sorted(ASSETS.charts))
def test_the_query_of_a_chart_runs_and_is_let_through(
    published: duckdb.DuckDBPyConnection, live: duckdb.DuckDBPyConnection, key: str
) -> None:
    chart = ASSETS.charts[key]
    sql = chart_sql(chart)
    check_statement(sql, {chart.dataset})
    (live if chart.dataset in LIVE else published).execute(sql).fetchall()


@pytest.mark.parametrize("table", sorted(set(ASSETS.datasets) - LIVE))
def test_a_dataset_has_the_columns_of_its_table(published: duckdb.DuckDBPyConnection, table: str) -> None:
    described = {name: kind for name, kind, *_ in published.execute(f"describe {table}").fetchall()}
    declared = ASSETS.datasets[table].columns
    assert set(declared) <= set(described)
    wrong = {
        name: (column.data_type, described[name])
        for name, column in declared.items()
        if not described[name].startswith(TYPES[column.data_type])
    }
    assert wrong == {}


def test_every_bi_model_declares_all_its_columns(city: City) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        for model, (_, columns) in read_models().items():
            names = [row[0] for row in connection.execute(f"describe marts.{model}").fetchall()]
            assert sorted(columns) == sorted(names), model


def test_the_children_of_the_list_are_the_subjects(city: City) -> None:
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        missing = connection.execute(
            "select count(*) from marts.dim_child full join marts.bi_child using (person_id) "
            "where dim_child.area_code is distinct from bi_child.area_code"
        ).fetchone()
        labels = connection.execute("select count(*) - count(distinct child_label) from marts.bi_child").fetchone()
    assert missing == (0,)
    assert labels == (0,)
