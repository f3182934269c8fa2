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
    where not coalesce({{ parse_flag('delivered.is_deleted') }}, false)
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
        {{ normalise_id('earlier_rows.atena_no', var('person_number_width')) }} as atena_no,
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

-- What the rows of the register's own history said before, as far as they were not taken back.
history as (
    select * from {{ ref('stg_citizens__resident_register_history') }}
    where row_state = 'history'
),

described as (
    {% for model, version_rank in [('register', 1), ('history', 3)] %}
        select
            atena_no,
            full_name,
            full_name_match,
            full_name_kana,
            surname,
            surname_kana,
            given_name,
            given_name_kana,
            alias_name,
            alias_name_kana,
            roman_name,
            former_surname,
            former_surname_kana,
            birth_on,
            {{ match_address("concat(town, street_number)") }} as address_match,
            {{ version_rank }} as version_rank
        from {{ model }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- 通称, the name in Roman letters, the name as it is split, and the former surname with the given name.
other_names as (
    select
        *,
        unnest([
            {
                'written': case when surname is not null then surname || ' ' || given_name end,
                'kana': case when surname_kana is not null then surname_kana || ' ' || given_name_kana end
            },
            { 'written': alias_name, 'kana': alias_name_kana },
            { 'written': roman_name, 'kana': null },
            {
                'written': former_surname || ' '
                || coalesce(given_name, nullif(substr(full_name, strpos(full_name, ' ') + 1), full_name)),
                'kana': former_surname_kana || ' '
                || coalesce(
                    given_name_kana,
                    nullif(substr(full_name_kana, strpos(full_name_kana, ' ') + 1), full_name_kana)
                )
            }
        ]) as other_name
    from described
    where coalesce(surname, alias_name, roman_name, former_surname) is not null
),

named as (
    select
        atena_no,
        full_name,
        full_name_match,
        full_name_kana,
        birth_on,
        address_match,
        version_rank
    from described
    union all
    select
        atena_no,
        other_name.written as full_name,
        {{ match_kanji('other_name.written') }} as full_name_match,
        coalesce(other_name.kana, full_name_kana) as full_name_kana,
        birth_on,
        address_match,
        version_rank + 1 as version_rank
    from other_names
    where other_name.written is not null
),

versions as (
    select
        atena.person_id,
        named.full_name,
        named.full_name_match,
        named.full_name_kana,
        named.birth_on,
        named.address_match,
        named.version_rank
    from named
    inner join atena on named.atena_no = atena.atena_no
    union all
    select
        atena.person_id,
        earlier_typed.full_name,
        earlier_typed.full_name_match,
        earlier_typed.full_name_kana,
        earlier_typed.birth_on,
        earlier_typed.address_match,
        5 as version_rank
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
