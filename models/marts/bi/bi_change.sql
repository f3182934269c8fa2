-- What moved a child since the last batch and since the last decision about it.
-- Grain: one row per child, date compared with and change_no.
with

children as (
    select * from {{ ref('bi_child') }}
),

changes as (
    select * from {{ ref('fct_change') }}
    where as_of_on = {{ as_of() }}
),

-- The first batch that had a change: the limit to look at it counts from there.
first_batches as (
    select
        person_id,
        compared_on,
        change_kind,
        change_key,
        min(as_of_on) as since_on
    from {{ ref('fct_change') }}
    where as_of_on <= {{ as_of() }}
    group by person_id, compared_on, change_kind, change_key
),

barred_observations as (
    select observation_code
    from {{ ref('int_observations__barred') }}
    where purpose = 'bi'
),

holders as (
    {{ source_holders() }}
)

select
    {{ child_columns() }},
    children.is_dv_protected,
    changes.change_kind,
    changes.kind_label,
    changes.subject_label,
    changes.from_label,
    changes.to_label,
    case when changes.observation_code is not null then changes.to_value end as value_label,
    changes.happened_on,
    changes.why,
    changes.direction,
    changes.compared_on,
    changes.is_since_batch,
    changes.is_since_decision,
    changes.comes_back_after,
    first_batches.since_on,
    changes.sort_order,
    row_number() over (
        partition by changes.person_id, changes.compared_on
        order by changes.sort_order, changes.change_key
    ) as change_no,
    -- Of a score and of a chain there is no single holder. A row that is there because of a decision shows that there is
    -- one: it is for those who see all rows.
    case when changes.is_since_batch then holders.holder end as holder,
    holders.source_label
from changes
anti join barred_observations on changes.observation_code = barred_observations.observation_code
inner join children on changes.person_id = children.person_id
inner join first_batches
    on
        changes.person_id = first_batches.person_id
        and changes.compared_on = first_batches.compared_on
        and changes.change_kind = first_batches.change_kind
        and changes.change_key = first_batches.change_key
left join holders on changes.source_id = holders.source_id
