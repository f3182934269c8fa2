-- sqlfluff:exclude_rules:ST06,LT09,RF04,ST03
-- ST03: plain Jinja has no contract to read, and renders a CTE that only the contract uses.
-- What has become of every delivered row that makes a source's present state: used, asked or explained. What is none of
-- these has vanished on the way, and holds the publication (tests/dbt).
{%- for model in staged_models() %}
-- depends_on: {{ ref(model) }}
{%- endfor %}
-- depends_on: {{ ref('code_lists') }}
with

observations as (
    select distinct
        source_id,
        delivery_id,
        line_number
    from {{ ref('fct_observation') }}
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
),

unknown_numbers as (
    select distinct
        source_id,
        delivery_id,
        line_number
    from {{ ref('int_quality__unknown_numbers') }}
),

value_issues as (
    select * from {{ source('run', 'value_issues') }}
),

discarded_ends as (
    select * from {{ ref('int_quality__discarded_ends') }}
),

-- Rows with a question about one of their values: it could not be read, or was read as what it means.
questioned_rows as (
    select
        source_id,
        delivery_id,
        line_number
    from value_issues
    union
    select
        source_id,
        delivery_id,
        line_number
    from discarded_ends
),

observation_codes as (
    select * from {{ ref('observation_codes') }}
),

data_items as (
    select * from {{ source('run', 'data_items') }}
),

register_rows as (
    {{ rows_on_file('resident_register', 'stg_citizens__resident_register', ['atena_no']) }}
    union all
    {{ rows_on_file('household_history', 'stg_citizens__household_history', ['atena_no']) }}
    union all
    {{ rows_on_file(
        'resident_register', 'stg_citizens__resident_register_history', ['atena_no'], "staged.row_state = 'history'"
    ) }}
    union all
    select
        'pregnancy_notifications' as source_id,
        delivery_id,
        line_number
    from pregnancies
),

-- A tie between two people of the register.
family_rows as (
    select
        'parentage' as source_id,
        notices.delivery_id,
        notices.line_number
    from {{ ref('stg_citizens__parentage') }} as notices
    semi join atena as children on notices.child_atena_no = children.atena_no
    left join atena as fathers on notices.father_atena_no = fathers.atena_no
    left join atena as mothers on notices.mother_atena_no = mothers.atena_no
    where coalesce(fathers.atena_no, mothers.atena_no) is not null
    union all
    {{ rows_on_file('newborn_visits', 'stg_health__newborn_visits', ['child_atena_no', 'mother_atena_no']) }}
),

-- Taken back by the holder, as if it had never been written.
deleted_rows as (
    select
        'resident_register' as source_id,
        delivery_id,
        line_number
    from {{ ref('stg_citizens__resident_register_history') }}
    where row_state = 'deleted'
),

protection_rows as (
    {{ rows_on_file('told_support_measures', 'stg_citizens__told_support_measures', ['atena_no']) }}
    union all
    {{ rows_on_file('support_measures', 'stg_citizens__support_measures', ['atena_no']) }}
),

handover_rows as (
    {{ rows_on_file('recorded_handovers', 'stg_child__recorded_handovers', ['subject_no']) }}
),

benefit_check_rows as (
    {{ rows_on_file('recorded_benefit_checks', 'stg_child__recorded_benefit_checks', ['subject_no']) }}
),

status_check_rows as (
    {{ rows_on_file('recorded_status_checks', 'stg_child__recorded_status_checks', ['subject_no']) }}
),

used_rows as (
    select source_id, delivery_id, line_number, 'observation' as reason from observations
    union all
    select source_id, delivery_id, line_number, 'person' as reason from register_rows
    union all
    select source_id, delivery_id, line_number, 'family' as reason from family_rows
    union all
    select source_id, delivery_id, line_number, 'protection' as reason from protection_rows
    union all
    select source_id, delivery_id, line_number, 'handover' as reason from handover_rows
    union all
    select source_id, delivery_id, line_number, 'status_check' as reason from status_check_rows
    union all
    select source_id, delivery_id, line_number, 'benefit_check' as reason from benefit_check_rows
),

used as (
    select
        source_id,
        delivery_id,
        line_number,
        min(reason) as reason
    from used_rows
    group by source_id, delivery_id, line_number
),

delivered_rows as (
    select
        null::varchar as source_id,
        null::varchar as delivery_id,
        null::bigint as line_number,
        null::boolean as is_staged,
        null::varchar as used_reason,
        null::boolean as has_number,
        null::boolean as has_date,
        null::boolean as has_unknown_code,
        null::boolean as is_conditional,
        null::varchar[] as filled_columns
    where false
    {%- for source in staged_sources() %}
        union all
        select
            '{{ source.source_id }}' as source_id,
            delivered.delivery_id,
            delivered.line_number,
            staged.line_number is not null as is_staged,
            used.reason as used_reason,
            {{ staged_filled(source.numbers, 'or') }} as has_number,
            {{ staged_filled(source.required_dates, 'and') if source.required_dates
            else staged_filled(source.dates, 'or') }} as has_date,
            false
            {%- for column in source.codes %}
                or coalesce(staged.{{ column }} = 'unknown', false)
            {%- endfor %} as has_unknown_code,
            {{ 'true' if source.is_conditional else 'false' }} as is_conditional,
            -- looked at where nothing has used the row
            case
                when used.reason is null then [
                    {%- for column in source.values_read %}
                        case
                            when
                                {{ says_something('staged.' ~ column.name, column) }}
                                then '{{ column.name }}'
                        end,
                    {%- endfor %}
                    null::varchar
                ]
            end as filled_columns
        from ({{ current_rows(source.source_id) }}) as delivered
        left join {{ ref(source.model) }} as staged
            on delivered.delivery_id = staged.delivery_id and delivered.line_number = staged.line_number
        left join used
            on
                used.source_id = '{{ source.source_id }}'
                and delivered.delivery_id = used.delivery_id
                and delivered.line_number = used.line_number
    {%- endfor %}
),

-- The columns beside the date that each kind of observation is read from, and whether they may be read.
readings as (
    select
        observation_codes.source_id,
        observation_codes.observation_code,
        coalesce(
            list(data_items.column_name) filter (
                where not regexp_matches(data_items.column_name, '^valid_|_(?:on|month|no|from|until)$')
            ),
            []
        ) as column_names,
        bool_and({{ is_approved_for("'database'") }}) as is_approved
    from observation_codes
    inner join data_items
        on
            observation_codes.source_id = data_items.source_id
            and list_contains(string_split(observation_codes.column_names, '|'), data_items.column_name)
    group by observation_codes.source_id, observation_codes.observation_code
),

unused as (
    select
        delivered_rows.*,
        unknown_numbers.source_id is not null as is_orphan,
        questioned_rows.source_id is not null as is_questioned,
        deleted_rows.source_id is not null as is_deleted
    from delivered_rows
    left join questioned_rows
        on
            delivered_rows.source_id = questioned_rows.source_id
            and delivered_rows.delivery_id = questioned_rows.delivery_id
            and delivered_rows.line_number = questioned_rows.line_number
    left join deleted_rows
        on
            delivered_rows.source_id = deleted_rows.source_id
            and delivered_rows.delivery_id = deleted_rows.delivery_id
            and delivered_rows.line_number = deleted_rows.line_number
    left join unknown_numbers
        on
            delivered_rows.source_id = unknown_numbers.source_id
            and delivered_rows.delivery_id = unknown_numbers.delivery_id
            and delivered_rows.line_number = unknown_numbers.line_number
    where delivered_rows.used_reason is null
),

-- Whether anything could have been read of a row, and whether something may not be.
judged as (
    select
        unused.source_id,
        unused.delivery_id,
        unused.line_number,
        unused.is_staged,
        unused.has_number,
        unused.has_date,
        unused.has_unknown_code,
        unused.is_conditional,
        unused.is_orphan,
        unused.is_questioned,
        unused.is_deleted,
        coalesce(bool_or(
            readings.is_approved and list_has_all(unused.filled_columns, readings.column_names)
        ), false) as could_tell,
        coalesce(bool_or(not readings.is_approved), false) as is_held_back
    from unused
    left join readings on unused.source_id = readings.source_id
    group by all
),

fates as (
    select
        source_id,
        'used' as fate,
        used_reason as reason
    from delivered_rows
    where used_reason is not null
    union all
    select
        source_id,
        case
            when is_deleted then 'explained'
            when is_orphan or (is_staged and (has_unknown_code or is_questioned)) then 'asked'
            when not is_staged or not has_number or not has_date or not could_tell then 'explained'
            when is_conditional then 'explained'
            else 'vanished'
        end as fate,
        case
            when is_deleted then 'deleted'
            when is_orphan then 'orphan'
            when not is_staged then 'superseded'
            when has_unknown_code then 'unknown_code'
            when is_questioned and has_date then 'value_in_question'
            when is_questioned then 'date_unknown'
            when not has_number then 'not_approved'
            when not has_date then 'date_unknown'
            when not could_tell and is_held_back then 'not_approved'
            when not could_tell then 'no_value'
            when is_conditional then 'no_event'
            else 'vanished'
        end as reason
    from judged
)

select
    source_id,
    fate,
    reason,
    count(*) as row_count
from fates
group by source_id, fate, reason
