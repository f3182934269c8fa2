-- Who met each band, as bits: children are numbered, and 8,192 of them share a bitstring. Two bands are counted
-- together by one `and`, however many children there are. Grain: one row per band and block of children.
with frozen as (
    select * from {{ ref('int_evaluation__frozen') }}
),

item_bands as (
    select * from {{ ref('int_evaluation__item_bands') }}
),

cohort as (
    select * from {{ ref('int_evaluation__cohort') }}
),

numbered as (
    select
        person_id,
        bands,
        age_months,
        row_number() over (order by person_id) - 1 as person_no
    from frozen
),

unnested as (
    select
        person_no,
        unnest(bands) as band
    from numbered
),

exploded as (
    select
        person_no,
        band['item_code'] as item_code,
        band['band_no'] as band_no
    from unnested
),

of_bands as (
    select
        'band' as bits_of,
        cast(item_bands.band_id as varchar) as bits_key,
        exploded.person_no
    from exploded
    inner join item_bands
        on exploded.item_code = item_bands.item_code and exploded.band_no = item_bands.band_no
),

age_ranges as (
    select distinct
        age_range,
        age_from_months,
        age_to_months
    from item_bands
),

of_ages as (
    -- to whom items of an age range apply
    select
        'age' as bits_of,
        age_ranges.age_range as bits_key,
        numbered.person_no
    from numbered
    inner join age_ranges on {{ applies_at_age('age_ranges', 'numbered.age_months') }}
),

of_people as (
    select
        'people' as bits_of,
        cohort.difficulty_type as bits_key,
        numbered.person_no
    from cohort
    inner join numbered on cohort.person_id = numbered.person_id
),

of_cases as (
    select
        'cases' as bits_of,
        cohort.difficulty_type as bits_key,
        numbered.person_no
    from cohort
    inner join numbered on cohort.person_id = numbered.person_id
    where cohort.became_case
),

everything as (
    select * from of_bands
    union all
    select * from of_ages
    union all
    select * from of_people
    union all
    select * from of_cases
)

select
    bits_of,
    bits_key,
    person_no // 8192 as block_no,
    bitstring_agg(cast(person_no % 8192 as integer), 0, 8191) as bits
from everything
group by bits_of, bits_key, person_no // 8192
