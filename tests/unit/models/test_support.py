"""Priority and support content of every kind of child, against the rules read one child at a time."""

from __future__ import annotations

import csv
import itertools
import random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from kodomo.home import Home
from kodomo.scoring.engine import Bundle, load_bundle, memory_warehouse
from kodomo.seeds import SEEDS

RANKS = {"low": 1, "latent": 2, "high": 3}
ACTIVE = {"abuse": "v1", "poverty": "v1"}
"""Versions in force; of the other types there is only a trial, and beside v1 there is one for abuse."""
GIVEN = """
create table warehouse.raw.run_parameters as select date '2026-04-01' as as_of_on;
create table warehouse.seeds.risk_model_versions as
select *, date '2026-04-01' as valid_from
from (values ('v1', 'active'), ('trial-1', 'trial'), ('v2', 'trial')) as t(model_version, status);
create table warehouse.seeds.risk_tiers as
select model_version, difficulty_type, tier, tier_rank
from (values ('v1', 'abuse'), ('v1', 'poverty'), ('v2', 'abuse'), ('trial-1', 'truancy'), ('trial-1', 'young_carer'))
    as models(model_version, difficulty_type),
    (values ('low', 1), ('latent', 2), ('high', 3)) as tiers(tier, tier_rank);
"""


AGES = (-5, -1, 0, 20, 35, 36, 71, 72, 120, 215)
"""Both sides of every bound of age that a rule has."""


@pytest.fixture(scope="module")
def children() -> dict[str, dict[str, Any]]:
    """Every combination of age, tiers of the versions in force, chains and whether a service knows the child."""
    rng = random.Random(4)
    tiers, yes_or_no = tuple(RANKS), (False, True)
    made = {}
    for number, (age, abuse, poverty, vertical, horizontal, is_known) in enumerate(
        itertools.product(AGES, tiers, tiers, yes_or_no, yes_or_no, yes_or_no)
    ):
        given = {("v1", "abuse"): abuse, ("v1", "poverty"): poverty}
        given |= {model: rng.choice(tiers) for model in (("v2", "abuse"), ("trial-1", "truancy"))}
        made[f"{number:04d}"] = {
            "age": age,
            "tiers": given,
            "scores": {model: rng.choice((0, 2.5, 5, 10)) for model in given},
            "vertical": vertical,
            "horizontal": horizontal,
            "is_known": is_known,
        }
    return made


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The models of priority and support content."""
    home = Home(tmp_path_factory.mktemp("home") / "var").ensure()
    return load_bundle(home, ("fct_support_priority", "fct_support_content"))


@pytest.fixture(scope="module")
def warehouse(children: dict, bundle: Bundle) -> duckdb.DuckDBPyConnection:
    """Their priorities and contents, by the seeds in force."""
    connection = memory_warehouse()
    connection.execute(GIVEN)
    described = yaml.safe_load((SEEDS / "_support__seeds.yml").read_text(encoding="utf-8"))["seeds"]
    types = {seed["name"]: seed["config"]["column_types"] for seed in described}
    for seed in ("support_priority_rules", "support_rules"):
        connection.execute(
            f"create table warehouse.seeds.{seed} as "
            f"from read_csv('{SEEDS / seed}.csv', header = true, columns = {types[seed]})"
        )
    scores = [
        {"person_id": person, "model_version": model[0], "difficulty_type": model[1], "tier": tier}
        | {"score": child["scores"][model]}
        for person, child in children.items()
        for model, tier in child["tiers"].items()
    ]
    people = [
        {"person_id": person, "age_months": child["age"], "is_known_to_services": child["is_known"]}
        for person, child in children.items()
    ]
    chains = [
        {"person_id": person, "chain_type": chain, "value": int(child[chain])}
        for person, child in children.items()
        for chain in ("vertical", "horizontal")
    ]
    for relation, rows in (
        ("intermediate.int_risk__scores", scores),
        ("marts.dim_child", people),
        ("intermediate.int_chain__values", chains),
    ):
        connection.register("given", pa.Table.from_pylist(rows))
        connection.execute(f"create table warehouse.{relation} as from given")
    bundle.execute(connection)
    return connection


def rules(name: str) -> list[dict[str, str]]:
    """The rows of a seed, in their order."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_of_age(rule: dict[str, str], age: int) -> bool:
    """Whether the age lies in the rule's band."""
    low, high = rule["age_from_months"], rule["age_to_months"]
    return (not low or age >= int(low)) and (not high or age < int(high))


def highest(child: dict[str, Any]) -> tuple[str, int]:
    """The gravest tier of the versions in force, and for how many types."""
    tiers = [tier for model, tier in child["tiers"].items() if model[0] == "v1"]
    tier = max(tiers, key=RANKS.__getitem__)
    return tier, tiers.count(tier)


def test_the_first_rule_that_matches_gives_the_class(warehouse: duckdb.DuckDBPyConnection, children: dict) -> None:
    expected = {}
    for person, child in children.items():
        tier, count = highest(child)
        for rule in rules("support_priority_rules"):
            if (
                (not rule["min_tier"] or RANKS[tier] >= RANKS[rule["min_tier"]])
                and (not rule["max_tier"] or RANKS[tier] <= RANKS[rule["max_tier"]])
                and (not rule["min_difficulties"] or count >= int(rule["min_difficulties"]))
                and all(
                    not rule[name] or (rule[name] == "true") == child[key]
                    for name, key in (("vertical", "vertical"), ("horizontal", "horizontal"), ("is_known", "is_known"))
                )
                and is_of_age(rule, child["age"])
            ):
                expected[person] = (tier, rule["priority_class"], int(rule["due_days"]))
                break
    classes = warehouse.execute(
        "select person_id, tier, priority_class, due_days from warehouse.marts.fct_support_priority"
    ).fetchall()
    assert {person: tuple(row) for person, *row in classes} == expected
    assert {row[1] for row in expected.values()} == {"A", "B", "C", "D"}


def test_every_child_has_a_class_and_a_content_above_low(warehouse: duckdb.DuckDBPyConnection, children: dict) -> None:
    bounds = {
        int(row[name])
        for seed in ("support_priority_rules", "support_rules")
        for row in rules(seed)
        for name in ("age_from_months", "age_to_months")
        if row[name]
    }
    assert all(any(low < bound <= high for low, high in itertools.pairwise(AGES)) for bound in bounds)
    classes = warehouse.execute("select person_id from warehouse.marts.fct_support_priority").fetchall()
    assert sorted(person for (person,) in classes) == sorted(children)
    served = {
        row[0] for row in warehouse.execute("select person_id from warehouse.marts.fct_support_content").fetchall()
    }
    assert served == children.keys()
    last = rules("support_priority_rules")[-1]
    assert not any(
        value for name, value in last.items() if name not in {"rule_no", "priority_class", "due_days", "reason_ja"}
    )


def test_the_rank_goes_by_class_score_age_and_number(warehouse: duckdb.DuckDBPyConnection, children: dict) -> None:
    ranked = warehouse.execute(
        "select person_id, priority_class from warehouse.marts.fct_support_priority order by priority_rank"
    ).fetchall()
    totals = {
        person: sum(score for model, score in child["scores"].items() if model[0] == "v1")
        for person, child in children.items()
    }
    expected = sorted(ranked, key=lambda row: (row[1], -totals[row[0]], children[row[0]]["age"], row[0]))
    assert ranked == expected


def test_as_many_contents_as_match(warehouse: duckdb.DuckDBPyConnection, children: dict) -> None:
    expected = set()
    for person, child in children.items():
        for rule in rules("support_rules"):
            in_force = {
                difficulty: tier
                for (version, difficulty), tier in child["tiers"].items()
                if ACTIVE.get(difficulty, version) == version
            }
            tier = in_force.get(rule["difficulty_type"]) if rule["difficulty_type"] else highest(child)[0]
            if (
                tier is not None
                and (not rule["tier"] or tier == rule["tier"])
                and (not rule["chain"] or child[rule["chain"]])
                and is_of_age(rule, child["age"])
            ):
                expected.add((person, int(rule["rule_no"]), tier))
    contents = warehouse.execute("select person_id, rule_no, tier from warehouse.marts.fct_support_content").fetchall()
    assert len(contents) == len(set(contents))
    assert set(contents) == expected


def test_chains_bring_their_support_from_before_birth(warehouse: duckdb.DuckDBPyConnection, children: dict) -> None:
    unborn = {person for person, child in children.items() if child["age"] < 0}
    for chain, support in (("vertical", "parent_support"), ("horizontal", "third_place")):
        reached = warehouse.execute(
            "select person_id from warehouse.marts.fct_support_content where support_code = ?", [support]
        ).fetchall()
        having = {person for person, child in children.items() if child[chain]}
        assert {person for (person,) in reached} == having
        assert having & unborn


def test_rules_of_an_active_version_hold_in_the_place_of_the_shared_ones(
    warehouse: duckdb.DuckDBPyConnection, bundle: Bundle, children: dict
) -> None:
    """Last of the module: it changes the rules. A trial's contents hold for its types, its priorities for nobody."""
    before = warehouse.execute("from warehouse.marts.fct_support_priority order by all").fetchall()
    shared = set(warehouse.execute("select * exclude (as_of_on) from warehouse.marts.fct_support_content").fetchall())
    for version in ("trial-1", "v2"):
        warehouse.execute(
            f"insert into warehouse.seeds.support_priority_rules by name "
            f"select '{version}' as model_version, 1 as rule_no, 'A' as priority_class, 1 as due_days"
        )
    warehouse.execute(
        "insert into warehouse.seeds.support_rules by name select * from (values "
        "('trial-1', 1, 'truancy', 'talk'), ('v1', 1, 'poverty', 'advice'), ('v1', 2, null, 'all')) "
        "as t(model_version, rule_no, difficulty_type, support_code)"
    )
    bundle.execute(warehouse)
    assert warehouse.execute("from warehouse.marts.fct_support_priority order by all").fetchall() == before
    contents = set(warehouse.execute("select * exclude (as_of_on) from warehouse.marts.fct_support_content").fetchall())
    by_code: dict[str, set[str]] = {}
    for person, *_, code, _content in contents:
        by_code.setdefault(code, set()).add(person)
    truant = {person for person, child in children.items() if ("trial-1", "truancy") in child["tiers"]}
    assert by_code == {"talk": truant, "advice": set(children), "all": set(children)}
    assert not contents & shared
    warehouse.execute(
        "insert into warehouse.seeds.support_priority_rules by name "
        "select 'v1' as model_version, 1 as rule_no, 'C' as priority_class, 9 as due_days"
    )
    bundle.execute(warehouse)
    assert warehouse.execute(
        "select priority_class, due_days, count(*) from warehouse.marts.fct_support_priority group by all"
    ).fetchall() == [("C", 9, len(children))]
