"""Slips of whole columns: each file has one column gone wrong, and the truth says which and how."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from synthetic_city.column_slips import ColumnSlip, ColumnSlips
from synthetic_city.parameters import Parameters
from synthetic_city.writing import Extract, Style

ON = dt.date(2026, 1, 15)
ROWS = 100
CLEAN = {
    "宛名番号": [f"{1000 + number}" for number in range(ROWS)],
    "学校名": ["東小" if number < 55 else "西小" for number in range(ROWS)],
    "性別": ["1" if number % 3 else "2" for number in range(ROWS)],
    "在籍開始": [f"R{2 + number % 5}.4.1" for number in range(ROWS)],
    "欠席日数": [str(number % 4) for number in range(ROWS)],
    "備考": ["あり" if number == 7 else "" for number in range(ROWS)],
}


def extract(rows: int = ROWS) -> Extract:
    """An extract of a school."""
    return Extract(
        "school_enrolment",
        {name: np.array(values[:rows], dtype=object) for name, values in CLEAN.items()},
        Style(encoding="utf-8"),
        required=("宛名番号",),
        date_columns=("在籍開始",),
        id_columns=("宛名番号",),
    )


@pytest.fixture
def slips(tmp_path: Path) -> ColumnSlips:
    made = ColumnSlips(tmp_path, Parameters(residents=500), ON)
    made.write(extract())
    return made


def columns_of(slips: ColumnSlips, slip: ColumnSlip) -> dict[str, list[str]]:
    """The columns of the file of a slip."""
    path = slips.out / slip.folder / slip.source / slip.file
    heading, *rows = csv.reader(path.read_text(encoding="utf-8").splitlines())
    return dict(zip(heading, map(list, zip(*rows, strict=True)), strict=True))


def test_a_slip_changes_its_column_and_no_other(slips: ColumnSlips) -> None:
    for slip in slips.made:
        if slip.kind == "half_a_group_missing":
            continue
        wrong = columns_of(slips, slip)
        assert {name for name, values in CLEAN.items() if wrong[name] != values} == {slip.heading}, slip


def test_every_column_has_the_slips_of_its_kind(slips: ColumnSlips) -> None:
    assert sorted((slip.heading, slip.kind) for slip in slips.made) == sorted(
        [
            ("宛名番号", "emptied"),
            ("宛名番号", "numbers_of_another_system"),
            ("学校名", "emptied"),
            ("学校名", "half_a_group_missing"),
            ("性別", "emptied"),
            ("性別", "codes_flipped"),
            ("在籍開始", "emptied"),
            ("在籍開始", "moved_by_a_year"),
            # A count has no codes, and a column that is nearly empty cannot be emptied.
            ("欠席日数", "emptied"),
        ]
    )


def test_flipped_codes_moved_dates_and_half_a_school(slips: ColumnSlips) -> None:
    wrong = {slip.kind: columns_of(slips, slip) for slip in slips.made}
    assert wrong["codes_flipped"]["性別"] == ["2" if code == "1" else "1" for code in CLEAN["性別"]]
    assert wrong["moved_by_a_year"]["在籍開始"][:2] == ["2019-04-02", "2020-04-01"]
    assert wrong["half_a_group_missing"]["学校名"].count("東小") == 27
    assert wrong["half_a_group_missing"]["学校名"].count("西小") == 45


def test_a_small_extract_has_none(tmp_path: Path) -> None:
    slips = ColumnSlips(tmp_path, Parameters(residents=500), ON)
    slips.write(extract(59))
    assert slips.made == []
