"""試算: what a draft would do to the children in service, by the batch's own SQL, in memory.

The compiled statements of the publication are executed again over its data, with the draft's seeds in the place of the
published ones. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kodomo.determination.service import Connection, reading
from kodomo.errors import KodomoError
from kodomo.home import Home
from kodomo.publication.inputs import TRIED
from kodomo.scoring.comparison import Comparison, compare, moved
from kodomo.scoring.definition import RULES, Definition
from kodomo.scoring.replay import PARAMETERS, SCORES, SCRATCH, WAREHOUSE, CompiledModels, open_scratch
from kodomo.scoring.score import load_definition
from kodomo.seeds import read_seed
from kodomo.warehouse import records
from kodomo.workshop.drafts import Draft

WITHHELD_ITEM = "withheld"
"""Where the item of a difference would stand, as in bi_contribution."""
_TARGETS = tuple(f"intermediate.{name}" for name in SCORES)
PRIORITIES, CONTENTS = "marts.fct_support_priority", "marts.fct_support_content"
_OF_VERSIONS = ("risk_model_versions", "risk_tiers", *RULES)
_KEPT_SCORES = {"int_risk__scores": "fct_risk_score", "int_risk__contributions": "fct_risk_contribution"}

# A child whose type only one of the two scores has no tier in the other.
_TIERS = """
select difficulty_type, {group} as "group", tier_before, tier_after, count(*) as children, min({order}) as place
from compared
group by all
order by place, "group"
"""

_MET = """
with

items_met as (
    select item_code, band_no, person_id from {scratch}.intermediate.int_risk__met_bands
    union
    select item_code, band_no, person_id from {scratch}.intermediate.int_risk__combination_bands
    where model_version = $version
)

select item_code, band_no, count(distinct person_id) as children
from items_met
group by all
"""

# The gravest tier of a child over all types counts, as in the meeting's list.
_GRAVEST = """
with

gravest as (
    select
        person_id,
        max(rank_before) as rank_before,
        max(rank_after) as rank_after
    from compared
    group by person_id
)

select
    tier_rank,
    count(*) filter (where rank_before >= tier_rank) as before,
    count(*) filter (where rank_after >= tier_rank) as after
from gravest
cross join (select distinct tier_rank from {scratch}.seeds.risk_tiers where model_version = $version) as ranks
group by tier_rank
order by tier_rank desc
"""


@dataclass(frozen=True)
class TierCount:
    """Children of a group in a tier before and after. ``group_kind``: all, area or age."""

    difficulty_type: str
    group_kind: str
    group: str
    tier: str | None
    before: int
    after: int


@dataclass(frozen=True)
class Workload:
    """Children of the gravest tier of any type, beside a capacity of the meeting."""

    label: str
    capacity: int
    before: int
    after: int

    @property
    def meetings(self) -> tuple[int, int]:
        """How many times the capacity is needed, before and after."""
        return math.ceil(self.before / self.capacity), math.ceil(self.after / self.capacity)


@dataclass(frozen=True)
class SupportCount:
    """Children with a class of priority, or with a support content, in service and with the draft. ``kind``:
    ``priority`` or ``content``; ``code``: the class, or the content as people read it."""

    kind: str
    code: str
    before: int
    after: int


@dataclass(frozen=True)
class Trial:
    """What a draft does beside its base. Counts are exact: ``kodomo.workshop.figures`` has those that may be shown."""

    as_of_on: dt.date
    publication: str
    draft_version: int
    comparison: Comparison
    tiers: tuple[TierCount, ...]
    met: dict[tuple[str, int], int]
    """Item and band → children who meet it now, coefficient or not."""
    workload: tuple[Workload, ...]
    support: tuple[SupportCount, ...]
    milliseconds: int


def try_out(home: Home, draft: Draft, withheld: Collection[str] = ()) -> Trial:
    """Try a draft on the publication in service. ``withheld``: people who are counted under no area.

    Raises KodomoError where nothing has been published, or by a kodomo that published no statements for it.
    """
    started = time.perf_counter()
    with reading(home, os.cpu_count() or 1) as (connection, reader):
        as_of_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        open_scratch(connection, as_of_on)
        evaluate(connection, reader.models, draft.definition, draft.model_version, draft.base_version)
        sides = (SCRATCH, draft.base_version), (SCRATCH, draft.model_version)
        comparison = compare(connection, *sides, withheld)
        tiers, met = tuple(_tiers(connection)), _met(connection, draft.model_version)
        workload = _workload(connection, draft.model_version)
        give_support(connection, reader.models, draft.model_version, draft.base_version)
        return Trial(
            as_of_on=as_of_on,
            publication=reader.folder.name,
            draft_version=draft.version,
            comparison=comparison,
            tiers=tiers,
            met=met,
            workload=workload,
            support=_support(connection),
            milliseconds=int((time.perf_counter() - started) * 1000),
        )


@dataclass(frozen=True)
class Mover:
    """A child whose tier a draft changes. ``items``: item code and difference of the points, the largest first; those
    that the register does not approve for showing are one under ``WITHHELD_ITEM``."""

    difficulty_type: str
    person_id: str
    score_before: Decimal
    score_after: Decimal
    tier_before: str | None
    tier_after: str | None
    is_graver: bool
    items: tuple[tuple[str, Decimal], ...]


def who_moves(home: Home, draft: Draft) -> tuple[Mover, ...]:
    """Whose tier a draft changes, of all children in service: for pages that show them to those who see them by name.

    Who rises comes first. Raises as ``try_out``.
    """
    with reading(home, os.cpu_count() or 1) as (connection, reader):
        as_of_on = connection.execute(f"select as_of_on from {WAREHOUSE}.{PARAMETERS}").fetchall()[0][0]
        open_scratch(connection, as_of_on)
        evaluate(connection, reader.models, draft.definition, draft.model_version, draft.base_version)
        sides = (SCRATCH, draft.base_version), (SCRATCH, draft.model_version)
        compare(connection, *sides)
        barred = {
            code
            for (code,) in connection.execute(
                f"select observation_code from {WAREHOUSE}.intermediate.int_observations__barred where purpose = 'bi'"
            ).fetchall()
        }
        withheld = _items_of(draft.definition, barred)
        return tuple(
            Mover(**{**row, "items": _told(row["items"], withheld)}) for row in moved(connection, *sides)
        )  # fmt: skip


def _items_of(definition: Definition, observations: Collection[str]) -> set[str]:
    """The items that rest on any of these observations, by themselves or by a member."""
    own = {row["item_code"] for row in definition["risk_items"] if row["observation_code"] in observations}
    return own | {row["item_code"] for row in definition["risk_item_members"] if row["member_item_code"] in own}


def _told(items: list[dict[str, Any]], withheld: Collection[str]) -> tuple[tuple[str, Decimal], ...]:
    shown = [(row["item_code"], row["difference"]) for row in items if row["item_code"] not in withheld]
    rest = [row["difference"] for row in items if row["item_code"] in withheld]
    return tuple([*shown, (WITHHELD_ITEM, sum(rest, Decimal(0)))] if rest else shown)


def evaluate(
    connection: Connection, models: CompiledModels, definition: Definition, version: str, base_version: str = ""
) -> None:
    """Score a version of a definition in an open ``scratch``, and put the scores of the base beside it.

    The base's are those in service; where it is not in service, it is scored by the same definition. Raises KodomoError
    where the statements of the publication cannot do it.
    """
    kept = connection.execute(
        "select count(*) from duckdb_tables() where database_name = ? and table_name = 'fct_risk_score'", [WAREHOUSE]
    ).fetchall()[0][0]
    in_service = bool(
        kept
        and connection.execute(
            f"select count(*) from (from {WAREHOUSE}.marts.fct_risk_score semi join {WAREHOUSE}.{PARAMETERS} "
            "using (as_of_on) where model_version = ? limit 1)",
            [base_version],
        ).fetchall()[0][0]
    )
    wanted = [version] if in_service or not base_version else [version, base_version]
    load_definition(connection, definition, SCRATCH, versions=wanted)
    if not models.statements.keys() >= {"intermediate.int_risk__coefficients", "intermediate.int_risk__used_items"}:
        raise KodomoError("An earlier kodomo published what is in service: run `kodomo run` to publish again.")
    models.execute(connection, TRIED, _TARGETS)
    if in_service:
        for model, mart in _KEPT_SCORES.items():
            connection.execute(
                f"insert into {SCRATCH}.intermediate.{model} by name select * from {WAREHOUSE}.marts.{mart} "
                f"semi join {WAREHOUSE}.{PARAMETERS} using (as_of_on) where model_version = ?",
                [base_version],
            )


def give_support(connection: Connection, models: CompiledModels, version: str, base_version: str) -> None:
    """Compute priorities and support contents in ``scratch``, as if an evaluated version were in force.

    It is on trial where its base is, else active in the place of the active versions that score any of its types; the
    other versions in service stay. To be called last, as it replaces tables of the definition. Raises KodomoError where
    the statements of the publication cannot do it.
    """
    if "versions_with_rules" not in models.statements.get(CONTENTS, ""):
        raise KodomoError("An earlier kodomo published what is in service: run `kodomo run` to publish again.")
    rows = connection.execute(f"select model_version, status from {WAREHOUSE}.seeds.risk_model_versions").fetchall()
    status = "trial" if (base_version, "trial") in rows else "active"
    left_out = {version, base_version} if status == "trial" else {version}
    if status == "active":
        rivals = connection.execute(
            f"select distinct model_version from {WAREHOUSE}.seeds.risk_tiers semi join "
            f"(select difficulty_type from {SCRATCH}.seeds.risk_tiers where model_version = ?) using (difficulty_type)",
            [version],
        ).fetchall()
        left_out |= {name for (name,) in rivals if (name, "active") in rows}
    given = {"version": version, "left_out": sorted(left_out)}
    for table in _OF_VERSIONS:
        connection.execute(
            f"create or replace table {SCRATCH}.seeds.{table} as "
            f"select * from {SCRATCH}.seeds.{table} where model_version = $version union all by name "
            f"select * from {WAREHOUSE}.seeds.{table} "
            "where model_version is null or not list_contains($left_out, model_version)",
            given,
        )
    connection.execute(
        f"update {SCRATCH}.seeds.risk_model_versions set status = ?, valid_from = "
        f"(select as_of_on from {WAREHOUSE}.{PARAMETERS}) where model_version = ?",
        [status, version],
    )
    connection.execute(
        f"create or replace table {SCRATCH}.{_TARGETS[0]} as "
        f"select * from {SCRATCH}.{_TARGETS[0]} where model_version = $version union all by name "
        f"select * from {WAREHOUSE}.marts.fct_risk_score semi join {WAREHOUSE}.{PARAMETERS} using (as_of_on) "
        "where not list_contains($left_out, model_version)",
        given,
    )
    models.execute(connection, [_TARGETS[0], *(f"seeds.{table}" for table in _OF_VERSIONS)], (PRIORITIES, CONTENTS))


def _support(connection: Connection) -> tuple[SupportCount, ...]:
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for kind, relation, code in (("priority", PRIORITIES, "priority_class"), ("content", CONTENTS, "content_ja")):
        for side, database in enumerate((WAREHOUSE, SCRATCH)):
            for name, children in connection.execute(
                f"select {code}, count(distinct person_id) from {database}.{relation} "
                f"semi join {WAREHOUSE}.{PARAMETERS} using (as_of_on) group by all order by all"
            ).fetchall():
                counts[kind, name][side] = children
    return tuple(SupportCount(*key, *both) for key, both in counts.items())


def _tiers(connection: Connection) -> list[TierCount]:
    counts: dict[tuple[str, str, str, str | None], list[int]] = defaultdict(lambda: [0, 0])
    for kind, group, order in (("all", "''", "0"), ("area", "area", "area"), ("age", "age_band", "age_months")):
        for row in records(connection, _TIERS.format(group=group, order=order)):
            for side, name in enumerate(("tier_before", "tier_after")):
                if row[name] is not None:
                    counts[row["difficulty_type"], kind, row["group"], row[name]][side] += row["children"]
    return [TierCount(*key, *both) for key, both in counts.items()]


def _met(connection: Connection, version: str) -> dict[tuple[str, int], int]:
    rows = connection.execute(_MET.format(scratch=SCRATCH), {"version": version}).fetchall()
    return {(item, band): children for item, band, children in rows}


def _workload(connection: Connection, version: str) -> tuple[Workload, ...]:
    rows: list[dict[str, Any]] = records(connection, _GRAVEST.format(scratch=SCRATCH), {"version": version})
    before, after = (rows[0]["before"], rows[0]["after"]) if rows else (0, 0)
    return tuple(Workload(row["label_ja"], row["capacity"], before, after) for row in read_seed("meeting_capacities"))
