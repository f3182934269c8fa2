-- Numbers of the register whose every row was withdrawn: no person bears them. Grain: one row per atena_no.
with

register_rows as (
    select * from {{ ref('stg_citizens__resident_register_history') }}
),

register as (
    select * from {{ ref('stg_citizens__resident_register') }}
)

select distinct register_rows.atena_no
from register_rows
anti join register on register_rows.atena_no = register.atena_no
where register_rows.row_state = 'deleted' and register_rows.atena_no is not null
