"""Everything held on one person: no record of another person, and none of their own left out."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import duckdb
import pytest

from kodomo.data_subjects.disclosure import held_on
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from superset_config.pages.base import printed
from tests.conftest import City, kodomo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(city: City) -> Home:
    return Home(city.home)


@pytest.fixture(scope="module")
def person(city: City) -> str:
    """A child with records of many kinds."""
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        return connection.execute(
            "select person_id from marts.fct_observation semi join marts.dim_child using (person_id) "
            "semi join (from intermediate.int_person__identities where source_id = 'school_enrolment') "
            "using (person_id) "
            "group by all order by count(distinct source_id) desc, person_id limit 1"
        ).fetchall()[0][0]


def test_the_records_are_those_behind_the_person_s_facts(home: Home, person: str, city: City) -> None:
    held = held_on(home, EntryStore(home), person)
    disclosed = {place.removesuffix("行目").rsplit(" ", 1)[0] + ":" + place.removesuffix("行目").rsplit(" ", 1)[1]
            for records in held.records for place, _ in records.rows}  # fmt: skip
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        facts = {
            f"{delivery}:{line}"
            for delivery, line in connection.execute(
                "select delivery_id, line_number from marts.fct_observation where person_id = ?", [person]
            ).fetchall()
        }
    assert facts
    # A record that was delivered twice with the same content is disclosed once.
    assert len(facts - disclosed) <= len(facts) // 10
    assert held.person["person_id"] == person
    assert len(held.facts) >= len(facts)
    assert held.scores


def test_record_of_another_person_is_not_disclosed(home: Home, person: str) -> None:
    held = held_on(home, EntryStore(home), person)
    for records in held.records:
        if "学籍番号" in records.headings:
            place = records.headings.index("学籍番号")
            assert len({cells[place] for _, cells in records.rows}) == 1
            continue
        numbers = [i for i, heading in enumerate(records.headings) if heading.endswith("宛名番号")]
        for _, cells in records.rows:
            if numbers:
                assert person in {cells[i].zfill(15) for i in numbers}


def test_entries_and_determinations_are_disclosed(home: Home, person: str) -> None:
    store = EntryStore(home)
    record = store.create(
        "decision", {"meeting_on": "2026-04-10", "decision": "watch"}, by="aoi", department="child", person_id=person
    )
    store.change(record.record_id, 1, {"meeting_on": "2026-04-10", "decision": "none"}, by="aoi")
    score = {"model_version": "v1", "difficulty_type": "abuse", "score": "3.000", "tier": "low", "is_override": False}
    fact = {"observation_code": "divorce", "observed_on": "2026-03-01", "value": None, "text_value": None}
    # Of a determination about another person, only what it says of this person.
    store.record_determination(
        purpose="きょうだいの相談", scope="family", person_id="other", as_of_on=dt.date(2026, 4, 1), publication="p",
        heard=[{**fact, "person_id": person}, {**fact, "observation_code": "dv_consultation", "person_id": "other"}],
        result=[
            {"person_id": person, "scores": [score]}, {"person_id": "other", "scores": [{**score, "score": "9.000"}]},
        ],
        determined_by="aoi",
    )  # fmt: skip
    store.record_determination(
        purpose="別件", scope="person", person_id="other", as_of_on=dt.date(2026, 4, 1), publication="p", heard=[],
        result=[], determined_by="aoi",
    )  # fmt: skip
    held = held_on(home, store, person)
    assert [(label, version.version) for label, version, _ in held.entries] == [("会議の決定", 1), ("会議の決定", 2)]
    (determined,) = held.determinations
    assert determined["results"] == ["虐待 3.000点 ローリスク"]
    assert [words.split()[-1] for words in determined["heard"]] == ["2026-03-01"]
    assert held.priorities[0]["contents"]
    page = printed("print_disclosure.html", held=held, made_on=dt.date(2026, 4, 1), who="aoi")
    for words in (
        "保有個人情報の内容",
        "利用目的",
        "判定の結果",
        "見守り",
        "きょうだいの相談",
        held.person["display_name"],
    ):
        assert words in page
    assert "<script" not in page


def test_the_command_writes_a_file_for_its_owner_and_keeps_who_asked(
    city: City, home: Home, person: str, tmp_path: Path
) -> None:
    out = tmp_path / "held.json"
    kodomo("disclose", person, "--purpose", "本人の請求", "--out", str(out), home=city.home)
    assert out.stat().st_mode & 0o077 == 0
    assert json.loads(out.read_text(encoding="utf-8"))["person"]["person_id"] == person
    last = EntryStore(home).accesses()[-1]
    assert (last["action"], last["purpose"]) == ("disclosure_document", "本人の請求")
    assert kodomo("disclose", person, "--purpose", "", "--out", str(out), home=city.home, check=False).returncode == 2
