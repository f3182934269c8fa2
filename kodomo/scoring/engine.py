"""Compiled SQL of models, executed in memory over relations of the same names."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from kodomo import dbt_runner
from kodomo.files import write_atomically
from kodomo.home import PROJECT, Home

SCORING_MODELS = (
    "int_risk__scored",
    "int_risk__coefficients",
    "int_risk__used_items",
    "int_risk__applicable_items",
    "int_risk__values",
    "int_risk__met_bands",
    "int_risk__item_contributions",
    "int_risk__combination_bands",
    "int_risk__combination_contributions",
    "int_risk__contributions",
    "int_risk__scores",
)

EVIDENCE_MODELS = (
    "int_evaluation__refused_items",
    "int_evaluation__cohort",
    "int_evaluation__item_bands",
    "int_evaluation__bits",
    "int_evaluation__pair_counts",
    "fct_item_evidence",
)
"""What makes evidence of ``int_evaluation__frozen``, the observations and the seeds."""
COMPILED_FOLDERS = ("intermediate/risk", "intermediate/evaluation", "marts/evaluation", "marts/risk")


@dataclass(frozen=True)
class Bundle:
    """Models as (relation, SQL) in the order in which they are built."""

    statements: tuple[tuple[str, str], ...]

    def execute(self, connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
        """Build every model, and return the seconds of each; the relations that they read must be there."""
        seconds = {}
        for relation, sql in self.statements:
            started = time.perf_counter()
            connection.execute(f"create or replace table {relation} as {sql}")
            seconds[relation.rpartition(".")[2].strip('"')] = time.perf_counter() - started
        return seconds


def memory_warehouse() -> duckdb.DuckDBPyConnection:
    """An empty in-memory database that compiled SQL takes for the warehouse."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse")
    for schema in ("raw", "seeds", "staging", "intermediate", "marts"):
        connection.execute(f"create schema warehouse.{schema}")
    return connection


def load_bundle(home: Home, models: Sequence[str] = SCORING_MODELS) -> Bundle:
    """Compiled models: compiled once for each state of the project, then kept under the home."""
    digest = _digest(models)
    path = home.scoring / f"{digest}.json"
    if not path.exists():
        statements = compile_models(Home(home.scoring / "dbt").ensure(), models)
        write_atomically(path, json.dumps(statements, ensure_ascii=False))
    return Bundle(tuple((relation, sql) for relation, sql in json.loads(path.read_text(encoding="utf-8"))))


def _digest(models: Sequence[str]) -> str:
    files = [file for folder in COMPILED_FOLDERS for file in sorted((PROJECT / "models" / folder).glob("*.sql"))]
    files += [*sorted((PROJECT / "macros").rglob("*.sql")), PROJECT / "dbt_project" / "dbt_project.yml"]
    digest = hashlib.sha256(" ".join(models).encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:20]


def compile_models(home: Home, models: Sequence[str]) -> list[tuple[str, str]]:
    """(relation, SQL) of each model, in the order in which they are built, compiled in ``home``.

    A home of its own: the warehouse of the city may be in use, and is not needed for this.
    """
    dbt_runner.invoke(home, ["compile", "--select", *models])
    manifest = json.loads(Path(home.dbt / "target" / "manifest.json").read_text(encoding="utf-8"))
    nodes = {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["name"] in models
    }
    order = TopologicalSorter(
        {key: [parent for parent in node["depends_on"]["nodes"] if parent in nodes] for key, node in nodes.items()}
    ).static_order()
    return [(nodes[key]["relation_name"], nodes[key]["compiled_code"]) for key in order]
