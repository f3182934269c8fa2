{#- One staging model: the contract of a source (models/sources/<source>.yml) as typed columns.

    The type of each column is in the contract and nowhere else. A column whose entry in the register of data
    items is not 承認 on the as-of date is empty here, and so everywhere behind.

    rows: 'in_force', what counts now; 'history', every row of a source whose contract has a row_state, with that
    state (in_force, history, deleted) in the column row_state, of those things only that have rows of a history.
    only: names of the columns that are wanted; all if left out. -#}
{% macro staging_model(source_id, rows='in_force', only=none) -%}
{%- if not execute -%}
    {#- Before the project is parsed there is no contract to read; what the model depends on is known. -#}
    {{ current_rows(source_id) }} cross join {{ source('run', 'data_items') }} cross join {{ as_of() }}
    cross join {{ ref('stg_seeds__code_spellings') }}
    cross join {{ ref('words_for_nothing') }} cross join {{ ref('flag_words') }} cross join {{ ref('units') }}
{%- else -%}
{%- set contract = source_contract(source_id) -%}
{%- set row_key = contract.row_key -%}
{%- set row_state = contract.get('row_state') -%}
{%- set columns = contract.columns -%}
{%- if only -%}
    {%- set columns = columns | selectattr('name', 'in', only + row_key + row_state_columns(row_state)) | list -%}
{%- endif -%}
{%- set last = 'stated' if row_state else 'corrected' -%}
{%- set coded = columns | selectattr('code_list') | list -%}
{%- set dates = columns | selectattr('type', 'equalto', 'date') | list -%}
{%- set names = columns | selectattr('type', 'equalto', 'name') | list -%}
with delivered as (
    {{ current_rows(source_id) }}
    {%- if rows == 'history' %}
    where {{ row_state_columns(row_state) | join(' is not null or ') }} is not null
    {%- endif %}
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
{% if coded %}
code_maps as (
    -- one row per code list
    {{ code_maps() }}
),
{% endif %}
{%- for column in coded %}
{{ column.name }}_codes as (
    -- each text of the column once, with the code it means
    {{ decoded_texts(source_id, column) }}
),
{% endfor %}
{%- if dates %}
dates as (
    -- each text of the date columns once, with the day it means
    {{ read_dates(source_id, dates) }}
),
{% endif %}
{%- if names %}
names as (
    -- each text of the name columns once, with the spelling by which it is compared
    select
        delivered_text,
        {{ match_kanji('delivered_text') }} as matched
    from ({{ delivered_texts(source_id, names) }}) as texts
    where delivered_text is not null
),
{% endif %}
typed as (
    select
        {%- for column in columns %}
        {{ typed_column(column, columns) }},
        {%- endfor %}
        delivered.delivery_id,
        delivered.line_number,
        delivered.delivery_rank,
        delivered.delivery_kind
    from delivered
    {%- for column in coded %}
    left join {{ column.name }}_codes on delivered.{{ column.name }} = {{ column.name }}_codes.delivered_text
    {%- endfor %}
    {%- for column in dates %}
    left join dates as {{ column.name }}_date on delivered.{{ column.name }} = {{ column.name }}_date.delivered_text
    {%- endfor %}
    {%- for column in names %}
    left join names as {{ column.name }}_name on delivered.{{ column.name }} = {{ column.name }}_name.delivered_text
    {%- endfor %}
),

corrected as (
    {% if row_key -%}
    -- a later delivery corrects an earlier one; of two rows of one file the last one holds, or what the contract says;
    -- what was taken back stays so, wherever its row stands
    select *
    from typed
    qualify
        row_number() over (
            partition by {{ row_key_columns(row_key, columns) | join(', ') }}
            order by
                delivery_rank desc,
                {%- if row_state %}
                coalesce({{ row_state.deleted }}, false) desc,
                coalesce({{ row_state.latest }}, false) desc,
                {%- endif %}
                {%- for rule in contract.row_order %}
                {{ holds_first(rule) }},
                {%- endfor %}
                line_number desc
        ) = 1
    {%- else -%}
    select * from typed
    {%- endif %}
),
{% if row_state %}
{%- set entity = (row_state.entity | join(', ')) ~ ', coalesce(' ~ row_state.deleted ~ ', false)' %}
stated as (
    -- the row that says so is in force; where it was taken back, the one before it
    select
        *,
        case
            when coalesce({{ row_state.deleted }}, false) then 'deleted'
            {%- if row_state.get('several_by') %}
            when coalesce({{ row_state.latest }}, false) then 'in_force'
            when
                not bool_or(coalesce({{ row_state.latest }}, false)) over (partition by {{ entity }})
                and rank() over (
                    partition by
                        {{ entity }}, case when {{ row_state.latest }} is null then {{ row_state.several_by }} end
                    order by {{ row_state.order | join(' desc nulls last, ') }} desc nulls last
                ) = 1
                then 'in_force'
            {%- else %}
            when
                row_number() over (
                    partition by {{ entity }}
                    order by
                        coalesce({{ row_state.latest }}, false) desc,
                        {%- for column in row_state.order %}
                        {{ column }} desc nulls last,
                        {%- endfor %}
                        delivery_rank desc,
                        line_number desc
                ) = 1
                then 'in_force'
            {%- endif %}
            else 'history'
        end as row_state
    from corrected
),
{% endif %}
final as (
    select
        {%- for column in columns %}
        {%- for name in staged_names(column, columns) %}
        {%- if name == before_start(column, columns) %}
        {{ ends_before_start(column, last) }} as {{ name }},
        {%- elif before_start(column, columns) and name == column.name %}
        case
            when approved.{{ name }} and not {{ ends_before_start(column, last) }} then {{ last }}.{{ name }}
        end as {{ name }},
        {%- else %}
        case when approved.{{ column.name }} then {{ last }}.{{ name }} end as {{ name }},
        {%- endif %}
        {%- endfor %}
        {%- endfor %}
        {%- if rows == 'history' %}
        {{ last }}.row_state,
        {%- endif %}
        {{ last }}.delivery_id,
        {{ last }}.line_number
    from {{ last }}
    cross join approved
    {%- if row_state and rows == 'in_force' %}
    where {{ last }}.row_state = 'in_force'
    {%- endif %}
)

select * from final
{%- endif -%}
{%- endmacro %}

{% macro row_state_columns(row_state) -%}
    {#- The columns that tell the state of a row, as a list. -#}
    {{ return([row_state.latest, row_state.deleted] + row_state.order if row_state else []) }}
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
            'has_label': meta.get('has_label'),
            'holds_several': meta.get('holds_several'),
            'width': meta.get('width'),
            'unit': meta.get('unit'),
            'plausible': meta.get('plausible'),
            'ends': meta.get('ends'),
            'is_end': meta.get('ends') or meta.get('future'),
            'external': meta.get('external'),
        }) -%}
    {%- endfor -%}
    {%- set meta = node.config.meta -%}
    {{ return({
        'row_key': meta.get('row_key') or [],
        'row_order': meta.get('row_order') or [],
        'row_state': meta.get('row_state'),
        'columns': columns,
        'facts': meta.get('facts'),
    }) }}
{%- endmacro %}

{% macro holds_first(rule) -%}
    {#- Of two rows of one key in one full file, the one with this value, or with the newest date. -#}
    {%- if 'is' in rule -%}
    (delivery_kind = 'full' and {{ rule.column }} is not distinct from '{{ rule.is }}') desc
    {%- else -%}
    case when delivery_kind = 'full' then {{ rule.column }} end desc nulls last
    {%- endif -%}
{%- endmacro %}

{% macro before_start(column, columns) -%}
    {#- The column that says that an end was discarded; empty where the beginning is not among the columns. -#}
    {%- set has_start = column.ends and column.ends in columns | map(attribute='name') -%}
    {{ return('is_' ~ column.name ~ '_before_' ~ column.ends if has_start else '') }}
{%- endmacro %}

{% macro ends_before_start(column, rows) -%}
    coalesce(
        approved.{{ column.name }}
        and approved.{{ column.ends }}
        and {{ rows }}.{{ column.name }} < {{ rows }}.{{ column.ends }},
        false
    )
{%- endmacro %}

{% macro staged_names(column, columns) -%}
    {#- The columns that one column of the contract becomes. -#}
    {%- set type = column.type -%}
    {%- set names = [column.name] -%}
    {%- if type in ('name', 'address') -%}{%- do names.append(column.name ~ '_as_delivered') -%}{%- endif -%}
    {%- if type in ('name', 'kana', 'address') -%}{%- do names.append(column.name ~ '_match') -%}{%- endif -%}
    {%- if type == 'address' -%}{%- do names.append(column.name ~ '_building') -%}{%- endif -%}
    {%- if column.get('has_label') -%}{%- do names.append(column.name ~ '_label') -%}{%- endif -%}
    {%- if column.external -%}{%- do names.append(column.name ~ '_match') -%}{%- endif -%}
    {%- if before_start(column, columns) -%}{%- do names.append(before_start(column, columns)) -%}{%- endif -%}
    {{ return(names) }}
{%- endmacro %}

{% macro row_key_columns(row_key, columns) -%}
    {#- The key as staged: two unknown words are two keys, which their labels tell apart. -#}
    {%- set labelled = columns | selectattr('has_label', 'defined') | selectattr('has_label') | map(attribute='name')
        | list -%}
    {%- set names = [] -%}
    {%- for name in row_key -%}
        {%- do names.append(name) -%}
        {%- if name in labelled -%}{%- do names.append(name ~ '_label') -%}{%- endif -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{% macro decoded_texts(source_id, column) -%}
    {#- SELECT delivered_text, code, label: one row per text that a class column holds. The label is what people are
        shown: that of the code, those of several codes, or of an unknown word the word itself; nothing for "none". -#}
    select
        delivered_text,
        code,
        case
            when code = 'unknown' then delivered_text
            else nullif(array_to_string(
                list_transform(string_split(code, '|'), lambda each_code: labels[each_code]), '・'
            ), '')
        end as label
    from (
        select
            texts.delivered_text,
            code_maps.labels,
            {{ normalise_code(
                'texts.delivered_text', 'code_maps.spellings', 'code_maps.kinds' if column.get('holds_several') else none
            ) }} as code
        from (
            select distinct {{ column.name }} as delivered_text
            from {{ source('raw', source_id) }}
            where {{ column.name }} is not null
        ) as texts
        inner join code_maps on code_maps.code_list = '{{ column.code_list }}'
    ) as texts_with_codes
{%- endmacro %}

{% macro read_dates(source_id, dates) -%}
    {#- SELECT delivered_text, day, last_day, is_unknown: one row per text that a date column holds. last_day is what the
        text means where it is an end or still to come. -#}
    select
        delivered_text,
        {{ parse_date('delivered_text') }} as day,
        {% if dates | selectattr('is_end') | list -%}
        {{ parse_date('delivered_text', true) }} as last_day,
        {% endif -%}
        {{ is_unknown_date('delivered_text') }} as is_unknown
    from ({{ delivered_texts(source_id, dates) }}) as texts
    where delivered_text is not null
{%- endmacro %}

{% macro delivered_texts(source_id, columns) -%}
    {#- SELECT delivered_text: each text that stands in one of the columns, once; NULL too where there is one. -#}
    select distinct unnest([{{ columns | map(attribute='name') | join(', ') }}]) as delivered_text
    from {{ source('raw', source_id) }}
{%- endmacro %}

{% macro typed_column(column, columns) -%}
    {#- One column of the contract as typed SQL. A date with a flag `is_<date>_unknown` beside it is unknown
        where the flag is set, whatever the date says; the flag also tells of a date written as 不詳. -#}
    {%- set delivered = 'delivered.' ~ column.name -%}
    {%- set names = columns | map(attribute='name') | list -%}
    {%- set flag = 'is_' ~ column.name ~ '_unknown' -%}
    {%- if column.type == 'date' and flag in names -%}
        case when not coalesce({{ parse_flag('delivered.' ~ flag) }}, false) then {{ column.name }}_date.day end
    {%- elif column.type == 'flag' and column.name.startswith('is_') and column.name[3:-8] in names -%}
        coalesce({{ parse_flag(delivered) }}, false)
        or coalesce({{ column.name[3:-8] }}_date.is_unknown, false)
    {%- elif column.type == 'date' -%}{{ column.name }}_date.{{ 'last_day' if column.is_end else 'day' }}
    {%- elif column.type == 'month' -%}{{ parse_month(delivered) }}
    {%- elif column.type == 'int' -%}{{ staged_number(parse_integer(delivered, column.unit), column) }}
    {%- elif column.type == 'decimal' -%}{{ staged_number(parse_decimal(delivered, column.unit), column) }}
    {%- elif column.type == 'flag' -%}{{ parse_flag(delivered) }}
    {%- elif column.type == 'id' -%}{{ normalise_id(delivered, column.width) }}
    {%- elif column.type == 'code' -%}{{ column.name }}_codes.code
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
        {{ column.name }}_name.matched as {{ column.name }}_match
    {%- elif column.external %},
        {{ match_number(normalise_id(delivered)) }} as {{ column.name }}_match
    {%- elif column.type == 'kana' %},
        {{ match_kana(delivered) }} as {{ column.name }}_match
    {%- elif column.type == 'address' %},
        {{ match_address(delivered) }} as {{ column.name }}_match,
        {{ address_building(delivered) }} as {{ column.name }}_building
    {%- elif column.get('has_label') %},
        {{ column.name }}_codes.label as {{ column.name }}_label
    {%- endif -%}
{%- endmacro %}

{% macro staged_number(number, column) -%}
    {%- set bounds = column.plausible or [none, none] -%}
    {{ plausible_number(number, bounds[0], bounds[1]) }}
{%- endmacro %}
