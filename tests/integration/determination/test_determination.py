"""Individual determination: the batch's rows where nothing was added, for its date and for any other."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from kodomo.determination import determination as determination_module
from kodomo.determination.determination import SCOPES, determine, find
from kodomo.determination.heard import (
    HEARD,
    HEARD_LABEL,
    AssessError,
    Observation,
    heard_observation,
    observation_codes,
    parse_heard,
)
from kodomo.determination.results import Determination
from kodomo.determination.service import in_service
from kodomo.entries.disputes import Place
from kodomo.entries.store import EntryStore
from kodomo.home import Home
from kodomo.publication.inputs import AS_BUILT, TARGETS, read_statements
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE, open_scratch
from kodomo.warehouse import connect
from tests.conftest import AS_OF, City, kodomo

pytestmark = pytest.mark.slow
OTHER_DATE = dt.date(2024, 10, 1)
SCORES = "model_version, difficulty_type, person_id, score, tier, is_override, completeness"
CONTRIBUTIONS = (
    "model_version, difficulty_type, person_id, item_code, band_no, raw_value, coefficient, is_counted, evidence"
)


@pytest.fixture(scope="module")
def home(city: City) -> Home:
    return Home(city.home)


def query(home: Home, sql: str, *values: Any) -> list[tuple]:
    with in_service(home) as (connection, _):
        return connection.execute(sql, list(values)).fetchall()


@pytest.fixture(scope="module")
def ranked(home: Home) -> list[str]:
    """The children of the batch, most urgent first."""
    rows = query(
        home,
        f"select person_id from {WAREHOUSE}.marts.fct_support_priority where as_of_on = ? order by priority_rank",
        AS_OF,
    )
    return [row[0] for row in rows]


def score_rows(determination: Determination) -> set[tuple]:
    names = [name.strip() for name in SCORES.split(",") if name.strip() != "person_id"]
    return {
        (child.person_id, *(getattr(score, name) for name in names))
        for child in determination.children
        for score in child.scores
    }


def contribution_rows(determination: Determination) -> set[tuple]:
    names = [name.strip() for name in CONTRIBUTIONS.split(",") if name.strip() != "person_id"]
    return {
        (child.person_id, *(getattr(row, name) for name in names))
        for child in determination.children
        for row in child.contributions
        if row.change != "gone"
    }


def batch_rows(home: Home, table: str, columns: str) -> dict[str, set[tuple]]:
    names = ", ".join(name.strip() for name in columns.split(",") if name.strip() != "person_id")
    rows_by_person: dict[str, set[tuple]] = {}
    for row in query(home, f"select person_id, {names} from {WAREHOUSE}.marts.{table} where as_of_on = ?", AS_OF):
        rows_by_person.setdefault(row[0], set()).add(row)
    return rows_by_person


def lists_of(home: Home, table: str, expression: str) -> dict[str, set[Any]]:
    """What a mart of the batch says of each child, as sets."""
    rows = query(
        home,
        f"select person_id, list(distinct {expression}) from {WAREHOUSE}.marts.{table} where as_of_on = ? group by all",
        AS_OF,
    )
    return {person_id: {row if isinstance(row, str) else tuple(row) for row in values} for person_id, values in rows}


# As many children at once as an area has.
BY_AREA = """
    select person_id from {source}.marts.dim_child
    where area_code is not distinct from (
        select area_code from {source}.marts.dim_child where person_id = $person
    )
"""


def test_with_nothing_added_the_rows_are_the_batchs_for_500_children(
    home: Home, ranked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(determination_module._SUBJECTS, "area", BY_AREA)
    scores = batch_rows(home, "fct_risk_score", SCORES)
    contributions = batch_rows(home, "fct_risk_contribution", CONTRIBUTIONS)
    priorities = {
        row[0]: row[1:]
        for row in query(
            home,
            f"select person_id, tier, total_score, priority_class, due_days, priority_rank "
            f"from {WAREHOUSE}.marts.fct_support_priority where as_of_on = ?",
            AS_OF,
        )
    }
    contents = lists_of(home, "fct_support_content", "support_code")
    chains = lists_of(home, "fct_chain", "(chain_type, steps, path, case_source_id, case_on)")
    unanswered: dict[str, set[tuple[str, str, int]]] = {}
    for person_id, source_id, reason, items in query(
        home,
        "select person_id, source_id, reason, count(distinct item_code) from (select person_id, source_id, reason, "
        f"unnest(string_split(item_codes, '|')) as item_code from {WAREHOUSE}.marts.fct_unanswered) group by all",
    ):
        unanswered.setdefault(person_id, set()).add((source_id, reason, items))
    seen: set[str] = set()
    # One alone, a household, a family, in turn; then, area by area, everybody who was not there yet.
    for number, person_id in enumerate(ranked):
        if person_id in seen:
            continue
        determination = determine(home, person_id, scope=SCOPES[number % 3] if number < 36 else "area")
        people = {child.person_id for child in determination.children}
        assert person_id in people
        seen |= people
        assert score_rows(determination) == set().union(*(scores[p] for p in people))
        assert contribution_rows(determination) == set().union(*(contributions.get(p, set()) for p in people))
        for child in determination.children:
            priority = child.priority
            assert (
                priority.tier, priority.total_score, priority.priority_class, priority.due_days,
                priority.priority_rank,
            ) == priorities[child.person_id]  # fmt: skip
            assert {row.support_code for row in child.support_contents} == contents[child.person_id]
            assert {
                (row.chain_type, row.steps, ">".join(row.path_ids), row.case_source_id, row.case_on)
                for row in child.chains
            } == chains.get(child.person_id, set())
            assert {(row.source_id, row.reason, row.items) for row in child.unanswered} == unanswered.get(
                child.person_id, set()
            )
            assert not any(score.is_changed for score in child.scores)
    assert seen == set(scores)
    assert len(seen) >= 500


def test_a_publication_holds_the_rows_of_a_person_together(home: Home) -> None:
    for relation in (
        "intermediate.int_observations__all",
        "marts.fct_risk_contribution",
        "intermediate.int_risk__scope_members",
    ):
        ((people, blocks),) = query(
            home,
            "select count(distinct person_id), count(*) from (select person_id, "
            f"lag(person_id) over (order by rowid) as before from {WAREHOUSE}.{relation}) "
            "where before is distinct from person_id",
        )
        assert people == blocks > 1, relation


def test_what_shows_from_the_records_of_all_people_is_taken_as_built(home: Home) -> None:
    with in_service(home) as (connection, folder):
        assert not {*AS_BUILT} & read_statements(folder).statements.keys()
        for relation in AS_BUILT:
            published = connection.execute(f"from {WAREHOUSE}.{relation} order by all").fetchall()
            with connect(home, read_only=True) as built:
                assert published == built.execute(f"from {relation} order by all").fetchall()


def test_for_another_date_the_rows_are_those_of_a_whole_run_for_it(home: Home) -> None:
    with in_service(home) as (connection, folder):
        open_scratch(connection, OTHER_DATE)
        read_statements(folder).execute(connection, [PARAMETERS], TARGETS)
        people = [
            row[0]
            for row in connection.execute(
                f"select person_id from {SCRATCH}.intermediate.int_risk__subjects "
                f"semi join {WAREHOUSE}.marts.dim_person using (person_id) "
                f"left join (select person_id, count(*) as chains from {SCRATCH}.marts.fct_chain group by all) "
                "using (person_id) order by chains desc nulls last, hash(person_id) limit 12"
            ).fetchall()
        ]
        names = SCORES.replace("person_id, ", "")
        expected = {
            person_id: set(
                connection.execute(
                    f"select person_id, {names} from {SCRATCH}.intermediate.int_risk__scores where person_id = ?",
                    [person_id],
                ).fetchall()
            )
            for person_id in people
        }
        chains = {
            person_id: connection.execute(
                f"select chain_type, path from {SCRATCH}.marts.fct_chain where person_id = ? order by all", [person_id]
            ).fetchall()
            for person_id in people
        }
    assert any(chains.values())
    for person_id in people:
        determination = determine(home, person_id, as_of_on=OTHER_DATE)
        assert score_rows(determination) == expected[person_id]
        (child,) = determination.children
        paths = sorted((chain.chain_type, ">".join(chain.path_ids)) for chain in child.chains)
        assert paths == chains[person_id]


def test_unborn_child_is_determined(home: Home) -> None:
    rows = query(
        home,
        f"select identities.person_id, notifications.due_on "
        f"from {WAREHOUSE}.intermediate.int_person__identities as identities "
        f"inner join {WAREHOUSE}.staging.stg_health__pregnancy_notifications as notifications "
        "on identities.source_key = notifications.notification_no "
        f"inner join {WAREHOUSE}.marts.dim_child as children on identities.person_id = children.person_id "
        "where identities.source_id = 'pregnancy_notifications' and not children.is_unborn "
        "and notifications.notified_on < children.birth_on - interval 60 day order by all limit 1",
    )
    person_id, due_on = rows[0]
    (child,) = determine(home, person_id, as_of_on=due_on - dt.timedelta(days=50)).children
    assert child.is_unborn
    assert child.age_months < 0


def test_heard_observation_counts_and_names_its_origin(home: Home, ranked: list[str]) -> None:
    calm = ranked[-1]
    heard = [heard_observation(calm, "abuse_consultation", "2026-03-30", None)]
    (before,) = determine(home, calm).children
    (child,) = determine(home, calm, heard=heard).children
    (score,) = [row for row in child.scores if row.difficulty_type == "abuse"]
    new = [row for row in child.contributions if row.change == "new" and row.difficulty_type == "abuse"]
    assert score.is_changed
    assert score.score == score.score_before + sum(row.coefficient for row in new if row.is_counted)
    assert all(row.sources[0].label == HEARD_LABEL for row in new)
    assert {row.item_code for row in before.missing} > {row.item_code for row in child.missing}
    assert determine(home, calm).children == (before,)


def test_heard_fact_is_a_change_since_the_batch_in_service(home: Home, ranked: list[str]) -> None:
    person_id = next(person_id for person_id in ranked if not person_id.startswith("preg-"))
    date = AS_OF + dt.timedelta(days=30)

    def cases(on: dt.date, *heard: Observation) -> list[tuple[Any, ...]]:
        (child,) = determine(home, person_id, heard=heard, as_of_on=on).children
        return [
            (change.subject, change.happened_on, change.compared_on, change.is_since_batch, change.is_since_decision)
            for change in child.changes
            if change.kind == "new_case"
        ]

    heard = Observation(person_id, "council_case", date)
    assert cases(date) == []
    assert cases(date, heard) == [("要対協のケース", date, AS_OF, True, False)]
    # Before the batch there is none to compare with.
    assert cases(AS_OF, Observation(person_id, "council_case", AS_OF)) == []


def test_heard_observation_is_the_latest_of_its_day(home: Home) -> None:
    rows = query(
        home,
        f"select observations.person_id, observations.observed_on "
        f"from {WAREHOUSE}.marts.fct_observation as observations "
        f"semi join {WAREHOUSE}.marts.dim_child as children on observations.person_id = children.person_id "
        "where observation_code = 'school_absence_rate' and observed_on <= ? "
        "order by observed_on desc, observations.person_id limit 1",
        AS_OF,
    )
    person_id, observed_on = rows[0]
    heard = Observation(person_id, "school_absence_rate", observed_on, Decimal("77.5"))
    (child,) = determine(home, person_id, heard=[heard]).children
    values = {row.raw_value for row in child.contributions if f"{HEARD}:1" in (row.evidence or "").split("|")}
    assert Decimal("77.5") in values


def test_every_observation_of_the_register_can_be_added(home: Home, ranked: list[str]) -> None:
    obstacles = observation_obstacles(AS_OF)
    values = {"integer": "3", "decimal": "2.5", "text": "あり"}
    heard = [
        heard_observation(ranked[0], code, "2026-03-31", values.get(row["value_type"]))
        for code, row in observation_codes().items()
        if not obstacles[code]
    ]
    assert len(heard) > 50
    (child,) = determine(home, ranked[0], heard=heard).children
    evidences = {row.evidence for row in child.contributions if row.change != "gone"}
    assert any(f"{HEARD}:" in evidence for evidence in evidences if evidence)
    # Nothing that applies is without data any more, but for what the register forbids.
    allowed = {row.item_code for row in child.missing if row.source_id is not None}
    used = query(home, f"select item_code, observation_code, scope from {WAREHOUSE}.seeds.risk_items")
    own = {item for item, code, scope in used if scope == "self" and code in {h.observation_code for h in heard}}
    assert not allowed & own
    for code in (code for code, obstacle in obstacles.items() if obstacle):
        row = observation_codes()[code]
        with pytest.raises(AssessError, match="does not approve"):
            determine(
                home, ranked[0], heard=[heard_observation(ranked[0], code, "2026-03-31", values.get(row["value_type"]))]
            )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nothing@2026-03-01", "no observation"),
        ("divorce", "CODE=VALUE@DATE"),
        ("divorce@2026-02-30", "2026-04-01"),
        ("divorce=2@2026-03-01", "takes no value"),
        ("epds_total@2026-03-01", "needs a number"),
        ("epds_total=9.5@2026-03-01", "whole number"),
        ("epds_total=nan@2026-03-01", "number"),
        ("mother:divorce@2026-03-01", "mother"),
    ],
)
def test_unreadable_observation_is_rejected(text: str, words: str) -> None:
    from kodomo.errors import UsageError

    with pytest.raises(UsageError, match=words):
        parse_heard(text, "p1", {})


def test_fact_without_a_value_may_be_given_as_one() -> None:
    assert parse_heard("divorce=1@2026-03-01", "p1", {}) == parse_heard("divorce@2026-03-01", "p1", {})


def test_observation_that_cannot_count_is_refused(home: Home, ranked: list[str]) -> None:
    later = heard_observation(ranked[0], "divorce", "2026-05-01", None)
    with pytest.raises(AssessError, match="after the as-of date"):
        determine(home, ranked[0], heard=[later])
    stranger = heard_observation("unknown", "divorce", "2026-03-01", None)
    with pytest.raises(AssessError, match="counts for none"):
        determine(home, ranked[0], heard=[stranger])
    with pytest.raises(AssessError, match="no child"):
        determine(home, "unknown")
    with pytest.raises(AssessError, match="no child"):
        determine(home, ranked[0], as_of_on=dt.date(1990, 1, 1))


def test_protected_person_is_not_named_on_a_path(home: Home, ranked: list[str]) -> None:
    protected = {
        row[0] for row in query(home, f"select person_id from {WAREHOUSE}.marts.dim_person where is_dv_protected")
    }
    chained = [
        row[0]
        for row in query(home, f"select distinct person_id from {WAREHOUSE}.marts.fct_chain order by all limit 15")
    ]
    for person_id in chained:
        for child in determine(home, person_id).children:
            for chain in child.chains:
                assert not protected & set(chain.path_ids[1:]) - {child.person_id}


def test_the_command_keeps_a_record_with_purpose_person_and_time(city: City, ranked: list[str]) -> None:
    person_id, _ = find(Home(city.home), ranked[0].lstrip("0"))
    assert person_id == ranked[0]
    answer = kodomo(
        "assess",
        ranked[0],
        "--purpose",
        "受理会議",
        "--observe",
        "dv_consultation@2026-03-30",
        "--json",
        home=city.home,
    )
    determination = json.loads(answer.stdout)
    assert determination["children"][0]["person_id"] == ranked[0]
    row = EntryStore(Home(city.home)).determination(determination["determination_id"])
    assert (row["purpose"], row["person_id"], row["as_of_on"]) == ("受理会議", ranked[0], AS_OF)
    assert row["determined_by"]
    assert row["heard"][0]["observation_code"] == "dv_consultation"
    assert {score["tier"] for score in row["result"][0]["scores"]}


def test_the_command_needs_a_purpose(city: City, ranked: list[str]) -> None:
    answer = kodomo("assess", ranked[0], "--purpose", " ", home=city.home, check=False)
    assert answer.returncode == 2
    assert "purpose" in answer.stderr


def places_of(home: Home, person_id: str, item_code: str) -> list[Place]:
    rows = query(
        home,
        f"select distinct delivery_id, line_number, observation_code from {WAREHOUSE}.marts.bi_item_fact "
        "where person_id = ? and item_code = ?",
        person_id, item_code,
    )  # fmt: skip
    return [Place(*row) for row in rows]


def test_fact_that_is_nowhere_leaves_the_batchs_rows(home: Home, ranked: list[str]) -> None:
    scores, contributions = (
        batch_rows(home, "fct_risk_score", SCORES),
        batch_rows(home, "fct_risk_contribution", CONTRIBUTIONS),
    )
    for person_id in ranked[:3]:
        without = determine(home, person_id, without=[Place("nowhere", 1, "school_absence_days")])
        assert score_rows(without) == scores[person_id]
        assert contribution_rows(without) == contributions[person_id]


def test_item_without_its_facts_counts_no_more_and_the_rest_makes_the_score(home: Home, ranked: list[str]) -> None:
    counted = [
        (person_id, *row)
        for person_id in ranked[:3]
        for row in query(
            home,
            f"""
            select parts.item_code
            from {WAREHOUSE}.marts.bi_contribution as parts
            semi join {WAREHOUSE}.marts.bi_item_fact as facts
                on parts.person_id = facts.person_id and parts.item_code = facts.item_code
            where parts.person_id = ? and parts.is_active_version and parts.is_counted and parts.coefficient > 0
            order by parts.coefficient desc, parts.item_code limit 1
            """,
            person_id,
        )
    ]
    assert counted
    for person_id, item_code in counted:
        child = determine(home, person_id, without=places_of(home, person_id, item_code)).children[0]
        left = [row for row in child.contributions if row.change != "gone"]
        assert item_code not in {row.item_code for row in left if row.evidence}
        for score in child.scores:
            own = (score.model_version, score.difficulty_type)
            parts = [
                row.coefficient for row in left if (row.model_version, row.difficulty_type) == own and row.is_counted
            ]
            assert score.score == sum(parts, Decimal(0))


def test_case_that_is_left_out_makes_no_chain(home: Home) -> None:
    rows = query(
        home,
        f"""
        select chains.person_id, chains.end_person_id, facts.delivery_id, facts.line_number, facts.observation_code
        from {WAREHOUSE}.marts.fct_chain as chains
        inner join {WAREHOUSE}.marts.fct_observation as facts
            on chains.end_person_id = facts.person_id and chains.case_source_id = facts.source_id
        where chains.as_of_on = ? and chains.case_source_id = 'council_cases'
        qualify count(*) over (partition by chains.person_id, chains.end_person_id) = 1
        order by all limit 2
        """,
        AS_OF,
    )
    assert rows
    for person_id, end_person_id, *place in rows:
        before = determine(home, person_id).children[0].chains
        after = determine(home, person_id, without=[Place(*place)]).children[0].chains
        assert end_person_id in {chain.end_person_id for chain in before}
        sources = {chain.case_source_id for chain in after if chain.end_person_id == end_person_id}
        assert "council_cases" not in sources
