-- People of the register under every name, birth date and address that any delivery gave them.
-- Grain: one row per person and distinct description; the present one is first.
with

register as (
    select * from {{ ref('stg_citizens__resident_register') }}
),

atena as (
    select * from {{ ref('int_person__atena') }}
),

data_items as (
    select * from {{ source('run', 'data_items') }}
),

-- Earlier deliveries are read only as far as the register of data items permits each of their columns.
permission as (
    select count(distinct column_name) = 6 as is_permitted
    from data_items
    where
        source_id = 'resident_register'
        and column_name in ('atena_no', 'full_name', 'full_name_kana', 'birth_on', 'town', 'street_number')
        and {{ is_approved_for("'database'") }}
),

current_deliveries as (
    select max_by(delivery_id, (delivered_on, sequence)) as delivery_id
    from {{ source('run', 'deliveries') }}
    where source_id = 'resident_register' and status = 'loaded'
),

earlier_deliveries as (
    select deliveries.delivery_id
    from {{ source('run', 'deliveries') }} as deliveries
    anti join current_deliveries on deliveries.delivery_id = current_deliveries.delivery_id
    where deliveries.source_id = 'resident_register' and deliveries.status = 'loaded'
),

-- Only what differs from the present needs to be read: nearly nothing.
earlier_rows as (
    select
        delivered.atena_no,
        delivered.full_name,
        delivered.full_name_kana,
        delivered.birth_on,
        delivered.town,
        delivered.street_number
    from {{ source('raw', 'resident_register') }} as delivered
    semi join earlier_deliveries on delivered.delivery_id = earlier_deliveries.delivery_id
    except
    select
        delivered.atena_no,
        delivered.full_name,
        delivered.full_name_kana,
        delivered.birth_on,
        delivered.town,
        delivered.street_number
    from {{ source('raw', 'resident_register') }} as delivered
    semi join current_deliveries on delivered.delivery_id = current_deliveries.delivery_id
),

earlier_typed as (
    select
        {{ normalise_id('earlier_rows.atena_no', 15) }} as atena_no,
        earlier_rows.full_name,
        {{ match_kanji('earlier_rows.full_name') }} as full_name_match,
        earlier_rows.full_name_kana,
        {{ parse_date('earlier_rows.birth_on') }} as birth_on,
        {{ match_address("concat(earlier_rows.town, earlier_rows.street_number)") }} as address_match
    from earlier_rows
    cross join permission
    where permission.is_permitted
),

sexes as (
    select atena.person_id, max(register.sex_code) as sex_code
    from register
    inner join atena on register.atena_no = atena.atena_no
    group by atena.person_id
),

versions as (
    select
        atena.person_id,
        register.full_name,
        register.full_name_match,
        register.full_name_kana,
        register.birth_on,
        {{ match_address("concat(register.town, register.street_number)") }} as address_match,
        1 as version_rank
    from register
    inner join atena on register.atena_no = atena.atena_no
    union all
    select
        atena.person_id,
        earlier_typed.full_name,
        earlier_typed.full_name_match,
        earlier_typed.full_name_kana,
        earlier_typed.birth_on,
        earlier_typed.address_match,
        2 as version_rank
    from earlier_typed
    inner join atena on earlier_typed.atena_no = atena.atena_no
)

select
    versions.person_id,
    row_number() over (
        partition by versions.person_id
        order by min(versions.version_rank), versions.full_name, versions.address_match, versions.birth_on
    ) as version_no,
    versions.full_name,
    versions.full_name_match,
    versions.full_name_kana,
    versions.birth_on,
    case any_value(sexes.sex_code) when '1' then '男' when '2' then '女' else '不明' end as sex,
    versions.address_match
from versions
left join sexes on versions.person_id = sexes.person_id
group by
    versions.person_id,
    versions.full_name,
    versions.full_name_match,
    versions.full_name_kana,
    versions.birth_on,
    versions.address_match
