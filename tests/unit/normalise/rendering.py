"""Renders the normalisation macros with plain Jinja, as ingest does, so that they can be run on DuckDB alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, StrictUndefined

MACROS = Path(__file__).resolve().parents[3] / "macros"


class _Adapter:
    """dbt's dispatch, with DuckDB as the engine."""

    def __init__(self) -> None:
        self.macros: dict[str, Any] = {}

    def dispatch(self, name: str, _package: str | None = None) -> Any:
        return self.macros.get(f"duckdb__{name}") or self.macros[f"default__{name}"]


def load_macros() -> dict[str, Any]:
    """All macros that need no dbt, by name; each returns SQL as text."""
    adapter = _Adapter()
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 (SQL, not HTML)
    paths = [*sorted((MACROS / "normalise").glob("*.sql")), MACROS / "months_between.sql"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    module = environment.from_string(
        text, globals={"adapter": adapter, "return": lambda value: value, "ref": lambda name: name}
    ).module
    adapter.macros = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return adapter.macros


def evaluate(expression: str, values: list[str | None]) -> list[Any]:
    """The values of a SQL expression over a column named ``delivered``, in the order of ``values``."""
    connection = duckdb.connect()
    connection.execute("create table given (position integer, delivered varchar)")
    connection.executemany("insert into given values (?, ?)", list(enumerate(values)))
    rows = connection.execute(f"select {expression} from given order by position").fetchall()  # noqa: S608 (a macro)
    return [row[0] for row in rows]
