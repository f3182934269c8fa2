"""What a contract declares of its observations agrees with its columns, with the seed and with the models."""

from __future__ import annotations

import csv
import re
from typing import Any

import pytest
import yaml

from kodomo.home import PROJECT


def contracts() -> dict[str, dict[str, Any]]:
    """Every source with `facts`: its table in models/sources."""
    tables = {}
    for path in sorted((PROJECT / "models" / "sources").glob("*.yml")):
        for source in yaml.safe_load(path.read_text("utf-8"))["sources"]:
            for table in source["tables"]:
                if table.get("config", {}).get("meta", {}).get("facts"):
                    tables[table["name"]] = table
    return tables


CONTRACTS = contracts()
with (PROJECT / "seeds" / "observation_codes.csv").open(encoding="utf-8", newline="") as file:
    CODES = list(csv.DictReader(file))


def test_every_source_that_declares_observations_is_read() -> None:
    macro = (PROJECT / "macros" / "declared_observations.sql").read_text("utf-8")
    lines = dict(re.findall(r"\('(\w+)', '(stg_\w+)'\)", macro))
    assert lines == {
        source: f"stg_{table['config']['meta']['holder']}__{source}" for source, table in CONTRACTS.items()
    }


@pytest.mark.parametrize("source", CONTRACTS)
def test_observations_are_in_the_seed_with_the_columns_they_are_read_from(source: str) -> None:
    table = CONTRACTS[source]
    facts = table["config"]["meta"]["facts"]
    columns = {column["name"] for column in table["columns"]}
    assert {column for entry in facts["person"] for column in entry.values()} <= columns
    seed = {row["observation_code"]: set(row["column_names"].split("|")) for row in CODES if row["source_id"] == source}
    read = {}
    for code, entry in facts["observations"].items():
        expressions = [entry.get(place) for place in ("when", "value", "text")]
        expressions += [entry.get(place, facts.get(place)) for place in ("observed_on", "ended_on")]
        read[code] = set(re.findall(r"[a-z_]+", re.sub("'[^']*'", "", " ".join(filter(None, expressions))))) & columns
    assert seed == read
