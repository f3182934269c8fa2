"""Which observations a definition may use: those that exist, and whose data items the register approves."""

from __future__ import annotations

import datetime as dt

from kodomo import register
from kodomo.contract import load_contracts
from kodomo.seeds import read_seed

PURPOSE = "determination"


def observation_obstacles(as_of_on: dt.date) -> dict[str, str | None]:
    """Every observation code with what stands against its use for determination on that date (None: nothing)."""
    contracts = load_contracts()
    obstacles: dict[str, str | None] = {}
    for row in read_seed("observation_codes"):
        contract = contracts.get(row["source_id"])
        obstacle = None if contract else f"its source {row['source_id']} has no contract"
        for name in row["column_names"].split("|") if contract else ():
            column = next((column for column in contract.columns if column.name == name), None)
            if column is None:
                obstacle = f"{row['source_id']} has no column {name}"
            elif not column.register.get("legal_basis"):
                obstacle = f"{column.heading} has no legal basis in the register"
            else:
                obstacle = obstacle or register.obstacle(column, as_of_on, PURPOSE)
        obstacles[row["observation_code"]] = obstacle
    return obstacles
