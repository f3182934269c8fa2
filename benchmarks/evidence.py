"""Evidence of all pairs of item bands: seconds for generated children, as the SQL of the batch.

.venv/bin/python benchmarks/evidence.py [children …]        (default: 7000 1000000)

150 bands of 75 items, each met by a share of the children between 0.5 % and 30 %, two difficulty types. Measured from
the frozen features to the finished mart: 2×2 tables, ratios with intervals, lift, information value, corrected p.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from kodomo.home import Home
from kodomo.scoring.engine import EVIDENCE_MODELS, load_bundle, memory_warehouse

ITEMS, BANDS_PER_ITEM = 75, 2
GIVEN = """
create table warehouse.raw.run_parameters as
select 'benchmark' as run_id, date '2026-04-01' as as_of_on, now()::timestamp as started_at;
create table warehouse.seeds.risk_items as
select
    'item_' || lpad(i::varchar, 3, '0') as item_code, 'observation' as kind, 'seen_' || i as observation_code,
    if(i % 3 = 0, 72, null) as age_from_months, if(i % 5 = 0, 144, null) as age_to_months
from range({items}) as t(i);
create table warehouse.seeds.risk_item_members (item_code varchar, member_item_code varchar);
create table warehouse.seeds.risk_outcomes as
select difficulty_type, 'outcome' as observation_code from (values ('abuse'), ('poverty')) as t(difficulty_type);
create table warehouse.seeds.observation_codes (observation_code varchar, source_id varchar, column_names varchar);
create table warehouse.intermediate.int_evaluation__frozen as
with children as (
    select
        lpad(i::varchar, 15, '0') as person_id,
        (hash(i) % 216)::integer as age_months
    from range({children}) as t(i)
),
met as (
    select person_id, age_months, unnest(range({items})) as i from children
),
bands as (
    select
        person_id,
        list({{
            'item_code': 'item_' || lpad(i::varchar, 3, '0'),
            'band_no': (hash(person_id || 'band' || i) % 2)::integer
        }}) as bands
    from met
    where
        hash(person_id || 'item' || i) % 1000 < 5 + i * 4
        and (i % 3 <> 0 or age_months >= 72) and (i % 5 <> 0 or age_months < 144)
    group by person_id
)
select
    children.person_id, date '2025-04-01' as frozen_on, date '2026-04-01' as outcome_until, children.age_months,
    bands.bands
from children left join bands on children.person_id = bands.person_id;
create table warehouse.intermediate.int_evaluation__cohort as
select
    types.difficulty_type, frozen.person_id,
    hash(frozen.person_id || types.difficulty_type) % 1000 < 10 + 5 * len(frozen.bands) as became_case
from warehouse.intermediate.int_evaluation__frozen as frozen
cross join (values ('abuse'), ('poverty')) as types(difficulty_type);
"""


def main() -> None:
    """Print the seconds for each number of children."""
    models = tuple(name for name in EVIDENCE_MODELS if name != "int_evaluation__cohort")
    with tempfile.TemporaryDirectory() as folder:
        bundle = load_bundle(Home(Path(folder) / "var").ensure(), models)
        for children in [int(text) for text in sys.argv[1:]] or [7_000, 1_000_000]:
            connection = memory_warehouse()
            connection.execute(GIVEN.format(children=children, items=ITEMS))
            parts = bundle.execute(connection)
            seconds = sum(parts.values())
            bands, rows = connection.execute(
                "select (select count(*) from warehouse.intermediate.int_evaluation__item_bands), "
                "(select count(*) from warehouse.marts.fct_item_evidence)"
            ).fetchall()[0]
            print(f"{children:>9,} children, {bands} bands, {rows:,} rows: {seconds:.1f} s")
            for name, taken in sorted(parts.items(), key=lambda part: -part[1])[:3]:
                print(f"{'':>12}{name}: {taken:.1f} s")
            connection.close()


if __name__ == "__main__":
    main()
