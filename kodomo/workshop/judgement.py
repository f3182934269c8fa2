"""How a draft would have done on a past date: recall, precision and calibration, beside its base version and two orders
of the children that need no model, by the batch's own SQL over the publication, in memory. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kodomo.determination.service import FREEZING_MEMORY, reading
from kodomo.errors import KodomoError
from kodomo.evaluation.evidence import build
from kodomo.evaluation.frozen import OUTCOME_MONTHS
from kodomo.home import Home
from kodomo.parameters import parameter
from kodomo.publication.inputs import AT_CAPACITY, JUDGED
from kodomo.scoring.replay import PARAMETERS, SCRATCH, WAREHOUSE
from kodomo.warehouse import records
from kodomo.workshop.card import COMPARED
from kodomo.workshop.drafts import Draft
from kodomo.workshop.figures import SMALLEST

YEARS = (1, 2, 3)
"""How many times the months of the outcomes the frozen date may lie before the publication's."""
OVERALL = (
    ("all", "auc"), ("capacity", "ppv"), ("capacity", "recall"), ("capacity", "lift"), ("all", "ppv"),
    ("all", "recall"),
)  # fmt: skip
"""Kind of group and measure of the figures of all children."""
OF_GROUPS = ("case_rate", "ppv", "recall", "false_positive_rate")
AT_CAPACITY_MEASURES = ("ppv", "recall")
_AGES = list(dict.fromkeys(band["wide"] for band in parameter("age_bands")))
CALIBRATION = ("tier", "score_band")


@dataclass(frozen=True)
class Judgement:
    """``rows``: those of bi_model_performance for a draft and its base, of one frozen date; ``at_capacity``: those of
    fct_model_capacity."""

    frozen_on: dt.date
    outcome_until: dt.date
    publication: str
    draft_version: int
    rows: tuple[Mapping[str, Any], ...]
    at_capacity: tuple[Mapping[str, Any], ...]
    milliseconds: int


@dataclass(frozen=True)
class Line:
    """A measure of a group for the base and the draft; of one that has no such row it is None."""

    difficulty_type: str
    group_kind: str
    group_kind_label: str
    group_label: str
    measure: str
    measure_label: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def judge(home: Home, draft: Draft, years: int = 1, without_area: Collection[str] = ()) -> Judgement:
    """Judge a draft and its base on the children of a past date, as ``kodomo model evidence`` judges a definition.

    ``years``: of ``YEARS``; ``without_area``: people who are counted under no area. Raises KodomoError where nothing
    has been published, or by a kodomo that published no statements for it.
    """
    started = time.perf_counter()
    with reading(home, os.cpu_count() or 1, FREEZING_MEMORY) as (connection, reader):
        built_on, frozen_on = connection.execute(
            f"select as_of_on, cast(as_of_on - interval {OUTCOME_MONTHS * years} month as date) "
            f"from {WAREHOUSE}.{PARAMETERS}"
        ).fetchall()[0]
        versions = list(dict.fromkeys([draft.base_version, draft.model_version]))
        models = reader.judging_models
        if AT_CAPACITY not in models.statements:
            raise KodomoError("An earlier kodomo published what is in service: run `kodomo run` to publish again.")
        build(connection, models, frozen_on, built_on, [JUDGED, AT_CAPACITY], draft.definition, versions, without_area)
        rows = records(connection, f"select * from {SCRATCH}.{JUDGED}")
        at_capacity = records(connection, f"select * from {SCRATCH}.{AT_CAPACITY}")
        until = connection.execute(
            f"select cast(?::date + interval {OUTCOME_MONTHS} month as date)", [frozen_on]
        ).fetchall()[0][0]
        return Judgement(
            frozen_on=frozen_on,
            outcome_until=until,
            publication=reader.folder.name,
            draft_version=draft.version,
            rows=tuple(rows),
            at_capacity=tuple(at_capacity),
            milliseconds=int((time.perf_counter() - started) * 1000),
        )


def lines(judgement: Judgement, draft: Draft, difficulty: str, wanted: Iterable[tuple[str, str]]) -> list[Line]:
    """The lines of a difficulty type, in the order of the wanted kinds and measures, then of the groups."""
    rows: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for row in judgement.rows:
        if row["difficulty_type"] == difficulty:
            key = (row["group_kind"], row["measure"], row["group_label"])
            rows.setdefault(key, {})[row["model_version"]] = row
    found = []
    for kind, measure in wanted:
        for key in sorted((key for key in rows if key[:2] == (kind, measure)), key=lambda key: _place(key[2])):
            sides = rows[key]
            one = next(iter(sides.values()))
            found.append(
                Line(
                    difficulty, kind, one["group_kind_label"], one["group_label"].strip(), measure,
                    one["measure_label"], sides.get(draft.base_version), sides.get(draft.model_version),
                )
            )  # fmt: skip
    return found


def _place(group: str) -> tuple[int, str]:
    """Where a group stands: ages by their order, others by their label."""
    return _AGES.index(group) if group in _AGES else 0, group


def overall(judgement: Judgement, draft: Draft, difficulty: str) -> list[Line]:
    """What is said of all children, and of as many as a meeting can see."""
    return lines(judgement, draft, difficulty, OVERALL)


def calibration(judgement: Judgement, draft: Draft, difficulty: str) -> list[Line]:
    """Which share became a case, by tier and by band of scores."""
    return lines(judgement, draft, difficulty, [(kind, "case_rate") for kind in CALIBRATION])


def by_group(judgement: Judgement, draft: Draft, difficulty: str) -> dict[str, dict[str, list[Line]]]:
    """Label of a kind of group → label of a group → its measures, in the order of ``OF_GROUPS``; a pair of groups of
    which one has nobody compares nothing."""
    groups: dict[str, dict[str, list[Line]]] = {}
    for kind in COMPARED:
        of_kind: dict[str, list[Line]] = {}
        for line in lines(judgement, draft, difficulty, [(kind, measure) for measure in OF_GROUPS]):
            of_kind.setdefault(line.group_label, []).append(line)
        if len(of_kind) > 1:
            groups[next(iter(of_kind.values()))[0].group_kind_label] = of_kind
    return groups


def capacities(judgement: Judgement) -> list[int]:
    """How many children a meeting may see, the smallest first."""
    return sorted({row["capacity"] for row in judgement.at_capacity})


def at_capacity(judgement: Judgement, draft: Draft, difficulty: str, capacity: int) -> dict[str, dict[str, list[Line]]]:
    """As ``by_group``, of the children whom a meeting can see: precision and recall."""
    words = {row["group_kind"]: row["group_kind_label"] for row in judgement.rows}
    labels = {row["measure"]: row["measure_label"] for row in judgement.rows}
    sides: dict[tuple[str, str, str], dict[str, Mapping[str, Any]]] = {}
    for row in judgement.at_capacity:
        if (row["difficulty_type"], row["capacity"]) == (difficulty, capacity):
            key = (row["group_kind"], row["group_value"], row["measure"])
            sides.setdefault(key, {})[row["model_version"]] = row
    groups: dict[str, dict[str, list[Line]]] = {}
    for kind in COMPARED:
        values = sorted({value for of, value, _ in sides if of == kind}, key=_place)
        if len(values) > 1:
            groups[words[kind]] = {
                value: [
                    Line(
                        difficulty, kind, words[kind], value, measure, labels[measure],
                        sides[kind, value, measure].get(draft.base_version),
                        sides[kind, value, measure].get(draft.model_version),
                    )
                    for measure in AT_CAPACITY_MEASURES
                ]
                for value in values
            }  # fmt: skip
    return groups


def is_shown(row: Mapping[str, Any] | None) -> bool:
    """Whether a rate stands on enough children to be said: of a smaller base it would tell who they are."""
    return row is not None and row["measure_value"] is not None and row["base"] >= SMALLEST


def cautions(judgement: Judgement, difficulty: str) -> list[str]:
    """What is said where cases are few."""
    said = {row["caution_label"] for row in judgement.rows if row["difficulty_type"] == difficulty}
    return sorted(said - {"—", None})


def cases_of(judgement: Judgement, difficulty: str) -> tuple[int, int]:
    """Children who could become a case of a type, and who did."""
    for row in judgement.rows:
        if (row["difficulty_type"], row["group_kind"]) == (difficulty, "all"):
            return row["people"], row["cases"]
    return 0, 0
