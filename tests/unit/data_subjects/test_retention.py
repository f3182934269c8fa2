"""Retention: what is past it is deleted with its record, and nothing else."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from kodomo import clock
from kodomo.contract import load_contracts
from kodomo.data_subjects import retention
from kodomo.entries.store import EntryStore
from kodomo.errors import KodomoError, UsageError
from kodomo.home import Home
from kodomo.ingest import decisions as deliveries
from kodomo.ingest.deliveries import ingest_landing, replay
from kodomo.ingest.reject_files import export_rejects
from kodomo.warehouse import connect

SOURCE = "national_health_insurance"
HEADINGS = "宛名番号,資格取得年月日,資格取得事由,資格喪失年月日,資格喪失事由,証区分"
OLD, NEW = f"20000401-{SOURCE}-01", f"20260401-{SOURCE}-01"
TODAY = dt.date(2026, 11, 1)


class City:
    """A home with an old and a new delivery, each of two good rows and a reject."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "var")
        self.landing = folder / "landing"

    def deliver(self, name: str, *numbers: int, source: str = SOURCE) -> None:
        """Put a file there and take it."""
        lines = [f"{number},R5.4.1,転入,,,一般" for number in numbers]
        path = self.landing / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("\r\n".join([HEADINGS, *lines, f"9,{numbers}号,転入,,,一般", ""]).encode("cp932"))
        ingest_landing(self.home, self.landing, "run")

    def query(self, sql: str) -> list[tuple]:
        """The rows of a query."""
        with connect(self.home, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> list[tuple]:
        """Rows by delivery."""
        return self.query(f"select delivery_id, count(*) from raw.{SOURCE} group by all order by all")

    def originals(self) -> int:
        """Files that are kept."""
        return len([path for path in self.home.store.rglob("*") if path.is_file()])

    def records(self) -> list[tuple]:
        """Rejects whose record is kept, by delivery."""
        return self.query(
            "select delivery_id, count(*) from raw.rejects where record_bytes is not null group by all order by all"
        )


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a city with its two deliveries, made once."""
    folder = tmp_path_factory.mktemp("delivered")
    city = City(folder)
    city.deliver("n_20000401.csv", 1, 2)
    city.deliver("n_20260401.csv", 3, 4)
    return folder


@pytest.fixture
def city(delivered: Path, tmp_path: Path) -> City:
    return City(Path(shutil.copytree(delivered, tmp_path / "city")))


def with_retention(monkeypatch: pytest.MonkeyPatch, source: str = SOURCE, **months: int) -> None:
    """Let the register say other retentions, by column; ``other`` for the rest."""
    contracts = dict(load_contracts())
    contract = contracts[source]
    columns = tuple(
        replace(column, register={**column.register, "retention_months": months.get(column.name, months["other"])})
        for column in contract.columns
    )
    contracts[source] = replace(contract, columns=columns)
    monkeypatch.setattr(retention, "load_contracts", lambda: contracts)


def test_expired_files_are_deleted_on_record_and_the_rest_stays(city: City) -> None:
    assert city.originals() == 2
    due = retention.due(city.home, TODAY)
    assert (city.rows(), city.originals()) == ([(OLD, 2), (NEW, 2)], 2)
    done = retention.delete_due(city.home, TODAY, "steward")
    assert done == due
    assert [(one.delivery_id, one.what, one.item_count) for one in done] == [
        (OLD, "original", 1),
        (OLD, "rejected_records", 1),
        (OLD, "rows", 2),
    ]
    assert {(one.kept_from, one.kept_until, one.retention_months) for one in done} == {
        (dt.date(2000, 4, 1), dt.date(2020, 4, 1), 240)
    }
    assert (city.rows(), city.records(), city.originals()) == ([(NEW, 2)], [(NEW, 1)], 1)
    assert city.query("select status, rows_loaded from raw.deliveries order by delivery_id") == [
        ("expired", 2),
        ("loaded", 2),
    ]
    record = [(row["what"], row["item_count"], row["deleted_by"]) for row in retention.deleted(city.home)]
    assert record == [("original", 1, "steward"), ("rejected_records", 1, "steward"), ("rows", 2, "steward")]
    # A second time there is nothing to delete, and the file in the landing folder is not taken again.
    assert retention.delete_due(city.home, TODAY, "steward") == []
    assert ingest_landing(city.home, city.landing, "again") == []
    assert city.rows() == [(NEW, 2)]


def test_deleted_delivery_cannot_be_loaded_again(city: City) -> None:
    retention.delete_due(city.home, TODAY, "steward")
    with pytest.raises(KodomoError, match="Nothing of the delivery"):
        replay(city.home, OLD, "try", "steward")
    with pytest.raises(KodomoError, match="expired"):
        deliveries.decide(city.home, OLD, "release", "try", "steward")
    with pytest.raises(UsageError, match="no rejects to mend"):
        export_rejects(city.home, OLD)


@pytest.mark.parametrize(("today", "is_due"), [(dt.date(2020, 4, 1), False), (dt.date(2020, 4, 2), True)])
def test_the_last_day_still_counts(city: City, today: dt.date, is_due: bool) -> None:
    assert bool(retention.due(city.home, today)) is is_due


def test_nothing_is_deleted_before_its_time(city: City) -> None:
    with pytest.raises(UsageError, match="before its time"):
        retention.delete_due(city.home, clock.today() + dt.timedelta(days=1), "steward")
    assert city.rows() == [(OLD, 2), (NEW, 2)]


def test_a_hold_keeps_everything_of_a_delivery(city: City) -> None:
    retention.decide(city.home, OLD, True, "開示請求", "steward")
    assert retention.delete_due(city.home, TODAY, "steward") == []
    with pytest.raises(UsageError, match="is kept"):
        retention.decide(city.home, OLD, True, "again", "steward")
    retention.decide(city.home, OLD, False, "the request is answered", "steward")
    assert {one.what for one in retention.delete_due(city.home, TODAY, "steward")} == {
        "original",
        "rejected_records",
        "rows",
    }


def test_an_original_stays_while_another_delivery_may_keep_it(city: City) -> None:
    old = (city.landing / SOURCE / "n_20000401.csv").read_bytes()
    (city.landing / SOURCE / "n_20260501.csv").write_bytes(old)
    ingest_landing(city.home, city.landing, "run")
    done = retention.delete_due(city.home, TODAY, "steward")
    assert [one.what for one in done] == ["rejected_records", "rows"]
    assert city.originals() == 2


def test_a_column_goes_before_the_row(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    with_retention(monkeypatch, qualified_reason=6, other=12 * 40)
    done = retention.delete_due(city.home, TODAY, "steward")
    assert [(one.delivery_id, one.what, one.column_name, one.item_count) for one in done] == [
        # The whole records hold the column too.
        (OLD, "original", None, 1),
        (OLD, "rejected_records", None, 1),
        (OLD, "column", "qualified_reason", 2),
        (NEW, "original", None, 1),
        (NEW, "rejected_records", None, 1),
        (NEW, "column", "qualified_reason", 2),
    ]
    left = city.query(f"select count(qualified_reason), count(atena_no) from raw.{SOURCE}")
    assert (left, city.records(), city.originals()) == ([(0, 4)], [], 0)
    assert retention.due(city.home, TODAY) == []


def test_text_as_delivered_goes_with_its_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    city, source = City(tmp_path), "nursery_enrolment"
    path = city.landing / source / f"{source}_20200401.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(
        "児童_宛名番号,施設名,入所年月日,退所年月日,保育必要量,退所理由\r\n7,　両津　保育園,R2.4.1,,標準,\r\n".encode(
            "cp932"
        )
    )
    ingest_landing(city.home, city.landing, "run")
    texts = f"select facility_name, facility_name_as_delivered, child_atena_no from raw.{source}"
    assert city.query(texts) == [("両津 保育園", "　両津　保育園", "7")]
    with_retention(monkeypatch, source, facility_name=6, other=12 * 40)
    retention.delete_due(city.home, TODAY, "steward")
    assert city.query(texts) == [(None, None, "7")]


def test_an_item_without_a_retention_keeps_its_rows(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    with_retention(monkeypatch, atena_no=0, other=12)
    assert "rows" not in {one.what for one in retention.delete_due(city.home, dt.date(2026, 1, 1), "steward")}
    assert city.query(f"select count(atena_no), count(qualified_on) from raw.{SOURCE}") == [(4, 2)]


@pytest.mark.parametrize(("year", "is_due"), [(2000, True), (2010, False)])
def test_entries_are_erased(city: City, monkeypatch: pytest.MonkeyPatch, year: int, is_due: bool) -> None:
    store = EntryStore(city.home)
    monkeypatch.setattr("kodomo.entries.store.now", lambda: dt.datetime(year, 1, 1))
    typed = store.create("support_measure", {"atena_no": "7"}, by="staff", department="child", person_id="7")
    done = [one for one in retention.delete_due(city.home, TODAY, "steward") if one.what == "entry"]
    assert [one.delivery_id for one in done] == ([typed.record_id] if is_due else [])
    newest = store.newest(typed.record_id)
    assert (newest.content, newest.person_id) == (({}, None) if is_due else ({"atena_no": "7"}, "7"))
    assert not [one for one in retention.due(city.home, TODAY) if one.what == "entry"]


@pytest.mark.parametrize(
    ("day", "months", "until"),
    [
        (dt.date(2024, 2, 29), 12, dt.date(2025, 2, 28)),
        (dt.date(2024, 1, 31), 1, dt.date(2024, 2, 29)),
        (dt.date(2024, 8, 31), 1, dt.date(2024, 9, 30)),
        (dt.date(2024, 12, 1), 1, dt.date(2025, 1, 1)),
    ],
)
def test_months_end_within_the_month(day: dt.date, months: int, until: dt.date) -> None:
    assert retention._until(day, months) == until
