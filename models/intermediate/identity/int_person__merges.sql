-- Two 宛名番号 of one person, who moved away and came back under a new number.
-- Grain: one row per later number that has, or may have, an earlier one.
with recursive

register as (
    select
        entries.*,
        states.status_code,
        states.changed_on,
        states.change_reason_code
    from {{ ref('stg_citizens__resident_register') }} as entries
    inner join {{ ref('int_person__register_states') }} as states on entries.atena_no = states.atena_no
),

household_history as (
    select * from {{ ref('stg_citizens__household_history') }}
),

parentage as (
    select * from {{ ref('stg_citizens__parentage') }}
),

marriages as (
    select * from {{ ref('stg_citizens__marriages') }}
),

reviews as (
    select * from {{ ref('int_identity__reviews') }}
    where source_id = 'resident_register'
),

-- Same name, reading, birth date and sex; the first number had ended before the second began.
pairs as (
    select
        later.atena_no,
        earlier.atena_no as earlier_atena_no,
        earlier.resident_since_on as earlier_since_on,
        coalesce(
            earlier.town_match = later.town_match and earlier.street_number_match = later.street_number_match,
            false
        ) as is_same_address,
        -- The first number ended by moving out (20), the second began by moving in (10).
        coalesce(
            earlier.change_reason_code = '20'
            and later.full_name_kana_match is not null
            and earlier.full_name_kana_match is not null
            and (later.change_reason_code = '10' or later.resident_since_on > later.birth_on),
            false
        ) as has_moved_back
    from register as earlier
    inner join register as later
        on
            earlier.full_name_match = later.full_name_match
            and earlier.birth_on = later.birth_on
            and earlier.sex_code = later.sex_code
            and earlier.atena_no <> later.atena_no
    where
        earlier.status_code = '2'
        and earlier.changed_on <= later.resident_since_on
        and coalesce(earlier.full_name_kana_match = later.full_name_kana_match, true)
),

pair_numbers as (
    select atena_no from pairs
    union
    select earlier_atena_no as atena_no from pairs
),

-- People whom a number is tied to: parents, spouses, and people who shared a household.
relatives as (
    select parentage.child_atena_no as atena_no, parentage.mother_atena_no as relative_atena_no
    from parentage
    union
    select parentage.child_atena_no as atena_no, parentage.father_atena_no as relative_atena_no
    from parentage
    union
    select marriages.husband_atena_no as atena_no, marriages.wife_atena_no as relative_atena_no
    from marriages
    union
    select marriages.wife_atena_no as atena_no, marriages.husband_atena_no as relative_atena_no
    from marriages
    union
    select own.atena_no, others.atena_no as relative_atena_no
    from household_history as own
    inner join pair_numbers on own.atena_no = pair_numbers.atena_no
    inner join household_history as others
        on own.household_no = others.household_no and own.atena_no <> others.atena_no
),

shared_relatives as (
    select distinct pairs.atena_no, pairs.earlier_atena_no
    from pairs
    inner join relatives as own on pairs.atena_no = own.atena_no
    inner join relatives as others
        on
            pairs.earlier_atena_no = others.atena_no
            and own.relative_atena_no = others.relative_atena_no
),

judged as (
    select
        pairs.atena_no,
        pairs.earlier_atena_no,
        pairs.earlier_since_on,
        case
            when shared_relatives.atena_no is not null then 'same relative'
            when pairs.is_same_address then 'same address'
            when pairs.has_moved_back then 'moved out, then in'
        end as evidence,
        -- Two earlier numbers of the same name are two people at least: a person decides.
        count(*) over (partition by pairs.atena_no) as earlier_count,
        count(*) over (partition by pairs.earlier_atena_no) as later_count
    from pairs
    left join shared_relatives
        on
            pairs.atena_no = shared_relatives.atena_no
            and pairs.earlier_atena_no = shared_relatives.earlier_atena_no
),

by_machine as (
    select
        atena_no,
        earlier_atena_no as person_id,
        case
            when evidence is not null and earlier_count = 1 and later_count = 1 then 'merged' else 'review'
        end as status,
        coalesce(evidence, 'name, birth date and sex only') as evidence
    from judged
    qualify row_number() over (
        partition by atena_no order by evidence is not null desc, earlier_since_on, earlier_atena_no asc
    ) = 1
),

by_people as (
    select
        source_key as atena_no,
        person_id,
        case when decision = 'link' then 'merged' else 'separate' end as status,
        'decided by a person' as evidence
    from reviews
    -- No person is merged into a number that the register lacks: tests/dbt lists such a decision.
    where
        decision <> 'link'
        or person_id in (select register.atena_no from register)
    -- Several pairs may be kept apart: one row says that people have looked at the number.
    qualify row_number() over (
        partition by source_key order by decision = 'link' desc, decided_on desc, person_id asc
    ) = 1
),

decided as (
    select * from by_people
    union all
    select by_machine.*
    from by_machine
    anti join by_people on by_machine.atena_no = by_people.atena_no
),

-- A number that is itself merged hands its person on: the third and the fourth number belong to the first. Two numbers
-- that people merged into each other belong to the smaller.
merged_pairs as (
    select own.atena_no, own.person_id
    from decided as own
    left join decided as reverse_pair
        on
            own.person_id = reverse_pair.atena_no
            and own.atena_no = reverse_pair.person_id
            and reverse_pair.status = 'merged'
    where
        own.status = 'merged'
        and own.person_id <> own.atena_no
        and (reverse_pair.atena_no is null or own.person_id < own.atena_no)
),

roots as (
    select atena_no, person_id, 1 as step from merged_pairs
    union all
    select roots.atena_no, merged_pairs.person_id, roots.step + 1 as step
    from roots
    inner join merged_pairs on roots.person_id = merged_pairs.atena_no
    -- No person has more numbers; a circle that people made ends here.
    where roots.step < 8
),

last_roots as (
    select atena_no, person_id from roots
    qualify row_number() over (partition by atena_no order by step desc) = 1
)

select
    decided.atena_no,
    coalesce(last_roots.person_id, decided.person_id) as person_id,
    decided.status,
    decided.evidence
from decided
left join last_roots on decided.atena_no = last_roots.atena_no
where
    decided.person_id is distinct from decided.atena_no
    and (decided.status <> 'merged' or last_roots.atena_no is not null)
