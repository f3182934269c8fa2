{#- One staging model: the contract of a source (models/sources/<source>.yml) as typed columns.

    The type of each column is in the contract and nowhere else. A column whose entry in the register of data
    items is not 承認 on the as-of date is empty here, and so everywhere behind. -#}
{% macro staging_model(source_id) -%}
{%- if not execute -%}
    {#- Before the project is parsed there is no contract to read; what the model depends on is known. -#}
    {{ current_rows(source_id) }} cross join {{ source('run', 'data_items') }} cross join {{ as_of() }}
{%- else -%}
{%- set contract = source_contract(source_id) -%}
{%- set row_key = contract.row_key -%}
{%- set columns = contract.columns -%}
{%- set types = columns | map(attribute='type') | list -%}
with delivered as (
    {{ current_rows(source_id) }}
),

approved as (
    -- one row: which columns the register of data items permits on the as-of date
    select
        {%- for column in columns %}
        coalesce(bool_or(column_name = '{{ column.name }}'), false) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('run', 'data_items') }}
    where
        source_id = '{{ source_id }}'
        and {{ is_approved_for("'database'") }}
),
{% if 'code' in types %}
codes as (
    -- one row: the code lists as maps from the comparable spelling to the list's own
    select
        {%- for list in columns | map(attribute='code_list') | select | unique %}
        map_from_entries(
            list((spelling, code)) filter (where code_list = '{{ list }}')
        ) as {{ list }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ code_spellings() }}) as spellings
),
{% endif %}
typed as (
    select
        {%- for column in columns %}
        {{ typed_column(column, columns) }},
        {%- endfor %}
        delivered.delivery_id,
        delivered.line_number,
        delivered.delivery_rank
    from delivered
    {%- if 'code' in types %}
    cross join codes
    {%- endif %}
),

corrected as (
    {% if row_key -%}
    -- a later row with the same key corrects an earlier one
    select *
    from typed
    qualify
        row_number() over (partition by {{ row_key | join(', ') }} order by delivery_rank desc, line_number desc) = 1
    {%- else -%}
    select * from typed
    {%- endif %}
),

final as (
    select
        {%- for column in columns %}
        {%- for name in staged_names(column) %}
        case when approved.{{ column.name }} then corrected.{{ name }} end as {{ name }},
        {%- endfor %}
        {%- endfor %}
        corrected.delivery_id,
        corrected.line_number
    from corrected
    cross join approved
)

select * from final
{%- endif -%}
{%- endmacro %}

{% macro source_contract(source_id) -%}
    {#- The contract of a source as the models need it. -#}
    {%- set node = graph.sources.values() | selectattr('source_name', 'equalto', 'raw')
        | selectattr('name', 'equalto', source_id) | first -%}
    {%- set columns = [] -%}
    {%- for column in node.columns.values() -%}
        {%- set meta = column.config.meta -%}
        {%- do columns.append({
            'name': column.name,
            'type': meta.type,
            'code_list': meta.get('code_list'),
            'width': meta.get('width'),
        }) -%}
    {%- endfor -%}
    {%- set meta = node.config.meta -%}
    {{ return({'row_key': meta.get('row_key') or [], 'columns': columns, 'facts': meta.get('facts')}) }}
{%- endmacro %}

{% macro staged_names(column) -%}
    {#- The columns that one column of the contract becomes. -#}
    {%- set type = column.type -%}
    {%- set names = [column.name] -%}
    {%- if type in ('name', 'address') -%}{%- do names.append(column.name ~ '_as_delivered') -%}{%- endif -%}
    {%- if type in ('name', 'kana', 'address') -%}{%- do names.append(column.name ~ '_match') -%}{%- endif -%}
    {%- if type == 'address' -%}{%- do names.append(column.name ~ '_building') -%}{%- endif -%}
    {{ return(names) }}
{%- endmacro %}

{% macro typed_column(column, columns) -%}
    {#- One column of the contract as typed SQL. A date with a flag `is_<date>_unknown` beside it is unknown
        where the flag is set, whatever the date says; the flag also tells of a date written as 不詳. -#}
    {%- set delivered = 'delivered.' ~ column.name -%}
    {%- set names = columns | map(attribute='name') | list -%}
    {%- set flag = 'is_' ~ column.name ~ '_unknown' -%}
    {%- if column.type == 'date' and flag in names -%}
        case when not coalesce({{ parse_flag('delivered.' ~ flag) }}, false) then {{ parse_date(delivered) }} end
    {%- elif column.type == 'flag' and column.name.startswith('is_') and column.name[3:-8] in names -%}
        coalesce({{ parse_flag(delivered) }}, false)
        or coalesce({{ date_status('delivered.' ~ column.name[3:-8]) }} = 'unknown', false)
    {%- elif column.type == 'date' -%}{{ parse_date(delivered) }}
    {%- elif column.type == 'month' -%}{{ parse_month(delivered) }}
    {%- elif column.type == 'int' -%}{{ parse_integer(delivered) }}
    {%- elif column.type == 'decimal' -%}{{ parse_decimal(delivered) }}
    {%- elif column.type == 'flag' -%}{{ parse_flag(delivered) }}
    {%- elif column.type == 'id' -%}{{ normalise_id(delivered, column.width) }}
    {%- elif column.type == 'code' -%}{{ normalise_code(delivered, 'codes.' ~ column.code_list) }}
    {%- elif column.type == 'postcode' -%}{{ normalise_postcode(delivered) }}
    {%- elif column.type in ('name', 'kana', 'text', 'address') -%}{{ delivered }}
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "Column " ~ column.name ~ " has the type '" ~ column.type ~ "', which no macro reads") }}
    {%- endif %} as {{ column.name }}
    {%- if column.type in ('name', 'address') %},
        {{ delivered }}_as_delivered as {{ column.name }}_as_delivered
    {%- endif -%}
    {%- if column.type == 'name' %},
        {{ match_kanji(delivered) }} as {{ column.name }}_match
    {%- elif column.type == 'kana' %},
        {{ match_kana(delivered) }} as {{ column.name }}_match
    {%- elif column.type == 'address' %},
        {{ match_address(delivered) }} as {{ column.name }}_match,
        {{ address_building(delivered) }} as {{ column.name }}_building
    {%- endif -%}
{%- endmacro %}
