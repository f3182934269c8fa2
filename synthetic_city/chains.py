"""Chains by their definition, worked out person by person: a second opinion on what SQL finds.

Vertical: an ancestor within three generations who had a case as a minor. Horizontal: a person outside the household, no
ancestor, within four edges of the genogram, with a case in the last 120 months. No person under a support measure is an
end or a step; a household of more than ten people makes no edge.
"""

from __future__ import annotations

import numpy as np

GENERATIONS = 3
EDGES = 4
INSTITUTION = 10
"""More people than this at one time in a household are an institution."""

Chain = tuple[int, tuple[int, ...]]
"""Steps, and the path from the child to the end as ranks of people."""


class Links:
    """Neighbours of each person, in ascending order, in two flat arrays."""

    def __init__(self, one: np.ndarray, other: np.ndarray) -> None:
        size = int(max(one.max(initial=-1), other.max(initial=-1))) + 1
        keys = np.unique(one.astype(np.int64) * size + other)
        self.others = keys % size
        self.first = np.searchsorted(keys, np.arange(size + 1, dtype=np.int64) * size)

    def of(self, person: int) -> list[int]:
        """The neighbours of a person."""
        if person + 1 >= len(self.first):
            return []
        return self.others[self.first[person] : self.first[person + 1]].tolist()


class Genogram:
    """People as ranks (so that the smallest rank is the smallest id), with their parents and all their neighbours."""

    def __init__(self, parent_edges: np.ndarray, other_edges: np.ndarray) -> None:
        """``parent_edges``: rows (child, parent); ``other_edges``: rows of partners and of people who shared a home."""
        self.parents = Links(parent_edges[:, 0], parent_edges[:, 1])
        both = np.concatenate([parent_edges, other_edges])
        self.neighbours = Links(np.concatenate([both[:, 0], both[:, 1]]), np.concatenate([both[:, 1], both[:, 0]]))

    def ancestors(self, child: int, generations: int) -> dict[int, int]:
        """Ancestors and the generation in which each stands first."""
        generation_of: dict[int, int] = {}
        layer = [child]
        for generation in range(1, generations + 1):
            layer = [parent for person in layer for parent in self.parents.of(person) if parent not in generation_of]
            for parent in layer:
                generation_of.setdefault(parent, generation)
        return generation_of

    def vertical(self, child: int, had_case: set[int], protected: set[int]) -> dict[int, Chain]:
        """End → steps and path, for ancestors with a case as a minor."""
        chains: dict[int, Chain] = {}
        paths = {child: (child,)}
        layer = [child]
        for generation in range(1, GENERATIONS + 1):
            following = []
            for person in layer:
                for parent in self.parents.of(person):
                    if parent in paths or parent in protected:
                        continue
                    paths[parent] = (*paths[person], parent)
                    following.append(parent)
                    if parent in had_case:
                        chains[parent] = (generation, paths[parent])
            layer = following
        return chains

    def horizontal(self, child: int, household: set[int], recent: set[int], protected: set[int]) -> dict[int, Chain]:
        """End → steps and path, for people with a recent case outside the household.

        Neighbours are visited in ascending order, layer by layer, so the first path to anybody is the shortest, and of
        the shortest the one with the smallest ids.
        """
        chains: dict[int, Chain] = {}
        barred = None
        paths = {child: (child,)}
        layer = [child]
        for step in range(1, EDGES + 1):
            following = []
            for person in layer:
                for other in self.neighbours.of(person):
                    if other in paths or other in protected:
                        continue
                    paths[other] = (*paths[person], other)
                    following.append(other)
                    if other in recent and other not in household:
                        if barred is None:
                            barred = self.ancestors(child, EDGES)
                        if other not in barred:
                            chains[other] = (step, paths[other])
            layer = following
        return chains


def shared_households(person: np.ndarray, household: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Pairs of people whose stays in a household overlap, without institutions. Ends are exclusive."""
    order = np.lexsort((start, household))
    person, household, start, end = person[order], household[order], start[order], end[order]
    largest = _largest_number(household, start, end)
    fits = largest[household] <= INSTITUTION
    person, household, start, end = person[fits], household[fits], start[fits], end[fits]
    pairs = []
    offset = 1
    while offset < len(person):
        same = np.flatnonzero(household[:-offset] == household[offset:])
        if not len(same):
            break
        one, other = same, same + offset
        together = (start[one] < end[other]) & (start[other] < end[one]) & (person[one] != person[other])
        pairs.append(np.stack([person[one[together]], person[other[together]]], axis=1))
        offset += 1
    if not pairs:
        return np.empty((0, 2), dtype=np.int64)
    every = np.concatenate(pairs)
    return np.unique(np.sort(every, axis=1), axis=0)


def _largest_number(household: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The greatest number of people at one time, per household number."""
    homes = np.concatenate([household, household])
    days = np.concatenate([start, end])
    change = np.concatenate([np.ones(len(start), dtype=np.int64), -np.ones(len(end), dtype=np.int64)])
    order = np.lexsort((change, days, homes))
    homes, change = homes[order], change[order]
    running = np.cumsum(change)
    largest = np.zeros(int(household.max(initial=0)) + 1, dtype=np.int64)
    np.maximum.at(largest, homes, running)  # every household ends at 0, so the running count is its own
    return largest
