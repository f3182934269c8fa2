"""The figures of a 試算 as they may be shown: no count under five, and none that follows from the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kodomo.parameters import parameter
from kodomo.scoring.definition import Definition
from kodomo.workshop.trial import TierCount, Trial

SMALLEST: int = parameter("smallest_count")
FEW_JA = f"{SMALLEST}未満"
HIDDEN_JA = "秘匿"
Cell = tuple[str, str]
"""Line and column of a table of counts."""


def shown(count: int) -> str:
    """A count for the whole city: as it is, or that it is small."""
    return FEW_JA if count < SMALLEST else f"{count:,}"


def hidden_cells(tables: Sequence[Mapping[Cell, int]]) -> set[Cell]:
    """The cells to hide in each of several tables of one form: small ones, and what would give them away.

    The sums of lines and columns are taken as known, as in bi_area_summary: a line gives a hidden cell away where it is
    the only one, or where the hidden ones are less than five together. A cell that is hidden in one table is hidden in
    all, so that no change between them tells it.
    """
    cells = sorted({cell for table in tables for cell in table})
    hidden = {cell for cell in cells if any(table.get(cell, 0) < SMALLEST for table in tables)}
    lines = [
        [cell for cell in cells if cell[side] == name]
        for side in (0, 1)
        for name in sorted({cell[side] for cell in cells})
    ]

    def gives_away(line: Sequence[Cell]) -> bool:
        inside = [cell for cell in line if cell in hidden]
        if not inside or len(inside) == len(line):
            return False
        return len(inside) == 1 or any(sum(table.get(cell, 0) for cell in inside) < SMALLEST for table in tables)

    while line := next((line for line in lines if gives_away(line)), None):
        others = [cell for cell in line if cell not in hidden]
        hidden.add(min(others, key=lambda cell: (sum(table.get(cell, 0) for table in tables), cell)))
    return hidden


@dataclass(frozen=True)
class TierTable:
    """Children by group (lines) and tier (columns), each cell before and after; a hidden one says so."""

    difficulty_type: str
    group_kind: str
    tiers: tuple[str, ...]
    lines: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def tier_tables(trial: Trial, definition: Definition, version: str) -> list[TierTable]:
    """The tables of a trial by difficulty type and kind of group, the tiers from the gravest on."""
    tables = []
    keys = list(dict.fromkeys((count.difficulty_type, count.group_kind) for count in trial.tiers))
    for difficulty, kind in sorted(keys, key=lambda key: (key[0], ("all", "area", "age").index(key[1]))):
        counts = [row for row in trial.tiers if (row.difficulty_type, row.group_kind) == (difficulty, kind)]
        tables.append(_table(difficulty, kind, counts, _tiers_of(definition, version, difficulty)))
    return tables


def _tiers_of(definition: Definition, version: str, difficulty: str) -> tuple[str, ...]:
    rows = [
        row
        for row in definition["risk_tiers"]
        if (row["model_version"], row["difficulty_type"]) == (version, difficulty)
    ]
    return tuple(row["tier"] for row in sorted(rows, key=lambda row: -(row["tier_rank"] or 0)))


def _table(difficulty: str, kind: str, counts: Iterable[TierCount], tiers: Sequence[str]) -> TierTable:
    before: dict[Cell, int] = {}
    after: dict[Cell, int] = {}
    groups: dict[str, None] = {}
    for count in counts:
        groups.setdefault(count.group)
        if count.tier is not None:
            before[count.group, count.tier] = count.before
            after[count.group, count.tier] = count.after
    names = list(dict.fromkeys([*tiers, *(tier for _, tier in before)]))
    for cell in ((group, tier) for group in groups for tier in names):
        before.setdefault(cell, 0)
        after.setdefault(cell, 0)
    hidden = hidden_cells([before, after])

    def said(cell: Cell) -> tuple[str, str]:
        return (HIDDEN_JA, HIDDEN_JA) if cell in hidden else (f"{before[cell]:,}", f"{after[cell]:,}")

    lines = tuple((group, tuple(said((group, tier)) for tier in names)) for group in groups)
    return TierTable(difficulty, kind, tuple(names), lines)
