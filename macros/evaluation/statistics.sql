{#- SQL: the two-sided p-value of a standard normal z, with the rational Chebyshev fit of the complementary error
    function (Press et al., Numerical Recipes, erfcc): relative error below 1.2e-7, so that small values keep their
    order. The engine has no erf of its own. -#}
{% macro two_sided_p(z) -%}
    {{ return(adapter.dispatch('two_sided_p', 'kodomo')(z)) }}
{%- endmacro %}

{% macro default__two_sided_p(z) -%}
    {%- set x = '(abs(' ~ z ~ ') / sqrt(2.0))' -%}
    {%- set t = '(1.0 / (1.0 + 0.5 * ' ~ x ~ '))' -%}
    {%- set factors = [
        1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277
    ] -%}
    {%- set polynomial = namespace(text=factors[-1] | string) -%}
    {%- for factor in factors[:-1] | reverse -%}
        {%- set polynomial.text = '(' ~ factor ~ ' + ' ~ t ~ ' * ' ~ polynomial.text ~ ')' -%}
    {%- endfor -%}
    least(1.0, {{ t }} * exp(-{{ x }} * {{ x }} - 1.26551223 + {{ t }} * {{ polynomial.text }}))
{%- endmacro %}

{#- SQL: the chance that `seen` of the `in_column` marked ones are among `in_row` drawn from `people`. -#}
{% macro hypergeometric(seen, in_row, in_column, people) -%}
    exp(
        lgamma({{ in_row }} + 1) - lgamma({{ seen }} + 1) - lgamma({{ in_row }} - {{ seen }} + 1)
        + lgamma({{ people }} - {{ in_row }} + 1) - lgamma({{ in_column }} - {{ seen }} + 1)
        - lgamma({{ people }} - {{ in_row }} - {{ in_column }} + {{ seen }} + 1)
        - lgamma({{ people }} + 1) + lgamma({{ in_column }} + 1) + lgamma({{ people }} - {{ in_column }} + 1)
    )
{%- endmacro %}

{#- SQL columns: what a 2×2 table says. `a` exposed cases, `b` exposed others, `c` unexposed cases, `d` unexposed
    others; `ca` … `cd` the same with 0.5 added to all four where one is empty (Haldane–Anscombe), for ratios and
    intervals; `people` all of them. The p-value is that of the chi-square test with Yates' correction. -#}
{% macro two_by_two(table) -%}
    {%- set t = table -%}
    {{ t }}.a as exposed_cases,
    {{ t }}.b as exposed_others,
    {{ t }}.c as unexposed_cases,
    {{ t }}.d as unexposed_others,
    ({{ t }}.a + {{ t }}.b) / nullif({{ t }}.a + {{ t }}.b + {{ t }}.c + {{ t }}.d, 0) as prevalence,
    {{ t }}.a / nullif({{ t }}.a + {{ t }}.b, 0) as case_rate,
    {{ t }}.ca / ({{ t }}.ca + {{ t }}.cb) / ({{ t }}.cc / ({{ t }}.cc + {{ t }}.cd)) as relative_risk,
    exp(
        ln({{ t }}.ca / ({{ t }}.ca + {{ t }}.cb) / ({{ t }}.cc / ({{ t }}.cc + {{ t }}.cd)))
        - 1.959964 * sqrt(1 / {{ t }}.ca - 1 / ({{ t }}.ca + {{ t }}.cb) + 1 / {{ t }}.cc - 1 / ({{ t }}.cc + {{ t }}.cd))
    ) as relative_risk_low,
    exp(
        ln({{ t }}.ca / ({{ t }}.ca + {{ t }}.cb) / ({{ t }}.cc / ({{ t }}.cc + {{ t }}.cd)))
        + 1.959964 * sqrt(1 / {{ t }}.ca - 1 / ({{ t }}.ca + {{ t }}.cb) + 1 / {{ t }}.cc - 1 / ({{ t }}.cc + {{ t }}.cd))
    ) as relative_risk_high,
    {{ t }}.ca * {{ t }}.cd / ({{ t }}.cb * {{ t }}.cc) as odds_ratio,
    exp(
        ln({{ t }}.ca * {{ t }}.cd / ({{ t }}.cb * {{ t }}.cc))
        - 1.959964 * sqrt(1 / {{ t }}.ca + 1 / {{ t }}.cb + 1 / {{ t }}.cc + 1 / {{ t }}.cd)
    ) as odds_ratio_low,
    exp(
        ln({{ t }}.ca * {{ t }}.cd / ({{ t }}.cb * {{ t }}.cc))
        + 1.959964 * sqrt(1 / {{ t }}.ca + 1 / {{ t }}.cb + 1 / {{ t }}.cc + 1 / {{ t }}.cd)
    ) as odds_ratio_high,
    {{ t }}.a / nullif({{ t }}.a + {{ t }}.b, 0)
    / nullif(({{ t }}.a + {{ t }}.c) / ({{ t }}.a + {{ t }}.b + {{ t }}.c + {{ t }}.d), 0) as lift,
    ({{ t }}.ca / ({{ t }}.ca + {{ t }}.cc) - {{ t }}.cb / ({{ t }}.cb + {{ t }}.cd))
    * ln(({{ t }}.ca / ({{ t }}.ca + {{ t }}.cc)) / ({{ t }}.cb / ({{ t }}.cb + {{ t }}.cd)))
    + ({{ t }}.cc / ({{ t }}.ca + {{ t }}.cc) - {{ t }}.cd / ({{ t }}.cb + {{ t }}.cd))
    * ln(({{ t }}.cc / ({{ t }}.ca + {{ t }}.cc)) / ({{ t }}.cd / ({{ t }}.cb + {{ t }}.cd))) as information_value,
    {{ two_sided_p(
        'greatest(abs(' ~ t ~ '.a * ' ~ t ~ '.d - ' ~ t ~ '.b * ' ~ t ~ '.c) - ' ~ t ~ '.people / 2, 0) * sqrt('
        ~ t ~ '.people / nullif(cast(' ~ t ~ '.a + ' ~ t ~ '.b as double) * (' ~ t ~ '.c + ' ~ t ~ '.d) * ('
        ~ t ~ '.a + ' ~ t ~ '.c) * (' ~ t ~ '.b + ' ~ t ~ '.d), 0))'
    ) }} as p_value
{%- endmacro %}

{#- SQL: the lower (sign −) or upper (+) end of Wilson's 95 % interval of a share of `part` in `whole`. -#}
{% macro wilson(part, whole, sign) -%}
    case
        when {{ whole }} > 0
            then greatest(0.0, least(1.0, (
                {{ part }} + 1.920729 {{ sign }} 1.959964 * sqrt(
                    cast({{ part }} as double) * ({{ whole }} - {{ part }}) / {{ whole }} + 0.960365
                )
            ) / ({{ whole }} + 3.841459)))
    end
{%- endmacro %}
