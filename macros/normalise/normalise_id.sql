{% macro normalise_id(col, width=none) -%}
    {{ return(adapter.dispatch('normalise_id', 'kodomo')(col, width)) }}
{%- endmacro %}

{% macro default__normalise_id(col, width=none) -%}
    {#- Ids are text. With a width, a number is padded on the left with zeros (and surplus zeros go), so that every
        spelling of a number is one id; whatever is left that is no number is none. -#}
    {%- if width -%}
    list_transform(
        [{{ person_number(col) }}],
        lambda number: case
            when {{ is_placeholder_number('number') }} then null
            when length(ltrim(number, '0')) < {{ width }} then lpad(ltrim(number, '0'), {{ width }}, '0')
            else ltrim(number, '0')
        end
    )[1]
    {%- else -%}
    case
        when {{ is_destroyed_id(col) }} or {{ is_nothing(col) }} then null
        when regexp_full_match({{ col }}, '[0-9]{1,3}(?:,[0-9]{3})+(?:\.0*)?')
            then regexp_replace(replace({{ col }}, ',', ''), '\.0*$', '')
        else nullif(regexp_replace(
            replace({{ col }}, ' ', ''), '^(?:=?"(.*)"|[''’‘`´]([^''’‘`´]+)|([0-9]+)\.0+)$', '\1\2\3'
        ), '')
    end
    {%- endif %}
{%- endmacro %}

{% macro match_number(col) -%}
    {{ return(adapter.dispatch('match_number', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__match_number(col) -%}
    {#- The number that a holder has given, for matching: upper case, one stroke for all, and no zeros at the beginning
        of any run of digits, which a sheet drops, nor a No. before it. Zeros only and nines only are no person's. -#}
    list_transform(
        [regexp_replace(
            regexp_replace(translate(upper({{ col }}), '‐‑‒–—―−─━ーｰ', '-----------'), '^NO[.:]?([0-9])', '\1'),
            '(^|[^0-9])0+([0-9])', '\1\2', 'g'
        )],
        lambda number: case when not {{ is_placeholder_number('number') }} then number end
    )[1]
{%- endmacro %}

{% macro person_number(col) -%}
    {#- The digits of the number of a person or a household, without what tools and people write around them: quotes,
        an apostrophe, No., thousands commas, .0 at the end. Empty where anything else is left. -#}
    case
        when regexp_full_match({{ col }}, '[0-9]+') then {{ col }}
        else replace(
            regexp_extract(
                replace({{ col }}, ' ', ''),
                '^=?["''’‘`´]?(?i:(?:宛名|世帯)?(?:番号|コード)|no|nr)?[.:]?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.0*)?["'']?$',
                1
            ), ',', ''
        )
    end
{%- endmacro %}

{% macro is_placeholder_number(number) -%}
    {#- A number of zeros only or of nines only stands for no person; a 9 or 99 may still be a person's. -#}
    regexp_full_match({{ number }}, '0*|999+')
{%- endmacro %}

{% macro is_damaged_id(col, width=none) -%}
    {{ return(adapter.dispatch('is_damaged_id', 'kodomo')(col, width)) }}
{%- endmacro %}

{% macro default__is_damaged_id(col, width=none) -%}
    {%- if width -%}
    coalesce({{ person_number(col) }} = '' and not {{ is_nothing(col) }}, false)
    {%- else -%}
    {{ is_destroyed_id(col) }}
    {%- endif -%}
{%- endmacro %}

{% macro is_destroyed_id(col) -%}
    {#- What a spreadsheet makes of a long number: 1.23E+10, or ##### where the column was too narrow. Its #N/A says
        that there is none. -#}
    coalesce(
        regexp_full_match(
            replace({{ col }}, ' ', ''), '[0-9]+\.[0-9]*[Ee][+-]?[0-9]+|[0-9]+[Ee][+][0-9]+|#.*'
        ) and upper({{ col }}) not in ('#N/A', '#NULL!'), false
    )
{%- endmacro %}
