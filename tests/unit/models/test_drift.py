"""What moved between two runs, against a direct computation over the same children."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections import Counter
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from kodomo.home import Home
from kodomo.scoring.engine import load_bundle, memory_warehouse

BEFORE, AFTER = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
TIERS = {"low": (1, None), "latent": (2, 5), "high": (3, 10)}
GIVEN = """
create table warehouse.raw.run_parameters as select date '2026-04-01' as as_of_on;
create table warehouse.marts.fct_risk_score (
    as_of_on date, model_version varchar, difficulty_type varchar, person_id varchar, score decimal(18, 3),
    tier varchar, completeness decimal(7, 4)
);
create table warehouse.marts.fct_risk_contribution (
    as_of_on date, model_version varchar, difficulty_type varchar, person_id varchar, item_code varchar,
    band_no integer
);
create table warehouse.seeds.risk_tiers (
    model_version varchar, difficulty_type varchar, tier varchar, tier_rank integer, min_score decimal(9, 3)
);
create table warehouse.marts.dim_child (
    person_id varchar, age_months integer, area_code varchar, is_dv_protected boolean
);
create table warehouse.seeds.areas as select '1' as area_code, '両津' as area_name_ja;
"""


def tier_of(score: float) -> str:
    """The gravest tier that a score reaches."""
    return "high" if score >= 10 else "latent" if score >= 5 else "low"


def is_protected(person: str) -> bool:
    """Whether a child is under a support measure: one in ten."""
    return int(person) % 10 == 0


@pytest.fixture(scope="module")
def runs() -> dict[dt.date, dict[str, dict[str, Any]]]:
    """Two dates: children come and go, scores rise, one item falls silent."""
    rng = random.Random(8)
    made: dict[dt.date, dict[str, dict[str, Any]]] = {BEFORE: {}, AFTER: {}}
    for date, numbers, rise in ((BEFORE, range(900), 0), (AFTER, range(60, 1000), 1)):
        for number in numbers:
            score = rng.choice((0, 0, 0, 1, 2, 3, 4, 6, 8, 12)) + rise
            met = {"moves": rng.choice((1, 2))} if rng.random() < (0.2, 0.3)[rise] else {}
            if date == BEFORE and number % 9 == 0:
                met["silent"] = 1
            made[date][f"{number:04d}"] = {"score": score, "met": met, "completeness": 0.5 - 0.1 * rise}
    return made


@pytest.fixture(scope="module")
def warehouse(runs: dict, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The drift between those runs; a version that is new, and one that is scored no more, stand beside v1."""
    connection = memory_warehouse()
    connection.execute(GIVEN)
    scores, contributions = [], []
    for date, children in runs.items():
        for person, child in children.items():
            fields = ("abuse", person, child["score"], tier_of(child["score"]), child["completeness"])
            scores += [(date, version, *fields) for version in ("v1", "new" if date == AFTER else "gone")]
            contributions += [(date, "v1", "abuse", person, *band) for band in child["met"].items()]
    for mart, rows in (("fct_risk_score", scores), ("fct_risk_contribution", contributions)):
        names = [column[0] for column in connection.execute(f"from warehouse.marts.{mart}").description]
        connection.register("given", pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows]))
        connection.execute(f"insert into warehouse.marts.{mart} from given")
    connection.executemany(
        "insert into warehouse.marts.dim_child values (?, ?, '1', ?)",
        [(person, 12 if int(person) % 2 else 100, is_protected(person)) for person in runs[AFTER]],
    )
    # Older dates, and later ones of a run for an earlier date, have no say.
    connection.execute(
        "insert into warehouse.marts.fct_risk_score "
        "select d, 'v1', 'abuse', person_id, 50, 'high', 1 from warehouse.marts.dim_child, "
        "(values (date '2026-02-01'), (date '2026-05-01')) as t(d)"
    )
    connection.executemany(
        "insert into warehouse.seeds.risk_tiers values ('v1', 'abuse', ?, ?, ?)",
        [(tier, rank, least) for tier, (rank, least) in TIERS.items()],
    )
    load_bundle(Home(tmp_path_factory.mktemp("home") / "var").ensure(), ("fct_model_drift",)).execute(connection)
    return connection


def row(warehouse: duckdb.DuckDBPyConnection, measure: str, kind: str, value: str) -> dict[str, Any]:
    """The one row of a measure and group."""
    cursor = warehouse.execute(
        "from warehouse.marts.fct_model_drift where measure = ? and group_kind = ? and group_value = ?",
        [measure, kind, value],
    )
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    assert len(rows) == 1
    return dict(zip(names, rows[0], strict=True))


def psi(before: Counter, after: Counter) -> float:
    """Population stability index with half a child in every part."""
    parts = before.keys() | after.keys()
    total = 0.0
    for part in parts:
        was = (before[part] + 0.5) / (before.total() + 0.5 * len(parts))
        now = (after[part] + 0.5) / (after.total() + 0.5 * len(parts))
        total += (now - was) * math.log(now / was)
    return total


def test_the_stability_index_of_the_scores(warehouse: duckdb.DuckDBPyConnection, runs: dict) -> None:
    bands = [Counter(child["score"] // 2 for child in runs[date].values()) for date in (BEFORE, AFTER)]
    drift = row(warehouse, "psi", "all", "全体")
    assert drift["measure_value"] == pytest.approx(psi(*bands))
    assert (drift["people"], drift["previous_people"]) == (940, 900)
    assert drift["previous_as_of_on"] == BEFORE
    assert drift["value_low"] is None


@pytest.mark.parametrize("item", ["moves", "silent"])
def test_the_stability_index_of_an_item(warehouse: duckdb.DuckDBPyConnection, runs: dict, item: str) -> None:
    bands = [Counter(child["met"].get(item) for child in runs[date].values()) for date in (BEFORE, AFTER)]
    assert row(warehouse, "psi", "item", item)["measure_value"] == pytest.approx(psi(*bands))
    shares = [sum(item in child["met"] for child in runs[date].values()) / len(runs[date]) for date in (BEFORE, AFTER)]
    drift = row(warehouse, "share", "item", item)
    assert (drift["previous_value"], drift["measure_value"]) == pytest.approx(tuple(shares))


def test_an_item_that_fell_silent_stands_out(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert row(warehouse, "psi", "item", "silent")["measure_value"] > 0.1
    assert row(warehouse, "psi", "item", "moves")["measure_value"] < 0.1


def test_tiers_and_completeness_beside_those_of_the_date_before(
    warehouse: duckdb.DuckDBPyConnection, runs: dict
) -> None:
    for tier in TIERS:
        counts = [sum(tier_of(child["score"]) == tier for child in runs[date].values()) for date in (BEFORE, AFTER)]
        drift = row(warehouse, "share", "tier", tier)
        assert drift["previous_value"] == pytest.approx(counts[0] / 900)
        assert drift["measure_value"] == pytest.approx(counts[1] / 940)
        interval = binomtest(counts[1], 940).proportion_ci(method="wilson")
        assert (drift["value_low"], drift["value_high"]) == pytest.approx((interval.low, interval.high), abs=1e-6)
    drift = row(warehouse, "completeness", "all", "全体")
    assert (drift["previous_value"], drift["measure_value"]) == pytest.approx((0.5, 0.4))


def test_tier_changes_are_counted_among_people_scored_at_both_dates(
    warehouse: duckdb.DuckDBPyConnection, runs: dict
) -> None:
    both = runs[BEFORE].keys() & runs[AFTER].keys()
    for kind, value, people in (
        ("all", "全体", both),
        # A number by area does not show where a protected person lives.
        ("area", "両津", {person for person in both if not is_protected(person)}),
        ("area", "不明", {person for person in both if is_protected(person)}),
        ("age_band", "1〜2歳", {person for person in both if int(person) % 2}),
    ):
        moves = Counter()
        for person in people:
            ranks = [TIERS[tier_of(runs[date][person]["score"])][0] for date in (BEFORE, AFTER)]
            moves["graver"] += ranks[1] > ranks[0]
            moves["milder"] += ranks[1] < ranks[0]
        for direction in ("graver", "milder"):
            drift = row(warehouse, f"tier_{direction}", kind, value)
            assert drift["people"] == len(people)
            assert drift["measure_value"] == pytest.approx(moves[direction] / len(people))


def test_a_version_without_two_dates_has_no_drift(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.execute("select distinct model_version from warehouse.marts.fct_model_drift").fetchall() == [
        ("v1",)
    ]
