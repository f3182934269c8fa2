"""The card of a version (モデルカード): what it is for, what it is made of and why, how well it does, and its limits.

Everything is read from the definition in force, the record of its changes, the register of data items and the
publication in service. The public form has no counts, and no rate from which a count under five follows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from kodomo.contract import load_contracts
from kodomo.determination.service import reading
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.scoring.definition import CATEGORIES, Definition
from kodomo.scoring.versions import difficulties_of
from kodomo.seeds import read_seed
from kodomo.warehouse import records
from kodomo.workshop.drafts import Difference, DraftStore, KeptVersion, Step, compare
from kodomo.workshop.figures import SMALLEST
from kodomo.workshop.in_force import APPROVED
from kodomo.workshop.rows import definition_of

OVERALL = {
    "all": ("auc", "ppv", "recall", "lift", "false_positive_rate", "false_negative_rate", "completeness"),
    "capacity": ("ppv", "recall", "lift"),
}
"""Measures of the performance as a whole, by kind of group."""
COMPARED = ("sex", "age_band", "area", "nationality", "single_parent", "public_assistance", "disability")
"""Kinds of groups between which a version should not differ without a reason."""
FAIRNESS = dict.fromkeys(COMPARED, ("ppv", "false_positive_rate", "false_negative_rate", "completeness"))

_PERFORMANCE = """
select *
from warehouse.marts.bi_model_performance
where model_version = $version and is_latest and list_contains($kinds, group_kind)
order by difficulty_type, list_position($kinds, group_kind), list_position($measures, measure), group_label
"""


@dataclass(frozen=True)
class CardItem:
    """An item of a version. ``points``: label of the band, and difficulty type → coefficient; ``bases``: holder and
    legal basis of the data that it is made of."""

    category: str
    label: str
    points: tuple[tuple[str, Mapping[str, Any]], ...]
    reason: str
    source: str
    bases: tuple[str, ...]


@dataclass(frozen=True)
class CardType:
    """A difficulty type of a version: its label, ages in months (empty: every child), tiers with their thresholds from
    the gravest on, and overrides in words."""

    code: str
    label: str
    ages: tuple[tuple[int | None, int | None], ...]
    tiers: tuple[tuple[str, Any], ...]
    overrides: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Card:
    """The card of a version. ``changed_from``: the version that it was made from; ``steps``: those of its draft."""

    version: Mapping[str, Any]
    types: tuple[CardType, ...]
    items: tuple[CardItem, ...]
    performance: tuple[Mapping[str, Any], ...]
    fairness: tuple[Mapping[str, Any], ...]
    judged_from: dt.date | None
    judged_until: dt.date | None
    cautions: tuple[str, ...]
    changed_from: str
    before: KeptVersion | None
    after: KeptVersion
    differences: tuple[Difference, ...]
    steps: tuple[Step, ...]
    is_public: bool


def card_of(home: Home, drafts: DraftStore, version: str, date: dt.date, *, is_public: bool = False) -> Card:
    """The card of a version of the definition in force. ``date``: on which its status is said.

    Raises UnknownRecordError for one that is not in it.
    """
    after = drafts.kept(version)
    definition = definition_of(after.texts)
    row = next(row for row in drafts.in_force.versions(date) if row["model_version"] == version)
    steps, changed_from = _origin(drafts, definition, version)
    before = KeptVersion(changed_from, after.texts) if changed_from else None
    measured = _performance(home, version)
    shown = publishable(measured) if is_public else measured
    return Card(
        version=row,
        types=tuple(_types(definition, version)),
        items=tuple(_items(definition, version)),
        performance=_measured(shown, OVERALL),
        fairness=_measured(shown, FAIRNESS),
        judged_from=measured[0]["frozen_on"] if measured else None,
        judged_until=measured[0]["outcome_until"] if measured else None,
        cautions=tuple(sorted({one["caution_label"] for one in measured if one["caution_label"]})),
        changed_from=changed_from,
        before=before,
        after=after,
        differences=tuple(compare(before, after)) if before else (),
        steps=steps,
        is_public=is_public,
    )


def publishable(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of the rows of the performance those from which no count under five follows, nor by the difference to others.

    A rate is a count divided by another: both, and what is left of each, have to be five or more, or none. Groups of
    one kind add up to all children, so that a kind is shown whole or not at all.
    """
    rows = list(rows)
    small = {
        (one["difficulty_type"], one["group_kind"])
        for one in rows
        if any(0 < count < SMALLEST for count in _counts(one))
    }
    # The children of one capacity are among those of the next.
    nested = sorted((one for one in rows if one["group_kind"] == "capacity"), key=lambda one: one["flagged"] or 0)
    small |= {
        (one["difficulty_type"], one["group_kind"])
        for one, other in combinations(nested, 2)
        if one["difficulty_type"] == other["difficulty_type"]
        and any(0 < (other[name] or 0) - (one[name] or 0) < SMALLEST for name in ("flagged", "flagged_cases"))
    }
    return [one for one in rows if (one["difficulty_type"], one["group_kind"]) not in small]


def _measured(
    rows: Iterable[Mapping[str, Any]], wanted: Mapping[str, tuple[str, ...]]
) -> tuple[Mapping[str, Any], ...]:
    """The rows with a value of the wanted measures, by kind of group."""
    return tuple(
        one for one in rows if one["measure_value"] is not None and one["measure"] in wanted.get(one["group_kind"], ())
    )


def _counts(row: Mapping[str, Any]) -> list[int]:
    people, cases, flagged, both = (row[name] or 0 for name in ("people", "cases", "flagged", "flagged_cases"))
    counts = [people, cases, flagged, both, people - cases, people - flagged, cases - both, flagged - both]
    return [*counts, people - cases - flagged + both, row["base"] or 0]


def _performance(home: Home, version: str) -> list[dict[str, Any]]:
    """The rows of bi_model_performance of the last evaluation; none before the first batch that scored the version."""
    try:
        with reading(home) as (connection, _):
            given = {"version": version, "kinds": [*OVERALL, *FAIRNESS], "measures": [*OVERALL["all"]]}
            return records(connection, _PERFORMANCE, given)
    except KodomoError:
        # Nothing is in service yet.
        return []


def _origin(drafts: DraftStore, definition: Definition, version: str) -> tuple[tuple[Step, ...], str]:
    """The steps of the draft that became the version, and the version before it; of one of the seeds the version that
    scored a type of it and has ended, the last in the file."""
    for change in drafts.in_force.changes():
        if change.action == APPROVED and change.model_version == version and change.draft_id:
            draft = drafts.draft(change.draft_id)
            return draft.steps, draft.base_version
    types = difficulties_of(definition, version)
    earlier = ""
    for row in definition["risk_model_versions"]:
        if row["model_version"] == version:
            break
        if difficulties_of(definition, row["model_version"]) & types:
            earlier = row["model_version"]
    return (), earlier


def _types(definition: Definition, version: str) -> Iterable[CardType]:
    def own(table: str, difficulty: str) -> list[dict[str, Any]]:
        rows = definition[table]
        return [row for row in rows if (row["model_version"], row["difficulty_type"]) == (version, difficulty)]

    items = {row["item_code"]: row["label_ja"] or row["item_code"] for row in definition["risk_items"]}
    bands = {(row["item_code"], row["band_no"]): row["label_ja"] or "—" for row in definition["risk_bands"]}
    for row in read_seed("difficulty_types"):
        difficulty = row["difficulty_type"]
        tiers = sorted(own("risk_tiers", difficulty), key=lambda tier: -(tier["tier_rank"] or 0))
        labels = {tier["tier"]: tier["label_ja"] or tier["tier"] for tier in tiers}
        if tiers:
            yield CardType(
                difficulty,
                row["label_ja"],
                tuple((one["age_from_months"], one["age_to_months"]) for one in own("risk_targets", difficulty)),
                tuple((labels[tier["tier"]], tier["min_score"]) for tier in tiers),
                tuple(
                    (
                        items.get(one["item_code"], one["item_code"]),
                        bands.get((one["item_code"], one["band_no"]), "—"),
                        labels.get(one["at_least_tier"], one["at_least_tier"]),
                    )
                    for one in own("risk_overrides", difficulty)
                ),
            )


def _items(definition: Definition, version: str) -> Iterable[CardItem]:
    """The items with a coefficient in the version, by category, in the order of their file."""
    points: dict[str, dict[int, dict[str, Any]]] = {}
    for row in definition["risk_coefficients"]:
        if row["model_version"] == version:
            points.setdefault(row["item_code"], {}).setdefault(row["band_no"], {})[row["difficulty_type"]] = row[
                "coefficient"
            ]
    labels = {(row["item_code"], row["band_no"]): row["label_ja"] or "—" for row in definition["risk_bands"]}
    bases = _bases()
    order = {category: place for place, category in enumerate(CATEGORIES)}
    used = [row for row in definition["risk_items"] if row["item_code"] in points]
    for row in sorted(used, key=lambda row: order.get(row["category"], len(order))):
        code = row["item_code"]
        yield CardItem(
            row["category"] or "—",
            row["label_ja"] or code,
            tuple((labels.get((code, band), "—"), of_band) for band, of_band in sorted(points[code].items())),
            row["reason_ja"] or "",
            row["source_ja"] or "",
            bases.get(row["observation_code"], ()) if row["kind"] == "observation" else (),
        )


def _bases() -> dict[str, tuple[str, ...]]:
    """Observation code → holder, source and legal basis of each data item that it is read from, each said once."""
    contracts = load_contracts()
    bases = {}
    for row in read_seed("observation_codes"):
        contract = contracts.get(row["source_id"])
        names = row["column_names"].split("|") if contract else ()
        said = [
            f"{contract.label}（{contract.holder_ja}）：{column.register.get('legal_basis') or '—'}"
            for column in (contract.columns if contract else ())
            if column.name in names
        ]
        bases[row["observation_code"]] = tuple(dict.fromkeys(said))
    return bases
