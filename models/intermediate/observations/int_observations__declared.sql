-- Facts of the sources whose contract declares its observations (`facts` in models/sources/<source>.yml).
-- The contract is there with dbt's templater only, so that plain Jinja renders nothing to parse.
with code_lists as (  -- noqa: PRS
    select * from {{ ref('code_lists') }}
),

-- By which numbers rows name people: 宛名番号, the number of a notification of pregnancy, the number of a pupil.
numbers as (
    select
        'atena' as kind,
        atena_no as number,
        person_id
    from {{ ref('int_person__atena') }}
    union all
    select
        'pregnancy' as kind,
        notification_no as number,
        person_id
    from {{ ref('int_person__pregnancies') }}
    union all
    select
        'pupil' as kind,
        school_person_no as number,
        person_id
    from {{ ref('int_person__pupil_numbers') }}
),

{{ facts_of_declaring_sources() }},

final as (
    {{ observations_of_declaring_sources() }}
)

select * from final
