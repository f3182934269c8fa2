"""Runs the normalisation macros on DuckDB alone, rendered as ingest renders them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from kodomo.macros import load_macros

SEEDS = Path(__file__).resolve().parents[3] / "seeds"


def macro(name: str, *arguments: Any) -> str:
    """SQL of a macro over the column ``delivered``."""
    return load_macros()[name]("delivered", *arguments)


def evaluate(expression: str, values: list[str | None]) -> list[Any]:
    """The values of a SQL expression over a column named ``delivered``, in the order of ``values``."""
    with duckdb.connect() as connection:
        connection.execute("create table given (position integer, delivered varchar)")
        connection.execute(
            "insert into given select unnest(?::integer[]), unnest(?::varchar[])", [list(range(len(values))), values]
        )
        if "kanji_variants" in expression:
            connection.execute(
                "create table kanji_variants as select * from read_csv(?, header = true)",
                [str(SEEDS / "kanji_variants.csv")],
            )
        rows = connection.execute(f"select {expression} from given order by position").fetchall()
    return [row[0] for row in rows]
