{#- SQL: which orders without a model a version beats, in Japanese. Both arguments are SQL conditions. -#}
{% macro beaten_baselines(beats_item_count, beats_area_rate) -%}
    case
        when {{ beats_item_count }} and {{ beats_area_rate }} then '両方を上回る'
        when {{ beats_item_count }} then '地区の率だけの順を上回らない'
        when {{ beats_area_rate }} then '項目数だけの順を上回らない'
        else 'どちらも上回らない'
    end
{%- endmacro %}
