"""The register in the layout of standardised systems says of everybody what it says in the city's own layout."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest

from synthetic_city.city import generate
from synthetic_city.parameters import Parameters
from synthetic_city.slips import read_day
from synthetic_city.standard_layout import HEADINGS
from tests.conftest import PROJECT

pytestmark = pytest.mark.slow

PARAMETERS = {"residents": 600, "seed": 7, "as_of": dt.date(2026, 4, 1), "slip_rate": 0, "dirty_rate": 0}


@pytest.fixture(scope="module")
def registers(tmp_path_factory: pytest.TempPathFactory) -> list[list[dict[str, str]]]:
    """The rows of the register in both layouts."""
    folder = tmp_path_factory.mktemp("layouts")
    rows = []
    for name, is_standard, encoding in (("own", False, "cp932"), ("standard", True, "utf-8-sig")):
        generate(folder / name, Parameters(**PARAMETERS, standard_register=is_standard))
        (path,) = (folder / name / "landing" / "resident_register").glob("*.csv")
        with path.open(encoding=encoding, newline="") as file:
            rows.append([row for row in csv.DictReader(file) if row["宛名番号"].isdigit()])
    return rows


def test_headings_are_those_of_a_system_in_use() -> None:
    listed: Path = PROJECT / "tests" / "unit" / "ingest" / "resident_register_standard.headings.txt"
    assert list(HEADINGS) == listed.read_text(encoding="utf-8").split()


def test_the_rows_in_force_say_what_the_own_layout_says(registers: list[list[dict[str, str]]]) -> None:
    own, standard = registers
    written = [row for row in standard if row["削除フラグ"] == "0"]
    in_force = {row["宛名番号"]: row for row in sorted(written, key=lambda row: int(row["個人履歴番号"]))}
    assert in_force.keys() == {row["宛名番号"] for row in own}
    for row in own:
        standard_row = in_force[row["宛名番号"]]
        same = ("世帯番号", "氏名", "性別", "住民状態", "異動事由")
        assert [standard_row[name] for name in same] == [row[name] for name in same]
        assert (standard_row["住所_町字"], standard_row["住所_番地号表記"]) == (row["町字"], row["番地"])
        assert read_day(standard_row["異動年月日"]) == read_day(row["異動年月日"])


def test_some_states_are_history_and_some_are_taken_back(registers: list[list[dict[str, str]]]) -> None:
    _, standard = registers
    taken_back = [row for row in standard if row["削除フラグ"] == "1"]
    assert taken_back
    for row in taken_back:
        others = [other for other in standard if other["宛名番号"] == row["宛名番号"] and other is not row]
        assert others
        assert {other["最新フラグ"] for other in others} == {"0"}
    assert any(row["個人履歴番号"] == "1" for row in standard)
    numbers = [row["宛名番号"] for row in standard]
    assert numbers != sorted(numbers)
