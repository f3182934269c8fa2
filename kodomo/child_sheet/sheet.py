"""The sheet of one child as typed values, read from the tables of the reader's scope."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kodomo.child_sheet.genogram import Family, read_family
from kodomo.child_sheet.timeline import Timeline, read_timeline
from kodomo.entries.changes import Change, read_changes
from kodomo.entries.disputes import Place
from kodomo.japanese import japanese_date

TABLES = (
    "bi_child_tier",
    "bi_contribution",
    "bi_item_fact",
    "bi_unanswered",
    "bi_score_history",
    "bi_change",
    "bi_chain",
    "bi_chain_step",
    "bi_family_member",
    "bi_family_sheet",
    "bi_observation",
    "bi_attendance",
)
"""What a sheet is read from."""
MOST_REASONS = 3
MOST_FACTS = 3
"""An item of more facts, such as the months of a year, is said by its own name."""
SELF = "本人"


@dataclass(frozen=True)
class Fact:
    """One fact behind an item: whose, what, when, and with which delivery it came."""

    relation: str
    label: str
    value: str
    observed_on: dt.date | None
    ended_on: dt.date | None
    source: str
    delivered_on: dt.date | None
    person_id: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)
    """Where it stands in what is in service; None where that is withheld."""

    @property
    def words(self) -> str:
        """The fact in words: 母の生活保護 2024年4月1日から2025年3月31日まで."""
        whose = "" if self.relation in {"", SELF} else f"{self.relation}の"
        what = f"{self.label} {self.value}" if self.value and self.value not in self.label else self.label
        until = f"から{japanese_date(self.ended_on)}まで" if self.ended_on and self.ended_on != self.observed_on else ""
        return f"{whose}{what} {japanese_date(self.observed_on)}{until}".strip()


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
    facts: tuple[Fact, ...] = ()
    ways: tuple[str, ...] = ()
    """Of a chain, its ways in words."""

    @property
    def words(self) -> str:
        """The item by its newest fact, or by its own name: where many facts make it, or none."""
        if 0 < len(self.facts) <= MOST_FACTS:
            more = f"ほか{len(self.facts) - 1}件" if len(self.facts) > 1 else ""
            return f"{self.facts[0].words}{more}"
        if self.ways:
            more = f"ほか{len(self.ways) - 1}人" if len(self.ways) > 1 else ""
            return f"{self.label}（{self.ways[0]}{more}）"
        return self.label if self.band in {"", "—", "あり", "該当"} else f"{self.label}（{self.band}）"


@dataclass(frozen=True)
class Unanswered:
    """What of a score a source cannot answer."""

    reason: str
    source: str
    items: int
    item_labels: str


@dataclass(frozen=True)
class TypeScore:
    """Score and tier in one difficulty type, by one model version, with what it is made of, largest first.

    ``threshold`` is the score from which ``threshold_label`` begins. ``before`` is the score of the as-of date before.
    """

    model_version: str
    difficulty_type: str
    label: str
    score: Decimal | None
    tier: str
    tier_label: str
    threshold: Decimal | None
    threshold_label: str
    is_trial: bool
    is_override: bool
    completeness: Decimal | None
    items: tuple[Item, ...]
    before: Score | None = None

    @property
    def reasons(self) -> list[Item]:
        """The largest items that count towards the score."""
        return [item for item in self.items if item.is_counted and (item.points or 0) > 0][:MOST_REASONS]

    @property
    def unseen(self) -> Decimal:
        """What the score holds beyond the items that the reader sees."""
        seen = sum((item.points or Decimal(0) for item in self.items if item.is_counted), Decimal(0))
        return Decimal(0) if self.score is None else self.score - seen

    @property
    def change(self) -> Decimal | None:
        """The difference from the score before; None where none is on file."""
        return None if self.before is None or self.score is None else self.score - self.before.score


@dataclass(frozen=True)
class Score:
    """The score of one as-of date."""

    scored_on: dt.date
    label: str
    score: Decimal
    tier: str
    tier_label: str


@dataclass(frozen=True)
class Step:
    """One person on the way of a chain: what the person is to the one before, and to the child."""

    name: str
    from_before: str
    relation: str


@dataclass(frozen=True)
class Chain:
    """A chain from the child to a case. Without ``steps`` its way is withheld."""

    label: str
    steps: tuple[Step, ...]
    case: str
    case_on: dt.date | None

    @property
    def words(self) -> str:
        """母 → 母の元夫 → その子（異父兄）: each by what it is to the child, the end to the one before too."""
        words = []
        for number, step in enumerate(self.steps):
            is_end = 0 < number == len(self.steps) - 1
            if is_end and step.relation:
                words.append(f"その{step.from_before}（{step.relation}）")
            else:
                words.append(step.relation or (f"その{step.from_before}" if number else step.from_before))
        return " → ".join(words)


@dataclass(frozen=True)
class Relative:
    """One row of the family sheet. Residence and times of living together are empty where they are withheld."""

    relation: str
    name: str
    birth_on: dt.date | None
    residence: str
    together_from: dt.date | None
    together_until: dt.date | None
    cases: int
    last_case_on: dt.date | None


@dataclass(frozen=True)
class ChildSheet:
    """Everything that a scope sees of one child. ``child`` is its row of ``bi_child``."""

    child: Mapping[str, Any]
    types: tuple[TypeScore, ...]
    other_items: tuple[Item, ...]
    """Items of an audience that sees facts but no difficulty types."""
    unanswered: tuple[Unanswered, ...]
    history: tuple[tuple[dt.date, tuple[Score, ...]], ...]
    """Scores of the active version by as-of date, newest first."""
    chains: tuple[Chain, ...]
    family: Family | None
    relatives: tuple[Relative, ...]
    timeline: Timeline
    changes: tuple[Change, ...] = ()
    """What moved the child since the last batch and since the last decision."""

    @property
    def facts(self) -> dict[str, Fact]:
        """The facts behind all items whose place may be known, by the key of the place."""
        items = [*(item for score in self.types for item in score.items), *self.other_items]
        return {fact.place.key: fact for item in items for fact in item.facts if fact.place is not None}

    @property
    def active(self) -> list[TypeScore]:
        """The types that are in force."""
        return [score for score in self.types if not score.is_trial]


def read_sheet(tables: Mapping[str, list[dict[str, Any]]], child: Mapping[str, Any]) -> ChildSheet:
    """The sheet of a child from the rows about it, by table, as the reader's scope has them; what it lacks is empty."""

    def rows(name: str) -> list[dict[str, Any]]:
        return tables.get(name, [])

    contributions = rows("bi_contribution")
    observations = rows("bi_observation")
    facts = _facts(rows("bi_item_fact"), contributions, observations)
    edges, steps = rows("bi_family_member"), rows("bi_chain_step")
    chains = _chains(rows("bi_chain"), steps)
    ways: dict[str, list[str]] = defaultdict(list)
    for chain in chains:
        ways[chain.label].extend([chain.words] if chain.words else [])
    history = _history(rows("bi_score_history"))
    types = [
        _type_score(row, [part for part in contributions if _is_of(part, row)], facts, ways, history)
        for row in sorted(rows("bi_child_tier"), key=_order_of_type)
    ]
    items = _items((row for row in contributions if not row.get("difficulty_type")), facts, ways)
    by_date = itertools.groupby(history, key=lambda score: score.scored_on)
    return ChildSheet(
        child=child,
        types=tuple(types),
        other_items=tuple({(item.label, item.band): item for item in items}.values()),
        unanswered=_unanswered(rows("bi_unanswered")),
        history=tuple((scored_on, tuple(scores)) for scored_on, scores in by_date),
        chains=chains,
        family=read_family(child, edges, rows("bi_family_sheet"), steps) if edges or steps else None,
        relatives=_relatives(rows("bi_family_sheet")),
        timeline=read_timeline(child, observations, rows("bi_attendance")),
        changes=tuple(read_changes(rows("bi_change"), {child["person_id"]: child}).get(child["person_id"], ())),
    )


def _order_of_type(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return not row["is_active_version"], row["difficulty_order"], row["model_version"]


def _is_of(contribution: Mapping[str, Any], tier: Mapping[str, Any]) -> bool:
    return all(contribution.get(name) == tier[name] for name in ("model_version", "difficulty_type"))


def _type_score(
    row: Mapping[str, Any],
    contributions: Iterable[Mapping[str, Any]],
    facts: Mapping[str, list[Fact]],
    ways: Mapping[str, list[str]],
    history: Iterable[Score],
) -> TypeScore:
    earlier = [s for s in history if s.label == row["difficulty_label"] and s.scored_on < row["as_of_on"]]
    return TypeScore(
        model_version=row["model_version"],
        difficulty_type=row["difficulty_type"],
        label=row["difficulty_label"],
        score=row["score"],
        tier=row["tier"],
        tier_label=row["tier_label"],
        threshold=row.get("threshold"),
        threshold_label=row.get("threshold_label") or "",
        is_trial=not row["is_active_version"],
        is_override=bool(row["is_override"]),
        completeness=row["completeness"],
        items=_items(contributions, facts, ways),
        before=earlier[0] if earlier and row["is_active_version"] else None,
    )


def _items(
    contributions: Iterable[Mapping[str, Any]], facts: Mapping[str, list[Fact]], ways: Mapping[str, list[str]]
) -> tuple[Item, ...]:
    """Items by size, those that are not counted last."""
    items = [
        Item(
            code=row["item_code"],
            label=row["item_label"],
            band=row["band_label"] or "",
            points=row.get("coefficient"),
            is_counted=bool(row.get("is_counted", True)),
            source=row["source_label"],
            holder=row["holder_label"],
            facts=tuple(facts.get(row["item_code"], ())),
            # The item of a chain is called as the chain is.
            ways=tuple(ways.get(row["item_label"], ())),
        )
        for row in contributions
    ]
    return tuple(sorted(items, key=lambda item: (not item.is_counted, -abs(item.points or 0), item.label, item.band)))


def _facts(
    rows: Iterable[Mapping[str, Any]],
    contributions: Iterable[Mapping[str, Any]],
    observations: Iterable[Mapping[str, Any]],
) -> dict[str, list[Fact]]:
    """Facts by item, newest first. A scope that has none of relatives has those of the child's own time line."""
    facts_by_item: dict[str, set[Fact]] = defaultdict(set)
    for row in rows:
        facts_by_item[row["item_code"]].add(
            Fact(
                row.get("fact_relation_label") or "",
                row["fact_label"],
                row.get("fact_value_label") or "",
                row["observed_on"],
                row["ended_on"],
                row["source_label"],
                row["delivered_on"],
                row.get("fact_person_id") or "",
                Place.of_row(row),
            )
        )
    if not facts_by_item:
        own: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for row in observations:
            if row.get("delivery_id"):
                own[f"{row['delivery_id']}:{row['line_number']}"].append(row)
        for part in contributions:
            for place in (part.get("evidence") or "").split("、"):
                for row in own.get(place, ()):
                    if row["observation_code"] == part.get("observation_code"):
                        facts_by_item[part["item_code"]].add(_own_fact(row))
    return {
        code: sorted(facts, key=lambda f: (f.observed_on or dt.date.min, f.words), reverse=True)
        for code, facts in facts_by_item.items()
    }


def _own_fact(row: Mapping[str, Any]) -> Fact:
    value = row.get("value_label") or ""
    return Fact(
        SELF,
        row["observation_label"],
        "" if value == "該当" else value,
        row["observed_on"],
        row["ended_on"],
        row["source_label"],
        None,
        row.get("person_id") or "",
        Place.of_row(row),
    )


def _unanswered(rows: Iterable[Mapping[str, Any]]) -> tuple[Unanswered, ...]:
    """What sources cannot answer, each reason once: the items of several types and versions together."""
    labels_by_gap: dict[tuple[str, str], set[str]] = defaultdict(set)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        key = (row["reason"] or "", row["source_label"] or "")
        labels_by_gap[key].update(filter(None, (row["item_labels"] or "").split("、")))
        counts[key] = max(counts[key], row["items"] or 0)
    return tuple(
        Unanswered(reason, source, max(counts[reason, source], len(labels)), "、".join(sorted(labels)))
        for (reason, source), labels in sorted(labels_by_gap.items(), key=lambda entry: (-counts[entry[0]], entry[0]))
    )


def _history(rows: Iterable[Mapping[str, Any]]) -> list[Score]:
    scores = [
        Score(row["scored_on"], row["difficulty_label"], row["score"], row["tier"], row["tier_label"]) for row in rows
    ]
    return sorted(scores, key=lambda score: (-score.scored_on.toordinal(), score.label))


def _relatives(rows: Iterable[Mapping[str, Any]]) -> tuple[Relative, ...]:
    """The family sheet, the nearest first."""
    return tuple(
        Relative(
            row["relation_label"],
            row["relative_label"],
            row["relative_birth_on"],
            row["residence_label"] or "",
            row["lived_together_from"],
            row["lived_together_until"],
            int(row["case_count"] or 0),
            row["last_case_on"],
        )
        for row in sorted(rows, key=lambda row: (row["relation_rank"], row["relation_label"], row["relative_id"]))
    )


def _from_before(row: Mapping[str, Any]) -> str:
    """What a person is to the one before on a way."""
    sex, is_over = row.get("step_sex"), bool(row.get("step_link_is_over"))
    match row.get("step_link"):
        case "parent":
            adoptive = "養" if row.get("step_link_kind") == "adoptive" else ""
            return adoptive + {"男": "父", "女": "母"}.get(sex or "", "親")
        case "child":
            return "養子" if row.get("step_link_kind") == "adoptive" else "子"
        case "partner":
            if row.get("step_link_kind") == "unregistered":
                return ("元" if is_over else "") + "内縁の相手"
            return ("元" if is_over else "") + {"男": "夫", "女": "妻"}.get(sex or "", "配偶者")
        case "housemate":
            return "元同居人" if is_over else "同居人"
    return "家族"


def _chains(rows: Iterable[Mapping[str, Any]], steps: Iterable[Mapping[str, Any]]) -> tuple[Chain, ...]:
    ways: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for step in steps:
        if step.get("step_person_id") and step["step_no"] > 0:
            ways[step["chain_type"], step["end_person_id"]].append(step)
    return tuple(
        Chain(
            row["chain_type_label"],
            tuple(
                Step(step["step_label"], _from_before(step), step.get("step_relation_label") or "")
                for step in sorted(ways[row["chain_type"], row["end_person_id"]], key=lambda step: step["step_no"])
            ),
            row["case_source_label"],
            row["case_on"],
        )
        for row in sorted(rows, key=lambda row: (row["chain_type"], row["steps"], -row["case_on"].toordinal()))
    )
