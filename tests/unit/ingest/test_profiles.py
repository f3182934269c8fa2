"""What is kept of a delivery's columns, and a delivery that is held for one of them until a steward has decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kodomo.contract import load_contracts
from kodomo.errors import UsageError
from kodomo.home import Home
from kodomo.ingest.decisions import decide, list_findings
from kodomo.ingest.deliveries import Delivery, ingest_landing, replay
from kodomo.warehouse import connect

INSURANCE, ROSTER, REGISTER = "national_health_insurance", "school_enrolment", "resident_register"
HEADINGS = {
    INSURANCE: "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分",
    ROSTER: "学籍番号,氏名,氏名_フリガナ,生年月日,性別,住所,保護者氏名,学校名,学年,在籍開始,在籍終了",
    REGISTER: ",".join(column.heading for column in load_contracts()[REGISTER].columns),
}
Rows = list[list[str]]


class City:
    """A landing folder and a home; each file is taken by a run of its own."""

    def __init__(self, folder: Path) -> None:
        self.landing = folder / "landing"
        self.home = Home(folder / "var")

    def deliver(self, source: str, day: str, rows: Rows) -> Delivery:
        """Put a file there and take it."""
        path = self.landing / source / f"{source}_{day}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [HEADINGS[source], *(",".join(row) for row in rows), ""]
        path.write_bytes("\r\n".join(lines).encode("cp932"))
        (delivery,) = ingest_landing(self.home, self.landing, day)
        return delivery

    def figures(self, delivery: Delivery, column: str) -> dict[tuple[str, str], tuple[float, int]]:
        """Number and rows by measure and item of a column."""
        with connect(self.home, read_only=True) as connection:
            rows = connection.execute(
                "select measure, item, number, row_count from raw.column_profiles "
                "where delivery_id = ? and column_name = ?",
                [delivery.delivery_id, column],
            ).fetchall()
        return {(measure, item): (round(number, 6), count) for measure, item, number, count in rows}


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def insured(count: int = 40, change: Callable[[int, list[str]], None] | None = None) -> Rows:
    """Rows of national_health_insurance, of which a quarter has ended; ``change`` alters each in place."""
    rows = []
    for number in range(1, count + 1):
        ended = ["R6.4.1", "転出"] if number % 4 == 0 else ["", ""]
        row = [str(1000 + number), f"R{2 + number % 5}.{1 + number % 12}.1", "転入", *ended, "一般"]
        if change is not None:
            change(number, row)
        rows.append(row)
    return rows


def test_figures_of_each_kind_of_column(city: City) -> None:
    delivery = city.deliver(INSURANCE, "20250401", [*insured(), ["2001", "R10.4.1", "転入", "", "-", "謎"]])
    assert delivery.status == "loaded"
    numbers = city.figures(delivery, "atena_no")
    assert numbers == {("empty", ""): (0, 41), ("distinct", ""): (41, 41), ("length", ""): (4, 41)}
    begun = city.figures(delivery, "qualified_on")
    assert begun[("distinct", "")] == (41, 41)
    # One of 41 dates lies two years after the delivery.
    assert begun[("future", "")] == (round(1 / 41, 6), 41)
    # Eight dates of each year from 2020 to 2024, and one later: the 21st of 41 is of 2022.
    assert begun[("date", "p50")][1] == 41
    assert 12 * 2022 + 1 <= begun[("date", "p50")][0] <= 12 * 2022 + 12
    ended = city.figures(delivery, "disqualified_on")
    assert ended[("empty", "")] == (round(31 / 41, 6), 41)
    assert {number for (measure, _), (number, _) in ended.items() if measure == "date"} == {12 * 2024 + 4}
    reason = city.figures(delivery, "disqualified_reason")
    # A stroke is nothing, as an empty field is.
    assert reason[("empty", "")] == (round(31 / 41, 6), 41)
    kinds = {
        item: number
        for (measure, item), (number, _) in city.figures(delivery, "certificate_type").items()
        if measure == "code"
    }
    assert sum(kinds.values()) == 41
    assert kinds["unknown"] == 1


def test_nothing_of_a_person_is_kept(city: City) -> None:
    rows = [
        [f"9{number:05d}", f"佐渡 太郎{number}", f"サド タロウ{number}", "2015-05-05", "1", f"両津{number}",
         f"佐渡 花子{number}", "東小" if number % 2 else "西小", "4", "2022-04-01", ""]
        for number in range(30)
    ]  # fmt: skip
    rows += [
        ["900099", "一人 だけ", "ヒトリ ダケ", "2014-03-03", "2", "相川", "一人 親", "小さな小", "5", "2021-04-01", ""]
    ]
    delivery = city.deliver(ROSTER, "20250401", rows)
    with connect(city.home, read_only=True) as connection:
        items = connection.execute("select distinct measure, item from raw.column_profiles order by all").fetchall()
    kept = {item for measure, item in items if measure == "group"}
    # A school with few rows might say who they are.
    assert kept == {"東小", "西小"}
    assert {item for measure, item in items if measure == "code"} == {"1", "2"}
    assert {item for measure, item in items if measure not in {"group", "code", "date"}} == {""}
    assert city.figures(delivery, "school_name")[("group", "東小")] == (15, 31)


def test_numbers_are_looked_up_in_the_register(city: City) -> None:
    known = {"世帯番号": "900001", "氏名": "住民", "生年月日": "1990-05-05", "住民状態": "1", "旧市町村": "両津"}
    headings = HEADINGS[REGISTER].split(",")
    people = [{**known, "宛名番号": f"{1000 + number:015d}"} for number in range(1, 31)]
    register = city.deliver(REGISTER, "20250401", [[one.get(name, "") for name in headings] for one in people])
    assert register.rows_loaded == 30
    plain = city.deliver(INSURANCE, "20250401", insured())
    assert city.figures(plain, "atena_no")[("joined", "")] == (0.75, 40)
    # In whatever spelling.
    spelled = city.deliver(INSURANCE, "20250501", [[f'="{row[0]}"', *row[1:]] for row in insured()])
    assert city.figures(spelled, "atena_no")[("joined", "")] == (0.75, 40)


def test_changed_values_are_those_with_another_meaning(city: City) -> None:
    city.deliver(INSURANCE, "20250401", insured())
    # Another spelling of every date, and two people with another date.
    written = city.deliver(
        INSURANCE,
        "20250501",
        insured(change=lambda number, row: row.__setitem__(1, _iso(row[1]) if number > 2 else "2001/1/1")),
    )
    assert written.status == "loaded"
    assert city.figures(written, "qualified_on")[("changed", "")] == (0.05, 40)
    assert city.figures(written, "certificate_type")[("changed", "")] == (0, 40)


def _iso(text: str) -> str:
    year, month, day = text.removeprefix("R").split(".")
    return f"{2018 + int(year)}-{int(month):02d}-{int(day):02d}"


def a_year_earlier(_number: int, row: list[str]) -> None:
    """Every date of a beginning a year too early."""
    year, rest = row[1].removeprefix("R").split(".", 1)
    row[1] = f"{2017 + int(year)}.{rest}".replace(".", "/")


def test_a_moved_date_is_held_with_its_column_until_a_steward_decides(city: City) -> None:
    city.deliver(INSURANCE, "20250401", insured())
    held = city.deliver(INSURANCE, "20250601", insured(40, a_year_earlier))
    assert held.status == "held"
    assert held.reason_ja is not None
    assert (
        "前までの納品と違う列があります: 「資格取得年月日」の日付が、これまでより 12 か月前にずれています。"
        in held.reason_ja
    )
    (finding,) = list_findings(city.home, held.delivery_id)
    assert (finding["column_name"], finding["measure"], finding["accepted_by"]) == ("qualified_on", "date", None)
    # It does not count: the next one is compared with the good one.
    assert city.deliver(INSURANCE, "20250701", insured(42)).status == "loaded"
    assert city.deliver(INSURANCE, "20251001", insured(43, a_year_earlier)).status == "held"


def no_certificate(_number: int, row: list[str]) -> None:
    """No certificate in any row."""
    row[5] = ""


def test_an_accepted_finding_is_not_raised_again_and_another_is(city: City) -> None:
    city.deliver(INSURANCE, "20250101", insured())
    first = city.deliver(INSURANCE, "20250201", insured(41, no_certificate))
    assert first.status == "held"
    with pytest.raises(UsageError, match="reason"):
        decide(city.home, first.delivery_id, "accept", " ", "steward")
    assert decide(city.home, first.delivery_id, "accept", "the certificate was abolished", "steward") == "loaded"
    (finding,) = list_findings(city.home, first.delivery_id)
    assert (finding["accepted_by"], finding["accepted_reason"]) == ("steward", "the certificate was abolished")
    # Filled once more, and empty again: without the acceptance that would be a finding again.
    decide(city.home, first.delivery_id, "withdraw", "for the test", "steward")
    assert city.deliver(INSURANCE, "20250601", insured(42, no_certificate)).status == "loaded"
    assert city.deliver(INSURANCE, "20250701", insured(43, a_year_earlier)).status == "held"


def test_a_released_finding_is_raised_again(city: City) -> None:
    city.deliver(INSURANCE, "20250101", insured())
    first = city.deliver(INSURANCE, "20250201", insured(41, no_certificate))
    decide(city.home, first.delivery_id, "release", "for once", "steward")
    decide(city.home, first.delivery_id, "withdraw", "after all not", "steward")
    assert city.deliver(INSURANCE, "20250601", insured(42, no_certificate)).status == "held"


def test_only_a_delivery_held_for_its_columns_can_be_accepted(city: City) -> None:
    city.deliver(INSURANCE, "20250401", insured())
    held = city.deliver(INSURANCE, "20250601", insured(20))
    assert held.status == "held"
    with pytest.raises(UsageError, match="not held for its columns"):
        decide(city.home, held.delivery_id, "accept", "fewer people", "steward")
    # The error has changed nothing.
    assert decide(city.home, held.delivery_id, "release", "fewer people", "steward") == "loaded"


def test_a_replay_replaces_profile_and_findings(city: City) -> None:
    city.deliver(INSURANCE, "20250401", insured())
    held = city.deliver(INSURANCE, "20250601", insured(41, a_year_earlier))
    before = city.figures(held, "qualified_on")
    again = replay(city.home, held.delivery_id, "once more", "steward")
    assert (again.status, again.reason) == (held.status, held.reason)
    assert city.figures(held, "qualified_on") == before
    assert len(list_findings(city.home, held.delivery_id)) == 1


def test_a_required_column_emptied_is_named_though_none_of_its_rows_is_loaded(city: City) -> None:
    city.deliver(INSURANCE, "20250401", insured())
    held = city.deliver(INSURANCE, "20250601", insured(41, lambda _, row: row.__setitem__(0, "")))
    assert (held.status, held.rows_loaded) == ("held", 0)
    assert held.reason_ja is not None
    assert "「宛名番号」のために、100％の行が受け入れられません（これまで 0％）" in held.reason_ja
