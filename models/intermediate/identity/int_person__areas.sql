-- The area that each address of the register lies in, and which column gives it: the former municipality, else the
-- district, else the town by code or name, else the postcode. Grain: one row per atena_no whose address gives it.
with

register as (
    select * from {{ ref('stg_citizens__resident_register') }}
),

municipalities as (
    select * from {{ ref('former_municipalities') }}
),

districts as (
    select * from {{ ref('districts') }}
),

towns as (
    select
        towns.*,
        municipalities.area_code,
        {{ match_address('towns.town') }} as town_match
    from {{ ref('towns') }} as towns
    inner join municipalities on towns.former_municipality = municipalities.former_municipality
),

-- A town's own name, and that of its former municipality before or away: 相川鹿伏 is also written 鹿伏.
town_spellings as (
    select
        town_match as spelling,
        area_code
    from towns
    union
    select
        former_municipality as spelling,
        area_code
    from municipalities
    union
    select
        replace(town_match, former_municipality, '') as spelling,
        area_code
    from towns
    where starts_with(town_match, former_municipality)
),

-- One character begins too many names.
town_names as (
    select
        spelling,
        any_value(area_code) as area_code
    from town_spellings
    where length(spelling) > 1
    group by spelling
    having count(distinct area_code) = 1
),

town_codes as (
    select
        town_code,
        any_value(area_code) as area_code
    from towns
    where town_code is not null
    group by town_code
    having count(distinct area_code) = 1
),

postcodes as (
    select
        postcode,
        any_value(area_code) as area_code
    from towns
    group by postcode
    having count(distinct area_code) = 1
),

places as (
    select distinct
        former_municipality,
        {{ municipality_stem('former_municipality') }} as stem
    from register
),

words_for_nothing as (
    select distinct word from {{ ref('words_for_nothing') }}
),

-- 旧市町村 that is there leads, whether or not it is one: 新潟市 is no place for a town of the same name.
by_municipality as (
    select
        places.former_municipality,
        municipalities.area_code
    from places
    left join municipalities on places.stem = {{ municipality_stem('municipalities.former_municipality') }}
    left join words_for_nothing on places.stem = words_for_nothing.word
    where places.stem <> '' and words_for_nothing.word is null
),

district_codes as (
    {% for level in range(1, 11) %}
        select
            atena_no,
            {{ level }} as district_level,
            district_code_{{ level }} as district_code
        from register
        where district_code_{{ level }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

by_district as (
    select
        district_codes.atena_no,
        coalesce(districts.area_code, municipalities.area_code) as area_code
    from district_codes
    left join districts
        on
            district_codes.district_level = districts.district_level
            and ltrim(district_codes.district_code, '0') = ltrim(districts.district_code, '0')
    left join municipalities
        on
            {{ municipality_stem('district_codes.district_code') }}
            = {{ municipality_stem('municipalities.former_municipality') }}
    where coalesce(districts.area_code, municipalities.area_code) is not null
    qualify row_number() over (
        partition by district_codes.atena_no order by district_codes.district_level
    ) = 1
),

by_town as (
    select
        texts.town_match,
        town_names.area_code
    from (select distinct town_match from register) as texts
    inner join town_names
        on starts_with({{ without_city('texts.town_match') }}, town_names.spelling)
    qualify row_number() over (
        partition by texts.town_match order by length(town_names.spelling) desc, town_names.area_code
    ) = 1
),

areas as (
    select
        register.atena_no,
        case
            when by_municipality.former_municipality is not null
                then [by_municipality.area_code, 'former_municipality']
            when by_district.area_code is not null then [by_district.area_code, 'district']
            when town_codes.area_code is not null then [town_codes.area_code, 'town']
            when by_town.area_code is not null then [by_town.area_code, 'town']
            else [postcodes.area_code, 'postcode']
        end as area_and_origin
    from register
    left join by_municipality on register.former_municipality = by_municipality.former_municipality
    left join by_district on register.atena_no = by_district.atena_no
    left join town_codes on ltrim(register.town_code, '0') = ltrim(town_codes.town_code, '0')
    left join by_town on register.town_match = by_town.town_match
    left join postcodes on register.postcode = postcodes.postcode
)

select
    atena_no,
    area_and_origin[1] as area_code,
    area_and_origin[2] as told_by
from areas
where area_and_origin[1] is not null
