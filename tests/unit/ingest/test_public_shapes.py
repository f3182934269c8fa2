"""Files in the shapes that cities publish: all of their records are read, none is held.

Three hundred invented residents with 52 pupils as a municipal data standard's sample writes them, and the lists of
nurseries of two cities in CP932, one by a spreadsheet, one by a business system.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kodomo.contract import load_contracts
from kodomo.home import Home
from kodomo.ingest.deliveries import Delivery, ingest_landing
from kodomo.warehouse import connect

CONTRACTS = load_contracts()
SURNAMES = ("髙橋", "渡邉", "﨑山", "佐藤", "ｶﾄﾞﾏ", "表", "十文字", "曽我")
NURSERIES = (
    "第①保育園",
    "認定こども園　ﾋﾏﾜﾘ",
    "表町（公立）保育園",
    "ソ連通り保育園",
    "A・B保育園, 分園",
    "保育園\r\n（休園中）",
)


def take(folder: Path, source_id: str, data: bytes) -> Delivery:
    """Deliver a file and take it."""
    target = folder / "landing" / source_id
    target.mkdir(parents=True)
    (target / f"15202_{source_id}_20260331120000.csv").write_bytes(data)
    (delivery,) = ingest_landing(Home(folder / "var"), folder / "landing", "run")
    return delivery


def record(source_id: str, values: dict[str, str], *, quoted: bool) -> str:
    """A record in the order of the contract's headings that are no option."""
    headings = [column.heading for column in CONTRACTS[source_id].columns if not column.optional]
    fields = [values.get(heading, "") for heading in headings]
    return ",".join(f'"{field}"' if quoted or "," in field or "\n" in field else field for field in fields)


def headings(source_id: str, *, quoted: bool = False) -> str:
    """The heading row."""
    names = [column.heading for column in CONTRACTS[source_id].columns if not column.optional]
    return record(source_id, {name: name for name in names}, quoted=quoted)


def resident(number: int) -> dict[str, str]:
    """One of 300 invented residents, as the sample writes dates and numbers."""
    return {
        "宛名番号": f"{number:015}",
        "世帯番号": f"{900000 + number // 3:015}",
        "氏名": f"{SURNAMES[number % 8]}　{number}",
        "氏名_フリガナ": f"ｼﾞｭｳﾐﾝ {number}",
        "生年月日": f"{1930 + number % 95}/{number % 12 + 1:02}/{number % 28 + 1:02}",
        "性別": str(number % 2 + 1),
        "続柄コード1": "02" if number % 3 == 0 else "20",
        "住民種別": "1",
        "住民状態": "1",
        "異動事由": "10",
        "異動年月日": "20080401",
        "住民となった年月日": "20080401",
        "郵便番号": "9520011",
        "町字": "夷",
        "番地": f"{number}番地の{number % 5}",
        "旧市町村": "両津",
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_300_residents(tmp_path: Path, encoding: str) -> None:
    lines = [
        headings("resident_register"),
        *(record("resident_register", resident(n), quoted=False) for n in range(1, 301)),
    ]
    delivery = take(tmp_path, "resident_register", "\r\n".join([*lines, ""]).encode(encoding))
    assert (delivery.rows_read, delivery.rows_loaded, delivery.status) == (300, 300, "loaded")
    assert delivery.delivered_on.isoformat() == "2026-03-31"


def test_52_pupils_quoted_without_the_end_of_the_last_line(tmp_path: Path) -> None:
    pupils = [
        {
            "学籍番号": f"S{number:03}",
            "氏名": f"{SURNAMES[number % 8]}　{number}",
            "氏名_フリガナ": "ジドウ",
            "生年月日": f"平成{20 + number % 10}年{number % 12 + 1}月1日",
            "性別": str(number % 2 + 1),
            "住所": f"佐渡市両津夷{number}番地",
            "学校名": "両津小学校",
            "学年": str(number % 6 + 1),
            "在籍開始": "R5.4.1",
        }
        for number in range(1, 53)
    ]
    lines = [
        headings("school_enrolment", quoted=True),
        *(record("school_enrolment", one, quoted=True) for one in pupils),
    ]
    delivery = take(tmp_path, "school_enrolment", "\n".join(lines).encode("cp932"))
    assert (delivery.rows_read, delivery.rows_loaded, delivery.status) == (52, 52, "loaded")


@pytest.mark.parametrize(
    ("before", "tail", "after"),
    [
        # a spreadsheet: a title, an empty line, empty columns to the right of all rows
        ("市内保育施設一覧（令和8年3月31日現在）,,,,,,,,\r\n,,,,,,,,\r\n", ",,", ""),
        # a business system: a count and the mark of the end
        ("", "", "合計 24件\r\n\x1a"),
    ],
)
def test_lists_of_nurseries_in_cp932(tmp_path: Path, before: str, tail: str, after: str) -> None:
    rows = [
        {
            "児童_宛名番号": f"{number}",
            "施設名": NURSERIES[number % 6],
            "入所年月日": "2024/4/1",
            "保育必要量": "標準時間",
        }
        for number in range(1, 25)
    ]
    lines = [
        headings("nursery_enrolment") + tail,
        *(record("nursery_enrolment", one, quoted=False) + tail for one in rows),
    ]
    delivery = take(tmp_path, "nursery_enrolment", (before + "\r\n".join([*lines, after])).encode("cp932"))
    assert (delivery.rows_read, delivery.rows_loaded, delivery.status) == (24, 24, "loaded"), delivery.reason
    with connect(Home(tmp_path / "var"), read_only=True) as connection:
        names = connection.execute(
            "select distinct facility_name_as_delivered from raw.nursery_enrolment order by all"
        ).fetchall()
    assert {name for (name,) in names} == {*NURSERIES}
