"""fct_support_effect: its own SQL over a handful of children, against figures worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from kodomo.home import Home
from kodomo.scoring.replay import CompiledModels
from tests.conftest import City

pytestmark = pytest.mark.slow

TABLES = """
create table marts.fct_decision as select * from (values
    ('d1', 'p1', date '2026-02-01', date '2026-02-01', 'support', true, null),
    ('d2', 'p2', date '2026-02-01', date '2026-02-01', 'watch', false, 'moves'),
    ('d3', 'p3', date '2026-02-01', date '2026-02-01', 'watch', true, null)
) as t(decision_id, person_id, meeting_on, decided_on, decision, agrees_with_tier, disagreement_item);
create table marts.fct_support as select * from (values
    ('s1', 'p1', date '2026-02-11'), ('s2', 'p4', date '2026-03-01'), ('s3', 'p7', date '2026-03-20')
) as t(support_id, person_id, started_on);
create table marts.fct_support_priority as select * from (values
    (date '2026-01-01', 'p1', 'high'), (date '2026-01-01', 'p2', 'high'), (date '2026-01-01', 'p3', 'latent'),
    (date '2026-01-01', 'p4', 'high'), (date '2026-01-01', 'p5', 'high'), (date '2026-01-01', 'p6', 'low'),
    (date '2026-03-15', 'p2', 'high'), (date '2026-03-15', 'p5', 'high'), (date '2026-03-15', 'p7', 'high'),
    (date '2026-04-01', 'p7', 'latent'),
    (date '2026-04-01', 'p1', 'low'), (date '2026-04-01', 'p2', 'high'), (date '2026-04-01', 'p3', 'latent'),
    (date '2026-04-01', 'p4', 'high'), (date '2026-04-01', 'p5', 'latent'), (date '2026-04-01', 'p6', 'low')
) as t(as_of_on, person_id, tier);
create table marts.fct_risk_contribution as select * from (values
    (date '2026-01-01', 'v1', 'p1', 'moves', true, 2.0), (date '2026-01-01', 'v1', 'p2', 'moves', true, 2.0),
    (date '2026-01-01', 'v1', 'p3', 'aid', true, 2.0), (date '2026-01-01', 'v1', 'p3', 'moves', false, 2.0),
    (date '2026-01-01', 't1', 'p3', 'moves', true, 2.0)
) as t(as_of_on, model_version, person_id, item_code, is_counted, coefficient);
create table marts.dim_person as
select 'p' || i as person_id, date '2015-05-05' as birth_on from range(1, 8) t(i);
create table seeds.risk_model_versions as
select * from (values ('v1', 'active'), ('t1', 'trial')) as t(model_version, status);
create table seeds.risk_items as
select * from (values ('moves', '転居'), ('aid', '生活保護')) as t(item_code, label_ja);
create table seeds.risk_tiers as
select * from (values ('high', 3, 'ハイリスク'), ('latent', 2, '潜在的リスク'), ('low', 1, 'ローリスク'))
as t(tier, tier_rank, label_ja);
"""


@pytest.fixture(scope="module")
def effect(city: City) -> dict[tuple[str, str, str | None], tuple]:
    sql = CompiledModels.of_last_build(Home(Path(city.home))).statements["marts.fct_support_effect"]
    with duckdb.connect() as connection:
        for schema in ("marts", "seeds"):
            connection.execute(f"create schema {schema}")
        connection.execute(TABLES)
        rows = connection.execute(re.sub(r'"warehouse"\.', "", sql)).fetchall()
    return {(row[0], row[1], row[3]): row for row in rows}


def figures(row: tuple) -> tuple:
    return row[5], row[6], float(row[7])


def test_days_from_the_first_flag_to_support(effect: dict) -> None:
    row = effect["days_to_support", "all", None]
    # 41 days (p1), 59 days (p4) and 5 days (p7).
    assert (row[5], float(row[7]), float(row[8]), float(row[9])) == (3, 41.0, 23.0, 50.0)


def test_decisions_against_the_tier_of_that_day(effect: dict) -> None:
    assert figures(effect["decision_by_tier", "high", "support"]) == (2, 1, 0.5)
    assert figures(effect["decision_by_tier", "high", "watch"]) == (2, 1, 0.5)
    assert figures(effect["decision_by_tier", "latent", "watch"]) == (1, 1, 1.0)


def test_disagreement_by_item_counts_what_counted_in_the_active_version(effect: dict) -> None:
    assert figures(effect["disagreement_by_item", "moves", None]) == (2, 1, 0.5)
    assert figures(effect["disagreement_by_item", "aid", None]) == (1, 0, 0.0)
    assert figures(effect["item_named_in_disagreement", "moves", None]) == (3, 1, 0.3333)


def test_tiers_after_support_beside_children_without(effect: dict) -> None:
    # p1 and p7 fell, p4 did not; of p2 and p5, the same tier and age without support, p5 fell. Both are there on the
    # dates of p1 and of p7, and count once.
    assert figures(effect["tier_fell_after_support", "high", "supported"]) == (3, 2, 0.6667)
    assert figures(effect["tier_fell_after_support", "high", "comparable"]) == (2, 1, 0.5)


def test_shares_have_wilson_s_interval(effect: dict) -> None:
    row = effect["decision_by_tier", "high", "support"]
    # 1 of 2: (1 + 1.9207 ∓ 1.96 √(0.5 + 0.9604)) / 5.8415
    assert (round(float(row[8]), 3), round(float(row[9]), 3)) == (0.095, 0.905)


def test_every_figure_says_what_it_cannot_say(effect: dict) -> None:
    assert all(row[10] for row in effect.values())
    assert "支援の効果を示すものではない" in effect["tier_fell_after_support", "high", "supported"][10]
