"""試算 on a city: the rows of the batch, and those of the batch's SQL on the warehouse with the draft's files."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from kodomo.determination.service import reading
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.scoring.comparison import WITHHELD_AREA_JA
from kodomo.workshop.drafts import DraftStore, write_definition
from kodomo.workshop.rows import Place, rules_of
from kodomo.workshop.trial import CONTENTS, PRIORITIES, try_out
from tests.conftest import AS_OF, City, kodomo
from tests.integration.workshop.trying import MARTS, MODELS, edited, rows_of, ruled, support_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drafts(city: City, tmp_path_factory: pytest.TempPathFactory) -> DraftStore:
    """The drafts of a home that has the city's publication."""
    home = Home(tmp_path_factory.mktemp("drafts") / "var").ensure()
    home.published.symlink_to(city.home / "published")
    return DraftStore(EntryStore(home))


def test_an_unchanged_draft_has_every_row_of_the_batch(city: City, drafts: DraftStore) -> None:
    computed = rows_of(drafts, drafts.create("same", "v2", by="aoi"))
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        for model, mart in (
            ("int_risk__scores", "fct_risk_score"),
            ("int_risk__contributions", "fct_risk_contribution"),
        ):
            batch = connection.execute(
                f"select {MODELS[model]} from marts.{mart} where as_of_on = ? and model_version = 'v2' order by all",
                [AS_OF],
            ).fetchall()
            assert batch
            assert computed[model] == batch


def test_a_changed_draft_has_every_row_of_its_files_on_the_warehouse(
    city: City, drafts: DraftStore, tmp_path: Path
) -> None:
    draft = edited(drafts, "changed")
    computed = rows_of(drafts, draft)
    write_definition(draft, tmp_path / "definition")
    assert json.loads(kodomo("model", "check", str(tmp_path / "definition"), "--json", home=city.home).stdout) == {
        "mistakes": []
    }
    kodomo("score", "--definition", str(tmp_path / "definition"), "--out", str(tmp_path / "out"), home=city.home)
    for model, mart in MARTS.items():
        with duckdb.connect() as connection:
            written = connection.execute(
                f"select {MODELS[model]} from read_csv($file, all_varchar = true) "
                "where model_version = 'changed' order by all",
                {"file": str(tmp_path / "out" / f"{mart}.csv")},
            ).fetchall()
        assert Counter(map(as_text, computed[model])) == Counter(written)


@pytest.mark.parametrize("base", ["v2", "trial-1"])
def test_an_unchanged_draft_gives_the_support_of_the_batch(city: City, drafts: DraftStore, base: str) -> None:
    computed = support_of(drafts, drafts.create(f"support-of-{base}", base, by="aoi"))
    with duckdb.connect(str(city.warehouse), read_only=True) as connection:
        for relation, rows in computed.items():
            batch = connection.execute(f"select * from {relation} where as_of_on = ? order by all", [AS_OF]).fetchall()
            assert batch
            assert rows == batch, relation


def test_rules_of_a_draft_hold_for_all_children_and_for_its_types(drafts: DraftStore) -> None:
    draft = ruled(drafts, drafts.create("ruled", "v2", by="aoi"))
    other = draft.definition["support_rules"]
    content = {**rules_of(draft.texts, "support_rules", "v2")[0], "model_version": "ruled", "content_ja": "面談"}
    drafts.edit(draft.draft_id, 2, {Place.of("support_rules", content): content}, by="aoi")
    draft = drafts.draft(draft.draft_id)
    support = support_of(drafts, draft)
    tiers = {row[1]: (row[2], row[4], row[5]) for row in support[PRIORITIES]}
    assert {tier: rest for tier, *rest in tiers.values()} == {
        "high": ["B", 20], "latent": ["C", 99], "low": ["C", 99],
    }  # fmt: skip
    # Abuse and poverty are the draft's types; truancy and the others keep the rules that all versions share.
    abuse = {row[1] for row in support[CONTENTS] if row[6] == "面談"}
    scores = rows_of(drafts, draft)["int_risk__scores"]
    assert abuse == {row[1] for row in scores if (row[0], row[3]) == ("abuse", "high")}
    shared = {row["content_ja"] for row in other if row["difficulty_type"] not in ("abuse", "poverty", None)}
    assert {row[6] for row in support[CONTENTS]} - {"面談"} <= shared
    counted = {(row.kind, row.code): row.after for row in try_out(drafts.home, draft).support}
    assert counted["content", "面談"] == len(abuse) > 0
    assert counted["priority", "B"] == sum(row[4] == "B" for row in support[PRIORITIES])
    assert counted.get(("priority", "A"), 0) == 0


def as_text(row: tuple) -> tuple:
    return tuple(
        str(value).lower() if isinstance(value, bool) else None if value is None else str(value) for value in row
    )


def test_a_trial_counts_what_the_rows_say(drafts: DraftStore) -> None:
    draft = edited(drafts, "counted")
    trial = try_out(drafts.home, draft)
    rows = rows_of(drafts, draft)["int_risk__scores"]
    after = Counter((difficulty, tier) for difficulty, _, _, tier, *_ in rows)
    assert {
        (row.difficulty_type, row.tier): row.after for row in trial.tiers if row.group_kind == "all" and row.after
    } == after
    with reading(drafts.home) as (connection, _):
        before = connection.execute(
            "select difficulty_type, person_id, tier from warehouse.marts.fct_risk_score "
            "where as_of_on = ? and model_version = 'v2'", [AS_OF]
        ).fetchall()  # fmt: skip
    assert {
        (row.difficulty_type, row.tier): row.before for row in trial.tiers if row.group_kind == "all" and row.before
    } == Counter((difficulty, tier) for difficulty, _, tier in before)
    for kind in ("area", "age"):
        assert sum(row.after for row in trial.tiers if row.group_kind == kind) == len(rows)
    assert trial.workload[0].after == len({person for _, person, _, tier, *_ in rows if tier == "high"})
    tiers_before = {(difficulty, person): tier for difficulty, person, tier in before}
    changed = [row for row in rows if tiers_before[row[:2]] != row[3]]
    assert trial.comparison.changed == len(changed) > 0
    assert {row["item_code"] for row in trial.comparison.items} & {"household_moves", "mother_moves", "c_moves"}
    contributions = rows_of(drafts, draft)["int_risk__contributions"]
    met = {person for _, person, item, band, *_ in contributions if (item, band) == ("mother_moves", 1)}
    assert trial.met["mother_moves", 1] == len(met) > 0


def test_a_withheld_child_is_counted_under_no_area(drafts: DraftStore) -> None:
    draft = edited(drafts, "withheld")
    with reading(drafts.home) as (connection, _):
        people = connection.execute(
            "select person_id, area_code from warehouse.marts.dim_child where area_code is not null limit 7"
        ).fetchall()
    plain, without = (try_out(drafts.home, draft, {row[0] for row in chosen}) for chosen in ([], people))
    counts = [Counter() for _ in range(2)]
    for trial, count in zip((plain, without), counts, strict=True):
        for row in trial.tiers:
            if (row.group_kind, row.difficulty_type) == ("area", "abuse"):
                count[row.group] += row.after
    assert counts[1][WITHHELD_AREA_JA] == len(people)
    assert sum(counts[0].values()) == sum(counts[1].values())


def test_a_base_that_is_not_in_service_is_scored_beside_the_draft(drafts: DraftStore) -> None:
    draft = drafts.create("of-v1", "v1", by="aoi")
    trial = try_out(drafts.home, draft)
    assert (trial.comparison.before, trial.comparison.changed, trial.comparison.rescored) == ("v1", 0, 0)
    assert all(row.before == row.after for row in trial.tiers)
    assert sum(row.before for row in trial.tiers if row.group_kind == "all") > 0
