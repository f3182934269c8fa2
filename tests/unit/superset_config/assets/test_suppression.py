"""No hidden count of the area summary can be worked out from what is shown."""

from __future__ import annotations

import random
from collections import Counter

import duckdb
import jinja2
import numpy
import pytest
from scipy.optimize import linprog

from kodomo.home import PROJECT
from kodomo.parameters import parameter

AREAS = [f"area_{number}" for number in range(7)]
TIERS = ["high", "latent", "low"]
TOTAL = "total"
Cells = dict[tuple[str, str], int | None]


def model_sql() -> str:
    """The model's SQL with that of the counts it reads, over tables of the same names as its references."""
    paths = ("macros/bi/suppress_line.sql", "models/marts/bi/fct_area_count.sql", "models/marts/bi/bi_area_summary.sql")
    macro, counts, summary = ((PROJECT / path).read_text(encoding="utf-8") for path in paths)
    names = {"ref": lambda name: name, "var": parameter, "as_of": lambda: "date '2026-04-01'"}
    with_counts = jinja2.Template(counts).render(**names)
    return f"with fct_area_count as ({with_counts}) from ({jinja2.Template(macro + summary).render(**names)})"


SQL = model_sql()
TABLES = """
create table bi_child (person_id varchar, area_code varchar, tier varchar, is_dv_protected boolean,
    tier_rank integer, is_unknown_risk boolean);
create table bi_child_tier (person_id varchar, area_code varchar, difficulty_type varchar, tier varchar,
    is_active_version boolean, is_dv_protected boolean);
create table areas as
    select 'area_' || i as area_code, 'area_' || i as area_name_ja, i as sort_order from range(7) as r(i);
create table risk_tiers as select * from (
    values ('high', 3, 'H'), ('latent', 2, 'M'), ('low', 1, 'L')) as t(tier, tier_rank, label_ja);
create table difficulty_types (difficulty_type varchar, label_ja varchar, sort_order integer);
"""


def summary(counts: dict[tuple[str, str], int]) -> Cells:
    """What the model makes of so many children by (area, tier): the shown count, or None where it is hidden."""
    children = [(f"{a}-{t}-{n}", a, t) for (a, t), count in counts.items() for n in range(count)]
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        if children:
            connection.executemany("insert into bi_child values (?, ?, ?, false, 1, false)", children)
        cells = connection.execute(f"select area_code, tier, children from ({SQL})").fetchall()  # the model
    return {(area, tier): count for area, tier, count in cells}


def truth(counts: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Every cell with its totals."""
    cells: Counter[tuple[str, str]] = Counter()
    for (area, tier), count in counts.items():
        for place in ((area, tier), (area, TOTAL), (TOTAL, tier), (TOTAL, TOTAL)):
            cells[place] += count
    return {(a, t): cells[a, t] for a in [*AREAS, TOTAL] for t in [*TIERS, TOTAL]}


def ranges(shown: Cells) -> dict[tuple[str, str], tuple[float, float]]:
    """For each hidden cell, the least and the most it can be, given everything shown."""
    names = list(shown)
    index = {name: number for number, name in enumerate(names)}
    rows, values = [], []
    for line in [[(a, t) for t in [*TIERS, TOTAL]] for a in [*AREAS, TOTAL]] + [
        [(a, t) for a in [*AREAS, TOTAL]] for t in [*TIERS, TOTAL]
    ]:
        row = numpy.zeros(len(names))
        for name in line[:-1]:
            row[index[name]] = 1
        row[index[line[-1]]] = -1
        rows.append(row)
        values.append(0)
    bounds = [(0, None) if count is None else (count, count) for count in shown.values()]
    range_of = {}
    for name in (name for name, count in shown.items() if count is None):
        ends = []
        for sign in (1, -1):
            goal = numpy.zeros(len(names))
            goal[index[name]] = sign
            result = linprog(goal, A_eq=numpy.array(rows), b_eq=values, bounds=bounds)
            ends.append(sign * result.fun if result.status == 0 else float("inf"))
        range_of[name] = (ends[0], ends[1])
    return range_of


def some_city(seed: int) -> dict[tuple[str, str], int]:
    """Counts by area and tier: few of the grave ones, and empty places."""
    chance = random.Random(seed)
    scale = chance.choice([1, 3, 10])
    means = {"high": 1.5 * scale, "latent": 3 * scale, "low": 15 * scale}
    return {
        (area, tier): 0 if chance.random() < 0.15 else int(chance.expovariate(1 / means[tier]))
        for area in AREAS
        for tier in TIERS
    }


@pytest.mark.parametrize("seed", range(25))
def test_no_hidden_count_is_given_away(seed: int) -> None:
    counts = some_city(seed)
    shown, true = summary(counts), truth(counts)
    if not any(counts.values()):
        assert shown == {}
        return
    assert {name: count for name, count in shown.items() if count is not None}.items() <= true.items()
    assert all(shown[name] is None for name, count in true.items() if count < 5)
    for name, (least, most) in ranges(shown).items():
        assert most - least >= 1, f"{name} can be worked out: {least} to {most}"


def test_large_counts_are_not_hidden() -> None:
    counts = {(area, tier): 20 for area in AREAS for tier in TIERS}
    assert summary(counts) == truth(counts)


def test_one_small_count_hides_others_in_its_row_and_column() -> None:
    counts = {(area, tier): 20 for area in AREAS for tier in TIERS} | {("area_3", "high"): 2}
    hidden = {name for name, count in summary(counts).items() if count is None}
    assert ("area_3", "high") in hidden
    assert len([name for name in hidden if name[0] == "area_3"]) >= 2
    assert len([name for name in hidden if name[1] == "high"]) >= 2


def unknown_summary(people: list[tuple[str, str, bool]]) -> tuple[Cells, dict[str, int | None]]:
    """What the model makes of children as (area, tier, known to no service): tiers by area, and the unknown by area."""
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.executemany(
            "insert into bi_child values (?, ?, ?, false, ?, ?)",
            [
                (str(n), area, tier, {"high": 3, "latent": 2, "low": 1}[tier], is_unknown)
                for n, (area, tier, is_unknown) in enumerate(people)
            ],
        )
        rows = connection.execute(
            f"select area_code, tier, children, unknown_children, unknown_label from ({SQL})"  # the model
        ).fetchall()
    assert all(label == "秘匿" for _, tier, _, unknown, label in rows if tier == TOTAL and unknown is None)
    assert all(unknown is None for _, tier, _, unknown, _ in rows if tier != TOTAL)
    cells = {(area, tier): count for area, tier, count, _, _ in rows}
    return cells, {area: unknown for area, tier, _, unknown, _ in rows if tier == TOTAL}


@pytest.mark.parametrize("seed", range(12))
def test_the_unknown_give_away_neither_themselves_nor_those_who_are_known(seed: int) -> None:
    chance = random.Random(seed)
    share = chance.choice([0.1, 0.5, 0.9])
    people = [
        (area, tier, tier != "low" and chance.random() < share)
        for (area, tier), count in some_city(seed).items()
        for _ in range(count * 2)
    ]
    cells, shown = unknown_summary(people)
    at_risk = Counter(area for area, tier, _ in people if tier != "low")
    unknown = Counter(area for area, _, is_unknown in people if is_unknown)
    for area, count in shown.items():
        true = unknown.total() if area == TOTAL else unknown[area]
        rest = (at_risk.total() if area == TOTAL else at_risk[area]) - true
        if count is not None:
            assert count == true
            assert min(true, rest) >= 5
            assert None not in {cells[area, "high"], cells[area, "latent"]}
    hidden = [area for area in AREAS if shown[area] is None]
    if shown[TOTAL] is not None and hidden:
        assert len(hidden) > 1, "one alone is the total less the others"
        assert sum(unknown[area] for area in hidden) >= 5
        assert sum(at_risk[area] - unknown[area] for area in hidden) >= 5


def test_the_unknown_are_shown_where_nothing_is_small() -> None:
    people = [(area, tier, number < 8) for area in AREAS for tier in ("high", "latent") for number in range(20)]
    _, shown = unknown_summary(people + [(area, "low", False) for area in AREAS for _ in range(30)])
    assert shown == {**dict.fromkeys(AREAS, 16), TOTAL: 16 * 7}
