"""Values as they reach raw: composed, trimmed, and rejected for what is required."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.ingest.decisions import decide, list_deliveries, list_rejects
from kodomo.ingest.deliveries import ingest_landing
from kodomo.ingest.reject_files import export_rejects
from kodomo.warehouse import connect

HEADINGS = "利用番号,氏名,氏名_フリガナ,生年月日,性別,住所,利用種別,利用年月日"


def ingest(tmp_path: Path, lines: list[str], encoding: str = "cp932") -> Home:
    """A home after one delivery of social_council_services with these lines."""
    folder = tmp_path / "landing" / "social_council_services"
    folder.mkdir(parents=True)
    name = "social_council_services_20260401.csv"
    (folder / name).write_bytes("\r\n".join([HEADINGS, *lines, ""]).encode(encoding))
    home = Home(tmp_path / "var")
    (delivery,) = ingest_landing(home, tmp_path / "landing", "run")
    assert delivery.status == "loaded"
    assert delivery.delivered_on == dt.date(2026, 4, 1)
    assert delivery.rows_read == delivery.rows_loaded + delivery.rows_rejected == len(lines)
    return home


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig", "utf-16"])
def test_half_width_kana_compose_and_the_text_as_delivered_stays(tmp_path: Path, encoding: str) -> None:
    home = ingest(tmp_path, ["1,　髙田　 太郎 ,ﾀｶﾀﾞ ﾊﾟﾄﾞ,H27.4.1,1,両津１,ﾌｰﾄﾞﾊﾞﾝｸ,2026/3/1"], encoding)
    with connect(home, read_only=True) as connection:
        row = connection.execute(
            "select full_name, full_name_as_delivered, full_name_kana, address, service_type "
            "from raw.social_council_services"
        ).fetchall()
    assert row == [("髙田 太郎", "　髙田　 太郎 ", "タカダ パド", "両津1", "フードバンク")]


def test_a_bad_record_is_a_reject_and_its_neighbours_are_loaded(tmp_path: Path) -> None:
    good = "甲野 一,コウノ イチ,H27.4.1,1,両津,貸付,2026/3/1"
    lines = [
        f"1,{good}",
        "2,甲野 二,コウノ ニ,H27.4.1,1,両津,貸付,平成32年4月1日",
        f"1.23E+10,{good}",
        "4,甲野 四,コウノ シ,H27.4.1,1,両津,,2026/3/1",
        '5,"甲野 五,コウノ ゴ,H27.4.1,1,両津,貸付,2026/3/1',
        f"6,{good}",
        "7,甲野 七,コウノ シチ,H27.4.1,1,両津,貸付",
        '8,甲野 八,コウノ ハチ,不詳,1,"両津\r\n一丁目",貸付,00000000',
        '9,甲野 九,コウノ キュウ,R5.2.29,1,"両津\r\n一丁目",貸付,2026/3/1',
    ]
    home = ingest(tmp_path, lines)
    with connect(home, read_only=True) as connection:
        loaded = connection.execute(
            "select service_no, line_number from raw.social_council_services order by line_number"
        ).fetchall()
        rejects = connection.execute(
            "select line_number, reason_code, column_name from raw.rejects order by line_number"
        ).fetchall()
        issues = connection.execute("select line_number, column_name, issue_code from raw.value_issues").fetchall()
    assert loaded == [("1", 2), ("6", 7), ("9", 11)]
    assert rejects == [
        (3, "impossible_date", "利用年月日"),
        (4, "damaged_id", "利用番号"),
        (5, "missing_required", "利用種別"),
        (6, "unbalanced_quote", None),
        (8, "wrong_field_count", None),
        (9, "missing_required", "利用年月日"),
    ]
    assert issues == [(11, "birth_on", "impossible_date")]


def test_number_of_zeros_is_no_person(tmp_path: Path) -> None:
    folder = tmp_path / "landing" / "parentage"
    folder.mkdir(parents=True)
    lines = [
        "届出番号,子_宛名番号,父_宛名番号,母_宛名番号,届出種別,届出年月日",
        "0,1,0,000000000000000,出生,R5.4.1",
        "2,0,,3,出生,R5.4.1",
        "3,００ ０,,3,出生,R5.4.1",
    ]
    (folder / "parentage_20260401.csv").write_text("\n".join(lines), encoding="utf-8")
    home = Home(tmp_path / "var")
    (delivery,) = ingest_landing(home, tmp_path / "landing", "run")
    with connect(home, read_only=True) as connection:
        rejects = connection.execute("select line_number, reason_code, column_name from raw.rejects").fetchall()
    assert delivery.rows_loaded == 1
    assert rejects == [(3, "missing_required", "子_宛名番号"), (4, "missing_required", "子_宛名番号")]


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    home = ingest(tmp_path, ["1,甲野 一,コウノ,H27.4.1,1,両津,貸付,2026/3/1"])
    assert ingest_landing(home, tmp_path / "landing", "again") == []


def test_a_full_delivery_that_shrank_is_held(tmp_path: Path) -> None:
    row = "甲野 一,コウノ,H27.4.1,1,両津,貸付,2026/3/1"
    home = ingest(tmp_path, [f"{number},{row}" for number in range(10)])
    path = tmp_path / "landing" / "social_council_services" / "social_council_services_20260501.csv"
    path.write_text("\n".join([HEADINGS, *(f"{number},{row}" for number in range(6))]) + "\n", encoding="utf-8")
    (delivery,) = ingest_landing(home, tmp_path / "landing", "next")
    assert (delivery.status, delivery.rows_loaded) == ("held", 6)


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        (HEADINGS.replace("住所", "所得額"), "所得額"),
        (HEADINGS.replace("利用年月日", "利用日"), "利用年月日"),
        (HEADINGS + ",氏名", "氏名"),
    ],
)
def test_headings_refuse_a_file_whole(tmp_path: Path, heading: str, message: str) -> None:
    folder = tmp_path / "landing" / "social_council_services"
    folder.mkdir(parents=True)
    (folder / "x_20260401.csv").write_text(f"{heading}\n" + ",".join("1" * (heading.count(",") + 1)), encoding="utf-8")
    home = Home(tmp_path / "var")
    (delivery,) = ingest_landing(home, tmp_path / "landing", "run")
    assert delivery.status == "refused"
    assert message in (delivery.reason or "")
    kept = [path for path in home.store.rglob("*") if path.is_file()]
    assert bool(kept) == ("所得" not in message)


@pytest.mark.parametrize("content", [b"\x00\x01\x02\x03" * 50, b"", b"a,b,c\n1,2,3\n"])
def test_a_file_that_is_no_extract_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "landing" / "vaccinations"
    folder.mkdir(parents=True)
    (folder / "vaccinations_20260402.csv").write_bytes(content)
    (delivery,) = ingest_landing(Home(tmp_path / "var"), tmp_path / "landing", "run")
    assert delivery.status == "refused"
    assert "vaccinations_20260402.csv" in (delivery.reason or "")


def test_a_folder_that_is_no_source_is_reported_and_does_not_stop_the_others(tmp_path: Path) -> None:
    for source in ("nobody_knows_this", "social_council_services"):
        folder = tmp_path / "landing" / source
        folder.mkdir(parents=True)
        (folder / f"{source}_20260401.csv").write_text(
            f"{HEADINGS}\n1,甲野 一,コウノ,H27.4.1,1,両津,貸付,2026/3/1\n", encoding="utf-8"
        )
    deliveries = ingest_landing(Home(tmp_path / "var"), tmp_path / "landing", "run")
    assert {delivery.source_id: delivery.status for delivery in deliveries} == {
        "nobody_knows_this": "refused",
        "social_council_services": "loaded",
    }


def test_a_steward_releases_withdraws_and_exports_rejects(tmp_path: Path) -> None:
    good = "甲野 一,コウノ イチ,H27.4.1,1,両津,貸付,2026/3/1"
    home = ingest(tmp_path, [f"1,{good}", f"1.23E+10,{good}"])
    delivery_id = "20260401-social_council_services-01"
    assert export_rejects(home, delivery_id).decode("cp932").splitlines() == [HEADINGS, f"1.23E+10,{good}"]
    assert decide(home, delivery_id, "withdraw", "twice by mistake", "steward") == "withdrawn"
    with pytest.raises(KodomoError):
        decide(home, delivery_id, "withdraw", "again", "steward")
    with pytest.raises(UsageError):
        decide(home, delivery_id, "release", " ", "steward")
    assert decide(home, delivery_id, "release", "was right", "steward") == "loaded"
    assert [row["status"] for row in list_deliveries(home)] == ["loaded"]
    assert len(list_deliveries(home, "social_council_services")) == 1
    with pytest.raises(UsageError, match="There is no source unknown"):
        list_deliveries(home, "unknown")
    with pytest.raises(UsageError, match="There is no delivery nothing"):
        list_rejects(home, "nothing")
