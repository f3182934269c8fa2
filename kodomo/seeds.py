"""dbt's seeds as Python reads them: rows with the types that the seeds' yml gives."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from kodomo.csv_files import read_csv
from kodomo.errors import KodomoError
from kodomo.home import PROJECT
from kodomo.messages import Sentence

SEEDS = PROJECT / "seeds"
Row = Mapping[str, Any]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TRUE = {"true", "t", "1", "yes"}
_FALSE = {"false", "f", "0", "no", ""}


@cache
def column_types() -> Mapping[str, Mapping[str, str]]:
    """Seed → column → type, from ``seeds/_*.yml``."""
    types: dict[str, Mapping[str, str]] = {}
    for path in sorted(SEEDS.glob("_*.yml")):
        for seed in yaml.load(path.read_bytes(), Loader=_Loader)["seeds"]:
            types[seed["name"]] = seed["config"]["column_types"]
    return types


@lru_cache(maxsize=64)
def read_seed(name: str, folder: Path = SEEDS) -> tuple[Row, ...]:
    """The rows of a seed in the order of its file; an empty value is None.

    Raises KodomoError that names file, line and column for what cannot be read.
    """
    path = folder / f"{name}.csv"
    types = column_types()[name]
    file = read_csv(path)
    if missing := [column for column in types if column not in file.header]:
        raise KodomoError("{name}:1: the column {names} is missing: add it.", name=path.name, names=", ".join(missing))
    if file.too_long:
        raise KodomoError(
            "{name}:{value}: more values than headings: quote the commas.", name=path.name, value=file.too_long[0]
        )
    readers = [(column, *reader(kind)) for column, kind in types.items()]
    rows = []
    for line, values in file.records:
        given = dict(zip(file.header, values, strict=True))
        row: dict[str, Any] = {}
        for column, convert, expected in readers:
            text = given[column]
            try:
                row[column] = convert(text) if text else None
            except (ValueError, InvalidOperation, OverflowError) as error:
                raise KodomoError(
                    "{name}:{line}: {column} is {text!r}: write {expected}.",
                    name=path.name,
                    line=line,
                    column=column,
                    text=text,
                    expected=expected,
                ) from error
        rows.append(MappingProxyType(row))
    return tuple(rows)


@cache
def accepted_values(seed: str, column: str) -> tuple[str, ...]:
    """The values that a column of a seed may have, from its test ``accepted_values``. Raises KeyError without one."""
    for path in sorted(SEEDS.glob("_*.yml")):
        for table in yaml.load(path.read_bytes(), Loader=_Loader)["seeds"]:
            for described in table.get("columns", []) if table["name"] == seed else []:
                for test in described.get("data_tests", []) if described["name"] == column else []:
                    if isinstance(test, dict) and "accepted_values" in test:
                        return tuple(test["accepted_values"]["arguments"]["values"])
    raise KeyError(f"{seed}.{column}")


def reader(column_type: str) -> tuple[Callable[[str], Any], Sentence]:
    """What turns text into a value of a seed's column type, and what is expected of the text, for a message.

    The function raises ValueError, InvalidOperation or OverflowError.
    """
    if column_type == "integer":
        return _integer, Sentence("a whole number")
    if column_type.startswith("decimal"):
        precision, scale = map(int, column_type.removeprefix("decimal(").rstrip(")").split(","))
        expected = Sentence(
            "a number with at most {whole} digits before the point and {scale} after it",
            whole=precision - scale,
            scale=scale,
        )
        return partial(_decimal, precision=precision, scale=scale), expected
    if column_type == "boolean":
        return _boolean, Sentence("true or false")
    if column_type == "date":
        return dt.date.fromisoformat, Sentence("a date such as 2026-04-01")
    return str, Sentence("text")


def _boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError


def _number(text: str) -> Decimal:
    # Full-width digits and underscores are numbers to Python, and none to the engine.
    if not _NUMBER.fullmatch(text):
        raise ValueError
    return Decimal(text)


def _decimal(text: str, precision: int, scale: int) -> Decimal:
    value = _number(text)
    if abs(value) >= Decimal(10) ** (precision - scale):
        raise ValueError
    if value != value.quantize(Decimal(1).scaleb(-scale)):
        raise ValueError
    return value


def _integer(text: str) -> int:
    value = _number(text)
    if value != int(value) or abs(value) >= 2**31:
        raise ValueError
    return int(value)
