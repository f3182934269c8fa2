"""How long a publication takes: 30 scopes out of 2,000,000 rows.

.venv/bin/python benchmarks/publish.py [rows] [scopes]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import duckdb

from kodomo.access.scope import all_areas
from kodomo.access.staff import COLUMNS
from kodomo.home import Home
from kodomo.publication import publish
from superset_config.asset_files import read_models

TABLE = "bi_contribution"


def write_warehouse(path: Path, rows: int) -> None:
    """A warehouse with one large BI table; the others are empty."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        for table, (_, columns) in read_models().items():
            types = ", ".join(f"{column.name} {column.data_type}" for column in columns.values())
            connection.execute(f"create table marts.{table} ({types})")
        values = []
        for column in read_models()[TABLE][1].values():
            if column.name == "area_code":
                areas = ", ".join(f"'{area}'" for area in all_areas())
                values.append(f"[{areas}][1 + (i // 30) % 7]")
            elif column.name == "departments":
                values.append("case when (i // 30) % 3 = 0 then '|child|health|education|' else '|child|' end")
            elif column.name == "is_dv_protected":
                values.append("(i // 30) % 200 = 0")
            elif column.data_type == "varchar":
                values.append(f"'{column.name} ' || (i % 1000)")
            elif column.data_type == "boolean":
                values.append("i % 2 = 0")
            elif column.data_type == "date":
                values.append("date '2026-04-01'")
            else:
                values.append("i % 100")
        connection.execute(f"insert into marts.{TABLE} select {', '.join(values)} from range({rows}) t(i)")


def write_staff(path: Path, scopes: int) -> None:
    """As many people as there shall be scopes."""
    areas = all_areas()
    lines = []
    for number in range(scopes):
        department = ("child", "health", "education")[number % 3]
        own = "*" if number % 10 == 0 else "|".join({areas[number % 7], areas[number // 7 % 7]})
        lines.append(f"u{number},x,{department},{own},case_worker,{number % 2}")
    path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n", encoding="utf-8")


def main() -> None:
    """Publish three times, and print the seconds."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    scopes = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "var").ensure()
        write_warehouse(home.warehouse, rows)
        write_staff(home.staff, scopes)
        for number in range(3):
            started = time.perf_counter()
            published = publish(home, f"r{number}")
            seconds = time.perf_counter() - started
            size = sum(file.stat().st_size for file in published.iterdir()) / 2**20
            files = len(list(published.glob("*.duckdb")))
            print(f"{rows:,} rows, {files} files, {size:.0f} MiB: {seconds:.1f} s")


if __name__ == "__main__":
    main()
