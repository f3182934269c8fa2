"""What chosen children have in common: items, pairs and triples of items more frequent among them than among all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from kodomo.evaluation.evidence import FEW_CASES
from kodomo.parameters import parameter

DEPTH = 3
"""Most items of a combination: a rule with more is not read in a meeting."""
LEAST_SUPPORT: int = parameter("smallest_count")
"""Fewest of the chosen children that a combination is looked at for."""
LEVEL = 0.05
"""Chance that anything at all is shown as a rule where no item has to do with who was chosen."""
MOST_SHOWN = 20
_CHUNK = 4096
_BITS = np.array([number.bit_count() for number in range(2**16)], dtype=np.uint8)


@dataclass(frozen=True)
class Band:
    """A band of an item, and who met it. ``met`` and ``applies``: one truth value per child; an item of some ages
    applies to the children of those ages alone."""

    item_code: str
    band_no: int
    met: np.ndarray
    applies: np.ndarray


@dataclass(frozen=True)
class Pattern:
    """A combination of bands, and how frequent it is.

    ``support``: chosen children who meet it, of ``chosen`` to whom its items apply; ``met`` of ``children``: the same
    of all, the chosen among them. ``p_value``: after adjustment for everything that was looked at.
    """

    bands: tuple[tuple[str, int], ...]
    support: int
    chosen: int
    met: int
    children: int
    p_value: float

    @property
    def lift(self) -> float:
        """How many times as frequent it is among the chosen as among all."""
        return self.support / self.chosen / (self.met / self.children)


@dataclass(frozen=True)
class Patterns:
    """What a group of children has in common. ``rules``: what chance does not explain; ``hints``: items and pairs that
    are more frequent among them, but would be so by chance; neither where the group is small (``is_few``)."""

    chosen: int
    children: int
    looked_at: int
    rules: tuple[Pattern, ...]
    hints: tuple[Pattern, ...]

    @property
    def is_few(self) -> bool:
        """Whether the group is too small to say anything about it."""
        return self.chosen < FEW_CASES


def common_patterns(bands: Sequence[Band], chosen: np.ndarray, depth: int = DEPTH) -> Patterns:
    """The combinations of up to ``depth`` bands that are more frequent among chosen children than among all.

    A combination is a rule where it is more frequent than chance explains among all children, and among those who meet
    any part of it: what adds nothing to one of its parts is not repeated. Chance: the upper tail of the hypergeometric
    distribution, over the children to whom the items apply. It is adjusted after Webb (Layered critical values, Machine
    Learning 2008;71:307-323): each depth has a third of the level, shared by all its possible combinations, whichever
    were chosen. ``chosen``: one truth value per child.
    """
    count, children = int(chosen.sum()), len(chosen)
    known = [band for band in bands if band.met.sum() >= LEAST_SUPPORT]
    looked_at = [_possible(known, size) for size in range(1, depth + 1)]
    if count < FEW_CASES or not known:
        return Patterns(count, children, sum(looked_at), (), ())
    search = _Search(known, chosen)
    rules: list[Pattern] = []
    hints: list[tuple[float, Pattern]] = []
    for every in search.levels(depth):
        size = every.shape[1]
        possible = depth * looked_at[size - 1]
        # The deepest combinations are rules or nothing; the others are told as hints too.
        worth = LEVEL if size < depth else LEVEL / possible
        members, figures, chance = search.unlikely(every, worth)
        for row in np.flatnonzero(chance * possible <= LEVEL):
            rules.append(search.pattern(members[row], figures[row], float(chance[row] * possible)))
        if size < depth:
            unsure = np.flatnonzero((chance * possible > LEVEL) & (chance <= LEVEL))
            hints += [
                (float(chance[row]), search.pattern(members[row], figures[row], min(1.0, chance[row] * possible)))
                for row in unsure[np.argsort(chance[unsure], kind="stable")[:MOST_SHOWN]]
            ]
    rules.sort(key=lambda rule: (rule.p_value, -rule.lift, rule.bands))
    hints.sort(key=lambda hint: (hint[0], hint[1].bands))
    return Patterns(
        count, children, sum(looked_at), tuple(rules[:MOST_SHOWN]), tuple(hint for _, hint in hints[: MOST_SHOWN // 2])
    )


def in_words(pattern: Pattern, names: Mapping[tuple[str, int], str], group_ja: str) -> str:
    """A combination as a sentence in Japanese. ``names``: what the bands are called; ``group_ja``: what the chosen
    children are."""
    parts = "かつ".join(f"「{names.get(band, '：'.join(map(str, band)))}」" for band in pattern.bands)
    return (
        f"{parts}に当てはまるのは、{group_ja}{pattern.chosen:,}人のうち{pattern.support:,}人"
        f"（{pattern.support / pattern.chosen:.0%}）。比べた子ども全体では{pattern.children:,}人のうち{pattern.met:,}人"
        f"（{pattern.met / pattern.children:.1%}）で、{pattern.lift:.1f}倍多い。"
    )


def _possible(bands: Sequence[Band], size: int) -> int:
    """How many combinations of bands of different items there are: two bands of one item are never met together."""
    of_items: dict[str, int] = {}
    for band in bands:
        of_items[band.item_code] = of_items.get(band.item_code, 0) + 1
    if max(of_items.values(), default=0) <= 1:
        return comb(len(bands), size)
    # The elementary symmetric sum of the numbers of bands per item.
    sums = [1] + [0] * size
    for number in of_items.values():
        for place in range(size, 0, -1):
            sums[place] += sums[place - 1] * number
    return sums[size]


class _Search:
    """The children as bits: a combination is counted by one ``and`` of its bands, however many children there are."""

    def __init__(self, bands: Sequence[Band], chosen: np.ndarray) -> None:
        self.bands, self.items = bands, [band.item_code for band in bands]
        self.met = _packed([band.met for band in bands])
        self.applies = _packed([band.applies for band in bands])
        self.mask = _packed([chosen])[0]
        # Columns of the chosen alone: few, so that what too few of them meet is soon left out.
        self.of_chosen = _packed([band.met[chosen] for band in bands])

    def levels(self, depth: int) -> Iterator[np.ndarray]:
        """Per number of bands the combinations that enough of the chosen children meet, as rows of positions."""
        singles = np.flatnonzero(_ones(self.of_chosen) >= LEAST_SUPPORT)
        members = singles.reshape(-1, 1)
        for size in range(1, depth + 1):
            if not len(members):
                return
            yield members
            if size < depth:
                members = self._longer(members, singles)

    def _longer(self, members: np.ndarray, singles: np.ndarray) -> np.ndarray:
        rows = []
        for combination in members:
            taken = {self.items[place] for place in combination}
            after = np.array(
                [place for place in singles if place > combination[-1] and self.items[place] not in taken], dtype=int
            )
            if len(after):
                bits = np.bitwise_and.reduce(self.of_chosen[combination]) & self.of_chosen[after]
                rows += [(*combination, place) for place in after[_ones(bits) >= LEAST_SUPPORT]]
        return np.array(rows, dtype=int).reshape(-1, members.shape[1] + 1)

    def figures(self, members: np.ndarray) -> np.ndarray:
        """Support, chosen, met and children of each combination (see ``Pattern``)."""
        parts = []
        for chunk in _chunks(members):
            met, applies = _all_of(self.met, chunk), _all_of(self.applies, chunk)
            parts.append([_ones(met & self.mask), _ones(applies & self.mask), _ones(met & applies), _ones(applies)])
        return np.concatenate(parts, axis=1).T

    def unlikely(self, members: np.ndarray, worth: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The combinations that are more frequent among the chosen than a chance of ``worth`` explains, with their
        figures and the chance of as many of the chosen or more: among all children or among those who meet any part of
        the combination, whichever is greater."""
        from scipy.stats import hypergeom

        figures = self.figures(members)
        support, chosen, met, children = figures.T
        kept = support * children > chosen * met
        members, figures = members[kept], figures[kept]
        support, chosen, met, children = figures.T
        chance = hypergeom.sf(support - 1, children, met, chosen)
        size = members.shape[1]
        for part in (part for length in range(1, size) for part in combinations(range(size), length)):
            # Each part leaves fewer to look at.
            kept = chance <= worth
            members, figures, chance = members[kept], figures[kept], chance[kept]
            inside, chosen_inside = np.zeros(len(members), dtype=int), np.zeros(len(members), dtype=int)
            for chunk in _chunks(np.arange(len(members))):
                bits = _all_of(self.met, members[chunk][:, part]) & _all_of(self.applies, members[chunk])
                inside[chunk], chosen_inside[chunk] = _ones(bits), _ones(bits & self.mask)
            chance = np.maximum(chance, hypergeom.sf(figures[:, 0] - 1, inside, figures[:, 2], chosen_inside))
        kept = chance <= worth
        return members[kept], figures[kept], chance[kept]

    def pattern(self, members: np.ndarray, figures: np.ndarray, p_value: float) -> Pattern:
        """A combination by the names of its bands."""
        named = tuple((self.bands[place].item_code, self.bands[place].band_no) for place in members)
        return Pattern(named, *map(int, figures), p_value)


def _packed(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Truth values as bits, in words of 16."""
    bits = np.packbits(np.array(rows, dtype=bool), axis=1)
    return np.pad(bits, ((0, 0), (0, bits.shape[1] % 2))).view(np.uint16)


def _ones(bits: np.ndarray) -> np.ndarray:
    """How many bits of each row are set."""
    return _BITS[bits].sum(axis=-1, dtype=np.int64)


def _all_of(bits: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The bits that are set in each of the rows of a combination, for many combinations."""
    common = bits[members[:, 0]].copy()
    for place in range(1, members.shape[1]):
        common &= bits[members[:, place]]
    return common


def _chunks(members: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(members), _CHUNK):
        yield members[start : start + _CHUNK]
