"""Two versions side by side: who would change tier, where, at what age, and which items make the difference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kodomo.csv_files import write_csv
from kodomo.macros import load_macros
from kodomo.messages import Translate, english
from kodomo.warehouse import records

Side = tuple[str, str]
"""Database and model version."""


@dataclass(frozen=True)
class Comparison:
    """What differs between two versions, over the difficulty types that both score.

    A child whose age only one of them concerns (risk_targets) has no score and no tier on the other side.
    """

    before: str
    after: str
    children: int
    rescored: int
    """Of these scores, how many differ; ``changed``: in how many the tier does."""
    changed: int
    tiers: list[dict[str, Any]]
    areas: list[dict[str, Any]]
    ages: list[dict[str, Any]]
    items: list[dict[str, Any]]


WITHHELD_AREA_JA = "（非表示）"
"""The area under which people are counted whose area is withheld."""

COMPARED = """
create or replace temp table compared as
with

before as (
    select * from {before}.intermediate.int_risk__scores where model_version = $before
),

after as (
    select * from {after}.intermediate.int_risk__scores where model_version = $after
),

-- A type that only one of them scores says nothing about the other.
both_types as (
    select difficulty_type from before
    intersect
    select difficulty_type from after
)

select
    coalesce(before.difficulty_type, after.difficulty_type) as difficulty_type,
    coalesce(before.person_id, after.person_id) as person_id,
    before.score as score_before,
    after.score as score_after,
    before.tier as tier_before,
    after.tier as tier_after,
    if(before.person_id is not null, coalesce(ranks_before.tier_rank, 0), null) as rank_before,
    if(after.person_id is not null, coalesce(ranks_after.tier_rank, 0), null) as rank_after,
    coalesce(areas.area_name_ja, '不明') as area,
    case when children.age_months is null then '不明' else {age_band} end as age_band,
    coalesce(children.age_months, 999) as age_months
from before
full outer join after
    on before.difficulty_type = after.difficulty_type and before.person_id = after.person_id
left join warehouse.marts.dim_child as children on coalesce(before.person_id, after.person_id) = children.person_id
left join warehouse.seeds.areas as areas on children.area_code = areas.area_code
left join {before}.seeds.risk_tiers as ranks_before
    on ranks_before.model_version = before.model_version
    and ranks_before.difficulty_type = before.difficulty_type and ranks_before.tier = before.tier
left join {after}.seeds.risk_tiers as ranks_after
    on ranks_after.model_version = after.model_version
    and ranks_after.difficulty_type = after.difficulty_type and ranks_after.tier = after.tier
where coalesce(before.difficulty_type, after.difficulty_type) in (select difficulty_type from both_types)
"""

BY_GROUP = """
select
    difficulty_type,
    {group} as "group",
    count(*) as children,
    count(*) filter (where rank_after > rank_before) as graver,
    count(*) filter (where rank_after < rank_before) as milder
from compared
group by difficulty_type, {group}
order by difficulty_type, min({order})
"""

TIERS = """
select difficulty_type, tier_before, tier_after, count(*) as children
from compared
group by difficulty_type, tier_before, tier_after, rank_before, rank_after
order by difficulty_type, rank_before desc nulls last, rank_after desc nulls last
"""

# The items that differ, for the children whose tier changes; a child that only one version scores has none.
_DIFFERENCES = """
with

changed as (
    select * from compared
    where tier_before is distinct from tier_after and rank_before is not null and rank_after is not null
),

before as (
    select difficulty_type, person_id, item_code, sum(coefficient) as coefficient
    from {before}.intermediate.int_risk__contributions
    where is_counted and model_version = $before
    group by all
),

after as (
    select difficulty_type, person_id, item_code, sum(coefficient) as coefficient
    from {after}.intermediate.int_risk__contributions
    where is_counted and model_version = $after
    group by all
),

both_sides as (
    select
        coalesce(before.difficulty_type, after.difficulty_type) as difficulty_type,
        coalesce(before.person_id, after.person_id) as person_id,
        coalesce(before.item_code, after.item_code) as item_code,
        coalesce(after.coefficient, 0) - coalesce(before.coefficient, 0) as difference
    from before
    full outer join after
        on before.difficulty_type = after.difficulty_type
        and before.person_id = after.person_id
        and before.item_code = after.item_code
)
"""

ITEMS = f"""{_DIFFERENCES}
select
    both_sides.difficulty_type,
    both_sides.item_code,
    coalesce(any_value(items_after.label_ja), any_value(items_before.label_ja), both_sides.item_code) as label_ja,
    count(*) as children,
    count(*) filter (where changed.rank_after > changed.rank_before) as graver,
    count(*) filter (where changed.rank_after < changed.rank_before) as milder,
    sum(both_sides.difference) as difference
from both_sides
inner join changed
    on both_sides.difficulty_type = changed.difficulty_type and both_sides.person_id = changed.person_id
left join {{after}}.seeds.risk_items as items_after on both_sides.item_code = items_after.item_code
left join {{before}}.seeds.risk_items as items_before on both_sides.item_code = items_before.item_code
where both_sides.difference <> 0
group by both_sides.difficulty_type, both_sides.item_code
order by both_sides.difficulty_type, count(*) desc, both_sides.item_code
"""

# Who rises first, then who falls, the highest scores first.
MOVED = f"""{_DIFFERENCES},

reasons as (
    select
        difficulty_type,
        person_id,
        list(
            {{{{ 'item_code': item_code, 'difference': difference }}}} order by abs(difference) desc, item_code
        ) as items
    from both_sides
    where difference <> 0
    group by difficulty_type, person_id
)

select
    changed.difficulty_type,
    changed.person_id,
    changed.score_before,
    changed.score_after,
    changed.tier_before,
    changed.tier_after,
    changed.rank_after > changed.rank_before as is_graver,
    coalesce(reasons.items, []) as items
from changed
left join reasons on changed.difficulty_type = reasons.difficulty_type and changed.person_id = reasons.person_id
order by changed.difficulty_type, is_graver desc, changed.score_after desc, changed.person_id
"""


def compare(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side, withheld: Collection[str] = ()
) -> Comparison:
    """Compare two versions that are scored in ``int_risk__scores`` of one or two attached databases.

    ``withheld``: the people who are counted under no area.
    """
    databases = {"before": before[0], "after": after[0]}
    versions = {"before": before[1], "after": after[1]}
    age_band = load_macros()["wide_age_band"]("children.age_months")
    connection.execute(COMPARED.format(**databases, age_band=age_band), versions)
    if withheld:
        connection.execute(
            "update compared set area = $none where list_contains($withheld, person_id)",
            {"none": WITHHELD_AREA_JA, "withheld": list(withheld)},
        )
    children, rescored, changed = connection.execute(
        "select count(*), count(*) filter (where score_before is distinct from score_after), "
        "count(*) filter (where tier_before is distinct from tier_after) from compared"
    ).fetchall()[0]
    return Comparison(
        before=before[1],
        after=after[1],
        children=children,
        rescored=rescored,
        changed=changed,
        tiers=records(connection, TIERS),
        areas=records(connection, BY_GROUP.format(group="area", order="area")),
        ages=records(connection, BY_GROUP.format(group="age_band", order="age_months")),
        items=records(connection, ITEMS.format(**databases), versions),
    )


def moved(connection: duckdb.DuckDBPyConnection, before: Side, after: Side) -> list[dict[str, Any]]:
    """Who changes tier, one row per difficulty type and child, with the items that make the difference, after
    ``compare``; ``items``: item code and difference of the points."""
    databases = {"before": before[0], "after": after[0]}
    return records(connection, MOVED.format(**databases), {"before": before[1], "after": after[1]})


def write_people(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write who changes tier, one row per difficulty type and child, after ``compare``, for its owner only."""
    changed = connection.execute(
        "select difficulty_type, person_id, score_before, score_after, tier_before, tier_after from compared "
        "where tier_before is distinct from tier_after order by all"
    )
    write_csv(path, [column[0] for column in changed.description], changed.fetchall())


def as_text(comparison: Comparison, translated: Translate = english) -> str:
    """A comparison as people read it, in the language of ``translated``."""
    lines = [
        translated(
            "{before} → {after}: {rescored} of {children} scores differ and {changed} tiers change "
            "(children × difficulty types).",
            before=comparison.before,
            after=comparison.after,
            rescored=comparison.rescored,
            children=comparison.children,
            changed=comparison.changed,
        ),
        "",
        translated("Tiers"),
        *(
            f"  {row['difficulty_type']}: {row['tier_before'] or '—'} → {row['tier_after'] or '—'}: {row['children']}"
            for row in comparison.tiers
        ),
    ]
    none = [translated("  no child changes")]
    for title, rows in ((translated("By area"), comparison.areas), (translated("By age"), comparison.ages)):
        moved = [row for row in rows if row["graver"] or row["milder"]]
        lines += ["", title]
        lines += [
            translated("  {difficulty_type}: {group}: {graver} graver, {milder} milder of {children}", **row)
            for row in moved
        ] or none
    lines += ["", translated("Why (items that make the difference, among those who change)")]
    lines += [
        translated("  {difficulty_type}: {label_ja}: {difference:+} over {children} children", **row)
        for row in comparison.items
    ] or none
    return "\n".join(lines)
