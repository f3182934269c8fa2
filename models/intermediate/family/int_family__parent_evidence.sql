-- All evidence that one person is a parent of another, before it is weighed.
-- Grain: one row per parent, child, kind, origin and start. evidence_rank: the lower, the stronger.
-- A tie whose start is unknown holds from its end, or from the as-of date; a dissolution of unknown date ends by then.
with

atena as (
    select * from {{ ref('int_person__atena') }}
),

people as (
    select person_id, birth_on, sex, relation_text from {{ ref('int_person__residents') }}
),

notices as (
    select
        notice_no,
        child_atena_no,
        father_atena_no,
        mother_atena_no,
        case
            when {{ kind_means('notice_type', 'parentage_notice', 'ends_adoption') }}
                then coalesce(notified_on, {{ as_of() }})
            else notified_on
        end as notified_on,
        case
            when {{ kind_means('notice_type', 'parentage_notice', 'ends_adoption') }} then 'dissolution'
            when {{ kind_means('notice_type', 'parentage_notice', 'ends_birth_parents') }}
                then 'special_adoption'
            when {{ kind_means('notice_type', 'parentage_notice', 'is_adoption') }} then 'adoption'
            when {{ kind_means('notice_type', 'parentage_notice', 'is_recognition') }} then 'recognition'
            when {{ has_code('notice_type', 'birth') }} then 'birth'
        end as notice_kind
    from {{ ref('stg_citizens__parentage') }}
),

-- A home or a school may draw the allowance or stand as the guardian, and is no parent.
bodies as (
    select * from {{ ref('int_person__bodies') }}
),

relation_texts as (
    select * from {{ ref('relation_texts') }}
),

relations as (
    select * from {{ ref('int_family__relations') }}
    where reading = 'clear'
),

spells as (
    select * from {{ ref('int_household__spells') }}
),

pregnancies as (
    select * from {{ ref('int_person__pregnancies') }}
),

marriages as (
    select * from {{ ref('int_family__marriages') }}
),

notice_roles as (
    select
        notice_no,
        notice_kind,
        child_atena_no,
        father_atena_no as parent_atena_no,
        'father' as parent_role,
        notified_on
    from notices
    union all
    select
        notice_no,
        notice_kind,
        child_atena_no,
        mother_atena_no as parent_atena_no,
        'mother' as parent_role,
        notified_on
    from notices
),

notice_people as (
    select
        notice_roles.notice_no,
        notice_roles.notified_on,
        notice_roles.parent_role,
        children.person_id as child_id,
        parents.person_id as parent_id,
        people.birth_on as child_birth_on,
        notice_roles.notice_kind
    from notice_roles
    inner join atena as children on notice_roles.child_atena_no = children.atena_no
    inner join atena as parents on notice_roles.parent_atena_no = parents.atena_no
    left join people on children.person_id = people.person_id
),

-- A dissolution that names no parent ends every adoption of the child.
dissolutions as (
    select child_id, parent_id, parent_role, notified_on from notice_people
    where notice_kind = 'dissolution'
),

general_dissolutions as (
    select atena.person_id as child_id, notices.notified_on
    from notices
    inner join atena on notices.child_atena_no = atena.atena_no
    where
        notices.notice_kind = 'dissolution'
        and notices.father_atena_no is null
        and notices.mother_atena_no is null
),

adoptions as (
    select
        notice_people.parent_id,
        notice_people.child_id,
        notice_people.parent_role,
        notice_people.notified_on as valid_from,
        least(min(dissolutions.notified_on), min(general_dissolutions.notified_on)) as valid_to
    from notice_people
    left join dissolutions
        on
            notice_people.child_id = dissolutions.child_id
            and notice_people.parent_id = dissolutions.parent_id
            and coalesce(notice_people.notified_on <= dissolutions.notified_on, true)
    left join general_dissolutions
        on
            notice_people.child_id = general_dissolutions.child_id
            and coalesce(notice_people.notified_on <= general_dissolutions.notified_on, true)
    where notice_people.notice_kind in ('adoption', 'special_adoption')
    group by all
),

-- An adoption of which only the end is on file is known from that day.
ended_adoptions as (
    select
        dissolutions.parent_id,
        dissolutions.child_id,
        dissolutions.parent_role,
        dissolutions.notified_on as valid_from,
        dissolutions.notified_on as valid_to
    from dissolutions
    anti join adoptions
        on dissolutions.child_id = adoptions.child_id and dissolutions.parent_id = adoptions.parent_id
),

-- A special adoption (特別養子縁組) ends the tie to the parents by birth.
special_adoptions as (
    select child_id, coalesce(min(notified_on), {{ as_of() }}) as notified_on from notice_people
    where notice_kind = 'special_adoption'
    group by child_id
),

births_by_notice as (
    select
        notice_people.parent_id,
        notice_people.child_id,
        notice_people.parent_role,
        min(case
            when notice_people.notice_kind = 'birth'
                then coalesce(notice_people.child_birth_on, notice_people.notified_on)
            else notice_people.notified_on
        end) as valid_from,
        any_value(special_adoptions.notified_on) as valid_to,
        max(notice_people.notified_on) as notified_on
    from notice_people
    left join special_adoptions on notice_people.child_id = special_adoptions.child_id
    where notice_people.notice_kind in ('birth', 'recognition')
    group by notice_people.parent_id, notice_people.child_id, notice_people.parent_role
),

-- 子 of a person, and 父 or 母 of a person.
by_relation as (
    select
        relations.anchor_id as parent_id,
        relations.person_id as child_id,
        relations.anchor_sex as parent_sex,
        case when relation_texts.is_adoptive then 'adoptive' else 'biological' end as link_kind,
        coalesce(relations.birth_on, relations.valid_from) as valid_from,
        case when relations.anchor_chain = '' then 0.9 else 0.85 end as confidence
    from relations
    left join people on relations.person_id = people.person_id
    left join relation_texts on replace(people.relation_text, ' ', '') = relation_texts.relation_text
    where relations.last_code = '20'
    union all
    select
        relations.person_id as parent_id,
        relations.anchor_id as child_id,
        case relations.last_code when '51' then '男' else '女' end as parent_sex,
        'biological' as link_kind,
        coalesce(relations.anchor_birth_on, relations.valid_from) as valid_from,
        0.85 as confidence
    from relations
    where relations.last_code in ('51', '52')
),

-- A child born to the head (or to a 子) while its spouse lived there, or who came with both on one day, is of both:
-- the spouse's child by another person would be 妻の子.
spouse_candidates as (
    select
        spouses.person_id as parent_id,
        relations.person_id as child_id,
        spouses.sex as parent_sex,
        relations.birth_on as valid_from,
        case
            -- Where the record of the household begins years after the birth, who was there then is not known.
            when
                relations.is_from_birth
                and coalesce(relations.spell_from - relations.birth_on <= 14, true)
                then 0.8
            when relations.spell_from - relations.birth_on between 0 and 14 then 0.8
            when spouses.spell_from = relations.spell_from and spouses.is_arrival then 0.6
        end as confidence,
        count(*) over (partition by relations.person_id, relations.household_id, relations.spell_from)
            as candidate_count
    from relations
    inner join relations as spouses
        on
            relations.household_id = spouses.household_id
            and relations.anchor_id = spouses.anchor_id
            and spouses.last_code in ('11', '12')
            and relations.spell_from >= spouses.valid_from
            and coalesce(relations.spell_from < spouses.valid_to, true)
            and date_diff('day', spouses.birth_on, relations.birth_on) / 365.25 between 14 and 55
    where
        relations.last_code = '20'
        and relations.is_arrival
        and relations.spell_from = relations.valid_from
        and not regexp_matches(relations.anchor_chain, '(11|12|13|14)$')
),

by_spouse as (
    select * from spouse_candidates
    where confidence is not null and candidate_count = 1
),

by_pregnancy as (
    select
        mother_id as parent_id,
        person_id as child_id,
        notified_on as valid_from
    from pregnancies
    where mother_id is not null
),

by_visit as (
    select
        mothers.person_id as parent_id,
        children.person_id as child_id,
        coalesce(people.birth_on, visits.visited_on) as valid_from
    from {{ ref('stg_health__newborn_visits') }} as visits
    inner join atena as mothers on visits.mother_atena_no = mothers.atena_no
    inner join atena as children on visits.child_atena_no = children.atena_no
    left join people on children.person_id = people.person_id
),

-- The husband of an unborn child's mother counts as its father (嫡出推定).
by_marriage as (
    select
        marriages.husband_id as parent_id,
        pregnancies.person_id as child_id,
        greatest(pregnancies.notified_on, marriages.valid_from) as valid_from
    from pregnancies
    inner join marriages on pregnancies.mother_id = marriages.wife_id
    where
        not pregnancies.is_born
        and marriages.valid_from <= {{ as_of() }}
        and coalesce(marriages.valid_to > {{ as_of() }}, true)
),

-- Who draws an allowance for a child, or is its guardian (保護者識別番号) at school. A roster's row with the birth date of
-- another person may have the number of another person too.
carers as (
    select
        recipient_atena_no as carer_atena_no,
        child_atena_no,
        null::date as child_birth_on,
        certified_on as known_on,
        '手当' as origin,
        7 as evidence_rank
    from {{ ref('stg_child__child_allowance') }}
    where not {{ kind_means('living_arrangement', 'living_arrangement', 'recipient_is_no_parent') }}
    union all
    select
        recipient_atena_no as carer_atena_no,
        child_atena_no,
        null::date as child_birth_on,
        certified_on as known_on,
        '手当' as origin,
        7 as evidence_rank
    from {{ ref('stg_child__child_rearing_allowance') }}
    union all
    select
        guardian_atena_no as carer_atena_no,
        atena_no as child_atena_no,
        birth_on as child_birth_on,
        enrolled_on as known_on,
        '学齢簿' as origin,
        8 as evidence_rank
    from {{ ref('stg_education__school_enrolment') }}
),

-- A grandchild or a lodger of a household is not made the carer's child,
not_children as (
    select distinct person_id as child_id from spells
    where regexp_matches(relation_chain, '^(20,20|7|8|9)')
),

-- unless the two came on one day and the carer is neither the head, nor married to it, nor its parent: a nephew who
-- comes to live with his uncle brings a child for whom 続柄 has no word.
came_together as (
    select distinct others.person_id as parent_id, children.person_id as child_id
    from spells as children
    semi join not_children on children.person_id = not_children.child_id
    inner join spells as others
        on children.household_id = others.household_id and children.valid_from = others.valid_from
    where not regexp_matches(others.relation_chain, '^(01|02|11|12|13|14|5.*)$')
),

-- A person who lived beside the head's own child as the head's parent, sibling or other child is its grandparent, uncle
-- or sibling, and may draw the allowance, or be the guardian, all the same.
other_relatives as (
    select distinct others.person_id as carer_id, children.person_id as child_id
    from spells as children
    inner join spells as others
        on
            children.household_id = others.household_id
            and children.valid_from < coalesce(others.valid_to, date '9999-12-31')
            and others.valid_from < coalesce(children.valid_to, date '9999-12-31')
    where
        children.relation_chain = '20'
        and others.relation_chain <> ''
        and not regexp_matches(others.relation_chain, '^(01|02|11|12|13|14)$')
),

by_carer as (
    select
        carer_numbers.person_id as parent_id,
        children.person_id as child_id,
        carer_people.sex as parent_sex,
        carers.known_on as valid_from,
        carers.origin,
        carers.evidence_rank
    from carers
    inner join atena as carer_numbers on carers.carer_atena_no = carer_numbers.atena_no
    inner join atena as children on carers.child_atena_no = children.atena_no
    left join people as carer_people on carer_numbers.person_id = carer_people.person_id
    left join people as child_people on children.person_id = child_people.person_id
    left join not_children on children.person_id = not_children.child_id
    left join came_together
        on carer_numbers.person_id = came_together.parent_id and children.person_id = came_together.child_id
    anti join other_relatives
        on
            carer_numbers.person_id = other_relatives.carer_id
            and children.person_id = other_relatives.child_id
    where
        (not_children.child_id is null or came_together.child_id is not null)
        and coalesce(carers.child_birth_on = child_people.birth_on, true)
        -- As far apart as parents and children can be, where the register still has both.
        and coalesce(
            date_diff('day', carer_people.birth_on, child_people.birth_on) / 365.25
            between 15 and case carer_people.sex when '男' then 75 else 50 end,
            true
        )
),

evidence as (
    select
        parent_id,
        child_id,
        parent_role,
        'biological' as link_kind,
        valid_from,
        valid_to,
        '届出' as origin,
        1.0 as confidence,
        1 as evidence_rank,
        notified_on
    from births_by_notice
    union all
    select
        parent_id,
        child_id,
        parent_role,
        'adoptive' as link_kind,
        valid_from,
        valid_to,
        '届出' as origin,
        1.0 as confidence,
        1 as evidence_rank,
        valid_from as notified_on
    from adoptions
    union all
    select
        parent_id,
        child_id,
        parent_role,
        'adoptive' as link_kind,
        valid_from,
        valid_to,
        '届出' as origin,
        1.0 as confidence,
        1 as evidence_rank,
        valid_from as notified_on
    from ended_adoptions
    union all
    select
        parent_id,
        child_id,
        case parent_sex when '男' then 'father' when '女' then 'mother' else 'parent' end as parent_role,
        link_kind,
        valid_from,
        null::date as valid_to,
        '続柄' as origin,
        confidence,
        2 as evidence_rank,
        null::date as notified_on
    from by_relation
    union all
    select
        parent_id,
        child_id,
        'mother' as parent_role,
        'biological' as link_kind,
        valid_from,
        null::date as valid_to,
        '妊娠届' as origin,
        0.95 as confidence,
        3 as evidence_rank,
        null::date as notified_on
    from by_pregnancy
    union all
    select
        parent_id,
        child_id,
        'mother' as parent_role,
        'biological' as link_kind,
        valid_from,
        null::date as valid_to,
        '新生児訪問' as origin,
        0.95 as confidence,
        4 as evidence_rank,
        null::date as notified_on
    from by_visit
    union all
    select
        parent_id,
        child_id,
        case parent_sex when '男' then 'father' when '女' then 'mother' else 'parent' end as parent_role,
        'biological' as link_kind,
        valid_from,
        null::date as valid_to,
        '続柄' as origin,
        confidence,
        5 as evidence_rank,
        null::date as notified_on
    from by_spouse
    union all
    select
        parent_id,
        child_id,
        'father' as parent_role,
        'biological' as link_kind,
        valid_from,
        null::date as valid_to,
        '婚姻' as origin,
        0.7 as confidence,
        6 as evidence_rank,
        null::date as notified_on
    from by_marriage
    union all
    select
        parent_id,
        child_id,
        case parent_sex when '男' then 'father' when '女' then 'mother' else 'parent' end as parent_role,
        'biological' as link_kind,
        valid_from,
        null::date as valid_to,
        origin,
        0.5 as confidence,
        evidence_rank,
        null::date as notified_on
    from by_carer
),

of_people as (
    select evidence.*
    from evidence
    anti join bodies on evidence.parent_id = bodies.person_id
    where evidence.parent_id is not null
)

select
    parent_id,
    child_id,
    parent_role,
    link_kind,
    coalesce(min(valid_from), max(valid_to), {{ as_of() }}) as valid_from,
    case when bool_or(valid_to is null) then null else max(valid_to) end as valid_to,
    origin,
    max(confidence)::decimal(4, 3) as confidence,
    evidence_rank,
    max(notified_on) as notified_on
from of_people
group by
    parent_id, child_id, parent_role, link_kind, origin, evidence_rank,
    -- Periods of an adoption stay apart; everything else is one fact.
    case when link_kind = 'adoptive' then valid_from end
