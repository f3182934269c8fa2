-- Couples: marriages by notice, then 夫・妻 and 夫（未届）・妻（未届） of households.
-- Grain: one row per couple, kind and start, from the husband to the wife (of unknown sex: the smaller id first).
with

marriages as (
    select * from {{ ref('int_family__marriages') }}
    where valid_from <= {{ as_of() }}
),

relations as (
    select
        *,
        case
            when last_code in ('11', '13') then person_id
            when last_code in ('12', '14') then anchor_id
        end as husband_id,
        case
            when last_code in ('11', '13') then anchor_id
            when last_code in ('12', '14') then person_id
        end as wife_id,
        case when last_code in ('11', '12') then 'marriage' else 'unregistered' end as link_kind
    from {{ ref('int_family__relations') }}
    where reading = 'clear' and last_code in ('11', '12', '13', '14')
),

couples as (
    select distinct husband_id, wife_id from marriages
),

-- What a notice dates needs no household.
undated as (
    select relations.*
    from relations
    left join couples
        on relations.husband_id = couples.husband_id and relations.wife_id = couples.wife_id
    where relations.link_kind = 'unregistered' or couples.husband_id is null
),

ordered as (
    select
        husband_id,
        wife_id,
        link_kind,
        valid_from,
        valid_to,
        max(coalesce(valid_to, date '9999-12-31')) over (
            partition by husband_id, wife_id, link_kind order by valid_from, valid_to
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from undated
),

numbered as (
    select
        *,
        sum(case when covered_until >= valid_from then 0 else 1 end) over (
            partition by husband_id, wife_id, link_kind order by valid_from, valid_to
        ) as period_no
    from ordered
),

by_household as (
    select
        husband_id,
        wife_id,
        link_kind,
        min(valid_from) as valid_from,
        case when bool_or(valid_to is null) then null else max(valid_to) end as valid_to
    from numbered
    group by husband_id, wife_id, link_kind, period_no
)

select
    husband_id,
    wife_id,
    'marriage' as link_kind,
    valid_from,
    valid_to,
    '届出' as origin,
    1.0::decimal(4, 3) as confidence
from marriages
union all
select
    husband_id,
    wife_id,
    link_kind,
    valid_from,
    valid_to,
    '続柄' as origin,
    0.9::decimal(4, 3) as confidence
from by_household
