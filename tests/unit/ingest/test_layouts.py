"""Layouts: recognised by the headings, columns joined and filled by the contract, rows taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from kodomo.contract import load_contracts, load_heading_rules
from kodomo.home import Home
from kodomo.ingest.deliveries import take
from kodomo.ingest.files import ForbiddenError, RefusedError, parse
from kodomo.ingest.tables import ensure_tables
from kodomo.warehouse import connect

CONTRACT = load_contracts()["resident_register"]
STANDARD = (Path(__file__).parent / "resident_register_standard.headings.txt").read_text(encoding="utf-8").split()


def line(**values: str) -> dict[str, str]:
    return {
        "宛名番号": "1",
        "個人履歴番号": "1",
        "最新フラグ": "1",
        "世帯番号": "9",
        "住民状態": "1",
        "氏名": "山田 花子",
        **values,
    }


def standard(*rows: Mapping[str, str], headings: list[str] = STANDARD) -> bytes:
    lines = [headings, *([row.get(heading, "") for heading in headings] for row in rows)]
    return "".join(",".join(fields) + "\r\n" for fields in lines).encode("cp932")


def loaded(tmp_path: Path, data: bytes) -> tuple[list[dict], list[tuple], tuple]:
    """The rows in raw, the rejects, and the counts and layout of a delivery of these bytes."""
    file = tmp_path / "resident_register_20260331.csv"
    file.write_bytes(data)
    home = Home(tmp_path / "var").ensure()
    with connect(home) as connection:
        ensure_tables(connection, {"resident_register": CONTRACT})
        delivery = take(connection, home, CONTRACT, "resident_register", file, dt.date(2026, 3, 31), "run")
        cursor = connection.execute("select * from raw.resident_register order by line_number")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        rejects = connection.execute("select line_number, reason_code, column_name from raw.rejects").fetchall()
    assert delivery is not None
    return rows, rejects, (delivery.layout, delivery.rows_read, delivery.rows_loaded, delivery.rows_rejected)


def test_layout_is_recognised_by_its_headings() -> None:
    parsed = parse(standard(line()), CONTRACT, load_heading_rules())
    assert (parsed.layout.name, parsed.unknown_headings) == ("standard", [])
    own = [column.heading for column in CONTRACT.columns if not column.optional]
    parsed = parse(standard(line(), headings=own), CONTRACT, load_heading_rules())
    assert parsed.layout.name == "contract"


def test_heading_that_the_layout_does_not_list_is_unknown() -> None:
    parsed = parse(standard(line(), headings=[*STANDARD, "好きな色"]), CONTRACT, load_heading_rules())
    assert parsed.unknown_headings == ["好きな色"]


def test_required_heading_is_that_of_the_layout() -> None:
    headings = [heading for heading in STANDARD if heading != "住所_町字"]
    with pytest.raises(RefusedError, match="住所_町字"):
        parse(standard(line(), headings=headings), CONTRACT, load_heading_rules())


def test_forbidden_heading_is_forbidden_in_every_layout() -> None:
    with pytest.raises(RefusedError) as refused:
        parse(standard(line(), headings=[*STANDARD, "個人番号"]), CONTRACT, load_heading_rules())
    assert isinstance(refused.value, ForbiddenError)


def test_numbers_that_no_purpose_needs_are_not_loaded(tmp_path: Path) -> None:
    rows, _, _ = loaded(tmp_path, standard(line(住民票コード="12345678901", 基礎年金番号="1234567890", 本籍="某所")))
    assert not {"12345678901", "1234567890", "某所"} & {*rows[0].values()}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "山田 花子"),
        ({"氏名": "", "氏_日本人": "山田", "名_日本人": "花子"}, "山田 花子"),
        ({"氏名": "", "氏_日本人": "", "名_日本人": "花子"}, "花子"),
        ({"氏名": "　", "通称": "木村 花", "氏名_外国人ローマ字": "NGUYEN THI HOA"}, "木村 花"),
        ({"氏名": "", "氏名_外国人ローマ字": "NGUYEN THI HOA"}, "NGUYEN THI HOA"),
    ],
)
def test_name_is_the_first_that_the_row_has(tmp_path: Path, values: dict[str, str], expected: str) -> None:
    rows, rejects, _ = loaded(tmp_path, standard(line(**values), headings=[*STANDARD, "通称"]))
    assert (rows[0]["full_name"], rows[0]["full_name_as_delivered"], rejects) == (expected, expected, [])


@pytest.mark.parametrize(
    ("era", "day", "expected"),
    [
        ("", "1988-07-07", "1988-07-07"),
        ("3", "1988-07-07", "1988-07-07"),
        ("3", "19880707", "19880707"),
        ("昭和", "S63.7.7", "S63.7.7"),
        ("3", "3630707", "3630707"),
        ("3", "63.7.7", "S63.7.7"),
        ("０３", "６３．７．７", "S63.7.7"),
        ("昭和", "63年7月7日", "昭和63年7月7日"),
        ("S", "630707", "S630707"),
        ("5", "元.5.1", "R元.5.1"),
        ("", "63.7.7", "63.7.7"),
        ("3", "", None),
        ("3", "00000000", "00000000"),
    ],
)
def test_era_in_a_column_of_its_own_is_written_before_its_year(
    tmp_path: Path, era: str, day: str, expected: str | None
) -> None:
    rows, _, _ = loaded(tmp_path, standard(line(生年月日_元号=era, 生年月日=day)))
    assert rows[0]["birth_on"] == expected


def test_row_without_any_name_is_a_reject(tmp_path: Path) -> None:
    rows, rejects, counts = loaded(tmp_path, standard(line(氏名=""), line(宛名番号="2")))
    assert (len(rows), rejects) == (1, [(2, "missing_required", "氏名")])
    assert counts == ("standard", 2, 1, 1)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("新潟県", "長岡市", "大手通", "1-2"), "新潟県長岡市大手通1-2"),
        (("", "", "新潟県長岡市大手通1-2", ""), "新潟県長岡市大手通1-2"),
        (("新潟県", "長岡市", "新潟県長岡市大手通", "1-2"), "新潟県長岡市大手通1-2"),
        (("", "", "", ""), None),
    ],
)
def test_parts_of_an_address_are_one(tmp_path: Path, parts: tuple[str, ...], expected: str | None) -> None:
    names = ("都道府県", "市区郡町村名", "町字", "番地号表記")
    values = {f"転入前住所_{name}": part for name, part in zip(names, parts, strict=True)}
    rows, _, _ = loaded(tmp_path, standard(line(**values)))
    assert rows[0]["moved_from"] == expected


@pytest.mark.parametrize(("sex", "text", "expected"), [("9", "", "0"), ("1", "女", "1"), ("", "女", "女")])
def test_values_of_a_layout_mean_those_of_the_contract(tmp_path: Path, sex: str, text: str, expected: str) -> None:
    rows, _, _ = loaded(tmp_path, standard(line(性別=sex, 性別表記=text)))
    assert rows[0]["sex_code"] == expected


def test_row_taken_back_needs_no_more_than_its_key(tmp_path: Path) -> None:
    """Were it a reject, the row that it takes back would stand."""
    deleted = {"宛名番号": "1", "個人履歴番号": "1", "削除フラグ": "1"}
    rows, rejects, counts = loaded(
        tmp_path, standard(deleted, {**deleted, "宛名番号": ""}, line(削除フラグ="0", 氏名=""))
    )
    assert [row["line_number"] for row in rows] == [2]
    assert rejects == [(3, "missing_required", "宛名番号"), (4, "missing_required", "氏名")]
    assert counts == ("standard", 3, 1, 2)
