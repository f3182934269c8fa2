"""A draft on past dates: the figures of the batch, those of `kodomo model evidence`, and its changes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest

from kodomo.entries.store import EntryStore
from kodomo.evaluation.evidence import evidence
from kodomo.home import Home
from kodomo.workshop.drafts import DraftStore, write_definition
from kodomo.workshop.judgement import at_capacity, by_group, capacities, judge, lines
from tests.conftest import AS_OF, City
from tests.integration.workshop.trying import edited

pytestmark = pytest.mark.slow
KEY = ("difficulty_type", "measure", "group_kind", "group_value")
COUNTS = ("base", "people", "cases", "flagged", "flagged_cases")
VALUES = ("measure_value", "value_low", "value_high")
SHARES = ("item_count_value", "area_rate_value")


@pytest.fixture(scope="module")
def drafts(city: City, tmp_path_factory: pytest.TempPathFactory) -> DraftStore:
    """The drafts of a home that has the city's publication."""
    home = Home(tmp_path_factory.mktemp("judged") / "var").ensure()
    home.published.symlink_to(city.home / "published")
    return DraftStore(EntryStore(home))


def by_key(rows: list[dict[str, Any]], version: str, key: tuple[str, ...]) -> dict[tuple, dict[str, Any]]:
    return {tuple(row[name] for name in key): row for row in rows if row["model_version"] == version}


def figures(row: dict[str, Any]) -> list[float]:
    """The values of a row; one that is absent is below all others."""
    return [-1.0 if row[name] is None else row[name] for name in (*VALUES, *SHARES)]


def test_an_unchanged_draft_has_the_figures_of_the_version_that_it_copies(city: City, drafts: DraftStore) -> None:
    draft = drafts.create("same", "v2", by="aoi")
    judgement = judge(drafts.home, draft)
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        answer = connection.execute("select * from marts.bi_model_performance where as_of_on = ?", [AS_OF])
        names = [column[0] for column in answer.description]
        batch = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    key = ("difficulty_type", "measure", "group_kind", "group_label")
    expected = by_key(batch, "v2", key)
    assert len(expected) > 100
    for version in ("same", "v2"):
        judged = by_key(list(judgement.rows), version, key)
        assert judged.keys() == expected.keys()
        for place, row in expected.items():
            assert {name: judged[place][name] for name in COUNTS} == {name: row[name] for name in COUNTS}, place
            # Shares of children alike are summed in any order.
            assert figures(judged[place]) == pytest.approx(figures(row), rel=1e-12), place
    assert (judgement.frozen_on, judgement.outcome_until) == (
        AS_OF.replace(year=AS_OF.year - 1), AS_OF,
    )  # fmt: skip


def test_a_changed_draft_has_the_figures_of_its_files(city: City, drafts: DraftStore, tmp_path: Path) -> None:
    draft = edited(drafts, "changed")
    judgement = judge(drafts.home, draft, years=2)
    write_definition(draft, tmp_path / "definition")
    evidence(Home(city.home), judgement.frozen_on, tmp_path / "definition", tmp_path / "out")
    with (tmp_path / "out" / "fct_model_performance.csv").open(encoding="utf-8") as file:
        written = {
            (row["difficulty_type"], row["measure"], row["group_kind"], row["group_value"]): row
            for row in csv.DictReader(file)
            if row["model_version"] == "changed"
        }
    ours = {
        (row["difficulty_type"], row["measure"], row["group_kind"]): row
        for row in judgement.rows
        if row["model_version"] == "changed" and row["group_kind"] == "all"
    }
    assert ours
    for (difficulty, measure, kind), row in ours.items():
        file_row = written[difficulty, measure, kind, "全体"]
        assert [str(row[name]) for name in COUNTS] == [file_row[name] for name in COUNTS]
        for name in VALUES:
            assert (row[name] is None and not file_row[name]) or float(file_row[name]) == pytest.approx(row[name])
    flagged = {row["model_version"]: row["flagged"] for row in judgement.rows if (
        row["difficulty_type"], row["measure"], row["group_kind"]) == ("abuse", "ppv", "all")}  # fmt: skip
    assert flagged["changed"] > flagged["v2"]


def test_groups_are_those_of_the_fairness_of_versions(drafts: DraftStore) -> None:
    draft = drafts.create("groups", "v2", by="aoi")
    judgement = judge(drafts.home, draft)
    groups = by_group(judgement, draft, "abuse")
    assert set(groups) >= {"性別", "年齢層", "地区"}
    for of_kind in groups.values():
        assert sum(of_kind[group][0].after["people"] for group in of_kind) == next(
            row["people"] for row in judgement.rows if (row["difficulty_type"], row["group_kind"]) == ("abuse", "all")
        )
        for group_lines in of_kind.values():
            assert [line.measure for line in group_lines] == ["case_rate", "ppv", "recall", "false_positive_rate"]


def test_what_a_meeting_can_see_is_split_by_group(city: City, drafts: DraftStore) -> None:
    draft = drafts.create("capacity", "v2", by="aoi")
    judgement = judge(drafts.home, draft)
    whole = {
        int(row["group_label"].strip().removesuffix("人")): row
        for row in judgement.rows
        if (row["model_version"], row["difficulty_type"], row["group_kind"], row["measure"])
        == ("capacity", "abuse", "capacity", "ppv")
    }
    assert capacities(judgement) == sorted(whole)
    for capacity, row in whole.items():
        groups = at_capacity(judgement, draft, "abuse", capacity)
        assert set(groups) >= {"性別", "年齢層", "地区"}
        for of_kind in groups.values():
            ppv = [of_group[0].after for of_group in of_kind.values()]
            assert [line.measure for line in next(iter(of_kind.values()))] == ["ppv", "recall"]
            assert sum(part["flagged"] for part in ppv) == row["flagged"]
            assert sum(part["flagged_cases"] for part in ppv) == row["flagged_cases"]
            for of_group in of_kind.values():
                for line in of_group:
                    part = line.after
                    assert part["base"] == part["flagged" if line.measure == "ppv" else "cases"]
                    if part["base"]:
                        assert part["measure_value"] == pytest.approx(part["flagged_cases"] / part["base"])
                        assert part["value_low"] - 1e-6 <= part["measure_value"] <= part["value_high"] + 1e-6
                    assert line.before["flagged"] == part["flagged"]
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        batch = connection.execute(
            "select capacity, measure, group_kind, group_value, people, cases, flagged, flagged_cases "
            "from marts.fct_model_capacity where as_of_on = ? and model_version = 'v2' and difficulty_type = 'abuse'",
            [AS_OF],
        ).fetchall()
    names = ("capacity", "measure", "group_kind", "group_value", "people", "cases", "flagged", "flagged_cases")
    mine = [row for row in judgement.at_capacity if (row["model_version"], row["difficulty_type"]) == ("v2", "abuse")]
    assert sorted(batch) == sorted(tuple(row[name] for name in names) for row in mine)


def test_a_person_who_is_withheld_is_counted_under_no_area(city: City, drafts: DraftStore) -> None:
    draft = drafts.create("withheld", "v2", by="aoi")
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        people = [
            row[0] for row in connection.execute(
                "select current_person_id from intermediate.int_evaluation__frozen semi join "
                "(select person_id from intermediate.int_evaluation__cohort where difficulty_type = 'abuse') "
                "using (person_id) where area_code is not null and current_person_id not in "
                "(select person_id from marts.dim_person where is_dv_protected) order by 1 limit 3"
            ).fetchall()
        ]  # fmt: skip
    plain, without = (judge(drafts.home, draft, 1, chosen) for chosen in ([], people))

    def unknown(judgement: Any) -> int:
        found = [
            line.after["people"]
            for line in lines(judgement, draft, "abuse", [("area", "case_rate")])
            if line.group_label == "不明"
        ]
        return sum(found)

    assert 0 <= unknown(without) - unknown(plain) <= 3
    assert unknown(without) >= 1
