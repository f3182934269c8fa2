"""Macros of dbt as SQL text, so that Python and the models judge a value by one definition."""

from __future__ import annotations

import csv
from functools import lru_cache
from typing import Any

from jinja2 import Environment, StrictUndefined

from kodomo.home import PROJECT
from kodomo.parameters import parameter


class _Adapter:
    """dbt's dispatch, with DuckDB as the engine."""

    def __init__(self) -> None:
        self.macros: dict[str, Any] = {}

    def dispatch(self, name: str, _package: str | None = None) -> Any:
        return self.macros.get(f"duckdb__{name}") or self.macros[f"default__{name}"]


WORD_LISTS = ("words_for_nothing", "flag_words", "units")
"""Seeds that ingest needs before dbt has built any."""


def _relation(name: str) -> str:
    """SQL of a seed: a word list by its rows, anything else by its name."""
    if name not in WORD_LISTS:
        return name
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        headings, *rows = csv.reader(file)
    values = ", ".join("(" + ", ".join("'" + value.replace("'", "''") + "'" for value in row) + ")" for row in rows)
    return f"(values {values}) as {name} ({', '.join(headings)})"


@lru_cache
def load_macros() -> dict[str, Any]:
    """The macros of normalisation, age bands and labels by name; each takes SQL expressions and returns SQL."""
    adapter = _Adapter()
    macros = PROJECT / "macros"
    paths = [
        *sorted((macros / "normalise").glob("*.sql")),
        macros / "bi" / "age_band.sql",
        macros / "bi" / "label_of.sql",
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    environment = Environment(undefined=StrictUndefined)
    module = environment.from_string(
        text,
        globals={"adapter": adapter, "return": lambda value: value, "ref": _relation, "var": parameter},
    ).module
    adapter.macros = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return adapter.macros
