"""The batch's own SQL again for another date or definition, in a database beside the warehouse.

dbt leaves the compiled SQL of every model it builds. Here those between the staged rows and the scores that depend on
what is to be different (the as-of date, the definition, the deliveries in force) are executed again under the same
names in a database ``scratch``; everything else is read from the warehouse, which stays as it is.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from kodomo.errors import KodomoError
from kodomo.home import PROJECT, Home
from kodomo.warehouse import explain_open_error

SCRATCH = "scratch"
WAREHOUSE = "warehouse"
SCORES = ("int_risk__scores", "int_risk__contributions")
DEFINITION = (
    "seeds.risk_items",
    "seeds.risk_item_members",
    "seeds.risk_bands",
    "seeds.risk_coefficients",
    "seeds.risk_model_versions",
    "seeds.risk_groups",
    "seeds.risk_tiers",
    "seeds.risk_overrides",
    "seeds.risk_targets",
    "seeds.support_priority_rules",
    "seeds.support_rules",
)
PARAMETERS = "raw.run_parameters"
VERSIONS = "intermediate.int_risk__versions"
RECORDS = "intermediate.int_identity__external_records"
"""The input of linkage. Links are those of the build and not computed again for another date."""


@lru_cache(maxsize=1024)
def references(sql: str) -> tuple[tuple[int, int, str], ...]:
    """Where compiled SQL names a relation of the warehouse: start and end of the name of the database, and
    ``schema.name``.

    By tokens, so that a comment or a text that looks like a name is none, and the statement itself stays as dbt wrote
    it. A statement is read once in a process, however many determinations execute it.
    """
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.tokens import TokenType

    tokens = DuckDB().tokenize(sql)
    positions = []
    for database, dot, schema, other_dot, name in zip(
        tokens, tokens[1:], tokens[2:], tokens[3:], tokens[4:], strict=False
    ):
        if (
            database.text == WAREHOUSE
            and dot.token_type == other_dot.token_type == TokenType.DOT
            and all(token.token_type is TokenType.IDENTIFIER for token in (database, schema, name))
        ):
            positions.append((database.start, database.end + 1, f"{schema.text}.{name.text}"))
    return tuple(positions)


def moved_to(sql: str, database: str, relations: Collection[str]) -> str:
    """Compiled SQL that reads these relations (``schema.name``) from another database, all others as before."""
    pieces, position = [], 0
    for start, end, relation in references(sql):
        if relation in relations:
            pieces += [sql[position:start], f'"{database}"']
            position = end
    return "".join([*pieces, sql[position:]])


@dataclass(frozen=True)
class CompiledModels:
    """The compiled SQL of one build: relation (``schema.name``) → SQL."""

    statements: dict[str, str]

    @classmethod
    def of_last_build(cls, home: Home) -> CompiledModels:
        """What dbt left in this home. Raises KodomoError when it has not built the scores here."""
        folder = home.compiled / "kodomo" / "models"
        statements = {
            f"{path.relative_to(folder).parts[0]}.{path.stem}": path.read_text(encoding="utf-8")
            for path in folder.rglob("*.sql")
        }
        models = cls(statements)
        if not all(f"intermediate.{name}" in statements for name in SCORES):
            raise KodomoError("There is no build to go back to yet: run `kodomo run --landing DIR --as-of DATE` first.")
        return models

    @cached_property
    def parents(self) -> dict[str, set[str]]:
        """The relations that each statement reads."""
        return {
            relation: {read for _, _, read in references(sql)} - {relation} for relation, sql in self.statements.items()
        }

    def again(
        self, targets: Iterable[str], changed: Iterable[str], layers: Sequence[str] = ("intermediate", "marts")
    ) -> list[str]:
        """What has to be executed again for the targets when some relations change, in the order of execution.

        Models outside ``layers`` are taken as they are, and so are the links of records.
        """
        needed: dict[str, bool] = {**dict.fromkeys(changed, True), RECORDS: False}

        def depends(relation: str) -> bool:
            if relation not in needed:
                needed[relation] = False
                layer = relation.partition(".")[0]
                if relation in self.statements and layer in layers:
                    # Every parent is visited, so that none that has to be executed again is missed.
                    changing_parents = [parent for parent in self.parents[relation] if depends(parent)]
                    needed[relation] = bool(changing_parents)
            return needed[relation]

        for target in targets:
            depends(target)
        changing = {relation for relation, is_needed in needed.items() if is_needed} - set(changed)
        order = TopologicalSorter({relation: self.parents[relation] & changing for relation in sorted(changing)})
        return list(order.static_order())

    def execute(
        self,
        connection: duckdb.DuckDBPyConnection,
        changed: Sequence[str],
        targets: Iterable[str] = tuple(f"intermediate.{name}" for name in SCORES),
        layers: Sequence[str] = ("intermediate", "marts"),
        after: Mapping[str, Callable[[], None]] | None = None,
    ) -> list[str]:
        """Execute again in ``scratch``, where the changed relations already are; returns what was built.

        ``after``: what is done as soon as a relation has been built, before others read it.
        """
        relations = self.again(targets, changed, layers)
        moved = {*relations, *changed}
        for schema in {relation.partition(".")[0] for relation in relations}:
            connection.execute(f"create schema if not exists {SCRATCH}.{schema}")
        for relation in relations:
            sql = moved_to(self.statements[relation], SCRATCH, moved)
            connection.execute(f"create or replace table {SCRATCH}.{relation} as {sql}")
            if after and relation in after:
                after[relation]()
        return relations


def open_scratch(connection: duckdb.DuckDBPyConnection, as_of_on: dt.date) -> None:
    """Make an empty ``scratch`` database with the parameters of a run for that date."""
    connection.execute(f"attach if not exists ':memory:' as {SCRATCH}")
    for schema in ("raw", "seeds", "staging", "intermediate", "marts"):
        connection.execute(f"create schema if not exists {SCRATCH}.{schema}")
    connection.execute(
        f"create or replace table {SCRATCH}.{PARAMETERS} as "
        "select 'replay' as run_id, ?::date as as_of_on, now()::timestamp as started_at",
        [as_of_on],
    )


def close_scratch(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop ``scratch`` and what is in it."""
    connection.execute(f"detach database if exists {SCRATCH}")


def beside_warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    """A connection in memory that reads the warehouse as ``warehouse``; the caller closes it.

    Raises KodomoError when there is no warehouse, or a run is writing it.
    """
    if not home.warehouse.exists():
        raise KodomoError("There is no warehouse yet: run `kodomo run --landing DIR --as-of DATE` first.")
    connection = duckdb.connect()
    try:
        path = str(Path(home.warehouse)).replace("'", "''")
        connection.execute(f"attach '{path}' as {WAREHOUSE} (read_only)")
    except duckdb.Error as error:
        connection.close()
        raise explain_open_error(error) from error
    return connection


def home_of_dbt() -> Home:
    """The home that the dbt process at hand builds in, as dbt_project.yml says."""
    return Home(Path(os.environ.get("KODOMO_HOME", PROJECT / "var")).resolve())
