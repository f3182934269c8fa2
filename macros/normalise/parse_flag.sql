{% macro parse_flag(col) -%}
    {{ return(adapter.dispatch('parse_flag', 'kodomo')(col)) }}
{%- endmacro %}

{% macro default__parse_flag(col) -%}
    {#- An empty cell says nothing: it stays unknown, also where a form leaves the cell empty for "no". -#}
    case
        when lower({{ col }}) in ('1', '有', 'あり', '有り', '要', '○', '〇', '◯', 'はい', 'true') then true
        when lower({{ col }}) in ('0', '無', 'なし', '無し', '否', '不要', '×', '✕', '✖', 'いいえ', 'false') then false
    end
{%- endmacro %}
