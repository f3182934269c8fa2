"""A proposal of integer coefficients from cases, written as a definition to look at: proposed, never applied."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kodomo.errors import KodomoError, UsageError
from kodomo.evaluation.evidence import FEW_CASES, Cohort, cohort
from kodomo.evaluation.fitting import (
    Judgement,
    Scorecard,
    auc_difference,
    fit_boosted,
    fit_exact,
    fit_penalised,
    fit_rounded,
    fit_unconstrained,
    judge,
    parts,
)
from kodomo.home import Home
from kodomo.messages import Translate, english
from kodomo.parameters import labels
from kodomo.scoring.definition import REQUIRED_COLUMNS, RULES, TABLES, read_definition
from kodomo.scoring.replay import SCRATCH, WAREHOUSE
from kodomo.seeds import SEEDS, column_types

ENOUGH_CASES = 100
"""Below that, what is proposed is for show: ten cases for each of ten bands (Peduzzi et al. 1996)."""
MOST_BELOW = 0.02
"""AUC that a proposal may be below the better unconstrained model."""
LEAST_EXPOSED = 5
REPORT = "report.json"
"""The figures of a proposal, beside its files."""
EXACT_SECONDS = 10.0
FREEZES = 3
"""How many past dates are pooled at least where none is given, twelve months apart: one year has too few cases."""
MOST_FREEZES = 8
"""Older dates are pooled until there are ``ENOUGH_CASES``, but no more dates than this."""
KEPT_SHARE = 1 / 3
"""An older date with less than this share of the cases of the others has no records to learn from yet."""
CARRIED_REASON = "事案からつくる項目のため学習せず、それまでの版の点を換算して引き継ぐ"
TIERS = tuple((tier, rank, label) for rank, (tier, label) in zip((3, 2, 1), labels("tier").items(), strict=True))


@dataclass(frozen=True)
class Learned:
    """What a model is fitted to: children at one or more past dates."""

    features: np.ndarray
    outcomes: np.ndarray
    people: np.ndarray
    """Number of the person of each row: a child present at two dates has one number."""
    dates: np.ndarray
    """Position of the date at which the features were frozen."""
    bands: list[tuple[str, int]]
    hand_made: np.ndarray
    """Score of the active version at the freeze; not a number where there is none."""
    hand_made_version: str | None
    refused: frozenset[str]
    """Items that may not be evidence for this difficulty type."""
    carried: np.ndarray
    """The part of that score which comes from items that are refused as evidence; groups and caps are in it."""
    unrecorded: tuple[tuple[str, int], ...] = ()
    """Bands for missing values that are left out, because the records were not kept yet."""


@dataclass(frozen=True)
class Proposal:
    """The proposed model, and its evaluation on children that each model was not fitted to."""

    difficulty_type: str
    model_version: str
    method: str
    frozen_on: list[dt.date]
    children: int
    cases: int
    bands_considered: int
    coefficients: list[dict[str, Any]]
    """Item, band, its label, points, and how many met it and became a case."""
    carried: list[dict[str, Any]]
    """Items made from cases: not learned, their hand-made points in the proposal's units."""
    exact_gap: float | None
    judgements: list[Judgement]
    shortfall: float
    """AUC of the better unconstrained model minus that of the proposal, on the same parts of the same children."""
    comparisons: list[dict[str, Any]]
    """AUC of the proposal minus that of each other model, with its 95 % interval (paired, DeLong)."""
    unrecorded: list[tuple[str, int]]
    """Bands for missing values that are left out, because the records were not kept yet."""
    out: str
    warnings: tuple[str, ...] = ()


def propose(
    home: Home,
    difficulty_type: str,
    out: Path,
    frozen_on: Sequence[dt.date] = (),
    definition: Path | None = None,
    capacity: int | None = None,
    *,
    may_lower: bool = False,
    translated: Translate = english,
    present: Path = SEEDS,
) -> Proposal:
    """Fit integer coefficients for a difficulty type and write them to ``out`` as a definition with its report.

    ``frozen_on``: dates at which features are frozen (several are pooled); default: ``FREEZES`` dates, twelve months
    apart, the last of them twelve months before the build, and older ones while there are fewer than ``ENOUGH_CASES``
    cases. Items made from cases cannot be learned from cases: they
    keep the points of the version in force, in the units of the proposal.
    ``capacity``: how many children the gravest tier shall hold; default: the second of the meeting's capacities.
    ``may_lower``: points below 0 as well, for bands that seem to protect.
    ``translated``: gives the report in the language of its reader. ``present``: the folder of the definition in force.
    A proposal from the items in force is kept in the home as well, the last one of each type, for drafts.
    Raises KodomoError where there are too few cases to learn from.
    """
    from threadpoolctl import threadpool_limits

    if out.exists() and any(out.iterdir()):
        raise UsageError("{out} is not empty: name a new folder, so that nothing is mixed or lost.", out=out)
    given = read_definition(definition or present)
    if difficulty_type not in {row["difficulty_type"] for row in given["risk_tiers"]}:
        known = ", ".join(sorted({row["difficulty_type"] for row in given["risk_tiers"]}))
        raise UsageError(
            "There is no difficulty type {difficulty_type}: it must be one of {known}.",
            difficulty_type=difficulty_type,
            known=known,
        )
    learned, dates, warnings, capacities = learn(home, difficulty_type, frozen_on, definition)
    cases = int(learned.outcomes.sum())
    if cases < FEW_CASES:
        raise KodomoError(
            "{cases} children became a case of {difficulty_type}: at least {few_cases} are needed to "
            "learn from. Give several dates (--as-of, more than once).",
            cases=cases,
            difficulty_type=difficulty_type,
            few_cases=FEW_CASES,
        )
    # Small matrices: threads that wait for each other take longer than the work.
    with threadpool_limits(limits=1):
        judgements, predicted = _judge_all(learned, capacities, may_lower)
        penalised = fit_penalised(learned.features, learned.outcomes, learned.people, may_lower=may_lower)
        cards = {
            "rounded": fit_rounded(learned.features, learned.outcomes, penalised),
            "exact": fit_exact(learned.features, learned.outcomes, penalised, EXACT_SECONDS),
        }
    by_name = {judgement.name: judgement for judgement in judgements}
    method = max(cards, key=lambda name: by_name[name].auc or 0)
    card = cards[method]
    version = f"proposal-{difficulty_type}-{dates[-1]:%Y%m%d}"
    coefficients = _coefficients(learned, card, _labels(given))
    if not coefficients:
        raise KodomoError("No item has anything to do with becoming a case here: there is nothing to propose.")
    ratio = _ratio(learned, card, np.arange(len(learned.outcomes)))
    carried = _carried(given, learned, difficulty_type, ratio)
    thresholds = _thresholds(
        learned,
        card.scores(learned.features) + ratio * learned.carried,
        capacity or capacities[min(1, len(capacities) - 1)],
        capacities[-1],
    )
    ceiling = max(by_name[name].auc or 0 for name in ("unconstrained", "boosted"))
    proposal = Proposal(
        difficulty_type=difficulty_type,
        model_version=version,
        method=method,
        frozen_on=dates,
        children=len(learned.outcomes),
        cases=cases,
        bands_considered=len(learned.bands),
        coefficients=coefficients,
        carried=carried,
        exact_gap=cards["exact"].gap,
        judgements=judgements,
        shortfall=ceiling - (by_name[method].auc or 0),
        comparisons=_comparisons(learned, method, predicted),
        unrecorded=list(learned.unrecorded),
        out=str(out),
        warnings=warnings,
    )
    _write(proposal, given, learned.hand_made_version, thresholds, ratio, out, translated)
    if definition is None:
        _keep(home, difficulty_type, out)
    return proposal


def learn(
    home: Home, difficulty_type: str, frozen_on: Sequence[dt.date], definition: Path | None
) -> tuple[Learned, list[dt.date], tuple[str, ...], list[int]]:
    """What a proposal is fitted to (see ``propose``), the dates, earliest first, warnings, the meeting's capacities."""
    tables: list[dict[str, Any]] = []
    dates: list[dt.date] = []
    warnings: list[str] = []
    capacities: list[int] = []
    given = sorted(set(frozen_on), reverse=True)
    for number in range(len(given) or MOST_FREEZES):
        wanted = given[number] if given else _years_before(dates[0], number) if dates else None
        with cohort(home, wanted, definition) as evaluated:
            warnings += [warning for warning in evaluated.warnings if warning not in warnings]
            if evaluated.frozen_on in dates:
                continue
            table = _table(evaluated, difficulty_type, SCRATCH if definition else WAREHOUSE)
            capacities = [
                row[0]
                for row in evaluated.connection.execute(
                    "select capacity from warehouse.seeds.meeting_capacities order by capacity"
                ).fetchall()
            ]
        cases = [float(earlier["outcomes"].sum()) for earlier in tables]
        is_more = not given and number >= FREEZES
        if is_more and table["outcomes"].sum() < KEPT_SHARE * np.mean(cases):
            break
        dates.append(evaluated.frozen_on)
        tables.append(table)
        if not given and len(tables) >= FREEZES and sum(cases) + table["outcomes"].sum() >= ENOUGH_CASES:
            break
    # The earliest date first.
    dates, tables = dates[::-1], tables[::-1]
    bands = sorted({band for table in tables for band in table["bands"]})
    position = {band: number for number, band in enumerate(bands)}
    features = []
    for table in tables:
        columns = [position[band] for band in table["bands"]]
        part = np.zeros((len(table["outcomes"]), len(bands)))
        part[:, columns] = table["features"]
        features.append(part)
    joined = np.vstack(features)
    unrecorded = {band for table in tables for band in table["unrecorded"]}
    met = joined.sum(axis=0) >= LEAST_EXPOSED
    enough = [number for number, band in enumerate(bands) if met[number] and band not in unrecorded]
    learned = Learned(
        features=joined[:, enough],
        outcomes=np.concatenate([table["outcomes"] for table in tables]),
        people=np.unique(np.concatenate([table["people"] for table in tables]), return_inverse=True)[1],
        dates=np.concatenate([np.full(len(table["outcomes"]), number) for number, table in enumerate(tables)]),
        bands=[bands[number] for number in enough],
        hand_made=np.concatenate([table["hand_made"] for table in tables]),
        hand_made_version=tables[-1]["version"],
        refused=frozenset(tables[-1]["refused"]),
        carried=np.concatenate([table["carried"] for table in tables]),
        unrecorded=tuple(band for number, band in enumerate(bands) if met[number] and band in unrecorded),
    )
    return learned, dates, tuple(warnings), capacities


def _years_before(date: dt.date, years: int) -> dt.date:
    # The 29th of February has a year before it that ends on the 28th.
    return date.replace(year=date.year - years, day=28 if (date.month, date.day) == (2, 29) else date.day)


CARRIED = """
with

met as (
    select position, unnest(bands) as band from numbered
),

points as (
    select
        met.position,
        coalesce(items.group_code, items.item_code) as group_code,
        risk_groups.combine,
        risk_groups.cap,
        coefficients.coefficient
    from met
    inner join {seeds}.seeds.risk_coefficients as coefficients
        on met.band.item_code = coefficients.item_code and met.band.band_no = coefficients.band_no
    inner join {seeds}.seeds.risk_items as items on coefficients.item_code = items.item_code
    semi join {scratch}.intermediate.int_evaluation__refused_items as refused
        on coefficients.item_code = refused.item_code and coefficients.difficulty_type = refused.difficulty_type
    left join {seeds}.seeds.risk_groups as risk_groups on items.group_code = risk_groups.group_code
    where coefficients.model_version = $version and coefficients.difficulty_type = $difficulty
),

resolved as (
    select
        position,
        least(if(any_value(combine) = 'max', max(coefficient), sum(coefficient)), any_value(cap)) as points
    from points
    group by position, group_code
)

select numbered.position, coalesce(sum(resolved.points), 0)::double as points
from numbered
left join resolved on numbered.position = resolved.position
group by numbered.position
order by numbered.position
"""


# Bands for missing values that were at least twice as common among the children of the freeze as they are today.
UNRECORDED = """
with

then_met as (
    select band.item_code as item_code, band.band_no as band_no, count(*) as children
    from (select unnest(bands) as band from {scratch}.intermediate.int_evaluation__frozen)
    group by all
),

now_met as (
    select item_code, band_no, count(*) as children
    from warehouse.intermediate.int_risk__met_bands
    where raw_value is null
    group by all
),

populations as (
    select
        (select count(*) from {scratch}.intermediate.int_evaluation__frozen) as children_then,
        (select count(*) from warehouse.intermediate.int_risk__subjects) as children_now
)

select bands.item_code, bands.band_no
from {seeds}.seeds.risk_bands as bands
semi join warehouse.seeds.risk_items as built on bands.item_code = built.item_code
inner join then_met on bands.item_code = then_met.item_code and bands.band_no = then_met.band_no
left join now_met on bands.item_code = now_met.item_code and bands.band_no = now_met.band_no
cross join populations
where
    bands.when_missing
    and then_met.children / populations.children_then > 2 * coalesce(now_met.children, 0) / populations.children_now
order by bands.item_code, bands.band_no
"""


def _table(evaluated: Cohort, difficulty_type: str, seeds: str) -> dict[str, Any]:
    """Features, outcomes and the hand-made score of one freeze; items that are refused as evidence are left out.

    ``seeds``: the database in which the definition is.
    """
    connection = evaluated.connection
    version = connection.execute(
        f"select model_version from {SCRATCH}.intermediate.int_evaluation__scored_cohort "
        f"inner join {seeds}.seeds.risk_model_versions as versions using (model_version) "
        "where difficulty_type = ? and status in ('active', 'trial') order by status, model_version limit 1",
        [difficulty_type],
    ).fetchone()
    connection.execute(
        "create or replace temp table numbered as "
        "select cohort.person_id, frozen.current_person_id, cohort.became_case, frozen.bands, scored.score, "
        "row_number() over (order by cohort.person_id) - 1 as position "
        f"from {SCRATCH}.intermediate.int_evaluation__cohort as cohort "
        f"inner join {SCRATCH}.intermediate.int_evaluation__frozen as frozen using (person_id) "
        f"left join {SCRATCH}.intermediate.int_evaluation__scored_cohort as scored "
        "on scored.person_id = cohort.person_id and scored.difficulty_type = cohort.difficulty_type "
        "and scored.model_version = $version where cohort.difficulty_type = $difficulty "
        # A child of an age that the type does not concern is not scored for it: there is nothing to learn from it.
        "and ($version is null or scored.person_id is not null)",
        {"version": version[0] if version else None, "difficulty": difficulty_type},
    )
    children = connection.execute(
        "select current_person_id, became_case::double as became_case, score::double as score "
        "from numbered order by position"
    ).fetchnumpy()
    met = connection.execute(
        "with met as (select position, unnest(bands) as band from numbered) "
        "select position, band.item_code as item_code, band.band_no as band_no from met "
        f"anti join (select item_code from {SCRATCH}.intermediate.int_evaluation__refused_items "
        "where difficulty_type = ?) as refused on refused.item_code = met.band.item_code",
        [difficulty_type],
    ).fetchall()
    bands = sorted({(item, number) for _, item, number in met})
    column = {band: number for number, band in enumerate(bands)}
    features = np.zeros((len(children["became_case"]), len(bands)))
    for row, item, number in met:
        features[row, column[item, number]] = 1
    return {
        "features": features,
        "outcomes": np.asarray(children["became_case"], dtype=float),
        "people": np.asarray(children["current_person_id"], dtype=str),
        "hand_made": np.ma.filled(np.ma.asarray(children["score"], dtype=float), np.nan),
        "carried": connection.execute(
            CARRIED.format(seeds=seeds, scratch=SCRATCH),
            {"version": version[0] if version else None, "difficulty": difficulty_type},
        ).fetchnumpy()["points"],
        "refused": [
            row[0]
            for row in connection.execute(
                f"select item_code from {SCRATCH}.intermediate.int_evaluation__refused_items where difficulty_type = ?",
                [difficulty_type],
            ).fetchall()
        ],
        "bands": bands,
        "unrecorded": connection.execute(UNRECORDED.format(seeds=seeds, scratch=SCRATCH)).fetchall(),
        "version": version[0] if version else None,
    }


def _judge_all(
    learned: Learned, capacities: list[int], may_lower: bool
) -> tuple[list[Judgement], dict[str, np.ndarray]]:
    """The evaluation of every model on children that it was not fitted to, and the chance it gave each of them.

    Five parts, each predicted from the other four; the same parts for every model.
    """
    count = len(learned.outcomes)
    names = ("penalised", "rounded", "exact", "unconstrained", "boosted")
    chances = {name: np.zeros(count) for name in names}
    with_carried = np.zeros(count)
    for train, test in parts(learned.outcomes, learned.people):
        features, outcomes, others = learned.features[train], learned.outcomes[train], learned.features[test]
        people = learned.people[train]
        penalised = fit_penalised(features, outcomes, people, may_lower=may_lower)
        cards = {
            "penalised": penalised,
            "rounded": fit_rounded(features, outcomes, penalised),
            "exact": fit_exact(features, outcomes, penalised, EXACT_SECONDS / 4),
        }
        for name, card in cards.items():
            chances[name][test] = card.chances(others)
        chances["unconstrained"][test] = fit_unconstrained(features, outcomes, people)(others)
        chances["boosted"][test] = fit_boosted(features, outcomes)(others)
        ratio = _ratio(learned, cards["rounded"], train)
        with_carried[test] = cards["rounded"].scores(others) + ratio * learned.carried[test]
    judgements = [judge(name, chances[name], learned.outcomes, capacities, chances[name]) for name in names]
    if learned.carried.any():
        judgements.append(judge("rounded + carried", with_carried, learned.outcomes, capacities))
    if not np.isnan(learned.hand_made).any():
        name = f"hand-made ({learned.hand_made_version})"
        chances[name] = learned.hand_made
        judgements.insert(0, judge(name, learned.hand_made, learned.outcomes, capacities))
    return judgements, chances


def _comparisons(learned: Learned, method: str, predicted: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    rows = []
    for name, scores in predicted.items():
        if name != method:
            difference, low, high = auc_difference(predicted[method], scores, learned.outcomes)
            rows.append({"with": name, "difference": difference, "low": low, "high": high})
    return rows


def _ratio(learned: Learned, card: Scorecard, rows: np.ndarray) -> float:
    """How many points of a scorecard are one hand-made point: by what the same children have of each on the average.

    Outcomes have no say in it; 0 where there is nothing hand-made.
    """
    made = float(np.nansum(learned.hand_made[rows] - learned.carried[rows]))
    # Points that lower a score have no counterpart among the hand-made ones.
    given = float((learned.features[rows] @ np.clip(card.points, 0, None)).sum())
    return given / made if made > 0 else 0.0


def _carried(given: Any, learned: Learned, difficulty: str, ratio: float) -> list[dict[str, Any]]:
    """The hand-made points of items that are refused as evidence, as whole points of the proposal, 1 at least."""
    kinds = {row["item_code"]: row["kind"] for row in given["risk_items"]}
    return [
        {
            "item_code": row["item_code"],
            "band_no": row["band_no"],
            "coefficient": max(1, round(float(row["coefficient"]) * ratio)),
        }
        for row in given["risk_coefficients"]
        if row["model_version"] == learned.hand_made_version
        and row["difficulty_type"] == difficulty
        and row["item_code"] in learned.refused
        and kinds.get(row["item_code"]) != "combination"
        and row["coefficient"] > 0
        and ratio > 0
    ]


def _labels(given: Any) -> dict[tuple[str, int], str]:
    """(item, band) → what people call it."""
    items = {row["item_code"]: row["label_ja"] for row in given["risk_items"]}
    return {
        (row["item_code"], row["band_no"]): f"{items.get(row['item_code'], row['item_code'])}：{row['label_ja']}"
        for row in given["risk_bands"]
    }


def _coefficients(learned: Learned, card: Scorecard, labels: dict[tuple[str, int], str]) -> list[dict[str, Any]]:
    rows = []
    for position in np.flatnonzero(card.points):
        met = learned.features[:, position] > 0
        rows.append(
            {
                "item_code": learned.bands[position][0],
                "band_no": learned.bands[position][1],
                "label_ja": labels.get(learned.bands[position]),
                "coefficient": int(card.points[position]),
                "exposed": int(met.sum()),
                "exposed_cases": int(learned.outcomes[met].sum()),
            }
        )
    return sorted(rows, key=lambda row: (-row["coefficient"], row["item_code"], row["band_no"]))


def _thresholds(learned: Learned, scores: np.ndarray, high: int, latent: int) -> dict[str, int]:
    """The least scores that at most so many children of the last date reach; never 0, and the high one above."""
    scores = np.rint(scores[learned.dates == learned.dates.max()]).astype(int)

    def least(seats: int) -> int:
        return next(
            (points for points in range(1, scores.max() + 1) if (scores >= points).sum() <= seats), scores.max() + 1
        )

    lower = least(latent)
    return {"latent": int(lower), "high": int(max(least(high), lower + 1))}


def _write(
    proposal: Proposal,
    given: Any,
    hand_made_version: str | None,
    thresholds: dict[str, int],
    ratio: float,
    out: Path,
    translated: Translate,
) -> None:
    """The definition and its report, in a folder that appears whole or not at all.

    ``hand_made_version``: the version in force, whose ages of the type are the proposal's.
    """
    version, difficulty = proposal.model_version, proposal.difficulty_type
    overrides = _kept_overrides(given, difficulty)
    carried = {row["item_code"] for row in proposal.carried}
    kept = {row["item_code"] for row in [*proposal.coefficients, *proposal.carried, *overrides]}
    coefficients_by_item = {row["item_code"]: row for row in proposal.coefficients}
    items = [
        {
            **row,
            # Points were estimated together: a group would take some of them away again.
            "group_code": row["group_code"] if row["item_code"] in carried else None,
            "reason_ja": CARRIED_REASON
            if row["item_code"] in carried
            else _reason(proposal, coefficients_by_item.get(row["item_code"])) or row["reason_ja"],
        }
        for row in given["risk_items"]
        if row["item_code"] in kept
    ]
    groups = {row["group_code"] for row in items}
    dates = "・".join(map(str, proposal.frozen_on))
    tables = {
        "risk_items": items,
        "risk_bands": [row for row in given["risk_bands"] if row["item_code"] in kept],
        "risk_coefficients": [
            {**row, "model_version": version, "difficulty_type": difficulty}
            for row in [*proposal.coefficients, *proposal.carried]
        ],
        "risk_model_versions": [
            {
                "model_version": version,
                "status": "draft",
                "note_ja": f"提案（{proposal.method}）。{dates}の特徴量とその後12か月の事案による",
            }
        ],
        "risk_tiers": [
            {
                "model_version": version,
                "difficulty_type": difficulty,
                "tier": tier,
                "tier_rank": rank,
                "label_ja": label,
                "min_score": thresholds.get(tier),
            }
            for tier, rank, label in TIERS
        ],
        "risk_overrides": [{**row, "model_version": version} for row in overrides],
        "risk_targets": [
            {**row, "model_version": version} for row in _kept_targets(given, hand_made_version, difficulty)
        ],
        "risk_groups": [
            {**row, "cap": None if row["cap"] is None else max(1, round(float(row["cap"]) * ratio))}
            for row in given["risk_groups"]
            if row["group_code"] in groups
        ],
        "risk_item_members": [],
    }
    draft = out.with_name(f".{out.name}.part")
    draft.mkdir(parents=True, exist_ok=True)
    for table in (table for table in TABLES if table not in RULES):
        columns = list(column_types()[table])
        assert REQUIRED_COLUMNS[table] <= set(columns)
        with (draft / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows({name: _text(row.get(name)) for name in columns} for row in tables[table])
    (draft / REPORT).write_text(
        json.dumps(asdict(proposal), ensure_ascii=False, default=str, indent=1), encoding="utf-8"
    )
    (draft / "README.md").write_text(as_text(proposal, translated) + "\n", encoding="utf-8")
    if out.exists():
        out.rmdir()
    os.replace(draft, out)


def _keep(home: Home, difficulty: str, out: Path) -> None:
    """Put a copy of a written proposal in the place of the last one of its type."""
    kept, part = home.proposals / difficulty, home.proposals / f".{difficulty}.part"
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(out, part)
    shutil.rmtree(kept, ignore_errors=True)
    os.replace(part, kept)


def _kept_overrides(given: Any, difficulty: str) -> list[dict[str, Any]]:
    """Overrides are policy, not statistics: those of the versions in force stay."""
    in_force = {row["model_version"] for row in given["risk_model_versions"] if row["status"] in {"active", "trial"}}
    tiers = {tier for tier, _, _ in TIERS}
    kinds = {row["item_code"]: row["kind"] for row in given["risk_items"]}
    rows = {
        (row["item_code"], row["band_no"]): row
        for row in given["risk_overrides"]
        if row["difficulty_type"] == difficulty
        and row["model_version"] in in_force
        and row["at_least_tier"] in tiers
        and kinds.get(row["item_code"]) != "combination"
    }
    return list(rows.values())


def _kept_targets(given: Any, version: str | None, difficulty: str) -> list[dict[str, Any]]:
    """The ages that the type concerns in the version in force: what was learned is about those."""
    return [
        row for row in given["risk_targets"] if row["difficulty_type"] == difficulty and row["model_version"] == version
    ]


def _reason(proposal: Proposal, row: dict[str, Any] | None) -> str | None:
    if row is None:
        return None
    return (
        f"提案の根拠：該当{row['exposed']}人中{row['exposed_cases']}人が12か月以内に事案"
        f"（全体{proposal.children}人中{proposal.cases}人）"
    )


def _text(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def as_text(proposal: Proposal, translated: Translate = english) -> str:
    """A proposal as people read it, as Markdown."""
    capacities = [row["capacity"] for row in proposal.judgements[0].at_capacity]
    paragraphs = [
        f"# {proposal.model_version}",
        translated(
            "Proposed, not applied: features frozen on {dates}; {cases} of {children:,} children became a case within "
            "twelve months; {bands} bands looked at. People known before are left out. {carried} bands of items made "
            "from cases are not learned: they carry over the points of the version in force, in these units. What was "
            "learned is in no group: the points were learned together. Overrides stay.",
            dates=", ".join(map(str, proposal.frozen_on)),
            cases=proposal.cases,
            children=proposal.children,
            bands=proposal.bands_considered,
            carried=len(proposal.carried),
        ),
    ]
    if proposal.unrecorded:
        paragraphs.append(
            translated(
                "Left out, because at those dates the records were not kept yet (twice as many children without one as "
                "today): {bands}.",
                bands=", ".join(f"{item} {number}" for item, number in proposal.unrecorded),
            )
        )
    if proposal.cases < ENOUGH_CASES:
        paragraphs.append(
            translated(
                "**Few cases**: with fewer than {enough} a good proposal cannot be told from a bad one; the intervals "
                "below say how little is known.",
                enough=ENOUGH_CASES,
            )
        )
    paragraphs += [
        _markdown_table(
            [translated(heading) for heading in ("points", "item and band", "code", "met by", "became a case")],
            [
                (
                    row["coefficient"],
                    row["label_ja"],
                    f"{row['item_code']} {row['band_no']}",
                    row["exposed"],
                    row["exposed_cases"],
                )
                for row in proposal.coefficients
            ],
        ),
        translated(
            "Judged on children whom each model was not fitted to (five parts). Unconstrained models are the ceiling "
            "of what can be learned; the hand-made version and “carried” also have the items made from cases.",
        ),
        _markdown_table(
            [
                translated("model"),
                translated("AUC (95 % interval)"),
                translated("slope"),
                *(translated("precision / recall at {capacity}", capacity=capacity) for capacity in capacities),
            ],
            [_judged(judgement, proposal.method, translated) for judgement in proposal.judgements],
        ),
        translated(
            "The proposal is {shortfall:.3f} AUC below the better unconstrained model; it may be {most:.3f} below.",
            shortfall=max(proposal.shortfall, 0),
            most=MOST_BELOW,
        ),
        translated(
            "The same parts for every model; AUC of the proposal minus that of the other, with its 95 % interval "
            "(paired):"
        ),
        "\n".join(
            f"- {row['with']}: {row['difference']:+.3f} ({row['low']:+.3f} – {row['high']:+.3f})"
            for row in proposal.comparisons
        ),
    ]
    if proposal.exact_gap is not None:
        paragraphs.append(translated("Exact method: within {gap:.2%} of the least loss.", gap=proposal.exact_gap))
    paragraphs += [
        translated("Calibration of the proposal, by fifths of the chance: mean chance → share that became a case"),
        "\n".join(
            translated(
                "- {chance:.4f} → {became_case:.4f} ({children} children)",
                chance=row["chance"],
                became_case=row["became_case"],
                children=row["children"],
            )
            for judgement in proposal.judgements
            if judgement.name == proposal.method
            for row in judgement.calibration
        ),
    ]
    return "\n\n".join(paragraphs)


def _judged(judgement: Judgement, proposed: str, translated: Translate) -> list[str]:
    auc = "—" if judgement.auc is None else f"{judgement.auc:.3f} ({judgement.auc_low:.3f}–{judgement.auc_high:.3f})"
    return [
        judgement.name + (translated(" ← proposed") if judgement.name == proposed else ""),
        auc,
        "—" if judgement.slope is None else f"{judgement.slope:.2f}",
        *(f"{row['precision']:.3f} / {row['recall']:.3f}" for row in judgement.at_capacity),
    ]


def _markdown_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
