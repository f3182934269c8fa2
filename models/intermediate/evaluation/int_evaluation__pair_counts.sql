-- Children and cases of every pair of bands (a band with itself: the band alone), among those to whom both items
-- apply. Grain: one row per difficulty type and pair, first_band_id <= second_band_id.
with item_bands as (
    select * from {{ ref('int_evaluation__item_bands') }}
),

bits as (
    select * from {{ ref('int_evaluation__bits') }}
),

bands as (
    select
        item_bands.band_id,
        item_bands.item_code,
        item_bands.age_range,
        bits.block_no,
        bits.bits
    from bits
    inner join item_bands on bits.bits_key = cast(item_bands.band_id as varchar)
    where bits.bits_of = 'band'
),

ages as (
    select
        bits_key as age_range,
        block_no,
        bits
    from bits
    where bits_of = 'age'
),

difficulties as (
    -- a block may have no case
    select
        people.bits_key as difficulty_type,
        people.block_no,
        people.bits as people_bits,
        cases.bits as case_bits
    from bits as people
    left join bits as cases
        on people.bits_key = cases.bits_key and people.block_no = cases.block_no and cases.bits_of = 'cases'
    where people.bits_of = 'people'
),

pairs as (
    -- two bands of one item are never met together
    select
        first_band.band_id as first_band_id,
        second_band.band_id as second_band_id,
        first_band.age_range as first_age_range,
        second_band.age_range as second_age_range,
        first_band.block_no,
        first_band.bits & second_band.bits as bits
    from bands as first_band
    inner join bands as second_band
        on
            first_band.block_no = second_band.block_no
            and (
                first_band.band_id = second_band.band_id
                or (
                    first_band.band_id < second_band.band_id
                    and first_band.item_code <> second_band.item_code
                )
            )
),

exposed as (
    select
        difficulties.difficulty_type,
        pairs.first_band_id,
        pairs.second_band_id,
        any_value(pairs.first_age_range) as first_age_range,
        any_value(pairs.second_age_range) as second_age_range,
        sum(bit_count(pairs.bits & difficulties.people_bits)) as exposed_people,
        sum(coalesce(bit_count(pairs.bits & difficulties.case_bits), 0)) as exposed_cases
    from pairs
    inner join difficulties on pairs.block_no = difficulties.block_no
    group by difficulties.difficulty_type, pairs.first_band_id, pairs.second_band_id
),

applicable as (
    select
        difficulties.difficulty_type,
        first_age.age_range as first_age_range,
        second_age.age_range as second_age_range,
        sum(bit_count(first_age.bits & second_age.bits & difficulties.people_bits)) as people,
        sum(coalesce(bit_count(first_age.bits & second_age.bits & difficulties.case_bits), 0)) as cases
    from ages as first_age
    inner join ages as second_age on first_age.block_no = second_age.block_no
    inner join difficulties on first_age.block_no = difficulties.block_no
    group by difficulties.difficulty_type, first_age.age_range, second_age.age_range
)

select
    exposed.difficulty_type,
    exposed.first_band_id,
    exposed.second_band_id,
    cast(exposed.exposed_people as bigint) as exposed_people,
    cast(exposed.exposed_cases as bigint) as exposed_cases,
    cast(applicable.people as bigint) as people,
    cast(applicable.cases as bigint) as cases
from exposed
inner join applicable
    on
        exposed.difficulty_type = applicable.difficulty_type
        and exposed.first_age_range = applicable.first_age_range
        and exposed.second_age_range = applicable.second_age_range
where exposed.exposed_people > 0
