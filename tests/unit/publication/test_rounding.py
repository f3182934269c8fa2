"""No count of an area can be worked out from the rounded ones that the partner sees, in any way of subtracting."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, milp

from kodomo.publication import rounding
from kodomo.publication.rounding import (
    OVERALL,
    TOTAL,
    UNKNOWN,
    Cell,
    Shape,
    feasible_ranges,
    round_counts,
    shape_of,
    with_totals,
)

BASE = 5
KEY = "a key of the city"
RANKS = {"high": 3, "latent": 2, "low": 1}
Children = list[tuple[str, dict[str, str], bool]]
"""Area, tier by difficulty type, known to no service."""


def city(chance: random.Random) -> tuple[Children, list[str], list[str]]:
    """A small city: few of the grave tiers, empty areas, one to three difficulty types."""
    areas = [f"area_{number}" for number in range(chance.choice([2, 2, 2, 3]))]
    types = ["abuse", "poverty", "truancy"][: chance.choice([1, 1, 2])]
    weights = chance.choice([[1, 2, 15], [1, 1, 1], [0, 1, 20], [5, 1, 0]])
    people = []
    for area in areas:
        for _ in range(int(chance.expovariate(1 / chance.choice([0.5, 4, 15, 60])))):
            tiers = {kind: chance.choices(list(RANKS), weights)[0] for kind in types if chance.random() < 0.8}
            people.append((area, tiers or {types[0]: "low"}, chance.random() < 0.4))
    return people, areas, types


def counts_of(people: Children, areas: list[str], types: list[str]) -> dict[Cell, int]:
    """The tables of the city with their totals."""
    counts = {(kind, area, tier): 0 for kind in [OVERALL, *types] for area in areas for tier in RANKS}
    unknown = dict.fromkeys(areas, 0)
    for area, tiers, is_unknown in people:
        gravest = max(tiers.values(), key=lambda tier: RANKS[tier])
        for kind, tier in {**tiers, OVERALL: gravest}.items():
            counts[kind, area, tier] += 1
        unknown[area] += is_unknown and gravest != "low"
    return with_totals(counts, unknown)


def assert_safe(shape: Shape, counts: Mapping[Cell, int], shown: Mapping[Cell, int]) -> None:
    """Multiples of the base, off by at most as much, that add up as the counts do."""
    assert all(number % BASE == 0 and abs(number - counts[cell]) <= BASE for cell, number in shown.items())
    for equation in shape.equations:
        if {equation.whole, *equation.parts} <= set(shape.shown):
            assert shown[equation.whole] == sum(shown[part] for part in equation.parts)


def independent_ranges(shape: Shape, bounds: Mapping[Cell, tuple[int, int]]) -> dict[Cell, tuple[int, int]]:
    """The same ranges by another solver (HiGHS), one question at a time."""
    cells = [*shape.shown, *shape.implied]
    column = {cell: number for number, cell in enumerate(cells)}
    rows = np.zeros((len(shape.equations), len(cells)))
    for row, equation in zip(rows, shape.equations, strict=True):
        row[column[equation.whole]] -= 1
        for part in equation.parts:
            row[column[part]] += 1
    least = np.array([bounds.get(cell, (0, 0))[0] for cell in cells])
    most = np.array([bounds.get(cell, (0, 10**6))[1] for cell in cells])
    ranges = {}
    for cell in cells:
        ends = []
        for sign in (1, -1):
            goal = np.zeros(len(cells))
            goal[column[cell]] = sign
            answer = milp(
                goal, constraints=LinearConstraint(rows, 0, 0), bounds=(least, most), integrality=np.ones(len(cells))
            )
            assert answer.status == 0
            ends.append(round(sign * answer.fun))
        ranges[cell] = (ends[0], ends[1])
    return ranges


@pytest.mark.slow
def test_no_count_of_a_thousand_cities_is_given_away_on_two_dates() -> None:
    for seed in range(1_000):
        chance = random.Random(seed)
        people, areas, types = city(chance)
        before = counts_of(people, areas, types)
        first = round_counts(before, shape_of(before, RANKS), KEY)
        assert not first.exposed, f"city {seed}: {first.exposed}"
        if seed % 5:
            continue
        # The next day a family has left, and another has come.
        people = [*people[2:], *city(chance)[0][:2]]
        people = [(area, {k: v for k, v in tiers.items() if k in types}, known) for area, tiers, known in people]
        people = [person for person in people if person[0] in areas and person[1]]
        counts = counts_of(people, areas, types)
        shape = shape_of(counts, RANKS)
        second = round_counts(counts, shape, KEY, before, first.shown)
        assert not second.exposed, f"city {seed}: {second.exposed}"
        assert_safe(shape, counts, second.shown)
        for cell, count in counts.items():
            if before[cell] == count:
                assert abs(second.shown[cell] - first.shown[cell]) <= BASE


@pytest.mark.parametrize("seed", [1, 4])
def test_another_solver_finds_the_same_ranges(seed: int) -> None:
    people, areas, types = city(random.Random(seed))
    counts = counts_of(people, areas, types)
    shape = shape_of(counts, RANKS)
    shown = round_counts(counts, shape, KEY).shown
    bounds = {cell: (max(0, number - BASE), number + BASE) for cell, number in shown.items()}
    exact = independent_ranges(shape, bounds)
    assert all(most - least >= BASE for least, most in exact.values())
    for cell, (least, most) in feasible_ranges(shape, shown).items():
        assert exact[cell][0] <= least <= most <= exact[cell][1]


def one_child() -> tuple[dict[Cell, int], Shape]:
    """One child of the high tier in an area of 41, in a city of 82."""
    people: Children = [("a", {"abuse": "low", "poverty": "low"}, False)] * 40
    people += [("b", {"abuse": "low", "poverty": "low"}, False)] * 41
    people += [("a", {"abuse": "high", "poverty": "low"}, True)]
    counts = counts_of(people, ["a", "b"], ["abuse", "poverty"])
    return counts, shape_of(counts, RANKS)


def test_sum_minus_the_rest_is_a_range() -> None:
    counts, shape = one_child()
    shown = round_counts(counts, shape, KEY).shown
    assert counts["abuse", "a", TOTAL] - counts["abuse", "a", "low"] == 1
    rest = shown["abuse", "a", TOTAL] - shown["abuse", "a", "low"]
    assert rest == shown["abuse", "a", "high"] + shown["abuse", "a", "latent"]
    least, most = feasible_ranges(shape, shown)["abuse", "a", "high"]
    assert least == 0
    assert most >= BASE


def test_one_table_minus_another_is_a_range() -> None:
    counts, shape = one_child()
    ranges = feasible_ranges(shape, round_counts(counts, shape, KEY).shown)
    apart = ranges[f"{OVERALL} less poverty", "a", "high"]
    assert counts[OVERALL, "a", "high"] - counts["poverty", "a", "high"] == 1
    assert apart[0] == 0
    assert apart[1] >= BASE


def test_percentage_times_the_total_is_the_rounded_count() -> None:
    counts, shape = one_child()
    shown = round_counts(counts, shape, KEY).shown
    for (kind, area, tier), number in shown.items():
        if kind != UNKNOWN and (whole := shown[kind, area, TOTAL]):
            percentage = number / whole * 100
            assert round(percentage * whole / 100) % BASE == 0, (kind, area, tier)


def test_last_date_minus_this_one_names_no_newcomer() -> None:
    people: Children = [("a", {"abuse": "low"}, False)] * 37 + [("b", {"abuse": "low"}, False)] * 41
    before = counts_of(people, ["a", "b"], ["abuse"])
    first = round_counts(before, shape_of(before, RANKS), KEY).shown
    counts = counts_of([*people, ("a", {"abuse": "high"}, True)], ["a", "b"], ["abuse"])
    shape = shape_of(counts, RANKS)
    second = round_counts(counts, shape, KEY, before, first)
    assert not second.exposed
    for cell in counts:
        # What may have come between the dates, given both numbers: never one count alone.
        low = max(0, second.shown[cell] - BASE) - (first[cell] + BASE)
        high = second.shown[cell] + BASE - max(0, first[cell] - BASE)
        assert high - low >= 2 * BASE


def test_same_counts_are_shown_alike_on_every_date() -> None:
    counts, shape = one_child()
    first = round_counts(counts, shape, KEY).shown
    assert round_counts(counts, shape, KEY, counts, first).shown == first
    assert round_counts(counts, shape, KEY).shown == first


def test_a_count_of_each_kind_may_be_shown_as_more_than_one_number() -> None:
    for count in range(30):
        shown = {rounding._drawn(("t", "a", "x"), count, str(key), BASE) for key in range(100)}
        assert shown == set(rounding.choices(count, BASE))


def test_roundings_that_do_not_add_up_are_noticed() -> None:
    """Three counts shown as 0 are at most 5 each; a total shown as 20 is at least 15, so each of them is 5."""
    counts = with_totals({("abuse", area, "high"): 5 for area in ("a", "b", "c")}, {})
    shape = shape_of(counts, RANKS)
    shown = {cell: 20 if cell[1] == TOTAL else 0 for cell in counts}
    ranges = feasible_ranges(shape, shown)
    assert ranges["abuse", "a", "high"] == (5, 5)


def test_numbers_of_two_dates_that_pin_a_count_are_noticed() -> None:
    counts = with_totals({("abuse", area, "high"): 5 for area in ("a", "b")}, {})
    shape = shape_of(counts, RANKS)
    shown = dict.fromkeys(counts, 10) | {("abuse", TOTAL, "high"): 20, ("abuse", TOTAL, TOTAL): 20}
    before = {("abuse", "a", "high"): 0}
    assert feasible_ranges(shape, shown, before)["abuse", "a", "high"] == (5, 5)


def test_a_real_city_takes_seconds() -> None:
    chance = random.Random(1)
    areas = [f"area_{number}" for number in range(7)]
    types = ["abuse", "poverty", "truancy", "young_carer", "postpartum_depression"]
    people: Children = [
        (area, {kind: chance.choices(list(RANKS), [1, 3, 30])[0] for kind in types if chance.random() < 0.7}, False)
        for area in areas
        for _ in range(900)
    ]
    counts = counts_of([person for person in people if person[1]], areas, types)
    shape = shape_of(counts, RANKS)
    rounded = round_counts(counts, shape, KEY)
    assert not rounded.exposed
    assert_safe(shape, counts, rounded.shown)
