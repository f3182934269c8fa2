"""The evidence's SQL over generated children: figures against scipy, and a planted leak that is refused."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from scipy.stats import fisher_exact
from scipy.stats.contingency import association, chi2_contingency, odds_ratio, relative_risk

from kodomo.evaluation.evidence import Evidence, as_text
from kodomo.evaluation.frozen import FROZEN
from kodomo.home import Home
from kodomo.messages import JAPANESE, render
from kodomo.scoring.engine import EVIDENCE_MODELS, load_bundle, memory_warehouse
from kodomo.seeds import SEEDS

CHILDREN = 3_000
UNBORN = 300
"""Of them, how many were not born at the freeze: they became a case under the number that they got with their birth."""
ITEMS = {
    # item → (observation, share of the children, how much likelier a case is for them)
    "late": ("pregnancy_notified_weeks", 0.06, 4.0),
    "moves": ("household_move", 0.3, 1.5),
    "bullied": ("bullying", 0.004, 1.0),
    "leak": ("council_case_abuse", 0.03, 30.0),
    "leak_of_kin": ("guidance_case", 0.05, 3.0),
}
DEFINITION = """
create table warehouse.raw.run_parameters as select date '2026-04-01' as as_of_on;
create table warehouse.seeds.risk_items (
    item_code varchar, kind varchar, observation_code varchar, age_from_months integer, age_to_months integer
);
create table warehouse.seeds.risk_item_members (item_code varchar, member_item_code varchar);
create table warehouse.intermediate.int_observations__all (
    person_id varchar, observation_code varchar, observed_on date, ended_on date, value decimal(18, 4),
    text_value varchar
);
create table warehouse.intermediate.int_evaluation__frozen (
    person_id varchar, current_person_id varchar, frozen_on date, outcome_until date, age_months integer,
    household_members varchar[], bands struct(item_code varchar, band_no integer)[]
);
"""


@pytest.fixture(scope="module")
def children() -> dict[str, dict[str, Any]]:
    """Children with the items that they met at the freeze, and whether they were or became a case."""
    rng = random.Random(5)
    made = {}
    for number in range(CHILDREN):
        met = {item for item, (_, share, _) in ITEMS.items() if rng.random() < share}
        chance = 0.012
        for item in met:
            chance *= ITEMS[item][2]
        made[f"{number:015d}"] = {
            "age": -1 - rng.randrange(9) if number < UNBORN else rng.randrange(216),
            "met": met,
            "was_known": "leak" in met and rng.random() < 0.3,
            "became_case": rng.random() < chance,
        }
    return made


@pytest.fixture(scope="module")
def warehouse(children: dict, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A warehouse in memory with the evidence of those children."""
    connection = memory_warehouse()
    connection.execute(DEFINITION)
    for seed in ("risk_outcomes", "observation_codes"):
        connection.execute(f"create table warehouse.seeds.{seed} as from read_csv('{SEEDS / seed}.csv', header = true)")
    connection.executemany(
        "insert into warehouse.seeds.risk_items values (?, 'observation', ?, null, null)",
        [(item, code) for item, (code, _, _) in ITEMS.items()],
    )
    connection.execute("insert into warehouse.seeds.risk_items values ('kin', 'chain', 'horizontal', null, null)")
    given = pa.Table.from_pylist(
        [
            {
                "person_id": f"preg-{person}" if child["age"] < 0 else person,
                "current_person_id": person,
                "age_months": child["age"],
                "bands": [{"item_code": item, "band_no": 1} for item in sorted(child["met"])],
                "case_on": [dt.date(2024, 11, 30)] * child["was_known"] + [dt.date(2025, 4, 2)] * child["became_case"],
            }
            for person, child in children.items()
        ]
    )
    connection.register("given", given)
    connection.execute(
        "insert into warehouse.intermediate.int_evaluation__frozen "
        "select person_id, current_person_id, date '2025-04-01', date '2026-04-01', age_months, [], bands from given;"
        "insert into warehouse.intermediate.int_observations__all "
        "select current_person_id, 'council_case', unnest(case_on), null, null, null from given"
    )
    load_bundle(Home(tmp_path_factory.mktemp("home") / "var").ensure(), EVIDENCE_MODELS).execute(connection)
    return connection


def table_of(children: dict, *items: str) -> list[list[int]]:
    """The 2×2 table of children who met all the items, counted child by child; those known before are left out."""
    cells = [[0, 0], [0, 0]]
    for child in children.values():
        if not child["was_known"]:
            cells[not child["met"].issuperset(items)][not child["became_case"]] += 1
    return cells


def rows_of(warehouse: duckdb.DuckDBPyConnection, difficulty: str = "abuse") -> dict[tuple, dict[str, Any]]:
    """(item, second item) → row of the evidence."""
    result = warehouse.execute("from warehouse.marts.fct_item_evidence where difficulty_type = ?", [difficulty])
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return {(row["item_code"], row["second_item_code"]): row for row in rows}


def test_a_planted_leak_is_refused(warehouse: duckdb.DuckDBPyConnection) -> None:
    refused = dict(
        warehouse.execute(
            "select item_code, reasons from warehouse.intermediate.int_evaluation__refused_items "
            "where difficulty_type = 'abuse'"
        ).fetchall()
    )
    assert refused == {"leak": "cases", "leak_of_kin": "cases, outcome", "kin": "cases"}
    named = {item for pair in rows_of(warehouse) for item in pair if item}
    assert named == {"late", "moves", "bullied"}
    # For another difficulty, which is not made from cases, the same item may be evidence.
    assert ("leak", None) in rows_of(warehouse, "truancy")


def test_people_known_before_are_left_out(children: dict, warehouse: duckdb.DuckDBPyConnection) -> None:
    known = sum(child["was_known"] for child in children.values())
    assert known > 0
    assert {row["people"] for row in rows_of(warehouse).values()} == {CHILDREN - known}


def test_child_unborn_at_the_freeze_becomes_a_case_under_its_current_id(
    children: dict, warehouse: duckdb.DuckDBPyConnection
) -> None:
    cases = warehouse.execute(
        "select person_id from warehouse.intermediate.int_evaluation__cohort "
        "where difficulty_type = 'abuse' and became_case and person_id like 'preg-%'"
    ).fetchall()
    expected = {
        f"preg-{person}"
        for person, child in children.items()
        if child["age"] < 0 and child["became_case"] and not child["was_known"]
    }
    assert {person for (person,) in cases} == expected
    assert expected


@pytest.mark.parametrize("items", [("late",), ("moves",), ("bullied",), ("late", "moves"), ("bullied", "moves")])
def test_figures_of_a_band_and_a_pair(items: tuple, children: dict, warehouse: duckdb.DuckDBPyConnection) -> None:
    table = table_of(children, *items)
    (a, b), (c, d) = table
    row = rows_of(warehouse)[items[0], items[1] if len(items) > 1 else None]
    names = ("exposed_cases", "exposed_others", "unexposed_cases", "unexposed_others")
    assert tuple(row[name] for name in names) == (a, b, c, d)
    people = a + b + c + d
    assert row["prevalence"] == pytest.approx((a + b) / people)
    assert row["lift"] == pytest.approx(a / (a + b) / ((a + c) / people))
    # 0.5 is added to all four cells where one is empty (Haldane–Anscombe).
    more = 0 if min(a, b, c, d) else 0.5
    ca, cb, cc, cd = a + more, b + more, c + more, d + more
    assert row["odds_ratio"] == pytest.approx(ca * cd / (cb * cc))
    assert row["relative_risk"] == pytest.approx(ca / (ca + cb) / (cc / (cc + cd)))
    if not more:
        interval = odds_ratio(table, kind="sample").confidence_interval(0.95)
        assert (row["odds_ratio_low"], row["odds_ratio_high"]) == pytest.approx((interval.low, interval.high), 1e-5)
        interval = relative_risk(a, a + b, c, c + d).confidence_interval(0.95)
        measured = (row["relative_risk_low"], row["relative_risk_high"])
        assert measured == pytest.approx((interval.low, interval.high), rel=1e-5)
    chi2 = chi2_contingency(table)
    if chi2.expected_freq.min() >= 5:
        assert row["p_value"] == pytest.approx(chi2.pvalue, rel=1e-6)
    else:
        tails = [fisher_exact(table, alternative=side).pvalue for side in ("greater", "less")]
        assert row["p_value"] == pytest.approx(min(1, 2 * min(tails)), rel=1e-6)


def test_both_tests_were_needed(children: dict) -> None:
    least = {chi2_contingency(table_of(children, item)).expected_freq.min() >= 5 for item in ("moves", "bullied")}
    assert least == {True, False}
    assert association(table_of(children, "late"), method="cramer") > 0.05


def test_q_values_are_those_of_benjamini_and_hochberg(warehouse: duckdb.DuckDBPyConnection) -> None:
    from scipy.stats import false_discovery_control

    for is_pair in (False, True):
        rows = [row for key, row in rows_of(warehouse).items() if (key[1] is not None) == is_pair]
        expected = false_discovery_control([row["p_value"] for row in rows])
        assert [row["q_value"] for row in rows] == pytest.approx(expected.tolist())


def test_the_frozen_children_are_known_by_the_numbers_of_today_and_ended_pregnancies_are_none_of_them() -> None:
    connection = memory_warehouse()
    connection.execute(
        """
attach ':memory:' as scratch;
create schema scratch.intermediate;
create schema scratch.marts;
create table scratch.intermediate.int_child__profiles as
select * from (values
    ('child', 30, null), ('preg-1', -3, date '2025-06-20'), ('preg-2', -1, date '2025-03-12'),
    ('preg-3', -1, date '2025-03-10')
) as t(person_id, age_months, due_on), (select '女' as sex, 'A1' as area_code);
create table scratch.intermediate.int_risk__met_bands as
select 'preg-1' as person_id, 'late' as item_code, 1 as band_no;
create table scratch.intermediate.int_risk__scores as
select 'preg-1' as person_id, 'v1' as model_version, 'abuse' as difficulty_type, 2 as score, 'low' as tier,
    0.5 as completeness;
create table scratch.intermediate.int_risk__scope_members as
select 'preg-1' as person_id, 'household' as scope, unnest(['mother', 'preg-1']) as member_id;
create table warehouse.intermediate.int_person__pregnancies as
select * from (values ('1', 'born', true), ('2', 'preg-2', false), ('3', 'preg-3', false))
as t(notification_no, person_id, is_born);
"""
    )
    connection.execute(
        "create table warehouse.intermediate.int_observations__all as "
        "select null::varchar as person_id, '' as observation_code, current_date as observed_on, null::date as ended_on"
    )
    frozen = connection.execute(
        f"select person_id, current_person_id, household_members from ({FROZEN}) order by person_id",
        {"frozen_on": dt.date(2025, 4, 1)},
    ).fetchall()
    assert frozen == [
        ("child", "child", None),
        ("preg-1", "born", ["mother", "born"]),
        ("preg-2", "preg-2", None),
    ]


def test_report_is_in_the_language_asked_for() -> None:
    band = {
        "difficulty_type": "abuse",
        "label_ja": "乳幼児健診：未受診",
        "second_label_ja": None,
        "odds_ratio": 2.5,
        "odds_ratio_low": 1.25,
        "odds_ratio_high": 5.0,
        "q_value": 0.0125,
        "information_value": 0.25,
        "exposed_cases": 12,
        "exposed": 40,
    }
    report = Evidence(
        frozen_on=dt.date(2025, 4, 1),
        outcome_until=dt.date(2026, 4, 1),
        rows=1200,
        difficulties=[{"difficulty_type": "abuse", "label_ja": "虐待", "children": 50, "people": 40, "cases": 9}],
        bands=[band, {**band, "odds_ratio": None}],
        pairs=[],
        refused=[],
    )
    japanese = as_text(report, lambda template, **details: render(template, JAPANESE, **details))
    assert "虐待（abuse）: 40 人のうち 9 人が該当。ほかの 10 人は" in japanese
    assert "2.5（1.2–5.0）  q 0.013  IV 0.250  40 人中 12 人  乳幼児健診：未受診" in japanese
    assert "虐待 (abuse): 9 of 40 children became a case; 10 were known" in as_text(report)
    assert "    no ratio: 12 of 40  乳幼児健診：未受診" in as_text(report)
