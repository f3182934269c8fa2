{#- SQL: what a figure of fct_support_effect cannot say, in plain Japanese. -#}
{% macro caution_of_effect(measure) -%}
    {%- set cautions = {
        'days_to_support': '初めて潜在的リスク以上となった基準日から最初の支援までの日数。中央値と四分位。'
            ~ '支援に至っていない子どもは含まない。',
        'decision_by_tier': '会議の時点の段階ごとの決定の割合。会議にかかった子どもだけの数で、全体の割合ではない。',
        'disagreement_by_item': 'その項目が算入された子どものうち、会議が段階に同意しなかった割合。'
            ~ '項目が原因とは限らない。',
        'item_named_in_disagreement': '会議が同意しない理由に挙げた項目の、決定全体に対する割合。',
        'tier_fell_after_support': '支援の効果を示すものではない。支援は重い子どもに多く届き、記録のない支援もある。'
            ~ '比べる子どもは段階・年齢層・時期が同じというだけで、年齢層ごとの人数の割合は揃えていない。'
            ~ '段階の変化にはデータの増減や平均への回帰も含まれる。',
    } -%}
    case {{ measure }}
        {%- for code, text in cautions.items() %}
        when '{{ code }}' then '{{ text }}'
        {%- endfor %}
    end
{%- endmacro %}
