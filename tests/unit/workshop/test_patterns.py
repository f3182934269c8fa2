"""What chosen children have in common, on children made by hand: rules with right figures, and none out of noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from kodomo.workshop.patterns import Band, common_patterns

CHILDREN = 400


def band(item: str, who: range | list[int], applies: range | None = None, number: int = 1) -> Band:
    """A band that some children meet, of an item that applies to all or some."""
    met, of_age = np.zeros(CHILDREN, bool), np.zeros(CHILDREN, bool)
    met[list(who)] = True
    of_age[list(applies if applies is not None else range(CHILDREN))] = True
    return Band(item, number, met, of_age)


def chosen_of(who: range) -> np.ndarray:
    chosen = np.zeros(CHILDREN, bool)
    chosen[list(who)] = True
    return chosen


def test_an_item_of_the_chosen_is_a_rule_with_its_figures() -> None:
    # 15 of the 20 chosen meet it, and 25 of the others.
    found = common_patterns([band("moves", [*range(15), *range(100, 125)])], chosen_of(range(20)))
    (rule,) = found.rules
    assert (rule.bands, rule.support, rule.chosen, rule.met, rule.children) == ((("moves", 1),), 15, 20, 40, 400)
    assert rule.lift == pytest.approx((15 / 20) / (40 / 400)) == pytest.approx(7.5)
    # One band was looked at, and depth 1 has a third of the level.
    exact = fisher_exact([[15, 25], [5, 355]], alternative="greater").pvalue
    assert rule.p_value == pytest.approx(3 * exact)
    assert found.looked_at == 1
    assert found.hints == ()


def test_a_triple_is_a_rule_where_none_of_its_parts_is() -> None:
    # Each item, and each pair, is as frequent among the others; all three together are met by the chosen alone.
    chosen = range(20)
    others = [range(20, 90), range(90, 160), range(160, 230)]
    bands = [
        band("a", [*chosen, *others[0], *others[1]]),
        band("b", [*chosen, *others[1], *others[2]]),
        band("c", [*chosen, *others[0], *others[2]]),
    ]
    found = common_patterns(bands, chosen_of(chosen))
    triple = next(rule for rule in found.rules if len(rule.bands) == 3)
    assert {item for item, _ in triple.bands} == {"a", "b", "c"}
    assert (triple.support, triple.met) == (20, 20)
    assert triple.lift == pytest.approx(20)
    assert found.looked_at == 3 + 3 + 1


def test_what_adds_nothing_to_a_part_of_it_is_not_repeated() -> None:
    # ``b`` is met by every second child, chosen or not: with ``a`` it tells no more than ``a``.
    bands = [band("a", [*range(16), *range(100, 120)]), band("b", range(0, CHILDREN, 2))]
    found = common_patterns(bands, chosen_of(range(20)))
    assert [rule.bands for rule in found.rules] == [(("a", 1),)]


def test_an_item_of_some_ages_is_counted_among_them_alone() -> None:
    # The chosen are infants: every item of infants is more frequent among them than among all children.
    infants = range(100)
    found = common_patterns(
        [band("every_infant_second", range(0, 100, 2), infants), band("late", [*range(12), *range(50, 55)], infants)],
        chosen_of(range(20)),
    )
    (rule,) = found.rules
    assert (rule.bands, rule.support, rule.chosen, rule.met, rule.children) == ((("late", 1),), 12, 20, 17, 100)


def test_two_bands_of_one_item_are_no_combination() -> None:
    both = [band("moves", range(10), number=1), band("moves", range(10, 20), number=2)]
    found = common_patterns(both, chosen_of(range(20)))
    assert {rule.bands for rule in found.rules} == {(("moves", 1),), (("moves", 2),)}
    assert found.looked_at == 2


def test_noise_is_no_rule_and_few_children_have_none() -> None:
    rng = np.random.default_rng(7)
    noise = [band(f"item{n}", np.flatnonzero(rng.random(CHILDREN) < 0.3).tolist()) for n in range(30)]
    shown = [common_patterns(noise, rng.permutation(chosen_of(range(25)))) for _ in range(10)]
    assert [found.rules for found in shown] == [()] * 10
    # The same is said to be more frequent, and that it may be chance.
    assert any(found.hints for found in shown)
    few = common_patterns([band("moves", range(9))], chosen_of(range(9)))
    assert (few.is_few, few.rules, few.hints) == (True, (), ())


def test_fewer_than_five_children_are_no_support() -> None:
    found = common_patterns([band("moves", range(4)), band("late", range(4))], chosen_of(range(40)))
    assert (found.looked_at, found.rules, found.hints) == (0, (), ())
