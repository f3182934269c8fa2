-- Records of the sources without 宛名番号 that carry one all the same (識別番号): whose it is, and whether the record
-- describes another person. Grain: one row per source_id and source_key whose number the register has.
with

records as (
    select * from {{ ref('int_identity__external_records') }}
    where atena_no is not null
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

versions as (
    select * from {{ ref('int_identity__register_versions') }}
),

compared as (
    select
        records.source_id,
        records.source_key,
        atena.person_id,
        records.known_on,
        coalesce(bool_or(
            upper(versions.full_name_match) = upper(records.full_name_match)
            or replace(versions.full_name_kana, ' ', '') = records.full_name_kana_match
        ), false) as is_same_name,
        coalesce(bool_or(versions.birth_on = records.birth_on), false) as is_same_birth_date,
        records.birth_on is null or count(versions.birth_on) = 0 as is_birth_date_unknown
    from records
    inner join atena on records.atena_no = atena.atena_no
    left join versions on atena.person_id = versions.person_id
    group by records.source_id, records.source_key, atena.person_id, records.known_on, records.birth_on
)

select
    source_id,
    source_key,
    person_id,
    not is_same_name and not is_same_birth_date and not is_birth_date_unknown
    -- One pupil has one number: of two records with it, the one that says the same leads, then the newer one.
    or row_number() over (
        partition by source_id, person_id
        order by is_same_birth_date desc, is_same_name desc, known_on desc nulls last, source_key asc
    ) > 1 as is_contradicted
from compared
