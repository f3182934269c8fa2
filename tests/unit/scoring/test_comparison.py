"""Two versions side by side, where one of them concerns fewer ages than the other."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from kodomo.messages import JAPANESE, render
from kodomo.scoring.comparison import Comparison, as_text, compare

SCHEMA = """
create schema {0}.intermediate;
create schema {0}.seeds;
create table {0}.intermediate.int_risk__scores (
    model_version varchar, difficulty_type varchar, person_id varchar, score decimal(18, 3), tier varchar
);
create table {0}.intermediate.int_risk__contributions (
    model_version varchar, difficulty_type varchar, person_id varchar, item_code varchar, coefficient decimal(18, 3),
    is_counted boolean
);
create table {0}.seeds.risk_tiers (model_version varchar, difficulty_type varchar, tier varchar, tier_rank integer);
create table {0}.seeds.risk_items (item_code varchar, label_ja varchar);
insert into {0}.seeds.risk_items values ('loan', '貸付');
"""


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """A version with every age, and one with the children from three on, in databases of their own."""
    with duckdb.connect() as warehouse:
        for name in ("warehouse", "tried"):
            warehouse.execute(f"attach ':memory:' as {name}")
            warehouse.execute(SCHEMA.format(name))
        warehouse.execute("create schema warehouse.marts")
        warehouse.execute(
            "create table warehouse.marts.dim_child as select * from (values ('baby', 4, 'x'), ('child', 60, 'x'), "
            "('pupil', 100, 'x')) as t(person_id, age_months, area_code)"
        )
        warehouse.execute("create table warehouse.seeds.areas (area_code varchar, area_name_ja varchar)")
        for name, version in (("warehouse", "v1"), ("tried", "v2")):
            warehouse.execute(
                f"insert into {name}.seeds.risk_tiers values (?, 'abuse', 'low', 1), (?, 'abuse', 'high', 2)",
                [version, version],
            )
        warehouse.execute(
            "insert into warehouse.intermediate.int_risk__scores values ('v1', 'abuse', 'baby', 3, 'high'), "
            "('v1', 'abuse', 'child', 1, 'low'), ('v1', 'abuse', 'pupil', 1, 'low'), "
            "('v1', 'poverty', 'baby', 0, 'low')"
        )
        warehouse.execute(
            "insert into tried.intermediate.int_risk__scores values ('v2', 'abuse', 'child', 3, 'high'), "
            "('v2', 'abuse', 'pupil', 1, 'low'), ('v2', 'truancy', 'pupil', 0, 'low')"
        )
        warehouse.execute(
            "insert into warehouse.intermediate.int_risk__contributions values "
            "('v1', 'abuse', 'baby', 'loan', 3, true), ('v1', 'abuse', 'child', 'loan', 1, true)"
        )
        warehouse.execute(
            "insert into tried.intermediate.int_risk__contributions values ('v2', 'abuse', 'child', 'loan', 3, true)"
        )
        yield warehouse


@pytest.fixture
def comparison(connection: duckdb.DuckDBPyConnection) -> Comparison:
    """The two compared."""
    return compare(connection, ("warehouse", "v1"), ("tried", "v2"))


def test_child_whom_only_one_version_scores_has_no_tier_on_the_other_side(comparison: Comparison) -> None:
    assert (comparison.children, comparison.rescored, comparison.changed) == (3, 2, 2)
    assert {(row["tier_before"], row["tier_after"], row["children"]) for row in comparison.tiers} == {
        ("high", None, 1),
        ("low", "high", 1),
        ("low", "low", 1),
    }
    assert "high → —: 1" in as_text(comparison)


def test_report_is_in_the_language_asked_for(comparison: Comparison) -> None:
    japanese = as_text(comparison, lambda template, **details: render(template, JAPANESE, **details))
    assert "年齢別\n  abuse: 3〜5歳: 1 人のうち重くなる 1 人、軽くなる 0 人" in japanese
    assert "By age\n  abuse: 3〜5歳: 1 graver, 0 milder of 1" in as_text(comparison)


def test_child_whom_only_one_version_scores_is_neither_graver_nor_milder(comparison: Comparison) -> None:
    assert [(row["group"], row["children"], row["graver"], row["milder"]) for row in comparison.ages] == [
        ("0〜2歳", 1, 0, 0),
        ("3〜5歳", 1, 1, 0),
        ("6〜11歳", 1, 0, 0),
    ]


def test_items_make_the_difference_only_where_both_versions_score(comparison: Comparison) -> None:
    assert [(row["item_code"], row["children"], row["difference"]) for row in comparison.items] == [("loan", 1, 2)]


def test_type_that_only_one_version_scores_is_not_compared(comparison: Comparison) -> None:
    assert {row["difficulty_type"] for row in comparison.tiers} == {"abuse"}
