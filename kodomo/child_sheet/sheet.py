"""The sheet of one child as typed values, read from the tables of the reader's scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Rows = Callable[[str, str, Iterable[Any]], list[dict[str, Any]]]
"""Rows of a ``bi_`` table of the scope: table, condition, values of the condition. None where the scope lacks it."""
OF_THE_CHILD = "person_id = ?"


@dataclass(frozen=True)
class Item:
    """What adds to or takes from a score: one row of ``bi_contribution``. ``points`` is None where none are shown."""

    code: str
    label: str
    band: str
    points: Decimal | None
    is_counted: bool
    source: str
    holder: str


@dataclass(frozen=True)
class TypeScore:
    """Score and tier in one difficulty type, by one model version, with what it is made of, largest first."""

    model_version: str
    difficulty_type: str
    label: str
    score: Decimal | None
    tier: str
    tier_label: str
    is_trial: bool
    is_override: bool
    completeness: Decimal | None
    items: tuple[Item, ...]


@dataclass(frozen=True)
class ChildSheet:
    """Everything that a scope sees of one child. ``child`` is its row of ``bi_child``."""

    child: Mapping[str, Any]
    types: tuple[TypeScore, ...]
    other_items: tuple[Item, ...]
    """Items of an audience that sees facts but no difficulty types."""


def read_sheet(rows: Rows, child: Mapping[str, Any]) -> ChildSheet:
    """The sheet of a child of the scope, from the scope's own tables; what they lack is empty."""
    person_id = child["person_id"]
    contributions = rows("bi_contribution", OF_THE_CHILD, [person_id])
    types = [
        _type_score(row, [part for part in contributions if _is_of(part, row)])
        for row in sorted(rows("bi_child_tier", OF_THE_CHILD, [person_id]), key=_order_of_type)
    ]
    items = _items(row for row in contributions if not row.get("difficulty_type"))
    return ChildSheet(child, tuple(types), tuple({(item.label, item.band): item for item in items}.values()))


def _order_of_type(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return not row["is_active_version"], row["difficulty_order"], row["model_version"]


def _is_of(contribution: Mapping[str, Any], tier: Mapping[str, Any]) -> bool:
    return all(contribution.get(name) == tier[name] for name in ("model_version", "difficulty_type"))


def _type_score(row: Mapping[str, Any], contributions: Iterable[Mapping[str, Any]]) -> TypeScore:
    return TypeScore(
        model_version=row["model_version"],
        difficulty_type=row["difficulty_type"],
        label=row["difficulty_label"],
        score=row["score"],
        tier=row["tier"],
        tier_label=row["tier_label"],
        is_trial=not row["is_active_version"],
        is_override=bool(row["is_override"]),
        completeness=row["completeness"],
        items=_items(contributions),
    )


def _items(contributions: Iterable[Mapping[str, Any]]) -> tuple[Item, ...]:
    """Items by size, those that are not counted last."""
    items = [
        Item(
            code=row["item_code"],
            label=row["item_label"],
            band=row["band_label"],
            points=row.get("coefficient"),
            is_counted=bool(row.get("is_counted", True)),
            source=row["source_label"],
            holder=row["holder_label"],
        )
        for row in contributions
    ]
    return tuple(sorted(items, key=lambda item: (not item.is_counted, -abs(item.points or 0), item.label, item.band)))
