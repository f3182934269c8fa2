with subjects as (
    select * from {{ ref('int_risk__subjects') }}
),

scope_members as (
    select * from {{ ref('int_risk__scope_members') }}
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'determination'
),

observations as (
    select * from {{ ref('int_observations__all') }}
    where
        observed_on <= {{ as_of() }}
        and observation_code not in (select barred_observations.observation_code from barred_observations)
),

chain_values as (
    select * from {{ ref('int_chain__values') }}
),

items as (
    -- items without a coefficient too: what is not counted yet can still be judged
    select * from {{ ref('risk_items') }}
),

in_window as (
    -- in_force asks whether something still lasts, however long ago it began
    select
        items.item_code,
        items.scope,
        items.aggregate,
        items.age_from_months,
        items.age_to_months,
        observations.person_id as member_id,
        observations.observed_on,
        -- as many places as a double has: what lies just below a band's bound stays below it
        cast(observations.value as decimal(38, 18)) as value,
        observations.source_id,
        observations.delivery_id,
        observations.line_number,
        observations.ended_on is null or observations.ended_on > {{ as_of() }} as is_in_force
    from observations
    inner join items
        on
            observations.observation_code = items.observation_code
            and items.kind = 'observation'
            and (
                items.lookback_months is null
                or items.aggregate = 'in_force'
                or observations.observed_on > {{ as_of() }} - to_months(items.lookback_months)
            )
),

pooled as (
    select
        scope_members.person_id,
        in_window.*
    from in_window
    inner join scope_members
        on in_window.member_id = scope_members.member_id and in_window.scope = scope_members.scope
    inner join subjects on scope_members.person_id = subjects.person_id
    where {{ applies_at_age('in_window', 'subjects.age_months') }}
),

ranked as (
    -- only a value can be the latest value; the latest date needs none
    select
        *,
        max(value) over item_of_person as largest,
        min(value) over item_of_person as smallest,
        row_number() over (
            partition by person_id, item_code
            order by
                case when aggregate = 'latest' and value is null then 1 else 0 end,
                observed_on desc, delivery_id desc nulls last, line_number desc nulls last,
                member_id desc, source_id desc nulls last
        ) as recency
    from pooled
    window item_of_person as (partition by person_id, item_code)
),

judged as (
    select
        *,
        case aggregate
            when 'max' then value = largest
            when 'min' then value = smallest
            when 'sum' then value is not null
            when 'latest' then recency = 1 and value is not null
            when 'months_since' then recency = 1
            when 'in_force' then is_in_force or not bool_or(is_in_force) over item_of_person
            else true
        end as makes_value
    from ranked
    window item_of_person as (partition by person_id, item_code)
),

observed as (
    select
        person_id,
        item_code,
        cast(
            case any_value(aggregate)
                when 'any' then 1
                when 'count' then count(*)
                when 'sum' then sum(value)
                when 'max' then max(value)
                when 'min' then min(value)
                when 'latest' then max(value) filter (where makes_value)
                when 'months_since' then {{ months_between('max(observed_on)', as_of()) }}
                when 'in_force' then case when bool_or(is_in_force) then 1 else 0 end
            end as decimal(38, 18)
        ) as raw_value,
        string_agg(
            coalesce(delivery_id || ':', '') || line_number, '|' order by delivery_id, line_number
        ) filter (where makes_value) as evidence
    from judged
    group by person_id, item_code
),

chained as (
    select
        subjects.person_id,
        items.item_code,
        cast(coalesce(chain_values.value, 0) as decimal(38, 18)) as raw_value,
        cast(chain_values.evidence as varchar) as evidence
    from subjects
    inner join items on items.kind = 'chain' and {{ applies_at_age('items', 'subjects.age_months') }}
    left join chain_values
        on
            subjects.person_id = chain_values.person_id
            and contains(coalesce(items.observation_code, items.item_code), chain_values.chain_type)
)

select
    person_id,
    item_code,
    raw_value,
    evidence
from observed
where raw_value is not null
union all
select
    person_id,
    item_code,
    raw_value,
    evidence
from chained
