"""誤りの指摘: a marked line is disputed until its fact is gone, or the steward upholds it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kodomo.data_subjects.person_requests import erase_typed
from kodomo.determination import disputed
from kodomo.determination.disputed import fact_at, read_disputes
from kodomo.entries.disputes import ANSWER, FORM, Place, answer_id, content_of
from kodomo.entries.store import EntryStore
from kodomo.home import Home

CHILD, BROTHER = "000000000000042", "000000000000421"
FACT = {
    "fact_person_id": BROTHER, "source_id": "school_attendance", "observation_code": "school_absence_days",
    "observed_on": dt.date(2026, 3, 31), "ended_on": None, "value": Decimal("12.000"), "text_value": None,
    "delivery_id": "20260401-school", "line_number": 7,
}  # fmt: skip


class Service:
    """What is in service: facts that a test delivers."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as warehouse")
        self.connection.execute("create schema warehouse.marts")
        self.connection.execute(
            "create table warehouse.marts.fct_observation (person_id text, source_id text, observation_code text, "
            "observed_on date, ended_on date, value decimal(18, 3), text_value text, delivery_id text, "
            "line_number bigint)"
        )

    def deliver(self, *facts: dict[str, Any]) -> None:
        """Put these facts in the place of all."""
        self.connection.execute("delete from warehouse.marts.fct_observation")
        for fact in facts:
            self.connection.execute(
                "insert into warehouse.marts.fct_observation values (?, ?, ?, ?, ?, ?, ?, ?, ?)", list(fact.values())
            )

    @contextmanager
    def use(self, _home: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
        """As ``in_service``."""
        yield self.connection, Path()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    service = Service()
    service.deliver(FACT)
    monkeypatch.setattr(disputed, "in_service", service.use)
    return service


@pytest.fixture
def store(tmp_path: Path) -> EntryStore:
    return EntryStore(Home(tmp_path / "var"))


def mark(store: EntryStore, fact: dict[str, Any] = FACT) -> str:
    content = content_of(fact, "別の子どものこと", "弟の欠席日数")
    return store.create(FORM, content, by="a", department="child", person_id=CHILD).record_id


def answer(store: EntryStore, record_id: str, given: str) -> None:
    content = {"answer": given, "answer_reason": "台帳のとおり"}
    store.create(ANSWER, content, by="s", department="education", person_id=CHILD, record_id=answer_id(record_id))


def states(store: EntryStore) -> list[tuple[str, bool]]:
    return [(one.state, one.is_waiting) for one in read_disputes(store.home, store, person_id=CHILD)]


def test_fact_at_a_place_is_that_of_the_person(service: Service, store: EntryStore) -> None:
    place = Place("20260401-school", 7, "school_absence_days")
    assert fact_at(store.home, place, BROTHER) == FACT
    assert fact_at(store.home, place, CHILD) is None


def test_marked_line_waits_for_the_steward(service: Service, store: EntryStore) -> None:
    record_id = mark(store)
    assert states(store) == [("open", True)]
    answer(store, record_id, "mend")
    assert states(store) == [("open", False)]


def test_line_that_the_steward_upholds_is_disputed_no_more(service: Service, store: EntryStore) -> None:
    answer(store, mark(store), "right")
    assert states(store) == [("upheld", False)]


def test_same_fact_in_a_later_delivery_is_still_disputed(service: Service, store: EntryStore) -> None:
    mark(store)
    service.deliver({**FACT, "delivery_id": "20260501-school", "line_number": 9})
    (one,) = read_disputes(store.home, store)
    assert (one.state, one.places) == ("open", (Place("20260501-school", 9, "school_absence_days"),))


@pytest.mark.parametrize(
    "mended",
    [None, {"value": Decimal(2)}, {"observed_on": dt.date(2026, 2, 28)}, {"fact_person_id": CHILD},
     {"ended_on": dt.date(2026, 3, 31)}, {"text_value": "該当"}],
)  # fmt: skip
def test_line_whose_fact_is_another_now_is_mended(
    service: Service, store: EntryStore, mended: dict[str, Any] | None
) -> None:
    answer(store, mark(store), "right")
    service.deliver(*([] if mended is None else [{**FACT, **mended}]))
    assert states(store) == [("mended", False)]


def test_place_that_is_withheld_is_none() -> None:
    assert Place.of_row({**FACT, "delivery_id": None, "line_number": None}) is None


def test_deletion_erases_the_marked_lines_that_copy_the_facts_of_the_person(
    service: Service, store: EntryStore
) -> None:
    erased, kept = mark(store), mark(store, {**FACT, "fact_person_id": CHILD})
    answer(store, erased, "mend")
    other = mark(store, {**FACT, "source_id": "school_checkups"})
    request = {"requested_on": "2026-04-02", "request": "deletion", "about": "出欠", "outcome": "accepted"}
    store.create(
        "person_request", {**request, "data_source": "school_attendance"}, by="c", department="child",
        person_id=BROTHER,
    )  # fmt: skip
    for _ in range(2):
        erase_typed(store)
        for record_id in (erased, answer_id(erased)):
            assert [dict(version.content) for version in store.history(record_id)] == [{}, {}], record_id
    assert {version.record_id for version in store.current(FORM)} == {kept, other}
