"""The genogram: seconds and memory from typed extracts to people, edges, families and chains, as the SQL of the batch.

.venv/bin/python -m benchmarks.family --home HOME [--copies N] [--memory 12GiB] [--threads N]

HOME is the home of a run. Its staged extracts and its links of outside records are copied N times into a scratch
warehouse, each copy a city of people of its own (other numbers, other names), and every model from there to
`fct_family_link` and `fct_chain` is built by the bare engine, one after the other. 20 copies of a city of 51,492 are
1,029,840 residents with the families of 45 years. One JSON line per model, and one for the whole; `cpu_seconds` is
the work of all threads, which a busy machine does not change much.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from kodomo.home import Home
from kodomo.scoring.engine import compile_models

PEOPLE = (
    "int_person__merges",
    "int_person__atena",
    "int_person__residents",
    "int_person__pregnancies",
    "int_person__identities",
    "int_person__persons",
    "int_person__subjects",
)
GENOGRAM = (
    "int_household__spells",
    "int_household__members",
    "int_household__members_as_of",
    "int_family__relations",
    "int_family__marriages",
    "int_family__partners",
    "int_family__parent_evidence",
    "int_family__parents",
    "int_family__parents_as_of",
    "int_family__shared_households",
    "int_family__contradictions",
    "int_family__links",
    "fct_family_link",
)
FAMILIES = (
    "int_family__neighbours",
    "int_family__within_two_steps",
    "int_family__ancestors",
    "int_family__cases",
    "int_family__relatives",
)
CHAINS = ("int_chain__vertical", "int_chain__horizontal", "int_chain__values", "fct_chain")
PARTS = {"people": PEOPLE, "genogram": GENOGRAM, "families": FAMILIES, "chains": CHAINS}

VIEWS = frozenset({"int_family__links"})
# What tells one copy's people from another's.
KEYS = ("source_key", "person_id")
NAMES = ("full_name", "full_name_match", "full_name_kana", "full_name_kana_match")


def copied(connection: duckdb.DuckDBPyConnection, schema: str, table: str, copies: int) -> str:
    """The SQL of a table with every person in it once per copy, under other numbers and names."""
    columns = connection.execute(
        "select column_name from information_schema.columns "
        "where table_catalog = 'given' and table_schema = ? and table_name = ? and data_type = 'VARCHAR'",
        [schema, table],
    ).fetchall()
    if schema not in {"staging", "intermediate"}:
        return f"select * from given.{schema}.{table}"  # names of the project
    numbers = [name for (name,) in columns if name.endswith("_no") or name in KEYS]
    replaced = [
        f"case when n = 0 then {name} when length({name}) = 15 then lpad(n::varchar, 2, '0') || substr({name}, 3) "
        f"else {name} || '-' || n end as {name}"
        for name in numbers
    ]
    replaced += [f"if(n = 0, {name}, {name} || n) as {name}" for (name,) in columns if name in NAMES]
    exchange = f"replace ({', '.join(replaced)})" if replaced else ""
    return f"select * exclude (n) {exchange} from given.{schema}.{table}, range({copies}) as copies(n)"


def measure(home: Path, copies: int, memory: str, threads: int) -> list[dict[str, Any]]:
    """Seconds per model and in all; the peak of the process's memory in GiB, loading included."""
    models = [name for part in PARTS.values() for name in part]
    with tempfile.TemporaryDirectory(prefix="family-") as folder:
        statements = compile_models(Home(Path(folder) / "dbt").ensure(), models)
        connection = duckdb.connect(
            str(Path(folder) / "warehouse.duckdb"), config={"memory_limit": memory, "threads": threads}
        )
        connection.execute(f"attach '{home / 'warehouse.duckdb'}' as given (read_only)")
        for schema in ("raw", "seeds", "staging", "intermediate", "marts"):
            connection.execute(f"create schema warehouse.{schema}")
        made = {relation for relation, _ in statements}
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'given'"
        ).fetchall()
        for schema, table in tables:
            relation = f'"warehouse"."{schema}"."{table}"'
            if relation not in made and any(relation in sql for _, sql in statements):
                connection.execute(f"create table {relation} as {copied(connection, schema, table, copies)}")
        connection.execute("checkpoint warehouse")
        lines: list[dict[str, Any]] = []
        for relation, sql in statements:
            name = relation.split(".")[-1].strip('"')
            started, cpu_started = time.perf_counter(), time.process_time()
            connection.execute(f"create {'view' if name in VIEWS else 'table'} {relation} as {sql}")
            lines.append(
                {
                    "model": name,
                    "seconds": round(time.perf_counter() - started, 2),
                    "cpu_seconds": round(time.process_time() - cpu_started, 2),
                }
            )
        counts = connection.execute(
            "select (select count(*) from intermediate.int_person__residents where is_resident), "
            "(select count(*) from intermediate.int_person__persons), "
            "(select count(*) from marts.fct_family_link), (select count(*) from marts.fct_chain)"
        ).fetchall()[0]
        connection.close()
    seconds = {line["model"]: line["seconds"] for line in lines}
    return [
        *lines,
        {
            "model": "all",
            "seconds": round(sum(seconds.values()), 2),
            "cpu_seconds": round(sum(line["cpu_seconds"] for line in lines), 2),
            **{part: round(sum(seconds[name] for name in names), 2) for part, names in PARTS.items()},
            **dict(zip(("residents", "persons", "edges", "chains_found"), counts, strict=True)),
            "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            "memory_limit": memory,
            "threads": threads,
            "load_average": round(os.getloadavg()[0], 1),
        },
    ]


def main() -> None:
    """Print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--memory", default="12GiB")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    for line in measure(arguments.home, arguments.copies, arguments.memory, arguments.threads):
        print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
