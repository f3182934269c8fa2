"""A version is approved by a person, with date and reason, and does not change from then on."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from kodomo.csv_files import read_csv
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.scoring.definition import TABLES, check, read_definition, version_hash
from kodomo.scoring.versions import EVALUATION, approve, is_evaluation_due, record_evaluation, record_run, retire
from kodomo.seeds import SEEDS
from kodomo.warehouse import connect, migrate

ON = dt.date(2026, 5, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the definition in force, with a draft that scores poverty by one item."""
    for table in TABLES:
        shutil.copy(SEEDS / f"{table}.csv", tmp_path)
    columns = ",".join(read_csv(SEEDS / "risk_model_versions.csv").header)
    empty = "," * (columns.count(",") - 1)
    _append(tmp_path, "risk_model_versions", f"draft-1,draft{empty}")
    _append(tmp_path, "risk_coefficients", "draft-1,poverty,loan,1,3")
    _append(tmp_path, "risk_tiers", "draft-1,poverty,high,2,ハイリスク,3", "draft-1,poverty,low,1,ローリスク,")
    return tmp_path


def _append(folder: Path, table: str, *lines: str) -> None:
    with (folder / f"{table}.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def _row(folder: Path, version: str) -> dict:
    return next(row for row in read_definition(folder)["risk_model_versions"] if row["model_version"] == version)


def test_an_approval_records_name_date_and_reason(folder: Path) -> None:
    approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON, as_trial=True)
    row = _row(folder, "draft-1")
    assert (row["status"], row["approved_by"], row["approved_on"]) == ("trial", "佐渡 花子", ON)
    assert row["approval_reason_ja"] == "試行の結果"
    assert check(read_definition(folder)) == []


def test_an_approved_version_may_not_change(folder: Path) -> None:
    approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON, as_trial=True)
    path = folder / "risk_coefficients.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("draft-1,poverty,loan,1,3", "draft-1,poverty,loan,1,4"))
    mistakes = check(read_definition(folder))
    assert len(mistakes) == 1
    assert mistakes[0].is_fatal
    assert "draft-1 has changed since 佐渡 花子 approved it on 2026-05-01" in mistakes[0].message
    with pytest.raises(KodomoError, match="has changed"):
        approve(folder, "draft-1", "佐渡 花子", "もう一度", ON, as_trial=True)


def test_an_approved_version_that_has_changed_stops_a_run_and_can_still_be_tried(folder: Path, tmp_path: Path) -> None:
    approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON, as_trial=True)
    path = folder / "risk_bands.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("loan,1,1,,,あり", "loan,1,2,,,あり"), encoding="utf-8")
    home = Home(tmp_path / "var").ensure()
    with pytest.raises(KodomoError, match="draft-1 has changed since 佐渡 花子 approved it"):
        record_run(home, "run-1", ON, folder)
    assert not (home.root / "definitions").exists()
    tried = check(read_definition(folder), is_tried=True)
    assert {mistake.is_fatal for mistake in tried} == {False}
    assert any("draft-1 has changed" in mistake.message for mistake in tried)


def test_the_active_version_is_approved_and_has_not_changed() -> None:
    definition = read_definition(SEEDS)
    active = [row for row in definition["risk_model_versions"] if row["status"] == "active"]
    assert active
    for row in active:
        assert row["approved_by"]
        assert row["approved_on"]
        assert row["approval_reason_ja"]
        assert row["content_hash"] == version_hash(definition, row["model_version"])


def test_a_second_approval_is_refused(folder: Path) -> None:
    approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON, as_trial=True)
    with pytest.raises(KodomoError, match="was approved by 佐渡 花子"):
        approve(folder, "draft-1", "別の人", "もう一度", ON, as_trial=True)


def test_two_active_versions_of_one_difficulty_type_are_refused(folder: Path) -> None:
    with pytest.raises(KodomoError, match=r"v2 \(poverty\) is active: retire it first"):
        approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON)
    retire(folder, "v2", ON)
    approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON)
    assert [_row(folder, name)["status"] for name in ("v2", "draft-1")] == ["retired", "active"]
    assert _row(folder, "v2")["valid_to"] == ON


def test_a_definition_with_any_mistake_is_not_approved(folder: Path) -> None:
    _append(folder, "risk_bands", "loan,7,9,5,,")
    with pytest.raises(KodomoError, match=r"risk_bands.csv:\d+: the band 9 to 5 holds no value"):
        approve(folder, "draft-1", "佐渡 花子", "試行の結果", ON, as_trial=True)
    assert _row(folder, "draft-1")["content_hash"] is None


def test_an_approval_needs_a_name_and_a_reason(folder: Path) -> None:
    with pytest.raises(UsageError, match="name of the person and a reason"):
        approve(folder, "draft-1", " ", "試行の結果", ON, as_trial=True)


def test_evaluation_is_due_once_a_month_and_where_a_table_is_new(tmp_path: Path) -> None:
    home = Home(tmp_path).ensure()
    with connect(home) as connection:
        migrate(connection)
        connection.execute("create schema marts")
        for path in EVALUATION.glob("*.sql"):
            connection.execute(f"create table marts.{path.stem} (as_of_on date)")
    assert is_evaluation_due(home, ON, "hash")
    record_evaluation(home, ON, "hash")
    assert not is_evaluation_due(home, ON.replace(day=31), "hash")
    assert is_evaluation_due(home, dt.date(2026, 6, 1), "hash")
    assert is_evaluation_due(home, ON, "other hash")
    with connect(home) as connection:
        connection.execute("drop table marts.fct_model_baseline")
    assert is_evaluation_due(home, ON.replace(day=31), "hash")
