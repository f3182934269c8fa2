-- sqlfluff:exclude_rules:ST06,LT09,RF04,ST03
-- ST03: plain Jinja has no contract to read, and renders a CTE that only the contract uses.
-- Numbers that a row names and that no person has: a 宛名番号 that the register never had, a pupil's number that is on no
-- roster, a notification that is not on file, the subject of a heard fact, a visit or a hand-over that is gone. The row waits as a question to
-- its holder. No number is quoted.
-- Grain: one row per staged row and column.
{%- for model in staged_models() %}
-- depends_on: {{ ref(model) }}
{%- endfor %}
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

pupils as (
    select * from {{ ref('int_person__pupil_numbers') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
),

known_ids as (
    select * from {{ ref('int_person__known_ids') }}
),

unknown_numbers as (
    select
        null::varchar as source_id,
        null::varchar as column_name,
        null::varchar as delivery_id,
        null::bigint as line_number
    where false
    {%- for source in staged_sources() %}
        {%- for column in source.numbers %}
            union all
            {{ rows_not_on_file(source.source_id, source.model, column, 'atena', 'atena_no') }}
        {%- endfor %}
        {%- for column in source.pupil_numbers %}
            union all
            {{ rows_not_on_file(source.source_id, source.model, column, 'pupils', 'school_person_no') }}
        {%- endfor %}
        {%- for column in source.notifications %}
            union all
            {{ rows_not_on_file(source.source_id, source.model, column, 'pregnancies', 'notification_no') }}
        {%- endfor %}
        {%- if source.source_id in (
            'heard_observations',
            'recorded_benefit_checks',
            'recorded_handovers',
            'recorded_status_checks',
            'recorded_visits'
        ) %}
            union all
            {{ rows_not_on_file(source.source_id, source.model, 'subject_no', 'known_ids', 'known_id') }}
        {%- endif %}
    {%- endfor %}
)

select * from unknown_numbers
