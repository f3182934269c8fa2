"""Scoring: children × items × versions per second, as the SQL of the batch, beside the bare engine.

.venv/bin/python benchmarks/scoring.py [children …]        (default: 7000 1000000)

The definition in force over generated children with parents, a sibling, a household and relatives; 20 observations for
each child and 5 for each parent. An item counts once for each version and difficulty type that uses it. Measured from
the observations to contributions with evidence, scores, tiers, overrides and completeness. The bare engine is the
least that gives a sum: one statement that joins, aggregates, joins bands and coefficients and adds up; without
evidence, groups, caps, combinations, missing values, chains, tiers and completeness.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from kodomo.home import Home
from kodomo.scoring.definition import read_definition
from kodomo.scoring.engine import load_bundle, memory_warehouse
from kodomo.scoring.score import load_definition, set_as_of
from kodomo.seeds import SEEDS

AS_OF = dt.date(2026, 4, 1)
SEED = 7
# Children are numbered; two that follow each other are siblings. Relatives are the parents of the family next door.
GIVEN = """
create table warehouse.intermediate.int_risk__subjects as
select 'c' || lpad(n::varchar, 14, '0') as person_id, (hash(n, {seed}) % 217)::integer - 1 as age_months
from range({children}) as t(n);
create table warehouse.intermediate.int_observations__barred (purpose varchar, observation_code varchar);
create table warehouse.intermediate.int_risk__item_sources as
select item_code, 'generated' as source_id, false as is_barred
from warehouse.seeds.risk_items where kind = 'observation';
create table warehouse.intermediate.int_risk__unanswered as
select person_id, 'generated' as source_id, 'not_on_roster' as reason_code
from warehouse.intermediate.int_risk__subjects where hash(person_id) % 4 = 0;
create table warehouse.intermediate.int_risk__scope_members as
with numbered as (
    select
        'c' || lpad(n::varchar, 14, '0') as person_id,
        'c' || lpad((n + 1 - 2 * (n % 2))::varchar, 14, '0') as sibling,
        'm' || lpad((n // 2)::varchar, 14, '0') as mother,
        'f' || lpad((n // 2)::varchar, 14, '0') as father,
        'm' || lpad(((n + 2) // 2)::varchar, 14, '0') as aunt,
        'f' || lpad(((n + 2) // 2)::varchar, 14, '0') as uncle
    from range({children}) as t(n)
)
select
    person_id,
    unnest([
        'self', 'mother', 'father', 'parents', 'parents', 'siblings', 'household', 'household', 'household',
        'household', 'family', 'family', 'family', 'family', 'family', 'family'
    ]) as scope,
    unnest([
        person_id, mother, father, mother, father, sibling, person_id, mother, father, sibling, person_id, mother,
        father, sibling, aunt, uncle
    ]) as member_id
from numbered;
create table warehouse.intermediate.int_observations__all as
with codes as (
    select list(distinct observation_code order by observation_code) as codes from warehouse.seeds.risk_items
    where kind = 'observation'
),
people as (
    select 'c' || lpad(n::varchar, 14, '0') as person_id, unnest(range(20)) as i from range({children}) as t(n)
    union all
    select unnest(['m', 'f']) || lpad(n::varchar, 14, '0') as person_id, unnest(range(5)) as i
    from range({children} // 2 + 1) as t(n)
)
select
    person_id,
    codes[1 + (hash(person_id, i, {seed}) % len(codes))::integer] as observation_code,
    date '2026-04-01' - (hash(person_id, i, 'on') % 900)::integer as observed_on,
    if(hash(person_id, i, 'end') % 2 = 0, date '2026-01-01', null) as ended_on,
    cast(hash(person_id, i, 'value') % 40 as decimal(18, 4)) as value,
    'generated' as source_id,
    'd' || hash(person_id, i) % 200 as delivery_id,
    (hash(person_id, i, 'line') % 100000)::integer as line_number
from people cross join codes;
create table warehouse.intermediate.int_chain__values as
select person_id, if(n = 0, 'vertical', 'horizontal') as chain_type, 1 as value, cast(null as varchar) as evidence
from (select person_id, hash(person_id) % 20 as n from warehouse.intermediate.int_risk__subjects)
where n < 2;
"""
BARE = """
create or replace table bare as
with observed as (
    select
        members.person_id,
        items.item_code,
        case any_value(items.aggregate)
            when 'any' then 1
            when 'count' then count(*)
            when 'sum' then sum(observations.value)
            when 'max' then max(observations.value)
            when 'min' then min(observations.value)
            when 'latest' then arg_max(observations.value, observations.observed_on)
            when 'months_since' then date_diff('month', max(observations.observed_on), date '2026-04-01')
            when 'in_force' then max(if(observations.ended_on is null, 1, 0))
        end as value
    from warehouse.intermediate.int_observations__all as observations
    inner join warehouse.seeds.risk_items as items
        on observations.observation_code = items.observation_code
        and (
            items.lookback_months is null
            or observations.observed_on > date '2026-04-01' - to_months(items.lookback_months)
        )
    inner join warehouse.intermediate.int_risk__scope_members as members
        on observations.person_id = members.member_id and items.scope = members.scope
    inner join warehouse.intermediate.int_risk__subjects as subjects
        on members.person_id = subjects.person_id
        and coalesce(subjects.age_months >= items.age_from_months, true)
        and coalesce(subjects.age_months < items.age_to_months, true)
    group by members.person_id, items.item_code
)
select
    observed.person_id, coefficients.model_version, coefficients.difficulty_type,
    sum(coefficients.coefficient) as score
from observed
inner join warehouse.seeds.risk_bands as bands
    on observed.item_code = bands.item_code
    and coalesce(observed.value >= bands.lower, true) and coalesce(observed.value < bands.upper, true)
    and not bands.when_missing
inner join warehouse.seeds.risk_coefficients as coefficients
    on bands.item_code = coefficients.item_code and bands.band_no = coefficients.band_no
group by all
"""


def main() -> None:
    """Print seconds and rates for each number of children."""
    definition = read_definition(SEEDS)
    with tempfile.TemporaryDirectory() as folder:
        bundle = load_bundle(Home(Path(folder) / "var").ensure())
        for children in [int(text) for text in sys.argv[1:]] or [7_000, 1_000_000]:
            connection = memory_warehouse()
            connection.execute("set preserve_insertion_order = false")
            set_as_of(connection, AS_OF)
            load_definition(connection, definition, only_in_force=True)
            connection.execute(GIVEN.format(children=children, seed=SEED))
            parts = bundle.execute(connection)
            started = time.perf_counter()
            connection.execute(BARE)
            bare = time.perf_counter() - started
            _report(connection, children, bare, parts)
            connection.close()


def _report(connection: duckdb.DuckDBPyConnection, children: int, bare: float, parts: dict[str, float]) -> None:
    seconds = sum(parts.values())
    uses, observations, scores, contributions = connection.execute(
        "select (select count(*) from warehouse.intermediate.int_risk__used_items), "
        "(select count(*) from warehouse.intermediate.int_observations__all), "
        "(select count(*) from warehouse.intermediate.int_risk__scores), "
        "(select count(*) from warehouse.intermediate.int_risk__contributions)"
    ).fetchall()[0]
    print(
        f"{children:>9,} children, {observations:,} observations, {uses} items × versions: "
        f"{scores:,} scores, {contributions:,} contributions"
    )
    print(
        f"{'':>12}batch SQL: {seconds:.2f} s, {children * uses / seconds / 1e6:.1f} million a second; "
        f"bare engine: {bare:.2f} s, {children * uses / bare / 1e6:.1f} million a second; "
        f"{seconds / bare:.1f} times the bare engine"
    )
    for name, taken in sorted(parts.items(), key=lambda part: -part[1])[:4]:
        print(f"{'':>12}{name}: {taken:.2f} s")


if __name__ == "__main__":
    main()
