-- What the 続柄 of a household says about two people: each chain of codes stands on the person whose own chain is
-- the same without the last code (妻の子 12,20 stands on the wife 12; 子 20 and 妻 12 stand on the head).
-- Grain: one row per person, the person the chain stands on, relation chain and start of the overlap.
with

spells as (
    select
        *,
        right(relation_chain, 2) as last_code,
        case when length(relation_chain) > 3 then left(relation_chain, length(relation_chain) - 3) else '' end
            as anchor_chain
    from {{ ref('int_household__spells') }}
    where relation_chain <> '' and valid_from <= {{ as_of() }}
),

residents as (
    select person_id, birth_on, nullif(sex, '不明') as sex from {{ ref('int_person__residents') }}
),

-- The first day of a person in a household tells who brought it there.
arrivals as (
    select household_id, person_id, valid_from from {{ ref('int_household__members') }}
),

-- Where a 子 of the head lived with a spouse, the grandchild beside them is theirs.
couples as (
    select
        household_id,
        anchor_chain as partner_chain,
        valid_from,
        valid_to
    from spells
    where last_code in ('11', '12', '13', '14')
),

household_starts as (
    select household_id, min(valid_from) as started_on from arrivals
    group by household_id
),

heads as (
    select *, '' as own_chain from spells
    where relation_chain in ('01', '02')
),

anchors as (
    select household_id, person_id, own_chain, relation_chain, valid_from, valid_to from heads
    union all
    select household_id, person_id, relation_chain as own_chain, relation_chain, valid_from, valid_to
    from spells
    where relation_chain not in ('01', '02')
),

meetings as (
    select
        spells.household_id,
        spells.person_id,
        spells.relation_chain,
        spells.last_code,
        spells.anchor_chain,
        spells.valid_from as spell_from,
        spells.is_from_birth,
        anchors.person_id as anchor_id,
        anchors.valid_from as anchor_from,
        greatest(spells.valid_from, anchors.valid_from) as valid_from,
        case
            when spells.valid_to is null and anchors.valid_to is null then null
            else least(spells.valid_to, anchors.valid_to)
        end as valid_to
    from spells
    inner join anchors
        on
            spells.household_id = anchors.household_id
            and spells.anchor_chain = anchors.own_chain
            and spells.person_id <> anchors.person_id
            and spells.valid_from < coalesce(anchors.valid_to, date '9999-12-31')
            and anchors.valid_from < coalesce(spells.valid_to, date '9999-12-31')
    -- Siblings, servants and lodgers of the head make no edge of their own.
    where spells.last_code in ('11', '12', '13', '14', '20', '51', '52')
),

-- Whom the register no longer has, the household still tells as husband or wife, father or mother, brother or sister.
told_sexes as (
    select
        person_id,
        case when last_code in ('11', '13', '51', '71', '74') then '男' else '女' end as sex
    from spells
    where last_code in ('11', '12', '13', '14', '51', '52', '71', '74', '81', '84')
    union all
    select
        anchor_id as person_id,
        case when last_code in ('12', '14') then '男' else '女' end as sex
    from meetings
    where last_code in ('11', '12', '13', '14')
),

unknown_sexes as (
    select told_sexes.person_id, min(told_sexes.sex) as sex
    from told_sexes
    left join residents on told_sexes.person_id = residents.person_id
    where residents.sex is null
    group by told_sexes.person_id
    having min(told_sexes.sex) = max(told_sexes.sex)
),

people as (
    select
        coalesce(residents.person_id, unknown_sexes.person_id) as person_id,
        residents.birth_on,
        coalesce(residents.sex, unknown_sexes.sex) as sex
    from residents
    full join unknown_sexes on residents.person_id = unknown_sexes.person_id
),

beside_couples as (
    select distinct
        meetings.household_id,
        meetings.person_id,
        meetings.relation_chain,
        meetings.spell_from
    from meetings
    inner join couples
        on
            meetings.household_id = couples.household_id
            and meetings.anchor_chain = couples.partner_chain
            and meetings.spell_from >= couples.valid_from
            and meetings.spell_from < coalesce(couples.valid_to, date '9999-12-31')
    where meetings.anchor_chain <> ''
),

dated as (
    select
        meetings.*,
        people.birth_on,
        people.sex,
        anchor_people.birth_on as anchor_birth_on,
        anchor_people.sex as anchor_sex,
        arrivals.person_id is not null as is_arrival,
        meetings.valid_from = meetings.spell_from as is_anchor_present_at_start,
        -- A person who came with a child on one day is closer to it than one who already lived in the household.
        case
            when
                meetings.anchor_from = meetings.spell_from
                and household_starts.started_on < meetings.spell_from
                then 1
            else 2
        end as closeness,
        -- Born there, or come on one day with the other into a household that was there before: the record's own
        -- beginning is no arrival.
        (
            meetings.is_from_birth
            and coalesce(
                meetings.spell_from - people.birth_on <= 14,
                household_starts.started_on < meetings.spell_from
            )
        )
        or coalesce(meetings.spell_from - people.birth_on between 0 and 14, false)
        or (
            meetings.anchor_from = meetings.spell_from
            and household_starts.started_on < meetings.spell_from
        )
        or beside_couples.person_id is not null as is_start_telling,
        date_diff('day', anchor_people.birth_on, people.birth_on) / 365.25 as years_younger
    from meetings
    inner join household_starts on meetings.household_id = household_starts.household_id
    left join beside_couples
        on
            meetings.household_id = beside_couples.household_id
            and meetings.person_id = beside_couples.person_id
            and meetings.relation_chain = beside_couples.relation_chain
            and meetings.spell_from = beside_couples.spell_from
    left join people on meetings.person_id = people.person_id
    left join people as anchor_people on meetings.anchor_id = anchor_people.person_id
    left join arrivals
        on
            meetings.household_id = arrivals.household_id
            and meetings.person_id = arrivals.person_id
            and meetings.spell_from = arrivals.valid_from
),

plausible as (
    select
        *,
        case
            when last_code = '20' then coalesce(years_younger between 12 and 75, true)
            when last_code in ('51', '52') then coalesce(-years_younger between 12 and 75, true)
            when last_code in ('11', '13') then coalesce(anchor_sex <> '男', true)
            when last_code in ('12', '14') then coalesce(anchor_sex <> '女', true)
            else true
        end as is_plausible,
        -- Several people can be 子: which of them a grandchild belongs to is only sure on the day it came.
        anchor_chain <> '' and right(anchor_chain, 2) not in ('11', '12', '13', '14', '51', '52')
            as is_anchor_shared
    from dated
),

usable as (
    select * from plausible
    where
        is_plausible
        and (not is_anchor_shared or (is_arrival and is_anchor_present_at_start and is_start_telling))
    qualify
        not is_anchor_shared
        or rank() over (
            partition by household_id, person_id, relation_chain, spell_from, is_anchor_shared
            order by closeness
        ) = 1
),

-- Two people at the same time on whom one chain can stand: neither is chosen.
ambiguous as (
    select distinct
        own.household_id,
        own.person_id,
        own.relation_chain,
        own.spell_from
    from usable as own
    inner join usable as others
        on
            own.household_id = others.household_id
            and own.person_id = others.person_id
            and own.relation_chain = others.relation_chain
            and own.spell_from = others.spell_from
            and own.anchor_id < others.anchor_id
            and own.valid_from < coalesce(others.valid_to, date '9999-12-31')
            and others.valid_from < coalesce(own.valid_to, date '9999-12-31')
)

select
    plausible.household_id,
    plausible.person_id,
    plausible.anchor_id,
    plausible.relation_chain,
    plausible.anchor_chain,
    plausible.last_code,
    plausible.valid_from,
    plausible.valid_to,
    plausible.spell_from,
    plausible.is_arrival,
    plausible.is_from_birth,
    plausible.birth_on,
    plausible.sex,
    plausible.anchor_birth_on,
    plausible.anchor_sex,
    case
        when not plausible.is_plausible then 'implausible'
        when ambiguous.person_id is not null then 'ambiguous'
        when usable.person_id is null then 'unsure'
        else 'clear'
    end as reading
from plausible
left join ambiguous
    on
        plausible.household_id = ambiguous.household_id
        and plausible.person_id = ambiguous.person_id
        and plausible.relation_chain = ambiguous.relation_chain
        and plausible.spell_from = ambiguous.spell_from
left join usable
    on
        plausible.household_id = usable.household_id
        and plausible.person_id = usable.person_id
        and plausible.relation_chain = usable.relation_chain
        and plausible.spell_from = usable.spell_from
        and plausible.anchor_id = usable.anchor_id
        and plausible.valid_from = usable.valid_from
