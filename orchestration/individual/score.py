"""Score given observations by a given definition, with the SQL of the batch."""

from __future__ import annotations

import csv
import datetime as dt
import os
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.errors import KodomoError, UsageError
from orchestration.home import Home
from orchestration.individual.engine import load_bundle, memory_warehouse
from orchestration.model.definition import TABLES, Definition, check, column_types, raise_for, read_definition

MAX_MISTAKES_SHOWN = 20


@dataclass(frozen=True)
class Scored:
    """What was written, and what was passed over."""

    subjects: int
    scores: int
    contributions: int
    unknown_people: int


def _rows(path: Path, required: set[str]) -> list[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise UsageError(f"There is no file {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise KodomoError(f"{path.name}: the file is not UTF-8: save it as UTF-8.") from error
    reader = csv.reader(text.splitlines(keepends=True))
    header = [name.strip() for name in next(reader, [])]
    missing = sorted(required - set(header))
    if missing:
        raise KodomoError(f"{path.name}:1: the column {', '.join(missing)} is missing: add it.")
    return [
        (reader.line_num, dict(zip(header, (value.strip() for value in values), strict=False)))
        for values in reader
        if any(value.strip() for value in values)
    ]


class _Fields:
    """Reads the fields of a file, and keeps what cannot be read with its line and column."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mistakes: list[str] = []

    def date(self, line: int, row: dict[str, str], column: str, *, required: bool = False) -> dt.date | None:
        text = row.get(column, "")
        if not text:
            if required:
                self.mistakes.append(f"{self.name}:{line}: {column} is empty: write a date such as 2026-04-01.")
            return None
        try:
            return dt.date.fromisoformat(text[:10])
        except ValueError:
            self.mistakes.append(f"{self.name}:{line}: {column} is no date: write it as 2026-04-01.")
            return None

    def number(self, line: int, row: dict[str, str], column: str) -> Decimal | None:
        text = row.get(column, "")
        if not text:
            return None
        try:
            value = Decimal(text)
            if not value.is_finite():
                raise InvalidOperation
            return value.quantize(Decimal("0.000001"))
        except InvalidOperation:
            self.mistakes.append(f"{self.name}:{line}: {column} is no number.")
            return None

    def text(self, line: int, row: dict[str, str], column: str) -> str:
        text = row.get(column, "")
        if not text:
            self.mistakes.append(f"{self.name}:{line}: {column} is empty.")
        return text

    def stop(self) -> None:
        if self.mistakes:
            shown = self.mistakes[:MAX_MISTAKES_SHOWN]
            more = len(self.mistakes) - len(shown)
            raise KodomoError("\n".join(shown) + (f"\n… and {more} more" if more else ""))


def score(
    home: Home,
    definition_folder: Path,
    observations: Path,
    people: Path | None,
    as_of_on: dt.date,
    out: Path,
) -> Scored:
    """Write ``fct_risk_score.csv`` and ``fct_risk_contribution.csv`` to ``out``.

    Subjects are the people of ``people``, else those of the last build who have observations, else everyone in
    ``observations`` with an unknown age. Nothing of the warehouse is changed.
    Raises KodomoError naming file, line and column of what cannot be read.
    """
    definition = read_definition(definition_folder)
    raise_for(check(definition))
    observed = _observations(observations)
    subjects = _people(people, as_of_on) if people else _subjects_without_people(home, observed, as_of_on)
    connection = memory_warehouse()
    try:
        _fill(connection, definition, observed, subjects, as_of_on)
        load_bundle(home.ensure()).execute(connection)
        return _write(connection, out, {row["person_id"] for row in observed}, subjects)
    finally:
        connection.close()


def _observations(path: Path) -> list[dict[str, Any]]:
    fields = _Fields(path.name)
    rows = [
        {
            "person_id": fields.text(line, row, "person_id"),
            "observation_code": fields.text(line, row, "observation_code"),
            "observed_on": fields.date(line, row, "observed_on", required=True),
            "ended_on": fields.date(line, row, "ended_on"),
            "value": fields.number(line, row, "value"),
            "text_value": row.get("text_value") or None,
            "source_id": path.name,
            "delivery_id": None,
            "line_number": line,
        }
        for line, row in _rows(path, {"person_id", "observation_code", "observed_on"})
    ]
    fields.stop()
    return rows


def completed_months(birth_on: dt.date, as_of_on: dt.date) -> int:
    """Completed months between two dates, as the macro ``months_between`` counts them."""
    months = (as_of_on.year - birth_on.year) * 12 + as_of_on.month - birth_on.month
    return months - (as_of_on.day < birth_on.day)


def age_months(birth_on: dt.date | None, as_of_on: dt.date) -> int | None:
    """Age in completed months; a birth that lies ahead is a due date: −1 minus the completed months until then."""
    if birth_on is None:
        return None
    if birth_on > as_of_on:
        return -1 - completed_months(as_of_on, birth_on)
    return completed_months(birth_on, as_of_on)


def _people(path: Path, as_of_on: dt.date) -> dict[str, int | None]:
    fields = _Fields(path.name)
    subjects: dict[str, int | None] = {}
    for line, row in _rows(path, {"person_id"}):
        person_id = fields.text(line, row, "person_id")
        if person_id in subjects:
            fields.mistakes.append(f"{path.name}:{line}: this person_id is there twice: keep one row.")
        subjects[person_id] = age_months(fields.date(line, row, "birth_on"), as_of_on)
    fields.stop()
    return subjects


def _subjects_without_people(home: Home, observed: list[dict[str, Any]], as_of_on: dt.date) -> dict[str, int | None]:
    ids = {row["person_id"] for row in observed}
    births: dict[str, dt.date | None] = {}
    if home.warehouse.exists():
        with duckdb.connect(str(home.warehouse), read_only=True) as connection:
            known = connection.execute(
                "select count(*) from information_schema.tables "
                "where table_schema = 'marts' and table_name = 'dim_person'"
            ).fetchall()[0][0]
            if known:
                births = dict(connection.execute("select person_id, birth_on from marts.dim_person").fetchall())
    return {person_id: age_months(births.get(person_id), as_of_on) for person_id in sorted(ids)}


def _table(rows: list[dict[str, Any]], types: dict[str, pa.DataType]) -> pa.Table:
    return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()})


_ARROW = {"varchar": pa.string(), "integer": pa.int32(), "boolean": pa.bool_(), "date": pa.date32()}


def _arrow_type(column_type: str) -> pa.DataType:
    if column_type.startswith("decimal"):
        precision, scale = column_type.removeprefix("decimal(").rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return _ARROW[column_type]


def _create(connection: duckdb.DuckDBPyConnection, relation: str, table: pa.Table) -> None:
    connection.register("given", table)
    connection.execute(f"create or replace table warehouse.{relation} as select * from given")
    connection.unregister("given")


def _fill(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    observed: list[dict[str, Any]],
    subjects: dict[str, int | None],
    as_of_on: dt.date,
) -> None:
    """Make the relations that the scoring models read. Without a family, a household is the person alone."""
    for table in TABLES:
        types = {name: _arrow_type(kind) for name, kind in column_types()[table].items()}
        _create(connection, f"seeds.{table}", _table(definition[table], types))
    people = [{"person_id": person_id, "age_months": age} for person_id, age in subjects.items()]
    _create(
        connection,
        "intermediate.int_risk__subjects",
        _table(people, {"person_id": pa.string(), "age_months": pa.int32()}),
    )
    members = [
        {"person_id": person_id, "scope": scope, "member_id": person_id}
        for person_id in subjects
        for scope in ("self", "household", "family")
    ]
    texts = dict.fromkeys(("person_id", "scope", "member_id"), pa.string())
    _create(connection, "intermediate.int_risk__scope_members", _table(members, texts))
    versions = sorted(
        {
            (row["model_version"], row["difficulty_type"])
            for table in ("risk_tiers", "risk_coefficients")
            for row in definition[table]
        }
    )
    _create(
        connection,
        "intermediate.int_risk__versions",
        _table(
            [{"model_version": version, "difficulty_type": difficulty} for version, difficulty in versions],
            dict.fromkeys(("model_version", "difficulty_type"), pa.string()),
        ),
    )
    _create(
        connection,
        "marts.fct_observation",
        _table(
            observed,
            {
                "person_id": pa.string(),
                "observation_code": pa.string(),
                "observed_on": pa.date32(),
                "ended_on": pa.date32(),
                "value": pa.decimal128(38, 6),
                "text_value": pa.string(),
                "source_id": pa.string(),
                "delivery_id": pa.string(),
                "line_number": pa.int64(),
            },
        ),
    )
    _create(
        connection,
        "intermediate.int_chain__values",
        _table(
            [],
            {"person_id": pa.string(), "chain_type": pa.string(), "value": pa.int32(), "evidence": pa.string()},
        ),
    )
    connection.execute(
        "create or replace table warehouse.raw.run_parameters as "
        "select 'score' as run_id, ?::date as as_of_on, now()::timestamp as started_at",
        [as_of_on],
    )


def _write(
    connection: duckdb.DuckDBPyConnection, out: Path, observed_people: set[str], subjects: dict[str, int | None]
) -> Scored:
    out.mkdir(parents=True, exist_ok=True)
    counts = {}
    for mart, relation, order in (
        ("fct_risk_score", "int_risk__scores", "model_version, difficulty_type, person_id"),
        (
            "fct_risk_contribution",
            "int_risk__contributions",
            "model_version, difficulty_type, person_id, item_code, band_no",
        ),
    ):
        draft = out / f".{mart}.csv.part"
        connection.execute(
            f"copy (select * from warehouse.intermediate.{relation} order by {order}) to '{draft}' (header, format csv)"
        )
        os.replace(draft, out / f"{mart}.csv")
        counts[mart] = connection.execute(f"select count(*) from warehouse.intermediate.{relation}").fetchall()[0][0]
    return Scored(
        subjects=len(subjects),
        scores=counts["fct_risk_score"],
        contributions=counts["fct_risk_contribution"],
        unknown_people=len(observed_people - set(subjects)),
    )
