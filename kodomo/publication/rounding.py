"""Controlled rounding of counts by area, and the proof that what is shown gives no count away.

The community partner sees every count as a multiple of the smallest count (5), off by at most as much; sums, and what
is in one table but not in another, agree as the true counts do (Cox 1987, controlled rounding). Unlike exact counts
with hidden cells, rounded ones do not show who came or left from one date to the next, and no cell is missing.

The proof: for every count, shown or worked out from shown ones, an exact solver (OR-tools' CP-SAT) looks for the least
and the most it can be, given everything published now and, where a count is as it was, on the date before. A range of
under 5 holds the publication.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ortools.sat.python import cp_model

from kodomo.parameters import parameter

TOTAL = "total"
OVERALL = "overall"
UNKNOWN = "unknown"
ATTEMPTS = 5
"""How often another rounding is tried where the first one gives a count away together with the date before."""
SOLVER_SECONDS = 60.0
_DISAGREEMENT = 1000

Cell = tuple[str, str, str]
"""Table (difficulty type or ``unknown``), area (or ``total``), tier (or ``total``)."""
Counts = Mapping[Cell, int]


@dataclass(frozen=True)
class Equation:
    """The sum of ``parts`` is ``whole``."""

    whole: Cell
    parts: tuple[Cell, ...]


@dataclass(frozen=True)
class Shape:
    """What a reader knows of the counts before seeing one: which are shown, and which are the sums of which.

    ``implied`` are counts that no table shows and a subtraction of two tables gives.
    """

    shown: tuple[Cell, ...]
    implied: tuple[Cell, ...]
    equations: tuple[Equation, ...]


@dataclass(frozen=True)
class Exposed:
    """A table that gives a count away."""

    table: str
    cells: int

    def __str__(self) -> str:
        return f"{self.table} ({self.cells})"


@dataclass(frozen=True)
class Rounded:
    """The numbers shown, and the tables that give a count away (none where they may be published)."""

    shown: Mapping[Cell, int]
    exposed: Sequence[Exposed] = field(default=())


def with_totals(counts: Counts, unknown: Mapping[str, int]) -> dict[Cell, int]:
    """Counts by (difficulty type, area, tier) and of the unknown by area, with every total."""
    cells: dict[Cell, int] = {}
    for (table, area, tier), count in counts.items():
        for cell in ((table, area, tier), (table, area, TOTAL), (table, TOTAL, tier), (table, TOTAL, TOTAL)):
            cells[cell] = cells.get(cell, 0) + count
    for area, count in unknown.items():
        for place in (area, TOTAL):
            cells[UNKNOWN, place, TOTAL] = cells.get((UNKNOWN, place, TOTAL), 0) + count
    return cells


def shape_of(counts: Counts, tier_ranks: Mapping[str, int]) -> Shape:
    """The sums and subtractions that hold between the counts of ``with_totals``. ``tier_ranks``: higher is graver.

    A child is in no table of a difficulty type without being in that of all types, with at least the same tier, so
    that subtracting one table from another counts children; where a definition has it otherwise, a reader cannot rely
    on it.
    """
    tables = sorted({table for table, _, _ in counts} - {UNKNOWN})
    areas = sorted({area for _, area, _ in counts} - {TOTAL})
    tiers = sorted({tier for table, _, tier in counts if table != UNKNOWN} - {TOTAL}, key=lambda t: -tier_ranks[t])
    equations = []
    for table in tables:
        equations += [Equation((table, TOTAL, tier), tuple((table, area, tier) for area in areas)) for tier in tiers]
        equations += [
            Equation((table, area, TOTAL), tuple((table, area, tier) for tier in tiers)) for area in [*areas, TOTAL]
        ]
        equations.append(Equation((table, TOTAL, TOTAL), tuple((table, area, TOTAL) for area in areas)))
    has_unknown = any(table == UNKNOWN for table, _, _ in counts)
    if has_unknown:
        equations.append(Equation((UNKNOWN, TOTAL, TOTAL), tuple((UNKNOWN, area, TOTAL) for area in areas)))
    implied: list[Cell] = []
    types = [table for table in tables if table != OVERALL]
    if (
        len(types) == 1
        and OVERALL in tables
        and all(count == counts[types[0], *cell[1:]] for cell, count in counts.items() if cell[0] == OVERALL)
    ):
        # Two tables of the same children: a reader has two numbers for each count.
        equations += [Equation((OVERALL, area, tier), ((types[0], area, tier),)) for area in areas for tier in tiers]
        types = []

    def subtract(name: str, area: str, tier: str, wholes: Sequence[Cell], parts: Sequence[Cell]) -> None:
        """What is in ``wholes`` and not in ``parts``, as long as it is a number of children."""
        if sum(counts[cell] for cell in wholes) < sum(counts[cell] for cell in parts):
            return
        whole, rest = (f"{name} (sum)", area, tier), (name, area, tier)
        implied.extend([whole, rest])
        equations.append(Equation(whole, tuple(wholes)))
        equations.append(Equation(whole, (*parts, rest)))

    for area in [*areas, TOTAL] if OVERALL in tables else []:
        at_risk = [(OVERALL, area, tier) for tier in tiers if tier_ranks[tier] >= 2]
        if has_unknown and at_risk:
            subtract(f"{OVERALL} less {UNKNOWN}", area, TOTAL, at_risk, [(UNKNOWN, area, TOTAL)])
        for last in range(1, len(tiers) + 1):
            graver = tiers[:last]
            for table in types:
                subtract(
                    f"{OVERALL} less {table}",
                    area,
                    graver[-1],
                    [(OVERALL, area, tier) for tier in graver],
                    [(table, area, tier) for tier in graver],
                )
            if types:
                subtract(
                    f"types less {OVERALL}",
                    area,
                    graver[-1],
                    [(table, area, tier) for table in types for tier in graver],
                    [(OVERALL, area, tier) for tier in graver],
                )
    return Shape(tuple(sorted(counts)), tuple(implied), tuple(equations))


def round_counts(
    counts: Counts,
    shape: Shape,
    key: str,
    before: Counts | None = None,
    shown_before: Counts | None = None,
) -> Rounded:
    """Round ``counts`` so that nothing gives a count away; ``exposed``: the tables that have no such rounding.

    ``before`` and ``shown_before`` are the counts of the date before and what was shown of them. The same count of a
    cell is rounded the same way on every date, by a draw that only ``key`` gives, so that an average over dates has
    nothing to work with.
    """
    base = parameter("smallest_count")
    unchanged = {
        cell: shown_before[cell]
        for cell in shape.shown
        if before and shown_before and cell in shown_before and before.get(cell) == counts[cell]
    }
    rounded = Rounded({}, [Exposed("all", len(shape.shown))])
    for attempt in range(ATTEMPTS):
        shown = _nearby(counts, shape, f"{key}|{attempt}" if attempt else key, unchanged, base)
        ranges = feasible_ranges(shape, shown, unchanged, base)
        tables: dict[str, int] = {}
        for (table, _, _), (least, most) in ranges.items():
            if most - least < base:
                tables[table] = tables.get(table, 0) + 1
        rounded = Rounded(shown, [Exposed(table, cells) for table, cells in sorted(tables.items())])
        if not tables:
            break
    return rounded


def choices(count: int, base: int) -> list[int]:
    """The multiples of ``base`` that a count may be shown as: those next to it, or one to either side of its own."""
    if count % base:
        return [count // base * base, (count // base + 1) * base]
    return [number for number in (count - base, count, count + base) if number >= 0]


def _drawn(cell: Cell, count: int, key: str, base: int) -> int:
    """What a cell would be shown as by itself: on average the count, by a draw of the key."""
    digest = hmac.new(key.encode(), f"{'|'.join(cell)}|{count}".encode(), hashlib.sha256).digest()
    draw = int.from_bytes(digest[:6], "big") / 2**48
    numbers = choices(count, base)
    if count % base:
        return numbers[1] if draw < (count % base) / base else numbers[0]
    # One draw in three moves it, so that a multiple of the base is no surer than another count.
    return numbers[0] if draw < 1 / 6 else numbers[-1] if draw > 5 / 6 else count


def _nearby(counts: Counts, shape: Shape, key: str, unchanged: Counts, base: int) -> dict[Cell, int]:
    """The rounding that agrees with every sum and is nearest to the draws.

    One always exists for tables of two dimensions. Subtractions of tables agree as far as they can.
    """
    model = cp_model.CpModel()
    number: dict[Cell, cp_model.IntVar] = {}
    costs = []
    for cell in shape.shown:
        allowed = choices(counts[cell], base)
        target = _drawn(cell, counts[cell], key, base)
        if cell in unchanged:
            # Two roundings of one count that differ by more would say which it is.
            allowed = [choice for choice in allowed if abs(choice - unchanged[cell]) <= base] or allowed
            target = unchanged[cell]
        number[cell] = model.new_int_var_from_domain(cp_model.Domain.from_values([c // base for c in allowed]), "")
        model.add_hint(number[cell], target // base)
        if target in {allowed[0], allowed[-1]}:
            costs.append((number[cell] - target // base) * (1 if target == allowed[0] else -1))
        else:
            off = model.new_int_var(0, 2, "")
            model.add_abs_equality(off, number[cell] - target // base)
            costs.append(off)
    most = sum(counts.values()) // base + len(counts)
    for cell in shape.implied:
        number[cell] = model.new_int_var(0, most, "")
    for equation in shape.equations:
        parts = cp_model.LinearExpr.sum([number[part] for part in equation.parts])
        if any(part in shape.implied for part in equation.parts):
            missing = model.new_int_var(0, most, "")
            costs.append(_DISAGREEMENT * missing)
            model.add(number[equation.whole] + missing == parts)
        else:
            model.add(number[equation.whole] == parts)
    model.minimize(cp_model.LinearExpr.sum(costs))
    solver = _solver()
    # Any rounding that agrees will do; a better one is only nearer to the draws.
    solver.parameters.relative_gap_limit = 0.05
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return {}
    return {cell: solver.value(number[cell]) * base for cell in shape.shown}


def feasible_ranges(
    shape: Shape, shown: Counts, unchanged: Counts | None = None, base: int | None = None
) -> dict[Cell, tuple[int, int]]:
    """For each count, shown or implied, the least and the most it can be for a reader of ``shown``.

    ``unchanged`` is what else was shown of counts that are as they were. A range is known in full only where it is
    under ``base``: of a wider one, two values that far apart have been seen. No ``shown`` is a range of one for all.
    """
    base = base or parameter("smallest_count")
    if not shown:
        return dict.fromkeys(shape.shown, (0, 0))
    model = cp_model.CpModel()
    number: dict[Cell, cp_model.IntVar] = {}
    bounds: dict[Cell, tuple[int, int]] = {}
    for cell in shape.shown:
        numbers = [shown[cell], *([unchanged[cell]] if unchanged and cell in unchanged else [])]
        bounds[cell] = max(0, *(n - base for n in numbers)), min(n + base for n in numbers)
        number[cell] = model.new_int_var(*bounds[cell], "")
        model.add_hint(number[cell], shown[cell])
    highest = sum(shown.values()) + base * len(shown)
    for cell in shape.implied:
        bounds[cell] = 0, highest
        number[cell] = model.new_int_var(*bounds[cell], "")
    for equation in shape.equations:
        model.add(number[equation.whole] == cp_model.LinearExpr.sum([number[part] for part in equation.parts]))
    seen: dict[Cell, tuple[int, int]] = {}
    moves = _Moves(shape, bounds)
    solver = _solver()

    def look(goal: cp_model.IntVar | None, upwards: bool) -> bool:
        if goal is not None:
            (model.maximize if upwards else model.minimize)(goal)
        if solver.solve(model) != cp_model.OPTIMAL and goal is not None:
            return False
        if solver.status_name() not in {"OPTIMAL", "FEASIBLE"}:
            return False
        for cell, (low, high) in moves.from_point({cell: solver.value(number[cell]) for cell in number}).items():
            least, most = seen.get(cell, (low, high))
            seen[cell] = (min(least, low), max(most, high))
        return True

    if not look(None, upwards=True):
        # No counts agree with what is shown: there is nothing a reader can rely on, and nothing to publish.
        return dict.fromkeys(shape.shown, (0, 0))
    cells = [*shape.shown, *shape.implied]
    for cell in cells:
        for upwards in (True, False):
            if seen[cell][1] - seen[cell][0] < base and not look(number[cell], upwards):
                seen[cell] = (0, 0)
    return {cell: seen[cell] for cell in cells}


class _Moves:
    """Counts that agree with what is shown, near to some that do: one count of a place moved, in one table or several.

    They only spare the solver questions: each is checked against every bound, and what they leave open it decides.
    """

    def __init__(self, shape: Shape, bounds: Mapping[Cell, tuple[int, int]]) -> None:
        self.cells = [*shape.shown, *shape.implied]
        self.least = np.array([bounds[cell][0] for cell in self.cells])
        self.most = np.array([bounds[cell][1] for cell in self.cells])
        free = [cell for cell in shape.shown if cell[1] != TOTAL and (cell[2] != TOTAL or cell[0] == UNKNOWN)]
        column = {cell: place for place, cell in enumerate(free)}
        rows: dict[Cell, np.ndarray] = dict(zip(free, np.eye(len(free), dtype=int), strict=True))
        for equation in shape.equations:
            absent = [part for part in equation.parts if part not in rows]
            if equation.whole not in rows:
                rows[equation.whole] = sum(rows[part] for part in equation.parts)
            elif absent:
                known = sum(rows[part] for part in equation.parts if part in rows)
                rows[absent[0]] = rows[equation.whole] - known
        steps = []
        for area, tier in sorted({cell[1:] for cell in free}):
            columns = [column[cell] for cell in free if cell[1:] == (area, tier)]
            every = [column[cell] for cell in free if cell[1:] == (area, tier) and cell[0] == OVERALL]
            unknown = [column[cell] for cell in free if cell[1] == area and cell[0] == UNKNOWN]
            alone = [*([c] for c in columns), *([c, *every] for c in columns), [*every, *unknown]]
            for chosen in [columns, [*columns, *unknown], *alone]:
                steps.append(np.bincount(sorted(set(chosen)), minlength=len(free)))
        moved = np.unique(np.array(steps), axis=0) @ np.array([rows[cell] for cell in self.cells]).T
        self.moved = np.concatenate([sign * size * moved for sign in (1, -1) for size in (5, 3, 2)])

    def from_point(self, point: Mapping[Cell, int]) -> dict[Cell, tuple[int, int]]:
        """The least and the most of each count among the moves from ``point``, itself one that agrees."""
        here = np.array([point[cell] for cell in self.cells])
        reached = here + self.moved
        reached = reached[((reached >= self.least) & (reached <= self.most)).all(axis=1)]
        low, high = (
            np.minimum(reached.min(axis=0, initial=2**40), here),
            np.maximum(reached.max(axis=0, initial=0), here),
        )
        return {cell: (int(a), int(b)) for cell, a, b in zip(self.cells, low, high, strict=True)}


def _solver() -> cp_model.CpSolver:
    """One thread and one seed: the same counts have the same answer."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_time_in_seconds = SOLVER_SECONDS
    return solver
