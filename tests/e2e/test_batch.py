"""The batch as its user runs it: from files to a publication."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import duckdb
import pytest

from kodomo.determination.service import in_service
from kodomo.entries.store import EntryStore, Version
from kodomo.errors import UsageError
from kodomo.home import Home, unknown_paths
from kodomo.ingest.decisions import decide
from kodomo.ingest.deliveries import ingest_landing
from kodomo.ingest.entries import take_entries
from kodomo.publication import current
from kodomo.publication.gate import accept, unaccepted
from kodomo.scoring.rescore import diff_versions, replay
from kodomo.workshop.drafts import Draft, DraftStore
from kodomo.workshop.in_force import Approval
from tests.conftest import AS_OF, City, kodomo
from tests.integration.workshop.trying import MARTS as KEPT
from tests.integration.workshop.trying import MODELS, edited, rows_of, ruled, support_of

pytestmark = pytest.mark.slow

PEOPLE = 20
NEXT_DAY = AS_OF + dt.timedelta(days=1)
NEW = "v3"
"""The version that is approved before the second run."""
MARTS = {
    "dim_person": "person_id atena_no display_name kana birth_on sex household_id area_code is_resident",
    "dim_child": "person_id is_unborn age_months area_code household_id mother_id father_id is_known_to_services",
    "fct_observation": "person_id observation_code observed_on ended_on value text_value source_id"
    " delivery_id line_number",
    "fct_family_link": "from_person_id to_person_id link_type valid_from valid_to origin confidence",
    "fct_chain": "as_of_on person_id chain_type end_person_id steps path case_source_id case_on",
    "fct_risk_contribution": "as_of_on model_version difficulty_type person_id item_code band_no raw_value"
    " coefficient is_counted evidence",
    "fct_risk_score": "as_of_on model_version difficulty_type person_id score tier is_override completeness",
    "fct_support_priority": "as_of_on person_id tier total_score priority_class due_days priority_rank",
    "fct_delivery": "delivery_id source_id file_name sha256 delivered_on kind encoding rows_read rows_loaded"
    " rows_rejected status reason",
    "fct_reject": "delivery_id source_id line_number reason_code column_name record",
    "fct_link_decision": "source_id source_key person_id method probability status",
}


def rows(city: City, sql: str) -> list[tuple]:
    """All rows of a query over the marts."""
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def run(landing: Path, home: Path, as_of_on: dt.date = AS_OF) -> tuple[int, dict]:
    """Exit code and summary of a run."""
    result = kodomo("run", "--landing", str(landing), "--as-of", as_of_on.isoformat(), "--json", home=home, check=False)
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    return result.returncode, json.loads(lines[-1]) if lines else {}


def fingerprint(city: City, table: str) -> tuple:
    """The number of rows of a mart and a hash of them, whatever their order, without those of the new version."""
    others = f"where model_version <> '{NEW}'" if table in KEPT.values() else ""
    return rows(city, f"select count(*), bit_xor(hash(t)) from marts.{table} as t {others}")[0]


def test_full_run_leaves_nothing_that_the_list_of_parts_does_not_name(city: City) -> None:
    assert unknown_paths(city.home) == []


@pytest.mark.parametrize(("mart", "columns"), MARTS.items())
def test_marts_begin_with_the_columns_others_rely_on(city: City, mart: str, columns: str) -> None:
    expected = columns.split()
    names = [row[0] for row in rows(city, f"select column_name from (describe marts.{mart})")]
    assert names[: len(expected)] == expected


def test_every_source_was_delivered_and_every_row_accounted_for(city: City) -> None:
    deliveries = rows(city, "select source_id, rows_read, rows_loaded, rows_rejected, status from marts.fct_delivery")
    assert len({delivery[0] for delivery in deliveries if delivery[4] == "loaded"}) == 36
    assert all(read == loaded + rejected for _, read, loaded, rejected, status in deliveries if status == "loaded")
    rejected = sum(delivery[3] for delivery in deliveries if delivery[4] == "loaded")
    assert rows(city, "select count(*) from marts.fct_reject") == [(rejected,)]


def test_pregnancy_three_weeks_past_its_due_date_is_overdue(city: City) -> None:
    found = rows(
        city,
        "select distinct is_overdue, coalesce(is_unborn and expected_birth_on + 21 < as_of_on, false), "
        "contains(age_label, '予定日超過') from marts.bi_child",
    )
    assert sorted(found) == [(False, False, False), (True, True, True)]


def test_counted_contributions_sum_to_the_score_of_every_child(city: City) -> None:
    wrong = rows(
        city,
        """
        select count(*)
        from marts.fct_risk_score as score
        left join (
            select as_of_on, model_version, difficulty_type, person_id, sum(coefficient) as total
            from marts.fct_risk_contribution where is_counted group by all
        ) as counted using (as_of_on, model_version, difficulty_type, person_id)
        where score.score <> coalesce(counted.total, 0)
        """,
    )
    assert wrong == [(0,)]
    assert rows(city, "select count(*) > 0 from marts.fct_risk_contribution where is_counted") == [(True,)]


def test_every_subject_has_a_score_for_every_type_that_concerns_its_age(city: City) -> None:
    scored = rows(
        city,
        """
        with expected as (
            select child.person_id, versions.model_version, versions.difficulty_type
            from marts.dim_child as child
            cross join (
                select distinct tiers.model_version, tiers.difficulty_type
                from seeds.risk_tiers as tiers
                inner join seeds.risk_model_versions as versions using (model_version)
                where versions.status in ('active', 'trial')
            ) as versions
            left join seeds.risk_targets as targets using (model_version, difficulty_type)
            where
                child.age_months >= coalesce(targets.age_from_months, -99)
                and child.age_months < coalesce(targets.age_to_months, 999)
        )
        select
            (select count(*) from expected),
            count(scores.person_id),
            (select count(*) from marts.fct_risk_score)
        from expected
        inner join marts.fct_risk_score as scores using (person_id, model_version, difficulty_type)
        """,
    )
    assert len(set(scored[0])) == 1
    assert rows(city, "select count(*) > 100 from marts.dim_child") == [(True,)]


@dataclass(frozen=True)
class SecondRun:
    """A second run on the same files, after a trial version was approved; the marts before it, without that version."""

    city: City
    code: int
    drafts: DraftStore
    draft: Draft
    before: dict[str, tuple]


@pytest.fixture(scope="module")
def second(city: City, tmp_path_factory: pytest.TempPathFactory) -> SecondRun:
    """One run for what must stay and for what a new version brings."""
    home = tmp_path_factory.mktemp("second") / "var"
    shutil.copytree(city.home, home, symlinks=True)
    again = City(city.folder, home)
    before = {mart: fingerprint(again, mart) for mart in MARTS}
    drafts = DraftStore(EntryStore(Home(home)))
    draft = edited(drafts, NEW)
    drafts.submit(draft.draft_id, 2, by="aoi", comment="転居を重く見る")
    drafts.approve(draft.draft_id, 3, Approval("佐渡 海", "会議で確かめた", "umi", AS_OF, is_trial=True))
    code, _ = run(city.landing, home)
    return SecondRun(again, code, drafts, draft, before)


def test_a_second_run_on_the_same_files_changes_nothing(second: SecondRun) -> None:
    assert second.code == 0
    assert {mart: fingerprint(second.city, mart) for mart in MARTS} == second.before


def test_an_approved_version_is_scored_by_the_next_run_as_its_trial_said(second: SecondRun) -> None:
    tried = rows_of(second.drafts, second.draft)
    for model, mart in KEPT.items():
        scored = rows(
            second.city, f"select {MODELS[model]} from marts.{mart} where model_version = '{NEW}' order by all"
        )
        assert scored == tried[model] != []


def test_a_run_with_an_approved_version_is_replayed_and_compared(second: SecondRun) -> None:
    home = Home(second.city.home)
    assert replay(home, run_id=None, as_of_on=AS_OF, out=None).differing_rows == 0
    compared = diff_versions(home, "v2", NEW, None)
    assert compared.changed > 0
    # A version that has ended, and a draft, are scored for the comparison.
    copy = second.drafts.create("copy", NEW, by="aoi")
    present = second.drafts.folder_with([copy.model_version, "v1"])
    assert diff_versions(home, NEW, copy.model_version, None, present).rescored == 0
    assert diff_versions(home, "v2", copy.model_version, None, present).changed == compared.changed
    assert diff_versions(home, "v1", NEW, None, present).children == compared.children
    with pytest.raises(UsageError, match="There is no version v9"):
        diff_versions(home, "v9", NEW, None, present)


def test_a_determination_knows_an_approved_version(second: SecondRun) -> None:
    child = rows(second.city, f"select min(person_id) from marts.fct_risk_score where model_version = '{NEW}'")[0][0]
    assessed = kodomo("assess", child, "--purpose", "確認", "--json", home=second.city.home)
    scores = json.loads(assessed.stdout)["children"][0]["scores"]
    assert NEW in {score["model_version"] for score in scores}


@dataclass(frozen=True)
class BusyRun:
    """A run while people were entering: its exit code and summary, and what they had saved, by summary text."""

    city: City
    code: int
    summary: dict
    saved: dict[str, Version]
    drafts: DraftStore
    draft: Draft


def enter_until(home: Home, number: int, ended: Event, school_person_no: str) -> list[Version]:
    """One person: enters a record, corrects it, rests a little, and again, until the run has ended."""
    store = EntryStore(home)
    saved = []
    while not ended.is_set():
        content = {"occurred_on": "2026-03-02", "incident_type": "SSW", "school_person_no": school_person_no}
        text = f"{number}-{len(saved)}"
        record = store.create(
            "school_consultation", {**content, "summary": "x"}, by=f"u{number}", department="education"
        )
        saved.append(store.change(record.record_id, 1, {**content, "summary": text}, by=f"u{number}"))
        ended.wait(0.5)
    return saved


@pytest.fixture(scope="module")
def busy(city: City, tmp_path_factory: pytest.TempPathFactory) -> BusyRun:
    """A run of the next day with a forbidden heading among its files, while 20 people are entering; from that day on a
    new version is active in the place of v2."""
    folder = tmp_path_factory.mktemp("busy")
    aid = folder / "landing" / "school_aid"
    aid.mkdir(parents=True)
    (aid / "school_aid_20260402.csv").write_text("学籍番号,年度,認定区分,課税区分\n1,2025,要,1\n", encoding="cp932")
    home = folder / "var"
    shutil.copytree(city.home, home, symlinks=True)
    own = City(city.folder, home)
    drafts = DraftStore(EntryStore(Home(home)))
    draft = ruled(drafts, edited(drafts, NEW))
    drafts.submit(draft.draft_id, draft.version, by="aoi", comment="転居を重く見る")
    drafts.approve(
        draft.draft_id, draft.version + 1, Approval("佐渡 海", "会議で確かめた", "umi", NEXT_DAY, replaces=("v2",))
    )  # fmt: skip
    query = "select source_key from intermediate.int_person__identities where source_id = 'school_enrolment'"
    number = rows(own, f"{query} and person_id is not null order by all limit 1")[0][0]
    ended = Event()
    with ThreadPoolExecutor(PEOPLE) as threads:
        entering = [threads.submit(enter_until, Home(home), person, ended, number) for person in range(PEOPLE)]
        try:
            code, summary = run(folder / "landing", home, NEXT_DAY)
        finally:
            ended.set()
        saved = {version.content["summary"]: version for future in entering for version in future.result()}
    return BusyRun(own, code, summary, saved, drafts, draft)


def test_a_new_active_version_replaces_the_old_one_which_is_recalled(busy: BusyRun, tmp_path: Path) -> None:
    scored = rows(
        busy.city, "select distinct as_of_on, model_version from marts.fct_risk_score where model_version[1] = 'v'"
    )
    assert sorted(scored) == [(AS_OF, "v2"), (NEXT_DAY, NEW)]
    # By the new version's own rules of priority, as its trial says; those of the day before stay as they were.
    tried = support_of(busy.drafts, busy.draft, NEXT_DAY)
    for relation, computed in tried.items():
        batch = rows(busy.city, f"select * from {relation} where as_of_on = date '{NEXT_DAY}' order by all")
        assert batch == computed != []
    classes = rows(
        busy.city, "select as_of_on, list(distinct due_days order by 1) from marts.fct_support_priority group by 1"
    )
    assert dict(classes)[NEXT_DAY] == [20, 99]
    assert set(dict(classes)[AS_OF]).isdisjoint({20, 99})
    (ended,) = [row for row in busy.drafts.in_force.versions(NEXT_DAY) if row["model_version"] == "v2"]
    assert (ended["status"], ended["valid_to"]) == ("retired", AS_OF)
    document = tmp_path / "recall.json"
    kodomo("model", "recall", "v2", "--reason", "係数の誤り", "--out", str(document), home=busy.city.home)
    touched = {row[0] for row in rows(
        busy.city, "select person_id from marts.fct_risk_score where model_version = 'v2' and tier <> 'low'"
    )}  # fmt: skip
    given = json.loads(document.read_text(encoding="utf-8"))["touched"]
    assert {one["person_id"] for one in given if one["kind"] == "tier"} == touched
    assert {one["person_id"] for one in given if one["kind"] == "place"} == touched


def test_a_forbidden_heading_refuses_the_file_and_leaves_the_others(busy: BusyRun) -> None:
    refused = [delivery for delivery in busy.summary["deliveries"] if delivery["status"] == "refused"]
    assert busy.code == 0
    assert [delivery["source_id"] for delivery in refused] == ["school_aid"]
    assert "課税" in refused[0]["reason"]


def test_entries_during_a_run_are_neither_lost_nor_doubled(busy: BusyRun) -> None:
    home = Home(busy.city.home)
    store = EntryStore(home)
    kept = {version.record_id: version for version in store.current("school_consultation")}
    assert len(kept) == len(busy.saved) > PEOPLE
    assert all(kept[version.record_id] == version for version in busy.saved.values())
    (taken,) = [d for d in busy.summary["deliveries"] if d["source_id"] == "school_consultations"]
    in_it = f"delivery_id = '{taken['delivery_id']}'"
    with in_service(home) as (connection, _):
        published = connection.execute(
            f"select count(*) = count(distinct (line_number, observation_code)), count(distinct line_number) "
            f"from warehouse.marts.fct_observation where {in_it}"
        ).fetchall()
    # Of each record the run took the version that was the newest at that moment, and published it once.
    effects = [key for key in store.effects() if key[0] in kept]
    assert published == [(True, taken["rows_read"])]
    assert len({record_id for record_id, _ in effects}) == len(effects) == taken["rows_read"]
    assert 0 < taken["rows_read"] < len(kept)
    # The next run takes everything, and what was taken before is not there twice.
    take_entries(home, "next")
    in_force = "semi join (from raw.deliveries where status = 'loaded') using (delivery_id)"
    loaded = rows(
        busy.city, f"select summary from raw.school_consultations {in_force} where starts_with(record_no, 'E')"
    )
    assert sorted(row[0] for row in loaded) == sorted(busy.saved)


def test_an_empty_landing_folder_is_said_in_plain_words(city: City, tmp_path: Path) -> None:
    empty = tmp_path / "landing"
    empty.mkdir()
    home = tmp_path / "var"
    shutil.copytree(city.home, home, symlinks=True)
    before = (home / "published" / "current").resolve()
    result = kodomo("run", "--landing", str(empty), "--as-of", AS_OF.isoformat(), home=home, check=False)
    assert result.returncode != 0
    assert "landing" in result.stderr
    assert (home / "published" / "current").resolve() == before


def shortened_register(city: City) -> bytes:
    """The register of the city without all but three of its children: over 80 % of its lines are left."""
    (file,) = (city.landing / "resident_register").glob("*.csv")
    subjects = rows(city, "select atena_no from marts.dim_child inner join marts.dim_person using (person_id)")
    numbers = {int(number) for (number,) in subjects if number} - {*sorted(int(n) for (n,) in subjects if n)[:3]}
    lines = file.read_bytes().splitlines(keepends=True)

    def is_child(line: bytes) -> bool:
        number = line.split(b",")[0].strip(b'="')
        return number.isdigit() and int(number) in numbers

    kept = [line for line in lines if not is_child(line)]
    assert 0.8 * len(lines) < len(kept) < len(lines)
    return b"".join(kept)


def test_a_register_without_its_children_publishes_nothing(city: City, tmp_path: Path) -> None:
    folder = tmp_path / "landing" / "resident_register"
    folder.mkdir(parents=True)
    (folder / "resident_register_20260402.csv").write_bytes(shortened_register(city))
    home = Home(tmp_path / "var")
    shutil.copytree(city.home, home.root, symlinks=True)
    in_service = current(home)
    # It is held when it is taken, for the people who are missing and not for its rows.
    (held,) = ingest_landing(home, folder.parent, "before")
    assert held.status == "held"
    assert "aged 6 to 17" in held.reason
    # A steward lets it pass all the same: then the publication is held, by the children in service.
    decide(home, held.delivery_id, "release", "by mistake", "steward")
    code, summary = run(folder.parent, home.root)
    assert code == 3
    assert summary["published"] is None
    assert any(failure.startswith("children: ") and "aged 6 to 11" in failure for failure in summary["held_by"])
    assert current(home) == in_service
    assert accept(home, "a drill", "operator")
    assert unaccepted(home) == []
