-- The family sheet: who each child's relatives are, and what to call them. The relation is computed from the edges.
-- Grain: one row per person_id and relative_id, with the closest relation between the two.
with

subjects as (
    select person_id, household_id from {{ ref('int_person__subjects') }}
),

people as (
    select * from {{ ref('int_person__persons') }}
),

parents as (
    select
        parent_id,
        child_id,
        parent_role,
        link_kind,
        coalesce(valid_to <= {{ as_of() }}, false) as is_over
    from {{ ref('int_family__parents') }}
    where valid_from <= {{ as_of() }}
),

-- One row per pair: by birth before by adoption, in force before over.
parent_pairs as (
    select * from parents
    qualify row_number() over (
        partition by parent_id, child_id order by link_kind = 'biological' desc, is_over
    ) = 1
),

blood as (
    select * from parent_pairs
    where link_kind = 'biological'
),

partners as (
    select husband_id as person_id, wife_id as partner_id, link_kind, valid_to
    from {{ ref('int_family__partners') }}
    union all
    select wife_id as person_id, husband_id as partner_id, link_kind, valid_to
    from {{ ref('int_family__partners') }}
),

couples as (
    select
        person_id,
        partner_id,
        bool_or(link_kind = 'marriage' and coalesce(valid_to > {{ as_of() }}, true)) as is_married,
        bool_or(link_kind = 'marriage') as was_married,
        bool_or(coalesce(valid_to > {{ as_of() }}, true)) as is_current
    from partners
    group by person_id, partner_id
),

households as (
    select person_id as own_id, other_person_id as other_id, valid_from, valid_to
    from {{ ref('int_family__shared_households') }}
    union all
    select other_person_id as own_id, person_id as other_id, valid_from, valid_to
    from {{ ref('int_family__shared_households') }}
),

own_parents as (
    select
        subjects.person_id,
        parent_pairs.parent_id as relative_id,
        10 as relation_rank,
        parent_pairs.parent_role,
        case parent_pairs.parent_role when 'father' then '父' when 'mother' then '母' else '親' end as line,
        case
            when parent_pairs.link_kind = 'adoptive' and parent_pairs.is_over then '元養'
            when parent_pairs.link_kind = 'adoptive' then '養'
            else ''
        end
        || case parent_pairs.parent_role when 'father' then '父' when 'mother' then '母' else '親' end
            as relation_ja
    from subjects
    inner join parent_pairs on subjects.person_id = parent_pairs.child_id
),

-- 異父 and 異母 need to know that the other parent is another person; without that it is a sibling.
sibling_pairs as (
    select
        own.child_id as person_id,
        others.child_id as sibling_id,
        bool_or(own.parent_role = 'mother') as has_same_mother,
        bool_or(own.parent_role = 'father') as has_same_father
    from blood as own
    inner join blood as others on own.parent_id = others.parent_id and own.child_id <> others.child_id
    group by own.child_id, others.child_id
),

blood_roles as (
    select
        child_id,
        bool_or(parent_role = 'mother') as has_mother,
        bool_or(parent_role = 'father') as has_father
    from blood
    group by child_id
),

sibling_kinds as (
    select
        sibling_pairs.person_id,
        sibling_pairs.sibling_id,
        case
            when
                sibling_pairs.has_same_mother
                and not sibling_pairs.has_same_father
                and own_roles.has_father
                and other_roles.has_father then '異父'
            when
                sibling_pairs.has_same_father
                and not sibling_pairs.has_same_mother
                and own_roles.has_mother
                and other_roles.has_mother then '異母'
            else ''
        end as half
    from sibling_pairs
    inner join blood_roles as own_roles on sibling_pairs.person_id = own_roles.child_id
    inner join blood_roles as other_roles on sibling_pairs.sibling_id = other_roles.child_id
),

adoptive_siblings as (
    select distinct own.child_id as person_id, others.child_id as sibling_id
    from parent_pairs as own
    inner join parent_pairs as others on own.parent_id = others.parent_id and own.child_id <> others.child_id
    where own.link_kind = 'adoptive' or others.link_kind = 'adoptive'
),

siblings as (
    select person_id, sibling_id, half, 20 as relation_rank from sibling_kinds
    union all
    select person_id, sibling_id, '義理の' as half, 21 as relation_rank from adoptive_siblings
),

own_siblings as (
    select
        siblings.person_id,
        siblings.sibling_id as relative_id,
        siblings.relation_rank,
        siblings.half || case
            when others.person_kind = 'unborn' then 'きょうだい（出生前）'
            when own.birth_on = others.birth_on then 'きょうだい（双子）'
            when own.person_kind = 'unborn' or others.birth_on < own.birth_on
                then case others.sex when '男' then '兄' when '女' then '姉' else 'きょうだい' end
            when others.birth_on > own.birth_on
                then case others.sex when '男' then '弟' when '女' then '妹' else 'きょうだい' end
            else 'きょうだい'
        end as relation_ja
    from siblings
    inner join subjects on siblings.person_id = subjects.person_id
    inner join people as own on siblings.person_id = own.person_id
    inner join people as others on siblings.sibling_id = others.person_id
),

grandparents as (
    select
        own_parents.person_id,
        parent_pairs.parent_id as relative_id,
        30 as relation_rank,
        own_parents.line,
        case parent_pairs.parent_role when 'father' then '祖父' when 'mother' then '祖母' else '祖父母' end
            as relation
    from own_parents
    inner join parent_pairs on own_parents.relative_id = parent_pairs.child_id
),

great_grandparents as (
    select
        grandparents.person_id,
        parent_pairs.parent_id as relative_id,
        40 as relation_rank,
        grandparents.line,
        case parent_pairs.parent_role when 'father' then '曽祖父' when 'mother' then '曽祖母' else '曽祖父母' end
            as relation
    from grandparents
    inner join parent_pairs on grandparents.relative_id = parent_pairs.child_id
),

uncles as (
    select
        own_parents.person_id,
        sibling_kinds.sibling_id as relative_id,
        50 as relation_rank,
        own_parents.line,
        case people.sex when '男' then 'おじ' when '女' then 'おば' else 'おじ・おば' end as relation
    from own_parents
    inner join sibling_kinds on own_parents.relative_id = sibling_kinds.person_id
    inner join people on sibling_kinds.sibling_id = people.person_id
),

cousins as (
    select
        uncles.person_id,
        parent_pairs.child_id as relative_id,
        60 as relation_rank,
        uncles.line,
        'いとこ' as relation
    from uncles
    inner join parent_pairs on uncles.relative_id = parent_pairs.parent_id
),

by_line as (
    select * from grandparents
    union all
    select * from great_grandparents
    union all
    select * from uncles
    union all
    select * from cousins
),

lines as (
    select
        person_id,
        relative_id,
        relation_rank,
        case
            when bool_or(line = '父') and bool_or(line = '母') then ''
            when bool_or(line = '父') then '父方の'
            when bool_or(line = '母') then '母方の'
            else ''
        end || relation as relation_ja
    from by_line
    group by person_id, relative_id, relation_rank, relation
),

step_parents as (
    select
        own_parents.person_id,
        couples.partner_id as relative_id,
        15 as relation_rank,
        own_parents.line,
        case
            when couples.is_married
                then case people.sex when '男' then '継父' when '女' then '継母' else '継親' end
            when couples.was_married
                then
                    own_parents.line || 'の元'
                    || case people.sex when '男' then '夫' when '女' then '妻' else '配偶者' end
            when couples.is_current
                then
                    own_parents.line || 'の'
                    || case people.sex when '男' then '内縁の夫' when '女' then '内縁の妻' else 'パートナー' end
            else own_parents.line || 'の元パートナー'
        end as relation_ja
    from own_parents
    inner join couples on own_parents.relative_id = couples.person_id
    inner join people on couples.partner_id = people.person_id
),

step_siblings as (
    select
        step_parents.person_id,
        parent_pairs.child_id as relative_id,
        70 as relation_rank,
        step_parents.relation_ja || 'の子' as relation_ja
    from step_parents
    inner join parent_pairs on step_parents.relative_id = parent_pairs.parent_id
),

own_children as (
    select
        subjects.person_id,
        parent_pairs.child_id as relative_id,
        12 as relation_rank,
        case people.sex when '男' then '息子' when '女' then '娘' else '子' end as relation_ja
    from subjects
    inner join parent_pairs on subjects.person_id = parent_pairs.parent_id
    inner join people on parent_pairs.child_id = people.person_id
),

own_partners as (
    select
        subjects.person_id,
        couples.partner_id as relative_id,
        11 as relation_rank,
        case when couples.is_current then '' else '元' end
        || case
            when couples.was_married then case people.sex when '男' then '夫' when '女' then '妻' else '配偶者' end
            else 'パートナー'
        end as relation_ja
    from subjects
    inner join couples on subjects.person_id = couples.person_id
    inner join people on couples.partner_id = people.person_id
),

nephews as (
    select
        own_siblings.person_id,
        parent_pairs.child_id as relative_id,
        55 as relation_rank,
        case people.sex when '男' then 'おい' when '女' then 'めい' else 'おい・めい' end as relation_ja
    from own_siblings
    inner join parent_pairs on own_siblings.relative_id = parent_pairs.parent_id
    inner join people on parent_pairs.child_id = people.person_id
),

housemates as (
    select
        subjects.person_id,
        households.other_id as relative_id,
        90 as relation_rank,
        case when bool_or(coalesce(households.valid_to > {{ as_of() }}, true)) then '同居人' else '元同居人' end
            as relation_ja
    from subjects
    inner join households on subjects.person_id = households.own_id
    group by subjects.person_id, households.other_id
),

named as (
    select person_id, relative_id, relation_rank, relation_ja from own_parents
    union all
    select person_id, relative_id, relation_rank, relation_ja from own_siblings
    union all
    select person_id, relative_id, relation_rank, relation_ja from lines
    union all
    select person_id, relative_id, relation_rank, relation_ja from step_parents
    union all
    select person_id, relative_id, relation_rank, relation_ja from step_siblings
    union all
    select person_id, relative_id, relation_rank, relation_ja from own_children
    union all
    select person_id, relative_id, relation_rank, relation_ja from own_partners
    union all
    select person_id, relative_id, relation_rank, relation_ja from nephews
    union all
    select person_id, relative_id, relation_rank, relation_ja from housemates
),

closest as (
    select * from named
    where relative_id <> person_id
    qualify row_number() over (
        partition by person_id, relative_id order by relation_rank, relation_ja
    ) = 1
),

lived_together as (
    select
        own_id as person_id,
        other_id as relative_id,
        min(valid_from) as lived_together_from,
        case when bool_or(valid_to is null) then null else max(valid_to) end as lived_together_until
    from households
    group by own_id, other_id
),

cases as (
    select
        person_id,
        count(*) as case_count,
        max(case_on) as last_case_on
    from {{ ref('int_family__cases') }}
    group by person_id
)

select
    closest.person_id,
    closest.relative_id,
    closest.relation_ja,
    closest.relation_rank,
    coalesce(subjects.household_id = people.household_id, false) as is_same_household,
    people.household_id,
    people.area_code,
    people.is_resident,
    lived_together.lived_together_from,
    lived_together.lived_together_until,
    coalesce(cases.case_count, 0) as case_count,
    cases.last_case_on,
    people.is_dv_protected
from closest
inner join subjects on closest.person_id = subjects.person_id
inner join people on closest.relative_id = people.person_id
left join lived_together
    on closest.person_id = lived_together.person_id and closest.relative_id = lived_together.relative_id
left join cases on closest.relative_id = cases.person_id
