-- Other as-of dates stay: a run replaces the rows of its own date only.
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ replace_rows_of_this_date() }}'
    )
}}

with counts as (
    select * from {{ ref('int_evaluation__pair_counts') }}
),

item_bands as (
    select * from {{ ref('int_evaluation__item_bands') }}
),

refused_items as (
    select * from {{ ref('int_evaluation__refused_items') }}
),

frozen as (
    select
        min(frozen_on) as frozen_on,
        min(outcome_until) as outcome_until
    from {{ ref('int_evaluation__frozen') }}
),

allowed as (
    -- what is made from cases says nothing about cases
    select counts.*
    from counts
    inner join item_bands as first_band on counts.first_band_id = first_band.band_id
    inner join item_bands as second_band on counts.second_band_id = second_band.band_id
    anti join refused_items as first_refused
        on
            first_band.item_code = first_refused.item_code
            and counts.difficulty_type = first_refused.difficulty_type
    anti join refused_items as second_refused
        on
            second_band.item_code = second_refused.item_code
            and counts.difficulty_type = second_refused.difficulty_type
),

tables as (
    select
        *,
        exposed_cases as a,
        exposed_people - exposed_cases as b,
        cases - exposed_cases as c,
        people - exposed_people - (cases - exposed_cases) as d
    from allowed
),

corrected as (
    select
        *,
        case
            -- without a case, or without anybody else, there is no ratio
            when cases in (0, people) then null
            when least(a, b, c, d) = 0 then 0.5
            else 0.0
        end as correction
    from tables
),

cells as (
    select
        *,
        cast(a + correction as double) as ca,
        cast(b + correction as double) as cb,
        cast(c + correction as double) as cc,
        cast(d + correction as double) as cd
    from corrected
),

measured as (
    select
        cells.difficulty_type,
        cells.first_band_id,
        cells.second_band_id,
        cells.first_band_id <> cells.second_band_id as is_pair,
        cells.people,
        cells.cases,
        {{ two_by_two('cells') }}
    from cells
),

sparse_cells as (
    -- the cell of which fewest are expected, with the totals of its row and column
    select
        difficulty_type,
        first_band_id,
        second_band_id,
        people,
        arg_min(
            cell,
            cast(cell['in_row'] as double) * cell['in_column']
        ) as cell
    from (
        select
            cells.difficulty_type,
            cells.first_band_id,
            cells.second_band_id,
            cells.people,
            unnest([
                { 'seen': cells.a, 'in_row': cells.a + cells.b, 'in_column': cells.a + cells.c },
                { 'seen': cells.b, 'in_row': cells.a + cells.b, 'in_column': cells.b + cells.d },
                { 'seen': cells.c, 'in_row': cells.c + cells.d, 'in_column': cells.a + cells.c },
                { 'seen': cells.d, 'in_row': cells.c + cells.d, 'in_column': cells.b + cells.d }
            ]) as cell
        from cells
    ) as each_cell
    group by difficulty_type, first_band_id, second_band_id, people
    having min(cast(cell['in_row'] as double) * cell['in_column']) < 5 * people
),

tails as (
    -- the counts at least as far out as what was seen; what lies 100 further weighs nothing
    select
        difficulty_type,
        first_band_id,
        second_band_id,
        people,
        cell['in_row'] as in_row,
        cell['in_column'] as in_column,
        unnest(case
            when cell['seen'] * people > cast(cell['in_row'] as double) * cell['in_column']
                then
                    range(
                        cell['seen'],
                        least(cell['in_row'], cell['in_column'], cell['seen'] + 100) + 1
                    )
            else
                range(
                    greatest(0, cell['in_row'] + cell['in_column'] - people),
                    cell['seen'] + 1
                )
        end) as seen
    from sparse_cells
),

exact as (
    -- Fisher's test, its tail doubled: with so few expected, the chi-square test finds what is not there
    select
        difficulty_type,
        first_band_id,
        second_band_id,
        least(1.0, 2 * sum({{ hypergeometric('seen', 'in_row', 'in_column', 'people') }})) as p_value
    from tails
    group by difficulty_type, first_band_id, second_band_id
),

tested as (
    select
        measured.* replace (coalesce(exact.p_value, measured.p_value) as p_value)
    from measured
    left join exact
        on
            measured.difficulty_type = exact.difficulty_type
            and measured.first_band_id = exact.first_band_id
            and measured.second_band_id = exact.second_band_id
),

adjusted as (
    -- Benjamini–Hochberg within a difficulty type, single bands and pairs apart
    select
        *,
        row_number() over tests_by_p as p_rank,
        count(*) over (partition by difficulty_type, is_pair) as tests
    from tested
    window tests_by_p as (
        partition by difficulty_type, is_pair order by p_value, first_band_id, second_band_id
    )
),

final as (
    select
        *,
        least(
            1.0,
            min(p_value * tests / p_rank) over (
                partition by difficulty_type, is_pair
                order by p_rank desc
                rows between unbounded preceding and current row
            )
        ) as q_value
    from adjusted
)

select
    {{ as_of() }} as as_of_on,
    final.difficulty_type,
    first_band.item_code,
    first_band.band_no,
    case when final.is_pair then second_band.item_code end as second_item_code,
    case when final.is_pair then second_band.band_no end as second_band_no,
    frozen.frozen_on,
    frozen.outcome_until,
    final.people,
    final.cases,
    final.exposed_cases,
    final.exposed_others,
    final.unexposed_cases,
    final.unexposed_others,
    final.prevalence,
    final.case_rate,
    final.relative_risk,
    final.relative_risk_low,
    final.relative_risk_high,
    final.odds_ratio,
    final.odds_ratio_low,
    final.odds_ratio_high,
    final.lift,
    final.information_value,
    final.p_value,
    final.q_value
from final
inner join item_bands as first_band on final.first_band_id = first_band.band_id
inner join item_bands as second_band on final.second_band_id = second_band.band_id
cross join frozen
