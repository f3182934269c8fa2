with scored as (
    select * from {{ ref('int_risk__scored') }}
),

contributions as (
    select * from {{ ref('int_risk__item_contributions') }}
    where is_counted and coefficient <> 0
),

members as (
    select distinct
        item_code,
        member_item_code
    from {{ ref('risk_item_members') }}
),

combinations as (
    select * from {{ ref('int_risk__used_items') }}
    where kind = 'combination'
),

bands as (
    select * from {{ ref('risk_bands') }}
),

counted as (
    select
        contributions.person_id,
        combinations.model_version,
        combinations.difficulty_type,
        combinations.item_code,
        cast(count(*) as decimal(38, 6)) as raw_value,
        string_agg(contributions.evidence, '|' order by contributions.item_code) as evidence
    from combinations
    inner join members on combinations.item_code = members.item_code
    inner join contributions
        on
            members.member_item_code = contributions.item_code
            and combinations.model_version = contributions.model_version
            and combinations.difficulty_type = contributions.difficulty_type
    group by
        contributions.person_id,
        combinations.model_version,
        combinations.difficulty_type,
        combinations.item_code
),

zero_combinations as (
    -- none of its members counts: a value that only few bands hold, so only those are looked at
    select distinct combinations.*
    from combinations
    inner join bands on combinations.item_code = bands.item_code and {{ lies_in_band('bands', '0') }}
),

uncounted as (
    select
        scored.person_id,
        zero_combinations.model_version,
        zero_combinations.difficulty_type,
        zero_combinations.item_code,
        cast(0 as decimal(38, 6)) as raw_value,
        cast(null as varchar) as evidence
    from scored
    inner join zero_combinations
        on
            scored.model_version = zero_combinations.model_version
            and scored.difficulty_type = zero_combinations.difficulty_type
    anti join counted
        on
            scored.person_id = counted.person_id
            and zero_combinations.model_version = counted.model_version
            and zero_combinations.difficulty_type = counted.difficulty_type
            and zero_combinations.item_code = counted.item_code
),

combination_values as (
    select * from counted
    union all
    select * from uncounted
)

select
    combination_values.person_id,
    combination_values.model_version,
    combination_values.difficulty_type,
    combination_values.item_code,
    combinations.group_code,
    bands.band_no,
    combination_values.raw_value,
    combination_values.evidence
from combination_values
inner join combinations
    on
        combination_values.model_version = combinations.model_version
        and combination_values.difficulty_type = combinations.difficulty_type
        and combination_values.item_code = combinations.item_code
inner join scored
    on
        combination_values.person_id = scored.person_id
        and combination_values.model_version = scored.model_version
        and combination_values.difficulty_type = scored.difficulty_type
inner join bands
    on
        combination_values.item_code = bands.item_code
        and {{ lies_in_band('bands', 'combination_values.raw_value') }}
where {{ applies_at_age('combinations', 'scored.age_months') }}
