-- What the sources say of a family that cannot all be true: for the steward, never resolved here.
-- Grain: one row per kind, person, other person, third person and origin.
with

evidence as (
    select * from {{ ref('int_family__parent_evidence') }}
),

parents as (
    select * from {{ ref('int_family__parents') }}
),

people as (
    select person_id, birth_on, sex from {{ ref('int_person__residents') }}
),

relations as (
    select * from {{ ref('int_family__relations') }}
),

marriages as (
    select * from {{ ref('int_family__marriages') }}
),

merged_numbers as (
    select * from {{ ref('int_person__merges') }}
    where status = 'review'
),

notices as (
    select
        notices.*,
        children.person_id as child_id
    from {{ ref('stg_citizens__parentage') }} as notices
    inner join {{ ref('int_person__atena') }} as children on notices.child_atena_no = children.atena_no
),

own_parent as (
    select
        'own_parent' as kind,
        child_id as person_id,
        parent_id as other_person_id,
        null::varchar as third_person_id,
        origin
    from evidence
    where parent_id = child_id
),

ages as (
    select
        evidence.*,
        date_diff('month', parents_people.birth_on, children.birth_on) / 12.0 as years
    from evidence
    inner join people as parents_people on evidence.parent_id = parents_people.person_id
    inner join people as children on evidence.child_id = children.person_id
    where evidence.parent_id <> evidence.child_id and evidence.origin not in ('手当', '学齢簿')
),

-- A child is born to a mother of 12 to 55 years, a father of 12 to 75; one may adopt at any age above one's child's.
implausible_ages as (
    select
        case
            when years < 0 then 'parent_younger_than_child'
            when years < 12 then 'parent_too_young'
            else 'parent_too_old'
        end as kind,
        child_id as person_id,
        parent_id as other_person_id,
        null as third_person_id,
        origin
    from ages
    where
        years < 0
        or (
            link_kind = 'biological'
            and (years < 12 or years > case parent_role when 'father' then 75 else 55 end)
        )
),

-- Two by birth for one place: two notices, or weaker evidence against what was accepted.
rivals as (
    select
        case evidence.parent_role when 'father' then 'two_fathers' else 'two_mothers' end as kind,
        evidence.child_id as person_id,
        least(evidence.parent_id, parents.parent_id) as other_person_id,
        greatest(evidence.parent_id, parents.parent_id) as third_person_id,
        evidence.origin
    from evidence
    inner join parents
        on
            evidence.child_id = parents.child_id
            and evidence.parent_role = parents.parent_role
            and evidence.parent_id <> parents.parent_id
    where
        evidence.link_kind = 'biological'
        and parents.link_kind = 'biological'
        and evidence.parent_role in ('father', 'mother')
        -- Who draws an allowance for a child, or is its guardian, need not be its parent; a husband is only presumed a
        -- father.
        and evidence.origin not in ('手当', '学齢簿', '婚姻')
        -- An adoptive parent stands as 子's parent in the household: no contradiction.
        and not exists (
            select 1 from parents as adoptive
            where
                adoptive.child_id = evidence.child_id
                and adoptive.parent_id = evidence.parent_id
                and adoptive.link_kind = 'adoptive'
        )
),

circles as (
    select
        'ancestor_circle' as kind,
        lower_edge.child_id as person_id,
        lower_edge.parent_id as other_person_id,
        nullif(upper_edge.parent_id, lower_edge.child_id) as third_person_id,
        lower_edge.origin
    from parents as lower_edge
    inner join parents as upper_edge on lower_edge.parent_id = upper_edge.child_id
    left join parents as closing_edge
        on upper_edge.parent_id = closing_edge.child_id and lower_edge.child_id = closing_edge.parent_id
    where upper_edge.parent_id = lower_edge.child_id or closing_edge.parent_id is not null
),

unreadable_relations as (
    select
        case reading when 'ambiguous' then 'ambiguous_relation' else 'implausible_relation' end as kind,
        person_id,
        anchor_id as other_person_id,
        null as third_person_id,
        '続柄' as origin
    from relations
    where
        reading = 'implausible'
        or (
            reading = 'ambiguous'
            and last_code = '20'
            -- A notice that says whose child it is settles what the household leaves open.
            and not exists (
                select 1 from parents
                where parents.child_id = relations.person_id and parents.origin = '届出'
            )
        )
),

unknown_notices as (
    select
        'unknown_notice' as kind,
        child_id as person_id,
        null as other_person_id,
        null as third_person_id,
        '届出' as origin
    from notices
    where notice_type = 'unknown'
),

dissolutions as (
    select
        'dissolution_without_adoption' as kind,
        child_id as person_id,
        parent_id as other_person_id,
        null as third_person_id,
        origin
    from parents
    where link_kind = 'adoptive' and origin = '届出' and valid_from = valid_to
),

spouses as (
    select husband_id as person_id, wife_id as spouse_id, valid_from, valid_to from marriages
    union all
    select wife_id as person_id, husband_id as spouse_id, valid_from, valid_to from marriages
),

-- A marriage that death ended has no notice of divorce: the next one is no contradiction then.
overlapping_marriages as (
    select
        'overlapping_marriages' as kind,
        own.person_id,
        own.spouse_id as other_person_id,
        others.spouse_id as third_person_id,
        '届出' as origin
    from spouses as own
    inner join spouses as others
        on
            own.person_id = others.person_id
            and own.spouse_id <> others.spouse_id
            and own.valid_from < others.valid_from
            and others.valid_from < coalesce(own.valid_to, date '9999-12-31')
    left join {{ ref('int_person__residents') }} as dead
        on own.spouse_id = dead.person_id and dead.resident_status_code = '3'
    where coalesce(dead.moved_on > others.valid_from, true)
),

-- Three weeks over, no birth: the child is unknown to the city, or was never born.
overdue_pregnancies as (
    select
        'overdue_pregnancy' as kind,
        person_id,
        mother_id as other_person_id,
        null as third_person_id,
        '妊娠届' as origin
    from {{ ref('int_person__pregnancies') }}
    where not is_born and due_on + {{ var('overdue_days') }} < {{ as_of() }}
),

possible_pairs as (
    select
        'possibly_one_person' as kind,
        atena_no as person_id,
        person_id as other_person_id,
        null as third_person_id,
        '住民基本台帳' as origin
    from merged_numbers
),

all_contradictions as (
    select * from own_parent
    union all
    select * from implausible_ages
    union all
    select * from rivals
    union all
    select * from circles
    union all
    select * from unreadable_relations
    union all
    select * from unknown_notices
    union all
    select * from dissolutions
    union all
    select * from overlapping_marriages
    union all
    select * from overdue_pregnancies
    union all
    select * from possible_pairs
)

select distinct
    kind,
    case kind
        when 'own_parent' then '自分自身の親とされている'
        when 'parent_younger_than_child' then '親が子より若い'
        when 'parent_too_young' then '親子の年齢差が12年に満たない'
        when 'parent_too_old' then '親子の年齢差が大きすぎる'
        when 'two_fathers' then '実父が二人いる'
        when 'two_mothers' then '実母が二人いる'
        when 'ancestor_circle' then '自分の先祖の親とされている'
        when 'ambiguous_relation' then '続柄の指す人が決まらない'
        when 'implausible_relation' then '続柄と年齢・性別が合わない'
        when 'unknown_notice' then '届出種別が分からない'
        when 'dissolution_without_adoption' then '縁組のない離縁'
        when 'overlapping_marriages' then '婚姻の期間が重なる'
        when 'overdue_pregnancy' then '予定日を3週間過ぎても出生の記録がない'
        when 'possibly_one_person' then '同一人物の可能性がある二つの宛名番号'
    end as kind_label_ja,
    person_id,
    other_person_id,
    third_person_id,
    origin
from all_contradictions
