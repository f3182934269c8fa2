"""What items say about becoming a case: features frozen at a past date, outcomes in the twelve months after it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kodomo.evaluation.frozen import OUTCOME_MONTHS, freeze
from kodomo.evaluation.relations import FROZEN, REFUSED
from kodomo.files import atomic_path
from kodomo.home import Home
from kodomo.messages import Translate, english
from kodomo.scoring.definition import Definition, check, raise_for, read_definition
from kodomo.scoring.legal_basis import observation_obstacles
from kodomo.scoring.replay import (
    DEFINITION,
    PARAMETERS,
    SCRATCH,
    VERSIONS,
    WAREHOUSE,
    CompiledModels,
    beside_warehouse,
    open_scratch,
)
from kodomo.scoring.score import load_definition
from kodomo.warehouse import records

TARGETS = ("marts.fct_item_evidence", "marts.fct_model_performance", REFUSED)
SHOWN = 8
FEW_CASES = 10


@dataclass(frozen=True)
class Cohort:
    """A past date beside the warehouse: the evaluation models are built in ``scratch`` of ``connection``."""

    connection: duckdb.DuckDBPyConnection
    frozen_on: dt.date
    outcome_until: dt.date
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """The evidence of one cohort. Lists of rows as dictionaries, ordered by difficulty type, corrected p-value
    and information value."""

    frozen_on: dt.date
    outcome_until: dt.date
    rows: int
    difficulties: list[dict[str, Any]]
    bands: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    warnings: tuple[str, ...] = ()


@contextmanager
def cohort(home: Home, frozen_on: dt.date | None = None, definition: Path | None = None) -> Iterator[Cohort]:
    """Freeze the features at a date (default: twelve months before the last build) and judge what came after.

    ``definition``: a folder whose items and versions are judged, all of them, instead of those of the build. Where
    the twelve months after the date are not over by the date of the build, the features are frozen twelve months
    before the build, and a warning says so. The warehouse stays as it is.
    Raises KodomoError naming every mistake of the definition, and when there is no build.
    """
    connection = beside_warehouse(home)
    try:
        built_on, last = connection.execute(
            f"select as_of_on, cast(as_of_on - interval {OUTCOME_MONTHS} month as date) from {WAREHOUSE}.{PARAMETERS}"
        ).fetchall()[0]
        warnings: list[str] = []
        if frozen_on is not None and frozen_on > last:
            warnings.append(
                f"The twelve months after {frozen_on} are not over in the build of {built_on}: "
                f"features are frozen on {last} instead."
            )
        date = min(frozen_on or last, last)
        given = None
        if definition is not None:
            given = read_definition(definition)
            mistakes = check(given, observation_obstacles(built_on), is_tried=True)
            raise_for(mistakes)
            warnings += map(str, mistakes)
        models = CompiledModels.of_last_build(home)
        build(connection, models, date, built_on, TARGETS, given)
        # Which items are refused hangs on the definition alone.
        connection.execute(f"create table if not exists {SCRATCH}.{REFUSED} as from {WAREHOUSE}.{REFUSED}")
        until = connection.execute(
            f"select cast(?::date + interval {OUTCOME_MONTHS} month as date)", [date]
        ).fetchall()[0][0]
        for mart in TARGETS[:2]:
            connection.execute(f"update {SCRATCH}.{mart} set as_of_on = ?", [until])
        yield Cohort(connection, date, until, tuple(warnings))
    finally:
        connection.close()


def build(
    connection: duckdb.DuckDBPyConnection,
    models: CompiledModels,
    frozen_on: dt.date,
    built_on: dt.date,
    targets: Iterable[str],
    definition: Definition | None = None,
    versions: Collection[str] | None = None,
    without_area: Collection[str] = (),
) -> None:
    """Freeze the features at a date and build models of the evaluation in ``scratch``.

    The connection reads the build of ``built_on`` as ``warehouse``. ``versions``: those of ``definition`` that are
    judged, all by default; ``without_area``: people who are counted under no area.
    """
    freeze(connection, models, frozen_on, definition, versions)
    if without_area:
        connection.execute(
            "update frozen set area_code = null where list_contains($people, current_person_id)",
            {"people": list(without_area)},
        )
    open_scratch(connection, built_on)
    changed = [FROZEN]
    if definition is not None:
        load_definition(connection, definition, SCRATCH, versions=versions)
        changed += [*DEFINITION, VERSIONS]
    connection.execute(f"create table {SCRATCH}.{FROZEN} as from frozen")
    models.execute(connection, changed, targets)


DIFFICULTIES = """
select
    cohort.difficulty_type,
    any_value(types.label_ja) as label_ja,
    (select count(*) from {scratch}.intermediate.int_evaluation__frozen) as children,
    count(*) as people,
    count(*) filter (where cohort.became_case) as cases
from {scratch}.intermediate.int_evaluation__cohort as cohort
left join warehouse.seeds.difficulty_types as types using (difficulty_type)
group by cohort.difficulty_type
order by any_value(types.sort_order), cohort.difficulty_type
"""
STRONGEST = """
with

-- A band that every child of its age meets compares nothing, and a pair with it repeats the other band.
met_by_everybody as (
    select difficulty_type, item_code, band_no
    from {scratch}.marts.fct_item_evidence
    where second_item_code is null and unexposed_cases + unexposed_others = 0
),

labelled as (
    select
        evidence.*,
        items.label_ja || '：' || coalesce(bands.label_ja, evidence.band_no::varchar) as label_ja,
        second_items.label_ja || '：' || coalesce(second_bands.label_ja, evidence.second_band_no::varchar)
            as second_label_ja
    from {scratch}.marts.fct_item_evidence as evidence
    anti join met_by_everybody as first_of_all
        on evidence.difficulty_type = first_of_all.difficulty_type
        and evidence.item_code = first_of_all.item_code and evidence.band_no = first_of_all.band_no
    anti join met_by_everybody as second_of_all
        on evidence.difficulty_type = second_of_all.difficulty_type
        and evidence.second_item_code = second_of_all.item_code
        and evidence.second_band_no = second_of_all.band_no
    left join {seeds}.risk_items as items on evidence.item_code = items.item_code
    left join {seeds}.risk_bands as bands
        on evidence.item_code = bands.item_code and evidence.band_no = bands.band_no
    left join {seeds}.risk_items as second_items on evidence.second_item_code = second_items.item_code
    left join {seeds}.risk_bands as second_bands
        on evidence.second_item_code = second_bands.item_code and evidence.second_band_no = second_bands.band_no
    where (evidence.second_item_code is not null) = $is_pair and evidence.exposed_cases > 0
)

select
    difficulty_type, item_code, band_no, second_item_code, second_band_no, label_ja, second_label_ja,
    exposed_cases, exposed_cases + exposed_others as exposed, prevalence, case_rate, relative_risk,
    odds_ratio, odds_ratio_low, odds_ratio_high, lift, information_value, q_value
from labelled
qualify row_number() over (
    partition by difficulty_type
    order by q_value, information_value desc, item_code, band_no, second_item_code, second_band_no
) <= {shown}
order by difficulty_type, q_value, information_value desc, item_code, band_no, second_item_code, second_band_no
"""
REFUSED_ITEMS = """
select refused.difficulty_type, refused.item_code, items.label_ja, refused.reasons
from {scratch}.intermediate.int_evaluation__refused_items as refused
left join {seeds}.risk_items as items on refused.item_code = items.item_code
order by refused.difficulty_type, refused.item_code
"""


def evidence(
    home: Home, frozen_on: dt.date | None = None, definition: Path | None = None, out: Path | None = None
) -> Evidence:
    """Evidence of every item band and pair of bands at a date; with ``out`` the marts are written there as CSV."""
    with cohort(home, frozen_on, definition) as evaluated:
        connection = evaluated.connection
        names = {"scratch": SCRATCH, "seeds": f"{SCRATCH if definition else WAREHOUSE}.seeds", "shown": SHOWN}
        if out is not None:
            write_tables(connection, out)
        return Evidence(
            frozen_on=evaluated.frozen_on,
            outcome_until=evaluated.outcome_until,
            rows=connection.execute(f"select count(*) from {SCRATCH}.marts.fct_item_evidence").fetchall()[0][0],
            difficulties=records(connection, DIFFICULTIES.format(**names)),
            bands=records(connection, STRONGEST.format(**names), {"is_pair": False}),
            pairs=records(connection, STRONGEST.format(**names), {"is_pair": True}),
            refused=records(connection, REFUSED_ITEMS.format(**names)),
            warnings=evaluated.warnings,
        )


def write_tables(connection: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Write the evidence, the judgement of versions and the refused items as CSV files, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    for relation in TARGETS:
        name = relation.partition(".")[2].removeprefix("int_evaluation__")
        with atomic_path(out / f"{name}.csv") as draft:
            path = str(draft).replace("'", "''")
            connection.execute(f"copy (from {SCRATCH}.{relation} order by all) to '{path}' (header, format csv)")


def as_text(report: Evidence, translated: Translate = english) -> str:
    """Evidence as people read it: the strongest bands and pairs of each difficulty type, and what was refused."""
    lines = [
        translated(
            "Features frozen on {frozen_on}, outcomes until {outcome_until}: {rows:,} rows.",
            frozen_on=report.frozen_on,
            outcome_until=report.outcome_until,
            rows=report.rows,
        )
    ]
    for difficulty in report.difficulties:
        name = difficulty["difficulty_type"]
        lines += [
            "",
            translated(
                "{label} ({name}): {cases:,} of {people:,} children became a case; {others:,} were known before or of "
                "another age",
                label=difficulty["label_ja"] or name,
                name=name,
                cases=difficulty["cases"],
                people=difficulty["people"],
                others=difficulty["children"] - difficulty["people"],
            ),
        ]
        if difficulty["cases"] < FEW_CASES:
            lines.append(
                translated("  Fewer than {few} cases: nothing can be concluded, whatever the ratios say", few=FEW_CASES)
            )
        for title, rows in ((translated("Bands"), report.bands), (translated("Pairs"), report.pairs)):
            lines.append(
                translated(
                    "  {title}: odds ratio (95 % interval), q, information value, cases among those with it",
                    title=title,
                )
            )
            lines += [f"    {_line(row, translated)}" for row in rows if row["difficulty_type"] == name] or [
                translated("    none met")
            ]
        refused = [row for row in report.refused if row["difficulty_type"] == name]
        lines.append(translated("  Refused as evidence, made from its cases: {count} items", count=len(refused)))
        lines += [f"    {row['label_ja'] or row['item_code']} ({row['reasons']})" for row in refused]
    return "\n".join(lines)


def _line(row: dict[str, Any], translated: Translate) -> str:
    label = row["label_ja"] + (f" ＋ {row['second_label_ja']}" if row["second_label_ja"] else "")
    if row["odds_ratio"] is None:
        return translated(
            "no ratio: {cases} of {exposed}  {label}",
            cases=row["exposed_cases"],
            exposed=row["exposed"],
            label=label,
        )
    return translated(
        "{odds_ratio:.1f} ({low:.1f}–{high:.1f})  q {q_value:.3f}  IV {information_value:.3f}  {cases} of {exposed}  "
        "{label}",
        odds_ratio=row["odds_ratio"],
        low=row["odds_ratio_low"],
        high=row["odds_ratio_high"],
        q_value=row["q_value"],
        information_value=row["information_value"],
        cases=row["exposed_cases"],
        exposed=row["exposed"],
        label=label,
    )
