-- Who belonged to which household when, and as what. Grain: one row per person, household, start and relation chain.
with

register_rows as (
    select
        *,
        coalesce(moved_on, move_notified_on) as changed_on
    from {{ ref('stg_citizens__resident_register_history') }}
    where row_state <> 'deleted'
),

relation_texts as (
    select * from {{ ref('relation_texts') }}
    where is_exact
),

-- Each row of the register's own history holds from its change to the next change.
register_history as (
    select
        atena.person_id,
        register_rows.household_no as household_id,
        coalesce(
            nullif(array_to_string([
                register_rows.relation_code_1,
                register_rows.relation_code_2,
                register_rows.relation_code_3,
                register_rows.relation_code_4
            ], ','), ''),
            relation_texts.relation_codes
        ) as relation_chain,
        register_rows.changed_on as valid_from,
        -- A next change of unknown day has happened by now.
        coalesce(
            first_value(register_rows.changed_on ignore nulls) over following_rows,
            case when count(*) over following_rows > 0 then {{ as_of() }} end
        ) as valid_to,
        register_rows.move_reason_code,
        register_rows.resident_status_code,
        count(*) over (partition by register_rows.atena_no) as row_count
    from register_rows
    inner join {{ ref('int_person__atena') }} as atena on register_rows.atena_no = atena.atena_no
    left join relation_texts on replace(register_rows.relation_text, ' ', '') = relation_texts.relation_text
    window following_rows as (
        partition by register_rows.atena_no
        order by
            register_rows.row_state = 'in_force',
            register_rows.history_no,
            register_rows.history_branch_no,
            register_rows.line_number
        rows between 1 following and unbounded following
    )
),

register_spells as (
    select * from register_history
    -- One row is no history: the register's row in force says where its person lives.
    where row_count > 1 and valid_from is not null and coalesce(resident_status_code, '1') = '1'
),

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
    -- A spell of unknown start puts no people under one roof: the register says where they live.
    where history.valid_from is not null
    -- Where two rows differ in the end only, the later one corrects.
    qualify
        row_number() over (
            partition by atena.person_id, household_id, relation_chain, history.valid_from
            order by history.delivery_id desc, history.line_number desc
        ) = 1
),

-- The extract of the history leads for the days that it tells of; the register's rows tell of the others.
next_in_extract as (
    select
        register_spells.person_id,
        register_spells.valid_from,
        min(household_history.valid_from) as starts_on
    from register_spells
    inner join household_history
        on
            register_spells.person_id = household_history.person_id
            and register_spells.valid_from < household_history.valid_from
    group by register_spells.person_id, register_spells.valid_from
),

beside_the_extract as (
    select
        register_spells.person_id,
        register_spells.household_id,
        register_spells.relation_chain,
        register_spells.valid_from,
        least(register_spells.valid_to, next_in_extract.starts_on) as valid_to,
        register_spells.move_reason_code
    from register_spells
    left join next_in_extract
        on
            register_spells.person_id = next_in_extract.person_id
            and register_spells.valid_from = next_in_extract.valid_from
    anti join household_history
        on
            register_spells.person_id = household_history.person_id
            and register_spells.valid_from >= household_history.valid_from
            and register_spells.valid_from < coalesce(household_history.valid_to, date '9999-12-31')
),

whole_history as (
    select * from household_history
    union all
    select * from beside_the_extract
),

residents as (
    select * from {{ ref('int_person__residents') }}
),

-- An end that the history lacks: a person who left the city or died left the household.
closed_history as (
    select
        whole_history.person_id,
        whole_history.household_id,
        whole_history.relation_chain,
        whole_history.valid_from,
        case
            when whole_history.valid_from < residents.resident_until
                then least(whole_history.valid_to, residents.resident_until)
            else whole_history.valid_to
        end as valid_to,
        whole_history.move_reason_code
    from whole_history
    left join residents on whole_history.person_id = residents.person_id
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
