"""What a determination says of each child, as dataclasses over the rows of the views ``determination_*``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import duckdb

from kodomo.determination.heard import HEARD, HEARD_LABEL, Observation, source_label
from kodomo.entries.changes import Change, change_of
from kodomo.japanese import japanese_date
from kodomo.publication.inputs import TARGETS
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE, CompiledModels, moved_to
from kodomo.warehouse import records

DETERMINED = (PARAMETERS, "marts.dim_child", *(f"intermediate.int_risk__{name}" for name in ("subjects", "values")))
"""What the views read of a determination besides its targets; everything else is what is in service."""


@dataclass(frozen=True)
class Source:
    """Where a contribution comes from: a delivery and its lines; neither id nor date for what was just heard."""

    label: str
    delivery_id: str | None
    delivered_on: dt.date | None
    lines: list[str]

    @property
    def text(self) -> str:
        """For people: source, date of delivery, lines."""
        if self.delivery_id is None:
            return self.label
        return f"{self.label} {japanese_date(self.delivered_on)}納品 {','.join(self.lines)}行目"


@dataclass(frozen=True)
class KnownBy:
    """A way in which a service knows the child."""

    way: str
    way_label: str
    holder_label: str
    known_on: dt.date


@dataclass(frozen=True)
class Score:
    """Points and tier of one model version and difficulty type; ``…_before``: in service, None where not scored."""

    model_version: str
    status: str
    difficulty_type: str
    difficulty_label: str
    score: Decimal
    tier: str
    tier_label: str
    is_override: bool
    completeness: Decimal | None
    score_before: Decimal | None
    tier_before: str | None
    tier_label_before: str | None
    is_changed: bool


@dataclass(frozen=True)
class Contribution:
    """Points of one item; ``change``: same, new, changed or gone, compared with what is in service."""

    model_version: str
    difficulty_type: str
    item_code: str
    band_no: int | None
    raw_value: Decimal | None
    coefficient: Decimal
    is_counted: bool
    evidence: str | None
    change: str
    difficulty_label: str
    item_label: str
    category: str | None
    band_label: str | None
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Chain:
    """A chain of cases; ``path``: the names of ``path_ids``, None where the reader may not see them."""

    chain_type: str
    steps: int
    path_ids: list[str]
    path: list[str] | None
    is_dv_protected: bool
    end_person_id: str
    case_source_id: str | None
    case_on: dt.date
    chain_label: str
    case_source_label: str


@dataclass(frozen=True)
class Priority:
    """Priority, and the place among all children in service (1: most urgent)."""

    tier: str
    tier_label: str | None
    total_score: Decimal
    priority_class: str
    due_days: int
    priority_rank: int
    priority_class_before: str | None
    priority_rank_before: int | None


@dataclass(frozen=True)
class SupportContent:
    """Support that the rules suggest."""

    support_code: str
    content_ja: str
    difficulty_labels: str | None


@dataclass(frozen=True)
class MissingItem:
    """An item that applies at this age, of which nothing is on record."""

    item_code: str
    item_label: str
    category: str | None
    source_id: str | None
    difficulty_labels: str | None
    source_label: str


@dataclass(frozen=True)
class Unanswered:
    """How many items a source cannot answer, and why."""

    source_id: str
    reason: str
    items: int
    item_labels: str


@dataclass(frozen=True)
class ChildResult:
    """One child of a determination. A field without a value is not known."""

    person_id: str
    display_name: str
    kana: str | None
    birth_on: dt.date | None
    expected_birth_on: dt.date | None
    sex: str | None
    is_unborn: bool
    age_months: int | None
    area_code: str | None
    area_name: str | None
    household_id: str | None
    is_known_to_services: bool
    is_dv_protected: bool
    due_by_on: dt.date | None
    known_by: tuple[KnownBy, ...]
    scores: tuple[Score, ...]
    contributions: tuple[Contribution, ...]
    chains: tuple[Chain, ...]
    priority: Priority | None
    support_contents: tuple[SupportContent, ...]
    missing: tuple[MissingItem, ...]
    unanswered: tuple[Unanswered, ...]
    changes: tuple[Change, ...] = ()
    """Since the last batch before the as-of date, and since the last decision."""


@dataclass(frozen=True)
class Determination:
    """The result for the children of a person, household or family, most recently born first."""

    as_of_on: dt.date
    built_on: dt.date
    publication: str
    scope: str
    heard: tuple[Observation, ...]
    children: tuple[ChildResult, ...]
    milliseconds: int = field(default=0, compare=False)


Part = TypeVar("Part")


def read_results(connection: duckdb.DuckDBPyConnection, models: CompiledModels) -> list[ChildResult]:
    """The children whose scores stand in ``scratch``. ``models``: those of the publication, with the views."""
    deliveries = records(connection, f"select delivery_id, source_id, delivered_on from {WAREHOUSE}.raw.deliveries")
    received = {row["delivery_id"]: row for row in deliveries}

    def contribution(**row: Any) -> Contribution:
        return Contribution(**row, sources=_sources(row["evidence"], received))

    def read(name: str, make: Callable[..., Part]) -> dict[str, tuple[Part, ...]]:
        parts: dict[str, tuple[Part, ...]] = {}
        for row in _rows(connection, models, name):
            person_id = row.pop("person_id")
            parts[person_id] = (*parts.get(person_id, ()), make(**row))
        return parts

    known_by, scores = read("known_by", KnownBy), read("score", Score)
    contributions, chains = read("contribution", contribution), read("chain", Chain)
    priorities, contents = read("priority", Priority), read("support_content", SupportContent)
    missing, unanswered = read("missing", MissingItem), read("unanswered", Unanswered)
    changes = read("change", lambda **row: change_of(row))
    return [
        ChildResult(
            **row,
            known_by=known_by.get(row["person_id"], ()),
            scores=scores.get(row["person_id"], ()),
            contributions=contributions.get(row["person_id"], ()),
            chains=chains.get(row["person_id"], ()),
            priority=next(iter(priorities.get(row["person_id"], ())), None),
            support_contents=contents.get(row["person_id"], ()),
            missing=missing.get(row["person_id"], ()),
            unanswered=unanswered.get(row["person_id"], ()),
            changes=changes.get(row["person_id"], ()),
        )
        for row in _rows(connection, models, "child")
    ]


def _rows(connection: duckdb.DuckDBPyConnection, models: CompiledModels, name: str) -> list[dict[str, Any]]:
    sql = models.statements[f"marts.determination_{name}"]
    return records(connection, moved_to(sql, SCRATCH, {*DETERMINED, *TARGETS}))


def _sources(evidence: str | None, received: dict[str, dict[str, Any]]) -> tuple[Source, ...]:
    """The places of ``evidence`` (delivery:line, joined by ``|``) by delivery. ``received``: the deliveries by id."""
    lines_by_delivery: dict[str, list[str]] = {}
    for place in filter(None, (evidence or "").split("|")):
        delivery_id, _, line = place.rpartition(":")
        lines = lines_by_delivery.setdefault(delivery_id, [])
        if line not in lines:
            lines.append(line)
    return tuple(
        Source(HEARD_LABEL, None, None, lines)
        if delivery_id == HEARD
        else Source(
            source_label(received[delivery_id]["source_id"]),
            delivery_id,
            received[delivery_id]["delivered_on"],
            lines,
        )
        for delivery_id, lines in lines_by_delivery.items()
    )
