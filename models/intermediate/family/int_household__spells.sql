-- Who belonged to which household when, and as what. Grain: one row per person, household, start and relation chain.
with

household_history as (
    select
        atena.person_id,
        history.household_no as household_id,
        array_to_string([
            history.relation_code_1,
            history.relation_code_2,
            history.relation_code_3,
            history.relation_code_4
        ], ',') as relation_chain,
        history.valid_from,
        history.valid_to,
        history.move_reason_code
    from {{ ref('stg_citizens__household_history') }} as history
    inner join {{ ref('int_person__atena') }} as atena on history.atena_no = atena.atena_no
    -- A spell of unknown start puts nobody under one roof: the register says where they live.
    where history.valid_from is not null
    -- Where two rows differ in the end only, the later one corrects.
    qualify
        row_number() over (
            partition by atena.person_id, household_id, relation_chain, history.valid_from
            order by history.delivery_id desc, history.line_number desc
        ) = 1
),

residents as (
    select * from {{ ref('int_person__residents') }}
),

-- An end that the history lacks: whoever left the city or died left the household.
closed_history as (
    select
        household_history.person_id,
        household_history.household_id,
        household_history.relation_chain,
        household_history.valid_from,
        case
            when household_history.valid_from < residents.resident_until
                then least(household_history.valid_to, residents.resident_until)
            else household_history.valid_to
        end as valid_to,
        household_history.move_reason_code
    from household_history
    left join residents on household_history.person_id = residents.person_id
),

history_ends as (
    select
        person_id,
        bool_or(
            valid_from <= {{ as_of() }} and coalesce(valid_to > {{ as_of() }}, true)
        ) as is_in_force,
        max(valid_to) filter (where valid_to <= {{ as_of() }}) as last_ended_on
    from closed_history
    group by person_id
),

-- Whom the history does not place: the register's own household.
from_register as (
    select
        residents.person_id,
        residents.household_no as household_id,
        residents.relation_chain,
        coalesce(
            case when residents.is_resident then history_ends.last_ended_on end,
            residents.resident_from,
            residents.birth_on,
            case when residents.resident_until is null then residents.moved_on end,
            {{ as_of() }}
        ) as valid_from,
        residents.resident_until as valid_to,
        residents.move_reason_code
    from residents
    left join history_ends on residents.person_id = history_ends.person_id
    where
        history_ends.person_id is null
        or (residents.is_resident and not history_ends.is_in_force)
),

spells as (
    select * from closed_history
    union all
    select * from from_register
)

select distinct
    person_id,
    household_id,
    relation_chain,
    valid_from,
    valid_to,
    max(move_reason_code = '11') over (
        partition by person_id, household_id, valid_from
    ) as is_from_birth
from spells
where valid_to is null or valid_to > valid_from
