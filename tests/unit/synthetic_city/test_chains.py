"""The second opinion on chains: every clause of their definition on families drawn by hand."""

from __future__ import annotations

import numpy as np

from synthetic_city.chains import Genogram, shared_households


def genogram(parents, others=()):
    """A genogram of (child, parent) and (one, other) pairs."""
    return Genogram(np.array(parents, dtype=np.int64).reshape(-1, 2), np.array(others, dtype=np.int64).reshape(-1, 2))


def test_vertical_goes_three_generations_up_and_no_further():
    family = genogram([(1, 2), (2, 3), (3, 4), (4, 5)])
    chains = family.vertical(1, had_case={3, 4, 5}, protected=set())
    assert chains == {3: (2, (1, 2, 3)), 4: (3, (1, 2, 3, 4))}


def test_protected_person_is_neither_end_nor_step():
    family = genogram([(1, 2), (2, 3), (1, 6), (6, 3)])
    assert family.vertical(1, had_case={2, 3}, protected={2}) == {3: (2, (1, 6, 3))}
    assert family.vertical(1, had_case={3}, protected={2, 6}) == {}
    assert family.horizontal(1, household={1}, recent={2}, protected={2}) == {}


def test_a_protected_child_still_has_chains_of_its_own():
    family = genogram([(1, 2)])
    assert family.vertical(1, had_case={2}, protected={1}) == {2: (1, (1, 2))}


def test_horizontal_reaches_cousins_and_not_beyond():
    # 1 → mother 2 → grandmother 3 → aunt 4 → cousin 5 → cousin's child 6
    family = genogram([(1, 2), (2, 3), (4, 3), (5, 4), (6, 5)])
    chains = family.horizontal(1, household={1, 2}, recent={5, 6}, protected=set())
    assert chains == {5: (4, (1, 2, 3, 4, 5))}


def test_horizontal_leaves_out_household_and_ancestors():
    family = genogram([(1, 2), (7, 2), (8, 2)])
    assert family.horizontal(1, household={1, 7}, recent={2, 7, 8}, protected=set()) == {8: (2, (1, 2, 8))}


def test_the_shortest_path_wins_and_then_the_smallest_ids():
    family = genogram([(10, 5), (10, 3)], [(5, 20), (3, 20), (10, 30), (30, 31), (31, 20)])
    assert family.horizontal(10, household=set(), recent={20}, protected=set()) == {20: (2, (10, 3, 20))}


def test_shared_households_need_an_overlap():
    pairs = shared_households(
        np.array([1, 2, 3]), np.array([9, 9, 9]), np.array([0, 50, 100]), np.array([60, 100, 200])
    )
    assert pairs.tolist() == [[1, 2]]


def test_an_institution_makes_no_edge():
    people = np.arange(11)
    together = shared_households(people, np.zeros(11, dtype=np.int64), np.zeros(11), np.full(11, 10))
    assert len(together) == 0
    ten = shared_households(people[:10], np.zeros(10, dtype=np.int64), np.zeros(10), np.full(10, 10))
    assert len(ten) == 45
