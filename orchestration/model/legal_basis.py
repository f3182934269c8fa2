"""Which observations a definition may use: those that exist, and whose data items the register approves."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

from orchestration.contract import Column, load_contracts
from orchestration.home import PROJECT

OBSERVATION_CODES = PROJECT / "seeds" / "observation_codes.csv"
APPROVED = "承認"
PURPOSE = "determination"


def observation_obstacles(as_of_on: dt.date) -> dict[str, str | None]:
    """Every observation code with what stands against its use for determination on that date (None: nothing)."""
    contracts = load_contracts()
    obstacles: dict[str, str | None] = {}
    with OBSERVATION_CODES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            contract = contracts.get(row["source_id"])
            obstacle = None if contract else f"its source {row['source_id']} has no contract"
            for name in row["column_names"].split("|") if contract else ():
                column = next((column for column in contract.columns if column.name == name), None)
                if column is None:
                    obstacle = f"{row['source_id']} has no column {name}"
                else:
                    obstacle = obstacle or column_obstacle(column, as_of_on)
            obstacles[row["observation_code"]] = obstacle
    return obstacles


def column_obstacle(column: Column, as_of_on: dt.date) -> str | None:
    """What the register of data items says against using a column for determination, None if nothing."""
    register: dict[str, Any] = column.register
    if register.get("status") != APPROVED:
        return f"{column.heading} is {register.get('status') or 'not in the register'}"
    if not register.get("legal_basis"):
        return f"{column.heading} has no legal basis in the register"
    starts, ends = register.get("valid_from"), register.get("valid_to")
    if (starts and starts > as_of_on) or (ends and ends < as_of_on):
        return f"{column.heading} is not approved on {as_of_on}"
    if PURPOSE not in (register.get("permitted_purposes") or [PURPOSE]):
        return f"{column.heading} is not approved for determination"
    return None
