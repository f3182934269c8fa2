"""Runs a landing folder through the batch in this process, and reads what came out."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest

from expectations.results import QualityResult
from kodomo import dbt_runner as dbt
from kodomo.contract import Contract, load_contracts
from kodomo.home import Home
from orchestration.batch import Batch

CASES = Path(__file__).parent
DELIVERED_ON = "20260331"
NOT_BUILT = ("tag:evaluation+", "test_type:generic", "resource_type:unit_test")
"""No case is about them: the evaluation, which takes as long as the rest, and tests of keys, which other tests run."""


@dataclass(frozen=True)
class Outcome:
    """What a run has made of a case."""

    batch: Batch

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple]:
        """All rows of a query over the warehouse."""
        with duckdb.connect(str(self.batch.home.warehouse), read_only=True) as connection:
            return connection.execute(sql, parameters).fetchall()

    def person_id(self, atena_no: str) -> str | None:
        """The person of a number, as it is in the register; None: the number is no person's."""
        person_ids = self.rows("select person_id from marts.dim_person where atena_no = ?", [atena_no.zfill(15)])
        return person_ids[0][0] if person_ids else None

    def observations(self, atena_no: str, observation_code: str) -> list[tuple]:
        """observed_on, ended_on and value of the observations of one kind of a person, in the order of time."""
        return self.rows(
            "select observed_on, ended_on, value from marts.fct_observation "
            "where person_id = ? and observation_code = ? order by all",
            [self.person_id(atena_no), observation_code],
        )

    def is_known_to_services(self, atena_no: str) -> bool | None:
        """Whether a child is known to services; None: the person is no subject."""
        flags = self.rows(
            "select is_known_to_services from marts.dim_child where person_id = ?", [self.person_id(atena_no)]
        )
        return flags[0][0] if flags else None

    def rejects(self, source_id: str) -> list[tuple]:
        """line_number, reason_code and column_name of the rejects of a source."""
        return self.rows(
            "select line_number, reason_code, column_name from marts.fct_reject where source_id = ? order by all",
            [source_id],
        )

    def value_issues(self, source_id: str) -> list[tuple]:
        """line_number, column_name and issue_code of what could not be read of a source."""
        return self.rows(
            "select line_number, column_name, issue_code from raw.value_issues where source_id = ? order by all",
            [source_id],
        )

    def delivery(self, source_id: str) -> dict[str, Any]:
        """What became of the only file of a source, by the columns of fct_delivery."""
        (row,) = self.rows("select * from marts.fct_delivery where source_id = ?", [source_id])
        names = [name for (name,) in self.rows("select column_name from (describe marts.fct_delivery)")]
        return dict(zip(names, row, strict=True))

    @cached_property
    def expectations(self) -> Sequence[QualityResult]:
        """The results of all expectations."""
        return self.batch.check()

    @property
    def failed_expectations(self) -> set[str]:
        """The names of the expectations that did not pass, but for the sources that a case does not deliver."""
        failed = {result.expectation for result in self.expectations if result.status != "passed"}
        return failed - {"every_source_has_a_delivery"}


class RunCase(Protocol):
    """Runs the case of a name: its folder, or files that a test has written."""

    def __call__(self, name: str, delivered: Path | None = None, as_of_on: dt.date = ...) -> Outcome: ...


def prepared_home(folder: Path) -> Path:
    """A warehouse that holds the seeds and nothing else: they are the same for every case."""
    home = Home(folder / "var").ensure()
    dbt.invoke(home, ["seed"])
    return home.warehouse


def run_case(landing: Path, as_of_on: dt.date, folder: Path, prepared: Path) -> Outcome:
    """Ingest and build a landing folder in a new home. Fails where a model or a data test of the project does."""
    home = Home(folder).ensure()
    shutil.copy(prepared, home.warehouse)
    batch = Batch(home, landing, as_of_on)
    batch.ingest()
    with pytest.MonkeyPatch.context() as environment:
        # dbt's artifacts, which no case reads, are a tenth of its time.
        environment.setenv("DBT_WRITE_JSON", "false")
        batch.nodes = dbt.build(home, exclude=(*NOT_BUILT, "resource_type:seed"))
    assert not batch.build_errors, dbt.unbuilt(batch.nodes)
    assert not batch.gate_failures, batch.gate_failures
    return Outcome(batch)


def landing(folder: Path, **extracts: Sequence[Mapping[str, str]] | bytes) -> Path:
    """A landing folder with one delivery per source: rows by heading (what is not given is empty), or bytes."""
    contracts = load_contracts()
    for source_id, extract in extracts.items():
        target = folder / "landing" / source_id
        target.mkdir(parents=True)
        data = extract if isinstance(extract, bytes) else _csv(contracts[source_id], extract)
        (target / f"{source_id}_{DELIVERED_ON}.csv").write_bytes(data)
    return folder / "landing"


def _csv(contract: Contract, rows: Sequence[Mapping[str, str]]) -> bytes:
    headings = [column.heading for column in contract.columns]
    unknown = {heading for row in rows for heading in row} - {*headings}
    assert not unknown, f"{contract.source_id} has no heading {unknown}"
    lines = [headings, *([row.get(heading, "") for heading in headings] for row in rows)]
    return "".join(",".join(map(_field, line)) + "\r\n" for line in lines).encode()


def _field(value: str) -> str:
    return f'"{value.replace(chr(34), chr(34) * 2)}"' if {*value} & {",", '"', "\n"} else value


def resident(atena_no: str, household_no: str, name: str, birth_on: str, **other: str) -> dict[str, str]:
    """A row of the register: a resident of 佐和田 since 2008, a child of the head of the household unless said."""
    return {
        "宛名番号": atena_no,
        "世帯番号": household_no,
        "氏名": name,
        "生年月日": birth_on,
        "性別": "1",
        "続柄コード1": "20",
        "住民種別": "1",
        "住民状態": "1",
        "異動事由": "10",
        "異動年月日": "H20.4.1",
        "住民となった年月日": "H20.4.1",
        "郵便番号": "952-0011",
        "町字": "中原",
        "番地": "1番地",
        "旧市町村": "佐和田",
        **other,
    }
