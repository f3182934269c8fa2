-- People of the register as they stand on the as-of date. Grain: one row per person (numbers of one person are one).
with

register as (
    select
        entries.*,
        states.status_code,
        states.changed_on,
        states.change_reason_code
    from {{ ref('stg_citizens__resident_register') }} as entries
    inner join {{ ref('int_person__register_states') }} as states on entries.atena_no = states.atena_no
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

areas as (
    select * from {{ ref('int_person__areas') }}
),

-- Where an arrival came from and a leaver went: what the newest row says that says anything.
moves as (
    select
        atena_no,
        arg_max(moved_from, (history_no, history_branch_no)) filter (
            where moved_from is not null
        ) as moved_from,
        arg_max(moved_to, (history_no, history_branch_no)) filter (
            where moved_to is not null
        ) as moved_to
    from {{ ref('stg_citizens__resident_register_history') }}
    where row_state <> 'deleted'
    group by atena_no
),

-- 長男, 孫: relations that old records write out. Where the word leaves the line open, it says nothing.
relation_texts as (
    select * from {{ ref('relation_texts') }}
    where is_exact
),

statuses as (
    select
        atena.person_id,
        register.*,
        areas.area_code,
        coalesce(register.moved_from, moves.moved_from) as came_from,
        coalesce(register.moved_to, moves.moved_to) as went_to,
        coalesce(
            nullif(array_to_string([
                register.relation_code_1,
                register.relation_code_2,
                register.relation_code_3,
                register.relation_code_4
            ], ','), ''),
            relation_texts.relation_codes
        ) as relation_chain,
        coalesce(
            case
                when greatest(register.birth_on, register.resident_since_on) > {{ as_of() }} then false
                when register.status_code = '1' then true
                -- A person who left or died after the as-of date still lived here on it.
                else register.changed_on > {{ as_of() }}
            end,
            false
        ) as is_resident
    from register
    inner join atena on register.atena_no = atena.atena_no
    left join areas on register.atena_no = areas.atena_no
    left join moves on register.atena_no = moves.atena_no
    left join relation_texts on replace(register.relation_text, ' ', '') = relation_texts.relation_text
),

protected as (
    select distinct person_id from {{ ref('int_person__support_measures') }}
    where is_in_force
)

select
    statuses.person_id,
    statuses.atena_no,
    statuses.full_name,
    statuses.full_name_as_delivered,
    statuses.full_name_kana,
    statuses.full_name_match,
    statuses.full_name_kana_match,
    statuses.birth_on,
    case statuses.sex_code when '1' then '男' when '2' then '女' else '不明' end as sex,
    statuses.resident_kind_code,
    statuses.status_code as resident_status_code,
    statuses.relation_text,
    statuses.change_reason_code as move_reason_code,
    statuses.changed_on as moved_on,
    statuses.resident_since_on as resident_from,
    case when statuses.status_code <> '1' then statuses.changed_on end as resident_until,
    statuses.is_resident,
    statuses.status_code = '3' and not statuses.is_resident as is_deceased,
    statuses.household_no,
    statuses.relation_chain,
    statuses.area_code,
    statuses.postcode,
    statuses.town,
    statuses.street_number,
    statuses.came_from as moved_from,
    -- Who lives here now went nowhere.
    case when not statuses.is_resident then statuses.went_to end as moved_to,
    protected.person_id is not null as is_under_support_measure
from statuses
left join protected on statuses.person_id = protected.person_id
-- The number that stands on the as-of date, else the last one that did.
qualify row_number() over (
    partition by statuses.person_id
    order by statuses.is_resident desc, statuses.resident_since_on desc nulls last, statuses.atena_no desc
) = 1
