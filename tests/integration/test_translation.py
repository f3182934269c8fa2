"""Models keep to SQL that sqlglot translates to Spark's: docs/scale.md says what for.

What it cannot say stands in untranslated.yml, construct by construct. The list may only shrink.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import ErrorLevel, exp
from sqlglot.errors import ParseError, UnsupportedError

from tests.conftest import City

KNOWN = Path(__file__).with_name("untranslated.yml")
ONLY_OF_DATES = "trunc"
"""A function of numbers here and of dates there, which keeps its name in the translation."""


def constructs(sql: str) -> set[str]:
    """What of a statement of DuckDB has no translation; empty where there is one."""
    statement = sqlglot.parse_one(sql, read="duckdb")
    kept = {"operator &&"} if statement.find(exp.ArrayOverlaps) else set()
    if any(call.name.lower() == ONLY_OF_DATES for call in statement.find_all(exp.Anonymous)):
        kept.add(f"function {ONLY_OF_DATES}")
    try:
        translated = sqlglot.parse_one(statement.sql("spark", unsupported_level=ErrorLevel.RAISE), read="spark")
    except UnsupportedError as error:
        return kept | set(str(error).splitlines())
    except ParseError:
        return kept or {"syntax"}
    return kept | {f"function {call.name.lower()}" for call in translated.find_all(exp.Anonymous)}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select a.b::integer as c from a where a.d is not distinct from 1", set()),
        (
            "with recursive a as (select 1 as b union all select b + 1 from a) from a",
            {"Recursive CTEs are unsupported"},
        ),
        ("select a && b from c", {"operator &&"}),
        ("select trunc(a) from c", {"function trunc"}),
        ("select lgamma(a) from c", {"function lgamma"}),
    ],
)
def test_construct_without_translation_is_named(sql: str, expected: set[str]) -> None:
    assert constructs(sql) == expected


def test_models_keep_to_sql_that_translates(city: City) -> None:
    compiled = city.home / "dbt" / "target" / "compiled" / "kodomo" / "models"
    untranslated: dict[str, set[str]] = defaultdict(set)
    models = sorted(path for path in compiled.rglob("*.sql") if path.parent.suffix != ".yml")
    for path in models:
        for construct in constructs(path.read_text(encoding="utf-8")):
            # All staging models are calls of the same macros.
            untranslated[construct].add("staging" if "staging" in path.parts else path.stem)
    assert len(models) > 200
    assert {name: sorted(found) for name, found in untranslated.items()} == yaml.safe_load(
        KNOWN.read_text(encoding="utf-8")
    )
