with scored as (
    select * from {{ ref('int_risk__scored') }}
),

applicable_items as (
    select * from {{ ref('int_risk__applicable_items') }}
),

unanswered as (
    select * from {{ ref('int_risk__unanswered') }}
),

coverage as (
    {{ source_coverage() }}
),

reasoned as (
    select
        scored.model_version,
        scored.difficulty_type,
        scored.person_id,
        applicable_items.source_id,
        case
            when applicable_items.is_barred then 'not_approved'
            else unanswered.reason_code
        end as reason_code,
        applicable_items.items,
        applicable_items.item_codes
    from scored
    inner join applicable_items
        on
            scored.age_months is not distinct from applicable_items.age_months
            and scored.model_version = applicable_items.model_version
            and scored.difficulty_type = applicable_items.difficulty_type
    left join unanswered
        on scored.person_id = unanswered.person_id and applicable_items.source_id = unanswered.source_id
    where applicable_items.is_barred or unanswered.person_id is not null
)

select
    {{ as_of() }} as as_of_on,
    reasoned.model_version,
    reasoned.difficulty_type,
    reasoned.person_id,
    reasoned.source_id,
    case reasoned.reason_code
        when 'not_on_roster' then coverage.roster_label || 'に見当たらない'
        when 'late' then coverage.source_label || 'の納品が遅れている'
        when 'not_delivered' then coverage.source_label || 'の納品がない'
        when 'not_approved' then coverage.source_label || 'は利用が承認されていない'
    end as reason,
    cast(reasoned.items as integer) as items,
    reasoned.reason_code,
    reasoned.item_codes
from reasoned
left join coverage on reasoned.source_id = coverage.source_id
