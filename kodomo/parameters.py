"""Facts of the domain that SQL and Python share: the ``vars`` of dbt_project.yml."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from kodomo.home import PROJECT


@cache
def _parameters() -> dict[str, Any]:
    return yaml.safe_load((PROJECT / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def parameter(name: str) -> Any:
    """The value of a parameter, as dbt's ``var(name)`` gives it. Raises KeyError for one that is not there."""
    return _parameters()[name]


def labels(name: str) -> dict[str, str]:
    """Code → Japanese label of a list of codes, in its order. Raises KeyError."""
    return {code: entry["label"] for code, entry in parameter("labels")[name].items()}


def colours(name: str) -> dict[str, str]:
    """Code → colour of a list of codes, in its order. Raises KeyError."""
    return {code: entry["colour"] for code, entry in parameter("labels")[name].items()}
