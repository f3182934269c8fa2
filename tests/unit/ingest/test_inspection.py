"""`kodomo source inspect`: what a file is, without a value of a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.errors import KodomoError
from kodomo.ingest.inspection import Inspection, describe, inspect, masked

STANDARD = (Path(__file__).parent / "resident_register_standard.headings.txt").read_text(encoding="utf-8").split()
COUNCIL = ["ケース番号", "児童_宛名番号", "登録年月日", "終結年月日", "区分", "主な困難", "虐待種別", "主担当機関"]


def file(headings: list[str], *rows: list[str], encoding: str = "utf-8") -> bytes:
    return "".join(",".join(line) + "\r\n" for line in [headings, *rows]).encode(encoding)


def states(inspection: Inspection) -> dict[str, str]:
    return {heading.heading: heading.state for heading in inspection.headings}


def test_layout_of_a_standardised_system_is_recognised() -> None:
    inspection = inspect(file(STANDARD, encoding="cp932"), "juki.csv")
    assert (inspection.source_id, inspection.layout, inspection.encoding, inspection.likeness) == (
        "resident_register",
        "standard",
        "cp932",
        1.0,
    )
    assert (states(inspection)["氏名"], states(inspection)["住民票コード"]) == ("loaded", "not_used")
    assert (inspection.missing, inspection.problems, inspection.yml) == ((), (), "")


def test_nearest_source_is_reported_with_missing_unknown_and_forbidden_columns() -> None:
    headings = [*COUNCIL[:2], *COUNCIL[3:], "好きな色", "個人番号"]
    inspection = inspect(file(headings, ["1", "2", "", "", "", "", "", "あか", "1"]), "x.csv")
    assert (inspection.source_id, inspection.missing) == ("council_cases", ("登録年月日",))
    assert (states(inspection)["好きな色"], states(inspection)["個人番号"]) == ("unknown", "forbidden")
    assert len(inspection.problems) == 2
    assert [heading.examples for heading in inspection.headings if heading.state == "forbidden"] == [()]
    assert "heading: 好きな色" in inspection.yml
    assert "個人番号" not in inspection.yml


def test_values_that_are_not_of_their_type_are_counted() -> None:
    rows = [
        ["1", "1", "2020-13-01", "", "要保護", "", "", ""],
        ["2", "1.23E+10", "2020-12-01", "", "要保護", "", "", ""],
        ["3", "3", "2020-12-01", "2020-02-31", "要保護", "", "", ""],
    ]
    inspection = inspect(file(COUNCIL, *rows), "x.csv")
    assert {(misfit.column, misfit.reason_code, misfit.row_count) for misfit in inspection.misfits} == {
        ("登録年月日", "impossible_date", 1),
        ("児童_宛名番号", "damaged_id", 1),
        ("終結年月日", "impossible_date", 1),
    }
    assert inspection.rows_read == 3


def test_code_outside_its_list_is_counted() -> None:
    row = ["1", "1", "2020-12-01", "", "要保護", "", "虐待らしきもの", ""]
    inspection = inspect(file(COUNCIL, row, [*row[:6], "身体的虐待", ""]), "x.csv")
    assert [(misfit.column, misfit.reason_code, misfit.row_count) for misfit in inspection.misfits] == [
        ("虐待種別", "unknown_code", 1)
    ]


def test_file_that_no_source_is_like_gets_a_contract_of_its_own() -> None:
    inspection = inspect(
        file(["宛名番号", "券種", "枚数", "交付日"], ["1", "甲", "2", "R6.4.1"]), "bus_passes_20260331.csv"
    )
    assert inspection.source_id is None
    assert "- name: bus_passes" in inspection.yml
    types = {heading.heading: heading.proposed_type for heading in inspection.headings if heading.state == "unknown"}
    assert types == {"券種": "text", "枚数": "int", "交付日": "date"}


def test_no_value_is_shown() -> None:
    row = ["K-17", "987654", "2020-12-01", "", "要支援", "さくら丘", "身体的虐待", "ﾀﾛｳ相談所"]
    inspection = inspect(file(COUNCIL, row), "x.csv")
    text = "\n".join(describe(inspection)) + str(inspection.as_dict())
    assert not [value for value in row if value and value in text]


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("山田 太郎", "漢漢 漢漢"),
        ("ヤマダ", "アアア"),
        ("ﾔﾏﾀﾞ", "ｱｱｱｱ"),
        ("はな", "ああ"),
        ("H27.4.1", "A99.9.9"),
        ("１２番地", "９９漢漢"),
        ("Nguyen", "AAAAAA"),
        ("𠮷田", "漢漢"),
        ("㍻27年", "漢99漢"),
        ("①々〇", "9漢漢"),
    ],
)
def test_mask_keeps_the_shape_only(value: str, shape: str) -> None:
    assert masked(value) == shape


@pytest.mark.parametrize("data", [b"", b"no heading"])
def test_file_without_headings_is_an_error(data: bytes) -> None:
    with pytest.raises(KodomoError):
        inspect(data, "x.csv")
