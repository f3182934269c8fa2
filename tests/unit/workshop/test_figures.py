"""No count under five is shown of a 試算, and none follows from the sums."""

from __future__ import annotations

import itertools
import random

import pytest

from kodomo.workshop.figures import FEW_JA, hidden_cells, shown

TIERS = ("high", "latent", "low")


@pytest.mark.parametrize(("count", "text"), [(0, FEW_JA), (4, FEW_JA), (5, "5"), (1234, "1,234")])
def test_a_count_under_five_is_said_to_be_small(count: int, text: str) -> None:
    assert shown(count) == text


def test_large_counts_are_all_shown() -> None:
    assert hidden_cells([{(area, tier): 9 for area in "ab" for tier in TIERS}]) == set()


def test_a_small_count_hides_what_would_give_it_away() -> None:
    table = {(area, tier): 20 for area in "abc" for tier in TIERS} | {("a", "high"): 3}
    hidden = hidden_cells([table])
    assert ("a", "high") in hidden
    assert len([cell for cell in hidden if cell[0] == "a"]) == 2
    assert len([cell for cell in hidden if cell[1] == "high"]) == 2


def test_a_cell_hidden_before_is_hidden_after() -> None:
    before = {(area, tier): 20 for area in "abc" for tier in TIERS} | {("a", "high"): 3}
    after = {**before, ("a", "high"): 30}
    assert hidden_cells([before, after]) == hidden_cells([after, before])
    assert ("a", "high") in hidden_cells([after, before])


@pytest.mark.parametrize("seed", range(20))
def test_no_sum_of_a_line_or_a_column_tells_a_small_count(seed: int) -> None:
    rng = random.Random(seed)
    areas = [str(number) for number in range(rng.randrange(2, 8))]
    cells = list(itertools.product(areas, TIERS))
    tables = [{cell: rng.choice([0, 1, 4, 5, 9, 40]) for cell in cells} for _ in range(2)]
    hidden = hidden_cells(tables)
    for table, side in itertools.product(tables, (0, 1)):
        assert hidden >= {cell for cell in cells if table[cell] < 5}
        for name in {cell[side] for cell in cells}:
            line = [cell for cell in cells if cell[side] == name]
            inside = [table[cell] for cell in line if cell in hidden]
            assert len(inside) in (0, len(line)) or (len(inside) > 1 and sum(inside) >= 5)
