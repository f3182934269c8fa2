"""The compiled SQL of people, families and chains, executed in memory over staged rows that a test writes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pyarrow as pa

from kodomo import dbt_runner
from kodomo.contract import load_code_lists, load_contracts
from kodomo.home import PROJECT, Home
from kodomo.linkage.predict import predict
from kodomo.scoring.engine import memory_warehouse
from kodomo.seeds import read_seed

FOLDERS = ("identity", "family", "linkage", "chains")
MODELS = tuple(f"path:models/intermediate/{folder}" for folder in FOLDERS)
PREDICTIONS = "int_identity__predictions"
REVIEWS = "int_identity__reviews"
PREDICTION_INPUTS = (
    "int_identity__external_records",
    "int_identity__register_versions",
    "int_identity__household_names",
    REVIEWS,
)
TYPES = {"date": "date", "month": "date", "int": "bigint", "decimal": "decimal(18, 3)", "flag": "boolean"}
SEEDS = tuple(sorted(path.stem for path in (PROJECT / "seeds").glob("*.csv")))

Row = dict[str, Any]


def compile_models(home: Home) -> list[tuple[str, str, str]]:
    """(name, relation, SQL) of the models of people and families in the order in which they are built.

    Models in Python have no SQL here: the empty text.
    """
    dbt_runner.invoke(home, ["compile", "--select", *MODELS])
    manifest = json.loads(Path(home.dbt / "target" / "manifest.json").read_text(encoding="utf-8"))
    nodes = {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and node["original_file_path"].startswith(tuple(f"models/intermediate/{folder}/" for folder in FOLDERS))
    }
    order = TopologicalSorter(
        {key: [parent for parent in node["depends_on"]["nodes"] if parent in nodes] for key, node in nodes.items()}
    ).static_order()
    return [
        (
            nodes[key]["name"],
            nodes[key]["relation_name"],
            nodes[key]["compiled_code"] if nodes[key]["language"] == "sql" else "",
        )
        for key in order
    ]


class FamilyWarehouse:
    """A warehouse in memory: staged rows in, people, families and chains out."""

    def __init__(self, models: list[tuple[str, str, str]], as_of_on: dt.date) -> None:
        self.models = models
        self.connection = memory_warehouse()
        self.connection.execute("use warehouse.raw")
        self.connection.execute("create table run_parameters as select ?::date as as_of_on", [as_of_on])
        self.connection.execute(
            "create table deliveries (delivery_id varchar, source_id varchar, delivered_on date, sequence integer, "
            "status varchar)"
        )
        self.connection.execute(
            "create table data_items (source_id varchar, column_name varchar, status varchar, valid_from date, "
            "valid_to date, permitted_purposes varchar)"
        )
        for seed in SEEDS:
            self.connection.execute(
                f"create table warehouse.seeds.{seed} as from read_csv('{PROJECT / 'seeds' / seed}.csv', "
                "all_varchar = true)"
            )
        self.connection.execute(
            "create or replace table warehouse.seeds.relation_texts as "
            "select * replace (is_exact::boolean as is_exact) from warehouse.seeds.relation_texts"
        )
        # Numbers of deliveries before the staged ones.
        self.connection.execute("create table warehouse.staging.stg_citizens__delivered_numbers (atena_no varchar)")
        self.columns: dict[str, list[str]] = {}
        self.tables: dict[str, str] = {}
        self.code_lists: dict[str, dict[str, str]] = {}
        for source_id, contract in load_contracts().items():
            columns: dict[str, str] = {}
            raw = {column.name: "varchar" for column in contract.columns}
            for column in contract.columns:
                columns[column.name] = TYPES.get(column.type, "varchar")
                if column.type in ("name", "address"):
                    columns[f"{column.name}_as_delivered"] = "varchar"
                if column.type in ("name", "kana", "address"):
                    columns[f"{column.name}_match"] = "varchar"
                if column.type == "address":
                    columns[f"{column.name}_building"] = "varchar"
                if column.is_external:
                    columns[f"{column.name}_match"] = "varchar"
            columns |= {"delivery_id": "varchar", "line_number": "bigint"}
            table = f"warehouse.staging.stg_{contract.holder}__{source_id}"
            self.connection.execute(f"create table {table} ({_typed(columns)})")
            raw |= {"delivery_id": "varchar", "line_number": "bigint"}
            self.connection.execute(f"create table warehouse.raw.{source_id} ({_typed(raw)})")
            self.columns[source_id] = list(columns)
            self.code_lists[source_id] = {
                column.name: column.code_list for column in contract.columns if column.code_list
            }
            self.tables[source_id] = table
        # No row of the register belongs to a history.
        self.connection.execute(
            "create table warehouse.staging.stg_citizens__resident_register_history as "
            "select *, null::varchar as row_state from warehouse.staging.stg_citizens__resident_register where false"
        )

    def stage(self, source_id: str, rows: Iterable[Row]) -> None:
        """Add rows to the staged table of a source.

        A name is its own form for display and, unspaced, for matching; a kind may be written as its label.
        """
        columns = self.columns[source_id]
        (count,) = self.connection.execute(f"select count(*) from {self.tables[source_id]}").fetchall()[0]
        lines = []
        for number, given in enumerate(rows, start=count + 2):
            row = {"delivery_id": f"d-{source_id}", "line_number": number, **given}
            for name, value in given.items():
                if f"{name}_match" in columns and value is not None:
                    row.setdefault(f"{name}_match", value.replace(" ", ""))
                if f"{name}_as_delivered" in columns:
                    row.setdefault(f"{name}_as_delivered", value)
            for name, code_list in self.code_lists[source_id].items():
                if row.get(name) is not None:
                    row[name] = code_of(code_list, row[name])
            lines.append([row.get(name) for name in columns])
        if lines:
            staged = {name: [line[place] for line in lines] for place, name in enumerate(columns)}
            self.connection.register("staged", pa.table(staged))
            self.connection.execute(f"insert into {self.tables[source_id]} select * from staged")
            self.connection.unregister("staged")

    def clear(self, source_id: str) -> None:
        """Empty the staged table of a source, as before a new full delivery."""
        self.connection.execute(f"delete from {self.tables[source_id]}")

    def build(self, reviews: list[Row] | None = None, only: Sequence[str] = ()) -> None:
        """Build every model, or those in ``only`` with what they read.

        ``reviews`` are decisions in force (source_id, source_key, decision, person_id).
        """
        needed = self._needed(only)
        for name, relation, sql in self.models:
            if only and name not in needed:
                continue
            if name == REVIEWS:
                self._write_reviews(relation, reviews or [])
            elif name == PREDICTIONS:
                self._predict(relation)
            else:
                self.connection.execute(f"create or replace table {relation} as {sql}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query; models are in the schema `intermediate`."""
        return self.connection.execute(query).fetchall()

    def _needed(self, targets: Sequence[str]) -> set[str]:
        """The targets, and every model that they are made of."""
        needed = set(targets)
        for name, _, sql in reversed(self.models):
            if name in needed:
                needed |= set(PREDICTION_INPUTS) if name == PREDICTIONS else set()
                needed |= {other for other, relation, _ in self.models if relation in sql}
        return needed

    def _write_reviews(self, relation: str, reviews: list[Row]) -> None:
        self.connection.execute(
            f"create or replace table {relation} (source_id varchar, source_key varchar, decision varchar, "
            "person_id varchar, decided_by varchar, decided_on date, reason varchar)"
        )
        for row in reviews:
            self.connection.execute(
                f"insert into {relation} values (?, ?, ?, ?, '山田', date '2026-04-01', '面談で確認')",
                [row["source_id"], row["source_key"], row["decision"], row.get("person_id")],
            )

    def _predict(self, relation: str) -> None:
        schema = "warehouse.intermediate"
        table = predict(
            self.connection,
            self.connection.table(f"{schema}.int_identity__external_records"),
            self.connection.table(f"{schema}.int_identity__register_versions"),
            self.connection.table(f"{schema}.int_identity__household_names"),
            self.connection.table(f"{schema}.{REVIEWS}"),
            previous=relation,
        )
        self.connection.register("made", table)
        self.connection.execute(f"create or replace table {relation} as from made")
        self.connection.unregister("made")


@cache
def _codes(code_list: str) -> dict[str, str]:
    """Codes of a list by code, label and spelling."""
    codes = load_code_lists()[code_list]
    spellings = {row["spelling"]: row["code"] for row in read_seed("code_spellings") if row["code_list"] == code_list}
    return {**spellings, **{label: code for code, label in codes.items()}, **{code: code for code in codes}}


def code_of(code_list: str, written: str) -> str:
    """The code that staging makes of a word: ``unknown`` for one outside its list."""
    return _codes(code_list).get(written, "unknown")


def _typed(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
