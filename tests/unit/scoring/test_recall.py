"""The recall of a version: what rested on it, and what did not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from kodomo.scoring.recall import Recall, Touched, touched_by

WINTER, SPRING = dt.date(2026, 1, 1), dt.date(2026, 4, 1)
TIERS = [
    {"difficulty_type": "abuse", "tier": tier, "tier_rank": rank}
    for tier, rank in (("low", 1), ("latent", 2), ("high", 3))
]
TABLES = """
create schema marts;
create table marts.fct_risk_score as select * from (values
    (date '2026-01-01', 'v1', 'abuse', 'decided', 'high', 12.0),
    (date '2026-04-01', 'v1', 'abuse', 'decided', 'high', 14.5),
    (date '2026-01-01', 'v1', 'abuse', 'fell', 'latent', 5.0), (date '2026-04-01', 'v1', 'abuse', 'fell', 'low', 1.0),
    (date '2026-01-01', 'v1', 'abuse', 'low', 'low', 0.0), (date '2026-01-01', 'v2', 'abuse', 'other', 'high', 20.0),
    (date '2026-07-01', 'v2', 'abuse', 'decided', 'high', 20.0)
) as t(as_of_on, model_version, difficulty_type, person_id, tier, score);
create table marts.fct_support_priority as select * from (values
    (date '2026-01-01', 'decided', 'A', 3), (date '2026-04-01', 'decided', 'A', 1),
    (date '2026-07-01', 'decided', 'A', 2),
    (date '2026-01-01', 'fell', 'B', 9), (date '2026-04-01', 'fell', 'D', 90), (date '2026-01-01', 'other', 'A', 1)
) as t(as_of_on, person_id, priority_class, priority_rank);
create table marts.fct_decision as select * from (values
    ('d1', 'decided', date '2026-02-10', date '2026-02-10', 'support', date '2026-01-01'),
    ('d2', 'fell', date '2026-04-20', date '2026-04-20', 'none', null),
    ('d3', 'decided', date '2026-07-15', date '2026-07-15', 'watch', null),
    ('d4', 'other', date '2026-02-10', date '2026-02-10', 'support', date '2026-01-01')
) as t(decision_id, person_id, meeting_on, decided_on, decision, as_of_then);
create table marts.fct_support as select * from (values
    ('s1', 'd1', 'decided', date '2026-08-01', null, '家庭訪問'),
    ('s2', '', 'fell', date '2026-03-31', date '2026-05-01', '学習支援'),
    ('s3', '', 'fell', date '2026-04-02', null, '配食'),
    ('s4', 'd3', 'decided', date '2026-08-01', null, '給付')
) as t(support_id, decision_id, person_id, started_on, ended_on, support_content);
create table marts.dim_person as select person_id, person_id as display_name, date '2015-05-05' as birth_on
from (values ('decided'), ('fell'), ('low')) as t(person_id);
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse of two versions: v1 in winter and spring, v2 beside it and after it."""
    with duckdb.connect() as warehouse:
        warehouse.execute(TABLES)
        yield warehouse


def of(touched: tuple[Touched, ...], person: str, kind: str) -> list[Touched]:
    return [one for one in touched if one.person_id == person and one.kind == kind]


def test_tiers_places_decisions_and_supports_that_rested_on_the_version(connection: duckdb.DuckDBPyConnection) -> None:
    touched = touched_by(connection, "v1", TIERS, [WINTER, SPRING])
    assert {one.person_id for one in touched} == {"decided", "fell"}
    (tier,) = of(touched, "decided", "tier")
    assert (tier.tier, tier.first_on, tier.last_on, tier.batches, float(tier.score)) == (
        "high",
        WINTER,
        SPRING,
        2,
        14.5,
    )
    (place,) = of(touched, "decided", "place")
    assert (place.priority_class, place.priority_rank, place.last_on) == ("A", 1, SPRING)
    # The decision of July and its support rest on v2; the support of August follows from the decision of February.
    assert [one.first_on for one in of(touched, "decided", "decision")] == [dt.date(2026, 2, 10)]
    assert [one.support_content for one in of(touched, "decided", "support")] == ["家庭訪問"]
    # In April the child was low: what was decided and begun then does not rest on a tier of the version.
    assert of(touched, "fell", "decision") == []
    assert [one.support_content for one in of(touched, "fell", "support")] == ["学習支援"]
    assert [one.kind for one in touched if one.person_id == "decided"] == ["tier", "place", "decision", "support"]


def test_on_a_trial_version_nothing_rests_but_tiers(connection: duckdb.DuckDBPyConnection) -> None:
    touched = touched_by(connection, "v1", TIERS, [])
    assert {one.kind for one in touched} == {"tier"}


def test_children_are_counted_once_of_each_kind(connection: duckdb.DuckDBPyConnection) -> None:
    done = Recall("v1", (WINTER, SPRING), (WINTER, SPRING), touched_by(connection, "v1", TIERS, [WINTER, SPRING]))
    assert [done.count(kind) for kind in ("tier", "place", "decision", "support")] == [2, 2, 1, 2]
    assert list(done.children) == ["decided", "fell"]
